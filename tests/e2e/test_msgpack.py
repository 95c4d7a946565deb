"""The subprotocol chat.v1.msgpack: the same maps as in JSON, and octets."""

import asyncio
import base64
import json
import os
import signal
import struct

import msgpack
import pytest

from harness.client import ChatError, Client
from harness.member import connect_to
from harness.nginx import ASAN, TEST_STORE, wait_for

FREE = 'ws_chat_rate off; '


def pos(event):
    return {k: event[k] for k in ('epoch', 'seq')}


def pack(value):
    return msgpack.packb(value, use_bin_type=True)


def same(a, b):
    """Equal, and of the same types all the way down."""
    if isinstance(a, dict) and isinstance(b, dict):
        # both are present, one after the other
        return a.keys() == b.keys() and all(
            k == 'presence' or same(a[k], b[k]) for k in a)
    if type(a) is not type(b):
        return False
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float):
        return struct.pack('d', a) == struct.pack('d', b)
    return a == b


async def pair(ng, chat='room', worker=None, **options):
    """The same user twice: by JSON and by msgpack, both in the chat."""
    clients = []
    for fmt in 'json', 'msgpack':
        client = await connect_to(ng, worker, user='ann', fmt=fmt, **options)
        if chat:
            await client.settle('join', chat_id=chat)
        clients.append(client)
    return clients


async def answers(client, *commands):
    """The replies, or errors, to commands sent one by one."""
    got = []
    for command in commands:
        while True:
            await client.post(command)
            reply = await client.take(lambda e: e.get('id') == command['id'])
            if (not reply.get('temporary')
                    and reply.get('reason') != 'unavailable'):
                break
        got.append(reply)
    return got


@pytest.fixture
def ng(nginx):
    return nginx(location=FREE + 'ws_chat_max_message 1m;')


# both members get the same

async def test_welcome(nginx):
    ng = nginx(location='ws_chat_history 7 3h; ws_chat_rate 3r/s burst=9;',
               http='ws_chat_node "n\\u00f6de";')
    j, m = await pair(ng, None)
    j, m = j.welcome, m.welcome
    for w in j, m:
        assert w.pop('session') and type(w.pop('server_time')) is int
    assert same(j, m) and j['user'] == 'ann'


async def test_replies_are_the_same_maps(nginx):
    ng = nginx(location=FREE + 'ws_chat_max_chats 3;')
    j, m = await pair(ng)
    start = (await j.settle('join', chat_id='room'))['head']
    for i in range(5):
        await j.settle('send', chat_id='room', cid='c%d' % i, retry=True,
                       message={'n': i, 'a': [None, True, 1.5, 'é\U0001f600']})
    events = await j.collect(5)
    assert same(events, await m.collect(5))

    commands = [
        {'op': 'ping', 'id': 1}, {'op': 'ping', 'id': 2 ** 53 - 1},
        {'op': 'ping', 'id': -2 ** 53 + 1}, {'op': 'ping', 'id': 'x' * 64},
        {'op': 'ping', 'id': 'é"\\\n'},
        {'op': 'send', 'id': 3, 'chat_id': 'room', 'cid': 'c0', 'message': 0},
        {'op': 'join', 'id': 4, 'chat_id': 'room'},
        {'op': 'join', 'id': 5, 'chat_id': 'room', 'history': 2},
        {'op': 'join', 'id': 6, 'chat_id': 'room', 'after': start},
        {'op': 'join', 'id': 7, 'chat_id': 'room',
         'after': {'epoch': 1, 'seq': 1}},
        {'op': 'join', 'id': 8, 'chat_id': 'room',
         'after': dict(pos(events[0]), seq=99)},
        {'op': 'history', 'id': 9, 'chat_id': 'room'},
        {'op': 'history', 'id': 10, 'chat_id': 'room', 'limit': 2,
         'before': pos(events[4])},
        {'op': 'history', 'id': 11, 'chat_id': 'room', 'limit': 2,
         'after': start},
        {'op': 'leave', 'id': 12, 'chat_id': 'elsewhere'},
        {'op': 'join', 'id': 13, 'chat_id': 'empty', 'history': 1},
        {'op': 'join', 'id': 14, 'chat_id': 'third'},
        {'op': 'join', 'id': 15, 'chat_id': 'fourth'},
        {'op': 'join', 'id': 16, 'chat_id': 'no good'},
        {'op': 'join', 'id': 17, 'chat_id': 'a', 'history': 501},
        {'op': 'send', 'id': 18, 'chat_id': 'other', 'cid': 'q',
         'message': 0},
        {'op': 'send', 'id': 19, 'chat_id': 'room', 'cid': '',
         'message': 0},
        {'op': 'send', 'id': 20, 'chat_id': 'room', 'cid': 'x'},
        {'op': 'history', 'id': 21, 'chat_id': 'other'},
        {'op': 'what', 'id': 22, 'chat_id': 'room', 'cid': 'c'},
        {'id': 23}, {'op': 5, 'id': 24},
        {'op': 'leave', 'id': 25, 'chat_id': 'room'},
    ]
    json_side = await answers(j, *commands)
    msgpack_side = await answers(m, *commands)
    for command, a, b in zip(commands, json_side, msgpack_side):
        if TEST_STORE and ('unread' in a) != ('unread' in b):
            # it fails to count now and then, and the reply goes without
            a.pop('unread', None), b.pop('unread', None)
        assert same(a, b), (command, a, b)
    codes = {a['code'] for a in json_side if a['ev'] == 'error'}
    assert codes == {'bad_request', 'unknown_op', 'not_joined',
                     'too_many_chats'}
    assert {a.get('reason') for a in json_side} == {None, 'epoch', 'ahead'}


