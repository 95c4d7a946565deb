"""Changed messages of durable chats: records that everybody goes by."""

import asyncio
import json
import re
import signal
import time
from types import SimpleNamespace

import pytest

from harness import tokens
from harness.client import ChatError, Client
from harness.line import FREE, PARTITIONS, PATIENT, line  # noqa: F401
from harness.member import position
from harness.nginx import wait_for
from harness.pipeline import (  # noqa: F401
    daemon, database, kafka, postgres, redis)
from harness.records import EPOCH, iso, partition, send as produce
from harness.sse import Stream

pytestmark = [pytest.mark.plain_store, pytest.mark.once,
              pytest.mark.xdist_group('kafka')]

ROOM = 'room'
SECRET = 'a secret text of ann'


async def joined(ng, user, **options):
    client = await Client.connect(ng, user=user, **options)
    await client.settle('join', chat_id=ROOM)
    return client


async def say(client, message, cid=None):
    """Send a message; where it is."""
    cid = cid or 'c%d' % next(client.cids)
    await client.settle('send', chat_id=ROOM, cid=cid, message=message)
    event = await client.expect('message', chat_id=ROOM, cid=cid,
                                timeout=PATIENT)
    return {'epoch': event['epoch'], 'seq': event['seq']}


async def refused(client, op, **fields):
    with pytest.raises(ChatError) as e:
        await client.settle(op, chat_id=ROOM, **fields)
    return e.value.code


async def api(ng, method, place, body=None):
    response = await asyncio.to_thread(
        ng.request, '/api/chats/%s/messages/%d:%d' % (
            ROOM, place['epoch'], place['seq']), method,
        body=None if body is None else json.dumps(body))
    return response.status, json.loads(response.body)


async def now(client, **fields):
    """What the history shows: text, or None of what was retracted."""
    page = await client.settle('history', chat_id=ROOM, **fields)
    assert all(('message' in m) != m.get('retracted', False)
               for m in page['messages'])
    return [m.get('message') for m in page['messages']]


async def test_everybody_is_told_once(line):  # noqa: F811
    """On both nodes, in both formats; the records are as documented."""
    line.relay()
    a, b = await line.node(), await line.node()
    ann = await joined(a, 'ann')
    people = [ann, await joined(a, 'bob', fmt='msgpack'),
              await joined(b, 'eve'), await joined(b, 'zoe', deflate=True)]
    first, second = await say(ann, 'frist'), await say(ann, SECRET)
    ack = await ann.settle('edit', chat_id=ROOM, message={'n': 1.50}, **first)
    assert ack == {'ev': 'ack', 'id': ack['id'], 'chat_id': ROOM,
                   'timestamp': ack['timestamp'], **first}
    gone = await ann.settle('retract', chat_id=ROOM, **second)
    for client in people:
        update = await client.expect('update', timeout=PATIENT, **first)
        assert update['message'] == {'n': 1.5}
        update = await client.expect('update', timeout=PATIENT, **second)
        assert update['retracted'] is True and 'message' not in update
    # again: nothing is told, and nothing is recorded
    await ann.settle('retract', chat_id=ROOM, **second)
    assert await refused(people[2], 'edit', message='x', **first) == \
        'forbidden'
    assert await refused(people[2], 'retract', **first) == 'forbidden'
    assert await refused(ann, 'edit', message='x', **second) == 'not_found'
    assert await refused(ann, 'retract', epoch=EPOCH, seq=99) == 'not_found'
    assert await refused(ann, 'retract', epoch=7, seq=1) == 'not_found'
    last = await say(ann, 'end')
    for client in people[1:]:
        await client.expect('message', timeout=PATIENT, **last)
        await client.nothing('update')
        assert await now(client) == [{'n': 1.5}, None, 'end']
    records = await asyncio.to_thread(line.records, 5)
    assert {r.key() for r in records} == {ROOM.encode()}
    where = '"epoch":%d,"seq":%d,"by":"ann"'
    assert [r.value().decode() for r in records[2:4]] == [
        '{"chat_id":"room","op":"edit",%s,"message":{"n": 1.5},'
        '"timestamp":"%s"}' % (where % position(first),
                               iso(ack['timestamp'])),
        '{"chat_id":"room","op":"retract",%s,"timestamp":"%s"}'
        % (where % position(second), iso(gone['timestamp']))]
    # the chain goes on, over their places
    assert position(last) == (EPOCH, 5)
    late = await Client.connect(b, user='late')
    reply = await late.settle('join', chat_id=ROOM, after=second)
    assert reply['recovered'] and position(reply['messages'][0]) == \
        position(last)
    assert [(u['seq'], u.get('message')) for u in reply['updates']] == [
        (1, {'n': 1.5}), (2, None)]


