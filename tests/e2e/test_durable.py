"""Durable zones: an ack is Kafka's word, the relay brings the messages.

One broker, a topic, Redis and relay for each test, and third-party clients on
both sides.  What fails is ended by SIGKILL or held by SIGSTOP; afterwards
nothing is lost that was acknowledged, nothing comes twice (the members look),
and everybody has everything without new traffic.
"""

import asyncio
import http.client
import json
import signal

import confluent_kafka
import pytest

from harness.broker import MockBroker
from harness.client import ChatError, Client
from harness.member import Member, position
from harness.nginx import wait_for
from harness.line import FREE, PARTITIONS, PATIENT, line  # noqa: F401
from harness.pipeline import daemon, kafka, redis  # noqa: F401
from harness.records import EPOCH, iso, partition, send as produce

pytestmark = [pytest.mark.plain_store, pytest.mark.once,
              pytest.mark.xdist_group('kafka')]

ROOM = 'room'


async def everybody(members, cids, room=ROOM):
    """Each has these, whatever the order, and all have the same order."""
    for m in members:
        await m.until(lambda: set(cids) <= set(m.cids(room)), PATIENT)
    assert len({tuple(m.cids(room)) for m in members}) == 1


async def test_a_message(line):
    """Ack, echo and delivery on another node; the record as documented."""
    line.relay()
    a, b = await line.node(), await line.node()
    ann = await Member.start(a, 'ann', [ROOM])
    bob = await Member.start(b, 'bob', [ROOM], fmt='msgpack')
    text = {'text': 'hi', 'n': 1.0}
    ack = await ann.send(ROOM, 'c1', text)
    assert 'seq' not in ack and ack['timestamp']
    await everybody([ann, bob], ['c1'])
    page = a.request('/status', headers={'Accept': 'text/html'}).body.decode()
    assert '<td>Kafka and Redis; sends pending: 0</td>' in page
    (got,) = bob.messages[ROOM]
    assert got['message'] == text and got['sender'] == 'ann'
    assert position(got) == (EPOCH, 1) and got['prev'] is None
    (record,) = await asyncio.to_thread(line.records, 1)
    assert record.key() == b'room' and not record.headers()
    assert record.partition() == partition(ROOM, PARTITIONS)
    # the message as it was sent, octet for octet
    assert record.value().decode() == (
        '{"chat_id":"room","sender":"ann","message":%s,"timestamp":"%s",'
        '"cid":"c1"}' % (json.dumps(text), iso(ack['timestamp'])))


async def test_order_of_a_socket(line):
    """Pipelined sends keep their order, over several chats."""
    line.relay()
    ng = await line.node()
    rooms = ['r%d' % i for i in range(6)]
    ann = await Member.start(ng, 'ann', rooms)
    await asyncio.gather(*(
        ann.client.post([{'op': 'send', 'chat_id': room, 'cid': 'c%d' % i,
                          'message': i} for i in range(60)])
        for room in rooms))
    for room in rooms:
        await ann.until(lambda: len(ann.cids(room)) == 60, PATIENT)
        assert ann.cids(room) == ['c%d' % i for i in range(60)]


@pytest.mark.row('settled')
@pytest.mark.parametrize('fmt', ['json', 'msgpack'])
async def test_settled(line, fmt):
    """A repeated cid is stored once; its sender hears where."""
    line.relay()
    ng = await line.node()
    async with await Client.connect(ng, user='ann', fmt=fmt) as ann, \
            await Client.connect(ng, user='bob') as bob:
        await ann.join(ROOM)
        await bob.join(ROOM)
        await ann.send(ROOM, 'x', cid='c1')
        first = await ann.expect('message', chat_id=ROOM)
        await bob.expect('message', chat_id=ROOM)
        await ann.send(ROOM, 'x', cid='c1', retry=True)
        settled = await ann.expect('settled', chat_id=ROOM, timeout=PATIENT)
        assert {k: settled[k] for k in settled if k != 'ev'} == {
            'chat_id': ROOM, 'cid': 'c1', 'epoch': first['epoch'],
            'seq': first['seq']}
        await ann.send(ROOM, 'y', cid='c2')
        assert (await bob.expect('message'))['cid'] == 'c2'
        await bob.nothing('settled')
    records = await asyncio.to_thread(line.records, 3)
    assert [r.headers() for r in records] == [
        None, [('retry', b'1')], None]


