"""What befalls durable chats. Each returns when all is to be live again."""

import asyncio
import os
import signal
import time

from harness.nginx import wait_for
from durable import PARTITIONS
from kinds import (COUNT, Kind, moment, node_kill, redis_cut, redis_kill,
                   redis_stop)

# seconds without PostgreSQL
OUTAGE = 60 if COUNT > 1 else 3


async def pause(one, seconds):
    """SIGSTOP, and SIGCONT; the moment of that."""
    one.send_signal(signal.SIGSTOP)
    await asyncio.sleep(seconds)
    one.send_signal(signal.SIGCONT)
    return time.monotonic()


async def away(one, seconds, *number):
    """Stopped, by this signal; the moment when it has started again."""
    await asyncio.to_thread(one.stop, *number)
    await asyncio.sleep(seconds)
    await asyncio.to_thread(one.start)
    return time.monotonic()


async def no_fault(farm, rng):
    """Nothing happens."""
    await asyncio.sleep(moment(rng, 1, 3))
    return time.monotonic()


async def node_stop(farm, rng):
    """SIGSTOP to master and workers: the front gives it up."""
    index = rng.randrange(len(farm.nodes))
    seconds = moment(rng, 1, 8)
    farm.front.expect_down('node%d' % (index + 1))
    farm.goes(index, len(farm.members), seconds + 5)
    ng = farm.nodes[index]
    pids = [ng.process.pid, *(pid for pid, _ in ng.children())]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    await asyncio.sleep(seconds)
    for pid in pids:
        os.kill(pid, signal.SIGCONT)
    return time.monotonic()


async def flushall(farm, rng):
    """Redis is empty, and every connection stays."""
    farm.redis.ask('FLUSHALL')
    start = time.monotonic()
    await asyncio.sleep(moment(rng, 0, 1))
    return start


def daemon_kill(kind):
    async def fault(farm, rng):
        """SIGKILL; another takes over, and it is started again."""
        name = kind + rng.choice('12')
        farm.kill(name)
        start = time.monotonic()
        await asyncio.sleep(moment(rng, 0, 3))
        await asyncio.to_thread(farm.run, name)
        return start

    return fault


def daemon_stop(kind):
    async def fault(farm, rng):
        """SIGSTOP, for longer than the group waits for it, or not."""
        one = farm.daemons[kind + rng.choice('12')]
        return await pause(one, moment(rng, 1, 9))

    return fault


async def two_relays(farm, rng):
    """Another one has all partitions, too; all stand still at random."""
    one = await asyncio.to_thread(farm.run, 'relay', kafka_group='other')
    await asyncio.to_thread(
        wait_for, lambda: one.metrics()['partitions'] == PARTITIONS, 30)
    for _ in range(rng.randrange(2, 6)):
        victim = farm.daemons[rng.choice(['relay', 'relay1', 'relay2'])]
        await pause(victim, moment(rng, 0.1, 1.5))
    farm.kill('relay')
    return time.monotonic()


async def broker_kill(farm, rng):
    """SIGKILL, and it returns."""
    return await away(farm.kafka, moment(rng, 0, 3), signal.SIGKILL)


async def broker_stop(farm, rng):
    """SIGSTOP, for so long that sends become unknown, or not."""
    return await pause(farm.kafka, moment(rng, 1, 12))


async def postgres_kill(farm, rng):
    """SIGKILL, and it returns."""
    farm.postgres.send_signal(signal.SIGKILL)
    await asyncio.to_thread(farm.postgres.process.wait)
    await asyncio.sleep(moment(rng, 0, 2))
    await asyncio.to_thread(farm.postgres.start)
    return time.monotonic()


async def postgres_stop(farm, rng):
    """SIGSTOP."""
    return await pause(farm.postgres, moment(rng, 1, 6))


async def postgres_down(farm, rng):
    """It is stopped, and away for long."""
    return await away(farm.postgres, OUTAGE)


async def producer_fatal(farm, rng):
    """The broker bounces, until a node's producer cannot go on."""
    before = farm.producers()
    await asyncio.to_thread(farm.kafka.down)
    await asyncio.sleep(moment(rng, 0, 2))
    await asyncio.to_thread(farm.kafka.up)
    await asyncio.to_thread(farm.kafka.fatal)
    await asyncio.to_thread(wait_for, lambda: farm.producers() > before, 30)
    return time.monotonic()


# what members could feel, and what only the archive does: a short run has
# one of each at a time

NEAR = {
    'd-node-kill': Kind(node_kill, 30),
    'd-node-stop': Kind(node_stop, 30),
    'd-redis-kill': Kind(redis_kill, 10),
    'd-redis-stop': Kind(redis_stop, 10),
    'd-redis-cut': Kind(redis_cut, 10),
    'd-flushall': Kind(flushall, 20),
    'relay-kill': Kind(daemon_kill('relay'), 15),
    'relay-stop': Kind(daemon_stop('relay'), 15),
    'two-relays': Kind(two_relays, 15),
    'broker-kill': Kind(broker_kill, 30),
    'broker-stop': Kind(broker_stop, 30),
    'no-fault': Kind(no_fault, 10),
}

FAR = {
    'archiver-kill': Kind(daemon_kill('archiver'), 20),
    'archiver-stop': Kind(daemon_stop('archiver'), 20),
    'postgres-kill': Kind(postgres_kill, 20),
    'postgres-stop': Kind(postgres_stop, 20),
    'postgres-down': Kind(postgres_down, 30),
}

MOCK = {'producer-fatal': Kind(producer_fatal, 30, hush=False)}

DURABLE = {**NEAR, **FAR, **MOCK}
