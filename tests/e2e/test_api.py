"""The HTTP API: keys, errors, drain, info."""

import asyncio
import json
import time

import pytest
from websockets.exceptions import InvalidStatus

from harness.client import Client
from harness.member import connect_to
from harness.nginx import Nginx, wait_for, warned
from harness.sse import Stream

KEYS = ['0123456789abcdef', '~key.with/other+signs=!"']


def keyed(ng, text, name='keys'):
    """Write the file of keys; workers never read it."""
    path = ng.dir / name
    path.write_text(text)
    path.chmod(0o600)


def start_keyed(nginx, text, **options):
    options.setdefault('workers', 1)
    ng = nginx(start=False, server='''
        location /keyed/ { ws_chat_api zone=chat; ws_chat_api_key keys; }
    ''', **options)
    keyed(ng, text)
    ng.start()
    return ng


def call(ng, path, method='GET', body=None, key=None, headers=None):
    """(status, JSON, headers) of a call below the server's root."""
    headers = dict(headers or {})
    if key is not None:
        headers['Authorization'] = 'Bearer ' + key
    response = ng.request(path, method, headers, body)
    assert response.headers['Content-Type'] == 'application/json', response
    assert response.headers['Cache-Control'] == 'no-store'
    return (response.status, json.loads(response.body) if response.body
            else None, response.headers)


def assert_error(answer, status, code):
    assert answer[0] == status, answer
    assert set(answer[1]) == {'code', 'message'}
    assert answer[1]['code'] == code and answer[1]['message']


# who may call

def test_keys(nginx):
    ng = start_keyed(nginx, '# two, while the second takes over\n\n  %s\t\r\n'
                     '\n%s' % tuple(KEYS))
    for key in KEYS:
        assert call(ng, '/keyed/info', key=key)[0] == 200
    for scheme in 'bearer', 'BEARER', 'Bearer ':
        assert call(ng, '/keyed/info', headers={
            'Authorization': '%s %s' % (scheme, KEYS[0])})[0] == 200
    assert call(ng, '/api/info')[0] == 200


def test_wrong_keys(nginx):
    ng = start_keyed(nginx, '\n'.join(KEYS))
    key = KEYS[0]
    wrong = [key[:i] + chr(ord(key[i]) ^ 1) + key[i + 1:]
             for i in range(len(key))]
    wrong += [key[:-1], key + '0', key * 2, key[::-1], '', 'x' * 5000,
              '# two', KEYS[0] + KEYS[1], '\n'.join(KEYS)[:16] + ' x']
    lines = ['Bearer ' + one for one in wrong]
    lines += ['Bearer', key, 'Basic ' + key, 'Bearer' + key, 'Bearerx ' + key]
    for line in lines + [None]:
        answer = call(ng, '/keyed/drain', 'POST', '{}',
                      headers={'Authorization': line} if line else {})
        assert_error(answer, 401, 'unauthorized')
        assert answer[2]['WWW-Authenticate'] == 'Bearer', line
    assert_error(call(ng, '/keyed/info', headers={'X-Api-Key': key}), 401,
                 'unauthorized')
    # who has no key does not learn what there is
    assert_error(call(ng, '/keyed/nothing'), 401, 'unauthorized')
    assert call(ng, '/api/info')[1]['draining'] is False


def test_keys_are_read_at_a_reload(nginx):
    ng = start_keyed(nginx, KEYS[0])
    keyed(ng, KEYS[1])
    assert call(ng, '/keyed/info', key=KEYS[0])[0] == 200
    ng.reload()
    assert call(ng, '/keyed/info', key=KEYS[0])[0] == 401
    assert call(ng, '/keyed/info', key=KEYS[1])[0] == 200


def test_keys_stay_out_of_logs(nginx):
    ng = start_keyed(nginx, KEYS[0], level='debug')
    keyed(ng, 'short-secret')
    assert ng.check_conf()[0] != 0
    assert 'short-secret' not in ng.check_conf()[1]


# paths and bodies

