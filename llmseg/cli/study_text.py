"""What the commands about studies print."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from llmseg.cli.text import columns

if TYPE_CHECKING:
    import pandas as pd

    from llmseg.study import Gap


def differences_table(found: pd.DataFrame, folder: Path) -> str:
    """Return what every variant of a study gains."""
    rows = [
        (
            str(row.variant),
            f"{row.mean:.4f}",
            f"{row.difference:+.4f}",
            f"{row.low:+.4f} to {row.high:+.4f}",
        )
        for row in found.itertuples()
    ]
    first = found.iloc[0]
    table = columns([("variant", "dice", "difference", f"{100 * first['level']:g} % interval"), *rows])
    return f"{table}\nbase {first['base']:.4f}; {_basis(found)}; in {folder}"


def means_table(found: pd.DataFrame, folder: Path) -> str:
    """Return the mean of every recipe of a study, and how far the means and those of seeds lie apart."""
    rows = [
        (row["variant"], f"{row['mean']:.4f}", f"{row['low']:.4f} to {row['high']:.4f}", _number(row["seed_sd"]))
        for row in found.to_dict("records")
    ]
    first = found.iloc[0]
    table = columns([("recipe", "dice", f"{100 * first['level']:g} % interval", "sd of seeds"), *rows])
    spread = f"standard deviation between recipes {_number(found['mean'].std())}"
    return f"{table}\n{spread}; {_basis(found)}; in {folder}"


def gap_table(found: pd.DataFrame, gap: Gap) -> str:
    """Return what each part contributes to a gap, and the gap in a sentence."""
    rows = [
        (str(row.part), f"{row.difference:+.4f}", f"{row.low:+.4f} to {row.high:+.4f}") for row in found.itertuples()
    ]
    table = columns([("part", "dice", f"{100 * found.iloc[0]['level']:g} % interval"), *rows])
    return f"{table}\n{gap.sentence()}\n{_basis(found)}; in {gap.folder}"


def _basis(found: pd.DataFrame) -> str:
    first = found.iloc[0]
    return f"{first['groups']:g} groups, {first['seeds']:g} seeds"


def _number(value: float) -> str:
    """Return a standard deviation, which one value alone does not have."""
    return "-" if value != value else f"{value:.4f}"
