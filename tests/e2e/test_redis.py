"""Live zones: two nodes over one Redis that fails in all kinds of ways.

After each fault nothing is lost that was acknowledged and is still in Redis,
nothing came twice (the members look), and everybody has everything without
new traffic.
"""

import asyncio
import collections
import json
import re
import socket
import time

import msgpack
import pytest

from harness.client import Client, ChatError
from harness.member import Member, position
from harness.nginx import PATIENCE, wait_for
from harness.redis import Proxy, Redis
from harness.seed import seeded

pytestmark = pytest.mark.plain_store

FREE = 'ws_chat_rate off;'
ROOM = 'room'

# with everysec a write may wait behind an fsync while clients are answered
AOF = '--appendonly', 'yes', '--appendfsync', 'always'


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
def proxy():
    started = []

    def start(port):
        started.append(Proxy(port))
        return started[-1]

    yield start
    for one in started:
        one.close()


def zone(port):
    return ('ws_chat_zone chat:1m; ws_chat_redis chat redis://127.0.0.1:%d;'
            % port)


async def ready(ng):
    await asyncio.to_thread(
        wait_for, lambda: ng.request('/health').status == 200, 10,
        'the node is ready')


class Traffic:
    """Two members on each node; two of them send until told to stop."""

    def __init__(self, members):
        self.random = seeded('traffic')
        self.members = members
        self.acked = {}
        self.running = True
        self.tasks = [asyncio.create_task(self.send(m)) for m in members[::2]]

    @classmethod
    async def start(cls, nodes):
        members = []
        for i, node in enumerate(nodes):
            for k in range(2):
                members.append(await Member.start(
                    node, 'user%d-%d' % (i, k), [ROOM]))
        return cls(members)

    async def send(self, member):
        n = 0
        while self.running:
            n += 1
            cid = '%s-%d' % (member.user, n)
            ack = await member.send(ROOM, cid, {'n': n}, timeout=60)
            self.acked[cid] = position(ack)
            await asyncio.sleep(self.random.uniform(0, 0.01))

    async def stop(self):
        self.running = False
        await asyncio.gather(*self.tasks)

    async def check(self, one, lossy=False, seconds=15):
        """Compare with what Redis has, without new traffic."""
        there = [(e.position, e.cid) for e in one.stream(ROOM)]
        positions = [pos for pos, _ in there]
        assert positions == sorted(set(positions))
        assert len({cid for _, cid in there}) == len(there)
        where = {cid: pos for pos, cid in there}
        for cid, pos in self.acked.items():
            assert lossy or cid in where, cid
            assert cid not in where or where[cid] == pos or lossy, cid
        for m in self.members:
            await m.until(lambda m=m: set(positions) <= set(
                m.positions(ROOM)), timeout=seconds * PATIENCE)
            assert m.returns == 0
            assert lossy or not m.gaps, m.gaps
        ever = {}
        for m in self.members:
            for event in m.messages[ROOM]:
                cid = ever.setdefault(position(event), event['cid'])
                assert cid == event['cid'], 'a position was used twice'
        return there


async def test_two_nodes_are_one_chat(nginx, redis):
    one = redis()
    traffic = await Traffic.start([nginx(zone=zone(one.port), location=FREE)
                                   for _ in range(2)])
    await asyncio.sleep(2)
    await traffic.stop()
    there = await traffic.check(one)
    assert len(there) == len(traffic.acked) > 20
    assert len({epoch for (epoch, _), _ in there}) == 1
    orders = {tuple(m.positions(ROOM)) for m in traffic.members}
    assert len(orders) == 1


async def test_a_cid_is_stored_once_on_any_node(nginx, redis):
    one = redis()
    nodes = [nginx(zone=zone(one.port), location=FREE) for _ in range(2)]
    clients = [await Client.connect(node, user='ann') for node in nodes]
    for client in clients:
        await client.join(ROOM)
    for n in range(50):
        acks = await asyncio.gather(*(
            c.send(ROOM, n, cid='c%d' % n) for c in clients))
        assert position(acks[0]) == position(acks[1])
        assert sorted(bool(ack.get('dup')) for ack in acks) == [False, True]
    assert [e.cid for e in one.stream(ROOM)] == ['c%d' % n for n in range(50)]