@pytest.mark.parametrize('method,path,body,status,code', [
    ('GET', '', None, 404, 'not_found'),
    ('GET', 'drains', None, 404, 'not_found'),
    ('POST', 'drain/', None, 404, 'not_found'),
    ('POST', 'drain/x', None, 404, 'not_found'),
    ('POST', 'Drain', None, 404, 'not_found'),
    ('POST', 'chats//messages', '{}', 404, 'not_found'),
    ('POST', '%00', '{}', 400, None),
    ('GET', 'drain', None, 405, 'method_not_allowed'),
    ('DELETE', 'drain', 'x' * 9000, 405, 'method_not_allowed'),
    ('POST', 'info', '{}', 405, 'method_not_allowed'),
    ('OPTIONS', 'info', None, 405, 'method_not_allowed'),
    ('POST', 'drain', '{', 400, 'bad_request'),
    ('POST', 'drain', 'on=true', 400, 'bad_request'),
    ('POST', 'drain', 'true', 400, 'bad_request'),
    ('POST', 'drain', '[]', 400, 'bad_request'),
    ('POST', 'drain', '{"on":1}', 400, 'bad_request'),
    ('POST', 'drain', '{"on":null}', 400, 'bad_request'),
    ('POST', 'drain', '{"on":"true"}', 400, 'bad_request'),
    ('POST', 'drain', '{"on":true,"on":true}', 400, 'bad_request'),
    ('POST', 'drain', '{"x":"\ud800"}'.encode('utf-8', 'surrogatepass'), 400,
     'bad_request'),
    ('POST', 'drain', '{"x":%s}' % ('[' * 40 + ']' * 40), 400, 'bad_request'),
    ('POST', 'drain', '{}' + ' ' * 4095, 413, 'too_large'),
    ('POST', 'drain', 'x' * 900000, 413, 'too_large'),
    ('POST', 'drain', [b'{}', b' ' * 4095], 413, 'too_large'),
    ('POST', 'drain', [b' ' * 60000] * 5, 413, 'too_large'),
])
@pytest.mark.parametrize('server', [
    '', 'client_body_in_file_only clean;'], ids=['memory', 'file'])
def test_errors(nginx_of, method, path, body, status, code, server):
    ng = nginx_of(server)
    if isinstance(body, list):
        body = iter(body)
    if code is None:
        assert ng.request('/api/' + path, method, body=body).status == status
        return
    answer = call(ng, '/api/' + path, method, body)
    assert_error(answer, status, code)
    if status == 405:
        assert answer[2]['Allow'] == (
            'POST' if path == 'drain' else 'GET, HEAD')
    assert call(ng, '/api/info')[1]['draining'] is False


@pytest.fixture(scope='module')
def nginx_of():
    """One NGINX for each `server` part, for calls that change nothing."""
    running = {}

    def get(server):
        if server not in running:
            running[server] = Nginx(workers=1, server=server)
        return running[server]

    yield get
    for ng in running.values():
        ng.stop()


@pytest.mark.parametrize('body,on', [
    (None, True), ('', True), (' \r\n', True), ('{}', True),
    ('{"on":true}', True), ('{"on":false}', False),
    (' { "o\\u006e" : false , "x" : [ 1 ] } ', False),
    ('{"on":false}' + ' ' * 4084, False),
    ([b'{"on"', b':false', b'}'], False),
])
@pytest.mark.parametrize('server', [
    '', 'client_body_in_file_only clean;'], ids=['memory', 'file'])
def test_bodies(nginx_of, body, on, server):
    ng = nginx_of(server)
    ng.drain(not on)
    if isinstance(body, list):
        body = iter(body)
    status, answer, _ = call(ng, '/api/drain', 'POST', body)
    assert status == 200
    assert answer == {'draining': on, 'connections': 0}
    assert ng.drain(False)['draining'] is False


