"""Server-sent events, read strictly, and by a client that others wrote."""

import json
import os
import signal
import socket
import threading

import httpx
import pytest
from httpx_sse import connect_sse

from harness.client import Client
from harness.nginx import REDIS_STORE, TEST_STORE, reserve_port, wait_for
from harness.sse import Parser, Stream, post, send

# what comes is looked at message by message
NGINX_HTTP = 'ws_chat_presence off;'

ORIGIN = 'https://chat.example.com'


def fill(ng, chat_id, count, start=1):
    """Messages m<start>..., stored; their positions as ids."""
    acks = [send(ng, chat_id, 'm%d' % n, 'c%d' % n)
            for n in range(start, start + count)]
    return ['%d:%d' % (ack['epoch'], ack['seq']) for ack in acks]


def texts(events):
    return [e['message'] for e in events if e['ev'] == 'message']


# what a stream is

def test_stream(nginx):
    ng = nginx()
    with Stream(ng, 'room', user='ann') as stream:
        assert stream.status == 200
        assert stream.headers['Content-Type'] == 'text/event-stream'
        assert stream.headers['Cache-Control'] == 'no-store'
        assert stream.headers['X-Accel-Buffering'] == 'no'
        welcome, ident = stream.read()
        assert welcome['ev'] == 'welcome' and welcome['user'] == 'ann'
        assert ident is None and 1000 <= stream.parser.retry < 3000
        joined, ident = stream.read()
        assert joined['ev'] == 'joined' and joined['chat_id'] == 'room'
        assert joined['messages'] == [] and joined['recovered'] is True
        assert ident == '%(epoch)d:%(seq)d' % joined['head']
        ack = send(ng, 'room', {'text': 'grüß\u2028Gott'}, 'one', 'bob')
        event, ident = stream.read()
        assert (event['ev'], event['cid']) == ('message', 'one')
        assert event['message'] == {'text': 'grüß\u2028Gott'}
        assert event['sender'] == 'bob' and event['chat_id'] == 'room'
        assert ident == '%(epoch)d:%(seq)d' % event
        assert (event['epoch'], event['seq']) == (ack['epoch'], ack['seq'])


def test_retry_is_spread(nginx):
    ng = nginx()
    times = set()
    for _ in range(20):
        with Stream(ng, 'room') as stream:
            stream.read()
            times.add(stream.parser.retry)
    assert len(times) > 10


@pytest.mark.parametrize('text', [
    b'[1,\n2]', b'[1,\r\n2]', b'{"a":\n\n1}', b'\n1\r', b'[1,\r\r2]',
    b'"\\n\\r"', b' \t{ "data: 1" :\n"\\ndata: 2"}'])
def test_lines(nginx, text):
    """JSON on several lines comes as several lines of data."""
    ng = nginx(workers=1)
    with Stream(ng, 'room') as stream:
        stream.expect('joined')
        status, reply, _ = post(
            ng, b'{"op":"send","chat_id":"room","cid":"1","message":'
            + text + b'}')
        assert status == 200, reply
        if reply['ev'] == 'error':
            pytest.skip('the test store refused it')
        assert stream.expect('message')['message'] == json.loads(text)


async def test_beside_websocket(nginx):
    """Both get what either sends, in the same order."""
    ng = nginx()
    with Stream(ng, 'room') as stream:
        stream.expect('joined')
        async with await Client.connect(ng, user='bob') as bob:
            await bob.settle('join', chat_id='room')
            for n in range(20):
                if n % 2:
                    await bob.settle('send', chat_id='room', cid=str(n),
                                     message=n, retry=True)
                else:
                    send(ng, 'room', n, str(n))
            ours = stream.messages(20)
            theirs = await bob.collect(20)
    assert [e['message'] for e in ours] == list(range(20))
    assert [(e['epoch'], e['seq'], e['prev']) for e in ours] == \
        [(e['epoch'], e['seq'], e['prev']) for e in theirs]


