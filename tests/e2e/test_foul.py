"""What others write to the topic, be it foul: chats and archive go on.

Everything stands here that messages go through: a broker with a real topic,
relay, archiver, PostgreSQL, history and a node. Among good messages there are
records that are none, records in wrong partitions, and offsets without
records; each is counted, kept or moved, and members get what is good, once.
"""

import asyncio
import json

import pytest

from harness.client import ChatError, Client
from harness.member import Member, position
from harness.nginx import wait_for
from harness.pipeline import (  # noqa: F401
    daemon, database, kafka, postgres, redis)
from harness.records import EPOCH, partition, send as produce, value

pytestmark = [pytest.mark.plain_store, pytest.mark.once,
              pytest.mark.xdist_group('kafka')]

PARTITIONS = 4
ROOM = 'room'
HOME = partition(ROOM, PARTITIONS)
ELSEWHERE = (HOME + 1) % PARTITIONS
# of another partition, as its key says
STRANGER = next(name for name in map(str, range(99))
                if partition(name, PARTITIONS) == ELSEWHERE)
PATIENT = 60

NO_MESSAGE = {
    'text': b'not json', 'cut': b'{"chat_id":"room"', 'octets': b'\xff\xfe',
    'empty': b'', 'tombstone': None, 'array': b'[]', 'number': b'17',
    'no sender': value(ROOM, 'x', sender=None).encode(),
    'no message': b'{"chat_id":"room","sender":"ann"}',
    'bad time': value(ROOM, 'x', timestamp='yesterday').encode(),
    'bad chat': value('a b', 'x').encode(),
    'long cid': value(ROOM, 'x' * 65).encode(),
    '10 MB': value(ROOM, 'x', message='"%s"' % ('x' * 10000000)).encode(),
}
# JSON that no node would take; it is archived as it is, and given to nobody
REFUSED = ['"\\u0000"', '[1e400]', '"\\ud800"', '{"a":1,"a":2}',
           '[' * 40 + ']' * 40]


class Whole:
    """All of it over one topic."""

    def __init__(self, nginx, kafka, redis, daemon, database):
        self.kafka = kafka
        self.database = database
        self.topic = kafka.topic(PARTITIONS, max_message_bytes=20000000)
        common = dict(kafka_brokers=kafka.brokers, epoch=EPOCH,
                      kafka_topic=self.topic)
        self.relay = daemon('relay', kafka_group=self.topic + '-r',
                            redis=redis.uri, history_messages=10, **common)
        self.archiver = daemon('archiver', kafka_group=self.topic + '-a',
                               postgres=database.conninfo, batch_wait=20,
                               **common)
        history = daemon('history', postgres=database.conninfo,
                         kafka_topic=self.topic)
        self.ng = nginx(
            workers=1, location='ws_chat_rate off;',
            zone='ws_chat_zone chat:1m delivery=durable;'
                 'ws_chat_redis chat %s; ws_chat_kafka_brokers %s;'
                 'ws_chat_kafka_topic %s partitions=%d;'
                 'ws_chat_history_pass http://127.0.0.1:%d;'
                 % (redis.uri, kafka.brokers, self.topic, PARTITIONS,
                    history.port))
        wait_for(lambda: self.ng.request('/health').status == 200, PATIENT)
        self.producer = kafka.producer()

    def put(self, data, key=ROOM, where=HOME):
        self.producer.produce(self.topic, key=key, value=data, partition=where)

    def good(self, cid):
        self.put(value(ROOM, cid))

    def archived(self):
        """Wait until PostgreSQL is as far as the topic."""
        ends = self.kafka.end_offsets(self.topic, PARTITIONS)
        wait_for(lambda: all(
            dict(self.database.rows('select partition, next from progress'))
            .get(p, 0) >= end for p, end in enumerate(ends) if end),
            PATIENT, 'all is archived')

    def column(self, query, *args):
        return [row[0] for row in self.database.rows(query, *args)]


