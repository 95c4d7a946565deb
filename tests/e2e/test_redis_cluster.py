"""A live zone over a Redis Cluster whose nodes die and whose slots move."""

import asyncio
import json

import pytest

from harness.client import Client, ChatError
from harness.cluster import Cluster, Liar
from harness.nginx import wait_for
from harness.party import Party

pytestmark = pytest.mark.plain_store

CHATS = ['chat-%d' % i for i in range(12)]
LOCATION = 'ws_chat_rate off; ws_chat_history 100000 24h;'


@pytest.fixture
def cluster():
    """A function that starts a Cluster; all are closed."""
    started = []

    def start(**options):
        started.append(Cluster(**options))
        return started[-1]

    yield start
    for one in started:
        one.close()


def zone(one, options=''):
    return ('ws_chat_zone chat:1m; ws_chat_redis chat cluster://%s %s;'
            % (one.hosts, options))


async def ready(*nodes, status=200, seconds=20):
    for ng in nodes:
        await asyncio.to_thread(
            wait_for, lambda: ng.request('/health').status == status, seconds,
            'the health of a node is %d' % status)


async def test_all_shards_are_used_and_one_chat_is_one(nginx, cluster):
    one = cluster()
    nodes = [nginx(zone=zone(one), location=LOCATION) for _ in range(2)]
    await ready(*nodes)
    assert len({one.master(chat).port for chat in CHATS}) == 3
    party = await Party.start(nodes, CHATS)
    await party.hear(200)
    await party.stop()
    await party.check(one)
    for chat in CHATS:
        assert len({e.position[0] for e in one.stream(chat)}) == 1
    # nothing stands under another tag
    keys = sum(len(n.ask('KEYS', 'wsc:*:s:*'))
               for n in one.alive() if n.is_master)
    assert keys == len(CHATS)
    live = nodes[0].status()['zones'][0]
    assert (live['shards'], live['servers'], live['silent']) == (64, 3, 0)


async def test_a_master_dies_and_its_replica_takes_over(nginx, cluster):
    one = cluster()
    nodes = [nginx(zone=zone(one), location=LOCATION) for _ in range(2)]
    await ready(*nodes)
    party = await Party.start(nodes, CHATS)
    await party.hear(100)
    dies = one.master(CHATS[0])
    heir = one.replica_of(dies)
    # what had not reached the replica is lost with it
    for chat in CHATS:
        party.history.dump(chat, await asyncio.to_thread(one.stream, chat))
    dies.kill()
    party.history.loss()
    await asyncio.to_thread(wait_for, lambda: one.master(CHATS[0]), 30,
                            'the replica took over')
    await ready(*nodes)
    await party.hear(100)
    await party.stop()
    await party.check(one, gaps=True)
    # the promoted one is another incarnation, the others are what they were
    for chat in CHATS:
        epochs = {e.position[0] for e in one.stream(chat)}
        assert len(epochs) <= (2 if one.master(chat) is heir else 1)
    dies.start()
    await asyncio.to_thread(wait_for, one.healthy, 30, 'it is back')
    await ready(*nodes)


async def test_slots_move_while_people_talk(nginx, cluster):
    one = cluster(replicas=False)
    nodes = [nginx(zone=zone(one), location=LOCATION) for _ in range(2)]
    await ready(*nodes)
    party = await Party.start(nodes, CHATS)
    await party.hear(50)
    for chat in CHATS[:4]:
        old = one.master(chat)
        new = next(n for n in one.alive() if n is not old)
        await asyncio.to_thread(one.move, one.slot(chat), old, new)
        assert one.master(chat) is new
        await party.hear(30)
    await party.stop()
    await party.check(one)
    await ready(*nodes)
    assert not any(m.gaps for m in party.members)


async def test_who_has_a_lost_shard_is_told_others_go_on(nginx, cluster):
    one = cluster(replicas=False)
    ng = nginx(workers=1, zone=zone(one), location=LOCATION)
    await ready(ng)
    lost = one.master(CHATS[0])
    there = next(c for c in CHATS if one.master(c) is not lost)
    gone = [c for c in CHATS if one.master(c) is lost]
    a = await Client.connect(ng, user='ann')
    b = await Client.connect(ng, user='bob')
    await a.join(gone[0])
    await a.join(there)
    await b.join(there)
    await a.send(gone[0], 'before', cid='c1')
    # on its disk nothing remains: it returns empty
    lost.kill()
    assert (await a.expect('status'))['state'] == 'stale'
    health = ng.request('/health')
    assert health.status == 404
    reason = json.loads(health.body)['reason']
    assert ':%d' % lost.port in reason and 'of 64 shards' in reason, reason
    live = ng.status()['zones'][0]
    assert 0 < live['silent'] < 64 and live['stale']
    with pytest.raises(ChatError) as refused:
        await a.send(gone[0], 'meanwhile', cid='c2')
    assert refused.value.code == 'unavailable'
    # the others do not notice
    await b.send(there, 'here', cid='c3')
    await a.expect('message', cid='c3')
    c = await Client.connect(ng, user='eve')
    await c.join(there)
    with pytest.raises(ChatError) as refused:
        await c.join(gone[1])
    assert refused.value.code == 'unavailable'
    for client in (b, c):
        await client.send(there, 'still')
        assert not [e for e in client.events if e['ev'] == 'status']

    lost.start()
    assert (await a.expect('status'))['state'] == 'live'
    await a.send(gone[0], 'after', cid='c4')
    await a.expect('message', cid='c4')
    await ready(ng)


async def test_joins_wait_for_the_map(nginx, cluster):
    one = cluster(replicas=False)
    ng = nginx(workers=1, zone=zone(one), location=LOCATION)
    clients = []
    for n in range(3):
        client = await Client.connect(ng, user='user%d' % n)
        for chat in CHATS:
            await client.join(chat)
        clients.append(client)
        await client.send(CHATS[n], n, cid='c%d' % n)
        await asyncio.to_thread(ng.reload)


async def test_a_map_that_is_always_another(nginx):
    """Nodes are let go of after a while; until then there is a limit."""
    one = Liar()
    try:
        ng = nginx(workers=1, zone=zone(one), location=LOCATION)
        await asyncio.to_thread(
            ng.wait_log, 'its nodes change too fast', 30)
        assert one.asked > 2
        assert ng.request('/health').status == 404
    finally:
        one.close()
