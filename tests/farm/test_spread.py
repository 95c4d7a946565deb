"""Many members on all nodes, through each front: one chat for everybody."""

import asyncio
import collections

import pytest

from farm import Farm, FarmCrowd, node_of
from harness.client import Client

CLIENTS = 300
CHATS = 50
ROUNDS = 3


@pytest.fixture
def farm(redis, nginx):
    return Farm(nginx, redis)


async def test_everybody_sees_everything(farm, front):
    """Once, in one order, also those who were away for a moment."""
    front = front(farm.nodes.values())
    crowd = await FarmCrowd.gather(front, CLIENTS, CHATS)
    nodes = set(farm.nodes)
    assert all(where == nodes for where in crowd.spread().values())
    spread = collections.Counter(crowd.workers())
    assert max(spread.values()) - min(spread.values()) <= 3, spread

    before = {m: node_of(m) for m in crowd.members}
    third = crowd.members[::3]
    await asyncio.gather(crowd.talk('one', ROUNDS), crowd.cut(third))
    # the cookie led everybody back
    assert {m: node_of(m) for m in crowd.members} == before

    count = 6 * ROUNDS
    await crowd.complete(count)
    crowd.judge(count)


async def cookie(front):
    """The name and value that a new client gets."""
    jar = {}
    await (await Client.connect(front, user='ann', jar=jar)).close()
    (name, value), = jar.items()
    return name, value


async def test_tampered_cookie(farm, front):
    """Whatever a cookie says: a member is served, and gets a good one."""
    front = front(farm.nodes.values())
    name, good = await cookie(front)
    for value in ('x', '0' * 16, 'f' * 4000, '"', '1; serverid=2', '%00',
                  '\xe4', '../../etc', 'node1', good[:-1], good + 'x',
                  good[1:], good.swapcase()):
        jar = {name: value}
        client = await Client.connect(front, user='ann', jar=jar)
        assert jar[name] not in ('', value)
        assert client.welcome['node'] in farm.nodes
        node = client.welcome['node']
        await client.close()
        client = await Client.connect(front, user='ann', jar=jar)
        assert client.welcome['node'] == node
        await client.close()
