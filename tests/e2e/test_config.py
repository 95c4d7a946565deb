"""`nginx -t` takes what is right and explains what is wrong."""

import pathlib
import re

import pytest

from harness.nginx import TOP, module_path, warned

ZONE = 'ws_chat_zone chat:1m;'

GOOD = {
    'http': [
        'ws_chat_zone other:256k;',
        'ws_chat_zone other:1m; ws_chat_zone third:1m;',
        'ws_chat_node node-1;',
        'ws_chat_log off;',
        'ws_chat_log sessions.log;',
        'ws_chat_log sessions.log json;',
        'ws_chat_log sessions.log text;',
        'ws_chat_ping_interval 10s; ws_chat_pong_timeout 2s;',
    ],
    'server': [
        'ws_chat_rate 5r/s burst=10;',
        'location /echo { ws_chat_echo; ws_chat_max_message 17m; '
        'ws_chat_max_fragments 70000; ws_chat_deflate on; }',
        'location /live { ws_chat_health; }',
    ],
    'location': [
        'ws_chat_auth off;',
        'ws_chat_user $http_x_user;',
        'ws_chat_user "$arg_a-$arg_b";',
        'ws_chat_origins any;',
        'ws_chat_origins https://example.com http://localhost:8080;',
        'ws_chat_origins https://*.example.com;',
        'ws_chat_ping_interval 0;',
        'ws_chat_max_message 64m;',
        'ws_chat_max_chats 1;',
        'ws_chat_max_chats 1024;',
        'ws_chat_max_connections 0;',
        'ws_chat_max_connections 1000;',
        'ws_chat_max_user_connections 0;',
        'ws_chat_max_user_connections 8;',
        'ws_chat_max_ip_connections 0;',
        'ws_chat_max_ip_connections 1000;',
        'ws_chat_message_timeout 100ms;',
        'ws_chat_rate off;',
        'ws_chat_rate 20r/s;',
        'ws_chat_lag_limit 1m;',
        'ws_chat_lag_policy gap;',
        'ws_chat_lag_policy close;',
        'ws_chat_deflate off;',
        'ws_chat_deflate_level 9;',
        'ws_chat_deflate_window 9;',
        'ws_chat_deflate_context 2;',
        'ws_chat_deflate_min_size 0;',
        'ws_chat_history 1000 24h;',
        'ws_chat_history 1 1s;',
        'ws_chat_drain 5s;',
    ],
}

