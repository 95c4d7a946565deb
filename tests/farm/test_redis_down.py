"""Redis goes away for a while: the fronts keep every socket."""

import asyncio
import os

import pytest

from farm import Farm, FarmCrowd, until

CLIENTS = 300
CHATS = 50

# seconds without Redis
OUTAGE = float(os.environ.get('FARM_OUTAGE', 5))


@pytest.fixture
def farm(redis, nginx):
    return Farm(nginx, redis)


async def test_no_socket_is_closed(farm, haproxy):
    front = haproxy(farm.nodes.values())
    crowd = await FarmCrowd.gather(front, CLIENTS, CHATS)
    await crowd.talk('before', 1)
    await crowd.complete(6)
    clients = [m.client for m in crowd.members]

    farm.redis.kill()
    await until(lambda: set(farm.health().values()) == {404}, 15,
                'health is 404 everywhere')
    await until(lambda: {row['status'] for row in front.stat().values()}
                == {'NOLB'}, 10, 'the front sends nothing new')
    await asyncio.sleep(OUTAGE)
    assert sum(front.sockets().values()) == CLIENTS
    assert set(farm.health().values()) == {404}

    farm.redis.start()
    await until(lambda: set(farm.health().values()) == {200}, 30,
                'health is 200 everywhere')
    await crowd.talk('after', 1)
    await crowd.complete(12)
    assert sum(front.sockets().values()) == CLIENTS
    assert [m.client for m in crowd.members] == clients
    assert not any(m.returns for m in crowd.members)
    crowd.judge(12)
