"""Kicked from a chat, blocked, disconnected: at once, everywhere, for good."""

import asyncio
import json
import time

import msgpack
import pytest

from harness import tokens
from harness.client import ChatError, Client
from harness.member import connect_to
from harness.nginx import PATIENCE, TEST_STORE, wait_for
from harness.sse import Stream, post, send

# what comes is looked at message by message
NGINX_HTTP = 'ws_chat_presence off;'

FREE = 'ws_chat_rate off;'
LONG = 30 * PATIENCE
ROOM = 'room'


def zone(port):
    return ('ws_chat_zone chat:1m; ws_chat_redis chat redis://127.0.0.1:%d;'
            % port)


async def call(ng, path, body=None, status=200):
    """POST, repeated while the answer is `try again`."""
    for _ in range(60):
        response = await asyncio.to_thread(
            ng.request, '/api/' + path, 'POST',
            {}, json.dumps(body) if body is not None else None)
        if response.status != 503:
            break
        assert response.headers['Retry-After']
    assert response.status == status, response
    return json.loads(response.body)


async def joined(ng, user, *chats, worker=None, **options):
    client = await connect_to(ng, worker, user=user, **options)
    for chat in chats:
        await client.settle('join', chat_id=chat)
    return client


async def refused(client, op, code='forbidden', **fields):
    with pytest.raises(ChatError) as error:
        await client.settle(op, **fields)
    assert error.value.code == code
    return error.value.event


async def allowed(client, chat=ROOM):
    """Join as soon as it is not forbidden any more."""
    for _ in range(15):
        try:
            return await client.settle('join', chat_id=chat)
        except ChatError as e:
            assert e.code == 'forbidden'
            await asyncio.sleep(1)
    raise AssertionError('still forbidden')


def place(event):
    return {k: event[k] for k in ('epoch', 'seq')}


@pytest.mark.row('kick', 'kicked')
@pytest.mark.parametrize('fmt', ['json', 'msgpack'])
async def test_kick(nginx, fmt):
    """All of a user's sockets leave that chat, on every worker."""
    ng = nginx(location=FREE)
    w1, w2 = ng.worker_pids()
    ann = await joined(ng, 'ann', ROOM, 'other')
    bobs = [await joined(ng, 'bob', ROOM, 'other', worker=w, fmt=fmt)
            for w in (w1, w2, w1)]
    first = await ann.settle('send', chat_id=ROOM, cid='1', message=1)
    for bob in bobs:
        await bob.expect('message', cid='1')
    answer = await call(ng, 'chats/room/kick', {'user': 'bob', 'seconds': 60})
    assert set(answer) == {'timestamp'}
    for bob in bobs:
        assert await bob.expect('kicked', LONG) == {
            'ev': 'kicked', 'chat_id': ROOM, 'reason': 'kicked'}
    await ann.settle('send', chat_id=ROOM, cid='2', message=2)
    await ann.settle('send', chat_id='other', cid='3', message=3)
    await ann.expect('message', cid='2')
    for bob in bobs:
        await bob.expect('message', cid='3')
        await bob.nothing('message', ROOM)
        await refused(bob, 'join', chat_id=ROOM, after=place(first))
        await refused(bob, 'send', 'not_joined', chat_id=ROOM, cid='4',
                      message=4)
        await bob.settle('send', chat_id='other', cid='5', message=5)
    # a new socket changes nothing, on whatever worker
    for worker in (w1, w2):
        back = await joined(ng, 'bob', 'other', worker=worker)
        await refused(back, 'join', chat_id=ROOM)
    # nobody else is meant
    await joined(ng, 'bobby', ROOM)
    await ann.nothing('kicked')
    # taken back
    await call(ng, 'chats/room/kick', {'user': 'bob', 'seconds': 0})
    for bob in bobs:
        reply = await bob.settle('join', chat_id=ROOM, after=place(first))
        assert [e['cid'] for e in reply['messages']] == ['2']


async def test_kick_ends_by_itself(nginx):
    ng = nginx(location=FREE)
    bob = await joined(ng, 'bob', ROOM)
    await call(ng, 'chats/room/kick', {'user': 'bob', 'seconds': 3})
    await bob.expect('kicked', LONG)
    await allowed(bob)


