"""ws-chat-archiver with a real Kafka and a real PostgreSQL."""

import json
import signal
import time

import msgpack
import psycopg
import pytest

from harness.broker import Kafka, MockBroker
from harness.daemon import Daemon
from harness.nginx import wait_for
from harness.records import EPOCH, change, partition, pile, send, value

PARTITIONS = 4


@pytest.fixture
def topic(kafka):
    return kafka.topic(PARTITIONS)


@pytest.fixture
def archiver(daemon, kafka, topic, database):
    def start(**options):
        settings = dict(kafka_brokers=kafka.brokers, kafka_topic=topic,
                        kafka_group=topic, postgres=database.conninfo,
                        epoch=EPOCH, batch_wait=20,
                        kafka_property='session.timeout.ms=6000')
        settings.update(options)
        return daemon('archiver', **settings)
    return start


def archived(kafka, topic, database, timeout=60):
    """Wait until all that is in the topic is dealt with."""
    ends = kafka.end_offsets(topic, PARTITIONS)

    def reached():
        have = dict(database.rows(
            'select partition, next from progress where topic = %s', topic))
        return all(have.get(p, -1) >= end for p, end in enumerate(ends)
                   if end)
    wait_for(reached, seconds=timeout, what='all is archived')


def test_rows(kafka, topic, database, archiver):
    """What PROTOCOL promises to who looks with psql."""
    producer = kafka.producer()
    texts = ['{"b":1.0,"a":1,"n":1e2}', '"caf\u00e9"', ' [1, 2] '.strip(),
             'null', '"a\\u00e9\\/"']
    for n, text in enumerate(texts):
        send(producer, topic, 'room', 'c%d' % n, message=text)
    producer.flush()
    one = archiver()
    archived(kafka, topic, database)
    rows = database.rows(
        'select epoch, seq, sender, cid, message::text, '
        '(extract(epoch from "timestamp") * 1000)::bigint '
        'from messages where chat_id = %s order by epoch, seq', 'room')
    assert rows == [(EPOCH, n + 1, 'ann', 'c%d' % n, text, EPOCH)
                    for n, text in enumerate(texts)]
    metrics = one.metrics()
    assert metrics['records_total'] == metrics['messages_total'] == 5
    assert one.healthy()


def test_notices(kafka, topic, database, archiver):
    """What PostgreSQL says unasked is in the log, as a line of it."""
    database.run('''
        create function warn() returns trigger language plpgsql as $$
        begin raise warning 'the disk is "nearly" full'; return null; end $$;
        create trigger warn after insert on messages execute function warn()
    ''')
    producer = kafka.producer()
    send(producer, topic, 'room', 'c1')
    producer.flush()
    one = archiver()
    archived(kafka, topic, database)
    text, = {line['text'].splitlines()[0]
             for line in one.logged('PostgreSQL', level='warn')}
    assert text == 'WARNING:  the disk is "nearly" full'


def test_duplicates(kafka, topic, database, archiver):
    """A repeated cid is a row of its own that says whose it is: no text."""
    producer = kafka.producer()
    for cid in 'a', 'b', 'a':
        send(producer, topic, 'room', cid)
    producer.flush()
    one = archiver()
    archived(kafka, topic, database)
    for sender, cid in ('ann', 'b'), ('bob', 'b'):
        send(producer, topic, 'room', cid, sender=sender)
    send(producer, topic, 'room', None)
    send(producer, topic, 'room', None)
    producer.flush()
    archived(kafka, topic, database)
    assert database.rows('select message::text, enc from messages '
                         'where dup_of is not null') == [('null', None)] * 2
    assert database.rows('select seq, sender, cid, dup_epoch, dup_of '
                         'from messages order by seq') == [
        (1, 'ann', 'a', None, None), (2, 'ann', 'b', None, None),
        (3, 'ann', None, EPOCH, 1), (4, 'ann', None, EPOCH, 2),
        (5, 'bob', 'b', None, None), (6, 'ann', None, None, None),
        (7, 'ann', None, None, None)]
    assert one.metrics()['duplicates_total'] == 2


