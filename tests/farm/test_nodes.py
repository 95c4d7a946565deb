"""ws-chat-nodes: nodes come and go at run time."""

import asyncio
import re
import subprocess

import pytest

from farm import NODES, Farm, FarmCrowd, listed, node_of, until, \
    ws_chat_nodes
from harness.client import Client
from harness.haproxy import CONF

CLIENTS = 60
CHATS = 10


def address(ng):
    return '127.0.0.1:%d' % ng.port


@pytest.fixture
def farm(redis, nginx):
    return Farm(nginx, redis, 2)


async def run(front, *args):
    return await asyncio.to_thread(ws_chat_nodes, front, *args)


async def test_elastic(redis, nginx, haproxy):
    """A fourth node comes and goes under traffic, and nobody notices."""
    farm = Farm(nginx, redis, 3)
    front = haproxy(farm.nodes.values())
    crowd = await FarmCrowd.gather(front, CLIENTS, CHATS)
    talk = asyncio.create_task(crowd.talk('up', 20, pause=0.1))

    name, node4 = await asyncio.to_thread(farm.add_node)
    assert await run(front, 'add', name, address(node4)) == (
        0, 'node4 is up')
    # it is the one with the fewest sockets
    jar = {}
    for _ in range(2):
        late = await Client.connect(front, user='late', jar=jar)
        assert late.welcome['node'] == 'node4'
        assert jar['serverid']
        await late.close()
    movers = crowd.where()['node1'][:10]
    for member in movers:
        member.jar.clear()
    await crowd.cut(movers)
    assert {node_of(m) for m in movers} == {'node4'}

    code, out = await run(front, 'remove', 'node4')
    assert code == 3 and '10 sockets are on node4' in out, out
    assert listed(front)['node4'] == ('UP', 10)
    code, out = await run(front, 'drain', 'node4')
    assert (code, out) == (3, 'ws-chat-nodes: node4 drains: '
                              '10 sockets are left')
    assert listed(front)['node4'] == ('DRAIN', 10)
    assert all(m.returns == 1 for m in movers)

    # its members are sent away by the node, not cut by the front
    before = {m: m.resumed for m in movers}
    quitting = asyncio.create_task(asyncio.to_thread(node4.quit))
    code, out = await run(front, 'drain', 'node4', '--wait', 20)
    assert (code, out) == (0, 'node4 is drained: no sockets are left')
    await quitting
    for member in movers:
        await member.until(lambda: member.resumed > before[member])
        assert member.ends[-1][1] == 1001, member.ends
    assert 'node4' not in crowd.where()
    assert await run(front, 'remove', 'node4') == (0, 'node4 is removed')
    assert set(listed(front)) == {'node1', 'node2', 'node3'}

    await talk
    await crowd.complete(6 * 20)
    crowd.judge(6 * 20)


async def test_ready_again(farm, haproxy):
    """A drained node keeps its sockets and gets none; then it does again."""
    front = haproxy(farm.nodes.values())
    first = await Client.connect(front, user='ann')
    name = first.welcome['node']
    assert (await run(front, 'drain', name))[0] == 3
    for _ in range(4):
        other = await Client.connect(front, user='bob')
        assert other.welcome['node'] != name
    await first.cmd('ping')
    assert await run(front, 'ready', name) == (0, name + ' is ready')
    assert listed(front)[name] == ('UP', 1)
    again = await Client.connect(front, user='bob')
    assert again.welcome['node'] == name


async def test_add_what_is_not_healthy(farm, haproxy):
    """It gets no socket, not one, until its checks were good twice."""
    front = haproxy(farm.nodes.values())
    _, node3 = await asyncio.to_thread(farm.add_node)
    node3.quit()
    code, out = await run(front, 'add', 'node3', address(node3), '--wait', 1)
    assert code == 1 and 'node3 is added, but DOWN' in out, out
    for _ in range(3):
        client = await Client.connect(front, user='ann')
        assert client.welcome['node'] != 'node3'
    node3.start()
    await until(lambda: listed(front)['node3'][0] == 'UP')
    client = await Client.connect(front, user='ann')
    assert client.welcome['node'] == 'node3'


async def test_remove_by_force(farm, haproxy):
    front = haproxy(farm.nodes.values())
    first = await Client.connect(front, user='ann')
    name = first.welcome['node']
    assert await run(front, 'remove', name, '--force') == (
        0, name + ' is removed')
    assert (await first.closed())[0] == 1006
    assert name not in listed(front)
    for _ in range(2):
        client = await Client.connect(front, user='ann')
        assert client.welcome['node'] != name


def test_refusals(farm, haproxy, tmp_path):
    front = haproxy(farm.nodes.values())
    for args, code, text in (
            (['remove', 'nodeX'], 1, 'no node "nodeX"; there are: node1 node2'),
            (['drain', 'nodeX'], 1, 'no node "nodeX"'),
            (['ready', 'nodeX'], 1, 'no node "nodeX"'),
            (['add', 'node1', '127.0.0.1:1'], 1, 'a node "node1" already'),
            (['add', 'a;b', '127.0.0.1:1'], 2, '"a;b" is no name'),
            (['add', 'n', '127.0.0.1'], 2, 'is not HOST:PORT'),
            (['add', 'n', '127.0.0.1:70000'], 2, 'is not HOST:PORT'),
            (['add', 'n', 'h:1', '--weight', '257'], 2, 'is not 0 to 256'),
            (['add', 'n', 'no.such.invalid:1'], 1, 'no.such.invalid: '),
            (['drain', 'node1', '--wait', 'x'], 2, 'no number of seconds'),
            (['drain', 'node1', '--api-url', 'http://127.0.0.1:1/api'], 1,
             'http://127.0.0.1:1/api/drain: '),
            (['drain', 'node1', '--api-url', 'http://127.0.0.1:1/api',
              '--api-key-file', tmp_path / 'none'], 1, 'none: No such file'),
            (['--backend', 'other', 'list'], 1, 'no backend "other"'),
            (['--socket', tmp_path / 'none', 'list'], 1, 'none: No such file'),
            ([], 2, 'COMMAND'), (['--help'], 0, 'Exit status'),
            (['--version'], 0, 'ws-chat-nodes 0.1.0')):
        got = ws_chat_nodes(front, *args)
        assert got[0] == code and text in got[1], (args, got)
    # and nothing of it had an effect
    assert listed(front) == {'node1': ('UP', 0), 'node2': ('UP', 0)}


def test_settings():
    """The script gives a server what the configuration gives to others."""
    default, = re.findall(r'default-server (.+)', CONF.read_text())
    assert "SETTINGS = '%s'" % default in NODES.read_text()


def test_without_haproxy(tmp_path):
    done = subprocess.run([NODES, 'list'], cwd=tmp_path, text=True,
                          stderr=subprocess.PIPE)
    assert done.returncode == 1
    assert 'haproxy.sock: No such file' in done.stderr
