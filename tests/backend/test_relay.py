"""ws-chat-relay with a real Kafka and a real Redis."""

import signal
import socket
import threading
import time

import msgpack
import pytest
import redis as redis_client

from harness.broker import Kafka, MockBroker
from harness.daemon import Daemon
from harness.nginx import wait_for
from harness.records import (EPOCH, change, iso, partition, pile, send,
                             value)
from harness.redis import Proxy, Redis

PARTITIONS = 4
SETTLED = 32


class View:
    """What a node sees: streams and channels."""

    def __init__(self, port, prefix='wsc:'):
        self.prefix = prefix
        self.db = redis_client.Redis(port=port)

    def key(self, kind, chat_id):
        return '%s{%d}:%s:%s' % (self.prefix, partition(chat_id, PARTITIONS),
                                 kind, chat_id)

    def stream(self, chat_id):
        """(position, prev, sender, cid, message) of each entry."""
        rows = []
        for key, fields in self.db.xrange(self.key('s', chat_id)):
            epoch, n = map(int, key.split(b'-'))
            entry = msgpack.unpackb(fields[b'm'])
            assert entry[:2] == [1, 1]
            rows.append(((epoch, n + 1), tuple(entry[6:8]), entry[3],
                         entry[4], entry[5]))
        return rows

    def changes(self, chat_id):
        """Position -> (by, text or None, head then) of what was changed."""
        found = {}
        for key, field in self.db.hgetall(self.key('u', chat_id)).items():
            kind, _, by, epoch, seq, gone, text, *at = \
                msgpack.unpackb(field)[1:]
            assert (kind, key) == (6, b'%d-%d' % (epoch, seq - 1))
            found[epoch, seq] = by, None if gone else text, tuple(at)
        return found

    def cids(self, chat_id):
        return [row[3] for row in self.stream(chat_id)]

    def progress(self, p):
        text = self.db.get('%s{%d}:progress' % (self.prefix, p))
        return text and tuple(map(int, text.split()))


