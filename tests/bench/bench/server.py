"""The servers that are measured: stock NGINX with one module or another."""

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
        listen 127.0.0.1:{port} backlog=8192;

        {server}
    }}
}}
'''


class Server:
    """One running NGINX with one worker; a context manager.

    name     of the peer
    module   its shared object
    http, server   directives; extra goes into the chat's location, the port
                   of a Redis comes for {redis}
    generator   arguments of wsbench, {port} is filled in
    """

    name = module = http = server = None
    generator = ()

    def __init__(self, extra='', redis=None):
        self.extra = extra
        self.redis = str(redis)
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

    def start(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix='wsc-bench.'))
        self.dir.chmod(0o755)
        self.port = free_port()
        conf = self.dir / 'nginx.conf'
        conf.write_text(CONF.format(
            module=self.module, port=self.port,
            http=self.http.replace('{redis}', self.redis),
            server=(self.server % self.extra).replace('{redis}', self.redis),
            descriptors=machine.descriptors(),
            user='user www-data;\n' if os.getuid() == 0 else ''))
        self.process = subprocess.Popen(
            pinned(self.cpus) + ['nginx', '-e', 'stderr', '-p',
                                 '%s/' % self.dir, '-c', str(conf)],
            stdin=subprocess.DEVNULL, stderr=(self.dir / 'stderr').open('w'))
        machine.wait_for(self.is_up, '%s did not start' % self.name)
        self.worker = machine.children(self.process.pid)[0]

    def is_up(self):
        if self.process.poll() is not None:
            raise BenchError('%s did not start:\n%s' % (
                self.name, (self.dir / 'stderr').read_text()))
        with socket.socket() as probe:
            if probe.connect_ex(('127.0.0.1', self.port)) != 0:
                return False
        return machine.children(self.process.pid)

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
        return machine.memory([self.process.pid, self.worker])

    def files(self):
        return machine.open_files(self.worker)


class Ours(Server):
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
        '--publish', '{"op":"send","chat_id":"r{room}","cid":"{cid}",'
                     '"message":"{tag}{pad}"}',
        '--count', '"ev":"gap"', '--count', '"ev":"error"')


class Nchan(Server):
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


PEERS = {peer.name: peer for peer in (Ours, Nchan)}


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
    for peer in PEERS.values():
        if not pathlib.Path(peer.module).exists():
            raise BenchError('%s is missing; run it by `make bench`'
                             % peer.module)
