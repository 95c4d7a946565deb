"""Debian 12 hosts, booted with systemd, for Ansible to provision.

Run inside namespaces of one's own (tests/tools/run-fleet): hosts hang on a
bridge there, and their disks are layers in memory over build/fleet/base.
"""

import json
import os
import pathlib
import re
import secrets
import shutil
import ssl
import subprocess
import sys
import time

from harness.nginx import TOP, wait_for

FLEET = TOP / 'build/fleet'
ANSIBLE = TOP / 'ansible'
BIN = TOP / 'build/ansible/bin'
DISKS = pathlib.Path('/run/ws-chat-fleet')
CGROUPS = pathlib.Path('/sys/fs/cgroup')
NET = '10.87.0.'
SELF = NET + '1'
PORT = 8000
CERTIFICATE = ('openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt',
               'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
               '-subj', '/CN=chat.example', '-addext',
               'subjectAltName=DNS:chat.example', '-keyout', 'front.key',
               '-out', 'front.crt')


class FleetError(Exception):
    """A host or a playbook did not do what it has to."""


def run(*command, timeout=600, **options):
    """What it printed; FleetError if it failed."""
    done = subprocess.run([str(word) for word in command], text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=timeout,
                          **options)
    if done.returncode:
        raise FleetError('%s ended with %d:\n%s' % (
            ' '.join(map(str, command)), done.returncode, done.stdout))
    return done.stdout


class Host:
    """One booted machine."""

    def __init__(self, fleet, name, number):
        self.fleet = fleet
        self.name = name
        self.address = NET + str(number)
        self.root = DISKS / name / 'root'
        self.make_disk()
        self.boot()

    def make_disk(self):
        layer, work = DISKS / self.name / 'layer', DISKS / self.name / 'work'
        for path in (self.root, layer, work):
            path.mkdir(parents=True)
        run('mount', '-t', 'overlay', 'overlay', '-o',
            'lowerdir=%s,upperdir=%s,workdir=%s' % (
                FLEET / 'base', layer, work), self.root)
        (self.root / 'etc/hostname').write_text(self.name + '\n')
        # before systemd's own 80-container-host0.network
        (self.root / 'etc/systemd/network/10-host0.network').write_text(
            '[Match]\nName=host0\n\n[Network]\nAddress=%s/24\n'
            % self.address)
        wants = self.root / 'etc/systemd/system/multi-user.target.wants'
        (wants / 'systemd-networkd.service').symlink_to(
            '/lib/systemd/system/systemd-networkd.service')
        keys = self.root / 'root' / '.ssh'
        keys.mkdir(mode=0o700, exist_ok=True)
        shutil.copy(self.fleet.dir / 'key.pub', keys / 'authorized_keys')

    def boot(self):
        """In a control group of its own, where there is no systemd."""
        command = ['systemd-nspawn', '--boot', '--quiet', '--register=no',
                   '--network-bridge=br0', '--machine', self.name,
                   '--directory', str(self.root), '--console=pipe']
        groups = []
        if not os.path.isdir('/run/systemd/system'):
            command.insert(1, '--keep-unit')
            groups = [CGROUPS / tree / 'ws-chat-fleet' / self.name
                      for tree in ('systemd', 'unified')
                      if (CGROUPS / tree).is_dir()] or [
                          CGROUPS / 'ws-chat-fleet' / self.name]
        for group in groups:
            group.mkdir(parents=True)

        def enter():
            for group in groups:
                (group / 'cgroup.procs').write_text('0')

        with open(self.fleet.dir / (self.name + '.log'), 'wb') as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=enter)

    def up(self):
        if self.process.poll() is not None:
            raise FleetError('%s: %s' % (self.name, (
                self.fleet.dir / (self.name + '.log')).read_text()))
        try:
            self.run('true')
            return True
        except (FleetError, subprocess.TimeoutExpired):
            return False

    def run(self, command, timeout=60):
        return run('ssh', '-i', self.fleet.dir / 'key', *self.fleet.SSH,
                   'root@' + self.address, command, timeout=timeout)


