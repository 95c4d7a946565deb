"""What a delivery costs as there is more of everything."""

from . import generator
from .case import Case, Target, in_turn, ratio
from .fan import Fan
from .machine import BenchError
from .server import FloorEach, Ours

STEPS = 10, 100, 1000, 10000
QUICK = 10, 100


class Step(Fan):
    """So many deliveries a second, however they come about."""

    deliveries = 10000
    ramp = 10000
    late = 1

    def __init__(self, members, rooms, publishers, quick):
        self.members = members
        self.rooms = rooms
        self.publishers = publishers
        self.rate = ((200 if quick else self.deliveries)
                     / (members // rooms))
        self.quick = {}
        _, warm, drain = Fan.seconds[0]
        # two messages at least; many take longer to come, and to be told of
        self.seconds = ((max(0.7, 2 / self.rate), warm + members / 10000,
                         drain), Fan.seconds[1])
        super().__init__()


class Growth(Case):
    """Members of one chat, chats of one member, and connections that are
    idle beside ten members who talk.

    The kernel takes more for a send when there are more sockets than a
    processor's caches hold. What is judged is what we add: the ratio to the
    bare server at each size, and how much it grows from one to the next.
    """

    name = 'growth'
    title = 'CPU us for each delivery, %s deliveries a second' % (
        '{:,}'.format(Step.deliveries))
    peers = (Ours, FloorEach)
    limit = 1.3
    columns = tuple((str(n), '{:,}'.format(n), '%.2f') for n in STEPS)
    notes = ('From each step to the next there is ten times as much; the '
             'messages of large chats are fewer, each costs more deliveries. '
             'What is judged is the steepest step of the ratio to the bare '
             'server.',)

    def run(self, rounds, quick, say):
        steps = QUICK if quick else STEPS
        rows = (('members of one chat', self.by_members),
                ('chats of one member', self.by_chats),
                ('idle connections', self.by_connections))
        figures = {}
        for number in range(rounds):
            for name, measure in rows:
                say('%s, round %d of %d: %s'
                    % (self.name, number + 1, rounds, name))
                for peer in self.peers:
                    figures.setdefault(row(name, peer), []).append(
                        dict.fromkeys(map(str, STEPS)))
                for step in in_turn(steps, number):
                    for peer in in_turn(self.peers, number):
                        figures[row(name, peer)][-1][str(step)] = measure(
                            peer, step, quick)
        return self.result(figures)

    def result(self, figures):
        result = super().result(figures)
        result['targets'] = [self.steepest(name, ratios)
                             for name, ratios in result['ratios'].items()]
        return result

    def ratios(self, figures):
        """{row of the bare server: {size: ours / theirs}}"""
        return {theirs: {key: ratio(figures[ours], figures[theirs], key)
                         for key in figures[ours][0]}
                for ours in figures
                for theirs in [row(ours, FloorEach)] if theirs in figures}

    def steepest(self, name, ratios):
        """How much the ratio is larger after ten times as much."""
        known = [one for one in ratios.values() if one is not None]
        value = max(after / before
                    for before, after in zip(known, known[1:]))
        return {**Target('steepest step', self.limit, name)._asdict(),
                'value': value, 'met': value <= self.limit}

    def by_members(self, peer, count, quick):
        return Step(count, 1, min(count, 10), quick).run_round(
            peer, quick)['cpu_us']

    def by_chats(self, peer, count, quick):
        return Step(count, count, 1, quick).run_round(peer, quick)['cpu_us']

    def by_connections(self, peer, count, quick):
        return Beside(count, quick).run_round(peer, quick)['cpu_us']


class Beside(Step):
    """Ten members who talk, beside so many connections that do not."""

    def __init__(self, idle, quick):
        super().__init__(10, 1, 10, quick)
        self.idle = idle

    def measure(self, server, quick):
        seen = []
        result = generator.run(
            server, '--marker', 'idle@', '-c', self.idle, '-r',
            max(1, self.idle // 10), '-R', self.ramp, room='idle',
            at={'connected': lambda: seen.append(
                Fan.measure(self, server, quick))})
        if result['failed'] or result['lost']:
            raise BenchError('%s: %s' % (server.name, result['error']))
        return seen[0]


def row(name, peer):
    return name if peer is Ours else name + ', bare server'
