"""Connections per user and per address; what stays half done is closed."""

import asyncio
import json
import os
import socket
import types

import pytest

from harness.client import Client
from harness.member import connect_to
from harness.nginx import PATIENCE, reserve_port, wait_for
from harness.raw import Raw, close_frame, frame

pytestmark = pytest.mark.plain_store

SERVER = '''
    location = /user {{
        ws_chat zone=chat;
        ws_chat_max_user_connections 3;
        ws_chat_origins https://ok.example;
        ws_chat_drain 1h;
    }}
    location = /other {{ ws_chat zone=two; ws_chat_max_user_connections 3; }}
    location = /slow {{
        ws_chat zone=chat;
        ws_chat_max_user_connections 1;
        limit_rate 1;
    }}
    location = /addr {{ ws_chat zone=chat; ws_chat_max_ip_connections 3; }}
    location = /echo {{ ws_chat_echo; ws_chat_max_ip_connections 3; }}
    {proxied}
'''

PROXIED = '''
    listen 127.0.0.1:%d proxy_protocol reuseport;
    set_real_ip_from 127.0.0.1;
    real_ip_header proxy_protocol;
'''

ZONES = 'ws_chat_zone chat:1m; ws_chat_zone two:1m;'


@pytest.fixture
def start(nginx):
    """Starts an Nginx whose `proxied` is a port for the PROXY protocol."""
    port, keeper = reserve_port()

    def run(**options):
        ng = nginx(zone=ZONES, server=SERVER.format(proxied=PROXIED % port),
                   **options)
        ng.proxied = types.SimpleNamespace(port=port)
        return ng

    yield run
    keeper.close()


def shake(ng, path, address=None, headers=None, **options):
    """(status, headers, body, Raw) of one handshake."""
    r = Raw(ng.proxied if address else ng)
    if address:
        family = 'TCP6' if ':' in address else 'TCP4'
        r.send(('PROXY %s %s %s 5 80\r\n' % (
            family, address, '::1' if ':' in address else '127.0.0.1'))
            .encode())
    r.send(r.request(path, headers=headers, **options))
    return *r.response(), r


def enter(ng, path, address=None, headers=None):
    status, _, body, r = shake(ng, path, address, headers)
    assert status == 101, body
    return r


def refuse(ng, path, address=None, headers=None, **options):
    status, answer, body, r = shake(ng, path, address, headers, **options)
    r.close()
    assert status == 503, (status, body)
    assert 5 <= int(answer['retry-after']) <= 15
    assert answer['cache-control'] == 'no-store'
    return body


def gone(ng, count):
    wait_for(lambda: ng.status()['connections'] == count,
             what='%d connections' % count)


def test_of_one_user(start):
    """Over all workers; others are free, also the same name elsewhere."""
    ng = start(workers=3)
    held = [enter(ng, '/user?user=ann') for _ in range(3)]
    for _ in range(6):
        assert b'this user' in refuse(ng, '/user?user=ann')
    held.append(enter(ng, '/user?user=bob'))
    held.append(enter(ng, '/other?user=ann'))
    held.append(enter(ng, '/chat?user=ann'))
    held += [enter(ng, '/user') for _ in range(5)]

    # one that ends makes room for one
    held.pop(0).close()
    gone(ng, 10)
    held.append(enter(ng, '/user?user=ann'))
    refuse(ng, '/user?user=ann')

    # however it ends
    for end in (lambda r: r.reset(), lambda r: r.send(close_frame()),
                lambda r: r.send(b'\xff' * 9)):
        r = held.pop()
        end(r)
        r.close()
        gone(ng, 10)
        held.append(enter(ng, '/user?user=ann'))
    refuse(ng, '/user?user=ann')
    for r in held:
        r.close()


def test_order_of_checks(start):
    """A plain GET of the same URL tells why; a bad origin comes first."""
    ng = start()
    held = [enter(ng, '/user?user=ann') for _ in range(3)]
    plain = {'Upgrade': None, 'Connection': None, 'Sec-WebSocket-Key': None,
             'Sec-WebSocket-Version': None}
    ok = {'Origin': 'https://ok.example'}
    refuse(ng, '/user?user=ann', headers=plain)
    status, answer, _, r = shake(ng, '/user?user=ann',
                                 headers=dict(plain, **ok))
    assert (status, answer['access-control-allow-origin']) == (
        503, 'https://ok.example')
    assert 'Retry-After' in answer['access-control-expose-headers']
    r.close()
    for path, headers, wanted in (
            ('/user?user=ann', {'Origin': 'https://evil.example'}, 403),
            ('/user?user=ann', {'Sec-WebSocket-Key': 'bad'}, 503),
            ('/user?user=bob', plain, 426),
            ('/user?user=%01', {}, 400)):
        status, _, body, r = shake(ng, path, headers=headers)
        assert status == wanted, (path, headers, body)
        r.close()

    # those that were not let in are not counted
    held.pop().close()
    gone(ng, 2)
    for headers in plain, {'Sec-WebSocket-Version': '8'}:
        for _ in range(5):
            status, _, _, r = shake(ng, '/user?user=ann', headers=headers)
            assert status == 426
            r.close()
    held.append(enter(ng, '/user?user=ann'))
    refuse(ng, '/user?user=ann')
    for r in held:
        r.close()


def test_who_is_refused_is_not_counted(start):
    """Not even while the answer is on its way."""
    ng = start(workers=1)
    r = Raw(ng)
    r.send(r.request('/slow?user=ann', headers={
        'Upgrade': None, 'Connection': None, 'Sec-WebSocket-Key': None,
        'Sec-WebSocket-Version': None}))
    assert r.sock.recv(1) == b'H'
    enter(ng, '/slow?user=ann').close()
    r.close()


