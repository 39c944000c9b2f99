"""The page of the docs that shows a price list."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any


def page(record: Mapping[str, Any]) -> str:
    """Return the page in Markdown: what was run, prices of what changes masks, prices of what changes scores.

    Args:
        record: What ``price_list.py`` wrote.
    """
    rows = record["rows"]
    trained = sorted((r for r in rows if r["changes_masks"]), key=lambda r: (r["quirk"], r["dataset"], -r["gained"]))
    learnt = [r for r in trained if (r["gained"], r["low"], r["high"]) != (0, 0, 0)]
    alike = [r for r in trained if r not in learnt]
    scored = sorted((r for r in rows if not r["changes_masks"]), key=lambda r: (r["quirk"], r["dataset"]))
    return "\n".join([_HEAD, _settings(record), "", *_learnt(learnt), "", *_alike(alike), "", *_scored(scored), ""])


_HEAD = """# The price list

What each [quirk](quirks.md) costs: the Dice that its repair alone gains, on held-out cases, by the one evaluator. This
page is written by `benchmarks/price_list.py --page` from `benchmarks/results/price_list.json`; do not edit it.
"""


def _settings(record: Mapping[str, Any]) -> str:
    chosen = record["settings"]
    size = f"{chosen['size']} x {chosen['size']} pixels" if chosen["size"] else "each recipe's own size"
    epochs = f"{chosen['epochs']} epochs" if chosen["epochs"] else "each recipe's own epochs"
    batch = f"batches of {chosen['batch_size']}" if chosen["batch_size"] else "each recipe's own batches"
    textbook = f" The textbook has {', '.join(chosen['textbook'])} here." if chosen["textbook"] else ""
    datasets = ", ".join(dict.fromkeys(row["dataset"] for row in record["rows"]))
    return (
        f"Run on {datasets}: {size}, {batch}, {epochs}, {chosen['seeds']} seeds, {100 * chosen['fraction']:g} % of the "
        "cases held out. So small a run shows what is large; that an interval holds zero does not show that a quirk is "
        "harmless, and a network that has learnt nothing has no price. A full list needs whole data sets, the recipes' "
        f"own sizes and epochs, and at least five seeds.{textbook}"
    )


def _learnt(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    table = [
        "| quirk | data set | pipeline | Dice with it | Dice gained | 95 % interval |",
        "|---|---|---|---|---|---|",
    ]
    table += [
        f"| `{r['quirk']}` | {r['dataset']} | {_name(r)} | "
        f"{r['dice_having']:.3f} | {r['gained']:+.3f} | {r['low']:+.3f} to {r['high']:+.3f} |"
        for r in rows
    ]
    return ["## Quirks that change masks", "", *table]


def _alike(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what gave the same Dice in every case and seed: these quirks wait for other images, or other schedules."""
    where: dict[str, list[str]] = {}
    for r in rows:
        where.setdefault(r["quirk"], []).append(f"{_name(r)} on {r['dataset']}")
    text = "With and without these, every case has the same Dice here: "
    return [text + "; ".join(f"`{quirk}` ({', '.join(found)})" for quirk, found in where.items()) + "."]


def _name(row: Mapping[str, Any]) -> str:
    return f"{row['pipeline']}{' (planted)' if row['planted'] else ''}"


def _own(score: float) -> str:
    return "none" if math.isnan(score) else f"{score:.3f}"


def _scored(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    table = ["| quirk | data set | pipeline | own score | after the repair |", "|---|---|---|---|---|"]
    table += [
        f"| `{r['quirk']}` | {r['dataset']} | {_name(r)} | {_own(r['own_before'])} | {_own(r['own_after'])} |"
        for r in rows
    ]
    text = (
        "These change no mask, so they cost nothing in Dice by the one evaluator. They change what the pipeline says "
        "about the same network on its own test part; a quirk of validation is priced on the test part, too."
    )
    return ["## Quirks that change scores only", "", text, "", *table]