async def test_kick_of_who_is_not_there(nginx):
    """It holds for later, too."""
    ng = nginx(location=FREE)
    await call(ng, 'chats/room/kick', {'user': 'bob'})
    bob = await joined(ng, 'bob', 'other')
    await refused(bob, 'join', chat_id=ROOM)
    await call(ng, 'chats/room/kick', {'user': 'bob', 'seconds': 0})
    await call(ng, 'chats/room/kick', {'user': 'nobody', 'seconds': 0})
    await bob.settle('join', chat_id=ROOM)


async def test_kick_in_the_middle(nginx):
    """Of who joins, sends, asks and leaves just then."""
    ng = nginx(location=FREE)
    ann = await joined(ng, 'ann', ROOM)
    for n in range(10):
        bob = await joined(ng, 'bob', 'other', fmt='msgpack')
        await bob.post([
            {'op': 'join', 'id': 'j', 'chat_id': ROOM},
            {'op': 'send', 'id': 's', 'chat_id': ROOM, 'cid': 'b%d' % n,
             'message': n},
            {'op': 'join', 'id': 'k', 'chat_id': ROOM, 'history': 5},
            {'op': 'history', 'id': 'h', 'chat_id': ROOM},
            {'op': 'leave', 'id': 'l', 'chat_id': ROOM},
            {'op': 'join', 'id': 'm', 'chat_id': ROOM}])
        await call(ng, 'chats/room/kick', {'user': 'bob', 'seconds': 60})
        for ident in 'jskhlm':
            await bob.reply(ident, LONG)
        # what it told last: it is out
        await refused(bob, 'join', chat_id=ROOM)
        await ann.settle('send', chat_id=ROOM, cid='a%d' % n, message=n)
        await ann.expect('message', cid='a%d' % n)
        await bob.nothing('message', ROOM) if not [
            e for e in bob.events if e.get('cid') == 'b%d' % n] else None
        assert not [e for e in bob.events if e.get('cid') == 'a%d' % n]
        await call(ng, 'chats/room/kick', {'user': 'bob', 'seconds': 0})
        await bob.close()


async def test_kick_of_streams(nginx):
    """A stream of several chats goes on without it; of one, it ends."""
    ng = nginx(location=FREE)
    ann = await joined(ng, 'ann', ROOM, 'other')
    with Stream(ng, ROOM, user='bob', timeout=LONG) as one, \
            Stream(ng, ROOM, 'other', user='bob', timeout=LONG) as two:
        one.expect('joined')
        two.until_id('')
        await call(ng, 'chats/room/kick', {'user': 'bob', 'seconds': 60})
        assert one.expect('kicked')['chat_id'] == ROOM
        assert one.rest()[-1]['code'] == 4003
        assert two.expect('kicked')['chat_id'] == ROOM
        await ann.settle('send', chat_id=ROOM, cid='1', message=1)
        await ann.settle('send', chat_id='other', cid='2', message=2)
        event, before = two.until('message')
        assert event['cid'] == '2' and not before
    with Stream(ng, ROOM, user='bob', timeout=LONG) if not TEST_STORE \
            else Stream(ng, 'x', user='x') as back:
        if not TEST_STORE:
            assert back.expect('error')['code'] == 'forbidden'
            assert back.rest()[-1]['code'] == 4003
    # nor by POST
    for command in ({'op': 'send', 'cid': 'x', 'message': 1},
                    {'op': 'history'},
                    {'op': 'signal', 'name': 'x', 'data': 1}):
        status, reply, _ = await asyncio.to_thread(
            post, ng, {**command, 'chat_id': ROOM}, 'bob')
        assert (status, reply.get('code')) == (200, 'forbidden')
    await asyncio.to_thread(send, ng, 'other', 1, 'post', 'bob')


@pytest.mark.parametrize('chats', [
    (ROOM,), (ROOM, 'other'), ('other', ROOM)], ids=' '.join)
