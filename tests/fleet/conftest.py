"""The fleet of all tests here, and the clients of the end-to-end tests."""

import importlib.util
import pathlib
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / 'e2e'), str(TESTS / 'farm')]


def e2e_conftest():
    spec = importlib.util.spec_from_file_location(
        'e2e_conftest', TESTS / 'e2e/conftest.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_e2e = e2e_conftest()
pytest_pyfunc_call = _e2e.pytest_pyfunc_call
pytest_runtest_makereport = _e2e.pytest_runtest_makereport

from fleet import Fleet  # noqa: E402


@pytest.fixture(scope='session')
def fleet():
    """A load balancer, two nodes and a host with all data, just booted."""
    made = Fleet()
    made.add('data', 'redis', 'kafka', 'postgres', 'backend', 'monitoring')
    made.add('node1', 'chat_nodes')
    made.add('node2', 'chat_nodes')
    made.add('front', 'balancers')
    made.await_up()
    yield made
    made.close()
