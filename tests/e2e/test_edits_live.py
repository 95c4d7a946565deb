"""Changed messages in live zones: two nodes, breaks, a Cluster."""

import asyncio
import json
import re

import pytest

from harness.client import Client
from harness.cluster import Cluster
from harness.member import position
from harness.nginx import wait_for
from harness.redis import Proxy

pytestmark = pytest.mark.plain_store

FREE = 'ws_chat_rate off;'
ROOM = 'room'
SECRET = 'a secret text of ann'
KEY = 'wsc:{0}:%s:' + ROOM


def zone(port):
    return ('ws_chat_zone chat:1m; ws_chat_redis chat redis://127.0.0.1:%d;'
            % port)


async def ready(*nodes):
    for ng in nodes:
        await asyncio.to_thread(
            wait_for, lambda ng=ng: ng.request('/health').status == 200, 30,
            'a node is ready')


async def joined(ng, user, chat=ROOM):
    client = await Client.connect(ng, user=user)
    await client.settle('join', chat_id=chat)
    return client


async def say(client, message, chat=ROOM):
    ack = await client.settle('send', chat_id=chat, message=message,
                              cid='c%d' % next(client.cids))
    return {'epoch': ack['epoch'], 'seq': ack['seq']}


async def edit(client, place, message, chat=ROOM):
    return await client.settle('edit', chat_id=chat, message=message, **place)


async def retract(client, place, chat=ROOM):
    return await client.settle('retract', chat_id=chat, **place)


async def test_two_nodes_and_much_traffic(nginx, redis):
    """Each change reaches both, whoever sends meanwhile."""
    nodes = [nginx(zone=zone(redis.port),
                   location=FREE + 'ws_chat_history 100000 24h;')
             for _ in range(2)]
    await ready(*nodes)
    ann = await joined(nodes[0], 'ann')
    also = await joined(nodes[1], 'ann')
    noise = [await joined(ng, 'noise%d' % n) for n, ng in enumerate(nodes)]
    going = True

    async def talk(client):
        while going:
            await say(client, 'noise')

    talking = [asyncio.create_task(talk(client)) for client in noise]
    places = []
    for n in range(20):
        place = await say(ann, SECRET)
        places.append(place)
        await edit(also, place, 'edit %d' % n)
        if n % 2:
            await retract(ann, place)
    going = False
    await asyncio.gather(*talking)
    # a change that overtakes its message is in that when it comes
    wanted = {position(place): None if n % 2 else 'edit %d' % n
              for n, place in enumerate(places)}
    for client in (ann, also):
        seen = {}
        while {p: seen.get(p, SECRET) for p in wanted} != wanted:
            event = await client.recv(30)
            if event['ev'] in ('message', 'update'):
                seen[position(event)] = event.get('message')
    zoe = await Client.connect(nodes[0], user='zoe')
    reply = await zoe.settle('join', chat_id=ROOM, after=places[-1])
    assert reply['recovered'] is True
    assert position(places[-1]) in [position(u) for u in reply['updates']]


async def test_what_a_cut_off_node_missed(nginx, redis):
    front = Proxy(redis.port)
    try:
        nodes = [nginx(zone=zone(port), location=FREE)
                 for port in (front.port, redis.port)]
        await ready(*nodes)
        ann = await joined(nodes[1], 'ann')
        bob = await joined(nodes[0], 'bob')
        places = [await say(ann, SECRET) for _ in range(4)]
        for place in places:
            await bob.expect('message', timeout=30, **place)
        front.closed = True
        front.cut()
        await edit(ann, places[0], 'edited')
        await retract(ann, places[1])
        places.append(await say(ann, SECRET))
        await retract(ann, places[4])
        front.closed = False
        update = await bob.expect('update', timeout=60, **places[0])
        assert update['message'] == 'edited'
        update = await bob.expect('update', timeout=60, **places[1])
        assert update['retracted'] is True
        event = await bob.expect('message', timeout=60, **places[4])
        assert event['retracted'] is True and SECRET not in event.raw
    finally:
        front.close()


async def test_how_long_they_are_kept(nginx, redis):
    ng = nginx(zone=zone(redis.port), workers=1,
               location=FREE + 'ws_chat_history 5 1h;')
    await ready(ng)
    ann = await joined(ng, 'ann')
    for n in range(200):
        await edit(ann, await say(ann, n), 'x')
    # of messages that are gone, after a while: not all, and not for good
    await asyncio.to_thread(
        wait_for, lambda: int(redis.ask('HLEN', KEY % 'u')) < 150, 30,
        'changes of what is gone are dropped')
    lives = [int(redis.ask('PTTL', KEY % kind)) for kind in 'us']
    assert lives[0] >= lives[1] > 0
    seen = (await ann.settle('history', chat_id=ROOM))['messages']
    assert [m['message'] for m in seen] == ['x'] * 5


