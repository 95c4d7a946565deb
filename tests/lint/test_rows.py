"""Each row of docs/PROTOCOL.md has a test end to end, in both encodings."""

import ast
import pathlib
import re

TOP = pathlib.Path(__file__).resolve().parents[2]

# by the first heading; `internal` and 1011 come when there is no memory,
# which the unit tests do, 1013 ends streams of events, which are JSON
TABLES = 'op', 'ev', 'code', 'close'
NOT_TOLD = {'internal', '1011', '1013'}


def rows():
    """What the first cells of these tables name."""
    found, table = set(), None
    for line in (TOP / 'docs/PROTOCOL.md').read_text().splitlines():
        cells = [cell.strip() for cell in line.split('|')]
        if len(cells) < 4 or cells[0]:
            table = None
        elif table is None:
            table = cells[1]
        elif table in TABLES and not cells[1].startswith('---'):
            found |= set(re.split(r', *', cells[1].replace('`', '')))
    return found


def covered():
    """What is in a `row` mark of a test that takes `fmt`."""
    found = set()
    for path in (TOP / 'tests/e2e').glob('test_*.py'):
        for node in ast.parse(path.read_text()).body:
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                continue
            both = 'fmt' in [one.arg for one in node.args.args]
            for mark in node.decorator_list:
                if ast.unparse(mark).startswith('pytest.mark.row('):
                    assert both, '%s: %s' % (path.name, node.name)
                    found |= {one.value for one in mark.args}
    return found


def test_the_tables_are_found():
    assert {'join', 'welcome', 'not_found', '4129'} <= rows()
    assert len(rows()) > 45


def test_each_row_has_its_test():
    assert rows() - NOT_TOLD == covered()