class Ear(threading.Thread):
    """Listens to all channels, as nodes do to some."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.heard = []
        self.bus = redis_client.Redis(port=port).pubsub()
        self.bus.psubscribe('wsc:*')
        assert self.bus.get_message(timeout=5)['type'] == 'psubscribe'
        self.start()

    def run(self):
        try:
            for one in self.bus.listen():
                self.heard.append((one['channel'].decode().split(':')[-1],
                                   msgpack.unpackb(one['data'])))
        except (redis_client.ConnectionError, ValueError, OSError):
            pass    # Redis went, or the test is over

    def messages(self, chat_id):
        return [e for name, e in self.heard if name == chat_id and e[1] == 2]

    def changes(self, chat_id):
        """(seq, text or None) of each, as they were told."""
        return [(e[5], None if e[6] else e[7]) for name, e in self.heard
                if name == chat_id and e[1] == 6]

    def settled(self, chat_id):
        return [e for name, e in self.heard
                if name == chat_id and e[1:3] == [5, SETTLED]]


@pytest.fixture
def topic(kafka):
    return kafka.topic(PARTITIONS)


@pytest.fixture
def view(redis):
    return View(redis.port)


@pytest.fixture
def relay(daemon, kafka, topic, redis):
    def start(**options):
        settings = dict(kafka_brokers=kafka.brokers, kafka_topic=topic,
                        kafka_group=topic, epoch=EPOCH,
                        redis='redis://127.0.0.1:%d' % redis.port)
        settings.update(options)
        return daemon('relay', **settings)
    return start


def relayed(kafka, topic, view, seconds=60):
    """Wait until all that is in the topic is dealt with."""
    ends = kafka.end_offsets(topic, PARTITIONS)
    wait_for(lambda: all((view.progress(p) or (0, 0))[1] >= end
                         for p, end in enumerate(ends) if end),
             seconds, what='all is relayed')


def load(kafka, topic, rooms, first, n, retries=0):
    producer = kafka.producer()
    for i in list(range(first, first + n)) + \
            list(range(first, first + retries)):
        for room in rooms:
            send(producer, topic, room, 'c%d' % i)
    producer.flush()


def chained(view, rooms, n, first=0):
    """All, once, in order, and each names the one before it."""
    for room in rooms:
        rows = view.stream(room)
        assert [row[3] for row in rows] == \
            ['c%d' % i for i in range(first, n)], room
        for before, row in zip(rows, rows[1:]):
            assert row[1] == before[0], room


def test_appends(kafka, topic, view, redis, relay):
    one = relay()
    ear = Ear(redis.port)
    producer = kafka.producer()
    for n, text in enumerate(['{"b":1.0}', 'null', '"x"']):
        send(producer, topic, 'room', 'c%d' % n, message=text)
    producer.produce(topic, key='room', value=value(
        'room', 'bin', message='"AAEC"', enc='base64'))
    producer.flush()
    relayed(kafka, topic, view)
    none = (0, 0)
    places = [none] + [(EPOCH, n) for n in range(1, 5)]
    texts = ['{"b":1.0}', 'null', '"x"', b'\0\1\2']
    cids = ['c0', 'c1', 'c2', 'bin']
    assert view.stream('room') == [
        (places[n + 1], places[n], 'ann', cids[n], texts[n])
        for n in range(4)]
    wait_for(lambda: len(ear.heard) == 4, what='all is published')
    assert ear.messages('room') == [
        [1, 2, EPOCH, 'ann', cids[n], texts[n], *places[n + 1], *places[n]]
        for n in range(4)]
    assert one.metrics()['messages_total'] == 4
    assert view.db.pttl(view.key('s', 'room')) > 86400000
    assert one.healthy()


def test_once_a_batch(kafka, topic, view, relay):
    """Where a chat ends, and how long it lives, is not said by each message."""
    load(kafka, topic, ['room'], 0, 400)
    one = relay()
    relayed(kafka, topic, view)
    batches = one.metrics()['transactions_total']
    assert batches < 40
    calls = view.db.info('commandstats')
    assert calls['cmdstat_xadd']['calls'] == 400
    assert calls['cmdstat_pexpire']['calls'] <= 2 * batches
    assert calls['cmdstat_set']['calls'] <= 400 + 2 * batches + PARTITIONS
    chained(view, ['room'], 400)


def test_repetition_ends_a_batch(kafka, topic, view, relay):
    """The chat ends with the message before it."""
    load(kafka, topic, ['room'], 0, 2)
    load(kafka, topic, ['room'], 1, 1)
    one = relay()
    relayed(kafka, topic, view)
    assert one.metrics()['transactions_total'] == 1
    load(kafka, topic, ['room'], 2, 1)
    relayed(kafka, topic, view)
    chained(view, ['room'], 3)


def test_repetition(kafka, topic, view, redis, relay):
    """It is not appended; its sender hears where the first one is."""
    relay()
    ear = Ear(redis.port)
    producer = kafka.producer()
    for cid in 'a', 'b', 'a', 'c':
        send(producer, topic, 'room', cid)
    producer.flush()
    relayed(kafka, topic, view)
    send(producer, topic, 'room', 'b')
    send(producer, topic, 'room', 'b', sender='bob')
    producer.flush()
    relayed(kafka, topic, view)
    assert [(row[0][1], row[1][1], row[2], row[3])
            for row in view.stream('room')] == [
        (1, 0, 'ann', 'a'), (2, 1, 'ann', 'b'), (4, 2, 'ann', 'c'),
        (6, 4, 'bob', 'b')]
    wait_for(lambda: len(ear.settled('room')) == 2, what='settled')
    assert [e[3:] for e in ear.settled('room')] == [
        [1, 'room', 1, 'a', 'ann', '', EPOCH, 1, 0, 0],
        [1, 'room', 1, 'b', 'ann', '', EPOCH, 2, 0, 0]]


def test_changes(kafka, topic, view, redis, relay):
    """Edits and retractions, with the rights to them, once and for good."""
    one = relay()
    ear = Ear(redis.port)
    producer = kafka.producer()
    for n, sender in enumerate(['ann', 'ann', 'bob', 'bob', 'ann']):
        send(producer, topic, 'room', 'c%d' % n, sender=sender)
    producer.flush()
    relayed(kafka, topic, view)
    change(producer, topic, 'room', 1, '"one"')
    change(producer, topic, 'room', 1, '"one"')        # again
    change(producer, topic, 'room', 1, '"two"')
    change(producer, topic, 'room', 2)
    change(producer, topic, 'room', 2)                 # again
    change(producer, topic, 'room', 2, '"late"')       # behind that
    change(producer, topic, 'room', 3, '"not hers"')
    change(producer, topic, 'room', 3)
    change(producer, topic, 'room', 4, 'null', by='root', moderate=True)
    change(producer, topic, 'room', 5, '"AAEC"', by=None, moderate=True,
           enc='base64')
    change(producer, topic, 'room', 900, '"to come"')
    change(producer, topic, 'room', 1, '"\\u0000"')     # none at all
    change(producer, topic, 'room', 0, '"x"')
    send(producer, topic, 'room', 'last')
    producer.flush()
    relayed(kafka, topic, view)
    head = (EPOCH, 5)
    wanted = {(EPOCH, 1): ('ann', '"two"', head),
              (EPOCH, 2): ('ann', None, head),
              (EPOCH, 4): ('root', 'null', head),
              (EPOCH, 5): ('', b'\0\1\2', head)}
    assert view.changes('room') == wanted
    told = [(1, '"one"'), (1, '"two"'), (2, None), (4, 'null'),
            (5, b'\0\1\2')]
    wait_for(lambda: len(ear.changes('room')) >= len(told))
    assert ear.changes('room') == told
    metrics = one.metrics()
    assert metrics['changes_total'] == len(told)
    assert metrics['vain_changes_total'] == 6
    assert metrics['bad_records_total'] == 2
    # the chain goes on over the places that they have
    assert view.stream('room')[-1][:2] == ((EPOCH, 19), head)
    assert view.db.pttl(view.key('u', 'room')) > \
        view.db.pttl(view.key('s', 'room'))
    # an empty Redis gets the same, and nobody hears it again
    view.db.flushall()
    wait_for(lambda: view.progress(partition('room', PARTITIONS)))
    relayed(kafka, topic, view)
    assert view.changes('room') == wanted
    assert ear.changes('room') == told


def test_changes_that_redis_does_not_tell(kafka, topic, view, relay):
    """What may be retracted is not edited: the relay asks again."""
    one = relay()
    producer = kafka.producer()
    send(producer, topic, 'room', 'c0')
    change(producer, topic, 'room', 1)
    producer.flush()
    relayed(kafka, topic, view)
    view.db.execute_command('acl', 'setuser', 'default', '-hget')
    try:
        change(producer, topic, 'room', 1, '"late"')
        producer.flush()
        wait_for(lambda: one.logged('Redis refused'), what='a refusal')
    finally:
        view.db.execute_command('acl', 'setuser', 'default', '+hget')
    relayed(kafka, topic, view)
    assert view.changes('room') == {(EPOCH, 1): ('ann', None, (EPOCH, 1))}


def test_changes_of_what_is_gone(kafka, topic, view, relay):
    """They are dropped after a while; a chat that goes on keeps the rest."""
    relay(history_messages=1, history_age=1)
    producer = kafka.producer()
    for n in range(400):
        send(producer, topic, 'room', 'c%d' % n)
        change(producer, topic, 'room', 2 * n + 1, '"x"')
    producer.flush()
    relayed(kafka, topic, view)
    kept = {row[0] for row in view.stream('room')}
    changed = set(view.changes('room'))
    assert kept <= changed and len(changed) < len(kept) + 200


@pytest.mark.parametrize('age, most', [(0, 2000), (600000, 1300)])
def test_changes_that_are_needed(kafka, topic, view, relay, age, most):
    """Those of late are kept, for the archive may not have them yet."""
    relay(history_messages=1)
    producer = kafka.producer()
    stamp = iso(int(time.time() * 1000) - age)
    for n in range(2000):
        send(producer, topic, 'room', 'c%d' % n)
        change(producer, topic, 'room', 2 * n + 1, timestamp=stamp)
    producer.flush()
    relayed(kafka, topic, view)
    kept = view.stream('room')
    assert len(kept) < 300
    assert 1024 <= len(view.changes('room')) <= most + len(kept)
    assert age or len(view.changes('room')) == 2000


def test_changes_outlive_a_stream_of_before(kafka, topic, view, relay):
    """It was given longer than the relay gives now."""
    one = relay()
    producer = kafka.producer()
    send(producer, topic, 'room', 'c0')
    producer.flush()
    relayed(kafka, topic, view)
    one.stop()
    relay(history_age=60)
    change(producer, topic, 'room', 1)
    producer.flush()
    relayed(kafka, topic, view)
    assert 0 < view.db.pttl(view.key('s', 'room')) < \
        view.db.pttl(view.key('u', 'room'))


def test_filter(kafka, topic, view, relay):
    load(kafka, topic, ['red-1', 'red-2', 'blue-1', 'x'], 0, 3)
    one = relay(chats=['red-*', 'x'])
    relayed(kafka, topic, view)
    assert [len(view.cids(room)) for room in
            ('red-1', 'red-2', 'blue-1', 'x')] == [3, 3, 0, 3]
    assert one.metrics()['filtered_total'] == 3


def test_bad_records(kafka, topic, view, relay):
    producer = kafka.producer()
    where = partition('room', PARTITIONS)
    for data in (b'no', value('room', 'u', message='"\\u0000"'), None,
                 value('room', 'x', sender=None), value('room', 'good')):
        producer.produce(topic, key='room', value=data, partition=where)
    producer.flush()
    one = relay()
    relayed(kafka, topic, view)
    assert view.cids('room') == ['good']
    metrics = one.metrics()
    assert metrics['bad_records_total'] == 3
    assert metrics['refused_total'] == 1


def test_misrouted(kafka, topic, view, relay):
    """A foreign partitioner's records reach their chat, in one order."""
    producer = kafka.producer()
    for n in range(12):
        producer.produce(topic, key='room', partition=n % PARTITIONS,
                         value=value('room', 'c%d' % n),
                         headers=[('retry', '1')])
    # without a key, it may be anywhere
    producer.produce(topic, partition=(partition('room', PARTITIONS) + 1)
                     % PARTITIONS, value=value('room', 'c12'))
    producer.flush()
    one = relay()
    wait_for(lambda: len(view.cids('room')) == 13, 30, what='all is there')
    relayed(kafka, topic, view)
    assert set(view.cids('room')) == {'c%d' % n for n in range(13)}
    assert len(view.cids('room')) == 13
    assert one.metrics()['misrouted_total'] == 10
    rows = view.stream('room')
    assert [row[1] for row in rows[1:]] == [row[0] for row in rows[:-1]]