async def test_redis_killed_and_back(nginx, redis):
    one = redis(*AOF)
    nodes = [nginx(zone=zone(one.port), location=FREE) for _ in range(2)]
    traffic = await Traffic.start(nodes)
    for _ in range(3):
        await asyncio.sleep(traffic.random.uniform(0.3, 1))
        one.kill()
        await asyncio.sleep(traffic.random.uniform(0, 1))
        one.start()
    await asyncio.sleep(2)
    await traffic.stop()
    there = await traffic.check(one)
    # each return of Redis is another incarnation
    assert len({epoch for (epoch, _), _ in there}) > 1


async def test_subscribers_killed_then_silence(nginx, redis):
    one = redis()
    nodes = [nginx(zone=zone(one.port), location=FREE) for _ in range(2)]
    traffic = await Traffic.start(nodes)
    await asyncio.sleep(0.5)
    one.cli('client', 'kill', 'type', 'pubsub')
    await asyncio.sleep(0.3)
    one.cli('client', 'kill', 'type', 'pubsub')
    await traffic.stop()
    await traffic.check(one, seconds=5)


async def test_flushall(nginx, redis):
    one = redis()
    nodes = [nginx(zone=zone(one.port), location=FREE) for _ in range(2)]
    traffic = await Traffic.start(nodes)
    for _ in range(3):
        await asyncio.sleep(0.5)
        one.cli('flushall')
    await asyncio.sleep(0.5)
    await traffic.stop()
    there = await traffic.check(one, lossy=True)
    assert there


async def test_redis_stopped_for_seconds(nginx, redis):
    one = redis()
    nodes = [nginx(zone=zone(one.port), location=FREE) for _ in range(2)]
    traffic = await Traffic.start(nodes)
    await asyncio.sleep(0.5)
    one.pause()
    await asyncio.sleep(5)
    one.resume()
    await asyncio.sleep(2)
    await traffic.stop()
    await traffic.check(one)


async def test_a_replica_without_the_tail_is_promoted(nginx, redis, proxy):
    old = redis()
    new = redis('--replicaof', '127.0.0.1 %d' % old.port)
    front = proxy(old.port)
    nodes = [nginx(zone=zone(front.port), location=FREE) for _ in range(2)]
    traffic = await Traffic.start(nodes)
    await asyncio.sleep(1)
    new.cli('replicaof', 'no', 'one')
    await asyncio.sleep(0.5)
    tail = ({e.position for e in old.stream(ROOM)}
            - {e.position for e in new.stream(ROOM)})
    assert tail
    front.target = new.port
    front.cut()
    old.kill()
    await asyncio.sleep(3)
    await traffic.stop()
    there = await traffic.check(new, lossy=True)
    assert there[-1][0][0] > max(tail)[0]
    assert not {pos for pos, _ in there} & tail


async def test_members_are_told_while_redis_is_away(nginx, redis):
    one = redis(*AOF)
    ng = nginx(workers=1, zone=zone(one.port), location=FREE)
    a = await Client.connect(ng, user='ann')
    b = await Client.connect(ng, user='bob', fmt='msgpack')
    for client in (a, b):
        await client.join(ROOM)
    first = await a.send(ROOM, 'before')
    await ready(ng)

    one.kill()
    start = time.monotonic()
    for client in (a, b):
        event = await client.expect('status')
        assert event['state'] == 'stale'
    assert time.monotonic() - start < 3 * PATIENCE
    health = ng.request('/health')
    assert health.status == 404
    assert 'Redis' in json.loads(health.body)['reason']

    with pytest.raises(ChatError) as refused:
        await a.send(ROOM, 'meanwhile', cid='again')
    assert refused.value.code == 'unavailable'
    assert refused.value.event['temporary']
    assert refused.value.event['retry_ms'] > 0
    c = await Client.connect(ng, user='eve')
    await c.join(ROOM)
    assert (await c.expect('status'))['state'] == 'stale'
    with pytest.raises(ChatError) as refused:
        await c.join('other')
    assert refused.value.code == 'unavailable'

    one.start()
    for client in (a, b, c):
        assert (await client.expect('status'))['state'] == 'live'
    ack = await a.send(ROOM, 'meanwhile', cid='again')
    assert position(ack) > position(first) and not ack.get('dup')
    await b.expect('message', cid='again')
    reply = await c.join(ROOM, after={k: first[k] for k in ('epoch', 'seq')})
    assert reply['recovered'], reply
    assert [event['cid'] for event in reply['messages']] == ['again']
    assert ng.request('/health').status == 200


