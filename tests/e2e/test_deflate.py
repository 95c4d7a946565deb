"""Compression with a context: one stream of messages for all of a chat.

The client is `websockets`, whose zlib refuses whatever refers to what the
client did not get.
"""

import socket

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.extensions.permessage_deflate import (
    ClientPerMessageDeflateFactory)

from harness.client import Client
from harness.seed import seeded

# who comes and goes is told by compressed events as well
pytestmark = pytest.mark.plain_store

LOCATION = '''
    ws_chat_rate off; ws_chat_deflate_context %d;
    ws_chat_history 10000 1h; ws_chat_presence_grace 0;
'''
TEXT = ('Shall we meet at the coffee place before the review of ticket %d, or '
        'is it too early for the people of the other branch?')


class Counting(ClientConnection):
    """Knows how many octets came."""

    octets = 0

    def data_received(self, data):
        self.octets += len(data)
        super().data_received(data)


async def connect(ng, user, alone=False, **options):
    """A client that takes compressed messages; alone: without a context."""
    return await Client.connect(
        ng, user=user, create_connection=Counting,
        extensions=[ClientPerMessageDeflateFactory(
            server_no_context_takeover=alone)], **options)


async def cost(client, sender, chat, count=30):
    """The octets a message takes on its way to the client."""
    before = client.ws.octets
    for i in range(count):
        await sender.send(chat, TEXT % i)
        event = await client.expect('message', chat_id=chat)
        assert event['message'] == TEXT % i
    return (client.ws.octets - before) / count


@pytest.mark.parametrize('fmt', ['json', 'msgpack'])
async def test_a_context_saves_half(nginx, fmt):
    ng = nginx(workers=1, location=LOCATION % 2)
    a, b, c = [await connect(ng, user, fmt=fmt) for user in ('a', 'b', 'c')]
    d = await connect(ng, 'd', alone=True, fmt=fmt)
    for client in (a, b, c, d):
        await client.join('room')
    with_context = await cost(a, d, 'room')
    by_itself = await cost(d, a, 'room')
    assert with_context < by_itself / 2
    for client in (b, c):
        for i in range(60):
            event = await client.expect('message')
            assert event['message'] == TEXT % (i % 30)


async def test_few_members_have_none(nginx):
    ng = nginx(workers=1, location=LOCATION % 4)
    members = [await connect(ng, 'u%d' % i) for i in range(4)]
    for client in members[:3]:
        await client.join('room')
    few = await cost(members[0], members[1], 'room')
    await members[3].join('room')
    assert await cost(members[0], members[1], 'room') < few / 2
    # it is kept while half of them are there
    await members[3].leave('room')
    await members[2].leave('room')
    assert await cost(members[0], members[1], 'room') < few / 2


async def test_who_is_in_two_chats_has_none(nginx):
    ng = nginx(workers=1, location=LOCATION % 1)
    a, b = await connect(ng, 'a'), await connect(ng, 'b')
    await a.join('one')
    await b.join('one')
    with_context = await cost(a, b, 'one')
    await a.join('two')
    await b.join('two')
    by_itself = await cost(a, b, 'one')
    assert with_context < by_itself / 2
    for chat in ('two', 'one', 'two'):
        await cost(a, b, chat, count=5)
    # with one chat again it stays so; with none before the next it does not
    for client in (a, b):
        await client.leave('one')
        await client.leave('two')
        await client.join('three')
    assert await cost(a, b, 'three') < by_itself / 2


async def test_an_answer_to_who_is_behind(nginx):
    """It comes between messages that refer to each other."""
    rng = seeded('behind')
    ng = nginx(workers=1, location=LOCATION % 1
               + 'ws_chat_lag_limit 64m; ws_chat_max_message 1m;')
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.connect(('127.0.0.1', ng.port))
    a, b = await connect(ng, 'a', max_queue=1, sock=slow), await connect(
        ng, 'b')
    for client in (a, b):
        await client.join('room')
    noise = [rng.randbytes(5000).hex() for _ in range(3)]
    for i in range(200):
        await b.send('room', rng.choice(noise) + str(i))
    assert ng.status()['behind']
    await a.post({'op': 'history', 'id': 'page', 'chat_id': 'room',
                  'limit': 3})
    await b.cmd('ping')
    got = [(await a.expect('message'))['message'] for _ in range(200)]
    assert [text[10000:] for text in got] == [str(i) for i in range(200)]
    assert len((await a.reply('page'))['messages']) == 3


async def test_who_has_sent_keeps_no_memory(nginx):
    """A client's context would be 40 KB for each."""
    ng = nginx(workers=1, location=LOCATION % 0)
    clients = [await connect(ng, 'u%d' % i) for i in range(20)]
    await clients[0].join('room')
    before = ng.status()['memory']
    for client in clients:
        await client.join('room')
    # what all share is among it: 256 KB
    assert ng.status()['memory'] - before < 20 * 20000


class Wanderer:
    """Does whatever a member of chats may do, and notes what it is told."""

    def __init__(self, rng, client):
        self.rng = rng
        self.client = client
        self.chats = set()
        self.told = {}

    async def step(self, chat, number):
        what = self.rng.randrange(10)
        if what == 0 and chat in self.chats:
            self.chats.remove(chat)
            await self.client.leave(chat)
        elif what < 3 and chat not in self.chats:
            self.chats.add(chat)
            await self.client.join(chat, history=self.rng.choice((0, 3, 50)))
        elif what == 3 and chat in self.chats:
            page = await self.client.cmd('history', chat_id=chat, limit=50)
            for event in page['messages']:
                self.note(chat, event)
        elif chat in self.chats:
            await self.client.send(
                chat, TEXT % number * self.rng.choice((1, 2, 30)))

    def note(self, chat, event):
        self.told[chat, event['epoch'], event['seq']] = event['message']

    async def finish(self):
        """Read all there is."""
        await self.client.cmd('ping')
        for event in self.client.events:
            if event['ev'] == 'message':
                self.note(event['chat_id'], event)


@pytest.mark.parametrize('smallest', ['0', '256', '1m'])
async def test_whatever_members_do(nginx, smallest):
    """Everybody can read what it gets, and it is the same for all.

    smallest: of answers that are compressed, in between.
    """
    rng = seeded('deflate', smallest)
    ng = nginx(workers=1, location=LOCATION % 2
               + 'ws_chat_deflate_min_size %s;' % smallest)
    members = [Wanderer(rng, await connect(
        ng, 'u%d' % i, alone=i == 0, fmt=rng.choice(('json', 'msgpack')),
        max_queue=rng.choice((1, None)))) for i in range(6)]
    chats = ['one'] * 6 + ['two']
    for number in range(400):
        await rng.choice(members).step(rng.choice(chats), number)
    said = {}
    for member in members:
        await member.finish()
        for place, message in member.told.items():
            assert said.setdefault(place, message) == message
    assert len(said) > 100
