"""The two ways of a new user, by what README says and nothing else.

The machine is a Debian 12 that boots and has no more than that; the browsers
are this machine's, in its network. The second test goes on where the first
one ended.
"""

import os
import re
import shutil
import subprocess
import time

import pytest

from machine import CLEAN, TOP, Machine, run
from proxy import Proxy

README = (TOP / 'README.md').read_text()
TREE = '/srv/ngx_ws_chat'
SITE = '/var/www/html'
PATIENCE = 1800
MOST_LINES = 10


@pytest.fixture(scope='module')
def machine():
    machine = Machine('clean', CLEAN)
    proxy = Proxy(machine)
    # the user says so when apt asks
    machine.write('/etc/apt/apt.conf.d/99yes', 'APT::Get::Assume-Yes "1";\n')
    yield machine
    proxy.shutdown()
    machine.close()


def first_commands():
    """Those of the first block, without the one for developers."""
    block = re.search(r'(?m)(?:^    .+\n)+', README)[0]
    found = [line.split('#')[0].strip() for line in block.splitlines()]
    assert found[-1] == 'make test'
    return found[:-1]


def command(text):
    """A command that stands in a sentence."""
    assert '`%s`' % text in README
    return text


def fenced(language):
    block, = re.findall(r'(?s)```%s\n(.*?)```' % language, README)
    return block


def do(machine, text):
    begin = time.monotonic()
    out = machine.run('sh', '-c', 'cd %s && %s' % (TREE, text),
                      timeout=PATIENCE)
    print('%s: %.0f s' % (text, time.monotonic() - begin))
    return out


def browse(machine, *args):
    """A program of Node.js with browsers in the machine's network."""
    run(*machine.in_network('node', *args), env={
        **os.environ, 'WSC_TOP': str(TOP), 'WSC_URL': 'http://127.0.0.1:8080/',
        'WSC_NODE_MODULES': str(TOP / 'build/node/node_modules'),
        'WSC_CHROMIUM': shutil.which('chromium')}, timeout=300)


def unpack_tree(machine):
    machine.path(TREE).mkdir()
    tar = subprocess.run(
        ['tar', '-c', '--exclude=./build', '--exclude=./.git',
         '--exclude=__pycache__', '.'], cwd=TOP, stdout=subprocess.PIPE,
        check=True)
    subprocess.run(['tar', '-x', '-C', machine.path(TREE)], input=tar.stdout,
                   check=True)


def test_from_nothing(machine):
    """To two people on the page."""
    assert machine.try_run('which', 'make')[0] and machine.try_run(
        'which', 'nginx')[0]
    unpack_tree(machine)
    for text in first_commands():
        out = do(machine, text)
    assert 'http://127.0.0.1:8080/' in out
    browse(machine, '--test', '--test-name-pattern=two people talk',
           TOP / 'tests/page/page.test.mjs')
    stop = re.search(r'Stop it with: (.+)', out)[1]
    assert 'Stopped' in do(machine, stop)


def by_context(snippet):
    """Its lines for the top of nginx.conf, and those for http."""
    top, http = [], []
    inside = ''
    for line in snippet.splitlines():
        if re.match(r'\w+ \{$', line):
            inside = line.split()[0]
        elif line == '}':
            inside = ''
        elif line.strip():
            {'': top, 'http': http}[inside].append(line)
    top.remove('events { }')
    return top, http


def visit_site(machine):
    """Two pages on the site that was there before, of README's script."""
    script = fenced('js')
    assert "user: 'ann'" in script
    for name in ('ws-chat.js', 'ws-chat'):
        machine.run('cp', '-r', '%s/client/%s' % (TREE, name), SITE)
    for name in ('ann', 'bob'):
        machine.write('%s/%s.html' % (SITE, name), (
            '<!doctype html><script type="module">\n%s</script>\n'
            % script.replace("'ann'", "'%s'" % name)))
    browse(machine, TOP / 'tests/deb/two-browsers.mjs',
           'http://127.0.0.1/ann.html', 'ann {text: hello}',
           'http://127.0.0.1/bob.html', 'bob {text: hello}')


def test_into_a_running_nginx(machine):
    """To a chat beside the site that it serves, in ten lines."""
    conf = machine.read('/etc/nginx/nginx.conf')
    machine.run('systemctl', 'start', 'nginx')
    do(machine, command('make install'))
    top, http = by_context(fenced('nginx'))
    assert len(top + http) <= MOST_LINES
    machine.write('/etc/nginx/nginx.conf', '\n'.join(top) + '\n' + re.sub(
        r'(?m)^http \{\n', lambda found: found[0] + '\n'.join(http) + '\n',
        conf))
    machine.run('nginx', '-t')
    machine.run('systemctl', 'reload', 'nginx')
    print('%d lines' % len(top + http))
    visit_site(machine)