async def test_resume_on_another_node(line):
    """What was missed comes in the join's answer, from any node."""
    line.relay()
    a, b = await line.node(), await line.node()
    ann = await Member.start(a, 'ann', [ROOM])
    await ann.send(ROOM, 'c0', 0)
    await ann.until(lambda: ann.cids(ROOM), PATIENT)
    seen = ann.messages[ROOM][-1]
    for i in range(1, 21):
        await ann.send(ROOM, 'c%d' % i, i)
    await ann.until(lambda: len(ann.cids(ROOM)) == 21, PATIENT)
    async with await Client.connect(b, user='bob') as bob:
        reply = await bob.join(ROOM, after={'epoch': seen['epoch'],
                                            'seq': seen['seq']})
        assert reply['recovered'] and not reply['more']
        assert [m['cid'] for m in reply['messages']] == \
            ['c%d' % i for i in range(1, 21)]
        page = await bob.cmd('history', chat_id=ROOM, limit=5)
        assert [m['cid'] for m in page['messages']] == \
            ['c%d' % i for i in range(16, 21)]
        # who has seen more than there is waits; it is never called ahead
        await bob.leave(ROOM)
        with pytest.raises(ChatError) as e:
            await bob.join(ROOM, after={'epoch': EPOCH, 'seq': 10 ** 9})
        assert e.value.code == 'unavailable'
        assert (await bob.join(ROOM))['recovered']


async def test_a_foreign_producer(line):
    """What any producer writes reaches the chat, in any partition."""
    relay = line.relay()
    ng = await line.node()
    ann = await Member.start(ng, 'ann', [ROOM])
    plain = line.kafka.producer()
    produce(plain, line.topic, ROOM, 'f1', sender='robot')
    other = (partition(ROOM, PARTITIONS) + 1) % PARTITIONS
    plain.produce(line.topic, partition=other, key=ROOM, value=json.dumps(
        {'sender': 'robot', 'message': 'lost', 'cid': 'f2'}))
    await asyncio.to_thread(plain.flush)
    await ann.until(lambda: sorted(ann.cids(ROOM)) == ['f1', 'f2'], PATIENT)
    assert relay.metrics()['misrouted_total'] == 1


async def test_the_relay_dies(line):
    """Acks go on; another relay brings what waited, each once."""
    relay = line.relay()
    ng = await line.node()
    ann = await Member.start(ng, 'ann', [ROOM])
    await ann.send(ROOM, 'c0', 0)
    await everybody([ann], ['c0'])
    relay.kill()
    for i in range(1, 30):
        await ann.send(ROOM, 'c%d' % i, i)
    line.relay()
    cids = ['c%d' % i for i in range(30)]
    await everybody([ann], cids)
    assert ann.cids(ROOM) == cids and not ann.gaps


async def test_redis_loses_everything(line):
    """FLUSHALL under traffic: the relay puts back, nobody notices."""
    line.relay()
    ng = await line.node()
    ann = await Member.start(ng, 'ann', [ROOM])
    for i in range(20):
        await ann.send(ROOM, 'c%d' % i, i)
        if i == 10:
            await everybody([ann], ['c10'])
            line.redis.cli('flushall')
    await everybody([ann], ['c%d' % i for i in range(20)])
    assert not ann.gaps
    bob = await Member.start(ng, 'bob', [ROOM])
    assert bob.last[ROOM] == position(ann.messages[ROOM][-1])


async def test_the_broker_stands_still(line):
    """Held for a moment: late acks, no loss; nothing is unknown."""
    line.relay()
    ng = await line.node()
    ann = await Member.start(ng, 'ann', [ROOM])
    await ann.send(ROOM, 'c0', 0)
    line.kafka.send_signal(signal.SIGSTOP)
    try:
        sends = [asyncio.create_task(ann.send(ROOM, 'c%d' % i, i, PATIENT))
                 for i in range(1, 10)]
        await asyncio.sleep(1)
        assert not any(task.done() for task in sends)
    finally:
        line.kafka.send_signal(signal.SIGCONT)
    await asyncio.gather(*sends)
    await everybody([ann], ['c%d' % i for i in range(10)])


