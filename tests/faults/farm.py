"""A farm in which things die, and people who chat on it all the time.

Three nodes, a front, one Redis. Each node reaches Redis by a proxy of its
own, where cables can be pulled.
"""

import asyncio
import collections
import itertools
import time

from harness.haproxy import HAProxy
from harness.history import History
from harness.nginx import Nginx, wait_for
from harness.redis import Proxy, Redis
from harness.seed import seeded
from harness.witness import Witness

CLIENTS = 36
CHATS = 12
NODES = 3
EACH = 2            # chats of a client
AGAIN = 0.05        # of the sends are repeated without need

# in memory: see Redis; what is acknowledged is written then
AOF = ('--appendonly', 'yes', '--appendfsync', 'everysec',
       '--repl-diskless-sync-delay', '0')

End = collections.namedtuple('End', 'time node code')
Outage = collections.namedtuple('Outage', 'node begin end sockets')


class Person(Witness):
    """Comes back after a pause by chance, through the front.

    Half of them keep the front's cookie. A resume that cannot be proven is
    noted, not held against anybody: the history judges what may be missing.
    """

    def __init__(self, farm, number):
        options = {'fmt': ('json', 'msgpack')[number % 2],
                   'deflate': number % 3 == 0}
        if number % 4 < 2:
            options['jar'] = {}
        super().__init__(farm.front, 'user-%d' % number, farm.history,
                         options)
        self.farm = farm
        self.random = seeded(farm.kind, self.user)
        self.here = False
        self.stale = False
        self.leaving = False
        self.unrecovered = 0

    @property
    def pause(self):
        return self.random.uniform(0, 0.4)

    async def connect(self, worker=None):
        self.stale = False
        await super().connect(worker)

    async def join(self):
        await super().join()
        self.here = True

    def not_recovered(self, chat, reply):
        head = reply['head']['epoch'], reply['head']['seq']
        self.unrecovered += 1
        self.history.view(self.user, chat).reset(head)
        self.last[chat] = max(self.last[chat], head)

    def take(self, event):
        if event['ev'] == 'status':
            self.stale = event['state'] == 'stale'
        super().take(event)

    async def come_back(self):
        self.here = False
        if not self.leaving:
            self.farm.ends.append(End(time.monotonic(),
                                      self.client.welcome['node'],
                                      self.client.ws.close_code))
        self.leaving = False
        await asyncio.sleep(self.pause)
        await super().come_back()

    def hang_up(self):
        """As a telephone in a tunnel does."""
        if self.here:
            self.leaving = True
            self.client.ws.transport.abort()

    def has(self, heads):
        """It is back, hears, and knows all up to these positions."""
        return self.here and not self.stale and all(
            self.last[chat] >= heads[chat] for chat in self.chats)