STATE = ('select seq, message::text, enc, edited is not null, '
         'retracted is not null, changed_by, changed_seq from messages '
         'order by seq')


def test_changes(kafka, topic, database, archiver):
    """Of a batch with its messages, and of one after it; done again, too."""
    producer = kafka.producer()
    for n, sender in enumerate(['ann', 'ann', 'bob', 'bob', 'ann']):
        send(producer, topic, 'room', 'c%d' % n, sender=sender)
    change(producer, topic, 'room', 1, '"one"')
    change(producer, topic, 'room', 2)
    change(producer, topic, 'room', 2, '"late"')
    producer.flush()
    one = archiver()
    archived(kafka, topic, database)
    change(producer, topic, 'room', 1, '{"a": 1.0}')
    change(producer, topic, 'room', 3, '"not hers"')
    change(producer, topic, 'room', 4, by='root', moderate=True)
    change(producer, topic, 'room', 5, '"AAEC"', by=None, moderate=True,
           enc='base64')
    change(producer, topic, 'room', 700, by=None, moderate=True)
    change(producer, topic, 'room', 1, '"\\u0000"')
    producer.flush()
    archived(kafka, topic, database)
    wanted = [(1, '{"a": 1.0}', None, True, False, 'ann', 9),
              (2, 'null', None, False, True, 'ann', 7),
              (3, '"hi"', None, False, False, None, None),
              (4, 'null', None, False, True, 'root', 11),
              (5, '"AAEC"', 'base64', True, False, None, 12)]
    assert database.rows(STATE) == wanted
    assert database.rows('select "offset", reason from bad_records') == [
        (13, '\\u0000 in a string')]
    metrics = one.metrics()
    assert metrics['changes_total'] == 5
    assert metrics['vain_changes_total'] == 3
    assert metrics['collisions_total'] == 0
    one.stop()
    # all of it once more, as after a progress that was put back
    database.run('update progress set next = -1')
    again = archiver()
    again.expected.append('positions are taken: is the topic a new one that '
                          'needs a new epoch?')
    archived(kafka, topic, database)
    assert database.rows(STATE) == wanted
    assert again.metrics()['changes_total'] == 0


def test_changes_of_live_chats(kafka, topic, database, archiver):
    """Another node's may come before the message: they wait for it."""
    producer = kafka.producer()

    def message(seq, cid):
        producer.produce(topic, key='room', value=value('room', cid),
                         headers=[('epoch', str(EPOCH)), ('seq', str(seq))])

    one = archiver(delivery='live')
    message(1, 'a')
    change(producer, topic, 'room', 1, '"one"')
    change(producer, topic, 'room', 2, '"two"')
    change(producer, topic, 'room', 3, '"three"')
    change(producer, topic, 'room', 3)
    change(producer, topic, 'room', 3, '"late"')
    change(producer, topic, 'room', 4, by='eve')
    producer.flush()
    archived(kafka, topic, database)
    for seq, cid in (2, 'b'), (3, 'c'), (4, 'd'), (2, 'b'):
        message(seq, cid)
    change(producer, topic, 'room', 2, '"more"')
    producer.flush()
    archived(kafka, topic, database)
    assert database.rows(STATE) == [
        (1, '"one"', None, True, False, 'ann', 2),
        (2, '"more"', None, True, False, 'ann', 12),
        (3, 'null', None, False, True, 'ann', 5),
        (4, '"hi"', None, False, False, None, None)]
    assert database.value('select count(*) from early_changes') == 0
    assert one.metrics()['bad_records_total'] == 0


