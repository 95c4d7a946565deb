"""The connection to Redis: how it gets in, breaks, and comes back."""

import asyncio
import itertools
import subprocess
import time

import pytest

from harness.client import ChatError, Client
from harness.nginx import reserve_port, wait_for
from harness.redis import Proxy, Redis, Script

pytestmark = pytest.mark.plain_store

NCHAN = '/usr/lib/nginx/modules/ngx_nchan_module.so'
BACK = 15

_numbers = itertools.count(1)


@pytest.fixture
def keep():
    """A function that takes what has to be closed at the end."""
    kept = []

    def one(thing):
        kept.append(thing)
        return thing

    yield one
    for thing in reversed(kept):
        thing.close()


def node(nginx, arguments, **options):
    return nginx(workers=1, location='ws_chat_rate off;',
                 zone='ws_chat_zone chat:1m; ws_chat_redis chat %s;'
                 % arguments, **options)


def wait_ready(ng):
    """Health says so: commands are answered and the canary sings."""
    wait_for(lambda: ng.request('/health').status == 200, BACK,
             'the node is ready')


def wait_deaf(ng):
    wait_for(lambda: ng.request('/health').status == 404, BACK,
             'the node says it is not ready')


async def ask(client, op, **fields):
    """Again as long as the answer is to try again."""
    for _ in range(50):
        try:
            return await client.cmd(op, chat_id='room', **fields)
        except ChatError as e:
            assert e.event['temporary'], e
            await asyncio.sleep(e.event['retry_ms'] / 1000)
    raise AssertionError('temporary for ever')


async def works(ng):
    """A message goes through Redis and comes back."""
    text = 'message %d' % next(_numbers)
    wait_ready(ng)
    ann = await Client.connect(ng, user='ann')
    await ask(ann, 'join')
    ack = await ask(ann, 'send', cid=text, message=text)
    assert ack['seq'] >= 1
    event = await ann.expect('message')
    assert event['message'] == text
    await ann.close()


def complaints(ng, text):
    return [line for line in ng.log().splitlines()
            if '[error]' in line and text in line]


async def test_unix_socket_and_database(nginx, keep):
    redis = keep(Redis())
    ng = node(nginx, 'unix:%s database=3' % redis.socket)
    await works(ng)
    assert redis.cli('dbsize') == '0'
    assert 'db3:' in redis.cli('info', 'keyspace')
    assert all(' db=3 ' in line for line in redis.clients(' flags=U'))
    assert not complaints(ng, 'ws_chat_redis')


async def test_user_and_password(nginx, keep, tmp_path):
    """Percent-decoded from the URI, or out of a file."""
    redis = keep(Redis('--user', 'bob', 'on', '>p@:/s', '~*', '&*', '+@all',
                       '--user', 'default', 'off', auth=('bob', 'p@:/s')))
    (tmp_path / 'secret').write_text('p@:/s\n')
    host = '127.0.0.1:%d' % redis.port
    for arguments in ('redis://bob:p%%40%%3a%%2Fs@%s' % host,
                      'redis://%s user=bob password_file=%s'
                      % (host, tmp_path / 'secret')):
        ng = node(nginx, arguments)
        await works(ng)
        assert redis.clients(' user=bob')


async def test_wrong_password_is_told_once(nginx, keep):
    """It is tried again and again, but told once a minute."""
    redis = keep(Redis('--requirepass', 'right', auth='right'))
    proxy = keep(Proxy(redis.port))
    ng = node(nginx, 'redis://:wrong@127.0.0.1:%d' % proxy.port)
    wait_for(lambda: proxy.accepted >= 8, what='many attempts')
    assert len(complaints(ng, 'AUTH')) == 1
    assert 'WRONGPASS' in complaints(ng, 'AUTH')[0]
    assert 'wrong' not in ng.log()
    wait_deaf(ng)

    redis.cli('config', 'set', 'requirepass', 'wrong')
    redis.auth = 'wrong'
    await works(ng)
    assert '[notice]' in ng.wait_log(r'.*: connected')[0][0]


async def test_tls(nginx, keep):
    """By name and by address, verified by a CA of our own."""
    redis = keep(Redis(tls=True))
    for host in ('localhost', '127.0.0.1'):
        ng = node(nginx, 'rediss://%s:%d ca=%s/ca.crt'
                  % (host, redis.port, redis.dir))
        await works(ng)
        assert not complaints(ng, 'ws_chat_redis')


async def test_tls_refuses_strangers(nginx, keep):
    redis = keep(Redis(tls=True))
    other = keep(Redis(tls=True))
    ng = node(nginx, 'rediss://127.0.0.1:%d ca=%s/ca.crt'
              % (redis.port, other.dir))
    ng.wait_log('TLS: .*certificate')
    assert not redis.clients()

    ng = node(nginx, 'rediss://127.0.0.2:%d ca=%s/ca.crt'
              % (keep(Proxy(redis.port, '127.0.0.2')).port, redis.dir))
    ng.wait_log('TLS: IP address mismatch')
    assert not redis.clients()

    await works(node(nginx, 'rediss://127.0.0.1:%d verify=off' % redis.port))


async def test_server_killed(nginx, keep):
    redis = keep(Redis())
    ng = node(nginx, redis.uri)
    await works(ng)
    redis.kill()
    wait_deaf(ng)
    ng.wait_log('connect\\(\\) failed: Connection refused')
    redis.start()
    await works(ng)


