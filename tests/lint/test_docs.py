"""docs/CONFIGURATION.md and ws_chat(5) against the directive tables."""

import pathlib
import re
import subprocess

TOP = pathlib.Path(__file__).resolve().parents[2]
MODULE = TOP / 'ngx_ws_chat_module'
TABLE = re.compile(
    r'static ngx_command_t\s+\w+\[\] = \{(.*?)ngx_null_command', re.S)
NAME = re.compile(r'ngx_string\("(ws_chat\w*)"\)|'
                  r'ngx_ws_chat_\w*command\(\s*"(\w+)"')


def directives():
    """Of all tables, without those of the test store."""
    found = set()
    for path in MODULE.glob('*.c'):
        for table in TABLE.findall(path.read_text()):
            found |= {whole or 'ws_chat_' + rest
                      for whole, rest in NAME.findall(table)}
    return {name for name in found if not name.startswith('ws_chat_test_')}


def test_the_tables_are_found():
    assert {'ws_chat', 'ws_chat_zone', 'ws_chat_drain', 'ws_chat_jwt_key',
            'ws_chat_sticky', 'ws_chat_api_key'} <= directives()
    assert len(directives()) > 45


def test_configuration_has_each_directive():
    """At the beginning of a row, or in the heading of its section."""
    text = (TOP / 'docs/CONFIGURATION.md').read_text()
    told = set(re.findall(r'(?m)^\| `(ws_chat\w*)', text))
    told |= set(re.findall(r'(?m)^#+ .*`(ws_chat\w*)`', text))
    assert directives() == told


def test_manual_page_has_each_directive(tmp_path):
    """ws_chat(5) is made of the same rows and sections."""
    page = tmp_path / 'ws_chat.5'
    page.write_text(subprocess.run(
        [TOP / 'docs/man/make-ws_chat.5', TOP / 'docs/CONFIGURATION.md'],
        check=True, stdout=subprocess.PIPE, text=True).stdout)
    told = {name for line in page.read_text().splitlines()
            if line.startswith(('.B ', '.SH ', '.SS '))
            for name in re.findall(r'ws_chat\w*', line)}
    assert told >= directives()
    done = subprocess.run(['man', '--warnings', '-l', '-Tutf8', '-Z', page],
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          text=True)
    assert (done.returncode, done.stderr) == (0, '')