@pytest.mark.plain_store
def test_third_party(nginx):
    """httpx-sse over HTTP/1.1."""
    ng = nginx()
    url = 'http://127.0.0.1:%d/sse?chat_id=room' % ng.port
    with httpx.Client(trust_env=False, timeout=20) as client:
        with connect_sse(client, 'GET', url) as source:
            events = source.iter_sse()
            assert next(events).event == 'welcome'
            first = next(events)
            assert first.event == 'joined'
            ids = fill(ng, 'room', 3)
            got = [next(events) for _ in ids]
    assert [e.id for e in got] == ids
    assert [e.json()['message'] for e in got] == ['m1', 'm2', 'm3']


@pytest.mark.plain_store
def test_http2(nginx):
    """The same over HTTP/2: several streams on one connection."""
    port, keeper = reserve_port()
    ng = nginx(server='listen 127.0.0.1:%d http2 reuseport;' % port)
    url = 'http://127.0.0.1:%d/sse' % port
    with httpx.Client(http1=False, http2=True, trust_env=False,
                      timeout=20) as client:
        with connect_sse(client, 'GET', url + '?chat_id=a') as one, \
                connect_sse(client, 'GET', url + '?chat_id=a&chat_id=b') as two:
            assert one.response.http_version == 'HTTP/2'
            events, others = one.iter_sse(), two.iter_sse()
            for source in events, others:
                assert next(source).event == 'welcome'
                assert next(source).event == 'joined'
            assert next(others).event == 'joined'
            ids = fill(ng, 'a', 40)
            assert [next(events).id for _ in ids] == ids
            reply = client.post(url + '?user=ann', json={
                'op': 'ping', 'id': 1})
            assert reply.json() == {'ev': 'pong', 'id': 1}
            got = []
            while len(got) < 40:
                event = next(others)
                if event.data and event.event == 'message':
                    got.append(event.json()['message'])
            assert got == ['m%d' % n for n in range(1, 41)]
    keeper.close()


@pytest.mark.plain_store
def test_http10(nginx):
    """Without chunks: the stream is what follows the header."""
    ng = nginx(workers=1)
    with socket.create_connection(('127.0.0.1', ng.port), 10) as sock:
        sock.sendall(b'GET /sse?chat_id=room HTTP/1.0\r\n\r\n')
        octets = b''
        while b'event: joined' not in octets or not octets.endswith(b'\n\n'):
            octets += sock.recv(4096)
        head, body = octets.split(b'\r\n\r\n', 1)
        assert b'chunked' not in head
        assert [b.event for b in Parser().feed(body)] == ['welcome', 'joined']


# requests that are refused

@pytest.mark.parametrize('query', [
    '', '?', '?chat_id', '?chat_id=', '?chat_id=a%20b', '?chat_id=a%00',
    '?chat_id=' + 'x' * 129, '?chat_id=a&chat_id=%2F', '?chat=a',
    '?chat_id=a&history=-1', '?chat_id=a&history=501',
    '?chat_id=a&history=x', '?chat_id=a&user=%FF',
    '?chat_id=a&user=' + 'x' * 129,
    '?' + '&'.join('chat_id=c%d' % n for n in range(33))])
@pytest.mark.plain_store
def test_bad_request(nginx, query):
    ng = nginx(workers=1)
    response = ng.request('/sse' + query)
    assert response.status == 400
    assert response.headers['Content-Type'] == 'text/plain'
    assert response.body.strip()


@pytest.mark.plain_store
def test_methods(nginx):
    ng = nginx(workers=1)
    for method in 'PUT', 'DELETE', 'PATCH', 'OPTIONS':
        response = ng.request('/sse?chat_id=a', method)
        assert response.status == 405, method
        assert response.headers['Allow'] == 'GET, HEAD, POST'
    response = ng.request('/sse?chat_id=a', 'HEAD')
    assert (response.status, response.body) == (200, b'')
    assert response.headers['Content-Type'] == 'text/event-stream'
    assert ng.request('/sse', 'HEAD').status == 400