async def test_moderation(line):  # noqa: F811
    """A claim or the API changes what others sent."""
    line.relay()
    ng = line.nginx(start=False, zone=line.zone(),
                    location=FREE + 'ws_chat_auth jwt;'
                                    'ws_chat_jwt_key secret;')
    (ng.dir / 'secret').write_bytes(tokens.SECRET + b'\n')
    ng.start()
    await line.ready(ng)

    async def holder(user, **claims):
        token = tokens.mint(tokens.claims(user, **claims))
        client = await Client.connect(
            ng, headers={'Authorization': 'Bearer ' + token})
        await client.settle('join', chat_id=ROOM)
        return client

    ann = await holder('ann')
    root = await holder('root', moderate=True)
    places = [await say(ann, SECRET) for _ in range(4)]
    await root.settle('edit', chat_id=ROOM, message='x', **places[0])
    await root.settle('retract', chat_id=ROOM, **places[1])
    status, answer = await api(ng, 'PATCH', places[2], {'message': [1]})
    assert (status, position(answer)) == (200, position(places[2]))
    assert (await api(ng, 'DELETE', places[3]))[0] == 200
    for place, wanted in zip(places, ['x', None, [1], None]):
        update = await ann.expect('update', timeout=PATIENT, **place)
        assert update.get('message') == wanted
    assert await now(ann) == ['x', None, [1], None]
    assert (await api(ng, 'DELETE', places[3]))[0] == 200
    assert (await api(ng, 'PATCH', places[3], {'message': 1}))[0] == 404


async def test_what_dies(line):  # noqa: F811
    """The relay: the ack comes all the same.  The broker: it does not."""
    relay = line.relay()
    ng = await line.node()
    ann = await joined(ng, 'ann')
    place, other = await say(ann, SECRET), await say(ann, SECRET)
    relay.kill()
    await ann.settle('edit', chat_id=ROOM, message='x', **place)
    await ann.nothing('update')
    line.relay()
    update = await ann.expect('update', timeout=PATIENT, **place)
    assert update['message'] == 'x'
    # Redis loses all: the same is put back, and nobody is told again
    line.redis.cli('flushall')
    changes = 'wsc:{%d}:u:%s' % (partition(ROOM, PARTITIONS), ROOM)
    await asyncio.to_thread(
        wait_for, lambda: int(line.redis.ask('HLEN', changes)) == 1, PATIENT,
        'the change is put back')
    assert await now(ann) == ['x', SECRET]
    line.kafka.stop(signal.SIGKILL)
    try:
        with pytest.raises(ChatError) as e:
            await ann.cmd('retract', chat_id=ROOM, timeout=PATIENT, **other)
        assert e.value.code == 'unknown'
    finally:
        await asyncio.to_thread(line.kafka.start)
    await ann.settle('retract', chat_id=ROOM, **other)
    update = await ann.expect('update', timeout=PATIENT)
    assert update['retracted'] is True and position(update) == position(other)
    await say(ann, 'end')
    await ann.nothing('update')
    assert await now(ann) == ['x', None, 'end']


