"""The NGINX front: ws_chat_sticky behind conf/nginx/front.conf."""

import collections
import http.cookies
import re

import pytest

from harness.client import Client
from harness.front import COOKIE, CONF, KEY, sticky_module
from harness.nginx import reserve_port, wait_for
from harness.raw import Raw

pytestmark = pytest.mark.plain_store

Answer = collections.namedtuple('Answer', 'status who cookie morsel')

WHO = '''
location = /who { return 200 %s; }
'''

# one cheap server for each node where nothing but the choice matters
MANY = '''\
load_module "{module}";
pid nginx.pid;
error_log error.log;
worker_processes {workers};
events {{ }}
http {{
    access_log off;
    server {{ listen 127.0.0.1:{port} reuseport; }}
    %s
}}
'''

BACKEND = '''
    server {{
        listen unix:NAME.sock;
        location / {{ return 200 NAME; }}
        location = /teapot {{ return 418 NAME; }}
        location = /fail {{ return 500 NAME; }}
        location = /redirect {{ return 204; add_header X-Accel-Redirect /x; }}
    }}
'''

DRAIN = 'location = /who { return 503; }'


def ask(front, cookie=None, path='/who', headers=None, method='GET'):
    """One request: Answer; cookie.value is None if none was set."""
    headers = dict(headers or {})
    if cookie is not None:
        headers['Cookie'] = '%s=%s' % (COOKIE, cookie)
    response = front.request(path, method, headers)
    return answer(response.status, response.body.decode().strip(),
                  response.headers.get_all('Set-Cookie') or [])


def answer(status, who, lines):
    assert len(lines) < 2, lines
    morsel = None
    if lines:
        morsel = http.cookies.SimpleCookie(lines[0])[COOKIE]
    return Answer(status, who, morsel and morsel.value, morsel)


def spread(front, count=30, **options):
    """Who answered so many new clients, how often."""
    return collections.Counter(ask(front, **options).who
                               for _ in range(count))


def cookies_of(front, names):
    """A cookie for each node, by its name."""
    found = {}
    for _ in range(100 * len(names)):
        one = ask(front)
        found[one.who] = one.cookie
        if set(found) == set(names):
            return found
    raise AssertionError('only %s of %s' % (sorted(found), names))


@pytest.fixture
def backends(nginx):
    """Servers a, b, ... in one process, on Unix sockets."""
    def start(names):
        ng = nginx(workers=1, start=False, conf=MANY % ''.join(
            BACKEND.replace('NAME', name) for name in names))
        places = {name: 'unix:%s/%s.sock' % (ng.dir, name) for name in names}
        ng.write_conf(re.sub(r'unix:(\w)\.sock',
                             lambda found: places[found[1]], ng.text))
        ng.start()
        for name in names:
            (ng.dir / (name + '.sock')).chmod(0o666)
        return places
    return start


@pytest.fixture
def nodes(nginx):
    """Chat nodes, each an NGINX of its own that knows its name."""
    def start(names, location=''):
        return [nginx(workers=1, http='ws_chat_node %s;' % name,
                      location=location, server=WHO % name)
                for name in names]
    return start


# the cookie

async def test_chat(nodes, front):
    """A chat through the front: 101 with a cookie, then the same node."""
    f = front(nodes('abc'))
    first = await Client.connect(f, user='ann')
    line = first.ws.response.headers['Set-Cookie']
    cookie = re.match(r'ws_chat_node=([\w-]{43}); Path=/; HttpOnly; '
                      r'SameSite=Lax$', line)[1]
    await first.join('room')
    await first.send('room', 'hello')
    assert (await first.expect('message'))['message'] == 'hello'

    for i in range(100):
        again = await Client.connect(
            f, user='u%d' % i,
            headers={'Cookie': 'a=b; %s=%s' % (COOKIE, cookie)})
        assert again.welcome['node'] == first.welcome['node']
        assert 'Set-Cookie' not in again.ws.response.headers
        await again.close()

    await first.close()


