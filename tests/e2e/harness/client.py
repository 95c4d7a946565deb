"""A chat client on the third-party `websockets`, for tests.

    a = await Client.connect(ng, user='ann')
    await a.join('room')
    ack = await a.send('room', {'text': 'hi'})
    event = await a.expect('message', chat_id='room')

Events come back as Event, a dict with the payload they came in as `raw`.
What a call does not want stays in `events`, in order, for later calls.
"""

import asyncio
import collections
import itertools
import json
import socket
import urllib.parse

import msgpack
from websockets.asyncio.client import connect as ws_connect
from websockets.exceptions import ConnectionClosed

from .nginx import PATIENCE

JSON = 'chat.v1.json'
MSGPACK = 'chat.v1.msgpack'
TIMEOUT = 10 * PATIENCE

_open = set()


class ChatError(Exception):
    """An `error` event in answer to a command; `event` has it."""

    def __init__(self, event):
        super().__init__('%s: %s' % (event.get('code'), event.get('message')))
        self.event = event
        self.code = event.get('code')


class Event(dict):
    """One server message."""

    def __init__(self, fields, raw):
        super().__init__(fields)
        self.raw = raw


def keep_cookies(jar, headers):
    """Do what the Set-Cookie lines say; an empty value is a removal."""
    for line in headers.get_all('Set-Cookie'):
        name, _, value = line.partition(';')[0].partition('=')
        jar.pop(name, None)
        if value:
            jar[name] = value


