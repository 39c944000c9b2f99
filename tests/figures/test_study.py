from __future__ import annotations

import matplotlib
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from llmseg.figures.study import draw_contributions, draw_differences
from llmseg.figures.style import BLUE, rgb


@pytest.fixture
def differences():
    columns = {"variant": ["a", "b", "c"], "difference": [0.1, -0.05, 0.0], "low": [0.05, -0.1, -0.02]}
    return pd.DataFrame({**columns, "high": [0.15, 0.0, 0.02], "level": 0.95})


@pytest.mark.parametrize(("name", "begins"), [("d.png", b"\x89PNG"), ("d.pdf", b"%PDF"), ("d.svg", b"<?xml")])
def test_the_extension_decides_the_format(differences, tmp_path, name, begins):
    assert draw_differences(differences, tmp_path / name).read_bytes().startswith(begins)


@pytest.mark.parametrize("extension", ["png", "pdf", "svg"])
def test_no_file_holds_a_time(differences, tmp_path, extension, monkeypatch):
    first = draw_differences(differences, tmp_path / f"first.{extension}").read_bytes()
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")  # matplotlib writes this time instead of that of the clock
    assert draw_differences(differences, tmp_path / f"second.{extension}").read_bytes() == first
    assert b"1970" not in first


def blue_rows(path):
    """Heights at which there is a point or an interval, one per line of points."""
    rows = (np.asarray(Image.open(path).convert("RGB")) == rgb(BLUE)).all(axis=2).any(axis=1)
    return np.flatnonzero(np.diff(rows.astype(int)) == 1)


def test_every_variant_has_a_point_and_more_make_a_taller_figure(differences, tmp_path):
    few = draw_differences(differences, tmp_path / "few.png")
    many = draw_differences(pd.concat([differences] * 4), tmp_path / "many.png")
    assert (len(blue_rows(few)), len(blue_rows(many))) == (3, 12)
    assert Image.open(many).height > Image.open(few).height


def test_the_axis_says_that_intervals_are_not_corrected(differences, tmp_path, monkeypatch):
    monkeypatch.setitem(matplotlib.rcParams, "svg.fonttype", "none")  # text as text
    text = draw_differences(differences, tmp_path / "d.svg").read_text(encoding="utf-8")
    assert "verdicts are corrected for all pairs" in text


def test_a_gap_has_a_point_for_every_part(differences, tmp_path):
    contributions = differences.rename(columns={"variant": "part"})
    path = draw_contributions(contributions, tmp_path / "gap.png", left="gpt-o3", right="gpt-4")
    assert len(blue_rows(path)) == 3
