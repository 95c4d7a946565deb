"""The embedded store: what it keeps, for how long, and through what."""

import asyncio
import os
import signal
import time

import pytest
from websockets.exceptions import WebSocketException

from harness.client import ChatError, Client
from harness.hold import (ALLOC, APPEND, DROP, EVICT, INTEREST, LIST, MAKE,
                          NOTICE, RELEASE, REPAIR, Hold)
from harness.member import Member, position, worker_of
from harness.nginx import PATIENCE, wait_for

FREE = 'ws_chat_rate off; ws_chat_lag_limit 64m; '


def zone(ng, name='chat'):
    """What the status says of a zone."""
    return next(z for z in ng.status()['zones'] if z['name'] == name)


async def history(client, chat, **fields):
    """All that is kept, oldest first, page by page."""
    pages = []
    while True:
        reply = await client.cmd('history', chat_id=chat, limit=500, **fields)
        pages[:0] = reply['messages']
        if not reply['more']:
            return pages
        first = reply['messages'][0]
        fields = {'before': {'epoch': first['epoch'], 'seq': first['seq']}}


def cids(messages):
    return [m['cid'] for m in messages]


async def visit(client, chats, message=None):
    """Join and leave chats, many in one batch."""
    commands = []
    for chat in chats:
        commands.append({'op': 'join', 'chat_id': chat})
        if message:
            commands.append({'op': 'send', 'chat_id': chat, 'cid': 'c',
                             'message': message})
        commands.append({'op': 'leave', 'chat_id': chat})
    for start in range(0, len(commands), 60):
        await client.post(commands[start:start + 60])
        await client.cmd('ping')
    await client.nothing('error')


# what is kept

@pytest.mark.plain_store
async def test_count_limit(nginx):
    ng = nginx(location=FREE + 'ws_chat_history 5 1h;')
    a = await Client.connect(ng)
    head = (await a.join('room'))['head']
    acks = [await a.send('room', i, cid='c%d' % i) for i in range(8)]

    assert cids(await history(a, 'room')) == ['c3', 'c4', 'c5', 'c6', 'c7']
    assert zone(ng)['messages'] == 5

    b = await Client.connect(ng)
    reply = await b.join('room', after=head)
    assert not reply['recovered'] and reply['reason'] == 'too_old', reply
    third = {k: acks[2][k] for k in ('epoch', 'seq')}
    reply = await b.join('room', after=third)
    assert reply['recovered'] and cids(reply['messages']) == [
        'c3', 'c4', 'c5', 'c6', 'c7']

    # dedupe is over what is kept: this is a new message
    ack = await a.send('room', 0, cid='c0')
    assert position(ack) > position(acks[7]) and not ack.get('dup')
    again = await a.send('room', 0, cid='c0')
    assert position(again) == position(ack) and again['dup']


@pytest.mark.plain_store
async def test_age_limit(nginx):
    ng = nginx(location=FREE + 'ws_chat_history 100 1s;')
    a = await Client.connect(ng)
    await a.join('room')
    old = await a.send('room', 'old')
    assert len(await history(a, 'room')) == 1

    end = time.monotonic() + 10
    while await history(a, 'room'):
        assert time.monotonic() < end
    new = await a.send('room', 'new')
    assert position(new) == (old['epoch'], old['seq'] + 1)
    await a.expect('message', cid='c1')
    event = await a.expect('message', cid='c2')
    assert position(event['prev']) == position(old)


@pytest.mark.plain_store
async def test_a_chat_gets_a_quarter(nginx):
    """A chat that floods leaves room for the others."""
    ng = nginx(zone='ws_chat_zone chat:1m;', location=FREE
               + 'ws_chat_max_message 64k; ws_chat_history 100000 1h;')
    a = await Client.connect(ng)
    await a.join('small')
    await a.send('small', 'kept')
    await a.join('big')
    for i in range(60):
        await a.send('big', 'x' * 20000, cid='b%d' % i)
    size = sum(len(m['message']) for m in await history(a, 'big'))
    assert 150000 < size < 1048576 / 4
    assert len(await history(a, 'small')) == 1
    assert zone(ng)['chunks_free'] > zone(ng)['chunks'] / 2


