"""What is in the packages, without a machine to install them on."""

import re
import subprocess

import pytest

from machine import TOP, run

UNITS = ('ws-chat-relay', 'ws-chat-archiver', 'ws-chat-history')


@pytest.fixture(scope='module')
def unpacked(packages, tmp_path_factory):
    root = tmp_path_factory.mktemp('unpacked')
    for path in packages.values():
        run('dpkg-deb', '-x', path, root)
    return root


def test_lintian(packages):
    """make deb fails otherwise; this says that it ran."""
    assert (TOP / 'build/deb/lintian.log').read_text() == ''


def test_depends_on_the_abi(packages):
    abi = re.search(r'nginx-abi-[\w.-]+', run(
        'dpkg-query', '-W', '-f=${Provides}', 'nginx'))[0]
    depends = run('dpkg-deb', '-f', packages['libnginx-mod-ws-chat'],
                  'Depends')
    assert abi in depends.replace(',', ' ').split()
    # linked in and hidden: nchan brings another one
    assert 'hiredis' not in depends


def test_loads_beside_nchan(unpacked, tmp_path):
    modules = unpacked / 'usr/lib/nginx/modules'
    conf = tmp_path / 'nginx.conf'
    conf.write_text(''.join('load_module %s;\n' % path for path in (
        '/usr/lib/nginx/modules/ngx_nchan_module.so',
        modules / 'ngx_ws_chat_module.so',
        modules / 'ngx_ws_chat_sticky_module.so')) + '''
pid %(dir)s/pid;
error_log stderr;
events { }
http {
    access_log off;
    client_body_temp_path %(dir)s/a; proxy_temp_path %(dir)s/b;
    fastcgi_temp_path %(dir)s/c; uwsgi_temp_path %(dir)s/d;
    scgi_temp_path %(dir)s/e;
    ws_chat_zone chat:1m;
    server {
        listen unix:%(dir)s/socket;
        location /chat { ws_chat; }
        location /nchan { nchan_pubsub; }
    }
}
''' % {'dir': tmp_path})
    assert 'test is successful' in run('nginx', '-t', '-e', 'stderr', '-c',
                                       conf)


def test_versions(packages, unpacked):
    version = run('dpkg-deb', '-f', packages['ws-chat-backend'],
                  'Version').strip()
    for path in ('usr/sbin/ws-chat-relay', 'usr/bin/ws-chat-nodes',
                 'usr/bin/ws-chat-token', 'usr/bin/wsbench'):
        assert run(unpacked / path, '--version').split()[-1] == version


@pytest.mark.parametrize('unit', UNITS)
def test_units_are_hardened(unpacked, unit):
    """1.5 of 10 at most: good is what is below 2."""
    out = run('systemd-analyze', 'security', '--offline=yes', '--no-pager',
              '--threshold=15', '--root=%s' % unpacked, unit + '.service')
    assert ' OK ' in out


def test_every_program_has_a_page(unpacked):
    for path in [*unpacked.glob('usr/sbin/*'), *unpacked.glob('usr/bin/*')]:
        page, = unpacked.glob('usr/share/man/man?/%s.?.gz' % path.name)
        done = subprocess.run(['man', '--warnings', '-E', 'UTF-8', '-l',
                               '-Tutf8', '-Z', str(page)],
                              stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True)
        assert done.stderr == ''


def test_secrets_are_not_for_all(packages):
    listed = run('dpkg-deb', '-c', packages['ws-chat-backend'])
    modes = re.findall(r'(?m)^(\S+) root/root .* \./etc/ws-chat/\S+\.conf$',
                       listed)
    assert modes == ['-rw-r-----'] * 3
