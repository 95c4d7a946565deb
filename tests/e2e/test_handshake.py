"""The opening handshake: who comes in, who is refused, and in which order."""

import re
import socket
import struct
import types

import pytest

from harness.nginx import reserve_port, wait_for
from harness.raw import CLOSE, TEXT, Raw, close_frame, frame

pytestmark = pytest.mark.plain_store

SERVER = '''
    location = /echo { ws_chat_echo; }
    location = /small { ws_chat_echo; ws_chat_deflate_window 10; }
    location = /plain { ws_chat_echo; ws_chat_deflate off; }
    location = /origin {
        ws_chat zone=chat;
        ws_chat_origins https://ok.example http://*.sub.example:8080;
    }
    location = /full {
        ws_chat zone=chat;
        ws_chat_origins https://ok.example;
        ws_chat_max_connections 1;
    }
    location = /user { ws_chat zone=chat; ws_chat_user $http_x_user; }
    location = /limited { ws_chat_echo; limit_rate 10; }
    location = /mirrored { ws_chat_echo; mirror /copy; }
    location = /copy { return 204; }
    location = /allowed { ws_chat_echo; auth_request /yes; }
    location = /denied { ws_chat_echo; auth_request /no; }
    location = /yes { return 204; }
    location = /no { return 403; }
'''

OK = 'https://ok.example'
EVIL = {'Origin': 'https://evil.example'}
VERSION = {'Sec-WebSocket-Version': '12'}
NO_VERSION = {'Sec-WebSocket-Version': None}
NO_UPGRADE = {'Upgrade': None}
BAD_KEY = {'Sec-WebSocket-Key': 'short'}
POST = {'method': 'POST'}
OLD = {'version': 'HTTP/1.0'}


def proto(*names):
    return {'Sec-WebSocket-Protocol': list(names)}


def ext(*lines):
    return {'Sec-WebSocket-Extensions': list(lines)}


def origin(value):
    return {'Origin': value}


def user(value):
    return {'X-User': value}


