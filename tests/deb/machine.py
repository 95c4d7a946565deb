"""A booted Debian 12 of its own, without a network to the outside."""

import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
BASES = TOP / 'build/deb'
PATIENCE = 120

# what the packages and the tests need, and modules to stand beside
INSTALLED = ('nginx libnginx-mod-nchan libnginx-mod-http-echo libjansson4'
             ' libmsgpackc2 librdkafka1 libpq5 libmicrohttpd12 libhiredis0.14'
             ' postgresql-client python3-minimal python3 systemd-sysv dbus'
             ' libnss-systemd iproute2 procps curl')
# what boots, and nothing else
CLEAN = 'systemd-sysv dbus libnss-systemd'
QUIET = '#!/bin/sh\nexit 101\n'
LISTEN = '''
import socket, sys
with socket.create_server(('127.0.0.1', int(sys.argv[2]))) as server:
    socket.send_fds(socket.socket(fileno=int(sys.argv[1])), [b'x'],
                    [server.fileno()])
'''


class MachineError(Exception):
    pass


def run(*command, **more):
    """What it printed."""
    done = subprocess.run([str(word) for word in command], text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **more)
    if done.returncode:
        raise MachineError('%s: exit code %d\n%s' % (
            ' '.join(map(str, command)), done.returncode, done.stdout))
    return done.stdout


def until(condition, what, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise MachineError('not within %d s: %s' % (seconds, what))
        time.sleep(0.2)


def mirror():
    """Where this machine's packages come from."""
    lines = run('apt-get', 'indextargets', '--format', '$(REPO_URI)',
                'Created-By: Packages', 'Codename: bookworm').split()
    return lines[0]


def make_base(name, packages):
    """A root directory to copy, made once."""
    base = BASES / name
    if (base / 'made').exists() and (base / 'made').read_text() == packages:
        return base
    shutil.rmtree(base, ignore_errors=True)
    base.parent.mkdir(parents=True, exist_ok=True)
    run('debootstrap', '--variant=minbase', 'bookworm', base, mirror())
    for name in ('sources.list', 'sources.list.d'):
        host = pathlib.Path('/etc/apt', name)
        if host.is_dir():
            for path in host.glob('debian.sources'):
                shutil.copy(path, base / 'etc/apt' / name)
        elif host.exists():
            shutil.copy(host, base / 'etc/apt' / name)
    shutil.copy('/etc/resolv.conf', base / 'etc/resolv.conf')
    policy = base / 'usr/sbin/policy-rc.d'
    policy.write_text(QUIET)
    policy.chmod(0o755)
    env = {**os.environ, 'DEBIAN_FRONTEND': 'noninteractive'}
    run('chroot', base, 'apt-get', 'update', '-qq', env=env)
    run('chroot', base, 'apt-get', 'install', '-y', '-qq',
        '--no-install-recommends', *packages.split(), env=env)
    policy.unlink()
    (base / 'made').write_text(packages)
    return base


class Machine:
    """It runs from the start to close()."""

    def __init__(self, name='root', packages=INSTALLED):
        base = make_base(name, packages)
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix='wsc-deb.'))
        self.root = self.dir / 'root'
        run('cp', '-a', '--reflink=auto', base, self.root)
        self.log = open(self.dir / 'console', 'wb')
        self.nspawn = subprocess.Popen(
            ['systemd-nspawn', '--quiet', '--boot', '--private-network',
             '--register=no', '--keep-unit', '--console=pipe',
             '--directory=%s' % self.root], stdin=subprocess.DEVNULL,
            stdout=self.log, stderr=self.log, start_new_session=True)
        self.leader = None
        try:
            until(self.booted, 'the machine boots')
        except BaseException:
            self.close()
            raise

    def booted(self):
        if self.nspawn.poll() is not None:
            raise MachineError('it ended:\n' + (self.dir / 'console')
                               .read_text(errors='replace'))
        children = pathlib.Path('/proc/%d/task/%d/children' % (
            self.nspawn.pid, self.nspawn.pid)).read_text().split()
        if not children:
            return False
        self.leader = int(children[0])
        state = self.try_run('systemctl', 'is-system-running')[1].strip()
        return state in ('running', 'degraded')

    def enter(self, *command):
        return ['nsenter', '-t', str(self.leader), '-m', '-u', '-i', '-n',
                '-p', '-C', '--root', '/usr/bin/env', '-i', '--chdir=/',
                'PATH=/usr/sbin:/usr/bin:/sbin:/bin',
                'DEBIAN_FRONTEND=noninteractive', 'LC_ALL=C.UTF-8',
                *map(str, command)]

    def try_run(self, *command, timeout=PATIENCE * 2):
        """(exit code, what it printed) of a command in the machine."""
        done = subprocess.run(self.enter(*command), text=True,
                              stdin=subprocess.DEVNULL, timeout=timeout,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        return done.returncode, done.stdout

    def run(self, *command, **more):
        code, out = self.try_run(*command, **more)
        if code:
            raise MachineError('%s: exit code %d\n%s' % (
                ' '.join(map(str, command)), code, out))
        return out

    def in_network(self, *command):
        """A program of this machine in the other's network."""
        return ['nsenter', '-t', str(self.leader), '-n', *map(str, command)]

    def beside(self, script, *args):
        """A script of these tests on this machine's Python, there."""
        return subprocess.Popen(
            self.in_network(sys.executable, script, *args), text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def listen(self, port):
        """A socket that listens there, for a server of this process."""
        ours, theirs = socket.socketpair()
        with ours, theirs:
            run(*self.in_network(sys.executable, '-c', LISTEN,
                                 theirs.fileno(), port),
                pass_fds=[theirs.fileno()])
            fd, = socket.recv_fds(ours, 1, 1)[1]
            return socket.socket(fileno=fd)

    def path(self, name):
        """A file of the machine, in what is mounted there as well."""
        return pathlib.Path('/proc/%d/root' % self.leader, name.lstrip('/'))

    def install(self, *paths):
        for path in paths:
            shutil.copy(path, self.path('/var/tmp'))
        return self.run('dpkg', '--install',
                        *('/var/tmp/' + path.name for path in paths))

    def write(self, name, text):
        self.path(name).write_text(text)

    def read(self, name):
        return self.path(name).read_text()

    def show(self, unit, name):
        return self.run('systemctl', 'show', '--value', '-p', name,
                        unit).strip()

    def close(self):
        if self.leader is not None:
            self.try_run('systemctl', '--force', '--force', 'poweroff')
        try:
            self.nspawn.wait(10)
        except subprocess.TimeoutExpired:
            # its init goes with it
            self.nspawn.kill()
            self.nspawn.wait()
        self.log.close()
        shutil.rmtree(self.dir, ignore_errors=True)
