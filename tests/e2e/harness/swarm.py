"""Thousands of members in two processes, and an exact account of each.

    with Swarm(ng, chats=500, members=10, rate=100, stock=200) as swarm:
        ...
        account = swarm.finish()
    account.verify({1012})

Each member is one socket in one chat. It comes back as `reconnect` says,
resumes, and sends what was not acknowledged again. Whatever it sees is
checked as it comes: each message once, in order, and its `prev` is the one
before; at the end all members of a chat have all of it. `stock` of them are
on the third-party `websockets`, the others on a socket with a few lines of
protocol, which are cheap enough for thousands.
"""

import asyncio
import bisect
import collections
import contextlib
import json
import multiprocessing
import random
import time

from websockets.asyncio.client import connect as ws_connect
from websockets.exceptions import (ConnectionClosed, InvalidStatus,
                                   WebSocketException)

from .nginx import PATIENCE

PROCESSES = 2
OPENING = 100          # handshakes at a time, when the swarm starts
ABNORMAL = 1006
PAUSE = 0.02
RETRY_AFTER = 1000     # ms, as a worker that drains says
HANDSHAKE = ('GET /chat?user=%s HTTP/1.1\r\nHost: %s:%d\r\n'
             'Upgrade: websocket\r\nConnection: Upgrade\r\n'
             'Sec-WebSocket-Version: 13\r\n'
             'Sec-WebSocket-Protocol: chat.v1.json\r\n'
             'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n')


def position(fields):
    return fields['epoch'], fields['seq']


def masked(payload, opcode=1):
    """One short frame; the key is zero, which is as good as any here."""
    size = len(payload)
    length = bytes([0x80 | size]) if size < 126 else (
        b'\xfe' + size.to_bytes(2, 'big'))
    return bytes([0x80 | opcode]) + length + bytes(4) + payload


class Socket(asyncio.Protocol):
    """A connection with just enough WebSocket for a well-behaved server."""

    def __init__(self, member):
        self.member = member
        self.buffer = bytearray()
        self.open = False
        self.code = ABNORMAL
        self.answer = 'nothing'

    def connection_made(self, transport):
        self.transport = transport
        transport.write((HANDSHAKE % (
            self.member.user, *self.member.swarm.address)).encode())

    def connection_lost(self, error):
        if self.code == ABNORMAL and self.open:
            self.member.closed(ABNORMAL)
        self.member.lost(None if self.open else self.answer)

    def post(self, command):
        self.transport.write(masked(json.dumps(command).encode()))

    def drop(self):
        self.code = None
        self.transport.abort()

    def data_received(self, data):
        self.buffer += data
        if not self.open:
            head, found, rest = self.buffer.partition(b'\r\n\r\n')
            if not found:
                return
            if not head.startswith(b'HTTP/1.1 101 '):
                self.answer = head[9:12].decode()
                self.transport.close()
                return
            self.open = True
            self.buffer = rest
            self.member.opened(self)
        while self.frame():
            pass

    def frame(self):
        """Take one frame; false if there is no whole one."""
        data = self.buffer
        if len(data) < 2:
            return False
        size, at = data[1], 2
        if size >= 126:
            at = 4 if size == 126 else 10
            if len(data) < at:
                return False
            size = int.from_bytes(data[2:at], 'big')
        if len(data) < at + size:
            return False
        opcode, payload = data[0], bytes(data[at:at + size])
        del data[:at + size]
        if opcode == 0x81:
            self.member.event(json.loads(payload))
        elif opcode == 0x89:
            self.transport.write(masked(payload, 10))
        elif opcode == 0x88:
            self.code = int.from_bytes(payload[:2], 'big')
            self.member.closed(self.code)
            self.transport.write(masked(payload[:2], 8))
        else:
            self.member.wrong('a frame of kind %#x' % opcode)
        return True


class Stock:
    """The same on `websockets`."""

    def __init__(self, member):
        self.member = member
        self.tasks = set()
        self.dropped = False

    async def run(self):
        ws, answer = None, 'nothing'
        try:
            ws = await ws_connect(
                'ws://%s:%d/chat?user=%s' % (*self.member.swarm.address,
                                             self.member.user),
                subprotocols=['chat.v1.json'], compression=None, proxy=None,
                ping_interval=None, open_timeout=None)
            self.ws = ws
            self.member.opened(self)
            async for text in ws:
                self.member.event(json.loads(text))
        except InvalidStatus as e:
            answer = str(e.response.status_code)
        except (OSError, WebSocketException):
            pass
        finally:
            if ws and not self.dropped:
                self.member.closed(ws.close_code or ABNORMAL)
            self.member.lost(None if ws else answer)

    def post(self, command):
        async def send():
            with contextlib.suppress(ConnectionClosed):
                await self.ws.send(json.dumps(command))

        task = asyncio.create_task(send())
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def drop(self):
        self.dropped = True
        self.ws.transport.abort()


