"""Each row of the protocol's tables, in both encodings, by `websockets`."""

import asyncio
import json

import pytest

from harness import tokens
from harness.client import ChatError, Client
from harness.nginx import PATIENCE, TEST_STORE

pytestmark = pytest.mark.parametrize('fmt', ['json', 'msgpack'])

LONG = 30 * PATIENCE
ROOM = 'a.b_c:d@e-1'


def place(event):
    return {k: event[k] for k in ('epoch', 'seq')}


async def joined(ng, user, fmt, chat=ROOM, **options):
    client = await Client.connect(ng, user=user, fmt=fmt, **options)
    client.joined = await client.settle('join', chat_id=chat, id='j')
    return client


async def whole(client, acks, **fields):
    """Join when all of this has come to the client's worker."""
    while True:
        reply = await client.settle('join', chat_id=ROOM, **fields)
        if reply['head'] == place(acks[-1]):
            return reply
        assert TEST_STORE


async def say(client, message, cid, **fields):
    return await client.settle('send', chat_id=ROOM, cid=cid, retry=True,
                               message=message, **fields)


# commands

@pytest.mark.row('join', 'leave')
async def test_join_and_leave(nginx, fmt):
    ng = nginx(location='ws_chat_rate off;')
    ann = await joined(ng, 'ann', fmt)
    reply = ann.joined
    assert reply['ev'] == 'joined' and reply['id'] == 'j'
    assert {'chat_id', 'epoch', 'head', 'recovered', 'messages', 'more',
            'presence', 'typing', 'signals'} <= set(reply)
    assert set(reply['head']) == {'epoch', 'seq'}
    assert set(reply['presence']) == {'count', 'users'}
    acks = [await say(ann, n, 'c%d' % n) for n in range(4)]
    bob = await Client.connect(ng, user='bob', fmt=fmt)
    reply = await whole(bob, acks, history=2)
    assert [m['message'] for m in reply['messages']] == [2, 3]
    reply = await bob.settle('join', chat_id=ROOM, after=place(acks[0]))
    assert reply['recovered'] is True and reply['more'] is False
    assert [m['message'] for m in reply['messages']] == [1, 2, 3]
    for after, reason in (
            ({'epoch': acks[0]['epoch'] + 1, 'seq': 1}, 'epoch'),
            ({'epoch': acks[0]['epoch'], 'seq': acks[3]['seq'] + 9},
             'ahead')):
        reply = await bob.settle('join', chat_id=ROOM, after=after)
        assert (reply['recovered'], reply['reason']) == (False, reason)
    for _ in range(2):
        reply = await bob.settle('leave', chat_id=ROOM, id=7)
        assert reply == {'ev': 'left', 'id': 7, 'chat_id': ROOM}


async def test_join_by_address(nginx, fmt):
    ng = nginx()
    ann = await Client.connect(ng, user='ann', fmt=fmt,
                               params={'join': 'one,two'})
    if TEST_STORE:
        return
    for chat in 'one', 'two':
        await ann.settle('send', chat_id=chat, cid='1', message=1)
        await ann.expect('message', chat_id=chat)
    assert not [e for e in ann.events if e['ev'] == 'joined']


@pytest.mark.row('send', 'message')
async def test_send(nginx, fmt):
    ng = nginx()
    ann, bob = [await joined(ng, user, fmt) for user in ('ann', 'bob')]
    values = [None, True, 'ä☺', 1.5, -7, [1, [2]], {'a': {'b': 'c'}}]
    for n, value in enumerate(values):
        ack = await say(ann, value, 'c%d' % n, id=n)
        assert ack['ev'] == 'ack' and ack['id'] == n
        assert {'chat_id', 'cid', 'timestamp', 'epoch', 'seq',
                'dup'} <= set(ack)
        for client in ann, bob:
            event = await client.expect('message', cid='c%d' % n)
            assert event['message'] == value and event['sender'] == 'ann'
            assert place(event) == place(ack)
            assert event['timestamp'] == ack['timestamp']
            assert {'chat_id', 'prev'} <= set(event)
    again = await say(ann, values[0], 'c0')
    assert again['dup'] is True and again['seq'] == 1
    await bob.nothing('message')