class Farm:
    """async with Farm(kind) as farm: everybody is there and chats."""

    person = Person
    gaps = True     # announced ones are no fault

    def __init__(self, kind, workers=1):
        self.kind = kind
        self.random = seeded(kind)
        self.history = History()
        self.talking = asyncio.Event()
        self.busy = 0
        self.duplicates = 0
        self.repeated = 0
        self.later = []
        self.waits = {}     # seconds that healed() waited, and for what
        self.ends = []
        self.outages = []
        self.tasks = []
        self.members = []
        self.proxies = []
        self.replicas = []
        self.nodes = []
        self.redis = self.front = None
        try:
            self.start_servers()
            for n in range(1, NODES + 1):
                self.proxies.append(Proxy(self.redis.port))
                self.nodes.append(self.node('node%d' % n, workers))
            self.front = HAProxy(self.nodes)
        except BaseException:
            self.close()
            raise

    def start_servers(self):
        """What the nodes talk to."""
        self.redis = Redis(*AOF, ram=True)

    def node(self, name, workers):
        return Nginx(
            workers=workers, http='ws_chat_node %s;' % name, store=False,
            zone=self.zone(),
            location='ws_chat_rate off; ws_chat_history 100000 24h;')

    def zone(self):
        return ('ws_chat_zone chat:1m; ws_chat_redis chat '
                'redis://127.0.0.1:%d;' % self.proxies[-1].port)

    async def __aenter__(self):
        await asyncio.to_thread(self.settle)
        names = itertools.cycle('chat-%d' % i for i in range(CHATS))
        for i in range(CLIENTS):
            member = self.person(self, i)
            member.chats = [next(names) for _ in range(EACH)]
            if i // CHATS % 2:
                # not the same two together each time
                member.chats[1] = 'chat-%d' % ((i * 5 + 3) % CHATS)
                member.chats = sorted(set(member.chats))
            self.members.append(member)
        for i in range(0, CLIENTS, 12):
            await asyncio.gather(*(self.enter(m)
                                   for m in self.members[i:i + 12]))
        self.talking.set()
        self.tasks = [asyncio.create_task(self.talk(m)) for m in self.members]
        self.tasks.append(asyncio.create_task(self.wander()))
        return self

    async def enter(self, member):
        await member.connect()
        await member.begin()

    async def __aexit__(self, *exc):
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def talk(self, member):
        """Send, each message until it is acknowledged."""
        rng = seeded(self.kind, 'talk', member.user)
        sent = collections.deque(maxlen=20)
        for n in itertools.count():
            await self.talking.wait()
            chat = rng.choice(member.chats)
            one = chat, 'c%d' % n, [member.user, chat, n]
            if sent and rng.random() < AGAIN:
                one = rng.choice(sent)
            again = one in sent
            sent.append(one)
            self.busy += 1
            ack = await member.say(*one)
            self.busy -= 1
            if ack.get('dup'):
                self.repeated += again
                self.duplicates += not again
            await asyncio.sleep(rng.uniform(0, 0.7))

    async def wander(self):
        """One or another connection breaks all the time."""
        rng = seeded(self.kind, 'wander')
        while True:
            await asyncio.sleep(rng.uniform(0.1, 1))
            await self.talking.wait()
            rng.choice(self.members).hang_up()

    def hush(self):
        """Nobody says anything new."""
        self.talking.clear()

    def complain(self):
        """Raise what went wrong with anybody."""
        for member in self.members:
            member.complain()
        for task in self.tasks:
            if task.done():
                task.result()

    async def healed(self, seconds):
        """Everybody has everything, without new traffic."""
        self.hush()
        begin = time.monotonic()
        end = begin + seconds
        while self.busy:
            await self.look(end, lambda: '%d sends' % self.busy)
        sent = time.monotonic()
        heads = await self.heads()
        while not all(m.has(heads) for m in self.members):
            await self.look(end, lambda: [
                (m.user, m.here, m.stale, m.client.welcome,
                 {chat: (m.last[chat], heads[chat]) for chat in m.chats})
                for m in self.members if not m.has(heads)][:5])
        self.waits = {'sends': sent - begin,
                      'members': time.monotonic() - sent}

    async def look(self, end, what):
        self.complain()
        if time.monotonic() > end:
            raise AssertionError('not live again: %s' % (what(),))
        await asyncio.sleep(0.02)

    async def heads(self):
        heads = {}
        for n in range(CHATS):
            chat = 'chat-%d' % n
            found = self.redis.ask('XREVRANGE', 'wsc:{0}:s:' + chat, '+', '-',
                                   'COUNT', '1')
            epoch, seq = found[0][0].split(b'-') if found else (0, -1)
            heads[chat] = int(epoch), int(seq) + 1
        return heads

    def dump(self):
        for n in range(CHATS):
            chat = 'chat-%d' % n
            self.history.dump(chat, self.redis.stream(chat))

    def settle(self):
        """All nodes are ready again, and the front knows."""
        while self.later:
            self.later.pop()()
        for ng in self.nodes:
            wait_for(lambda: ng.request('/health').status == 200, 20,
                     'the node is ready')
        for n in range(1, NODES + 1):
            self.front.wait_state('node%d' % n, 'UP')

    def goes(self, index, sockets, seconds=1):
        """A node, or some of its sockets, dies now: an Outage to end."""
        now = time.monotonic()
        self.outages.append(Outage('node%d' % (index + 1), now, now + seconds,
                                   sockets))

    def unexplained(self):
        """Ends of connections to nodes that lived."""
        found = []
        left = {outage: outage.sockets for outage in self.outages}
        for end in self.ends:
            for outage in self.outages:
                if (outage.node == end.node and left[outage]
                        and outage.begin <= end.time <= outage.end):
                    left[outage] -= 1
                    break
            else:
                found.append(end)
        return found

    def lost(self):
        """Acknowledged, but not in the last dump."""
        return [(key, place) for _, key, place in self.history.acks
                if place and place not in self.history.dumps[key[0]][-1]]

    def check(self, faults):
        """All is as it has to be after so many faults."""
        self.dump()
        self.history.verify(self.gaps)
        gaps = [gap for m in self.members for gap in m.gaps]
        assert len(gaps) <= 0.05 * faults * len(self.members), gaps
        assert not self.unexplained(), self.unexplained()

    def report(self):
        return '\n'.join(one.report() for one in [*self.nodes, self.front]
                         if one)

    def stop(self):
        """End it; each part checks itself."""
        problems = []
        for one in [self.front, *self.nodes]:
            try:
                one.stop()
            except Exception as e:
                problems.append(e)
        self.close()
        if problems:
            raise problems[0]

    def close(self):
        for one in [self.front, *self.nodes]:
            if one and one.process:
                one.kill()
        for one in [self.redis, *self.proxies, *self.replicas]:
            if one:
                one.close()
