"""What is measured, one class a case."""

import statistics
import time

from . import farm, generator, machine
from .machine import BenchError
from .server import Nchan, Ours

# NGINX's own slot of a connection: itself and its two events
SLOT = 240 + 2 * 96


class Case:
    """name, title, notes to print; peers in the order they are run.

    columns     (key of a round's figures, heading, format)
    targets     (key, 'ratio' to the second peer or 'value', limit): what must
                be held
    """

    name = title = None
    notes = ()
    peers = (Ours, Nchan)
    columns = ()
    targets = ()
    rounds = 5

    def run_round(self, peer, quick):
        """One round: {key: number}."""
        raise NotImplementedError

    def run(self, rounds, quick, say):
        """Interleaved rounds, then {'rounds', 'medians', ...}."""
        figures = {peer.name: [] for peer in self.peers}
        for number in range(rounds):
            for peer in self.peers:
                say('%s, round %d of %d: %s'
                    % (self.name, number + 1, rounds, peer.name))
                figures[peer.name].append(self.run_round(peer, quick))
        medians = {name: median(one) for name, one in figures.items()}
        return {'title': self.title, 'rounds': figures, 'medians': medians,
                **self.judge(medians)}

    def judge(self, medians):
        """The ratio ours / theirs of each figure, and whether it will do."""
        ours = medians[Ours.name]
        result = {'ratios': {}}
        for name, theirs in medians.items():
            if name.startswith(Ours.name):
                continue
            result['ratios'][name] = {
                key: ours[key] / theirs[key] for key in ours
                if theirs.get(key) and ours[key] is not None}
        result['targets'] = []
        for key, kind, limit in self.targets:
            value = (ours[key] if kind == 'value'
                     else result['ratios'][self.peers[1].name][key])
            result['targets'].append({
                'figure': key, 'kind': kind, 'limit': limit, 'value': value,
                'met': value <= limit})
        return result


class Fan(Case):
    """Everybody in a chat gets what one of them says: here in one chat.

    The generator spins: waking it up is nothing that a server would do for
    clients on other machines, but on the same one it can be half of the cost
    of sending, and a faster server, whose generator sleeps more, pays more.
    """

    members = 1000
    rooms = publishers = 1
    rate = 50
    size = 100
    seconds = (20, 5)
    may_lose = False
    columns = (
        ('cpu_us', 'CPU us/delivery', '%.2f'),
        ('cpu_share', 'CPU busy', '%.0f %%'),
        ('per_second', 'deliveries/s', '%.0f'),
        ('p50', 'p50 ms', '%.2f'),
        ('p99', 'p99 ms', '%.2f'),
        ('max', 'max ms', '%.1f'),
        ('missing', 'missing', '%d'),
        ('late', 'sent late p99', '%.2f'),
        ('others', 'other load', '%.2f'),
    )

    def __init__(self):
        self.title = '%d members in one chat, %d messages a second of %d ' \
                     'octets' % (self.members, self.rate, self.size)

    def run_round(self, peer, quick):
        before, after = {}, {}

        def note(into):
            into.update(self.spent(server), busy=machine.busy(),
                        time=time.monotonic())

        with peer() as server:
            result = generator.run(
                server, '-c', self.members, '-r', self.rooms,
                '-p', self.publishers, '-m', self.rate / self.rooms,
                '-s', self.size, '-d', self.seconds[1 if quick else 0],
                '-w', 1 if quick else 3, '--spin', at={
                    'warm': lambda: note(before),
                    'measured': lambda: note(after)})
        self.check(peer, result)
        return self.figures(result, before, after)

    def spent(self, server):
        return {'cpu': server.cpu()}

    def check(self, peer, result):
        if result['failed'] or result['lost'] or not result['received']:
            raise BenchError('%s: %s' % (peer.name, result['error']))
        wrong = {key: result[key] for key in ('repeats', 'strays')
                 if result[key]}
        if not self.may_lose:
            wrong.update((key, result[key]) for key in ('missing', 'holes')
                         if result[key])
        if wrong:
            raise BenchError('%s: messages went wrong: %s'
                             % (peer.name, wrong))

    def figures(self, result, before, after):
        span = {key: after[key] - before[key] for key in after}
        ours = span['cpu'] + result['cpu'] * result['seconds']
        return {
            'cpu_us': span['cpu'] / result['received'] * 1e6,
            'cpu_share': span['cpu'] / span['time'] * 100,
            'per_second': result['received'] / result['seconds'],
            'p50': result['latency_ms']['p50'],
            'p90': result['latency_ms']['p90'],
            'p99': result['latency_ms']['p99'],
            'p999': result['latency_ms']['p99.9'],
            'max': result['latency_ms']['max'],
            'missing': result['missing'],
            'late': result['late_ms']['p99'],
            'others': max(0, (span['busy'] - ours) / span['time']),
        }


class Fan50(Fan):
    name = 'fan-50'
    targets = (('cpu_us', 'ratio', 0.9),)


class Fan1000(Fan):
    """More than one send for each delivery can do: batches are what helps."""

    name = 'fan-1000'
    rate = 1000
    seconds = (10, 3)
    may_lose = True
    rounds = 3