async def test_without_id(ng):
    j, m = await pair(ng)
    for client in j, m:
        await client.post({'op': 'what', 'chat_id': 'room'})
        await client.post({'op': 'ping'})
        await client.post([{'op': 'what', 'cid': 'c'}, 7])
        await client.nothing('pong')
    # the one text that knows the encoding
    assert 'object' in j.events[-1].pop('message')
    assert 'map' in m.events[-1].pop('message')
    assert same(list(j.events), list(m.events))
    assert [e['code'] for e in j.events] == ['unknown_op', 'unknown_op',
                                             'bad_request']


@pytest.mark.plain_store
async def test_ack_and_rate_limited(nginx):
    ng = nginx(location='ws_chat_rate 1r/s burst=2;')
    got = []
    for i, fmt in enumerate(('json', 'msgpack')):
        client = await Client.connect(ng, user='u', fmt=fmt)
        chat = 'room%d' % i
        await client.join(chat)
        got.append([await client.send(chat, 1, cid='a', id=i)
                    for i in (1, 2)])
        with pytest.raises(ChatError) as e:
            await client.send(chat, 1, cid='b', id=3)
        got[-1].append(e.value.event)
        for reply in got[-1]:
            assert reply.pop('chat_id') == chat
            for key in 'epoch', 'timestamp', 'retry_ms':
                assert type(reply.pop(key, 0)) is int
    assert same(got[0], got[1])
    assert [r['ev'] for r in got[0]] == ['ack', 'ack', 'error']
    assert got[0][1]['dup'] is True and got[0][0]['dup'] is False


@pytest.mark.plain_store
async def test_gap(nginx):
    ng = nginx(location=FREE + 'ws_chat_history 10 1h;')
    w1, w2 = ng.worker_pids()
    talker = await connect_to(ng, w1, user='bob')
    await talker.join('room')
    j, m = await pair(ng, worker=w2)
    os.kill(w2, signal.SIGSTOP)
    try:
        for i in range(30):
            await talker.send('room', i)
    finally:
        os.kill(w2, signal.SIGCONT)
    got = [await client.collect(1, 'gap') + await client.collect(10)
           for client in (j, m)]
    assert same(got[0], got[1])
    assert got[0][0]['reason'] == 'trimmed'


async def test_reconnect(nginx):
    ng = nginx(location='ws_chat_drain 200ms;')
    j, m = await pair(ng)
    await asyncio.to_thread(ng.reload)
    got = []
    for client in j, m:
        event = await client.expect('reconnect')
        assert type(event.pop('in_ms')) is int
        got.append(event)
        assert (await client.closed())[0] == 1012
    assert same(got[0], got[1])


# values, both ways