def test_misrouted_when_a_producer_fails_for_good(topic, view, relay):
    """Another one moves the record, and the partition goes on."""
    mock = MockBroker(topic, PARTITIONS)
    try:
        producer = Kafka.producer(mock)
        where = (partition('room', PARTITIONS) + 1) % PARTITIONS
        producer.produce(topic, key='room', partition=where,
                         value=value('room', 'c0'))
        producer.flush()
        mock.fatal()
        one = relay(kafka_brokers=mock.brokers)
        wait_for(lambda: view.cids('room') == ['c0'], 30, what='it is there')
        assert one.logged('another producer for Kafka is made')
        assert view.progress(where)[1] == 1
        one.stop()
    finally:
        mock.close()


def test_offset_holes(kafka, topic, view, relay):
    producer = kafka.producer(transactional_id=topic)
    producer.init_transactions()
    relay()
    for n in range(6):
        producer.begin_transaction()
        send(producer, topic, 'room', 'c%d' % n)
        if n % 3 == 1:
            producer.flush()
            producer.abort_transaction()
        else:
            producer.commit_transaction()
    # what says that the last one is committed may come later
    wait_for(lambda: sum(kafka.end_offsets(topic, PARTITIONS)) == 12)
    plain = kafka.producer()
    send(plain, topic, 'room', 'last')
    plain.flush()
    relayed(kafka, topic, view)
    assert [(row[0][1], row[1][1], row[3]) for row in view.stream('room')] \
        == [(1, 0, 'c0'), (5, 1, 'c2'), (7, 5, 'c3'), (11, 7, 'c5'),
            (13, 11, 'last')]


