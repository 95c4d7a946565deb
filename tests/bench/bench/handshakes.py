"""How many clients a second of CPU time lets in."""

import os
import signal
import time

from . import generator, machine
from .case import Case, Target
from .machine import BenchError
from .server import FloorEach, Nchan, Ours, OursAlone, Ws

TOLD = 1.5


class Handshakes(Case):
    """They all are at the door when the server, which was held up for a
    moment, opens, and are in a chat of ten afterwards.

    Else the server waits for the generator, which makes connections more
    slowly: it spends up to a fifth of its time on falling asleep and waking
    up, the more the faster it is. And while the server works the generator is
    held up: to wake it for each answer was a third of all.
    """

    name = 'handshakes'
    title = 'clients who connect and join a chat of ten'
    peers = (Ours, Nchan, OursAlone, FloorEach, Ws)
    rows = (('clients let in each CPU-second', 'per_cpu', '{:,.0f}'),
            ('without joining a chat', 'per_cpu', '{:,.0f}', OursAlone.name),
            ('then, to tell its chat who came: CPU us a client', 'told_us',
             '{:.1f}'))
    columns = (
        ('per_cpu', 'each CPU-second', '%.0f'),
        ('cpu_us', 'CPU us/client', '%.1f'),
        ('told_us', 'and afterwards', '%.1f'),
    )
    plain = Case.plain + ('told_us',)
    targets = (Target('per_cpu', 1.0, Nchan.name, least=True),)
    notes = ('"%s" does not join: the handshake and the welcome. Afterwards: '
             'what the next %.1f s take for each client, in which ours tells '
             'members who has come.' % (OursAlone.name, TOLD),)
    rounds = 9
    clients = 3000

    def run_round(self, peer, quick):
        clients = 30 if quick else self.clients
        told = 0 if quick else TOLD
        with peer() as server:
            self.come(server, 10 if quick else 100)
            time.sleep(told)
            door = Door(server, clients, told)
            self.come(server, clients, door.run)
        if door.error:
            raise door.error
        return {'per_cpu': clients / door.spent,
                'cpu_us': door.spent / clients * 1e6,
                'told_us': door.told / clients * 1e6}

    def come(self, server, clients, beside=None):
        """As many processes as it takes to have them all under way."""
        result = generator.run(
            server, '-c', clients, '-r', clients // 10, '-R', 1e6, '-P',
            clients // generator.UNDER_WAY + 1, beside=beside)
        if result['failed'] or result['lost']:
            raise BenchError('%s: %s' % (server.name, result['error']))


class Door:
    """Holds the server until so many have come, then the generator until
    they are in.

    spent   CPU seconds to let them in
    told    and afterwards, in so many seconds
    """

    def __init__(self, server, clients, seconds):
        self.server = server
        self.clients = clients
        self.seconds = seconds
        self.spent = self.told = self.error = None
        self.signal([server.worker], signal.SIGSTOP)

    def run(self, process):
        held = []
        try:
            self.wait(process)
            held = machine.children(process.pid)
            self.signal(held, signal.SIGSTOP)
            before = self.server.cpu()
            self.signal([self.server.worker], signal.SIGCONT)
            after = self.rest(before)
            time.sleep(self.seconds)
            self.spent = after - before
            self.told = self.server.cpu() - after
        except BenchError as e:
            self.error = e
        finally:
            self.signal([self.server.worker, *held], signal.SIGCONT)

    def wait(self, process):
        seen, patience = 0, 500
        while seen < self.clients and process.poll() is None:
            time.sleep(0.01)
            now = machine.backlog(self.server.port)
            patience -= (now == seen)
            seen = now
            if not patience:
                raise BenchError('%d of %d clients have room at the door: '
                                 'see net.core.somaxconn'
                                 % (seen, self.clients))
        # the last ones have connected: their requests, too
        time.sleep(0.05)

    def rest(self, begin):
        """The CPU time when what the last ones caused is done, too."""
        while True:
            before = self.server.cpu()
            time.sleep(0.05)
            now = self.server.cpu()
            if (begin < before and now - before < 0.0005
                    and not machine.backlog(self.server.port)):
                return now

    def signal(self, pids, number):
        for pid in pids:
            os.kill(pid, number)