VALUES = [
    None, True, False, 0, 1, -1, 127, 128, 255, 256, 65535, 65536,
    2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, 2 ** 63 - 1, 2 ** 63, 2 ** 64 - 1, -32,
    -33, -128, -129, -32768, -32769, -2 ** 31, -2 ** 31 - 1, -2 ** 63,
    0.0, -0.0, 1.0, 1.5, -2.25, 1e300, 5e-324, 0.1, 1 / 3, 1e16, 1e21, 1e-7,
    123456789.125, '', 'a', 'é', 'a' * 31, 'a' * 32, 'a' * 255, 'a' * 256,
    'a' * 65535, 'a' * 65536, '\U0001f600' * 9, '"\\/\b\f\n\r\t\x01\x1f\x7f',
    '\u2028\u2029\ufeff\uffff', '</script>', [], [[]], list(range(15)),
    list(range(16)), [0] * 65535, [''] * 65536, {}, {'': {}},
    {'k%d' % i: i for i in range(15)}, {'k%d' % i: i for i in range(16)},
    {'k%d' % i: None for i in range(65536)},
    {'a"\\\né\U0001f600': ['mixed', 1, 1.0, {'b': [None, False]}]},
    {'ev': 'message', 'op': 'send', 'message': {'message': 1}},
    json.loads('[' * 32 + ']' * 32),
]


async def test_values_both_ways(nginx):
    ng = nginx(location=FREE + 'ws_chat_max_message 2m;'
                               'ws_chat_lag_limit 64m;',
               zone='ws_chat_zone chat:32m;')
    clients = await pair(ng)
    for n, value in enumerate(VALUES):
        for i, sender in enumerate(clients):
            await sender.settle('send', chat_id='room', message=value,
                                cid='%d-%d' % (n, i), retry=True)
            for client in clients:
                event = await client.expect('message')
                assert same(event['message'], value), (
                    sender.fmt, client.fmt, value, event['message'])
                assert 'enc' not in event


async def test_other_ways_to_write_values(ng):
    """What an encoder may do and Python's does not."""
    j, m = await pair(ng)
    single = struct.pack('!Bf', 0xca, 1.5)
    cases = [(single, 1.5), (b'\xcc\x05', 5), (b'\xd3' + b'\0' * 7 + b'\7', 7),
             (b'\xd0\x05', 5), (b'\xcf' + b'\0' * 8, 0), (b'\xd9\x01a', 'a'),
             (b'\xda\0\x01a', 'a'), (b'\xdb\0\0\0\x01a', 'a'),
             (b'\xdc\0\x01\xc0', [None]), (b'\xdd\0\0\0\x01\x01', [1]),
             (b'\xde\0\x01\xa1a\x01', {'a': 1}),
             (b'\xdf\0\0\0\x01\xd9\x01a\xa0', {'a': ''}),
             (struct.pack('!Bf', 0xca, 0.1), struct.unpack(
                 '!f', struct.pack('!f', 0.1))[0])]
    for i, (octets, value) in enumerate(cases):
        while True:
            await m.raw(command(octets, i))
            reply = await m.reply(i)
            if reply['ev'] == 'ack':
                break
            assert reply['temporary'], reply
        for client in j, m:
            event = await client.expect('message')
            assert same(event['message'], value), (octets, event)


async def test_positions_may_be_floats(ng):
    """Some encoders write integers beyond 32 bits so."""
    _, m = await pair(ng)
    acks = [await m.settle('send', chat_id='room', cid='c%d' % i, message=i,
                           retry=True) for i in range(3)]
    await m.collect(3)
    after = {'epoch': float(acks[0]['epoch']), 'seq': 1.0}
    reply, = await answers(m, {'op': 'join', 'id': 'j', 'chat_id': 'room',
                               'after': after})
    assert reply['recovered'] and len(reply['messages']) == 2
    for seq in 1.5, -1.0, 1e300:
        reply, = await answers(m, {'op': 'join', 'id': 'k', 'chat_id': 'room',
                                   'after': dict(after, seq=seq)})
        assert reply['code'] == 'bad_request'


# octets

async def test_octets_as_the_whole_message(ng):
    j, m = await pair(ng)
    bodies = [b'', b'\0', b'\0\xff', b'abc', b'not text \xc3', bytes(range(256)),
              b'x' * 255, b'x' * 256, os.urandom(65536), os.urandom(100001)]
    for i, body in enumerate(bodies):
        await m.settle('send', chat_id='room', message=body, cid='b%d' % i,
                       retry=True)
    text = base64.b64encode(bodies[3]).decode()
    await j.settle('send', chat_id='room', message=text, cid='text',
                   retry=True)

    live = [await client.collect(len(bodies) + 1) for client in (j, m)]
    later = [(await client.settle('history', chat_id='room'))['messages']
             for client in (j, m)]
    assert live == later
    for body, a, b in zip(bodies, *live):
        assert type(b['message']) is bytes and b['message'] == body
        assert 'enc' not in b
        assert base64.b64decode(a['message'], validate=True) == body
        assert a.pop('enc') == 'base64'
        a.pop('message'), b.pop('message')
        assert same(a, b)
    for events in live:
        assert events[-1]['message'] == text and 'enc' not in events[-1]