def test_two_on_one_partition(kafka, topic, view, redis, relay):
    """Both have every partition, and are stopped at random."""
    rooms = ['r%d' % i for i in range(8)]
    ear = Ear(redis.port)
    several = [relay(kafka_group=topic + '-1'),
               relay(kafka_group=topic + '-2')]
    wait_for(lambda: all(one.metrics()['partitions'] == PARTITIONS
                         for one in several), 30, what='both have all')
    for turn in range(10):
        victim = several[turn % 2]
        victim.send_signal(signal.SIGSTOP)
        load(kafka, topic, rooms, turn * 50, 50, retries=5)
        time.sleep(0.2)
        victim.send_signal(signal.SIGCONT)
    relayed(kafka, topic, view)
    chained(view, rooms, 500)
    wait_for(lambda: all(len(ear.messages(room)) == 500 for room in rooms),
             what='each was published once')
    wait_for(lambda: sum(one.metrics()['duplicates_total']
                         for one in several) == 400, what='they agree')


def test_one_without_redis(kafka, topic, view, redis, relay):
    """It does not hold up the others, which get its partitions."""
    load(kafka, topic, ['room'], 0, 1)
    proxy = Proxy(redis.port)
    try:
        one = relay(redis='redis://127.0.0.1:%d' % proxy.port)
        relayed(kafka, topic, view)
        proxy.closed = True
        proxy.cut()
        wait_for(lambda: not one.healthy(), what='it has noticed')
        relay()
        load(kafka, topic, ['room'], 1, 10)
        relayed(kafka, topic, view, seconds=50)
        chained(view, ['room'], 11)
        proxy.closed = False
        wait_for(one.healthy, 30, what='it is back')
        load(kafka, topic, ['room'], 11, 10)
        relayed(kafka, topic, view)
        chained(view, ['room'], 21)
    finally:
        proxy.close()


