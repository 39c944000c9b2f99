"""The probes: questions that are put to scripts by changing the cases that they are given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from llmseg.admission.observing import Phantoms
from llmseg.admission.probes.bench import Bench
from llmseg.admission.probes.reading import (
    probe_corrupt_files,
    probe_exchanged_masks,
    probe_extreme_masks,
    probe_formats,
)
from llmseg.admission.probes.result import ProbeResult
from llmseg.admission.probes.scoring import probe_empty_training, probe_own_formula, probe_repeated_prediction
from llmseg.admission.probes.unseen import (
    probe_exchanged_masks_unseen,
    probe_formats_unseen,
    probe_listing_unseen,
)
from llmseg.admission.probes.weights import probe_again, probe_listing, probe_test_part, probe_validation_part
from llmseg.admission.sandbox import Limits
from llmseg.errors import UserError, nearest

Check = Callable[[Bench], ProbeResult]


@dataclass(frozen=True)
class Probe:
    """A question that is put to scripts by changing their cases.

    Attributes:
        id: ``"P1"`` to ``"P11"``.
        title: What is done, and what a sound script does then.
        finds: The numbers of the silent mistakes that it can show.
        check: Makes the runs and compares them.

    Example:
        >>> PROBES["P2"].title, PROBES["P2"].finds
        ('other images and masks in the test part: the same weights', (7, 9, 10, 11))
    """

    id: str
    title: str
    finds: tuple[int, ...]
    check: Check


def _by_sight(seen: Check, unseen: Check) -> Check:
    """Return the check for scripts whose batches are seen, or the one for others, as soon as that is known."""

    def check(bench: Bench) -> ProbeResult:
        return (seen if bench.unchanged.sees_batches else unseen)(bench)

    return check


_EXCHANGED = _by_sight(probe_exchanged_masks, probe_exchanged_masks_unseen)
_LISTING = _by_sight(probe_listing, probe_listing_unseen)
_FORMATS = _by_sight(probe_formats, probe_formats_unseen)

_ALL = (
    Probe("P1", "the same run again: the same weights", (), probe_again),
    Probe("P2", "other images and masks in the test part: the same weights", (7, 9, 10, 11), probe_test_part),
    Probe("P3", "inverted masks in the validation part: the same first epoch", (9, 18), probe_validation_part),
    Probe("P4", "masks exchanged among cases: another loss", (6, 15), _EXCHANGED),
    Probe("P5", "another order of listings: the same pairs", (1,), _LISTING),
    Probe("P6", "predicting again, in batches of 1 and of 2: the same masks", (7,), probe_repeated_prediction),
    Probe("P7", "masks of 0 and 1, in colour, with noise: the same masks or an error", (6,), _FORMATS),
    Probe("P8", "an empty and a full mask: finite losses and scores", (), probe_extreme_masks),
    Probe("P9", "a file that is no image: an error or a word", (21,), probe_corrupt_files),
    Probe("P10", "the test score: what a usual formula gives on the same outputs", (), probe_own_formula),
    Probe("P11", "empty masks in the training part: other scores", (22,), probe_empty_training),
)

PROBES: dict[str, Probe] = {probe.id: probe for probe in _ALL}
"""The probes by id."""


def run_probes(
    folder: str | Path,
    out: str | Path,
    *,
    probes: Iterable[str] | None = None,
    phantoms: Phantoms | None = None,
    limits: Limits | None = None,
    rung: str | None = None,
) -> Iterator[ProbeResult]:
    """Put questions to a folder of scripts, each by some runs in the sandbox, and yield a result at a time.

    Args:
        folder: The folder of the scripts. It is only read.
        out: Where the runs are kept. With the same folder again, those that are there are not made again.
        probes: Ids of :data:`PROBES`; ``None`` for all.
        phantoms: The cases; ``None`` for twenty with as many channels as the scripts seem to want.
        limits: How much a run may use; ``None`` for the usual limits.
        rung: The sandbox; ``None`` for the best one that this computer has.

    Raises:
        UserError: There is no such probe or sandbox, or the scripts cannot be started.

    Example:
        >>> for result in run_probes("answers/my-llm", "probed", probes=["P2"]):  # doctest: +SKIP
        ...     print(result)
        P2 holds: weights are the same with other pixels in 2 test cases
    """
    chosen = list(PROBES if probes is None else probes)
    for id in chosen:
        if id not in PROBES:
            raise UserError(f"there is no probe '{id}'{nearest(id, PROBES)}; there are {', '.join(PROBES)}")
    bench = Bench.of(folder, out, phantoms=phantoms, limits=limits, rung=rung)
    for id in chosen:
        yield PROBES[id].check(bench)
