"""How pages write values.

The script of the pages shows these texts, too, and formats no number of its own: a table looks the same before and
after it is filtered.
"""

from __future__ import annotations

import math

from llmseg.report.standings import Place, Standing

Ends = tuple[float, float]


def score_text(value: float) -> str:
    """Return a score with three decimals, or ``not known``.

    Example:
        >>> score_text(0.8125), score_text(float("nan"))
        ('0.812', 'not known')
    """
    return f"{value:.3f}" if math.isfinite(value) else "not known"


def place_texts(place: Place, few: str = "") -> dict[str, str]:
    """Return the texts in a row of a leaderboard, by column.

    Args:
        place: The place.
        few: As for a standing; what resamples say is not shown then, for two seeds would always agree.

    Example:
        >>> place_texts(Place("a", 0.5, 0.4, 0.6, 2, 1, 3, 0.25))
        {'rank': '2', 'mean': '0.500', 'interval': '0.400 to 0.600', 'ranks': '1 to 3', 'first': '25 %'}
    """
    low, high = place.rank_low, place.rank_high
    ranks, first = str(low) if low == high else f"{low} to {high}", f"{100 * place.first:.0f} %"
    return {
        "rank": str(place.rank),
        "mean": score_text(place.mean),
        "interval": f"{score_text(place.low)} to {score_text(place.high)}" if place.has_interval else "not known",
        "ranks": "-" if few else ranks,
        "first": "-" if few else first,
    }


def bar_scale(standing: Standing) -> Ends:
    """Return the ends of the scale on which the intervals of a leaderboard are drawn as bars.

    Example:
        >>> place = Place("a", 0.5, 0.4, 0.6, 1, 1, 1, 1.0)
        >>> facts = {"absent": {}, "cases": 1, "groups": 1, "seeds": 1, "sentence": "", "remarks": ()}
        >>> [round(end, 3) for end in bar_scale(Standing(dataset="d", places=(place,), **facts))]
        [0.392, 0.608]
    """
    values = [end for place in standing.places for end in (place.low, place.mean, place.high) if math.isfinite(end)]
    low, high = min(values, default=0.0), max(values, default=1.0)
    # Dots at the ends keep inside the bar; where all values are equal, the bar still has a length.
    margin = 0.04 * (high - low) or 0.05
    return low - margin, high + margin


def bar_styles(place: Place, ends: Ends) -> dict[str, str] | None:
    """Return where interval and mean of a contender lie on a scale, as CSS styles; ``None`` without an interval.

    Example:
        >>> bar_styles(Place("a", 0.5, 0.4, 0.6, 1, 1, 1, 1.0), (0.0, 1.0))
        {'range': 'left:40.0%;width:20.0%', 'dot': 'left:50.0%'}
    """
    if not place.has_interval:
        return None
    low, mean, high = (100 * (value - ends[0]) / (ends[1] - ends[0]) for value in (place.low, place.mean, place.high))
    return {"range": f"left:{low:.1f}%;width:{high - low:.1f}%", "dot": f"left:{mean:.1f}%"}


def value_text(value: object) -> str:
    """Return the value of a recipe's field as the command line takes it.

    Example:
        >>> value_text((256, 256)), value_text(None)
        ('256,256', 'none')
    """
    return ",".join(map(value_text, value)) if isinstance(value, tuple) else "none" if value is None else str(value)
