"""What happens to users, for back ends: a topic that any consumer reads."""

import asyncio
import json
import signal

import pytest

from harness.client import Client
from harness.line import FREE, PATIENT, line  # noqa: F401
from harness.nginx import wait_for
from harness.pipeline import daemon, kafka, redis  # noqa: F401
from harness.records import iso

pytestmark = [pytest.mark.plain_store, pytest.mark.once,
              pytest.mark.xdist_group('kafka')]

ROOM = 'room'
METRICS = 'location /metrics { ws_chat_metrics; }'


async def call(ng, path, body):
    response = await asyncio.to_thread(
        ng.request, '/api/' + path, 'POST', body=json.dumps(body))
    assert response.status == 200, response.body
    return json.loads(response.body)


def count(ng, name):
    text = ng.request('/metrics').body.decode()
    (row,) = [row for row in text.splitlines()
              if row.startswith('nginx_ws_chat_' + name)]
    return int(row.split()[1])


def untold(ng):
    return count(ng, 'kafka_untold_total')


def where(found):
    """Without what differs from run to run."""
    return [(key, {k: v for k, v in event.items()
                   if k not in ('timestamp', 'session')})
            for key, event in found]


@pytest.mark.parametrize('delivery', ['durable', 'live'])
async def test_events(line, delivery):  # noqa: F811
    """Connections and memberships as they are, kicks and blocks once."""
    line.relay()
    topic = line.kafka.topic(1)
    ng = await line.node(http='ws_chat_node n1;', delivery=delivery,
                         server=METRICS, more='events=' + topic)
    ann = await Client.connect(ng, user='ann')
    await ann.settle('join', chat_id=ROOM)
    await ann.settle('join', chat_id=ROOM)      # again is none
    await ann.settle('join', chat_id='other')
    await ann.settle('leave', chat_id=ROOM)
    await ann.close()
    found = await asyncio.to_thread(line.all_of, topic, 6)
    session = found[0][1]['session']
    assert len(session) == 16
    assert {e['session'] for _, e in found} == {session}
    assert sorted(where(found), key=lambda r: str(r[1])) == sorted([
        ('ann', {'event': 'connect', 'user': 'ann', 'node': 'n1'}),
        ('ann', {'event': 'disconnect', 'user': 'ann', 'node': 'n1'}),
        *((chat, {'event': event, 'chat_id': chat, 'user': 'ann',
                  'node': 'n1'})
          for chat in (ROOM, 'other') for event in ('join', 'leave'))],
        key=lambda r: str(r[1]))
    of_room = [e['event'] for key, e in found if key == ROOM]
    assert of_room == ['join', 'leave']
    assert all(iso(0) < e['timestamp'] and len(e['timestamp']) == 24
               for _, e in found)
    eve = await Client.connect(ng, user='eve')
    await eve.settle('join', chat_id=ROOM)
    await call(ng, 'chats/%s/kick' % ROOM, {'user': 'eve', 'seconds': 5})
    await eve.expect('kicked', timeout=PATIENT)
    await call(ng, 'users/eve/block', {})
    assert (await eve.closed(PATIENT))[0] == 4003
    found = (await asyncio.to_thread(line.all_of, topic, 12))[6:]
    rest = {key: [e for k, e in found if k == key] for key in (ROOM, 'eve')}
    assert {e['event'] for e in rest[ROOM]} == {'join', 'kick', 'leave'}
    assert {e['event'] for e in rest['eve']} == {'connect', 'block',
                                                 'disconnect'}
    (kick,) = [e for _, e in found if e['event'] == 'kick']
    (block,) = [e for _, e in found if e['event'] == 'block']
    assert kick['seconds'] == 5 and 'session' not in kick
    assert 'seconds' not in block
    assert untold(ng) == 0


async def test_none_unless_it_is_said(line):  # noqa: F811
    """Off is the default; a topic that is missing holds up nobody."""
    line.relay()
    plain, ng = await line.node(server=METRICS), await line.node(
        server=METRICS, more='events=missing',
        http='ws_chat_kafka_property topic.metadata.propagation.max.ms 100;')
    for node in plain, ng:
        ann = await Client.connect(node, user='ann')
        await ann.settle('join', chat_id=ROOM)
        await ann.send(ROOM, 'x', cid='c%s' % id(node))
        await ann.expect('message', chat_id=ROOM, timeout=PATIENT)
    await asyncio.to_thread(wait_for, lambda: untold(ng) == 2, PATIENT,
                            'both are counted')
    assert untold(plain) == 0
    assert 'chat-events' not in line.kafka.producer().list_topics(
        timeout=PATIENT).topics