@pytest.mark.plain_store
def test_limits(nginx):
    """Streams are connections, and a drained node takes none."""
    ng = nginx(workers=1, location='ws_chat_max_connections 2;')
    with Stream(ng, 'a') as one, Stream(ng, 'a') as two:
        one.expect('joined')
        two.expect('joined')
        status = ng.status()
        assert (status['connections'], status['streams']) == (2, 2)
        full = ng.request('/sse?chat_id=a')
        assert full.status == 503 and full.headers['Retry-After']
        assert ng.request('/chat').status == 503
        # commands need no place
        assert post(ng, {'op': 'ping'})[0] == 200
    wait_for(lambda: ng.status()['streams'] == 0)
    ng.drain()
    refused = ng.request('/sse?chat_id=a')
    assert refused.status == 503 and refused.headers['Retry-After']
    assert post(ng, {'op': 'ping'})[0] == 200


@pytest.mark.plain_store
def test_too_many_chats(nginx):
    """Those that fit are in the stream, the others are errors."""
    ng = nginx(workers=1, location='ws_chat_max_chats 2;')
    with Stream(ng, 'a', 'b', 'c') as stream:
        error, before = stream.until('error')
        assert (error['code'], error['chat_id']) == ('too_many_chats', 'c')
        assert [e['ev'] for e in before] == ['welcome', 'joined', 'joined']
        stream.until_id('')
        send(ng, 'b', 'hello', '1')
        assert stream.messages(1)[0]['chat_id'] == 'b'


# origins

@pytest.mark.plain_store
def test_cors(nginx):
    ng = nginx(workers=1, location='ws_chat_origins %s;' % ORIGIN)
    with Stream(ng, 'a', headers={'Origin': ORIGIN}) as stream:
        assert stream.status == 200
        assert stream.headers['Access-Control-Allow-Origin'] == ORIGIN
        assert stream.headers['Access-Control-Allow-Credentials'] == 'true'
        assert stream.headers['Vary'] == 'Origin'
    status, _, headers = post(ng, {'op': 'ping'}, Origin=ORIGIN)
    assert status == 200
    assert headers['Access-Control-Allow-Origin'] == ORIGIN
    assert headers['Vary'] == 'Origin'
    bad = post(ng, b'[', Origin=ORIGIN)
    assert bad[0] == 400
    assert bad[2]['Access-Control-Allow-Origin'] == ORIGIN
    for method in 'GET', 'POST':
        evil = ng.request('/sse?chat_id=a', method,
                          {'Origin': 'https://evil.example.com'}, b'')
        assert evil.status == 403
        assert 'Access-Control-Allow-Origin' not in evil.headers
    preflight = ng.request('/sse', 'OPTIONS', {
        'Origin': ORIGIN, 'Access-Control-Request-Method': 'POST'})
    assert (preflight.status, preflight.body) == (204, b'')
    headers = preflight.headers
    assert 'POST' in headers['Access-Control-Allow-Methods']
    for name in 'Last-Event-ID', 'Authorization', 'Content-Type':
        assert name in headers['Access-Control-Allow-Headers']
    assert headers['Access-Control-Allow-Credentials'] == 'true'


# coming back

def test_replay(nginx):
    """What was missed comes as events, in order, once; then what is new."""
    ng = nginx()
    ids = fill(ng, 'room', 10)
    for how in {'last_id': ids[3]}, {'last_event_id': ids[3]}, \
            {'last_id': ids[3], 'last_event_id': ids[0]}:
        with Stream(ng, 'room', **how) as stream:
            assert stream.read()[0]['ev'] == 'welcome'
            joined, ident = stream.read()
            assert joined['recovered'] and joined['messages'] == []
            assert ident is None
            got = [stream.read() for _ in range(6)]
            assert [ident for _, ident in got] == ids[4:]
            assert texts(e for e, _ in got) == ['m%d' % n
                                                for n in range(5, 11)]
            more = fill(ng, 'room', 1, 11)
            assert stream.read()[1] == more[0]
            ids_now = ids + more
            assert stream.last_id == ids_now[-1]
        ids = ids_now if how == {} else ids
        break
    with Stream(ng, 'room', last_event_id=ids_now[8]) as stream:
        assert texts(stream.messages(2)) == ['m10', 'm11']
    # the header is newer than the address
    with Stream(ng, 'room', last_id=ids_now[9],
                last_event_id=ids_now[0]) as stream:
        assert texts(stream.messages(1)) == ['m11']


