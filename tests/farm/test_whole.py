"""What is promised, on the farm that `make farm` starts, from end to end.

Clients are third-party ones; what they see is compared with what a plain
consumer finds in Kafka and psql in PostgreSQL. WSC_LONG=1: as many messages
as are promised, instead of a few thousand.
"""

import asyncio
import json
import os
import re
import subprocess

import pytest

from farm import until
from harness.client import Client
from harness.member import position
from harness.nginx import TOP, wait_for
from harness.records import partition
from whole import PARTITIONS, TOPIC, WholeFarm, text_of

LONG = os.environ.get('WSC_LONG') == '1'
MISSED = [0, 1, 500, 5000] + LONG * [200000]
# the first one is where the last of these resumes from
COUNT = MISSED[-1] + 1
DEEP = 'deep'
PATIENT = 600 if LONG else 60

pytestmark = [pytest.mark.timeout(3000 if LONG else 300),
              pytest.mark.xdist_group('whole')]


@pytest.fixture(scope='module')
def farm(tmp_path_factory):
    farm = WholeFarm(tmp_path_factory.mktemp('whole'))
    yield farm
    farm.stop()


@pytest.fixture(scope='module')
def deep(farm):
    """A chat of COUNT messages, as Kafka has them: [(seq, cid)]."""
    producer = farm.producer()
    for i in range(COUNT):
        while producer.poll(0) is not None and len(producer) > 50000:
            producer.poll(0.1)
        producer.produce(TOPIC, key=DEEP, value=json.dumps(
            {'sender': 'shop', 'message': i, 'cid': 'c%d' % i}))
    assert producer.flush(60) == 0
    found = [(m.offset() + 1, text_of(m)['cid']) for m in farm.records(DEEP)]
    assert [cid for _, cid in found] == ['c%d' % i for i in range(COUNT)]
    farm.archived(DEEP, COUNT, PATIENT)
    return found


def before(event):
    return {'epoch': event['epoch'], 'seq': event['seq']}


def pairs(messages):
    return [(m['seq'], m['cid']) for m in messages]


def chained(messages):
    """Each says which one is before it."""
    for one, two in zip(messages, messages[1:]):
        assert two['prev'] == before(one), two


async def resumed(client, after):
    """All behind a position: in the answer, and paged to its head."""
    joined = await client.settle('join', chat_id=DEEP, after=after)
    assert joined['recovered'], joined
    found = joined['messages']
    assert joined['more'] == (bool(found)
                              and position(found[-1])
                              < position(joined['head']))
    while found and position(found[-1]) < position(joined['head']):
        page = await client.settle('history', chat_id=DEEP, limit=500,
                                   after=before(found[-1]))
        assert page['messages'], page
        found += page['messages']
    return joined, found


async def test_a_conversation(farm):
    """Ack, echo, another node, another producer; Kafka and PostgreSQL."""
    ann = await Client.connect(farm.url(), user='ann')
    others = [n for n in farm.nodes if n != ann.welcome['node']]
    bob = await Client.connect(farm.url(others[0]), user='bob', fmt='msgpack')
    for client in ann, bob:
        await client.settle('join', chat_id='talk')
    stamps = []
    for i in range(5):
        ack = await ann.cmd('send', chat_id='talk', cid='a%d' % i,
                            message={'n': i, 'text': 'h\u00e9'})
        assert ack['ev'] == 'ack' and ack['cid'] == 'a%d' % i
        stamps.append(ack['timestamp'])
    for client in ann, bob:
        got = [await client.expect('message') for _ in range(5)]
        assert [m['cid'] for m in got] == ['a%d' % i for i in range(5)]
        assert got[0]['prev'] is None and got[0]['sender'] == 'ann'
        chained(got)
    await bob.close()

    # what is sent meanwhile awaits whoever comes back, wherever
    for i in range(5, 8):
        await ann.cmd('send', chat_id='talk', cid='a%d' % i, message=i)
    bob = await Client.connect(farm.url(others[1]), user='bob', fmt='msgpack')
    assert bob.welcome['node'] == others[1]
    await until(lambda: len(farm.records('talk')) == 8)
    joined = await bob.settle('join', chat_id='talk', after=before(got[-1]))
    assert joined['recovered'] and not joined['more']
    missed = joined['messages']
    while len(missed) < 3:
        missed.append(await bob.expect('message'))
    assert [m['cid'] for m in missed] == ['a5', 'a6', 'a7']
    chained([got[-1], *missed])

    # another producer's message, without all that may be left out
    producer = farm.producer()
    producer.produce(TOPIC, key='talk', value='{"sender":"shop","message":1}')
    assert await asyncio.to_thread(producer.flush, 30) == 0
    for client in ann, bob:
        got = await client.expect('message', sender='shop')
        assert got['message'] == 1

    records = farm.records('talk')
    assert {m.partition() for m in records} == {partition('talk', PARTITIONS)}
    first = text_of(records[0])
    assert list(first) == ['chat_id', 'sender', 'message', 'timestamp', 'cid']
    assert first['chat_id'] == 'talk' and first['sender'] == 'ann'
    assert first['message'] == {'n': 0, 'text': 'h\u00e9'}
    assert first['cid'] == 'a0'
    assert re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z',
                        first['timestamp'])
    await asyncio.to_thread(farm.archived, 'talk', 9)
    rows = farm.psql('select epoch, seq, sender, cid, message, '
                     '(extract(epoch from "timestamp") * 1000)::bigint '
                     "from messages where chat_id = 'talk' "
                     'order by epoch, seq')
    assert [row[:4] for row in rows[:8]] == [
        [str(joined['epoch']), str(m.offset() + 1), 'ann', 'a%d' % i]
        for i, m in enumerate(records[:8])]
    assert json.loads(rows[0][4]) == first['message']
    assert [int(row[5]) for row in rows[:5]] == stamps
    assert rows[8][2:5] == ['shop', '', '1']


