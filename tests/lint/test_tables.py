"""README and docs/COMPARISON.md show the figures that are kept, no others."""

import json
import pathlib
import sys

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / 'tests/bench'))

from bench import figures  # noqa: E402
from bench.cases import CASES  # noqa: E402


@pytest.mark.parametrize('place', figures.PLACES,
                         ids=lambda place: place.path.name)
def test_documents(place):
    assert set(place.cases) <= set(CASES)
    assert not figures.differs(place), (
        '%s does not show what %s has: make bench ARGS=--save'
        % (place.path.name, figures.FIGURES.name))


def test_kept_figures_are_of_cases_that_there_are():
    if figures.FIGURES.exists():
        assert set(json.loads(figures.FIGURES.read_text())['cases']) <= set(
            CASES)