def test_places(nginx):
    """With or without a slash, at the root, in an `if`."""
    ng = nginx(workers=1, server='''
        ws_chat_api_key open;
        location /bare { ws_chat_api; }
        location / {
            ws_chat_api;
            if ($arg_a) { set $b 1; }
            rewrite ^/old/(.*) /$1 break;
        }
        location /moved/ { ws_chat_api; rewrite ^ /info break; }
    ''')
    for path in '/bare/info', '/info', '/info?a=1', '/info?x', '/old/info':
        assert call(ng, path)[0] == 200, path
    for path in '/bare', '/bare/', '/bareinfo', '/', '/x/info', '/moved/x':
        assert_error(call(ng, path), 404, 'not_found')


def test_info(nginx):
    ng = nginx(http='ws_chat_node "a\\"b";', store=False)
    begin = time.time() * 1000
    status, info, _ = call(ng, '/api/info')
    assert status == 200
    started = info.pop('started')
    assert begin - 3600000 < started < begin
    assert info.pop('version') == ng.status()['version']
    assert info == {
        'protocol': 1, 'node': 'a"b', 'zone': 'chat', 'store': 'embedded',
        'draining': False, 'status': 'ready', 'generation': 1, 'workers': 2,
        'connections': 0, 'chats': 0, 'members': 0}
    head = ng.request('/api/info', 'HEAD')
    assert head.status == 200 and head.body == b''
    assert ng.request('/api/info', body='x' * 5000).status == 200


async def test_info_counts(nginx):
    ng = nginx()
    client = await Client.connect(ng)
    await client.settle('join', chat_id='room')
    _, info, _ = await asyncio.to_thread(call, ng, '/api/info')
    assert (info['connections'], info['chats'], info['members']) == (1, 1, 1)
    assert ng.drain() == {'draining': True, 'connections': 1}
    _, info, _ = await asyncio.to_thread(call, ng, '/api/info')
    assert info['draining'] is True
    assert info['status'] == 'draining'
    assert info['reason'] == 'drained by the API'


# drain

async def refused(ng):
    """No worker takes a socket; they say when to come again."""
    for _ in range(50):
        with pytest.raises(InvalidStatus) as caught:
            await Client.connect(ng)
        response = caught.value.response
        assert response.status_code == 503
        assert 1 <= int(response.headers['Retry-After']) <= 5


def unhealthy(ng):
    """Every worker wants to keep what it has, and nothing new."""
    for _ in range(50):
        response = ng.request('/health')
        assert response.status == 404
        assert json.loads(response.body) == {
            'status': 'draining', 'reason': 'drained by the API'}
    assert ng.request('/health?live').status == 200


async def healthy(ng):
    """Each worker, once its store is ready."""
    await asyncio.to_thread(
        wait_for, lambda: all(ng.request('/health').status == 200
                              for _ in range(20)), 10, 'all are ready')


async def works(*clients):
    """The chat goes on: all get what each of them says."""
    for one in clients:
        cid = 'w%d' % next(one.cids)
        await one.settle('send', chat_id='room', cid=cid, message='x',
                         retry=True)
        for other in clients:
            event = await other.expect('message', cid=cid)
            assert event['sender'] == one.welcome['user']


async def test_drain(nginx):
    ng = nginx()
    w1, w2 = ng.worker_pids()
    a = await connect_to(ng, w1, user='ann')
    b = await connect_to(ng, w2, user='bob')
    for one in a, b:
        await one.settle('join', chat_id='room')
    before = ng.status()
    assert ng.drain() == {'draining': True, 'connections': 2}
    await refused(ng)
    unhealthy(ng)
    await works(a, b)
    # joins and the rest go on, too
    await a.settle('join', chat_id='other')
    after = ng.status()
    assert after['refused'] == before['refused'] + 50
    assert after['accepted'] == before['accepted']
    assert after['draining'] == 0

    assert ng.drain(False) == {'draining': False, 'connections': 2}
    await healthy(ng)
    for _ in range(20):
        await (await Client.connect(ng)).close()
    assert len(ng.wait_log(r'\[notice\].* ws_chat is drained')) == 1
    assert len(ng.wait_log(r'\[notice\].* ws_chat is no longer drained')) == 1


