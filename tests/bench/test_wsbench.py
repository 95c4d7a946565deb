"""The generator itself, against servers that behave in a known way."""

import asyncio
import contextlib
import http
import json
import pathlib
import re
import ssl
import subprocess

import pytest
import websockets.asyncio.server

TOP = pathlib.Path(__file__).resolve().parents[2]
WSBENCH = TOP / 'build/bench/wsbench'


def wsbench(*args):
    return subprocess.run([WSBENCH, *map(str, args)], text=True, timeout=110,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)


class Rooms:
    """Sends each message of a room to all its members.

    spoil(text, number) gives the texts to send instead of one; delay is in
    seconds, stall is a moment of the first connection's life at which
    everything stands still for a second.
    """

    def __init__(self, spoil=None, delay=0, stall=None):
        self.members = {}
        self.most = {}
        self.spoil = spoil or (lambda text, number: [text])
        self.delay = delay
        self.stall = stall
        self.number = 0
        self.posts = 0

    async def serve(self, socket):
        room = self.members.setdefault(socket.request.path, set())
        room.add(socket)
        self.most[socket.request.path] = len(room)
        try:
            async for text in socket:
                await self.take(room, text)
        finally:
            room.discard(socket)

    async def take(self, room, text):
        self.number += 1
        if self.number == self.stall:
            await asyncio.sleep(1)
        if self.delay:
            await asyncio.sleep(self.delay)
        for one in self.spoil(text, self.number):
            websockets.asyncio.server.broadcast(room, one)

    async def posted(self, reader, writer):
        """Requests of one connection, answered one by one."""
        with contextlib.suppress(asyncio.IncompleteReadError), \
                contextlib.closing(writer):
            while True:
                head = (await reader.readuntil(b'\r\n\r\n')).decode()
                size = int(re.search(r'Content-Length: (\d+)', head)[1])
                text = (await reader.readexactly(size)).decode()
                path = re.match('POST (/.*) HTTP/1.1\r\n', head)[1]
                self.posts += 1
                if path == '/no':
                    writer.write(b'HTTP/1.1 403 No\r\n\r\n')
                    return
                await self.take(self.members[path], text)
                writer.write(b'HTTP/1.1 201 Created\r\n'
                             b'Content-Length: 3\r\n\r\nyes')

    def refuse(self, connection, request):
        if request.path == '/no':
            return connection.respond(http.HTTPStatus.FORBIDDEN, 'no\n')

    @contextlib.asynccontextmanager
    async def at(self, tls=None):
        async with websockets.asyncio.server.serve(
                self.serve, '127.0.0.1', 0, process_request=self.refuse,
                ssl=tls,
                subprotocols=['a.b'], select_subprotocol=lambda c, offer:
                offer[0] if offer else None) as server:
            yield '%s://127.0.0.1:%d' % (
                'wss' if tls else 'ws', server.sockets[0].getsockname()[1])


def measure(rooms, *args, path='/r{room}', post=None, tls=None):
    """(exit status, result) of wsbench on these rooms."""
    async def run():
        async with rooms.at(tls) as url, await asyncio.start_server(
                rooms.posted, '127.0.0.1', 0) as posts:
            more = post and ['--post', 'http://127.0.0.1:%d%s' % (
                posts.sockets[0].getsockname()[1], post)]
            return await asyncio.to_thread(wsbench, '-q', '--json', '--timeout',
                                           60, '--drain', 30, '-u',
                                           url + path, *(more or []), *args)
    done = asyncio.run(run())
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


TRAFFIC = ('-c', 12, '-r', 3, '-p', 2, '-m', 20, '-d', 1, '-w', 0.5)


@pytest.mark.parametrize('more', [
    (), ('-P', 3), ('--deflate',), ('--binary', '--subprotocol', 'a.b'),
    ('-s', 70000), ('--half', 0.2)])
def test_all_is_delivered(more):
    status, result = measure(Rooms(), *TRAFFIC, *more)
    assert status == 0, result
    assert result['connected'] == result['closed'] == 12
    assert result['sent'] == 60
    assert result['expected'] == result['received'] == 60 * 4
    assert result['missing'] == result['holes'] == result['repeats'] == 0
    assert result['latency_ms']['count'] == 240


@pytest.mark.parametrize('more', [
    (), ('-P', 3), ('--posters', 1), ('--half', 0.2)])
