"""Writing figures."""

from __future__ import annotations

import matplotlib
import numpy as np
import pytest

from llmseg import UserError
from llmseg.figures.canvas import save
from llmseg.figures.curves import loss_curves
from llmseg.study.results import Curve


def figure():
    losses = np.array([0.5, 0.25])
    return loss_curves([Curve("gpt-4", "Skin", seed, losses + seed, losses + seed) for seed in (0, 1)])


@pytest.mark.parametrize(("extension", "begins"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml")])
def test_the_same_input_gives_the_same_bytes_whatever_the_users_settings(tmp_path, extension, begins):
    first = save(figure(), tmp_path / f"first.{extension}").read_bytes()
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red", "svg.hashsalt": None}):
        second = save(figure(), tmp_path / f"second.{extension}").read_bytes()
        assert matplotlib.rcParams["font.size"] == 30
    assert first == second
    assert first.startswith(begins)


def test_an_unknown_format_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(UserError, match=r"no format '\.jpg' for a\.jpg.*there are \.pdf, \.png, \.svg"):
        save(figure(), tmp_path / "a.jpg")
    assert list(tmp_path.iterdir()) == []
