"""What a topic says, read by a plain consumer: the truth of durable chats."""

import collections
import json

import confluent_kafka

from .broker import QUIET
from .redis import Entry


class Ledger:
    """Chats as any consumer finds them: the first of each cid counts.

    entries   chat -> what Redis.stream() would give, if it never forgot
    ends      partition -> the offset behind all that was read
    repeats   records that told something again
    """

    def __init__(self, brokers, topic, partitions, epoch):
        self.topic = topic
        self.epoch = epoch
        self.entries = collections.defaultdict(list)
        self.ends = dict.fromkeys(range(partitions), 0)
        self.known = set()
        self.repeats = 0
        self.consumer = confluent_kafka.Consumer(
            {'bootstrap.servers': brokers, 'group.id': 'ledger',
             'log_level': 0}, logger=QUIET)
        self.consumer.assign([confluent_kafka.TopicPartition(topic, p, 0)
                              for p in self.ends])

    def read(self):
        """All that is in the topic now; it waits for its broker."""
        for p in self.ends:
            end = self.end(p)
            while self.ends[p] < end:
                message = self.consumer.poll(0.5)
                if message is not None and not message.error():
                    self.take(message)

    def end(self, p):
        where = confluent_kafka.TopicPartition(self.topic, p)
        while True:
            try:
                return self.consumer.get_watermark_offsets(where, 10)[1]
            except confluent_kafka.KafkaException:
                continue

    def take(self, message):
        self.ends[message.partition()] = message.offset() + 1
        value = json.loads(message.value())
        chat = message.key().decode()
        key = chat, value['sender'], value['cid']
        if key in self.known:
            self.repeats += 1
            return
        self.known.add(key)
        entries = self.entries[chat]
        entries.append(Entry(
            (self.epoch, message.offset() + 1),
            entries[-1].position if entries else None, value['sender'],
            value['cid'], json.dumps(value['message'])))

    def head(self, chat):
        """The position of the chat's last message; 0 if it has none."""
        entries = self.entries[chat]
        return entries[-1].position if entries else (self.epoch, 0)

    def close(self):
        self.consumer.close()
