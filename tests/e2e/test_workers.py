"""Four workers, fifty chats, two hundred members: one order for all.

In every chat there are members on every worker. Whatever happens to the
workers, each member sees each message once and in the order of the others;
nothing that was acknowledged is lost, nothing is stored twice.
"""

import asyncio
import collections
import json

from harness.hold import APPEND, NOTICE, Hold
from harness.nginx import wait_for
from harness.witness import Crowd

CLIENTS = 200
CHATS = 50
EACH = 8                                    # members of a chat

LOCATION = '''
    ws_chat_rate off; ws_chat_lag_limit 16m; ws_chat_drain 2s;
    ws_chat_history 1000 1h;
'''
OPTIONS = {'workers': 4, 'location': LOCATION,
           'zone': 'ws_chat_zone chat:32m;'}


async def crowd(ng):
    """All of them, and proof that every chat is on every worker."""
    people = await Crowd.gather(ng, CLIENTS, CHATS)
    assert len(people.members) == CLIENTS and len(people.chats) == CHATS
    assert len(set(people.workers())) == 4
    for chat, workers in people.spread().items():
        assert workers == set(ng.worker_pids()), (chat, workers)
        assert len(people.chats[chat]) == EACH
    return people


async def watch(people, done):
    """Meanwhile read what is newest: what was acknowledged is there."""
    i = 0
    while not done.done():
        member = people.members[i * 7 % CLIENTS]
        await asyncio.gather(*map(member.look, member.chats))
        await asyncio.sleep(0.01)
        i += 1


async def test_one_order_for_all(nginx):
    ng = nginx(**OPTIONS)
    people = await crowd(ng)
    talk = asyncio.create_task(people.talk('a', 5))
    await asyncio.gather(talk, watch(people, talk))
    await people.complete(5 * EACH)
    people.judge(5 * EACH)
    assert not any(m.returns for m in people.members)
    assert len(people.history.acks) == 5 * EACH * CHATS
    assert people.history.reads
    status = ng.status()
    assert status['workers'] == 4 and status['connections'] == CLIENTS
    assert status['members'] == EACH * CHATS


async def test_a_worker_is_killed_in_mid_traffic(nginx):
    ng = nginx(**OPTIONS)
    people = await crowd(ng)
    talk = asyncio.create_task(people.talk('a', 6, pause=0.1))
    looking = asyncio.create_task(watch(people, talk))
    for kill in range(2):
        goal = (kill + 1) * 2 * EACH * CHATS
        while len(people.history.acks) < goal:
            await asyncio.sleep(0.01)
        await asyncio.to_thread(ng.kill_worker, ng.worker_pids()[kill])
    await asyncio.gather(talk, looking)
    await people.complete(6 * EACH)
    people.judge(6 * EACH)
    assert sum(m.returns for m in people.members) > CLIENTS / 4
    assert all(end == (None, 1006) for m in people.members for end in m.ends)
    assert ng.status()['workers'] == 4
    assert ng.status()['members'] == EACH * CHATS


async def test_a_worker_is_killed_in_the_lock(nginx):
    hold = Hold(nginx, **OPTIONS)
    ng = hold.ng
    ng.expect_log(r'shared memory zone "ws_chat:chat" was locked by')
    people = await crowd(ng)
    talk = asyncio.create_task(people.talk('a', 8, pause=0.1))
    looking = asyncio.create_task(watch(people, talk))
    for kill, step in enumerate([(APPEND, 2), (APPEND, 4), (NOTICE, 1)]):
        goal = (kill + 1) * 2 * EACH * CHATS
        while len(people.history.acks) < goal:
            await asyncio.sleep(0.01)
        hold.set(*step)
        await hold.kill(await hold.caught())
    await asyncio.gather(talk, looking)
    await people.complete(8 * EACH)
    people.judge(8 * EACH)
    assert sum(m.returns for m in people.members) > 3 * CLIENTS / 8
    assert ng.status()['zones'][0]['repairs'] == 3


async def test_ten_reloads_in_a_row(nginx):
    ng = nginx(**OPTIONS, http='ws_chat_log sessions.log json;')
    people = await crowd(ng)
    draining = []

    async def reload():
        for _ in range(10):
            await asyncio.to_thread(ng.reload)
            draining.append(len(ng.draining_pids()))

    # once more when all is done: then even the slowest have said something
    talk = asyncio.create_task(people.talk('a', 15, pause=0.3))
    await asyncio.gather(talk, reload(), watch(people, talk))
    await people.talk('b', 1)
    await people.complete(16 * EACH, 120)
    await asyncio.to_thread(
        wait_for, lambda: not ng.draining_pids(), 20, 'all have drained')
    await people.talk('c', 1)
    await people.complete(17 * EACH)
    people.judge(17 * EACH)

    assert max(draining) >= 4
    assert len(ng.worker_pids()) == 4 and ng.status()['workers'] == 4
    assert ng.status()['generation'] == 11
    assert set(people.workers()) <= set(ng.worker_pids())
    assert all(member.ends for member in people.members)
    lines = (ng.dir / 'sessions.log').read_text().splitlines()
    assert {json.loads(line)['code'] for line in lines} == {1012}
    # on a busy machine a client may come too late to read its Close
    ends = collections.Counter((farewell and farewell['reason'], code)
                               for member in people.members
                               for farewell, code in member.ends)
    assert ends.keys() <= {('restart', 1012), (None, 1006)}, ends
    assert ends['restart', 1012] > 0.8 * ends.total(), ends
    assert all(0 <= farewell['in_ms'] <= 1000 for member in people.members
               for farewell, _ in member.ends if farewell)
    assert ng.status()['connections'] == CLIENTS
    assert ng.status()['members'] == EACH * CHATS