def test_nothing_missed(nginx):
    """From the head, also that of a chat without messages."""
    ng = nginx()
    with Stream(ng, 'room') as stream:
        stream.expect('joined')
        ident = stream.last_id
    ids = fill(ng, 'room', 2)
    with Stream(ng, 'room', last_id=ident) as stream:
        assert stream.read()[0]['ev'] == 'welcome'
        assert [stream.read()[1] for _ in range(3)] == [None] + ids
    with Stream(ng, 'room', last_id=ids[-1]) as stream:
        joined, ident = stream.read(), stream.read()
        assert joined[0]['ev'] == 'welcome'
        assert ident[0]['ev'] == 'joined' and ident[1] == ids[-1]


def test_history(nginx):
    """The last ones on demand; without, only what is new."""
    ng = nginx()
    fill(ng, 'room', 5)
    with Stream(ng, 'room', history=3) as stream:
        assert texts(stream.messages(3)) == ['m3', 'm4', 'm5']
        fill(ng, 'room', 1, 6)
        event, _ = stream.read()
        assert event['message'] == 'm6'
    with Stream(ng, 'room') as stream:
        stream.expect('joined')
        fill(ng, 'room', 1, 7)
        assert stream.messages(1)[0]['message'] == 'm7'


@pytest.mark.parametrize('last_id', [
    'x', '1', ':', '1:2:3', '-1:2', '1.5:2', '0x1:2', 'AAAA', '9' * 400,
    'a' * 2000, '\xff'])
def test_reset(nginx, last_id):
    """What is no id of this stream: told first, then all starts anew."""
    ng = nginx(workers=1)
    send(ng, 'room', 'old', 'c')
    with Stream(ng, 'room', last_id=last_id) as stream:
        event, ident = stream.read()
        assert (event['ev'], event['reason']) == ('reset', 'unknown')
        assert ident is None
        assert stream.read()[0]['ev'] == 'welcome'
        joined, ident = stream.read()
        assert joined['ev'] == 'joined'
        assert ident == '%(epoch)d:%(seq)d' % joined['head']
        send(ng, 'room', 'new', 'd')
        assert stream.read()[0]['message'] == 'new'


@pytest.mark.parametrize('chats', [('room',), ('room', 'other')])
def test_reset_reasons(nginx, chats):
    """Of this stream, but not to be proven: of the chat that it is."""
    ng = nginx(workers=1)
    ack = send(ng, 'room', 'old', 'c')
    ahead = '%d:%d' % (ack['epoch'], ack['seq'] + 5)
    if len(chats) > 1:
        with Stream(ng, *chats) as stream:
            stream.until_id('')
            foreign = stream.last_id
        with Stream(ng, *chats[::-1], last_id=foreign) as stream:
            assert stream.read()[0] == {'ev': 'reset', 'reason': 'unknown'}
        with Stream(ng, *chats, last_id=ahead) as stream:
            assert stream.read()[0] == {'ev': 'reset', 'reason': 'unknown'}
        return
    for last_id, reason in (ahead, 'ahead'), ('%d:1' % (ack['epoch'] + 9),
                                              'epoch'):
        with Stream(ng, 'room', last_id=last_id) as stream:
            event, ident = stream.read()
            assert event == {'ev': 'reset', 'chat_id': 'room',
                             'reason': reason}
            assert ident is None
            assert stream.read()[0]['ev'] == 'welcome'
            joined, ident = stream.read()
            assert (joined['recovered'], joined['reason']) == (False, reason)
            assert ident == '%d:%d' % (ack['epoch'], ack['seq'])


@pytest.mark.plain_store
def test_too_old(nginx):
    ng = nginx(workers=1, location='ws_chat_history 5 1h;')
    ids = fill(ng, 'room', 20)
    with Stream(ng, 'room', last_id=ids[2]) as stream:
        assert stream.read()[0] == {'ev': 'reset', 'chat_id': 'room',
                                    'reason': 'too_old'}
    with Stream(ng, 'room', last_id=ids[16]) as stream:
        assert texts(stream.messages(3)) == ['m18', 'm19', 'm20']


