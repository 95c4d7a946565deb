"""Members who stop reading, among others who do not."""

import contextlib
import json
import socket

from .case import Target
from .fan import Fan
from .machine import BenchError
from .server import Ours

HELLO = '''\
GET /chat?user=slow%d&join=r0 HTTP/1.1\r
Host: localhost\r
Connection: Upgrade\r
Upgrade: websocket\r
Sec-WebSocket-Version: 13\r
Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
\r
'''


class OursAllRead(Ours):
    name = 'the same, all read'


class Slow20(Fan):
    """Beside the members who are measured there are some who read nothing
    from when they have joined until all is over.

    When one was gapped is told by the positions of the first message it has
    and of its gap: messages come on a schedule.
    """

    name = 'slow-20'
    peers = (Ours, OursAllRead)
    rate = 200
    count = 20
    seconds = (16, 0.5, 5), (0.5, 0.1, 30)
    columns = Fan.columns + (
        ('gapped', 'slow gapped', '%d'),
        ('gap_s', 'the last after s', '%.1f'),
        ('grown', 'memory grown KiB', '%.0f'),
    )
    late = 1
    tries = 5
    plain = Fan.plain + ('gapped', 'gap_s', 'grown')
    targets = (Target('p99', 1.5, OursAllRead.name),
               Target('gapped', count, least=True),
               Target('gap_s', 15),
               Target('grown', 4096))
    notes = ('%d more members stop reading once they have joined.' % count,)

    def __init__(self):
        super().__init__()
        self.title += ', and %d who stop reading' % self.count
        self.slow = []

    def run_once(self, peer, quick):
        with peer() as server, contextlib.ExitStack() as stack:
            self.slow = []
            self.stack = stack
            # what fills buffers of the kernel takes long in small messages
            self.size = 20000 if quick else Fan.size
            return self.measure(server, quick)

    def joined(self, server):
        if server.name != Ours.name:
            return
        for number in range(self.count):
            sock = self.stack.enter_context(socket.create_connection(
                ('127.0.0.1', server.port), 30))
            sock.sendall((HELLO % number).encode())
            self.slow.append(sock)

    def spent(self, server):
        return {**super().spent(server), 'anon': server.memory()['anon']}

    def figures(self, result, before, after):
        times = [gapped(sock) / self.rate for sock in self.slow]
        return {
            **super().figures(result, before, after),
            'gapped': len(times),
            'gap_s': max(times, default=None),
            'grown': (after['anon'] - before['anon']) / 1024,
        }


def gapped(sock):
    """How many messages went by until the member who did not read missed
    some of them."""
    first = None
    with sock.makefile('rb') as stream:
        while stream.readline().strip():
            pass
        while True:
            try:
                event = read_event(stream)
            except (OSError, IndexError, ValueError):
                raise BenchError('a member who stopped reading was not '
                                 'gapped') from None
            if event['ev'] == 'message':
                first = first or event['seq']
            elif event['ev'] == 'gap':
                return event['before']['seq'] - first


def read_event(stream):
    length = stream.read(2)[1]
    if length > 125:
        length = int.from_bytes(stream.read(2 if length == 126 else 8), 'big')
    return json.loads(stream.read(length))