class Member:
    """One user in one chat, on one connection after the other."""

    def __init__(self, swarm, user, chat, stock):
        self.swarm = swarm
        self.user = user
        self.chat = chat
        self.stock = stock
        self.link = None
        self.live = False
        self.closing = False
        self.last = None
        self.count = 0
        self.pending = {}
        self.wait = 0
        self.left = None

    # the connection

    async def connect(self):
        if self.stock:
            await Stock(self).run()
            return
        try:
            await self.swarm.loop.create_connection(
                lambda: Socket(self), *self.swarm.address)
        except OSError:
            self.lost('nothing')

    def opened(self, link):
        self.link = link
        self.closing = False
        join = {'op': 'join', 'id': 'join', 'chat_id': self.chat}
        if self.last:
            join['after'] = dict(zip(('epoch', 'seq'), self.last))
        link.post(join)

    def closed(self, code):
        self.swarm.closes.append((time.monotonic(), code))
        self.closing = True

    def lost(self, refused):
        """The connection has ended, or was refused with this status."""
        if self.live:
            self.swarm.live -= 1
            self.left = time.monotonic()
        self.live, self.link = False, None
        if refused:
            self.swarm.refused[refused] += 1
            self.wait = RETRY_AFTER
        if not self.swarm.back:
            return
        # not all of those who are told the same come at the same moment
        pause = (self.wait + random.uniform(0, 300)) / 1000
        self.wait = 0
        self.swarm.loop.call_later(pause, lambda: self.swarm.task(
            self.connect()))

    # what it says

    def send(self, cid):
        self.pending[cid] = False
        if self.live and not self.closing:
            self.post(cid)

    def post(self, cid):
        command = {'op': 'send', 'id': cid, 'chat_id': self.chat, 'cid': cid,
                   'message': {'text': 'hello from ' + self.user}}
        if self.pending[cid]:
            command['retry'] = True
        self.pending[cid] = True
        self.link.post(command)

    def again(self, cid):
        if cid in self.pending and self.live and not self.closing:
            self.post(cid)

    # what it hears

    def event(self, event):
        if self.closing:
            self.wrong('something behind the Close: %s' % event)
        kind = event['ev']
        if kind == 'message':
            self.message(event)
        elif kind == 'joined':
            self.joined(event)
        elif kind == 'ack':
            if self.pending.pop(event['cid'], None) is not None:
                self.swarm.acked(self.chat, event['cid'], position(event))
        elif kind == 'reconnect':
            self.wait = event['in_ms']
        elif kind == 'error':
            self.error(event)
        elif kind not in ('welcome', 'status', 'presence'):
            self.wrong('%s' % event)

    def error(self, event):
        self.swarm.errors[event['code']] += 1
        if not event['temporary']:
            self.wrong('%s' % event)
        elif event.get('cid'):
            self.swarm.loop.call_later(event['retry_ms'] / 1000, self.again,
                                       event['cid'])
        else:
            self.link.drop()

    def joined(self, reply):
        if reply.get('reason') == 'unavailable' and self.last:
            self.swarm.errors['resume'] += 1
            self.link.drop()
            return
        if self.last and not reply['recovered']:
            self.wrong('not recovered: %s' % reply)
        if reply['more']:
            self.wrong('too much was missed: %s' % reply['head'])
        if self.last is None:
            self.last = position(reply['head'])
        self.live = True
        self.swarm.live += 1
        for event in reply['messages']:
            self.message(event)
        if self.last < position(reply['head']):
            self.wrong('%s is not the head %s' % (self.last, reply['head']))
        if self.left:
            now = time.monotonic()
            self.swarm.outages.append((now, now - self.left))
        for cid in self.pending:
            self.post(cid)
        self.swarm.look()

    def message(self, event):
        place = position(event)
        prev = event['prev'] and position(event['prev'])
        if place <= self.last:
            self.wrong('again: %s after %s' % (event, self.last))
        elif prev != self.last and (prev or self.last[1]):
            self.wrong('a hole: %s after %s' % (event, self.last))
        self.last = place
        self.count += 1
        book = self.swarm.books[self.chat]
        if book.setdefault(place, event['cid']) != event['cid']:
            self.wrong('%s is also %s' % (event, book[place]))
        self.swarm.look()

    def wrong(self, text):
        self.swarm.problems.append('%s: %s' % (self.user, text))


