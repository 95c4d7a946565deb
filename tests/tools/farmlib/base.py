"""Programs with a private directory each."""

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request


class FarmError(Exception):
    pass


def free_ports(count):
    """Ports that nobody uses: each is held until all are chosen."""
    held = [socket.create_server(('127.0.0.1', 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in held]
    for s in held:
        s.close()
    return ports


def listening(port):
    try:
        socket.create_connection(('127.0.0.1', port), 2).close()
        return True
    except OSError:
        return False


def fetch(port, path):
    """(status, body), or (None, why)."""
    url = 'http://127.0.0.1:%d%s' % (port, path)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as e:
        return e.code, e.read().decode(errors='replace')
    except OSError as e:
        return None, str(getattr(e, 'reason', e))


def await_true(condition, seconds):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def run(command, **more):
    """What it printed; an error if it failed."""
    done = subprocess.run(command, text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          **more)
    if done.returncode:
        raise FarmError('%s failed:\n%s' % (command[0], done.stdout))
    return done.stdout


class Place:
    """A directory; each of `programs` has one of its own in there."""

    programs = ()

    def __init__(self, path):
        self.dir = pathlib.Path(path).resolve()

    @property
    def ports(self):
        return json.loads((self.dir / 'ports').read_text())

    def pid(self, program):
        """Of the program, if it runs and is one of ours; else None."""
        try:
            pid = int((self.dir / program / 'pid').read_text())
            cwd = os.readlink('/proc/%d/cwd' % pid)
            state = pathlib.Path('/proc/%d/stat' % pid).read_text()
        except (OSError, ValueError):
            return None
        if state.rpartition(')')[2].split()[0] == 'Z':
            return None
        return pid if pathlib.Path(cwd).is_relative_to(
            self.dir / program) else None

    def copy(self, source, program, changes):
        text = pathlib.Path('conf', source).read_text()
        for old in changes:
            if old not in text:
                raise FarmError('conf/%s has no "%s"' % (source, old))
        if changes:
            text = re.sub('|'.join(map(re.escape, changes)),
                          lambda found: changes[found[0]], text)
        (self.dir / program / pathlib.Path(source).name).write_text(text)

    def launch(self, program, *command, **more):
        path = self.dir / program
        with open(path / 'log', 'ab') as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, **{'cwd': path, **more})
        (path / 'pid').write_text(str(process.pid))

    def logs(self):
        parts = []
        for program in self.programs:
            path = self.dir / program
            for name in ('log', 'error.log'):
                if (path / name).exists():
                    text = (path / name).read_text(errors='replace')
                    parts += ['%s/%s: %s' % (program, name, line)
                              for line in text.splitlines()[-5:]]
        return '\n'.join(parts)

    def end(self, program, signum=signal.SIGTERM, seconds=10):
        """Ask it to end; after that long it has to."""
        pid = self.pid(program)
        if pid is None:
            return
        os.kill(pid, signum)
        if not await_true(lambda: self.pid(program) is None, seconds):
            os.kill(pid, signal.SIGKILL)
