"""A member of chats that comes back, as the SDK does.

    ann = await Member.start(ng, 'ann', ['room'])
    position = await ann.send('room', 'c1', {'text': 'hi'})
    await ann.until(lambda: 'c1' in ann.cids('room'))

It notes every message once as it comes, and fails at once on one that comes
twice, out of order, or behind a hole that nobody told about.
"""

import asyncio
import collections
import contextlib
import itertools
import os
import pathlib

from websockets.exceptions import ConnectionClosed, WebSocketException

from .client import Client, TIMEOUT

PAUSE = 0.05

_members = set()


def position(event):
    return event['epoch'], event['seq']


def workers_of(ng, clients):
    """For each of these Clients the pid of the worker that holds it."""
    here = '0100007F:%04X' % ng.port
    links, workers = {}, {}
    for line in pathlib.Path('/proc/net/tcp').read_text().splitlines():
        fields = line.split()
        if fields[1] == here:
            links['socket:[%s]' % fields[9]] = int(fields[2][9:], 16)
    for pid, _ in ng.children():
        with contextlib.suppress(OSError):
            for fd in pathlib.Path('/proc/%d/fd' % pid).iterdir():
                with contextlib.suppress(OSError):
                    workers[links.get(os.readlink(fd))] = pid
    found = []
    for client in clients:
        port = client.ws.transport.get_extra_info('sockname')[1]
        assert port in workers, 'no worker has port %d' % port
        found.append(workers[port])
    return found


def worker_of(ng, client):
    """The pid of the worker that holds this Client's connection."""
    return workers_of(ng, [client])[0]


async def connect_to(ng, worker, **options):
    """A Client on this worker, or on any for None."""
    while True:
        client = await Client.connect(ng, **options)
        if worker is None or worker_of(ng, client) == worker:
            return client
        await client.close()


