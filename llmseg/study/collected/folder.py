"""``Collected``: the scores and losses of many cells, without weights and images."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from llmseg.errors import UserError, nearest, shorten_list
from llmseg.study.collected.cell import IDENTITY, CollectedCell, CollectedStudy, digest_json

SCORES = ("phase", "case", "group", "size", "measure", "value")
"""Columns of the scores of a cell."""

HISTORY = ("epoch", "train_loss", "validation_loss", "validation_score", "rate")
"""Columns of the losses of a cell."""

SHOWN_DIGITS = 12
"""Digits of a digest in messages; ``--only`` takes the first few of any digest."""


@dataclass(frozen=True, eq=False)
class Collected:
    """The results of many cells of one or several studies, and what is known of each cell.

    Attributes:
        studies: What was to be trained, by the keys of the studies.
        cells: The cells, in an order that follows from their content.
        recipes: The recipes as dictionaries, by their digests.
        scores: The scores of every cell by its key, with the columns :data:`SCORES`.
        histories: The losses of every cell by its key, with the columns :data:`HISTORY`; empty without a training.

    Example:
        >>> from llmseg.study import read_collected
        >>> read_collected("collected").table()[["variant", "measure", "value", "code"]]  # doctest: +SKIP
    """

    studies: Mapping[str, CollectedStudy]
    cells: tuple[CollectedCell, ...]
    recipes: Mapping[str, Mapping[str, Any]]
    scores: Mapping[str, pd.DataFrame]
    histories: Mapping[str, pd.DataFrame]

    def table(self) -> pd.DataFrame:
        """Return all scores with all that is known of their cells: a row per cell, case, size and measure.

        The columns are ``cell`` (its key), those of :class:`CollectedCell` without ``facts``, and :data:`SCORES`.
        """
        frames = []
        for cell in self.cells:
            own = {name: getattr(cell, name) for name in (*IDENTITY, "results")}
            columns: dict[str, Any] = {"cell": cell.key, **own}
            frames.append(self.scores[cell.key].assign(**columns)[[*columns, *SCORES]])
        table: pd.DataFrame = pd.concat(frames, ignore_index=True)
        return table

    def select(self, **wanted: Collection[str]) -> Collected:
        """Keep cells by what tells them apart.

        Args:
            wanted: Allowed values by the name of a field of :data:`IDENTITY`, as texts; of digests, the first digits
                will do.

        Raises:
            UserError: There is no such field, or no cell with such a value.
        """
        cells = self.cells
        if not wanted:
            return self
        for name, values in wanted.items():
            if name not in IDENTITY:
                raise UserError(f"no field '{name}'{nearest(name, IDENTITY)}; fields are {', '.join(IDENTITY)}")
            for value in values:
                if not any(_agrees(cell, name, value) for cell in cells):
                    present = dict.fromkeys(show_value(getattr(cell, name)) for cell in cells)
                    raise UserError(f"no cell has {name} '{value}'{nearest(value, present)}; {_list(present)}")
            cells = tuple(cell for cell in cells if any(_agrees(cell, name, value) for value in values))
        return self.keep(cells)

    def keep(self, cells: Collection[CollectedCell]) -> Collected:
        """Return some of the cells, with what belongs to them."""
        kept = {cell.key for cell in cells}
        recipes = {cell.recipe for cell in cells}
        return Collected(
            dict(_narrow(self.studies, cells)),
            tuple(cell for cell in self.cells if cell.key in kept),
            {digest: recipe for digest, recipe in self.recipes.items() if digest in recipes},
            {key: frame for key, frame in self.scores.items() if key in kept},
            {key: frame for key, frame in self.histories.items() if key in kept},
        )


def _agrees(cell: CollectedCell, name: str, value: str) -> bool:
    own = str(getattr(cell, name))
    return own == value or (_is_digest(own) and len(value) >= 4 and own.startswith(value))


def _is_digest(text: str) -> bool:
    return len(text) >= 16 and not set(text) - set("0123456789abcdef+")


def show_value(value: object) -> str:
    """Return a value of a cell for messages; of a digest its first digits."""
    text = str(value)
    return text[:SHOWN_DIGITS] if _is_digest(text) else text


def _list(present: Collection[str]) -> str:
    return f"there is {shorten_list(present)}" if len(present) == 1 else f"there are {shorten_list(present)}"


def _narrow(
    studies: Mapping[str, CollectedStudy], cells: Collection[CollectedCell]
) -> Iterator[tuple[str, CollectedStudy]]:
    """Yield the studies that have some of the cells, as if they had been begun for these."""
    for key, study in studies.items():
        own = [cell for cell in cells if cell.study == key]
        if own:
            variants = {name: place for name, place in study.variants.items() if name in {c.variant for c in own}}
            seeds = max((cell.seed or 0 for cell in own if not cell.is_beside), default=-1) + 1
            failures = tuple(failure for failure in study.failures if failure.variant in variants)
            yield key, replace(study, variants=variants, seeds=seeds, failures=failures)


def digest_frames(*frames: pd.DataFrame) -> str:
    """Return SHA-256 over the content of some tables, in the order of their rows."""
    return digest_json([frame.to_csv(index=False, lineterminator="\n") for frame in frames])


def sort_cells(cells: Collection[CollectedCell], studies: Mapping[str, CollectedStudy]) -> tuple[CollectedCell, ...]:
    """Return cells in the order of their content: by dataset and study, then as the studies list them."""

    def place(cell: CollectedCell) -> tuple[Any, ...]:
        study = studies[cell.study]
        position = study.variants.get(cell.variant, len(study.variants))
        own = (cell.is_beside, position, cell.pipeline, cell.variant, -1 if cell.seed is None else cell.seed, cell.fold)
        return (*study.place, *own, cell.key)

    return tuple(sorted(cells, key=place))
