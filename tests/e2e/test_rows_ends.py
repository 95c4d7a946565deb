"""The protocol's rows of what goes wrong, and of ends, in both encodings."""

import asyncio
import signal
import time

import pytest

from harness import tokens
from harness.client import ChatError, Client
from harness.nginx import PATIENCE
from harness.raw import BINARY, TEXT, Raw, close_frame, frame

pytestmark = [pytest.mark.once, pytest.mark.plain_store,
              pytest.mark.parametrize('fmt', ['json', 'msgpack'])]

LONG = 30 * PATIENCE
ROOM = 'room'
LAG = '''
    ws_chat_rate off; ws_chat_presence off; ws_chat_history 5000 1h;
    ws_chat_lag_limit 64k; ws_chat_lag_policy %s;
'''


def live(port):
    return ('ws_chat_zone chat:1m;'
            'ws_chat_redis chat redis://127.0.0.1:%d timeout=60s;' % port)


async def joined(ng, user, fmt):
    client = await Client.connect(ng, user=user, fmt=fmt)
    await client.settle('join', chat_id=ROOM)
    return client


def upgraded(ng, fmt):
    """A bare socket: it answers no ping, and sends what no library would."""
    raw = Raw(ng)
    raw.upgrade('/chat', {'Sec-WebSocket-Protocol': 'chat.v1.' + fmt})
    welcome = raw.read_frame()
    assert welcome.opcode == (TEXT if fmt == 'json' else BINARY)
    return raw


# who does not read

async def until(ng, talker, done):
    """The talker sends until done() of the status."""
    for n in range(3000):
        if done(await asyncio.to_thread(ng.status)):
            return
        await talker.settle('send', chat_id=ROOM, cid='c%d' % n,
                            message=[n, 'x' * 20000])
    raise AssertionError('nothing was done about who does not read')


async def one_deaf(nginx, fmt, policy):
    """Who talks, and a member that reads nothing."""
    ng = nginx(workers=1, zone='ws_chat_zone chat:64m;',
               location=LAG % policy)
    talker = await joined(ng, 'ann', fmt)
    slow = await Client.deaf(ng, user='slow', fmt=fmt)
    await slow.settle('join', chat_id=ROOM)
    return ng, talker, slow


@pytest.mark.row('gap')
async def test_gap(nginx, fmt):
    ng, talker, slow = await one_deaf(nginx, fmt, 'gap')
    await until(ng, talker, lambda status: status['gaps'])
    gap = await slow.expect('gap', LONG)
    assert set(gap) == {'ev', 'chat_id', 'after', 'before', 'reason'}
    assert (gap['chat_id'], gap['reason']) == (ROOM, 'slow')
    last = [e for e in slow.events if e['ev'] == 'message'][-1]
    assert gap['after'] == {k: last[k] for k in ('epoch', 'seq')}
    await talker.settle('send', chat_id=ROOM, cid='z', message='z')
    event = await slow.expect('message', LONG, cid='z')
    assert gap['before']['seq'] <= event['seq']


@pytest.mark.row('4108')
async def test_slow(nginx, fmt):
    ng, talker, slow = await one_deaf(nginx, fmt, 'close')
    await until(ng, talker, lambda status: status['members'] == 1)
    assert (await slow.closed(LONG))[0] == 4108


# what a frame alone is closed for

@pytest.mark.row('1002', '1007')
def test_bad_frames(nginx, fmt):
    ng = nginx(workers=1)
    bad = [(frame('{}', masked=False), 1002), (frame('{}', 3), 1002),
           (close_frame(1000, b'\xff'), 1007)]
    if fmt == 'json':
        bad.append((frame(b'{"op":"\xff'), 1007))
    for octets, code in bad:
        with upgraded(ng, fmt) as raw:
            raw.send(octets)
            assert raw.read_close()[0] == code