def test_order_of_refusals(nginx):
    """Origin before draining before what is wrong with the handshake."""
    ng = nginx(workers=1, location='ws_chat_origins https://a.example;')
    ng.drain()
    plain = ng.request('/chat')
    assert plain.status == 503 and plain.headers['Retry-After']
    mine = ng.request('/chat', headers={'Origin': 'https://a.example'})
    assert mine.status == 503
    assert mine.headers['Access-Control-Allow-Origin'] == 'https://a.example'
    other = ng.request('/chat', headers={'Origin': 'https://b.example'})
    assert other.status == 403 and 'Retry-After' not in other.headers
    assert len({ng.request('/chat').headers['Retry-After']
                for _ in range(40)}) > 1


async def test_drain_over_a_reload(nginx):
    """A reload changes nothing of it, in either generation."""
    ng = nginx(location='ws_chat_drain 1h;')
    a = await Client.connect(ng, user='ann')
    await a.settle('join', chat_id='room')
    ng.drain()
    await asyncio.to_thread(ng.reload)
    assert call(ng, '/api/info')[1]['generation'] == 2
    await refused(ng)
    unhealthy(ng)
    await works(a)
    ng.drain(False)
    b = await Client.connect(ng, user='bob')
    await b.settle('join', chat_id='room')
    await works(a, b)
    await asyncio.to_thread(ng.reload)
    await healthy(ng)
    await a.close()
    await b.close()
    await asyncio.to_thread(wait_for, lambda: not ng.draining_pids(), 10,
                            'the old workers ended')


async def test_drain_and_a_killed_worker(nginx):
    """Who takes its place is drained as well."""
    ng = nginx()
    ng.drain()
    for pid in ng.worker_pids():
        await asyncio.to_thread(ng.kill_worker, pid)
    await refused(ng)
    unhealthy(ng)
    ng.drain(False)
    await Client.connect(ng)


def test_drain_ends_with_nginx(nginx):
    ng = nginx()
    ng.drain()
    ng.quit()
    ng.start()
    wait_for(lambda: ng.request('/health').status == 200, 10, 'it is ready')


# the directives

LOCATION = 'location /x { ws_chat_api zone=chat; %s }'


@pytest.mark.once
@pytest.mark.parametrize('server,parts', [
    (LOCATION % '', ['"ws_chat_api_key"', '"open"']),
    (LOCATION % 'ws_chat_api_key;', ['"ws_chat_api_key"']),
    (LOCATION % 'ws_chat_api_key a b;', ['"ws_chat_api_key"']),
    (LOCATION % 'ws_chat_api_key open; ws_chat_api_key open;',
     ['"ws_chat_api_key"', 'duplicate']),
    (LOCATION % 'ws_chat_api_key open; ws_chat_api zone=chat;',
     ['"ws_chat_api"', 'only handler']),
    (LOCATION % 'ws_chat_api_key open; ws_chat_status;',
     ['"ws_chat_status"', 'only handler']),
    ('ws_chat_api zone=chat;', ['"ws_chat_api"', 'not allowed here']),
    ('location /x { ws_chat_api_key open; ws_chat_api zone=no; }', ['"no"']),
    ('location /x { ws_chat_api_key open; ws_chat_api colour=red; }',
     ['"ws_chat_api"', 'colour=red']),
    ('location = /x { ws_chat_api_key open; ws_chat_api zone=chat; }',
     ['"ws_chat_api"', 'prefix']),
    ('location ~ ^/x { ws_chat_api_key open; ws_chat_api zone=chat; }',
     ['"ws_chat_api"', 'prefix']),
    ('location @x { ws_chat_api_key open; ws_chat_api zone=chat; }',
     ['"ws_chat_api"', 'prefix']),
])
def test_bad_directives(nginx, server, parts):
    rc, text = nginx(start=False, store=False, server=server).check_conf()
    emerg = [one for one in text.splitlines() if '[emerg]' in one]
    assert rc != 0 and len(emerg) == 1, text
    for part in parts + ['nginx.conf:']:
        assert part in emerg[0], emerg[0]