async def test_the_broker_dies(line):
    """`unknown` after ten seconds; repeated, everything is there once."""
    line.relay()
    ng = await line.node()
    ann = await Member.start(ng, 'ann', [ROOM])
    await ann.send(ROOM, 'c0', 0)
    await everybody([ann], ['c0'])
    line.kafka.stop(signal.SIGKILL)
    try:
        reply = await ann.ask('send', chat_id=ROOM, cid='c1', message=1)
        assert reply['code'] == 'unknown' and reply['temporary']
        assert reply['cid'] == 'c1' and reply['retry_ms']
        await asyncio.to_thread(
            wait_for, lambda: ng.request('/health').status == 404, PATIENT,
            'the node takes nobody new')
    finally:
        await asyncio.to_thread(line.kafka.start)
    await ann.send(ROOM, 'c1', 1, PATIENT)
    await ann.send(ROOM, 'c2', 2, PATIENT)
    await everybody([ann], ['c0', 'c1', 'c2'])
    assert ann.cids(ROOM) == ['c0', 'c1', 'c2']
    await line.ready(ng)


@pytest.mark.row('overloaded')
@pytest.mark.parametrize('fmt', ['json', 'msgpack'])
async def test_full(line, fmt):
    """What the queue does not take is overloaded, definitely not stored."""
    line.relay()
    ng = await line.node(
        workers=1, http='ws_chat_kafka_property '
                        'queue.buffering.max.messages 5;'
                        'ws_chat_kafka_property linger.ms 2000;')
    async with await Client.connect(ng, user='ann', fmt=fmt) as ann:
        await ann.join(ROOM)
        await ann.post([{'op': 'send', 'id': i, 'chat_id': ROOM,
                         'cid': 'c%d' % i, 'message': i} for i in range(9)])
        replies = [await ann.reply(i, PATIENT) for i in range(9)]
        acked = {r['cid'] for r in replies if r['ev'] == 'ack'}
        refused = [r for r in replies if r['ev'] == 'error']
        assert len(acked) == 5 and len(refused) == 4
        assert all(r['code'] == 'overloaded' and r['retry_ms']
                   for r in refused)
        got = [await ann.expect('message', timeout=PATIENT) for _ in acked]
        assert {m['cid'] for m in got} == acked
        await ann.nothing('message')


async def test_too_large_for_kafka(line):
    """Trying again would not help: a call is not told to."""
    ng = await line.node(
        workers=1, http='ws_chat_kafka_property message.max.bytes 2000;')
    body = {'sender': 'ops', 'message': 'x' * 5000}

    async def post(path, body):
        response = await asyncio.to_thread(
            ng.request, '/api/' + path, 'POST', {}, json.dumps(body))
        return response, json.loads(response.body)

    response, answer = await post('chats/room/messages', body)
    assert (response.status, answer['code']) == (413, 'too_large')
    assert 'Retry-After' not in response.headers
    response, answer = await post('broadcast', {**body, 'chat_ids': [ROOM]})
    assert response.status == 200
    (reply,) = answer['replies']
    assert (reply['chat_id'], reply['code']) == (ROOM, 'too_large')


async def post(ng, path, body, **headers):
    response = await asyncio.to_thread(
        ng.request, '/api/' + path, 'POST', headers, json.dumps(body))
    return response.status, json.loads(response.body)


@pytest.mark.parametrize('kind', ['json', 'msgpack'])
async def test_an_answer_has_a_place(line, kind):
    """As anywhere: of a key that is used again, the first one's, or 409."""
    line.relay()
    a, b = [await line.node(http='ws_chat_kafka_format %s;' % kind)
            for _ in range(2)]
    ann = await Member.start(a, 'ann', [ROOM])
    path, text = 'chats/room/messages', {'n': [1.0, 1e30, -0.5], 'o': ' '}
    status, first = await post(a, path, {'sender': 'shop', 'message': 1})
    assert (status, first.pop('dup')) == (201, False)
    body = {'sender': 'shop', 'message': text}
    key = {'Idempotency-Key': 'order 66'}
    status, sent = await post(a, path, body, **key)
    assert (status, sent.pop('dup')) == (201, False)
    await ann.until(lambda: len(ann.messages[ROOM]) == 2, PATIENT)
    assert [{k: m[k] for k in sent} for m in ann.messages[ROOM]] == [first,
                                                                    sent]
    for ng in a, b:
        status, again = await post(ng, path, body, **key)
        assert (status, again.pop('dup'), again) == (201, True, sent)
        status, answer = await post(ng, path, {**body, 'message': 2}, **key)
        assert (status, answer['code']) == (409, 'conflict')
    answers = await asyncio.gather(*(
        post(ng, path, {'sender': 'bank', 'message': n}, **key)
        for n, ng in enumerate([a, b] * 3)))
    assert sorted(status for status, _ in answers) == [201] + [409] * 5
    await ann.until(lambda: len(ann.messages[ROOM]) == 3, PATIENT)


