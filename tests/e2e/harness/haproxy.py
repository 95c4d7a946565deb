"""HAProxy with conf/haproxy/haproxy.cfg in front of some nodes."""

import csv
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile

from harness.nginx import PATIENCE, TOP, die_with_parent, reserve_port, \
    wait_for
from harness.redis import make_certificates

CONF = TOP / 'conf/haproxy/haproxy.cfg'
SERVERS = re.compile(r'( +server \w+ 127\.0\.0\.1:\d+.*\n)+')
BAD = re.compile(r'\[ALERT\]|\[EMERG\]|panic|BUG|is about to kill')
DOWN = re.compile(r'Server nodes/(\S+) is DOWN(?!, changed from CLI)')


class HAProxyError(Exception):
    """HAProxy did not do what it has to."""


class HAProxy:
    """One running HAProxy; the nodes are its servers node1, node2, ...

    nodes     Nginx objects, or whatever has a `port`
    replace   [(old, new)] for the text of the configuration

    A Client connects to it as to a node. By TLS:
    Client.connect(front.tls_url, ssl=front.tls())
    """

    def __init__(self, nodes, replace=(), start=True):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix='wsc-haproxy.'))
        self.nodes = list(nodes)
        self.keepers = []
        self.port = self.reserve()
        self.tls_port = self.reserve()
        self.stats_port = self.reserve()
        self.down = set()
        self.process = None
        self.write_conf(replace)
        make_certificates(self.dir)
        (self.dir / 'front.pem').write_text(
            (self.dir / 'redis.crt').read_text()
            + (self.dir / 'redis.key').read_text())
        if start:
            self.start()

    def reserve(self):
        port, keeper = reserve_port()
        self.keepers.append(keeper)
        return port

    def write_conf(self, replace):
        text = CONF.read_text()
        changes = [('127.0.0.1:8080', '127.0.0.1:%d' % self.port),
                   ('127.0.0.1:8443', '127.0.0.1:%d' % self.tls_port),
                   ('127.0.0.1:8404', '127.0.0.1:%d' % self.stats_port)]
        for old, new in [*changes, *replace]:
            assert old in text, old
            text = text.replace(old, new)
        servers = ''.join('    server %s 127.0.0.1:%d\n' % (name, node.port)
                          for name, node in self.servers().items())
        text, count = SERVERS.subn(servers, text)
        assert count == 1, text
        (self.dir / 'haproxy.cfg').write_text(text)

    def servers(self):
        """Name -> node, as they were at the start."""
        return {'node%d' % n: node for n, node in enumerate(self.nodes, 1)}

    # life

    def start(self):
        with open(self.dir / 'log', 'ab') as log:
            self.process = subprocess.Popen(
                ['haproxy', '-db', '-f', 'haproxy.cfg'], cwd=self.dir,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, preexec_fn=die_with_parent)
        try:
            wait_for(self.ready, what='HAProxy listens, nodes are checked')
        except Exception as e:
            self.kill()
            raise HAProxyError('%s\n%s' % (e, self.report())) from None

    def ready(self):
        if self.process.poll() is not None:
            raise HAProxyError('HAProxy ended with %s'
                               % self.process.returncode)
        try:
            states = self.stat()
        except OSError:
            return False
        return not any(row['check_status'] == 'INI'
                       for row in states.values())

    def kill(self):
        if self.process is not None:
            if self.process.poll() is None:
                self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def stop(self):
        """End it and check all that has to be true then."""
        try:
            if self.process is not None and self.process.poll() is None:
                self.process.send_signal(signal.SIGTERM)
                self.process.wait(10 * PATIENCE)
            self.check_log()
        finally:
            self.kill()
            for keeper in self.keepers:
                keeper.close()
            if not os.environ.get('WSC_KEEP'):
                shutil.rmtree(self.dir, ignore_errors=True)

    def expect_down(self, name):
        """The test sees to it that this server cannot be reached."""
        self.down.add(name)

    def log(self):
        try:
            return (self.dir / 'log').read_text(errors='replace')
        except FileNotFoundError:
            return ''

    def report(self, lines=60):
        return '--- log of %s ---\n%s' % (
            self.dir, '\n'.join(self.log().splitlines()[-lines:]))

    def check_log(self):
        """No alert, and no living node was taken for a dead one."""
        bad = []
        for line in self.log().splitlines():
            down = DOWN.search(line)
            if BAD.search(line) and 'has no server available' not in line:
                bad.append(line)
            elif down and down[1] not in self.down:
                bad.append(line)
        if bad:
            raise HAProxyError('bad lines in the log:\n'
                               + '\n'.join(bad[:40]))

    # what it says

    @property
    def url(self):
        return 'ws://127.0.0.1:%d' % self.port

    @property
    def tls_url(self):
        return 'wss://127.0.0.1:%d' % self.tls_port

    def tls(self, *alpn):
        """What a client needs to come in by TLS."""
        context = ssl.create_default_context(cafile=self.dir / 'ca.crt')
        context.set_alpn_protocols(alpn or ['http/1.1'])
        return context

    @property
    def socket(self):
        return self.dir / 'haproxy.sock'

    def runtime(self, command):
        """The answer to a command of the runtime API."""
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(10 * PATIENCE)
            s.connect(str(self.socket))
            s.sendall(command.encode() + b'\n')
            return b''.join(iter(lambda: s.recv(65536), b'')).decode().strip()

    def stat(self):
        """Server name -> its line of `show stat`."""
        text = self.runtime('show stat').removeprefix('# ')
        return {row['svname']: row for row in csv.DictReader(text.splitlines())
                if row['pxname'] == 'nodes' and row['svname'] != 'BACKEND'}

    def server_state(self, name):
        """UP, NOLB (no new sockets), DRAIN, MAINT, DOWN, ..."""
        return self.stat()[name]['status']

    def sockets(self):
        """Server name -> sockets that are open through it."""
        return {name: int(row['scur']) for name, row in self.stat().items()}

    def wait_state(self, name, *states, seconds=20):
        wait_for(lambda: self.server_state(name).split()[0] in states, seconds,
                 '%s becomes %s' % (name, ' or '.join(states)))
