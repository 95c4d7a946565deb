"""Limits: what is above them is told, and harms nobody else."""

import asyncio
import base64
import json
import os
import random
import socket
import threading
import time
import zlib

import pytest

from harness.client import ChatError, Client
from harness.history import History, position
from harness.member import Member
from harness.nginx import ASAN, TEST_STORE, wait_for
from harness.raw import CLOSE, CONT, PING, PONG, TEXT, Raw, close_frame, frame
from harness.witness import Witness

# what comes is looked at message by message
NGINX_HTTP = 'ws_chat_presence off;'

FREE = 'ws_chat_rate off; '
DEFLATE = {'Sec-WebSocket-Extensions': 'permessage-deflate'}


def pos(event):
    return {k: event[k] for k in ('epoch', 'seq')}


# the rate

async def test_waiting_retry_ms_loses_nothing(nginx):
    ng = nginx(location='ws_chat_rate 10r/s burst=5;')
    ann, bob = [await Client.connect(ng, user=u) for u in ('ann', 'bob')]
    for client in ann, bob:
        await client.settle('join', chat_id='room')
    commands = [{'op': 'send', 'id': i, 'chat_id': 'room', 'cid': 'c%d' % i,
                 'message': i} for i in range(15)]
    await ann.post(commands)
    replies = [await ann.reply(i) for i in range(15)]
    refused = [r for r in replies if r.get('code') == 'rate_limited']
    assert [r['id'] for r in refused] == list(range(5, 15))
    for reply in refused:
        assert reply['temporary'] is True and reply['message']
        assert 1 <= reply['retry_ms'] <= 100
        assert reply['cid'] == 'c%d' % reply['id']
        assert reply['chat_id'] == 'room'
    assert TEST_STORE or all(r['ev'] == 'ack' for r in replies[:5])

    # who waits as told is not refused again
    waits = 0
    for i, reply in enumerate(replies):
        while reply['ev'] != 'ack':
            assert TEST_STORE or reply['code'] == 'rate_limited'
            await asyncio.sleep(reply['retry_ms'] / 1000)
            await ann.post(commands[i])
            reply = await ann.reply(i)
            if reply.get('code') != 'unavailable':
                waits += 1
                assert reply['ev'] == 'ack' or TEST_STORE, reply
    assert waits >= 10
    for client in ann, bob:
        got = await client.collect(15)
        assert sorted(e['message'] for e in got) == list(range(15))
        await client.nothing()
    # other commands are not counted
    await ann.post([{'op': 'ping', 'id': 'p%d' % i} for i in range(60)])
    assert [(await ann.recv())['ev'] for _ in range(60)] == ['pong'] * 60


async def test_ten_seconds_over_the_rate(nginx):
    ng = nginx(location='ws_chat_rate 10r/s burst=5;')
    flood, calm, twice = [await Client.connect(ng, user=u)
                          for u in ('flood', 'calm', 'twice')]
    for client in flood, calm, twice:
        await client.settle('join', chat_id='room-' + client.welcome['user'])

    def send(i, chat):
        return {'op': 'send', 'chat_id': 'room-' + chat, 'cid': 'c%d' % i,
                'message': i}

    async def burst(i):
        await twice.post([send(i + k, 'twice') for k in range(20)])
        assert (await twice.expect('error'))['code'] == 'rate_limited'

    async def be_calm():
        for i in range(1000):
            await calm.settle('send', chat_id='room-calm', cid='c%d' % i,
                              message=i, retry=True)
            await asyncio.sleep(0.2)

    async def push():
        for i in range(0, 100000, 4):
            await flood.post([send(i + k, 'flood') for k in range(4)])
            await asyncio.sleep(0.05)

    begin = time.monotonic()
    await burst(0)
    tasks = [asyncio.create_task(be_calm()), asyncio.create_task(push())]
    assert (await flood.closed(60))[0] == 4129
    seconds = time.monotonic() - begin
    assert seconds >= 10
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    # what is long past does not count
    await burst(100)
    await asyncio.sleep(0.2)
    await burst(200)
    await twice.cmd('ping')
    assert not [e for e in calm.events if e.get('code') == 'rate_limited']

    # what came is what was not refused
    refused = sum(e.get('code') == 'rate_limited' for e in flood.events)
    stored = sum(e['ev'] == 'message' for e in flood.events)
    assert refused > 100 and 20 <= stored <= 10 * seconds + 6


# sizes

def ping(size):
    """A command of exactly so many octets."""
    head = '{"op":"ping","id":1,"x":"'
    return head + 'x' * (size - len(head) - 2) + '"}'


