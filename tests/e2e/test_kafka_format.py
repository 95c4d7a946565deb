"""Records of msgpack, from the node over the archive and back to the node."""

import asyncio
import base64

import confluent_kafka
import msgpack
import pytest

from harness.client import Client
from harness.nginx import wait_for
from harness.pipeline import (  # noqa: F401
    daemon, database, kafka, postgres, redis)
from harness.records import EPOCH

pytestmark = [pytest.mark.plain_store, pytest.mark.once,
              pytest.mark.xdist_group('kafka')]

ROOM = 'room'
PATIENT = 60

# each as a member of the two protocols sends it; octets only msgpack can
VALUES = ['h\u00e9\U0001f600', 0, -1, 2**53, 1.5, True, None, [], {},
          [1, 'two', [3.25, None]], {'text': 'hi', 'n': {'deep': [{}]}},
          'x' * 3000]
OCTETS = bytes(range(256))


def records(brokers, topic, count):
    """So many records of the only partition."""
    consumer = confluent_kafka.Consumer({
        'bootstrap.servers': brokers, 'group.id': 'reader', 'log_level': 0})
    found = []
    try:
        consumer.assign([confluent_kafka.TopicPartition(topic, 0, 0)])

        def read():
            found.extend(m for m in consumer.consume(count, 0.2)
                         if not m.error())
            return len(found) >= count

        wait_for(read, PATIENT, '%d records' % count)
    finally:
        consumer.close()
    return found


async def whole(ng, fmt):
    """All messages of the chat, page by page back to the first."""
    async with await Client.connect(ng, user='eve', fmt=fmt) as eve:
        joined = await eve.settle('join', chat_id=ROOM, history=3)
        found, more = joined['messages'], joined['more']
        while more:
            page = await eve.settle('history', chat_id=ROOM, limit=5, before={
                key: found[0][key] for key in ('epoch', 'seq')})
            found[:0], more = page['messages'], page['more']
    return [(m['cid'], m.get('enc'), m['message']) for m in found]


async def test_msgpack(nginx, kafka, redis, daemon, database):  # noqa: F811
    topic = kafka.topic(1)
    common = dict(kafka_brokers=kafka.brokers, epoch=EPOCH, kafka_topic=topic)
    # Redis keeps the last ones only: the others come from PostgreSQL
    relay = daemon('relay', kafka_group=topic + '-r', redis=redis.uri,
                   history_messages=4, **common)
    archiver = daemon('archiver', kafka_group=topic + '-a',
                      postgres=database.conninfo, **common)
    history = daemon('history', postgres=database.conninfo, kafka_topic=topic)
    ng = nginx(
        workers=1, location='ws_chat_rate off;',
        zone='ws_chat_zone chat:1m delivery=durable;'
             'ws_chat_redis chat %s; ws_chat_kafka_brokers %s;'
             'ws_chat_kafka_topic %s partitions=1;'
             'ws_chat_kafka_format msgpack;'
             'ws_chat_history_pass http://127.0.0.1:%d;'
             % (redis.uri, kafka.brokers, topic, history.port))
    await asyncio.to_thread(
        wait_for, lambda: ng.request('/health').status == 200, PATIENT)

    sent = []
    async with await Client.connect(ng, user='ann') as ann, \
            await Client.connect(ng, user='bob', fmt='msgpack') as bob:
        for client in ann, bob:
            await client.join(ROOM)
        for client, values in (ann, VALUES), (bob, VALUES + [OCTETS]):
            for value in values:
                cid = 'c%d' % len(sent)
                sent.append((client is ann, cid, value))
                ack = await client.send(ROOM, value, cid=cid)
                for one in ann, bob:
                    got = await one.expect('message', cid=cid,
                                           timeout=PATIENT)
                    assert got['timestamp'] == ack['timestamp']
                    assert got['message'] == (
                        base64.b64encode(value).decode()
                        if one is ann and value is OCTETS else value)

    # what any consumer of the topic sees
    found = await asyncio.to_thread(records, kafka.brokers, topic, len(sent))
    for record, (is_ann, cid, value) in zip(found, sent, strict=True):
        fields = msgpack.unpackb(record.value())
        assert list(fields) == ['chat_id', 'sender', 'message', 'timestamp',
                                'cid']
        assert fields['sender'] == ('ann' if is_ann else 'bob')
        assert [fields[key] for key in ('chat_id', 'cid', 'message')] == [
            ROOM, cid, value]
        assert type(fields['message']) is type(value)

    await asyncio.to_thread(
        wait_for, lambda: archiver.metrics()['messages_total'] == len(sent),
        PATIENT, 'all is archived')
    assert archiver.metrics()['refused_total'] == 0
    assert relay.metrics()['messages_total'] == len(sent)
    for fmt in 'json', 'msgpack':
        wanted = [(cid, 'base64', base64.b64encode(value).decode())
                  if value is OCTETS and fmt == 'json' else (cid, None, value)
                  for _, cid, value in sent]
        assert await whole(ng, fmt) == wanted
