"""Reload, stop and upgrade under thousands of sockets that chat.

Every socket sees a Close, no second has more than its share of them, and all
members come back and have everything. `make reloads` runs the long form.
"""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import pytest

from harness.nginx import PATIENCE, wait_for
from harness.redis import Redis
from harness.swarm import Swarm

LONG = os.environ.get('WSC_LONG') == '1'

pytestmark = [pytest.mark.plain_store, pytest.mark.once]
long_form = pytest.mark.skipif(not LONG, reason='make reloads')


@pytest.fixture(params=['embedded', 'live'])
def chat_zone(request):
    """The chat's zone, in shared memory and in a Redis."""
    if request.param == 'embedded':
        yield 'ws_chat_zone chat:64m;'
        return
    redis = Redis()
    yield 'ws_chat_zone chat:1m; ws_chat_redis chat unix:%s;' % redis.socket
    redis.close()


def start(nginx, chat_zone, drain, **options):
    return nginx(zone=chat_zone, connections=8192,
                 main='worker_rlimit_nofile 16384;',
                 location='ws_chat_rate off; ws_chat_drain %s;' % drain,
                 **options)


class Master:
    """The master that serves now, in the background, as a Popen."""

    returncode = 0

    def __init__(self, ng):
        self.file = ng.dir / 'nginx.pid'
        ng.stderr = open(ng.dir / 'stderr', 'ab')
        # it starts itself again by the name it was started by
        program, *args = ng.command()
        subprocess.run([shutil.which(program), *args], check=True,
                       stdin=subprocess.DEVNULL, stdout=ng.stderr,
                       stderr=ng.stderr)
        ng.process = self
        self.last = None
        wait_for(ng.ready, what='NGINX listens, all workers run')

    @property
    def pid(self):
        with contextlib.suppress(OSError, ValueError):
            self.last = int(self.file.read_text())
        return self.last

    def poll(self):
        return None if self.file.exists() else 0

    def send_signal(self, signum):
        os.kill(self.pid, signum)

    def wait(self, timeout=10):
        wait_for(lambda: self.poll() == 0, timeout, 'the end of NGINX')
        return 0

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)
        self.file.unlink(missing_ok=True)


def resident(pid):
    text = pathlib.Path('/proc/%d/status' % pid).read_text()
    return int(re.search(r'^VmRSS:\s+(\d+) kB', text, re.M)[1]) // 1024


def reload_often(ng, times, pause):
    """Reloads at an even pace, and the master's size after each, in MB."""
    begin = time.monotonic()
    sizes = []
    for i in range(times):
        time.sleep(max(0, begin + i * pause - time.monotonic()))
        ng.reload()
        sizes.append(resident(ng.process.pid))
    return sizes


def alone(ng):
    """Only the workers of the last configuration are left."""
    return not ng.draining_pids() and len(ng.worker_pids()) == ng.workers


def reloads(ng, swarm, times, pause, drain):
    sizes = reload_often(ng, times, pause)
    begin = time.monotonic()
    wait_for(lambda: alone(ng), drain + 15, 'the end of the old workers')
    ended = time.monotonic() - begin
    account = swarm.finish()
    status = ng.status()
    print('%s\nthe old workers ended after %.1f s, the last member was back '
          'after %.1f s\nmaster %s MB, workers %s MB' % (
              account, ended, account.back_after(begin), sizes,
              [resident(pid) for pid in ng.worker_pids()]))
    account.verify({1012})
    assert status['workers'] == ng.workers
    assert status['connections'] == status['members'] == swarm.size
    assert status['generation'] == times + 1
    assert sizes[-1] <= sizes[1] + 2, sizes
    zone, = status['zones']
    if 'chunks' in zone:
        used = zone['chunks'] - zone['chunks_free']
        assert zone['messages'] == len(account.acks)
        assert used <= 4 * (zone['messages'] + zone['chats']), zone
    return account


def test_reloads(nginx, chat_zone):
    """Generations drain side by side, and share the seconds."""
    ng = start(nginx, chat_zone, '5s')
    with Swarm(ng, chats=60, members=10, rate=50, stock=60) as swarm:
        account = reloads(ng, swarm, times=6, pause=1, drain=5)
        # a fifth is the share of one generation alone
        account.spread(swarm.size / 3)


@long_form
def test_ten_reloads_in_a_minute(nginx, chat_zone):
    ng = start(nginx, chat_zone, '20s')
    with Swarm(ng, chats=500, members=10, rate=100, stock=200) as swarm:
        account = reloads(ng, swarm, times=10, pause=6, drain=20)
        account.spread(0.1 * swarm.size)


def test_quit(nginx):
    ng = start(nginx, 'ws_chat_zone chat:64m;', '5s')
    with Swarm(ng, chats=100, members=10, rate=100, stock=60,
               back=False) as swarm:
        ng.process.send_signal(signal.SIGQUIT)
        assert ng.process.wait(20 * PATIENCE) == 0
        account = swarm.finish()
        print(account)
        account.verify({1001}, complete=False)
        assert len(account.closes) == swarm.size
        account.spread(swarm.size / 3)


def test_upgrade(nginx, chat_zone):
    """Another master takes over; embedded chats begin anew with it."""
    back = 'redis' in chat_zone
    ng = start(nginx, chat_zone, '5s', start=False)
    master = Master(ng)
    with Swarm(ng, chats=60, members=10, rate=50, stock=60,
               back=back) as swarm:
        old = master.pid
        master.send_signal(signal.SIGUSR2)
        wait_for(lambda: master.pid != old
                 and len(ng.worker_pids()) == ng.workers, what='the new one')
        os.kill(old, signal.SIGQUIT)
        try:
            wait_for(lambda: not (ng.dir / 'nginx.pid.oldbin').exists(), 20,
                     'the end of the old master')
        except Exception:
            os.kill(old, signal.SIGTERM)
            raise
        account = swarm.finish()
        print(account)
        account.verify({1001}, complete=back)
        assert len(account.closes) == swarm.size
        account.spread(swarm.size / 3)
        assert ng.status()['workers'] == ng.workers