class Client:
    """One connection, also an async context manager."""

    def __init__(self, ws, fmt):
        self.ws = ws
        self.fmt = fmt
        self.events = collections.deque()
        self.ids = itertools.count(1)
        self.cids = itertools.count(1)
        self.welcome = None

    @classmethod
    async def connect(cls, ng, user=None, fmt='json', params=None,
                      path='/chat', deflate=False, subprotocols=None,
                      headers=None, welcome=True, jar=None, **options):
        """Connect to an Nginx, a front or a URL and take the welcome.

        fmt is 'json', 'msgpack' or None (json without a subprotocol);
        jar is a dict of cookies, sent and brought up to date;
        other options go to websockets.connect.
        """
        query = dict(params or {})
        if user is not None:
            query['user'] = user
        url = getattr(ng, 'url', ng) + path
        if query:
            url += '?' + urllib.parse.urlencode(query)
        if subprotocols is None and fmt:
            subprotocols = [JSON if fmt == 'json' else MSGPACK]
        if jar:
            headers = {**(headers or {}), 'Cookie': '; '.join(
                '%s=%s' % one for one in jar.items())}
        options.setdefault('max_size', None)
        # pings are answered also while the test does something else
        options.setdefault('max_queue', None)
        options.setdefault('ping_interval', None)
        options.setdefault('open_timeout', TIMEOUT)
        options.setdefault('close_timeout', TIMEOUT)
        ws = await ws_connect(
            url, subprotocols=subprotocols, additional_headers=headers,
            compression='deflate' if deflate else None, proxy=None, **options)
        if jar is not None:
            keep_cookies(jar, ws.response.headers)
        self = cls(ws, fmt or 'json')
        _open.add(self)
        if welcome:
            self.welcome = await self.expect('welcome')
        return self

    @classmethod
    async def deaf(cls, ng, **options):
        """One that takes nothing from its socket unless it is asked."""
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.connect(('127.0.0.1', ng.port))
        sock.setblocking(False)
        return await cls.connect(ng, sock=sock, max_queue=1, **options)

    async def __aenter__(self):
        return self

    async def __aexit__(self, *exc):
        await self.close()

    # out

    def encode(self, command):
        if self.fmt == 'msgpack':
            return msgpack.packb(command, use_bin_type=True)
        return json.dumps(command, ensure_ascii=False)

    async def post(self, command):
        """Send a command, or a list of them, and wait for nothing."""
        await self.ws.send(self.encode(command))

    async def raw(self, data):
        """Send bytes or text as they are."""
        await self.ws.send(data)

    async def cmd(self, op, timeout=TIMEOUT, **fields):
        """Send a command and return its reply; ChatError for an error."""
        fields.setdefault('id', next(self.ids))
        await self.post({'op': op, **fields})
        reply = await self.reply(fields['id'], timeout)
        if reply['ev'] == 'error':
            raise ChatError(reply)
        return reply

    async def settle(self, op, **fields):
        """Like cmd(), but repeated while the answer is `try again`."""
        while True:
            try:
                reply = await self.cmd(op, **fields)
                if reply.get('reason') != 'unavailable':
                    return reply
            except ChatError as e:
                if not e.event['temporary']:
                    raise
                await asyncio.sleep(e.event['retry_ms'] / 1000 / 20)

    async def reply(self, ident, timeout=TIMEOUT):
        """The event that carries this id."""
        return await self.take(lambda e: e.get('id') == ident, timeout,
                               'a reply to %r' % (ident,))

    async def join(self, chat_id, **fields):
        return await self.cmd('join', chat_id=chat_id, **fields)

    async def leave(self, chat_id):
        return await self.cmd('leave', chat_id=chat_id)

    async def send(self, chat_id, message, cid=None, **fields):
        """Send a message; the ack."""
        if cid is None:
            cid = 'c%d' % next(self.cids)
        return await self.cmd('send', chat_id=chat_id, cid=cid,
                              message=message, **fields)

    # in

    async def recv(self, timeout=TIMEOUT):
        """The next event, whatever it is."""
        if self.events:
            return self.events.popleft()
        return await self._read(timeout)

    async def take(self, wanted, timeout=TIMEOUT, what='an event'):
        """The first event that wanted(event) is true for."""
        for event in self.events:
            if wanted(event):
                self.events.remove(event)
                return event
        end = asyncio.get_running_loop().time() + timeout
        while True:
            left = end - asyncio.get_running_loop().time()
            try:
                event = await self._read(left)
            except asyncio.TimeoutError:
                raise AssertionError(
                    'no %s within %s s; came: %s' % (
                        what, timeout, list(self.events)[-10:])) from None
            if wanted(event):
                return event
            self.events.append(event)

    async def expect(self, ev, timeout=TIMEOUT, **fields):
        """The next event of this name whose fields are these."""
        return await self.take(
            lambda e: e['ev'] == ev and all(
                k in e and e[k] == v for k, v in fields.items()),
            timeout, '%s %s' % (ev, fields))

    async def collect(self, count, ev='message', timeout=TIMEOUT, **fields):
        """So many events of one name, in order; `timeout` for each."""
        return [await self.expect(ev, timeout, **fields)
                for _ in range(count)]

    def forget(self, chat_id):
        """Drop the messages of a chat that came and were not wanted."""
        self.events = collections.deque(
            e for e in self.events
            if e['ev'] not in ('message', 'gap') or e['chat_id'] != chat_id)

    async def nothing(self, ev=None, chat_id=None):
        """Assert that no such event came; a ping settles what is due.

        Without a name: none but those of who comes and goes.
        """
        await self.cmd('ping')
        left = [e for e in self.events
                if (e['ev'] != 'presence' if ev is None else e['ev'] == ev)
                and (chat_id is None or e.get('chat_id') == chat_id)]
        assert not left, left

    async def _read(self, timeout):
        raw = await asyncio.wait_for(self.ws.recv(), max(timeout, 0))
        if self.fmt == 'msgpack':
            assert isinstance(raw, bytes), raw
            return Event(msgpack.unpackb(raw, raw=False), raw)
        assert isinstance(raw, str), raw
        return Event(json.loads(raw), raw)

    # end

    async def close(self, code=1000, reason=''):
        _open.discard(self)
        await self.ws.close(code, reason)

    async def abort(self):
        """Drop the connection without a close frame."""
        _open.discard(self)
        self.ws.transport.abort()
        await self.ws.wait_closed()

    async def closed(self, timeout=TIMEOUT):
        """Wait for the server's close: (code, reason)."""
        try:
            while True:
                self.events.append(await self._read(timeout))
        except ConnectionClosed:
            _open.discard(self)
            return self.ws.close_code, self.ws.close_reason


async def close_all():
    """End what the test left open."""
    clients = list(_open)
    _open.clear()
    await asyncio.gather(*(c.close() for c in clients),
                         return_exceptions=True)
