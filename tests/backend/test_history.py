"""ws-chat-history over a real PostgreSQL and, where it asks, Kafka."""

import signal
import threading
import time
import urllib.parse

import pytest

from harness.daemon import Daemon
from harness.nginx import wait_for
from harness.records import EPOCH, partition, send

PARTITIONS = 4
NEXT = 1000000

FILL = '''insert into messages (chat_id, epoch, seq, sender, cid, message,
    "timestamp") select %s, %s, n, 'ann', %s || n,
    json_build_object('n', n), to_timestamp(1700000000 + n)
    from generate_series(%s::bigint, %s::bigint, %s::bigint) n'''


def fill(database, chat_id, first, last, step=1, epoch=EPOCH, cid='c'):
    database.run(FILL, chat_id, epoch, cid, first, last, step)


def progress(database, next=NEXT, epoch=EPOCH):
    for p in range(PARTITIONS):
        database.run('insert into progress values (%s, %s, %s, %s, %s)',
                     'chat-messages', p, epoch, next, PARTITIONS)


@pytest.fixture
def history(daemon, database):
    def start(**options):
        return daemon('history', postgres=database.conninfo, **options)
    return start


def page(one, chat_id='room', **args):
    status, body = one.json('/chats/%s/messages?%s' % (
        chat_id, urllib.parse.urlencode(args)))
    assert status == 200, body
    return body


def seqs(body):
    return [m['seq'] for m in body['messages']]


def pos(seq, epoch=EPOCH):
    return '%d:%d' % (epoch, seq)


def test_page(database, history):
    progress(database)
    fill(database, 'room', 3, 30, 3)
    fill(database, 'other', 1, 30)
    one = history()
    body = page(one, limit=3)
    assert body['chat_id'] == 'room'
    assert body['more'] is True
    assert body['complete_to'] == {'epoch': EPOCH, 'seq': NEXT}
    assert body['messages'][0] == {
        'ev': 'message', 'chat_id': 'room', 'epoch': EPOCH, 'seq': 24,
        'prev': {'epoch': EPOCH, 'seq': 21}, 'cid': 'c24', 'sender': 'ann',
        'message': {'n': 24}, 'timestamp': EPOCH + 24000}
    assert seqs(body) == [24, 27, 30]
    assert seqs(page(one, before=pos(24), limit=3)) == [15, 18, 21]
    first = page(one, before=pos(9), limit=3)
    assert seqs(first) == [3, 6] and first['more'] is False
    assert first['messages'][0]['prev'] is None
    body = page(one, after=pos(10), limit=2)
    assert seqs(body) == [12, 15] and body['more'] is True
    assert body['messages'][0]['prev']['seq'] == 9
    body = page(one, after=pos(24), limit=2)
    assert seqs(body) == [27, 30] and body['more'] is False
    assert page(one, after=pos(30))['messages'] == []
    assert page(one, chat_id='nobody')['messages'] == []
    assert len(page(one, chat_id='other', limit=500)['messages']) == 30
    assert one.metrics()['pages_total'] == 8


def test_across_epochs(database, history):
    """Epochs are whole numbers: a later one comes behind all of it."""
    progress(database, epoch=EPOCH + 5)
    fill(database, 'room', 90, 100)
    fill(database, 'room', 1, 10, epoch=EPOCH + 5)
    one = history()
    body = page(one, after=pos(98), limit=4)
    assert [(m['epoch'], m['seq']) for m in body['messages']] == [
        (EPOCH, 99), (EPOCH, 100), (EPOCH + 5, 1), (EPOCH + 5, 2)]
    assert body['messages'][2]['prev'] == {'epoch': EPOCH, 'seq': 100}
    body = page(one, before=pos(2, EPOCH + 5), limit=3)
    assert seqs(body) == [99, 100, 1]
    assert body['complete_to'] == {'epoch': EPOCH + 5, 'seq': NEXT}


