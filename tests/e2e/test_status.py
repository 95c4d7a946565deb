"""ws_chat_status and ws_chat_health."""

import asyncio
import json
import os
import signal

import pytest

from harness.client import ChatError, Client
from harness.member import connect_to
from harness.nginx import wait_for
from harness.raw import Raw

GAUGES = {'draining', 'connections', 'streams', 'chats', 'members', 'behind',
          'memory', 'rate_in', 'rate_out'}
COUNTERS = {'accepted', 'refused', 'messages_in', 'messages_out', 'errors',
            'gaps', 'uncounted'}
ZONE = {'name', 'connections', 'members', 'rate_in', 'rate_out', 'size',
        'chunks', 'chunks_free', 'chats', 'messages', 'evicted', 'repairs'}


def settled(ng, **values):
    """Wait until the status says so."""
    def reached():
        status = ng.status()
        return all(status[key] == value for key, value in values.items())

    wait_for(reached, what='a status of %s' % values)


def test_what_it_says(nginx):
    ng = nginx(http='ws_chat_node "a\\"b";',
               zone='ws_chat_zone chat:1m; ws_chat_zone two:512k;')
    response = ng.request('/status')
    assert response.status == 200
    assert response.headers['Content-Type'] == 'application/json'
    assert response.headers['Cache-Control'] == 'no-store'
    status = json.loads(response.body)
    assert set(status) == GAUGES | COUNTERS | {
        'version', 'node', 'drained', 'started', 'generation', 'workers',
        'zones', 'busiest'}
    assert status['busiest'] == [] and status['drained'] is False
    assert status['node'] == 'a"b'
    assert status['generation'] == 1 and status['workers'] == 2
    assert [z['name'] for z in status['zones']] == ['chat', 'two']
    for zone, size in zip(status['zones'], (1048576, 524288)):
        assert set(zone) == ZONE
        assert zone['size'] == size
        assert zone['chunks'] == zone['chunks_free'] > size / 256 * 0.75


@pytest.mark.parametrize('path', ['/status', '/health'])
def test_methods(nginx, path):
    ng = nginx()
    head = ng.request(path, 'HEAD')
    assert head.status == 200 and head.body == b''
    assert head.headers['Cache-Control'] == 'no-store'
    assert int(head.headers['Content-Length']) > 0
    for method in 'POST', 'PUT', 'DELETE':
        assert ng.request(path, method, body='x').status == 405


@pytest.mark.plain_store
async def test_counts(nginx):
    """Over all workers, whichever is asked."""
    ng = nginx(location='ws_chat_max_chats 3;')
    w1, w2 = ng.worker_pids()
    a = await connect_to(ng, w1, user='ann')
    b = await connect_to(ng, w2, user='bob')
    before = ng.status()
    await a.join('one')
    await b.join('one')
    await b.join('two')
    await a.send('one', 'x')
    await a.expect('message')
    await b.expect('message')
    with pytest.raises(ChatError):
        await a.send('two', 'not joined')
    assert ng.request('/chat', headers={
        'Connection': 'Upgrade', 'Upgrade': 'websocket'}).status >= 400

    after = ng.status()
    grown = {key: after[key] - before[key] for key in COUNTERS}
    assert grown == {'accepted': 0, 'refused': 1, 'messages_in': 1,
                     'messages_out': 2, 'errors': 1, 'gaps': 0,
                     'uncounted': 0}
    assert after['connections'] == 2 and after['members'] == 3
    # a chat is one in each worker that has members of it
    assert after['chats'] == 3
    assert after['memory'] > before['memory'] > 0
    zone, = after['zones']
    assert zone['chats'] == 2 and zone['messages'] == 1
    assert zone['chunks_free'] == zone['chunks'] - 3

    await b.leave('two')
    settled(ng, members=2, chats=2)
    await a.close()
    await b.close()
    settled(ng, connections=0, members=0, chats=0)