@pytest.mark.plain_store
async def test_eviction(nginx):
    """Chats nobody is in make room, the least recently used first."""
    ng = nginx(zone='ws_chat_zone chat:256k;', location=FREE)
    a = await Client.connect(ng)
    await a.join('held')
    await a.send('held', 'stays')
    await visit(a, ['chat-%d' % i for i in range(1500)], 'x')
    stat = zone(ng)
    assert stat['evicted'] > 900 and stat['chats'] + stat['evicted'] == 1501
    assert len(await history(a, 'held')) == 1
    await a.join('chat-1499')
    assert len(await history(a, 'chat-1499')) == 1
    reply = await a.join('chat-0', history=10)
    assert reply['messages'] == []


@pytest.mark.plain_store
async def test_a_new_epoch_is_told(nginx):
    """Who comes back to a chat that was evicted hears it."""
    ng = nginx(zone='ws_chat_zone chat:256k;', location=FREE)
    a = await Client.connect(ng)
    await a.join('room')
    ack = await a.send('room', 1)
    await a.leave('room')
    await visit(a, ['chat-%d' % i for i in range(1200)], 'x')
    after = {k: ack[k] for k in ('epoch', 'seq')}
    reply = await a.join('room', after=after)
    assert not reply['recovered'] and reply['reason'] == 'epoch', reply
    assert reply['epoch'] > ack['epoch']


@pytest.mark.plain_store
async def test_full_zone(nginx):
    """A zone full of chats that have members refuses, and recovers."""
    ng = nginx(workers=1, zone='ws_chat_zone chat:256k;',
               location=FREE + 'ws_chat_max_chats 1024;')
    a = await Client.connect(ng)
    chats = []
    with pytest.raises(ChatError) as refused:
        for i in range(1024):
            await a.join('chat-%d' % i)
            chats.append('chat-%d' % i)
    error = refused.value.event
    assert error['code'] == 'unavailable' and error['temporary']
    assert len(chats) > 700 and zone(ng)['chunks_free'] == 0

    with pytest.raises(ChatError) as refused:
        await a.send(chats[0], 'no room')
    error = refused.value.event
    assert error['code'] == 'unavailable' and error['retry_ms'] > 0
    await a.nothing('message')

    for chat in chats[1:10]:
        await a.leave(chat)
    await a.send(chats[0], 'room again')
    await a.expect('message', chat_id=chats[0])


@pytest.mark.plain_store
async def test_several_zones(nginx):
    """The same name in two zones is two chats."""
    ng = nginx(zone='ws_chat_zone chat:1m; ws_chat_zone two:256k;',
               server='location /two { ws_chat zone=two; }')
    a = await Client.connect(ng)
    b = await Client.connect(ng, path='/two')
    await a.join('room')
    await b.join('room')
    await a.send('room', 'one')
    await b.send('room', 'two')
    assert (await a.expect('message'))['message'] == 'one'
    assert (await b.expect('message'))['message'] == 'two'
    await a.nothing('message')
    await b.nothing('message')
    assert [zone(ng, name)['messages'] for name in ('chat', 'two')] == [1, 1]


# what it survives

@pytest.mark.plain_store
async def test_reload(nginx):
    """A reload keeps the zone; another size makes it a new one."""
    ng = nginx(zone='ws_chat_zone chat:1m;')
    a = await Client.connect(ng)
    await a.join('room')
    ack = await a.send('room', 'kept')

    await asyncio.to_thread(ng.reload)
    b = await Client.connect(ng)
    reply = await b.join('room', history=10)
    assert cids(reply['messages']) == ['c1']
    assert position(reply['head']) == position(ack)

    ng.replace_conf('chat:1m', 'chat:2m')
    await asyncio.to_thread(ng.reload)
    c = await Client.connect(ng)
    reply = await c.join('room', history=10)
    assert reply['messages'] == [] and reply['epoch'] > ack['epoch']


def eventfds(pid):
    return sum(os.readlink(fd.path) == 'anon_inode:[eventfd]'
               for fd in os.scandir('/proc/%d/fd' % pid))