@pytest.mark.plain_store
def test_more_than_one_answer(nginx):
    """What does not fit is a gap, exactly where it is."""
    ng = nginx(workers=1, location='ws_chat_rate off;')
    for start in range(0, 640, 64):
        assert post(ng, [{'op': 'send', 'chat_id': 'room', 'cid': 'c%d' % n,
                          'message': n} for n in range(start, start + 64)]
                    )[0] == 200
    with Stream(ng, 'room', history=1) as stream:
        last = stream.messages(1)[0]
    first = '%d:1' % last['epoch']
    with Stream(ng, 'room', last_id=first) as stream:
        joined = stream.expect('joined')
        assert joined['recovered'] and joined['more']
        got = [stream.read() for _ in range(500)]
        assert texts(e for e, _ in got) == list(range(1, 501))
        gap, ident = stream.read()
        assert (gap['ev'], gap['chat_id'], ident) == ('gap', 'room', None)
        assert gap['after'] == {'epoch': last['epoch'], 'seq': 501}
        assert gap['before'] == {'epoch': last['epoch'], 'seq': 641}
        send(ng, 'room', 'new', 'new')
        assert stream.read()[0]['seq'] == 641
    # who breaks off before the gap goes on where it was
    with Stream(ng, 'room', last_id=got[-1][1]) as stream:
        assert texts(stream.messages(140))[0] == 501


# several chats

def test_several(nginx):
    ng = nginx()
    with Stream(ng, 'a', 'b', 'c', 'a', user='ann') as stream:
        assert stream.read()[0]['ev'] == 'welcome'
        for chat in 'abc':
            joined, ident = stream.read()
            assert (joined['ev'], joined['chat_id']) == ('joined', chat)
            assert ident is None
        stream.until_id('')
        for n, chat in enumerate('abcab'):
            before = stream.last_id
            send(ng, chat, n, 'c%d' % n)
            event, ident = stream.read()
            assert (event['chat_id'], event['message']) == (chat, n)
            assert ident is None
            stream.until_id(before)
        cursor = stream.last_id
        assert len(cursor) < 700 and ':' not in cursor
    for n, chat in enumerate('ccba'):
        send(ng, chat, 'missed %d' % n, 'd%d' % n)
    with Stream(ng, 'a', 'b', 'c', last_id=cursor) as stream:
        got = stream.messages(4)
        assert [(e['chat_id'], e['message']) for e in got] == [
            ('a', 'missed 3'), ('b', 'missed 2'), ('c', 'missed 0'),
            ('c', 'missed 1')]
        again = stream.id_behind()
        assert again != cursor
    with Stream(ng, 'a', 'b', 'c', last_id=again) as stream:
        assert [stream.read()[0]['ev'] for _ in range(4)] == [
            'welcome', 'joined', 'joined', 'joined']
        assert stream.id_behind() == again


def test_cut_before_id(nginx):
    """Between an event and its id: it comes again, nothing is lost."""
    ng = nginx()
    with Stream(ng, 'a', 'b') as stream:
        stream.until_id('')
        cursor = stream.last_id
        ack = send(ng, 'a', 'twice', '1')
        while not stream.blocks:
            octet = stream.response.read1(1)
            stream.blocks.extend(stream.parser.feed(octet))
        assert stream.last_id == cursor
        first = stream.read()[0]
    with Stream(ng, 'a', 'b', last_id=cursor) as stream:
        again = stream.messages(1)[0]
        assert again == first and again['seq'] == ack['seq']