async def test_server_stopped(nginx, keep):
    """The sockets stay open, but nobody answers."""
    redis = keep(Redis())
    ng = node(nginx, redis.uri + ' timeout=500ms')
    await works(ng)
    redis.pause()
    try:
        ng.wait_log('no reply within 500 ms')
        wait_deaf(ng)
    finally:
        redis.resume()
    await works(ng)


async def test_half_open(nginx, keep):
    """Octets vanish in both directions; then the network is back."""
    redis = keep(Redis())
    proxy = keep(Proxy(redis.port))
    ng = node(nginx, 'redis://127.0.0.1:%d timeout=500ms' % proxy.port)
    await works(ng)
    proxy.deaf = True
    ng.wait_log('no reply within 500 ms')
    ng.wait_log('no login within 1000 ms')
    proxy.deaf = False
    await works(ng)
    proxy.cut()
    await works(ng)


async def test_replica_is_refused(nginx, keep):
    """Of several addresses the one of the master is taken."""
    master = keep(Redis())
    replica = keep(Redis('--replicaof', '127.0.0.1', str(master.port)))
    ng = node(nginx, '%s %s' % (replica.uri, master.uri))
    await works(ng)
    ng.wait_log('it is no master')
    assert master.clients() and not replica.clients()


@pytest.mark.parametrize('text,reason', [
    (b'HTTP/1.1 400 Bad Request\r\n\r\n', 'a bad reply'),
    (b'*2147483647\r\n', 'elements'),
    (b'*1000000\r\n' * 7, 'elements'),
    (b'*1\r\n' * 100, 'a bad reply'),
    (b'*-5\r\n', 'a bad reply'),
    (b'$99999999999\r\n', 'no login'),
    (b':1' + b'0' * 99 + b'\r\n', 'a bad reply'),
    (b'+OK\r\n' * 99, 'no master'),
    (b'-ERR no\r\n' * 99, 'ERR no'),
    (b'', 'closed by the server'),
])
def test_absurd_replies(nginx, keep, text, reason):
    """They break the connection, and nothing else."""
    script = keep(Script(text))
    ng = node(nginx, 'redis://127.0.0.1:%d' % script.port)
    pids = ng.worker_pids()
    ng.wait_log('ws_chat_redis .*' + reason)
    wait_for(lambda: script.accepted >= 3, what='it tries again')
    assert ng.worker_pids() == pids


async def test_beside_nchan(nginx, keep):
    """Both bring a hiredis, in one name space; both work in either order."""
    redis = keep(Redis())
    load = 'load_module %s;' % NCHAN
    options = dict(
        http='upstream nchan_redis { nchan_redis_server %s; }' % redis.uri,
        server='location /pub { nchan_publisher; nchan_channel_id x;'
               ' nchan_redis_pass nchan_redis; }')
    for first in (False, True):
        ng = node(nginx, redis.uri, start=False, **options)
        ng.write_conf(load + ng.text if first else
                      ng.text.replace('pid ', load + ' pid ', 1))
        ng.start()
        await works(ng)
        ng.wait_log('nchan: Redis upstream nchan_redis: ready')
        assert ng.request('/pub', 'POST', body='x').status in (201, 202)
        await works(ng)
        ng.quit()


def test_symbols_are_hidden(nginx):
    """Nothing but NGINX's tables is there for others to find."""
    ng = nginx(start=False)
    text = subprocess.run(['nm', '-D', '--defined-only', ng.module],
                          check=True, text=True,
                          stdout=subprocess.PIPE).stdout
    assert {line.split()[2] for line in text.splitlines()} == {
        'ngx_modules', 'ngx_module_names', 'ngx_module_order'}


async def test_sentinel(nginx, keep):
    """The master is the one the Sentinels name, also after a fail-over."""
    one = keep(Redis())
    two = keep(Redis('--replicaof', '127.0.0.1', str(one.port)))
    sentinel = keep(Redis('--sentinel', start=False))
    port, keeper = reserve_port()
    keeper.close()
    (sentinel.dir / 'sentinel.conf').write_text(
        'port %d\nbind 127.0.0.1\nunixsocket %s\n'
        'sentinel monitor main 127.0.0.1 %d 1\n'
        'sentinel down-after-milliseconds main 1000\n'
        % (port, sentinel.socket, one.port))
    sentinel.run('redis-server', 'sentinel.conf', '--sentinel')
    wait_for(lambda: 'runid' in sentinel.cli('sentinel', 'replicas', 'main')
             and 'state=online' in one.cli('info', 'replication'), 30)

    ng = node(nginx, 'sentinel://127.0.0.1:%d/main' % port)
    await works(ng)
    assert one.clients() and not two.clients()
    wait_for(lambda: sentinel.cli('sentinel', 'failover', 'main') == 'OK', 30)
    wait_for(lambda: two.clients() and not one.clients(), 30)
    await works(ng)


def test_exit_while_it_tries(nginx, keep):
    """A worker ends in time, whatever state its connections are in."""
    script = keep(Script(b'$10\r\n'))
    for port in (script.port, reserve_port()[0]):
        ng = node(nginx, 'redis://127.0.0.1:%d connect_timeout=10s' % port)
        wait_for(lambda: script.accepted, what='a connection')
        begin = time.monotonic()
        ng.quit(5)
        assert time.monotonic() - begin < 5
