"""The farm with durable chats: what is acknowledged is in Kafka.

One broker, one PostgreSQL, two relays, two archivers and a history beside
the nodes. What counts is what a plain consumer finds in the topic: members,
Redis and PostgreSQL are to have that and nothing else.
"""

import asyncio
import concurrent.futures
import time

from harness.broker import Kafka, MockBroker
from harness.daemon import Daemon
from harness.database import Postgres
from harness.ledger import Ledger
from harness.records import EPOCH, partition
from harness.redis import Entry
from farm import CHATS, Farm, Person

PARTITIONS = 4
# of the daemons' groups: brokers allow no less
SESSION = 'session.timeout.ms=6000'


class Reader(Person):
    """A Person to whom nothing is ever lost."""

    def not_recovered(self, chat, reply):
        raise AssertionError((self.user, reply, self.last[chat]))


class DurableFarm(Farm):
    """As Farm; `daemons` is name -> the Daemon that has it now."""

    person = Reader
    gaps = False

    def __init__(self, kind, workers=1):
        self.daemons = {}
        self.ended = []
        self.kafka = self.postgres = self.ledger = None
        super().__init__(kind, workers)

    # the parts

    def start_servers(self):
        super().start_servers()
        with concurrent.futures.ThreadPoolExecutor() as pool:
            postgres = pool.submit(Postgres)
            self.start_broker()
            self.postgres = postgres.result()
        self.database = self.postgres.database()
        self.ledger = Ledger(self.kafka.brokers, self.topic, PARTITIONS, EPOCH)
        for name in ('history', 'archiver1', 'archiver2', 'relay1', 'relay2'):
            self.run(name)

    def start_broker(self):
        self.kafka = Kafka()
        self.topic = self.kafka.topic(PARTITIONS)

    def run(self, name, **options):
        """Start this daemon, which does not run."""
        kind = name.rstrip('12')
        if kind != 'history':
            options = {'kafka_brokers': self.kafka.brokers, 'epoch': EPOCH,
                       'kafka_group': kind, 'kafka_property': SESSION,
                       **options}
        if kind == 'relay':
            options['redis'] = self.redis.uri
            # all of it: what Redis has is compared with the topic
            options['history_messages'] = 100000
            options['history'] = 'http://127.0.0.1:%d' % (
                self.daemons['history'].port)
        else:
            options['postgres'] = self.database.conninfo
        self.daemons[name] = Daemon(kind, kafka_topic=self.topic, **options)
        return self.daemons[name]

    def kill(self, name):
        self.daemons[name].kill()
        self.ended.append(self.daemons.pop(name))

    def zone(self):
        return ('ws_chat_zone chat:1m delivery=durable;'
                'ws_chat_redis chat redis://127.0.0.1:%d;'
                'ws_chat_kafka_brokers %s;'
                'ws_chat_kafka_topic %s partitions=%d;'
                'ws_chat_history_pass http://127.0.0.1:%d;'
                % (self.proxies[-1].port, self.kafka.brokers, self.topic,
                   PARTITIONS, self.daemons['history'].port))

    # what is true

    async def heads(self):
        await asyncio.to_thread(self.ledger.read)
        return {'chat-%d' % n: self.ledger.head('chat-%d' % n)
                for n in range(CHATS)}

    def unarchived(self):
        """Partitions of which PostgreSQL has not all, and what it has."""
        have = dict(self.database.rows(
            'select partition, next from progress where topic = %s',
            self.topic))
        return {p: (have.get(p), end) for p, end in self.ledger.ends.items()
                if end and have.get(p) != end}

    async def healed(self, seconds):
        """And PostgreSQL has everything, too."""
        end = time.monotonic() + seconds
        await super().healed(seconds)
        begin = time.monotonic()
        while left := await asyncio.to_thread(self.unarchived):
            await self.look(end, lambda: left)
        self.waits['archive'] = time.monotonic() - begin

    def dump(self):
        self.ledger.read()
        for n in range(CHATS):
            chat = 'chat-%d' % n
            self.history.dump(chat, self.ledger.entries[chat])
            self.history.copy(chat, 'PostgreSQL', self.rows(chat))
            self.history.copy(chat, 'Redis', self.redis.stream(
                chat, 'wsc:{%d}:s:' % partition(chat, PARTITIONS)))

    def rows(self, chat):
        return [Entry((epoch, seq), None, *rest) for epoch, seq, *rest in
                self.database.rows(
                    'select epoch, seq, sender, cid, message::text '
                    'from messages where chat_id = %s and dup_of is null '
                    'order by epoch, seq', chat)]

    def check(self, faults):
        self.duplicates = self.ledger.repeats
        super().check(faults)

    def report(self):
        for one in [*self.daemons.values(), *self.ended]:
            one.show()
        return super().report()

    # the end

    def close(self):
        super().close()
        problems = []
        for one in [*self.daemons.values(), *self.ended]:
            try:
                one.close()
            except AssertionError as e:
                problems.append(e)
        self.daemons, self.ended = {}, []
        for one in [self.ledger, self.postgres, self.kafka]:
            if one:
                one.close()
        self.ledger = self.postgres = self.kafka = None
        if problems:
            raise problems[0]


class MockFarm(DurableFarm):
    """Over librdkafka's mock of a cluster."""

    def start_broker(self):
        self.topic = 'chat-messages'
        self.kafka = MockBroker(self.topic, PARTITIONS)

    def producers(self):
        """How often nodes have made another producer."""
        return sum(ng.log().count('another producer for Kafka is made')
                   for ng in self.nodes)