@pytest.mark.plain_store
async def test_kick_while_the_stream_is_away(nginx, chats):
    """Who comes back to it is told, as if it had been there."""
    ng = nginx(location=FREE)
    with Stream(ng, *chats, user='bob', timeout=LONG) as stream:
        stream.expect('joined')
        await asyncio.to_thread(send, ng, ROOM, 1, '1')
        stream.until('message')
        last = stream.id_behind()
    await call(ng, 'chats/room/kick', {'user': 'bob', 'seconds': 60})
    with Stream(ng, *chats, user='bob', timeout=LONG, last_id=last) as stream:
        event, before = stream.until('kicked')
        assert event['chat_id'] == ROOM
        if len(chats) > 1:
            assert before[0]['ev'] == 'welcome'
            await asyncio.to_thread(send, ng, 'other', 2, '2')
            stream.until('message')
        else:
            assert stream.rest()[-1]['code'] == 4003


# blocked

@pytest.mark.row('4003')
@pytest.mark.parametrize('fmt', ['json', 'msgpack'])
async def test_block(nginx, fmt):
    ng = nginx(location=FREE)
    w1, w2 = ng.worker_pids()
    ann = await joined(ng, 'ann', ROOM)
    bobs = [await joined(ng, 'b/b', ROOM, worker=w, fmt=fmt)
            for w in (w1, w2)]
    with Stream(ng, ROOM, user='b/b', timeout=LONG) as stream:
        stream.expect('joined')
        assert set(await call(ng, 'users/b%2Fb/block', {'seconds': 60})) == {
            'timestamp'}
        for bob in bobs:
            assert (await bob.closed(LONG))[0] == 4003
        assert stream.rest()[-1]['code'] == 4003
    for _ in range(6):
        back = await Client.connect(ng, user='b/b', fmt=fmt, welcome=False,
                                    params={'join': ROOM})
        assert (await back.closed(LONG))[0] == 4003
        assert not back.events
    with Stream(ng, user='b/b', chat_id=ROOM, timeout=LONG) as stream:
        assert stream.rest()[-1]['code'] == 4003
    status, reply, _ = await asyncio.to_thread(
        post, ng, {'op': 'send', 'chat_id': ROOM, 'cid': '1', 'message': 1},
        'b%2Fb')
    assert (status, reply['code']) == (200, 'forbidden')
    await ann.nothing('message')
    await ann.cmd('ping')
    await call(ng, 'users/b%2Fb/unblock')
    await joined(ng, 'b/b', ROOM)
    # until it is taken back, and by its own way
    await call(ng, 'users/b%2Fb/block')
    back = await Client.connect(ng, user='b/b', welcome=False)
    assert (await back.closed(LONG))[0] == 4003
    await call(ng, 'users/b%2Fb/block', {'seconds': 0})
    await joined(ng, 'b/b', ROOM)


@pytest.mark.parametrize('path,body', [
    ('chats/room/kick', None), ('chats/room/kick', {}),
    ('chats/room/kick', {'user': 1}), ('chats/room/kick', {'user': ''}),
    ('chats/room/kick', {'user': 'x' * 129}),
    ('chats/a%20b/kick', {'user': 'bob'}),
    ('chats/room/kick', {'user': 'bob', 'seconds': -1}),
    ('chats/room/kick', {'user': 'bob', 'seconds': 1.5}),
    ('chats/room/kick', {'user': 'bob', 'seconds': '1'}),
    ('chats/room/kick', {'user': 'bob', 'seconds': None}),
    ('chats/room/kick', {'user': 'bob', 'seconds': 315360001}),
    ('chats/room/kick', [1]),
    ('users/bob/block', {'seconds': True}), ('users/bob/block', [1]),
    ('users/%07/block', None), ('users/%07/unblock', None),
    ('users/%07/disconnect', None)])
@pytest.mark.plain_store
async def test_bad_calls(nginx, path, body):
    ng = nginx(workers=1)
    answer = await call(ng, path, body, 400)
    assert answer['code'] == 'bad_request' and answer['message']


# by commands

AUTH = FREE + 'ws_chat_auth jwt; ws_chat_jwt_key %s/secret;'


