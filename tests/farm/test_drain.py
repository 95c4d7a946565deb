"""A node is drained, taken back, and stopped, behind each of the fronts."""

import asyncio

import pytest

from farm import KEY, Farm, FarmCrowd, node_of, until, ws_chat_nodes
from harness.client import Client

CLIENTS = 60
CHATS = 10
ROUNDS = 15


@pytest.fixture
def farm(redis, nginx):
    return Farm(nginx, redis, workers=2)


async def come(front, count, **options):
    """So many clients that come and go: the nodes they were on."""
    nodes = []
    for _ in range(count):
        client = await Client.connect(front, user='guest', **options)
        nodes.append(client.welcome['node'])
        await client.close()
    return nodes


async def drained(farm, front, crowd):
    """node1 drains: it keeps what it has and gets nothing, cookie or not."""
    there = crowd.where()['node1']
    accepted = farm.accepted('node1')
    jars = [dict(m.jar) for m in there]
    assert farm.health() == {'node1': 404, 'node2': 200, 'node3': 200}

    assert 'node1' not in await come(front, 6)
    leavers, stayers = there[:5], there[5:]
    await crowd.cut(leavers)
    for member, jar in zip(leavers, jars):
        assert node_of(member) != 'node1'
        assert member.jar and member.jar != jar
    for jar in jars:
        assert 'node1' not in await come(front, 1, jar=dict(jar))
    # who returned stays where it is now
    homes = {m: node_of(m) for m in leavers}
    await crowd.cut(leavers)
    assert {m: node_of(m) for m in leavers} == homes

    assert farm.accepted('node1') == accepted
    assert not any(m.returns for m in stayers)
    assert farm.connections()['node1'] == len(stayers)
    return stayers


async def stopped(farm, crowd, there):
    """node1 ends: its members are told, spread, and are back elsewhere."""
    before = {m: m.resumed for m in there}
    await asyncio.to_thread(farm.nodes['node1'].quit)
    for member in there:
        await member.until(lambda: member.resumed > before[member], 30)
        farewell, code = member.ends[-1]
        assert farewell and code == 1001, member.ends
        assert node_of(member) != 'node1'
    times = sorted(m.cut_at[-1] for m in there)
    assert times[-1] - times[0] > 1, times


async def test_haproxy(farm, haproxy):
    front = haproxy(farm.nodes.values())
    crowd = await FarmCrowd.gather(front, CLIENTS, CHATS)
    talk = asyncio.create_task(crowd.talk('talk', ROUNDS, pause=0.5))

    farm.drain('node1')
    await until(lambda: front.server_state('node1') == 'NOLB')
    stayers = await drained(farm, front, crowd)

    farm.drain('node1', False)
    await until(lambda: front.server_state('node1') == 'UP')
    # it has the fewest sockets
    assert set(await come(front, 3)) == {'node1'}

    # the front stops its checks, so that it cuts nothing when the node ends
    code, out = await asyncio.to_thread(
        ws_chat_nodes, front, 'drain', 'node1', '--api-url',
        'http://127.0.0.1:%d/api' % farm.nodes['node1'].port,
        '--api-key-file', farm.key_file(farm.nodes['node1']))
    assert code == 3 and '%d sockets are left' % len(stayers) in out, out
    jar = dict(stayers[0].jar)
    assert 'node1' not in await come(front, 1, jar=jar)
    await stopped(farm, crowd, stayers)
    await talk
    await crowd.complete(6 * ROUNDS)
    crowd.judge(6 * ROUNDS)


async def test_nginx(farm, nginx_front):
    front = nginx_front(farm.nodes.values())
    crowd = await FarmCrowd.gather(front, CLIENTS, CHATS)
    talk = asyncio.create_task(crowd.talk('talk', ROUNDS, pause=0.5))

    farm.drain('node1')
    stayers = await drained(farm, front, crowd)

    farm.drain('node1', False)
    # its refusals are forgotten after fail_timeout; it has the fewest sockets
    async with asyncio.timeout(20):
        while await come(front, 1) != ['node1']:
            await asyncio.sleep(0.2)

    await stopped(farm, crowd, stayers)
    await talk
    await crowd.complete(6 * ROUNDS)
    crowd.judge(6 * ROUNDS)


async def test_drain_needs_the_key(farm, haproxy, tmp_path):
    """The script says what the node says; and HAProxy was told nothing."""
    front = haproxy(farm.nodes.values())
    wrong = tmp_path / 'key'
    wrong.write_text('not-' + KEY)
    url = 'http://127.0.0.1:%d/api/' % farm.nodes['node1'].port
    code, out = ws_chat_nodes(front, 'drain', 'node1', '--api-url', url,
                              '--api-key-file', wrong)
    assert code == 1 and '/api/drain: 401' in out, out
    assert front.server_state('node1') == 'UP'
    right = farm.key_file(farm.nodes['node1'])
    for word, done, state in (('drain', 'is drained', 'DRAIN'),
                              ('ready', 'is ready', 'UP')):
        code, out = ws_chat_nodes(front, word, 'node1', '--api-url', url,
                                  '--api-key-file', right)
        assert code == 0 and done in out, out
        assert front.server_state('node1') == state
        assert farm.health()['node1'] == (404 if word == 'drain' else 200)
