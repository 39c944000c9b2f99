"""The tables of a study, made from those of its cells that are finished."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pandas as pd

from llmseg.evaluation.evaluation import Evaluation
from llmseg.study.cells import Cell


def join_scores(cells: Sequence[Cell]) -> str:
    """Return the scores of some cells as the text of ``scores.csv``, in the order of the cells."""
    if not cells:
        return ""
    frames = [Evaluation(cell.folder / "evaluation").scores.assign(variant=cell.variant) for cell in cells]
    text: str = pd.concat(frames).to_csv(index=False)
    return text


def parse_scores(text: str) -> pd.DataFrame:
    """Return the table in the text of a ``scores.csv``."""
    return pd.read_csv(io.StringIO(text)) if text else pd.DataFrame(columns=["variant", "seed", "measure", "size"])


def choose_comparable(cells: Sequence[Cell]) -> tuple[Cell, ...]:
    """Return the cells of an unfinished study that can be compared: the same seeds of every variant.

    A variant without any cell is left out. If the others have no seed in common, those with the fewest go, too.

    Example:
        >>> from pathlib import Path
        >>> cells = [Cell(Path("s"), *name_and_seed) for name_and_seed in [("a", "", 0), ("a", "", 1), ("b", "", 0)]]
        >>> [(cell.variant, cell.seed) for cell in choose_comparable(cells)]
        [('a', 0), ('b', 0)]
    """
    seeds: dict[str, set[int]] = {}
    for cell in cells:
        seeds.setdefault(cell.variant, set()).add(cell.seed)
    common: set[int] = set()
    while seeds and not (common := set.intersection(*seeds.values())):
        fewest = min(reversed(list(seeds)), key=lambda name: len(seeds[name]))
        del seeds[fewest]
    return tuple(cell for cell in cells if cell.variant in seeds and cell.seed in common)