def test_hundred_thousand(database, history):
    """All of it in both directions, once and in order."""
    n = 100000
    progress(database)
    fill(database, 'room', 7, 7 * n, 7)
    one = history()
    have, after = [], 0
    while True:
        body = page(one, after=pos(after), limit=500)
        have += body['messages']
        if not body['more']:
            break
        after = have[-1]['seq']
    assert [m['seq'] for m in have] == list(range(7, 7 * n + 1, 7))
    assert have[0]['prev'] is None
    assert [m['prev']['seq'] for m in have[1:]] == \
        list(range(7, 7 * n, 7))
    back, before = [], 7 * n + 1
    while True:
        body = page(one, before=pos(before), limit=500)
        back[:0] = body['messages']
        if not body['more']:
            break
        before = back[0]['seq']
    assert back == have
    # and the middle costs no more than the ends
    assert seqs(page(one, after=pos(350000), limit=1)) == [350007]


def test_bytes(database, history):
    """A page ends where it would be too long; one message always fits."""
    progress(database)
    fill(database, 'room', 1, 3)
    database.run("""update messages set message =
                 to_json(repeat('x', case seq when 2 then 3000 else 900 end))
                 """)
    one = history(max_bytes=2600)
    body = page(one, after=pos(0))
    assert seqs(body) == [1] and body['more'] is True
    body = page(one, after=pos(1))
    assert seqs(body) == [2] and body['more'] is True
    body = page(one, after=pos(2))
    assert seqs(body) == [3] and body['more'] is False
    body = page(one)
    assert seqs(body) == [3] and body['more'] is True
    assert body['messages'][0]['prev'] == {'epoch': EPOCH, 'seq': 2}
    body = page(one, before=pos(3))
    assert seqs(body) == [2] and body['more'] is True


def test_hidden(database, history):
    """Repetitions and what broke the rules are not given."""
    progress(database)
    fill(database, 'room', 1, 5)
    database.run('update messages set cid = null, dup_epoch = epoch, '
                 'dup_of = 1 where seq = 3')
    database.run("update messages set refused = 'x' where seq = 4")
    body = page(history(), after=pos(1))
    assert [(m['seq'], m['prev']['seq']) for m in body['messages']] == \
        [(2, 1), (5, 2)]


def test_changed(database, history):
    fill(database, 'room', 1, 3)
    database.run('update messages set edited = now(), message = %s '
                 'where seq = 2', '{"b": 1.0}')
    database.run('update messages set edited = now(), retracted = now(), '
                 "enc = 'base64', message = 'null' where seq = 3")
    progress(database)
    body = page(history())
    assert [(m.get('message'), m.get('edited'), m.get('retracted'))
            for m in body['messages']] == [
        ({'n': 1}, None, None), ({'b': 1.0}, True, None), (None, None, True)]
    assert 'message' not in body['messages'][2]


def test_octets(database, history):
    progress(database)
    fill(database, 'room', 1, 1)
    database.run("update messages set enc = 'base64', "
                 "message = '\"AAEC\\/w==\"'")
    one, = page(history())['messages']
    assert one['message'] == 'AAEC/w==' and one['enc'] == 'base64'


def test_exact(database, history):
    """The text of a message is the sender's, byte for byte."""
    progress(database)
    fill(database, 'room', 1, 1)
    text = '{"b":1.0,"a":"caf\u00e9\\u00e9","n":1e2, "z":[ ]}'
    database.run('update messages set message = %s', text)
    body = history().get('/chats/room/messages')[2].decode()
    assert '"message":%s,"timestamp"' % text in body


def test_complete_to(database, history):
    """It is never more than what is archived."""
    one = history()
    nothing = page(one)
    assert nothing['complete_to'] == {'epoch': 0, 'seq': 0}
    progress(database, next=-1)
    assert page(one)['complete_to'] == {'epoch': EPOCH, 'seq': 0}
    database.run('update progress set next = 100 + partition')
    for chat_id in 'a', 'b', 'c', 'room':
        assert page(one, chat_id=chat_id)['complete_to']['seq'] == \
            100 + partition(chat_id, PARTITIONS)