def test_messages_are_posted(more):
    rooms = Rooms()
    status, result = measure(rooms, *TRAFFIC, *more, post='/r{room}')
    assert status == 0, result
    assert result['connected'] == result['closed'] == 12
    assert result['received'] == 60 * 4
    assert rooms.posts == 60 + 30


def test_a_post_is_refused():
    status, result = measure(Rooms(), *TRAFFIC, '--posters', 1, '--drain',
                             2, post='/no')
    assert status == 1
    assert result['lost'] == 1
    assert result['sent'] == 0 and result['unsent'] == 60
    assert 'HTTP/1.1 403' in result['error']


def test_members_of_a_room_take_servers_in_turn():
    servers = Rooms(), Rooms()

    async def run():
        async with servers[0].at() as one, servers[1].at() as two:
            return await asyncio.to_thread(
                wsbench, '-q', '-u', one + '/r{room}', '-u', two + '/r{room}',
                '-c', 12, '-r', 3)
    assert asyncio.run(run()).returncode == 0
    for server in servers:
        assert server.most == {'/r0': 2, '/r1': 2, '/r2': 2}


def test_size_is_that_of_tag_and_padding():
    result = measure(Rooms(), *TRAFFIC, '-s', 1000)[1]
    assert result['bytes'] == 240 * 1000


def test_octets_that_were_read():
    result = measure(Rooms(), *TRAFFIC, '-s', 1000)[1]
    assert result['seen'] == 240
    assert result['wire'] == 240 * (1000 + 4)


def test_octets_are_fewer_when_compressed():
    result = measure(Rooms(), *TRAFFIC, '-s', 1000, '--deflate')[1]
    assert result['bytes'] == 240 * 1000
    assert result['wire'] < 240 * 200


@pytest.fixture(scope='module')
def tls(tmp_path_factory):
    dir = tmp_path_factory.mktemp('tls')
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
                    'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=x',
                    '-keyout', dir / 'key', '-out', dir / 'cert'],
                   check=True, stderr=subprocess.DEVNULL)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(dir / 'cert', dir / 'key')
    return context


@pytest.mark.parametrize('more', [
    (), ('-P', 3), ('-s', 70000), ('--half', 0.2)])
def test_tls(tls, more):
    status, result = measure(Rooms(), *TRAFFIC, *more, tls=tls)
    assert status == 0, result
    assert result['connected'] == result['closed'] == 12
    assert result['received'] == 240


def test_tls_is_not_spoken():
    async def run():
        async with Rooms().at() as url:
            return await asyncio.to_thread(
                wsbench, '-q', '--json', '-u', url.replace('ws:', 'wss:'))
    done = asyncio.run(run())
    assert done.returncode == 1
    assert json.loads(done.stdout)['failed'] == 1


def test_lines_of_a_file(tmp_path):
    seen = []

    def keep(text, number):
        seen.append(text.split(';')[1])
        return [text]

    lines = tmp_path / 'lines'
    lines.write_text('one\ntwo {x}\n\nlast')
    status, result = measure(Rooms(keep), '-m', 20, '-d', 0.5, '-w', 0,
                             '--lines', lines, '--publish', '{tag}{line}')
    assert status == 0, result
    assert seen == (['one', 'two {x}', '', 'last'] * 3)[:10]


def test_latency_is_measured():
    result = measure(Rooms(delay=0.2), '-c', 1, '-m', 2, '-d', 2)[1]
    assert result['latency_ms']['p50'] >= 200


def test_a_stall_is_not_omitted():
    """Messages that were due while the server stood still count as late."""
    result = measure(Rooms(stall=20), '-c', 1, '-m', 50, '-d', 2,
                     '-w', 0)[1]
    assert result['received'] == 100
    assert result['late_ms']['p50'] < result['latency_ms']['p90']
    assert result['latency_ms']['p90'] > 600
    assert result['latency_ms']['max'] > 950


def test_a_loss_is_seen():
    lossy = Rooms(lambda text, number: [] if number == 45 else [text])
    status, result = measure(lossy, *TRAFFIC, '--drain', 3)
    assert status == 1
    assert result['missing'] == 4
    assert result['holes'] == 4


def test_a_repeat_is_seen():
    double = Rooms(lambda text, number: [text] * (1 + (number == 45)))
    status, result = measure(double, *TRAFFIC)
    assert status == 1
    assert result['repeats'] == 4
    assert result['missing'] == 0


def test_disorder_is_seen():
    held = []

    def swap(text, number):
        if number == 50:
            held.append(text)
            return []
        return [text] + held[:1] if number == 51 else [text]

    status, result = measure(Rooms(swap), '-c', 2, '-m', 50, '-d', 1,
                             '-w', 0.5, '--drain', 3)
    assert status == 1
    assert result['repeats'] == 2
    assert result['holes'] == 2