async def test_octets(nginx, fmt):
    """bin of a msgpack member reaches JSON members as base64."""
    ng = nginx()
    member = await joined(ng, 'ann', fmt)
    sender = await joined(ng, 'bob', 'msgpack')
    await say(sender, b'\0\xff', 'b')
    event = await member.expect('message')
    if fmt == 'json':
        assert (event['message'], event['enc']) == ('AP8=', 'base64')
    else:
        assert event['message'] == b'\0\xff' and 'enc' not in event


@pytest.mark.row('typing', 'signal')
async def test_typing_and_signals(nginx, fmt):
    ng = nginx(location='ws_chat_rate off;')
    ann, bob = [await joined(ng, user, fmt) for user in ('ann', 'bob')]
    for on in True, False:
        assert await ann.settle('typing', chat_id=ROOM, on=on, id='t') == {
            'ev': 'ok', 'id': 't'}
        for client in ann, bob:
            assert await client.expect('typing', LONG, on=on) == {
                'ev': 'typing', 'chat_id': ROOM, 'sender': 'ann', 'on': on}
    data = {'x': [1, None]}
    assert await ann.settle('signal', chat_id=ROOM, name='pos', data=data,
                            keep=True, id=3) == {'ev': 'ok', 'id': 3}
    for client in ann, bob:
        assert await client.expect('signal', LONG) == {
            'ev': 'signal', 'chat_id': ROOM, 'sender': 'ann', 'name': 'pos',
            'data': data}
    eve = await joined(ng, 'eve', fmt)
    assert eve.joined['signals']['pos']['data'] == data


@pytest.mark.row('presence')
async def test_presence(nginx, fmt):
    ng = nginx(location='ws_chat_presence_grace 200ms;')
    ann = await joined(ng, 'ann', fmt)
    bob = await joined(ng, 'bob', fmt)
    while True:
        event = await ann.expect('presence', LONG)
        assert set(event) == {'ev', 'chat_id', 'join', 'leave', 'count'}
        if 'bob' in event['join']:
            break
    page = await ann.settle('presence', chat_id=ROOM, offset=0, limit=1,
                            id='p')
    assert page['ev'] == 'presence_page' and page['id'] == 'p'
    assert page['count'] == 2 and page['more'] is True
    assert set(page['users'][0]) == {'user', 'conns'}
    await bob.close()
    await ann.expect('presence', LONG, leave=['bob'], count=1)


@pytest.mark.row('history')
async def test_history(nginx, fmt):
    ng = nginx(location='ws_chat_rate off;')
    ann = await joined(ng, 'ann', fmt)
    acks = [await say(ann, n, 'c%d' % n) for n in range(6)]

    async def ask(**fields):
        reply = await ann.settle('history', chat_id=ROOM, id='h', **fields)
        assert set(reply) == {'ev', 'id', 'chat_id', 'messages', 'more',
                              'complete_to'}
        return [m['message'] for m in reply['messages']], reply['more']

    assert await ask() == (list(range(6)), False)
    assert await ask(limit=2) == ([4, 5], True)
    assert await ask(before=place(acks[3]), limit=2) == ([1, 2], True)
    assert await ask(after=place(acks[3]), limit=2) == ([4, 5], False)


@pytest.mark.row('edit', 'retract', 'update', 'not_found')
async def test_edit_and_retract(nginx, fmt):
    ng = nginx(location='ws_chat_rate off;')
    ann, bob = [await joined(ng, user, fmt) for user in ('ann', 'bob')]
    at = {'chat_id': ROOM, **place(await say(ann, 'one', 'c1'))}
    for client in ann, bob:     # who gets it later gets it as it is then
        await client.expect('message', LONG)
    ack = await ann.settle('edit', message=['two'], id='e', **at)
    assert ack['ev'] == 'ack' and ack['id'] == 'e' and ack['timestamp']
    assert {**at, **ack} == ack
    for client in ann, bob:
        assert await client.expect('update', LONG) == {
            'ev': 'update', **at, 'message': ['two']}
    ack = await ann.settle('retract', id='r', **at)
    assert ack['ev'] == 'ack' and {**at, **ack} == ack
    for client in ann, bob:
        assert await client.expect('update', LONG) == {
            'ev': 'update', **at, 'retracted': True}
    with pytest.raises(ChatError) as error:
        await ann.settle('retract', **{**at, 'seq': at['seq'] + 9})
    assert error.value.code == 'not_found'
    assert error.value.event['temporary'] is False


