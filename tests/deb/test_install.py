"""Install, use, upgrade, stop and purge on a booted Debian 12.

The tests are one story and go on where the one before them ended.
"""

import json
import pathlib
import re

import pytest

from machine import until

MEMBERS = pathlib.Path(__file__).with_name('members.py')
MODULE = '/usr/lib/nginx/modules/ngx_ws_chat_module.so'
LINKS = '/etc/nginx/modules-enabled'
COUNT = 40

CHAT = '''ws_chat_zone chat:1m;

server {
    listen 8080;
    # longer than Debian's unit waits
    ws_chat_drain 14s;
    location /chat { ws_chat; }
    location /health { ws_chat_health; }
    location /nchan { nchan_pubsub websocket http; nchan_channel_id a; }
    location /echo { echo there; }
}
'''


class Members:
    def __init__(self, machine, count=COUNT):
        self.process = machine.beside(MEMBERS, 8080, count)
        assert self.line() == 'ready'

    def line(self):
        return self.process.stdout.readline().strip()

    def ask(self, text):
        self.process.stdin.write(text + '\n')
        self.process.stdin.flush()

    def served(self):
        self.ask('probe')
        return self.line() == 'served'

    def ends(self):
        """[(close code, told to reconnect)], once all have ended."""
        self.ask('end')
        return [tuple(one) for one in json.loads(self.line())]

    def close(self):
        self.process.stdin.close()
        self.process.kill()
        self.process.wait()


@pytest.fixture
def members(machine):
    started = []

    def start():
        started.append(Members(machine))
        return started[-1]

    yield start
    for one in started:
        one.close()


def links(machine):
    out = machine.run('ls', LINKS)
    return sorted(re.findall(r'\S*ws-chat\S*', out))


def master(machine):
    return machine.read('/run/nginx.pid').strip()


def running_file(machine):
    """The module's file as the master has it: its path, or deleted."""
    maps = machine.run('cat', '/proc/%s/maps' % master(machine))
    return re.search(r'/\S*ngx_ws_chat_module\.so.*', maps)[0]


def no_alert(machine):
    log = machine.read('/var/log/nginx/error.log')
    assert not re.search(r'\[(alert|crit|emerg)\]', log), log


def test_install(machine, packages):
    machine.run('systemctl', 'is-active', 'nginx')
    machine.write('/etc/nginx/conf.d/chat.conf', '')
    machine.install(*packages.values())
    assert links(machine) == ['50-mod-ws-chat-sticky.conf',
                              '50-mod-ws-chat.conf']
    machine.write('/etc/nginx/conf.d/chat.conf', CHAT)
    machine.run('nginx', '-t')
    machine.run('systemctl', 'reload', 'nginx')
    until(lambda: machine.try_run('curl', '-sf', 'localhost:8080/health')[0]
          == 0, 'health')
    assert running_file(machine) == MODULE
    for word in ('ws-chat-relay', 'ws-chat-archiver', 'ws-chat-history',
                 'ws-chat-nodes', 'ws-chat-token', 'wsbench'):
        assert re.match(word + r' \d', machine.run(word, '--version'))


def test_beside_other_modules(machine, members):
    assert members().served()
    machine.run('curl', '-sf', '-d', 'x', 'localhost:8080/nchan')
    assert machine.run('curl', '-sf', 'localhost:8080/echo') == 'there\n'


def test_drop_in_and_kernel(machine):
    assert 'ws-chat-nginx stop' in machine.show('nginx', 'ExecStop')
    assert machine.show('nginx', 'TimeoutStopUSec') == '40s'
    assert int(machine.show('nginx', 'LimitNOFILE')) >= 262144
    assert machine.run('sysctl', '-n', 'net.core.somaxconn') == '16384\n'


def test_upgrade_replaces_the_code(machine, members, newer):
    there = members()
    before = master(machine)
    package = newer('0.1.0+1')
    out = machine.install(package)
    assert 'runs the new code' in out, out
    assert master(machine) != before
    assert running_file(machine) == MODULE
    # others get in while these are sent away
    assert there.served()
    assert there.ends() == [(1001, True)] * COUNT
    until(lambda: machine.show('nginx', 'MainPID') == master(machine),
          'systemd knows the new master')
    machine.run('systemctl', 'is-active', 'nginx')
    until(lambda: machine.try_run('ls', '/run/nginx.pid.oldbin')[0],
          'the old master is gone')
    assert machine.run('ws-chat-nginx', 'upgrade') == ''
    no_alert(machine)