async def test_ready_means_that_a_send_is_stored(nginx, redis):
    one = redis(start=False)
    ng = nginx(workers=1, zone=zone(one.port), location=FREE)
    health = ng.request('/health')
    assert health.status == 404
    assert 'Redis' in json.loads(health.body)['reason']
    for n in range(4):
        one.start()
        await ready(ng)
        a = await Client.connect(ng, user='ann')
        await a.join(ROOM)
        assert position(await a.send(ROOM, n, cid='c%d' % n))
        one.kill()
        await asyncio.to_thread(
            wait_for, lambda: ng.request('/health').status == 404)


async def test_a_bad_message_on_a_channel_is_dropped(nginx, redis):
    one = redis()
    ng = nginx(workers=1, zone=zone(one.port), location=FREE)
    a = await Client.connect(ng)
    await a.join(ROOM)
    for text in ('', 'x', '\x01', '{"a":1}'):
        one.ask('PUBLISH', 'wsc:{0}:c:' + ROOM, text)
    await a.send(ROOM, 'good')
    assert (await a.expect('message'))['message'] == 'good'
    assert ng.status()['zones'][0]['bad'] == 4


async def test_a_stored_message_nobody_published(nginx, redis):
    """A writer died between EXEC and PUBLISH: its hint is enough."""
    one = redis()
    ng = nginx(workers=1, zone=zone(one.port), location=FREE)
    a = await Client.connect(ng)
    await a.join(ROOM)
    ack = await a.send(ROOM, 'first')
    await a.expect('message')
    entry = msgpack.packb([1, 1, 1700000000000, 'bob', 'lost', '"found"'])
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(str(one.socket))
        key = b'wsc:{0}:s:' + ROOM.encode()
        ident = b'%d-*' % ack['epoch']
        s.sendall(b'*5\r\n$4\r\nXADD\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n$1\r\nm\r\n'
                  b'$%d\r\n%s\r\n' % (len(key), key, len(ident), ident,
                                      len(entry), entry))
        s.recv(1000)
        channel = b'wsc:{0}:c:' + ROOM.encode()
        hint = msgpack.packb([1, 3, 1])
        s.sendall(b'*3\r\n$7\r\nPUBLISH\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n' % (
            len(channel), channel, len(hint), hint))
        s.recv(1000)
    start = time.monotonic()
    event = await a.expect('message')
    assert event['message'] == 'found'
    assert position(event) == (ack['epoch'], ack['seq'] + 1)
    assert time.monotonic() - start < 1 * PATIENCE


async def test_keys_have_the_prefix_and_a_life(nginx, redis):
    one = redis()
    ng = nginx(workers=1, location=FREE + 'ws_chat_history 5 60s;',
               zone=zone(one.port).replace('1m;', '1m prefix=app:;'))
    a = await Client.connect(ng, user='ann')
    await a.join(ROOM)
    for i in range(8):
        await a.send(ROOM, i, cid='c%d' % i)
    keys = set(one.cli('keys', '*').splitlines())
    assert keys == {'app:{0}:inc', 'app:{0}:mode', 'app:{0}:e:room',
                    'app:{0}:s:room', 'app:{0}:k:room'} | {
        'app:{0}:d:room 3 ann c%d' % i for i in range(8)}
    life = {key: int(one.cli('pttl', key)) for key in keys}
    assert life['app:{0}:inc'] == -1
    assert 1850000 < life['app:{0}:e:room'] <= 1860000
    assert 3650000 < life['app:{0}:s:room'] <= 3660000
    assert 86000000 < life['app:{0}:d:room 3 ann c0'] <= 86400000
    assert 86000000 < life['app:{0}:k:room'] <= 86400000
    assert one.cli('xlen', 'app:{0}:s:room') == '5'
    await until(lambda: re.fullmatch(
        r'\d+-7', one.cli('get', 'app:{0}:d:room 3 ann c6')))


