"""Bars of what is quick, except in very large folders and on slow disks."""

from __future__ import annotations

import pytest

from llmseg.cli.output import OutputWithProgress
from llmseg.files import progress


@pytest.fixture(autouse=True)
def shown_again():
    yield
    progress.hide_slow_bars(False)


@pytest.mark.parametrize(("delay", "quiet", "said"), [(0.0, False, True), (60.0, False, False), (0.0, True, False)])
def test_what_takes_long_is_said_unless_bars_are_not_wanted(delay, quiet, said, monkeypatch, capsys):
    monkeypatch.setattr(progress, "_DELAY", delay)
    OutputWithProgress(quiet=quiet)
    assert list(progress.show_if_slow(range(3), "list images", "file")) == [0, 1, 2]
    assert ("list images" in capsys.readouterr().err) == said
