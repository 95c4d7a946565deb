"""Presence: users, however many connections they have, on any worker."""

import asyncio
import collections
import json
import os
import signal
import time

import pytest

from harness.client import Client, ChatError
from harness.member import connect_to
from harness.nginx import PATIENCE
from harness.redis import Proxy, Redis
from harness.seed import seeded

FREE = 'ws_chat_rate off;'
FAST = FREE + 'ws_chat_presence_grace 300ms;'
ROOM = 'room'


@pytest.fixture
def redis():
    one = Redis()
    yield one
    one.close()


async def joined(ng, user, chat=ROOM, worker=None, **options):
    client = await connect_to(ng, worker, user=user, **options)
    client.joined = await client.settle('join', chat_id=chat)
    return client


def users(reply):
    return {u['user']: u['conns'] for u in reply['users']}


async def page(client, chat=ROOM, **fields):
    return await client.settle('presence', chat_id=chat, **fields)


async def until(client, expected, timeout=30 * PATIENCE):
    """Ask until exactly these users are present."""
    end = time.monotonic() + timeout
    while True:
        reply = await page(client, limit=500)
        if users(reply) == expected:
            assert reply['count'] == len(expected)
            return reply
        assert time.monotonic() < end, (users(reply), expected)
        await asyncio.sleep(0.1)


async def changes(client, join=(), leave=(), count=None):
    """Take presence events until these users were told, each once."""
    come, gone = [], []
    while sorted(come) != sorted(join) or sorted(gone) != sorted(leave):
        event = await client.expect('presence', 30 * PATIENCE)
        assert event['chat_id'] == ROOM
        come += event['join']
        gone += event['leave']
        assert len(come) <= len(join) and len(gone) <= len(leave), event
    if count is not None:
        assert event['count'] == count
    return event


async def test_who_comes_and_goes_is_told_to_all(nginx):
    ng = nginx(location=FAST)
    ann = await joined(ng, 'ann')
    presence = ann.joined['presence']
    assert presence == {'count': 1, 'users': [{'user': 'ann', 'conns': 1}]}
    await changes(ann, ['ann'], count=1)
    bob = await joined(ng, 'bob', fmt='msgpack')
    assert bob.joined['presence']['count'] == 2
    assert users(bob.joined['presence']) == {'ann': 1, 'bob': 1}
    for client in (ann, bob):
        await changes(client, ['bob'], count=2)
    await bob.settle('leave', chat_id=ROOM)
    await changes(ann, leave=['bob'], count=1)
    await bob.nothing('presence')


async def test_who_comes_in_the_first_second_is_told_at_once(nginx):
    """Of a storm's chats each member gets one event, not one for each."""
    ng = nginx(workers=1, location=FAST)
    for i in range(10):
        chat = 'storm-%d' % i
        begin = time.monotonic()
        ann = await joined(ng, 'ann', chat)
        await asyncio.sleep(0.4)
        bob = await joined(ng, 'bob', chat)
        if time.monotonic() - begin > 0.9:
            continue
        for client in (ann, bob):
            event = await client.expect('presence')
            assert sorted(event['join']) == ['ann', 'bob']
            assert event['count'] == 2
        return
    pytest.skip('this machine is too slow for two joins within a second')


async def test_many_tabs_are_one_user(nginx):
    ng = nginx(workers=2, location=FAST)
    w1, w2 = ng.worker_pids()
    eve = await joined(ng, 'eve', worker=w1)
    tabs = [await joined(ng, 'ann', worker=w) for w in (w1, w2, w2)]
    await changes(eve, ['eve', 'ann'], count=2)
    await until(eve, {'eve': 1, 'ann': 3})
    for tab in tabs[:2]:
        await tab.close()
    await until(eve, {'eve': 1, 'ann': 1})
    await asyncio.sleep(1.5)
    await eve.nothing('presence')
    await tabs[2].abort()
    await changes(eve, leave=['ann'], count=1)


async def test_who_is_back_in_time_was_never_gone(nginx):
    ng = nginx(workers=2, location=FREE + 'ws_chat_presence_grace 20s;')
    w1, w2 = ng.worker_pids()
    eve = await joined(ng, 'eve', worker=w1)
    ann = await joined(ng, 'ann', worker=w1)
    await changes(eve, ['eve', 'ann'])
    for worker in (w2, w1):
        await ann.abort()
        await asyncio.sleep(0.2)
        ann = await joined(ng, 'ann', worker=worker)
    await until(eve, {'eve': 1, 'ann': 1})
    await asyncio.sleep(1.5)
    await eve.nothing('presence')