# what is refused

def command(message, ident=1, cid='c', chat='room'):
    """A send whose message is these octets."""
    head = pack({'op': 'send', 'id': ident, 'chat_id': chat,
                 'cid': '%s%s' % (cid, ident)})
    assert head[0] == 0x84
    return b'\x85' + head[1:] + pack('message') + message


def pairs(*octets):
    return bytes([0x80 | len(octets) // 2]) + b''.join(octets)


BAD_MESSAGES = [
    ('ext', b'\xd4\x01\0'), ('ext', b'\xd8\x01' + b'x' * 16),
    ('ext', b'\xc7\x01\x05x'), ('ext', b'\xc8\0\x01\x05x'),
    ('ext', b'\xc9\0\0\0\x01\x05x'), ('ext', b'\xd6\xff\0\0\0\0'),
    ('ext', b'\x91\xd4\x01\0'), ('ext', pairs(pack('a'), b'\xd4\x01\0')),
    ('key', pairs(b'\x01', b'\x01')), ('key', pairs(b'\xc0', b'\x01')),
    ('key', pairs(b'\xc4\x01a', b'\x01')), ('key', pairs(b'\x90', b'\x01')),
    ('key', b'\x91' + pairs(b'\xc3', b'\x01')),
    ('key', pairs(pack('a'), b'\x01', pack('a'), b'\x02')),
    ('key', pairs(b'\xa1a', b'\x01', b'\xd9\x01a', b'\x02')),
    ('bin', b'\x91\xc4\x01a'), ('bin', pairs(pack('a'), b'\xc4\0')),
    ('UTF-8', b'\xa1\xff'), ('UTF-8', b'\xa2\xc3('), ('UTF-8', b'\xa1\xc3'),
    ('UTF-8', b'\xa3\xed\xa0\x80'), ('UTF-8', b'\xa2\xc0\x80'),
    ('UTF-8', b'\xa4\xf4\x90\x80\x80'), ('UTF-8', b'\x91\xa1\x80'),
    ('UTF-8', pairs(b'\xa1\xff', b'\x01')),
    ('', b'\xa1\0'), ('', pairs(b'\xa1\0', b'\x01')),
    ('', b'\xcb\x7f\xf8' + b'\0' * 6), ('', b'\xcb\x7f\xf0' + b'\0' * 6),
    ('', b'\xcb\xff\xf0' + b'\0' * 6), ('', b'\xca\x7f\xc0\0\0'),
    ('', b'\xca\x7f\x80\0\0'), ('', b'\x91\xcb\x7f\xf8' + b'\0' * 6),
    ('', b'\x91' * 33 + b'\xc0'), ('', b'\x91' * 33 + b'\x90'),
]


async def test_messages_that_are_refused(ng):
    j, m = await pair(ng)
    for start in range(0, len(BAD_MESSAGES), 15):
        client = await Client.connect(ng, user='bob', fmt='msgpack')
        await client.settle('join', chat_id='room')
        for told, octets in BAD_MESSAGES[start:start + 15]:
            await client.raw(command(octets, 7))
            error = await client.reply(7)
            assert error['code'] == 'bad_request', (octets[:20], error)
            assert error['temporary'] is False and told in error['message']
            assert error['cid'] == 'c7' and error['chat_id'] == 'room'
            await client.nothing()
        await client.close()
    for client in j, m:
        await client.nothing('message')


async def test_commands_that_are_refused(ng):
    bad = [
        pack({'op': 'ping', 'id': b'x'}), pack({'op': b'ping'}),
        pack({'op': 'join', 'chat_id': b'room'}),
        pack({'op': 'ping', 'id': 2 ** 53}), pack({'op': 'ping', 'id': 1.5}),
        pack({'op': 'ping', 'id': float('nan')}),
        pack({'op': 'join', 'chat_id': 'room', 'history': float('inf')}),
        pairs(pack('op'), b'\xa4pin\xff'),
        pairs(pack('op'), pack('ping'), pack('op'), pack('ping')),
        pairs(pack('op'), pack('join'), pack('chat_id'), b'\xa2a\0'),
        pack('ping'), pack(7), pack(None), pack(b'\x81'), pack([]),
        pack([[{'op': 'ping'}]]), pack({}), pack([{'op': 'ping'}] * 65),
    ]
    for one in bad:
        client = await Client.connect(ng, user='bob', fmt='msgpack')
        await client.raw(one)
        error = await client.expect('error')
        assert error['code'] == 'bad_request', (one, error)
        assert 'id' not in error or error['id'] == 1
        await client.nothing()
        await client.close()


HOSTILE = [
    b'', b'\xc1', b'\x91\xc1', b'\xdd\xff\xff\xff\xff', b'\xdf\xff\xff\xff\xff',
    b'\xdd\xff\xff\xff\xff' * 1000, b'\xdf\xff\xff\xff\xff' * 1000,
    b'\xdc\xff\xff' * 1000, b'\xde\xff\xff' * 1000, b'\xdb\xff\xff\xff\xff',
    b'\xdb\xff\xff\xff\xffabc', b'\xdb\x7f\xff\xff\xff', b'\xda\xff\xffabc',
    b'\xd9\xff', b'\xc6\xff\xff\xff\xff', b'\xc6\xff\xff\xff\xffx' * 100,
    b'\xc5\xff\xff', b'\xc4\xff', b'\xc9\xff\xff\xff\xff\x01',
    b'\xc8\xff\xff\x01', b'\xc7\xff\x01', b'\xd8\x01', b'\xdd\x80\0\0\0\x80',
    b'\xdf\x80\0\0\0\xa0\x80', b'\xdd\0\0\0\x02\xc0', b'\x91' * 65000,
    b'\x81\xa0' * 30000, b'\x9f' * 65000, b'\x8f\xa0' * 30000,
    b'\xdd\0\0\xff\xff' + b'\x80' * 65534, b'\xcf', b'\xcb\0', b'\xff' * 65000,
    b'\x81\xdb\xff\xff\xff\xff\xa0', b'\xde\xff\xff\xa1',
    pack({'op': 'ping'}) + b'\xc0', pack({'op': 'ping'}) * 2,
    command(b'\xdd\xff\xff\xff\xff'), command(b'\xdf\xff\xff\xff\xff'),
    command(b'\xc6\xff\xff\xff\xff'), command(b'\xdb\xff\xff\xff\xff'),
    command(b'\x91' * 60000),
    b'\x82' + pack('op') + pack('ping') + b'\xdb\xff\xff\xff\xff',
    b'\x82' + pack('op') + pack('join') + pack('after')
    + b'\xdf\xff\xff\xff\xff',
]


async def test_hostile_headers(ng):
    """Refused from what is there, not from what is claimed."""
    before = ng.peak()
    for start in range(0, len(HOSTILE), 15):
        client = await Client.connect(ng, user='bob', fmt='msgpack')
        await client.settle('join', chat_id='room')
        for one in HOSTILE[start:start + 15]:
            await client.raw(one)
            error = await client.expect('error')
            assert error['code'] == 'bad_request', (one[:20], error)
            await client.nothing()
        await client.close()
    assert ASAN or ng.peak() - before < 4 << 20
    wait_for(lambda: ng.status()['connections'] == 0)


async def test_truncated_commands(ng):
    """Each beginning of a command is none, and does no harm."""
    whole = pack([{'op': 'send', 'id': 1000, 'chat_id': 'room', 'cid': 'whole',
                   'message': {'k': [1, 2.5, None, True, 'text', -7]}},
                  {'op': 'join', 'chat_id': 'room', 'history': 5,
                   'after': {'epoch': 2 ** 40, 'seq': 70000}}])
    j, _ = await pair(ng)
    for start in range(0, len(whole), 19):
        client = await Client.connect(ng, user='bob', fmt='msgpack')
        await client.settle('join', chat_id='room')
        for size in range(start, min(start + 19, len(whole))):
            await client.raw(whole[:size])
            error = await client.expect('error')
            assert error['code'] == 'bad_request' and 'id' not in error
        await client.nothing()
        await client.close()
    await j.nothing('message')
