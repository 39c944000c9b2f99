"""Interactive plots as plain values, which pages hand to plotly.js.

The colours of text and grid are not set here: the page's script takes them from the theme that a reader chose.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from llmseg.figures.style import BLUE, VERMILION
from llmseg.report.profiles import Profile
from llmseg.report.standings import Standing
from llmseg.stats.table import Table, contender_names
from llmseg.study.results import ContenderRun

Plot = dict[str, Any]

_ALL_POINTS = 60
"""Up to so many cases, every case is a point; of more cases, only those beyond the whiskers."""

_ALL_VALUES = 2000
"""Up to so many cases, the browser gets all values and computes the box; of more cases, it gets the box itself."""

_MOST_OUTSIDE = 500
"""Points beyond the whiskers of a box that is computed here, at most; more would only hide each other."""

_DIGITS = 5
"""Significant digits of a number, which is more than one sees in a plot."""

_LONGEST = 40
"""Letters of a name; of a longer one, the rest of the plot would have no room beside it."""


def box_plot(table: Table, standing: Standing, profiles: Mapping[str, Profile], title: str) -> tuple[Plot, str]:
    """Return a box per contender over its cases, best mean at the top; a point is a case, averaged over seeds.

    The plot grows with the number of cases up to 2,000 only.

    Args:
        table: Scores of one measure, phase and dataset.
        standing: The order of contenders on that dataset.
        profiles: The contenders by name.
        title: Name of the measure, for the axis.

    Returns:
        The plot, and what it leaves out, in words; empty if it is nothing.
    """
    frame = table.frame.dropna(subset=["value"])
    frame = frame.assign(contender=contender_names(frame))
    means = frame.groupby(["contender", "case"], sort=False, observed=True)["value"].mean()
    order = [place.contender for place in standing.places] + list(standing.absent)
    scored = [name for name in order if name in means.index.get_level_values("contender")]
    traces, left_out = [], 0
    for name in reversed(scored):  # plotly begins at the bottom
        box = _box(profiles[name])
        points, hidden = _points(means[name])
        # With its quartiles given, a box would not stand at its name by itself.
        traces.append(box | points | ({"y": [box["name"]]} if "q1" in points else {}))
        left_out = max(left_out, hidden)
    plot = {
        "data": traces,
        "layout": {
            "height": 110 + 26 * len(traces),
            "xaxis": {"title": {"text": f"{title} of a case"}, "zeroline": False},
            "yaxis": {"automargin": True, "fixedrange": True},
            "showlegend": False,
        },
    }
    note = f"where more than {_MOST_OUTSIDE} cases lie beyond the whiskers, {_MOST_OUTSIDE} of them are drawn"
    return plot, note if left_out else ""


def _points(values: pd.Series) -> tuple[Plot, int]:
    """Return what a box and its points are made of, and how many points are left out."""
    if len(values) <= _ALL_VALUES:
        points = "all" if len(values) <= _ALL_POINTS else "outliers"
        return {
            "x": _numbers(values.to_numpy()),
            "text": [_safe(case) for case in values.index],
            "boxpoints": points,
        }, 0
    # The rule for quartiles and whiskers is that of plotly.js.
    values = values.sort_values(kind="stable")
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75], method="hazen")
    reach = 1.5 * (high - low)
    inside = values[(values >= low - reach) & (values <= high + reach)]
    outside = values[(values < inside.min()) | (values > inside.max())]
    count = min(len(outside), _MOST_OUTSIDE)
    shown = outside.iloc[np.linspace(0, len(outside) - 1, count).astype(int)]
    # plotly.js draws no box without a point; one inside of the whiskers is not drawn.
    listed = shown if count else inside.iloc[:1]
    ends = {"q1": low, "median": middle, "q3": high, "lowerfence": inside.min(), "upperfence": inside.max()}
    return {
        **{name: _numbers(np.array([value])) for name, value in {**ends, "mean": values.mean()}.items()},
        # A list of lists: where quartiles are given, a trace may hold several boxes.
        "x": [_numbers(listed.to_numpy())],
        "text": [[_safe(case) for case in listed.index]],
        "boxpoints": "outliers",
    }, len(outside) - count


def _box(profile: Profile) -> Plot:
    return {
        "type": "box",
        "orientation": "h",
        "name": _safe(profile.label),
        "boxmean": True,
        "jitter": 0.5,
        "pointpos": 0,
        "marker": {"color": profile.contender.colour, "size": 4, "opacity": 0.6},
        "line": {"color": profile.contender.colour, "width": 1.5},
        "hovertemplate": "%{text}: %{x}<extra></extra>",
    }


def loss_plot(runs: Iterable[ContenderRun]) -> Plot:
    """Return losses over epochs of one contender on one dataset: of each training two lines: training, validation."""
    traces = []
    for index, run in enumerate(runs):
        history, fold = run.run.history, f", fold {run.fold}" if run.fold else ""
        for column, title, colour in (("train_loss", "training", BLUE), ("validation_loss", "validation", VERMILION)):
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines+markers" if len(history) < 20 else "lines",
                    "name": title,
                    "legendgroup": title,
                    "showlegend": index == 0,
                    "x": [int(epoch) for epoch in history["epoch"]],
                    "y": _numbers(history[column].to_numpy(float)),
                    "line": {"color": colour, "width": 1.5, "dash": ("solid", "dash", "dot", "dashdot")[index % 4]},
                    "marker": {"size": 4},
                    "hovertemplate": f"seed {run.seed}{fold}, epoch %{{x}}: %{{y}}<extra>{title}</extra>",
                }
            )
    return {
        "data": traces,
        "layout": {
            "height": 320,
            "xaxis": {"title": {"text": "epoch"}, "dtick": 1 if _longest_trace(traces) < 15 else None},
            "yaxis": {"title": {"text": "loss"}},
            "legend": {"orientation": "h", "y": 1.12, "x": 0},
        },
    }


def _longest_trace(traces: Sequence[Plot]) -> int:
    return max((len(trace["x"]) for trace in traces), default=0)


def _numbers(values: np.ndarray) -> list[float | None]:
    """Return numbers as JSON has them, with few digits; NaN becomes ``null``, which plotly.js draws as a gap."""
    return [float(f"{value:.{_DIGITS}g}") if np.isfinite(value) else None for value in values]


def _safe(text: str) -> str:
    """Return text that plotly.js shows as it is.

    The page escapes text for HTML and JSON, but plotly.js itself reads tags such as ``<b>`` and ``<a>`` in the strings
    it is given. So names are escaped once more here.
    """
    text = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