async def test_joining_again_is_no_noise(nginx):
    ng = nginx(location=FAST)
    ann = await joined(ng, 'ann')
    await changes(ann, ['ann'])
    for _ in range(3):
        reply = await ann.settle('join', chat_id=ROOM)
        assert users(reply['presence']) == {'ann': 1}
    await asyncio.sleep(1.5)
    await ann.nothing('presence')


async def test_a_mass_leave_is_one_event_a_second(nginx):
    ng = nginx(workers=2, location=FAST)
    w1, w2 = ng.worker_pids()
    eve = await joined(ng, 'eve', worker=w1)
    crowd = [await joined(ng, 'u%d' % i, worker=w2 if i % 2 else w1)
             for i in range(120)]
    names = ['u%d' % i for i in range(120)]
    await changes(eve, ['eve'] + names, count=121)
    assert eve.joined['presence']['count'] == 1
    late = await joined(ng, 'late', worker=w2)
    assert late.joined['presence']['count'] == 122
    assert len(late.joined['presence']['users']) == 100
    await changes(eve, ['late'])
    start = time.monotonic()
    await asyncio.gather(*(client.abort() for client in crowd))
    events = 0
    left = set()
    while left != set(names):
        event = await eve.expect('presence')
        assert not left & set(event['leave'])
        left |= set(event['leave'])
        events += 1
    assert events <= time.monotonic() - start + 1
    assert event['count'] == 2


async def test_pages(nginx):
    ng = nginx(location=FAST)
    crowd = [await joined(ng, 'u%d' % i) for i in range(25)]
    await until(crowd[0], {'u%d' % i: 1 for i in range(25)})
    seen = collections.Counter()
    offset = 0
    while True:
        reply = await page(crowd[0], offset=offset, limit=10)
        assert reply['ev'] == 'presence_page' and reply['count'] == 25
        assert reply['chat_id'] == ROOM
        seen.update(users(reply).keys())
        offset += len(reply['users'])
        if not reply['more']:
            break
    assert len(seen) == 25 and set(seen.values()) == {1}
    assert (await page(crowd[0], offset=25))['users'] == []
    for fields in ({'limit': 0}, {'limit': 501}, {'offset': -1},
                   {'offset': 'x'}):
        with pytest.raises(ChatError) as refused:
            await crowd[0].cmd('presence', chat_id=ROOM, **fields)
        assert refused.value.code == 'bad_request'
    with pytest.raises(ChatError) as refused:
        await crowd[0].cmd('presence', chat_id='other')
    assert refused.value.code == 'not_joined'


@pytest.mark.plain_store
async def test_two_nodes(nginx, redis):
    zone = ('ws_chat_zone chat:1m; ws_chat_redis chat redis://127.0.0.1:%d;'
            % redis.port)
    nodes = [nginx(zone=zone, location=FAST) for _ in range(2)]
    ann = await joined(nodes[0], 'ann')
    bob = await joined(nodes[1], 'bob')
    tab = await joined(nodes[1], 'ann')
    for client in (ann, bob, tab):
        await until(client, {'ann': 2, 'bob': 1})
    nodes[1].crash()
    await until(ann, {'ann': 1})
    nodes[1].start()
    bob = await joined(nodes[1], 'bob')
    await until(ann, {'ann': 1, 'bob': 1})
    await until(bob, {'ann': 1, 'bob': 1})


@pytest.mark.plain_store
async def test_redis_lost_everything(nginx, redis):
    zone = ('ws_chat_zone chat:1m; ws_chat_redis chat redis://127.0.0.1:%d;'
            % redis.port)
    nodes = [nginx(zone=zone, location=FAST) for _ in range(2)]
    ann = await joined(nodes[0], 'ann')
    bob = await joined(nodes[1], 'bob')
    await until(ann, {'ann': 1, 'bob': 1})
    redis.kill()
    await bob.abort()
    await asyncio.sleep(0.5)
    redis.start()
    await until(ann, {'ann': 1})
    bob = await joined(nodes[1], 'bob')
    await until(bob, {'ann': 1, 'bob': 1})
    await until(ann, {'ann': 1, 'bob': 1})


class SlowLoad(Proxy):
    """Keeps the reply with a chat's state until it is let go."""

    def __init__(self, target):
        super().__init__(target)
        self.asked = None
        self.kept = []

    def carry(self, one, data):
        if one is self.asked:
            self.kept.append(data)
            return
        if b':k:%s\r' % ROOM.encode() in data and self.asked is None:
            self.asked = self.pairs[one]
        super().carry(one, data)

    def let_go(self):
        with self.lock:
            one, self.asked = self.asked, False
            for data in self.kept:
                self.carry(one, data)


