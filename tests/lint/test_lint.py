"""The lint script finds what it is there to find."""

import pathlib
import subprocess
import sys

import pytest

LINT = pathlib.Path(__file__).with_name('lint.py')
CORE = 'ngx_ws_chat_module/core/'
GLUE = 'ngx_ws_chat_module/'

GOOD = '''
#include "wsc_mask.h"


static int
wsc_mask_one(int x)
{
    return x;
}


int
wsc_mask(int x)
{
    return wsc_mask_one(x);
}
'''


def lint(top, files):
    for name, text in files.items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        if text.startswith('#!'):
            path.chmod(0o755)
    done = subprocess.run([sys.executable, LINT, top], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def function(lines):
    return 'int\nwsc_mask_x(void)\n{\n' + '    x();\n' * lines + '}\n'


def test_good(tmp_path):
    rc, out = lint(tmp_path, {
        CORE + 'wsc_mask.c': GOOD,
        CORE + 'wsc_mask.h': '#include "wsc_base.h"\n',
        GLUE + 'ngx_ws_chat_send.c': '#include "core/wsc_mask.h"\n',
        'run': '#!/bin/sh\necho fine\n',
        'a.py': 'print(1)\n',
        CORE + 'wsc_buf.c': 'int\nwsc_buf_x(a_t *a)\n{\n'
                            '    a->free(a, "printf(");\n'
                            '    return 0; /* free() */\n}\n',
    })
    assert rc == 0, out


BAD = {
    'daemon upward include': (
        'backend/bk_pg.c', '#include "bk_archive.h"\n', 1, 'above it'),
    'daemon upward call': (
        'backend/bk_log.c', '\nint\nbk_log_x(void)\n{\n'
        '    return bk_kafka_poll(1);\n}\n', 5, 'above it'),
    'core of the daemons is pure': (
        'backend/core/bk_time.c', '\nint\nbk_time_x(void)\n{\n'
        '    return time(NULL);\n}\n', 5, 'core calls time()'),
    'upward include': (
        CORE + 'wsc_mask.c', '#include "wsc_conn.h"\n', 1, 'above it'),
    'glue upward': (
        GLUE + 'ngx_ws_chat_send.c', '#include "ngx_ws_chat_room.h"\n', 1,
        'above it'),
    'upward call': (
        GLUE + 'ngx_ws_chat_send.c',
        '\nint\nngx_ws_chat_send_x(void)\n{\n'
        '    return ngx_ws_chat_session_close(1);\n}\n', 5, 'above it'),
    'upward to store_shm': (
        GLUE + 'ngx_ws_chat_bus.c',
        '#include "ngx_ws_chat_store_shm.h"\n', 1, 'above it'),
    'unknown file': (
        CORE + 'wsc_extra.c', '\n', 1, 'not in the layer table'),
    'unknown include': (
        CORE + 'wsc_mask.c', '#include "wsc_extra.h"\n', 1, 'in no layer'),
    'ngx header in core': (
        CORE + 'wsc_mask.c', '#include <ngx_config.h>\n', 1, 'pure C'),
    'ngx name in core': (
        CORE + 'wsc_mask.c', 'ngx_int_t  wsc_mask_x(void);\n', 1,
        'NGINX name'),
    'malloc in core': (
        CORE + 'wsc_mask.c', function(0).replace('{\n', '{\n    malloc(1);\n'),
        4, 'calls malloc()'),
    'time in core': (
        CORE + 'wsc_mask.c', function(0).replace('{\n', '{\n    time(0);\n'),
        4, 'calls time()'),
    'global in core': (
        CORE + 'wsc_mask.c', 'static int  wsc_mask_count;\n', 1,
        'a variable of the file'),
    'nginx in tests': (
        'tests/unit/test_x.c', '#include <ngx_core.h>\n', 1, 'core only'),
    'columns': (
        CORE + 'wsc_mask.h', '/* %s */\n' % ('x' * 80), 1, 'columns'),
    'tab': (CORE + 'wsc_mask.h', '\tint x;\n', 1, 'a tab'),
    'comment': (CORE + 'wsc_mask.h', 'int x;    // no\n', 1, '//'),
    'trailing space': (
        CORE + 'wsc_mask.h', 'int x; \n', 1, 'end of the line'),
    'no newline': ('README.md', 'x', 1, 'no newline'),
    'long function': (CORE + 'wsc_mask.c', function(61), 3, '61 lines'),
    'one blank line': (
        CORE + 'wsc_mask.c', function(1) + '\n' + function(1), 7,
        '1 blank lines'),
    'type on the line': (
        CORE + 'wsc_mask.c', 'int wsc_mask_x(void)\n{\n}\n', 1,
        'line of its own'),
    'long core file': (CORE + 'wsc_mask.c', '\n' * 499 + 'int x;\n' * 2, 501,
                       '501 lines'),
    'long header': (CORE + 'wsc_mask.h', 'int x;\n' * 151, 151, '151 lines'),
    'long glue': (GLUE + 'ngx_ws_chat_bus.c', 'int x;\n' * 801, 801,
                  '801 lines'),
    'unfinished': ('docs/a.md', 'fine\nTO' + 'DO\n', 2, 'unfinished'),
    'path': ('docs/a.md', 'see /wor' + 'k/main\n', 1, 'path of one machine'),
    'workplace': ('docs/a.md', 'run `issues sho' + 'w 3`\n', 1, 'workplace'),
    'registry': ('a.py', 'x = "https://pypi.o' + 'rg/x"\n', 1, 'registry'),
    'sh syntax': ('run', '#!/bin/sh\nif true; then\n', 1, 'sh -n'),
    'bash syntax': ('run', '#!/bin/bash\nfor x in; do\n', 1, 'bash -n'),
    'python syntax': ('a.py', 'def x(:\n    pass\n', 1, 'Python'),
    'js syntax': ('a.mjs', 'let let = 1;\n', 1, 'node --check'),
}


@pytest.mark.parametrize('what', BAD)
def test_bad(tmp_path, what):
    name, text, line, message = BAD[what]
    rc, out = lint(tmp_path, {name: text})
    assert rc == 1
    hits = [one for one in out.splitlines()
            if one.startswith('%s:%d: ' % (name, line)) and message in one]
    assert hits, out


def test_circle(tmp_path):
    rc, out = lint(tmp_path, {
        CORE + 'wsc_event.h': '#include "wsc_conn.h"\n',
        CORE + 'wsc_conn.h': '#include "wsc_cmd_json.h"\n',
        CORE + 'wsc_cmd_json.h': '#include "wsc_event.h"\n',
    })
    assert rc == 1
    assert 'in a circle' in out
    circle = 'wsc_cmd_json.h -> wsc_event.h -> wsc_conn.h -> wsc_cmd_json.h'
    assert circle in out


def test_circle_of_calls(tmp_path):
    call = '\nint\nwsc_%s_x(void)\n{\n    return wsc_%s_x();\n}\n'
    rc, out = lint(tmp_path, {
        CORE + 'wsc_event.c': call % ('event', 'conn'),
        CORE + 'wsc_conn.c': call % ('conn', 'cmd'),
        CORE + 'wsc_cmd.c': call % ('cmd', 'event'),
    })
    assert rc == 1
    assert ('calls go in a circle: '
            'wsc_cmd.c -> wsc_event.c -> wsc_conn.c -> wsc_cmd.c') in out


def test_not_executable(tmp_path):
    (tmp_path / 'run').write_text('#!/bin/sh\n')
    rc, out = lint(tmp_path, {})
    assert rc == 1 and 'chmod +x' in out
