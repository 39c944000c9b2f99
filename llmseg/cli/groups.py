"""What the command line says about groups: that cases are taken as independent, or that a split divides groups."""

from __future__ import annotations

import shlex

import llmseg
from llmseg.data.group_names import propose_pattern
from llmseg.data.groups import has_groups
from llmseg.files.notes import note


def note_independent_cases(store: llmseg.Store) -> None:
    """Say that test cases are drawn as if all cases were independent, if the store has no groups."""
    if has_groups(store) or isinstance(store, llmseg.SyntheticStore):
        return
    pattern = propose_pattern(store.ids)
    how = f"--group={shlex.quote(pattern)} (a guess from their names)" if pattern else "--group PATTERN"
    where = "llmseg data prepare with " if isinstance(store, llmseg.Hdf5Store) else ""
    note(
        f"note: no groups are known, so the {len(store.ids)} cases of {store.name} are taken as independent; "
        f"if several are of one patient or video, say so by {where}{how} or --groups TABLE.csv"
    )


def note_divided_groups(run: llmseg.Run, store: llmseg.Store, holdout: llmseg.Holdout | None) -> None:
    """Say that a recipe's own split puts cases of one group on both sides, if no test cases are held out by group."""
    groups = store.groups
    if not groups.keys() >= {*run.split.test, *run.split.train}:  # they are of another store
        return
    test, train = ({groups[id] for id in ids} for ids in (run.split.test, run.split.train))
    if holdout is None and test & train:
        note(
            f"note: the recipe splits single cases: {len(test & train)} of {len(test)} groups of its test cases are in "
            "its training cases, too; for scores on new patients or videos, hold cases out by llmseg data split"
        )
