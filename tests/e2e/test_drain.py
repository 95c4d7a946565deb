"""How a worker parts from its sockets: nothing of a send stays open."""

import asyncio
import os
import signal
import time

import pytest

from harness.client import Client
from harness.member import worker_of
from harness.nginx import wait_for
from harness.redis import Redis

pytestmark = pytest.mark.plain_store


@pytest.fixture
def live(nginx):
    """A node with a live zone, and its Redis."""
    started = []

    def start(**options):
        redis = Redis()
        started.append(redis)
        zone = ('ws_chat_zone chat:1m; ws_chat_redis chat %s timeout=60s;'
                % redis.uri)
        ng = nginx(zone=zone, **options)
        wait_for(lambda: ng.request('/health').status == 200,
                 what='the node is ready')
        return ng, redis

    yield start
    for redis in started:
        redis.close()


async def joined(ng, user):
    client = await Client.connect(ng, user=user)
    await client.join('room')
    return client


async def post(client, cid, ident):
    await client.post({'op': 'send', 'id': ident, 'chat_id': 'room',
                       'cid': cid, 'message': cid})


async def test_in_flight_is_answered(live):
    """The Close waits for the ack; what is sent meanwhile is refused."""
    ng, redis = live(workers=1, location='ws_chat_drain 100ms;')
    a = await joined(ng, 'ann')
    redis.pause()
    await post(a, 'one', 1)
    await a.cmd('ping')
    ng.process.send_signal(signal.SIGHUP)
    await a.expect('reconnect')
    await post(a, 'two', 2)
    refused = await a.reply(2)
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        # still served, for much longer than a tick
        await a.cmd('ping')
    redis.resume()
    assert (refused['code'], refused['cid']) == ('unavailable', 'two')
    assert refused['temporary'] and refused['retry_ms'] > 0
    ack = await a.reply(1)
    assert ack['ev'] == 'ack', ack
    assert (await a.closed())[0] == 1012

    b = await joined(ng, 'ann')
    messages = (await b.cmd('history', chat_id='room'))['messages']
    assert [m['cid'] for m in messages] == ['one']


@pytest.mark.parametrize('how,code', [
    (signal.SIGHUP, 1012), (signal.SIGQUIT, 1001), (signal.SIGTERM, 1001)],
    ids=['reload', 'quit', 'stop'])
async def test_in_flight_is_unknown(live, how, code):
    """Within a bound: the sender is told, then closed."""
    ng, redis = live(workers=1, location='ws_chat_drain 100ms;')
    a = await joined(ng, 'ann')
    redis.pause()
    await post(a, 'one', 1)
    # a send behind a join that waits was not even tried
    await a.post([{'op': 'join', 'chat_id': 'other'},
                  {'op': 'send', 'id': 2, 'chat_id': 'other', 'cid': 'two',
                   'message': 2}])
    await a.cmd('ping')
    ng.process.send_signal(how)
    if how != signal.SIGTERM:
        await a.expect('reconnect')
    unknown = await a.reply(1)
    assert (unknown['code'], unknown['cid']) == ('unknown', 'one')
    assert unknown['temporary'] and unknown['chat_id'] == 'room'
    unstored = await a.reply(2)
    assert (unstored['code'], unstored['cid']) == ('unavailable', 'two')
    assert (await a.closed())[0] == code
    redis.resume()
    if how != signal.SIGHUP:
        await asyncio.to_thread(ng.quit)


async def test_old_workers_stay_live(live):
    """Until their last socket, also through a break of the backplane."""
    ng, redis = live(workers=1, location='ws_chat_drain 1h;')
    a = await joined(ng, 'ann')
    old = worker_of(ng, a)
    await asyncio.to_thread(ng.reload)
    await asyncio.to_thread(
        wait_for, lambda: ng.request('/health').status == 200, 10,
        'the new worker is ready')
    b = await joined(ng, 'bob')
    assert worker_of(ng, b) != old == worker_of(ng, a)

    async def exchange(name):
        for sender, other in ((a, b), (b, a)):
            cid = '%s-%s' % (name, sender.welcome['user'])
            await sender.settle('send', chat_id='room', cid=cid, message=1,
                                retry=True)
            for one in sender, other:
                await one.expect('message', cid=cid)

    await exchange('first')
    assert redis.cli('client', 'kill', 'type', 'pubsub') == '2'
    assert int(redis.cli('client', 'kill', 'type', 'normal')) >= 4
    await exchange('second')

    await a.close()
    await asyncio.to_thread(wait_for, lambda: old not in dict(ng.children()),
                            10, 'the old worker ended')
    # that was the end of its connections, too
    await asyncio.to_thread(wait_for, lambda: len(redis.clients()) == 3, 10,
                            'three connections of the new worker')
    assert not os.path.exists('/proc/%d' % old)
