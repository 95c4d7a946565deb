"""Farms for tests: nodes from conf/nginx/node.conf over one Redis."""

import asyncio
import json
import os
import re
import signal
import subprocess
import time

from harness.nginx import TOP, wait_for
from harness.witness import Crowd, Witness

NODE_CONF = TOP / 'conf/nginx/node.conf'
REDIS_CONF = TOP / 'conf/redis/redis.conf'
NODES = TOP / 'conf/haproxy/ws-chat-nodes'
KEY = 'a-key-of-the-tests'


def node_conf(name, redis, workers, drain, listen=''):
    """The node's configuration, to be filled in by Nginx."""
    text = NODE_CONF.read_text().replace('{', '{{').replace('}', '}}')
    user = 'user www-data;\n' if os.getuid() == 0 else ''
    for old, new in (
            ('load_module modules/ngx_ws_chat_module.so;',
             user + 'load_module {module};'),
            ('worker_processes 2;', 'worker_processes %d;' % workers),
            ('error_log error.log;', 'error_log error.log info;'),
            ('127.0.0.1:8081 ', '127.0.0.1:{port} '),
            ('ws_chat_node node1;', 'ws_chat_node %s;' % name),
            ('redis://127.0.0.1:6379', redis.uri),
            # as the file says: without Kafka
            ('delivery=durable', 'delivery=live'),
            ('    ws_chat_kafka_brokers 127.0.0.1:9092;\n', ''),
            ('    ws_chat_history_pass http://127.0.0.1:9473;\n', ''),
            ('ws_chat_drain 20s;', 'ws_chat_drain %s;' % drain)):
        assert old in text, old
        text = text.replace(old, new)
    return text


def redis_conf():
    """The configuration of Redis as arguments, without its address."""
    lines = [line.split() for line in REDIS_CONF.read_text().splitlines()
             if line and not line.startswith('#')]
    return [word for name, *values in lines if name not in ('bind', 'port')
            for word in ('--' + name, *(v.strip('"') for v in values))]


class Farm:
    """Some nodes over one Redis; `nodes` is name -> Nginx.

    The fronts are made by the tests, and come and go.
    """

    def __init__(self, nginx, redis, count=3, workers=1, drain='3s'):
        self.nginx = nginx
        self.workers = workers
        self.window = drain
        self.redis = redis(*redis_conf())
        self.nodes = {}
        for _ in range(count):
            self.add_node()
        self.wait_health(200)

    def add_node(self):
        """Start one more: (name, Nginx)."""
        name = 'node%d' % (len(self.nodes) + 1)
        ng = self.nginx(workers=self.workers, start=False, conf=node_conf(
            name, self.redis, self.workers, self.window))
        self.key_file(ng).write_text(KEY + '\n')
        ng.start()
        self.nodes[name] = ng
        return name, ng

    @staticmethod
    def key_file(ng):
        return ng.dir / 'api.key'

    def health(self):
        return {name: ng.request('/health').status
                for name, ng in self.nodes.items()}

    def wait_health(self, status, seconds=15):
        wait_for(lambda: set(self.health().values()) == {status}, seconds,
                 'health is %d everywhere' % status)

    def drain(self, name, on=True):
        """POST drain to the node itself."""
        answer = self.nodes[name].request(
            '/api/drain', 'POST', {'Authorization': 'Bearer ' + KEY},
            json.dumps({'on': on}))
        assert answer.status == 200, answer
        assert json.loads(answer.body)['draining'] is on, answer

    def accepted(self, name):
        """How many sockets it has taken since it started."""
        return self.nodes[name].status()['accepted']

    def connections(self):
        """Name of the node -> its sockets, as itself counts them."""
        return {name: ng.status()['connections']
                for name, ng in self.nodes.items()}


class FarmWitness(Witness):
    """`resumed` counts the returns that are complete; `cut_at` has when."""

    def __init__(self, *args):
        super().__init__(*args)
        self.resumed = 0
        self.cut_at = []

    async def come_back(self):
        self.cut_at.append(time.monotonic())
        await super().come_back()
        self.resumed += 1
        self.changed.set()

    @property
    def jar(self):
        return self.options['jar']


class FarmCrowd(Crowd):
    """A Crowd that came in by a front: a member's `worker` is its node.

    Each member has a jar of cookies, which it brings along when it returns.
    """

    @staticmethod
    def witness(front, user, history, options):
        return FarmWitness(front, user, history, {'jar': {}, **options})

    def workers(self):
        return [node_of(m) for m in self.members]

    def where(self):
        """Name of the node -> its members."""
        found = {}
        for member in self.members:
            found.setdefault(node_of(member), []).append(member)
        return found

    async def cut(self, members):
        """Break the connections of these, and wait until they are back."""
        before = {m: m.resumed for m in members}
        for member in members:
            member.client.ws.transport.abort()
        for member in members:
            await member.until(lambda: member.resumed > before[member], 60)


def node_of(member):
    """The name of the node that holds the member's connection."""
    return member.client.welcome['node']


def ws_chat_nodes(front, *args):
    """Run the script for this front: (exit code, what it printed)."""
    done = subprocess.run(
        [NODES, '--socket', front.socket, *map(str, args)], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=90)
    return done.returncode, done.stdout.strip()


def listed(front):
    """What `ws-chat-nodes list` says: name -> (state, sockets)."""
    code, out = ws_chat_nodes(front, 'list')
    assert code == 0, out
    found = {}
    for line in out.splitlines()[1:]:
        name, _, state, sockets = re.split(r'  +', line)[:4]
        found[name] = state, int(sockets)
    return found


async def until(condition, seconds=20, what=None):
    """wait_for() that lets the clients run."""
    await asyncio.to_thread(wait_for, condition, seconds, what)


def kill_node(ng):
    """SIGKILL for all of it at once; start() brings it back."""
    workers = [pid for pid, _ in ng.children()]
    ng.process.kill()
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    ng.process.wait()
    wait_for(lambda: not any(os.path.exists('/proc/%d/fd/0' % pid)
                             for pid in workers), what='the workers end')