@pytest.mark.plain_store
async def test_who_leaves_while_a_chat_is_loaded(nginx, redis):
    """What is loaded is older than what was told meanwhile."""
    zone = 'ws_chat_zone chat:1m; ws_chat_redis chat redis://127.0.0.1:%d;'
    first = nginx(zone=zone % redis.port, location=FAST)
    proxy = SlowLoad(redis.port)
    try:
        proxy.asked = False
        second = nginx(zone=zone % proxy.port, location=FAST)
        kim = await joined(first, 'kim', 'other')
        lee = await joined(second, 'lee', 'other')
        ann = await joined(first, 'ann')
        proxy.asked = None
        bob = await Client.connect(second, user='bob')
        joining = asyncio.ensure_future(bob.settle('join', chat_id=ROOM))
        while not proxy.kept:
            await asyncio.sleep(0.01)
        await ann.settle('leave', chat_id=ROOM)
        # by the same connection, so that the leave has come as well
        await kim.settle('typing', chat_id='other', on=True)
        await lee.expect('typing', chat_id='other')
        proxy.let_go()
        await joining
        await until(bob, {'bob': 1})
    finally:
        proxy.close()


class Marks:
    """Those of a chat as one client is told: they only rise."""

    def __init__(self):
        self.known = {}

    def take(self, client):
        for event in client.events:
            if event['ev'] == 'mark' and event['chat_id'] == ROOM:
                now = {'delivered': event['delivered'], 'read': event['read']}
                before = self.known.get(event['sender'], now)
                for kind in now:
                    assert order(now[kind]) >= order(before[kind]), (event,
                                                                     before)
                self.known[event['sender']] = now
        client.events.clear()


def order(place):
    return (place['epoch'], place['seq']) if place else (0, 0)


async def same_marks(ng, eve, marks):
    """On every worker are the marks that eve was told."""
    for worker in ng.worker_pids():
        late = await joined(ng, 'late', worker=worker)
        end = time.monotonic() + 30 * PATIENCE
        while True:
            await eve.cmd('ping')
            marks.take(eve)
            if late.joined['marks'] == marks.known:
                break
            assert time.monotonic() < end, (late.joined, marks.known)
            await asyncio.sleep(0.1)
            late.joined = await late.settle('join', chat_id=ROOM)
        await late.close()


async def test_it_is_true_after_two_thousand_changes(nginx):
    """Joins, leaves, marks, kills of sockets, and a SIGKILL of a worker."""
    ng = nginx(workers=2, location=FAST + 'ws_chat_drain 1s;')
    random = seeded('presence')
    eve = await joined(ng, 'eve', worker=ng.worker_pids()[0])
    victim = ng.worker_pids()[1]
    open_ = {}                              # client -> its chats
    told = collections.defaultdict(Marks)   # client -> marks
    places = []
    for n in range(100):
        ack = await eve.settle('send', chat_id=ROOM, cid='m%d' % n,
                               message=n)
        places.append({'epoch': ack['epoch'], 'seq': ack['seq']})

    async def step(n):
        what = random.random()
        client = random.choice(list(open_)) if open_ else None
        if client is None or (what < 0.2 and len(open_) < 40):
            client = await Client.connect(ng, user='u%d' % random.randrange(
                15))
            open_[client] = set()
        if what < 0.55:
            chat = random.choice((ROOM, 'b', 'c'))
            await client.settle('join', chat_id=chat)
            open_[client].add(chat)
        elif what < 0.8:
            chat = random.choice((ROOM, 'b', 'c'))
            await client.settle('leave', chat_id=chat)
            open_[client].discard(chat)
        elif what < 0.9:
            del open_[client]
            await client.abort()
        elif ROOM in open_[client]:
            await client.settle('mark', chat_id=ROOM,
                                delivered=random.choice(places),
                                read=random.choice(places))
        told[client].take(client)

    for n in range(2000):
        if n == 1000:
            lost = {c for c in open_ if c.ws.state.name == 'OPEN'}
            await asyncio.to_thread(ng.kill_worker, victim)
            await asyncio.sleep(0.2)
            lost = {c for c in lost if c.ws.state.name != 'OPEN'}
            for client in lost:
                del open_[client]
        await step(n)
        if n % 20 == 0:
            await eve.cmd('ping')
            told[eve].take(eve)

    await same_marks(ng, eve, told[eve])
    assert len(told[eve].known) > 5

    watch = {ROOM: eve}
    for chat in ('b', 'c'):
        watch[chat] = await joined(ng, 'eve', chat)
    for chat, client in watch.items():
        expected = collections.Counter(
            c.welcome['user'] for c in open_ if chat in open_[c])
        expected['eve'] += 1
        reply = await until_chat(client, chat, dict(expected))
        assert reply['count'] == len(expected)


async def until_chat(client, chat, expected):
    end = time.monotonic() + 30 * PATIENCE
    while True:
        reply = await page(client, chat, limit=500)
        if users(reply) == expected:
            return reply
        assert time.monotonic() < end, (chat, users(reply), expected)
        await asyncio.sleep(0.2)


