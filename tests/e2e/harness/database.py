"""A PostgreSQL server in a private directory."""

import contextlib
import glob
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile

import psycopg

from harness.nginx import reserve_port, wait_for

TOP = pathlib.Path(__file__).resolve().parents[3]
BIN = pathlib.Path(sorted(glob.glob('/usr/lib/postgresql/*/bin'))[-1])


class Postgres:
    """It keeps port and data over stop() and start()."""

    def __init__(self):
        # it does not run as root
        self.user = 'postgres' if os.getuid() == 0 else \
            pwd.getpwuid(os.getuid()).pw_name
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix='wsc-pg.'))
        if os.getuid() == 0:
            shutil.chown(self.dir, self.user)
        self.port, keeper = reserve_port()
        keeper.close()
        self.names = 0
        self.process = None
        subprocess.run(
            [BIN / 'initdb', '-D', self.dir / 'data', '-U', 'chat', '-A',
             'trust', '-E', 'UTF8', '--locale', 'C', '--no-sync'],
            check=True, stdout=subprocess.DEVNULL, **self.as_user())
        self.start()

    def as_user(self):
        if os.getuid() != 0:
            return {'cwd': self.dir}
        return {'cwd': self.dir, 'user': self.user, 'group': self.user,
                'extra_groups': []}

    def start(self):
        log = open(self.dir / 'log', 'ab')
        self.process = subprocess.Popen(
            [BIN / 'postgres', '-D', self.dir / 'data', '-p', str(self.port),
             '-k', self.dir, '-c', 'listen_addresses=127.0.0.1',
             '-c', 'fsync=off', '-c', 'log_min_messages=warning'],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True, **self.as_user())
        log.close()
        wait_for(self.answers, what='PostgreSQL answers')

    def answers(self):
        assert self.process.poll() is None, (self.dir / 'log').read_text()
        try:
            self.connect().close()
            return True
        except psycopg.OperationalError:
            return False

    def conninfo(self, database='postgres'):
        return 'host=127.0.0.1 port=%d user=chat dbname=%s' % (self.port,
                                                               database)

    def connect(self, database='postgres'):
        return psycopg.connect(self.conninfo(database), autocommit=True)

    def database(self, schema=True):
        """A new one; gives its connection string."""
        self.names += 1
        name = 'chat%d' % self.names
        with self.connect() as db:
            db.execute('create database ' + name)
        if schema:
            self.migrate(name)
        return Database(self, name)

    def migrate(self, name):
        done = subprocess.run(
            [TOP / 'conf/postgres/migrate', self.conninfo(name)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def send_signal(self, number):
        """To the server's processes, all of them: each has its own group."""
        pid = self.process.pid
        children = pathlib.Path('/proc/%d/task/%d/children' % (pid, pid))
        for one in [pid, *map(int, children.read_text().split())]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, number)

    def stop(self, number=signal.SIGINT):
        self.process.send_signal(number)
        self.process.wait(60)

    def close(self):
        if self.process.poll() is None:
            self.send_signal(signal.SIGCONT)
            self.stop()
        shutil.rmtree(self.dir)


class Database:
    """One database of the server, with a connection for looking at it."""

    def __init__(self, server, name):
        self.server = server
        self.name = name

    @property
    def conninfo(self):
        return self.server.conninfo(self.name)

    def rows(self, sql, *args):
        with self.server.connect(self.name) as db:
            return db.execute(sql, args or None).fetchall()

    def value(self, sql, *args):
        return self.rows(sql, *args)[0][0]

    def run(self, sql, *args):
        with self.server.connect(self.name) as db:
            db.execute(sql, args or None)
