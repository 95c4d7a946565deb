"""make run and make stop, through the real Makefile."""

import os
import pathlib
import re
import shutil
import subprocess
import urllib.request

import pytest

from harness.nginx import TOP, reserve_port, wait_for

pytestmark = [pytest.mark.once, pytest.mark.timeout(300),
              pytest.mark.xdist_group('run')]

COPY = ['Makefile', 'client', 'conf', 'ngx_ws_chat_module', 'tests/tools']


@pytest.fixture(scope='module')
def tree(tmp_path_factory):
    """A checkout that only its owner can read, with a space in its name."""
    top = tmp_path_factory.mktemp('a check out')
    top.chmod(0o700)
    for name in COPY:
        source = TOP / name
        if source.is_dir():
            shutil.copytree(source, top / name)
        else:
            shutil.copy(source, top / name)
    yield top
    make(top, 'stop')


def make(top, *args):
    env = {k: v for k, v in os.environ.items()
           if k not in ('MAKEFLAGS', 'MAKELEVEL', 'MFLAGS')}
    done = subprocess.run(['make', '--no-print-directory', *args], cwd=top,
                          env=env, text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def free_port():
    port, keeper = reserve_port()
    keeper.close()
    return port


def fetch(port, path):
    with urllib.request.urlopen('http://127.0.0.1:%d%s' % (port, path),
                                timeout=10) as response:
        return response.headers.get_content_type(), response.read()


def processes(directory):
    """pid -> user id of the tree whose master was started there."""
    found = {}
    parents = {}
    for path in pathlib.Path('/proc').glob('[0-9]*'):
        try:
            title = (path / 'cmdline').read_bytes().decode()
            status = (path / 'status').read_text()
        except OSError:
            continue
        if not title.startswith('nginx:'):
            continue
        pid = int(path.name)
        parents[pid] = int(re.search(r'^PPid:\s+(\d+)', status, re.M)[1])
        found[pid] = int(re.search(r'^Uid:\s+(\d+)', status, re.M)[1])
        if str(directory) in title:
            master = pid
    return {pid: found[pid] for pid in found
            if pid == master or parents[pid] == master}


def test_run_and_stop(tree):
    port = free_port()
    rc, out = make(tree, 'run', 'PORT=%d' % port)
    assert rc == 0, out
    assert 'http://127.0.0.1:%d/' % port in out
    assert 'make stop' in out

    kind, page = fetch(port, '/')
    assert kind == 'text/html' and b'<html' in page
    kind, sdk = fetch(port, '/ws-chat.js')
    assert kind == 'text/javascript'
    assert sdk == (TOP / 'client/ws-chat.js').read_bytes()
    assert fetch(port, '/health')
    assert fetch(port, '/status')

    directory = pathlib.Path((tree / 'build/run.dir').read_text().strip())
    users = processes(directory)
    assert len(users) == 3
    if os.getuid() == 0:
        assert sorted(users.values())[0] == 0
        assert all(sorted(users.values())[1:])

    # a second one is refused, and so is a port that is taken
    rc, out = make(tree, 'run', 'PORT=%d' % free_port())
    assert rc != 0 and 'runs already' in out, out
    assert 'http://127.0.0.1:%d/' % port in out

    rc, out = make(tree, 'stop')
    assert rc == 0 and 'Stopped' in out, out
    assert not any(os.path.exists('/proc/%d' % pid) for pid in users) or \
        wait_for(lambda: not any(os.path.exists('/proc/%d' % pid)
                                 for pid in users))
    assert not directory.exists()

    rc, out = make(tree, 'stop')
    assert rc == 0 and 'Nothing runs' in out, out


def test_port_taken(tree):
    port, keeper = reserve_port()
    with keeper:
        keeper.listen()
        rc, out = make(tree, 'run', 'PORT=%d' % port)
    assert rc != 0
    assert 'port %d is taken' % port in out, out
    assert not (tree / 'build/run.dir').exists()


def test_port_nonsense(tree):
    rc, out = make(tree, 'run', 'PORT=many')
    assert rc != 0 and 'PORT=many is not a port' in out, out


def test_build_is_incremental(tree):
    """A second build is silent; a changed file is all it compiles."""
    make(tree, 'build')
    assert make(tree, 'build') == (0, '')

    source = sorted((tree / 'ngx_ws_chat_module/core').glob('*.c'))[0]
    source.touch()
    rc, out = make(tree, 'build', 'V=1')
    assert rc == 0
    assert out.count(' -c ') == 1 and source.name in out, out
