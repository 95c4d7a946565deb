"""Thousands of members in one process, each as small as Python allows.

    python swarm.py PORT FIRST LAST CHATS

Member i is `m<i>` in chat `chat-<i // 2 modulo CHATS>`. It comes back like
the SDK, with full jitter, and resumes. Each message has a number `n`, one
more than the last one of its chat: everybody is to see all of them, in order.

Orders are lines of JSON on standard input, each is answered by one:

  {"do": "connect"}               everybody joins
  {"do": "mark", "at": T}         figures from here on; T is monotonic time
  {"do": "state"}                 how many are joined, and what went wrong
  {"do": "finish", "last": {..}}  see the last message of each chat, and leave
"""

import asyncio
import base64
import json
import os
import random
import struct
import sys
import time

BASE, MOST = 0.5, 30
AT_ONCE = 100
PATIENCE = 60


def frame(payload, opcode=1):
    """A client's frame; its mask is zero, so the payload stays as it is."""
    size = len(payload)
    if size < 126:
        head = bytes([0x80 | opcode, 0x80 | size])
    else:
        head = bytes([0x80 | opcode, 0x80 | 126]) + struct.pack('!H', size)
    return head + bytes(4) + payload


class Member(asyncio.Protocol):
    """One of them, over all of its connections."""

    def __init__(self, swarm, number):
        self.swarm = swarm
        self.name = 'm%d' % number
        self.chat = 'chat-%d' % (number // 2 % swarm.chats)
        self.cookie = None
        self.tries = 0
        self.last = None
        self.n = None
        self.transport = None
        self.reset()

    def reset(self):
        self.buffer = b''
        self.open = False
        self.joined = False

    # connect

    async def connect(self):
        self.reset()
        self.began = time.monotonic()
        try:
            await asyncio.get_running_loop().create_connection(
                lambda: self, '127.0.0.1', self.swarm.port)
        except OSError:
            self.come_back()

    def connection_made(self, transport):
        self.transport = transport
        cookie = 'Cookie: %s\r\n' % self.cookie if self.cookie else ''
        transport.write((
            'GET /chat?user=%s HTTP/1.1\r\nHost: 127.0.0.1\r\n'
            'Upgrade: websocket\r\nConnection: Upgrade\r\n'
            'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n%s\r\n' % (
                self.name, base64.b64encode(os.urandom(16)).decode(),
                cookie)).encode())

    def connection_lost(self, exc):
        if not self.swarm.leaving:
            self.swarm.lost += self.joined
            self.come_back()
        self.reset()

    def come_back(self):
        wait = random.uniform(0, min(MOST, BASE * 2 ** self.tries))
        self.tries += 1
        asyncio.get_running_loop().call_later(
            wait, lambda: self.swarm.spawn(self.connect()))

    # what comes

    def data_received(self, data):
        self.buffer += data
        if not self.open and not self.handshake():
            return
        while self.one_frame():
            pass

    def handshake(self):
        if b'\r\n\r\n' not in self.buffer:
            return False
        head, self.buffer = self.buffer.split(b'\r\n\r\n', 1)
        status, *lines = head.decode('latin-1').split('\r\n')
        if ' 101 ' not in status:
            self.swarm.refused[status] = self.swarm.refused.get(status, 0) + 1
            self.transport.abort()
            return False
        for line in lines:
            if line.lower().startswith('set-cookie: '):
                self.cookie = line[12:].partition(';')[0]
        self.swarm.handshakes.append(time.monotonic() - self.began)
        self.open = True
        join = {'op': 'join', 'id': 1, 'chat_id': self.chat}
        if self.last:
            join['after'] = self.last
        self.transport.write(frame(json.dumps(join).encode()))
        return True

    def one_frame(self):
        """Take a whole frame out of the buffer, if there is one."""
        data = self.buffer
        if len(data) < 2:
            return False
        size, begin = data[1], 2
        if size == 126:
            size, begin = struct.unpack_from('!H', data, 2)[0] \
                if len(data) >= 4 else 1 << 40, 4
        elif size == 127:
            size, begin = struct.unpack_from('!Q', data, 2)[0] \
                if len(data) >= 10 else 1 << 40, 10
        if len(data) < begin + size:
            return False
        payload = data[begin:begin + size]
        self.buffer = data[begin + size:]
        if data[0] & 15 == 1:
            self.event(json.loads(payload))
        elif data[0] & 15 == 9:
            self.transport.write(frame(payload, 10))
        elif data[0] & 15 == 8:
            self.transport.close()
            return False
        return True

    def event(self, event):
        if event['ev'] == 'message':
            self.message(event)
        elif event['ev'] == 'joined':
            if self.last is None:
                self.last = event['head']
            elif not event['recovered'] or event['more']:
                self.wrong('not recovered', event.get('reason'))
            for message in event['messages']:
                self.message(message)
            self.joined = True
            self.tries = 0
            self.swarm.resumed.append(time.monotonic())
        elif event['ev'] == 'error' and event.get('id') == 1:
            # no history without Redis; come again
            self.transport.abort()
        elif event['ev'] == 'gap':
            self.wrong('a gap', event)

    def message(self, event):
        n = event['message']['n']
        if self.n is not None and n != self.n + 1:
            self.wrong('after %d' % self.n, event)
        self.n = n
        self.last = {'epoch': event['epoch'], 'seq': event['seq']}

    def wrong(self, what, event):
        self.swarm.problems.append('%s: %s: %s' % (self.name, what, event))


class Swarm:
    def __init__(self, port, first, last, chats):
        self.port = port
        self.chats = chats
        self.leaving = False
        self.problems = []
        self.refused = {}
        self.tasks = set()
        self.mark()
        self.members = [Member(self, i) for i in range(first, last)]

    def mark(self, at=0):
        self.at = at
        self.lost = 0
        self.handshakes = []
        self.resumed = []

    def spawn(self, coroutine):
        task = asyncio.get_running_loop().create_task(coroutine)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def count(self):
        return sum(m.joined for m in self.members)

    async def until(self, condition):
        end = time.monotonic() + PATIENCE
        while not condition() and time.monotonic() < end:
            await asyncio.sleep(0.05)

    async def do_connect(self):
        for i in range(0, len(self.members), AT_ONCE):
            some = self.members[i:i + AT_ONCE]
            await asyncio.gather(*(m.connect() for m in some))
            await self.until(lambda: all(m.joined for m in some))
        return await self.do_state()

    async def do_mark(self, at):
        self.mark(at)
        return {}

    async def do_state(self):
        return {'joined': self.count(), 'lost': self.lost,
                'refused': self.refused, 'problems': self.problems[:10]}

    async def do_finish(self, last):
        """With the figures since the mark, in seconds."""
        def late():
            return [m.name for m in self.members
                    if (m.n or 0) != last.get(m.chat, 0)]

        await self.until(lambda: not late())
        answer = {**await self.do_state(), 'late': late()[:10],
                  'handshakes': self.handshakes,
                  'resumed': [t - self.at for t in self.resumed]}
        self.leaving = True
        for member in self.members:
            member.transport.write(frame(struct.pack('!H', 1000), 8))
        await self.until(lambda: all(m.transport.is_closing()
                                     for m in self.members))
        return answer


async def main():
    port, first, last, chats = map(int, sys.argv[1:])
    swarm = Swarm(port, first, last, chats)
    orders = asyncio.StreamReader(limit=1 << 24)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    while line := await orders.readline():
        order = json.loads(line)
        answer = await getattr(swarm, 'do_' + order.pop('do'))(**order)
        print(json.dumps(answer), flush=True)


if __name__ == '__main__':
    asyncio.run(main())
