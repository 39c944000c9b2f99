"""Merging collected studies: of several machines and sittings, and what is new with what is there."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from llmseg.errors import UserError
from llmseg.study.collected.cell import CollectedCell, CollectedStudy, digest_json
from llmseg.study.collected.folder import Collected, show_value, sort_cells
from llmseg.study.launching.failures import Failure


def merge(parts: Sequence[tuple[str, Collected]], prefer: Collection[str] = ()) -> Collected:
    """Return all cells of some collected studies; a cell that several of them have stands once.

    The order of the studies does not matter, nor how often one is given.

    Args:
        parts: The studies, each with the name that messages give it.
        prefer: Names of those whose cells are kept where others have the same contender and seed on the same dataset.

    Raises:
        UserError: Two of them have the same cell with different results.

    Example:
        >>> nothing = Collected({}, (), {}, {}, {})
        >>> merge([("a", nothing), ("b", nothing)]).cells
        ()
    """
    if prefer:
        preferred = {cell.question for name, part in parts if name in prefer for cell in part.cells}
        parts = [(name, part if name in prefer else _without(part, preferred)) for name, part in parts]
    found: dict[str, tuple[str, CollectedCell, Collected]] = {}
    for name, part in parts:
        for cell in part.cells:
            other = found.get(cell.key)
            if other is not None and other[1].results != cell.results:
                raise UserError(_describe_conflict(cell, other[0], name))
            if other is None or _rank(cell) < _rank(other[1]):
                found[cell.key] = (name, cell, part)
    studies = _merge_studies(study for _, part in parts for study in part.studies.values())
    cells = sort_cells([cell for _, cell, _ in found.values()], studies)
    return Collected(
        {study.key: study for study in sorted(studies.values(), key=lambda study: study.place)},
        cells,
        {cell.recipe: found[cell.key][2].recipes[cell.recipe] for cell in cells if cell.recipe is not None},
        {cell.key: found[cell.key][2].scores[cell.key] for cell in cells},
        {cell.key: found[cell.key][2].histories[cell.key] for cell in cells},
    )


def _without(part: Collected, questions: Collection[tuple[str, str, str, int | None, int]]) -> Collected:
    kept = tuple(cell for cell in part.cells if cell.question not in questions)
    # The plans of its studies stay whole, so that the state of the merged one is right.
    return replace(part, cells=kept)


def _rank(cell: CollectedCell) -> str:
    """Return what decides whose facts are kept where two have the same results, such as how long the training took."""
    return digest_json(cell.to_dict())


def _describe_conflict(cell: CollectedCell, first: str, second: str) -> str:
    same = f"recipe {show_value(cell.recipe)}, device {show_value(cell.device)}, code {show_value(cell.code)}"
    folders = [shlex.quote(name) for name in (first, second)]
    return (
        f"{cell} has other results in {second} than in {first}, with the same digests ({same}); choose whose are kept, "
        f"into a new folder: llmseg study merge {' '.join(folders)} --prefer {folders[0]} -o NEW"
    )


def _merge_studies(studies: Iterable[CollectedStudy]) -> dict[str, CollectedStudy]:
    merged: dict[str, CollectedStudy] = {}
    for study in studies:
        merged[study.key] = _join(merged[study.key], study) if study.key in merged else study
    return merged


def _join(one: CollectedStudy, other: CollectedStudy) -> CollectedStudy:
    """Return the plan of two sittings of one study: all variants, and the larger number of seeds."""
    variants = dict(one.variants)
    for name, place in other.variants.items():
        variants[name] = min(place, variants.get(name, place))
    failures = sorted({*one.failures, *other.failures}, key=_place)
    return replace(one, variants=variants, seeds=max(one.seeds, other.seeds), failures=tuple(failures))


def _place(failure: Failure) -> tuple[str, int, int, str, str]:
    seed = -1 if failure.seed is None else failure.seed
    return (failure.variant, seed, failure.fold, failure.kind, failure.cause)