@pytest.mark.plain_store
def test_cut_in_a_long_replay(nginx):
    """Behind what was missed of each chat there is a place to go on from."""
    ng = nginx(workers=1, location='ws_chat_rate off;')
    chats = ['a', 'b', 'c']
    with Stream(ng, *chats) as stream:
        stream.until_id('')
        cursor = stream.last_id
    for chat in chats:
        fill(ng, chat, 30)
    seen = []
    for _ in chats:
        with Stream(ng, *chats, last_id=cursor) as stream:
            # the next id that is another one, and no further
            events = stream.until_id('')
            if stream.last_id == cursor:
                events += stream.until_id(cursor)
            cursor = stream.last_id
        got = [(e['chat_id'], e['message']) for e in events
               if e['ev'] == 'message']
        assert got[0][1] == 'm1' and got[-1][1] == 'm30'
        seen += got
    assert seen == [(chat, 'm%d' % n) for chat in chats
                    for n in range(1, 31)]
    with Stream(ng, *chats, last_id=cursor) as stream:
        assert [stream.read()[0]['ev'] for _ in range(4)] == [
            'welcome', 'joined', 'joined', 'joined']
        assert stream.id_behind() == cursor


@pytest.mark.plain_store
def test_most_chats(nginx):
    """32 of the longest names; the cursor brings all of them back."""
    ng = nginx(workers=1, location='ws_chat_rate off;')
    chats = ['%s%02d' % ('x' * 126, n) for n in range(32)]
    with Stream(ng, *chats) as stream:
        stream.until_id('')
        cursor = stream.last_id
    for chat in chats:
        send(ng, chat, chat[-2:], 'c')
    with Stream(ng, *chats, last_id=cursor) as stream:
        assert texts(stream.messages(32)) == [chat[-2:] for chat in chats]


def test_random_cuts(nginx):
    """Readers that come and go while others send miss nothing."""
    ng = nginx(location='ws_chat_rate off;')
    count = 60 if TEST_STORE else 200
    chats = ['a', 'b', 'c']
    done = threading.Event()

    def work():
        for n in range(count):
            send(ng, chats[n % 3], n, 'c%d' % n)
        done.set()

    sender = threading.Thread(target=work)
    with Stream(ng, *chats) as stream:
        stream.until_id('')
        cursor = stream.last_id
    sender.start()
    seen = {}
    takes = 0
    while len(seen) < count:
        takes += 1
        with Stream(ng, *chats, last_id=cursor) as stream:
            # more each time: the id comes behind all that was missed
            for _ in range(6 + takes):
                if len(seen) == count:
                    break
                got = stream.read()
                assert got and got[0]['ev'] != 'reset', got
                if got[0]['ev'] == 'message':
                    seen.setdefault(got[0]['message'], got[0])
            cursor = stream.last_id or cursor
    sender.join()
    assert done.is_set() and sorted(seen) == list(range(count))


# slow readers, heartbeat, the end

@pytest.mark.plain_store
@pytest.mark.parametrize('policy', ['gap', 'close'])
def test_slow(nginx, policy):
    """A reader that stops is skipped or closed; the others notice nothing."""
    ng = nginx(workers=1, location='''
        ws_chat_rate off; ws_chat_lag_limit 64k; ws_chat_lag_policy %s;
    ''' % policy)
    text = 'x' * 20000
    with Stream(ng, 'room', rcvbuf=4096) as slow, \
            Stream(ng, 'room') as fast:
        slow.expect('joined')
        fast.expect('joined')
        for n in range(400):
            send(ng, 'room', text, 'c%d' % n)
            assert fast.messages(1)[0]['cid'] == 'c%d' % n
        if policy == 'close':
            wait_for(lambda: ng.status()['streams'] == 1)
            return
        wait_for(lambda: ng.status()['gaps'] > 0)
        seen = []
        while True:
            event = slow.read()[0]
            if event['ev'] == 'message':
                assert event['seq'] == (seen[-1] + 1 if seen else 1)
                seen.append(event['seq'])
                if event['seq'] == 400:
                    break
            elif event['ev'] == 'gap':
                assert event['reason'] == 'slow'
                assert event['after']['seq'] == seen[-1]
                seen.append(event['before']['seq'] - 1)
                if seen[-1] == 400:
                    break
        assert len(seen) < 400


def test_close_is_told(nginx):
    """The last event says with what code a stream ends."""
    ng = nginx(workers=1, location='ws_chat_drain 100ms;')
    with Stream(ng, 'room') as stream, Stream(ng, 'a', 'b') as other:
        stream.expect('joined')
        other.until_id('')
        ng.process.send_signal(signal.SIGHUP)
        for one in stream, other:
            reconnect = one.expect('reconnect')
            assert one.parser.retry == reconnect['in_ms'] <= 1000
            assert one.rest() == [{'ev': 'close', 'code': 1012,
                                   'reason': 'restart'}]
            assert one.response.isclosed()
    wait_for(lambda: not ng.draining_pids(), what='the old worker has gone')


