"""Everybody in a chat gets what one of them says."""

import time

from . import farm, generator, machine
from .case import Case, Target
from .machine import BenchError
from .server import FloorEach, FloorLog, Nchan, Ours, Ws


class Fan(Case):
    """Members of chats of one size, who send in turn, on a schedule.

    The generator spins: waking it up is nothing that a server would do for
    clients on other machines, but on the same one it can be half of the cost
    of sending, and a faster server, whose generator sleeps more, pays more.

    The rounds are short and many, because the same process needs a quarter
    more CPU time or less a few seconds later. While a server warms up, ours
    tells who has come, up to a second later: that is not what is measured.

    rate      messages a second in all chats together
    seconds   measured, warming up, waiting for the last: whole and quick
    late      ms (p99) that the generator may be late, None: whatever it is;
              what it sends late comes in bursts, which cost less and take
              longer than what came in time, so the round is run again
    tries     so often at most
    ramp      clients a second who connect
    may_lose   peers from which all is asked but not expected
    """

    peers = (Ours, FloorEach, Nchan, Ws)
    members = 1000
    rooms = publishers = 1
    rate = 50
    size = 100
    seconds = (1, 1.2, 5), (0.4, 0.1, 30)
    quick = {'members': 20, 'rate': 50}
    ramp = 5000
    late = None
    tries = 3
    may_lose = ()
    options = ()
    columns = (
        ('cpu_us', 'CPU us/delivery', '%.2f'),
        ('cpu_share', 'CPU busy', '%.0f %%'),
        ('per_second', 'deliveries/s', '%.0f'),
        ('p50', 'p50 ms', '%.2f'),
        ('p99', 'p99 ms', '%.2f'),
        ('missing', 'missing', '%d'),
        ('late', 'sent late p99', '%.2f'),
        ('others', 'other load', '%.2f'),
    )

    def __init__(self):
        self.title = '%s, %s messages a second of %d octets' % (
            one_chat(self.members) if self.rooms == 1 else
            '%s chats of %d' % (thousands(self.rooms),
                                self.members // self.rooms),
            thousands(self.rate), self.size)

    def load(self, quick):
        """Of this run: (members, chats, messages a second, seconds...)."""
        if not quick:
            return self.members, self.rooms, self.rate, *self.seconds[0]
        small = {'members': self.members, 'rooms': self.rooms,
                 'rate': self.rate, **self.quick}
        return (small['members'], small['rooms'], small['rate'],
                *self.seconds[1])

    def run_round(self, peer, quick):
        for _ in range(1 if quick or self.late is None else self.tries):
            figures = self.run_once(peer, quick)
            if self.late is not None and figures['late'] < self.late:
                break
        return figures

    def run_once(self, peer, quick):
        with peer() as server:
            return self.measure(server, quick)

    def measure(self, server, quick):
        before, after = {}, {}

        def note(into):
            into.update(self.spent(server), busy=machine.busy(),
                        time=time.monotonic())

        members, rooms, rate, seconds, warm, drain = self.load(quick)
        result = generator.run(
            server, '-c', members, '-r', rooms, '-p', self.publishers,
            '-m', rate / rooms, '-s', self.size, '-d', seconds, '-w', warm,
            '--drain', drain, '-R', self.ramp, *([] if quick else ['--spin']),
            *self.options, at={
                'connected': lambda: self.joined(server),
                'warm': lambda: note(before),
                'measured': lambda: note(after)})
        self.check(server, result)
        return self.figures(result, before, after)

    def joined(self, server):
        """All members are in the chats, nothing was sent yet."""

    def spent(self, server):
        return {'cpu': server.cpu()}

    def check(self, server, result):
        if result['failed'] or not result['seen'] or (
                result['lost'] and server.name not in self.may_lose):
            raise BenchError('%s: %s' % (server.name, result['error']
                                         or 'nothing was delivered'))
        wrong = {key: result[key] for key in ('repeats', 'strays')
                 if result[key]}
        if server.acks and result['counts'][server.acks] < result['sent']:
            wrong['acks'] = result['counts'][server.acks]
        if server.name not in self.may_lose:
            wrong.update((key, result[key]) for key in ('missing', 'holes')
                         if result[key])
        if wrong:
            raise BenchError('%s: messages went wrong: %s'
                             % (server.name, wrong))

    def figures(self, result, before, after):
        span = {key: after[key] - before[key] for key in after}
        ours = span['cpu'] + (result['cpu'] * result['seconds']
                              * result['processes'])
        seen = result['seen']
        times = result['latency_ms'] if result['received'] else {}
        return {
            'cpu_us': span['cpu'] / seen * 1e6,
            'cpu_share': span['cpu'] / span['time'] * 100,
            'per_second': seen / (
                span['time'] if result['missing'] else result['seconds']),
            'p50': times.get('p50'),
            'p90': times.get('p90'),
            'p99': times.get('p99'),
            'p999': times.get('p99.9'),
            'max': times.get('max'),
            'wire': result['wire'] / seen,
            'missing': result['missing'],
            'late': result['late_ms']['p99'],
            'generator': result['cpu'],
            'others': max(0, (span['busy'] - ours) / span['time']),
        }


class Fan50(Fan):
    name = 'fan-50'
    rounds = 5
    late = 1
    rows = (('1 chat x 1,000 members, 50 messages/s: CPU us each delivery',
             'cpu_us', '{:.2f}'),)
    targets = (Target('cpu_us', 1.10, FloorEach.name),
               Target('cpu_us', 0.9, Nchan.name))


class Fan1000(Fan):
    """More than one send for each delivery can do: batches are what helps."""

    name = 'fan-1000'
    rows = (('1 x 1,000, 1,000/s: CPU us', 'cpu_us', '{:.2f}'),)
    peers = (Ours, FloorLog, Nchan, Ws)
    rate = 1000
    seconds = (1.5, 0.5, 1.5), (0.4, 0.1, 30)
    quick = {'members': 20, 'rate': 100}
    may_lose = (Ours.name, FloorLog.name, Nchan.name, Ws.name)
    targets = (Target('missing', 0),)


class Fan3000(Fan1000):
    """Three million deliveries a second: more than most servers can."""

    name = 'fan-3000'
    rows = (('1 x 1,000, 3,000/s: CPU us', 'cpu_us', '{:.2f}'),
            ('deliveries/s', 'per_second', '{:,.0f}'))
    rate = 3000
    targets = (Target('per_second', 2.95e6, least=True),
               Target('missing', 0),
               Target('cpu_us', 0.40),
               Target('cpu_us', 1.5, FloorLog.name),
               Target('cpu_us', 0.1, Nchan.name))


class Chats200(Fan):
    """Many small chats in which everybody talks."""

    name = 'chats-200'
    rows = (('200 x 10, all send, 3,000/s: CPU us', 'cpu_us', '{:.2f}'),
            ('p50, ms', 'p50', '{:.2f}'))
    members = 2000
    rooms = 200
    publishers = 10
    rate = 3000
    rounds = 7
    late = 1
    quick = {'members': 40, 'rooms': 4, 'rate': 100}
    targets = (Target('cpu_us', 0.85, Nchan.name),
               Target('cpu_us', 1.15, FloorEach.name),
               Target('p50', 1, Nchan.name))
    notes = ('Ours parses the JSON, acknowledges each message and keeps it; '
             'the others pass octets on.',)


class Redis200(Fan):
    """Many small chats, half of each on another node.

    CPU time is that of both workers and Redis, so that nothing is gained by
    leaving work to the other.
    """

    name = 'redis-200'
    rows = (('200 x 10, two nodes over Redis, 1,000/s: CPU us with Redis',
             'cpu_us', '{:.2f}'), ('p50, ms', 'p50', '{:.2f}'))
    peers = (farm.Ours, farm.NchanPost, farm.Nchan, farm.OursAof)
    members = 2000
    rooms = 200
    publishers = 10
    rate = 1000
    seconds = (2, 1.5, 5), (0.4, 0.1, 30)
    rounds = 7
    late = 1
    quick = {'members': 40, 'rooms': 4, 'rate': 100}
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
    targets = tuple(Target(key, limit, farm.NchanPost.name)
                    for key, limit in (('cpu_us', 0.5), ('p50', 1),
                                       ('p99', 1)))
    notes = (
        'Two nodes of one worker each and one Redis for each server, five '
        'members of every chat on each node; the members send in turn.',
        'To "nchan, POST" messages come as requests of 32 connections that '
        'are kept, to the others by the sockets of the members.',
        'Redis keeps nothing on disk (AOF: appendfsync everysec). Latency is '
        'from the time a message is due to each delivery.',
    )

    def __init__(self):
        super().__init__()
        self.title += ', on two nodes over Redis'

    def spent(self, server):
        return {'cpu': server.cpu(), 'redis': server.redis.cpu()}

    def figures(self, result, before, after):
        return {'redis_us': (after['redis'] - before['redis'])
                / result['seen'] * 1e6,
                **super().figures(result, before, after)}


def thousands(number):
    return '{:,}'.format(number)


def one_chat(members):
    return '%s members in one chat' % thousands(members)
