"""What a delivery costs as there is more of everything."""

from . import generator
from .case import Case
from .fan import Fan
from .machine import BenchError
from .server import Ours

STEPS = 10, 100, 1000, 10000
QUICK = 10, 100


class Step(Fan):
    """So many deliveries a second, however they come about."""

    deliveries = 10000
    seconds = (3, 1, 5), (0.4, 0.1, 5)

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
    columns = tuple((str(n), '{:,}'.format(n), '%.2f') for n in STEPS)
    notes = ('From each step to the next there is ten times as much; the '
             'messages of large chats are fewer, each costs more deliveries.',)

    def run(self, rounds, quick, say):
        figures = {}
        for name, measure in (('members of one chat', self.by_members),
                              ('chats of one member', self.by_chats),
                              ('idle connections', self.by_connections)):
            figures[name] = []
            for number in range(rounds):
                say('%s, round %d of %d: %s'
                    % (self.name, number + 1, rounds, name))
                one = dict.fromkeys(map(str, STEPS))
                for step in QUICK if quick else STEPS:
                    with Ours() as server:
                        one[str(step)] = measure(server, step, quick)
                figures[name].append(one)
        return self.result(figures)

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
