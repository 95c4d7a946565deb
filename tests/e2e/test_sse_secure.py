"""Streams over TLS, with tokens, and asked for by ws_chat_authorize."""

import json
import ssl

import httpx
import pytest
from httpx_sse import connect_sse

from harness import tokens
from harness.nginx import reserve_port
from harness.redis import make_certificates
from harness.sse import Stream, send

pytestmark = pytest.mark.plain_store

# what comes is looked at message by message
NGINX_HTTP = 'ws_chat_presence off;'

JWT = 'ws_chat_auth jwt; ws_chat_jwt_key secret;'


def start_with_tokens(nginx, location=JWT, **options):
    ng = nginx(workers=1, start=False, location=location, **options)
    (ng.dir / 'secret').write_bytes(tokens.SECRET)
    ng.start()
    return ng


def bearer(sub='ann', **claims):
    return {'Authorization': 'Bearer ' + tokens.mint(
        tokens.claims(sub, **claims))}


@pytest.mark.parametrize('http2', [False, True], ids=['1.1', '2'])
def test_tls(nginx, http2):
    """More than one TLS record, and POST on the same connection."""
    port, keeper = reserve_port()
    ng = nginx(workers=1, start=False, server='''
        listen 127.0.0.1:%d ssl http2 reuseport;
        ssl_certificate redis.crt; ssl_certificate_key redis.key;
    ''' % port)
    make_certificates(ng.dir)
    ng.start()
    url = 'https://127.0.0.1:%d/sse' % port
    context = ssl.create_default_context(cafile=str(ng.dir / 'ca.crt'))
    text = 'x' * 40000
    with httpx.Client(http1=not http2, http2=http2, trust_env=False,
                      verify=context, timeout=60) as client:
        with connect_sse(client, 'GET', url + '?chat_id=room') as source:
            assert source.response.http_version == (
                'HTTP/2' if http2 else 'HTTP/1.1')
            events = source.iter_sse()
            assert next(events).event == 'welcome'
            assert next(events).event == 'joined'
            for n in range(5):
                reply = client.post(url + '?user=ann', json={
                    'op': 'send', 'id': n, 'chat_id': 'room', 'message': text,
                    'cid': 'c%d' % n}).json()
                assert (reply['ev'], reply['id']) == ('ack', n)
                event = next(events)
                assert event.id == '%(epoch)d:%(seq)d' % reply
                assert event.json()['message'] == text
            last = event.id
        send(ng, 'room', 'missed', 'm')
        with connect_sse(client, 'GET', url + '?chat_id=room',
                         headers={'Last-Event-ID': last}) as source:
            got = [json.loads(e.data) for _, e in zip(range(3),
                                                      source.iter_sse())]
            assert got[2]['message'] == 'missed'
    keeper.close()


def test_tokens(nginx):
    """Without a good one 401, the same as ever; its user, rights and end."""
    ng = start_with_tokens(nginx)
    bodies = set()
    for headers in {}, {'Authorization': 'Bearer x'}, bearer(seconds=-60), \
            {'Authorization': 'Basic x'}:
        for method, body in ('GET', None), ('POST', '{"op":"ping"}'):
            response = ng.request('/sse?chat_id=room&user=eve', method,
                                  headers, body)
            assert response.status == 401
            assert response.headers['WWW-Authenticate'] == 'Bearer'
            bodies.add(response.body)
    assert len(bodies) == 1
    rights = bearer(chat={'join': ['room', 'r*'], 'send': ['room']})
    with Stream(ng, 'room', 'other', 'r2', user='eve',
                headers=rights) as stream:
        assert stream.expect('welcome')['user'] == 'ann'
        assert stream.expect('joined')['chat_id'] == 'room'
        error = stream.expect('error')
        assert (error['code'], error['chat_id']) == ('forbidden', 'other')
        assert stream.expect('joined')['chat_id'] == 'r2'
        for chat, expected in (('room', 'ack'), ('r2', 'forbidden')):
            response = ng.request('/sse', 'POST', rights, json.dumps(
                {'op': 'send', 'chat_id': chat, 'cid': '1', 'message': 1}))
            reply = json.loads(response.body)
            assert reply.get('code', reply['ev']) == expected
        assert stream.expect('message')['sender'] == 'ann'
    with Stream(ng, 'other', headers=rights) as stream:
        assert stream.expect('error')['code'] == 'forbidden'
        assert stream.rest()[-1]['code'] == 4003


def test_a_token_ends(nginx):
    ng = start_with_tokens(nginx)
    with Stream(ng, 'room', headers=bearer(seconds=1),
                timeout=60) as stream:
        stream.expect('joined')
        assert stream.rest()[-1]['code'] == 4001


def test_authorize(nginx):
    """Each chat is asked for, and each by POST, too."""
    ng = nginx(workers=1, location='ws_chat_authorize /may; '
               'ws_chat_user $arg_user;', server='''
        location = /may {
            internal;
            if ($arg_chat_id = no) { return 403; }
            return 204;
        }
    ''')
    with Stream(ng, 'yes', 'no', 'also', user='ann') as stream:
        assert stream.expect('joined')['chat_id'] == 'yes'
        error = stream.expect('error')
        assert (error['code'], error['chat_id']) == ('forbidden', 'no')
        assert stream.expect('joined')['chat_id'] == 'also'
        send(ng, 'yes', 1, 'c')
        assert stream.expect('message')['chat_id'] == 'yes'
    response = ng.request('/sse?user=ann', 'POST', {}, json.dumps(
        {'op': 'history', 'chat_id': 'no'}))
    assert json.loads(response.body)['code'] == 'forbidden'
    with Stream(ng, 'no', user='ann') as stream:
        assert stream.expect('error')['code'] == 'forbidden'
        assert stream.rest()[-1]['code'] == 4003
