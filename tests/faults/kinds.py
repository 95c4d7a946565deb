"""The faults. Each returns the moment from which all is to be live again."""

import asyncio
import collections
import os
import time

from harness.redis import Proxy, Redis
from farm import AOF

# faults of each kind
COUNT = int(os.environ.get('COUNT') or 20)
# the only ones to be run, if there are any
WANTED = os.environ.get('FAULT', '').split()

UNREPLICATED = 100

# bound: seconds until all is live again; workers of a node; hush: it may
# come while nobody talks
Kind = collections.namedtuple('Kind', 'fault bound workers hush',
                              defaults=[1, True])


def moment(rng, least, most):
    """Seconds by chance; few of them in a short run."""
    return rng.uniform(least, most if COUNT > 1 else min(most, least + 1))


async def redis_kill(farm, rng):
    """SIGKILL, and it returns with what its log has."""
    farm.redis.kill()
    await asyncio.sleep(rng.uniform(0, rng.choice([0, 1, 2, 10])))
    await asyncio.to_thread(farm.redis.start)
    return time.monotonic()


async def redis_stop(farm, rng):
    """SIGSTOP for 5 s."""
    farm.redis.pause()
    await asyncio.sleep(5)
    farm.redis.resume()
    return time.monotonic()


async def pubsub_kill(farm, rng):
    """The subscribers are dropped, dropped again, and then it is silent."""
    farm.redis.ask('CLIENT', 'KILL', 'TYPE', 'pubsub')
    await asyncio.sleep(rng.uniform(0.02, 0.6))
    farm.redis.ask('CLIENT', 'KILL', 'TYPE', 'pubsub')
    start = time.monotonic()
    # what is sent now is heard by nobody
    await asyncio.sleep(rng.uniform(0, 0.2))
    return start


async def flushall(farm, rng):
    """Everything is gone, and every connection stays."""
    farm.dump()
    farm.redis.ask('FLUSHALL')
    farm.history.loss()
    start = time.monotonic()
    await asyncio.sleep(rng.uniform(0, 0.5))
    return start


async def node_kill(farm, rng):
    """SIGKILL to master and workers; started again at once or later."""
    index = rng.randrange(len(farm.nodes))
    farm.front.expect_down('node%d' % (index + 1))
    farm.goes(index, len(farm.members), 3)
    start = time.monotonic()
    await asyncio.to_thread(farm.nodes[index].crash)
    if rng.random() < 0.5:
        farm.later.append(farm.nodes[index].start)
    else:
        await asyncio.sleep(rng.uniform(0, 2))
        await asyncio.to_thread(farm.nodes[index].start)
    return start


async def worker_kill(farm, rng):
    """SIGKILL to one worker."""
    index = rng.randrange(len(farm.nodes))
    ng = farm.nodes[index]
    pid = rng.choice(ng.worker_pids())
    farm.goes(index, ng.sockets(pid))
    start = time.monotonic()
    await asyncio.to_thread(ng.kill_worker, pid)
    return start


async def redis_cut(farm, rng):
    """One node, or each, has no way to Redis: it hears so, or nothing."""
    cut = farm.proxies if rng.random() < 0.5 else [rng.choice(farm.proxies)]
    deaf = rng.random() < 0.5
    for proxy in cut:
        proxy.deaf = deaf
        proxy.closed = not deaf
        if not deaf:
            proxy.cut()
    await asyncio.sleep(rng.uniform(0, 6))
    for proxy in cut:
        # what was swallowed meanwhile will not come
        proxy.cut()
        proxy.deaf = proxy.closed = False
    return time.monotonic()


async def promotion(farm, rng):
    """A replica that lacks the end takes the place of the master."""
    old = farm.redis
    link = Proxy(old.port)
    new = Redis(*AOF, '--replicaof', '127.0.0.1 %d' % link.port, ram=True)
    farm.replicas += [link, new]
    while b'master_link_status:up' not in new.ask('INFO', 'replication'):
        await asyncio.sleep(0.02)
    acks = len(farm.history.acks)
    link.closed = True
    link.cut()
    while len(farm.history.acks) < acks + UNREPLICATED:
        farm.complain()
        await asyncio.sleep(0.02)
    farm.dump()
    new.ask('REPLICAOF', 'NO', 'ONE')
    new.args = list(AOF)
    for proxy in farm.proxies:
        proxy.target = new.port
        proxy.cut()
    old.kill()
    farm.history.loss()
    farm.redis = new
    farm.replicas.append(old)
    return time.monotonic()


LIVE = {
    'redis-kill': Kind(redis_kill, 10),
    'redis-stop': Kind(redis_stop, 5),
    'pubsub-kill': Kind(pubsub_kill, 5),
    'flushall': Kind(flushall, 10),
    'node-kill': Kind(node_kill, 30),
    'worker-kill': Kind(worker_kill, 5, 2),
    'redis-cut': Kind(redis_cut, 5),
    'promotion': Kind(promotion, 5, hush=False),
}