async def test_messages_have_room(nginx, redis):  # noqa: F811
    """Nobody takes them: so many wait, and the others are counted."""
    ng = nginx(workers=1, location=FREE, server=METRICS,
               zone='ws_chat_zone chat:1m; ws_chat_redis chat %s;'
                    'ws_chat_kafka_brokers 127.0.0.1:1;'
                    'ws_chat_kafka_topic t events=e;' % redis.uri)
    ann = await Client.connect(ng, user='ann')

    async def happen(times):
        for _ in range(times):
            await ann.post({'op': 'join', 'chat_id': ROOM})
            await ann.post({'op': 'leave', 'chat_id': ROOM})
        await ann.settle('ping')

    # with that of the connection
    await happen(2499)
    assert await asyncio.to_thread(untold, ng) == 0
    await happen(10)
    assert await asyncio.to_thread(untold, ng) == 19
    await ann.settle('join', chat_id='other')
    await ann.send('other', 'x', cid='c1')
    await ann.expect('message', chat_id='other', timeout=PATIENT)


async def test_marks_leave_room(nginx, redis):  # noqa: F811
    """Nobody takes them: half of the queue is for messages alone."""
    ng = nginx(workers=1, location=FREE, server=METRICS,
               zone='ws_chat_zone chat:1m; ws_chat_redis chat %s;'
                    'ws_chat_kafka_brokers 127.0.0.1:1;'
                    'ws_chat_kafka_property queue.buffering.max.messages 40;'
                    'ws_chat_kafka_topic t marks=m;' % redis.uri)
    people = [await Client.connect(ng, user='u%d' % i) for i in range(30)]
    for client in people:
        await client.settle('join', chat_id=ROOM)
    ack = await people[0].send(ROOM, 'x', cid='c0')
    for client in people:
        await client.cmd('mark', chat_id=ROOM,
                         read={'epoch': ack['epoch'], 'seq': ack['seq']})
    await asyncio.to_thread(
        wait_for, lambda: count(ng, 'kafka_unmarked_total') == 10, PATIENT,
        'all are told')
    for i in range(1, 20):
        await people[0].send(ROOM, 'x', cid='c%d' % i)
    assert count(ng, 'kafka_queued') == 20
    assert count(ng, 'live_unrecorded_total{zone="chat"}') == 0


async def test_the_end_of_a_node(line):  # noqa: F811
    """It tells that those who were there have gone."""
    line.relay()
    topic = line.kafka.topic(1)
    ng = await line.node(workers=1, more='events=' + topic,
                         http='ws_chat_kafka_property linger.ms 200;')
    ann = await Client.connect(ng, user='ann')
    await ann.settle('join', chat_id=ROOM)
    await asyncio.to_thread(line.all_of, topic, 2)
    ng.process.send_signal(signal.SIGTERM)
    found = await asyncio.to_thread(line.all_of, topic, 4)
    assert {e['event'] for _, e in found[2:]} == {'leave', 'disconnect'}


@pytest.mark.parametrize('settings, message', [
    ('t events=', 'needs a topic or "off" behind "events="'),
    ('t events=a/b', 'needs a topic or "off" behind "events="'),
    ('t events=t', 'needs a topic of its own behind "events="'),
    ('t marks=m events=m', 'needs a topic of its own behind "events="'),
])
def test_refused(nginx, redis, settings, message):  # noqa: F811
    ng = nginx(start=False, location=FREE,
               zone='ws_chat_zone chat:1m; ws_chat_redis chat %s;'
                    'ws_chat_kafka_brokers 127.0.0.1:1;'
                    'ws_chat_kafka_topic %s;' % (redis.uri, settings))
    code, text = ng.check_conf()
    assert code != 0 and message in text, text


def test_off_and_all_at_once(nginx, redis):  # noqa: F811
    """Every parameter that there is, in one line."""
    ng = nginx(start=False, location=FREE,
               zone='ws_chat_zone chat:1m; ws_chat_redis chat %s;'
                    'ws_chat_kafka_brokers 127.0.0.1:1;'
                    'ws_chat_kafka_topic t partitions=4 marks=off events=off '
                    'zone=chat;' % redis.uri)
    assert ng.check_conf()[0] == 0
