"""A price list as a page in Markdown."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from llmseg.stats.columns import MARGIN

_HEAD = """# The price list

What each quirk costs: the Dice that its repair alone gains on held-out cases. One evaluator scores all of them.
`llmseg quirks` explains the quirks. `llmseg price --page` prints this page of a price list; do not edit it.
"""

Rows = Sequence[Mapping[str, Any]]


def describe_price(low: float, high: float) -> str:
    """Return what the interval of a gain in Dice shows of a quirk; nothing if it shows neither a cost nor none.

    Args:
        low: Lower end of the 95 % interval of what the repair gains.
        high: Its upper end.

    Example:
        >>> describe_price(0.02, 0.08), describe_price(-0.06, -0.01), describe_price(-0.004, 0.009)
        ('costs', 'helps', 'costs less than 0.01')
        >>> describe_price(-0.02, 0.05)
        ''
    """
    if max(-low, high) < MARGIN:
        return f"costs less than {MARGIN}"
    return "costs" if low > 0 else "helps" if high < 0 else ""


def render_price_page(record: Mapping[str, Any]) -> str:
    """Return the page: what was run, prices of quirks that change masks, prices of quirks that change scores.

    Args:
        record: As :attr:`llmseg.study.PriceList.record` returns it.

    Example:
        >>> import json
        >>> page = render_price_page(json.loads(Path("prices/price_list.json").read_text()))  # doctest: +SKIP
    """
    return "\n".join([_HEAD, _settings(record), "", *price_tables(record["rows"])])


def price_tables(rows: Rows, *, level: int = 2) -> list[str]:
    """Return tables of prices in Markdown, line by line, each with a heading; nothing where there are no rows.

    Args:
        rows: Rows of a price list.
        level: Level of the headings.

    Example:
        >>> price_tables([])
        []
    """
    trained = sorted(
        (row for row in rows if row["changes_masks"]),
        key=lambda row: (row["quirk"], row["dataset"], -row["gained"]),
    )
    learnt = [row for row in trained if (row["gained"], row["low"], row["high"]) != (0, 0, 0)]
    alike = [row for row in trained if row not in learnt]
    scored = sorted((row for row in rows if not row["changes_masks"]), key=lambda row: (row["quirk"], row["dataset"]))
    lines = []
    if trained:
        lines += ["#" * level + " Quirks that change masks", "", *_learnt(learnt), "", *_alike(alike), ""]
    if scored:
        lines += ["#" * level + " Quirks that change scores only", "", *_scored(scored), ""]
    return lines


def _settings(record: Mapping[str, Any]) -> str:
    chosen = record["settings"]
    size = f"{chosen['size']} x {chosen['size']} pixels" if chosen["size"] else "each recipe's own size"
    epochs = f"{chosen['epochs']} epochs" if chosen["epochs"] else "each recipe's own epochs"
    batch = f"batches of {chosen['batch_size']}" if chosen["batch_size"] else "each recipe's own batches"
    textbook = f" The textbook has {', '.join(chosen['textbook'])} here." if chosen["textbook"] else ""
    datasets = ", ".join(dict.fromkeys(row["dataset"] for row in record["rows"]))
    return (
        f"Run on {datasets}: {size}, {batch}, {epochs}, {chosen['seeds']} seeds, {100 * chosen['fraction']:g} % of the "
        f"cases held out.{textbook}\n\n"
        "- A run as small as this shows only what is large. An interval that holds zero does not show that a quirk is "
        "harmless.\n"
        "- A network that has learnt nothing has no price: a row whose Dice is about 0 says nothing.\n"
        "- A full list needs whole data sets, the recipes' own sizes and epochs, and at least five seeds."
    )


def _learnt(rows: Rows) -> list[str]:
    if not rows:
        return []
    table = [
        "| quirk | data set | pipeline | Dice with it | Dice gained | 95 % interval | shown |",
        "|---|---|---|---|---|---|---|",
    ]
    table += [
        f"| `{row['quirk']}` | {row['dataset']} | {_name(row)} | "
        f"{row['dice_having']:.3f} | {row['gained']:+.3f} | {row['low']:+.3f} to {row['high']:+.3f} | "
        f"{describe_price(row['low'], row['high'])} |"
        for row in rows
    ]
    return table


def _alike(rows: Rows) -> list[str]:
    """Return the quirks without which every case and seed had the same Dice; other images might show a price."""
    if not rows:
        return []
    table = ["| quirk | data set | pipeline |", "|---|---|---|"]
    table += [f"| `{row['quirk']}` | {row['dataset']} | {_name(row)} |" for row in rows]
    return ["These made no difference: every case has the same Dice with and without them:", "", *table]


def _name(row: Mapping[str, Any]) -> str:
    return f"{row['pipeline']}{' (planted)' if row['planted'] else ''}"


def _own(score: float) -> str:
    return "none" if math.isnan(score) else f"{score:.3f}"


def _scored(rows: Rows) -> list[str]:
    table = ["| quirk | data set | pipeline | own score | after the repair |", "|---|---|---|---|---|"]
    table += [
        f"| `{row['quirk']}` | {row['dataset']} | {_name(row)} | {_own(row['own_before'])} | {_own(row['own_after'])} |"
        for row in rows
    ]
    text = (
        "These change no mask, so they cost nothing in Dice by the one evaluator. They change the score that the "
        "pipeline gives the same network on its own test part. A quirk of validation is priced on the test part, too."
    )
    return [text, "", *table]
