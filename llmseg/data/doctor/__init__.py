"""The examination of a dataset (``llmseg data doctor``): what could spoil a training or a score, found before either.

Example:
    >>> from llmseg.data.synthetic import SyntheticStore
    >>> print(examine(SyntheticStore("dermoscopy", count=2)).text())  # doctest: +ELLIPSIS
    synthetic-dermoscopy: 2 cases in 2 groups, 2 of them readable
    ...
    no errors and no warnings: nothing to mend
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from llmseg.data.catalog import dataset_names
from llmseg.data.doctor.checks import FACT_CHECKS, check_orphans, check_unreadable
from llmseg.data.doctor.facts import CaseFacts, UnreadableCase, measure_cases
from llmseg.data.doctor.findings import SEVERITIES, Examination, Finding, Severity, Tally
from llmseg.data.doctor.leaks import (
    check_equal_images,
    check_group_overlap,
    check_names,
    check_near_images,
    check_repeated_masks,
    check_unassigned,
)
from llmseg.data.folder import FolderStore
from llmseg.data.hdf5 import Hdf5Store
from llmseg.data.reading_check import examine_reading, warn_of_files
from llmseg.data.store import Store
from llmseg.errors import UserError, nearest

__all__ = ["Examination", "Finding", "Severity", "Tally", "examine"]

PERCENTILES = (0, 5, 25, 50, 75, 95, 100)
"""Percentiles of the share of foreground that are reported."""


def examine(
    store: Store, *, parts: Mapping[str, str] | None = None, unpaired: Sequence[str] = (), progress: bool = False
) -> Examination:
    """Read every case of a store once, and report what could spoil a training or a score.

    Cases that cannot be read are reported, too. Threads decode. Of each case some 2 kB are kept, whatever its size.
    How duplicates are found is said in :mod:`llmseg.data.duplicates`.

    Args:
        store: The cases.
        parts: For each id the part that the case is in, such as ``"train"`` or ``"test"``. Ids may be left out.
        unpaired: Files without a partner, see :attr:`llmseg.data.folder.FolderStore.unpaired`.
        progress: Whether to show a progress bar.

    Raises:
        UserError: ``parts`` names a case that the store does not have.

    Example:
        >>> from llmseg.data.synthetic import SyntheticStore
        >>> store = SyntheticStore("endoscopy", count=2)
        >>> examination = examine(store, parts={"001.png": "train", "002.png": "test"})
        >>> [(finding.kind, finding.severity, finding.count) for finding in examination.of("error")]
        [('group-overlap', 'error', 1)]
    """
    ids, parts = store.ids, dict(parts or {})
    _check_parts(parts, store)
    groups_of_store = store.groups
    # A store from outside may name no group for a case; then the case is a group of its own.
    groups = {id: groups_of_store.get(id, id) for id in ids}
    cases = list(measure_cases(store, progress=progress))
    facts = [case for case in cases if isinstance(case, CaseFacts)]
    findings = [
        *check_unreadable([case for case in cases if isinstance(case, UnreadableCase)], facts),
        *(finding for check in FACT_CHECKS for finding in check(facts)),
        *check_equal_images(facts, groups, parts),
        *check_near_images(facts, groups, parts),
        *check_repeated_masks(facts, groups),
        *check_group_overlap(groups, parts),
        *(() if _is_known_dataset(store) else check_names(groups)),
        *check_unassigned(ids, parts),
        *check_orphans(unpaired),
        *_check_reading(store, progress),
    ]
    return Examination(
        name=store.name,
        cases=len(ids),
        readable=len(facts),
        groups=len(set(groups.values())),
        parts=tuple(sorted(Counter(parts.values()).items())),
        sizes=Tally.of(case.size for case in facts),
        channels=tuple(sorted(Counter(case.channels for case in facts).items())),
        values=Tally.of(value for case in facts for value in case.values),
        shares=_percentiles([case.share for case in facts]),
        findings=tuple(sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))),
    )


def _is_known_dataset(store: Store) -> bool:
    """Return whether a store was prepared as a dataset of the catalogue, which knows what belongs together."""
    return isinstance(store, Hdf5Store) and store.provenance.get("dataset") in dataset_names()


def _check_reading(store: Store, progress: bool) -> Iterator[Finding]:
    """Report what training and scoring would refuse, or warn of, because files could be read in two ways."""
    if isinstance(store, (FolderStore, Hdf5Store)):
        check = examine_reading(store, skip=True, progress=progress)
        if check.refusal:
            yield Finding("reading", "error", check.refusal, len(store.ids))
        for sentence in (*check.warnings, *warn_of_files(store)):
            yield Finding("reading", "warning", sentence, len(store.ids))


def _check_parts(parts: Mapping[str, str], store: Store) -> None:
    unknown = sorted(set(parts) - set(store.ids))
    if unknown:
        raise UserError(
            f"{len(unknown)} of {len(parts)} cases with a part are not in {store.name}, first '{unknown[0]}'; it has "
            f"{len(store.ids)}, first '{store.ids[0]}'{nearest(unknown[0], store.ids)}; give the parts of this store"
        )


def _percentiles(shares: Sequence[float]) -> tuple[tuple[int, float], ...]:
    if not shares:
        return ()
    return tuple(zip(PERCENTILES, np.percentile(shares, PERCENTILES).tolist(), strict=True))
