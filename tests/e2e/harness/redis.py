"""A Redis server in a private directory, and a proxy that makes trouble."""

import collections
import os
import pathlib
import selectors
import shutil
import signal
import socket
import subprocess
import tempfile
import threading

import msgpack

from harness.nginx import reserve_port, wait_for

RAM = '/dev/shm'

# what a chat's stream has; prev: only told by the first one of an epoch
Entry = collections.namedtuple('Entry', 'position prev sender cid message')


def make_certificates(path, name='localhost'):
    """A CA and a certificate for `name` and 127.0.0.1: ca, redis .crt/.key."""
    path = pathlib.Path(path)

    def openssl(*args):
        subprocess.run(['openssl', *args], cwd=path, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2',
            '-subj', '/CN=test CA', '-keyout', 'ca.key', '-out', 'ca.crt')
    openssl('req', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=' + name,
            '-keyout', 'redis.key', '-out', 'redis.csr')
    (path / 'ext').write_text(
        'subjectAltName=DNS:%s,IP:127.0.0.1\n' % name)
    openssl('x509', '-req', '-in', 'redis.csr', '-CA', 'ca.crt', '-CAkey',
            'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'ext',
            '-out', 'redis.crt')
    for one in path.iterdir():
        one.chmod(0o644)
    return path


def read_reply(f):
    """One reply of Redis, RESP2."""
    line = f.readline()
    kind, text = line[:1], line[1:-2]
    if kind == b'-':
        raise AssertionError(text)
    if kind == b'$':
        return None if text == b'-1' else f.read(int(text) + 2)[:-2]
    if kind == b'*':
        return [read_reply(f) for _ in range(int(text))]
    return text