def deflate(data):
    packer = zlib.compressobj(9, wbits=-15)
    return (packer.compress(data.encode())
            + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]


def ways(size):
    """So many octets in every way to send them: (name, frames)."""
    text = ping(size)
    packed = deflate(text)
    yield 'whole', frame(text)
    yield 'two', frame(text[:600], fin=False) + frame(text[600:], CONT)
    yield 'empty ends', (frame('', fin=False) + frame(text, CONT, fin=False)
                         + frame('', CONT))
    yield 'many', (frame(text[:1], fin=False)
                   + b''.join(frame(one, CONT, fin=False)
                              for one in text[1:-1]) + frame('}', CONT))
    yield 'packed', frame(packed, rsv=4)
    yield 'packed in two', (frame(packed[:9], rsv=4, fin=False)
                            + frame(packed[9:], CONT))
    stored = zlib.compressobj(0, wbits=-15)
    stored = (stored.compress(text.encode())
              + stored.flush(zlib.Z_SYNC_FLUSH))[:-4]
    yield 'packed, not smaller', frame(stored, rsv=4)


def test_max_message(nginx):
    """1,000 octets are accepted, 1,001 are not, however they come."""
    ng = nginx(location='ws_chat_max_message 1000;'
                        'ws_chat_max_fragments 2000;')
    for name, frames in ways(1000):
        with Raw(ng) as r:
            r.upgrade(headers=DEFLATE)
            r.read_frame()
            for _ in range(2):
                r.send(frames)
                assert json.loads(r.read_frame().payload) == {
                    'ev': 'pong', 'id': 1}, name
            r.send(close_frame())
            assert r.read_close()[0] == 1000
    too_much = list(ways(1001)) + [
        ('claimed', frame('x', length=1001)),
        ('claimed far', frame('', length=2 ** 63 - 1)),
        ('claimed in the second', frame('x' * 600, fin=False)
         + frame('', CONT, length=401)),
        ('claimed in the third', frame('x' * 600, fin=False)
         + frame('x' * 400, CONT, fin=False) + frame('', CONT, length=1)),
    ]
    for name, frames in too_much:
        with Raw(ng) as r:
            r.upgrade(headers=DEFLATE)
            r.read_frame()
            r.send(frames)
            assert r.read_close()[0] == 1009, name
    wait_for(lambda: ng.status()['connections'] == 0)


def test_bombs(nginx):
    """Little that becomes much is refused before it does."""
    ng = nginx()
    before = ng.peak()
    bomb = deflate(' ' * (16 << 20))
    assert len(bomb) < 20000
    pieces = [bomb[i:i + 1000] for i in range(0, len(bomb), 1000)]
    for frames in (frame(bomb, rsv=4),
                   frame(pieces[0], rsv=4, fin=False)
                   + b''.join(frame(p, CONT, fin=False) for p in pieces[1:])):
        with Raw(ng) as r:
            r.upgrade(headers=DEFLATE)
            r.read_frame()
            r.send(frames)
            assert r.read_close()[0] == 1009
    assert ASAN or ng.peak() - before < 4 << 20


async def test_the_largest_message_reaches_all(nginx):
    """With its envelope the event is larger than the limit."""
    ng = nginx(location=FREE + 'ws_chat_max_message 65536;')
    members = [await Client.connect(ng, user='u%d' % i, fmt=fmt, deflate=d)
               for i, (fmt, d) in enumerate([
                   ('json', False), ('json', True), ('msgpack', False)])]
    for member in members:
        await member.settle('join', chat_id='room')
    for i, member in enumerate(members):
        command = {'op': 'send', 'id': 1, 'chat_id': 'room', 'cid': 'c',
                   'message': ''}
        size = 65536 - len(member.encode(command)) - 2 * (i == 2)
        body = base64.b64encode(os.urandom(49152)).decode()[:size]
        command['message'] = body
        assert len(member.encode(command)) == 65536
        while True:
            await member.post(command)
            reply = await member.reply(1)
            if reply['ev'] == 'ack':
                break
            assert reply['temporary'], reply
        for other in members:
            assert (await other.expect('message'))['message'] == body