@pytest.mark.once
async def test_a_chat_that_nobody_is_in_any_more(nginx):
    """Its last member's worker died: who looks finds that nobody is there,
    whichever worker is asked."""
    ng = nginx(location=FAST)
    first, second = ng.worker_pids()
    await joined(ng, 'ann', worker=first)

    def count():
        response = ng.request('/api/chats/room/presence')
        return json.loads(response.body)['count']

    assert await asyncio.to_thread(count) == 1
    await asyncio.to_thread(ng.kill_worker, first)
    end = time.monotonic() + 60 * PATIENCE
    empty = 0
    while empty < 20:
        empty = 0 if await asyncio.to_thread(count) else empty + 1
        assert time.monotonic() < end
        await asyncio.sleep(0.1)
    bob = await joined(ng, 'bob', worker=second)
    assert users(bob.joined['presence']) in ({}, {'bob': 1})


async def test_a_worker_had_nothing_to_do(nginx):
    """It seems dead to the other one, which says so of who joins there now."""
    ng = nginx(workers=2, location=FAST)
    first, second = ng.worker_pids()
    bob = await joined(ng, 'bob', 'a', worker=second)
    ann = await joined(ng, 'ann', 'a', worker=first)
    await until_chat(ann, 'a', {'ann': 1, 'bob': 1})
    await bob.close()
    # silent for 12 seconds it is dead, which shows nowhere
    await asyncio.sleep(16)
    cat = await joined(ng, 'cat', 'b', worker=second)
    dan = await joined(ng, 'dan', 'b', worker=first)
    assert users(dan.joined['presence']) == {'cat': 1, 'dan': 1}
    for client in (cat, dan):
        await until_chat(client, 'b', {'cat': 1, 'dan': 1})


@pytest.mark.plain_store
async def test_a_worker_seems_dead_and_cannot_be_told(nginx):
    """It is told until it hears of it, and tells who is there."""
    ng = nginx(workers=2, module='test', location=FAST,
               http='ws_chat_test_store fail=50;')
    first, second = ng.worker_pids()
    ann = await connect_to(ng, first, user='ann')
    bob = await connect_to(ng, second, user='bob')
    kim = await connect_to(ng, second, user='kim')
    chats = {'kim-%d' % i: kim for i in range(20)}
    for chat in chats:
        await kim.settle('join', chat_id=chat)
        await ann.settle('join', chat_id=chat)
    for i in range(20):
        await ann.settle('join', chat_id='bob-%d' % i)
    for chat in chats:
        await until_chat(kim, chat, {'kim': 1, 'ann': 1})
    os.kill(first, signal.SIGSTOP)
    try:
        for chat in chats:
            await until_chat(kim, chat, {'kim': 1})
        for i in range(20):
            await bob.settle('join', chat_id='bob-%d' % i)
    finally:
        os.kill(first, signal.SIGCONT)
    chats.update({'bob-%d' % i: bob for i in range(20)})
    for chat, client in chats.items():
        await until_chat(client, chat, {client.welcome['user']: 1, 'ann': 1})


async def test_what_was_told_before_is_not_heard_later(nginx):
    """A worker that alone has a chat does not take back, for who comes later,
    what it told others before."""
    ng = nginx(workers=3, location=FAST)
    first, second, third = ng.worker_pids()
    for chat in ('a', 'b', 'c', 'd'):
        kim = await joined(ng, 'kim', chat, worker=first)
        ann = await joined(ng, 'ann', 'other', worker=first)
        cat = await joined(ng, 'cat', chat, worker=third)
        bob = await joined(ng, 'bob', 'another', worker=second)
        await ann.settle('join', chat_id=chat)
        await cat.settle('leave', chat_id=chat)
        await until_chat(kim, chat, {'kim': 1, 'ann': 1})
        await ann.settle('leave', chat_id=chat)
        await until_chat(kim, chat, {'kim': 1})
        await bob.settle('join', chat_id=chat)
        # behind all that is still to be heard
        await kim.settle('typing', chat_id=chat, on=True)
        await bob.expect('typing', chat_id=chat)
        await until_chat(bob, chat, {'kim': 1, 'bob': 1})
        for client in (kim, ann, cat, bob):
            await client.close()


async def test_presence_off(nginx):
    ng = nginx(location=FAST + 'ws_chat_presence off;')
    ann, bob = await joined(ng, 'ann'), await joined(ng, 'bob')
    assert bob.joined['presence'] == {'count': 0, 'users': []}
    await bob.close()
    await asyncio.sleep(0.5)
    assert (await page(ann))['count'] == 0
    await ann.nothing('presence')