def test_complete_to_of_a_new_epoch(database, history):
    """It counts, though an old one with more partitions is still there."""
    fewer = PARTITIONS - 1
    chat_id = next(c for c in 'abcdefgh'
                   if partition(c, fewer) < partition(c, PARTITIONS))
    for epoch, next_, count in ((EPOCH + 1, 7, fewer),
                                (EPOCH, 99, PARTITIONS)):
        database.run('insert into progress values (%s, %s, %s, %s, %s)',
                     'chat-messages', partition(chat_id, count), epoch, next_,
                     count)
    assert page(history(), chat_id=chat_id)['complete_to'] == {
        'epoch': EPOCH + 1, 'seq': 7}


def test_live(database, history):
    """Of a live chat complete is what follows without a hole."""
    fill(database, 'room', 1, 20)
    database.run('delete from messages where seq = 11')
    fill(database, 'room', 1, 5, epoch=EPOCH + 1, cid='d')
    one = history(delivery='live')

    def complete(**args):
        place = page(one, **args)['complete_to']
        return place['epoch'], place['seq']

    assert complete(after=pos(3), limit=4) == (EPOCH, 7)
    assert complete(after=pos(3)) == (EPOCH, 10)
    assert complete(after=pos(10)) == (EPOCH, 10)
    assert complete(after=pos(11)) == (EPOCH, 20)
    assert complete(after=pos(0)) == (EPOCH, 10)
    database.run('update messages set prev_epoch = %s, prev_seq = 20 '
                 'where epoch > %s and seq = 1', EPOCH, EPOCH)
    assert complete(after=pos(11)) == (EPOCH + 1, 5)
    assert complete(limit=3) == (EPOCH + 1, 5)
    assert complete(after=pos(99, EPOCH + 1)) == (EPOCH + 1, 99)


def test_hole(database, history):
    """What is missing in a live chat shows by the prev behind it."""
    fill(database, 'room', 3, 12)
    database.run('update messages set prev_epoch = epoch, prev_seq = seq - 1')
    database.run('delete from messages where seq = 9')

    def prevs(**args):
        return [m['prev']['seq'] for m in page(one, **args)['messages']]

    one = history(delivery='live')
    assert prevs(after=pos(6)) == [6, 7, 9, 10, 11]
    assert prevs(after=pos(9)) == [9, 10, 11]
    assert prevs(before=pos(11), limit=2) == [7, 9]
    assert prevs() == [2, 3, 4, 5, 6, 7, 9, 10, 11]


def test_sent(database, history):
    """Where a cid is, for who has to know whether it is."""
    progress(database)
    fill(database, 'room', 1, 5)
    one = history()
    status, body = one.json('/chats/room/sent?sender=ann&cid=c3')
    assert status == 200
    assert body == {'chat_id': 'room',
                    'position': {'epoch': EPOCH, 'seq': 3},
                    'complete_to': {'epoch': EPOCH, 'seq': NEXT}}
    for query in 'sender=bob&cid=c3', 'sender=ann&cid=c6':
        assert one.json('/chats/room/sent?' + query)[1]['position'] is None


def places(one, sender='ann', **args):
    """All that has a text, page by page: (chat, seq)."""
    found = []
    while True:
        status, body = one.json('/messages?' + urllib.parse.urlencode(
            {'sender': sender, **args}))
        assert status == 200, body
        found += [(body['chat_id'], m['seq']) for m in body['messages']]
        if not body['more']:
            return found
        last = body['messages'][-1]
        args.update(chat_id=body['chat_id'],
                    after=pos(last['seq'], last['epoch']))


