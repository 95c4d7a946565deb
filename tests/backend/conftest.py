"""Fixtures: the servers once a session, what is in them once a test."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'e2e'))

from broker import Kafka  # noqa: E402
from daemon import Daemon  # noqa: E402
from database import Postgres  # noqa: E402
from harness.redis import Redis  # noqa: E402


def once(make):
    server = make()
    yield server
    server.close()


@pytest.fixture(scope='session')
def kafka():
    yield from once(Kafka)


@pytest.fixture(scope='session')
def postgres():
    yield from once(Postgres)


@pytest.fixture
def own_postgres():
    """One that a test may stop."""
    yield from once(Postgres)


@pytest.fixture
def redis():
    yield from once(lambda: Redis(ram=True))


@pytest.fixture
def database(postgres):
    return postgres.database()


@pytest.fixture
def daemon():
    """A function that starts a daemon; all end in order."""
    started = []

    def start(*args, **options):
        started.append(Daemon(*args, **options))
        return started[-1]

    yield start
    for one in started:
        one.show()
        if one.process.poll() is None:
            one.stop()
    for one in started:
        one.close()