def test_bad_records(kafka, topic, database, archiver):
    """They become tombstones, and the partition goes on."""
    producer = kafka.producer(compression_type='gzip')
    topic_p = partition('room', PARTITIONS)

    def put(data, key='room'):
        producer.produce(topic, key=key, value=data, partition=topic_p)

    bad = [b'not json', b'{"chat_id":"room"', b'\xff\xfe', b'', b'[]',
           value('room', 'x', sender=None).encode(),
           value('room', 'x', message='"' + 'x' * 1000000 + '"').encode(),
           value('room', 'x' * 65).encode(),
           value('room', 'x', sender='a\nb').encode(),
           value('a b', 'x').encode(),
           b'{"chat_id":"room","sender":"ann"}',
           value('room', 'x', timestamp='yesterday').encode(),
           b'\xdd\xff\x00\x00\x00', b'\x81\xa6sender\xa3ann']
    for data in bad:
        put(data)
        put(value('room', None).encode())
    put(None, key=None)
    producer.flush()
    one = archiver(max_record=900000)
    archived(kafka, topic, database)
    assert database.value('select count(*) from messages') == len(bad)
    rows = database.rows('select "offset", size, value, reason '
                         'from bad_records order by "offset"')
    assert [row[0] for row in rows] == list(range(0, 2 * len(bad) + 1, 2))
    assert [row[1] for row in rows] == [len(data) for data in bad] + [0]
    assert [row[2] or b'' for row in rows] == \
        [data[:65536] for data in bad] + [b'']
    assert all(row[3] for row in rows)
    assert one.metrics()['bad_records_total'] == len(bad) + 1
    assert one.healthy()


def test_bad_record_of_no_time(kafka, database, archiver):
    """Whatever a producer says when it was, a tombstone stands there."""
    topic = kafka.topic(PARTITIONS, message_timestamp_type='CreateTime')
    producer = kafka.producer()
    for timestamp in 253402300800000, 1 << 62:
        producer.produce(topic, key='room', value='not json',
                         timestamp=timestamp)
        producer.produce(topic, key='room', value=json.dumps(
            {'sender': 'ann', 'message': 1}), timestamp=timestamp)
    send(producer, topic, 'room', 'a')
    producer.flush()
    one = archiver(kafka_topic=topic)
    archived(kafka, topic, database)
    assert database.rows('select "offset", reason from bad_records '
                         'order by 1') == [
        (0, 'not JSON'), (1, 'bad timestamp'),
        (2, 'not JSON'), (3, 'bad timestamp')]
    assert database.rows('select cid from messages') == [('a',)]
    assert one.metrics()['bad_records_total'] == 4


@pytest.fixture
def trouble(database):
    """Storing cid `a` fails for good, and `b` for the time being."""
    database.run("create function trouble() returns trigger language plpgsql "
                 "as $$ begin if new.cid in ('a', 'b') then raise exception "
                 "'trouble' using errcode = case new.cid when 'a' then '22000' "
                 "else '40001' end; end if; return new; end $$")
    database.run('create trigger trouble before insert on messages '
                 'for each row execute function trouble()')


def test_postgres_refuses(kafka, topic, trouble, database, archiver):
    """There is a tombstone, and nothing is passed over for want of time."""
    producer = kafka.producer()
    for cid in 'abc':
        send(producer, topic, 'room', cid)
    producer.flush()
    one = archiver(batch_wait=1000)
    one.expected += ['PostgreSQL refuses a record']
    wait_for(lambda: one.logged('PostgreSQL refused', state='40001'), 30,
             what='the one behind it')
    one.stop()
    where = partition('room', PARTITIONS)
    assert database.value('select next from progress where partition = %s',
                          where) == 1
    database.run('drop trigger trouble on messages')
    archiver()
    archived(kafka, topic, database)
    assert database.rows('select cid from messages order by seq') == [
        ('b',), ('c',)]
    assert database.rows('select partition, "offset", reason from bad_records'
                         ) == [(where, 0, 'PostgreSQL refuses it')]


def test_ten_megabytes(kafka, database, archiver):
    topic = kafka.topic(PARTITIONS, max_message_bytes=20000000)
    producer = kafka.producer()
    send(producer, topic, 'room', 'a')
    send(producer, topic, 'room', 'b', message='"%s"' % ('x' * 10000000))
    send(producer, topic, 'room', 'c')
    producer.flush()
    archiver(kafka_topic=topic)
    archived(kafka, topic, database)
    assert database.rows('select cid from messages order by seq') == \
        [('a',), ('c',)]
    (size, kept), = database.rows(
        'select size, length(value) from bad_records')
    assert size > 10000000 and kept == 65536


