"""Marks: how far everybody has come, and what is unread."""

import asyncio
import json
import time

import pytest

from harness.client import Client, ChatError
from harness.member import connect_to
from harness.nginx import PATIENCE
from harness.seed import seeded

FREE = 'ws_chat_rate off;'
ROOM = 'room'
PACE = 0.25


async def joined(ng, user, chat=ROOM, worker=None, **options):
    client = await connect_to(ng, worker, user=user, **options)
    client.joined = await client.settle('join', chat_id=chat)
    return client


def place(event):
    return {'epoch': event['epoch'], 'seq': event['seq']}


def order(pos):
    return (pos['epoch'], pos['seq']) if pos else (0, 0)


async def say(client, count, chat=ROOM, size=2):
    """The positions of so many messages."""
    acks = [await client.settle('send', chat_id=chat, message='x' * size,
                                cid='m%d' % next(client.cids))
            for _ in range(count)]
    return [place(ack) for ack in acks]


async def seen(client, pos, chat=ROOM):
    """The worker of this client has delivered so far."""
    while True:
        event = await client.expect('message', chat_id=chat)
        if order(event) >= order(pos):
            return


async def mark(client, chat=ROOM, **fields):
    reply = await client.settle('mark', chat_id=chat, **fields)
    assert reply['ev'] == 'ok' and set(reply) == {'ev', 'id'}


async def marked(client, user, delivered=None, read=None):
    """The event that says so; those before it are lower."""
    last = {'delivered': None, 'read': None}
    while True:
        event = await client.expect('mark', sender=user)
        for kind in ('delivered', 'read'):
            assert order(event[kind]) >= order(last[kind]), (event, last)
        last = event
        if (event['delivered'], event['read']) == (delivered, read):
            return event


async def known(client, expected, chat=ROOM, timeout=30 * PATIENCE):
    """Join again until these are the marks; the reply."""
    end = time.monotonic() + timeout
    while True:
        reply = await client.settle('join', chat_id=chat)
        if reply['marks'] == expected:
            return reply
        assert time.monotonic() < end, (reply['marks'], expected)
        await asyncio.sleep(0.1)


async def unread(client, expected, chat=ROOM, **fields):
    """Join until this is said; a store may fail to count."""
    end = time.monotonic() + 30 * PATIENCE
    while True:
        reply = await client.settle('join', chat_id=chat, **fields)
        if reply.get('unread') == expected:
            return reply
        assert time.monotonic() < end, (reply.get('unread'), expected)
        await asyncio.sleep(0.1)


async def test_everybody_sees_them(nginx):
    ng = nginx(location=FREE)
    people = [await joined(ng, 'ann'), await joined(ng, 'bob', fmt='msgpack'),
              await joined(ng, 'eve', deflate=True)]
    assert people[0].joined['marks'] == {}
    one, two = await say(people[0], 2)
    await seen(people[1], two)
    await mark(people[1], delivered=one)
    for client in people:
        assert await client.expect('mark') == {
            'ev': 'mark', 'chat_id': ROOM, 'sender': 'bob',
            'delivered': one, 'read': None}
    await mark(people[1], read=two)
    for client in people:
        await marked(client, 'bob', two, two)
    await mark(people[2], delivered=two, read=one)
    expected = {'bob': {'delivered': two, 'read': two},
                'eve': {'delivered': two, 'read': one}}
    for client in people:
        await known(client, expected)


async def test_they_never_go_back(nginx):
    ng = nginx(location=FREE)
    ann, bob = await joined(ng, 'ann'), await joined(ng, 'bob')
    pos = await say(ann, 4)
    await seen(bob, pos[3])
    await mark(bob, delivered=pos[3], read=pos[1])
    await marked(ann, 'bob', pos[3], pos[1])
    for fields in ({'delivered': pos[2]}, {'read': pos[0]},
                   {'read': {'epoch': 0, 'seq': 1}},
                   {'read': {'epoch': pos[0]['epoch'], 'seq': 0}},
                   {'delivered': pos[3], 'read': pos[1]}):
        await mark(bob, **fields)
    await mark(bob, delivered=pos[0], read=pos[2])
    await marked(ann, 'bob', pos[3], pos[2])
    await ann.nothing('mark')
    await known(ann, {'bob': {'delivered': pos[3], 'read': pos[2]}})


