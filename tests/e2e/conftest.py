"""Fixtures of the end-to-end tests."""

import asyncio
import inspect
import sys

import pytest

from harness import client, front as harness_front, member
from harness import nginx as harness_nginx, redis as harness_redis
from harness.seed import SEED


def pytest_collection_modifyitems(config, items):
    """Leave out what this run is not for."""
    other = harness_nginx.TEST_STORE or harness_nginx.REDIS_STORE
    special = other or harness_nginx.ASAN
    kept, dropped = [], []
    for item in items:
        leave = (special and item.get_closest_marker('once')
                 or other
                 and item.get_closest_marker('plain_store'))
        (dropped if leave else kept).append(item)
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = kept


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    """Run `async def` tests, each in a loop of its own."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    args = {name: pyfuncitem.funcargs[name]
            for name in pyfuncitem._fixtureinfo.argnames}

    async def run():
        try:
            await pyfuncitem.obj(**args)
        finally:
            try:
                await member.stop_all()
            finally:
                await client.close_all()

    asyncio.run(run())
    return True


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.when == 'call':
        item.call_failed = report.failed
        if report.failed:
            report.sections.append(('seed', 'SEED=%d' % SEED))
    return report


def starter(request, kind):
    """A function that starts one of a kind; all are stopped and checked.

    A module's NGINX_HTTP holds in all that its tests start.
    """
    started = []
    http = getattr(request.module, 'NGINX_HTTP', '')

    def start(*args, **options):
        if http:
            options['http'] = options.get('http', '') + http
        ng = kind(*args, **dict(options, start=False))
        started.append(ng)
        if options.get('start', True):
            ng.start()
        return ng

    yield start

    problems = []
    for ng in started:
        report = ng.report()
        try:
            ng.stop()
        except Exception as e:
            problems.append(e)
        if problems or getattr(request.node, 'call_failed', False):
            sys.stdout.write(report + '\n')
    if problems:
        raise problems[0]


@pytest.fixture
def nginx(request):
    """Starts an Nginx."""
    yield from starter(request, harness_nginx.Nginx)


@pytest.fixture
def front(request):
    """Starts a Front."""
    yield from starter(request, harness_front.Front)


@pytest.fixture
def redis():
    """A Redis of the test's own; modules that need another kind have theirs."""
    one = harness_redis.Redis()
    yield one
    one.close()


@pytest.fixture
def proxy(redis):
    """A way to it that can be cut."""
    one = harness_redis.Proxy(redis.port)
    yield one
    one.close()