async def test_spread(nodes, front):
    """Without a cookie, open sockets are spread evenly."""
    f = front(nodes('abc'))
    clients = [await Client.connect(f, user='u%d' % i) for i in range(30)]
    count = collections.Counter(c.welcome['node'] for c in clients)
    assert count == {'a': 10, 'b': 10, 'c': 10}

    # the ones that come by cookie count as well
    cookie = clients[0].ws.response.headers['Set-Cookie'].split(';')[0]
    home = clients[0].welcome['node']
    for i in range(20):
        clients.append(await Client.connect(f, user='v%d' % i,
                                            headers={'Cookie': cookie}))
        assert clients[-1].welcome['node'] == home
    for i in range(10):
        clients.append(await Client.connect(f, user='w%d' % i))
        assert clients[-1].welcome['node'] != home

    # and are given back
    for client in clients:
        await client.close()
    clients = [await Client.connect(f, user='x%d' % i) for i in range(6)]
    count = collections.Counter(c.welcome['node'] for c in clients)
    assert count == {'a': 2, 'b': 2, 'c': 2}


@pytest.mark.parametrize('zone', [True, False], ids=['zone', 'no-zone'])
@pytest.mark.parametrize('method', ['', 'least_conn;', 'ip_hash;', 'random;',
                                    'hash $request_id;',
                                    'hash $request_id consistent;'])
def test_methods(backends, front, method, zone):
    """It works around all balancing methods, and reveals no address."""
    f = front(backends('abc').values(), method=method, zone=zone)
    if method == 'ip_hash;':
        one = ask(f)
        cookies = {one.who: one.cookie}
    else:
        cookies = cookies_of(f, 'abc')
        assert len(set(cookies.values())) == 3
    for name, cookie in cookies.items():
        for _ in range(20):
            assert ask(f, cookie) == (200, name, None, None)


def test_many_peers(backends, front):
    """More peers than a word has bits, some of them twice."""
    places = backends('ab')
    servers = ['unix:/nowhere/%d.sock down' % i for i in range(150)]
    servers[70], servers[140] = places['a'], places['b']
    servers[71] = places['a']
    f = front(servers)
    for name, cookie in cookies_of(f, 'ab').items():
        assert ask(f, cookie) == (200, name, None, None)


def test_one_peer(backends, front):
    f = front(backends('a').values())
    one = ask(f)
    assert one.who == 'a' and one.cookie
    assert ask(f, one.cookie) == (200, 'a', None, None)
    assert ask(f, 'other').cookie == one.cookie


def test_methods_of_http(backends, front):
    """Ordinary answers, of whatever status below 500, set it."""
    f = front(backends('ab').values())
    for method in ('GET', 'HEAD', 'POST'):
        one = ask(f, method=method)
        assert one.status == 200 and one.cookie, one
        assert ask(f, one.cookie, method=method).cookie is None
    assert ask(f, path='/teapot').cookie
    assert ask(f, path='/fail') == (500, 'a', None, None) or \
        ask(f, path='/fail') == (500, 'b', None, None)


def test_internal_redirect(backends, front):
    """What the front answers itself has no cookie."""
    f = front(backends('ab').values(),
              server='location = /x { return 200 front; }')
    assert ask(f, path='/redirect') == (200, 'front', None, None)


def test_attributes(backends, front):
    f = front(backends('a').values(), sticky='cookie=%s key=sticky.key '
              'path=/chat samesite=none secure' % COOKIE)
    morsel = ask(f).morsel
    assert morsel['path'] == '/chat' and morsel['samesite'] == 'None'
    assert morsel['secure'] is True and not morsel['httponly']


# what is not a cookie of ours

def test_tampered(backends, front):
    """Each character, and each length: a valid answer with a new cookie."""
    f = front(backends('ab').values())
    good = cookies_of(f, 'ab')
    cookie = good['a']
    bad = [cookie[:i] + ('A' if c != 'A' else 'B') + cookie[i + 1:]
           for i, c in enumerate(cookie)]
    bad += [cookie[:i] for i in range(len(cookie))]
    bad += [cookie + 'A', cookie + '=', '"%s"' % cookie, cookie * 2,
            cookie.swapcase(), cookie[::-1], 'x' * 3000, '%00', '../../a',
            "' or 1=1", 'unix:/', '127.0.0.1:80']
    for one in bad:
        got = ask(f, one)
        assert got.status == 200 and got.cookie == good[got.who], one