# path, headers, the other parts of the request, status, a word of the body
REFUSED = [
    # each reason alone
    ('/origin', EVIL, {}, 403, 'origin'),
    ('/origin', origin('null'), {}, 403, 'origin'),
    ('/origin', origin(''), {}, 403, 'origin'),
    ('/origin', origin('https://ok.example:444'), {}, 403, 'origin'),
    ('/origin', origin('http://ok.example'), {}, 403, 'origin'),
    ('/origin', origin('https://ok.example.evil.example'), {}, 403, 'origin'),
    ('/origin', origin('http://sub.example:8080'), {}, 403, 'origin'),
    ('/origin', origin('http://.sub.example:8080'), {}, 403, 'origin'),
    ('/origin', origin('http://a.sub.example'), {}, 403, 'origin'),
    ('/origin', origin('http://e.example/a.sub.example:8080'), {}, 403,
     'origin'),
    ('/origin', origin(['https://ok.example'] * 2), {}, 403, 'origin'),
    ('/chat', VERSION, {}, 426, 'version'),
    ('/chat', NO_VERSION, {}, 426, 'version'),
    ('/chat', {'Sec-WebSocket-Version': ['13', '13']}, {}, 426, 'version'),
    ('/chat', {'Sec-WebSocket-Version': '13, 12'}, {}, 426, 'version'),
    ('/chat', NO_UPGRADE, {}, 426, 'upgrade'),
    ('/chat', {'Upgrade': 'h2c'}, {}, 426, 'upgrade'),
    ('/chat', {'Upgrade': 'websockets'}, {}, 426, 'upgrade'),
    ('/chat', {'Connection': 'keep-alive'}, {}, 426, 'upgrade'),
    ('/chat', {'Sec-WebSocket-Key': None}, {}, 400, 'Key'),
    ('/chat', BAD_KEY, {}, 400, 'Key'),
    ('/chat', {'Sec-WebSocket-Key': 'A' * 24}, {}, 400, 'Key'),
    ('/chat', {'Sec-WebSocket-Key': ['AAAAAAAAAAAAAAAAAAAAAA=='] * 2}, {},
     400, 'Key'),
    ('/chat', {}, POST, 400, 'method'),
    ('/chat', {}, {'method': 'PUT'}, 400, 'method'),
    ('/chat', {}, {'method': 'OPTIONS'}, 400, 'method'),
    ('/chat', {}, OLD, 400, 'HTTP/1.1'),
    ('/chat', {'Content-Length': '5'}, {'body': b'hello'}, 400, 'body'),
    ('/chat', {'Transfer-Encoding': 'chunked'}, {'body': b'0\r\n\r\n'}, 400,
     'body'),
    ('/chat', proto('soap'), {}, 400, 'subprotocol'),
    ('/chat', proto('chat.v2.json', 'CHAT.V1.JSON'), {}, 400, 'subprotocol'),
    ('/chat', proto('a b'), {}, 400, 'Protocol'),
    ('/chat', proto(''), {}, 400, 'Protocol'),
    ('/chat', proto('chat.v1.json', 'a;b'), {}, 400, 'Protocol'),
    ('/chat', ext('permessage-deflate; ='), {}, 400, 'Extensions'),
    ('/chat', ext('x', 'permessage-deflate; a="'), {}, 400, 'Extensions'),
    ('/user', user('a' * 129), {}, 400, 'user'),
    ('/user', user('\xff\xfe'), {}, 400, 'user'),
    ('/chat?user=%00', {}, {}, 400, 'user'),
    ('/chat?user=a%0Ab', {}, {}, 400, 'user'),
    ('/chat?user=%C3', {}, {}, 400, 'user'),
    ('/mirrored', {}, {}, 500, 'mirror'),

    # two at once: the first of the order is told
    ('/origin', {**EVIL, **VERSION}, POST, 403, 'origin'),
    ('/origin', {**EVIL, **NO_UPGRADE, **BAD_KEY}, OLD, 403, 'origin'),
    ('/chat', {**VERSION, **NO_UPGRADE}, POST, 426, 'version'),
    ('/chat', {**NO_UPGRADE, **NO_VERSION}, {}, 426, 'upgrade'),
    ('/chat', {**NO_UPGRADE, **BAD_KEY}, POST, 426, 'upgrade'),
    ('/chat', NO_UPGRADE, OLD, 426, 'upgrade'),
    ('/chat', BAD_KEY, OLD, 400, 'Key'),
    ('/chat', BAD_KEY, POST, 400, 'Key'),
    ('/chat', proto('soap'), POST, 400, 'method'),
    ('/denied', VERSION, {}, 403, ''),
]