def test_upgrade_with_a_bad_configuration(machine, members, newer):
    there = members()
    before = master(machine)
    machine.write('/etc/nginx/conf.d/chat.conf', CHAT + 'bogus;\n')
    out = machine.install(newer('0.1.0+2'))
    assert 'goes on with the code it has' in out, out
    assert master(machine) == before
    assert running_file(machine).endswith('(deleted)')
    assert there.served()
    machine.write('/etc/nginx/conf.d/chat.conf', CHAT)
    assert 'runs the new code' in machine.run('ws-chat-nginx', 'upgrade')
    assert there.ends() == [(1001, True)] * COUNT


def test_stop_waits_for_everybody(machine, members):
    """Also for those of a master that was replaced just now."""
    until(lambda: machine.try_run('ls', '/run/nginx.pid.oldbin')[0],
          'the old master is gone')
    old = members()
    machine.run('cp', MODULE, MODULE + '.new')
    machine.run('mv', MODULE + '.new', MODULE)
    machine.run('ws-chat-nginx', 'upgrade')
    new = members()
    machine.run('systemctl', 'stop', 'nginx')
    assert old.ends() == new.ends() == [(1001, True)] * COUNT
    assert machine.show('nginx', 'Result') == 'success'
    assert machine.try_run('pgrep', '-x', 'nginx')[0] == 1
    machine.run('systemctl', 'start', 'nginx')
    no_alert(machine)


def test_wsbench(machine):
    """As its manual page has it: each member gets each message, once."""
    machine.run(
        'wsbench', '-q', '-u', 'ws://127.0.0.1:8080/chat?user=u{i}',
        '-c', 20, '-m', 10, '-w', 0, '-d', 2,
        '-i', '{"op":"join","id":1,"chat_id":"r{room}"}',
        '--init-reply', '"ev":"joined"', '--publish',
        '{"op":"send","chat_id":"r{room}","cid":"{cid}",'
        '"message":"{tag}{pad}"}')


def test_daemons(machine):
    for name in ('relay', 'archiver', 'history'):
        unit = 'ws-chat-' + name
        assert machine.try_run('systemctl', 'is-enabled',
                               unit)[1] == 'disabled\n'
    # nobody has said which incarnation of the topic it is
    machine.run('systemctl', 'start', 'ws-chat-relay')
    until(lambda: machine.show('ws-chat-relay', 'ActiveState') == 'failed',
          'the relay fails')
    assert machine.show('ws-chat-relay', 'ExecMainStatus') == '2'
    assert machine.show('ws-chat-relay', 'NRestarts') == '0'

    conf = machine.read('/etc/ws-chat/relay.conf')
    machine.write('/etc/ws-chat/relay.conf',
                  conf.replace('#epoch ', 'epoch '))
    for unit, port in (('ws-chat-relay', 9471), ('ws-chat-history', 9473)):
        machine.run('systemctl', 'start', unit)
        until(lambda: machine.try_run(
            'curl', '-sf', 'localhost:%d/health?live' % port)[0] == 0,
            unit + ' answers')
        # by a user of its own, which cannot read what others may not
        pid = machine.show(unit, 'MainPID')
        uid = re.search(r'(?m)^Uid:\s+(\d+)',
                        machine.run('cat', '/proc/%s/status' % pid))[1]
        assert int(uid) > 60000
        machine.run('systemctl', 'stop', unit)
        assert machine.show(unit, 'Result') == 'success'


def test_remove_and_purge(machine, packages):
    machine.run('dpkg', '--remove', *packages)
    assert links(machine) == ['50-mod-ws-chat-sticky.conf.removed',
                              '50-mod-ws-chat.conf.removed']
    # what was configured for it has to go, or to wait
    assert machine.try_run('nginx', '-t')[0] == 1
    assert 'ws-chat-nginx' not in machine.show('nginx', 'ExecStop')
    machine.install(packages['libnginx-mod-ws-chat'])
    assert len(links(machine)) == 2 and not any(
        name.endswith('.removed') for name in links(machine))
    machine.run('nginx', '-t')

    machine.write('/etc/nginx/conf.d/chat.conf', '')
    machine.run('dpkg', '--purge', *packages)
    left = machine.run('find', '/etc', '/usr', '/lib', '/var/lib', '-name',
                       '*ws[-_]chat*')
    assert left == '', left
    machine.run('nginx', '-t')
    machine.run('systemctl', 'restart', 'nginx')