async def test_back_to_the_first(farm, deep):
    """Page by page through all of it, from any node and any client."""
    for name, fmt in ('node1', 'json'), ('node2', 'msgpack'):
        async with await Client.connect(farm.url(name), user='ann',
                                        fmt=fmt) as ann:
            joined = await ann.settle('join', chat_id=DEEP, history=100)
            assert (joined['head']['seq'], 'c%d' % (COUNT - 1)) == deep[-1]
            found = joined['messages']
            assert pairs(found) == deep[-100:] and joined['more']
            more, pages = True, [found]
            while more:
                page = await ann.settle('history', chat_id=DEEP, limit=500,
                                        before=before(pages[-1][0]))
                pages.append(page['messages'])
                more = page['more']
            found = [m for page in reversed(pages) for m in page]
            assert pairs(found) == deep
            assert found[0]['prev'] is None
            chained(found)


def test_the_page(farm, deep):
    """A person does the same in a browser, which keeps few of them."""
    done = subprocess.run(
        ['tests/tools/run-node', 'deep', 'tests/farm/deep.mjs'], cwd=TOP,
        env={**os.environ, 'WSC_CHAT': DEEP, 'WSC_NEWEST': str(COUNT - 1),
             'WSC_URL': 'http://127.0.0.1:%d/' % farm.ports['front']},
        text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
    log = (TOP / 'build/log/node-deep.log').read_text()
    print(re.search('^# (page: .*)$', log, re.M)[1])


async def test_resume(farm, deep):
    """What was missed is there: complete, in order, once, however much."""
    name = await asyncio.to_thread(farm.fresh_node)
    await until(lambda: (farm.dir / name / 'error.log').exists())
    async with await Client.connect(farm.url(name), user='ann') as ann:
        epoch = (await ann.settle('join', chat_id=DEEP))['epoch']
        await ann.leave(DEEP)
        for missed in MISSED:
            after = {'epoch': epoch, 'seq': deep[-1 - missed][0]}
            joined, found = await resumed(ann, after)
            assert pairs(found) == deep[len(deep) - missed:], missed
            chained(found)
            if missed:
                assert found[0]['prev'] == after
            await ann.leave(DEEP)


async def test_resume_without_redis(farm, deep):
    """The same when Redis has lost everything."""
    async with await Client.connect(farm.url(), user='bob') as bob:
        epoch = (await bob.settle('join', chat_id=DEEP))['epoch']
        await bob.leave(DEEP)
        for missed in MISSED:
            await asyncio.to_thread(farm.lose_redis)
            after = {'epoch': epoch, 'seq': deep[-1 - missed][0]}
            found = (await asyncio.wait_for(resumed(bob, after), PATIENT))[1]
            assert pairs(found) == deep[len(deep) - missed:], missed
            chained(found)
            await bob.leave(DEEP)
        # and it goes on
        await bob.settle('join', chat_id=DEEP)
        await bob.settle('send', chat_id=DEEP, cid='new', message='new',
                         retry=True)
        got = await bob.expect('message', cid='new', timeout=PATIENT)
        assert got['prev'] == {'epoch': epoch, 'seq': deep[-1][0]}
        assert wait_for(lambda: farm.records(DEEP)[-1].offset() + 1
                        == got['seq'])
