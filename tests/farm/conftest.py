"""Fixtures of the tests of whole farms, those of the end-to-end tests too."""

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
nginx = _e2e.nginx

from harness.front import Front  # noqa: E402
from harness.haproxy import HAProxy  # noqa: E402
from harness.redis import Redis  # noqa: E402


@pytest.fixture
def redis():
    """A function that starts a Redis; all are closed."""
    started = []

    def start(*args, **options):
        started.append(Redis(*args, **options))
        return started[-1]

    yield start
    for one in started:
        one.close()


# fronts end before the nodes, and nodes before their Redis

@pytest.fixture
def haproxy(request, redis, nginx):
    """A function that starts an HAProxy."""
    yield from _e2e.starter(request, HAProxy)


@pytest.fixture(params=['haproxy', 'nginx'])
def front(request, redis, nginx):
    """A function that starts a front, of each kind in turn."""
    kind = {'haproxy': HAProxy, 'nginx': Front}[request.param]
    yield from _e2e.starter(request, kind)


@pytest.fixture
def nginx_front(request, redis, nginx):
    """A function that starts an NGINX front."""
    yield from _e2e.starter(request, Front)