@pytest.mark.parametrize('how,code', [(signal.SIGQUIT, 1001)])
def test_quit(nginx, how, code):
    ng = nginx(workers=1, location='ws_chat_drain 100ms;')
    with Stream(ng, 'room') as stream:
        stream.expect('joined')
        os.kill(ng.process.pid, how)
        stream.expect('reconnect')
        assert stream.rest()[-1]['code'] == code
    ng.quit()


def test_terminate(nginx):
    """Without patience: the streams break, nothing bad is in the log."""
    ng = nginx(workers=1)
    with Stream(ng, 'room') as stream:
        stream.expect('joined')
        ng.process.terminate()
        ng.process.wait(20)


def test_leaving(nginx):
    """Who goes away is gone: in the middle, at the start, by a reset."""
    ng = nginx()
    for n in range(30):
        stream = Stream(ng, 'room', 'b%d' % n)
        if n % 3:
            stream.expect('joined')
        if n % 2:
            stream.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                   b'\1\0\0\0\0\0\0\0')
        stream.close()
        send(ng, 'room', n, 'c%d' % n)
    wait_for(lambda: ng.status()['streams'] == 0)


@pytest.mark.plain_store
@pytest.mark.once
def test_heartbeat(nginx):
    """A comment each 15 seconds, and nothing else."""
    ng = nginx(workers=1)
    with Stream(ng, 'room', timeout=20) as stream:
        stream.expect('joined')
        while not stream.parser.comments:
            assert not stream.parser.feed(stream._octet())


@pytest.mark.skipif(REDIS_STORE or TEST_STORE, reason='needs to start')
@pytest.mark.plain_store
def test_unavailable(nginx):
    """Without its store a stream ends at once, to be tried again."""
    ng = nginx(workers=1, zone='ws_chat_zone chat:1m; '
               'ws_chat_redis chat redis://127.0.0.1:1;')
    with Stream(ng, 'room') as stream:
        events = stream.rest()
    events = [e for e in events if e['ev'] != 'status']
    assert [e['ev'] for e in events] == ['welcome', 'error', 'close']
    assert events[1]['code'] == 'unavailable'
    assert events[2]['code'] == 1013


# commands by POST

def test_post_one(nginx):
    """One command, one reply: with and without an id."""
    ng = nginx(workers=1)
    assert post(ng, {'op': 'ping'})[:2] == (200, {'ev': 'pong'})
    status, reply, headers = post(ng, {'op': 'ping', 'id': 'x'})
    assert (status, reply) == (200, {'ev': 'pong', 'id': 'x'})
    assert headers['Content-Type'] == 'application/json'
    assert headers['Cache-Control'] == 'no-store'
    assert post(ng, [{'op': 'ping', 'id': 3}])[1] == [{'ev': 'pong', 'id': 3}]


def test_post_order(nginx):
    """The replies are in the order of the commands, with errors in it."""
    ng = nginx()
    commands = []
    for n in range(16):
        commands += [{'op': 'send', 'chat_id': 'room', 'cid': 'c%d' % n,
                      'message': n},
                     {'op': 'history', 'chat_id': 'room', 'limit': 1},
                     {'op': 'what'}]
    status, replies, _ = post(ng, commands)
    assert status == 200 and len(replies) == 48
    stored = []
    for n in range(16):
        sent, history, unknown = replies[3 * n:3 * n + 3]
        assert sent.get('cid') == 'c%d' % n
        if sent['ev'] == 'ack':
            stored.append(n)
            if history['ev'] == 'history':
                assert history['messages'][-1]['message'] == n
        else:
            assert TEST_STORE and sent['temporary']
        assert unknown['code'] == 'unknown_op'
    if not TEST_STORE:
        assert len(stored) == 16


