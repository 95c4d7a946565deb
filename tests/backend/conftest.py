"""Fixtures: the servers once a session, what is in them once a test."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / 'e2e'))

from harness.database import Postgres  # noqa: E402
from harness.pipeline import (  # noqa: E402, F401
    daemon, database, kafka, once, postgres, redis)


@pytest.fixture
def own_postgres():
    """One that a test may stop."""
    yield from once(Postgres)