@pytest.mark.row('mark')
async def test_marks(nginx, fmt):
    ng = nginx(location='ws_chat_rate off;')
    ann, bob = [await joined(ng, user, fmt) for user in ('ann', 'bob')]
    at = place(await say(ann, 'one', 'c1'))
    await bob.expect('message', cid='c1')
    assert await bob.settle('mark', chat_id=ROOM, delivered=at, id='m') == {
        'ev': 'ok', 'id': 'm'}
    for client in ann, bob:
        assert await client.expect('mark', LONG) == {
            'ev': 'mark', 'chat_id': ROOM, 'sender': 'bob', 'delivered': at,
            'read': None}
    await bob.settle('mark', chat_id=ROOM, read=at)
    await ann.expect('mark', LONG, delivered=at, read=at)
    eve = await joined(ng, 'eve', fmt)
    while eve.joined['marks'] != {'bob': {'delivered': at, 'read': at}}:
        assert TEST_STORE
        eve.joined = await eve.settle('join', chat_id=ROOM)


@pytest.mark.row('refresh', 'ping', '4003')
async def test_refresh_and_ping(nginx, fmt):
    ng = nginx(start=False, location='ws_chat_auth jwt;'
               'ws_chat_jwt_key secret;')
    (ng.dir / 'secret').write_bytes(tokens.SECRET)
    ng.start()

    def token(sub):
        return tokens.mint(tokens.claims(sub))

    ann = await Client.connect(ng, fmt=fmt, headers={
        'Authorization': 'Bearer ' + token('ann')})
    assert ann.welcome['user'] == 'ann'
    assert await ann.cmd('ping', id='p') == {'ev': 'pong', 'id': 'p'}
    assert await ann.cmd('refresh', token=token('ann'), id=1) == {
        'ev': 'ok', 'id': 1}
    with pytest.raises(ChatError) as error:
        await ann.cmd('refresh', token='x.y.z')
    assert error.value.code == 'forbidden'
    with pytest.raises(ChatError):
        await ann.cmd('refresh', token=token('bob'))
    assert (await ann.closed(LONG))[0] == 4003


# events and errors

@pytest.mark.row('welcome')
async def test_welcome(nginx, fmt):
    ng = nginx(location='ws_chat_message_timeout 9s;'
               'ws_chat_max_user_connections 3;')
    ann = await Client.connect(ng, user='ann', fmt=fmt)
    welcome = ann.welcome
    assert (welcome['proto'], welcome['user']) == (1, 'ann')
    assert {'session', 'node', 'ping_ms', 'limits', 'retention',
            'server_time'} <= set(welcome)
    assert {'max_message', 'max_chats', 'rate', 'burst'} <= set(
        welcome['limits'])
    assert welcome['limits']['message_ms'] == 9000
    assert welcome['limits']['max_user_connections'] == 3
    assert set(welcome['retention']) == {'messages', 'seconds'}


@pytest.mark.row('error', 'bad_request', 'unknown_op', 'not_joined',
                 'too_many_chats', 'forbidden', 'rate_limited')