def test_of_a_sender(kafka, database, history):
    """What somebody sent and still has its text, repetitions too."""
    fill(database, 'b', 1, 9)
    fill(database, 'a', 1, 5)
    fill(database, 'c', 1, 1, epoch=EPOCH + 5)
    database.run("update messages set sender = 'bob' where seq = 2")
    database.run("update messages set retracted = now(), message = 'null' "
                 'where seq = 3')
    database.run("update messages set refused = 'x' where seq = 4")
    database.run('update messages set cid = null, dup_epoch = epoch, '
                 'dup_of = 1 where seq in (5, 6)')
    database.run("update messages set message = 'null' where seq = 6")
    one = history(kafka_brokers=kafka.brokers,
                  kafka_topic=kafka.topic(PARTITIONS))
    mine = [('a', n) for n in (1, 4, 5)] + [
        ('b', n) for n in (1, 4, 5, 7, 8, 9)] + [('c', 1)]
    assert places(one) == mine
    assert places(one, limit=1) == mine
    assert places(one, limit=3) == mine
    assert places(one, 'bob') == [('a', 2), ('b', 2)]
    status, body = one.json('/messages?sender=nobody')
    assert body == {'messages': [], 'more': False}


def test_of_a_sender_by_its_index(database):
    """However much others have sent."""
    fill(database, 'room', 1, 20000)
    database.run("update messages set sender = 'bob' where seq % 1000 = 0")
    database.run('analyze messages')
    with database.server.connect(database.name) as db:
        db.execute('set enable_seqscan = off; set enable_bitmapscan = off;'
                   'set enable_sort = off')
        for chat_id, seq in ('', 0), ('room', 7000):
            plan = db.execute(
                "explain select chat_id, epoch, seq from messages "
                "where sender = 'bob' and retracted is null "
                "and (chat_id, epoch, seq) > (%s, %s, %s) "
                "and (dup_of is null or message::text <> 'null') "
                'order by chat_id, epoch, seq limit 129',
                (chat_id, EPOCH, seq)).fetchall()
            scans = [line for line, in plan if 'Scan' in line]
            assert scans and all('sender_chat_id_epoch_seq' in line
                                 for line in scans), plan


def test_of_a_sender_when_all_is_archived(kafka, database, history):
    """What was acknowledged may be missing: it waits, then says so."""
    topic = kafka.topic(PARTITIONS)
    producer = kafka.producer()
    for n in range(3):
        send(producer, topic, 'room', 'c%d' % n)
    send(producer, topic, 'gone', 'c')
    producer.flush()
    kafka.delete(topic, partition('gone', PARTITIONS), 1)
    one = history(kafka_brokers=kafka.brokers, kafka_topic=topic)
    path = '/messages?sender=ann'
    status, headers, _ = one.get(path)
    assert status == 503 and int(headers['Retry-After']) > 0
    database.run('insert into progress values (%s, %s, %s, 2, %s)', topic,
                 partition('room', PARTITIONS), EPOCH, PARTITIONS)
    fill(database, 'room', 1, 3)
    answers = []
    asking = threading.Thread(target=lambda: answers.append(one.json(path)))
    asking.start()
    wait_for(lambda: database.value(
        "select count(*) from pg_stat_activity where query like '%%progress%%'"
        " and application_name = 'ws-chat-history'"), what='it looks')
    database.run('update progress set next = 3')
    asking.join()
    (status, body), = answers
    assert status == 200 and seqs(body) == [1, 2, 3]
    assert body['chat_id'] == 'room'
    # further pages need no word of Kafka
    assert places(one, chat_id='room', after=pos(1)) == [
        ('room', 2), ('room', 3)]


def test_of_a_sender_behind_a_transaction(kafka, database, history):
    """What nobody gets to read before it ends was acknowledged, too."""
    topic = kafka.topic(1)
    other = kafka.producer(transactional_id=topic)
    other.init_transactions()
    other.begin_transaction()
    send(other, topic, 'room', 'c1')
    other.flush()
    producer = kafka.producer()
    send(producer, topic, 'room', 'c2')
    producer.flush()
    one = history(kafka_brokers=kafka.brokers, kafka_topic=topic)
    assert one.json('/messages?sender=ann')[0] == 503
    other.commit_transaction()
    fill(database, 'room', 1, 2)
    database.run('insert into progress values (%s, 0, %s, 3, 1)', topic,
                 EPOCH)
    assert places(one) == [('room', 1), ('room', 2)]


