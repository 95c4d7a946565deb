"""Sessions through the life of NGINX, and NGINX modules beside ours."""

import json
import re
import select
import signal
import ssl
import subprocess
import time
import types

import pytest

from harness.nginx import PATIENCE, reserve_port, wait_for
from harness.raw import PING, PONG, TEXT, Raw, close_frame, frame

pytestmark = pytest.mark.plain_store

SERVER = '''
    location = /echo { ws_chat_echo; ws_chat_drain 300ms; }
    location = /stub { stub_status; }
    location = /limited { ws_chat_echo; limit_conn one 2; limit_conn two 9; }
'''
HTTP = '''
    limit_conn_zone $binary_remote_addr zone=one:1m;
    limit_conn_zone $server_name zone=two:1m;
    ws_chat_log sessions.log json;
'''


@pytest.fixture
def server(nginx, tmp_path):
    """A function like `nginx`, with TLS at ng.tls and more places."""
    tmp_path.chmod(0o755)
    keepers = []

    def start(listen='', **options):
        subprocess.run(
            ['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes',
             '-days', '2', '-subj', '/CN=localhost', '-keyout',
             tmp_path / 'key.pem', '-out', tmp_path / 'cert.pem'],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        port, keeper = reserve_port()
        keepers.append(keeper)
        options.setdefault('workers', 1)
        options['http'] = HTTP + options.get('http', '')
        options['server'] = SERVER + options.get('server', '') + '''
            listen 127.0.0.1:%d ssl reuseport %s;
            ssl_certificate %s/cert.pem;
            ssl_certificate_key %s/key.pem;
        ''' % (port, listen, tmp_path, tmp_path)
        ng = nginx(**options)
        ng.tls = types.SimpleNamespace(port=port)
        return ng

    yield start
    for keeper in keepers:
        keeper.close()


def tls_raw(ng):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    r = Raw(ng.tls)
    r.sock = context.wrap_socket(r.sock)
    return r


def stub(ng):
    """active, reading, writing, waiting"""
    text = ng.request('/stub').body.decode()
    found = re.search(r'Active connections: (\d+).*Reading: (\d+) '
                      r'Writing: (\d+) Waiting: (\d+)', text, re.S)
    return [int(n) for n in found.groups()]


def sessions(ng):
    """The lines of ws_chat_log."""
    try:
        text = (ng.dir / 'sessions.log').read_text()
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in text.splitlines()]


def opened(ng, count=1):
    wait_for(lambda: ng.status()['connections'] == count,
             what='%d connections' % count)


def exchange(r, text=b'x'):
    r.send(frame(text))
    got = r.read_frame()
    assert (got.opcode, got.payload) == (TEXT, text)


# counters

def test_stub_status(server):
    """A session counts as active and nothing else, and only while open."""
    ng = server()
    base = stub(ng)
    assert base == [1, 0, 1, 0]
    ends = [lambda r: r.send(close_frame()), lambda r: r.reset(),
            lambda r: r.close(), lambda r: r.send(frame('', 3))]
    for connect in (Raw, tls_raw):
        for end in ends:
            r = connect(ng)
            r.upgrade('/echo')
            exchange(r)
            assert stub(ng) == [2, 0, 1, 0], (connect, end)
            end(r)
            if r.sock.fileno() >= 0:
                r.read_close()
                assert r.at_eof()
                r.close()
            wait_for(lambda: stub(ng) == base,
                     what='active is back: %s' % stub(ng))


def test_log_line(server):
    ng = server()
    with Raw(ng) as r:
        r.upgrade('/echo')
        exchange(r, b'abc')
        r.send(close_frame(4321))
        r.read_close()
        assert r.at_eof()
    line = wait_for(lambda: sessions(ng))[0]
    wanted = {'addr': '127.0.0.1', 'code': 4321, 'messages_in': 1,
              'messages_out': 1, 'bytes_in': 9 + 8, 'bytes_out': 5 + 4}
    assert {k: line.get(k) for k in wanted} == wanted, line


# heartbeat

