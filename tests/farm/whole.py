"""The farm of `make farm`, once for all tests of a file."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys

import confluent_kafka

from harness.broker import QUIET
from harness.nginx import TOP, reserve_port, wait_for
from harness.records import partition

sys.path.insert(0, str(TOP / 'tests/tools'))

from farmlib.chat import node_user  # noqa: E402
from farmlib.farm import Farm  # noqa: E402

TOPIC = 'chat-messages'
PARTITIONS = 10


class WholeFarm:
    """All that a user starts by `make farm`, in a tree of its own."""

    def __init__(self, top):
        self.top = top
        (top / 'build').mkdir()
        for name in ('client', 'conf', 'tests',
                     'build/ngx_ws_chat_module.so', 'build/backend',
                     'build/kafka'):
            (top / name).symlink_to(TOP / name)
        port, keeper = reserve_port()
        keeper.close()
        self.run('start', str(port))
        self.dir = pathlib.Path((top / 'build/farm.dir').read_text().strip())
        self.fresh = []
        farm = Farm(self.dir)
        self.ports = farm.ports
        self.nodes = list(farm.nodes)
        self.conninfo = farm.pipeline.conninfo()
        self.brokers = '127.0.0.1:%d' % self.ports['kafka']

    def run(self, *words):
        done = subprocess.run(
            ['tests/tools/run-farm', *words], cwd=self.top, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=150)
        assert done.returncode == 0, done.stdout

    def stop(self):
        for pid in self.fresh:
            os.kill(pid, signal.SIGTERM)
        self.run('stop')

    def url(self, name='front'):
        return 'ws://127.0.0.1:%d' % self.ports[name]

    def fresh_node(self):
        """Start one more, which knows no chat yet: its name."""
        name = 'node%d' % (len(self.nodes) + 1)
        old, new = self.dir / self.nodes[0], self.dir / name
        shutil.copytree(old, new, ignore=lambda path, names: [
            one for one in names if one not in (
                'node.conf', 'modules', 'client', 'api.key')
            and pathlib.Path(path) == old])
        self.ports[name], keeper = reserve_port()
        keeper.close()
        text = (new / 'node.conf').read_text()
        for before, after in (
                ('127.0.0.1:%d ' % self.ports[self.nodes[0]],
                 '127.0.0.1:%d ' % self.ports[name]),
                ('ws_chat_node %s;' % self.nodes[0],
                 'ws_chat_node %s;' % name)):
            assert before in text, before
            text = text.replace(before, after)
        (new / 'node.conf').write_text(text)
        user = ['-g', 'user %s;' % node_user()] if os.getuid() == 0 else []
        subprocess.run(['nginx', '-e', 'stderr', '-p', '%s/' % new, '-c',
                        'node.conf', *user], cwd=new, check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        self.fresh.append(int((new / 'pid').read_text()))
        self.nodes.append(name)
        return name

    # what anybody sees without us

    def producer(self):
        return confluent_kafka.Producer({
            'bootstrap.servers': self.brokers, 'log_level': 0,
            'linger.ms': 20, 'partitioner': 'murmur2_random'}, logger=QUIET)

    def records(self, chat_id):
        """A plain consumer's: all records of the chat."""
        place = confluent_kafka.TopicPartition(
            TOPIC, partition(chat_id, PARTITIONS), 0)
        consumer = confluent_kafka.Consumer(
            {'bootstrap.servers': self.brokers, 'group.id': 'plain',
             'log_level': 0}, logger=QUIET)
        try:
            end = consumer.get_watermark_offsets(place, timeout=30)[1]
            consumer.assign([place])
            found = []
            while not found or found[-1].offset() < end - 1:
                found += [m for m in consumer.consume(1000, 1)
                          if not m.error()]
        finally:
            consumer.close()
        return [m for m in found if m.key() == chat_id.encode()]

    def psql(self, query):
        """The rows, as psql prints them."""
        done = subprocess.run(
            ['psql', '-X', '-A', '-t', '-F', '\t', '-d', self.conninfo, '-c',
             query], check=True, text=True, stdout=subprocess.PIPE)
        return [line.split('\t') for line in done.stdout.splitlines()]

    def archived(self, chat_id, count, seconds=60):
        """Wait until PostgreSQL has so many messages of the chat."""
        wait_for(lambda: int(self.psql(
            "select count(*) from messages where chat_id = '%s'"
            % chat_id)[0][0]) >= count, seconds, 'all is archived')

    def lose_redis(self):
        subprocess.run(['redis-cli', '-p', str(self.ports['redis']),
                        'flushall'], check=True, stdout=subprocess.DEVNULL)


def text_of(record):
    return json.loads(record.value())
