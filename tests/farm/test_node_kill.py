"""The short form of tests/farm/node-kill."""

import pytest

from farm import Farm
from node_kill import node_kill

EACH = 300


@pytest.mark.xdist_group('node-kill')
async def test_node_kill(redis, nginx, haproxy):
    """All members of a killed node are back, and missed nothing."""
    farm = Farm(nginx, redis, 2)
    front = haproxy(farm.nodes.values())
    figures = await node_kill(farm, front, EACH, say=print)
    print(figures)
    assert figures['resumed'] >= EACH - 20
    assert figures['messages'] > 0
    assert figures['seconds'] < 30
