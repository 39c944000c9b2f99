"""Writing figures."""

from __future__ import annotations

import matplotlib
import numpy as np
import pytest

from llmseg import UserError
from llmseg.figures.canvas import FORMATS, check_replaceable, make_figure, save
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


class TestWhatMayBeReplaced:
    @pytest.mark.parametrize("extension", list(FORMATS))
    def test_what_was_drawn_here(self, extension, tmp_path):
        check_replaceable(tmp_path / f"a{extension}")
        check_replaceable(save(make_figure(1, 1), tmp_path / f"a{extension}"))

    @pytest.mark.parametrize("extension", list(FORMATS))
    def test_not_what_others_drew(self, extension, tmp_path):
        path = tmp_path / f"llmseg{extension}"
        make_figure(1, 1).savefig(path, metadata={"Title": "llmseg"})
        with pytest.raises(UserError, match="was not drawn by llmseg; move it away, or choose another -o"):
            check_replaceable(path)
        with pytest.raises(UserError, match="is a folder"):
            check_replaceable(tmp_path)
