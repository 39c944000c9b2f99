"""The tables of a study, made from those of its cells that are finished."""

from __future__ import annotations

import io
from collections.abc import Collection, Sequence
from typing import Protocol, TypeVar

import pandas as pd

from llmseg.evaluation.evaluation import Evaluation
from llmseg.stats.words import count_text
from llmseg.study.launching.cells import Cell


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

    @property
    def fold(self) -> int:
        """Number of the fold; 0 without folds."""


AnyCell = TypeVar("AnyCell", bound=Trained)


def choose_comparable(cells: Sequence[AnyCell]) -> tuple[AnyCell, ...]:
    """Return the cells of an unfinished study that can be compared: the same seeds of every variant.

    A variant without any cell is left out. If the others have no seed in common, those with the fewest go, too. In a
    cross-validation these are the seeds of which all variants have the most folds, and these folds.

    Example:
        >>> from pathlib import Path
        >>> cells = [Cell(Path("s"), *name_and_seed) for name_and_seed in [("a", "", 0), ("a", "", 1), ("b", "", 0)]]
        >>> [(cell.variant, cell.seed) for cell in choose_comparable(cells)]
        [('a', 0), ('b', 0)]
    """
    trained: dict[str, set[tuple[int | None, int]]] = {}
    for cell in cells:
        trained.setdefault(cell.variant, set()).add((cell.seed, cell.fold))
    common: set[tuple[int | None, int]] = set()
    while trained and not (common := set.intersection(*trained.values())):
        fewest = min(reversed(list(trained)), key=lambda name: len(trained[name]))
        del trained[fewest]
    folds: dict[int | None, set[int]] = {}
    for seed, fold in sorted(common, key=lambda place: (place[0] or 0, place[1])):
        folds.setdefault(seed, set()).add(fold)
    # Every seed has to have the same cases: those of the folds of the seed that has most.
    most = max(folds.values(), key=len, default=set())
    chosen = {(seed, fold) for seed, there in folds.items() if there >= most for fold in most}
    return tuple(cell for cell in cells if cell.variant in trained and (cell.seed, cell.fold) in chosen)


def describe_state(dataset: str, total: int, finished: int, compared: Sequence[Trained], folds: int = 1) -> str:
    """Return how much of an unfinished study there is, and what of it is compared.

    Args:
        dataset: Name of its dataset, for several studies may be read together.
        total: Number of its cells.
        finished: Number of those that are finished.
        compared: Those that are compared.
        folds: Number of its folds.
    """
    state = f"{finished} of {count_text(total, 'cell')} of the study on {dataset} are finished"
    variants = {cell.variant for cell in compared}
    which = _name_numbers("seed", {cell.seed or 0 for cell in compared})
    if folds > 1:
        which += f" in {_name_numbers('fold', {cell.fold for cell in compared})} of {folds}"
    verb = "is" if len(variants) == 1 else "are"
    return f"{state}; {which} of {count_text(len(variants), 'variant')} {verb} compared"


def _name_numbers(noun: str, numbers: Collection[int]) -> str:
    """Return numbers with their noun, such as ``seeds 0, 1``."""
    return f"{noun}{'' if len(numbers) == 1 else 's'} {', '.join(map(str, sorted(numbers)))}"


def describe_unbegun(dataset: str) -> str:
    """Return that a study has nothing to compare yet.

    Example:
        >>> describe_unbegun("skin")
        'no cell of the study on skin is finished'
    """
    return f"no cell of the study on {dataset} is finished"