async def test_an_answer_without_a_place(line):
    """The relay is away: it is stored, and where will be known later."""
    ng = await line.node()
    for p in range(PARTITIONS):
        line.redis.cli('set', 'wsc:{%d}:progress' % p, '%d 0 0 0' % EPOCH)
    status, answer = await post(ng, 'chats/room/messages',
                                {'sender': 'shop', 'message': 1})
    assert status == 201 and set(answer) == {'timestamp', 'dup'}
    # nor does a node wait for that which ends at once
    call = asyncio.create_task(post(ng, 'chats/room/messages',
                                    {'sender': 'shop', 'message': 2}))
    await asyncio.to_thread(line.records, 2)
    ng.process.send_signal(signal.SIGTERM)
    with pytest.raises(http.client.RemoteDisconnected):
        await call
    assert await asyncio.to_thread(ng.process.wait, PATIENT) == 0


async def test_other_partitions(line):
    """A topic with other partitions than configured is not written to."""
    ng = line.nginx(
        workers=1, location=FREE, zone=line.zone(partitions=PARTITIONS + 1),
        http='ws_chat_kafka_property topic.metadata.refresh.interval.ms 500;')
    for p in range(PARTITIONS + 1):
        line.redis.cli('set', 'wsc:{%d}:progress' % p, '%d 0 0 0' % EPOCH)
    async with await Client.connect(ng, user='ann') as ann:
        await ann.join(ROOM)
        # brokers tell how many there are when there is something for them
        for _ in range(3):
            with pytest.raises(ChatError) as e:
                await ann.send(ROOM, 'y')
            assert e.value.code == 'unavailable'
        await asyncio.to_thread(
            ng.wait_log, 'has 4 partitions, "ws_chat_kafka_topic" says 5', 30)
        assert ng.request('/health').status == 404
        assert sum(line.kafka.end_offsets(line.topic, PARTITIONS)) == 0
        # it is noticed when they are as they should be
        line.kafka.partitions(line.topic, PARTITIONS + 1)
        await line.ready(ng)
        await ann.send(ROOM, 'z')


@pytest.mark.parametrize('setting', [
    'ws_chat_kafka_property message.max.bytes 2000;', ''],
    ids=['librdkafka', 'broker'])
async def test_too_large(line, setting):
    """What can never be stored is its sender's error."""
    if not setting:
        line.topic = line.kafka.topic(PARTITIONS, max_message_bytes=2000)
    line.relay()
    ng = await line.node(http=setting)
    ann = await Member.start(ng, 'ann', [ROOM])
    reply = await ann.ask('send', chat_id=ROOM, cid='c0', message='x' * 5000)
    assert reply['code'] == 'bad_request' and not reply['temporary']
    await ann.send(ROOM, 'c1', 1)
    await everybody([ann], ['c1'])
    assert ann.cids(ROOM) == ['c1']


async def test_the_last_reports(line):
    """Who sent something is told what became of it before the node ends."""
    line.relay()
    ng = await line.node(
        workers=1, http='ws_chat_kafka_property linger.ms 1000;')
    async with await Client.connect(ng, user='ann') as ann:
        await ann.join(ROOM)
        await ann.post({'op': 'send', 'id': 7, 'chat_id': ROOM, 'cid': 'c0',
                        'message': 0})
        await ann.cmd('ping')
        ng.process.send_signal(signal.SIGTERM)
        assert (await ann.reply(7))['ev'] == 'ack'


