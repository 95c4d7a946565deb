"""Who comes in by a token: where it is looked for, which ones are good."""

import asyncio
import json
import time

import pytest

from harness import tokens
from harness.client import ChatError, Client
from harness.raw import Raw
from harness.sse import Stream, post

pytestmark = pytest.mark.plain_store

AUTH = '''
    ws_chat_auth jwt;
    ws_chat_jwt_key %(dir)s/secret;
    ws_chat_jwt_key %(dir)s/RS256.pem;
    ws_chat_jwt_key %(dir)s/ES256.pem alg=ES256;
    ws_chat_jwt_key %(dir)s/EdDSA.pem kid=ed;
    ws_chat_token_cookie token;
    ws_chat_origins https://ok.example;
'''

SERVER = '''
    location = /jwks {
        ws_chat zone=chat;
        ws_chat_auth jwt;
        ws_chat_jwt_key %(dir)s/jwks.json;
    }
    location = /party {
        ws_chat zone=chat;
        ws_chat_auth jwt;
        ws_chat_jwt_key %(dir)s/secret;
        ws_chat_jwt_issuer https://issuer.example/;
        ws_chat_jwt_audience chat other;
    }
    location = /echo {
        ws_chat_echo;
        ws_chat_auth jwt;
        ws_chat_jwt_key %(dir)s/secret;
    }
    location = /file {
        ws_chat_auth jwt;
        ws_chat_jwt_key %(dir)s/secret;
        ws_chat_origins https://ok.example;
        add_header X-User $ws_chat_user;
        add_header X-Expires $ws_chat_token_expires;
        add_header X-Info $ws_chat_token_info;
        try_files /none =204;
    }
    location = /led {
        ws_chat_auth jwt;
        ws_chat_jwt_key %(dir)s/secret;
        set $asked $ws_chat_user;
        rewrite ^ /party last;
    }
    location = /any {
        satisfy any;
        allow all;
        ws_chat_auth jwt;
        ws_chat_jwt_key %(dir)s/secret;
        try_files /none =204;
    }
'''

PLAIN = {'Upgrade': None, 'Connection': None, 'Sec-WebSocket-Version': None,
         'Sec-WebSocket-Key': None}


@pytest.fixture
def ng(nginx, tmp_path):
    tokens.write_keys(tmp_path)
    tmp_path.chmod(0o755)
    values = {'dir': tmp_path}
    return nginx(workers=1, location=AUTH % values, server=SERVER % values)


def ask(ng, path='/chat', headers=None, method='GET'):
    """Status, headers and body of the answer."""
    with Raw(ng) as r:
        r.send(r.request(path, method, 'HTTP/1.1', headers or {}))
        return r.response()


def bearer(token):
    return {'Authorization': 'Bearer ' + token}


def welcome_of(ng, path='/chat', headers=None):
    """The welcome of a socket, or the status of the refusal."""
    with Raw(ng) as r:
        r.send(r.request(path, 'GET', 'HTTP/1.1', headers or {}))
        status = r.response()[0]
        if status != 101:
            return status
        return json.loads(r.read_frame().payload)


def hs(**header):
    return {'alg': 'HS256', 'typ': 'JWT', **header}