def test_kills(kafka, topic, view, redis, relay):
    rooms = ['r%d' % i for i in range(8)]
    ear = Ear(redis.port)
    several = [relay(), relay()]
    for turn in range(6):
        load(kafka, topic, rooms, turn * 50, 50, retries=5)
        several[turn % 2].kill()
        several[turn % 2] = relay()
    relayed(kafka, topic, view)
    chained(view, rooms, 300)
    for room in rooms:
        assert [e[4] for e in ear.messages(room)] == \
            ['c%d' % i for i in range(300)]


def test_flushall(kafka, topic, view, redis, relay):
    """What was published is put back quietly, what comes is published."""
    rooms = ['r%d' % i for i in range(4)]
    one = relay()
    load(kafka, topic, rooms, 0, 50)
    relayed(kafka, topic, view)
    ear = Ear(redis.port)
    view.db.flushall()
    # nothing comes, it is seen all the same
    wait_for(lambda: all(len(view.cids(room)) == 50 for room in rooms), 30,
             what='it is all back')
    assert ear.heard == []
    chained(view, rooms, 50)
    load(kafka, topic, rooms, 50, 10, retries=3)
    load(kafka, topic, rooms, 0, 3)
    relayed(kafka, topic, view)
    chained(view, rooms, 60)
    wait_for(lambda: all(len(ear.messages(room)) == 10
                         and len(ear.settled(room)) == 6 for room in rooms),
             what='the new ones are published')
    metrics = one.metrics()
    assert metrics['rebuilds_total'] >= 1 and metrics['gaps_total'] == 0


def test_short_rebuild(kafka, topic, view, redis, relay):
    """What is not put back shows as a position that cannot be proven."""
    relay(rebuild_records=10)
    load(kafka, topic, ['room'], 0, 51)
    relayed(kafka, topic, view)
    view.db.flushall()
    wait_for(lambda: len(view.cids('room')) == 10, 30, what='the end of it')
    rows = view.stream('room')
    assert rows[0][0][1] - rows[0][1][1] == 1
    assert [row[1] for row in rows[1:]] == [row[0] for row in rows[:-1]]