@pytest.fixture
def whole(nginx, kafka, redis, daemon, database):  # noqa: F811
    return Whole(nginx, kafka, redis, daemon, database)


async def all_of(whole, ann, cids):
    """The member, the archive and a look back have these, in one order."""
    await ann.until(lambda: len(ann.cids(ROOM)) >= len(cids), PATIENT)
    assert not ann.gaps
    if sorted(cids) == cids:
        assert ann.cids(ROOM) == cids
    assert sorted(ann.cids(ROOM)) == sorted(cids)
    await asyncio.to_thread(whole.archived)
    assert whole.column(
        'select cid from messages where chat_id = %s and refused is null '
        'order by epoch, seq', ROOM) == ann.cids(ROOM)
    async with await Client.connect(whole.ng, user='bob') as bob:
        joined = await bob.join(ROOM, after={'epoch': EPOCH, 'seq': 0})
        assert joined['recovered'] and not joined['more']
        assert [m['cid'] for m in joined['messages']] == ann.cids(ROOM)
        page = await bob.cmd('history', chat_id=ROOM, limit=500)
        assert [m['cid'] for m in page['messages']] == ann.cids(ROOM)
        assert not page['more'] and page['messages'][0]['prev'] is None
        for one, two in zip(page['messages'], page['messages'][1:]):
            assert position(two['prev']) == position(one)


async def test_no_messages(whole):
    """Each is kept and counted; the partition goes on."""
    ann = await Member.start(whole.ng, 'ann', [ROOM])
    whole.good('c000')
    cids = ['c000']
    for n, data in enumerate(NO_MESSAGE.values(), 1):
        whole.put(data)
        whole.good('c%03d' % n)
        cids.append('c%03d' % n)
    await asyncio.to_thread(whole.producer.flush)
    await all_of(whole, ann, cids)
    kept = whole.database.rows('select "offset", value, reason '
                               'from bad_records order by "offset"')
    assert [row[0] for row in kept] == list(range(1, 2 * len(NO_MESSAGE), 2))
    assert [row[1] or b'' for row in kept] == [
        (data or b'')[:65536] for data in NO_MESSAGE.values()]
    assert all(row[2] for row in kept)
    for one in whole.relay, whole.archiver:
        assert one.metrics()['bad_records_total'] == len(NO_MESSAGE)
        assert one.healthy()


async def test_no_json_for_members(whole):
    """Exact in the archive when foreign, refused at the edge."""
    ann = await Member.start(whole.ng, 'ann', [ROOM])
    for n, text in enumerate(REFUSED):
        whole.put(value(ROOM, 'bad', message=text))
        whole.good('c%d' % n)
    await asyncio.to_thread(whole.producer.flush)
    await all_of(whole, ann, ['c%d' % n for n in range(len(REFUSED))])
    assert whole.column('select message::text from messages '
                        'where refused is not null order by seq') == REFUSED
    assert whole.relay.metrics()['refused_total'] == len(REFUSED)
    assert whole.archiver.metrics()['refused_total'] == len(REFUSED)

    before = whole.kafka.end_offsets(whole.topic, PARTITIONS)
    async with await Client.connect(whole.ng, user='eve') as eve:
        await eve.join(ROOM)
        for n, text in enumerate(REFUSED):
            await eve.ws.send(
                '{"op":"send","id":%d,"chat_id":"room","cid":"e%d",'
                '"message":%s}' % (1000 + n, n, text))
            reply = await eve.take(lambda e: e['ev'] == 'error')
            assert reply['code'] == 'bad_request', reply
        # what may look like it is sent as it is
        for n, text in enumerate(['"\\\\u0000"', '1e300', '"\\ud83d\\ude00"']):
            await eve.ws.send(
                '{"op":"send","id":%d,"chat_id":"room","cid":"f%d",'
                '"message":%s}' % (2000 + n, n, text))
            assert (await eve.reply(2000 + n))['ev'] == 'ack'
    after = whole.kafka.end_offsets(whole.topic, PARTITIONS)
    assert sum(after) == sum(before) + 3
    await asyncio.to_thread(whole.archived)
    assert whole.column('select message::text from messages where '
                        "sender = 'eve' order by seq") == [
        '"\\\\u0000"', '1e300', '"\\ud83d\\ude00"']