class Part:
    """The members of one of the processes."""

    def __init__(self, pipe, options):
        self.pipe = pipe
        self.options = options
        self.address = options['address']
        self.back = options['back']
        self.closes, self.outages, self.problems = [], [], []
        self.errors = collections.Counter()
        self.books = collections.defaultdict(dict)
        self.acks, self.heads, self.cids = {}, {}, []
        self.refused = collections.Counter()
        self.live = 0
        self.lag = 0
        self.tasks = set()
        self.changed = asyncio.Event()
        self.waiting = False
        self.loop = asyncio.get_running_loop()
        stock = options['stock']
        self.members = [
            Member(self, '%s-%d' % (chat, i), chat,
                   stock and n % stock == 0)
            for n, (chat, i) in enumerate(options['members'])]

    def task(self, coroutine):
        task = self.loop.create_task(coroutine)
        self.tasks.add(task)
        task.add_done_callback(self.finished)

    def finished(self, task):
        self.tasks.discard(task)
        if not task.cancelled() and task.exception():
            self.problems.append(repr(task.exception()))

    def look(self):
        if self.waiting:
            self.changed.set()

    async def until(self, condition, what, seconds):
        """Wait for it; what is not so in the end is a problem."""
        self.waiting = True
        end = self.loop.time() + seconds * PATIENCE
        while not condition():
            self.changed.clear()
            try:
                # members that come or go may say nothing
                await asyncio.wait_for(self.changed.wait(), 0.2)
            except asyncio.TimeoutError:
                pass
            if self.loop.time() > end:
                self.problems.append('not within %d s: %s; %d of %d live' % (
                    seconds * PATIENCE, what, self.live, len(self.members)))
                break
        self.waiting = False

    async def open(self):
        for start in range(0, len(self.members), OPENING):
            for member in self.members[start:start + OPENING]:
                self.task(member.connect())
            await self.until(lambda: self.live >= min(
                start + OPENING, len(self.members)), 'all have joined', 30)

    async def talk(self):
        """Sends at an even rate, of whoever it may be."""
        number, begin = 0, self.loop.time()
        while True:
            due = (self.loop.time() - begin) * self.options['rate']
            while number < due:
                member = random.choice(self.members)
                cid = '%s-%d' % (member.user, number)
                self.cids.append(cid)
                member.send(cid)
                number += 1
            before = self.loop.time()
            await asyncio.sleep(PAUSE)
            self.lag = max(self.lag, self.loop.time() - before - PAUSE)

    async def hear(self):
        """The next word of the test."""
        heard = self.loop.create_future()
        self.loop.add_reader(self.pipe.fileno(), lambda: heard.done()
                             or heard.set_result(None))
        await heard
        self.loop.remove_reader(self.pipe.fileno())
        return self.pipe.recv()

    async def run(self):
        await self.open()
        self.pipe.send(self.problems)
        await self.hear()
        talk = self.loop.create_task(self.talk())
        await self.hear()
        talk.cancel()
        if self.back:
            await self.until(lambda: not any(m.pending for m in self.members),
                             'everything is acknowledged', 60)
        self.pipe.send(self.heads)
        heads = await self.hear()
        if self.back:
            await self.until(
                lambda: self.live == len(self.members)
                and all(m.last >= heads.get(m.chat, m.last)
                        for m in self.members),
                'all are back and have everything', 60)
        else:
            await self.until(lambda: self.live == 0, 'all are gone', 60)
        self.pipe.send({
            'closes': self.closes, 'outages': self.outages,
            'problems': self.problems, 'errors': self.errors,
            'refused': self.refused, 'lag': self.lag, 'acks': self.acks,
            'cids': self.cids, 'books': dict(self.books),
            'counts': [(m.user, m.chat, m.count) for m in self.members]})
        with contextlib.suppress(EOFError):
            await self.hear()
        self.back = False

    def acked(self, chat, cid, place):
        self.acks[cid] = place
        self.heads[chat] = max(self.heads.get(chat, place), place)
        self.look()


def process(pipe, options):
    """One of the processes: ends with the test, whatever happens."""
    async def run():
        await Part(pipe, options).run()

    with contextlib.suppress(EOFError, BrokenPipeError):
        asyncio.run(run())