@pytest.fixture
def deep(line, database):  # noqa: F811
    """A node whose Redis has the end of a chat, and what archives it."""
    producer = line.kafka.producer(enable_idempotence=True)
    stamp = iso(int(time.time() * 1000))
    for i in range(1300):
        produce(producer, line.topic, ROOM, 'c%d' % i, message=str(i),
                timestamp=stamp)
    producer.flush()
    relay = line.relay(history_messages=10, rebuild_records=50)
    archiver = line.archiver(database)
    history = line.history(database)
    wait_for(lambda: archiver.metrics()['messages_total'] == 1300
             and relay.metrics()['messages_total'] == 1300, PATIENT,
             'all is stored')
    return SimpleNamespace(relay=relay, archiver=archiver,
                           archive='ws_chat_history_pass '
                           'http://127.0.0.1:%d;' % history.port)


async def test_the_archive(line, deep, database):  # noqa: F811
    """What Redis has no more can be changed; the row is, the text gone."""
    ng = await line.node(http=deep.archive)
    ann, bob = await joined(ng, 'ann'), await joined(ng, 'bob')
    places = [{'epoch': EPOCH, 'seq': seq} for seq in (1, 2, 3, 1300)]
    assert await refused(bob, 'retract', **places[0]) == 'forbidden'
    await ann.settle('edit', chat_id=ROOM, message={'n': 1.50}, **places[0])
    await ann.settle('retract', chat_id=ROOM, **places[1])
    assert (await api(ng, 'PATCH', places[2], {'message': 'x'}))[0] == 200
    await ann.settle('retract', chat_id=ROOM, **places[3])
    for place, wanted in zip(places, [{'n': 1.5}, None, 'x', None]):
        update = await bob.expect('update', timeout=PATIENT, **place)
        assert update.get('message') == wanted
    # read at once, before it may be archived, and after it was
    front = {'epoch': EPOCH, 'seq': 5}
    shown = [{'n': 1.5}, None, 'x', 3]
    assert await now(bob, before=front) == shown
    # who comes back to what is only archived is told, too
    late = await Client.connect(ng, user='late')
    reply = await late.settle('join', chat_id=ROOM, after=places[2])
    assert reply['recovered'] and reply['more']
    assert [(u['seq'], u.get('message')) for u in reply['updates']] == [
        (1, {'n': 1.5}), (2, None), (3, 'x')]
    rows = ('select seq, message::text, changed_by from messages '
            'where changed_seq is not null order by seq')
    await asyncio.to_thread(
        wait_for, lambda: len(database.rows(rows)) == 4, PATIENT,
        'the changes are archived')
    assert database.rows(rows) == [
        (1, '{"n": 1.5}', 'ann'), (2, 'null', 'ann'), (3, '"x"', None),
        (1300, 'null', 'ann')]
    line.redis.cli('flushall')
    await line.ready(ng)
    assert await now(bob, before=front) == shown
    assert await refused(ann, 'edit', message='y', **places[1]) == 'not_found'
    page = await ann.settle('history', chat_id=ROOM, limit=2)
    assert [m.get('message') for m in page['messages']] == [1298, None]


async def test_a_late_relay(line, deep, database):  # noqa: F811
    """What is archived is newer: no edit from before it is shown."""
    ng = await line.node(http=deep.archive)
    ann = await joined(ng, 'ann')
    front = {'epoch': EPOCH, 'seq': 4}
    places = [{'epoch': EPOCH, 'seq': seq} for seq in (1, 2, 3)]
    for place in places:
        await ann.settle('edit', chat_id=ROOM, message=SECRET, **place)
        await ann.expect('update', timeout=PATIENT, **place)

    async def archived(count):
        await asyncio.to_thread(
            wait_for, lambda: database.value(
                'select max(changed_seq) from messages') == 1300 + count,
            PATIENT, 'the changes are archived')

    await archived(3)
    deep.relay.kill()
    await ann.settle('retract', chat_id=ROOM, **places[0])
    await ann.settle('edit', chat_id=ROOM, message='new', **places[1])
    await archived(5)
    assert await now(ann, before=front) == [None, 'new', SECRET]
    assert await refused(ann, 'edit', message='x', **places[0]) == 'not_found'
    # the relay comes back, the archive stays behind
    deep.archiver.kill()
    line.relay(history_messages=10)
    await ann.settle('retract', chat_id=ROOM, **places[2])
    await ann.expect('update', timeout=PATIENT, **places[2])
    assert await now(ann, before=front) == [None, 'new', None]


