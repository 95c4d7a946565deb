"""ws_chat_metrics: what Prometheus reads, of all workers."""

import asyncio
import re
import subprocess

import pytest

from harness.client import ChatError, Client
from harness.member import connect_to
from harness.nginx import REDIS_STORE, wait_for

SERVER = 'location = /metrics { ws_chat_metrics; } location = /echo {' \
         ' ws_chat_echo; }'
PREFIX = 'nginx_ws_chat_'
LINE = re.compile(r'(?P<name>[a-z_]+)(\{(?P<labels>.*)\})? (?P<value>[0-9.]+)$')


def scrape(ng):
    response = ng.request('/metrics')
    assert response.status == 200
    assert response.headers['Content-Type'].startswith(
        'text/plain; version=0.0.4')
    assert response.headers['Cache-Control'] == 'no-store'
    return response.body.decode()


def samples(ng):
    """{(name without prefix, labels): value}"""
    found = {}
    for line in scrape(ng).splitlines():
        if line.startswith('#'):
            continue
        sample = LINE.match(line)
        assert sample and sample['name'].startswith(PREFIX), line
        key = (sample['name'][len(PREFIX):], sample['labels'] or '')
        assert key not in found, line
        found[key] = float(sample['value'])
    return found


def reached(ng, wanted):
    """Wait until these samples have these values."""
    def there():
        now = samples(ng)
        return all(now.get(key) == value for key, value in wanted.items())

    wait_for(there, what='metrics of %s' % wanted)


def check(text):
    """What promtool says."""
    done = subprocess.run(['promtool', 'check', 'metrics'], text=True,
                          input=text, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=60)
    assert (done.returncode, done.stdout) == (0, '')


async def talk(ng, clients, count=3):
    for client in clients:
        await client.settle('join', chat_id='lobby1')
    for i in range(count):
        await clients[0].settle('send', chat_id='lobby1', cid='c%d' % i,
                                message=i, retry=True)
    for client in clients:
        await client.collect(count)


async def test_well_formed(nginx):
    ng = nginx(server=SERVER, http='ws_chat_node "a\\"b\\\\c";',
               zone='ws_chat_zone chat:1m; ws_chat_zone two:1m;')
    await talk(ng, [await Client.connect(ng, user=u) for u in ('ann', 'bob')])
    text = scrape(ng)
    check(text)
    assert 'node="a\\"b\\\\c"' in text
    # chats and users are no labels
    assert set(re.findall(r'(\w+)="', text)) == {'zone', 'le', 'version',
                                                 'node'}
    assert not re.search('lobby1|ann|bob', text)
    head = ng.request('/metrics', 'HEAD')
    assert head.status == 200 and head.body == b''
    assert ng.request('/metrics', 'POST', body='x').status == 405


@pytest.mark.plain_store
async def test_counts_of_all_workers(nginx):
    ng = nginx(server=SERVER,
               zone='ws_chat_zone chat:1m; ws_chat_zone two:1m;')
    clients = [await connect_to(ng, pid, user=str(pid))
               for pid in ng.worker_pids()]
    await talk(ng, clients)
    with pytest.raises(ChatError):
        await clients[0].cmd('send', chat_id='none', cid='x', message=1)
    ng.request('/chat')
    head = (await clients[0].cmd('join', chat_id='lobby1'))['head']
    await clients[1].cmd('join', chat_id='lobby1',
                         after=dict(head, seq=head['seq'] - 1))
    now = samples(ng)
    zone = 'zone="chat"'
    for name, value in {
            'connections': 2, 'chats': 2, 'members': 2, 'members_behind': 0,
            'refused_total': 1, 'messages_in_total': 3,
            'messages_out_total': 6, 'errors_total': 1, 'gaps_total': 0,
            'ack_seconds_count': 3, 'resume_seconds_count': 1,
            'store_messages': 3, 'store_chats': 1}.items():
        assert now[name, zone] == value, name
        assert now[name, 'zone="two"'] == 0, name
    assert now['accepted_total', zone] >= 2
    # one observation for each worker and flush, of which it may be one
    assert 2 <= now['delivery_seconds_count', zone] <= 6
    assert now['delivery_seconds_bucket', zone + ',le="+Inf"'] == (
        now['delivery_seconds_count', zone])
    assert now['flush_seconds_count', ''] > 6
    assert 0 < now['ack_seconds_sum', zone] < 3
    assert now['workers', ''] == 2 and now['ready', ''] == 1
    assert now['connections', 'zone=""'] == 0
    assert now['memory_bytes', ''] > 0
    assert now['start_time_seconds', ''] > 1.7e9


async def test_over_a_reload_and_a_kill(nginx):
    """Counters go on; gauges are of those who live."""
    ng = nginx(server=SERVER, location='ws_chat_drain 1h;')
    first, second = ng.worker_pids()
    clients = [await connect_to(ng, pid) for pid in (first, second)]
    await talk(ng, clients)
    before = samples(ng)
    zone = 'zone="chat"'
    await asyncio.to_thread(ng.kill_worker, second)
    await asyncio.to_thread(reached, ng, {('connections', zone): 1,
                                          ('members', zone): 1,
                                          ('workers', ''): 2})
    await asyncio.to_thread(ng.reload)
    after = samples(ng)
    assert after['connections', zone] == 1
    assert after['draining_workers', ''] == 1 and after['generation', ''] == 2
    for (name, labels), value in before.items():
        if name.endswith(('_total', '_count', '_sum', '_bucket')):
            assert after[name, labels] >= value, (name, labels)
    assert ng.drain()
    assert samples(ng)['drained', ''] == 1 and samples(ng)['ready', ''] == 0
    ng.drain(False)


@pytest.mark.plain_store
async def test_zones_come_and_go(nginx):
    """What drains of a zone that is configured no more is still told."""
    ng = nginx(workers=1, zone='ws_chat_zone chat:1m; ws_chat_zone old:1m;',
               server=SERVER + ' location = /old { ws_chat zone=old;'
               ' ws_chat_drain 1h; }')
    client = await Client.connect(ng, path='/old')
    ng.replace_conf('ws_chat_zone old:1m;', 'ws_chat_zone new:1m;')
    ng.replace_conf('ws_chat zone=old;', 'ws_chat zone=new;')
    await asyncio.to_thread(ng.reload)
    now = samples(ng)
    assert now['connections', 'zone="old"'] == 1
    assert now['connections', 'zone="new"'] == 0
    assert ('store_chats', 'zone="old"') not in now
    check(scrape(ng))
    await client.close()


@pytest.mark.skipif(not REDIS_STORE, reason='of live zones')
async def test_live_zones(nginx):
    ng = nginx(server=SERVER)
    await talk(ng, [await Client.connect(ng, user='ann')])
    check(scrape(ng))
    zone = 'zone="chat"'
    await asyncio.to_thread(reached, ng, {('live_appended_total', zone): 3,
                                          ('pending_sends', zone): 0,
                                          ('stale_workers', zone): 0})
    now = samples(ng)
    assert now['canary_age_seconds', zone] < 5
    assert ('store_chats', zone) not in now
