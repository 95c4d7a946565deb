"""Records of the topic as any producer writes them."""

import datetime
import json

EPOCH = 1700000000000


def murmur2(data):
    """Java's, as Kafka's clients partition by."""
    m, mask = 0x5bd1e995, 0xffffffff
    h = 0x9747b28c ^ len(data)
    for i in range(0, len(data) - len(data) % 4, 4):
        k = int.from_bytes(data[i:i + 4], 'little') * m & mask
        k = (k ^ k >> 24) * m & mask
        h = h * m & mask ^ k
    rest = data[len(data) - len(data) % 4:]
    if rest:
        h = (h ^ int.from_bytes(rest, 'little')) * m & mask
    h = (h ^ h >> 13) * m & mask
    return (h ^ h >> 15) & 0x7fffffff


def partition(chat_id, partitions):
    return murmur2(chat_id.encode()) % partitions


def iso(ms=EPOCH):
    when = datetime.datetime.fromtimestamp(ms / 1000, datetime.timezone.utc)
    return when.strftime('%Y-%m-%dT%H:%M:%S.') + '%03dZ' % (ms % 1000)


def value(chat_id, cid, message='"hi"', sender='ann', **more):
    """A value as text; message is JSON text."""
    fields = {'chat_id': chat_id, 'sender': sender, 'timestamp': iso(),
              'cid': cid, **more}
    text = json.dumps({k: v for k, v in fields.items() if v is not None})
    return '%s,"message":%s}' % (text[:-1], message)


def send(producer, topic, chat_id, cid, **more):
    producer.produce(topic, key=chat_id, value=value(chat_id, cid, **more))
    producer.poll(0)


def pile(producer, topic, chat_id='room'):
    """More than librdkafka's mock of a broker keeps of a partition."""
    for n in range(30):
        send(producer, topic, chat_id, 'c%d' % n,
             message='"%s"' % ('x' * 500000))
    send(producer, topic, chat_id, 'last')
    producer.flush()


def change(producer, topic, chat_id, seq, message=None, by='ann', epoch=EPOCH,
           **more):
    """A change of a message; message is JSON text, None retracts it."""
    fields = {'chat_id': chat_id, 'op': 'retract' if message is None else
              'edit', 'epoch': epoch, 'seq': seq, 'by': by,
              'timestamp': iso(EPOCH + 1000), **more}
    text = json.dumps({k: v for k, v in fields.items() if v is not None})
    if message is not None:
        text = '%s,"message":%s}' % (text[:-1], message)
    producer.produce(topic, key=chat_id, value=text)
    producer.poll(0)