def test_history_is_asked(kafka, topic, view, redis, database, daemon, relay):
    """A resend of what Redis has forgotten is no new message."""
    daemon('archiver', kafka_brokers=kafka.brokers, kafka_topic=topic,
           kafka_group=topic + '-a', postgres=database.conninfo, epoch=EPOCH)
    history = daemon('history', postgres=database.conninfo,
                     kafka_topic=topic)
    one = relay(rebuild_records=0,
                history='http://127.0.0.1:%d' % history.port)
    load(kafka, topic, ['room'], 0, 5)
    relayed(kafka, topic, view)
    view.db.flushall()
    wait_for(lambda: view.progress(partition('room', PARTITIONS)), 30,
             what='it has begun again')
    ear = Ear(redis.port)
    producer = kafka.producer()
    for cid in 'c3', 'c5', 'c5':
        producer.produce(topic, key='room', value=value('room', cid),
                         headers=[('retry', '1')])
    producer.flush()
    relayed(kafka, topic, view)
    assert view.cids('room') == ['c5']
    wait_for(lambda: len(ear.settled('room')) == 2, what='settled')
    assert [(e[6], e[9:11]) for e in ear.settled('room')] == [
        ('c3', [EPOCH, 4]), ('c5', [EPOCH, 7])]
    assert one.metrics()['untold_total'] == 0
    # without it, members get what the archiver keeps as a repetition
    history.stop()
    producer.produce(topic, key='room', value=value('room', 'c2'),
                     headers=[('retry', '1')])
    producer.flush()
    relayed(kafka, topic, view)
    assert view.cids('room') == ['c5', 'c2']
    assert one.metrics()['untold_total'] == 1


def test_history_is_silent(kafka, topic, view, relay):
    """A batch waits for it once, not for each message."""
    with socket.create_server(('127.0.0.1', 0), backlog=100) as history:
        one = relay(rebuild_records=0, history='http://127.0.0.1:%d'
                    % history.getsockname()[1])
        load(kafka, topic, ['room'], 0, 1)
        relayed(kafka, topic, view)
        view.db.flushall()
        wait_for(lambda: view.progress(partition('room', PARTITIONS)), 30,
                 what='it has begun again')
        producer = kafka.producer(linger_ms=500)
        for i in range(1, 31):
            producer.produce(topic, key='room', value=value('room', 'c%d' % i),
                             headers=[('retry', '1')])
        producer.flush()
        relayed(kafka, topic, view, seconds=15)
    assert view.cids('room') == ['c%d' % i for i in range(1, 31)]
    assert one.metrics()['untold_total'] == 30


def test_redis_killed(kafka, topic, view, redis, relay):
    """It comes back empty while messages come."""
    rooms = ['r%d' % i for i in range(4)]
    one = relay()
    load(kafka, topic, rooms, 0, 50)
    relayed(kafka, topic, view)
    redis.kill()
    load(kafka, topic, rooms, 50, 50)
    wait_for(lambda: not one.healthy(), what='it says so')
    wait_for(lambda: one.metrics()['lag'] == 200, what='it knows how much')
    redis.start()
    relayed(kafka, topic, view)
    chained(view, rooms, 100)
    wait_for(one.healthy, what='it is well again')
    wait_for(lambda: one.metrics()['lag'] == 0, what='nothing is left')


def test_redis_is_no_master_any_more(kafka, topic, view, redis, relay):
    """The connection to it stays; another one leads to the new master."""
    promoted = Redis(ram=True)
    proxy = Proxy(redis.port)
    try:
        one = relay(redis='redis://127.0.0.1:%d' % proxy.port)
        load(kafka, topic, ['room'], 0, 10)
        relayed(kafka, topic, view)
        promoted.ask('REPLICAOF', '127.0.0.1', str(redis.port))
        wait_for(lambda: 'master_link_status:up' in
                 promoted.cli('info', 'replication'), what='it follows')
        promoted.ask('REPLICAOF', 'NO', 'ONE')
        proxy.target = promoted.port
        redis.ask('REPLICAOF', '127.0.0.1', str(promoted.port))
        load(kafka, topic, ['room'], 10, 10)
        relayed(kafka, topic, View(promoted.port), seconds=20)
        chained(View(promoted.port), ['room'], 20)
        wait_for(one.healthy, what='it is well')
        one.stop()
    finally:
        proxy.close()
        promoted.close()