def numbers(ng):
    """Metrics of Kafka and of what is behind live chats."""
    found = {}
    for text in ng.request('/metrics').body.decode().splitlines():
        name, _, number = text.partition(' ')
        if not text.startswith('#'):
            found[name.replace('nginx_ws_chat_', '')] = float(
                number.split()[-1])
    return found


METRICS = 'location = /metrics { ws_chat_metrics; }'


async def test_numbers(line):
    """Metrics and status tell of records."""
    line.relay()
    ng = await line.node(server=METRICS,
                         http='ws_chat_kafka_property message.max.bytes 2000;')
    async with await Client.connect(ng, user='ann') as ann:
        await ann.join(ROOM)
        for i in range(5):
            await ann.send(ROOM, i)
        with pytest.raises(ChatError):
            await ann.send(ROOM, 'x' * 5000)
    now = numbers(ng)
    wanted = {'queued': 0, 'stored_total': 5, 'failed_total': 1,
              'refused_total': 0, 'producers_replaced_total': 0,
              'seconds_count': 5}
    assert {name: now['kafka_' + name] for name in wanted} == wanted
    assert 0 < now['kafka_seconds_sum']
    assert ng.status()['kafka'] == {
        'queued': 0, 'stored': 5, 'failed': 1, 'refused': 0, 'replaced': 0}


@pytest.mark.parametrize('delivery', ['durable', 'live'])
async def test_marks(line, delivery):
    """How far users have come is a record of chat-marks, the last is true."""
    line.relay()
    marks = line.kafka.topic(3, cleanup_policy='compact')
    ng = await line.node(delivery=delivery, more='marks=' + marks)
    ann = await Member.start(ng, 'ann', [ROOM])
    for i in range(3):
        await ann.send(ROOM, 'c%d' % i, i)
    await everybody([ann], ['c0', 'c1', 'c2'])
    places = [{'epoch': m['epoch'], 'seq': m['seq']}
              for m in ann.messages[ROOM]]
    async with await Client.connect(ng, user='bob') as bob:
        await bob.join(ROOM)
        await bob.cmd('mark', chat_id=ROOM, delivered=places[0])
        await ann.ask('mark', chat_id=ROOM, read=places[2])
        await bob.cmd('mark', chat_id=ROOM, delivered=places[2],
                      read=places[1])
        # no mark goes back
        await bob.cmd('mark', chat_id=ROOM, read=places[0])

        def said():
            return {key: {k: v for k, v in one.items() if k != 'timestamp'}
                    for key, one in line.last_of(marks, 3).items()}

        wanted = {
            'room|ann': {'chat_id': ROOM, 'user': 'ann',
                         'delivered': places[2], 'read': places[2]},
            'room|bob': {'chat_id': ROOM, 'user': 'bob',
                         'delivered': places[2], 'read': places[1]}}
        await asyncio.to_thread(wait_for, lambda: said() == wanted, PATIENT)
    times = [one['timestamp'] for one in line.last_of(marks, 3).values()]
    assert all(len(text) == len(iso()) and text.endswith('Z')
               for text in times)


async def test_no_topic_for_marks(line):
    """Without it chats go on, and no record counts as failed."""
    line.relay()
    ng = await line.node(server=METRICS, workers=1, http=(
        'ws_chat_kafka_property topic.metadata.propagation.max.ms 100;'),
        more='marks=not-there')
    ann = await Member.start(ng, 'ann', [ROOM])
    await ann.send(ROOM, 'c0', 0)
    await everybody([ann], ['c0'])
    (got,) = ann.messages[ROOM]
    await ann.ask('mark', chat_id=ROOM,
                  read={'epoch': got['epoch'], 'seq': got['seq']})
    await asyncio.to_thread(
        wait_for, lambda: numbers(ng)['kafka_unmarked_total'] >= 1, PATIENT)
    await ann.send(ROOM, 'c1', 1)
    await everybody([ann], ['c0', 'c1'])
    assert numbers(ng)['kafka_failed_total'] == 0
    assert ng.request('/health').status == 200


