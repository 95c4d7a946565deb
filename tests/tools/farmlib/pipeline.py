"""What keeps messages: Kafka, PostgreSQL, and the daemons between them."""

import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import time

from farmlib import kafka
from farmlib.base import (FarmError, Place, await_true, fetch, listening,
                          run)

DAEMONS = ('relay1', 'relay2', 'archiver1', 'archiver2', 'history')

def postgres_bin(name):
    found = sorted(pathlib.Path('/usr/lib/postgresql').glob('*/bin/' + name))
    if not found:
        raise FarmError('there is no PostgreSQL here; make setup-farm')
    return str(found[-1])


class Pipeline(Place):
    programs = ('kafka', 'postgres', *DAEMONS)
    ports_wanted = ('kafka', 'controller', 'postgres', *DAEMONS)

    # the start

    def make(self):
        for program in self.programs:
            (self.dir / program).mkdir()
        kafka.make('.', self.dir / 'kafka', self.ports['kafka'],
                   self.ports['controller'])
        self.make_postgres()
        epoch = int(time.time() * 1000)
        for daemon in DAEMONS:
            self.make_daemon(daemon, epoch)

    def make_postgres(self):
        place = self.dir / 'postgres'
        if os.getuid() == 0:
            # it does not run as root
            shutil.chown(place, 'postgres')
        run([postgres_bin('initdb'), '-D', 'data', '-U', 'chat', '-A',
             'trust', '-E', 'UTF8', '--locale', 'C', '--no-sync'],
            **self.as_postgres())
        shutil.copy('conf/postgres/postgresql.conf', place / 'chat.conf')
        with open(place / 'data/postgresql.conf', 'a') as conf:
            conf.write("include '../chat.conf'\n"
                       "listen_addresses = '127.0.0.1'\n"
                       "port = %d\n"
                       "unix_socket_directories = '%s'\n"
                       % (self.ports['postgres'], place))

    def as_postgres(self):
        if os.getuid() != 0:
            return {'cwd': self.dir / 'postgres'}
        user = pwd.getpwnam('postgres')
        return {'cwd': self.dir / 'postgres', 'user': user.pw_uid,
                'group': user.pw_gid, 'extra_groups': []}

    def make_daemon(self, daemon, epoch):
        ports = self.ports
        kind = daemon.rstrip('12')
        options = {'http': '127.0.0.1:%d' % ports[daemon],
                   'kafka-brokers': '127.0.0.1:%d' % ports['kafka']}
        if kind != 'history':
            options['epoch'] = epoch
        if kind != 'relay':
            options['postgres'] = self.conninfo()
        else:
            options['redis'] = 'redis://127.0.0.1:%d' % ports['redis']
            options['history'] = 'http://127.0.0.1:%d' % ports['history']
        (self.dir / daemon / 'conf').write_text(
            ''.join('%s %s\n' % one for one in options.items()))

    def conninfo(self, database='chat'):
        return 'host=127.0.0.1 port=%d user=chat dbname=%s' % (
            self.ports['postgres'], database)

    def start_servers(self):
        """They take their time: is_up() tells when they are there."""
        self.launch('postgres', postgres_bin('postgres'), '-D', 'data',
                    **self.as_postgres())
        self.launch('kafka', *kafka.broker('.'))

    def start(self):
        self.await_server('postgres', 'PostgreSQL')
        run(['psql', '-q', '-d', self.conninfo('postgres'), '-c',
             'create database chat'])
        run(['conf/postgres/migrate', self.conninfo()])
        self.await_server('kafka', 'Kafka')
        run(['conf/kafka/topics', '127.0.0.1:%d' % self.ports['kafka']],
            env={**os.environ, 'REPLICAS': '1',
                 'KAFKA_TOPICS': str(self.tool())})
        for daemon in DAEMONS:
            self.launch(daemon, str(pathlib.Path(
                'build/backend/ws-chat-' + daemon.rstrip('12')).resolve()),
                '-c', 'conf')
        if not await_true(self.is_up, 60):
            raise FarmError('it does not come up:\n' + self.logs())

    def tool(self):
        """kafka-topics.sh as a distribution of Kafka has it."""
        path = self.dir / 'kafka/kafka-topics.sh'
        command = kafka.command('.', 'org.apache.kafka.tools.TopicCommand')
        path.write_text("#!/bin/sh\ncd '%s'\nexec %s \"$@\"\n" % (
            path.parent, ' '.join("'%s'" % word for word in command)))
        path.chmod(0o700)
        return path

    def await_server(self, program, name):
        def there():
            if self.pid(program) is None:
                raise FarmError('%s ended:\n%s' % (name, self.logs()))
            return listening(self.ports[program])
        if not await_true(there, 90):
            raise FarmError('%s does not answer:\n%s' % (name, self.logs()))

    def is_up(self):
        return all(self.health(daemon)[0] == 200 for daemon in DAEMONS)

    def health(self, daemon):
        return fetch(self.ports[daemon], '/health')

    # the state

    def status(self):
        for program in ('kafka', 'postgres'):
            print('%s  127.0.0.1:%d  %s' % (
                program, self.ports[program], 'answers' if
                listening(self.ports[program]) else 'does not answer'))
        for daemon in DAEMONS:
            code, body = self.health(daemon)
            print('%s  127.0.0.1:%d  %s' % (
                daemon, self.ports[daemon],
                ('%s %s' % (code or '', body.strip())).strip()))

    # the end

    def stop(self):
        for daemon in DAEMONS:
            self.end(daemon)
        self.end('kafka')
        self.end('postgres', signal.SIGINT)
