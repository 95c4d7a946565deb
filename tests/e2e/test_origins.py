"""Which origins come in, and what their scripts may read."""

import pytest

from harness.raw import Raw

pytestmark = pytest.mark.plain_store

LIST = '''
    ws_chat_origins https://ok.example http://ok.example:8080
                    https://*.wild.example https://*.port.example:8443
                    https://default.example:443 http://default.example:80
                    HTTPS://Upper.Example http://[::1]:3000
                    http://localhost capacitor://localhost;
'''

# the header (None: none, a list: several lines), and whether it may come in
ORIGINS = [
    (None, True),
    ('https://ok.example', True),
    ('HTTPS://OK.EXAMPLE', True),
    ('http://ok.example:8080', True),
    ('http://localhost', True),
    ('capacitor://localhost', True),
    ('http://[::1]:3000', True),
    ('https://upper.example', True),
    ('https://a.wild.example', True),
    ('https://a.b.wild.example', True),
    ('https://xn--bcher-kva.wild.example', True),
    ('https://a.port.example:8443', True),
    # as browsers send the default port: not at all
    ('https://default.example', True),
    ('http://default.example', True),
    ('', False),
    ('null', False),
    ('NULL', False),
    ('*', False),
    ('https://*.wild.example', False),
    ('ok.example', False),
    ('//ok.example', False),
    ('http://ok.example', False),
    ('wss://ok.example', False),
    ('https://ok.example:444', False),
    ('https://ok.example:8080', False),
    ('http://ok.example:80800', False),
    ('https://ok.example/', False),
    ('https://ok.example/path', False),
    ('https://ok.example?', False),
    ('https://ok.example#', False),
    ('https://ok.example.', False),
    ('https://ok.example.evil.example', False),
    ('https://evil.example/https://ok.example', False),
    ('https://ok.example@evil.example', False),
    ('https://user@ok.example', False),
    ('https://user:pass@ok.example', False),
    ('https://notok.example', False),
    ('https://sub.ok.example', False),
    ('https://ok.exampl', False),
    ('https://ok-example', False),
    ('https://ok.example https://evil.example', False),
    ('https://evil.example, https://ok.example', False),
    (['https://ok.example', 'https://evil.example'], False),
    (['https://ok.example', 'https://ok.example'], False),
    ('https://wild.example', False),
    ('https://.wild.example', False),
    ('https://evilwild.example', False),
    ('https://a.wild.example.evil.example', False),
    ('https://a.wild.example:8443', False),
    ('http://a.wild.example', False),
    ('https://evil.example/a.wild.example', False),
    ('https://evil.example?a.wild.example', False),
    ('https://evil.example#.wild.example', False),
    ('https://a@b.wild.example', False),
    ('https://a:443.wild.example', False),
    ('https://a\\.wild.example', False),
    ('https://a.port.example', False),
    ('http://[::1]', False),
    ('http://localhost:3000', False),
    ('file://', False),
]

PLAIN = {'Upgrade': None, 'Connection': None, 'Sec-WebSocket-Version': None,
         'Sec-WebSocket-Key': None}


def ask(ng, headers, method='GET'):
    with Raw(ng) as r:
        r.send(r.request('/chat', method, 'HTTP/1.1', headers))
        return r.response()


def test_table(nginx):
    ng = nginx(workers=1, location=LIST)
    assert len(ORIGINS) >= 30
    for origin, good in ORIGINS:
        headers = {} if origin is None else {'Origin': origin}
        assert ask(ng, headers)[0] == (101 if good else 403), origin
        status, answer, _ = ask(ng, {**PLAIN, **headers})
        assert status == (426 if good else 403), origin
        allowed = answer.get('access-control-allow-origin')
        assert allowed == (origin if good else None), origin
        if allowed:
            assert answer['access-control-allow-credentials'] == 'true'
            assert 'Origin' in answer['vary']


def test_preflight(nginx):
    ng = nginx(workers=1, location=LIST)
    asks = {**PLAIN, 'Access-Control-Request-Method': 'GET',
            'Access-Control-Request-Headers': 'authorization'}
    for origin, good in ORIGINS:
        if origin is None:
            continue
        status, answer, _ = ask(ng, {**asks, 'Origin': origin}, 'OPTIONS')
        assert status == (204 if good else 403), origin
        assert ('access-control-allow-headers' in answer) == good


def test_any(nginx):
    """Without a list, everybody."""
    ng = nginx(workers=1)
    for origin in ('https://evil.example', 'null', 'file://'):
        assert ask(ng, {'Origin': origin})[0] == 101
        # but with cookies nobody's scripts read anything
        status, answer, _ = ask(ng, {**PLAIN, 'Origin': origin})
        assert status == 426
        assert answer['access-control-allow-origin'] == '*'
        assert 'access-control-allow-credentials' not in answer
