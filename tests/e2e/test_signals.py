"""Signals: what members tell each other and no history holds."""

import asyncio

import pytest

from harness.client import Client, ChatError
from harness.member import connect_to

FREE = 'ws_chat_rate off;'


async def joined(ng, user, chat='room', **options):
    client = await Client.connect(ng, user=user, **options)
    await client.settle('join', chat_id=chat)
    return client


async def signal(client, name, data, chat='room', **fields):
    return await client.settle('signal', chat_id=chat, name=name, data=data,
                               **fields)


async def test_everybody_gets_it_the_sender_too(nginx):
    ng = nginx(location=FREE)
    people = [await joined(ng, 'ann'), await joined(ng, 'bob', fmt='msgpack'),
              await joined(ng, 'eve', deflate=True)]
    other = await joined(ng, 'zoe', 'other')
    reply = await signal(people[0], 'pos', {'x': 1.5})
    assert reply == {'ev': 'ok', 'id': reply['id']}
    for client in people:
        assert await client.expect('signal') == {
            'ev': 'signal', 'chat_id': 'room', 'sender': 'ann',
            'name': 'pos', 'data': {'x': 1.5}}
    await signal(people[1], 'raw', b'\x00\xff')
    event = await people[0].expect('signal')
    assert (event['data'], event['enc']) == ('AP8=', 'base64')
    assert (await people[1].expect('signal'))['data'] == b'\x00\xff'
    await other.nothing('signal')


async def test_on_all_workers_in_order_and_not_after_left(nginx):
    ng = nginx(workers=3, location=FREE)
    people = []
    for worker in ng.worker_pids():
        client = await connect_to(ng, worker, user='u%d' % worker)
        await client.settle('join', chat_id='room')
        people.append(client)
    for n in range(200):
        await people[0].post({'op': 'signal', 'chat_id': 'room',
                              'name': 'n', 'data': n})
    for n in range(20):
        await signal(people[1], 'm', n)
    last = people[2]
    for client in people[:2]:
        events = await client.collect(20, 'signal', name='m')
        assert [e['data'] for e in events] == list(range(20))
    for client in people:
        events = [e['data'] for e in client.events if e.get('name') == 'n']
        if client is last:
            await client.expect('signal', name='m', data=19)
            events = [e['data'] for e in client.events
                      if e.get('name') == 'n']
        assert events == sorted(events) and len(events) <= 200
    await last.settle('leave', chat_id='room')
    last.events.clear()
    await signal(people[0], 'late', 1)
    await people[0].expect('signal', name='late')
    await last.nothing('signal')


async def test_what_is_refused(nginx):
    ng = nginx(location='ws_chat_rate 5r/s burst=5;')
    a = await Client.connect(ng, user='ann')
    for fields, code in (
            ({'chat_id': 'room', 'name': 'x', 'data': 1}, 'not_joined'),
            ({'chat_id': 'room', 'name': 'x'}, 'bad_request'),
            ({'chat_id': 'room', 'name': 'x' * 65, 'data': 1}, 'bad_request'),
            ({'chat_id': 'room', 'name': 'x', 'data': 'x' * 4095},
             'bad_request')):
        with pytest.raises(ChatError) as refused:
            await a.cmd('signal', **fields)
        assert refused.value.code == code, fields
    await a.settle('join', chat_id='room')
    await signal(a, 'x', 'x' * 4094)
    with pytest.raises(ChatError) as refused:
        for _ in range(20):
            try:
                await a.cmd('signal', chat_id='room', name='x', data=1)
            except ChatError as e:
                if e.code == 'rate_limited':
                    raise
    assert refused.value.event['retry_ms'] > 0


async def test_a_signal_behind_its_join(nginx):
    ng = nginx(location=FREE)
    while True:
        a = await Client.connect(ng, user='ann')
        await a.post([{'op': 'join', 'id': 1, 'chat_id': 'room'},
                      {'op': 'signal', 'id': 2, 'chat_id': 'room',
                       'name': 'x', 'data': [1]}])
        replies = [await a.reply(1), await a.reply(2)]
        if [e['ev'] for e in replies] == ['joined', 'ok']:
            break
        assert all(e['ev'] != 'error' or e['temporary'] for e in replies)
        await asyncio.sleep(0.05)
    await a.expect('signal', data=[1])


async def test_what_is_kept_is_in_the_reply_on_any_worker(nginx):
    ng = nginx(workers=2, location=FREE)
    a = await joined(ng, 'ann')
    reply = await a.settle('join', chat_id='room')
    assert reply['signals'] == {}
    await signal(a, 'pos', {'n': 1}, keep=True)
    await signal(a, 'pos', {'n': 2}, keep=True)
    await signal(a, 'pos', {'n': 3})
    await signal(a, 'blob "x"', 'x' * 4000, keep=True)
    await a.collect(4, 'signal')
    kept = {'pos': {'sender': 'ann', 'data': {'n': 2}},
            'blob "x"': {'sender': 'ann', 'data': 'x' * 4000}}
    for worker in ng.worker_pids():
        for fmt in ('json', 'msgpack'):
            client = await connect_to(ng, worker, user='late', fmt=fmt)
            reply = await client.settle('join', chat_id='room')
            assert reply['signals'] == kept
            await client.close()
    await signal(a, 'pos', None, keep=True)
    await a.expect('signal', data=None)
    reply = await a.settle('join', chat_id='room')
    assert list(reply['signals']) == ['blob "x"']


async def test_it_is_kept_while_nobody_is_there(nginx):
    ng = nginx(location=FREE)
    a = await joined(ng, 'ann')
    await signal(a, 'x', b'\x00\x01' if a.fmt == 'msgpack' else [1],
                 keep=True)
    await a.expect('signal')
    await a.close()
    b = await Client.connect(ng, user='bob')
    reply = await b.settle('join', chat_id='room')
    assert reply['signals'] == {'x': {'sender': 'ann', 'data': [1]}}


async def test_a_chat_keeps_32_names(nginx):
    ng = nginx(location=FREE)
    a = await joined(ng, 'ann')
    for n in range(32):
        await signal(a, 'n%d' % n, n, keep=True)
    await a.collect(32, 'signal')
    with pytest.raises(ChatError) as refused:
        await a.settle('signal', chat_id='room', name='more', data=1,
                       keep=True)
    assert refused.value.code == 'forbidden'
    await signal(a, 'more', 1)
    await signal(a, 'n5', 'again', keep=True)
    await a.expect('signal', name='n5', data='again')
    reply = await a.settle('join', chat_id='room')
    assert len(reply['signals']) == 32
    assert reply['signals']['n5']['data'] == 'again'