# (level, line, what the message has to say besides the directive's name)
BAD = [
    ('http', 'ws_chat_zone other;', ''),
    ('http', 'ws_chat_zone other:8k;', 'size'),
    ('http', 'ws_chat_zone other:many;', 'size'),
    ('http', 'ws_chat_zone :1m;', 'name'),
    ('http', 'ws_chat_zone a/b:1m;', 'name'),
    ('http', 'ws_chat_zone chat:1m;', 'chat'),
    ('http', 'ws_chat_zone other:1m colour=red;', ''),
    ('http', 'ws_chat_log;', ''),
    ('http', 'ws_chat_log x.log xml;', 'xml'),
    ('http', 'ws_chat_node a b;', ''),
    ('http', 'ws_chat_node a; ws_chat_node b;', 'duplicate'),
    ('server', 'ws_chat zone=chat;', 'not allowed here'),
    ('server', 'ws_chat_zone other:1m;', 'not allowed here'),
    ('server', 'location /x { ws_chat zone=nope; }', 'nope'),
    ('server', 'location /x { ws_chat colour=red; }', 'colour=red'),
    ('server', 'location /x { ws_chat_echo yes; }', ''),
    ('location', 'ws_chat_auth jwt;', 'ws_chat_jwt_key'),
    ('location', 'ws_chat_auth basic;', 'basic'),
    ('location', 'ws_chat_user;', ''),
    ('location', 'ws_chat_origins;', ''),
    ('location', 'ws_chat_origins example.com;', 'example.com'),
    ('location', 'ws_chat_origins https://example.com/path;', 'path'),
    ('location', 'ws_chat_origins any https://example.com;', 'any'),
    ('location', 'ws_chat_ping_interval often;', 'invalid value'),
    ('location', 'ws_chat_pong_timeout 0;', ''),
    ('location', 'ws_chat_max_message 0;', ''),
    ('location', 'ws_chat_max_message 65m;', ''),
    ('location', 'ws_chat_max_message big;', 'invalid value'),
    ('location', 'ws_chat_max_fragments 0;', ''),
    ('location', 'ws_chat_max_chats 0;', ''),
    ('location', 'ws_chat_max_chats 1025;', ''),
    ('location', 'ws_chat_max_connections -1;', 'invalid'),
    ('location', 'ws_chat_max_user_connections -1;', 'invalid'),
    ('location', 'ws_chat_max_user_connections 1000001;', '1000001'),
    ('location', 'ws_chat_max_ip_connections -1;', 'invalid'),
    ('location', 'ws_chat_max_ip_connections 1000001;', '1000001'),
    ('location', 'ws_chat_message_timeout 0;', '100ms'),
    ('location', 'ws_chat_message_timeout 2h;', '2h'),
    ('location', 'ws_chat_rate 5;', '5'),
    ('location', 'ws_chat_rate 0r/s;', '0r/s'),
    ('location', 'ws_chat_rate 5r/s burst=none;', 'burst=none'),
    ('location', 'ws_chat_rate 5r/s colour=red;', 'colour=red'),
    ('location', 'ws_chat_lag_limit 1;', ''),
    ('location', 'ws_chat_lag_policy drop;', 'drop'),
    ('location', 'ws_chat_deflate maybe;', 'maybe'),
    ('location', 'ws_chat_deflate_level 0;', ''),
    ('location', 'ws_chat_deflate_level 10;', ''),
    ('location', 'ws_chat_deflate_window 8;', ''),
    ('location', 'ws_chat_deflate_window 16;', ''),
    ('location', 'ws_chat_deflate_context off;', ''),
    ('location', 'ws_chat_deflate_context 1000001;', ''),
    ('location', 'ws_chat_history 1000;', ''),
    ('location', 'ws_chat_history 100001 1h;', '100001'),
    ('location', 'ws_chat_history many 1h;', 'many'),
    ('location', 'ws_chat_history 10 soon;', 'soon'),
    ('location', 'ws_chat_drain never;', 'invalid value'),
    ('location', 'ws_chat_drain 1s; ws_chat_drain 2s;', 'duplicate'),
]


def check(nginx, level, line):
    ng = nginx(start=False, store=False, zone=ZONE, **{level: line})
    rc, text = ng.check_conf()
    return rc, text


@pytest.mark.once
@pytest.mark.parametrize('level', GOOD)
def test_good(nginx, level):
    for line in GOOD[level]:
        rc, text = check(nginx, level, line)
        assert rc == 0, (line, text)
        assert not warned(text), (line, text)


@pytest.mark.once
@pytest.mark.parametrize('level,line,part', BAD,
                         ids=[line.strip(';') for _, line, _ in BAD])
def test_bad(nginx, level, line, part):
    rc, text = check(nginx, level, line)
    emerg = [one for one in text.splitlines() if '[emerg]' in one]
    assert rc != 0 and len(emerg) == 1, text
    directive = re.findall(r'ws_chat\w*', line)[-1]
    assert directive in emerg[0], emerg[0]
    assert part in emerg[0], emerg[0]
    assert re.search(r' in \S+nginx\.conf:\d+$', emerg[0]), emerg[0]


@pytest.mark.once
def test_unknown_variable(nginx):
    """NGINX itself says so, once all is read, of whatever directive."""
    rc, text = check(nginx, 'location', 'ws_chat_user $no_such_variable;')
    assert rc != 0 and 'unknown "no_such_variable" variable' in text, text


