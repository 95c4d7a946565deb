"""The packages that `make deb` left, and a machine to install them on."""

import pathlib
import re
import shutil

import pytest

from machine import TOP, Machine, run

NAMES = ('libnginx-mod-ws-chat', 'ws-chat-backend', 'ws-chat-bench',
         'ws-chat-tools')


@pytest.fixture(scope='session')
def packages():
    """Name -> path, of the version that debian/changelog begins with."""
    version = re.match(r'ngx-ws-chat \((.*?)\)', (
        TOP / 'debian/changelog').read_text())[1]
    found = {}
    for name in NAMES:
        found[name], = (TOP / 'build/deb').glob('%s_%s_*.deb'
                                                % (name, version))
    return found


@pytest.fixture(scope='session')
def newer(packages, tmp_path_factory):
    """A function: the module's package once more, with another version."""
    def make(version):
        path = tmp_path_factory.mktemp('newer')
        run('dpkg-deb', '-R', packages['libnginx-mod-ws-chat'], path / 'tree')
        control = path / 'tree/DEBIAN/control'
        control.write_text(re.sub(r'(?m)^Version: .*', 'Version: ' + version,
                                  control.read_text()))
        out = path / ('libnginx-mod-ws-chat_%s.deb' % version)
        run('dpkg-deb', '--root-owner-group', '-Znone', '-b', path / 'tree',
            out)
        shutil.rmtree(path / 'tree')
        return pathlib.Path(out)
    return make


@pytest.fixture(scope='module')
def machine():
    machine = Machine()
    yield machine
    machine.close()
