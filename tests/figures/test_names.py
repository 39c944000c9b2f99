"""Names are shown as they are, whatever matplotlib would make of dollar signs, backslashes and underscores."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from llmseg.figures.boxes import box_plots, clouds
from llmseg.figures.canvas import save, use_settings
from llmseg.figures.curves import cohort_curves, loss_curves
from llmseg.figures.kinds import draw
from llmseg.figures.places import podium
from llmseg.figures.study import draw_contributions, draw_differences
from llmseg.stats import Table
from llmseg.study.results import Curve, Results

NAMES = (r"$\frac{$", "$x^2$", r"a$b$c\ ", r"\$", "a_b^c", "_hidden", "$" * 9, r"$\text{", "<b>&amp;", "100 %", "'{0}'")


@pytest.fixture(scope="module")
def table():
    random = np.random.default_rng(0)
    rows = [
        {"pipeline": name, "dataset": dataset, "case": f"$\\c{case}{{_", "value": float(random.uniform())}
        for name in NAMES
        for dataset in ("$\\data{", "_$x$")
        for case in range(5)
    ]
    frame = pd.DataFrame(rows).assign(variant="base", phase="test", measure="dice", seed=0)
    return Table.from_frame(frame.assign(group=frame["case"]))


@pytest.fixture(scope="module")
def curves():
    losses = np.array([0.5, 0.4, 0.3])
    return [Curve(name, "$\\data{", 0, losses, losses) for name in ("gpt-4", *NAMES)]


def shown(figure, path):
    """Write a figure; return the texts that are in it."""
    save(figure, path)
    return {text.get_text() for text in figure.findobj(Text)}


@pytest.mark.parametrize("drawing", [box_plots, clouds, podium])
def test_figures_of_scores_show_every_name(drawing, table, tmp_path):
    scores = table.select(dataset="$\\data{") if drawing is podium else table
    texts = shown(drawing(scores), tmp_path / "figure.svg")
    assert [name for name in NAMES if not any(name.strip() in text for text in texts)] == []


def test_rankings_show_every_name(table, tmp_path):
    figure = draw("stability", Results(table.select(dataset="$\\data{"), ()))
    texts = shown(figure, tmp_path / "figure.pdf")
    assert [name for name in NAMES if not any(name.strip() in text for text in texts)] == []
    texts = shown(draw("significance", Results(table, ())), tmp_path / "figure.svg")
    assert [name for name in NAMES if not any(name.strip() in text for text in texts)] == []
    texts = shown(draw("critical-difference", Results(table, ())), tmp_path / "figure.png")
    assert [name for name in NAMES if not any(name.strip() in text for text in texts)] == []


def test_losses_show_every_name(curves, tmp_path):
    assert set(NAMES) <= shown(loss_curves(curves, scale="log"), tmp_path / "figure.svg")
    figure = cohort_curves(curves, references=NAMES)
    shown(figure, tmp_path / "figure.svg")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["2024 (1 LLMs)", *NAMES]


def test_points_of_studies_are_drawn(tmp_path):
    frame = pd.DataFrame({"variant": NAMES, "part": NAMES, "difference": 0.1, "low": 0.0, "high": 0.2, "level": 0.95})
    for extension in ("svg", "pdf", "png"):
        assert draw_differences(frame, tmp_path / f"d.{extension}", base=NAMES[0], measure=NAMES[1]).exists()
        drawn = draw_contributions(frame, tmp_path / f"c.{extension}", left=NAMES[0], right=NAMES[7])
        assert drawn.exists()


def test_settings_hold_for_every_text():
    with use_settings():
        assert not Text(text="$x$").get_parse_math()