async def test_ten_reloads(nginx):
    """All generations hear each other through the same eventfds."""
    ng = nginx(location=FREE + 'ws_chat_drain 3s;')
    before = eventfds(ng.process.pid)
    members = []
    for i in range(10):
        members.append(await Member.start(ng, 'user-%d' % i, ['room']))
        await members[0].send('room', 'new-%d' % i, i)
        await members[i].send('room', 'old-%d' % i, i)
        await asyncio.to_thread(ng.reload)
    await members[9].send('room', 'end', 'end')
    for i, member in enumerate(members):
        await member.until(lambda: 'end' in member.cids('room'))
        assert not member.gaps
        assert member.positions('room') == members[0].positions('room')[2 * i:]
    assert len(members[0].cids('room')) == 21
    assert eventfds(ng.process.pid) == before >= 256
    await asyncio.to_thread(wait_for, lambda: ng.status()['workers'] == 2, 15,
                            'the end of all draining workers')
    assert ng.status()['generation'] == 11
    assert any(m.returns for m in members)


KILLS = [(ALLOC, 1), (RELEASE, 1), (LIST, 1), (LIST, 2), (MAKE, 1), (MAKE, 2),
         (MAKE, 3), (MAKE, 4), (EVICT, 1), (EVICT, 2), (DROP, 1), (DROP, 2),
         (INTEREST, 1), (APPEND, 1), (APPEND, 2), (APPEND, 3), (APPEND, 4),
         (NOTICE, 1), (NOTICE, 2), (REPAIR, 1), (REPAIR, 25)]
NAMES = 'alloc release list make evict drop interest append notice ' \
        'repair'.split()


@pytest.mark.plain_store
@pytest.mark.parametrize('step,times', KILLS, ids=[
    '%s-%d' % (NAMES[step], times) for step, times in KILLS])
async def test_worker_killed_in_the_lock(nginx, step, times):
    """Whatever it was at, nothing acknowledged is lost, nothing twice."""
    hold = Hold(nginx, zone='ws_chat_zone chat:256k;',
                location=FREE + 'ws_chat_history 30 1h;')
    ng = hold.ng
    ng.expect_log(r'shared memory zone "ws_chat:chat" was locked by')

    # a full zone, so that everything happens
    w1, w2 = ng.worker_pids()
    ann = await Member.start(ng, 'ann', ['room'], worker=w1)
    bob = await Member.start(ng, 'bob', ['room'], worker=w2)
    acked = []
    for i in range(30):
        await ann.send('room', 'first-%d' % i, i)
    eve = await Client.connect(ng)
    await visit(eve, ['fill-%d' % i for i in range(1000)])
    assert zone(ng)['evicted']

    hold.set(*((APPEND, 2) if step == REPAIR else (step, times)))

    async def talk(member):
        for i in range(10):
            cid = '%s-%d' % (member.user, i)
            await member.send('room', cid, 'x' * 200 * (i % 3))
            acked.append(cid)

    async def wander():
        while not done.is_set():
            try:
                eve = await Client.connect(ng, user='eve')
                await eve.join('new-%s' % time.time())
                await eve.close()
            except (OSError, WebSocketException, asyncio.TimeoutError):
                await asyncio.sleep(0.05)

    async def kill():
        pid = await hold.caught()
        if step == REPAIR:
            hold.set(REPAIR, times)
            await hold.kill(pid, wait=False)
            pid = await hold.caught()
        await hold.kill(pid)

    done = asyncio.Event()
    others = asyncio.create_task(wander())
    await asyncio.gather(kill(), talk(ann), talk(bob))
    done.set()
    await others

    assert len(acked) == 20
    for member in (ann, bob):
        await member.until(lambda: set(acked) <= set(member.cids('room')))
        assert not member.gaps
        assert len(set(member.cids('room'))) == len(member.cids('room'))
    assert ann.positions('room')[-20:] == bob.positions('room')[-20:]
    assert sum(m.returns for m in (ann, bob)) >= 1
    assert zone(ng)['repairs'] >= (2 if step == REPAIR else 1)
    assert 'was repaired' in ng.log()

    cat = await Member.start(ng, 'cat', ['room'])
    reply = await cat.cmd('history', chat_id='room', limit=30)
    assert cids(reply['messages']) == ann.cids('room')[-30:]