@pytest.mark.row('4102')
def test_no_pong(nginx, fmt):
    ng = nginx(workers=1, location='ws_chat_ping_interval 300ms;'
                                   'ws_chat_pong_timeout 200ms;')
    with upgraded(ng, fmt) as raw:
        assert raw.read_close()[0] == 4102


@pytest.mark.row('4129')
async def test_ten_seconds_over_the_rate(nginx, fmt):
    ng = nginx(workers=1, location='ws_chat_rate 10r/s burst=5;')
    flood = await joined(ng, 'ann', fmt)

    async def push():
        for n in range(100000):
            await flood.post([
                {'op': 'send', 'chat_id': ROOM, 'cid': '%d-%d' % (n, k),
                 'message': k} for k in range(4)])
            await asyncio.sleep(0.05)

    pushing = asyncio.create_task(push())
    assert (await flood.closed(LONG))[0] == 4129
    pushing.cancel()
    await asyncio.gather(pushing, return_exceptions=True)
    assert [e for e in flood.events if e.get('code') == 'rate_limited']


# tokens, the node, the backplane

@pytest.mark.row('4001')
async def test_the_token_ends(nginx, fmt):
    ng = nginx(start=False, workers=1, location='ws_chat_auth jwt;'
               'ws_chat_jwt_key secret;')
    (ng.dir / 'secret').write_bytes(tokens.SECRET)
    ng.start()
    token = tokens.mint({'sub': 'ann', 'exp': int(time.time()) + 1})
    ann = await Client.connect(ng, fmt=fmt, headers={
        'Authorization': 'Bearer ' + token})
    assert (await ann.closed(LONG))[0] == 4001


@pytest.mark.row('reconnect', 'unknown', '1001')
async def test_the_node_stops(nginx, redis, fmt):
    """What is under way then has no outcome that is known."""
    ng = nginx(workers=1, zone=live(redis.port),
               location='ws_chat_drain 100ms;')
    ann = await joined(ng, 'ann', fmt)
    redis.pause()
    await ann.post({'op': 'send', 'id': 1, 'chat_id': ROOM, 'cid': 'one',
                    'message': 1})
    await ann.cmd('ping')
    ng.process.send_signal(signal.SIGQUIT)
    assert (await ann.expect('reconnect', LONG))['in_ms'] > 0
    reply = await ann.reply(1, LONG)
    assert (reply['code'], reply['cid']) == ('unknown', 'one')
    assert reply['temporary'] is True and reply['chat_id'] == ROOM
    assert (await ann.closed(LONG))[0] == 1001
    redis.resume()
    await asyncio.to_thread(ng.quit)


@pytest.mark.row('status', 'unavailable')
async def test_without_redis(nginx, proxy, fmt):
    ng = nginx(workers=1, zone=live(proxy.port))
    ann = await joined(ng, 'ann', fmt)
    proxy.closed = True
    proxy.cut()
    status = await ann.expect('status', LONG)
    assert set(status) == {'ev', 'state', 'since'}
    assert status['state'] == 'stale' and status['since'] > 0
    with pytest.raises(ChatError) as error:
        await ann.cmd('send', chat_id=ROOM, cid='one', message=1)
    assert error.value.code == 'unavailable'
    assert error.value.event['temporary'] is True
    assert error.value.event['retry_ms'] > 0
    # nor does a join wait for it: its answer comes before the next one's
    await ann.post([{'op': 'join', 'id': 'j', 'chat_id': 'other'},
                    {'op': 'ping', 'id': 'p'}])
    replies = [await ann.take(lambda e: e.get('id')) for _ in range(2)]
    assert [(e['id'], e.get('code')) for e in replies] == [
        ('j', 'unavailable'), ('p', None)]
    proxy.closed = False
    assert (await ann.expect('status', LONG))['state'] == 'live'
    await ann.settle('send', chat_id=ROOM, cid='one', message=1)
    assert (await ann.expect('message', LONG))['cid'] == 'one'