async def bearer(ng, sub, *chats, fmt='json', **claims):
    token = tokens.mint(tokens.claims(sub, **claims))
    client = await Client.connect(ng, fmt=fmt, headers={
        'Authorization': 'Bearer ' + token})
    for chat in chats:
        await client.settle('join', chat_id=chat)
    return client


@pytest.mark.row('kick', 'block')
@pytest.mark.parametrize('fmt', ['json', 'msgpack'])
async def test_commands_of_moderators(nginx, fmt):
    ng = nginx(start=False)
    tokens.write_keys(ng.dir)
    for path in ng.dir.iterdir():
        path.chmod(0o644)
    ng.replace_conf('ws_chat zone=chat;', 'ws_chat zone=chat;'
                    + AUTH % ng.dir)
    ng.start()
    mod = await bearer(ng, 'mod', ROOM, fmt=fmt, moderate=True)
    ann = await bearer(ng, 'ann', ROOM, 'other', fmt=fmt)
    bob = await bearer(ng, 'bob', ROOM, fmt=fmt)
    for op in ({'op': 'kick', 'chat_id': ROOM}, {'op': 'block'}):
        await refused(bob, **op, user='ann')
    assert await mod.settle('kick', chat_id=ROOM, user='ann', id='k') == {
        'ev': 'ok', 'id': 'k'}
    await ann.expect('kicked', LONG, chat_id=ROOM)
    await refused(ann, 'join', chat_id=ROOM)
    # of a chat that the moderator is not in
    await mod.settle('kick', chat_id='other', user='ann', seconds=30)
    await ann.expect('kicked', LONG, chat_id='other')
    await mod.settle('kick', chat_id=ROOM, user='ann', seconds=0)
    await ann.settle('join', chat_id=ROOM)
    await mod.settle('block', user='ann', seconds=3600)
    assert (await ann.closed(LONG))[0] == 4003
    await mod.settle('block', user='ann', seconds=0)
    await bearer(ng, 'ann', ROOM)
    for bad in ({'user': 1}, {'user': ''}, {}, {'user': 'x' * 129},
                {'user': 'ann', 'seconds': -1},
                {'user': 'ann', 'seconds': 'x'},
                {'user': 'ann', 'seconds': 315360001}):
        await refused(mod, 'block', 'bad_request', **bad)
    await refused(mod, 'kick', 'bad_request', user='ann')


async def test_nobody_moderates_without_a_token(nginx):
    ng = nginx(location=FREE)
    ann = await joined(ng, 'ann', ROOM)
    bob = await joined(ng, 'bob', ROOM)
    await refused(ann, 'kick', chat_id=ROOM, user='bob')
    await refused(ann, 'block', user='bob')
    await bob.nothing('kicked')


# what happens meanwhile

async def test_a_killed_worker_knows_it_again(nginx):
    ng = nginx(location=FREE)
    await call(ng, 'chats/room/kick', {'user': 'bob', 'seconds': 600})
    await call(ng, 'users/eve/block', {'seconds': 600})
    for pid in ng.worker_pids():
        await asyncio.to_thread(ng.kill_worker, pid)
    for worker in ng.worker_pids():
        bob = await joined(ng, 'bob', 'other', worker=worker)
        await refused(bob, 'join', chat_id=ROOM)
        await bob.close()
    await asyncio.to_thread(ng.reload)
    for worker in ng.worker_pids():
        bob = await joined(ng, 'bob', 'other', worker=worker)
        await refused(bob, 'join', chat_id=ROOM)
        eve = await Client.connect(ng, user='eve', welcome=False)
        assert (await eve.closed(LONG))[0] == 4003


@pytest.mark.plain_store
async def test_two_nodes(nginx, redis):
    nodes = [nginx(zone=zone(redis.port), location=FREE) for _ in range(2)]
    bobs = [await joined(ng, 'bob', ROOM, 'other') for ng in nodes]
    eve = await joined(nodes[1], 'eve', ROOM)
    await call(nodes[0], 'chats/room/kick', {'user': 'bob', 'seconds': 600})
    for bob in bobs:
        await bob.expect('kicked', LONG)
        await refused(bob, 'join', chat_id=ROOM)
    await call(nodes[0], 'users/eve/block', {'seconds': 600})
    assert (await eve.closed(LONG))[0] == 4003
    # a worker that is killed, and a node that comes later
    await asyncio.to_thread(nodes[1].kill_worker, nodes[1].worker_pids()[0])
    nodes.append(nginx(zone=zone(redis.port), location=FREE))
    for ng in nodes:
        for worker in ng.worker_pids():
            bob = await joined(ng, 'bob', 'other', worker=worker)
            await refused(bob, 'join', chat_id=ROOM)
            await bob.close()
        # who comes before it is known is closed when it is
        eve = await Client.connect(ng, user='eve', welcome=False)
        assert (await eve.closed(LONG))[0] == 4003


