"""Who types: told to all, over when it is not refreshed."""

import asyncio
import time

import pytest

from harness.client import Client, ChatError
from harness.member import connect_to
from harness.nginx import PATIENCE

FREE = 'ws_chat_rate off;'


async def joined(ng, user, chat='room', worker=None, **options):
    client = await connect_to(ng, worker, user=user, **options)
    client.reply_to_join = await client.settle('join', chat_id=chat)
    return client


async def type_(client, on=True, chat='room'):
    reply = await client.settle('typing', chat_id=chat, on=on)
    assert reply == {'ev': 'ok', 'id': reply['id']}


async def test_everybody_sees_who_types_and_stops(nginx):
    ng = nginx(location=FREE)
    people = [await joined(ng, 'ann'), await joined(ng, 'bob', fmt='msgpack'),
              await joined(ng, 'eve', deflate=True)]
    for on in (True, False):
        await type_(people[0], on)
        for client in people:
            assert await client.expect('typing') == {
                'ev': 'typing', 'chat_id': 'room', 'sender': 'ann', 'on': on}


async def test_a_refresh_is_no_event_and_silence_ends_it(nginx):
    ng = nginx(location=FREE)
    ann, bob = await joined(ng, 'ann'), await joined(ng, 'bob')
    start = time.monotonic()
    await type_(ann)
    await bob.expect('typing', on=True)
    for _ in range(4):
        await asyncio.sleep(1)
        await type_(ann)
    last = time.monotonic()
    await bob.nothing('typing')
    await bob.expect('typing', on=False, sender='ann')
    assert time.monotonic() - start > 8
    assert time.monotonic() - last < 9 * PATIENCE


async def test_who_joins_hears_of_it_on_any_worker(nginx):
    ng = nginx(workers=2, location=FREE)
    w1, w2 = ng.worker_pids()
    ann = await joined(ng, 'ann', worker=w1)
    assert ann.reply_to_join['typing'] == []
    await type_(ann)
    await ann.expect('typing')
    for worker in (w1, w2):
        late = await joined(ng, 'late', worker=worker)
        assert late.reply_to_join['typing'] == ['ann']
    await type_(ann, False)
    await late.expect('typing', on=False)
    assert (await joined(ng, 'x', worker=w2)).reply_to_join['typing'] == []


async def test_at_most_twenty_in_the_reply(nginx):
    ng = nginx(location=FREE)
    people = [await joined(ng, 'u%d' % i) for i in range(25)]
    for client in people:
        await type_(client)
    await people[0].collect(25, 'typing')
    late = await joined(ng, 'late')
    assert len(late.reply_to_join['typing']) == 20


async def test_who_is_gone_types_no_more(nginx):
    ng = nginx(location=FREE)
    ann, bob = await joined(ng, 'ann'), await joined(ng, 'bob')
    await type_(ann)
    await bob.expect('typing', on=True)
    await ann.abort()
    start = time.monotonic()
    await bob.expect('typing', on=False, sender='ann')
    assert time.monotonic() - start < 9 * PATIENCE


@pytest.mark.plain_store
async def test_a_killed_worker_types_no_more(nginx):
    ng = nginx(workers=2, location=FREE)
    w1, w2 = ng.worker_pids()
    ann = await joined(ng, 'ann', worker=w1)
    bob = await joined(ng, 'bob', worker=w2)
    await type_(ann)
    await bob.expect('typing', on=True)
    await asyncio.to_thread(ng.kill_worker, w1)
    await bob.expect('typing', on=False, sender='ann')


async def test_what_is_refused(nginx):
    ng = nginx(location=FREE)
    a = await Client.connect(ng, user='ann')
    for fields, code in (({'chat_id': 'room', 'on': True}, 'not_joined'),
                         ({'chat_id': 'room'}, 'bad_request'),
                         ({'chat_id': 'room', 'on': 1}, 'bad_request'),
                         ({'on': True}, 'bad_request')):
        with pytest.raises(ChatError) as refused:
            await a.cmd('typing', **fields)
        assert refused.value.code == code, fields