async def test_the_longest_life_counts(nginx, redis):
    """A chat's locations may keep messages for different times."""
    one = redis()
    ng = nginx(workers=1, location=FREE + 'ws_chat_history 5 60s;',
               zone=zone(one.port), server="""
        location = /long {
            ws_chat zone=chat;
            ws_chat_history 5 600s;
        }
        """)

    def seconds():
        return int(one.cli('ttl', 'wsc:{0}:s:room'))

    a = await Client.connect(ng, user='ann')
    b = await Client.connect(ng, user='ben', path='/long')
    for member in a, b:
        await member.join(ROOM)
    await a.send(ROOM, 1, cid='c1')
    assert 3600 < seconds() <= 3660
    await b.send(ROOM, 2, cid='c2')
    assert 4190 < seconds() <= 4200
    one.cli('expire', 'wsc:{0}:s:room', '4000')
    await b.send(ROOM, 3, cid='c3')
    assert 4190 < seconds() <= 4200
    await a.send(ROOM, 4, cid='c4')
    assert 4190 < seconds() <= 4200


async def test_a_send_is_one_round_trip(nginx, redis):
    """When a chat is known: no question is asked, and it is told once."""
    one = redis()
    ng = nginx(workers=1, zone=zone(one.port), location=FREE)
    a = await Client.connect(ng, user='ann')
    await a.join(ROOM)
    await a.send(ROOM, 'first', cid='first')
    before = calls(one)
    for n in range(20):
        await a.send(ROOM, n, cid='c%d' % n)
    after = calls(one)
    # the dedupe record is touched, the stream's life is known
    for name, each in (('mget', 0), ('exec', 1), ('xadd', 1), ('pexpire', 1)):
        assert after[name] - before[name] == 20 * each, name
    # and a canary each second
    assert after['publish'] - before['publish'] < 25
    store = ng.status()['zones'][0]
    assert (store['quick'], store['aborted'], store['strays']) == (20, 0, 0)

    # a known cid is noticed all the same
    ack = await a.send(ROOM, 'again', cid='c7')
    assert ack['dup'] and ack['seq'] == 9, ack
    store = ng.status()['zones'][0]
    assert (store['quick'], store['aborted']) == (20, 1)


async def test_senders_who_cross(nginx, redis):
    """Both expect the same position: one of them was wrong."""
    one = redis()
    nodes = [nginx(workers=1, zone=zone(one.port), location=FREE)
             for _ in range(2)]
    members = [await Client.connect(ng, user='user-%d' % i)
               for i, ng in enumerate(nodes)]
    for member in members:
        await member.join(ROOM)
    seen, n = [], 0
    while not sum(ng.status()['zones'][0]['strays'] for ng in nodes):
        for n in range(n, n + 50):
            await asyncio.gather(*(m.send(ROOM, n, cid='c%d' % n)
                                   for m in members))
        order = [(e.position, e.sender, e.cid) for e in one.stream(ROOM)]
        assert len(order) == 2 * (n + 1)
        for member in members:
            got = [await member.expect('message')
                   for _ in order[len(seen):]]
            assert [(position(e), e['sender'], e['cid'])
                    for e in got] == order[len(seen):]
        seen, n = order, n + 1


async def test_an_epoch_that_ended_meanwhile(nginx, redis):
    """What the stream refuses is not stored, and does not seem so."""
    one = redis()
    ng = nginx(workers=1, zone=zone(one.port), location=FREE)
    a = await Client.connect(ng, user='ann')
    await a.join(ROOM)
    epoch = (await a.send(ROOM, 'first', cid='c1'))['epoch'] + 1000
    one.cli('set', 'wsc:{0}:e:room', str(epoch))
    one.cli('xadd', 'wsc:{0}:s:room', '%d-*' % epoch, 'm', 'not ours')
    ack = await a.send(ROOM, 'second', cid='c2')
    assert (ack['epoch'], ack['seq']) == (epoch, 2), ack
    ack = await a.send(ROOM, 'second', cid='c2')
    assert ack['dup'] and (ack['epoch'], ack['seq']) == (epoch, 2), ack


