"""The servers that are measured: NGINX with one module or another, others."""

import contextlib
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile

from . import machine
from .machine import BenchError

TOP = pathlib.Path(__file__).resolve().parents[3]

CONF = '''\
load_module "{module}";
{user}worker_processes 1;
worker_rlimit_nofile {descriptors};
pid nginx.pid;
error_log error.log;
daemon off;

events {{
    worker_connections 40000;
}}

http {{
    access_log off;
    client_body_temp_path temp_body;
    proxy_temp_path temp_proxy;
    fastcgi_temp_path temp_fastcgi;
    uwsgi_temp_path temp_uwsgi;
    scgi_temp_path temp_scgi;
    {http}

    server {{
        listen 127.0.0.1:{port} {listen}backlog=8192;

        {server}
    }}
}}
'''


TLS = '''
        ssl_certificate cert.pem;
        ssl_certificate_key key.pem;
        '''


class Server:
    """One running server; a context manager.

    name     of the peer
    generator   arguments of wsbench, {port} is filled in
    acks     of them counts the acknowledgements; None: there are none
    slots    it has NGINX's slots of connections
    """

    name = acks = None
    generator = ()
    slots = False

    def __init__(self):
        self.cpus = machine.processors()[0]
        self.dir = self.process = self.worker = None

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *args):
        self.stop()

    def command(self):
        """What to start in self.dir, for self.port."""
        raise NotImplementedError

    def start(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix='wsc-bench.'))
        self.dir.chmod(0o755)
        self.port = free_port()
        self.process = subprocess.Popen(
            pinned(self.cpus) + [str(word) for word in self.command()],
            stdin=subprocess.DEVNULL, stderr=(self.dir / 'stderr').open('w'))
        machine.wait_for(self.is_up, '%s did not start' % self.name)
        self.worker = self.find_worker()

    def find_worker(self):
        """The process that does the work, when the port answers."""
        return self.process.pid

    def is_up(self):
        if self.process.poll() is not None:
            raise BenchError('%s did not start:\n%s' % (
                self.name, (self.dir / 'stderr').read_text()))
        with socket.socket() as probe:
            if probe.connect_ex(('127.0.0.1', self.port)) != 0:
                return False
            # a worker that answers has all its files open
            probe.settimeout(10)
            with contextlib.suppress(ConnectionError):
                probe.sendall(b'GET / HTTP/1.0\r\n\r\n')
                probe.recv(1)
        return self.find_worker()

    def stop(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.dir is not None:
            shutil.rmtree(self.dir)
        self.dir = self.process = None

    def arguments(self):
        return [word.replace('{port}', str(self.port))
                for word in self.generator]

    # figures

    def cpu(self):
        return machine.cpu_seconds([self.worker])

    def memory(self):
        return machine.memory({self.process.pid, self.worker})

    def files(self):
        return machine.open_files(self.worker)


class Nginx(Server):
    """With one worker.

    module   its shared object
    http, server   directives; extra goes into the chat's location, the port
                   of a Redis comes for {redis}
    tls      listen with it
    """

    module = http = server = None
    tls = False
    slots = True

    def __init__(self, extra='', redis=None):
        super().__init__()
        self.extra = extra
        self.redis = str(redis)

    def command(self):
        conf = self.dir / 'nginx.conf'
        if self.tls:
            self.certificate()
        server = (TLS if self.tls else '') + self.server % self.extra
        conf.write_text(CONF.format(
            module=self.module, port=self.port,
            listen='ssl ' if self.tls else '',
            http=self.http.replace('{redis}', self.redis),
            server=server.replace('{redis}', self.redis),
            descriptors=machine.descriptors(),
            user='user www-data;\n' if os.getuid() == 0 else ''))
        return ['nginx', '-e', 'stderr', '-p', '%s/' % self.dir, '-c', conf]

    def certificate(self):
        subprocess.run(
            ['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
             'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=localhost',
             '-keyout', self.dir / 'key.pem', '-out', self.dir / 'cert.pem'],
            check=True, stderr=subprocess.DEVNULL)

    def find_worker(self):
        return next(iter(machine.children(self.process.pid)), None)


ACK = '"ev":"ack"'


class Ours(Nginx):
    name = 'ngx_ws_chat'
    module = TOP / 'build/ngx_ws_chat_module.so'
    http = 'ws_chat_zone chat:64m;'
    server = '''\
location /chat {
            ws_chat zone=chat;
            ws_chat_rate off;
            %s
        }'''
    generator = (
        # as with nchan the URL says it all: a client that sent something has
        # its kernel delay acknowledgements, which costs the server more
        '--url', 'ws://127.0.0.1:{port}/chat?user=u{i}&join=r{room}',
        '--init-reply', '"ev":"welcome"',
        # with an id it is acknowledged
        '--publish', '{"op":"send","id":{i},"chat_id":"r{room}",'
                     '"cid":"{cid}","message":"{tag}{pad}"}',
        '--count', '"ev":"gap"', '--count', '"ev":"error"',
        '--count', ACK)
    lines = ('--publish', '{"op":"send","id":{i},"chat_id":"r{room}",'
                          '"cid":"{cid}","message":["{tag}",{line}]}')
    acks = ACK
    deflates = True


def before(path, ours=Ours):
    """Another build of it, as a peer."""
    return type('Before', (ours,), {'name': 'before', 'module': path})


class OursTls(Ours):
    tls = True
    generator = tuple(word.replace('ws://', 'wss://')
                      for word in Ours.generator)


class OursAlone(Ours):
    name = Ours.name + ', alone'
    generator = tuple(word.replace('&join=r{room}', '')
                      for word in Ours.generator)


class OursPlain(Ours):
    name = 'the same, plain'
    deflates = False


class Nchan(Nginx):
    name = 'nchan'
    module = '/usr/lib/nginx/modules/ngx_nchan_module.so'
    http = 'nchan_shared_memory_size 256m;'
    server = '''\
location ~ ^/sub/(.+)$ {
            nchan_pubsub websocket;
            nchan_channel_id $1;
            nchan_message_buffer_length 1000;
            nchan_message_timeout 24h;
            %s
        }'''
    generator = (
        '--url', 'ws://127.0.0.1:{port}/sub/r{room}',
        '--publish', '{tag}{pad}')
    lines = ('--publish', '["{tag}",{line}]')


class NchanTls(Nchan):
    tls = True
    generator = tuple(word.replace('ws://', 'wss://')
                      for word in Nchan.generator)


class NchanDeflate(Nchan):
    name = 'nchan, compressed'
    deflates = True
    server = Nchan.server.replace('%s',
                                  'nchan_deflate_message_for_websocket on;%s')


class Floor(Server):
    """A bare server that only delivers."""

    program = TOP / 'build/bench/wsfloor'
    mode = None
    generator = (
        '--url', 'ws://127.0.0.1:{port}/r{room}', '--publish', '{tag}{pad}')

    def command(self):
        return [self.program, self.mode, self.port]


class FloorEach(Floor):
    name = 'bare, a send each'
    mode = 'each'


class FloorLog(Floor):
    name = 'bare, a log'
    mode = 'log'


class Ws(Server):
    name = 'ws'
    modules = TOP / 'build/node/node_modules'
    generator = Floor.generator

    def command(self):
        return ['env', 'NODE_PATH=%s' % self.modules, 'node',
                TOP / 'tests/bench/peers/ws.js', self.port]


def pinned(cpus):
    """The beginning of a command that shall run on these processors only."""
    if cpus is None:
        return []
    return ['taskset', '-c', ','.join(str(cpu) for cpu in cpus)]


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def check():
    """Everything there?"""
    for path in (Ours.module, Nchan.module, Floor.program,
                 Ws.modules / 'ws'):
        if not pathlib.Path(path).exists():
            raise BenchError('%s is missing; run it by `make bench`' % path)