@pytest.mark.plain_store
async def test_a_node_that_was_cut_off(nginx, redis, proxy):
    """It learns of all that was told meanwhile, and of what was taken back."""
    here = nginx(workers=1, zone=zone(redis.port), location=FREE)
    there = nginx(zone=zone(proxy.port), location=FREE)
    users = 'bob', 'eve', 'max', 'ann'
    await call(here, 'chats/room/kick', {'user': 'joe', 'seconds': 600})
    members = {user: await joined(there, user, ROOM, 'other')
               for user in users}
    joe = await joined(there, 'joe', 'other')
    await refused(joe, 'join', chat_id=ROOM)
    proxy.closed = True
    proxy.cut()
    await call(here, 'chats/room/kick', {'user': 'bob', 'seconds': 600})
    await call(here, 'users/eve/block', {'seconds': 600})
    await call(here, 'users/max/disconnect')
    await call(here, 'chats/room/kick', {'user': 'joe', 'seconds': 0})
    for member in members.values():
        assert (await member.expect('status', LONG))['state'] == 'stale'
    proxy.closed = False
    await members['bob'].expect('kicked', LONG, chat_id=ROOM)
    assert (await members['eve'].closed(LONG))[0] == 4003
    assert (await members['max'].closed(LONG))[0] == 4009
    await refused(members['bob'], 'join', chat_id=ROOM)
    # who came back of its own accord is not disconnected again
    back = await joined(there, 'max', ROOM)
    await allowed(joe)
    ann = members['ann']
    await ann.settle('send', chat_id=ROOM, cid='1', message=1)
    for member in back, joe:
        await member.expect('message', LONG, cid='1')
    await members['bob'].nothing('message', ROOM)


@pytest.mark.plain_store
async def test_what_cannot_be_told_is_not_done(nginx, redis, proxy):
    ng = nginx(workers=1, zone=zone(proxy.port), location=FREE)
    bob = await joined(ng, 'bob', ROOM)
    proxy.closed = True
    proxy.cut()
    await bob.expect('status', LONG, state='stale')
    response = await asyncio.to_thread(
        ng.request, '/api/chats/room/kick', 'POST', {}, '{"user":"bob"}')
    assert response.status == 503 and response.headers['Retry-After']
    proxy.closed = False
    await bob.expect('status', LONG, state='live')
    await call(ng, 'chats/room/kick', {'user': 'bob'})
    await bob.expect('kicked', LONG)


@pytest.mark.plain_store
async def test_what_redis_does_not_keep_is_not_done(nginx, redis):
    """Its memory is full: nobody is kicked for as long as a worker lives."""
    ng = nginx(zone=zone(redis.port), location=FREE)
    bobs = [await joined(ng, 'bob', ROOM, worker=w) for w in ng.worker_pids()]
    redis.cli('config', 'set', 'maxmemory', '1')
    for path, body in (('chats/room/kick', '{"user":"bob"}'),
                       ('users/bob/block', None)):
        response = await asyncio.to_thread(
            ng.request, '/api/' + path, 'POST', {}, body)
        assert response.status == 503 and response.headers['Retry-After']
        assert json.loads(response.body)['code'] == 'unavailable'
    for bob in bobs:
        await bob.nothing('kicked')
        await bob.cmd('join', chat_id=ROOM)
    # taking back what there is takes no memory
    redis.cli('config', 'set', 'maxmemory', '0')
    await call(ng, 'chats/room/kick', {'user': 'bob'})
    for bob in bobs:
        await bob.expect('kicked', LONG)
    redis.cli('config', 'set', 'maxmemory', '1')
    await call(ng, 'chats/room/kick', {'user': 'bob', 'seconds': 0})
    for bob in bobs:
        await allowed(bob)


