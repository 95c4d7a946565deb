"""What Redis keeps no more comes from ws-chat-history, by the same commands."""

import asyncio
import http.server
import json
import signal
import socket
import threading
import time

import pytest

from harness.client import ChatError, Client
from harness.member import position
from harness.nginx import wait_for
from harness.pipeline import (  # noqa: F401
    daemon, database, kafka, postgres, redis)
from harness.records import EPOCH, iso, send as produce

pytestmark = [pytest.mark.plain_store, pytest.mark.once,
              pytest.mark.xdist_group('kafka')]

PARTITIONS = 4
ROOM = 'room'
COUNT = 1300
PATIENT = 60


@pytest.fixture
def deep(nginx, kafka, redis, daemon, database):  # noqa: F811
    """A node whose Redis keeps the end of a chat of COUNT messages."""
    topic = kafka.topic(PARTITIONS)
    common = dict(kafka_brokers=kafka.brokers, epoch=EPOCH,
                  kafka_topic=topic)
    producer = kafka.producer(enable_idempotence=True)
    now = iso(int(time.time() * 1000))
    for i in range(COUNT):
        produce(producer, topic, ROOM, 'c%d' % i, message=str(i),
                timestamp=now)
    producer.flush()
    relay = daemon('relay', kafka_group=topic + '-r', redis=redis.uri,
                   history_messages=10, rebuild_records=50, **common)
    archiver = daemon('archiver', kafka_group=topic + '-a',
                      postgres=database.conninfo, **common)
    history = daemon('history', postgres=database.conninfo,
                     kafka_topic=topic)
    wait_for(lambda: archiver.metrics()['messages_total'] == COUNT
             and relay.metrics()['messages_total'] == COUNT, PATIENT,
             'all is stored')
    ng = nginx(
        workers=1, location='ws_chat_rate off;',
        zone='ws_chat_zone chat:1m delivery=durable;'
             'ws_chat_redis chat %s; ws_chat_kafka_brokers %s;'
             'ws_chat_kafka_topic %s partitions=%d;'
             'ws_chat_history_pass http://127.0.0.1:%d;'
             % (redis.uri, kafka.brokers, topic, PARTITIONS, history.port))
    wait_for(lambda: ng.request('/health').status == 200, PATIENT)
    return ng, history


async def forward(client, after):
    """All behind a position, page by page: their cids."""
    found = []
    while True:
        page = await client.cmd('history', chat_id=ROOM, after=after,
                                limit=500)
        found += page['messages']
        if not page['more']:
            return found
        after = dict(zip(('epoch', 'seq'), position(found[-1])))


async def test_deep(deep, redis):  # noqa: F811
    ng, history = deep
    every = ['c%d' % i for i in range(COUNT)]
    async with await Client.connect(ng, user='ann') as ann:
        joined = await ann.join(ROOM, history=3)
        assert [m['cid'] for m in joined['messages']] == every[-3:]
        assert joined['more']

        # back to the beginning
        cids, before = [], {}
        while True:
            page = await ann.cmd('history', chat_id=ROOM, limit=500, **before)
            assert page['messages'], page
            cids[:0] = [m['cid'] for m in page['messages']]
            first = page['messages'][0]
            if not page['more']:
                break
            before = {'before': dict(zip(('epoch', 'seq'), position(first)))}
        assert cids == every and first['prev'] is None
        start = {'epoch': first['epoch'], 'seq': first['seq']}

        # and from there to the end
        again = await forward(ann, start)
        assert [m['cid'] for m in again] == every[1:]
        for one, two in zip(again, again[1:]):
            assert two['prev'] == {'epoch': one['epoch'], 'seq': one['seq']}

        # a resume over all of it, complete, in order, once
        await ann.leave(ROOM)
        joined = await ann.join(ROOM, after=start)
        assert joined['recovered'] and joined['more']
        assert [m['cid'] for m in joined['messages']] == every[1:501]
        rest = await forward(ann, dict(zip(
            ('epoch', 'seq'), position(joined['messages'][-1]))))
        assert [m['cid'] for m in rest] == every[501:]

        # the same with Redis emptied
        redis.cli('flushall')

        async def rejoin():
            while True:
                try:
                    await ann.leave(ROOM)
                    joined = await ann.join(ROOM, after=start)
                    if joined.get('reason') != 'unavailable':
                        return joined
                except ChatError as e:
                    assert e.code == 'unavailable'

        joined = await asyncio.wait_for(rejoin(), PATIENT)
        assert joined['recovered'] and joined['more']
        rest = await forward(ann, dict(zip(
            ('epoch', 'seq'), position(joined['messages'][-1]))))
        assert [m['cid'] for m in joined['messages'] + rest] == every[1:]

        # msgpack members get the same values
        async with await Client.connect(ng, user='bob', fmt='msgpack') as bob:
            await bob.join(ROOM)
            page = await bob.cmd('history', chat_id=ROOM, after=start, limit=2)
            assert [m['message'] for m in page['messages']] == [1, 2]

        # and while it is away, nothing is made up
        history.stop()
        with pytest.raises(ChatError) as e:
            await ann.cmd('history', chat_id=ROOM, after=start, limit=5)
        assert e.value.code == 'unavailable'
        await ann.leave(ROOM)
        joined = await ann.join(ROOM, after=start)
        assert not joined['recovered'] and joined['reason'] == 'unavailable'

        async def newest():
            while True:
                try:
                    return await ann.cmd('history', chat_id=ROOM, limit=5)
                except ChatError as e:
                    # the relay is still putting back what Redis lost
                    assert e.code == 'unavailable'

        page = await asyncio.wait_for(newest(), PATIENT)
        assert [m['cid'] for m in page['messages']] == every[-5:]