def test_a_stray_is_seen():
    wrong = Rooms(lambda text, number:
                  [re.sub('@0000000(.)', lambda m: '@%08x'
                          % ((int(m[1], 16) + 1) % 6), text)]
                  if number == 45 else [text])
    status, result = measure(wrong, *TRAFFIC, '--drain', 3)
    assert status == 1
    assert result['strays'] == 4


def test_init_and_other_messages():
    status, result = measure(
        Rooms(), '-c', 2, '-r', 2, '-i', 'hello {i}', '-i', 'join {room}',
        '--init-reply', 'join', '--count', 'hello')
    assert status == 0
    assert result['counts'] == {'hello': 2}
    assert result['join_ms']['count'] == 2


def test_acknowledgements():
    both = Rooms(lambda text, number: [text, 'done ' + text])
    status, result = measure(both, *TRAFFIC, '--ack', 'done')
    assert status == 0
    assert result['received'] == 4 * result['sent']
    # the last ones may come when it is over
    assert 54 <= result['ack_ms']['count'] <= result['sent'] == 60
    assert measure(both, *TRAFFIC)[1]['repeats'] > 0


def test_no_reply_to_init():
    status, result = measure(Rooms(), '-i', 'x', '--init-reply', 'y',
                             '--timeout', 2)
    assert status == 1
    assert 'not joined' in result['error']


def test_refused():
    status, result = measure(Rooms(), '-c', 3, path='/no')
    assert status == 1
    assert result['failed'] == 3
    assert 'HTTP/1.1 403' in result['error']


def test_steps():
    async def run():
        async with Rooms().at() as url:
            return await asyncio.to_thread(
                subprocess.run, [WSBENCH, '-q', '--step', '--half', '0',
                                 '-m', '5', '-d', '0.2', '-w', '0', '-u',
                                 url + '/x'],
                input='\n' * 5, text=True, stdout=subprocess.PIPE)
    done = asyncio.run(run())
    assert done.returncode == 0
    assert re.findall('^ready (.*)$', done.stdout, re.M) == [
        'half', 'connected', 'warm', 'measured', 'closed']


@pytest.mark.parametrize('args, text', [
    ((), 'no -u'),
    (('-u', 'http://x/'), 'ws://'),
    (('-u', 'ws://127.0.0.1:0/'), 'port'),
    (('-u', 'ws://127.0.0.1/', '-c', '0'), '--connections'),
    (('-u', 'ws://127.0.0.1/', '-c', '2', '-r', '2', '-p', '2'), 'too few'),
    (('-u', 'ws://127.0.0.1/', '-m', '1', '--publish', 'x'), '{tag}'),
    (('-u', 'ws://127.0.0.1/', '-m', '1', '-s', '5'), '-s 5'),
    (('-u', 'ws://127.0.0.1/', 'more'), 'more'),
    (('-u', 'ws://127.0.0.1/', '--post', 'ws://127.0.0.1/'), 'http://'),
    (('-u', 'ws://127.0.0.1/', '--posters', '0'), '--posters'),
    (('-u', 'ws://192.0.2.1/', '--sources', '2'), '127.0.0.0/8'),
    (('-u', 'ws://127.0.0.1/', '--lines', '/nowhere'), '/nowhere'),
    (('-u', 'ws://127.0.0.1/', '--lines', '/dev/null'), 'no line'),
    (('-u', 'ws://127.0.0.1/', '--publish', '{tag}{line}'), '--lines'),
])
def test_bad_arguments(args, text):
    done = wsbench(*args)
    assert done.returncode == 2
    assert text in done.stderr


def test_too_few_descriptors():
    done = wsbench('-u', 'ws://127.0.0.1/', '-c', 10000000)
    assert done.returncode == 3
    assert '-P' in done.stderr


@pytest.mark.parametrize('option, text', [('--help', 'Usage'),
                                          ('--version', 'wsbench ')])
def test_help(option, text):
    done = wsbench(option)
    assert done.returncode == 0
    assert done.stdout.startswith(text)


def test_the_manual_page_has_every_option():
    options = re.findall(r'--[a-z-]+', wsbench('--help').stdout)
    page = (TOP / 'docs/man/wsbench.1').read_text()
    missing = [option for option in options
               if not re.search(r'%s\b' % option, page)]
    assert len(options) > 30 and missing == []
