"""What is found once per computer."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from llmseg.data.cache import cache_folder
from llmseg.data.once import find_once


@dataclass(frozen=True)
class Found:
    seconds: float


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("LLMSEG_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def look():
    """Finds another number each time."""
    numbers = iter((1.0, 2.0, 3.0))
    return lambda: Found(next(numbers))


def test_it_is_found_once_for_each_kind_and_key(look):
    assert find_once("times", "a", Found, look) == find_once("times", "a", Found, look) == Found(1.0)
    assert find_once("times", "b", Found, look) == Found(2.0)
    assert find_once("counts", "a", Found, look) == Found(3.0)


@pytest.mark.parametrize("content", ["", "{}", "[", '{"minutes": 1}'])
def test_a_damaged_file_is_replaced(look, content):
    find_once("times", "a", Found, look)
    (path,) = cache_folder().iterdir()
    path.write_text(content)
    assert find_once("times", "a", Found, look) == find_once("times", "a", Found, look) == Found(2.0)


def test_what_another_process_kept_meanwhile_stands(look):
    def slow():
        find_once("times", "a", Found, look)
        return Found(9.0)

    assert find_once("times", "a", Found, slow) == find_once("times", "a", Found, look) == Found(1.0)


def test_a_cache_that_cannot_be_written_keeps_nothing(look, tmp_path):
    (tmp_path / "cache").write_text("no folder")
    assert find_once("times", "a", Found, look) == Found(1.0)
    assert find_once("times", "a", Found, look) == Found(2.0)
