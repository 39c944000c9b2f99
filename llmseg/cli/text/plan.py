"""What llmseg study plan prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmseg.cli.text.layout import align_columns, section
from llmseg.study.launching.outlook import format_seconds

if TYPE_CHECKING:
    import pandas as pd


def plan_text(cells: pd.DataFrame, chosen: pd.DataFrame | None, hours: float | None) -> str:
    """Return a plan as tables: a line per dataset and a line per contender, the most expensive first.

    Args:
        cells: A row per cell, see :func:`llmseg.study.plan_cells`.
        chosen: Those that fit into some hours; ``None`` if no hours were given.
        hours: The hours.
    """
    open_cells = cells[cells["state"] == "open"]
    faults = cells[cells["fault"] != ""].drop_duplicates(["dataset", "contender"])
    left = format_seconds(float(open_cells["seconds"].sum()))
    parts = [
        _table(cells, "dataset"),
        _table(cells, "contender"),
        section("cannot be trained", [f"{row.contender} on {row.dataset}: {row.fault}" for row in faults.itertuples()]),
        f"{len(cells)} cells, {len(open_cells)} open: about {left} for one launcher on this device",
    ]
    if chosen is not None and hours is not None:
        seeds = f"{chosen['seed'].nunique()} of {cells['seed'].nunique()} seeds"
        parts.append(
            f"{len(chosen)} of the open cells fit into {hours:g} h: {seeds}, the first seed of everything first"
        )
    return "\n\n".join(part for part in parts if part)


def _table(cells: pd.DataFrame, by: str) -> str:
    rows = [(by, "cells", "open", "about", "memory")]
    left = cells["seconds"].where(cells["state"] == "open", 0.0)
    groups = cells.assign(left=left).groupby(by, sort=False)
    ordered = sorted(groups, key=lambda item: -float(item[1]["left"].sum())) if by == "contender" else groups
    for name, group in ordered:
        open_count = int((group["state"] == "open").sum())
        memory = f"{group['memory_gb'].max():.1f} GB"
        rows.append((str(name), str(len(group)), str(open_count), format_seconds(float(group["left"].sum())), memory))
    return align_columns(rows)