class Redis200(Fan):
    """Many small chats, half of each on another node.

    CPU time is that of both workers and Redis, so that nothing is gained by
    leaving work to the other.
    """

    name = 'redis-200'
    peers = (farm.Ours, farm.NchanPost, farm.Nchan, farm.OursAof)
    members = 2000
    rooms = 200
    publishers = 10
    rate = 1000
    seconds = (20, 4)
    columns = (
        ('cpu_us', 'CPU us/delivery', '%.1f'),
        ('redis_us', 'of it Redis', '%.1f'),
        ('per_second', 'deliveries/s', '%.0f'),
        ('p50', 'p50 ms', '%.2f'),
        ('p90', 'p90 ms', '%.2f'),
        ('p99', 'p99 ms', '%.2f'),
        ('p999', 'p99.9 ms', '%.1f'),
        ('missing', 'missing', '%d'),
        ('late', 'sent late p99', '%.2f'),
        ('others', 'other load', '%.2f'),
    )
    targets = (('cpu_us', 'ratio', 0.5), ('p50', 'ratio', 1),
               ('p99', 'ratio', 1))
    notes = (
        'Two nodes of one worker each and one Redis for each server, five '
        'members of every chat on each node; the members send in turn.',
        'To "nchan, POST" messages come as requests of 32 connections that '
        'are kept, to the others by the sockets of the members.',
        'Redis keeps nothing on disk (AOF: appendfsync everysec). Latency is '
        'from the time a message is due to each delivery.',
    )

    def __init__(self):
        self.title = '%d chats of %d on two nodes over Redis, %d messages a ' \
                     'second of %d octets' % (
                         self.rooms, self.members // self.rooms, self.rate,
                         self.size)

    def spent(self, server):
        return {'cpu': server.cpu(), 'redis': server.redis.cpu()}

    def figures(self, result, before, after):
        return {'redis_us': (after['redis'] - before['redis'])
                / result['received'] * 1e6,
                **super().figures(result, before, after)}


class Idle(Case):
    """Memory of members who do nothing, in chats of ten."""

    name = 'idle'
    title = 'idle members in chats of ten, octets of memory for each'
    connections = {Ours.name: 18000, Nchan.name: 5000}
    warm = 100
    ramp = 3000
    rounds = 1
    options = ()
    columns = (
        ('connections', 'members', '%d'),
        ('member', 'octets/member', '%.0f'),
        ('heap', 'of it heap', '%.0f'),
        ('shared', 'zone', '%.0f'),
        ('with_slot', 'with slot', '%.0f'),
        ('half', 'half-sent', '%.0f'),
        ('closed', 'after close', '%.0f'),
    )
    targets = (('member', 'value', 512),)

    def run_round(self, peer, quick):
        count = min(self.connections[peer.name], machine.descriptors() - 500)
        if quick:
            count //= 4
        count -= count % 10
        extra = 'ws_chat_ping_interval 0;' if peer is Ours else ''
        with peer(extra) as server:
            # code, buffers and zones that the first ones touch
            self.members(server, self.warm)
            base = settled(server)
            seen = {'connections': count}
            self.members(server, count, *self.options, at={
                'half': lambda: self.note(server, base, seen, 'half'),
                'connected': lambda: self.note(server, base, seen, 'member'),
                'closed': lambda: self.closed(server, base, seen)})
        return seen

    def members(self, server, count, *options, at=None):
        files = server.files()
        result = generator.run(server, '-c', count, '-r', count // 10,
                               '-R', self.ramp, *options, at=at)
        if result['failed'] or result['lost']:
            raise BenchError('%s: %d failed, %d lost, %s' % (
                server.name, result['failed'], result['lost'],
                result['error']))
        self.wait_closed(server, files)

    def wait_closed(self, server, files):
        machine.wait_for(lambda: server.files() <= files,
                         '%s keeps connections open' % server.name)

    def note(self, server, base, seen, key):
        now = settled(server)
        count = seen['connections']
        seen[key] = (now['pss'] - base['pss']) / count
        if key == 'member':
            seen['heap'] = (now['anon'] - base['anon']) / count
            seen['shared'] = (now['shmem'] - base['shmem']) / count
            seen['with_slot'] = seen['member'] + SLOT
            seen['files'] = server.files() - count
        seen.setdefault('half', None)

    def closed(self, server, base, seen):
        self.wait_closed(server, seen.pop('files'))
        self.note(server, base, seen, 'closed')


class Storm(Idle):
    """They all come at once, and are slow to say what they want."""

    name = 'storm'
    title = 'the same after a storm: all had sent half of their handshake'
    options = ('--half', 2, '--timeout', 60)


CASES = {case.name: case for case in (Fan50, Fan1000, Redis200, Idle,
                                      Storm)}


def median(rounds):
    """{key: median} of the rounds' figures; None where there is none."""
    result = {}
    for key in rounds[0]:
        values = [one[key] for one in rounds]
        result[key] = None if None in values else statistics.median(values)
    return result


def settled(server, quiet=3, limit=20):
    """The memory when it has not become less for some seconds."""
    lowest, since = server.memory(), time.monotonic()
    end = since + limit
    while time.monotonic() < min(since + quiet, end):
        time.sleep(0.2)
        now = server.memory()
        if now['pss'] < lowest['pss'] * 0.99:
            lowest, since = now, time.monotonic()
    return server.memory()
