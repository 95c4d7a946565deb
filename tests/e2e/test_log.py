"""ws_chat_log: a line a session."""

import json
import os
import re
import signal

import pytest

from harness.client import Client
from harness.nginx import wait_for
from harness.raw import Raw, close_frame

NAMES = ('time user addr zone session chats messages_in messages_out bytes_in'
         ' bytes_out seconds code').split()

TEXT = re.compile(
    r'(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d)'
    r' (?P<user>\S+) (?P<addr>\S+) (?P<zone>\S+) (?P<session>[0-9a-f]{16})'
    + ''.join(r' (?P<%s>\d+)' % name for name in NAMES[5:]))

STRANGE = 'Zoë "\\ x'


def lines(ng, count, name='sessions.log'):
    """So many lines, parsed."""
    path = ng.dir / name

    def complete():
        if not path.exists():
            return None
        text = path.read_text()
        return text if text.count('\n') >= count else None

    found = wait_for(complete, what='%d lines of %s' % (count, name))
    parsed = []
    for line in found.splitlines():
        if line.startswith('{'):
            fields = json.loads(line)
            assert list(fields) == NAMES
        else:
            match = TEXT.fullmatch(line)
            assert match, line
            fields = match.groupdict()
        parsed.append(fields)
    assert len(parsed) == count, parsed
    return parsed


@pytest.mark.plain_store
@pytest.mark.parametrize('fmt', ['', 'text', 'json'])
async def test_line(nginx, fmt):
    """Its fields are what the session did."""
    ng = nginx(http='ws_chat_log sessions.log %s;' % fmt)
    a = await Client.connect(ng, user=STRANGE)
    await a.join('one')
    await a.join('two')
    await a.leave('one')
    await a.join('three')
    for i in range(3):
        await a.send('two', 'x' * 1000)
        await a.expect('message')
    session = a.welcome['session']
    await a.close(4321)

    line, = lines(ng, 1)
    escaped = 'Zo\\xC3\\xAB\\x20\\x22\\x5C\\x20x'
    assert line['user'] == (STRANGE if fmt == 'json' else escaped)
    assert line['addr'] == '127.0.0.1' and line['zone'] == 'chat'
    assert line['session'] == session
    numbers = {name: int(line[name]) for name in NAMES[5:]}
    assert numbers['chats'] == 2
    assert numbers['messages_in'] == 3
    # welcome, 3 joined, left, 3 acks and 3 messages at least
    assert numbers['messages_out'] >= 3
    assert 3000 < numbers['bytes_in'] < 5000
    assert 3000 < numbers['bytes_out'] < 10000
    assert numbers['seconds'] <= 60
    assert numbers['code'] == 4321


async def test_codes(nginx):
    """1006 without a close frame, else the code of the first Close."""
    ng = nginx(http='ws_chat_log sessions.log json;',
               location='ws_chat_max_message 100;',
               server='location /echo { ws_chat_echo; }')
    a = await Client.connect(ng, user='cut')
    await a.abort()
    b = await Client.connect(ng, user='big')
    await b.raw('x' * 200)
    assert (await b.closed())[0] == 1009
    with Raw(ng) as raw:
        raw.upgrade('/echo')
        raw.send(close_frame(1000))
        raw.read_close()
    codes = {(line['user'], line['zone']): line['code']
             for line in lines(ng, 3)}
    assert codes[('cut', 'chat')] == 1006
    assert codes[('big', 'chat')] == 1009
    assert [code for (user, zone), code in codes.items() if not zone] == [1000]


async def test_reopen(nginx):
    """USR1 opens the file anew, as for NGINX's own logs."""
    ng = nginx(http='ws_chat_log sessions.log;')
    await (await Client.connect(ng, user='first')).close()
    assert lines(ng, 1)[0]['user'] == 'first'
    path = ng.dir / 'sessions.log'
    path.rename(path.with_name('old.log'))
    path.write_text('')
    path.chmod(0o666)
    os.kill(ng.process.pid, signal.SIGUSR1)

    def reopened():
        return all(any(os.readlink(fd.path) == str(path)
                       for fd in os.scandir('/proc/%d/fd' % pid))
                   for pid in ng.worker_pids())

    wait_for(reopened)
    await (await Client.connect(ng, user='second')).close()
    assert lines(ng, 1)[0]['user'] == 'second'
    assert lines(ng, 1, 'old.log')[0]['user'] == 'first'


async def test_graceful_end(nginx):
    """Sessions that the node ends are logged, too."""
    ng = nginx(http='ws_chat_log sessions.log json;',
               location='ws_chat_drain 0;')
    a = await Client.connect(ng)
    ng.process.send_signal(signal.SIGQUIT)
    assert (await a.closed())[0] == 1001
    ng.quit()
    assert lines(ng, 1)[0]['code'] == 1001


async def test_off(nginx):
    ng = nginx(http='ws_chat_log off;')
    await (await Client.connect(ng)).close()
    wait_for(lambda: ng.status()['connections'] == 0)
    assert not (ng.dir / 'off').exists()
