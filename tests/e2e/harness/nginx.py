"""A stock NGINX with the module, in a private directory on a free port."""

import atexit
import collections
import ctypes
import http.client
import itertools
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[3]
ASAN = os.environ.get('WSC_ASAN') == '1'
TEST_STORE = os.environ.get('WSC_STORE') == 'test'
REDIS_STORE = os.environ.get('WSC_STORE') == 'redis'

# how much longer everything may take under the sanitizers
PATIENCE = 4 if ASAN else 1

TEMPLATE = '''\
load_module "{module}";
{user}worker_processes {workers};
pid nginx.pid;
error_log error.log {level};
{main}
events {{
    worker_connections {connections};
    {events}
}}

http {{
    access_log access.log;
    client_body_temp_path temp_body;
    proxy_temp_path temp_proxy;
    fastcgi_temp_path temp_fastcgi;
    scgi_temp_path temp_scgi;
    uwsgi_temp_path temp_uwsgi;
    {zone}
    {store}
    {http}

    server {{
        listen 127.0.0.1:{port} reuseport backlog=4096;
        {server}

        location /chat {{
            ws_chat zone=chat;
            {location}
        }}

        location = /sse {{
            ws_chat_sse zone=chat;
            {location}
        }}

        location = /health {{
            ws_chat_health;
        }}

        location = /status {{
            ws_chat_status;
        }}

        location /api/ {{
            ws_chat_api zone=chat;
            ws_chat_api_key open;
        }}
    }}
}}
'''

ZONE = re.compile(r'ws_chat_zone (\w+):(\w+);')

STORE = 'ws_chat_test_store delay=20ms fail=5 shuffle;'

BAD = re.compile(r'\[(alert|crit|emerg)\]')
SANITIZER = re.compile(r'AddressSanitizer|LeakSanitizer|runtime error:'
                       r'|UndefinedBehaviorSanitizer')
KILLED = re.compile(r'\[alert\] .*worker process (\d+) exited on signal (\d+)')

Response = collections.namedtuple('Response', 'status headers body')


_redis = None
_prefixes = itertools.count(1)


def shared_redis():
    """The Redis of this run, for tests that are not about Redis."""
    global _redis
    if _redis is None:
        from harness.redis import Redis
        _redis = Redis()
        atexit.register(_redis.close)
    return _redis


def live_zones(text):
    """The same zones, but live, with keys that nobody else has."""
    prefix = 't%d:' % next(_prefixes)
    return ZONE.sub(lambda found: (
        'ws_chat_zone %s:%s prefix=%s; ws_chat_redis %s unix:%s;' % (
            found[1], found[2], prefix + found[1] + ':', found[1],
            shared_redis().socket)), text)


LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1