async def test_what_a_page_costs(nginx, redis):
    """An answer asks what became of what it shows, not of all."""
    ng = nginx(zone=zone(redis.port), workers=1, location=FREE)
    await ready(ng)
    ann = await joined(ng, 'ann')
    await say(ann, 'first')

    def asked(command):
        text = redis.cli('info', 'commandstats')
        found = re.search(r'cmdstat_%s:calls=(\d+)' % command, text)
        return int(found[1]) if found else 0

    # nothing was changed
    assert len((await ann.settle('history', chat_id=ROOM))['messages']) == 1
    assert asked('hmget') == 0
    places = [await say(ann, n) for n in range(20)]
    for n, place in enumerate(places[:10]):
        await edit(ann, place, 'x%d' % n)
    await retract(ann, places[10])
    hashes, pages = asked('hvals'), asked('hmget')
    for _ in range(20):
        reply = await ann.settle('history', chat_id=ROOM, limit=5,
                                 before=places[12])
        assert [m.get('message') for m in reply['messages']] == [
            'x7', 'x8', 'x9', None, 11]
    assert asked('hmget') == pages + 20
    # readers look at the whole of it now and then
    assert asked('hvals') < hashes + 10


class Sly(Proxy):
    """Does something right before a command is carried on, once."""

    command = None

    def carry(self, one, data):
        if self.command and self.command in data:
            self.command = None
            self.before()
        super().carry(one, data)


async def test_what_is_dropped_while_it_is_read(nginx, redis):
    """What the stream drops then takes its changes along."""
    front = Sly(redis.port)
    try:
        ng = nginx(zone=zone(front.port), workers=1, location=FREE)
        await ready(ng)
        ann = await joined(ng, 'ann')
        places = [await say(ann, SECRET) for _ in range(3)]
        for place in places[:2]:
            await retract(ann, place)
        # an id counts from 0
        gone = ['%d-%d' % (place['epoch'], place['seq'] - 1)
                for place in places]

        def drop(count):
            redis.cli('xtrim', KEY % 's', 'maxlen', str(3 - count))
            redis.cli('hdel', KEY % 'u', *gone[:count])

        front.before = lambda: drop(1)
        front.command = b'HMGET'
        reply = await ann.settle('history', chat_id=ROOM)
        assert [m.get('message') for m in reply['messages']] == [None, SECRET]
        # all that was asked for: what is behind it
        front.before = lambda: drop(2)
        front.command = b'HMGET'
        reply = await ann.settle(
            'history', chat_id=ROOM, limit=1,
            after={'epoch': places[0]['epoch'], 'seq': places[0]['seq']})
        assert [m.get('message') for m in reply['messages']] == [SECRET]
        assert reply['messages'][0]['seq'] == places[2]['seq']
    finally:
        front.close()


async def test_who_comes_back_is_told_of_what_is_gone(nginx, redis):
    """It was changed behind a place that the stream still has."""
    ng = nginx(zone=zone(redis.port), workers=1,
               location=FREE + 'ws_chat_history 5 1h;')
    await ready(ng)
    ann = await joined(ng, 'ann')
    for n in range(62):
        await edit(ann, await say(ann, n), 'x')
    places = [await say(ann, SECRET) for _ in range(5)]
    await retract(ann, places[0])
    last = await say(ann, 'places[0] has to go')
    # the 64th change: those of what is gone are looked for
    await edit(ann, last, 'x')
    await asyncio.to_thread(
        wait_for, lambda: int(redis.ask('HLEN', KEY % 'u')) < 10, 30,
        'changes of what is gone are dropped')
    zoe = await Client.connect(ng, user='zoe')
    reply = await zoe.settle('join', chat_id=ROOM, after=places[4])
    assert reply['recovered'] is True
    assert [(position(u), u.get('message')) for u in reply['updates']] == [
        (position(places[0]), None)]


async def test_in_a_cluster(nginx):
    one = Cluster()
    chats = ['chat-%d' % i for i in range(12)]
    try:
        nodes = [nginx(zone='ws_chat_zone chat:1m; ws_chat_redis chat'
                            ' cluster://%s;' % one.hosts, location=FREE)
                 for _ in range(2)]
        await ready(*nodes)
        ann = await Client.connect(nodes[0], user='ann')
        bob = await Client.connect(nodes[1], user='bob')
        for chat in chats:
            for client in (ann, bob):
                await client.settle('join', chat_id=chat)
            place = await say(ann, 'x', chat)
            await edit(ann, place, SECRET, chat)
            update = await bob.expect('update', timeout=30, chat_id=chat,
                                      **place)
            assert update['message'] == SECRET
            await say(ann, SECRET, chat)
            await say(bob, 'of bob', chat)
        response = await asyncio.to_thread(
            nodes[1].request, '/api/users/ann', 'DELETE')
        answer = json.loads(response.body)
        assert (response.status, answer.get('messages')) == (
            200, 2 * len(chats)), answer
        for chat in chats:
            for client in (ann, bob):
                seen = await client.settle('history', chat_id=chat)
                assert [m.get('message') for m in seen['messages']] == [
                    None, None, 'of bob']
                assert SECRET not in seen.raw
    finally:
        one.close()
