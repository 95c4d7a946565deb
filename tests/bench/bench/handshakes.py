"""How many clients a second of CPU time lets in."""

import time

from . import generator
from .case import Case, Target
from .machine import BenchError
from .server import FloorEach, Nchan, Ours, OursAlone, Ws


class Handshakes(Case):
    """They come as fast as they are let in, some hundred at a time, and are
    in a chat of ten afterwards."""

    name = 'handshakes'
    title = 'clients who connect and join a chat of ten'
    peers = (Ours, OursAlone, FloorEach, Nchan, Ws)
    rows = (('clients let in each CPU-second', 'per_cpu', '{:,.0f}'),
            ('without joining a chat', 'per_cpu', '{:,.0f}', OursAlone.name))
    columns = (
        ('per_cpu', 'each CPU-second', '%.0f'),
        ('cpu_us', 'CPU us/client', '%.1f'),
        ('p50', 'p50 ms', '%.2f'),
        ('p99', 'p99 ms', '%.2f'),
    )
    targets = (Target('per_cpu', 1.0, Nchan.name, least=True),)
    notes = ('"%s" does not join: the handshake and the welcome.'
             % OursAlone.name,)
    clients = 5000
    times = 2

    def run_round(self, peer, quick):
        clients = 30 if quick else self.clients
        times = 1 if quick else self.times
        spent = 0
        with peer() as server:
            for _ in range(times):
                before, after = server.cpu(), []
                result = generator.run(
                    server, '-c', clients, '-r', clients // 10, '-R', 1e6,
                    at={'connected': lambda: after.append(at_rest(server))})
                if result['failed'] or result['lost']:
                    raise BenchError('%s: %s' % (peer.name, result['error']))
                spent += after[0] - before
        return {'per_cpu': clients * times / spent,
                'cpu_us': spent / clients / times * 1e6,
                'p50': result['join_ms']['p50'],
                'p99': result['join_ms']['p99']}


def at_rest(server):
    """The CPU time when what the last ones caused is done, too."""
    while True:
        before = server.cpu()
        time.sleep(0.05)
        now = server.cpu()
        if now - before < 0.0005:
            return now