def die_with_parent():
    """In the new process: ends when pytest is killed."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def warned(text):
    """Warnings of `nginx -t`, but for the one that users name themselves."""
    return [line for line in text.splitlines()
            if '[warn]' in line and 'the user is whom' not in line]


class NginxError(Exception):
    """NGINX did not do what it has to."""


def wait_for(condition, seconds=10, what=None):
    """Poll until condition() is true and return what it gave."""
    end = time.monotonic() + seconds * PATIENCE
    pause = 0.005
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise NginxError('%s: not within %s s' % (
                what or getattr(condition, '__doc__', None) or condition,
                seconds * PATIENCE))
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)


def running(pid):
    """There is such a process, and it is no zombie."""
    try:
        stat = pathlib.Path('/proc/%d/stat' % pid).read_text()
    except OSError:
        return False
    return stat.rpartition(')')[2].split()[0] != 'Z'


def reserve_port():
    """A free port, and a socket that keeps others from choosing it.

    The socket is bound but does not listen, so it gets no connection.
    """
    while True:
        with socket.socket() as probe:
            probe.bind(('127.0.0.1', 0))
            port = probe.getsockname()[1]
        keeper = socket.socket()
        keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            keeper.bind(('127.0.0.1', port))
        except OSError:
            keeper.close()
            continue
        return port, keeper


def module_path(variant=None):
    """The module to load: 'plain' or 'test', by default as the run wants."""
    if ASAN:
        return TOP / 'build/asan/ngx_ws_chat_module.so'
    if variant == 'test' or (variant is None and TEST_STORE):
        return TOP / 'build/test/ngx_ws_chat_module.so'
    return TOP / 'build/ngx_ws_chat_module.so'


def sanitizer_env():
    if not ASAN:
        return {}
    libs = []
    for name in ('libasan.so', 'libubsan.so'):
        libs.append(subprocess.run(['gcc', '-print-file-name=' + name],
                                   check=True, text=True,
                                   stdout=subprocess.PIPE).stdout.strip())
    return {
        'LD_PRELOAD': ':'.join(libs),
        'ASAN_OPTIONS': 'detect_leaks=0:abort_on_error=0:exitcode=99'
                        ':detect_stack_use_after_return=0',
        'UBSAN_OPTIONS': 'print_stacktrace=1:halt_on_error=1',
    }


class Nginx:
    """One running NGINX.

    workers      how many
    location     directives for the chat's location, /chat
    server       more of the server, other locations for example
    http, main, events   directives for those levels
    zone         the zones; the locations above use `chat`
    store        False: never put the test store in
    module       'test' for a build with debug delays and the test store
    level        of the error log ('debug' shows all)
    conf         a whole configuration instead; {port} and {module} are filled
                 in (double the other braces)
    """

    def __init__(self, workers=2, location='', server='', http='', main='',
                 events='', zone='ws_chat_zone chat:16m;', store=True,
                 module=None, level=None, connections=2048, conf=None,
                 start=True):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix='wsc-e2e.'))
        self.dir.chmod(0o755)
        self.port, self.keeper = reserve_port()
        self.workers = workers
        self.killed = collections.Counter()
        self.expected = []
        self.process = None
        self.stderr = None
        self.module = module_path(module)
        with_store = store and TEST_STORE and conf is None
        if store and REDIS_STORE and conf is None and module is None:
            zone = live_zones(zone)
        user = 'user www-data;\n' if os.getuid() == 0 else ''
        values = {
            'module': self.module, 'workers': workers, 'port': self.port,
            'location': location, 'server': server, 'http': http,
            'main': main, 'events': events, 'zone': zone, 'user': user,
            'store': STORE if with_store else '',
            'level': level or os.environ.get('WSC_LOG', 'info'),
            'connections': connections,
        }
        self.write_conf((conf or TEMPLATE).format(**values))
        if start:
            self.start()

    # configuration

    def write_conf(self, text):
        self.text = text
        (self.dir / 'nginx.conf').write_text(text, encoding='utf-8')

    def replace_conf(self, old, new):
        """Change the configuration for the next reload."""
        assert old in self.text, old
        self.write_conf(self.text.replace(old, new))

    def command(self, *args):
        return ['nginx', '-e', 'stderr', '-p', str(self.dir) + '/', '-c',
                str(self.dir / 'nginx.conf'), *args]

    def env(self):
        return dict(os.environ, **sanitizer_env())

    def check_conf(self):
        """What `nginx -t` says: (exit code, text)."""
        done = subprocess.run(self.command('-t'), env=self.env(), text=True,
                              stdout=subprocess.PIPE, timeout=60,
                              stderr=subprocess.STDOUT)
        return done.returncode, done.stdout

    # life

    def start(self):
        if 'reuseport' not in self.text:
            self.keeper.close()
        self.stderr = open(self.dir / 'stderr', 'ab')
        self.process = subprocess.Popen(
            self.command('-g', 'daemon off;'), env=self.env(),
            stdin=subprocess.DEVNULL, stdout=self.stderr, stderr=self.stderr,
            start_new_session=True, preexec_fn=die_with_parent)
        try:
            wait_for(self.ready, what='NGINX listens, all workers run')
        except NginxError as e:
            self.kill()
            raise NginxError('%s\n%s' % (e, self.report())) from None

    def ready(self):
        if self.process.poll() is not None:
            raise NginxError('NGINX ended with %s' % self.process.returncode)
        if len(self.worker_pids()) != self.workers:
            return False
        try:
            socket.create_connection(('127.0.0.1', self.port), 5).close()
        except OSError:
            return False
        return True

    def reload(self):
        """SIGHUP, and wait until workers of the new generation serve."""
        old = set(self.worker_pids())
        os.kill(self.process.pid, signal.SIGHUP)
        wait_for(lambda: len(set(self.worker_pids()) - old) == self.workers
                 and not set(self.worker_pids()) & old,
                 what='the workers of the new configuration')

    def children(self):
        """(pid, title) of the master's children."""
        found = []
        for stat in pathlib.Path('/proc').glob('[0-9]*/stat'):
            try:
                fields = stat.read_text().rpartition(')')[2].split()
                if int(fields[1]) != self.process.pid or fields[0] == 'Z':
                    continue
                title = (stat.parent / 'cmdline').read_bytes()
            except (OSError, IndexError):
                continue
            found.append((int(stat.parent.name),
                          title.replace(b'\0', b' ').decode().strip()))
        return sorted(found)

    def sockets(self, pid):
        """How many connections to its port this worker has."""
        here = '0100007F:%04X' % self.port
        inodes = set()
        for line in pathlib.Path('/proc/net/tcp').read_text().splitlines():
            fields = line.split()
            if fields[1] == here and fields[3] == '01':
                inodes.add('socket:[%s]' % fields[9])
        return sum(os.readlink(fd) in inodes
                   for fd in pathlib.Path('/proc/%d/fd' % pid).iterdir())

    def worker_pids(self):
        """The workers that take connections."""
        return [pid for pid, title in self.children()
                if title == 'nginx: worker process']

    def draining_pids(self):
        """The workers that are shutting down."""
        return [pid for pid, title in self.children()
                if 'shutting down' in title]

    def kill_worker(self, pid, signum=signal.SIGKILL, wait=True):
        """Kill one worker and wait for the one that takes its place."""
        children = dict(self.children())
        assert pid in children, (pid, children)
        self.expect_death(pid, signum)
        os.kill(pid, signum)
        if wait:
            wait_for(lambda: pid not in dict(self.children())
                     and len(self.worker_pids()) == self.workers,
                     what='a worker in place of the killed one')

    def expect_death(self, pid, signum=signal.SIGKILL):
        """The test sees to it that this worker dies, once."""
        self.killed[(pid, int(signum))] += 1

    def expect_log(self, pattern):
        """Lines that match are fine at [alert], [crit] and [emerg].

        The pattern has to match at least once by the end of the test.
        """
        self.expected.append(re.compile(pattern))

    def quit(self, seconds=15):
        """Graceful end; the exit has to come in time."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
        try:
            code = self.process.wait(seconds * PATIENCE)
        except subprocess.TimeoutExpired:
            still = self.children()
            self.kill()
            raise NginxError('NGINX did not end within %s s of QUIT: %s' % (
                seconds * PATIENCE, still)) from None
        if code != 0:
            raise NginxError('NGINX ended with %s' % code)

    def kill(self):
        """Not graceful: the master and every child it has."""
        if self.process is None:
            return
        for pid, _ in self.children():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if self.process.poll() is None:
            self.process.kill()
            for pid, _ in self.children():
                os.kill(pid, signal.SIGKILL)
        self.process.wait()

    def crash(self):
        """SIGKILL to all of it at once; start() starts it again."""
        pids = [pid for pid, _ in self.children()]
        self.process.kill()
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        self.process.wait()
        wait_for(lambda: not any(map(running, pids)), what='all are dead')
        self.stderr.close()

    def stop(self):
        """End it and check all that has to be true then."""
        try:
            if self.process is not None and self.process.poll() is None:
                self.check_counters()
            self.quit()
            self.check_log()
        finally:
            self.kill()
            self.cleanup()

    def cleanup(self):
        self.keeper.close()
        if self.stderr is not None:
            self.stderr.close()
        if not os.environ.get('WSC_KEEP'):
            shutil.rmtree(self.dir, ignore_errors=True)

    # what it says

    @property
    def url(self):
        return 'ws://127.0.0.1:%d' % self.port

    def request(self, path, method='GET', headers=None, body=None,
                timeout=10):
        """One plain HTTP request of its own connection."""
        connection = http.client.HTTPConnection('127.0.0.1', self.port,
                                                timeout=timeout * PATIENCE)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return Response(response.status, response.headers,
                            response.read())
        finally:
            connection.close()

    def status(self):
        """The JSON of ws_chat_status."""
        response = self.request('/status',
                                headers={'Accept': 'application/json'})
        if response.status != 200:
            raise NginxError('/status: %d' % response.status)
        return json.loads(response.body)

    def drain(self, on=True):
        """Take no new sockets, or take them again; the answer's JSON."""
        response = self.request('/api/drain', 'POST',
                                body=json.dumps({'on': on}))
        if response.status != 200:
            raise NginxError('/api/drain: %d' % response.status)
        return json.loads(response.body)

    def memory(self):
        """Pss of the workers in bytes: what they cost the machine."""
        total = 0
        for pid in self.worker_pids():
            text = pathlib.Path('/proc/%d/smaps_rollup' % pid).read_text()
            total += int(re.search(r'^Pss:\s+(\d+) kB', text, re.M)[1])
        return total * 1024

    def peak(self):
        """The most bytes that the largest worker has ever held."""
        return 1024 * max(int(re.search(
            r'^VmHWM:\s+(\d+) kB',
            pathlib.Path('/proc/%d/status' % pid).read_text(), re.M)[1])
            for pid in self.worker_pids())

    def log(self):
        """The error log and standard error so far."""
        parts = []
        for name in ('stderr', 'error.log'):
            try:
                parts.append((self.dir / name).read_text(
                    encoding='utf-8', errors='replace'))
            except FileNotFoundError:
                pass
        return ''.join(parts)

    def wait_log(self, pattern, seconds=10, count=1):
        """Wait until the log has that many matches; the matches."""
        def matches():
            found = list(re.finditer(pattern, self.log()))
            return found if len(found) >= count else None
        return wait_for(matches, seconds, 'in the log: ' + pattern)

    def report(self, lines=60):
        return '--- log of %s ---\n%s' % (
            self.dir, '\n'.join(self.log().splitlines()[-lines:]))

    # what has to be true at the end

    def open_counters(self):
        """The counters of what is open, those that are not zero."""
        return {key: value for key, value in self.status().items()
                if key in ('connections', 'members', 'chats') and value}

    def check_counters(self):
        if ' ws_chat_status;' not in self.text:
            return
        if not any(line.strip().startswith('location = /status')
                   for line in self.text.splitlines()):
            return
        try:
            wait_for(lambda: not self.open_counters(), 5)
        except NginxError:
            raise NginxError('still open after all clients closed: %s' %
                             self.open_counters()) from None

    def check_log(self):
        """Nothing bad in the log, but for what the test did itself."""
        killed = collections.Counter()
        unused = set(self.expected)
        bad = []
        for line in self.log().splitlines():
            death = KILLED.search(line)
            if death and (int(death[1]), int(death[2])) in self.killed:
                killed[(int(death[1]), int(death[2]))] += 1
                continue
            if not (BAD.search(line) or SANITIZER.search(line)):
                continue
            allowed = {p for p in self.expected if p.search(line)}
            unused -= allowed
            if not allowed:
                bad.append(line)
        if bad:
            raise NginxError('bad lines in the log:\n' + '\n'.join(bad[:40]))
        if killed != self.killed:
            raise NginxError('killed by the test: %s, by the log: %s' % (
                dict(self.killed), dict(killed)))
        if unused:
            raise NginxError('expected in the log, but not there: %s' %
                             [p.pattern for p in unused])
