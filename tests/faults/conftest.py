"""The campaign: SEED, COUNT and FAULT come by the environment."""

import importlib.util
import os
import pathlib
import sys

import pytest

E2E = pathlib.Path(__file__).resolve().parents[1] / 'e2e'
sys.path.insert(0, str(E2E))


def e2e_conftest():
    spec = importlib.util.spec_from_file_location('e2e_conftest',
                                                  E2E / 'conftest.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_e2e = e2e_conftest()
pytest_pyfunc_call = _e2e.pytest_pyfunc_call
pytest_runtest_makereport = _e2e.pytest_runtest_makereport

from harness.seed import SEED  # noqa: E402
from kinds import KINDS  # noqa: E402
import report  # noqa: E402


def pytest_collection_modifyitems(config, items):
    wanted = (os.environ.get('FAULT') or ' '.join(KINDS)).split()
    for kind in wanted:
        if kind not in KINDS:
            raise pytest.UsageError('FAULT: there is no %s, only %s' % (
                kind, ', '.join(KINDS)))
    kept = [i for i in items if i.callspec.params['kind'] in wanted]
    config.hook.pytest_deselected(items=[i for i in items if i not in kept])
    items[:] = kept


def pytest_terminal_summary(terminalreporter):
    if report.rows:
        terminalreporter.write_line('\nSEED=%d' % SEED)
        for line in report.table():
            terminalreporter.write_line(line)
