"""make farm, farm-status, farm-stop and stop."""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import urllib.request

import confluent_kafka
import pytest

from farm import until
from harness.client import Client
from harness.nginx import TOP, reserve_port


@pytest.fixture
def tree(tmp_path):
    """A checkout with the module built, and a space in its name."""
    top = tmp_path / 'a check out'
    (top / 'build').mkdir(parents=True)
    for name in ('Makefile', 'client', 'conf', 'tests',
                 'build/ngx_ws_chat_module.so', 'build/backend',
                 'build/kafka'):
        (top / name).symlink_to(TOP / name)
    yield top
    run(top, 'tests/tools/run-farm', 'stop')


def run(top, *command, **more):
    """(exit code, text); without what an outer make left behind."""
    env = {k: v for k, v in os.environ.items()
           if k not in ('MAKEFLAGS', 'MAKELEVEL', 'MFLAGS')}
    env.update(more)
    done = subprocess.run(command, cwd=top, env=env, text=True, timeout=150,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def start(top, port, **more):
    return run(top, 'tests/tools/run-farm', 'start', str(port), **more)


def free_port():
    port, keeper = reserve_port()
    keeper.close()
    return port


def lines(text):
    """Node -> (address, state, sockets, health) of the status."""
    return {name: rest for name, *rest in (
        re.split(r'  +', line) for line in text.splitlines())
        if name.startswith('node')}


def pids(directory):
    return [int(path.read_text()) for path in directory.glob('*/pid')]


@pytest.mark.timeout(400)
async def test_start_and_stop(tree):
    port = free_port()
    code, out = start(tree, port)
    assert code == 0, out
    for word in ('http://127.0.0.1:%d/' % port, 'https://127.0.0.1:',
                 'make farm-status', 'make farm-stop'):
        assert word in out, out
    directory = pathlib.Path((tree / 'build/farm.dir').read_text().strip())
    running = pids(directory)
    assert len(running) == 13

    page = urllib.request.urlopen('http://127.0.0.1:%d/' % port, timeout=10)
    assert b'<html' in page.read()
    clients = [await Client.connect('ws://127.0.0.1:%d' % port, user='ann')
               for _ in range(3)]
    assert {c.welcome['node'] for c in clients} == {'node1', 'node2', 'node3'}
    for client in clients:
        await client.join('room')
    await clients[0].send('room', 'hi')
    for client in clients:
        await client.expect('message', message='hi')

    code, out = run(tree, 'make', 'farm-status')
    assert code == 0 and re.search(r'^front .* serves$', out, re.M), out
    assert re.search(r'^redis .* version 7', out, re.M), out
    assert {name: one[1:] for name, one in lines(out).items()} == {
        'node%d' % n: ['UP', '1', '200 {"status":"ready"}']
        for n in (1, 2, 3)}

    for name in ('relay1', 'relay2', 'archiver1', 'archiver2', 'history'):
        assert re.search(r'^%s .* 200 ' % name, out, re.M), out
    for name in ('kafka', 'postgres'):
        assert re.search(r'^%s .* answers$' % name, out, re.M), out
    assert re.search(r'^prometheus .* answers$', out, re.M), out
    await durable(directory, clients[1])

    # each query of the dashboard, each expression of an alert
    code, out = run(tree, sys.executable, 'tests/farm/dashboard', '--seconds',
                    '100')
    assert code == 0 and ' 0 have none' in out, out

    code, out = start(tree, free_port())
    assert code == 1 and 'it runs already at' in out, out

    # what has died is told, too
    os.kill(int((directory / 'redis/pid').read_text()), 9)
    await until(lambda: 'does not answer' in run(tree, 'make',
                                                 'farm-status')[1])
    await until(lambda: 'serves nothing new' in run(tree, 'make',
                                                    'farm-status')[1])

    assert run(tree, 'make', 'stop') == (0, 'Stopped.\n')
    assert not directory.exists()
    await until(lambda: not any(os.path.exists('/proc/%d/fd/0' % pid)
                                for pid in running))
    assert run(tree, 'make', 'farm-stop') == (0, 'Nothing runs.\n')
    assert run(tree, 'make', 'stop') == (0, 'Nothing runs.\n')
    code, out = run(tree, 'make', 'farm-status')
    assert code != 0 and 'no farm runs; make farm' in out, out


async def durable(directory, client):
    """What anybody produces to the topic comes to members and archive."""
    ports = json.loads((directory / 'ports').read_text())
    producer = confluent_kafka.Producer({
        'bootstrap.servers': '127.0.0.1:%d' % ports['kafka'],
        'partitioner': 'murmur2_random'})
    topics = producer.list_topics(timeout=30).topics
    assert len(topics['chat-messages'].partitions) == 10
    assert {'chat-marks', 'chat-events'} < set(topics)
    await client.join('foreign')
    producer.produce('chat-messages', key='foreign', value=json.dumps({
        'sender': 'shop', 'message': 'sent', 'cid': 'c1'}))
    assert producer.flush(30) == 0
    await client.expect('message', message='sent')

    def texts(chat_id):
        url = 'http://127.0.0.1:%d/chats/%s/messages' % (ports['history'],
                                                         chat_id)
        with urllib.request.urlopen(url, timeout=10) as answer:
            return [one['message'] for one in json.load(answer)['messages']]
    await until(lambda: texts('foreign') == ['sent'], 60)
    await until(lambda: texts('room') == ['hi'], 60)


def test_port(tree):
    port, keeper = reserve_port()
    with keeper:
        keeper.listen()
        code, out = start(tree, port)
    assert code == 1 and 'port %d is taken' % port in out, out
    assert start(tree, 'many') == (1, 'farm: PORT=many is not a port\n')
    assert run(tree, 'tests/tools/run-farm')[0] == 2
    assert run(tree, 'tests/tools/run-farm', '--help')[0] == 0
    assert not (tree / 'build/farm.dir').exists()


@pytest.fixture
def place():
    """For temporary files, where other users can go, too."""
    with tempfile.TemporaryDirectory(prefix='wsc-farm.') as path:
        os.chmod(path, 0o755)
        yield pathlib.Path(path)


def test_what_does_not_come_up(tree, place):
    """Nothing stays behind, and the reason is told."""
    (tree / 'conf').unlink()
    (tree / 'conf').mkdir()
    for name in ('haproxy', 'kafka', 'nginx', 'postgres', 'prometheus',
                 'redis'):
        (tree / 'conf' / name).mkdir()
        for path in (TOP / 'conf' / name).iterdir():
            if path.is_dir():
                continue
            text = path.read_text().replace(
                'ws_chat_health;', 'ws_chat_health; bogus;')
            (tree / 'conf' / name / path.name).write_text(text)
    code, out = start(tree, free_port(), TMPDIR=str(place))
    assert code == 1 and 'unknown directive "bogus"' in out, out
    assert not (tree / 'build/farm.dir').exists()
    assert not list(place.iterdir())
