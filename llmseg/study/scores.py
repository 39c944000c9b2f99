"""The tables of a study, made from those of its cells that are finished."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Protocol, TypeVar

import pandas as pd

from llmseg.evaluation.evaluation import Evaluation
from llmseg.stats.words import count_text
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


class Trained(Protocol):
    """What the choice among cells asks of them."""

    @property
    def variant(self) -> str:
        """Name of the variant."""

    @property
    def seed(self) -> int | None:
        """The seed."""


AnyCell = TypeVar("AnyCell", bound=Trained)


def choose_comparable(cells: Sequence[AnyCell]) -> tuple[AnyCell, ...]:
    """Return the cells of an unfinished study that can be compared: the same seeds of every variant.

    A variant without any cell is left out. If the others have no seed in common, those with the fewest go, too.

    Example:
        >>> from pathlib import Path
        >>> cells = [Cell(Path("s"), *name_and_seed) for name_and_seed in [("a", "", 0), ("a", "", 1), ("b", "", 0)]]
        >>> [(cell.variant, cell.seed) for cell in choose_comparable(cells)]
        [('a', 0), ('b', 0)]
    """
    seeds: dict[str, set[int | None]] = {}
    for cell in cells:
        seeds.setdefault(cell.variant, set()).add(cell.seed)
    common: set[int | None] = set()
    while seeds and not (common := set.intersection(*seeds.values())):
        fewest = min(reversed(list(seeds)), key=lambda name: len(seeds[name]))
        del seeds[fewest]
    return tuple(cell for cell in cells if cell.variant in seeds and cell.seed in common)


def describe_state(total: int, finished: int, compared: Sequence[Trained]) -> str:
    """Return how much of an unfinished study there is, and what of it is compared.

    Args:
        total: Number of its cells.
        finished: Number of those that are finished.
        compared: Those that are compared.
    """
    state = f"{finished} of {count_text(total, 'cell')} of the study are finished"
    seeds = sorted({cell.seed or 0 for cell in compared})
    variants = {cell.variant for cell in compared}
    which = f"{count_text(len(seeds), 'seed').split()[1]} {', '.join(map(str, seeds))}"
    verb = "is" if len(variants) == 1 else "are"
    return f"{state}; {which} of {count_text(len(variants), 'variant')} {verb} compared"


def describe_unbegun(dataset: str) -> str:
    """Return that a study has nothing to compare yet.

    Example:
        >>> describe_unbegun("skin")
        'no cell of the study on skin is finished'
    """
    return f"no cell of the study on {dataset} is finished"