BEAT = '''
    location = /beat {
        ws_chat_echo; ws_chat_ping_interval 500ms; ws_chat_pong_timeout 300ms;
    }
    location = /quiet { ws_chat_echo; ws_chat_ping_interval 0; }
'''


def test_no_pong(nginx):
    ng = nginx(workers=1, server=BEAT)
    with Raw(ng) as r:
        r.upgrade('/beat')
        begin = time.monotonic()
        assert r.read_frame()[2:] == (PING, b'')
        assert time.monotonic() - begin > 0.4
        assert r.read_close()[0] == 4102
        assert r.at_eof()


def test_pong(nginx):
    ng = nginx(workers=1, server=BEAT)
    with Raw(ng) as r:
        r.upgrade('/beat')
        for _ in range(4):
            assert r.read_frame()[2:] == (PING, b'')
            r.send(frame('', PONG))
        exchange(r)


def test_who_is_heard_is_not_pinged(nginx):
    ng = nginx(workers=1, server=BEAT)
    with Raw(ng) as silent, Raw(ng) as busy, Raw(ng) as quiet:
        quiet.upgrade('/quiet')
        busy.upgrade('/beat')
        silent.upgrade('/beat')
        silent.sock.settimeout(0.05)
        pings = 0
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            exchange(busy)
            try:
                pings += silent.read_frame().opcode == PING
                silent.send(frame('', PONG))
            except TimeoutError:
                pass
        assert pings >= 1
        exchange(quiet)


def test_close_without_an_answer(nginx):
    """Who does not answer our Close is cut after two seconds."""
    ng = nginx(workers=1)
    with Raw(ng) as r:
        r.upgrade('/chat')
        r.send(frame(b'', 2))
        assert r.read_close()[0] == 1003
        begin = time.monotonic()
        assert r.at_eof()
        assert 1.5 < time.monotonic() - begin < 4 * PATIENCE


def test_close_of_a_slow_client(server):
    """Who sends on for seconds before it reads is not reset."""
    ng = server()
    for connect in (Raw, tls_raw):
        with connect(ng) as r:
            r.upgrade('/chat')
            r.send(frame(b'', 2))
            begin = time.monotonic()
            while time.monotonic() - begin < 4:
                r.send(frame('{"op":"ping"}'))
                time.sleep(0.05)
            assert r.read_close()[0] == 1003
            assert r.at_eof()


def test_close_is_not_waited_for_without_end(nginx):
    ng = nginx(workers=1)
    with Raw(ng) as r:
        r.upgrade('/chat')
        r.send(frame(b'', 2))
        assert r.read_close()[0] == 1003
        assert r.at_eof()
        opened(ng, 1)
        opened(ng, 0)


def test_incomplete_message(nginx):
    """A message has 30 seconds to become complete; others do not matter."""
    ng = nginx(workers=1, server=BEAT)
    with Raw(ng, timeout=40) as r, Raw(ng) as other:
        other.upgrade('/quiet')
        r.upgrade('/quiet')
        r.send(frame('abc')[:-1])
        begin = time.monotonic()
        assert r.read_close()[0] == 1008
        assert 29 < time.monotonic() - begin < 35 * PATIENCE
        exchange(other)


# reload and shutdown

def test_reload(server):
    """Everybody is sent away over the drain time and the old worker ends."""
    ng = server(location='ws_chat_drain 500ms;')
    pid, = ng.worker_pids()
    chats = [Raw(ng) for _ in range(10)]
    echoes = [Raw(ng) for _ in range(5)] + [tls_raw(ng) for _ in range(5)]
    for r in chats:
        r.upgrade('/chat')
        assert b'welcome' in r.read_frame().payload
    for r in echoes:
        r.upgrade('/echo')
    ng.reload()
    for r in chats:
        event = json.loads(r.read_frame().payload)
        assert event['ev'] == 'reconnect' and event['in_ms'] < 1000, event
    for r in chats + echoes:
        assert r.read_close()[0] == 1012
        r.send(close_frame(1012))
        assert r.at_eof()
        r.close()
    wait_for(lambda: pid not in dict(ng.children()), 5,
             'the old worker has ended')
    with Raw(ng) as r:
        r.upgrade('/echo')
        exchange(r)