async def test_neither_has_it_yet(line, deep):  # noqa: F811
    """Not before either is that far it is known what there is not."""
    ng = await line.node(http=deep.archive)
    ann = await joined(ng, 'ann')
    deep.archiver.kill()
    place = await say(ann, SECRET, 'mine')
    deep.relay.kill()
    # as while it puts back what was there
    key = 'wsc:{%d}:progress' % partition(ROOM, PARTITIONS)
    line.redis.cli('set', key, '%d 1300 1301 0' % EPOCH)
    with pytest.raises(ChatError) as e:
        await ann.cmd('edit', chat_id=ROOM, message='x', **place)
    assert e.value.code == 'unavailable'
    # the archive is beyond that
    assert await refused(ann, 'edit', message='x', epoch=EPOCH - 1, seq=7) == \
        'not_found'
    line.redis.cli('set', key, '%d 1301 1301 0' % EPOCH)
    await ann.settle('retract', chat_id=ROOM, **place)


async def test_without_what_was_changed(line, deep):  # noqa: F811
    """The archive alone is no answer where Redis does not tell changes."""
    ng = await line.node(http=deep.archive)
    ann = await joined(ng, 'ann')
    front = {'epoch': EPOCH, 'seq': 3}
    deep.relay.kill()
    # as while it puts back what was there
    line.redis.cli('set', 'wsc:{%d}:progress' % partition(ROOM, PARTITIONS),
                   '%d 1300 1301 0' % EPOCH)
    assert await now(ann, before=front) == [0, 1]
    line.redis.cli('acl', 'setuser', 'default', '-hmget')
    try:
        with pytest.raises(ChatError) as e:
            await ann.cmd('history', chat_id=ROOM, before=front)
        assert e.value.code == 'unavailable'
    finally:
        line.redis.cli('acl', 'setuser', 'default', '+hmget')
    assert await now(ann, before=front) == [0, 1]


async def test_what_is_too_old(line):  # noqa: F811
    """One look at Redis tells it, however many are."""
    producer = line.kafka.producer()
    for i in range(100):
        produce(producer, line.topic, ROOM, 'old%d' % i,
                timestamp=iso())
    producer.flush()
    relay = line.relay()
    ng = await line.node()
    await asyncio.to_thread(
        wait_for, lambda: relay.metrics()['messages_total'] == 100, PATIENT,
        'all is stored')
    ann = await joined(ng, 'ann')
    place = await say(ann, 'new')

    def looks():
        text = line.redis.cli('info', 'commandstats')
        return int(re.search(r'cmdstat_xrange:calls=(\d+)', text)[1])

    before = looks()
    for seq in 1, 100:
        assert await refused(ann, 'retract', epoch=EPOCH, seq=seq) == \
            'not_found'
    assert looks() == before + 2
    await ann.settle('retract', chat_id=ROOM, **place)


async def erase(ng, user):
    """Status and answer, which names a moment to come back when it is 503."""
    response = await asyncio.to_thread(ng.request, '/api/users/' + user,
                                       'DELETE', timeout=PATIENT)
    assert (response.status == 503) == ('retry-after' in response.headers)
    return response.status, json.loads(response.body)


TEXTS = ("select count(*) from messages where sender = 'ann' "
         "and message::text <> 'null'")


async def all_gone(database):
    await asyncio.to_thread(
        wait_for, lambda: database.value(TEXTS) == 0, PATIENT,
        'no text of ann is left')


