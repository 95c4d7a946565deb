"""Rules of docs/PROTOCOL.md; what a rule says is its first line."""

import secrets

from websockets.exceptions import ConnectionClosed

from harness.client import ChatError, Client

RULES = []


def rule(function):
    RULES.append(function)
    return function


def same(found, wanted):
    assert found == wanted, '%r is not %r' % (found, wanted)


def has(event, *names):
    missing = [name for name in names if name not in event]
    assert not missing, '%s without %s' % (event, ', '.join(missing))


def position(event):
    return {'epoch': event['epoch'], 'seq': event['seq']}


class Place:
    """Where a rule is tried."""

    def __init__(self, url, token, chat):
        self.url = url
        self.token = token
        self.chat = chat
        self.user = 'conformance'

    async def connect(self, **options):
        options.setdefault('headers', self.token and {
            'Authorization': 'Bearer ' + self.token})
        return await Client.connect(
            self.url, path='', user=None if self.token else self.user,
            **options)

    async def joined(self, **fields):
        client = await self.connect()
        return client, await client.settle('join', chat_id=self.chat,
                                           **fields)

    async def said(self, client, message, cid=None):
        return await client.settle('send', chat_id=self.chat, retry=True,
                                   cid=cid or secrets.token_hex(8),
                                   message=message)

    async def refused(self, client, code, op, **fields):
        try:
            reply = await client.cmd(op, **fields)
        except ChatError as e:
            same(e.code, code)
            has(e.event, 'message', 'temporary')
            return
        raise AssertionError('%s, not %s' % (reply, code))


@rule
async def subprotocol_json(place):
    """chat.v1.json is selected, and welcome comes first"""
    async with await place.connect() as client:
        same(client.ws.subprotocol, 'chat.v1.json')
        has(client.welcome, 'user', 'session', 'node', 'ping_ms', 'limits',
            'retention', 'server_time')
        same(client.welcome['proto'], 1)


@rule
async def subprotocol_msgpack(place):
    """chat.v1.msgpack is selected, with the same maps in binary frames"""
    async with await place.connect(fmt='msgpack') as client:
        same(client.ws.subprotocol, 'chat.v1.msgpack')
        same((await client.cmd('ping'))['ev'], 'pong')


@rule
async def no_subprotocol(place):
    """without a subprotocol it is JSON"""
    async with await place.connect(fmt=None) as client:
        same(client.ws.subprotocol, None)
        same((await client.cmd('ping', id='a'))['id'], 'a')


@rule
async def errors(place):
    """bad commands are answered by errors, and the socket stays"""
    async with await place.connect() as client:
        await place.refused(client, 'unknown_op', 'no such')
        await place.refused(client, 'bad_request', 'join', chat_id='a b')
        await place.refused(client, 'not_joined', 'send', chat_id=place.chat,
                            cid='x', message=1)
        await client.cmd('ping')


@rule
async def arrays(place):
    """an array of commands is answered in order"""
    async with await place.connect() as client:
        await client.post([{'op': 'ping', 'id': n} for n in (1, 2, 3)])
        same([(await client.expect('pong'))['id'] for _ in range(3)],
             [1, 2, 3])


@rule
async def join(place):
    """joined tells the head and what was missed"""
    client, joined = await place.joined(history=10)
    async with client:
        has(joined, 'chat_id', 'epoch', 'head', 'recovered', 'messages',
            'more')
        same(joined['recovered'], True)


@rule
async def ack_and_message(place):
    """ack means stored; every member gets the message, the sender too"""
    (ann, _), (bob, _) = await place.joined(), await place.joined()
    async with ann, bob:
        ack = await place.said(ann, {'text': 'hello'}, 'c-ack')
        has(ack, 'chat_id', 'cid', 'timestamp')
        for client in (ann, bob):
            got = await client.expect('message', chat_id=place.chat,
                                      cid='c-ack')
            has(got, 'epoch', 'seq', 'prev', 'sender', 'timestamp')
            same(got['message'], {'text': 'hello'})
            if 'seq' in ack:
                same(position(got), position(ack))


@rule
async def byte_for_byte(place):
    """a message's text comes as it was sent"""
    client, _ = await place.joined()
    text = '{"b":1.50,"a":[ 1e3,"\\u00e9" ]}'
    async with client:
        await client.raw('{"op":"send","id":1,"chat_id":"%s","cid":"%s",'
                         '"message":%s}' % (place.chat, secrets.token_hex(8),
                                            text))
        got = await client.expect('message', chat_id=place.chat)
        assert text in got.raw, got.raw


@rule
async def order(place):
    """positions rise, and prev leads from each message to the one before"""
    client, _ = await place.joined()
    async with client:
        for n in range(5):
            await place.said(client, n)
        got = await client.collect(5, chat_id=place.chat)
        same([one['message'] for one in got], list(range(5)))
        for before, after in zip(got, got[1:]):
            same(after['prev'], position(before))


@rule
async def repeated_cid(place):
    """a repeated cid is stored once"""
    client, _ = await place.joined()
    async with client:
        cid = secrets.token_hex(8)
        first = await place.said(client, 'once', cid)
        again = await place.said(client, 'once', cid)
        if 'seq' in first:
            same(again['dup'], True)
            same(position(again), position(first))
        await place.said(client, 'behind')
        same([one['message'] for one in await client.collect(
            2, chat_id=place.chat)], ['once', 'behind'])


@rule
async def resume(place):
    """who comes back gets what was missed, and nothing twice"""
    ann, _ = await place.joined()
    async with ann:
        await place.said(ann, 'seen')
        last = position(await ann.expect('message', message='seen'))
        for n in range(3):
            await place.said(ann, n)
        await ann.collect(3, chat_id=place.chat)
        bob, joined = await place.joined(after=last)
        async with bob:
            same(joined['recovered'], True)
            same([one['message'] for one in joined['messages']], [0, 1, 2])


@rule
async def foreign_position(place):
    """a position of another time is not called recovered"""
    client, joined = await place.joined(after={'epoch': 1, 'seq': 1})
    async with client:
        same(joined['recovered'], False)
        has(joined, 'reason')


@rule
async def history(place):
    """history pages backwards, ascending in each page"""
    client, _ = await place.joined()
    async with client:
        newest = await client.settle('history', chat_id=place.chat, limit=2)
        seqs = [one['seq'] for one in newest['messages']]
        same(seqs, sorted(seqs))
        older = await client.settle(
            'history', chat_id=place.chat, limit=2,
            before=position(newest['messages'][0]))
        assert older['messages'][-1]['seq'] < seqs[0]


@rule
async def signal_and_typing(place):
    """signals and typing reach the others and no history"""
    (ann, _), (bob, _) = await place.joined(), await place.joined()
    async with ann, bob:
        await ann.settle('signal', chat_id=place.chat, name='wave', data=1)
        got = await bob.expect('signal', chat_id=place.chat, name='wave')
        same(got['data'], 1)
        await ann.settle('typing', chat_id=place.chat, on=True)
        await ann.settle('typing', chat_id=place.chat, on=False)


@rule
async def leave(place):
    """left ends it; leaving again succeeds"""
    client, _ = await place.joined()
    async with client:
        for _ in range(2):
            same((await client.leave(place.chat))['ev'], 'left')
        await place.refused(client, 'not_joined', 'send', chat_id=place.chat,
                            cid='x', message=1)


@rule
async def wrong_frame(place):
    """a binary frame in JSON closes with 1003"""
    client = await place.connect()
    await client.raw(b'{}')
    try:
        while True:
            await client.recv()
    except ConnectionClosed as e:
        same(e.rcvd and e.rcvd.code, 1003)