class Member:
    """Connected to the end of the test, or to stop()."""

    pause = PAUSE

    def __init__(self, ng, user, chats, options):
        self.ng = ng
        self.user = user
        self.chats = chats
        self.options = options
        self.client = None
        self.messages = collections.defaultdict(list)
        self.last = {}
        self.gaps = []
        self.returns = 0
        self.ids = itertools.count(1)
        self.replies = {}
        self.changed = asyncio.Event()
        self.problem = None
        self.told = False
        self.task = None

    @classmethod
    async def start(cls, ng, user, chats, worker=None, **options):
        """Join the chats; on this worker, if one is named."""
        self = cls(ng, user, chats, options)
        await self.connect(worker)
        await self.begin()
        return self

    async def begin(self):
        """Connected: join, and take what comes from now on."""
        await self.join()
        self.task = asyncio.create_task(self.run())
        _members.add(self)

    async def stop(self):
        _members.discard(self)
        while not self.task.done():
            # wait_for() may swallow it when something comes just then
            self.task.cancel()
            await asyncio.wait([self.task], timeout=1)
        await self.client.close()
        self.complain()

    def complain(self):
        """Raise what went wrong, once."""
        if self.problem and not self.told:
            self.told = True
            raise AssertionError('%s: %r' % (self.user, self.problem)) \
                from self.problem

    async def connect(self, worker=None):
        self.client = await connect_to(self.ng, worker, user=self.user,
                                       **self.options)

    @property
    def worker(self):
        return worker_of(self.ng, self.client)

    async def join(self):
        """Join, or resume, everything."""
        for chat in self.chats:
            while True:
                ident = 'j%d' % next(self.ids)
                command = {'op': 'join', 'id': ident, 'chat_id': chat}
                if chat in self.last:
                    epoch, seq = self.last[chat]
                    command['after'] = {'epoch': epoch, 'seq': seq}
                await self.client.post(command)
                reply = await self.client.reply(ident)
                if reply.get('reason') == 'unavailable':
                    # joined, but without what was missed; ask again from
                    # the start, so that nothing comes by both ways
                    await self.client.cmd('leave', chat_id=chat, id=ident)
                    self.client.forget(chat)
                    await asyncio.sleep(self.pause)
                    continue
                if reply['ev'] == 'joined':
                    break
                assert reply['temporary'], reply
                await asyncio.sleep(self.pause)
            if chat in self.last and not reply['recovered']:
                self.not_recovered(chat, reply)
            assert chat in self.last or not reply['more'], reply
            self.last.setdefault(chat, position(reply['head']))
            for event in reply['messages']:
                self.note(chat, event)
            if reply['more']:
                await self.catch_up(chat, position(reply['head']))
        for event in list(self.client.events):
            self.client.events.remove(event)
            self.take(event)

    async def catch_up(self, chat, head):
        """Page on to the head that a resume told; live events wait."""
        while self.last[chat] < head:
            epoch, seq = self.last[chat]
            page = await self.client.settle(
                'history', chat_id=chat, limit=500,
                after={'epoch': epoch, 'seq': seq})
            for event in page['messages']:
                if position(event) <= head:
                    self.note(chat, event)
            if not page['messages']:
                await asyncio.sleep(self.pause)

    def not_recovered(self, chat, reply):
        raise AssertionError((self.user, reply, self.last[chat]))

    async def run(self):
        """Take what comes; when the connection ends, come back."""
        try:
            while True:
                try:
                    self.take(await self.client.recv(timeout=3600))
                except ConnectionClosed:
                    await self.come_back()
        except Exception as e:
            self.problem = e
            self.changed.set()

    async def come_back(self):
        self.returns += 1
        while True:
            await self.client.close()
            for future in self.replies.values():
                if not future.done():
                    future.set_result(None)
            try:
                await self.connect()
                await self.join()
                return
            except (OSError, WebSocketException, asyncio.TimeoutError):
                await asyncio.sleep(self.pause)

    def take(self, event):
        if event['ev'] == 'message':
            self.note(event['chat_id'], event)
        elif event['ev'] == 'gap':
            self.gaps.append(event)
            epoch, seq = position(event['before'])
            self.last[event['chat_id']] = epoch, seq - 1
        elif event.get('id') in self.replies:
            future = self.replies[event['id']]
            if not future.done():
                future.set_result(event)

    def note(self, chat, event):
        last = self.last[chat]
        assert position(event) > last, (self.user, 'again', event, last)
        if event['prev'] is not None:
            prev = position(event['prev'])
            assert prev <= last, (self.user, 'a hole', event, last)
        self.last[chat] = position(event)
        self.messages[chat].append(event)
        self.changed.set()

    def cids(self, chat):
        return [event['cid'] for event in self.messages[chat]]

    def positions(self, chat):
        return [position(event) for event in self.messages[chat]]

    async def until(self, condition, timeout=TIMEOUT):
        """Wait until what has come makes condition() true."""
        async def wait():
            while not condition():
                self.complain()
                self.changed.clear()
                await self.changed.wait()

        try:
            await asyncio.wait_for(wait(), timeout)
        except asyncio.TimeoutError:
            raise AssertionError('%s waits in vain; came: %s' % (
                self.user, {chat: self.cids(chat)[-10:]
                            for chat in self.chats})) from None

    async def ask(self, op, **fields):
        """The reply to a command; None if the connection was lost."""
        ident = next(self.ids)
        reply = asyncio.get_running_loop().create_future()
        self.replies[ident] = reply
        try:
            await self.client.post({'op': op, 'id': ident, **fields})
            return await reply
        except ConnectionClosed:
            return None
        finally:
            del self.replies[ident]

    async def cmd(self, op, timeout=TIMEOUT, **fields):
        """Ask until there is an answer that is no temporary error."""
        async def attempts():
            while not self.problem:
                reply = await self.ask(op, **fields)
                if reply and reply['ev'] != 'error':
                    return reply
                if reply:
                    # whoever just came back may not have joined yet
                    assert (reply['temporary']
                            or reply['code'] == 'not_joined'), reply
                if op == 'send':
                    fields['retry'] = True
                await asyncio.sleep(PAUSE)
            self.complain()
            raise AssertionError('%s ended' % self.user)

        return await asyncio.wait_for(attempts(), timeout)

    async def send(self, chat, cid, message, timeout=TIMEOUT):
        """Send until it is acknowledged, always with this cid: the ack."""
        return await self.cmd('send', timeout, chat_id=chat, cid=cid,
                              message=message)


async def stop_all():
    """End all members; the first thing that went wrong is raised."""
    results = await asyncio.gather(*(m.stop() for m in list(_members)),
                                   return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result
