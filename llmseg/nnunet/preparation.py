"""Preparing a store for nnU-Net: split, raw dataset, plans, preprocessed cases."""

from __future__ import annotations

import json
import os
import re
import warnings
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from llmseg.data.draw_holdout import hold_out
from llmseg.data.holdout import Holdout
from llmseg.data.reading import ReadingWarning
from llmseg.data.store import Store
from llmseg.errors import UserError, name_first
from llmseg.files import check_kind, read_json_if_any, write_text
from llmseg.nnunet.folder import RECORD, Baseline
from llmseg.nnunet.launch import check_installed, installed_version, run_step
from llmseg.nnunet.raw import write_raw, write_split
from llmseg.recipe.recipe import Recipe
from llmseg.recipe.splits import Split
from llmseg.training.resume import lock_folder

VALIDATION = 0.2
"""Default share of the cases that are not held out, for validation."""


def prepare_nnunet(
    store: Store,
    out: str | Path,
    *,
    holdout: Holdout | None = None,
    recipe: Recipe | None = None,
    validation: float = VALIDATION,
    seed: int = 0,
    progress: bool = True,
) -> Baseline:
    """Convert a store for nnU-Net, and let nnU-Net plan and preprocess its 2D configuration.

    Held-out cases are removed first. The rest is split as a recipe splits it, so that nnU-Net trains and validates on
    the same cases as that pipeline; the cases that the recipe keeps for its own test are not used. Without a recipe,
    validation cases are drawn by group, as test cases are. The same call made again returns the folder as it is.

    Args:
        store: The cases.
        out: Folder of the baseline.
        holdout: The test cases; without it, a tenth is drawn by group.
        recipe: The recipe whose split is taken.
        validation: Share of validation cases, 0 to 1, where there is no recipe.
        seed: Seed of the draw or of the recipe's split, as for :func:`llmseg.train`.
        progress: Whether to show what is done.

    Raises:
        UserError: nnU-Net is missing, a part of the split is empty, masks are not 0 and 255, the folder holds something
            else, or nnU-Net fails.

    Warns:
        ReadingWarning: The split of the recipe divides groups.
    """
    check_installed()
    folder = Path(out)
    holdout = holdout or hold_out(store, progress=progress)
    split = _choose_split(store, holdout, recipe, validation, seed)
    names = {f"case_{index:05d}": id for index, id in enumerate(sorted(store.ids))}
    facts = {
        "store": {"name": store.name, "cases": len(store.ids), "digest": store.digest},
        "holdout": holdout.digest,
        "split": {part: list(ids) for part, ids in asdict(split).items()},
    }
    if _is_prepared(folder, facts):
        return Baseline(folder)
    with lock_folder(folder):
        record = {"status": "begun", "dataset": _name_dataset(store.name), "cases": names, **facts}
        record["nnunetv2"] = installed_version()
        _write_record(folder, record)
        holdout.save(folder / "holdout.json")
        _convert(store, Baseline(folder), split, names)
        run_step(folder, "plan", str(_count_processes(len(names))), log=folder / "plan.log", progress=progress)
        _write_record(folder, {**record, "status": "prepared"})
    return Baseline(folder)


def _convert(store: Store, baseline: Baseline, split: Split, names: Mapping[str, str]) -> None:
    by_id = {id: name for name, id in names.items()}
    parts = {part: {by_id[id]: id for id in ids} for part, ids in asdict(split).items()}
    raw, preprocessed = (baseline.folder / kind / baseline.dataset for kind in ("raw", "preprocessed"))
    write_raw(store, parts["train"] | parts["validation"], parts["test"], raw, baseline.folder / "test")
    write_split(preprocessed, list(parts["train"]), list(parts["validation"]))


def _choose_split(store: Store, holdout: Holdout, recipe: Recipe | None, validation: float, seed: int) -> Split:
    """Return what trains, what validates, and the held-out cases."""
    test, rest = holdout.test(store).ids, holdout.rest(store)
    if recipe is None:
        if len(set(rest.groups.values())) < 2:
            raise UserError(
                f"of {store.name}, {len(rest.ids)} cases of one group are left to train and validate on; "
                "hold fewer out (llmseg data split --fraction)"
            )
        drawn = hold_out(rest, fraction=validation, seed=seed)
        return Split(drawn.rest(rest).ids, drawn.test_ids, test)
    split = recipe_split(recipe, rest, seed)
    _warn_of_divided_groups(rest, split)
    return Split(split.train, split.validation, test)


def _warn_of_divided_groups(store: Store, split: Split) -> None:
    """Say which groups have cases in training and in validation: a recipe splits single cases."""
    training, validation = ({store.groups[id] for id in ids} for ids in (split.train, split.validation))
    divided = sorted(training & validation)
    if divided:
        warnings.warn(
            f"the split of the recipe divides {len(divided)} of {len(validation)} groups of its validation cases, "
            f"which have cases in training, too: {name_first(divided)}; nnU-Net's validation scores are too good then: "
            "without --split-of, validation cases are drawn by group",
            ReadingWarning,
            stacklevel=4,
        )


def recipe_split(recipe: Recipe, store: Store, seed: int) -> Split:
    """Return how a training of a recipe splits a store.

    Args:
        recipe: The recipe.
        store: The cases.
        seed: As for :func:`llmseg.train`; a recipe that seeds itself ignores it.

    Raises:
        UserError: There are too few cases, or a part is empty.

    Example:
        >>> from llmseg import zoo
        >>> from llmseg.data.synthetic import SyntheticStore
        >>> split = recipe_split(zoo.get("gpt-4").recipe, SyntheticStore("fundus", count=20), seed=0)
        >>> len(split.train), len(split.validation), len(split.test)
        (16, 2, 2)
    """
    import torch

    from llmseg.training.random_streams import choose_seed

    split = recipe.split(store.ids, torch.Generator().manual_seed(choose_seed(recipe.fit, seed)))
    empty = [part for part in ("train", "validation") if not getattr(split, part)]
    if empty:
        raise UserError(f"this recipe's split of {len(store.ids)} cases has no {empty[0]} cases; give more cases")
    return split


def _is_prepared(folder: Path, facts: Mapping[str, Any]) -> bool:
    """Return whether the folder is prepared from the same store, holdout and split.

    Raises:
        UserError: The folder holds something else.
    """
    record = read_json_if_any(folder / RECORD, ("status",))
    check_kind(folder, "dataset of nnU-Net", holds=bool(record))
    if not record:
        return False
    differing = [name for name, value in facts.items() if record.get(name) != value]
    if differing:
        raise UserError(f"{folder} is prepared with another {differing[0]}; choose another --out or move it away")
    return bool(record["status"] == "prepared")


def _write_record(folder: Path, record: Mapping[str, Any]) -> None:
    write_text(folder / RECORD, json.dumps(record, indent=1) + "\n")


def _count_processes(cases: int) -> int:
    """Return how many processes preprocess."""
    # Starting one takes as long as preprocessing fifty small cases. Eight is nnU-Net's own number for two dimensions.
    return max(1, min(os.cpu_count() or 1, 8, cases // 50))


def _name_dataset(store: str) -> str:
    # nnU-Net takes the number 001 for the dataset's id; a baseline has a folder of its own, so it is always the first.
    return f"Dataset001_{re.sub('[^A-Za-z0-9]+', '', store) or 'store'}"