async def test_a_live_zone_is_recorded(line):
    """Behind a live zone: records with positions, and nobody waits."""
    ng = await line.node(delivery='live')
    async with await Client.connect(ng, user='ann') as ann:
        await ann.join(ROOM)
        acks = [await ann.send(ROOM, i, cid='c%d' % i) for i in range(5)]
        # gone before its answer, and recorded all the same
        await ann.post({'op': 'send', 'chat_id': ROOM, 'cid': 'c5',
                        'message': 5})
        await ann.expect('message', cid='c5')
    records = await asyncio.to_thread(line.records, 6)
    headers = [dict(r.headers()) for r in records]
    assert [json.loads(r.value())['cid'] for r in records] == \
        ['c%d' % i for i in range(6)]
    places = [(int(h['epoch']), int(h['seq'])) for h in headers]
    assert places[:5] == [(a['epoch'], a['seq']) for a in acks]
    assert [(int(h['prev_epoch']), int(h['prev_seq']))
            for h in headers[1:]] == places[:-1]


class Cut:
    """Between a node and Redis: keeps back what EXEC is answered."""

    def __init__(self, port):
        self.port = port
        self.held = asyncio.Event()
        self.armed = False
        self.writers = []

    @staticmethod
    async def start(port):
        cut = Cut(port)
        cut.server = await asyncio.start_server(cut.serve, '127.0.0.1', 0)
        cut.uri = 'redis://127.0.0.1:%d' % (
            cut.server.sockets[0].getsockname()[1])
        return cut

    async def serve(self, reader, writer):
        there, back = await asyncio.open_connection('127.0.0.1', self.port)
        link = {'deaf': False}
        self.writers += [writer, back]
        await asyncio.gather(self.pump(reader, back, link, True),
                             self.pump(there, writer, link, False))

    async def pump(self, reader, writer, link, asks):
        try:
            while data := await reader.read(65536):
                if asks and self.armed and b'EXEC' in data:
                    self.armed, link['deaf'] = False, True
                    self.held.set()
                if asks or not link['deaf']:
                    writer.write(data)
        except ConnectionError:
            pass
        writer.close()

    def break_all(self):
        for writer in self.writers:
            writer.close()
        self.writers.clear()

    def close(self):
        self.server.close()
        self.break_all()


@pytest.mark.parametrize('stays', [True, False], ids=['stays', 'goes'])
async def test_a_break_behind_a_live_send(line, stays):
    """What was stored then is recorded, or counted as not recorded."""
    cut = await Cut.start(line.redis.port)
    ng = await line.node(delivery='live', server=METRICS, redis=cut.uri)
    ann = await Client.connect(ng, user='ann')
    await ann.join(ROOM)
    await ann.send(ROOM, 0, cid='c0')
    cut.armed = True
    await ann.post({'op': 'send', 'id': 9, 'chat_id': ROOM, 'cid': 'c1',
                    'message': 1})
    await cut.held.wait()
    if not stays:
        await ann.close()
        await asyncio.to_thread(
            wait_for, lambda: ng.status()['connections'] == 0)
    cut.break_all()
    if stays:
        assert (await ann.reply(9, PATIENT))['ev'] == 'ack'
    else:
        await asyncio.to_thread(
            wait_for, lambda: numbers(ng)['live_unrecorded_total{zone="chat"}']
            == 1)
    await line.ready(ng)
    async with await Client.connect(ng, user='bob') as bob:
        await bob.join(ROOM)
        await bob.send(ROOM, 2, cid='c2')
    records = await asyncio.to_thread(line.records, 3 if stays else 2)
    assert [json.loads(r.value())['cid'] for r in records] == (
        ['c0', 'c1', 'c2'] if stays else ['c0', 'c2'])
    assert numbers(ng)['live_unrecorded_total{zone="chat"}'] == (not stays)
    cut.close()


@pytest.fixture
def mock():
    broker = MockBroker('chat-messages', PARTITIONS)
    yield broker
    broker.close()