def test_against_the_rules(kafka, topic, database, archiver):
    """What no node would pass on is archived exactly, and not given."""
    texts = ['"\\u0000"', '[1e400]', '"\\ud800"', '{"a":1,"a":2}',
             '[' * 40 + ']' * 40]
    producer = kafka.producer()
    for text in texts:
        send(producer, topic, 'room', 'same', message=text)
    send(producer, topic, 'room', 'same')
    producer.flush()
    one = archiver()
    archived(kafka, topic, database)
    rows = database.rows('select message::text, cid, refused is not null '
                         'from messages order by seq')
    assert rows == [(text, None, True) for text in texts] + \
        [('"hi"', 'same', False)]
    assert one.metrics()['refused_total'] == len(texts)


def test_mended(kafka, topic, database, archiver):
    """What can be told otherwise may be left out by a foreign producer."""
    producer = kafka.producer()
    producer.produce(topic, key='room', timestamp=EPOCH + 5, value=json.dumps(
        {'sender': 'ann', 'message': 1, 'more': {}}))
    producer.produce(topic, key='room', value=msgpack.packb(
        {'chat_id': 'room', 'sender': 'ann', 'cid': 'm', 'message': {'a': 1},
         'timestamp': EPOCH}))
    producer.produce(topic, key='room', value=msgpack.packb(
        {'sender': 'ann', 'message': b'\0\1\2', 'timestamp':
         '2023-11-14T22:13:20.5+00:00'}))
    producer.produce(topic, key='room', value=value(
        'room', 'b', message='"AAE\\u0043"', enc='base64'))
    producer.flush()
    archiver()
    archived(kafka, topic, database)
    rows = database.rows(
        'select cid, message::text, enc, (extract(epoch from "timestamp") '
        '* 1000)::bigint from messages order by seq')
    assert rows[0][:3] == (None, '1', None)
    assert rows[1] == ('m', '{"a":1}', None, EPOCH)
    assert rows[2] == (None, '"AAEC"', 'base64', EPOCH + 500)
    assert rows[3][1:3] == ('"AAE\\u0043"', 'base64')


def test_misrouted(kafka, topic, database, archiver):
    """The relay mends these; here they are counted and passed over."""
    producer = kafka.producer()
    right = partition('room', PARTITIONS)
    for p in range(PARTITIONS):
        producer.produce(topic, key='room', partition=p,
                         value=value('room', 'c%d' % p))
    producer.flush()
    one = archiver()
    archived(kafka, topic, database)
    assert database.rows('select cid from messages') == [('c%d' % right,)]
    assert one.metrics()['misrouted_total'] == PARTITIONS - 1
    assert one.metrics()['bad_records_total'] == 0


def test_moved_to_nowhere(kafka, topic, database, archiver):
    """The relay moves nothing twice: what is lost to members is kept."""
    producer = kafka.producer()
    wrong = (partition('room', PARTITIONS) + 1) % PARTITIONS
    producer.produce(topic, key='room', partition=wrong,
                     value=value('room', 'c'), headers=[('moved', '1')])
    producer.flush()
    one = archiver()
    archived(kafka, topic, database)
    assert database.value('select count(*) from messages') == 0
    assert database.rows('select partition, reason from bad_records') == [
        (wrong, 'moved, and in a wrong partition again')]
    assert one.metrics()['bad_records_total'] == 1


def test_offset_holes(kafka, topic, database, archiver):
    """Transaction markers and aborted records leave holes."""
    producer = kafka.producer(transactional_id=topic)
    producer.init_transactions()
    one = archiver()
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
    archived(kafka, topic, database)
    wait_for(lambda: one.metrics()['lag'] == 0, what='none is behind')
    plain = kafka.producer()
    send(plain, topic, 'room', 'last')
    plain.flush()
    archived(kafka, topic, database)
    assert database.rows('select cid, seq from messages order by seq') == [
        ('c0', 1), ('c2', 5), ('c3', 7), ('c5', 11), ('last', 13)]