@pytest.mark.once
def test_no_zone(nginx):
    """A chat needs a zone, and one that is not ambiguous."""
    rc, text = nginx(start=False, store=False, zone='',
                     http='').check_conf()
    assert rc != 0 and 'ws_chat_zone' in text, text

    ng = nginx(start=False, store=False, zone=ZONE)
    ng.replace_conf('ws_chat zone=chat;', 'ws_chat;')
    assert ng.check_conf()[0] == 0

    ng.replace_conf(ZONE, ZONE + ' ws_chat_zone other:1m;')
    rc, text = ng.check_conf()
    assert rc != 0 and 'zone=' in text, text


@pytest.mark.once
def test_drain_beyond_shutdown_timeout(nginx):
    """Sockets would be cut before they were told to go."""
    ng = nginx(start=False, store=False, main='worker_shutdown_timeout 5s;',
               location='ws_chat_drain 20s;')
    rc, text = ng.check_conf()
    assert rc == 0
    assert '[warn]' in text and 'worker_shutdown_timeout' in text, text


@pytest.mark.once
def test_drain_without_sockets(nginx):
    """Places that open no WebSockets have none to drain."""
    ng = nginx(start=False, store=False, main='worker_shutdown_timeout 5s;',
               location='ws_chat_drain 4s;')
    rc, text = ng.check_conf()
    assert rc == 0 and not warned(text), text


@pytest.mark.once
def test_test_store_is_not_shipped(nginx):
    """What tests need to make trouble with is in test builds alone."""
    if module_path() != module_path('plain'):
        pytest.skip('not the module as it ships')
    for line in ('ws_chat_test_store;', 'ws_chat_test_hold x;'):
        rc, text = check(nginx, 'http', line)
        assert rc != 0 and 'unknown directive' in text


@pytest.mark.once
def test_shipped_config(nginx):
    """conf/nginx/nginx.conf as it is, but for the place of the module."""
    text = (TOP / 'conf/nginx/nginx.conf').read_text()
    ng = nginx(start=False)
    ng.write_conf(text.replace('modules/ngx_ws_chat_module.so',
                               '"%s"' % ng.module))
    rc, said = ng.check_conf()
    assert rc == 0 and not warned(said), said


def statements(text):
    """The top-level statements of a piece of configuration."""
    depth = 0
    current = ''
    for line in text.splitlines():
        line = re.sub(r'(^|\s)#.*', '', line)
        for part in re.findall(r'[^{};]*[{};]', line + '\n') or []:
            current += part
            depth += part.endswith('{') - part.endswith('}')
            if depth == 0 and part[-1] in ';}':
                yield current.strip()
                current = ''
    assert not current.strip() and depth == 0, current


def level_of(statement):
    word = re.match(r'\w+', statement)[0]
    if word in ('load_module', 'events', 'http') or \
            word.startswith('worker_'):
        return 'main'
    return 'server' if word == 'location' else 'http'


@pytest.mark.once
def test_readme_configs(nginx):
    """Every piece of configuration in the README is one NGINX takes."""
    text = pathlib.Path(TOP / 'README.md').read_text()
    pieces = re.findall(r'^```nginx\n(.*?)^```', text, re.M | re.S)
    assert pieces
    for piece in pieces:
        parts = {'main': [], 'http': [], 'server': []}
        for statement in statements(piece):
            parts[level_of(statement)].append(statement)
        ng = nginx(start=False)
        load = 'load_module "%s";' % ng.module
        main = [load if one.startswith('load_module') else one
                for one in parts['main']]
        if load not in main:
            main.insert(0, load)
        if not any(one.startswith('events') for one in main):
            main.append('events {}')
        if not any(one.startswith('http') for one in main):
            if not any('ws_chat_zone' in one for one in parts['http']):
                parts['http'].insert(0, ZONE)
            main.append('http { %s server { %s } }' % (
                ' '.join(parts['http']), ' '.join(parts['server'])))
        ng.write_conf('pid nginx.pid;\n' + re.sub(
            r'\blisten [^;]*;', 'listen 127.0.0.1:%d;' % ng.port,
            '\n'.join(main)) + '\n')
        rc, said = ng.check_conf()
        assert rc == 0, (piece, said)