def test_of_one_address(start):
    """As realip finds it; a network of 64 bits is one; users do not matter."""
    ng = start()
    held = [enter(ng, '/addr?user=u%d' % i) for i in range(2)]
    held.append(enter(ng, '/echo'))
    assert b'this address' in refuse(ng, '/addr?user=u9')
    refuse(ng, '/echo')
    held.append(enter(ng, '/chat'))

    for mine, same, other in (
            ('192.0.2.1', '192.0.2.1', '192.0.2.2'),
            ('::ffff:192.0.2.77', '192.0.2.77', '192.0.2.78'),
            ('2001:db8:1:2::1', '2001:db8:1:2:ffff::9', '2001:db8:1:3::1')):
        held += [enter(ng, '/addr', mine), enter(ng, '/addr', same),
                 enter(ng, '/echo', same)]
        refuse(ng, '/addr', mine)
        refuse(ng, '/echo', same)
        held.append(enter(ng, '/addr', other))
    for r in held:
        r.close()


async def test_told_in_welcome(start):
    ng = start()
    for path, more in (('/user', {'max_user_connections': 3}),
                       ('/addr', {'max_ip_connections': 3}), ('/chat', {})):
        for fmt in 'json', 'msgpack':
            client = await Client.connect(ng, path=path, fmt=fmt)
            limits = client.welcome['limits']
            assert limits == {'max_message': 65536, 'max_chats': 64,
                              'rate': 20, 'burst': 40, 'message_ms': 30000,
                              **more}
            await client.close()


def test_over_a_reload(start):
    """Who drains still counts, a new limit counts at once."""
    ng = start(workers=2)
    held = [enter(ng, '/user?user=ann') for _ in range(3)]
    ng.reload()
    for _ in range(4):
        refuse(ng, '/user?user=ann')
    ng.replace_conf('ws_chat_max_user_connections 3;\n        ws_chat_origins',
                    'ws_chat_max_user_connections 4;\n        ws_chat_origins')
    ng.reload()
    held.append(enter(ng, '/user?user=ann'))
    refuse(ng, '/user?user=ann')
    held.pop(0).close()
    gone(ng, 3)
    held.append(enter(ng, '/user?user=ann'))
    refuse(ng, '/user?user=ann')
    for r in held:
        r.close()


async def test_after_a_kill(start):
    """What a killed worker had counted is free again, the rest is not."""
    ng = start(workers=2)
    first, second = ng.worker_pids()
    await connect_to(ng, first, user='ann', path='/user')
    for _ in range(2):
        await connect_to(ng, second, user='ann', path='/user')
    refuse(ng, '/user?user=ann')
    await asyncio.to_thread(ng.kill_worker, second)
    await asyncio.to_thread(gone, ng, 1)
    held = [enter(ng, '/user?user=ann') for _ in range(2)]
    refuse(ng, '/user?user=ann')
    for r in held:
        r.close()


def test_incomplete_messages(nginx):
    ng = nginx(workers=1, location='ws_chat_message_timeout 300ms;')
    with Raw(ng) as slow, Raw(ng) as quick:
        for r in slow, quick:
            r.upgrade('/chat')
            assert json.loads(r.read_frame().payload)['limits'][
                'message_ms'] == 300
        whole = frame(json.dumps({'op': 'ping', 'id': 1}))
        slow.send(whole[:5])
        for i in range(5):
            quick.send(whole[:7])
            quick.send(whole[7:])
            assert json.loads(quick.read_frame().payload)['ev'] == 'pong'
        assert slow.read_close() == (1008, b'message took too long')
        quick.send(whole)
        assert json.loads(quick.read_frame().payload)['ev'] == 'pong'


# a storm of what never becomes complete

LONG = os.environ.get('WSC_LONG') == '1'
STORM = 10000 if LONG else 2000
WORKERS = 2


def storm(ng, count, begin):
    """That many connections, each as `begin` leaves it."""
    held = []
    for _ in range(count):
        sock = socket.create_connection(('127.0.0.1', ng.port), 10)
        begin(sock)
        held.append(sock)
    return held


def ended(sock):
    """The server closed it."""
    sock.settimeout(20 * PATIENCE)
    try:
        while sock.recv(65536):
            pass
    except ConnectionResetError:
        pass
    sock.close()
    return True


@pytest.mark.once
@pytest.mark.timeout(300)
@pytest.mark.parametrize('what', ['handshakes', 'frames'])
def test_storm_of_half(nginx, what):
    """All are closed in time, others are served, and memory comes back."""
    ng = nginx(workers=WORKERS, connections=STORM + 1000,
               main='worker_rlimit_nofile 20000;',
               http='client_header_timeout 2s;',
               location='ws_chat_message_timeout 2s;')
    request = Raw(ng).request('/chat')

    def begin(sock):
        if what == 'handshakes':
            sock.sendall(request[:-20])
            return
        sock.sendall(request)
        while b'"welcome"' not in sock.recv(65536):
            pass
        # a message of 60,000 octets of which some have come
        sock.sendall(frame('x' * 60000)[:6000])

    before = ng.memory()
    held = storm(ng, STORM, begin)
    with Raw(ng) as r:
        r.upgrade('/chat')
        r.read_frame()
        r.send_frame('{"op":"ping","id":1}')
        assert b'pong' in r.read_frame().payload
    assert ng.memory() > before + 4 * 2 ** 20
    assert all(ended(sock) for sock in held)
    gone(ng, 0)
    wait_for(lambda: ng.status()['memory'] < 100000, 20)
    # as ordinary connections come and go, what they left goes, too
    for _ in range(300):
        enter(ng, '/chat').close()
    wait_for(lambda: ng.memory() < before + 4 * 2 ** 20, 30,
             'memory came back to %d' % before)