def test_reload_is_spread(server):
    """The drain time is used: not all at once, none after it."""
    ng = server(location='ws_chat_drain 2s;')
    held = [Raw(ng) for _ in range(30)]
    for r in held:
        r.upgrade('/chat')
        r.read_frame()
    ng.reload()
    begin = time.monotonic()
    times = []
    while held:
        ready, _, _ = select.select([r.sock for r in held], [], [], 10)
        assert ready
        for r in [r for r in held if r.sock in ready]:
            assert r.read_close()[0] == 1012
            times.append(time.monotonic() - begin)
            held.remove(r)
            r.close()
    assert len({int(t * 5) for t in times}) >= 4, times
    assert max(times) < 4 * PATIENCE


def test_works_while_draining(server):
    ng = server(location='ws_chat_drain 3s;')
    with Raw(ng) as r:
        r.upgrade('/chat')
        r.read_frame()
        ng.reload()
        r.send_frame('{"op":"ping","id":7}')
        got = json.loads(r.read_frame().payload)
        assert got['ev'] in ('pong', 'reconnect'), got


def test_many_reloads(server):
    ng = server(location='ws_chat_drain 1s;')
    for _ in range(5):
        r = Raw(ng)
        r.upgrade('/chat')
        ng.reload()
        r.close()
    wait_for(lambda: not ng.draining_pids(), 10, 'all old workers ended')


def test_quit(server):
    """QUIT says 1001; clients that stay silent do not hold it up."""
    ng = server()
    held = [Raw(ng) for _ in range(4)] + [tls_raw(ng) for _ in range(4)]
    for r in held:
        r.upgrade('/echo')
    begin = time.monotonic()
    ng.process.send_signal(signal.SIGQUIT)
    for r in held:
        assert r.read_close()[0] == 1001
    assert ng.process.wait(15 * PATIENCE) == 0
    assert time.monotonic() - begin < 10 * PATIENCE
    assert [line['code'] for line in sessions(ng)] == [1001] * 8


def test_stop(server):
    """TERM leaves no time, but says 1001."""
    ng = server()
    held = [Raw(ng), Raw(ng), tls_raw(ng)]
    for r in held:
        r.upgrade('/echo')
    held[1].send(frame('abc')[:4])
    ng.process.send_signal(signal.SIGTERM)
    for r in held:
        assert r.read_close()[0] == 1001
    assert ng.process.wait(10 * PATIENCE) == 0
    assert [line['code'] for line in sessions(ng)] == [1001] * 3


def test_stop_with_a_backlog(server):
    """A socket that takes nothing does not keep NGINX."""
    ng = server()
    with Raw(ng, rcvbuf=4096) as r:
        r.upgrade('/echo')
        r.sock.setblocking(False)
        try:
            while True:
                r.sock.send(frame('x' * 60000))
        except BlockingIOError:
            pass
        ng.process.send_signal(signal.SIGTERM)
        assert ng.process.wait(10 * PATIENCE) == 0


def test_worker_shutdown_timeout(server):
    """The administrator's patience is shorter than the drain time."""
    ng = server(main='worker_shutdown_timeout 1s;',
                location='ws_chat_drain 60s;')
    with Raw(ng) as r:
        r.upgrade('/chat')
        r.read_frame()
        pid, = ng.worker_pids()
        ng.reload()
        assert r.read_close()[0] in (1001, 1012)
        assert r.at_eof()
        wait_for(lambda: pid not in dict(ng.children()), 5)


def test_handshake_at_a_draining_worker(server):
    """Who was about to ask is told to come again."""
    ng = server(location='ws_chat_drain 60s;')
    with Raw(ng) as holds, Raw(ng) as late:
        holds.upgrade('/chat')
        request = late.request('/chat')
        late.send(request[:20])
        opened(ng)
        ng.reload()
        late.send(request[20:])
        status, headers, _ = late.response()
        assert (status, headers['retry-after']) == (503, '1')
        holds.send(close_frame())


