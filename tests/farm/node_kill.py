"""Kill one of two nodes that are full of members, and watch them come back."""

import asyncio
import json
import pathlib
import statistics
import sys
import time

from farm import kill_node, until
from harness.member import Member

SWARM = pathlib.Path(__file__).with_name('swarm.py')
SENDERS = 20
EACH = 10


class Hive:
    """A process with members; its orders are those of swarm.py."""

    @classmethod
    async def start(cls, *args):
        self = cls()
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, SWARM, *map(str, args), limit=1 << 26,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
        return self

    async def order(self, do, **fields):
        self.process.stdin.write(
            json.dumps({'do': do, **fields}).encode() + b'\n')
        line = await self.process.stdout.readline()
        assert line, 'a swarm ended'
        return json.loads(line)

    async def end(self):
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()


class Speaker:
    """Sends to some chats in turn; numbers are without a hole."""

    def __init__(self, member, pause):
        self.member = member
        self.last = dict.fromkeys(member.chats, 0)
        self.running = True
        self.task = asyncio.create_task(self.run(pause))

    async def run(self, pause):
        while self.running:
            for chat in self.last:
                if not self.running:
                    break
                n = self.last[chat] + 1
                await self.member.send(chat, 'n%d' % n, {'n': n}, timeout=60)
                self.last[chat] = n
                await asyncio.sleep(pause)

    async def stop(self):
        self.running = False
        await self.task


class RedisLoad:
    """Commands of Redis over time."""

    def __init__(self, redis):
        self.redis = redis
        self.samples = []
        self.task = asyncio.create_task(self.run())

    async def run(self):
        while True:
            info = await asyncio.to_thread(self.redis.cli, 'info')
            fields = dict(line.split(':', 1) for line in info.splitlines()
                          if ':' in line)
            self.samples.append((
                time.monotonic(), int(fields['total_commands_processed']),
                float(fields['used_cpu_user'])
                + float(fields['used_cpu_sys'])))
            await asyncio.sleep(0.5)

    def rate(self, begin, end):
        """(commands a second, the most in half a second, share of CPU)."""
        some = [s for s in self.samples if begin <= s[0] <= end]
        if len(some) < 2:
            return None, None, None
        (t0, c0, u0), (t1, c1, u1) = some[0], some[-1]
        most = max((b[1] - a[1]) / (b[0] - a[0])
                   for a, b in zip(some, some[1:]))
        return (c1 - c0) / (t1 - t0), most, (u1 - u0) / (t1 - t0)


def together(answers, key):
    return [one for answer in answers for one in answer[key]]


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(share * len(values)))]


async def node_kill(farm, front, each, rate=100, processes=2, before=3,
                    say=lambda text: None):
    """`each` members on each node; the figures of what happened."""
    total = 2 * each
    chats = total // EACH
    edges = [total * n // processes for n in range(processes + 1)]
    hives = [await Hive.start(front.port, a, b, chats)
             for a, b in zip(edges, edges[1:])]
    try:
        return await _node_kill(farm, front, hives, total, chats, rate,
                                before, say)
    finally:
        for hive in hives:
            await hive.end()


async def _node_kill(farm, front, hives, total, chats, rate, before, say):
    async def order(do, **fields):
        return await asyncio.gather(*(h.order(do, **fields) for h in hives))

    begin = time.monotonic()
    joined = sum(a['joined'] for a in await order('connect'))
    say('%d members joined within %.1f s' % (joined,
                                             time.monotonic() - begin))
    assert joined == total, joined
    names = ['chat-%d' % n for n in range(chats)]
    senders = min(SENDERS, chats)
    members = await asyncio.gather(*(
        Member.start(front, 'speaker-%d' % n, names[n::senders], jar={})
        for n in range(senders)))
    speakers = [Speaker(m, senders / rate) for m in members]
    load = RedisLoad(farm.redis)
    await asyncio.sleep(before)

    victim = farm.nodes['node1']
    there = farm.connections()
    front.expect_down('node1')
    killed = time.monotonic()
    await order('mark', at=killed)
    await asyncio.to_thread(kill_node, victim)
    say('node1 is killed, with %(node1)d of its members' % there)

    seconds = await come_back(order, total, there['node1'])
    back = time.monotonic()
    say('everybody is back after %.1f s' % seconds)
    for speaker in speakers:
        await speaker.stop()
    last = {chat: n for s in speakers for chat, n in s.last.items()}
    quiet = load.rate(killed - before, killed)
    storm = load.rate(killed, max(back, killed + 2))
    load.task.cancel()

    # it comes up again, and nobody moves
    victim.start()
    await until(lambda: front.server_state('node1') == 'UP', 30)
    answers = await order('finish', last=last)
    wrong = together(answers, 'problems') + together(answers, 'late')
    assert not wrong, wrong
    assert sum(a['joined'] for a in answers) == total
    times = together(answers, 'resumed')
    shakes = together(answers, 'handshakes')
    refused = {}
    for answer in answers:
        for status, count in answer['refused'].items():
            refused[status] = refused.get(status, 0) + count
    return {
        'members': total, 'chats': chats, 'lost': there['node1'],
        'resumed': len(times), 'messages': sum(last.values()),
        'seconds': seconds, 'resume_p50': statistics.median(times),
        'resume_p99': percentile(times, 0.99), 'resume_max': max(times),
        'handshake_p50': statistics.median(shakes),
        'handshake_p99': percentile(shakes, 0.99),
        'handshake_max': max(shakes), 'refused': refused,
        'redis_before': quiet, 'redis_storm': storm,
    }


async def come_back(order, total, there):
    """Wait until all are joined again; seconds since the kill."""
    begin = time.monotonic()
    while True:
        states = await order('state')
        lost = sum(s['lost'] for s in states)
        joined = sum(s['joined'] for s in states)
        problems = together(states, 'problems')
        assert not problems, problems
        # the speakers on the node are not among the lost
        if lost and lost >= there - SENDERS and joined == total:
            return time.monotonic() - begin
        assert time.monotonic() - begin < 60, states
        await asyncio.sleep(0.1)