async def test_not_beyond_the_head(nginx):
    ng = nginx(location=FREE)
    ann, bob = await joined(ng, 'ann'), await joined(ng, 'bob')
    far = {'epoch': 2**53 - 1, 'seq': 2**53 - 1}
    await mark(bob, delivered=far, read=far)
    head, = await say(ann, 1)
    await seen(bob, head)
    await ann.nothing('mark')
    await mark(bob, read=dict(head, seq=head['seq'] + 7))
    await marked(ann, 'bob', head, head)
    await mark(bob, read=far)
    after, = await say(ann, 1)
    await seen(bob, after)
    await mark(bob, delivered=after)
    await marked(ann, 'bob', after, head)


async def test_at_most_one_event_in_a_quarter_of_a_second(nginx):
    ng = nginx(workers=2, location=FREE)
    w1, w2 = ng.worker_pids()
    ann = await joined(ng, 'ann', worker=w1)
    tabs = [await joined(ng, 'bob', worker=w) for w in (w1, w2)]
    pos = await say(ann, 60)
    for tab in tabs:
        await seen(tab, pos[-1])
    start = time.monotonic()
    for n, one in enumerate(pos):
        await mark(tabs[n % 2], delivered=one,
                   read=pos[n // 2])
    events = []
    while not events or (events[-1]['delivered'], events[-1]['read']) != (
            pos[59], pos[29]):
        events.append(await ann.expect('mark', sender='bob'))
    assert len(events) <= (time.monotonic() - start) / PACE + 2
    for kind in ('delivered', 'read'):
        places = [order(e[kind]) for e in events]
        assert places == sorted(places)
    await ann.nothing('mark')


async def test_many_users_at_a_time(nginx):
    ng = nginx(workers=2, location=FREE)
    ann = await joined(ng, 'ann')
    crowd = [await joined(ng, 'u%d' % i) for i in range(60)]
    head = (await say(ann, 3))[-1]
    for client in crowd:
        await seen(client, head)
    await asyncio.gather(*(mark(c, read=head) for c in crowd))
    left = {'u%d' % i for i in range(60)}
    while left:
        event = await ann.expect('mark', delivered=head, read=head)
        left.remove(event['sender'])
    late = await joined(ng, 'u7')
    marks = (await known_count(late, 60))['marks']
    assert list(marks)[0] == 'u7'


async def known_count(client, count):
    while True:
        reply = await client.settle('join', chat_id=ROOM)
        if len(reply['marks']) == count:
            return reply
        await asyncio.sleep(0.05)


async def test_a_hundred_in_the_reply(nginx):
    ng = nginx(workers=1, location=FREE)
    ann = await joined(ng, 'ann')
    head, = await say(ann, 1)
    await seen(ann, head)
    await mark(ann, read=head)
    for n in range(120):
        client = await joined(ng, 'u%d' % n)
        await mark(client, delivered=head)
        await ann.expect('mark', sender='u%d' % n)
        await client.close()
    marks = (await known_count(ann, 100))['marks']
    assert list(marks)[0] == 'ann'
    assert set(marks) == {'ann'} | {'u%d' % n for n in range(21, 120)}


async def test_on_any_worker_and_while_nobody_is_there(nginx):
    ng = nginx(workers=3, location=FREE)
    people = [await joined(ng, 'u%d' % n, worker=worker)
              for n, worker in enumerate(ng.worker_pids())]
    pos = await say(people[0], 3)
    expected = {}
    for n, client in enumerate(people):
        await seen(client, pos[-1])
        await mark(client, delivered=pos[2], read=pos[n])
        expected['u%d' % n] = {'delivered': pos[2], 'read': pos[n]}
    for client in people:
        for user, one in expected.items():
            await marked(client, user, **one)
    for client in people:
        await client.close()
    for worker in ng.worker_pids():
        late = await joined(ng, 'late', worker=worker, fmt='msgpack')
        assert late.joined['marks'] == expected
        await late.close()


async def test_what_is_said_last_before_leaving_counts(nginx):
    """Also where the store does not take it at once, as that of tests."""
    ng = nginx(location=FREE)
    ann = await Client.connect(ng, user='ann')
    chats = ['room%d' % n for n in range(20)]
    for chat in chats:
        await ann.settle('join', chat_id=chat)
    last = {}
    for chat in chats:
        pos = await say(ann, 5, chat)
        await seen(ann, pos[-1], chat)
        for one in pos:
            await mark(ann, chat, read=one)
        await ann.settle('leave', chat_id=chat)
        last[chat] = pos[4]
    for chat in chats:
        await known(ann, {'ann': {'delivered': last[chat],
                                  'read': last[chat]}}, chat)


async def test_the_last_word_is_not_lower(nginx):
    """Of what was not told yet when its user leaves, when another connection
    has come further."""
    ng = nginx(workers=2, location=FREE)
    low, high = [await connect_to(ng, worker, user='bob')
                 for worker in ng.worker_pids()]
    chats = ['room%d' % n for n in range(30)]
    expected = {}
    for chat in chats:
        for client in low, high:
            await client.settle('join', chat_id=chat)
        pos = await say(high, 3, chat)
        for client in low, high:
            await seen(client, pos[2], chat)
        for one in pos[:2]:
            await mark(low, chat, read=one)
        await mark(high, chat, read=pos[2])
        expected[chat] = {'bob': {'delivered': pos[2], 'read': pos[2]}}
        await known(low, expected[chat], chat)
        for client in high, low:
            await client.settle('leave', chat_id=chat)
    for chat in chats:
        await known(low, expected[chat], chat)


async def race(people, watchers, pos, rng, rounds=60):
    """Marks of one user at random on all its connections at once; the
    highest ones."""
    top = [0, 0]

    async def some(client):
        for _ in range(rounds):
            read = rng.randrange(len(pos))
            delivered = rng.randrange(len(pos))
            top[0] = max(top[0], delivered, read)
            top[1] = max(top[1], read)
            await mark(client, delivered=pos[delivered], read=pos[read])
            await asyncio.sleep(rng.uniform(0, 0.02))

    await asyncio.gather(*(some(client) for client in people))
    expected = {'delivered': pos[top[0]], 'read': pos[top[1]]}
    for watcher in watchers:
        await marked(watcher, 'bob', **expected)
        await watcher.nothing('mark')
    return expected


async def test_marks_of_one_user_on_several_workers(nginx):
    ng = nginx(workers=3, location=FREE)
    workers = ng.worker_pids()
    watchers = [await joined(ng, 'ann', worker=w) for w in workers]
    tabs = [await joined(ng, 'bob', worker=w) for w in workers]
    pos = await say(watchers[0], 200)
    for client in watchers + tabs:
        await seen(client, pos[-1])
    expected = await race(tabs, watchers, pos, seeded('marks'))
    for watcher in watchers:
        await known(watcher, {'bob': expected})
    for client in watchers + tabs:
        await client.close()
    late = await joined(ng, 'late')
    await known(late, {'bob': expected})


@pytest.mark.plain_store
async def test_a_worker_is_killed(nginx):
    ng = nginx(workers=2, location=FREE)
    w1, w2 = ng.worker_pids()
    ann = await joined(ng, 'ann', worker=w1)
    bob = await joined(ng, 'bob', worker=w2)
    pos = await say(ann, 10)
    await seen(bob, pos[-1])
    await mark(bob, delivered=pos[9], read=pos[6])
    await marked(ann, 'bob', pos[9], pos[6])
    await asyncio.to_thread(ng.kill_worker, w2)
    expected = {'bob': {'delivered': pos[9], 'read': pos[6]}}
    for worker in ng.worker_pids():
        late = await joined(ng, 'bob', worker=worker)
        assert late.joined['marks'] == expected
        await mark(late, read=pos[2])
    await mark(late, read=pos[8])
    await marked(ann, 'bob', pos[9], pos[8])


async def test_unread(nginx):
    ng = nginx(workers=2, location=FREE)
    ann = await joined(ng, 'ann')
    await unread(ann, 0)
    bob = await joined(ng, 'bob', fmt='msgpack')
    pos = await say(ann, 5)
    await seen(bob, pos[4])
    await seen(ann, pos[4])
    await unread(bob, 5)
    await unread(ann, 0)
    mine, = await say(bob, 1)
    await seen(bob, mine)
    await unread(bob, 5)
    await mark(bob, read=pos[1], delivered=pos[4])
    await marked(ann, 'bob', pos[4], pos[1])
    await unread(bob, 3, after=pos[4])
    reply = await unread(bob, 3, history=2)
    assert len(reply['messages']) == 2
    await mark(bob, read=mine)
    await marked(ann, 'bob', mine, mine)
    await unread(bob, 0)
    await bob.close()
    await say(ann, 2)
    bob = await joined(ng, 'bob')
    await unread(bob, 2)
    eve = await joined(ng, 'eve')
    await unread(eve, 8)


async def test_a_hundred_unread_are_a_hundred_or_more(nginx):
    ng = nginx(location=FREE)
    ann = await joined(ng, 'ann')
    pos = await say(ann, 120)
    bob = await joined(ng, 'bob')
    for _ in range(2):
        await unread(bob, 100)
    await mark(bob, read=pos[18])
    await unread(bob, 100)
    await mark(bob, read=pos[20])
    await unread(bob, 99)


async def test_large_messages_are_counted(nginx):
    ng = nginx(zone='ws_chat_zone chat:64m;', location=FREE)
    ann = await joined(ng, 'ann')
    pos = await say(ann, 1) + await say(ann, 40, size=60000)
    bob = await joined(ng, 'bob')
    await mark(bob, read=pos[0])
    await unread(bob, 40)


async def test_what_is_refused(nginx):
    ng = nginx(location=FREE)
    ann = await Client.connect(ng, user='ann')
    one = {'epoch': 1, 'seq': 1}
    for fields, code in (({'chat_id': ROOM, 'read': one}, 'not_joined'),
                         ({'chat_id': ROOM}, 'bad_request'),
                         ({'chat_id': ROOM, 'read': 1}, 'bad_request'),
                         ({'chat_id': ROOM, 'read': {'seq': 1}},
                          'bad_request'),
                         ({'chat_id': ROOM, 'read': one,
                           'delivered': {'epoch': -1, 'seq': 1}},
                          'bad_request'),
                         ({'read': one}, 'bad_request')):
        with pytest.raises(ChatError) as refused:
            await ann.cmd('mark', **fields)
        assert refused.value.code == code, fields


def post(ng, user, **command):
    """The reply to a command by POST, asked for until it is no failure."""
    while True:
        _, _, body = ng.request('/sse?user=' + user, 'POST',
                                body=json.dumps(command))
        reply = json.loads(body)
        if not reply.get('temporary'):
            return reply


async def test_by_post(nginx):
    ng = nginx(workers=2, location=FREE)
    ann = await joined(ng, 'ann')
    pos = await say(ann, 3)
    await seen(ann, pos[2])
    for n in (1, 0, 2):
        reply = await asyncio.to_thread(post, ng, 'bob', op='mark',
                                        chat_id=ROOM, read=pos[n])
        assert reply == {'ev': 'ok'}
    await marked(ann, 'bob', pos[2], pos[2])
    reply = await asyncio.to_thread(post, ng, 'eve', op='presence',
                                    chat_id=ROOM)
    assert reply['users'] == [{'user': 'ann', 'conns': 1}]
    await ann.close()
    far = {'epoch': 2**53 - 1, 'seq': 1}
    reply = await asyncio.to_thread(post, ng, 'bob', op='mark', chat_id=ROOM,
                                    read=far)
    late = await joined(ng, 'late')
    await known(late, {'bob': {'delivered': pos[2], 'read': pos[2]}})


@pytest.mark.plain_store
async def test_two_nodes(nginx, redis):
    zone = ('ws_chat_zone chat:1m; ws_chat_redis chat redis://127.0.0.1:%d;'
            % redis.port)
    nodes = [nginx(zone=zone, location=FREE) for _ in range(2)]
    watchers = [await joined(ng, 'ann') for ng in nodes]
    tabs = [await joined(ng, 'bob', fmt=fmt)
            for ng in nodes for fmt in ('json', 'msgpack')]
    pos = await say(watchers[0], 200)
    for client in watchers + tabs:
        await seen(client, pos[-1])
    expected = await race(tabs, watchers, pos, seeded('marks'))
    nodes[0].crash()
    nodes[0].start()
    for ng in nodes:
        late = await joined(ng, 'late')
        await known(late, {'bob': expected})
    for client in tabs[2:] + watchers[1:]:
        await client.close()
    late = await joined(nodes[0], 'bob')
    await known(late, {'bob': expected})
    await unread(late, min(199 - pos.index(expected['read']), 100))


def api(ng, path):
    """An answer of the API, asked for until it is no failure."""
    while True:
        status, _, body = ng.request('/api/' + path)
        if status != 503:
            return status, json.loads(body)


async def test_by_the_api(nginx):
    ng = nginx(workers=2, location=FREE)
    assert api(ng, 'chats/room/marks') == (200, {
        'ev': 'marks_page', 'chat_id': ROOM, 'count': 0, 'marks': {},
        'more': False})
    ann = await joined(ng, 'ann')
    pos = await say(ann, 2)
    await seen(ann, pos[1])
    expected = {}
    for n in range(5):
        client = await joined(ng, 'u%d' % n)
        await mark(client, delivered=pos[1], read=pos[n % 2])
        await marked(ann, 'u%d' % n, pos[1], pos[n % 2])
        expected['u%d' % n] = {'delivered': pos[1], 'read': pos[n % 2]}
        await client.close()
    for _ in range(4):
        assert (await asyncio.to_thread(api, ng, 'chats/room/marks'))[1][
            'marks'] == expected
        there = await asyncio.to_thread(api, ng, 'chats/room/presence')
        assert {'user': 'ann', 'conns': 1} in there[1]['users']
    first = await asyncio.to_thread(api, ng, 'chats/room/marks?limit=3')
    rest = await asyncio.to_thread(api, ng, 'chats/room/marks?after=u%32')
    assert (first[1]['more'], rest[1]['more']) == (True, False)
    assert {**first[1]['marks'], **rest[1]['marks']} == expected
    assert (len(first[1]['marks']), first[1]['count']) == (3, 5)
    assert list(rest[1]['marks']) == ['u3', 'u4']
    for path in ('presence?limit=0', 'marks?limit=501', 'marks?after=',
                 'presence?after=%0a'):
        status, error = await asyncio.to_thread(api, ng, 'chats/room/' + path)
        assert (status, error['code']) == (400, 'bad_request'), path
    await ann.close()
    assert (await asyncio.to_thread(api, ng, 'chats/room/marks'))[1][
        'marks'] == expected
    while (await asyncio.to_thread(api, ng, 'chats/room/presence'))[1][
            'count']:
        await asyncio.sleep(0.05)
