"""Memory of members who do nothing."""

import time

from . import generator, machine
from .case import Case, Target
from .machine import BenchError
from .server import Nchan, NchanTls, Ours, OursTls, Ws

# NGINX's own slot of a connection: itself and its two events
SLOT = 240 + 2 * 96


class Idle(Case):
    name = 'idle'
    rows = (('idle member in a chat of ten: octets', 'member', '{:,.0f}'),
            ('with NGINX\'s slot', 'with_slot', '{:,.0f}'))
    title = 'idle members in chats of ten, octets of memory for each'
    peers = (Ours, Nchan, Ws)
    connections = {Ours.name: 18000}
    others = 5000
    of_room = 10
    warm = 100
    ramp = 5000
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
    targets = (Target('member', 400),)
    notes = ('octets/member: of the heap and of shared memory.  The slot is '
             'what NGINX sets aside for a connection when it starts: %d '
             'octets.' % SLOT,)

    def run(self, rounds, quick, say):
        """Memory does not waver: one round."""
        return super().run(1, quick, say)

    def count(self, peer, quick):
        count = min(self.connections.get(peer.name, self.others),
                    machine.descriptors() - 500)
        return 200 if quick else count - count % 10

    def run_round(self, peer, quick):
        count = self.count(peer, quick)
        patience = 0.2 if quick else 2
        with peer(**({'extra': 'ws_chat_ping_interval 0;'}
                     if issubclass(peer, Ours) else {})) as server:
            self.warm_up(server, quick)
            base = settled(server, patience)
            files = server.files()
            seen = {'connections': count}
            self.members(server, count, *self.options, at={
                'half': lambda: self.note(server, base, seen, 'half',
                                          patience),
                'connected': lambda: self.note(server, base, seen, 'member',
                                               patience),
                'closed': lambda: self.closed(server, base, seen, files,
                                              patience)})
        return seen

    def warm_up(self, server, quick):
        """Code, buffers and zones that the first ones touch: a zone's ring of
        news is as large for the first member as for all, once it is full."""
        self.members(server, self.warm)
        while isinstance(server, Ours) and not quick:
            before = server.memory()['shmem']
            self.members(server, 10 * self.warm, of_room=10 * self.warm)
            if server.memory()['shmem'] <= before:
                return

    def members(self, server, count, *options, at=None, of_room=None):
        files = server.files()
        result = generator.run(
            server, '-c', count, '-r',
            max(1, count // (of_room or self.of_room)), '-R', self.ramp,
            *options, at=at)
        if result['failed'] or result['lost']:
            raise BenchError('%s: %d failed, %d lost, %s' % (
                server.name, result['failed'], result['lost'],
                result['error']))
        self.wait_closed(server, files)

    def wait_closed(self, server, files):
        machine.wait_for(lambda: server.files() <= files,
                         '%s keeps connections open' % server.name)

    def note(self, server, base, seen, key, patience):
        now = settled(server, patience)
        count = seen['connections']
        heap = (now['anon'] - base['anon']) / count
        shared = (now['shmem'] - base['shmem']) / count
        seen[key] = heap + shared
        if key == 'member':
            seen['heap'] = heap
            seen['shared'] = shared
            seen['with_slot'] = (seen['member'] + SLOT if server.slots
                                 else None)
        seen.setdefault('half', None)

    def closed(self, server, base, seen, files, patience):
        self.wait_closed(server, files)
        self.note(server, base, seen, 'closed', patience)


class Storm(Idle):
    """They all come at once, and are slow to say what they want."""

    name = 'storm'
    rows = (('after a storm of reconnects', 'member', '{:,.0f}'),)
    title = 'the same after a storm: all had sent half of their handshake'
    peers = (Ours, Nchan)
    options = ('--half', 1)


class Tls(Idle):
    name = 'idle-tls'
    rows = (('over TLS', 'member', '{:,.0f}'),)
    title = 'the same over TLS'
    peers = (OursTls, NchanTls)
    others = 5000
    targets = (Target('member', 15 * 1024),)
    connections = {}
    ramp = 2000


class Rooms(Idle):
    """A chat of one's own, less what being in one with others costs."""

    name = 'rooms'
    rows = (('a chat: octets', 'room', '{:,.0f}'),)
    title = 'members with a chat each, octets of memory for each'
    peers = (Ours, Nchan)
    connections = {}
    of_room = 1
    targets = ()
    columns = (
        ('connections', 'members', '%d'),
        ('member', 'octets/member', '%.0f'),
        ('heap', 'of it heap', '%.0f'),
        ('shared', 'zone', '%.0f'),
        ('closed', 'after close', '%.0f'),
        ('together', 'all in one', '%.0f'),
        ('room', 'octets/chat', '%.0f'),
    )
    notes = ('octets/chat: what a member with a chat of its own takes more '
             'than one in a chat with all others.',)

    def run_round(self, peer, quick):
        seen = super().run_round(peer, quick)
        together = Together().run_round(peer, quick)['member']
        return {**seen, 'together': together,
                'room': seen['member'] - together}


class Together(Idle):
    name = 'together'
    peers = Rooms.peers
    connections = {}
    of_room = 1 << 30


def settled(server, quiet, limit=20):
    """The memory when it has not become less for some seconds."""
    lowest, since = server.memory(), time.monotonic()
    end = since + limit
    while time.monotonic() < min(since + quiet, end):
        time.sleep(0.1)
        now = server.memory()
        if now['pss'] < lowest['pss'] * 0.99:
            lowest, since = now, time.monotonic()
    return server.memory()
