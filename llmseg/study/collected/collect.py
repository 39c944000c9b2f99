"""Collecting the finished cells of studies, without weights and images."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from llmseg.errors import UserError
from llmseg.evaluation.evaluation import Evaluation
from llmseg.files import as_list, nearest_path, read_json_if_any, show_if_slow
from llmseg.stats.checks import read_csv
from llmseg.stats.columns import BASE
from llmseg.study.collected.cell import CollectedCell, CollectedStudy, describe_device, digest_json
from llmseg.study.collected.files import check_out, read_collected, write_collected
from llmseg.study.collected.folder import HISTORY, SCORES, Collected, digest_frames, sort_cells
from llmseg.study.collected.merge import merge
from llmseg.study.collected.record import find_collected, holds_collected
from llmseg.study.launching.cells import Cell, list_finished
from llmseg.study.record import find_studies, list_cells
from llmseg.study.study import Study
from llmseg.training.code import UNKNOWN
from llmseg.training.resume import lock_folder
from llmseg.training.run import Run

_STUDY_FACTS = ("label", "variants", "epochs", "tolerance", "precision", "exact")

_RUN_FACTS = (
    *("label", "recipe_digest", "store", "reading", "prepared_as", "split_digest", "holdout", "seed", "start", "how"),
    *("parameters", "versions", "code", "hardware", "seconds", "joules", "memory_gb", "weights_digest"),
)
"""What is kept of ``run.json``: nothing that says where or when it was trained, or on which files."""


def collect_studies(folders: str | Path | Iterable[str | Path], out: str | Path) -> Collected:
    """Write the finished cells of studies as a collected study: scores, losses and facts, without weights and images.

    The folder grows: what it holds stays, and what is new is added. A cell one of whose digests has changed (of recipe,
    data, test cases, evaluator, code, device, numerics) is a new cell beside the old one.

    Args:
        folders: Studies, finished or not; folders that hold studies; collected studies. One, or several.
        out: The folder to write.

    Returns:
        What the folder holds now.

    Raises:
        UserError: There is no study, no cell is finished, the folder holds something else, two cells have the same
            digests and different results, or the disk is full. What was there before is kept.

    Example:
        >>> collect_studies("studies", "collected").cells  # doctest: +SKIP
    """
    return merge_studies(folders, out)


def merge_studies(
    folders: str | Path | Iterable[str | Path],
    out: str | Path,
    *,
    only: Mapping[str, Collection[str]] | None = None,
    prefer: str | Path | None = None,
) -> Collected:
    """Merge collected studies, and studies, of several machines and sittings. Neither order nor repetition matters.

    Args:
        folders: As for :func:`collect_studies`.
        out: The folder to write. Without ``only`` and ``prefer``, it may hold a collected study, which is merged, too.
        only: Cells that are kept, see :meth:`Collected.select`; all if empty.
        prefer: One of the folders. Of cells with the same contender and seed on the same dataset, its own are kept.

    Returns:
        What the folder holds now.

    Raises:
        UserError: As for :func:`collect_studies`, or a choice fits no cell or no folder.

    Example:
        >>> merge_studies(["cluster", "laptop"], "all")  # doctest: +SKIP
        >>> merge_studies("all", "on-gpu", only={"device": ["a1b2c3"]})  # doctest: +SKIP
    """
    given, out = [Path(folder) for folder in as_list(folders)], Path(out)
    check_out(out)
    if (only or prefer) and holds_collected(out):
        raise UserError(f"{out} holds a collected study, of which a choice could lose cells; choose a new --out")
    inside = [folder for folder in given if folder.resolve() in out.resolve().parents]
    if inside:  # a report of the folder would have everything twice
        raise UserError(f"{out} lies in {inside[0]}, which is read; choose an --out beside it")
    if prefer is not None and Path(prefer) not in given:
        raise UserError(f"{prefer} is none of the folders that are merged: {', '.join(map(str, given))}; name one")
    read = [(folder, _read_all(folder)) for folder in given]
    parts = [part for _, found in read for part in found]
    preferred = [name for folder, found in read if prefer is not None and folder == Path(prefer) for name, _ in found]
    if not any(part.cells for _, part in parts):
        raise UserError(f"no cell of {', '.join(map(str, given))} is finished yet; wait for one, see llmseg status")
    chosen = merge(parts, preferred).select(**(only or {}))  # before the folder is made, for this may refuse something
    with lock_folder(out):
        if holds_collected(out):
            chosen = merge([*parts, (str(out), read_collected(out))])
        write_collected(out, chosen)
    return chosen


def _read_all(folder: Path) -> list[tuple[str, Collected]]:
    """Return all studies in a folder, and all collected ones, each with its own folder."""
    found = [(str(inner), _read_study(Study(inner))) for inner in find_studies(folder)]
    found += [(str(inner), read_collected(inner)) for inner in find_collected(folder)]
    if not found:
        what = "it holds no study" if folder.is_dir() else f"no such folder{nearest_path(folder)}"
        raise UserError(f"{folder}: {what}; name the --out of llmseg study run, compare, ablate or study collect")
    return found


def _read_study(study: Study) -> Collected:
    """Return the finished cells of a study, and what it was to train."""
    record = study.record
    plan = CollectedStudy(
        dataset=record["store"]["name"],
        facts={
            **{name: record.get(name) for name in _STUDY_FACTS},
            **{"data": record["store"]["digest"], "holdout": record["holdout"]},
            # Most studies do not say these, and their keys stay what they were.
            **{name: record[name] for name in ("folds", "measures") if name in record},
        },
        variants={name: place for place, name in enumerate(record["variants"])},
        seeds=record["seeds"],
        failures=study.failures,
    )
    finished = list_finished(list_cells(study.folder, with_failed=True))
    shown = show_if_slow(finished, f"read {study.folder.name}", "cell")
    found = [*(_read_cell(plan, cell) for cell in shown), *(_read_beside(plan, own) for own in study.beside)]
    cells = {cell.key: cell for cell, *_ in found}
    return Collected(
        {plan.key: plan},
        sort_cells(list(cells.values()), {plan.key: plan}),
        {cell.recipe: recipe for cell, recipe, _, _ in found if cell.recipe is not None},
        {cell.key: scores for cell, _, scores, _ in found},
        {cell.key: history for cell, _, _, history in found},
    )


def _read_cell(plan: CollectedStudy, cell: Cell) -> tuple[CollectedCell, Mapping[str, Any], pd.DataFrame, pd.DataFrame]:
    run, evaluation = Run.open(cell.folder / "run"), Evaluation.open(cell.folder / "evaluation")
    record, how = run.record, dict(run.record["how"])
    scores, history = _read_scores(evaluation), run.history[list(HISTORY)].astype({"epoch": "int64"})
    device = describe_device(how.pop("device"), record.get("hardware", {}))
    versions = {name: version for name, version in record["versions"].items() if name != "llmseg"}
    collected = _make_cell(
        plan,
        evaluation,
        digest_frames(scores, history),
        variant=cell.variant,
        split=record.get("split_digest") or run.split.digest,
        recipe=record["recipe_digest"],
        code=record.get("code", UNKNOWN),
        device=digest_json(device),
        numerics=digest_json({"how": how, "versions": versions}),
        facts=_describe_run(run, cell),
    )
    return collected, record["recipe"], scores, history


def _read_beside(
    plan: CollectedStudy, evaluation: Evaluation
) -> tuple[CollectedCell, Mapping[str, Any], pd.DataFrame, pd.DataFrame]:
    """Return a contender that was not trained as a recipe, such as nnU-Net."""
    scores, history = _read_scores(evaluation), pd.DataFrame(columns=list(HISTORY)).astype(float)
    history = history.astype({"epoch": "int64"})
    imported = read_json_if_any(evaluation.folder.parent / "imported.json")
    version = imported.get("nnunetv2")
    facts: dict[str, Any] = {name: imported[name] for name in ("budget", "images_seen", "seconds") if name in imported}
    if evaluation.record["holdout"] in plan.folds:
        facts["fold"] = plan.folds.index(evaluation.record["holdout"]) + 1
    collected = _make_cell(
        plan,
        evaluation,
        digest_frames(scores, history),
        variant=BASE,
        split=None,
        recipe=None,
        code=f"nnunetv2 {version}" if version else UNKNOWN,
        device=None,
        numerics=None,
        facts={**facts, "prepared_as": evaluation.record.get("prepared_as")},
    )
    return collected, {}, scores, history


def _make_cell(plan: CollectedStudy, evaluation: Evaluation, results: str, **own: Any) -> CollectedCell:
    record = evaluation.record
    return CollectedCell(
        study=plan.key,
        dataset=record["dataset"],
        data=record["store_digest"],
        holdout=record["holdout"],
        pipeline=record["pipeline"],
        seed=record.get("seed"),
        evaluator=record["evaluator"],
        tolerance=record.get("tolerance"),
        results=results,
        **own,
    )


def _read_scores(evaluation: Evaluation) -> pd.DataFrame:
    """Return the scores of a cell, with the very numbers that a table of its study has."""
    if evaluation.scores.empty:  # refuses what are no scores
        raise UserError(f"{evaluation.folder} has no scores; evaluate it again")
    # By the reader of tables, for that of evaluations may give the last bit of a number otherwise.
    frame = read_csv(evaluation.folder / "scores.csv")
    value = pd.to_numeric(frame["value"], errors="coerce").astype(float)
    scores: pd.DataFrame = frame.assign(value=value)[list(SCORES)]
    return scores


def _describe_run(run: Run, cell: Cell) -> dict[str, Any]:
    """Return what is kept of a run besides its recipe and losses."""
    record, fit, split = run.record, run.recipe.fit, run.split
    kept = {name: record[name] for name in _RUN_FACTS if name in record}
    if isinstance(record.get("source"), Mapping):
        kept["source"] = {"kind": record["source"].get("kind")}
    sizes = {name: len(getattr(split, name)) for name in ("train", "validation", "test")}
    scored = read_json_if_any(cell.folder / "evaluation" / "evaluation.json")
    return {
        "run": kept,
        "cases": sizes,
        **{name: scored[name] for name in ("prepared_as",) if name in scored},
        "epochs": fit.epochs,
        "images_seen": fit.count_images(len(split.train)) * fit.epochs,
        "seconds": cell.seconds,
        **({"fold": cell.fold} if cell.fold else {}),
    }