def test_max_fragments(nginx):
    ng = nginx(location='ws_chat_max_fragments 4;')
    text = ping(40)
    pieces = [text[i:i + 10] for i in range(0, 40, 10)]
    with Raw(ng) as r:
        r.upgrade()
        r.read_frame()
        for _ in range(3):
            for i, piece in enumerate(pieces):
                r.send_frame(piece, TEXT if i == 0 else CONT, fin=i == 3)
                r.send_frame('between', PING)
                if i < 3:
                    assert r.read_frame().opcode == PONG
            got = [r.read_frame().opcode for _ in range(2)]
            assert sorted(got) == [TEXT, PONG]
        r.send_frame('', fin=False)
        for i in range(3):
            r.send_frame('', CONT, fin=False)
        r.send_frame('', PING)
        assert r.read_frame().opcode == PONG
        r.send_frame('', CONT)
        assert r.read_close()[0] == 1008


# members who do not read

async def deaf(ng, user, *chats):
    client = await Client.deaf(ng, user=user)
    heads = {chat: (await client.settle('join', chat_id=chat))['head']
             for chat in chats}
    return client, heads


async def hole(client, gap):
    """What a gap says was left out, from the history."""
    got, after = [], gap['after']
    while True:
        reply = await client.settle('history', chat_id=gap['chat_id'],
                                    after=after, limit=500)
        for event in reply['messages']:
            if position(event) >= position(gap['before']):
                return got
            got.append(event)
        if not reply['more']:
            return got
        after = pos(got[-1])


LAG = FREE + '''
    ws_chat_lag_limit 64k; ws_chat_history 5000 1h; ws_chat_lag_policy %s;
'''
BIG = {'zone': 'ws_chat_zone chat:128m;'}


async def test_who_reads_misses_nothing(nginx):
    """More than the limit at once is no lag of who takes it."""
    ng = nginx(location=FREE + 'ws_chat_lag_limit 256k;'
                               'ws_chat_max_message 1m;', **BIG)
    members = [await Client.connect(ng, user='u%d' % i, fmt=fmt)
               for i, fmt in enumerate(['json', 'msgpack', 'json', 'json'])]
    for member in members:
        await member.settle('join', chat_id='room')
    body = 'x' * 50000
    for turn in range(10):
        left = list(range(8))
        while left:
            await members[0].post([
                {'op': 'send', 'id': i, 'chat_id': 'room', 'message': body,
                 'cid': 'c%d-%d' % (turn, i)} for i in left])
            replies = [await members[0].reply(i) for i in left]
            left = [r['id'] for r in replies if r['ev'] == 'error']
        for member in members:
            await member.collect(8)
    assert ng.status()['gaps'] == 0


async def test_gaps_stand_at_the_holes(nginx):
    """One member stops reading; what it misses is told and can be had."""
    ng = nginx(location=LAG % 'gap', **BIG)
    history = History()
    others = []
    for i, options in enumerate([{}, {'fmt': 'msgpack'}, {'deflate': True},
                                 {}, {'fmt': 'msgpack', 'deflate': True}]):
        member = Witness(ng, 'u%d' % i, history, options)
        member.chats += ['busy', 'calm']
        await member.connect()
        await member.begin()
        others.append(member)
    talker = others[0]
    slow, heads = await deaf(ng, 'slow', 'busy', 'calm')
    for chat, head in heads.items():
        history.view('slow', chat).begin(position(head))

    rng = random.Random(1)
    body = base64.b64encode(os.urandom(30000)).decode()
    total = {'busy': 0, 'calm': 0}

    async def say(chat, size=0):
        total[chat] += 1
        await talker.say(chat, 'c%d' % total[chat], [
            total[chat], body[:rng.randrange(size + 1)]])

    while not ng.status()['gaps'] or total['busy'] < 150:
        await say('busy', 40000)
        if total['busy'] % 10 == 0:
            await say('calm')
    assert total['busy'] < 5000

    # it reads again, and the others go on
    events, gaps, last = [], [], {}

    async def read():
        while any(last.get(chat) != 'c%d' % total[chat] for chat in total):
            event = await slow.recv()
            view = history.view('slow', event['chat_id'])
            if event['ev'] == 'gap':
                assert event['reason'] == 'slow'
                view.gap(event)
                gaps.append(event)
            else:
                view.message(event)
                events.append(event)
                last[event['chat_id']] = event['cid']

    async def go_on():
        for _ in range(30):
            await say('busy', 1000)
            await say('calm')

    await go_on()
    reading = asyncio.create_task(read())
    await asyncio.sleep(0)
    await go_on()
    await reading
    await read()
    for chat, count in total.items():
        for member in others:
            await member.until(lambda: len(member.cids(chat)) == count, 60)
    history.verify(gaps=True)
    assert gaps and not any(m.gaps or m.returns for m in others)
    assert ng.status()['gaps'] == len(gaps)

    missed = [event for gap in gaps for event in await hole(slow, gap)]
    assert len(missed) > 10
    for chat, count in total.items():
        both = sorted((e for e in events + missed if e['chat_id'] == chat),
                      key=position)
        assert [e['message'][0] for e in both] == list(range(1, count + 1))
    await slow.nothing()