async def test_errors(nginx, fmt):
    """An application's mistakes, and what is safe to try again."""
    ng = nginx(location='ws_chat_max_chats 1; ws_chat_rate 1r/s burst=2;')
    ann = await joined(ng, 'ann', fmt)
    for code, command in [
            ('bad_request', {'op': 'join', 'chat_id': 'a b'}),
            ('bad_request', {'op': 'send', 'chat_id': ROOM, 'cid': 'x'}),
            ('bad_request', {'op': 7}), ('bad_request', {}),
            ('unknown_op', {'op': 'fly'}),
            ('not_joined', {'op': 'history', 'chat_id': 'other'}),
            ('too_many_chats', {'op': 'join', 'chat_id': 'other'}),
            ('forbidden', {'op': 'block', 'user': 'bob'})]:
        await ann.post({**command, 'id': 'e'})
        error = await ann.reply('e')
        assert (error['ev'], error['code']) == ('error', code), error
        assert error['message'] and error['temporary'] is False
        assert 'retry_ms' not in error
    await ann.post([{'op': 'send', 'id': n, 'chat_id': ROOM, 'cid': str(n),
                     'message': n} for n in range(8)])
    error = await ann.expect('error', code='rate_limited')
    assert error['temporary'] is True and error['retry_ms'] > 0
    assert error['chat_id'] == ROOM and error['cid']
    # without an id only errors are answered
    await ann.post([{'op': 'ping'}, {'op': 'fly'}])
    error = await ann.expect('error', code='unknown_op')
    assert 'id' not in error


@pytest.mark.row('1008')
async def test_too_many_mistakes(nginx, fmt):
    ng = nginx()
    ann = await Client.connect(ng, user='ann', fmt=fmt)
    await ann.post([{'op': 'fly'}] * 20)
    assert (await ann.closed(LONG))[0] == 1008
    assert len([e for e in ann.events if e['ev'] == 'error']) == 20


@pytest.mark.row('1003', '1009', '4009')
async def test_closes(nginx, fmt):
    ng = nginx(location='ws_chat_max_message 1000;')
    for data, code in (
            ('x' * 1001 if fmt == 'json' else b'x' * 1001, 1009),
            (b'{}' if fmt == 'json' else '{}', 1003)):
        ann = await Client.connect(ng, user='ann', fmt=fmt)
        await ann.raw(data)
        assert (await ann.closed(LONG))[0] == code
    ann = await Client.connect(ng, user='ann', fmt=fmt)
    while (await asyncio.to_thread(ng.request, '/api/users/ann/disconnect',
                                   'POST')).status != 200:
        assert TEST_STORE
    assert (await ann.closed(LONG))[0] == 4009


@pytest.mark.row('reconnect', '1012')
async def test_stop(nginx, fmt):
    """A reload: `reconnect`, and then the close that it announces."""
    ng = nginx(workers=1, location='ws_chat_drain 200ms;')
    ann = await joined(ng, 'ann', fmt)
    await asyncio.to_thread(ng.reload)
    event = await ann.expect('reconnect', LONG)
    assert 0 <= event['in_ms'] < 1000 and event['reason'] == 'restart'
    assert (await ann.closed(LONG))[0] == 1012


async def test_batch(nginx, fmt):
    """64 commands in one message, each with its reply; no more."""
    ng = nginx()
    ann = await Client.connect(ng, user='ann', fmt=fmt)
    await ann.post([{'op': 'ping', 'id': n} for n in range(64)])
    assert [(await ann.recv())['id'] for _ in range(64)] == list(range(64))
    await ann.post([{'op': 'ping', 'id': n} for n in range(65)])
    assert (await ann.expect('error'))['code'] == 'bad_request'


@pytest.mark.row('message without chat_id')
async def test_notices(nginx, fmt):
    """From servers, of no chat."""
    ng = nginx()
    ann = await Client.connect(ng, user='ann', fmt=fmt)
    for path in 'broadcast', 'users/ann/messages':
        while True:
            response = await asyncio.to_thread(
                ng.request, '/api/' + path, 'POST', {},
                json.dumps({'sender': 'ops', 'message': {'n': 1}}))
            if response.status == 200:
                break
            assert response.status == 503
        assert await ann.expect('message', LONG) == {
            'ev': 'message', 'sender': 'ops', 'message': {'n': 1},
            'timestamp': json.loads(response.body)['timestamp']}