def test_worker_killed(server):
    """The gauges of a worker go with it."""
    ng = server(workers=2)
    held = [Raw(ng) for _ in range(10)]
    for r in held:
        r.upgrade('/echo')
    opened(ng, 10)
    for pid in ng.worker_pids():
        ng.kill_worker(pid)
    opened(ng, 0)


# other modules

def test_limit_conn(server):
    """limit_conn counts as long as the session lives."""
    ng = server()
    for connect in (Raw, tls_raw):
        with connect(ng) as one, connect(ng) as two:
            one.upgrade('/limited')
            two.upgrade('/limited')
            with connect(ng) as three:
                three.send(three.request('/limited'))
                assert three.response()[0] == 503
            one.send(close_frame())
            one.read_close()
            one.close()
            opened(ng, 1)
            with connect(ng) as three:
                three.upgrade('/limited')
                exchange(three)
                exchange(two)
        opened(ng, 0)


def test_limit_conn_over_a_reload(server):
    ng = server()
    with Raw(ng) as one, Raw(ng) as two:
        one.upgrade('/limited')
        two.upgrade('/limited')
        ng.reload()
        for r in one, two:
            r.close()
        wait_for(lambda: not ng.draining_pids(), 30, 'the old worker ended')
    with Raw(ng) as one, Raw(ng) as two:
        one.upgrade('/limited')
        two.upgrade('/limited')


def test_real_address(server):
    """The client's address behind a proxy, in every log."""
    ng = server(listen='proxy_protocol', server='''
        set_real_ip_from 127.0.0.1; real_ip_header proxy_protocol;''')
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with Raw(ng.tls) as r:
        r.send(b'PROXY TCP6 2001:db8:1111:2222:3333:4444:5555:6666 ::1 5 80'
               b'\r\n')
        r.sock = context.wrap_socket(r.sock)
        r.upgrade('/echo')
        exchange(r)
        r.send(close_frame())
        r.read_close()
    address = '2001:db8:1111:2222:3333:4444:5555:6666'
    line = wait_for(lambda: sessions(ng))[0]
    assert line['addr'] == address
    assert (ng.dir / 'access.log').read_text().startswith(address + ' ')


def test_real_address_without_tls(nginx):
    port, keeper = reserve_port()
    ng = nginx(workers=1, http=HTTP, server=SERVER + '''
        listen 127.0.0.1:%d proxy_protocol reuseport;
        set_real_ip_from 127.0.0.1; real_ip_header proxy_protocol;''' % port)
    with Raw(types.SimpleNamespace(port=port)) as r:
        r.send(b'PROXY TCP4 192.0.2.200 127.0.0.1 5 80\r\n')
        r.upgrade('/echo')
        exchange(r)
        r.reset()
    line = wait_for(lambda: sessions(ng))[0]
    assert (line['addr'], line['code']) == ('192.0.2.200', 1006)
    keeper.close()


def test_auth_request(nginx):
    ng = nginx(workers=1, server='''
        location = /allowed { ws_chat_echo; auth_request /auth; }
        location = /auth { if ($http_x_ok) { return 204; } return 403; }''')
    with Raw(ng) as r:
        r.upgrade('/allowed', {'X-OK': '1'}, extra=frame('a'))
        assert r.read_frame().payload == b'a'
    with Raw(ng) as r:
        r.send(r.request('/allowed'))
        assert r.response()[0] == 403


def test_accept_mutex(nginx):
    ng = nginx(workers=2, http=HTTP, server=SERVER, events='accept_mutex on;')
    held = [Raw(ng) for _ in range(20)]
    for r in held:
        r.upgrade('/echo')
    for r in held:
        exchange(r)
        r.send(close_frame())
        assert r.read_close()[0] == 1000 and r.at_eof()


def test_half_sent_handshakes(nginx):
    """A storm of them leaves no more memory than ordinary ones."""
    ng = nginx(workers=1, http=HTTP, server=SERVER)
    held = [Raw(ng) for _ in range(400)]
    for r in held:
        r.send(r.request('/echo')[:60])
    for r in held:
        r.send(r.request('/echo')[60:])
        assert r.response()[0] == 101
    opened(ng, 400)
    assert ng.status()['memory'] < 400 * 296 + 20000
    for r in held:
        r.close()