@pytest.mark.once
@pytest.mark.parametrize('server', [
    LOCATION % 'ws_chat_api_key open;',
    'ws_chat_api_key keys; ' + LOCATION % '',
    'location ^~ /x { ws_chat_api; ws_chat_api_key keys; }',
    'location /x { ws_chat_api_key keys; location /x/y { ws_chat_api; } }',
    LOCATION % 'ws_chat_api_key keys; if ($arg_a) { set $b 1; } '
               'limit_except POST { deny all; }',
])
def test_good_directives(nginx, server):
    ng = nginx(start=False, store=False, server=server)
    keyed(ng, KEYS[0])
    rc, text = ng.check_conf()
    assert rc == 0 and not warned(text), text


@pytest.mark.once
@pytest.mark.parametrize('text,part', [
    (None, 'cannot open'),
    ('', 'no key'),
    ('# nothing\n\n \t\n', 'no key'),
    ('x' * 15, 'line 1 of'),
    ('# one\n\n' + 'x' * 15, 'line 3 of'),
    ('x' * 16 + '\n' + 'x' * 257, 'too long'),
    ('x' * 16 + ' ' + 'x' * 16, 'line 1 of'),
    ('x' * 16 + '\x7f', 'line 1 of'),
    ('x' * 16 + '\u00e4', 'line 1 of'),
    ('x' * 16 + '\0', 'line 1 of'),
    ('# %s\n' % ('x' * 60) * 1100, 'larger'),
])
def test_bad_key_files(nginx, text, part):
    ng = nginx(start=False, store=False,
               server=LOCATION % 'ws_chat_api_key keys;')
    if text is not None:
        keyed(ng, text)
    rc, said = ng.check_conf()
    emerg = [one for one in said.splitlines() if '[emerg]' in one]
    assert rc != 0 and len(emerg) == 1, said
    assert '"ws_chat_api_key"' in emerg[0] and part in emerg[0], emerg[0]
    assert str(ng.dir / 'keys') in emerg[0]
    for line in (text or '').splitlines():
        assert not line.strip() or line.strip() not in emerg[0]


@pytest.mark.once
def test_longest_key(nginx):
    ng = start_keyed(nginx, 'x' * 16 + '\n' + 'y' * 256)
    assert call(ng, '/keyed/info', key='y' * 256)[0] == 200
    assert call(ng, '/keyed/info', key='x' * 16)[0] == 200


# messages

def say(ng, path, body, status=201, **headers):
    """POST, repeated while the answer is `try again`."""
    for _ in range(60):
        answer = call(ng, '/api/' + path, 'POST',
                      json.dumps(body) if body is not None else None,
                      headers=headers)
        if answer[0] != 503:
            break
        assert answer[2]['Retry-After'] and answer[1]['code'] in (
            'unavailable', 'overloaded', 'unknown')
    assert answer[0] == status, answer
    return answer[1]


def page(ng, chat_id, **args):
    query = '&'.join('%s=%s' % item for item in args.items())
    for _ in range(60):
        answer = call(ng, '/api/chats/%s/messages?%s' % (chat_id, query))
        if answer[0] != 503:
            break
    assert answer[0] == 200, answer
    return answer[1]


async def test_send(nginx):
    """Members get it as they get any; the answer has its place."""
    ng = nginx()
    a = await Client.connect(ng, user='ann')
    await a.settle('join', chat_id='room:1@x')
    body = {'sender': 'system ☺', 'message': {'a': [1, 'ä']}, 'more': 1}
    sent = say(ng, 'chats/room%3A1%40x/messages', body)
    event = await a.expect('message')
    assert event['sender'] == 'system ☺' and event['message'] == body[
        'message']
    assert set(sent) == {'epoch', 'seq', 'timestamp', 'dup'}
    assert sent['dup'] is False
    for key in 'epoch', 'seq', 'timestamp':
        assert sent[key] == event[key]
    assert event['cid'].startswith('api-')


