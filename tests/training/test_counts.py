"""What networks need, counted once and then read."""

from __future__ import annotations

from dataclasses import dataclass, fields

import pytest

from llmseg import zoo
from llmseg.data.cache import cache_folder, clear_cache
from llmseg.recipe.losses import BCEDice
from llmseg.training import counts

RECIPE = zoo.get("llama-3.1-405b").recipe


@pytest.fixture
def counted(monkeypatch, tmp_path):
    """The sizes that were counted; the cache is empty, and what this process remembers is forgotten."""
    monkeypatch.setenv("LLMSEG_CACHE", str(tmp_path / "cache"))
    sizes = []

    def note(net, loss, channels, size):
        sizes.append(size)
        return real(net, loss, channels, size)

    real = counts.count
    monkeypatch.setattr(counts, "count", note)
    counts.count_kept.cache_clear()
    yield sizes
    counts.count_kept.cache_clear()


def ask(size=(32, 32), net=RECIPE.net, loss=RECIPE.loss):
    counts.count_kept.cache_clear()  # as in another process
    return counts.count_kept(net, loss, 3, size)


def test_another_process_reads_what_one_has_counted(counted):
    first = ask()
    assert ask() == first
    assert ask((64, 64)) != first
    assert counted == [(32, 32), (64, 64)]


def test_other_code_counts_again(counted, monkeypatch):
    ask()
    monkeypatch.setattr(counts, "_describe_code", lambda: "other")
    ask()
    assert counted == [(32, 32)] * 2


def test_parts_of_ones_own_are_counted_each_time(counted):
    @dataclass(frozen=True)
    class Own(BCEDice):
        """A loss whose code is not in the digest of the package."""

    loss = zoo.TEXTBOOK.loss
    own = Own(**{field.name: getattr(loss, field.name) for field in fields(loss)})
    assert ask(net=zoo.TEXTBOOK.net, loss=own) == ask(net=zoo.TEXTBOOK.net, loss=own)
    assert counted == [(32, 32)] * 2
    assert not list(cache_folder().glob("*"))


@pytest.mark.parametrize("content", ["{", "{}", "[]"])
def test_a_damaged_count_is_made_anew(counted, content):
    first = ask()
    (path,) = cache_folder().glob("*.counts.json")
    path.write_text(content)
    assert ask() == first
    assert ask() == first
    assert len(counted) == 2


def test_a_folder_that_takes_nothing_keeps_nobody_from_counting(counted, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LLMSEG_CACHE", str(tmp_path / "file" / "cache"))
    assert ask() == ask()


def test_clearing_the_cache_removes_counts(counted):
    ask()
    assert clear_cache() > 0
    assert not list(cache_folder().iterdir())
