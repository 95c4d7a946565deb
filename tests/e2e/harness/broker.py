"""One Apache Kafka broker in a private directory."""

import base64
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import confluent_kafka.admin

from harness.nginx import reserve_port, wait_for

TOP = pathlib.Path(__file__).resolve().parents[3]
LIB = TOP / 'build/kafka/lib'
CONF = TOP / 'conf/kafka/server.properties'

LOG4J = '''log4j.rootLogger=WARN, stdout
log4j.appender.stdout=org.apache.log4j.ConsoleAppender
log4j.appender.stdout.layout=org.apache.log4j.PatternLayout
log4j.appender.stdout.layout.ConversionPattern=%d %p %c %m%n
'''

# one machine has one replica
ALONE = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'default.replication.factor': '1',
    'min.insync.replicas': '1',
    'offsets.topic.replication.factor': '1',
    'offsets.topic.num.partitions': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.num.partitions': '1',
    'transaction.state.log.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
    'num.network.threads': '2',
    'num.io.threads': '2',
    'log.cleaner.enable': 'false',
}


class Kafka:
    """It keeps port and data over stop() and start()."""

    def __init__(self, **settings):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix='wsc-kafka.'))
        self.port, keeper = reserve_port()
        controller, second = reserve_port()
        keeper.close()
        second.close()
        self.process = None
        self.names = 0
        self.configure(controller, settings)
        # its first letter is no "-", which would be an option
        name = base64.urlsafe_b64encode(b'\0' + os.urandom(15)).decode()
        self.java('kafka.tools.StorageTool', 'format', '-t',
                  name.rstrip('='), '-c', 'server.properties')
        self.start()

    @property
    def brokers(self):
        return '127.0.0.1:%d' % self.port

    def configure(self, controller, settings):
        values = {}
        for line in CONF.read_text().splitlines():
            if line and not line.startswith('#'):
                name, value = line.split('=', 1)
                values[name] = value
        values.update(ALONE)
        values.update({
            'listeners': 'PLAINTEXT://127.0.0.1:%d,CONTROLLER://127.0.0.1:%d'
                         % (self.port, controller),
            'advertised.listeners': 'PLAINTEXT://' + self.brokers,
            'controller.quorum.voters': '1@127.0.0.1:%d' % controller,
            'log.dirs': str(self.dir / 'data'),
        })
        values.update({name.replace('_', '.'): str(value)
                       for name, value in settings.items()})
        (self.dir / 'server.properties').write_text(
            ''.join('%s=%s\n' % item for item in values.items()))
        (self.dir / 'log4j.properties').write_text(LOG4J)

    def command_line(self, name, *args):
        return ['java', '-Xmx320m', '-XX:+UseSerialGC',
                '-XX:TieredStopAtLevel=1', '-Xshare:auto',
                '-Dlog4j.configuration=file:log4j.properties',
                '-cp', str(LIB / '*'), name, *args]

    def java(self, *args):
        done = subprocess.run(self.command_line(*args), cwd=self.dir,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        assert done.returncode == 0, done.stdout

    def start(self):
        log = open(self.dir / 'log', 'ab')
        self.process = subprocess.Popen(
            self.command_line('kafka.Kafka', 'server.properties'),
            cwd=self.dir, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
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


class Quiet:
    """A logger: what librdkafka says while servers are away is expected."""

    def log(self, *args):
        pass

    debug = info = warning = error = critical = log


QUIET = Quiet()
