"""Interactive plots as plain values, which the page hands to plotly.js; colours of text and grid are the page's."""

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
"""Up to so many cases, every one is a point; of more, those far from the others."""

_DIGITS = 5

_LONGEST = 40


def boxes(table: Table, standing: Standing, profiles: Mapping[str, Profile], title: str) -> Plot:
    """Return a box per contender over its cases, best mean at the top; a point is a case, averaged over seeds.

    Args:
        table: Scores of one measure, phase and dataset.
        standing: The standing on that dataset.
        profiles: The contenders.
        title: What the axis calls the measure.
    """
    frame = table.frame.dropna(subset=["value"])
    frame = frame.assign(contender=contender_names(frame))
    means = frame.groupby(["contender", "case"], sort=False, observed=True)["value"].mean()
    order = [place.contender for place in standing.places] + list(standing.absent)
    there = [name for name in order if name in means.index.get_level_values("contender")]
    traces = [_box(profiles[name], means[name]) for name in reversed(there)]
    return {
        "data": traces,
        "layout": {
            "height": 110 + 26 * len(traces),
            "xaxis": {"title": {"text": f"{title} of a case"}, "zeroline": False},
            "yaxis": {"automargin": True, "fixedrange": True},
            "showlegend": False,
        },
    }


def _box(profile: Profile, values: pd.Series) -> Plot:
    return {
        "type": "box",
        "orientation": "h",
        "name": _safe(profile.label),
        "x": _numbers(values.to_numpy()),
        "text": [_safe(case) for case in values.index],
        "boxpoints": "all" if len(values) <= _ALL_POINTS else "outliers",
        "boxmean": True,
        "jitter": 0.5,
        "pointpos": 0,
        "marker": {"color": profile.contender.colour, "size": 4, "opacity": 0.6},
        "line": {"color": profile.contender.colour, "width": 1.5},
        "hovertemplate": "%{text}: %{x}<extra></extra>",
    }


def curves(runs: Iterable[ContenderRun]) -> Plot:
    """Return losses over epochs of one contender on one dataset: a line per seed for training, one for validation."""
    traces = []
    for place, one in enumerate(runs):
        history = one.run.history
        for column, title, colour in (("train_loss", "training", BLUE), ("validation_loss", "validation", VERMILION)):
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines+markers" if len(history) < 20 else "lines",
                    "name": title,
                    "legendgroup": title,
                    "showlegend": place == 0,
                    "x": [int(epoch) for epoch in history["epoch"]],
                    "y": _numbers(history[column].to_numpy(float)),
                    "line": {"color": colour, "width": 1.5, "dash": ("solid", "dash", "dot", "dashdot")[place % 4]},
                    "marker": {"size": 4},
                    "hovertemplate": f"seed {one.seed}, epoch %{{x}}: %{{y}}<extra>{title}</extra>",
                }
            )
    return {
        "data": traces,
        "layout": {
            "height": 320,
            "xaxis": {"title": {"text": "epoch"}, "dtick": 1 if _epochs(traces) < 15 else None},
            "yaxis": {"title": {"text": "loss"}},
            "legend": {"orientation": "h", "y": 1.12, "x": 0},
        },
    }


def _epochs(traces: Sequence[Plot]) -> int:
    return max((len(trace["x"]) for trace in traces), default=0)


def _numbers(values: np.ndarray) -> list[float | None]:
    """Return numbers as JSON has them, with few digits; what is none becomes ``null``, a gap."""
    return [float(f"{value:.{_DIGITS}g}") if np.isfinite(value) else None for value in values]


def _safe(text: str) -> str:
    """Return text that plotly.js shows as it is: it reads some tags of HTML, whatever the page escapes."""
    text = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