def test_nothing_but_holes(kafka, topic, database, archiver):
    """A partition with no record that counts is archived up to its end."""
    producer = kafka.producer(transactional_id=topic)
    producer.init_transactions()
    producer.begin_transaction()
    send(producer, topic, 'room', 'c1')
    producer.flush()
    producer.abort_transaction()
    wait_for(lambda: sum(kafka.end_offsets(topic, PARTITIONS)) == 2)
    archiver()
    archived(kafka, topic, database)
    assert database.rows('select next from progress order by next') == [
        (-1,), (-1,), (-1,), (2,)]


def test_live(kafka, topic, database, archiver):
    """Positions of live chats come from headers, in whatever order."""
    producer = kafka.producer()
    where = [(EPOCH, 2, 'b'), (EPOCH, 1, 'a'), (EPOCH, 2, 'b'),
             (EPOCH + 9, 1, 'c')]
    for epoch, seq, cid in where:
        headers = [('epoch', str(epoch)), ('seq', str(seq))]
        if epoch > EPOCH:
            headers += [('prev_epoch', str(EPOCH)), ('prev_seq', '2')]
        producer.produce(topic, key='room', value=value('room', cid),
                         headers=headers)
    producer.produce(topic, key='room', value=value('room', 'none'))
    producer.produce(topic, key='room', value=value('room', 'bad'),
                     headers=[('epoch', '1'), ('seq', '0')])
    producer.flush()
    one = archiver(delivery='live')
    archived(kafka, topic, database)
    assert database.rows('select epoch, seq, cid, prev_epoch, prev_seq, '
                         'dup_of from messages order by 1, 2') == [
        (EPOCH, 1, 'a', None, None, None), (EPOCH, 2, 'b', None, None, None),
        (EPOCH + 9, 1, 'c', EPOCH, 2, None)]
    assert one.metrics()['bad_records_total'] == 2


def load(kafka, topic, rooms, first, n, retries=0):
    """n messages to each room; the first ones a second time at the end."""
    producer = kafka.producer()
    for i in range(first, first + n):
        for room in rooms:
            send(producer, topic, room, 'c%d' % i)
    for i in range(first, first + retries):
        for room in rooms:
            send(producer, topic, room, 'c%d' % i)
    producer.flush()


def complete(database, rooms, n):
    """Each cid once, and no row too many."""
    for room in rooms:
        rows = database.rows('select cid, dup_of from messages '
                             'where chat_id = %s order by seq', room)
        kept = [cid for cid, dup in rows if dup is None]
        assert kept == ['c%d' % i for i in range(n)], room
    assert database.value('select count(*) from messages m where dup_of is '
                          'not null and not exists (select from messages o '
                          'where o.chat_id = m.chat_id and o.epoch = '
                          'm.dup_epoch and o.seq = m.dup_of '
                          'and o.cid is not null)') == 0


def test_kills(kafka, topic, database, archiver):
    """Each message once, however often archivers are killed or stopped."""
    rooms = ['r%d' % i for i in range(8)]
    several = [archiver(batch_records=50), archiver(batch_records=50)]
    for turn in range(6):
        load(kafka, topic, rooms, turn * 100, 100, retries=10)
        victim = several[turn % 2]
        if turn % 3 == 2:
            victim.send_signal(signal.SIGSTOP)
            load(kafka, topic, rooms, (turn + 1) * 100, 0)
            time.sleep(8)      # longer than the group waits for it
            victim.send_signal(signal.SIGCONT)
        else:
            victim.kill()
            several[turn % 2] = archiver(batch_records=50)
    archived(kafka, topic, database, timeout=90)
    complete(database, rooms, 600)
    assert database.value('select count(*) from messages') == 8 * 660
    for one in several:
        one.expected.append('Kafka')