def test_redis_refuses(kafka, topic, view, redis, relay):
    """An answer is never taken for that of another question."""
    rooms = ['r%d' % i for i in range(8)]
    one = relay()
    for n, room in enumerate(rooms):
        load(kafka, topic, [room], 0, 10 + n)
    relayed(kafka, topic, view)
    before = [view.progress(p) for p in range(PARTITIONS)]
    view.db.execute_command('acl', 'setuser', 'default', '-watch')
    wait_for(lambda: one.logged('Redis refused'), what='a refusal')
    view.db.execute_command('acl', 'setuser', 'default', '+watch')
    wait_for(one.healthy, what='it is well again')
    wait_for(lambda: one.metrics()['lag'] == 0, what='nothing is left')
    assert [view.progress(p) for p in range(PARTITIONS)] == before
    assert one.metrics()['gaps_total'] == 0
    assert one.metrics()['stale_total'] == 0
    for n, room in enumerate(rooms):
        load(kafka, topic, [room], 10 + n, 10)
    relayed(kafka, topic, view)
    for n, room in enumerate(rooms):
        chained(view, [room], 20 + n)


def test_lost_end(kafka, topic, view, redis, relay):
    """A promoted replica lacks the end: it is appended again."""
    rooms = ['r%d' % i for i in range(4)]
    relay().stop()
    first = relay()
    load(kafka, topic, rooms, 0, 30)
    relayed(kafka, topic, view)
    kept = {key: (view.db.dump(key), max(view.db.pttl(key), 0))
            for key in view.db.keys()}
    load(kafka, topic, rooms, 30, 30)
    relayed(kafka, topic, view)
    with view.db.pipeline() as pipe:
        pipe.flushall()
        for key, (data, ttl) in kept.items():
            pipe.restore(key, ttl, data)
        pipe.execute()
    wait_for(lambda: all(len(view.cids(room)) == 60 for room in rooms), 30,
             what='the end is back')
    chained(view, rooms, 60)
    assert first.metrics()['gaps_total'] >= 1


def test_lost_while_kafka_does_not_tell(topic, view, relay):
    """It goes on as soon as that is known, and the hole shows."""
    mock = MockBroker(topic, PARTITIONS)
    try:
        lost = 'records are gone that were never relayed'
        for p in range(PARTITIONS):
            view.db.set('wsc:{%d}:progress' % p, '%d %d 0 0' % (
                EPOCH, p == partition('room', PARTITIONS)))
        pile(Kafka.producer(mock), topic)
        mock.blind(3)
        one = relay(kafka_brokers=mock.brokers)
        one.expected.append(lost)
        wait_for(lambda: 'last' in view.cids('room'), 30, what='the last')
        rows = view.stream('room')
        assert rows[0][0][1] - rows[0][1][1] == 1
        assert one.logged('no watermarks') and one.logged(lost)
        one.stop()
    finally:
        mock.close()


def test_not_lost_at_all(topic, view, relay):
    """A broker that errs for a moment: nothing is put back or told again."""
    mock = MockBroker(topic, PARTITIONS)
    try:
        producer = Kafka.producer(mock)
        one = relay(kafka_brokers=mock.brokers)
        for n in range(3):
            send(producer, topic, 'room', 'c%d' % n)
        producer.flush()
        wait_for(lambda: len(view.cids('room')) == 3, 30, what='all')
        mock.forgetful()
        wait_for(lambda: one.logged('records are there after all'), 30,
                 what='the error')
        send(producer, topic, 'room', 'c3')
        producer.flush()
        wait_for(lambda: view.cids('room')[-1] == 'c3', 30, what='the last')
        chained(view, ['room'], 4)
        assert one.metrics()['lost_total'] == 0
        one.stop()
    finally:
        mock.close()


def test_history_limit(kafka, topic, view, relay):
    relay(history_messages=100, history_age=10)
    load(kafka, topic, ['room'], 0, 1000)
    relayed(kafka, topic, view)
    assert 100 <= len(view.cids('room')) <= 300
    assert view.cids('room')[-1] == 'c999'
    assert 3600000 < view.db.pttl(view.key('s', 'room')) <= 3610000


