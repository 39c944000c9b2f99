"""Checking a pipeline against a record of its original script, level by level."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from llmseg.data.store import Store
from llmseg.errors import UserError, nearest
from llmseg.fidelity import dynamics, levels
from llmseg.fidelity.check_artefacts import check_artefacts
from llmseg.fidelity.compare import ComparedValue, Comparison, Divergence
from llmseg.fidelity.place import Place
from llmseg.fidelity.rounding import compare_with_neighbours
from llmseg.files import as_list
from llmseg.zoo import Pipeline
from llmseg.zoo.given import find_pipeline

LEVELS = {
    "F1": "network",
    "F2": "data",
    "F3": "objective",
    "F4": "dynamics",
    "F5": "artefacts",
    "bookkeeping": "averaging and lists",
}
"""The levels and what each is about."""

USUAL_LEVELS = tuple(level for level in LEVELS if level != "F5")
"""What is checked if nothing else is said: all that decides numbers."""


@dataclass(frozen=True)
class Verdict:
    """Whether a level holds.

    Attributes:
        level: ``F1`` to ``F5`` or ``bookkeeping``.
        holds: Whether every value agrees.
        figures: Number of values compared.
        worst: Largest share of its tolerance that an agreeing value used, 0 to 1; of a check to the end, that any value
            used.
        worst_at: Where that was.
        diverged_before: Where trainings diverged that were tried before the one that holds; that one starts a unit in
            the last place beside the recorded weights. Empty if the first holds.
        divergence: The first value that diverges, as recorded and as measured; ``None`` if none does.
        beyond: Number of values beyond their tolerance; a check that ends with the first of them does not count it.

    Example:
        >>> from llmseg import zoo
        >>> from llmseg.fidelity import read_record
        >>> record = read_record("tests/golden/gpt-4.json")  # doctest: +SKIP
        >>> [verdict.holds for verdict in verify(zoo.get("gpt-4"), record, only="F1")]  # doctest: +SKIP
        [True]
    """

    level: str
    holds: bool
    figures: int
    worst: float
    worst_at: str
    diverged_before: tuple[str, ...]
    divergence: str | None
    beyond: int = 0

    def __str__(self) -> str:
        head = f"{self.level:<12}{LEVELS[self.level]:<21}"
        if self.holds:
            nearest_miss = f", at most {self.worst:.0%} of a tolerance ({self.worst_at})" if self.worst_at else ""
            tried = len(self.diverged_before)
            again = f"; up to rounding, in training {tried + 1}; first: {self.diverged_before[0]}" if tried else ""
            return f"{head}holds      {self.figures} figures{nearest_miss}{again}"
        share = f"; {self.beyond} of {self.figures} figures do, by up to {self.worst:.3g} times their tolerance"
        return f"{head}DIVERGES   {self.divergence}{share if self.beyond else ''}"


def verify(
    pipeline: Pipeline | str,
    record: dict[str, Any],
    *,
    store: Store | None = None,
    bookkeeping_store: Store | None = None,
    only: str | Iterable[str] = USUAL_LEVELS,
    device: str = "cpu",
    tf32: bool = False,
    to_the_end: bool = False,
    progress: bool = False,
) -> Iterator[Verdict]:
    """Check a pipeline against a record; yield a verdict per level as it is reached.

    Records were made on a CPU. A GPU rounds otherwise, so values of a training may lie beyond tolerances there. What is
    decoded, resized and split (F2), initial weights and the files of F5 are always made on the CPU. So are the random
    maps of dropout, for a GPU draws others from the same seed.

    Args:
        pipeline: The pipeline, or its name.
        record: A record of the original script, see :func:`llmseg.fidelity.read_record`.
        store: The images of the record's main run; needed for F2, F4 and F5.
        bookkeeping_store: The images of its bookkeeping run; needed for F5 and ``bookkeeping``.
        only: The levels to check.
        device: Where networks, losses and scores are computed: ``cpu``, ``cuda``, ``cuda:N`` or ``auto``.
        tf32: Let convolutions use TF32, as torch does by default on a GPU, and as the scripts did there.
        to_the_end: Go on after a value beyond its tolerance, so that the verdict says how far the values lie apart. F4
            then compares one training, and tries no neighbour.
        progress: Whether to show progress bars.

    Raises:
        UserError: A level is unknown, a store it needs is not given, or there is no such device.

    Example:
        >>> from llmseg.fidelity import read_record
        >>> record = read_record("tests/golden/gpt-4.json")  # doctest: +SKIP
        >>> for verdict in verify("gpt-4", record, only=["F1", "F3"]):  # doctest: +SKIP
        ...     print(verdict.level, verdict.holds)
        F1 True
        F3 True
    """
    known, wanted = find_pipeline(pipeline), tuple(as_list(only))
    _check_levels(wanted, store, bookkeeping_store)
    place = Place.of(device, tf32=tf32)
    checks: dict[str, Callable[[Comparison], None]] = {
        "F1": lambda comparison: levels.check_network(known, record, comparison, place),
        "F3": lambda comparison: levels.check_objective(known, record, comparison, place),
    }
    if store is not None:
        # A name of its own, as a type checker cannot know that the parameter is still no None when a check is called.
        images = store

        def measure(neighbour: int) -> Iterator[ComparedValue]:
            return dynamics.measure_dynamics(known, record, images, neighbour, progress=progress, place=place)

        checks["F2"] = lambda comparison: levels.check_data(known, record, images, comparison)

        def check_training(comparison: Comparison) -> None:
            with use_recorded_threads(record):
                compare_with_neighbours(comparison, measure)

        checks["F4"] = check_training
    if store is not None and bookkeeping_store is not None:
        both = store, bookkeeping_store
        checks["F5"] = lambda comparison: check_artefacts(known, record, *both, comparison)
    if bookkeeping_store is not None:
        bookkeeping_images = bookkeeping_store
        checks["bookkeeping"] = lambda comparison: dynamics.check_bookkeeping(
            known, record, bookkeeping_images, comparison, progress=progress, place=place
        )
    for level in LEVELS:
        if level in wanted:
            yield reach_verdict(level, checks[level], Comparison(to_the_end=to_the_end))


@contextmanager
def use_recorded_threads(record: Mapping[str, Any]) -> Iterator[None]:
    """Compute on as many threads as the record was made with, if it says so.

    Sums that are divided among threads round differently, and a training amplifies that from its first step: with one
    thread instead of two, a gradient may lie beyond its tolerance on some processors.

    Args:
        record: The record.
    """
    before, environment = torch.get_num_threads(), record.get("environment")
    recorded = environment.get("threads") if isinstance(environment, dict) else None
    torch.set_num_threads(recorded if isinstance(recorded, int) and recorded > 0 else before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _check_levels(wanted: tuple[str, ...], store: Store | None, bookkeeping_store: Store | None) -> None:
    for level in wanted:
        if level not in LEVELS:
            raise UserError(f"no level '{level}'{nearest(level, LEVELS)}; there are: {', '.join(LEVELS)}")
    if "F5" in wanted and (store is None or bookkeeping_store is None):
        raise UserError(
            "F5 needs the record's images and those of its bookkeeping run: give --images and --masks, and "
            "--bookkeeping-images and --bookkeeping-masks"
        )
    if store is None and {"F2", "F4"} & set(wanted):
        raise UserError("F2 and F4 need the record's images: give --images and --masks, or --level F1,F3")
    if bookkeeping_store is None and "bookkeeping" in wanted:
        raise UserError(
            "bookkeeping needs the images of that run: give --bookkeeping-images and --bookkeeping-masks, "
            "or --level F1,F2,F3,F4"
        )


def reach_verdict(level: str, check: Callable[[Comparison], None], comparison: Comparison) -> Verdict:
    divergence = None
    try:
        check(comparison)
        divergence = next(iter(comparison.beyond), None)
    except Divergence as diverged:
        divergence = str(diverged)
    except RuntimeError as error:
        # What torch refuses to compute, such as the cross-entropy of values that are no probabilities.
        divergence = f"cannot be computed: {str(error).splitlines()[0]}"
    return Verdict(
        level,
        holds=divergence is None,
        figures=comparison.count,
        worst=comparison.worst,
        worst_at=comparison.worst_at,
        diverged_before=comparison.diverged_before,
        divergence=divergence,
        beyond=len(comparison.beyond),
    )
