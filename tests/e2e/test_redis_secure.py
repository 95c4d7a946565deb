"""A user who may do what the documentation says, and no more; TLS."""

import asyncio
import pathlib
import re

import pytest

from harness.client import Client
from harness.cluster import Cluster
from harness.nginx import TOP, wait_for
from harness.party import Party
from harness.redis import Redis, make_certificates

pytestmark = pytest.mark.plain_store

CHATS = ['chat-%d' % i for i in range(6)]
LOCATION = 'ws_chat_rate off; ws_chat_history 100000 24h;'
ADMIN = '--requirepass', 'admin'


def rules():
    """The line of docs/OPERATIONS.md."""
    text = pathlib.Path(TOP, 'docs/OPERATIONS.md').read_text()
    return re.search(r'^ +(user ws_chat .*)$', text, re.M)[1].split()


def let_in(one):
    words = rules()
    assert words[:2] == ['user', 'ws_chat']
    assert one.cli('acl', 'setuser', *words[1:]) == 'OK'


async def ready(*nodes):
    for ng in nodes:
        await asyncio.to_thread(
            wait_for, lambda: ng.request('/health').status == 200, 20,
            'the node is ready')


async def test_a_user_needs_no_more_than_documented(nginx):
    one = Redis(*ADMIN, auth='admin')
    try:
        let_in(one)
        ng = nginx(workers=1, location=LOCATION, zone=(
            'ws_chat_zone chat:1m; ws_chat_redis chat '
            'redis://ws_chat:SECRET@127.0.0.1:%d;' % one.port))
        await ready(ng)
        a = await Client.connect(ng, user='ann')
        await a.join('room')
        for n in range(20):
            await a.send('room', n)
        assert (await a.send('room', 0, cid='c1')).get('dup')
        reply = await a.cmd('history', chat_id='room', limit=5)
        assert len(reply['messages']) == 5
        first, second = [{'epoch': m['epoch'], 'seq': m['seq']}
                     for m in reply['messages'][:2]]
        await a.cmd('edit', chat_id='room', message='x', **first)
        await a.cmd('retract', chat_id='room', **second)
        answer = await asyncio.to_thread(ng.request, '/api/users/ann',
                                         'DELETE')
        assert answer.status == 200
        await a.leave('room')
        assert 'NOPERM' not in ng.log()
        assert len(one.cli('acl', 'log').splitlines()) <= 1
    finally:
        one.close()


async def test_a_cluster_over_tls_with_a_user(nginx, tmp_path):
    make_certificates(tmp_path)
    one = Cluster(replicas=False, tls=tmp_path, args=(
        '--tls-cluster', 'yes', '--tls-replication', 'yes'))
    try:
        for node in one.nodes:
            let_in(node)
        ca = tmp_path / 'ca.crt'
        nodes = [nginx(location=LOCATION, zone=(
            'ws_chat_zone chat:1m; ws_chat_redis chat '
            'clusters://ws_chat:SECRET@%s ca=%s;' % (one.hosts, ca)))
            for _ in range(2)]
        await ready(*nodes)
        party = await Party.start(nodes, CHATS)
        await party.hear(50)
        await party.stop()
        await party.check(one)
        for ng in nodes:
            assert 'NOPERM' not in ng.log()
    finally:
        one.close()