def test_epochs(kafka, topic, view, relay):
    """A topic made anew goes on behind the epoch before it."""
    load(kafka, topic, ['room'], 0, 3)
    first = relay()
    relayed(kafka, topic, view)
    first.stop()
    later = relay(epoch=EPOCH + 1)
    wait_for(lambda: later.metrics()['records_total'] == 3, 30,
             what='it is read again')
    # the same cids: nothing new
    assert len(view.cids('room')) == 3
    load(kafka, topic, ['room'], 3, 1)
    wait_for(lambda: len(view.cids('room')) == 4, what='a new one')
    assert view.stream('room')[-1][:2] == ((EPOCH + 1, 4), (EPOCH, 3))
    later.stop()
    old = relay()
    old.expected.append('Redis is of a later epoch')
    assert old.process.wait(30) == 1


def test_two_begin_an_epoch(kafka, topic, view, redis, relay):
    """Who comes second goes on from where the first one is."""
    home = partition('room', PARTITIONS)
    load(kafka, topic, ['room'], 0, 3)
    first = relay()
    relayed(kafka, topic, view)
    first.stop()

    class Another(Proxy):
        """It is faster between a look at where the partition is, and that."""

        def carry(self, one, data):
            if b'WATCH' in data and b'{%d}:progress' % home in data \
                    and view.progress(home)[0] == EPOCH:
                view.db.set('wsc:{%d}:progress' % home,
                            '%d 3 0 0' % (EPOCH + 1))
            super().carry(one, data)

    proxy = Another(redis.port)
    try:
        later = relay(epoch=EPOCH + 1,
                      redis='redis://127.0.0.1:%d' % proxy.port)
        wait_for(lambda: later.logged('partition', partition=home), 30,
                 what='the partition is its')
        assert later.logged('partition', partition=home, next=3)
        assert view.progress(home) == (EPOCH + 1, 3, 0, 0)
        later.stop()
    finally:
        proxy.close()


def test_eviction(topic, view, relay):
    view.db.config_set('maxmemory-policy', 'allkeys-lru')
    one = relay()
    wait_for(lambda: one.logged('Redis may evict keys: it needs '
                                'maxmemory-policy noeviction'), 30,
             what='a warning')


def test_login(kafka, topic, view, redis, relay):
    """By name and password, to another database, over a Unix socket."""
    view.db.execute_command('acl', 'setuser', 'relay', 'on', '>secret', '~*',
                            '&*', '+@all')
    load(kafka, topic, ['room'], 0, 1)
    one = relay(redis='redis://relay:secret@127.0.0.1:%d/3' % redis.port)
    wait_for(lambda: one.metrics()['messages_total'] == 1, 30,
             what='it is relayed')
    assert not view.db.keys()
    one.stop()
    two = relay(redis='unix:%s' % redis.socket)
    relayed(kafka, topic, view)
    assert view.cids('room') == ['c0']
    two.stop()
    three = relay(redis='redis://relay:wrong@127.0.0.1:%d' % redis.port)
    wait_for(lambda: three.logged('Redis refused'), 30, what='a refusal')
    assert not three.healthy()


def test_ipv6(kafka, topic, relay):
    try:
        socket.create_server(('::1', 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip('no IPv6 here')
    redis = Redis('--bind', '::1', ram=True)
    try:
        one = relay(redis='redis://[::1]:%d/0' % redis.port)
        load(kafka, topic, ['room'], 0, 1)
        wait_for(lambda: one.metrics()['messages_total'] == 1, 30,
                 what='it is relayed')
        one.stop()
    finally:
        redis.close()


@pytest.mark.parametrize('options, said', [
    ({}, '"epoch" must be given'),
    ({'epoch': 1, 'redis': 'http://x'}, 'bad \\"redis\\"'),
    ({'epoch': 1, 'redis': 'redis://x:0'}, 'bad \\"redis\\"'),
])
def test_bad_options(options, said):
    one = Daemon('relay', wait=False, **options)
    assert one.process.wait(10) in (1, 2)
    one.log.seek(0)
    assert said in one.log.read()