def test_repeated(backends, front):
    """Twice is not at all, in one line or in two."""
    f = front(backends('ab').values())
    cookie = ask(f).cookie
    one = '%s=%s' % (COOKIE, cookie)
    for header in (one + '; ' + one, one + '; %s=x' % COOKIE,
                   '%s=x; ' % COOKIE + one):
        got = ask(f, headers={'Cookie': header})
        assert got.status == 200 and got.cookie
    with Raw(f) as raw:
        raw.send(raw.request('/who', headers={'Cookie': [one, 'a=b', one],
                                              'Upgrade': None,
                                              'Connection': None}))
        status, headers, _ = raw.response()
        assert status == 200 and 'set-cookie' in headers
    for header in ('a=b; ' + one, one + ';', ' ; ;' + one + ' ; c=d'):
        assert ask(f, headers={'Cookie': header}).cookie is None


def test_names_are_exact(backends, front):
    f = front(backends('ab').values())
    cookie = ask(f).cookie
    for name in (COOKIE.upper(), 'x' + COOKIE, COOKIE + 'x', COOKIE[1:]):
        assert ask(f, headers={'Cookie': name + '=' + cookie}).cookie


def test_fronts_agree(backends, front):
    """Fronts with one key take each other's cookies, others do not."""
    places = list(backends('abc').values())
    first = front(places)
    second = front(places[::-1], method='', workers=1)
    other = front(places, key='another key of the tests, as long as it takes')
    for name, cookie in cookies_of(first, 'abc').items():
        assert ask(second, cookie) == (200, name, None, None)
        got = ask(other, cookie)
        assert got.status == 200 and got.cookie != cookie


def test_rotation(backends, front):
    """Old keys are accepted, the first one signs."""
    f = front(backends('abc').values())
    old = cookies_of(f, 'abc')
    f.write_key('the new key of the tests, also thirty-two octets\n%s\n' % KEY)
    f.reload()
    for name, cookie in old.items():
        for _ in range(5):
            got = ask(f, cookie)
            assert got.who == name and got.cookie not in (None, cookie)
        assert ask(f, got.cookie) == (200, name, None, None)


def test_reload(backends, front):
    f = front(backends('abc').values())
    cookies = cookies_of(f, 'abc')
    f.reload()
    for name, cookie in cookies.items():
        assert ask(f, cookie) == (200, name, None, None)


# nodes that go

@pytest.mark.parametrize('zone', [True, False], ids=['zone', 'no-zone'])
def test_node_stopped(nodes, front, zone):
    """Another node, and its cookie."""
    a, b, c = nodes('abc')
    f = front([a, b, c], zone=zone, workers=1)
    cookies = cookies_of(f, 'abc')
    a.stop()
    for _ in range(10):
        got = ask(f, cookies['a'])
        assert got.status == 200 and got.who in 'bc'
        assert got.cookie == cookies[got.who]
    assert ask(f, cookies['b']) == (200, 'b', None, None)
    assert 'no live upstreams' not in f.log()


def test_node_back(nginx, front):
    """After fail_timeout its cookie is honoured again."""
    a, b = [nginx(workers=1, server=WHO % name) for name in 'ab']
    f = front(['127.0.0.1:%d fail_timeout=1s' % node.port for node in (a, b)])
    cookie = cookies_of(f, 'ab')['a']
    a.replace_conf((WHO % 'a').strip(), DRAIN)
    a.reload()
    assert ask(f, cookie).who == 'b'
    a.replace_conf(DRAIN, (WHO % 'a').strip())
    a.reload()
    wait_for(lambda: ask(f, cookie) == (200, 'a', None, None))


def test_nothing_answers(front):
    """A 502 has no cookie."""
    port, keeper = reserve_port()
    with keeper:
        f = front(['127.0.0.1:%d' % port] * 2)
        other = front(['127.0.0.1:%d' % port] * 2,
                      extra='error_page 502 http://sorry.example/;')
        for _ in range(4):
            got = ask(f)
            assert got.status == 502 and got.cookie is None
            got = ask(other)
            assert got.status == 302 and got.cookie is None


def test_node_drains(nodes, front):
    """A node that says 503: another one at once, and its cookie."""
    a, b, c = nodes('abc')
    f = front([a, b, c])
    cookies = cookies_of(f, 'abc')
    a.replace_conf((WHO % 'a').strip(), DRAIN)
    a.reload()
    for _ in range(10):
        got = ask(f, cookies['a'])
        assert got.status == 200 and got.who in 'bc'
        assert got.cookie == cookies[got.who]
    assert set(spread(f)) == {'b', 'c'}