# path, headers, what the answer has to say of them (None: nothing)
ACCEPTED = [
    ('/chat', {}, {'upgrade': 'websocket', 'sec-websocket-protocol': None,
                   'sec-websocket-extensions': None,
                   'content-length': None, 'transfer-encoding': None}),
    ('/chat', {'Upgrade': 'h2c, WebSocket',
               'Connection': 'keep-alive, upgrade'}, {}),
    ('/chat', {'Connection': ['keep-alive', 'Upgrade']}, {}),
    ('/chat', {'Content-Length': '0'}, {}),
    ('/chat', EVIL, {}),
    ('/origin', {}, {}),
    ('/origin', origin(OK), {}),
    ('/origin', origin('HTTPS://OK.example'), {}),
    ('/origin', origin('http://a.sub.example:8080'), {}),
    ('/origin', origin('http://a.b.sub.example:8080'), {}),
    ('/chat', proto('chat.v1.json'),
     {'sec-websocket-protocol': 'chat.v1.json'}),
    ('/chat', proto('chat.v1.msgpack'),
     {'sec-websocket-protocol': 'chat.v1.msgpack'}),
    ('/chat', proto('chat.v1.msgpack, chat.v1.json'),
     {'sec-websocket-protocol': 'chat.v1.msgpack'}),
    ('/chat', proto('soap', 'chat.v1.json'),
     {'sec-websocket-protocol': 'chat.v1.json'}),
    ('/chat', proto('bearer.abc, chat.v1.json'),
     {'sec-websocket-protocol': 'chat.v1.json'}),
    ('/echo', proto('soap'), {'sec-websocket-protocol': None}),
    ('/chat', ext('permessage-deflate'),
     {'sec-websocket-extensions':
      'permessage-deflate; client_no_context_takeover'}),
    ('/chat', ext('permessage-deflate; server_no_context_takeover'),
     {'sec-websocket-extensions': 'permessage-deflate; '
      'server_no_context_takeover; client_no_context_takeover'}),
    ('/echo', ext('permessage-deflate'),
     {'sec-websocket-extensions':
      'permessage-deflate; server_no_context_takeover'}),
    ('/chat', ext('permessage-deflate; server_max_window_bits=12'),
     {'sec-websocket-extensions': 'permessage-deflate; '
      'client_no_context_takeover; server_max_window_bits=12'}),
    ('/chat', ext('permessage-deflate; server_max_window_bits=8'),
     {'sec-websocket-extensions': None}),
    ('/chat', ext('permessage-deflate; server_max_window_bits=8, '
                  'permessage-deflate'),
     {'sec-websocket-extensions':
      'permessage-deflate; client_no_context_takeover'}),
    ('/chat', ext('x-unknown', 'permessage-deflate'),
     {'sec-websocket-extensions':
      'permessage-deflate; client_no_context_takeover'}),
    ('/small', ext('permessage-deflate'),
     {'sec-websocket-extensions': 'permessage-deflate; '
      'server_no_context_takeover; server_max_window_bits=10'}),
    ('/plain', ext('permessage-deflate'), {'sec-websocket-extensions': None}),
    ('/user', user('Zo\xc3\xab'), {}),
    ('/limited', {}, {}),
    ('/allowed', {}, {}),
]


@pytest.fixture
def ng(nginx):
    return nginx(workers=1, server=SERVER)


def ask(ng, path, headers, method='GET', version='HTTP/1.1', body=b''):
    """Status, headers and body of the answer to this request."""
    with Raw(ng) as r:
        r.send(r.request(path, method, version, headers) + body)
        return r.response()


def has(answer, wanted):
    """True when the answer has these headers; None: it has not."""
    return all(answer.get(name) == value for name, value in wanted.items())


def test_refused(ng):
    for path, headers, other, status, word in REFUSED:
        got, _, body = ask(ng, path, headers, **other)
        row = path, headers, other, got, body
        assert got == status and word in body.decode(), row
    assert ng.status()['accepted'] == 0
    # all but the one that another module refused
    assert ng.status()['refused'] == len(REFUSED) - 1


def test_accepted(ng):
    for path, headers, wanted in ACCEPTED:
        with Raw(ng) as r:
            answer = r.upgrade(path, headers)
            r.send(close_frame())
            assert has(answer, wanted) and r.read_close()[0] == 1000, (
                path, headers, answer)
    assert ng.status()['accepted'] == len(ACCEPTED)


def test_refusal_says_why(ng):
    """Headers that go with a status."""
    required = {'upgrade': 'websocket', 'sec-websocket-version': '13'}
    cors = {'access-control-allow-origin': OK, 'vary': 'Origin',
            'access-control-allow-credentials': 'true'}
    none = {'access-control-allow-origin': None}
    plain = {'Upgrade': None, 'Connection': None,
             'Sec-WebSocket-Version': None, 'Sec-WebSocket-Key': None}
    with Raw(ng) as first:
        first.upgrade('/full')
        rows = [
            ('/chat', plain, 426, required),
            ('/chat', plain, 426, none),
            ('/chat', {**plain, **origin(OK)}, 426, {
                'access-control-allow-origin': '*',
                'access-control-allow-credentials': None}),
            ('/chat', VERSION, 426, required),
            ('/origin', {**plain, **origin(OK)}, 426, cors),
            ('/origin', {**plain, **EVIL}, 403, none),
            ('/full', {}, 503, {'retry-after': '5'}),
            ('/full', plain, 503, {'retry-after': '5'}),
            ('/full', {**VERSION, **NO_UPGRADE}, 503, none),
            ('/full', {**plain, **origin(OK)}, 503, {
                **cors, 'retry-after': '5',
                'access-control-expose-headers': 'Retry-After'}),
            ('/full', EVIL, 403, {'retry-after': None}),
        ]
        for path, headers, status, wanted in rows:
            got, answer, _ = ask(ng, path, headers)
            assert got == status and has(answer, wanted) \
                and answer['content-type'] == 'text/plain' \
                and answer['cache-control'] == 'no-store', (
                    path, headers, got, answer)
        first.send(close_frame())
        first.read_close()
        assert first.at_eof()
    # the place is free again
    with Raw(ng) as second:
        second.upgrade('/full')