def test_of_a_sender_without_kafka(database, history):
    one = history(kafka_brokers='127.0.0.1:1')
    begin = time.monotonic()
    assert one.json('/messages?sender=ann')[0] == 503
    assert time.monotonic() - begin < 4


@pytest.mark.parametrize('path, status', [
    ('/', 404), ('/chats/room', 404), ('/chats/room/other', 404),
    ('/chats//messages', 400), ('/chats/a%20b/messages', 400),
    ('/chats/%s/messages' % ('x' * 129), 400),
    ('/chats/room/messages?limit=0', 400),
    ('/chats/room/messages?limit=501', 400),
    ('/chats/room/messages?limit=5x', 400),
    ('/chats/room/messages?limit=', 400),
    ('/chats/room/messages?after=5', 400),
    ('/chats/room/messages?after=5:', 400),
    ('/chats/room/messages?after=-1:5', 400),
    ('/chats/room/messages?before=9007199254740992:1', 400),
    ('/chats/room/messages?before=1:1&after=1:1', 400),
    ('/chats/room/sent?sender=ann', 400),
    ('/chats/room/sent?sender=ann&cid=%01', 400),
    ('/messages', 400), ('/messages?sender=%01', 400),
    ('/messages?sender=ann&limit=0', 400),
    ('/messages?sender=ann&chat_id=a', 400),
    ('/messages?sender=ann&after=1:1', 400),
    ('/messages?sender=ann&chat_id=a%20b&after=1:1', 400),
    ('/messages?sender=ann&chat_id=a&after=1', 400),
])
def test_bad_requests(history, path, status):
    have, body = history().json(path)
    assert have == status and body['code'] and body['message']


def test_percent(database, history):
    progress(database)
    fill(database, 'a@b:c', 1, 1)
    assert seqs(page(history(), chat_id='a%40b%3Ac')) == [1]


def test_postgres_down(own_postgres, daemon):
    database = own_postgres.database()
    progress(database)
    fill(database, 'room', 1, 5)
    one = daemon('history', postgres=database.conninfo, pool=2)
    assert seqs(page(one)) == [1, 2, 3, 4, 5]
    own_postgres.stop()
    status, headers, _ = one.get('/chats/room/messages')
    assert status == 503 and int(headers['Retry-After']) > 0
    wait_for(lambda: not one.healthy(), what='it says so')
    assert one.get('/health?live')[0] == 200
    own_postgres.start()
    wait_for(one.healthy, seconds=30, what='it is well again')
    assert seqs(page(one)) == [1, 2, 3, 4, 5]


def test_slow_query(database, history):
    """A query that hangs ends, and takes no other down with it."""
    progress(database)
    fill(database, 'room', 1, 5)
    one = history(query_timeout=300, pool=2)
    with database.server.connect(database.name) as db:
        db.autocommit = False
        db.execute('lock table messages in access exclusive mode')
        assert one.get('/chats/room/messages')[0] == 503
        db.rollback()
    assert seqs(page(one)) == [1, 2, 3, 4, 5]


def test_end(database, history):
    one = history()
    assert one.healthy()
    one.send_signal(signal.SIGINT)
    assert one.process.wait(10) == 0
    assert one.logged('ends')


def test_configuration(tmp_path, database, daemon, monkeypatch):
    """File, environment, command line: the later wins."""
    conf = tmp_path / 'history.conf'
    conf.write_text('# the archive\n\npostgres   %s\npool 3\nhttp :x\n'
                    'log-format  json\n' % database.conninfo)
    monkeypatch.setenv('WS_CHAT_HTTP', '127.0.0.1:0')
    one = daemon('history', c_=[], config=str(conf), log_format='json')
    assert one.healthy()
    conf.write_text('pool 3\nspool 4\n')
    two = Daemon('history', wait=False, config=str(conf))
    assert two.process.wait(10) == 2
    two.log.seek(0)
    assert ':2: unknown option "spool"' in two.log.read()