async def test_wrong_places(whole):
    """Wrong partitions and wrong keys: moved to their chat, once."""
    ann = await Member.start(whole.ng, 'ann', [ROOM])
    whole.good('c0')
    whole.put(value(ROOM, 'c1'), where=ELSEWHERE)
    whole.put(value(ROOM, 'c2'), key=STRANGER, where=ELSEWHERE)
    whole.put(value(ROOM, 'c3'), key=STRANGER)
    whole.put(value(ROOM, 'c4'), key='a b')
    whole.put(value(ROOM, 'c5'), key=None, where=ELSEWHERE)
    whole.put(json.dumps({'sender': 'ann', 'cid': 'c6', 'message': 1}),
              where=ELSEWHERE)
    # and a good one of the stranger's own
    produce(whole.producer, whole.topic, STRANGER, 'other')
    await asyncio.to_thread(whole.producer.flush)
    await ann.until(lambda: len(ann.cids(ROOM)) >= 7, PATIENT)
    # moved ones come where they come
    await asyncio.to_thread(whole.archived)
    async with await Client.connect(whole.ng, user='bob') as bob:
        joined = await bob.join(ROOM, after={'epoch': EPOCH, 'seq': 0})
        assert joined['recovered'] and not joined['more']
        assert [m['cid'] for m in joined['messages']] == ann.cids(ROOM)
    assert sorted(ann.cids(ROOM)) == ['c%d' % n for n in range(7)]
    assert whole.column('select cid from messages where chat_id = %s '
                        'order by seq', ROOM) == ann.cids(ROOM)
    assert whole.column('select cid from messages where chat_id = %s',
                        STRANGER) == ['other']
    assert whole.relay.metrics()['misrouted_total'] == 4
    assert whole.archiver.metrics()['misrouted_total'] == 4


async def test_offsets_without_records(whole):
    """Of transactions: what was committed comes, with no holes told."""
    ann = await Member.start(whole.ng, 'ann', [ROOM])
    producer = whole.kafka.producer(transactional_id=whole.topic)
    cids = []

    def run():
        producer.init_transactions()
        for n in range(8):
            producer.begin_transaction()
            produce(producer, whole.topic, ROOM, 'c%d' % n)
            if n % 3 == 1:
                producer.flush()
                producer.abort_transaction()
            else:
                producer.commit_transaction()
                cids.append('c%d' % n)

    await asyncio.to_thread(run)
    # what says that the last one is committed may come later
    await asyncio.to_thread(wait_for, lambda: sum(
        whole.kafka.end_offsets(whole.topic, PARTITIONS)) == 16)
    whole.good('last')
    await asyncio.to_thread(whole.producer.flush)
    await all_of(whole, ann, [*cids, 'last'])
    seqs = [m['seq'] for m in ann.messages[ROOM]]
    assert seqs[-1] == 17 and len(set(seqs)) == 6


async def test_a_retry_of_what_was_refused(whole):
    """The edge says no for good; the same cid may carry something else."""
    async with await Client.connect(whole.ng, user='ann') as ann:
        await ann.join(ROOM)
        with pytest.raises(ChatError):
            await ann.cmd('send', chat_id=ROOM, cid='c0', message='\0')
        ack = await ann.cmd('send', chat_id=ROOM, cid='c0', message='fine',
                            retry=True)
        assert ack['ev'] == 'ack'
        got = await ann.expect('message', timeout=PATIENT)
        assert got['message'] == 'fine' and position(got) == (EPOCH, 1)
