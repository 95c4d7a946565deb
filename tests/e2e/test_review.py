"""What a review found: each of these was wrong once."""

import json
import signal
import time
import types
import zlib

import pytest

from harness.nginx import PATIENCE, reserve_port, wait_for
from harness.raw import PONG, Raw, close_frame, frame

# what comes is looked at message by message
NGINX_HTTP = 'ws_chat_presence off;'

pytestmark = pytest.mark.plain_store

EXTENSIONS = {'Sec-WebSocket-Extensions': 'permessage-deflate'}


def say(r, chat, cid, message):
    r.send_frame(json.dumps({'op': 'send', 'chat_id': chat, 'cid': cid,
                             'message': message}))


def test_who_talks_on_after_the_close_is_cut(nginx):
    """Input alone does not prolong the wait for an answer to our Close."""
    ng = nginx(workers=1, location='''
        ws_chat_rate off; ws_chat_lag_limit 16m; ws_chat_drain 100ms;
    ''')
    with Raw(ng, rcvbuf=4096) as r:
        r.upgrade('/chat?join=room')
        # from now on the socket is watched for writing, too
        for i in range(60):
            say(r, 'room', 'c%d' % i, 'x' * 60000)
        wait_for(lambda: ng.status()['messages_in'] == 60)
        for _ in range(61):
            r.read_frame()
        ng.reload()
        assert r.read_close()[0] == 1012
        begin = time.monotonic()
        with pytest.raises(OSError):
            while time.monotonic() - begin < 15 * PATIENCE:
                r.send(frame('', PONG))
                time.sleep(0.05)
        assert time.monotonic() - begin < 10 * PATIENCE
    wait_for(lambda: not ng.draining_pids(), what='the old worker ended')


def test_gaps_are_not_kept_without_end(nginx):
    """Who takes none of the gaps that it is told of is sent away."""
    ng = nginx(workers=1, http='ws_chat_log sessions.log json;', location='''
        ws_chat_rate off; ws_chat_lag_limit 1k; ws_chat_ping_interval 0;
    ''')
    chats = ['%02d' % i + 'x' * 120 for i in range(40)]
    join = '/chat?join=' + ','.join(chats)
    with Raw(ng) as talker, Raw(ng, rcvbuf=4096) as stuck:
        stuck.upgrade(join)
        talker.upgrade(join)
        talker.read_frame()
        wait_for(lambda: ng.status()['members'] == 80)
        turn = 0
        while ng.status()['connections'] == 2:
            for _ in range(20):
                talker.send_frame(json.dumps(
                    [{'op': 'send', 'chat_id': chat, 'cid': 'c%d' % turn,
                      'message': 'x' * 400} for chat in chats]))
                for _ in chats:
                    assert b'"message"' in talker.read_frame().payload
                turn += 1
            assert ng.status()['memory'] < 4000000, turn
        talker.send(close_frame())
        line, = [json.loads(line) for line in
                 (ng.dir / 'sessions.log').read_text().splitlines()]
        assert line['code'] == 4108, line


def test_locations_with_other_windows(nginx):
    """What a room compresses can be read by members of all locations."""
    ng = nginx(workers=1, location='ws_chat_deflate_level 9;', server='''
        location /small { ws_chat zone=chat; ws_chat_deflate_window 9; }
    ''')
    text = ''.join(chr(97 + i * i * i % 23 + i % 3) for i in range(2000))
    with Raw(ng) as large, Raw(ng) as small:
        large.upgrade('/chat?join=room', EXTENSIONS)
        answer = small.upgrade('/small?join=room', EXTENSIONS)
        assert ('server_max_window_bits=9'
                in answer['sec-websocket-extensions'])
        small.read_frame()
        say(large, 'room', 'c', text + text)
        got = small.read_frame()
        assert got.rsv == 4
        # piecemeal, so that nothing is at hand beyond the window
        inflate = zlib.decompressobj(-9)
        rest, event = got.payload + b'\0\0\xff\xff', b''
        while True:
            piece = inflate.decompress(rest, 64)
            rest = inflate.unconsumed_tail
            event += piece
            if not piece:
                break
        assert json.loads(event)['message'] == text + text


def test_names_alone_push_nobody_out(nginx):
    """Chats that were only joined are forgotten before those with history."""
    ng = nginx(workers=1, zone='ws_chat_zone chat:1m;')
    with Raw(ng) as r:
        r.upgrade('/chat')
        r.read_frame()
        r.send_frame(json.dumps([
            {'op': 'join', 'chat_id': 'room'},
            {'op': 'send', 'id': 1, 'chat_id': 'room', 'cid': 'c',
             'message': 'kept'},
            {'op': 'leave', 'chat_id': 'room'}]))
        for i in range(200):
            names = ['%d.%d' % (i, j) for j in range(32)]
            r.send_frame(json.dumps(
                [{'op': op, 'chat_id': name} for name in names
                 for op in ('join', 'leave')]))
        r.send_frame('{"op":"join","id":2,"chat_id":"room","history":9}')
        while True:
            event = json.loads(r.read_frame().payload)
            if event['ev'] == 'joined':
                break
        assert [m['message'] for m in event['messages']] == ['kept']
        assert ng.status()['zones'][0]['evicted'] > 0


def test_a_handshake_that_outlasts_the_shutdown_begins(nginx):
    """A session whose 101 had to wait is sent away like the others."""
    port, keeper = reserve_port()
    ng = nginx(workers=1, location='ws_chat_drain 200ms;', server='''
        listen 127.0.0.1:%d reuseport sndbuf=4096;
        postpone_output 0;
        location = /large { alias large; }
    ''' % port)
    place = types.SimpleNamespace(port=port)
    large = ng.dir / 'large'

    def handshake(size):
        """Behind an answer of this size; None if its 101 did not wait."""
        large.write_bytes(b'x' * size)
        r = Raw(place, rcvbuf=2304)
        r.send(b'GET /large HTTP/1.1\r\nHost: x\r\n\r\n'
               + r.request('/chat'))
        end = time.monotonic() + 0.2
        while time.monotonic() < end:
            if ng.status()['connections']:
                r.reset()
                wait_for(lambda: not ng.status()['connections'])
                return None
        return r

    with Raw(ng) as other:
        for size in range(4000, 60000, 217):
            late = handshake(size)
            if late:
                break
        else:
            pytest.skip('the kernel takes whatever it is given')
        other.upgrade('/chat')
        other.read_frame()
        ng.process.send_signal(signal.SIGQUIT)
        assert other.read_close()[0] == 1001
    keeper.close()
    assert late.response()[0] == 200
    assert late.response()[0] == 101
    assert late.read_close()[0] == 1001
    assert ng.process.wait(10 * PATIENCE) == 0


def test_descriptors_run_out(nginx):
    """It is said before NGINX cannot accept any more."""
    ng = nginx(workers=1, connections=1024,
               main='worker_rlimit_nofile 512;')
    held, codes = [], []
    while codes[-3:] != [503] * 3:
        r = Raw(ng)
        r.send(r.request('/chat'))
        codes.append(r.response()[0])
        held.append(r)
    assert codes.count(101) > 200
    ng.wait_log(r'\[warn\] .*512 file descriptors .* are nearly used up')
    for r in held:
        r.close()
