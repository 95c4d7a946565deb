"""The campaign: SEED, COUNT and FAULT come by the environment."""

import importlib.util
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
from durable_kinds import DURABLE  # noqa: E402
from kinds import LIVE, WANTED  # noqa: E402
import report  # noqa: E402


def pytest_configure(config):
    known = {**LIVE, **DURABLE}
    for kind in WANTED:
        if kind not in known:
            raise pytest.UsageError('FAULT: there is no %s, only %s' % (
                kind, ', '.join(known)))


def pytest_terminal_summary(terminalreporter):
    if report.rows:
        terminalreporter.write_line('\nSEED=%d' % SEED)
        for line in report.table():
            terminalreporter.write_line(line)