def test_status_line(ng):
    with Raw(ng) as r:
        r.send(b'GET /chat HTTP/1.1\r\nHost: a\r\n\r\n')
        r.response()
        r.send(b'GET /chat HTTP/1.1\r\nHost: a\r\n\r\n')
        while b'\r\n' not in r.buffer:
            r._more()
        assert r.buffer.startswith(b'HTTP/1.1 426 Upgrade Required\r\n')


def test_preflight(ng):
    asks = {'Access-Control-Request-Method': 'GET'}
    got, answer, _ = ask(ng, '/origin', {**asks, **origin(OK)}, 'OPTIONS')
    assert got == 204 and has(answer, {
        'access-control-allow-origin': OK,
        'access-control-allow-methods': 'GET'})
    assert ask(ng, '/origin', {**asks, **EVIL}, 'OPTIONS')[0] == 403


USERS = [
    ('?user=ann', r'ann'),
    ('?user=Ann+Lee', r'Ann Lee'),
    ('?user=Ann%20Lee%2B', r'Ann Lee\+'),
    ('?user=Zo%C3%AB', 'Zo\xeb'),
    ('?a=b&user=%F0%9F%98%80', '\U0001f600'),
    ('?user=', r'guest-[0-9a-f]{8}'),
    ('', r'guest-[0-9a-f]{8}'),
    ('?user=' + 'a' * 128, 'a' * 128),
]


def test_user(ng):
    for args, wanted in USERS:
        with Raw(ng) as r:
            r.upgrade('/chat' + args)
            welcome = r.read_frame().payload.decode()
            found = re.search(r'"user":"([^"]*)"', welcome)[1]
            assert re.fullmatch(wanted, found), (args, welcome)
    with Raw(ng) as r:
        r.upgrade('/user', user('Zo\xc3\xab'))
        assert '"user":"Zo\xeb"' in r.read_frame().payload.decode()


def test_behind_the_request(ng):
    """Frames that come with the request, whole and in part."""
    data = frame(b'x' * 300)
    for path in ('/echo', '/echo?' + 'a' * 3000):
        for size in (0, 1, 2, 7, 50, len(data) - 1, len(data)):
            with Raw(ng) as r:
                r.upgrade(path, extra=data[:size])
                r.send(data[size:])
                assert r.read_frame().payload == b'x' * 300, (path, size)
    with Raw(ng) as r:
        r.upgrade('/echo', extra=frame('a') + frame('b') + close_frame(1001))
        got = [r.read_frame() for _ in range(3)]
        assert [(f.opcode, f.payload) for f in got] == [
            (TEXT, b'a'), (TEXT, b'b'), (CLOSE, struct.pack('!H', 1001))]
        assert r.at_eof()


def test_second_request_of_a_connection(ng):
    with Raw(ng) as r:
        for _ in range(2):
            r.send(b'GET /health HTTP/1.1\r\nHost: a\r\n\r\n')
            assert r.response()[0] == 200
        r.upgrade('/echo', extra=frame('a'))
        assert r.read_frame().payload == b'a'


