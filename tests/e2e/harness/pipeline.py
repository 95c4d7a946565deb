"""Fixtures for what stands behind durable chats.

A test module takes them by `from harness.pipeline import ...`; the broker
starts once a session, topics and Redis are a test's own.
"""

import contextlib

import pytest

from .broker import Kafka
from .daemon import Daemon
from .database import Postgres
from .redis import Redis


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
    with contextlib.ExitStack() as ends:
        for one in reversed(started):
            ends.callback(one.close)
        for one in started:
            one.show()
            if one.process.poll() is None:
                one.stop()
