"""Which cases a run is scored on, and whether it has seen them before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmseg.data.holdout import Holdout
from llmseg.data.store import Store
from llmseg.data.store_images import digest_images
from llmseg.data.subset import Subset
from llmseg.training.run import Run
from llmseg.training.run_files import SEEN_DIGITS


def choose_cases(run: Run, store: Store, holdout: Holdout | None) -> Subset:
    """Return the held-out cases; without any, the run's own test part of the store it was trained on, else all cases.

    Raises:
        UserError: The store is not the one from which the cases were drawn.
    """
    if holdout:
        return holdout.test(store)
    own = run.record["store"]["digest"] == store.digest
    return Subset(store, run.split.test if own else tuple(store.ids))


def find_overlap(run: Run, store: Store, cases: Subset, holdout: Holdout | None) -> str | None:
    """Return why the cases may not be scored: the run has seen some, or does not say that it has not."""
    record, split = run.record, run.split
    # A run that held out this very set has seen none of it, whatever the cases are called. In all other runs names are
    # compared, and names alone clear a run only if it was trained on this very store.
    if holdout and record.get("holdout") == holdout.digest:
        return None
    seen = {*split.train, *split.validation}.intersection(cases.ids)
    if seen:
        return f"the run was trained or selected on {len(seen)} of these {len(cases.ids)} cases, first '{min(seen)}'"
    if record["store"]["digest"] != store.digest and (copies := _find_copies(record, cases)):
        return (
            f"the run was trained or selected on {len(copies)} of these {len(cases.ids)} images, under these or other "
            f"names, first '{copies[0]}'"
        )
    if holdout and record["store"]["digest"] != store.digest:
        return "the run does not say that these test cases were kept out of it; train with --holdout"
    return None


def _find_copies(record: Mapping[str, Any], cases: Subset) -> list[str]:
    """Return the cases whose pixels are those of an image that the run has seen, whatever the files are called.

    Runs of earlier versions do not say what their images were; of them, none is found.
    """
    seen = frozenset(record.get("seen_images", ()))
    if not seen:
        return []
    digests = digest_images(cases, cases.ids)
    return [id for id in cases.ids if digests[id][:SEEN_DIGITS] in seen]