def test_pipelined_upgrade(ng):
    with Raw(ng) as r:
        r.send(b'GET /health HTTP/1.1\r\nHost: a\r\n\r\n'
               + r.request('/echo') + frame('a'))
        assert r.response()[0] == 200
        assert r.response()[0] == 101
        assert r.read_frame().payload == b'a'


def test_large_header_buffers(ng):
    with Raw(ng) as r:
        r.upgrade('/echo', {'Cookie': 'a' * 6000}, extra=frame('a'))
        assert r.read_frame().payload == b'a'


def test_frames_before_the_101_are_no_request(ng):
    """After a refusal what follows is HTTP again."""
    with Raw(ng) as r:
        r.send(r.request('/chat', headers=VERSION))
        assert r.response()[0] == 426
        r.send(b'GET /health HTTP/1.1\r\nHost: a\r\n\r\n')
        assert r.response()[0] == 200


def test_http2(nginx):
    """Over HTTP/2 there is no Upgrade: 400, though the origin comes first."""
    port, keeper = reserve_port()
    nginx(workers=1, server=SERVER + '''
        listen 127.0.0.1:%d http2 reuseport;''' % port)
    for path, status in ((b'/chat', 0x8c), (b'/health', 0x88)):
        with Raw(types.SimpleNamespace(port=port)) as r:
            block = (b'\x82\x86\x01\x01a\x04' + bytes([len(path)]) + path)
            r.send(b'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
                   + b'\0\0\0\4\0\0\0\0\0'
                   + struct.pack('!I', len(block))[1:] + b'\1\5\0\0\0\1'
                   + block)
            while True:
                head = r.read(9)
                body = r.read(int.from_bytes(head[:3], 'big'))
                if head[3] == 1:
                    break
            assert status in body[:3], (path, body)
    keeper.close()


def test_connections_nearly_used_up(nginx):
    """503 while there is still a connection to say it with."""
    ng = nginx(workers=1, connections=64, server=SERVER)
    held = []
    try:
        while len(held) < 64:
            r = Raw(ng)
            held.append(r)
            r.send(r.request('/echo'))
            status, answer, _ = r.response()
            if status != 101:
                break
        assert (status, answer['retry-after']) == (503, '5')
        assert len(held) > 40
    finally:
        for r in held:
            r.close()


def test_access_log(ng):
    with Raw(ng) as r:
        r.upgrade('/echo')
        # the line is written when the request is released, not at the end
        line = wait_for((ng.dir / 'access.log').read_text)
        assert line.startswith('127.0.0.1 ')
        assert '"GET /echo HTTP/1.1" 101 ' in line


SENT = '''
    log_format sent $bytes_sent;
    access_log sent.log sent;
    postpone_output %s;
'''


@pytest.mark.parametrize('postpone', ['1460', '0'])
def test_welcome_comes_with_the_answer(nginx, postpone):
    """In one write, unless NGINX keeps nothing back; it is logged alike."""
    ng = nginx(workers=1, http=SENT % postpone)
    with Raw(ng) as r:
        r.send(r.request('/chat?user=ann&join=one'))
        first = r.sock.recv(65536)
        head, end, rest = first.partition(b'\r\n\r\n')
        assert head.startswith(b'HTTP/1.1 101 ') and end
        assert postpone == '0' or b'"ev":"welcome"' in rest
        r.buffer = rest
        assert b'"ev":"welcome"' in r.read_frame().payload
        wait_for(lambda: (ng.dir / 'sent.log').read_text()
                 == '%d\n' % len(head + end),
                 what='the answer in the access log')


def test_deferred_listen(nginx):
    """The connection is new to epoll when the session takes it."""
    port, keeper = reserve_port()
    nginx(workers=1, server=SERVER + '''
        listen 127.0.0.1:%d deferred reuseport;''' % port)
    with Raw(types.SimpleNamespace(port=port)) as r:
        r.upgrade('/echo')
        for text in (b'a', b'b'):
            r.send(frame(text))
            assert r.read_frame().payload == text
        r.sock.shutdown(socket.SHUT_WR)
        assert r.at_eof()
    keeper.close()