@pytest.fixture
def void():
    """An archive of what messages[] has; hosts[] of those that asked it."""
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            server.hosts.append(self.headers['Host'])
            body = json.dumps({'messages': server.messages, 'more': False,
                               'complete_to': None})
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
    server.hosts = []
    server.messages = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def shallow(nginx, redis, archive, more=''):  # noqa: F811
    """A node whose Redis keeps ten messages of a live chat."""
    ng = nginx(workers=1, location='ws_chat_rate off; ws_chat_history 10 24h;',
               zone='ws_chat_zone chat:1m prefix=hole:; ws_chat_redis chat %s;'
                    'ws_chat_history_pass http://127.0.0.1:%d;'
                    % (redis.uri, archive) + more)
    wait_for(lambda: ng.request('/health').status == 200, PATIENT)
    return ng


def records(kafka):  # noqa: F811
    return 'ws_chat_kafka_brokers %s; ws_chat_kafka_topic %s;' % (
        kafka.brokers, kafka.topic(10))


async def no_pages(client, times):
    """So often the archive is asked for what Redis has no more, in vain."""
    await client.join(ROOM)
    acks = [await client.cmd('send', chat_id=ROOM, cid='c%d' % i, message=i)
            for i in range(30)]
    start = {'epoch': acks[0]['epoch'], 'seq': acks[0]['seq']}
    for _ in range(times):
        with pytest.raises(ChatError) as e:
            await client.cmd('history', chat_id=ROOM, after=start,
                             timeout=PATIENT)
        assert e.value.code == 'unavailable'


async def test_behind_a_hole(nginx, kafka, redis, void):  # noqa: F811
    """What neither has is missing, what Redis has behind it is not."""
    ng = shallow(nginx, redis, void.server_port, records(kafka))
    async with await Client.connect(ng, user='ann') as ann:
        await ann.join(ROOM)
        acks = [await ann.cmd('send', chat_id=ROOM, cid='c%d' % i, message=i)
                for i in range(30)]
        start = {'epoch': acks[0]['epoch'], 'seq': acks[0]['seq']}
        page = await ann.cmd('history', chat_id=ROOM, after=start, limit=4)
        assert [m['message'] for m in page['messages']] == [20, 21, 22, 23]
        assert page['more']
        page = await forward(ann, start)
        assert [m['message'] for m in page] == list(range(20, 30))

        # but it is no resume
        await ann.leave(ROOM)
        joined = await ann.join(ROOM, after=start)
        assert not joined['recovered'] and joined['reason'] == 'too_old'
    assert set(void.hosts) == {'127.0.0.1:%d' % void.server_port}


async def test_the_archive_is_late(nginx, kafka, redis, void):  # noqa: F811
    """What was retracted stays so, whatever else is changed since then."""
    ng = shallow(nginx, redis, void.server_port, records(kafka))
    async with await Client.connect(ng, user='ann') as ann:
        await ann.join(ROOM)
        sent = [await ann.cmd('send', chat_id=ROOM, cid='c%d' % i,
                              message='secret') for i in range(2)]
        first, second = [{'epoch': a['epoch'], 'seq': a['seq']} for a in sent]
        void.messages.append({**first, 'prev': None, 'sender': 'ann',
                              'cid': 'c0', 'message': 'secret',
                              'timestamp': sent[0]['timestamp']})
        await ann.cmd('retract', chat_id=ROOM, **first)
        for i in range(2, 200):
            ack = await ann.cmd('send', chat_id=ROOM, cid='c%d' % i, message=i)
            await ann.cmd('edit', chat_id=ROOM, message='x',
                          epoch=ack['epoch'], seq=ack['seq'])
        page = await ann.cmd('history', chat_id=ROOM, before=second)
        assert [m.get('message') for m in page['messages']] == [None]


async def test_nothing_is_archived(nginx, redis, void):  # noqa: F811
    """Whose messages go nowhere has nothing in the archive."""
    ng = shallow(nginx, redis, void.server_port)
    async with await Client.connect(ng, user='ann') as ann:
        await ann.join(ROOM)
        acks = [await ann.cmd('send', chat_id=ROOM, cid='c%d' % i, message=i)
                for i in range(30)]
        start = {'epoch': acks[0]['epoch'], 'seq': acks[0]['seq']}
        page = await ann.cmd('history', chat_id=ROOM, after=start)
        assert [m['message'] for m in page['messages']] == list(range(20, 30))
        # and nothing there would undo this
        await ann.cmd('retract', chat_id=ROOM, epoch=acks[-1]['epoch'],
                      seq=acks[-1]['seq'])
    assert not void.hosts


