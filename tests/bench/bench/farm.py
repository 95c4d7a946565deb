"""Several nodes over one Redis, measured as one server."""

import pathlib
import shutil
import signal
import subprocess
import tempfile

from . import machine, server
from .machine import BenchError
from .server import free_port, pinned


class Redis:
    """A redis-server that keeps nothing on disk but what options say."""

    def __init__(self, *options):
        self.options = options
        self.cpus = machine.processors()[0]
        self.dir = self.process = self.port = None

    def start(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix='wsc-bench-redis.'))
        self.port = free_port()
        self.process = subprocess.Popen(
            pinned(self.cpus) + [
                'redis-server', '--bind', '127.0.0.1', '--port',
                str(self.port), '--dir', str(self.dir), '--save', '',
                *self.options],
            stdin=subprocess.DEVNULL, stdout=(self.dir / 'log').open('w'))
        machine.wait_for(self.is_up, 'Redis did not start')

    def is_up(self):
        if self.process.poll() is not None:
            raise BenchError('Redis did not start:\n%s'
                             % (self.dir / 'log').read_text())
        return self.cli('ping') == 'PONG'

    def cli(self, *args):
        return subprocess.run(['redis-cli', '-p', str(self.port), *args],
                              stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True
                              ).stdout.strip()

    def stop(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        if self.dir is not None:
            shutil.rmtree(self.dir)
        self.dir = self.process = None

    def cpu(self):
        return machine.cpu_seconds([self.process.pid])


class Farm:
    """Two nodes and their Redis; a context manager.

    name    of the peer
    node    class of the servers
    options   of Redis
    """

    name = node = None
    acks = None
    options = ('--appendonly', 'no')
    count = 2

    def __init__(self):
        self.redis = Redis(*self.options)
        self.nodes = []

    def __enter__(self):
        try:
            self.redis.start()
            for _ in range(self.count):
                self.nodes.append(self.node(redis=self.redis.port))
                self.nodes[-1].start()
            machine.wait_for(self.is_up, '%s: Redis is not used' % self.name)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *args):
        self.stop()

    def is_up(self):
        """Every worker listens to a channel of its own."""
        channels = self.redis.cli('pubsub', 'channels').splitlines()
        return len(channels) >= self.count

    def stop(self):
        for node in self.nodes:
            node.stop()
        self.redis.stop()

    def arguments(self):
        """Those of one node, and the addresses of the others."""
        first, *others = [node.arguments() for node in self.nodes]
        for one in others:
            for name, value in zip(one, one[1:]):
                if name in ('--url', '--post'):
                    first += [name, value]
        return first

    # figures

    def cpu(self):
        return (self.redis.cpu()
                + sum(node.cpu() for node in self.nodes))


class OursNode(server.Ours):
    http = 'ws_chat_zone chat:64m delivery=live;\n' \
           '    ws_chat_redis chat redis://127.0.0.1:{redis};'


class NchanNode(server.Nchan):
    http = server.Nchan.http + '''
    keepalive_requests 1000000;
    nchan_redis_url redis://127.0.0.1:{redis};
    nchan_use_redis on;'''
    server = server.Nchan.server + '''

        location ~ ^/pub/(.+)$ {
            nchan_publisher;
            nchan_channel_id $1;
            nchan_message_buffer_length 1000;
            nchan_message_timeout 24h;
        }'''


class NchanPostNode(NchanNode):
    generator = NchanNode.generator + (
        '--post', 'http://127.0.0.1:{port}/pub/r{room}')


class Ours(Farm):
    name = server.Ours.name
    node = OursNode
    acks = OursNode.acks


def before(path):
    """Nodes with another build of it, as a peer."""
    node = server.before(path, OursNode)
    return type('Before', (Ours,), {'name': node.name, 'node': node})


class OursAof(Ours):
    name = Ours.name + ', AOF'
    options = ('--appendonly', 'yes', '--appendfsync', 'everysec')


class Nchan(Farm):
    name = server.Nchan.name
    node = NchanNode


class NchanPost(Farm):
    name = Nchan.name + ', POST'
    node = NchanPostNode


def check():
    """Is Redis there?"""
    for name in 'redis-server', 'redis-cli':
        if shutil.which(name) is None:
            raise BenchError('%s is missing; run it by `make bench`' % name)
