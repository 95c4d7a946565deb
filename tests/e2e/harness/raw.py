"""A bare socket that speaks WebSocket, wrongly where a test wants it."""

import base64
import collections
import hashlib
import os
import socket
import struct

from .nginx import PATIENCE

GUID = b'258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10

Frame = collections.namedtuple('Frame', 'fin rsv opcode payload')


def mask(data, key):
    pad = (key * (len(data) // 4 + 1))[:len(data)]
    n = int.from_bytes(data, 'big') ^ int.from_bytes(pad, 'big')
    return n.to_bytes(len(data), 'big')


def frame(payload=b'', opcode=TEXT, fin=True, rsv=0, masked=True,
          key=None, length=None, size=None):
    """The bytes of one frame.

    length: what the header claims instead of the truth; size: 7, 16 or 64,
    the width of the length field, by default the smallest.
    """
    if isinstance(payload, str):
        payload = payload.encode()
    claim = len(payload) if length is None else length
    if size is None:
        size = 7 if claim < 126 else 16 if claim < 65536 else 64
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    bit = 0x80 if masked else 0
    if size == 7:
        head += bytes([bit | claim])
    elif size == 16:
        head += bytes([bit | 126]) + struct.pack('!H', claim)
    else:
        head += bytes([bit | 127]) + struct.pack('!Q', claim)
    if not masked:
        return head + payload
    key = os.urandom(4) if key is None else key
    return head + key + mask(payload, key)


def close_frame(code=1000, reason=b''):
    return frame(struct.pack('!H', code) + reason, CLOSE)


class Raw:
    """A connection, before and after the handshake."""

    def __init__(self, ng, timeout=10, rcvbuf=None):
        self.host = '127.0.0.1:%d' % ng.port
        self.sock = socket.socket()
        if rcvbuf:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        self.sock.settimeout(timeout * PATIENCE)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.connect(('127.0.0.1', ng.port))
        self.buffer = b''
        self.key = base64.b64encode(os.urandom(16))

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        self.sock.close()

    def reset(self):
        """Close with a RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack('ii', 1, 0))
        self.sock.close()

    def send(self, data):
        self.sock.sendall(data)

    def send_frame(self, *args, **kwargs):
        self.send(frame(*args, **kwargs))

    # the handshake

    def request(self, path='/chat', method='GET', version='HTTP/1.1',
                headers=None):
        """The bytes of an upgrade; a header of None is left out."""
        fields = {
            'Host': self.host,
            'Upgrade': 'websocket',
            'Connection': 'Upgrade',
            'Sec-WebSocket-Version': '13',
            'Sec-WebSocket-Key': self.key.decode(),
        }
        fields.update(headers or {})
        lines = ['%s %s %s' % (method, path, version)]
        for name, value in fields.items():
            for one in value if isinstance(value, list) else [value]:
                if one is not None:
                    lines.append('%s: %s' % (name, one))
        return '\r\n'.join(lines + ['', '']).encode('latin-1')

    def response(self):
        """(status, headers by lower-case name, body as far as promised)."""
        while b'\r\n\r\n' not in self.buffer:
            self._more()
        head, self.buffer = self.buffer.split(b'\r\n\r\n', 1)
        lines = head.decode('latin-1').split('\r\n')
        headers = {}
        for line in lines[1:]:
            name, value = line.split(':', 1)
            headers[name.strip().lower()] = value.strip()
        body = self.read(int(headers.get('content-length', 0)))
        return int(lines[0].split()[1]), headers, body

    def upgrade(self, path='/chat', headers=None, extra=b''):
        """The handshake; extra bytes ride in the same packet."""
        self.send(self.request(path, headers=headers) + extra)
        status, answer, body = self.response()
        assert status == 101, (status, answer, body)
        accept = base64.b64encode(hashlib.sha1(self.key + GUID).digest())
        assert answer['sec-websocket-accept'] == accept.decode()
        return answer

    # frames

    def _more(self):
        data = self.sock.recv(65536)
        if not data:
            raise EOFError
        self.buffer += data

    def read(self, size):
        while len(self.buffer) < size:
            self._more()
        data, self.buffer = self.buffer[:size], self.buffer[size:]
        return data

    def read_frame(self):
        """The next frame, checked to be unmasked and minimal."""
        first, second = self.read(2)
        assert not second & 0x80, 'a masked frame from the server'
        size = second & 0x7f
        if size == 126:
            size, = struct.unpack('!H', self.read(2))
            assert size > 125, 'length not minimal'
        elif size == 127:
            size, = struct.unpack('!Q', self.read(8))
            assert size > 65535, 'length not minimal'
        return Frame(bool(first & 0x80), first >> 4 & 7, first & 15,
                     self.read(size))

    def read_close(self):
        """Skip to the close frame, answer nothing: (code, reason)."""
        while True:
            got = self.read_frame()
            if got.opcode == CLOSE:
                break
        if not got.payload:
            return None, b''
        return struct.unpack('!H', got.payload[:2])[0], got.payload[2:]

    def at_eof(self):
        """True when the server closed the connection cleanly."""
        try:
            self._more()
        except EOFError:
            return True
        return False