async def test_node_full(nodes, front):
    """The same for WebSockets, whose sockets stay."""
    a, b = nodes('ab', location='ws_chat_max_connections 3;')
    f = front([a, b])
    clients = [await Client.connect(f, user='u%d' % i) for i in range(4)]
    held = {c.welcome['node']: c for c in clients}
    cookie = held['a'].ws.response.headers['Set-Cookie'].split(';')[0]
    for i in range(2):
        clients.append(await Client.connect(f, user='v%d' % i,
                                            headers={'Cookie': cookie}))
        line = clients[-1].ws.response.headers.get('Set-Cookie', '')
        assert clients[-1].welcome['node'] == 'ab'[i]
        assert (clients[-1].welcome['node'] == 'a') == (line == '')

    # both are full: what they say gets through, each time
    for _ in range(6):
        with Raw(f) as raw:
            raw.send(raw.request('/chat', headers={'Cookie': cookie}))
            status, headers, _ = raw.response()
            assert status == 503 and 'retry-after' in headers
            assert 'set-cookie' not in headers

    for client in clients:
        await client.cmd('ping')
        await client.close()


def test_all_drain(nodes, front):
    """The nodes' own 503, not the front's 502, also with one that died."""
    a, b, c = nodes('abc')
    f = front(['127.0.0.1:%d fail_timeout=60s' % n.port for n in (a, b, c)])
    cookies = cookies_of(f, 'abc')
    c.stop()
    assert ask(f, cookies['c']).who in 'ab'
    for node, name in ((a, 'a'), (b, 'b')):
        node.replace_conf((WHO % name).strip(), DRAIN)
        node.reload()
    for cookie in [None, *cookies.values()] * 4:
        got = ask(f, cookie)
        assert got.status == 503 and got.cookie is None
    assert 'no live upstreams' not in f.log()


# parameters of `server`

def test_weight(backends, front):
    places = backends('ab')
    f = front([places['a'] + ' weight=3', places['b']], method='', workers=1)
    assert spread(f, 40) == {'a': 30, 'b': 10}
    for name, cookie in cookies_of(f, 'ab').items():
        for _ in range(10):
            assert ask(f, cookie) == (200, name, None, None)


def test_backup(nodes, backends, front):
    """Backup servers when no other can be used, by cookie among them."""
    a, = nodes('a')
    places = backends('xy')
    f = front([a, places['x'] + ' backup', places['y'] + ' backup'],
              workers=1)
    one = ask(f)
    assert spread(f) == {'a': 30}
    assert ask(f, one.cookie) == (200, 'a', None, None)
    a.stop()
    assert ask(f, one.cookie).who in 'xy'
    cookies = cookies_of(f, 'xy')
    for name, cookie in cookies.items():
        for _ in range(10):
            assert ask(f, cookie) == (200, name, None, None)


def test_backup_drains(nodes, front):
    """From a server by a backup to the next backup, in one request."""
    a, x, y = nodes('axy')
    f = front(['127.0.0.1:%d max_fails=0' % a.port] + [
        '127.0.0.1:%d backup' % node.port for node in (y, x)])
    a.stop()
    cookies = cookies_of(f, 'xy')
    x.replace_conf((WHO % 'x').strip(), DRAIN)
    x.reload()
    got = ask(f, cookies['x'])
    assert got.who == 'y' and got.cookie == cookies['y']


def test_backup_waits(backends, front):
    """A backup server's cookie counts for nothing while others serve."""
    places = backends('ax')
    f = front([places['a'] + ' down', places['x'] + ' backup'])
    cookie = ask(f).cookie
    f.replace_conf(places['a'] + ' down', places['a'])
    f.reload()
    got = ask(f, cookie)
    assert got.who == 'a' and got.cookie not in (None, cookie)


def test_down(backends, front):
    places = backends('ab')
    f = front(places.values())
    cookies = cookies_of(f, 'ab')
    f.replace_conf('server %s;' % places['a'], 'server %s down;' % places['a'])
    f.reload()
    got = ask(f, cookies['a'])
    assert got.who == 'b' and got.cookie == cookies['b']
    assert ask(f, cookies['b']) == (200, 'b', None, None)