async def test_erasing_a_user(line, deep, database):  # noqa: F811
    """In every chat, what is only archived and what is not yet; no more."""
    ng = await line.node(http=deep.archive, server='''
        location = /events { ws_chat_sse zone=chat; ws_chat_rate off; }''')
    ann, bob = await joined(ng, 'ann'), await joined(ng, 'bob')
    kept = await say(bob, 'of bob')
    other = await say(ann, 'x', 'other')
    await ann.settle('edit', chat_id=ROOM, message=SECRET, **other)
    gone = await say(ann, SECRET, 'gone')
    await ann.settle('retract', chat_id=ROOM, **gone)
    await bob.expect('update', timeout=PATIENT, **gone)
    for client, text in (ann, SECRET), (bob, 'of bob'):
        await client.settle('join', chat_id='aside')
        await client.settle('send', chat_id='aside', cid='1', message=text)
    # acknowledged, and perhaps nowhere but in Kafka
    await ann.settle('send', chat_id='aside', cid='2', message=SECRET)
    status, answer = await erase(ng, 'ann')
    assert (status, answer['messages']) == (200, 1300 + 1 + 2)
    update = await bob.expect('update', timeout=PATIENT, retracted=True,
                              **other)
    assert 'message' not in update
    await all_gone(database)
    assert database.value('select count(*) from messages where sender = %s '
                          'and retracted is null', 'bob') == 2
    for after in 0, 700, 1299:
        page = await bob.settle('history', chat_id=ROOM, limit=500,
                                after={'epoch': EPOCH, 'seq': after + 1})
        assert page['messages'] and SECRET not in page.raw
        assert {m.get('message') for m in page['messages']} <= {
            None, 'of bob'}
    page = await bob.settle('history', chat_id='aside')
    assert sorted((m['sender'], m.get('message'))
                  for m in page['messages']) == [
        ('ann', None), ('ann', None), ('bob', 'of bob')]
    late = await Client.connect(ng, user='late')
    reply = await late.settle('join', chat_id=ROOM,
                              after={'epoch': EPOCH, 'seq': 1290})
    # so much has changed that the history is to be loaded again
    assert not reply['recovered'] and SECRET not in reply.raw
    await late.settle('leave', chat_id=ROOM)
    reply = await late.settle('join', chat_id=ROOM, history=50)
    assert {m.get('message') for m in reply['messages']} == {None, 'of bob'}
    with await asyncio.to_thread(Stream, ng, 'aside', user='eve',
                                 path='/events', history=50) as stream:
        events = await asyncio.to_thread(stream.messages, 3)
    assert SECRET not in json.dumps(events)
    # again: nothing is left to do, and what comes from then on stays
    assert (await erase(ng, 'ann'))[1]['messages'] == 0
    new = await say(ann, 'new', 'new')
    line.redis.cli('flushall')
    await line.ready(ng)
    page = await bob.settle('history', chat_id=ROOM, before={
        'epoch': EPOCH, 'seq': new['seq'] + 1}, limit=500)
    assert {(m['seq'], m['message']) for m in page['messages']
            if 'message' in m} == {(kept['seq'], 'of bob'),
                                   (new['seq'], 'new')}


async def test_erasing_again(line, deep, database):  # noqa: F811
    """What is not archived, and what Kafka does not take: 503, repeat it."""
    ng = await line.node(http=deep.archive)
    ann = await joined(ng, 'ann')
    deep.archiver.stop()
    await say(ann, SECRET, 'late')
    status, answer = await erase(ng, 'ann')
    assert (status, answer['code']) == (503, 'unavailable')
    assert database.value(TEXTS) == 1300
    line.archiver(database)
    await asyncio.to_thread(
        wait_for, lambda: database.value(TEXTS) == 1301, PATIENT,
        'it is archived')
    changes = deep.relay.metrics
    erasing = asyncio.create_task(erase(ng, 'ann'))
    await asyncio.to_thread(
        wait_for, lambda: changes()['changes_total'] > 10, PATIENT,
        'some are retracted')
    line.kafka.send_signal(signal.SIGSTOP)
    try:
        status, answer = await erasing
        assert (status, answer['code']) == (503, 'unknown')
        # nor is it known what else there is
        status, answer = await erase(ng, 'ann')
        assert (status, answer['code']) == (503, 'unavailable')
    finally:
        line.kafka.send_signal(signal.SIGCONT)
    async with asyncio.timeout(PATIENT):
        while status == 503:
            status, answer = await erase(ng, 'ann')
    assert status == 200 and 0 < answer['messages'] < 1300
    await all_gone(database)


