"""A reader of server-sent events, as strict as the standard (WHATWG HTML)."""

import collections
import http.client
import json
import socket
import urllib.parse

from .nginx import PATIENCE, TEST_STORE

# before: the last id as this event came
Block = collections.namedtuple('Block', 'event data id before')


class SseError(Exception):
    """The server sent what is no event stream."""


class Parser:
    """Octets in, blocks out; `last_id` and `retry` as a browser keeps them.

    feed() returns the events that were dispatched. What a lenient reader
    would skip, and a server has no reason to send, is an error.
    """

    def __init__(self):
        self.last_id = ''
        self.retry = None
        self.comments = 0
        # events so far, and those before the last id
        self.count, self.id_at = 0, 0
        self._rest = b''
        self._reset()

    def _reset(self):
        self._event, self._id, self._data = None, None, []

    def feed(self, octets):
        blocks = []
        self._rest += octets
        while b'\n' in self._rest:
            line, self._rest = self._rest.split(b'\n', 1)
            block = self._line(line)
            if block:
                blocks.append(block)
        return blocks

    def _line(self, line):
        if b'\r' in line or b'\0' in line:
            raise SseError('a bad octet in %r' % line)
        if line == b'':
            return self._dispatch()
        name, colon, value = line.decode().partition(':')
        if not colon:
            raise SseError('no colon in %r' % line)
        if name == '':
            self.comments += 1
            return None
        if not value.startswith(' '):
            raise SseError('no space in %r' % line)
        self._field(name, value[1:])
        return None

    def _field(self, name, value):
        if name == 'data':
            self._data.append(value)
        elif name == 'event' and self._event is None:
            self._event = value
        elif name == 'id' and self._id is None:
            self._id = value
        elif name == 'retry' and value.isdigit():
            self.retry = int(value)
        else:
            raise SseError('field %r: %r' % (name, value))

    def _dispatch(self):
        event, ident, data = self._event, self._id, self._data
        self._reset()
        before = self.last_id
        self.count += bool(data)
        if ident is not None:
            self.last_id, self.id_at = ident, self.count
        if not data:
            if event is not None:
                raise SseError('an event without data: %r' % event)
            return None
        return Block(event, '\n'.join(data), ident, before)


class Stream:
    """A GET of events on a socket of its own.

    On the test store it is repeated while the answer is `try again`.
    """

    def __init__(self, ng, *chats, **options):
        self._open(ng, *chats, **options)
        while TEST_STORE and self.status == 200 and not self._settle(chats):
            self.close()
            self._open(ng, *chats, **options)

    def _settle(self, chats):
        """All is joined, and nothing of it taken; False: it was closed."""
        seen = []
        joined = set()
        while joined != set(chats):
            octets = self.response.read1(65536)
            assert octets, seen
            for block in self.parser.feed(octets):
                seen.append(block)
                event = json.loads(block.data)
                if event['ev'] == 'joined':
                    joined.add(event['chat_id'])
                if event['ev'] == 'close':
                    assert event['code'] == 1013, event
                    return False
        self.blocks.extend(seen)
        return True

    def _open(self, ng, *chats, user=None, last_id=None, headers=None,
              path='/sse', rcvbuf=None, timeout=10, **args):
        query = [('chat_id', chat) for chat in chats]
        if user is not None:
            query.append(('user', user))
        query += args.items()
        self.port = ng.port
        self.sock = socket.socket()
        if rcvbuf:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        self.sock.settimeout(timeout * PATIENCE)
        self.sock.connect(('127.0.0.1', ng.port))
        self.connection = http.client.HTTPConnection('127.0.0.1', ng.port)
        self.connection.sock = self.sock
        headers = dict(headers or {}, Accept='text/event-stream')
        if last_id is not None:
            headers['Last-Event-ID'] = last_id
        self.connection.request(
            'GET', '%s?%s' % (path, urllib.parse.urlencode(query)), None,
            headers)
        self.response = self.connection.getresponse()
        self.status = self.response.status
        self.headers = self.response.headers
        self.parser = Parser()
        self.blocks = collections.deque()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        self.response.close()
        self.connection.close()
        self.sock.close()

    @property
    def last_id(self):
        """What belongs to the events that were read."""
        return self.blocks[0].before if self.blocks else self.parser.last_id

    def read(self):
        """The next event, checked, as (its JSON, its id); None at the end."""
        while not self.blocks:
            octets = self.response.read1(65536)
            if not octets:
                return None
            self.blocks.extend(self.parser.feed(octets))
        block = self.blocks.popleft()
        event = json.loads(block.data)
        assert event['ev'] == block.event, block
        return event, block.id

    def until(self, ev, **fields):
        """The next event of this name with these fields, and what came
        before it."""
        before = []
        while True:
            got = self.read()
            assert got, 'the stream ended behind %s' % before[-10:]
            event = got[0]
            if event['ev'] == ev and all(
                    key in event and event[key] == value
                    for key, value in fields.items()):
                return event, before
            before.append(event)

    def expect(self, ev, **fields):
        return self.until(ev, **fields)[0]

    def until_id(self, last_id):
        """Read until the last id is another one; the events before that."""
        events = []
        while self.parser.last_id == last_id:
            self.blocks.extend(self.parser.feed(self._octet()))
        while self.blocks:
            events.append(self.read()[0])
        return events

    def id_behind(self):
        """The id behind all that came."""
        while self.parser.id_at < self.parser.count:
            self.blocks.extend(self.parser.feed(self._octet()))
        return self.parser.last_id

    def _octet(self):
        octets = self.response.read1(1)
        assert octets, 'the stream ended'
        return octets

    def messages(self, count, chat_id=None):
        """So many messages; other events are dropped."""
        found = []
        while len(found) < count:
            event = self.expect('message')
            if chat_id is None or event['chat_id'] == chat_id:
                found.append(event)
        return found

    def rest(self):
        """All events up to the end of the stream."""
        events = []
        while True:
            got = self.read()
            if got is None:
                return events
            events.append(got[0])


def post(ng, commands, user='ann', path='/sse', **headers):
    """POST of a command or several: (status, JSON, headers)."""
    body = (commands if isinstance(commands, (bytes, str))
            else json.dumps(commands))
    if isinstance(body, str):
        body = body.encode()
    response = ng.request('%s?user=%s' % (path, user), 'POST', headers, body)
    return response.status, json.loads(response.body), response.headers


def send(ng, chat_id, message, cid, user='ann', tries=60):
    """A message by POST, repeated while the answer is `try again`."""
    command = {'op': 'send', 'chat_id': chat_id, 'cid': cid,
               'message': message, 'retry': True}
    for _ in range(tries):
        status, reply, _ = post(ng, command, user)
        assert status == 200, (status, reply)
        if reply['ev'] == 'ack':
            return reply
        assert reply['temporary'], reply
    raise AssertionError(reply)