async def test_a_fatal_error(nginx, redis, mock):  # noqa: F811
    """Another producer takes over, and no restart is needed."""
    for p in range(PARTITIONS):
        redis.cli('set', 'wsc:{%d}:progress' % p, '%d 0 0 0' % EPOCH)
    ng = nginx(
        workers=1, location=FREE,
        zone='ws_chat_zone chat:1m delivery=durable;'
             'ws_chat_redis chat %s; ws_chat_kafka_brokers %s;'
             'ws_chat_kafka_topic chat-messages partitions=%d;'
             % (redis.uri, mock.brokers, PARTITIONS))
    await asyncio.to_thread(
        wait_for, lambda: ng.request('/health').status == 200, PATIENT)
    async with await Client.connect(ng, user='ann') as ann:
        await ann.join(ROOM)
        await ann.send(ROOM, 0, cid='c0')
        for n in range(1, 4):
            await asyncio.to_thread(mock.fatal)
            with pytest.raises(ChatError) as e:
                await ann.send(ROOM, n, cid='c%d' % n)
            assert e.value.event['temporary']
            await asyncio.to_thread(
                ng.wait_log, 'another producer for Kafka is made', PATIENT, n)

            async def again():
                while True:
                    try:
                        return await ann.send(ROOM, n, cid='c%d' % n,
                                              retry=True)
                    except ChatError as e:
                        assert e.event['temporary']

            await asyncio.wait_for(again(), PATIENT)
    assert ng.request('/health').status == 200
    assert ng.status()['kafka']['replaced'] == 3


BAD = [
    ('ws_chat_zone a:1m delivery=durable;',
     'is durable and needs a "ws_chat_redis"'),
    ('ws_chat_zone a:1m delivery=durable; ws_chat_redis a redis://127.0.0.1;',
     'is durable and needs "ws_chat_kafka_brokers"'),
    ('ws_chat_zone a:1m delivery=durable; ws_chat_redis a redis://127.0.0.1;'
     'ws_chat_kafka_brokers h; ws_chat_kafka_topic off;',
     'is durable and needs "ws_chat_kafka_brokers" and a topic'),
    ('ws_chat_zone a:1m delivery=durable; ws_chat_redis a cluster://127.0.0.1;'
     'ws_chat_kafka_brokers h;', 'cannot be a Cluster'),
    ('ws_chat_kafka_topic t;', 'needs "ws_chat_kafka_brokers"'),
    ('ws_chat_kafka_brokers a; ws_chat_kafka_brokers b;', 'is duplicate'),
    ('ws_chat_kafka_brokers a; ws_chat_kafka_topic t;'
     'ws_chat_kafka_topic u;', 'is duplicate for the zone'),
    ('ws_chat_kafka_brokers a; ws_chat_kafka_topic t partitions=0;',
     'needs from 1 to 1024 partitions'),
    ('ws_chat_kafka_brokers a; ws_chat_kafka_topic "a b";', 'needs a name'),
    ('ws_chat_kafka_brokers a; ws_chat_kafka_topic t zone=nobody;',
     '"nobody", which is unknown'),
    ('ws_chat_kafka_brokers a; ws_chat_kafka_topic t zone=chat;',
     '"chat", which is embedded'),
    ('ws_chat_kafka_brokers a; ws_chat_kafka_topic t life=1;',
     'does not know "life=1"'),
    ('ws_chat_kafka_brokers a; ws_chat_kafka_topic t "marks=a b";',
     'needs a topic or "off" behind "marks="'),
    ('ws_chat_kafka_brokers a; ws_chat_zone a:1m; ws_chat_zone b:1m;'
     'ws_chat_redis a redis://127.0.0.1; ws_chat_redis b redis://127.0.0.1;'
     'ws_chat_kafka_topic t marks=m; ws_chat_kafka_topic u zone=b marks=m;',
     'cannot share the topic "m"'),
    ('ws_chat_kafka_brokers a; ws_chat_kafka_format xml;',
     'must be "json" or "msgpack"'),
    ('ws_chat_kafka_brokers a; ws_chat_kafka_property no.such 1;',
     'is refused by librdkafka'),
    ('ws_chat_kafka_brokers a; ws_chat_kafka_property acks 1;',
     'cannot set "acks"'),
    ('ws_chat_kafka_brokers a;'
     'ws_chat_kafka_property delivery.report.only.error true;',
     'cannot set "delivery.report.only.error"'),
    ('ws_chat_kafka_brokers a; ws_chat_zone a:1m; ws_chat_zone b:1m;'
     'ws_chat_redis a redis://127.0.0.1; ws_chat_redis b redis://127.0.0.1;',
     'cannot share the topic'),
]


@pytest.mark.parametrize('http, message', BAD, ids=range(len(BAD)))
def test_refused(nginx, http, message):
    code, text = nginx(http=http, start=False).check_conf()
    assert code != 0 and message in text, text