def bad_tokens():
    """(what is wrong, token)"""
    good = tokens.mint()
    head, body, sig = good.split('.')
    claims = tokens.claims()
    now = int(time.time())
    public = tokens.public_pem('RS256')

    yield 'empty', ''
    yield 'a word', 'token'
    yield 'a dot', '.'
    yield 'two dots', '..'
    yield 'no signature', head + '.' + body
    yield 'an empty signature', head + '.' + body + '.'
    yield 'no header', '.' + body + '.' + sig
    yield 'no payload', head + '..' + sig
    yield 'four parts', good + '.' + sig
    yield 'five parts, as encrypted', good + '.a.b'
    yield 'truncated', good[:-1]
    yield 'half', good[:len(good) // 2]
    yield 'longer', good + 'A'
    yield 'padding', good + '='
    yield 'base64, not base64url', good.replace('.', '.+', 1)
    yield 'a blank inside', head + ' .' + body + '.' + sig
    yield 'quotes around', '"' + good + '"'
    yield 'the signature of another', head + '.' + body + '.' + \
        tokens.mint(tokens.claims('bob')).split('.')[2]
    yield 'the payload of another', head + '.' + \
        tokens.b64(json.dumps({**claims, 'sub': 'bob'})) + '.' + sig
    yield 'huge', tokens.mint({**claims, 'x': 'y' * 4000})

    for alg in ('none', 'None', 'NONE', 'nOnE', 'none ', ''):
        yield 'alg %r' % alg, tokens.forge({'alg': alg}, claims)
        yield 'alg %r unsigned' % alg, tokens.forge(
            {'alg': alg}, claims, signature=b'')
    for alg in ('hs256', 'HS384', 'HS512', 'RS256', 'PS256', 'ES256K',
                'EdDSA', 'dir', 1, None, ['HS256'], {'HS256': 1}, True):
        yield 'alg %r' % (alg,), tokens.forge({'alg': alg}, claims)
    yield 'no alg', tokens.forge({'typ': 'JWT'}, claims)
    yield 'two algs', tokens.forge('{"alg":"none","alg":"HS256"}', claims)

    yield 'the public PEM as a secret', tokens.forge(hs(), claims, public)
    yield 'the same without its end', tokens.forge(hs(), claims,
                                                   public.rstrip())
    yield 'the public JWK as a secret', tokens.forge(
        hs(), claims, json.dumps(tokens.jwk('RS256')).encode())
    yield 'an empty secret', tokens.forge(hs(), claims, b'')
    yield 'another secret', tokens.forge(hs(), claims, b'x' * 40)
    yield 'the secret with its line end', tokens.forge(
        hs(), claims, tokens.SECRET + b'\n')
    yield 'another RSA key', tokens.mint(
        claims, 'RS256', key=tokens.private('RS256-other'))
    yield 'RS512 by the right key', tokens.mint(
        claims, 'RS512', key=tokens.private('RS256'))
    yield 'PS256 by the right key', tokens.mint(
        claims, 'PS256', key=tokens.private('RS256'))
    yield 'ES384 by another curve', tokens.mint(claims, 'ES384')
    yield 'ES256 with zeros', tokens.forge(
        {'alg': 'ES256'}, claims, signature=bytes(64))
    yield 'ES256 with an empty signature', tokens.forge(
        {'alg': 'ES256'}, claims, signature=b'')
    yield 'EdDSA with zeros', tokens.forge(
        {'alg': 'EdDSA'}, claims, signature=bytes(64))
    yield 'RS256 with zeros', tokens.forge(
        {'alg': 'RS256'}, claims, signature=bytes(256))

    for kid in ('../../../dev/null', '/dev/null', 'https://evil.example/k'):
        yield 'kid %r, empty key' % kid, tokens.forge(hs(kid=kid), claims, b'')
    yield "kid' OR 1=1", tokens.forge(hs(kid="x' UNION SELECT 'k"), claims,
                                      b'k')
    for kid in (0, None, True, ['ed'], {'a': 1}, 'k' * 300):
        yield 'kid %.20r' % (kid,), tokens.forge(hs(kid=kid), claims)
    yield 'a kid of another algorithm', tokens.forge(hs(kid='ed'), claims)

    own = tokens.jwk('RS256')
    own['n'] = json.loads(tokens.jwt.get_algorithm_by_name('RS256').to_jwk(
        tokens.private('RS256-other').public_key()))['n']
    for name, value in (('jwk', own), ('jku', 'http://127.0.0.1/jwks'),
                        ('x5u', 'http://127.0.0.1/x5u'), ('x5c', ['MIIB'])):
        yield name, tokens.mint(claims, 'RS256', {name: value},
                                tokens.private('RS256-other'))
    yield 'crit', tokens.forge(hs(crit=['exp']), claims)
    yield 'crit and b64', tokens.forge(hs(crit=['b64'], b64=False), claims)
    yield 'empty crit', tokens.forge(hs(crit=[]), claims)
    yield 'typ', tokens.forge(hs(typ=1), claims)
    for text in ('', '[]', '"HS256"', '{"alg":"HS256"', '{"alg":"HS256"}x',
                 b'\xff\xfe', '\ufeff{"alg":"HS256"}'):
        yield 'the header %r' % text, tokens.forge(text, claims)

    for text in ('', 'null', '1', '[]', '{}', '{"sub":"ann"', b'{"sub":"\xff"}',
                 '{"sub":"ann","exp":%d}x' % (now + 600)):
        yield 'the payload %r' % text, tokens.forge(hs(), text)
    for sub in ('', 7, None, True, ['ann'], {'a': 1}, 'a' * 129, 'a\nb',
                'a\x00b', '\x7f', '\x85'):
        yield 'sub %.20r' % (sub,), tokens.forge(hs(), {**claims, 'sub': sub})
    yield 'no sub', tokens.forge(hs(), {'exp': now + 600})
    yield 'two subs', tokens.forge(
        hs(), '{"sub":"ann","exp":%d,"sub":"ann"}' % (now + 600))
    yield 'two subs, one escaped', tokens.forge(
        hs(), '{"sub":"ann","exp":%d,"s\\u0075b":"bob"}' % (now + 600))
    for exp in (now - 60, 0, -1, str(now + 600), None, True, [now + 600],
                1e300):
        yield 'exp %r' % (exp,), tokens.forge(hs(), {**claims, 'exp': exp})
    yield 'no exp', tokens.forge(hs(), {'sub': 'ann'})
    yield 'exp 1e999', tokens.forge(hs(), '{"sub":"ann","exp":1e999}')
    for name in ('nbf', 'iat'):
        for value in (now + 600, str(now), None, [now], -1):
            yield '%s %r' % (name, value), tokens.forge(
                hs(), {**claims, name: value})
    for name, value in (
            ('iss', 7), ('aud', 7), ('aud', ['a', 7]), ('aud', {'a': 1}),
            ('info', 'x' * 1024), ('moderate', 1), ('moderate', 'true'),
            ('chat', []), ('chat', 'a'), ('chat', {'join': 'a'}),
            ('chat', {'join': [1]}), ('chat', {'send': ['a b']}),
            ('chat', {'send': {'a': 1}})):
        yield '%s %.20r' % (name, value), tokens.forge(
            hs(), {**claims, name: value})


def test_bad(ng):
    """All alike, whatever is wrong."""
    tables = list(bad_tokens())
    assert len(tables) >= 60
    answers = set()
    for what, token in [('none at all', None)] + tables:
        headers = {} if token is None else bearer(token)
        status, answer, body = ask(ng, headers=headers)
        assert status == 401, (what, token, status)
        del answer['date']
        answers.add((status, body, tuple(sorted(answer.items()))))
    assert len(answers) == 1, answers
    status, body, answer = answers.pop()
    assert dict(answer)['www-authenticate'] == 'Bearer'
    assert dict(answer)['cache-control'] == 'no-store'
    # why stands in the log, and nothing of a token
    log = ng.log() + (ng.dir / 'access.log').read_text()
    assert 'refuses a token' in log
    for what, token in tables:
        for part in token.split('.'):
            assert len(part) < 10 or part not in log, (what, part)


@pytest.mark.parametrize('alg', ['HS256', 'RS256', 'ES256', 'EdDSA'])
def test_good(ng, alg):
    now = int(time.time())
    for payload, user in [
            (tokens.claims('ann'), 'ann'),
            (tokens.claims('Zo\xeb \U0001f600'), 'Zo\xeb \U0001f600'),
            (tokens.claims('a' * 128), 'a' * 128),
            (tokens.claims('ann', -25), 'ann'),
            (tokens.claims('ann', nbf=now + 25, iat=now + 25), 'ann'),
            (tokens.claims('ann', iss='x', aud=['y'], jti='z', other={}),
             'ann'),
            ({'sub': 'ann', 'exp': now + 600.5}, 'ann')]:
        token = tokens.mint(payload, alg)
        assert welcome_of(ng, headers=bearer(token))['user'] == user
        # ?user= means nothing here
        assert welcome_of(ng, '/chat?user=eve', bearer(token))['user'] == user
    assert welcome_of(ng, headers=bearer(tokens.mint(
        alg=alg, headers={'kid': 'ed' if alg == 'EdDSA' else 'unknown'})))


def test_jwks(ng):
    for alg, kid, status in [
            ('RS256', 'rsa', 101), ('ES256', 'ec', 101), ('EdDSA', 'ed', 101),
            ('RS256', None, 101), ('RS256', 'ec', 401), ('EdDSA', 'rsa', 401),
            ('EdDSA', 'Ed', 401), ('ES256', '', 401), ('HS256', None, 401),
            ('HS256', 'rsa', 401)]:
        token = tokens.mint(alg=alg, headers={'kid': kid} if kid is not None
                            else None)
        got = welcome_of(ng, '/jwks', bearer(token))
        assert (got == status if status == 401 else got['user'] == 'ann'), (
            alg, kid, got)


def test_parties(ng):
    iss = 'https://issuer.example/'
    for others, status in [
            ({'iss': iss, 'aud': 'chat'}, 101),
            ({'iss': iss, 'aud': ['x', 'other']}, 101),
            ({'iss': iss}, 401), ({'aud': 'chat'}, 401),
            ({'iss': iss[:-1], 'aud': 'chat'}, 401),
            ({'iss': iss, 'aud': 'chats'}, 401),
            ({'iss': iss, 'aud': []}, 401)]:
        token = tokens.mint(tokens.claims(**others))
        got = welcome_of(ng, '/party', bearer(token))
        assert got == 401 if status == 401 else got['ev'] == 'welcome', (
            others, got)


def test_rewrite(ng):
    """What counts is the location where a request ends up."""
    token = tokens.mint(tokens.claims(), 'HS256')
    assert welcome_of(ng, '/party', bearer(token)) == 401
    assert welcome_of(ng, '/led', bearer(token)) == 401


def test_places(ng):
    """Header, subprotocol, cookie: the first that has a token counts."""
    a, b, c = (tokens.mint(tokens.claims(user)) for user in 'abc')
    header = bearer(a)
    proto = {'Sec-WebSocket-Protocol': 'bearer.%s, chat.v1.json' % b}
    cookie = {'Cookie': 'x=y; token=%s' % c}
    bad = 'a.b.c'
    for headers, wanted in [
            (header, 'a'), (proto, 'b'), (cookie, 'c'),
            ({'Authorization': 'bearer  ' + a}, 'a'),
            ({**header, **proto, **cookie}, 'a'),
            ({**proto, **cookie}, 'b'),
            ({'Authorization': 'Basic YTpi', **proto}, 'b'),
            ({'Authorization': 'Bearer', **proto, **cookie}, 401),
            ({'Authorization': 'Bearer ' + bad, **proto}, 401),
            ({'Sec-WebSocket-Protocol': 'chat.v1.json, bearer.' + bad,
              **cookie}, 401),
            ({'Sec-WebSocket-Protocol': ['chat.v1.json', 'bearer.' + b]},
             'b'),
            ({'Cookie': 'Token=' + c}, 401),
            ({'Cookie': 'xtoken=' + c}, 401),
            ({'Cookie': 'token=%s; token=%s' % (c, c)}, 401),
            ({'X-Token': a}, 401)]:
        got = welcome_of(ng, headers=headers)
        assert got == wanted or got['user'] == wanted, (headers, got)
    # nothing of it comes back
    status, answer, _ = ask(ng, headers=proto)
    assert status == 101 and answer['sec-websocket-protocol'] == 'chat.v1.json'
    # never in the URL, where logs would have it
    for args in ('token', 'access_token', 'jwt'):
        assert welcome_of(ng, '/chat?%s=%s' % (args, a)) == 401


def test_order(ng):
    """Origin, token, form: what a script can read it can read here, too."""
    good = bearer(tokens.mint())
    evil = {'Origin': 'https://evil.example'}
    nice = {'Origin': 'https://ok.example'}
    for headers, status in [
            ({**evil}, 403), ({**evil, **good}, 403), ({**nice}, 401),
            ({**PLAIN, **nice}, 401), ({**PLAIN, **nice, **good}, 426),
            ({'Sec-WebSocket-Key': 'x'}, 401),
            ({'Sec-WebSocket-Key': 'x', **good}, 400)]:
        got, answer, _ = ask(ng, headers=headers)
        assert got == status, (headers, got)
        assert ('access-control-allow-origin' in answer) == (
            'Origin' in headers and status != 403)
    assert welcome_of(ng, '/echo') == 401
    with Raw(ng) as r:
        r.upgrade('/echo', good)


def test_drained(ng):
    """Who has no token does not hear how the node is."""
    ng.drain()
    assert ask(ng)[0] == 401
    assert ask(ng, headers=bearer(tokens.mint()))[0] == 503


def test_other_locations(ng):
    """The same for what is not a chat."""
    token = tokens.mint(tokens.claims('Ann', info={'n': 1}))
    status, answer, _ = ask(ng, '/file', {**PLAIN, **bearer(token)})
    assert status == 204
    assert answer['x-user'] == 'Ann' and answer['x-info'] == '{"n":1}'
    assert int(answer['x-expires']) > time.time()
    assert 'www-authenticate' not in answer

    # JSON may go over several lines, a header may not
    token = tokens.forge({'alg': 'HS256'}, json.dumps(tokens.claims('Ann'))[
        :-1] + ', "info": {"n":\r\n1,\t"X":\n"Set-Cookie: a=b"}}')
    status, answer, _ = ask(ng, '/file', {**PLAIN, **bearer(token)})
    assert status == 204 and 'set-cookie' not in answer
    assert json.loads(answer['x-info']) == {'n': 1, 'X': 'Set-Cookie: a=b'}

    status, answer, _ = ask(ng, '/file', PLAIN)
    assert status == 401 and answer['www-authenticate'] == 'Bearer'
    assert ask(ng, '/file', {**PLAIN, **bearer('a.b.c')})[0] == 401

    nice = {**PLAIN, 'Origin': 'https://ok.example'}
    for headers in (nice, {**nice, **bearer(token)}):
        status, answer, _ = ask(ng, '/file', headers)
        assert answer['access-control-allow-origin'] == 'https://ok.example'
    status, answer, _ = ask(ng, '/file', {
        **nice, 'Access-Control-Request-Method': 'GET'}, 'OPTIONS')
    assert status == 204
    assert 'GET' in answer['access-control-allow-methods']
    assert ask(ng, '/file', {**PLAIN, **bearer(token),
                             'Origin': 'https://evil.example'})[0] == 403

    status, answer, _ = ask(ng, '/any', PLAIN)
    assert status == 204 and 'www-authenticate' not in answer


def test_machines(nginx, tmp_path):
    """What a whole server demands, its own machines need not have."""
    tokens.write_keys(tmp_path)
    tmp_path.chmod(0o755)
    ng = nginx(server='''
        ws_chat_auth jwt;
        ws_chat_jwt_key %s/secret;
        location = /page { try_files /none =204; }
        location = /off { ws_chat_auth off; try_files /none =204; }
    ''' % tmp_path)
    assert ng.request('/health').status == 200
    assert ng.request('/api/info').status == 200
    assert ng.request('/page').status == 401
    assert ng.request('/off').status == 204
    assert welcome_of(ng) == 401
    assert welcome_of(ng, headers=bearer(tokens.mint()))['user'] == 'ann'


def test_key_change(nginx, tmp_path):
    """A reload takes new keys; who is in stays in."""
    tokens.write_keys(tmp_path)
    tmp_path.chmod(0o755)
    ng = nginx(location=AUTH % {'dir': tmp_path})
    token = tokens.mint()
    assert welcome_of(ng, headers=bearer(token))['user'] == 'ann'
    (tmp_path / 'secret').write_bytes(b'n' * 32)
    ng.reload()
    assert welcome_of(ng, headers=bearer(token)) == 401
    assert welcome_of(ng, headers=bearer(tokens.mint(
        key=b'n' * 32)))['user'] == 'ann'


async def test_rights(ng):
    """The chats that a token is for."""
    rights = {'join': ['team.*', 'lobby'], 'send': ['*.talk']}
    a = await Client.connect(ng, headers=bearer(tokens.mint(
        tokens.claims(chat=rights))))
    await a.join('lobby')
    await a.join('team.talk')
    await a.send('team.talk', 'hi')
    for op, chat_id, fields in [
            ('join', 'other', {}), ('join', 'xteam.1', {}),
            ('join', 'team', {}),
            ('send', 'lobby', {'cid': 'c', 'message': 1}),
            ('signal', 'lobby', {'name': 'n', 'data': 1})]:
        with pytest.raises(ChatError) as e:
            await a.cmd(op, chat_id=chat_id, **fields)
        assert e.value.code == 'forbidden' and not e.value.event['temporary']
    # reading needs no right to send, and what is not joined is that first
    await a.cmd('history', chat_id='lobby')
    with pytest.raises(ChatError) as e:
        await a.send('other.talk', 1)
    assert e.value.code == 'not_joined'

    b = await Client.connect(ng, params={'join': 'a,lobby'}, headers=bearer(
        tokens.mint(tokens.claims('bob', chat={'join': [], 'send': []}))))
    for chat_id in ('a', 'lobby'):
        error = await b.expect('error', chat_id=chat_id)
        assert error['code'] == 'forbidden'

    # no list, no limit
    c = await Client.connect(ng, headers=bearer(tokens.mint(
        tokens.claims('cleo', chat={'send': []}))))
    await c.join('other')
    with pytest.raises(ChatError) as e:
        await c.send('other', 1)
    assert e.value.code == 'forbidden'


@pytest.mark.parametrize('fmt', ['json', 'msgpack'])
async def test_refresh(ng, fmt):
    """Another token of the same user takes the place of the first."""
    a = await Client.connect(ng, fmt=fmt, headers=bearer(tokens.mint(
        tokens.claims(seconds=2, chat={'join': ['a']}))))
    await a.join('a')
    with pytest.raises(ChatError):
        await a.join('b')

    # a bad one changes nothing
    for bad in ('', 'x', tokens.mint(tokens.claims(seconds=-60)),
                tokens.forge(hs(), tokens.claims(), b'x' * 40)):
        with pytest.raises(ChatError) as e:
            await a.cmd('refresh', token=bad)
        assert e.value.code == 'forbidden'

    reply = await a.cmd('refresh', token=tokens.mint(
        tokens.claims(chat={'join': ['b']}), 'ES256'))
    assert reply['ev'] == 'ok'
    await a.join('b')
    await a.send('a', 'still in')
    with pytest.raises(ChatError):
        await a.join('c')

    # the first one's end is none any more
    await asyncio.sleep(4.5)
    await a.cmd('ping')


async def test_refresh_another(ng):
    a = await Client.connect(ng, headers=bearer(tokens.mint()))
    await a.post({'op': 'refresh', 'id': 1,
                  'token': tokens.mint(tokens.claims('Ann'))})
    error = await a.expect('error', id=1)
    assert error['code'] == 'forbidden'
    assert (await a.closed())[0] == 4003


async def test_refresh_without(nginx):
    ng = nginx(workers=1)
    a = await Client.connect(ng, 'ann')
    with pytest.raises(ChatError) as e:
        await a.cmd('refresh', token=tokens.mint())
    assert e.value.code == 'forbidden'


@pytest.mark.parametrize('ping', ['30s', '0'])
async def test_expiry(nginx, tmp_path, ping):
    """The socket ends with its token: not before, and not all at once."""
    tokens.write_keys(tmp_path)
    tmp_path.chmod(0o755)
    ng = nginx(workers=1, location=AUTH % {'dir': tmp_path}
               + 'ws_chat_ping_interval %s;' % ping)
    end = int(time.time()) + 2
    token = tokens.mint({'sub': 'ann', 'exp': end})
    clients = [await Client.connect(ng, headers=bearer(token))
               for _ in range(20)]
    late = await Client.connect(ng, headers=bearer(tokens.mint(
        tokens.claims(seconds=-5))))
    times = []
    for done in asyncio.as_completed([c.closed() for c in clients]):
        code, _ = await done
        assert code == 4001
        times.append(time.time())
    assert end <= times[0] and times[-1] - times[0] > 0.2, (end, times)
    # within the leeway it has the rest of that
    await late.cmd('ping')
    assert welcome_of(ng, headers=bearer(token))['user'] == 'ann'


async def test_expiry_by_refresh(ng):
    """A token that ends sooner ends the socket sooner."""
    a = await Client.connect(ng, headers=bearer(tokens.mint()))
    await a.cmd('refresh', token=tokens.mint(tokens.claims(seconds=1)))
    assert (await a.closed())[0] == 4001


def test_sse(nginx, tmp_path):
    """The same for streams and for commands by POST."""
    tokens.write_keys(tmp_path)
    tmp_path.chmod(0o755)
    ng = nginx(workers=1, server="""
        location = /events { ws_chat_sse zone=chat; %s }
    """ % AUTH % {'dir': tmp_path})
    with Stream(ng, 'a', path='/events') as stream:
        assert stream.status == 401
    rights = {'chat': {'join': ['a'], 'send': ['a*']}}
    headers = bearer(tokens.mint(tokens.claims(**rights)))
    with Stream(ng, 'a', path='/events', user='eve',
                headers=headers) as stream:
        assert stream.expect('welcome')['user'] == 'ann'
        stream.expect('joined')
        for chat_id, ev in [('a', 'ack'), ('ab', 'error'), ('b', 'error')]:
            status, reply, _ = post(ng, {
                'op': 'send', 'chat_id': chat_id, 'cid': 'c', 'message': 1},
                'eve', '/events', **headers)
            assert status == 200 and reply['ev'] == ev, reply
        assert stream.expect('message')['sender'] == 'ann'
        status, reply, _ = post(ng, {'op': 'history', 'chat_id': 'b'},
                                'eve', '/events', **headers)
        assert reply['code'] == 'forbidden'
    status = ng.request('/events', 'POST', {}, b'{"op":"ping"}').status
    assert status == 401
    headers = bearer(tokens.mint(tokens.claims(seconds=1)))
    with Stream(ng, 'a', path='/events', headers=headers) as stream:
        assert stream.rest()[-1]['code'] == 4001


BAD_KEYS = [
    ('short', b'x' * 31, '', 'less than 32 octets'),
    ('empty', b'', '', 'less than 32 octets'),
    ('pem', lambda: tokens.public_pem('RS256'), 'alg=HS256',
     'another algorithm'),
    ('pem', lambda: tokens.public_pem('RS256'), 'alg=ES256',
     'another algorithm'),
    ('pem', lambda: tokens.public_pem('ES384'), '', 'P-256'),
    ('pem', b'-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n',
     '', 'PEM'),
    ('pem', b'-----BEGIN PRIVATE KEY-----\nAAAA\n', '', 'private'),
    ('jwks', b'{"keys":[]}', '', 'no key'),
    ('jwks', b'{"keys":[', '', 'JSON'),
    ('jwks', lambda: json.dumps(tokens.jwk('RS256')).encode(), 'kid=x',
     'no key'),
    ('good', b'x' * 32, 'alg=none', 'alg='),
    ('good', b'x' * 32, 'alg=hs256', 'alg='),
    ('good', b'x' * 32, 'size=1', 'alg='),
    ('good', b'x' * 32, 'kid=', 'kid='),
    ('large', b'x' * 70000, '', 'no more than'),
]


@pytest.mark.parametrize('name, content, args, word', BAD_KEYS)
def test_bad_keys(nginx, tmp_path, name, content, args, word):
    (tmp_path / name).write_bytes(content() if callable(content) else content)
    ng = nginx(location='ws_chat_jwt_key %s/%s %s;' % (tmp_path, name, args),
               start=False)
    code, text = ng.check_conf()
    assert code != 0 and 'ws_chat_jwt_key' in text and word in text, text


def test_bad_conf(nginx):
    for directives, word in [
            ('ws_chat_auth jwt;', 'ws_chat_jwt_key'),
            ('ws_chat_auth basic;', 'ws_chat_auth'),
            ('ws_chat_auth on;', 'on'),
            ('ws_chat_jwt_key missing;', 'cannot open'),
            ('ws_chat_jwt_audience a; ws_chat_jwt_audience b;', 'duplicate'),
            ('ws_chat_jwt_issuer a; ws_chat_jwt_issuer b;', 'duplicate')]:
        ng = nginx(location=directives, start=False)
        code, text = ng.check_conf()
        assert code != 0 and word in text, (directives, text)


def test_warnings(nginx, tmp_path):
    tokens.write_keys(tmp_path)
    key = 'ws_chat_auth jwt; ws_chat_jwt_key %s/secret;' % tmp_path
    cookie = key + 'ws_chat_token_cookie t;'
    for directives, word in [
            ('', 'the user is whom a client names'),
            ('ws_chat_auth off;', 'the user is whom a client names'),
            ('ws_chat_user $remote_user;', None), (key, None),
            (cookie, 'any page can act'),
            (cookie + 'ws_chat_origins https://a.example;', None)]:
        ng = nginx(location=directives, start=False)
        code, text = ng.check_conf()
        assert code == 0 and (word in text if word
                              else '[warn]' not in text), (directives, text)
