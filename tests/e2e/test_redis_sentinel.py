"""A live zone behind Sentinels whose master dies while people talk."""

import asyncio

import pytest

from harness.nginx import reserve_port, wait_for
from harness.party import Party
from harness.redis import Redis

pytestmark = pytest.mark.plain_store

CHATS = ['chat-%d' % i for i in range(4)]
LOCATION = 'ws_chat_rate off; ws_chat_history 100000 24h;'


class Sentinels:
    """A master, a replica, and three who decide."""

    def __init__(self):
        self.servers = []
        self.sentinels = []
        self.ports = []
        try:
            self.start()
        except BaseException:
            self.close()
            raise

    def start(self):
        self.servers.append(Redis())
        self.servers.append(Redis('--replicaof', '127.0.0.1 %d'
                                  % self.servers[0].port,
                                  '--repl-diskless-sync-delay', '0'))
        for _ in range(3):
            one = Redis('--sentinel', start=False)
            self.sentinels.append(one)
            port, keeper = reserve_port()
            keeper.close()
            self.ports.append(port)
            (one.dir / 'sentinel.conf').write_text(
                'port %d\nbind 127.0.0.1\nunixsocket %s\n'
                'sentinel monitor main 127.0.0.1 %d 2\n'
                'sentinel down-after-milliseconds main 1000\n'
                'sentinel failover-timeout main 6000\n'
                % (port, one.socket, self.servers[0].port))
            one.run('redis-server', 'sentinel.conf', '--sentinel')
        wait_for(lambda: all(
            s.cli('sentinel', 'sentinels', 'main').count('runid') == 2
            and 'runid' in s.cli('sentinel', 'replicas', 'main')
            for s in self.sentinels), 30, 'the Sentinels know all')
        wait_for(lambda: 'state=online'
                 in self.servers[0].cli('info', 'replication'), 30,
                 'the replica follows')

    @property
    def uri(self):
        return 'sentinel://%s/main' % ','.join(
            '127.0.0.1:%d' % port for port in self.ports)

    def stream(self, chat):
        return self.servers[-1].stream(chat)

    def close(self):
        for one in self.sentinels + self.servers:
            one.close()


@pytest.fixture
def sentinels():
    one = Sentinels()
    yield one
    one.close()


@pytest.mark.parametrize('how', ['killed', 'asked'])
async def test_a_fail_over_while_people_talk(nginx, sentinels, how):
    zone = 'ws_chat_zone chat:1m; ws_chat_redis chat %s;' % sentinels.uri
    nodes = [nginx(zone=zone, location=LOCATION) for _ in range(2)]
    for ng in nodes:
        await asyncio.to_thread(
            wait_for, lambda: ng.request('/health').status == 200, 20)
    old, new = sentinels.servers
    party = await Party.start(nodes, CHATS)
    await party.hear(100)
    if how == 'asked':
        # a master that lost its replica takes no more
        assert old.cli('config', 'set', 'min-replicas-to-write', '1') == 'OK'
        assert old.cli('config', 'set', 'min-replicas-max-lag', '10') == 'OK'
    for chat in CHATS:
        party.history.dump(chat, old.stream(chat))
    if how == 'killed':
        old.kill()
    else:
        await asyncio.to_thread(
            wait_for, lambda: sentinels.sentinels[0].cli(
                'sentinel', 'failover', 'main') == 'OK', 20)
    await asyncio.to_thread(
        wait_for, lambda: 'role:master' in new.cli('info', 'replication'), 40,
        'the replica is the master')
    if how == 'asked':
        # told, not cut off: the old one is alive
        await asyncio.to_thread(
            wait_for, lambda: all('another one is the master now' in ng.log()
                                  for ng in nodes), 20, 'the news')
    # what had not reached it is lost
    party.history.loss()
    await asyncio.to_thread(wait_for, lambda: new.clients(), 20,
                            'connections to the new one')
    await party.hear(100)
    await party.stop()
    await party.check(sentinels, gaps=True)
    for chat in CHATS:
        assert len({e.position[0] for e in new.stream(chat)}) <= 2
