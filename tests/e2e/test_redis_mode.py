"""What a Redis is like: does it keep what it has, is the zone what it was."""

import asyncio

import pytest

from harness.client import Client, ChatError
from harness.cluster import Cluster
from harness.nginx import wait_for
from harness.redis import Redis

pytestmark = pytest.mark.plain_store

LOCATION = 'ws_chat_rate off;'
ROOM = 'room'


@pytest.fixture
def redis():
    """A function that starts a Redis; all are closed."""
    started = []

    def start(*args, **options):
        started.append(Redis(*args, **options))
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.fixture
def cluster():
    one = Cluster(replicas=False)
    yield one
    one.close()


def zone(one):
    return 'ws_chat_zone chat:1m; ws_chat_redis chat %s;' % one.uri


async def health(ng, status):
    await asyncio.to_thread(
        wait_for, lambda: ng.request('/health').status == status, 15,
        'the health is %d' % status)


def logged(ng, *parts):
    return [line for line in ng.log().splitlines()
            if all(part in line for part in parts)]


async def test_a_redis_that_evicts_is_told_of(nginx, redis):
    one = redis('--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru')
    ng = nginx(workers=1, zone=zone(one))
    await health(ng, 200)
    await asyncio.to_thread(wait_for, lambda: logged(
        ng, '[warn]', '"allkeys-lru"', 'noeviction'), 10, 'the warning')
    assert ng.status()['zones'][0]['evicting'] == 1


@pytest.mark.parametrize('args', [
    ('--maxmemory', '100mb', '--maxmemory-policy', 'noeviction'),
    ('--maxmemory-policy', 'allkeys-lru')], ids=['noeviction', 'no limit'])
async def test_a_redis_that_keeps_all_is_not(nginx, redis, args):
    one = redis(*args)
    ng = nginx(workers=1, zone=zone(one))
    await health(ng, 200)
    assert ng.status()['zones'][0]['evicting'] == 0
    assert not logged(ng, 'maxmemory-policy')


async def test_a_full_redis_refuses_and_recovers(nginx, redis):
    one = redis('--maxmemory-policy', 'noeviction')
    ng = nginx(workers=1, zone=zone(one), location=LOCATION)
    a = await Client.connect(ng)
    await a.join(ROOM)
    await a.send(ROOM, 'before')
    one.cli('config', 'set', 'maxmemory', '1')
    for n in range(3):
        with pytest.raises(ChatError) as refused:
            await a.send(ROOM, 'full', cid='full')
        assert refused.value.code in ('unavailable', 'overloaded')
        assert refused.value.event['temporary']
    assert logged(ng, 'refused', 'OOM')
    assert len(one.stream(ROOM)) == 1
    one.cli('config', 'set', 'maxmemory', '0')
    ack = await a.send(ROOM, 'full', cid='full')
    assert not ack.get('dup')
    assert [e.cid for e in one.stream(ROOM)][1:] == ['full']


async def test_a_zone_that_others_have_otherwise_is_not_served(nginx, redis):
    one = redis()
    one.ask('SET', 'wsc:{0}:mode', 'durable 1 10')
    ng = nginx(workers=1, zone=zone(one), location=LOCATION)
    reason = (await asyncio.to_thread(wait_for, lambda: logged(
        ng, '[error]', '"durable 1 10"', '"live 1 1"'), 10, 'the reason'))
    assert '"chat"' in reason[0] and '"wsc:"' in reason[0]
    await asyncio.to_thread(
        wait_for, lambda: b'otherwise' in ng.request('/health').body, 15,
        'the reason')
    assert ng.request('/health').status == 404
    a = await Client.connect(ng)
    with pytest.raises(ChatError) as refused:
        await a.join(ROOM)
    assert refused.value.code == 'unavailable'
    assert not one.ask('KEYS', 'wsc:{0}:s:*')
    # what is found in here would not be all
    erased = ng.request('/api/users/ann', 'DELETE')
    assert erased.status == 503 and 'retry-after' in erased.headers

    # and is, when that has been settled
    one.ask('DEL', 'wsc:{0}:mode')
    await health(ng, 200)
    await a.join(ROOM)
    await a.send(ROOM, 'now')
    assert one.ask('GET', 'wsc:{0}:mode') == b'live 1 1'
    assert len(logged(ng, 'is not served')) == 1


async def test_another_number_of_shards_is_not_served(nginx, cluster):
    hosts = 'ws_chat_zone chat:1m; ws_chat_redis chat cluster://%s %s;'
    first = nginx(workers=1, zone=hosts % (cluster.hosts, ''))
    await health(first, 200)
    second = nginx(workers=1, zone=hosts % (cluster.hosts, 'shards=128'))
    await asyncio.to_thread(
        wait_for, lambda: b'otherwise' in second.request('/health').body, 15,
        'the reason')
    assert logged(second, '"live 1 64"', '"live 1 128"')
    assert first.request('/health').status == 200
