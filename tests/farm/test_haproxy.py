"""The HAProxy front of conf/haproxy: its doors, and what it lets through."""

import http.client
import json
import socket

import h2.config
import h2.connection
import h2.events
import h2.settings
import pytest

from farm import Farm
from harness.client import JSON, Client
from harness.nginx import PATIENCE
from harness.raw import TEXT, Raw, close_frame, frame


@pytest.fixture
def front(redis, nginx, haproxy):
    return haproxy(Farm(nginx, redis, 1).nodes.values())


class Stream(Raw):
    """A WebSocket that is a stream of an HTTP/2 connection (RFC 8441)."""

    def __init__(self, front, path):
        host = '127.0.0.1:%d' % front.tls_port
        plain = socket.create_connection(('127.0.0.1', front.tls_port),
                                         10 * PATIENCE)
        self.sock = front.tls('h2').wrap_socket(plain,
                                                server_hostname='localhost')
        assert self.sock.selected_alpn_protocol() == 'h2'
        self.buffer = b''
        self.h2 = h2.connection.H2Connection(
            h2.config.H2Configuration(header_encoding='utf-8'))
        self.h2.initiate_connection()
        self.events_until(h2.events.RemoteSettingsChanged)
        assert self.h2.remote_settings.enable_connect_protocol == 1
        self.h2.send_headers(1, [
            (':method', 'CONNECT'), (':protocol', 'websocket'),
            (':scheme', 'https'), (':authority', host), (':path', path),
            ('sec-websocket-version', '13'),
            ('sec-websocket-protocol', JSON)])
        self.headers = dict(self.events_until(
            h2.events.ResponseReceived).headers)

    def events_until(self, kind):
        """Read until there is such an event; it is returned."""
        while True:
            self.sock.sendall(self.h2.data_to_send())
            data = self.sock.recv(65536)
            if not data:
                raise EOFError
            found = None
            for event in self.h2.receive_data(data):
                if isinstance(event, h2.events.DataReceived):
                    self.buffer += event.data
                    self.h2.acknowledge_received_data(
                        event.flow_controlled_length, 1)
                if isinstance(event, kind):
                    found = event
            self.sock.sendall(self.h2.data_to_send())
            if found:
                return found

    def send(self, data):
        self.h2.send_data(1, data)
        self.sock.sendall(self.h2.data_to_send())

    def _more(self):
        self.events_until(h2.events.DataReceived)

    def command(self, **fields):
        self.send(frame(json.dumps(fields)))

    def event(self):
        """The next one; who comes and goes is told in between."""
        while True:
            got = self.read_frame()
            assert got.opcode == TEXT, got
            event = json.loads(got.payload)
            if event['ev'] != 'presence':
                return event


def get(front, path, tls=False):
    """(response, body) of a plain request."""
    if tls:
        link = http.client.HTTPSConnection(
            'localhost', front.tls_port, context=front.tls(),
            timeout=10 * PATIENCE)
    else:
        link = http.client.HTTPConnection('127.0.0.1', front.port,
                                          timeout=10 * PATIENCE)
    try:
        link.request('GET', path)
        response = link.getresponse()
        return response, response.read()
    finally:
        link.close()


async def test_tls(front):
    """HTTP/1.1 over TLS; the cookie is for nobody else's eyes."""
    async with await Client.connect(front.tls_url, user='ann',
                                    ssl=front.tls()) as ann, \
            await Client.connect(front, user='bob') as bob:
        await ann.join('room')
        await bob.join('room')
        await ann.send('room', 'hi')
        await bob.expect('message', sender='ann')
        cookie, = ann.ws.response.headers.get_all('Set-Cookie')
        name, *rest = cookie.split('; ')
        assert name.startswith('serverid=')
        assert sorted(rest) == ['HttpOnly', 'Secure', 'path=/']


async def test_http2(front):
    """A WebSocket as a stream of HTTP/2; the node sees HTTP/1.1."""
    async with await Client.connect(front, user='bob') as bob:
        await bob.join('room')
        with Stream(front, '/chat?user=ann') as ann:
            assert ann.headers[':status'] == '200'
            assert ann.headers['sec-websocket-protocol'] == JSON
            assert ann.headers['set-cookie'].startswith('serverid=')
            assert ann.event()['ev'] == 'welcome'
            ann.command(op='join', id=1, chat_id='room')
            assert ann.event()['ev'] == 'joined'
            ann.command(op='send', id=2, chat_id='room', cid='c',
                        message='from a stream')
            assert {ann.event()['ev'], ann.event()['ev']} == {'ack',
                                                              'message'}
            await bob.expect('message', message='from a stream')
            # more than the window of the stream, so that it has to move
            for i in range(20):
                await bob.send('room', str(i) * 8000)
            for i in range(20):
                assert ann.event()['message'] == str(i) * 8000
            ann.send(close_frame())
            assert ann.read_close()[0] == 1000


def test_what_the_node_is_told(nginx, haproxy):
    """Who the client is, and by which door it came."""
    node = nginx(workers=1, server='''
        location = /told {
            return 200 "$http_x_forwarded_for $http_x_forwarded_proto";
        }''')
    front = haproxy([node])
    assert get(front, '/told')[1] == b'127.0.0.1 http'
    assert get(front, '/told', tls=True)[1] == b'127.0.0.1 https'


def test_inner_places(front):
    """The counters of a node, and its drain, are not for everybody."""
    for path in ('/status', '/api/drain'):
        response, _ = get(front, path)
        assert response.status == 404, path
    assert get(front, '/health')[0].status == 200


def test_no_node(front):
    """The last node is gone: a clear 503, and it is found again."""
    front.expect_down('node1')
    node, = front.nodes
    node.quit()
    front.wait_state('node1', 'DOWN')
    assert get(front, '/health')[0].status == 503
    node.start()
    front.wait_state('node1', 'UP')
    assert get(front, '/health')[0].status == 200


def test_stats(front):
    with socket.create_connection(('127.0.0.1', front.stats_port)) as s:
        s.sendall(b'GET /metrics HTTP/1.0\r\n\r\n')
        text = b''.join(iter(lambda: s.recv(65536), b''))
    assert b'haproxy_server_status{proxy="nodes",server="node1"' in text
    assert front.socket.stat().st_mode & 0o777 == 0o600