@pytest.mark.plain_store
def test_post_large(nginx):
    """Replies that no socket takes at once arrive, and the request ends."""
    ng = nginx(workers=1)
    for n in range(17):
        send(ng, 'room', 'x' * 60000, 'c%d' % n)
    history = {'op': 'history', 'chat_id': 'room', 'limit': 500}
    status, replies, headers = post(ng, [history] * 64)
    assert status == 200 and len(replies) == 64
    assert 2 << 20 <= int(headers['Content-Length']) < 4 << 20
    long = [r for r in replies if r['ev'] == 'history']
    assert all(len(r['messages']) > 15 for r in long)
    # the rest is to be asked for again
    assert replies[:len(long)] == long
    assert {(r['code'], r['temporary'], r['retry_ms'] > 0)
            for r in replies[len(long):]} == {('overloaded', True, True)}


def test_post_dup(nginx):
    ng = nginx()
    first = send(ng, 'room', 'x', 'same')
    again = send(ng, 'room', 'x', 'same')
    assert again['dup'] is True
    assert (first['epoch'], first['seq']) == (again['epoch'], again['seq'])


@pytest.mark.plain_store
def test_post_rate(nginx):
    """It is the user's, whatever POST a message comes by."""
    ng = nginx(workers=1, location='ws_chat_rate 1r/s burst=5;')

    def codes(user, count):
        found = []
        for n in range(count):
            reply = post(ng, {'op': 'send', 'chat_id': 'room', 'message': n,
                              'cid': '%s-%d' % (user, n)}, user)[1]
            found.append(reply.get('code', reply['ev']))
        return found

    first = codes('ann', 12)
    assert first[:5] == ['ack'] * 5 and 'rate_limited' in first
    assert codes('bob', 5) == ['ack'] * 5
    replies = post(ng, [{'op': 'send', 'chat_id': 'room', 'message': n,
                         'cid': str(n)} for n in range(20)], 'eve')[1]
    assert replies[19]['code'] == 'rate_limited'
    assert replies[19]['retry_ms'] > 0


@pytest.mark.parametrize('body', [
    b'', b'{', b'[]', b'nonsense', b'\xff', b'[' * 2000,
    b'[' + b','.join([b'{"op":"ping"}'] * 65) + b']'])
@pytest.mark.plain_store
def test_post_bad(nginx, body):
    ng = nginx(workers=1)
    status, answer, headers = post(ng, body)
    assert status == 400 and answer['code'] == 'bad_request'
    assert answer['message']
    assert headers['Content-Type'] == 'application/json'


@pytest.mark.plain_store
def test_post_errors(nginx):
    """Bad commands are answered in their place, 64 of them, too."""
    ng = nginx(workers=1)
    for command, code in [
            ({}, 'bad_request'), (1, 'bad_request'), ({'op': 'x'},
                                                      'unknown_op'),
            ({'op': 'join', 'chat_id': 'a'}, 'bad_request'),
            ({'op': 'leave', 'chat_id': 'a'}, 'bad_request'),
            ({'op': 'send', 'chat_id': 'a b', 'cid': '1', 'message': 1},
             'bad_request')]:
        status, reply, _ = post(ng, command)
        assert (status, reply['ev'], reply['code']) == (200, 'error', code)
    replies = post(ng, [{'op': 'x', 'id': n} for n in range(64)])[1]
    assert [r['id'] for r in replies] == list(range(64))
    assert {r['code'] for r in replies} == {'unknown_op'}


@pytest.mark.plain_store
def test_post_too_large(nginx):
    ng = nginx(workers=1, location='ws_chat_max_message 1000;')
    body = json.dumps({'op': 'ping', 'x': 'y' * 1000})
    assert post(ng, body)[:1] == (413,)
    with socket.create_connection(('127.0.0.1', ng.port), 10) as sock:
        sock.sendall(b'POST /sse HTTP/1.1\r\nHost: x\r\nConnection: close\r\n'
                     b'Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n'
                     % (len(body), body.encode()))
        octets = b''
        while True:
            more = sock.recv(4096)
            if not more:
                break
            octets += more
    assert octets.startswith(b'HTTP/1.1 413 ')
    assert b'"code":"too_large"' in octets