async def occupy(ng, worker=None):
    """A client in so many chats that the zone has no room for more."""
    while True:
        client = await Client.connect(ng)
        if worker is None or worker_of(ng, client) == worker:
            break
        await client.close()
    joined = 0
    try:
        while joined < 1024:
            await client.join('chat-%s-%d' % (client.welcome['session'],
                                              joined))
            joined += 1
    except ChatError as e:
        assert e.code == 'unavailable', e
    return client, joined


@pytest.mark.plain_store
async def test_interest_of_a_killed_worker(nginx):
    """Nothing is kept for who is not there any more."""
    ng = nginx(zone='ws_chat_zone chat:256k;',
               location=FREE + 'ws_chat_max_chats 1024;')
    w1, w2 = ng.worker_pids()
    _, joined = await occupy(ng, w1)
    assert joined > 700
    assert (await occupy(ng, w2))[1] == 0
    await asyncio.to_thread(ng.kill_worker, w1)
    assert (await occupy(ng))[1] == joined
    stat = ng.status()
    assert stat['workers'] == 2 and stat['members'] == joined
    assert stat['connections'] == 2


@pytest.mark.plain_store
async def test_interest_of_a_killed_draining_worker(nginx):
    """Nobody starts in its place: the others find out."""
    ng = nginx(workers=1, zone='ws_chat_zone chat:256k;', location=FREE
               + 'ws_chat_max_chats 1024; ws_chat_drain 1h;')
    _, joined = await occupy(ng)
    assert joined > 700
    await asyncio.to_thread(ng.reload)
    old, = ng.draining_pids()
    assert ng.status()['workers'] == 2
    ng.expect_death(old)
    os.kill(old, signal.SIGKILL)
    end = time.monotonic() + 10
    while (await occupy(ng))[1] == 0:
        assert time.monotonic() < end
    assert ng.status()['workers'] == 1


@pytest.mark.plain_store
async def test_stopped_worker_catches_up(nginx):
    """A worker that slept while the notice board was lapped."""
    ng = nginx(zone='ws_chat_zone chat:2m;',
               location=FREE + 'ws_chat_history 5000 1h;')
    chats = ['a', 'b', 'c']
    w1, w2 = ng.worker_pids()
    ann = await Member.start(ng, 'ann', chats, worker=w1)
    bob = await Member.start(ng, 'bob', chats, worker=w2)
    os.kill(w2, signal.SIGSTOP)
    try:
        for start in range(0, 4500, 50):
            await asyncio.gather(*(
                ann.send(chats[i % 3], 'm%d' % i, i)
                for i in range(start, start + 50)))
    finally:
        os.kill(w2, signal.SIGCONT)
    for i, chat in enumerate(chats):
        await bob.until(lambda: len(bob.cids(chat)) == 1500, 30)
        assert bob.cids(chat) == ['m%d' % n for n in range(i, 4500, 3)]
        assert bob.positions(chat) == ann.positions(chat)
    assert not bob.gaps


@pytest.mark.plain_store
async def test_trimmed_while_stopped(nginx):
    """What was dropped before it could be delivered is announced."""
    ng = nginx(location=FREE + 'ws_chat_history 10 1h;')
    w1, w2 = ng.worker_pids()
    ann = await Member.start(ng, 'ann', ['room'], worker=w1)
    bob = await Member.start(ng, 'bob', ['room'], worker=w2)
    await ann.send('room', 'seen', 0)
    await bob.until(lambda: bob.cids('room') == ['seen'])
    os.kill(w2, signal.SIGSTOP)
    try:
        for i in range(30):
            await ann.send('room', 'm%d' % i, i)
    finally:
        os.kill(w2, signal.SIGCONT)
    await bob.until(lambda: 'm29' in bob.cids('room'))
    assert bob.cids('room')[1:] == ['m%d' % i for i in range(20, 30)]
    gap, = bob.gaps
    assert gap['reason'] == 'trimmed'
    assert position(gap['after']) == bob.positions('room')[0]
    assert position(gap['before']) == bob.positions('room')[1]