def test_idempotency(nginx):
    """The same key and message: the same place. Another message: 409."""
    ng = nginx()
    body = {'sender': 'shop', 'message': 'paid'}
    key = {'Idempotency-Key': 'order 66'}
    first = say(ng, 'chats/a/messages', body, **key)
    again = say(ng, 'chats/a/messages', body, **key)
    assert again.pop('dup') is True
    assert {k: first[k] for k in again} == again
    spaced = json.dumps(body).replace('"paid"', ' "p\\u0061id" ')
    answer = call(ng, '/api/chats/a/messages', 'POST', spaced, headers=key)
    assert answer[0] == 201 and answer[1]['dup'] is True
    body['message'] = 'refunded'
    assert say(ng, 'chats/a/messages', body, 409, **key)['code'] == 'conflict'
    other = say(ng, 'chats/b/messages', body, **key)
    assert other['dup'] is False
    assert len(page(ng, 'a')['messages']) == 1
    for bad in '', 'x' * 65, 'tab\there':
        assert say(ng, 'chats/a/messages', body, 400,
                   **{'Idempotency-Key': bad})['code'] == 'bad_request'


@pytest.mark.once
def test_idempotency_of_what_cannot_be_read(nginx):
    """Before the first message could be compared, nothing is claimed."""
    ng = nginx(workers=1, module='test', store=False,
               http='ws_chat_test_store fail=30;')
    for n in range(20):
        key = {'Idempotency-Key': 'k%d' % n}
        body = {'sender': 'shop', 'message': 'paid'}
        assert say(ng, 'chats/a/messages', body, **key)['dup'] in (0, 1)
        body['message'] = 'refunded'
        say(ng, 'chats/a/messages', body, 409, **key)


def test_pages(nginx):
    ng = nginx()
    sent = [say(ng, 'chats/a/messages', {'sender': 's', 'message': n})
            for n in range(10)]
    places = ['%(epoch)d:%(seq)d' % one for one in sent]

    def numbers(**args):
        got = page(ng, 'a', **args)
        assert got['chat_id'] == 'a'
        return [m['message'] for m in got['messages']], got['more']

    assert numbers() == (list(range(10)), False)
    assert numbers(limit=3) == ([7, 8, 9], True)
    assert numbers(before=places[4], limit=2) == ([2, 3], True)
    assert numbers(after=places[4], limit=2) == ([5, 6], True)
    assert numbers(after=places[9]) == ([], False)
    # as libraries of programs write it
    assert numbers(after=places[7].replace(':', '%3A')) == ([8, 9], False)
    assert numbers(before=places[1].replace(':', '%3a')) == ([0], False)
    for bad in 'limit=0', 'limit=501', 'limit=x', 'after=1', 'before=x:1', \
            'after=1:1&before=1:2':
        answer = call(ng, '/api/chats/a/messages?' + bad)
        assert_error(answer, 400, 'bad_request')
    assert page(ng, 'never')['messages'] == []


@pytest.mark.parametrize('body', [
    b'', b'x', b'[]', b'{}', b'{"sender":"s"}', b'{"message":1}',
    b'{"sender":1,"message":1}', b'{"sender":"","message":1}',
    b'{"sender":"\\u0007","message":1}', b'{"sender":"s","message":"\xff"}',
    b'{"sender":"s","message":"\\ud800"}',
    b'{"sender":"s","message":{"a":1,"a":2}}',
    b'{"sender":"s","message":1,"sender":"t"}'])
@pytest.mark.plain_store
def test_bad_message(nginx, body):
    ng = nginx(workers=1)
    for path in 'chats/a/messages', 'broadcast', 'users/ann/messages':
        assert_error(call(ng, '/api/' + path, 'POST', body), 400,
                     'bad_request')


