"""How pages write values; the script shows these texts and makes none of its own."""

from __future__ import annotations

import math

from llmseg.report.standings import Place, Standing

Ends = tuple[float, float]


def number(value: float) -> str:
    """Return a score.

    Example:
        >>> number(0.8125), number(float("nan"))
        ('0.812', 'not known')
    """
    return f"{value:.3f}" if math.isfinite(value) else "not known"


def place_texts(place: Place) -> dict[str, str]:
    """Return what the cells of a standing say of a contender.

    Example:
        >>> place_texts(Place("a", 0.5, 0.4, 0.6, 2, 1, 3, 0.25))
        {'rank': '2', 'mean': '0.500', 'interval': '0.400 to 0.600', 'ranks': '1 to 3', 'first': '25 %'}
    """
    low, high = place.rank_low, place.rank_high
    return {
        "rank": str(place.rank),
        "mean": number(place.mean),
        "interval": f"{number(place.low)} to {number(place.high)}" if place.has_interval else "not known",
        "ranks": str(low) if low == high else f"{low} to {high}",
        "first": f"{100 * place.first:.0f} %",
    }


def scale(standing: Standing) -> Ends:
    """Return the ends of the scale on which the intervals of a standing are drawn.

    Example:
        >>> place = Place("a", 0.5, 0.4, 0.6, 1, 1, 1, 1.0)
        >>> facts = {"absent": {}, "cases": 1, "groups": 1, "seeds": 1, "sentence": "", "remarks": ()}
        >>> [round(end, 3) for end in scale(Standing(dataset="d", places=(place,), **facts))]
        [0.392, 0.608]
    """
    values = [value for one in standing.places for value in (one.low, one.mean, one.high) if math.isfinite(value)]
    low, high = min(values, default=0.0), max(values, default=1.0)
    margin = 0.04 * (high - low) or 0.05
    return low - margin, high + margin


def bar_styles(place: Place, ends: Ends) -> dict[str, str] | None:
    """Return where interval and mean of a contender lie on a scale, as styles; ``None`` without an interval.

    Example:
        >>> bar_styles(Place("a", 0.5, 0.4, 0.6, 1, 1, 1, 1.0), (0.0, 1.0))
        {'range': 'left:40.0%;width:20.0%', 'dot': 'left:50.0%'}
    """
    if not place.has_interval:
        return None
    low, mean, high = (100 * (value - ends[0]) / (ends[1] - ends[0]) for value in (place.low, place.mean, place.high))
    return {"range": f"left:{low:.1f}%;width:{high - low:.1f}%", "dot": f"left:{mean:.1f}%"}


def plain(value: object) -> str:
    """Return a field's value as the command line would take it.

    Example:
        >>> plain((256, 256)), plain(None)
        ('256,256', 'none')
    """
    return ",".join(map(plain, value)) if isinstance(value, tuple) else "none" if value is None else str(value)


def sentence(text: str) -> str:
    """Return text that begins and ends as a sentence does.

    Example:
        >>> sentence("one seed")
        'One seed.'
    """
    text = text.strip()
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '!', '?')) else '.'}"