@pytest.mark.parametrize('limit', [1, 2, 3])
def test_max_fails(nginx, front, limit):
    """Failures of those who come by cookie count; so many and no more."""
    a, b = [nginx(workers=1, server=WHO % name) for name in 'ab']
    f = front(['127.0.0.1:%d max_fails=%d fail_timeout=60s' % (
        node.port, limit) for node in (a, b)])
    cookies = cookies_of(f, 'ab')
    a.stop()
    for _ in range(limit + 3):
        assert ask(f, cookies['a']).who == 'b'
    assert len(re.findall('connect.. failed', f.log())) == limit


def test_failures_are_forgotten(nginx, front):
    """After a success by cookie, as many failures are needed again."""
    a, b = [nginx(workers=1, server=WHO % name) for name in 'ab']
    f = front(['127.0.0.1:%d max_fails=2 fail_timeout=%ds' % one for one in (
        (a.port, 1), (b.port, 60))],
        extra='add_header X-Tried $upstream_addr always;')
    cookie = cookies_of(f, 'ab')['a']

    def tried():
        response = f.request('/who', headers={
            'Cookie': '%s=%s' % (COOKIE, cookie)})
        return response.headers['X-Tried'].count(':')

    a.replace_conf((WHO % 'a').strip(), DRAIN)
    a.reload()
    wait_for(lambda: tried() == 1, what='two failures are too many')

    a.replace_conf(DRAIN, (WHO % 'a').strip())
    a.reload()
    wait_for(lambda: ask(f, cookie) == (200, 'a', None, None))

    a.replace_conf((WHO % 'a').strip(), DRAIN)
    a.reload()
    assert [tried(), tried()] == [2, 2]


def test_max_fails_off(nginx, front):
    a, b = [nginx(workers=1, server=WHO % name) for name in 'ab']
    f = front(['127.0.0.1:%d max_fails=0' % node.port for node in (a, b)])
    cookies = cookies_of(f, 'ab')
    a.stop()
    for _ in range(5):
        assert ask(f, cookies['a']).who == 'b'
    assert len(re.findall('connect.. failed', f.log())) == 5


async def test_max_conns(nodes, front):
    """Where max_conns is reached, another node takes the cookie's client."""
    a, b = nodes('ab')
    f = front(['127.0.0.1:%d max_conns=2' % a.port, b])
    clients = []
    while not any(c.welcome['node'] == 'a' for c in clients):
        clients.append(await Client.connect(f, user='u'))
    cookie = clients[-1].ws.response.headers['Set-Cookie'].split(';')[0]
    headers = {'Cookie': cookie}
    clients.append(await Client.connect(f, user='v', headers=headers))
    assert clients[-1].welcome['node'] == 'a'
    clients.append(await Client.connect(f, user='w', headers=headers))
    assert clients[-1].welcome['node'] == 'b'
    assert 'Set-Cookie' in clients[-1].ws.response.headers
    for client in clients:
        await client.close()


def test_keepalive(backends, front):
    """Kept connections behind it; before it, it says that it is idle."""
    f = front(backends('abc').values(), upstream='keepalive 8;', workers=1)
    for name, cookie in cookies_of(f, 'abc').items():
        for _ in range(5):
            assert ask(f, cookie) == (200, name, None, None)

    f.replace_conf('least_conn;', 'least_conn; keepalive 8;')
    f.replace_conf('\n        keepalive 8;', '')
    f.reload()
    assert ask(f).status == 200 and ask(f).cookie is None
    assert len(re.findall('"ws_chat_sticky" has no effect in upstream "chat"',
                          f.log())) == 1


# the directive

GOOD = [
    'cookie=SRV key=sticky.key',
    'key=sticky.key cookie=a.b_c-9 path=/x/y',
    'cookie=SRV key=sticky.key secure httponly samesite=none',
    'cookie=SRV key=sticky.key samesite=strict',
]