@pytest.mark.plain_store
async def test_bad_news_are_dropped(nginx, redis):
    """On both channels; what is kept badly is passed over when loaded."""
    ng = nginx(workers=1, zone=zone(redis.port), location=FREE)
    ann = await joined(ng, 'ann', ROOM)
    good = [1, 5, 1, 3, '', 1, '', 'ops', '"hi"', 1, 0, 0, 0]
    bad = [[1, 5], [1, 5, 0, 3, '', 0], [1, 5, 64, 3, '', 0],
           [1, 5, 1, 4, '', 0], [1, 5, 1, 3, 'name', 0],
           [1, 5, 1, 1, 'a b', 0], [1, 5, 1, 3, '', 33], [1, 5, 1, 3, '', 2],
           good[:7] + ['o' * 129] + good[8:], good[:8] + ['{'] + good[9:],
           good[:9] + [-1] + good[10:], good[:9] + ['x'] + good[10:],
           good[:6] + ['k' * 193] + good[7:], [1, 6, 1, 3, '', 0], [2, 5], 5]
    bad = [msgpack.packb(one) for one in bad]
    bad += [msgpack.packb(good)[:-1], b'\xdd\xff\xff\xff\xff', b'']
    for channel in 'wsc:{0}:c', 'wsc:{0}:c:' + ROOM:
        for one in bad:
            await asyncio.to_thread(redis.ask, 'PUBLISH', channel, one)
    await asyncio.to_thread(redis.ask, 'PUBLISH', 'wsc:{0}:c',
                            msgpack.packb(good))
    assert (await ann.expect('message', sender='ops'))['message'] == 'hi'
    assert ng.status()['zones'][0]['bad'] == 2 * len(bad)
    await ann.nothing()
    # one that loads what is kept knows nothing of it either
    await asyncio.to_thread(redis.ask, 'HSET', 'wsc:{0}:k', 'Hx', b'\xc1')
    await asyncio.to_thread(ng.kill_worker, ng.worker_pids()[0])
    ann = await joined(ng, 'ann', ROOM)
    await call(ng, 'chats/room/kick', {'user': 'ann', 'seconds': 60})
    await ann.expect('kicked', LONG)


@pytest.mark.plain_store
@pytest.mark.once
async def test_as_many_as_there_may_be(nginx, redis):
    """Nobody new can be kicked, but everybody let in again."""
    end = int(time.time() + 3600) * 1000
    await asyncio.to_thread(redis.load, [
        [b'HSET', b'wsc:{0}:k', b'I%s %d %s' % (
            ROOM.encode(), end, user.encode()),
         msgpack.packb([1, 5, 8, 3, '', 1, user, ROOM, '', end, 0, end, 0])]
        for user in ['bob'] + ['u%d' % n for n in range(99999)]])
    ng = nginx(workers=1, zone=zone(redis.port), location=FREE)
    bob = await joined(ng, 'bob', 'other')
    await refused(bob, 'join', chat_id=ROOM)
    response = await asyncio.to_thread(
        ng.request, '/api/chats/room/kick', 'POST', {}, '{"user":"eve"}')
    assert response.status == 503
    await call(ng, 'chats/room/kick', {'user': 'bob', 'seconds': 0})
    await bob.settle('join', chat_id=ROOM)
    await call(ng, 'chats/room/kick', {'user': 'eve'})


@pytest.mark.plain_store
async def test_many(nginx):
    """Hundreds of them, each by its own name; those that ended are gone."""
    ng = nginx(workers=1, location=FREE)
    await asyncio.gather(*(
        call(ng, 'chats/room/kick', {'user': 'u%d' % n, 'seconds': 600})
        for n in range(200)))
    for n in 0, 77, 199:
        bob = await joined(ng, 'u%d' % n)
        await refused(bob, 'join', chat_id=ROOM)
    await joined(ng, 'u200', ROOM)
    assert wait_for(lambda: ng.status()['connections'] == 4)
