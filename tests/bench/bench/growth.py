"""What a delivery costs as there is more of everything."""

from . import generator
from .case import Case, Target
from .fan import Fan
from .machine import BenchError
from .server import Ours

STEPS = 10, 100, 1000, 10000
QUICK = 10, 100


class Step(Fan):
    """So many deliveries a second, however they come about."""

    deliveries = 10000
    seconds = (2, 0.5, 5), (0.4, 0.1, 30)

    def __init__(self, members, rooms, publishers, quick):
        self.members = members
        self.rooms = rooms
        self.publishers = publishers
        self.rate = ((200 if quick else self.deliveries)
                     / (members // rooms))
        self.quick = {}
        super().__init__()


class Growth(Case):
    """Members of one chat, chats of one member, and connections that are
    idle beside ten members who talk."""

    name = 'growth'
    title = 'CPU us for each delivery, %s deliveries a second' % (
        '{:,}'.format(Step.deliveries))
    peers = (Ours,)
    limit = 1.3
    columns = tuple((str(n), '{:,}'.format(n), '%.2f') for n in STEPS)
    notes = ('From each step to the next there is ten times as much; the '
             'messages of large chats are fewer, each costs more deliveries. '
             'What is judged is the steepest step.',)

    def run(self, rounds, quick, say):
        """One round: it is the course of the figures that tells."""
        figures = {}
        for name, measure in (('members of one chat', self.by_members),
                              ('chats of one member', self.by_chats),
                              ('idle connections', self.by_connections)):
            say('%s: %s' % (self.name, name))
            one = dict.fromkeys(map(str, STEPS))
            for step in QUICK if quick else STEPS:
                with Ours() as server:
                    one[str(step)] = measure(server, step, quick)
            figures[name] = [one]
        result = self.result(figures)
        result['targets'] = [self.steepest(name, one)
                             for name, one in result['medians'].items()]
        return result

    def steepest(self, name, figures):
        """How much a delivery costs more after ten times as much."""
        costs = [one for one in figures.values() if one is not None]
        value = max(after / before
                    for before, after in zip(costs, costs[1:]))
        return {**Target(name, self.limit)._asdict(), 'value': value,
                'met': value <= self.limit}

    def by_members(self, server, count, quick):
        return Step(count, 1, min(count, 10), quick).measure(
            server, quick)['cpu_us']

    def by_chats(self, server, count, quick):
        return Step(count, count, 1, quick).measure(server, quick)['cpu_us']

    def by_connections(self, server, count, quick):
        seen = []

        def measure():
            seen.append(Step(10, 1, 10, quick).measure(
                server, quick)['cpu_us'])

        result = generator.run(server, '--marker', 'idle@', '-c', count, '-r',
                               max(1, count // 10), '-R', 5000, room='idle',
                               at={'connected': measure})
        if result['failed'] or result['lost']:
            raise BenchError('%s: %s' % (server.name, result['error']))
        return seen[0]