async def test_close_of_the_slow(nginx):
    """The policy `close`: 4108, and a resume brings the rest."""
    ng = nginx(location=LAG % 'close', **BIG)
    talker = await Member.start(ng, 'ann', ['room'])
    slow, heads = await deaf(ng, 'slow', 'room')
    body = base64.b64encode(os.urandom(30000)).decode()
    count = 0
    while ng.status()['members'] == 2:
        await talker.send('room', 'c%d' % count, [count, body])
        count += 1
    assert (await slow.closed())[0] == 4108
    got = [e for e in slow.events if e['ev'] == 'message']
    assert not [e for e in slow.events if e['ev'] == 'gap']
    assert [e['message'][0] for e in got] == list(range(len(got)))
    assert len(got) < count

    back = await Client.connect(ng, user='slow')
    while True:
        reply = await back.settle('join', chat_id='room', after=pos(got[-1]))
        if reply.get('reason') != 'unavailable':
            break
        await back.leave('room')
    assert reply['recovered']
    got += reply['messages']
    while len(got) < count:
        page = await back.settle('history', chat_id='room', limit=500,
                                 after=pos(got[-1]))
        got += page['messages']
    assert [e['message'][0] for e in got] == list(range(count))
    await talker.until(lambda: len(talker.cids('room')) == count)
    assert not talker.gaps and not talker.returns


@pytest.mark.parametrize('batch', [1, 64], ids=['alone', 'arrays'])
async def test_questions_of_who_does_not_read(nginx, batch):
    """The answers that wait for it are bounded: it is not read from."""
    ng = nginx(workers=1, location=FREE + 'ws_chat_max_message 1m;')
    ann = await Client.connect(ng, user='ann')
    await ann.settle('join', chat_id='room')
    for i in range(20):
        await ann.settle('send', chat_id='room', cid='c%d' % i,
                         message='x' * 15000, retry=True)
    await ann.collect(20)
    count = 64
    with Raw(ng, timeout=60, rcvbuf=4096) as r:
        await asyncio.to_thread(ask, ng, r, count, batch)
    await ann.settle('send', chat_id='room', cid='end', message='end')
    await ann.expect('message', cid='end')


def ask(ng, r, count, batch):
    r.upgrade()
    assert json.loads(r.read_frame().payload)['ev'] == 'welcome'
    while True:
        r.send_frame('{"op":"join","id":"j","chat_id":"room"}')
        reply = json.loads(r.read_frame().payload)
        if reply['ev'] == 'joined':
            break
        assert reply['temporary'], reply
    questions = [json.dumps({'op': 'history', 'id': i, 'chat_id': 'room',
                             'limit': 500, 'x': 'x' * (500000 // batch)})
                 for i in range(count)]
    frames = [frame('[%s]' % ','.join(questions[i:i + batch]))
              for i in range(0, count, batch)]
    # so much that the kernel does not take it for us
    tail = frame(json.dumps({'op': 'ping', 'id': 'end', 'x': 'x' * 900000}))
    tail = frame('{"op":"ping"}') * 200 + tail + frame(ping(900000)) * 20
    thread = threading.Thread(target=send_all, args=(
        r, b''.join(frames) + tail))
    thread.start()
    try:
        held = [0]

        def settled():
            held.append(ng.status()['memory'])
            return held[-1] > 1 << 18 and len(set(held[-8:])) == 1

        wait_for(settled, what='nothing moves any more')
        assert thread.is_alive()
        assert max(held) < 5 << 20, max(held)
        r.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        pending = set(range(count)) | {'end'}
        early = 0
        while pending:
            got = json.loads(r.read_frame().payload)
            if got['ev'] == 'pong' and got['id'] == 1:
                # a store that is far away: a ping overtook the last history
                early += 1
                continue
            pending.remove(got['id'])
            if got['ev'] == 'history':
                assert len(got['messages']) == 20, (
                    got['complete_to'], got['more'], len(got['messages']))
            else:
                assert got['ev'] == 'pong' or got['temporary'], got
        for _ in range(20 - early):
            r.read_frame()
    finally:
        r.sock.shutdown(socket.SHUT_RDWR)
        thread.join()


def send_all(r, data):
    try:
        r.send(data)
    except OSError:
        pass
