"""One Apache Kafka broker in a private directory."""

import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

import confluent_kafka.admin

from harness.nginx import wait_for

TOP = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(TOP / 'tests/tools'))

import farmlib.kafka  # noqa: E402

# what the farm leaves as it is
SMALL = {'num_network_threads': 2, 'num_io_threads': 2,
         'log_cleaner_enable': 'false'}

# of Kafka's protocol
PRODUCE, FETCH, LIST_OFFSETS = 0, 1, 2
OUT_OF_RANGE, NOT_ALLOWED, OUT_OF_ORDER_SEQUENCE = 1, 29, 45


def own_port():
    """A port that no socket gets by chance: Java cannot be given one that is
    held, and a broker is to find its own again."""
    first = int(pathlib.Path('/proc/sys/net/ipv4/ip_local_port_range')
                .read_text().split()[0])
    while True:
        port = random.randrange(10000, first)
        with socket.socket() as probe:
            try:
                probe.bind(('127.0.0.1', port))
            except OSError:
                continue
        return port


class Kafka:
    """It keeps port and data over stop() and start()."""

    def __init__(self, **settings):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix='wsc-kafka.'))
        self.port, controller = own_port(), own_port()
        self.process = None
        self.names = 0
        farmlib.kafka.make(TOP, self.dir, self.port, controller,
                           **{**SMALL, **settings})
        self.start()

    @property
    def brokers(self):
        return '127.0.0.1:%d' % self.port

    def start(self):
        log = open(self.dir / 'log', 'ab')
        self.process = subprocess.Popen(
            farmlib.kafka.broker(TOP), cwd=self.dir,
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True)
        log.close()
        wait_for(self.answers, seconds=60, what='Kafka answers')

    def answers(self):
        assert self.process.poll() is None, (self.dir / 'log').read_text()
        try:
            return self.admin().list_topics(timeout=1).brokers
        except confluent_kafka.KafkaException:
            return False

    def admin(self):
        return confluent_kafka.admin.AdminClient(
            {'bootstrap.servers': self.brokers,
             'log_level': 0, 'logger': QUIET})

    def topic(self, partitions=2, name=None, **config):
        """Make one, with a name that nobody had."""
        self.names += 1
        name = name or 'chat-messages-%d' % self.names
        new = confluent_kafka.admin.NewTopic(
            name, partitions, 1,
            config={key.replace('_', '.'): str(value)
                    for key, value in config.items()})
        admin = self.admin()
        admin.create_topics([new])[name].result(30)
        wait_for(lambda: len(admin.list_topics(name, timeout=5)
                             .topics[name].partitions) == partitions,
                 what='the topic is there')
        return name

    def partitions(self, topic, count):
        """Give it more of them."""
        new = confluent_kafka.admin.NewPartitions(topic, count)
        admin = self.admin()
        admin.create_partitions([new])[topic].result(30)

    def delete(self, topic, partition, before):
        """Delete the records before an offset."""
        admin = self.admin()
        where = confluent_kafka.TopicPartition(topic, partition, before)
        for done in admin.delete_records([where]).values():
            done.result(30)

    def producer(self, **config):
        settings = {'bootstrap.servers': self.brokers, 'linger.ms': 1,
                    'partitioner': 'murmur2_random', 'log_level': 0,
                    'message.max.bytes': 20000000}
        settings.update({key.replace('_', '.'): value
                         for key, value in config.items()})
        return confluent_kafka.Producer(settings, logger=QUIET)

    def end_offsets(self, topic, partitions):
        """What follows the last record of each partition."""
        consumer = confluent_kafka.Consumer(
            {'bootstrap.servers': self.brokers, 'group.id': 'nobody',
             'log_level': 0}, logger=QUIET)
        try:
            return [consumer.get_watermark_offsets(
                        confluent_kafka.TopicPartition(topic, p),
                        timeout=10)[1] for p in range(partitions)]
        finally:
            consumer.close()

    def send_signal(self, number):
        self.process.send_signal(number)

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(signal.SIGCONT)
        self.process.send_signal(number)
        self.process.wait(60)

    def close(self):
        if self.process.poll() is None:
            self.stop(signal.SIGKILL)
        shutil.rmtree(self.dir)


class MockBroker:
    """librdkafka's own mock: it fails as it is told to."""

    def __init__(self, topic, partitions):
        self.topic = topic
        self.process = subprocess.Popen(
            [TOP / 'build/mock-broker', topic, str(partitions)], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.brokers = self.process.stdout.readline().strip()

    def tell(self, line):
        self.process.stdin.write(line + '\n')
        self.process.stdin.flush()
        assert self.process.stdout.readline() == 'done\n'

    def fatal(self):
        """The producer that sends next is told that it cannot go on."""
        self.tell('errors %d %d 1' % (PRODUCE, OUT_OF_ORDER_SEQUENCE))

    def blind(self, count):
        """So often nobody is told where a partition begins, or ends."""
        self.tell('errors %d %d %d' % (LIST_OFFSETS, NOT_ALLOWED, count))

    def forgetful(self):
        """Who fetches next is told that there is nothing, once."""
        self.tell('errors %d %d 1' % (FETCH, OUT_OF_RANGE))

    def down(self):
        self.tell('down')

    def up(self):
        self.tell('up')

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()


class Quiet:
    """A logger: what librdkafka says while servers are away is expected."""

    def log(self, *args):
        pass

    debug = info = warning = error = critical = log


QUIET = Quiet()