BAD = [
    ('', 'number of arguments'),
    ('cookie=SRV', 'key='),
    ('key=sticky.key', 'cookie='),
    ('cookie= key=sticky.key', 'cookie='),
    ('cookie=a=b key=sticky.key', 'a=b'),
    ('cookie=%s key=sticky.key' % ('a' * 65), '1 to 64'),
    ('cookie=SRV key=', 'key='),
    ('cookie=SRV key=no.such.file', 'no.such.file'),
    ('cookie=SRV key=.', 'cannot read'),
    ('cookie=SRV key=sticky.key path=x', 'path='),
    ('cookie=SRV key=sticky.key path=', 'path='),
    ('cookie=SRV key=sticky.key "path=/;x"', 'path='),
    ('cookie=SRV key=sticky.key samesite=', 'samesite='),
    ('cookie=SRV key=sticky.key samesite=maybe', 'maybe'),
    ('cookie=SRV key=sticky.key samesite=none', 'secure'),
    ('cookie=SRV key=sticky.key colour=red', 'colour=red'),
    ('cookie=SRV key=sticky.key secure=on', 'secure=on'),
    ('cookie=SRV key=sticky.key secure secure', 'two "secure"'),
    ('cookie=SRV cookie=SRV key=sticky.key', 'two "cookie="'),
    ('cookie=SRV key=sticky.key key=sticky.key', 'two "key="'),
    ('cookie=A key=sticky.key; ws_chat_sticky cookie=B key=sticky.key',
     'duplicate'),
    ('cookie=A key=sticky.key; ip_hash', 'behind the balancing method'),
]

KEYS = [
    ('', 'empty'),
    ('\n', 'empty'),
    ('x' * 31, '32 octets'),
    ('x' * 31 + '\n', '32 octets'),
    (b'\x00' * 31, '32 octets'),
    ('x' * 32 + '\nshort', '32 octets'),
    (('x' * 32 + '\n') * 5, 'more than 4'),
    ('x' * 4097, '4096'),
]


def refused(front):
    """The one line that says why."""
    rc, text = front.check_conf()
    lines = [one for one in text.splitlines() if '[emerg]' in one]
    assert rc != 0 and len(lines) == 1, text
    assert '"ws_chat_sticky"' in lines[0], text
    assert re.search(r' in \S+nginx\.conf:\d+$', lines[0]), text
    return lines[0]


@pytest.mark.once
def test_good(front):
    for sticky in GOOD:
        rc, text = front(['127.0.0.1:1'], sticky=sticky,
                         start=False).check_conf()
        assert rc == 0 and '[warn]' not in text, (sticky, text)


@pytest.mark.once
@pytest.mark.parametrize('sticky,part', BAD, ids=[one for one, _ in BAD])
def test_bad(front, sticky, part):
    assert part in refused(front(['127.0.0.1:1'], sticky=sticky, start=False))


@pytest.mark.once
def test_bad_keys(front):
    for key, part in KEYS:
        assert part in refused(front(['127.0.0.1:1'], key=key, start=False))
    for key in ('x' * 32, 'x' * 32 + '\r\n', bytes(range(32)), 'x' * 4096):
        f = front(['127.0.0.1:1'], key=key, start=False)
        assert f.check_conf()[0] == 0, key


@pytest.mark.once
def test_key_stays_secret(front):
    """No message repeats what is in the file."""
    f = front(['127.0.0.1:1'], key='hunter2', start=False)
    assert 'hunter2' not in refused(f)


@pytest.mark.once
def test_place(front):
    """In an upstream only."""
    f = front(['127.0.0.1:1'], start=False,
              server='ws_chat_sticky cookie=a key=sticky.key;')
    assert 'not allowed here' in refused(f)


@pytest.mark.once
def test_shipped_config(front):
    """conf/nginx/front.conf as it is, but for the place of the module."""
    f = front(['127.0.0.1:1'], start=False)
    f.write_conf(CONF.read_text().replace(
        'modules/ngx_ws_chat_sticky_module.so', '"%s"' % sticky_module()))
    rc, text = f.check_conf()
    assert rc == 0 and '[warn]' not in text, text


@pytest.mark.once
def test_beside_the_chat(nginx, front):
    """Both modules in one NGINX."""
    ng = nginx(start=False)
    f = front(['127.0.0.1:1'], start=False)
    f.write_conf('load_module "%s";\n%s' % (ng.module, f.text))
    rc, text = f.check_conf()
    assert rc == 0, text
