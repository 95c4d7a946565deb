"""A daemon of build/backend under test."""

import json
import os
import pathlib
import signal
import subprocess
import tempfile
import urllib.error
import urllib.request

from harness.nginx import wait_for

TOP = pathlib.Path(__file__).resolve().parents[3]

# other builds of them are tested by this: with sanitizers, say
BIN = TOP / os.environ.get('WSC_BACKEND', 'build/backend')


class Daemon:
    """`Daemon('archiver', epoch=1)` runs ws-chat-archiver --epoch 1."""

    def __init__(self, name, wait=True, **options):
        self.name = 'ws-chat-' + name
        self.log = tempfile.TemporaryFile('w+')
        self.prefix = 'ws_chat_%s_' % name
        self.expected = []
        self.process = subprocess.Popen(
            [BIN / self.name, *self.arguments(options)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=self.log, start_new_session=True)
        self.port = None
        if wait:
            wait_for(self.listens, what='%s listens' % self.name)

    @staticmethod
    def arguments(options):
        options = {'log_format': 'json', **options}
        for name, value in options.items():
            for one in value if isinstance(value, list) else [value]:
                yield '--' + name.replace('_', '-')
                yield str(one)

    def text(self):
        """The lines of the log."""
        log = pathlib.Path('/proc/self/fd/%d' % self.log.fileno())
        return [line for line in log.read_text().splitlines() if line]

    def lines(self):
        """The log, as objects."""
        lines = []
        for line in self.text():
            try:
                lines.append(json.loads(line))
            except ValueError:
                raise AssertionError('%s logs %r' % (self.name, line))
        return lines

    def show(self):
        """For who looks at a test that failed."""
        print('%s %d' % (self.name, self.process.pid))
        for line in self.text()[-60:]:
            print('   ', line)

    def logged(self, message, **fields):
        return [line for line in self.lines() if line['message'] == message
                and all(line.get(k) == v for k, v in fields.items())]

    def listens(self):
        assert self.process.poll() is None, self.lines()
        found = self.logged('listening for HTTP')
        if found:
            self.port = found[0]['port']
        return self.port

    def get(self, path):
        """Status, headers and body of GET."""
        request = 'http://127.0.0.1:%d%s' % (self.port, path)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as e:
            return e.code, e.headers, e.read()

    def json(self, path):
        status, _, body = self.get(path)
        return status, json.loads(body)

    def healthy(self):
        return self.get('/health')[0] == 200

    def metrics(self):
        """Names without the prefix -> numbers."""
        values = {}
        for line in self.get('/metrics')[2].decode().splitlines():
            if not line.startswith('#'):
                name, value = line.split()
                assert name.startswith(self.prefix)
                number = float if '.' in value else int
                values[name[len(self.prefix):]] = number(value)
        return values

    def send_signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """In order, as systemd would; it ends with 0."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
        assert self.process.wait(20) == 0, self.lines()

    def close(self):
        if self.process.poll() is None:
            self.stop()
        bad = [line for line in self.lines() if line['level'] == 'error'
               and line['message'] not in self.expected]
        self.log.close()
        assert not bad, bad