def test_two_share(kafka, topic, database, archiver):
    several = [archiver(), archiver()]
    wait_for(lambda: [one.metrics()['partitions'] for one in several]
             == [PARTITIONS // 2] * 2, seconds=60, what='they share')
    rooms = ['r%d' % i for i in range(20)]
    load(kafka, topic, rooms, 0, 50)
    archived(kafka, topic, database)
    complete(database, rooms, 50)
    counts = [one.metrics()['records_total'] for one in several]
    assert sum(counts) == 1000 and min(counts) > 0


def test_stale_batch(kafka, topic, database, archiver):
    """Who comes with what is stored already changes nothing."""
    load(kafka, topic, ['room'], 0, 10)
    first = archiver()
    archived(kafka, topic, database)
    # of another group: both have all partitions
    second = archiver(kafka_group=topic + '-other')
    wait_for(lambda: second.metrics()['partitions'] == PARTITIONS,
             seconds=60, what='it has the partitions')
    load(kafka, topic, ['room'], 10, 300)
    archived(kafka, topic, database)
    complete(database, ['room'], 310)
    wait_for(lambda: first.metrics()['records_total']
             + second.metrics()['records_total'] == 310,
             what='each record is stored by one of them')


def test_postgres_down(kafka, topic, own_postgres, archiver):
    database = own_postgres.database()
    one = archiver(postgres=database.conninfo)
    load(kafka, topic, ['room'], 0, 100)
    archived(kafka, topic, database)
    own_postgres.send_signal(signal.SIGKILL)
    own_postgres.process.wait()
    load(kafka, topic, ['room'], 100, 100)
    wait_for(lambda: not one.healthy(), what='it says so')
    wait_for(lambda: one.metrics()['lag'] == 100, what='it knows how much')
    own_postgres.start()
    archived(kafka, topic, database)
    complete(database, ['room'], 200)
    wait_for(one.healthy, what='it is well again')
    wait_for(lambda: one.metrics()['lag'] == 0, what='nothing is left')
    # it stands still: nothing is lost, and the archiver can be told to end
    own_postgres.send_signal(signal.SIGSTOP)
    load(kafka, topic, ['room'], 200, 100)
    time.sleep(1)
    own_postgres.send_signal(signal.SIGCONT)
    archived(kafka, topic, database)
    complete(database, ['room'], 300)


def test_broker_killed(database, daemon):
    """Its own broker, which comes back."""
    from harness.broker import Kafka
    kafka = Kafka()
    try:
        topic = kafka.topic(PARTITIONS)
        one = daemon('archiver', kafka_brokers=kafka.brokers, epoch=EPOCH,
                     kafka_topic=topic, postgres=database.conninfo)
        load(kafka, topic, ['room'], 0, 100)
        archived(kafka, topic, database)
        kafka.stop(signal.SIGKILL)
        wait_for(lambda: not one.healthy(), seconds=60, what='it says so')
        kafka.start()
        load(kafka, topic, ['room'], 100, 100)
        archived(kafka, topic, database)
        complete(database, ['room'], 200)
        wait_for(one.healthy, seconds=60, what='it is well again')
        one.stop()
    finally:
        kafka.close()


def test_lost(kafka, topic, database, archiver):
    """Records that were deleted before: an alarm, never silently."""
    load(kafka, topic, ['room'], 0, 10)
    first = archiver()
    archived(kafka, topic, database)
    first.stop()
    load(kafka, topic, ['room'], 10, 10)
    kafka.delete(topic, partition('room', PARTITIONS), 15)
    lost = 'records are gone that were never archived'
    second = archiver()
    second.expected.append(lost)
    wait_for(lambda: second.logged(lost), seconds=60, what='an alarm')
    wait_for(lambda: not second.healthy(), what='it says so')
    assert database.value('select count(*) from messages') == 10
    second.stop()
    third = archiver(on_lost='skip')
    third.expected.append(lost)
    archived(kafka, topic, database)
    assert [cid for cid, in database.rows(
        'select cid from messages order by seq')] == \
        ['c%d' % i for i in list(range(10)) + list(range(15, 20))]


def test_lost_while_kafka_does_not_tell(topic, database, archiver):
    """It goes on as soon as that is known."""
    mock = MockBroker(topic, PARTITIONS)
    try:
        lost = 'records are gone that were never archived'
        for p in range(PARTITIONS):
            database.run('insert into progress values (%s, %s, %s, 0, %s)',
                         topic, p, EPOCH, PARTITIONS)
        pile(Kafka.producer(mock), topic)
        mock.blind(3)
        one = archiver(kafka_brokers=mock.brokers, on_lost='skip')
        one.expected.append(lost)
        wait_for(lambda: database.rows(
            "select 1 from messages where cid = 'last'"), 30, what='the last')
        assert one.logged('no watermarks') and one.logged(lost)
        one.stop()
    finally:
        mock.close()


def test_not_lost_at_all(topic, database, archiver):
    """A broker that errs for a moment raises no alarm and stops nothing."""
    mock = MockBroker(topic, PARTITIONS)
    try:
        producer = Kafka.producer(mock)
        one = archiver(kafka_brokers=mock.brokers)
        for n in range(3):
            send(producer, topic, 'room', 'c%d' % n)
        producer.flush()
        rows = 'select cid from messages order by seq'
        wait_for(lambda: len(database.rows(rows)) == 3, 30, what='all')
        mock.forgetful()
        wait_for(lambda: one.logged('records are there after all'), 30,
                 what='the error')
        send(producer, topic, 'room', 'c3')
        producer.flush()
        wait_for(lambda: len(database.rows(rows)) == 4, 30, what='the last')
        assert one.metrics()['lost_total'] == 0
        one.stop()
    finally:
        mock.close()


def test_epochs(kafka, topic, database, archiver):
    """A topic made anew begins a new epoch; an old one is refused."""
    load(kafka, topic, ['room'], 0, 5)
    archiver().stop()
    first = archiver()
    archived(kafka, topic, database)
    first.stop()
    later = archiver(epoch=EPOCH + 1, kafka_topic=topic)
    wait_for(lambda: later.metrics()['records_total'] == 5,
             what='it is read again')
    later.stop()
    assert database.rows('select distinct epoch, count(*) from messages '
                         'group by 1 order by 1') == \
        [(EPOCH, 5), (EPOCH + 1, 5)]
    old = archiver()
    old.expected.append('the archive is of a later epoch')
    assert old.process.wait(30) == 1
    assert old.logged('the archive is of a later epoch')


def test_schema(kafka, topic, postgres, archiver):
    """Without the schema it waits, and says what is missing."""
    database = postgres.database(schema=False)
    one = archiver(postgres=database.conninfo)
    one.expected += ['PostgreSQL refused',
                     'the database needs ws-chat-migrate']
    wait_for(lambda: not one.healthy(), seconds=60, what='it says so')
    said = postgres.migrate(database.name)
    assert '001_messages.sql' in said and '002_changes.sql' in said
    assert postgres.migrate(database.name) == ''
    wait_for(one.healthy, seconds=60, what='it goes on')


def test_plain_sql(database):
    """The two keys that PROTOCOL names."""
    insert = ('insert into messages (chat_id, epoch, seq, sender, cid, '
              'message, "timestamp") values (%s, 1, %s, %s, %s, %s, now())')
    database.run(insert, 'a', 1, 'ann', 'c', '"\\u0000"')
    for row in ('a', 1, 'bob', 'd', '1'), ('a', 2, 'ann', 'c', '1'):
        with pytest.raises(psycopg.errors.UniqueViolation):
            database.run(insert, *row)


@pytest.mark.parametrize('options, said', [
    ({}, '"epoch" must be given'),
    ({'epoch': 'x'}, '"epoch" must be a number'),
    ({'epoch': 1, 'speed': 1}, 'unknown option "--speed"'),
    ({'epoch': 1, 'delivery': 'fast'}, '"delivery" must be one of'),
])
def test_bad_options(options, said):
    one = Daemon('archiver', wait=False, **options)
    assert one.process.wait(10) == 2
    one.log.seek(0)
    assert said in one.log.read()


def test_bad_property(daemon):
    one = daemon('archiver', wait=False, epoch=1, kafka_property='a.b=c')
    one.expected.append('bad Kafka property')
    assert one.process.wait(10) == 1
    assert one.logged('bad Kafka property', name='a.b')
