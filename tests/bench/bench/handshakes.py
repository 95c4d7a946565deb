"""How many clients a second of CPU time lets in."""

import contextlib
import os
import signal
import threading
import time

from . import generator, machine
from .case import Case, Target
from .machine import BenchError
from .server import FloorEach, Nchan, Ours, OursAlone, Ws

TOLD = 1.5


class Handshakes(Case):
    """They all are at the door when the server, which was held up for a
    moment, opens, and are in a chat of ten afterwards.

    A server that waits for the generator instead spends up to a fifth of its
    time on falling asleep and waking up, the more the faster it is.
    """

    name = 'handshakes'
    title = 'clients who connect and join a chat of ten'
    peers = (Ours, OursAlone, FloorEach, Nchan, Ws)
    rows = (('clients let in each CPU-second', 'per_cpu', '{:,.0f}'),
            ('without joining a chat', 'per_cpu', '{:,.0f}', OursAlone.name))
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
        with peer() as server:
            self.come(server, 10 if quick else 100)
            time.sleep(0 if quick else TOLD)
            before, after = server.cpu(), []

            def connected():
                after.append(at_rest(server))
                time.sleep(0 if quick else TOLD)
                after.append(server.cpu())

            with held(server, clients):
                self.come(server, clients, {'connected': connected})
        spent, told = after[0] - before, after[1] - after[0]
        return {'per_cpu': clients / spent,
                'cpu_us': spent / clients * 1e6,
                'told_us': told / clients * 1e6}

    def come(self, server, clients, at=None):
        """As many processes as it takes to have them all under way."""
        result = generator.run(
            server, '-c', clients, '-r', clients // 10, '-R', 1e6, '-P',
            clients // generator.UNDER_WAY + 1, at=at)
        if result['failed'] or result['lost']:
            raise BenchError('%s: %s' % (server.name, result['error']))


@contextlib.contextmanager
def held(server, clients):
    """The server does nothing until they have come."""
    over = threading.Event()
    opener = threading.Thread(target=open_to, args=(server, clients, over))
    os.kill(server.worker, signal.SIGSTOP)
    opener.start()
    try:
        yield
    finally:
        over.set()
        opener.join()


def open_to(server, clients, over):
    """When all are at the door, or as many as have room there."""
    seen, still = 0, 0
    try:
        while seen < clients and still < 30 and not over.wait(0.01):
            now = machine.backlog(server.port)
            still = still + 1 if now == seen and now else 0
            seen = now
        # the last ones have connected: their requests, too
        time.sleep(0.05)
    finally:
        os.kill(server.worker, signal.SIGCONT)


def at_rest(server):
    """The CPU time when what the last ones caused is done, too."""
    while True:
        before = server.cpu()
        time.sleep(0.05)
        now = server.cpu()
        if now - before < 0.0005:
            return now
