"""Coming back: what was missed arrives, and where it cannot it is told."""

import asyncio

import pytest

from harness.client import Client
from harness.history import position
from harness.member import connect_to
from harness.nginx import TEST_STORE, wait_for

FREE = 'ws_chat_rate off; ws_chat_lag_limit 64m; '
CAP = 1048576


def pos(event):
    return {k: event[k] for k in ('epoch', 'seq')}


async def fill(client, count, body='', chat='room', cid='m'):
    """Store so many messages; the events of all, as the client saw them."""
    todo = ['%s%d' % (cid, i) for i in range(count)]
    left = list(todo)
    batch = min(max(50000 // (len(body) + 1), 1), 50)
    while left:
        for i in range(0, len(left), batch):
            await client.post([
                {'op': 'send', 'id': one, 'chat_id': chat, 'cid': one,
                 'message': [one, body], 'retry': True}
                for one in left[i:i + batch]])
        replies = [await client.reply(one) for one in left]
        assert all(r['ev'] == 'ack' or r['temporary'] for r in replies)
        left = [r['id'] for r in replies if r['ev'] == 'error']
    events = await client.collect(count, chat_id=chat)
    assert sorted(e['cid'] for e in events) == sorted(todo)
    return events


async def come(ng, user='ann', chat='room', worker=None, **options):
    """A client that has joined, and the reply."""
    join = options.pop('join', {})
    client = await connect_to(ng, worker, user=user, **options)
    return client, await resume(client, chat, **join)


async def resume(client, chat='room', **fields):
    """Join; the test store may fail to read what is asked for."""
    while True:
        reply = await client.settle('join', chat_id=chat, **fields)
        if reply.get('reason') != 'unavailable':
            return reply
        assert TEST_STORE and not reply['messages'] and not reply['more']
        await client.leave(chat)
        client.forget(chat)


async def page(client, reply, limit=500):
    """What a join with more:true left out, up to its head."""
    got = []
    last = reply['messages'][-1]
    while position(last) < position(reply['head']):
        answer = await client.settle('history', chat_id='room', limit=limit,
                                     after=pos(last))
        assert answer['messages'], answer
        assert len(answer['messages']) <= limit
        assert len(answer.raw) <= CAP or len(answer['messages']) == 1
        assert answer['more'] or (position(answer['messages'][-1])
                                  == position(answer['complete_to']))
        got += [m for m in answer['messages']
                if position(m) <= position(reply['head'])]
        last = answer['messages'][-1]
    return got


@pytest.fixture
def ng(nginx):
    return nginx(location=FREE + 'ws_chat_history 5000 1h;')


async def test_everything_missed_is_in_the_reply(ng):
    ann, first = await come(ng)
    base = await fill(ann, 3, cid='early')
    bob, reply = await come(ng, 'bob')
    assert reply['recovered'] is True and 'reason' not in reply
    assert reply['messages'] == [] and reply['head'] == pos(base[-1])
    await bob.close()

    bob, reply = await come(ng, 'bob', join={'after': pos(base[-1])})
    assert reply['recovered'] is True and reply['messages'] == []
    assert reply['more'] is False and reply['epoch'] == base[0]['epoch']
    assert 'reason' not in reply
    await bob.close()

    missed = []
    for count in (1, 499):
        missed += await fill(ann, count, cid='to%d-' % count)
        bob, reply = await come(ng, 'bob', join={'after': pos(base[-1])})
        assert reply['recovered'] is True and reply['more'] is False
        assert reply['messages'] == missed
        assert reply['head'] == pos(missed[-1])
        live = await fill(ann, 1, cid='live%d-' % count)
        assert await bob.collect(1) == live
        assert live[0]['prev'] == reply['head']
        missed += live
        await bob.nothing()
        await bob.close()
        if count == 1:
            base, missed = base + missed, []

    # from the beginning of the chat, where there was none yet
    bob, reply = await come(ng, 'bob', join={'after': first['head']})
    assert reply['recovered'] and reply['messages'] == (base + missed)[:500]
    assert reply['messages'][0]['prev'] is None and reply['more'] is True


@pytest.mark.parametrize('fmt', ['json', 'msgpack'])
async def test_the_rest_is_paged_while_live_events_flow(ng, fmt):
    ann, first = await come(ng)
    missed = await fill(ann, 1200)
    bob = await Client.connect(ng, user='bob', fmt=fmt)
    joins = resume(bob, after=first['head'])
    reply, live = await asyncio.gather(joins, fill(ann, 40, cid='x'))
    assert reply['recovered'] is True and reply['more'] is True
    head = position(reply['head'])
    assert head >= position(missed[-1])

    rest, more = await asyncio.gather(page(bob, reply, limit=100),
                                      fill(ann, 200, cid='y'))
    everything = missed + live + more
    behind = [e for e in everything if position(e) > head]
    got = reply['messages'] + rest + await bob.collect(len(behind))
    assert got == everything
    assert len(reply['messages']) == 500
    assert [e['prev'] for e in got] == [None] + [pos(e) for e in got[:-1]]
    await bob.nothing()


async def test_nothing_comes_both_ways(ng):
    """What is behind the head of a reply comes as an event, and only so."""
    ann, first = await come(ng)
    seen = []
    for turn in range(20):
        asks = [{'after': first['head']}, {'history': 500}]
        await ann.post([
            {'op': 'send', 'id': 's%d' % i, 'chat_id': 'room', 'message': i,
             'cid': 'c%d-%d' % (turn, i)} for i in range(5)]
            + [{'op': 'join', 'id': i, 'chat_id': 'room', **ask}
               for i, ask in enumerate(asks)])
        replies = [await ann.reply(i) for i in range(2)]
        acks = [await ann.reply('s%d' % i) for i in range(5)]
        seen += await ann.collect(sum(a['ev'] == 'ack' for a in acks))
        for reply in replies:
            if reply.get('reason') == 'unavailable':
                continue
            wanted = [e for e in seen
                      if position(e) <= position(reply['head'])]
            assert reply['messages'] == wanted
    await ann.nothing('message')
    assert [e['prev'] for e in seen] == [None] + [pos(e) for e in seen[:-1]]


async def test_a_reply_has_a_mebibyte_at_most(nginx):
    ng = nginx(location=FREE, zone='ws_chat_zone chat:32m;')
    chats = {'large': (30, 60000), 'middle': (700, 2010)}
    for chat, (count, size) in chats.items():
        ann, first = await come(ng, chat=chat)
        missed = await fill(ann, count, 'x' * size, chat)
        for fmt in ('json', 'msgpack'):
            bob, reply = await come(ng, 'bob', chat, fmt=fmt,
                                    join={'after': first['head']})
            assert reply['recovered'] and reply['more'] is True
            assert 0.7 * CAP < len(reply.raw) <= CAP
            got = reply['messages']
            while len(got) < count:
                answer = await bob.settle('history', chat_id=chat, limit=500,
                                          after=pos(got[-1]))
                assert len(answer.raw) <= CAP
                got += answer['messages']
                assert answer['more'] is (len(got) < count)
            assert got == missed

            # the newest, and what is before them
            got = []
            fields = {}
            while len(got) < count:
                answer = await bob.settle('history', chat_id=chat, limit=500,
                                          **fields)
                assert len(answer.raw) <= CAP
                got = answer['messages'] + got
                assert answer['more'] is (len(got) < count)
                fields = {'before': pos(got[0])}
            assert got == missed

            bob, reply = await come(ng, 'bob', chat, fmt=fmt,
                                    join={'history': 500})
            assert reply['more'] is True and len(reply.raw) <= CAP
            assert reply['messages'] == missed[-len(reply['messages']):]
        await ann.close()


async def test_octets_count_as_the_text_they_become(nginx):
    ng = nginx(location=FREE)
    ann, first = await come(ng, fmt='msgpack')
    for i in range(20):
        await ann.settle('send', chat_id='room', cid='b%d' % i,
                         message=b'\xff' * 60000, retry=True)
    missed = await ann.collect(20)
    bob, reply = await come(ng, 'bob', join={'after': first['head']})
    assert reply['recovered'] and reply['more'] is True
    assert len(reply.raw) <= CAP
    got = reply['messages'] + await page(bob, reply)
    assert [pos(e) for e in got] == [pos(e) for e in missed]


async def test_a_message_larger_than_the_cap_comes_alone(nginx):
    ng = nginx(location=FREE + 'ws_chat_max_message 3m;',
               zone='ws_chat_zone chat:32m;')
    ann, first = await come(ng)
    missed = await fill(ann, 3, 'x' * 2000000)
    bob, reply = await come(ng, 'bob', join={'after': first['head']})
    assert reply['recovered'] and reply['messages'] == missed[:1]
    assert reply['more'] is True
    assert await page(bob, reply) == missed[1:]
    bob, reply = await come(ng, 'bob', join={'history': 3})
    assert reply['messages'] == missed[2:] and reply['more'] is True


async def test_another_epoch(ng):
    ann, first = await come(ng)
    missed = await fill(ann, 5)
    # in Redis the first message begins the epoch
    epoch = missed[0]['epoch']
    assert first['epoch'] in (0, epoch)
    for step in (-1, 1):
        bob, reply = await come(ng, 'bob', join={
            'after': {'epoch': epoch + step, 'seq': 2}})
        assert reply['recovered'] is False and reply['reason'] == 'epoch'
        assert reply['messages'] == [] and reply['more'] is False
        assert reply['epoch'] == epoch
        assert reply['head'] == pos(missed[-1])
        live = await fill(ann, 1, cid='x%d' % step)
        assert await bob.collect(1) == live
        missed += live


async def test_ahead_of_the_head(ng):
    ann, first = await come(ng)
    for after in (1, 9007199254740991):
        bob, reply = await come(ng, 'bob', join={
            'after': {'epoch': first['epoch'], 'seq': after}})
        assert reply['recovered'] is False and reply['reason'] == 'ahead'
        assert reply['messages'] == [] and reply['head'] == first['head']
    live = await fill(ann, 1)
    assert await bob.collect(1) == live


async def test_older_than_what_is_kept(nginx):
    ng = nginx(location=FREE + 'ws_chat_history 10 1h;')
    ann, first = await come(ng)
    events = []
    for i in range(13):
        events += await fill(ann, 1, cid='m%d-' % i)
    for after, kept in ((events[2], True), (events[3], True),
                        (events[1], False), (first['head'], False)):
        bob, reply = await come(ng, 'bob', join={'after': pos(after)})
        assert reply['recovered'] is kept
        assert reply.get('reason') == (None if kept else 'too_old')
        wanted = [e for e in events if position(e) > position(after)]
        assert reply['messages'] == (wanted if kept else [])
        assert reply['more'] is False and reply['head'] == pos(events[-1])
        # what is left is served by history
        answer = await bob.settle('history', chat_id='room', limit=500)
        assert answer['messages'] == events[3:] and not answer['more']
    live = await fill(ann, 1, cid='x')
    assert await bob.collect(1) == live


async def test_the_last_ones_on_join(ng):
    ann, reply = await come(ng, join={'history': 500})
    assert reply['messages'] == [] and reply['more'] is False
    events = await fill(ann, 550)
    for count in (0, 1, 20, 499, 500):
        bob, reply = await come(ng, 'bob', join={'history': count})
        assert reply['messages'] == (events[-count:] if count else [])
        assert reply['more'] is (count > 0)
        assert reply['recovered'] is True and 'reason' not in reply
        assert reply['head'] == pos(events[-1])
        if count:
            answer = await bob.settle('history', chat_id='room', limit=500,
                                      before=pos(reply['messages'][0]))
            rest = 550 - count
            assert answer['messages'] == events[max(rest - 500, 0):rest]
            assert answer['more'] is (rest > 500)
        await bob.close()
    live = await fill(ann, 1, cid='x')
    bob, reply = await come(ng, 'bob', join={'history': 1})
    assert reply['messages'] == live


async def test_all_there_is_on_join(ng):
    ann, _ = await come(ng)
    events = await fill(ann, 7)
    for count in (7, 8, 500):
        _, reply = await come(ng, 'bob', join={'history': count})
        assert reply['messages'] == events and reply['more'] is False


async def test_after_wins_over_history(ng):
    ann, _ = await come(ng)
    events = await fill(ann, 20)
    for i, history in ((15, 2), (15, 18), (19, 5), (0, 1)):
        _, reply = await come(ng, 'bob', join={
            'after': pos(events[i]), 'history': history})
        assert reply['recovered'] is True and reply['more'] is False
        assert reply['messages'] == events[i + 1:]
    _, reply = await come(ng, 'bob', join={
        'after': {'epoch': events[0]['epoch'], 'seq': 10 ** 6},
        'history': 5})
    assert (reply['recovered'], reply['reason']) == (False, 'ahead')
    assert reply['messages'] == []


async def test_on_another_worker(ng):
    w1, w2 = ng.worker_pids()
    ann, _ = await come(ng, worker=w1)
    bob, first = await come(ng, 'bob', worker=w1)
    seen = await fill(ann, 5)
    assert await bob.collect(5) == seen
    await bob.abort()
    missed = await fill(ann, 30, cid='x')
    for worker in (w2, w1, w2):
        bob, reply = await come(ng, 'bob', worker=worker,
                                join={'after': pos(seen[-1])})
        assert reply['recovered'] and reply['messages'] == missed
        live = await fill(ann, 3, cid='live%d' % len(missed))
        assert await bob.collect(3) == live
        await bob.close()
        missed += live


async def test_after_a_reload(nginx):
    ng = nginx(location=FREE + 'ws_chat_drain 1h;')
    ann, _ = await come(ng)
    bob, _ = await come(ng, 'bob')
    seen = await fill(ann, 5)
    assert await bob.collect(5) == seen
    old = ng.worker_pids()
    await asyncio.to_thread(ng.reload)
    missed = await fill(ann, 5, cid='x')

    # ann is still on a draining worker, bob is back on a new one
    back, reply = await come(ng, 'bob', join={'after': pos(seen[-1])})
    assert reply['recovered'] and reply['messages'] == missed
    live = await fill(ann, 5, cid='y')
    assert await back.collect(5) == live
    live += await fill(back, 5, cid='z')
    assert await ann.collect(5) == live[5:]
    assert await bob.collect(15) == missed + live
    assert set(ng.draining_pids()) <= set(old) and ng.draining_pids()
    for client in ann, bob, back:
        await client.close()
    await asyncio.to_thread(wait_for, lambda: not ng.draining_pids(),
                            what='the old workers are gone')


async def test_after_a_worker_was_killed(ng):
    w1, w2 = ng.worker_pids()
    ann, _ = await come(ng, worker=w1)
    bob, _ = await come(ng, 'bob', worker=w2)
    seen = await fill(ann, 5)
    assert await bob.collect(5) == seen
    await asyncio.to_thread(ng.kill_worker, w2)
    assert (await bob.closed())[0] == 1006
    missed = await fill(ann, 5, cid='x')
    for worker in ng.worker_pids():
        bob, reply = await come(ng, 'bob', worker=worker,
                                join={'after': pos(seen[-1])})
        assert reply['recovered'] and reply['messages'] == missed
        live = await fill(bob, 2, cid='y%d' % worker)
        assert await ann.collect(2) == live
        missed += live


@pytest.mark.plain_store
async def test_a_position_that_this_worker_has_not_seen_yet(nginx):
    """Who comes from a faster worker misses nothing and gets nothing twice."""
    ng = nginx(workers=2, module='test', location=FREE,
               http='ws_chat_test_store delay=150ms shuffle;')
    members = [await Client.connect(ng, user='m%d' % i) for i in range(8)]
    for member in members:
        await member.settle('join', chat_id='room')
    for turn in range(6):
        ack = await members[0].settle('send', chat_id='room', message=turn,
                                      cid='c%d' % turn)
        comers = [await Client.connect(ng, user='n%d' % i) for i in range(8)]
        await asyncio.gather(*(c.settle('join', chat_id='room',
                                        after=pos(ack)) for c in comers))
        last = await members[0].settle('send', chat_id='room', message='on',
                                       cid='d%d' % turn)
        for comer in comers:
            event = await comer.expect('message')
            assert pos(event) == pos(last) and event['prev'] == pos(ack)
            await comer.close()
