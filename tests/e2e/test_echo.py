"""ws_chat_echo: frames in, frames out, whatever the network makes of them."""

import socket
import ssl
import struct
import subprocess
import threading
import types
import zlib

import pytest
import websockets.asyncio.client

from harness.nginx import PATIENCE, reserve_port, wait_for
from harness.raw import (BINARY, CLOSE, CONT, PING, PONG, TEXT, Raw,
                         close_frame, frame)

pytestmark = pytest.mark.plain_store

SERVER = '''
    location = /echo { ws_chat_echo; ws_chat_max_message 16m; }
    location = /small {
        ws_chat_echo; ws_chat_max_message 1000; ws_chat_max_fragments 4;
    }
'''

SIZES = [0, 1, 2, 124, 125, 126, 127, 128, 255, 256, 65535, 65536, 65537,
         131072, 1000000, 16 << 20]


@pytest.fixture
def ng(nginx):
    return nginx(workers=1, server=SERVER)


@pytest.fixture
def tls(nginx, tmp_path):
    """An Nginx whose `tls` is the place of the same server over TLS."""
    tmp_path.chmod(0o755)
    subprocess.run(
        ['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days',
         '2', '-subj', '/CN=localhost', '-keyout', tmp_path / 'key.pem',
         '-out', tmp_path / 'cert.pem'],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    port, keeper = reserve_port()
    ng = nginx(workers=1, server=SERVER + '''
        listen 127.0.0.1:%d ssl reuseport;
        ssl_certificate %s/cert.pem;
        ssl_certificate_key %s/key.pem;
    ''' % (port, tmp_path, tmp_path))
    ng.tls = types.SimpleNamespace(port=port,
                                   url='wss://127.0.0.1:%d' % port)
    yield ng
    keeper.close()


def no_checks():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def tls_raw(ng, **options):
    r = Raw(ng.tls, **options)
    r.sock = no_checks().wrap_socket(r.sock)
    return r


def connect(url, **options):
    return websockets.asyncio.client.connect(
        url + '/echo', max_size=None, ping_interval=None, proxy=None,
        **options)


async def echo_sizes(ws):
    for size in SIZES:
        text = ('\u00e4\U0001f600x' * (size // 7 + 1)).encode()[:size].decode(
            errors='ignore')
        await ws.send(text)
        assert await ws.recv() == text, size
        data = bytes(range(256)) * (size // 256) + bytes(size % 256)
        await ws.send(data)
        assert await ws.recv() == data, size


async def test_sizes(ng):
    async with connect(ng.url, compression=None) as ws:
        await echo_sizes(ws)


async def test_sizes_deflate(ng):
    async with connect(ng.url) as ws:
        await echo_sizes(ws)


async def test_sizes_tls(tls):
    async with connect(tls.tls.url, ssl=no_checks()) as ws:
        await echo_sizes(ws)


async def test_many_in_flight(ng):
    async with connect(ng.url) as ws:
        for i in range(2000):
            await ws.send(str(i) * (i % 40))
        for i in range(2000):
            assert await ws.recv() == str(i) * (i % 40)


def test_compressed_from_a_size_on(ng):
    """ws_chat_deflate_min_size: below it messages go plain."""
    with Raw(ng) as r:
        r.upgrade('/echo',
                  {'Sec-WebSocket-Extensions': 'permessage-deflate'})
        for size, rsv in ((255, 0), (256, 4), (5000, 4)):
            r.send_frame(b'a' * size)
            got = r.read_frame()
            assert got.rsv == rsv and (rsv or got.payload == b'a' * size), size


def test_split_writes(ng):
    """Every octet in a packet of its own."""
    data = (frame(b'x' * 200) + frame('') + frame('p', PING)
            + frame('a', BINARY, fin=False) + frame('q', PING)
            + frame('b', CONT) + close_frame(1000, b'end'))
    with Raw(ng) as r:
        r.upgrade('/echo')
        for octet in data:
            r.send(bytes([octet]))
        wanted = [(TEXT, b'x' * 200), (TEXT, b''), (PONG, b'p'), (PONG, b'q'),
                  (BINARY, b'ab'), (CLOSE, struct.pack('!H', 1000))]
        for one in wanted:
            got = r.read_frame()
            assert (got.opcode, got.payload) == one
        assert r.at_eof()


def test_fragments(ng):
    with Raw(ng) as r:
        r.upgrade('/echo')
        r.send_frame('a' * 70000, fin=False)
        r.send_frame('', CONT, fin=False)
        r.send_frame('between', PING)
        r.send_frame('b' * 70000, CONT, fin=False)
        r.send_frame('c', CONT)
        assert r.read_frame()[2:] == (PONG, b'between')
        got = r.read_frame()
        assert got[:3] == (True, 0, TEXT)
        assert got.payload == b'a' * 70000 + b'b' * 70000 + b'c'


# what is sent to /small, the code of the server's Close
ERRORS = [
    (frame('a', masked=False), 1002),
    (frame('a', rsv=1), 1002),
    (frame('a', rsv=4), 1002),
    (frame('a', 3), 1002),
    (frame('a', 11), 1002),
    (frame('a', CONT), 1002),
    (frame('a', fin=False) + frame('b'), 1002),
    (frame('a', PING, fin=False), 1002),
    (frame('a' * 126, PING), 1002),
    (frame('a', size=16), 1002),
    (frame('a', size=64), 1002),
    (frame(b'', length=1 << 63, size=64), 1002),
    (frame(b'a', CLOSE), 1002),
    (close_frame(1005), 1002),
    (close_frame(999), 1002),
    (close_frame(1000, b'\xff'), 1007),
    (frame(b'\xff'), 1007),
    (frame(b'\xe2\x82', fin=False) + frame(b'A', CONT), 1007),
    (frame(b'', length=1001, size=16), 1009),
    (frame(b'', length=(1 << 63) - 1, size=64), 1009),
    (frame(b'a' * 600, fin=False) + frame(b'', CONT, length=401, size=16),
     1009),
    (frame('a', fin=False) + frame('', CONT, fin=False) * 4, 1008),
]


def test_errors(ng):
    for data, code in ERRORS:
        with Raw(ng) as r:
            r.upgrade('/small')
            r.send(data)
            assert r.read_close()[0] == code and r.at_eof(), data


def test_input_behind_an_error_is_no_reset(ng):
    """The Close is read although more input was on its way."""
    for _ in range(20):
        with Raw(ng) as r:
            r.upgrade('/small')
            r.send(frame('a', masked=False) + b'x' * 100000)
            assert r.read_close()[0] == 1002
            assert r.at_eof()
            r.send(b'x' * 1000)
            assert r.at_eof()


CLOSES = [
    (close_frame(1000), (1000, b'')),
    (close_frame(1001, b'bye'), (1001, b'')),
    (close_frame(4999, b'x' * 123), (4999, b'')),
    (frame(b'', CLOSE), (None, b'')),
]


def test_close(ng):
    for data, answer in CLOSES:
        with Raw(ng) as r:
            r.upgrade('/echo')
            r.send(data)
            assert r.read_close() == answer and r.at_eof(), data


def test_pipelined_close_and_half_close(ng):
    """All that stands before a Close is answered, though we send no more."""
    with Raw(ng) as r:
        r.upgrade('/echo', extra=b''.join(frame(str(i) * 50)
                                          for i in range(500))
                  + close_frame() + frame('late'))
        r.sock.shutdown(socket.SHUT_WR)
        for i in range(500):
            assert r.read_frame().payload == (str(i) * 50).encode()
        assert r.read_close()[0] == 1000
        assert r.at_eof()


def test_nothing_after_our_close(ng):
    """A binary frame to JSON is refused; what follows it gets no answer."""
    with Raw(ng) as r:
        r.upgrade('/chat')
        assert r.read_frame().opcode == TEXT
        r.send(frame(b'', BINARY) + frame('p', PING)
               + frame('{"op":"ping","id":1}') + close_frame())
        assert r.read_close()[0] == 1003
        assert r.at_eof()


def push(r, data):
    """Send from a thread, as the server stops to read."""
    def run():
        try:
            r.send(data)
        except OSError:
            pass
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def backlog(r):
    """12 MB to somebody who starts to read when nothing moves any more."""
    messages = [b'%d:' % i + b'x' * (i * 37 % 60000) for i in range(400)]
    r.upgrade('/echo')
    thread = push(r, b''.join(frame(m, BINARY) for m in messages))
    thread.join(0.3)
    for message in messages:
        assert r.read_frame().payload == message
    thread.join()
    r.send(close_frame())
    assert r.read_close()[0] == 1000


def test_backlog(ng):
    with Raw(ng, rcvbuf=4096) as r:
        backlog(r)


def test_backlog_tls(tls):
    with tls_raw(tls, rcvbuf=4096) as r:
        backlog(r)


def held_memory(ng):
    """The octets of memory when they do not change any more."""
    seen = []

    def settled():
        seen.append(ng.status()['memory'])
        return len(seen) > 5 and len(set(seen[-5:])) == 1

    wait_for(settled, what='memory settles')
    return seen[-1]


def test_ping_flood_without_reading(ng):
    """Who does not read is not read from: what we keep is bounded."""
    count = 150000
    with Raw(ng, rcvbuf=4096) as r:
        r.upgrade('/echo')
        thread = push(r, frame('x' * 100, PING, key=b'abcd') * count)
        assert held_memory(ng) < 400000
        assert thread.is_alive()
        for _ in range(count):
            assert r.read_frame()[2:] == (PONG, b'x' * 100)
        thread.join()


def test_reset(ng):
    for begin in (b'', frame('a' * 100), frame('a' * 100)[:50],
                  frame('a' * 3000000, BINARY), close_frame()):
        r = Raw(ng, rcvbuf=4096)
        r.upgrade('/echo')
        r.send(begin)
        r.reset()
    wait_for(lambda: ng.status()['connections'] == 0, what='all are gone')


def test_vanish(ng):
    """The connection ends in the middle of a frame, without a Close."""
    for size in range(0, 60, 7):
        with Raw(ng) as r:
            r.upgrade('/echo')
            r.send(frame('a' * 50)[:size])
    wait_for(lambda: ng.status()['connections'] == 0, what='all are gone')


def test_tls_close_notify(tls):
    """TLS ends properly, so that the Close is known to be all."""
    with tls_raw(tls) as r:
        r.sock.suppress_ragged_eofs = False
        r.upgrade('/echo', extra=frame('a'))
        assert r.read_frame().payload == b'a'
        r.send(close_frame())
        assert r.read_close()[0] == 1000
        assert r.at_eof()


def test_tls_reset(tls):
    for begin in (b'', frame('a' * 3000000, BINARY), close_frame()):
        r = tls_raw(tls, rcvbuf=4096)
        r.upgrade('/echo')
        r.send(begin)
        r.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                          struct.pack('ii', 1, 0))
        r.sock.close()
    wait_for(lambda: tls.status()['connections'] == 0, what='all are gone')


def test_inflated_size_is_limited(ng):
    """A compressed message is as large as it becomes."""
    with Raw(ng) as r:
        r.upgrade('/small',
                  {'Sec-WebSocket-Extensions': 'permessage-deflate'})
        for size, opcode in ((1000, TEXT), (1001, CLOSE)):
            packer = zlib.compressobj(wbits=-15)
            data = packer.compress(b'a' * size)
            data += packer.flush(zlib.Z_SYNC_FLUSH)
            r.send_frame(data[:-4], rsv=4)
            got = r.read_frame()
            assert got.opcode == opcode, size
        assert got.payload[:2] == struct.pack('!H', 1009)


def test_idle_memory(ng):
    """What an idle socket costs beyond NGINX's own slot."""
    before = held_memory(ng)
    held = [Raw(ng) for _ in range(500)]
    for r in held:
        r.upgrade('/echo')
    assert held_memory(ng) - before <= 500 * 296
    for r in held:
        r.close()
    wait_for(lambda: ng.status()['connections'] == 0, 10 * PATIENCE)
    assert held_memory(ng) == before