@pytest.mark.plain_store
async def test_what_an_idle_member_takes(nginx):
    """With its part of a chat of ten; what the first ones made remains."""
    ng = nginx(workers=1)

    async def come(n):
        clients = await asyncio.gather(*[
            Client.connect(ng, user='u%05d' % i,
                           params={'join': 'r%d' % (i // 10)})
            for i in range(n)])
        await asyncio.to_thread(settled, ng, members=n)
        return clients

    for client in await come(20):
        await client.close()
    await asyncio.to_thread(settled, ng, members=0, connections=0)
    before = ng.status()['memory']
    await come(200)

    def quiet():
        return ng.status()['memory'] - before <= 390 * 200

    await asyncio.to_thread(wait_for, quiet, what='at most 390 octets each')


async def test_gauges_of_a_killed_worker(nginx):
    """What it had is gone, what it had counted stays."""
    ng = nginx()
    w1, w2 = ng.worker_pids()
    await connect_to(ng, w1)
    await connect_to(ng, w2)
    accepted = ng.status()['accepted']
    os.kill(w2, signal.SIGSTOP)
    ng.expect_death(w2)
    os.kill(w2, signal.SIGKILL)
    await asyncio.to_thread(settled, ng, connections=1, workers=2)
    assert ng.status()['accepted'] == accepted


def test_ready(nginx):
    ng = nginx()
    for path, word in (('/health', 'ready'), ('/health?live', 'live'),
                       ('/health?live=1', 'live')):
        response = ng.request(path)
        assert response.status == 200
        assert response.headers['Content-Type'] == 'application/json'
        assert response.headers['Cache-Control'] == 'no-store'
        assert json.loads(response.body) == {'status': word}


@pytest.mark.parametrize('what', ['reload', 'quit'])
async def test_draining(nginx, what):
    """A worker that drains keeps what it has and wants nothing new."""
    ng = nginx(workers=1, location='ws_chat_drain 1h;')
    client = await Client.connect(ng)
    asked = [Raw(ng), Raw(ng)]
    for raw in asked:
        # the worker reads a request whose end is still to come
        raw.send(b'GET ')
    assert ng.request('/health').status == 200
    if what == 'reload':
        await asyncio.to_thread(ng.reload)
    else:
        ng.process.send_signal(signal.SIGQUIT)
        await asyncio.to_thread(wait_for, ng.draining_pids)

    for raw, path, status in zip(asked, ('/health', '/health?live'),
                                 (404, 200)):
        raw.send(('%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
                  % path).encode())
        got, headers, body = raw.response()
        assert got == status
        if status == 404:
            answer = json.loads(body)
            assert answer['status'] == 'draining' and answer['reason']
        raw.close()

    if what == 'quit':
        await client.close()
        ng.quit()
        return
    assert json.loads(ng.request('/health').body) == {'status': 'ready'}
    status = ng.status()
    assert status['draining'] == 1 and status['workers'] == 2
    assert status['generation'] == 2 and status['connections'] == 1


@pytest.mark.plain_store
async def test_page(nginx):
    """A browser gets HTML, in which nothing of anybody is markup."""
    ng = nginx(http='ws_chat_node "<b>&\\"";')
    a = await Client.connect(ng, user='ann')
    await a.join('busy-one')

    def page():
        response = ng.request('/status', headers={
            'Accept': 'text/html,application/xhtml+xml,*/*;q=0.8'})
        assert response.status == 200
        assert response.headers['Content-Type'] == 'text/html; charset=utf-8'
        assert response.headers['Cache-Control'] == 'no-store'
        return response.body.decode()

    text = page()
    assert '<h1>Chat node &lt;b&gt;&amp;&quot;</h1>' in text
    assert '<dt>Connections</dt><dd>1</dd>' in text
    assert 'src=' not in text and 'href=' not in text
    await asyncio.to_thread(wait_for, lambda: '<td>busy-one</td>' in page())
    busy, = ng.status()['busiest']
    assert (busy['zone'], busy['chat_id'], busy['members']) == (
        'chat', 'busy-one', 1)
    for accept in '*/*', 'application/json', 'text/plain':
        response = ng.request('/status', headers={'Accept': accept})
        assert response.headers['Content-Type'] == 'application/json'


@pytest.mark.plain_store
async def test_busiest_is_of_the_last_second(nginx):
    """What was said before anybody looked is no rate of now."""
    ng = nginx(workers=1, location='ws_chat_rate off;')
    ann = await Client.connect(ng, user='ann')
    await ann.join('room')
    for i in range(50):
        await ann.send('room', i)
    seen = []

    def rate():
        seen.extend(busy['rate'] for busy in ng.status()['busiest'])
        return seen

    await asyncio.to_thread(wait_for, rate, what='it is seen')
    assert seen[0] == 0
    for i in range(50):
        await ann.send('room', i)
    await asyncio.to_thread(wait_for, lambda: max(rate()) > 0,
                            what='it has a rate')


def test_without_a_chat(nginx):
    """The module loaded, but nothing of it in use."""
    ng = nginx(conf='''\
load_module "{module}";
pid nginx.pid;
worker_processes {workers};
error_log error.log {level};
{user}
events {{}}
http {{
    access_log off;
    server {{
        listen 127.0.0.1:{port} reuseport;
        location / {{ return 204; }}
    }}
}}
''')
    assert ng.request('/').status == 204
    assert not any(os.readlink(fd.path) == 'anon_inode:[eventfd]'
                   for fd in os.scandir('/proc/%d/fd' % ng.process.pid))
    ng.reload()
    assert ng.request('/').status == 204