@pytest.mark.plain_store
def test_bad_names(nginx):
    ng = nginx(workers=1)
    body = json.dumps({'sender': 's', 'message': 1})
    for path in 'chats/a%20b/messages', 'chats/' + 'x' * 129 + '/messages', \
            'users/%07/messages', 'users/%FF/disconnect':
        assert_error(call(ng, '/api/' + path, 'POST', body), 400,
                     'bad_request')
    assert_error(call(ng, '/api/chats/a%20b/messages'), 400, 'bad_request')
    for path, allow in ('chats/a/messages', 'GET, HEAD, POST'), \
            ('broadcast', 'POST'), ('users/ann/messages', 'POST'), \
            ('users/ann/disconnect', 'POST'):
        answer = call(ng, '/api/' + path, 'PUT', body)
        assert_error(answer, 405, 'method_not_allowed')
        assert answer[2]['Allow'] == allow
    for path in 'chats/messages', 'chats//messages', 'chats/a/messages/', \
            'users', 'broadcast/x':
        assert_error(call(ng, '/api/' + path, 'POST', body), 404, 'not_found')


@pytest.mark.plain_store
def test_large_message(nginx):
    ng = nginx(workers=1, server='''
        location /small/ { ws_chat_api zone=chat; ws_chat_api_key open;
                           ws_chat_max_message 100; }
        client_max_body_size 4m; client_body_buffer_size 4k;
    ''')
    body = json.dumps({'sender': 's', 'message': 'x' * 99})
    assert_error(call(ng, '/small/chats/a/messages', 'POST', body), 413,
                 'too_large')
    body = json.dumps({'sender': 's', 'message': 'x' * (1 << 20)})
    assert_error(call(ng, '/api/chats/a/messages', 'POST', body), 413,
                 'too_large')
    body = json.dumps({'sender': 's', 'message': 'x' * 60000})
    assert call(ng, '/api/chats/a/messages', 'POST', body)[0] == 201


async def test_broadcast(nginx):
    """To chats: a reply for each. To all: every client, stored nowhere."""
    ng = nginx()
    a = await Client.connect(ng, user='ann')
    b = await Client.connect(ng, user='bob')
    await a.settle('join', chat_id='one')
    await b.settle('join', chat_id='two')
    body = {'sender': 'ops', 'message': 'soon'}
    for _ in range(60):
        got = say(ng, 'broadcast', dict(body, chat_ids=['one', 'two', 'one']),
                  200, **{'Idempotency-Key': 'k'})['replies']
        if all('seq' in one for one in got):
            break
    assert [one['chat_id'] for one in got] == ['one', 'two', 'one']
    assert got[2]['dup'] and got[2]['seq'] == got[0]['seq']
    for client, place in (a, got[0]), (b, got[1]):
        event = await client.expect('message')
        assert (event['chat_id'], event['seq']) == (place['chat_id'],
                                                    place['seq'])
    told = say(ng, 'broadcast', body, 200)
    for client in a, b:
        event = await client.expect('message')
        assert event == {'ev': 'message', 'sender': 'ops', 'message': 'soon',
                         'timestamp': told['timestamp']}
    for bad in [], 'one', [1], ['a b'], ['x'] * 501, {}:
        assert_error(call(ng, '/api/broadcast', 'POST', json.dumps(
            dict(body, chat_ids=bad))), 400, 'bad_request')


async def test_user(nginx):
    """All devices of a user, by whatever transport, and nobody else."""
    ng = nginx()
    devices = [await Client.connect(ng, user='ann/x') for _ in range(3)]
    other = await Client.connect(ng, user='ann')
    with Stream(ng, 'room', user='ann/x') as stream:
        stream.expect('joined')
        told = say(ng, 'users/ann%2Fx/messages',
                   {'sender': 'bank', 'message': [42]}, 200)
        expected = {'ev': 'message', 'sender': 'bank', 'message': [42],
                    'timestamp': told['timestamp']}
        for device in devices:
            assert await device.expect('message') == expected
        assert stream.expect('message') == expected
        await other.nothing('message')
        say(ng, 'users/ann%2Fx/disconnect', None, 200)
        for device in devices:
            assert (await device.closed())[0] == 4009
        assert stream.rest()[-1] == {'ev': 'close', 'code': 4009,
                                     'reason': 'disconnected'}
    await other.cmd('ping')