async def test_a_stream_that_was_deleted(nginx, redis):
    """Its positions were used: what comes next is of another epoch."""
    one = redis()
    ng = nginx(workers=1, zone=zone(one.port), location=FREE)
    a = await Client.connect(ng, user='ann')
    await a.join(ROOM)
    for n in range(3):
        first = await a.send(ROOM, n, cid='a%d' % n)
    for name, quick in (('b', True), ('c', False)):
        one.cli('del', 'wsc:{0}:s:room')
        if not quick:
            # the next send asks for all again
            one.cli('set', 'wsc:{0}:inc', one.cli('get', 'wsc:{0}:inc'))
        for n in range(2):
            ack = await a.send(ROOM, n, cid='%s%d' % (name, n))
            assert ack['epoch'] > first['epoch'], ack
            assert ack['seq'] == n + 1, ack
        first = ack
        assert [e.position for e in one.stream(ROOM)] == [
            (ack['epoch'], 1), (ack['epoch'], 2)]


async def test_why_a_send_was_refused(nginx, redis):
    """Whichever command of the transaction it was."""
    one = redis()
    ng = nginx(workers=1, zone=zone(one.port), location=FREE)
    a = await Client.connect(ng, user='ann')
    await a.join(ROOM)
    await a.send(ROOM, 'first')
    one.cli('acl', 'setuser', 'default', '-set')
    with pytest.raises(ChatError) as refused:
        await a.send(ROOM, 'second')
    assert refused.value.code == 'unavailable'
    assert re.search("refused EXEC: NOPERM .*'set'", ng.log()), ng.report()
    one.cli('acl', 'setuser', 'default', '+set')
    assert (await a.send(ROOM, 'third'))['seq'] == 2


async def test_who_joined_before_the_first_message(nginx, redis):
    """Nothing was missed, as long as nothing is old enough to be gone."""
    one = redis()
    ng = nginx(workers=1, location=FREE + 'ws_chat_history 100 24h;',
               zone=zone(one.port))
    a = await Client.connect(ng, user='ann')
    b = await Client.connect(ng, user='bob')
    head = (await b.join(ROOM))['head']
    assert head['seq'] == 0
    await b.close()
    await a.join(ROOM)
    await a.send(ROOM, 'first', cid='c1')
    async with await Client.connect(ng, user='bob') as b:
        reply = await b.join(ROOM, after=head)
        assert reply['recovered'], reply
        assert [event['cid'] for event in reply['messages']] == ['c1']

    # the incarnation is older than what is kept, that message is gone
    replid, epoch = one.cli('get', 'wsc:{0}:inc').split()
    one.cli('set', 'wsc:{0}:inc', '%s %d' % (
        replid, int(epoch) - 25 * 3600 * 1000))
    one.cli('del', 'wsc:{0}:s:room', 'wsc:{0}:e:room')
    await a.send(ROOM, 'second', cid='c2')
    async with await Client.connect(ng, user='bob') as b:
        reply = await b.join(ROOM, after=head)
        assert not reply['recovered'] and reply['reason'] == 'too_old', reply


def calls(one):
    """How often each command was called."""
    found = collections.Counter()
    for line in one.cli('info', 'commandstats').splitlines():
        name, _, numbers = line.partition(':')
        if name.startswith('cmdstat_'):
            found[name[8:]] = int(re.search(r'calls=(\d+)', numbers)[1])
    return found


async def until(condition):
    await asyncio.to_thread(wait_for, condition)


def test_options_of_a_zone(nginx):
    for line, said in (
            ('ws_chat_zone chat:1m delivery=live;', 'needs a "ws_chat_redis"'),
            ('ws_chat_zone chat:1m "prefix={x}";', 'braces'),
            ('ws_chat_zone chat:1m speed=9;', 'does not know "speed=9"')):
        code, text = nginx(zone=line, start=False).check_conf()
        assert code != 0 and said in text, text