class Account:
    """What all of them have seen."""

    def __init__(self, parts):
        self.closes = sorted(c for p in parts for c in p['closes'])
        self.outages = sorted(o for p in parts for o in p['outages'])
        self.problems = [text for p in parts for text in p['problems']]
        self.errors = sum((p['errors'] for p in parts), collections.Counter())
        self.refused = sum((p['refused'] for p in parts),
                           collections.Counter())
        self.lag = max(p['lag'] for p in parts)
        self.cids = [cid for p in parts for cid in p['cids']]
        self.acks = {cid: at for p in parts for cid, at in p['acks'].items()}
        self.counts = [count for p in parts for count in p['counts']]
        self.books = {}
        for part in parts:
            for chat, book in part['books'].items():
                known = self.books.setdefault(chat, {})
                for at, cid in book.items():
                    if known.setdefault(at, cid) != cid:
                        self.problems.append('%s: %s is %s and %s' % (
                            chat, at, cid, known[at]))

    def codes(self):
        return dict(collections.Counter(code for _, code in self.closes))

    def busiest(self):
        """The most Closes in any one second."""
        times = [when for when, _ in self.closes]
        return max((i + 1 - bisect.bisect_left(times, when - 1)
                    for i, when in enumerate(times)), default=0)

    def spread(self, share):
        """Raise if more than this many came in a second.

        A process that stood still for a while sees what came meanwhile at
        once: it is allowed for.
        """
        assert self.busiest() <= share * (1 + self.lag), str(self)

    def back_after(self, begin):
        """Seconds from that moment until the last one was back."""
        return max((when - begin for when, _ in self.outages), default=0)

    def outage(self, share):
        """How long members were away: this share of them not longer."""
        times = sorted(away for _, away in self.outages)
        return times[min(int(len(times) * share), len(times) - 1)]

    def verify(self, codes, complete=True):
        """Raise what is wrong; these are the codes that may come."""
        problems = list(self.problems)
        if not self.closes or not set(self.codes()) <= set(codes):
            problems.append('closed with %s' % self.codes())
        if complete:
            problems += self.incomplete()
        if problems:
            raise AssertionError('%d problems:\n%s' % (
                len(problems), '\n'.join(problems[:20])))

    def incomplete(self):
        stored = {cid: at for book in self.books.values()
                  for at, cid in book.items()}
        if sorted(stored) != sorted(self.cids):
            yield 'not everything that was sent was seen'
        if sum(map(len, self.books.values())) != len(stored):
            yield 'something is stored twice'
        if self.acks != stored:
            yield 'an ack names another position'
        for user, chat, count in self.counts:
            if count != len(self.books.get(chat, ())):
                yield '%s saw %d messages' % (user, count)

    def __str__(self):
        text = '%d messages, closed %s, at most %d a second (lag %.2f s)' % (
            len(self.acks), self.codes(), self.busiest(), self.lag)
        if self.outages:
            text += ', away %.1f s (99 %%: %.1f, longest: %.1f)' % (
                self.outage(0.5), self.outage(0.99), self.outage(1))
        return text + ', handshakes refused %s, errors %s' % (
            dict(self.refused), dict(self.errors))


class Swarm:
    """The processes; `rate` is messages a second of all members together.

    back    False: nobody comes back, as the server ends
    """

    def __init__(self, ng, chats, members, rate, stock=0, back=True):
        self.size = chats * members
        everybody = [('chat-%d' % c, m) for c in range(chats)
                     for m in range(members)]
        context = multiprocessing.get_context('spawn')
        self.pipes, self.processes = [], []
        for n in range(PROCESSES):
            near, far = context.Pipe()
            options = {'address': ('127.0.0.1', ng.port), 'back': back,
                       'members': everybody[n::PROCESSES],
                       'stock': stock and self.size // stock,
                       'rate': rate / PROCESSES}
            one = context.Process(target=process, args=(far, options),
                                  daemon=True)
            one.start()
            far.close()
            self.pipes.append(near)
            self.processes.append(one)

    def __enter__(self):
        problems = [text for part in self.answers() for text in part]
        assert not problems, problems[:20]
        self.tell('talk')
        return self

    def __exit__(self, *exc):
        for pipe in self.pipes:
            pipe.close()
        for one in self.processes:
            one.join(10 * PATIENCE)
            if one.is_alive():
                one.kill()

    def tell(self, word):
        for pipe in self.pipes:
            pipe.send(word)

    def answers(self):
        return [pipe.recv() for pipe in self.pipes]

    def finish(self):
        """No more is sent; when everybody has everything: the account."""
        self.tell('end')
        heads = {}
        for part in self.answers():
            for chat, head in part.items():
                heads[chat] = max(heads.get(chat, head), head)
        self.tell(heads)
        return Account(self.answers())