class Redis:
    """One redis-server; it keeps port and data over stop() and start().

    args    further arguments, '--requirepass', 'secret' for example
    tls     the port speaks TLS, with certificates made for it, or with those
            of another directory
    auth    how cli() logs in: 'password' or ('user', 'password')
    ram     its files are in memory, where an fsync takes no time: with
            `appendfsync everysec` Redis answers before it wrote while an
            fsync is under way, so that even kill -9 would lose something
    """

    def __init__(self, *args, tls=False, auth=None, ram=False, start=True):
        self.dir = pathlib.Path(tempfile.mkdtemp(
            prefix='wsc-redis.',
            dir=RAM if ram and os.access(RAM, os.W_OK) else None))
        self.dir.chmod(0o755)
        self.port, self.keeper = reserve_port()
        self.keeper.close()
        self.args = list(args)
        self.tls = bool(tls)
        self.auth = auth
        self.process = None
        if tls is True:
            make_certificates(self.dir)
        elif tls:
            shutil.copytree(tls, self.dir, dirs_exist_ok=True)
        if start:
            self.start()

    @property
    def socket(self):
        return self.dir / 'redis.sock'

    @property
    def uri(self):
        return 'redis%s://127.0.0.1:%d' % ('s' if self.tls else '', self.port)

    def command_line(self):
        args = ['redis-server', '--bind', '127.0.0.1', '--dir', str(self.dir),
                '--unixsocket', str(self.socket), '--unixsocketperm', '777',
                '--save', '', '--daemonize', 'no', '--logfile', 'redis.log']
        if self.tls:
            args += ['--port', '0', '--tls-port', str(self.port),
                     '--tls-cert-file', 'redis.crt', '--tls-key-file',
                     'redis.key', '--tls-ca-cert-file', 'ca.crt',
                     '--tls-auth-clients', 'no']
        else:
            args += ['--port', str(self.port)]
        return args + self.args

    def start(self):
        self.run(*self.command_line())

    def run(self, *command):
        """Start it by another command; its Unix socket has to be ours."""
        self.process = subprocess.Popen(
            command, cwd=self.dir, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True)
        wait_for(self.answers, what='Redis answers')

    def answers(self):
        return self.process.poll() is None and self.cli('ping') == 'PONG'

    def cli(self, *args):
        """What redis-cli says to a command, through the Unix socket."""
        login = []
        if isinstance(self.auth, tuple):
            login = ['--user', self.auth[0], '--pass', self.auth[1]]
        elif self.auth:
            login = ['-a', self.auth]
        return subprocess.run(
            ['redis-cli', '--no-auth-warning', '-s', str(self.socket), *login,
             *args], text=True, stdout=subprocess.PIPE, timeout=30,
            stderr=subprocess.STDOUT).stdout.strip()

    def ask(self, *words):
        """The reply to one command, strings as bytes."""
        words = [w if isinstance(w, bytes) else w.encode() for w in words]
        with socket.socket(socket.AF_UNIX) as s:
            s.settimeout(30)
            s.connect(str(self.socket))
            s.sendall(b'*%d\r\n' % len(words) + b''.join(
                b'$%d\r\n%s\r\n' % (len(w), w) for w in words))
            with s.makefile('rb') as f:
                return read_reply(f)

    def load(self, commands):
        """Many commands at once, each a list of words, that all succeed."""
        octets = b''.join(
            b'*%d\r\n' % len(words) + b''.join(
                b'$%d\r\n%s\r\n' % (len(w), w) for w in words)
            for words in commands)
        done = subprocess.run(
            ['redis-cli', '-s', str(self.socket), '--pipe'], input=octets,
            stdout=subprocess.PIPE, timeout=60, check=True)
        assert b'errors: 0' in done.stdout, done.stdout

    def stream(self, chat, prefix='wsc:{0}:s:'):
        """The entries of a chat as Redis has them, each envelope checked."""
        found = []
        for ident, fields in self.ask('XRANGE', prefix + chat, '-', '+'):
            epoch, seq = (int(part) for part in ident.split(b'-'))
            envelope = msgpack.unpackb(fields[1])
            assert envelope[:2] == [1, 1], envelope
            found.append(Entry((epoch, seq + 1), tuple(envelope[6:8]) or None,
                               *envelope[3:6]))
        return found

    def clients(self, *kinds):
        """Those of the module: their lines of CLIENT LIST."""
        return [line for line in self.cli('client', 'list').splitlines()
                if ' name=ws_chat:' in line
                and all(kind in line for kind in kinds)]

    def kill(self):
        """SIGKILL, and wait for the end."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def pause(self):
        os.kill(self.process.pid, signal.SIGSTOP)

    def resume(self):
        os.kill(self.process.pid, signal.SIGCONT)

    def log(self):
        try:
            return (self.dir / 'redis.log').read_text()
        except FileNotFoundError:
            return ''

    def close(self):
        if self.process is not None:
            self.kill()
        shutil.rmtree(self.dir, ignore_errors=True)


class Proxy:
    """TCP to another port; can be deaf (half open), cut or closed."""

    def __init__(self, target, host='127.0.0.1'):
        self.target = target
        self.listener = socket.create_server((host, 0))
        self.port = self.listener.getsockname()[1]
        self.deaf = False
        self.closed = False
        self.accepted = 0
        self.pairs = {}
        self.lock = threading.Lock()
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.running = True
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while self.running:
            for key, _ in self.selector.select(0.05):
                with self.lock:
                    if key.fileobj is self.listener:
                        self.accept()
                    elif key.fileobj in self.pairs:
                        self.forward(key.fileobj)

    def accept(self):
        near, _ = self.listener.accept()
        self.accepted += 1
        try:
            if self.closed:
                raise OSError('closed')
            far = socket.create_connection(('127.0.0.1', self.target), 5)
        except OSError:
            near.close()
            return
        for one, other in ((near, far), (far, near)):
            self.pairs[one] = other
            self.selector.register(one, selectors.EVENT_READ)

    def forward(self, one):
        try:
            data = one.recv(65536)
            if self.deaf and data:
                return
            if data:
                self.carry(one, data)
                return
        except OSError:
            pass
        self.drop(one)

    def carry(self, one, data):
        self.pairs[one].sendall(data)

    def drop(self, one):
        for half in (one, self.pairs.get(one)):
            if half in self.pairs:
                self.selector.unregister(half)
                del self.pairs[half]
                half.close()

    def cut(self):
        """Close every connection that is open."""
        with self.lock:
            for one in list(self.pairs):
                if one in self.pairs:
                    self.drop(one)

    def close(self):
        self.running = False
        self.thread.join()
        self.cut()
        self.listener.close()
        self.selector.close()


class Script:
    """Sends the same octets to whoever says something; none: hangs up."""

    def __init__(self, text):
        self.text = text
        self.listener = socket.create_server(('127.0.0.1', 0))
        self.port = self.listener.getsockname()[1]
        self.accepted = 0
        self.running = True
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        self.listener.settimeout(0.05)
        while self.running:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                continue
            self.accepted += 1
            with peer:
                try:
                    peer.settimeout(5)
                    peer.recv(65536)
                    if self.text:
                        peer.sendall(self.text)
                        peer.recv(65536)
                except OSError:
                    pass

    def close(self):
        self.running = False
        self.thread.join()
        self.listener.close()