async def test_erasing_needs_the_archive(line):  # noqa: F811
    ng = await line.node()
    status, answer = await erase(ng, 'ann')
    assert (status, answer['code']) == (404, 'unknown_op')


async def test_a_live_zone(line, database):  # noqa: F811
    """Redis decides, the archive follows: by records of the changes."""
    archiver = line.archiver(database, delivery='live')
    history = line.history(database, delivery='live')
    pass_to = 'ws_chat_history_pass http://127.0.0.1:%d;' % history.port
    a, b = [await line.node(delivery='live', http=pass_to, workers=1)
            for _ in range(2)]
    ann, also = await joined(a, 'ann'), await joined(b, 'ann')
    places = [await say(ann, SECRET) for _ in range(3)]
    for place in places:
        await also.expect('message', timeout=PATIENT, **place)
    await also.settle('edit', chat_id=ROOM, message={'n': 1.50}, **places[0])
    await also.settle('retract', chat_id=ROOM, **places[1])
    # again: a record of it may have been lost
    await also.settle('retract', chat_id=ROOM, **places[1])
    # gone before its answer, and recorded all the same
    await also.post({'op': 'edit', 'chat_id': ROOM, 'message': 'x',
                     **places[2]})
    await ann.expect('update', timeout=PATIENT, **places[2])
    rows = ('select message::text, changed_by from messages '
            'where changed_seq is not null order by seq')
    await asyncio.to_thread(
        wait_for, lambda: len(database.rows(rows)) == 3
        and archiver.metrics()['vain_changes_total'] == 1, PATIENT,
        'the changes are archived')
    assert database.rows(rows) == [('{"n": 1.5}', 'ann'), ('null', 'ann'),
                                   ('"x"', 'ann')]
    assert await now(ann) == [{'n': 1.5}, None, 'x']
    # what Redis has no more comes from there as it is now
    line.redis.cli('flushall')
    await line.ready(a)
    await say(ann, 'new')
    page = {'epoch': places[2]['epoch'], 'seq': places[2]['seq'] + 1}
    assert await now(ann, before=page) == [{'n': 1.5}, None, 'x']


async def test_erasing_in_a_live_zone(line, database):  # noqa: F811
    """What Redis has, and what only the archive has; repetitions, too."""
    line.archiver(database, delivery='live')
    history = line.history(database, delivery='live')
    ng = await line.node(delivery='live', http='ws_chat_history_pass '
                         'http://127.0.0.1:%d;' % history.port)
    ann, bob = await joined(ng, 'ann'), await joined(ng, 'bob')
    await say(ann, SECRET)
    await say(bob, 'of bob')
    await ann.settle('retract', chat_id=ROOM, **await say(ann, SECRET))
    await ann.settle('send', chat_id=ROOM, cid='same', message=SECRET)
    rows = 'select count(*), count(dup_of) from messages'
    await asyncio.to_thread(
        wait_for, lambda: database.rows(rows) == [(4, 0)], PATIENT,
        'they are archived')
    line.redis.cli('flushall')
    await line.ready(ng)
    # Redis has forgotten the first one
    await ann.settle('send', chat_id=ROOM, cid='same', message=SECRET)
    last = await say(ann, SECRET)
    await bob.expect('message', timeout=PATIENT, **last)
    status, answer = await erase(ng, 'ann')
    assert (status, answer['messages']) == (200, 4)
    update = await bob.expect('update', timeout=PATIENT, **last)
    assert update['retracted'] is True
    await all_gone(database)
    assert database.rows(rows) == [(6, 1)]
    assert database.value('select count(*) from early_changes') == 0
    assert await now(bob, before={'epoch': last['epoch'], 'seq': 0}) == [
        None, 'of bob', None, None]
    assert await now(bob) == [None, None]
    assert (await erase(ng, 'ann'))[1]['messages'] == 0
    await say(ann, 'new')
    assert (await now(bob))[-1] == 'new'