class Fleet:
    """The hosts, and what serves them packages."""

    SSH = ('-o', 'StrictHostKeyChecking=no', '-o', 'LogLevel=ERROR',
           '-o', 'UserKnownHostsFile=/dev/null', '-o', 'ConnectTimeout=5',
           '-o', 'ControlMaster=auto', '-o', 'ControlPersist=600',
           '-o', 'ControlPath=%s/%%h' % DISKS)
    GROUPS = ('balancers chat_nodes redis kafka postgres backend monitoring'
              .split())

    def __init__(self):
        # seen by nobody outside, and gone with the last process
        DISKS.mkdir(exist_ok=True)
        run('mount', '-t', 'tmpfs', '-o', 'size=6g,mode=700', 'fleet', DISKS)
        self.dir = DISKS / 'fleet'
        self.repository = self.dir / 'repository'
        self.repository.mkdir(parents=True)
        self.hosts = {}
        self.groups = {name: [] for name in self.GROUPS}
        run('ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f',
            self.dir / 'key')
        run('ip', 'link', 'set', 'lo', 'up')
        run('ip', 'link', 'add', 'br0', 'type', 'bridge')
        run('ip', 'address', 'add', SELF + '/24', 'dev', 'br0')
        run('ip', 'link', 'set', 'br0', 'up')
        self.make_repository()
        self.make_secrets()

    # packages

    def make_repository(self):
        home = self.dir / 'gnupg'
        home.mkdir(mode=0o700)
        self.gpg = ('gpg', '--homedir', home, '--batch', '--quiet',
                    '--passphrase', '')
        run(*self.gpg, '--quick-generate-key', 'fleet', 'ed25519', 'sign')
        for deb in (FLEET / 'debs').glob('*.deb'):
            (self.repository / deb.name).symlink_to(deb)
        self.offer(*(TOP / 'build/deb').glob('*.deb'))
        with open(self.dir / 'http.log', 'wb') as log:
            self.server = subprocess.Popen(
                [sys.executable, '-m', 'http.server', str(PORT), '--bind',
                 SELF, '--directory', str(self.repository)], stdout=log,
                stderr=log)

    def offer(self, *debs):
        """More packages in the repository."""
        for deb in debs:
            if 'dbgsym' not in deb.name:
                shutil.copy(deb, self.repository)
        for name, words in (('Packages', ['packages', '.']),
                            ('Release', ['release', '.'])):
            text = run('apt-ftparchive', *words, cwd=self.repository)
            (self.repository / name).write_text(text)
        run(*self.gpg, '--yes', '--clearsign', '--output', 'InRelease',
            'Release', cwd=self.repository)

    # the inventory

    def make_secrets(self):
        run(*CERTIFICATE, cwd=self.dir)
        names = ('haproxy_cookie_key nginx_ws_chat_api_key'
                 ' nginx_ws_chat_redis_password redis_relay_password'
                 ' postgres_password').split()
        values = {name: secrets.token_hex(16) for name in names}
        values['redis_password'] = values['nginx_ws_chat_redis_password']
        values['backend_redis_password'] = values['redis_relay_password']
        values['backend_postgres_password'] = values['postgres_password']
        values['kafka_cluster_id'] = 'M' + secrets.token_urlsafe(16)[:21]
        values['haproxy_certificate'] = ''.join(
            (self.dir / name).read_text()
            for name in ('front.crt', 'front.key'))
        self.secrets = values
        inventory = self.dir / 'inventory/group_vars/all'
        inventory.mkdir(parents=True)
        (self.dir / 'vault-password').write_text(secrets.token_hex(16))
        (inventory / 'vault.yml').write_text(json.dumps(values))
        run(BIN / 'ansible-vault', 'encrypt', '--vault-password-file',
            self.dir / 'vault-password', inventory / 'vault.yml',
            env=self.env())
        (inventory / 'main.yml').write_text(json.dumps({
            'ansible_user': 'root',
            'ansible_ssh_private_key_file': str(self.dir / 'key'),
            'ansible_python_interpreter': '/usr/bin/python3',
            'ws_chat_address': '{{ ansible_host }}',
            'common_apt_repositories': [{
                'name': 'ws-chat', 'uris': 'http://%s:%d' % (SELF, PORT),
                'suites': './', 'key': run(*self.gpg, '--armor', '--export')}],
            'ws_chat_delivery': 'durable',
            'nginx_ws_chat_auth': 'off',
            'nginx_ws_chat_workers': 2,
            # everybody is one machine here
            'nginx_ws_chat_settings': {'rate': '500r/s burst=1000'},
            'nginx_ws_chat_drain': 5,
            # a process may have few descriptors on a small machine
            'nginx_ws_chat_connections': 4000,
            'haproxy_maxconn': 4000,
            'haproxy_monitors': [SELF],
            'kafka_archive': str(FLEET / 'kafka.tgz'),
            'kafka_heap': '320m',
            'backend_epoch': int(time.time() * 1000),
        }))

    def add(self, name, *groups):
        """Boot a host; it is in the inventory from now on."""
        host = Host(self, name, 10 + len(self.hosts))
        self.hosts[name] = host
        for group in groups:
            self.groups[group].append(name)
        self.write_inventory()
        return host

    def write_inventory(self):
        (self.dir / 'inventory/hosts.yml').write_text(json.dumps({
            'all': {'children': {group: {'hosts': {
                name: {'ansible_host': self.hosts[name].address}
                for name in names}} for group, names in self.groups.items()}}
        }))

    def await_up(self):
        wait_for(lambda: all(host.up() for host in self.hosts.values()), 120,
                 'all hosts are up')

    # Ansible

    def env(self):
        return {**os.environ, 'ANSIBLE_CONFIG': str(ANSIBLE / 'ansible.cfg'),
                'ANSIBLE_HOME': str(DISKS / 'ansible'),
                'ANSIBLE_SSH_ARGS': ' '.join(self.SSH),
                'ANSIBLE_NOCOLOR': '1', 'LC_ALL': 'C.UTF-8'}

    def play(self, playbook, *args):
        """Run it: host -> {ok, changed, unreachable, failed, ...}."""
        begin = time.monotonic()
        text = run(BIN / 'ansible-playbook', '-i', self.dir / 'inventory',
                   '--vault-password-file', self.dir / 'vault-password',
                   ANSIBLE / playbook, *args, env=self.env(), cwd=ANSIBLE,
                   timeout=1800)
        (FLEET / 'ansible.log').open('a').write(text)
        print('%s %s: %.0f s' % (playbook, ' '.join(args),
                                 time.monotonic() - begin))
        recap = text[text.rindex('PLAY RECAP'):]
        found = {}
        for host, words in re.findall(r'(?m)^(\S+) +: (.+)$', recap):
            found[host] = {name: int(n) for name, n in
                           re.findall(r'(\w+)=(\d+)', words)}
        self.last = text
        return found

    def changed(self, recap):
        """The tasks that changed something, for a message."""
        if not any(words['changed'] for words in recap.values()):
            return ''
        task, lines = '', []
        for line in self.last.splitlines():
            if line.startswith(('TASK', 'RUNNING HANDLER')):
                task = line
            elif line.startswith('changed:'):
                lines.append('%s %s' % (task, line))
        return '\n'.join(lines)

    # the chat

    @property
    def front(self):
        return self.hosts[self.groups['balancers'][0]]

    @property
    def url(self):
        return 'wss://%s' % self.front.address

    def tls(self):
        context = ssl.create_default_context(cafile=self.dir / 'front.crt')
        context.set_alpn_protocols(['http/1.1'])
        return context

    def nodes(self):
        """Node -> (state, sockets), as the front has it."""
        text = self.front.run('ws-chat-nodes --socket /run/haproxy/admin.sock'
                              ' list')
        found = {}
        for line in text.splitlines()[1:]:
            name, _, state, sockets = re.split(r'  +', line)[:4]
            found[name] = state, int(sockets)
        return found

    def close(self):
        for host in self.hosts.values():
            host.process.kill()
        self.server.kill()
