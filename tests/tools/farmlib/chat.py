"""What members talk to: HAProxy, the nodes, Redis."""

import os
import pathlib
import pwd
import re
import resource
import secrets
import shutil
import signal
import subprocess
import sys

from farmlib.base import FarmError, Place, await_true, fetch

NODES = ('node1', 'node2', 'node3')


class Chat(Place):
    programs = ('haproxy', *NODES, 'redis')
    ports_wanted = ('tls', 'stats', 'redis', *NODES)

    def make(self):
        ports = self.ports
        for program in self.programs:
            (self.dir / program).mkdir()
        # a process of ours may open so many
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        if files == resource.RLIM_INFINITY:
            files = 1 << 20
        addresses = {
            '127.0.0.1:8080': ports['front'], '127.0.0.1:8443': ports['tls'],
            '127.0.0.1:8404': ports['stats'], **{
                '127.0.0.1:%d' % (8081 + n): ports[node]
                for n, node in enumerate(NODES)}}
        self.copy('haproxy/haproxy.cfg', 'haproxy', {
            **{old: '127.0.0.1:%d' % new for old, new in addresses.items()},
            'maxconn 9000': 'maxconn %d' % min(9000, files // 2 - 100),
            'dynamic-cookie-key change-me':
                'dynamic-cookie-key ' + secrets.token_hex(16),
            'global\n    log': 'global\n%s    log' % haproxy_user()})
        self.copy('redis/redis.conf', 'redis', {
            'port 6379': 'port %d' % ports['redis']})
        for node in NODES:
            self.copy('nginx/node.conf', node, {
                '127.0.0.1:8081': '127.0.0.1:%d' % ports[node],
                '127.0.0.1:6379': '127.0.0.1:%d' % ports['redis'],
                '127.0.0.1:9092': '127.0.0.1:%d' % ports['kafka'],
                '127.0.0.1:9473': '127.0.0.1:%d' % ports['history'],
                'worker_rlimit_nofile 20000':
                    'worker_rlimit_nofile %d' % min(20000, files),
                'ws_chat_node node1': 'ws_chat_node ' + node,
                'pid nginx.pid': 'pid pid'})
            (self.dir / node / 'modules').mkdir()
            shutil.copy('build/ngx_ws_chat_module.so',
                        self.dir / node / 'modules')
            shutil.copytree('client', self.dir / node / 'client')
        subprocess.run(['chmod', '-R', 'u=rwX,go=rX', self.dir], check=True)
        self.secrets()

    def secrets(self):
        """Keys, and a certificate, which no browser will trust."""
        for node in NODES:
            path = self.dir / node / 'api.key'
            path.touch(0o600)
            path.write_text(secrets.token_hex(16) + '\n')
        path = self.dir / 'haproxy'
        subprocess.run(
            ['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes',
             '-days', '30', '-subj', '/CN=localhost', '-addext',
             'subjectAltName=DNS:localhost,IP:127.0.0.1', '-keyout',
             'front.pem.key', '-out', 'front.pem'], cwd=path, check=True,
            stderr=subprocess.DEVNULL)

    def start_redis(self):
        self.launch('redis', 'redis-server', 'redis.conf')

    def start(self):
        root = os.getuid() == 0
        for node in NODES:
            user = ['-g', 'user %s;' % node_user()] if root else []
            done = subprocess.run(
                ['nginx', '-e', 'stderr', '-p', '%s/' % (self.dir / node),
                 '-c', 'node.conf', *user], text=True,
                cwd=self.dir / node, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            (self.dir / node / 'log').write_text(done.stdout)
            if done.returncode:
                raise FarmError('%s did not start:\n%s' % (node, done.stdout))
        self.launch('haproxy', 'haproxy', '-db', '-f', 'haproxy.cfg')

    def await_up(self):
        if not await_true(self.is_up, 60):
            raise FarmError('it does not come up:\n' + self.logs())

    def is_up(self):
        states = [node['state'] for node in self.listed().values()]
        return states == ['UP'] * len(NODES) and all(
            fetch(self.ports[node], '/health')[0] == 200 for node in NODES)

    def listed(self):
        """What ws-chat-nodes says: node -> {state, sockets}."""
        done = subprocess.run(
            [sys.executable, 'conf/haproxy/ws-chat-nodes', '--socket',
             self.dir / 'haproxy/haproxy.sock', 'list'], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        found = {}
        for line in done.stdout.splitlines()[1:]:
            node, address, state, sockets = re.split(r'  +', line)[:4]
            found[node] = {'address': address, 'state': state,
                           'sockets': sockets}
        return found

    def redis(self):
        """Version and clients, as far as it answers."""
        done = subprocess.run(
            ['redis-cli', '-p', str(self.ports['redis']), 'info'], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return dict(line.split(':', 1) for line in done.stdout.splitlines()
                    if ':' in line)

    def status(self):
        ports = self.ports
        health, body = fetch(ports['front'], '/health')
        print('front  http://127.0.0.1:%d/  %s' % (
            ports['front'], 'serves' if health == 200 else
            'serves nothing new: %s' % body.strip()))
        table = [('NODE', 'ADDRESS', 'HAPROXY', 'SOCKETS', 'HEALTH')]
        listed = self.listed()
        for node in [*NODES, *(n for n in listed if n not in NODES)]:
            line = listed.get(node, {'address': '-', 'state': '-',
                                     'sockets': '-'})
            address = line['address']
            if address == '-' and node in ports:
                address = '127.0.0.1:%d' % ports[node]
            code, body = fetch(int(address.rpartition(':')[2]), '/health')
            table.append((node, address, line['state'], line['sockets'],
                          ('%s %s' % (code or '', body)).strip()))
        widths = [max(map(len, column)) for column in zip(*table)]
        for line in table:
            print('  '.join(map(str.ljust, line, widths)).rstrip())
        info = self.redis()
        print('redis  127.0.0.1:%d  %s' % (ports['redis'], (
            'version %(redis_version)s, %(connected_clients)s clients, '
            '%(used_memory_human)s, %(instantaneous_ops_per_sec)s commands/s'
            % info) if info else 'does not answer'))

    def stop(self):
        """The front first: members are cut at once, not spread over time."""
        self.end('haproxy')
        for node in NODES:
            self.end(node, signal.SIGQUIT)

    def stop_redis(self):
        self.end('redis')


def haproxy_user():
    """Lines for its configuration: root is not what it has to be."""
    try:
        pwd.getpwnam('haproxy')
    except KeyError:
        return ''
    return '    user haproxy\n' if os.getuid() == 0 else ''


def node_user():
    try:
        pwd.getpwnam('www-data')
        return 'www-data'
    except KeyError:
        return 'nobody nogroup'
