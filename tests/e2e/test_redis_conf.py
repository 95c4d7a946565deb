"""`ws_chat_redis`: what `nginx -t` takes, and how it explains the rest."""

import re

import pytest

from harness.nginx import warned
from harness.redis import make_certificates

pytestmark = pytest.mark.plain_store

ZONE = 'ws_chat_zone chat:1m;'

GOOD = [
    'redis://127.0.0.1',
    'redis://127.0.0.1:6379',
    'redis://localhost:6379/15',
    'redis://[::1]:6379',
    'redis://:secret@127.0.0.1',
    'redis://user:p%40ss%2Fword@127.0.0.1:6379/1',
    'redis://127.0.0.1:6379 redis://127.0.0.1:6380',
    'redis://127.0.0.1:6379,127.0.0.1:6380/2',
    'redis://127.0.0.1 connect_timeout=500ms timeout=3s database=2',
    'timeout=3s redis://127.0.0.1',
    'redis://127.0.0.1 user=me password_file={dir}/secret',
    'redis://me@127.0.0.1 password_file={dir}/secret',
    'unix:/run/redis/redis.sock database=1',
    'rediss://127.0.0.1:6380',
    'rediss://localhost:6380 verify=off',
    'rediss://localhost ca={dir}/ca.crt cert={dir}/redis.crt '
    'key={dir}/redis.key verify=on',
    'sentinel://127.0.0.1:26379,127.0.0.1:26380/main',
    'sentinel://user:secret@127.0.0.1/main database=3',
    'cluster://127.0.0.1:7000,127.0.0.1:7001',
    'cluster://user:secret@127.0.0.1 shards=1024',
    'clusters://localhost ca={dir}/ca.crt shards=60 database=0',
]

# (arguments, what the message says)
BAD = [
    ('', 'invalid number of arguments'),
    ('timeout=2s', 'needs a URI'),
    ('127.0.0.1:6379', 'not "127.0.0.1:6379"'),
    ('http://127.0.0.1', 'not "http"'),
    ('redis://', 'a host'),
    ('redis://:6379', 'bad address'),
    ('redis://127.0.0.1:99999', 'invalid port'),
    ('redis://127.0.0.1:6379,', 'a host'),
    ('redis://no-such-host.invalid', 'host not found'),
    ('redis://127.0.0.1/one', 'not "one"'),
    ('redis://127.0.0.1/65536', 'database'),
    ('redis://127.0.0.1/1 database=2', 'two databases'),
    ('redis://a:%zz@127.0.0.1', 'two hex digits'),
    ('redis://a:secret%4@127.0.0.1', 'two hex digits'),
    ('redis://a@127.0.0.1', 'needs a password'),
    ('redis://127.0.0.1 user=', 'name behind'),
    ('redis://a:b@127.0.0.1 user=c', 'two users'),
    ('redis://a:b@127.0.0.1 password_file={dir}/secret', 'two passwords'),
    ('redis://127.0.0.1 password_file={dir}/none', 'cannot open'),
    ('redis://127.0.0.1 password_file={dir}/empty', 'first line'),
    ('redis://127.0.0.1 password_file={dir}/long', 'first line'),
    ('redis://127.0.0.1 password_file=', 'once each'),
    ('redis://127.0.0.1 timeout=0', '60s'),
    ('redis://127.0.0.1 timeout=never', 'never'),
    ('redis://127.0.0.1 connect_timeout=61s', '61s'),
    ('redis://127.0.0.1 timeout=1s timeout=2s', 'twice'),
    ('redis://127.0.0.1 colour=red', 'not "colour"'),
    ('redis://127.0.0.1 unix:/run/redis.sock', 'one scheme'),
    ('redis://a:b@127.0.0.1 redis://a:c@127.0.0.2', 'the same'),
    ('redis://127.0.0.1 verify=off', '"rediss://"'),
    ('redis://127.0.0.1 ca={dir}/ca.crt', '"rediss://"'),
    ('rediss://127.0.0.1 verify=perhaps', 'perhaps'),
    ('rediss://127.0.0.1 cert={dir}/redis.crt', 'both'),
    ('rediss://127.0.0.1 ca={dir}/none', 'cannot open'),
    ('unix:', 'a host'),
    ('unix:/' + 'x' * 120, 'bad address'),
    ('sentinel://127.0.0.1:26379', "master's name"),
    ('cluster://127.0.0.1/1', 'has but one'),
    ('cluster://127.0.0.1 shards=0', 'from 1 to 1024'),
    ('cluster://127.0.0.1 shards=1025', 'from 1 to 1024'),
    ('cluster://127.0.0.1 shards=60 shards=60', 'twice'),
    ('cluster://127.0.0.1 ca={dir}/ca.crt', '"clusters://"'),
    ('redis://127.0.0.1 shards=64', '"cluster://"'),
    ('valkey://127.0.0.1:7000', 'not "valkey"'),
]


@pytest.fixture(scope='module')
def files(tmp_path_factory):
    path = make_certificates(tmp_path_factory.mktemp('redis'))
    (path / 'secret').write_text('p@ss word\nmore\n')
    (path / 'empty').write_text('\nsecret\n')
    (path / 'long').write_text('x' * 4096)
    return path


def check(nginx, lines):
    return nginx(start=False, store=False, zone=ZONE, http=lines).check_conf()


def test_good(nginx, files):
    for arguments in GOOD:
        rc, text = check(nginx, 'ws_chat_redis chat %s;'
                         % arguments.format(dir=files))
        assert rc == 0, (arguments, text)
        assert not warned(text), (arguments, text)


@pytest.mark.parametrize('arguments,part', BAD,
                         ids=[one[:40] for one, _ in BAD])
def test_bad(nginx, files, arguments, part):
    rc, text = check(nginx, 'ws_chat_redis chat %s;'
                     % arguments.format(dir=files))
    emerg = [one for one in text.splitlines() if '[emerg]' in one]
    assert rc != 0 and len(emerg) == 1, text
    assert '"ws_chat_redis"' in emerg[0] and part in emerg[0], emerg[0]
    assert re.search(r' in \S+nginx\.conf:\d+$', emerg[0]), emerg[0]
    assert not re.search(r'secret(?!")', emerg[0]), emerg[0]


def test_few_shards(nginx):
    """Some tags fall on few nodes."""
    rc, text = check(nginx, 'ws_chat_redis chat cluster://127.0.0.1 shards=10;')
    assert rc == 0 and '[warn]' in text and '60 or more' in text, text


def test_bad_certificates(nginx, files):
    """OpenSSL says what is wrong, and the directive says whose it is."""
    for options in ('ca={dir}/secret', 'cert={dir}/ca.crt key={dir}/redis.key'):
        rc, text = check(nginx, 'ws_chat_redis chat rediss://127.0.0.1 %s;'
                         % options.format(dir=files))
        assert rc != 0 and '"ws_chat_redis" directive cannot use' in text, text


def test_zone(nginx):
    """One line for a zone that there is, wherever that is declared."""
    one = 'ws_chat_redis chat redis://127.0.0.1;'
    assert check(nginx, one)[0] == 0

    rc, text = check(nginx, one + ' ' + one)
    assert rc != 0 and '"ws_chat_redis"' in text and 'duplicate' in text, text

    rc, text = check(nginx, one.replace('chat r', 'other r'))
    assert rc != 0 and '"ws_chat_redis"' in text and '"other"' in text, text

    later = one.replace('chat r', 'later r') + ' ws_chat_zone later:1m;'
    assert check(nginx, later)[0] == 0
