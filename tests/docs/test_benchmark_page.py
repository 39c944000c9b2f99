"""The page of benchmark results is what its module makes now, and knows every file of results."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def maker(load_maker) -> ModuleType:
    """The module that makes the page, which lies outside the package."""
    return load_maker("benchmark_page")


def test_the_page_is_what_is_made_now(maker):
    advice = "make it again: python docs/benchmark_page.py"
    assert maker.PAGE.read_text(encoding="utf-8") == maker.render_page(), advice


def test_every_file_of_results_is_explained(maker):
    results = {path.name for path in maker.RESULTS.iterdir()}
    known = {path.name: pattern for pattern in maker.EXPLAINED for path in maker.RESULTS.glob(pattern)}
    assert results == set(known)
    assert set(maker.EXPLAINED) == {pattern for pattern in maker.EXPLAINED if [*maker.RESULTS.glob(pattern)]}


def test_every_page_that_explains_is_there(maker):
    assert [page for _, page in maker.EXPLAINED.values() if not (maker.PAGE.parent / page).is_file()] == []