HEAD = b'HTTP/1.1 200 OK\r\n\r\n'
PAGE = b'{"messages":[],"more":false,"complete_to":null}'
BROKEN = {
    'nothing': [],
    'no head': [PAGE],
    'no end of it': [b'HTTP/1.1 200 OK\r\n' + b'x: y\r\n' * 10000],
    'zeros': [b'HTTP/1.1 200 OK\0\r\n\r\n' + PAGE],
    'not found': [b'HTTP/1.1 404 Not Found\r\n\r\n' + PAGE],
    'cut': [HEAD + PAGE[:-1]],
    'too deep': [HEAD + b'[' * 1000000],
    'no page': [HEAD + b'[]'],
    'too many': [HEAD + b'{"messages":[' + b','.join(
        b'{"epoch":1,"seq":%d,"prev":null,"sender":"a","message":1,'
        b'"timestamp":1}' % n for n in range(1, 600)) + b']}'],
    'backwards': [HEAD + b'{"messages":[' + b','.join(
        b'{"epoch":1,"seq":%d,"prev":null,"sender":"a","message":1,'
        b'"timestamp":1}' % n for n in (2, 1)) + b']}'],
    'too large': [HEAD] + [b' ' * 100000] * 100,
}


@pytest.mark.parametrize('pieces', BROKEN.values(), ids=BROKEN)
async def test_a_broken_archive(nginx, kafka, redis, pieces):  # noqa: F811
    """What it says is no page: nothing is made up, and all goes on."""
    async def answer(reader, writer):
        await reader.readuntil(b'\r\n\r\n')
        try:
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
        except ConnectionError:
            pass
        writer.close()

    server = await asyncio.start_server(answer, '127.0.0.1', 0)
    port = server.sockets[0].getsockname()[1]
    ng = shallow(nginx, redis, port, records(kafka))
    async with await Client.connect(ng, user='ann') as ann:
        await no_pages(ann, 3)
        page = await ann.cmd('history', chat_id=ROOM)
        assert [m['message'] for m in page['messages']] == list(range(20, 30))
    server.close()


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGQUIT])
async def test_the_end_while_it_is_asked(nginx, kafka, redis, mute,  # noqa: F811
                                         number):
    """Questions that wait for it, or for their turn, hold up nobody."""
    port, askers = mute
    ng = shallow(nginx, redis, port, records(kafka))
    async with await Client.connect(ng, user='ann') as ann, \
            await Client.connect(ng, user='bob') as bob:
        await ann.join(ROOM)
        acks = [await ann.cmd('send', chat_id=ROOM, cid='c%d' % i, message=i)
                for i in range(30)]
        start = {'epoch': acks[0]['epoch'], 'seq': acks[0]['seq']}
        await ann.post([{'op': 'history', 'id': i, 'chat_id': ROOM,
                         'after': start} for i in range(20)])
        await bob.post({'op': 'join', 'id': 0, 'chat_id': ROOM,
                        'after': start})
        await asyncio.to_thread(wait_for, lambda: len(askers) == 8, PATIENT)
        ng.process.send_signal(number)
        await asyncio.to_thread(ng.process.wait, PATIENT)


@pytest.fixture
def mute():
    """An archive that takes questions and says nothing; askers[] of it."""
    listener = socket.create_server(('127.0.0.1', 0))
    askers = []

    def serve():
        try:
            while True:
                askers.append(listener.accept()[0])
        except OSError:
            pass

    thread = threading.Thread(target=serve)
    thread.start()
    yield listener.getsockname()[1], askers
    listener.shutdown(socket.SHUT_RDWR)
    thread.join()
    for one in [listener, *askers]:
        one.close()


async def test_silence(nginx, kafka, redis, mute):  # noqa: F811
    """Not everybody waits for an archive that does not answer."""
    port, askers = mute
    ng = shallow(nginx, redis, port, records(kafka))
    async with await Client.connect(ng, user='ann') as ann:
        await no_pages(ann, 12)
    assert 1 <= len(askers) < 6


BAD = [('ftp://h', 'must be http://'), ('http://no.such.host.invalid',
                                        'has a bad address'),
       ('http://127.0.0.1; ws_chat_history_pass http://127.0.0.1',
        'is duplicate'),
       ('http://127.0.0.1; ws_chat_kafka_brokers a;'
        'ws_chat_zone a:1m; ws_chat_zone b:1m;'
        'ws_chat_redis a redis://127.0.0.1; ws_chat_redis b redis://127.0.0.1;'
        'ws_chat_kafka_topic t zone=a',
        'zones "a" and "b" have records in Kafka and cannot share')]


@pytest.mark.parametrize('url, message', BAD, ids=range(len(BAD)))
def test_refused(nginx, url, message):
    code, text = nginx(http='ws_chat_history_pass %s;' % url,
                       start=False).check_conf()
    assert code != 0 and message in text, text
