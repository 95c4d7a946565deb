"""A Redis Cluster on this machine: masters, each with a replica."""

import re
import socketserver
import threading

from harness.nginx import NginxError, reserve_port, wait_for
from harness.redis import Redis

SLOTS = 16384
SHARDS = 64


def shard_of(chat, shards=SHARDS):
    """Where Kafka's Java clients put such a key (murmur2)."""
    data, m, mask = chat.encode(), 0x5bd1e995, 0xffffffff
    h = 0x9747b28c ^ len(data)
    whole = len(data) & ~3
    for i in range(0, whole, 4):
        k = int.from_bytes(data[i:i + 4], 'little') * m & mask
        k = (k ^ k >> 24) * m & mask
        h = h * m & mask ^ k
    if whole < len(data):
        h = (h ^ int.from_bytes(data[whole:], 'little')) * m & mask
    h = (h ^ h >> 13) * m & mask
    return ((h ^ h >> 15) & 0x7fffffff) % shards


def slot_of(tag):
    """CRC-16/XMODEM of what is in the braces."""
    crc = 0
    for octet in tag.encode():
        crc ^= octet << 8
        for _ in range(8):
            crc = crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1
            crc &= 0xffff
    return crc % SLOTS


class ClusterNode(Redis):
    """One server of a cluster; the bus has a port of its own."""

    def __init__(self, *args, **options):
        self.bus, keeper = reserve_port()
        super().__init__(*args, start=False, **options)
        keeper.close()
        self.args += [
            '--cluster-enabled', 'yes', '--cluster-port', str(self.bus),
            '--cluster-require-full-coverage', 'no',
            '--cluster-replica-validity-factor', '0',
            '--cluster-allow-replica-migration', 'no',
            '--repl-diskless-sync-delay', '0']

    def cluster(self, *words):
        text = self.ask('CLUSTER', *(str(word) for word in words))
        return text.decode() if isinstance(text, bytes) else text

    @property
    def id(self):
        return self.cluster('MYID')

    @property
    def slots(self):
        """The first and the last slot of each of its ranges."""
        mine = next(line for line in self.cluster('NODES').splitlines()
                    if 'myself' in line)
        return [tuple(int(n) for n in (one.split('-') * 2)[:2])
                for one in mine.split()[8:] if not one.startswith('[')]

    @property
    def is_master(self):
        return b'role:master' in self.ask('INFO', 'replication')


class Cluster:
    """Masters with a part of the slots each, and their replicas."""

    def __init__(self, masters=3, replicas=True, args=(), timeout=2000,
                 shards=SHARDS, **options):
        self.shards = shards
        self.auth = options.get('auth')
        count = masters * (2 if replicas else 1)
        self.nodes = []
        try:
            while len(self.nodes) < count:
                self.add('--cluster-node-timeout', str(timeout), *args,
                         **options)
            self.create(masters)
        except BaseException:
            self.close()
            raise

    def add(self, *args, **options):
        """One more server; somebody may have taken its ports meanwhile."""
        for left in (2, 1, 0):
            node = ClusterNode(*args, **options)
            try:
                node.start()
            except NginxError:
                node.close()
                if left:
                    continue
                raise
            self.nodes.append(node)
            return

    def create(self, masters):
        for i, node in enumerate(self.nodes):
            node.cluster('SET-CONFIG-EPOCH', i + 1)
            if i < masters:
                node.cluster('ADDSLOTSRANGE', SLOTS * i // masters,
                             SLOTS * (i + 1) // masters - 1)
            for other in self.nodes[:i]:
                node.cluster('MEET', '127.0.0.1', other.port, other.bus)
        wait_for(lambda: all(
            len(re.findall('connected', n.cluster('NODES')))
            == len(self.nodes) for n in self.nodes), 30, 'all nodes met')
        for i, node in enumerate(self.nodes[masters:]):
            node.cluster('REPLICATE', self.nodes[i].id)
        wait_for(self.healthy, 30, 'the cluster works')

    def healthy(self):
        alive = self.alive()
        return all('cluster_state:ok' in n.cluster('INFO') for n in alive) \
            and all(b'master_link_status:up' in n.ask('INFO', 'replication')
                    for n in alive if not n.is_master)

    def alive(self):
        return [n for n in self.nodes if n.process.poll() is None]

    @property
    def hosts(self):
        return ','.join('127.0.0.1:%d' % n.port for n in self.nodes[:2])

    def tag(self, chat):
        return str(shard_of(chat, self.shards))

    def slot(self, chat):
        return slot_of(self.tag(chat))

    def master(self, chat):
        """Who has the chat now."""
        slot = self.slot(chat)
        found = [n for n in self.alive() if n.is_master
                 and any(a <= slot <= b for a, b in n.slots)]
        return found[0] if len(found) == 1 else None

    def stream(self, chat):
        node = wait_for(lambda: self.master(chat), 20, 'a master of ' + chat)
        return node.stream(chat, 'wsc:{%s}:s:' % self.tag(chat))

    def replica_of(self, master):
        ident = master.id
        return next(n for n in self.alive() if any(
            'myself,slave ' + ident in line
            for line in n.cluster('NODES').splitlines()))

    def move(self, slot, old, new, between=lambda: None):
        """Give a slot to another master, its keys one by one."""
        new.cluster('SETSLOT', slot, 'IMPORTING', old.id)
        old.cluster('SETSLOT', slot, 'MIGRATING', new.id)
        between()
        while keys := old.ask('CLUSTER', 'GETKEYSINSLOT', str(slot), '5'):
            for key in keys:
                old.ask('MIGRATE', '127.0.0.1', str(new.port), key.decode(),
                        '0', '5000')
        for node in [new, old, *self.alive()]:
            if node.is_master:
                node.cluster('SETSLOT', slot, 'NODE', new.id)

    def close(self):
        for node in self.nodes:
            node.close()


class Liar:
    """A node that names other masters whenever it is asked for them."""

    def __init__(self, masters=64):
        self.masters = masters
        self.asked = 0
        liar = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                while line := self.rfile.readline():
                    words = []
                    for _ in range(int(line[1:])):
                        size = int(self.rfile.readline()[1:])
                        words.append(self.rfile.read(size + 2)[:-2])
                    self.wfile.write(liar.answer(b' '.join(words)))

        self.server = socketserver.ThreadingTCPServer(
            ('127.0.0.1', 0), Handler)
        self.server.daemon_threads = True
        self.hosts = '127.0.0.1:%d' % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever,
                         daemon=True).start()

    def answer(self, command):
        if command == b'CLUSTER INFO':
            text = 'cluster_state:ok\r\n'
        elif command == b'CLUSTER NODES':
            self.asked += 1
            text = ''.join(
                'x 127.%d.%d.1:9@10 master - 0 0 1 connected %d-%d\n' % (
                    1 + self.asked % 250, i, SLOTS * i // self.masters,
                    SLOTS * (i + 1) // self.masters - 1)
                for i in range(self.masters))
        else:
            return b'+PONG\r\n' if command == b'PING' else b'+OK\r\n'
        return b'$%d\r\n%s\r\n' % (len(text), text.encode())

    def close(self):
        self.server.shutdown()
        self.server.server_close()
