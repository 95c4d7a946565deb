"""A topic, a relay and nodes of durable chats: what a test has of its own."""

import asyncio
import json

import confluent_kafka
import pytest

from .nginx import wait_for
from .records import EPOCH

PARTITIONS = 4
FREE = 'ws_chat_rate off;'
PATIENT = 60


class Pipeline:
    """What a test has; node() starts another NGINX."""

    def __init__(self, nginx, kafka, redis, daemon):
        self.nginx = nginx
        self.kafka = kafka
        self.redis = redis
        self.daemon = daemon
        self.topic = kafka.topic(PARTITIONS)

    def relay(self, **options):
        settings = dict(kafka_brokers=self.kafka.brokers, epoch=EPOCH,
                        kafka_topic=self.topic, kafka_group=self.topic,
                        redis=self.redis.uri)
        settings.update(options)
        return self.daemon('relay', **settings)

    def archiver(self, database, **options):
        settings = dict(kafka_brokers=self.kafka.brokers, epoch=EPOCH,
                        kafka_topic=self.topic, batch_wait=20,
                        kafka_group=self.topic + '-a',
                        postgres=database.conninfo)
        settings.update(options)
        return self.daemon('archiver', **settings)

    def history(self, database, **options):
        return self.daemon('history', postgres=database.conninfo,
                           kafka_brokers=self.kafka.brokers,
                           kafka_topic=self.topic, **options)

    def zone(self, **options):
        values = dict(redis=self.redis.uri, brokers=self.kafka.brokers,
                      topic=self.topic, partitions=PARTITIONS,
                      delivery='durable', more='')
        values.update(options)
        return ('ws_chat_zone chat:1m delivery={delivery};'
                'ws_chat_redis chat {redis};'
                'ws_chat_kafka_brokers {brokers};'
                'ws_chat_kafka_topic {topic} partitions={partitions} {more};'
                .format(**values))

    async def node(self, http='', location=FREE, workers=2, server='',
                   **options):
        # it ends with the thread that started it
        ng = self.nginx(workers=workers, location=location, http=http,
                        server=server, zone=self.zone(**options))
        await self.ready(ng)
        return ng

    async def ready(self, ng):
        await asyncio.to_thread(
            wait_for, lambda: ng.request('/health').status == 200, PATIENT,
            'the node is ready')

    def records(self, count):
        """So many records of the topic, by partition and offset."""
        consumer = confluent_kafka.Consumer({
            'bootstrap.servers': self.kafka.brokers, 'group.id': 'reader',
            'log_level': 0})
        try:
            consumer.assign([confluent_kafka.TopicPartition(self.topic, p, 0)
                             for p in range(PARTITIONS)])
            found = []

            def read():
                message = consumer.poll(0.2)
                if message is not None and not message.error():
                    found.append(message)
                return len(found) >= count

            wait_for(read, PATIENT, '%d records' % count)
        finally:
            consumer.close()
        return sorted(found, key=lambda m: (m.partition(), m.offset()))

    def all_of(self, topic, count):
        """So many values of a topic of one partition, and their keys."""
        consumer = confluent_kafka.Consumer({
            'bootstrap.servers': self.kafka.brokers, 'group.id': 'reader',
            'log_level': 0})
        try:
            consumer.assign([confluent_kafka.TopicPartition(topic, 0, 0)])
            found = []

            def read():
                message = consumer.poll(0.2)
                if message is not None and not message.error():
                    found.append((message.key().decode(),
                                  json.loads(message.value())))
                return len(found) >= count

            wait_for(read, PATIENT, '%d records' % count)
        finally:
            consumer.close()
        return found

    def last_of(self, topic, partitions):
        """Key -> the last value, of all that a topic has."""
        found = {}
        consumer = confluent_kafka.Consumer({
            'bootstrap.servers': self.kafka.brokers, 'group.id': 'reader',
            'log_level': 0})
        try:
            places = [confluent_kafka.TopicPartition(topic, p, 0)
                      for p in range(partitions)]
            ends = self.kafka.end_offsets(topic, partitions)
            consumer.assign(places)
            left = sum(ends)
            while left > 0:
                message = consumer.poll(1)
                if message is not None and not message.error():
                    left -= 1
                    found[message.key().decode()] = json.loads(
                        message.value())
        finally:
            consumer.close()
        return found


@pytest.fixture
def line(nginx, kafka, redis, daemon):
    return Pipeline(nginx, kafka, redis, daemon)
