"""``evaluate_run`` and ``evaluate_masks``: score a run, or masks from elsewhere, on the cases of a store.

Everybody is scored in the same way: the measures are in ``measures.py``. What has seen the test cases is refused.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from llmseg.data.given import GivenHoldout, GivenStore, find_holdout, find_store
from llmseg.data.holdout import Holdout
from llmseg.data.origin import find_dataset_id
from llmseg.data.pixels import read_mask
from llmseg.data.reading import Foreground, Reading, ReadingWarning, find_contradiction
from llmseg.data.reading_check import check_reading
from llmseg.data.store import FOREGROUND, Store
from llmseg.data.store_source import find_reading
from llmseg.data.subset import Subset
from llmseg.errors import UserError
from llmseg.evaluation.cases import choose_cases, find_overlap
from llmseg.evaluation.conventions import PACKAGES, Convention
from llmseg.evaluation.evaluation import Evaluation, check_free, clear_evaluation, write_evaluation
from llmseg.evaluation.measures import EVALUATOR_VERSION
from llmseg.evaluation.predicted_masks import OPTION, check_masks, find_masks
from llmseg.evaluation.scoring import Prediction, score_predictions
from llmseg.files import read_json_if_any
from llmseg.prediction.predict import predict_maps
from llmseg.training.run import Run

THRESHOLD = 0.5
"""Probability above which a pixel counts as foreground."""

TOLERANCE = 2.0
"""Default tolerance of NSD in pixels."""


def evaluate_run(
    run: Run | str | Path,
    store: GivenStore,
    out: str | Path,
    *,
    holdout: GivenHoldout | None = None,
    allow_overlap: bool = False,
    tolerance: float = TOLERANCE,
    rules: Sequence[Convention] = PACKAGES,
    device: str = "auto",
    precision: str = "auto",
    progress: bool = True,
) -> Evaluation:
    """Let a run predict test cases, and score the masks.

    The cases are those of the held-out test set. Without one, they are the run's own test part if the store is the one
    it was trained on, else all cases of the store. Cases that the run was trained or selected on are refused.

    A case is scored twice: at the size of its image (``native``), and at the size of the network's output
    (``working``), to which the reference is resized by nearest neighbour. Foreground is a probability above one half,
    in the reference a value above 127.

    Args:
        run: A finished run, or its folder.
        store: The cases: a store, or a path as for :func:`llmseg.data.find_store`.
        out: Folder of the evaluation; an earlier evaluation in it is replaced.
        holdout: The held-out test set, or its manifest.
        allow_overlap: Score cases although the run may have seen them; ``evaluation.json`` then says so.
        tolerance: Distance in pixels up to which NSD counts a boundary as met.
        rules: The rules by which the mean Dice is taken again, for ``conventions.csv``; see
            :func:`llmseg.study.all_conventions` for those of the scripts.
        device: As for :func:`llmseg.predict`.
        precision: As for :func:`llmseg.predict`.
        progress: Whether to show progress bars.

    Raises:
        UserError: The run has seen the cases or does not say that they were held out, the store is not the one they
            were drawn from, a case cannot be read, or the disk is full.

    Example:
        >>> from llmseg import Hdf5Store, Holdout, Run, evaluate_run
        >>> run, store = Run.open("runs/gpt-4"), Hdf5Store("hrf.h5")  # doctest: +SKIP
        >>> evaluate_run(run, store, "evaluated", holdout=Holdout.load("hrf.json"))  # doctest: +SKIP
    """
    run, store = run if isinstance(run, Run) else Run.open(run), find_store(store)
    holdout = None if holdout is None else find_holdout(holdout)
    check_free(Path(out))
    check_reading(store, progress=progress)
    contradiction = find_contradiction(find_reading(store), run.reading)
    if contradiction:
        sentence = f"images are read otherwise than those the run was trained on: {contradiction}"
        warnings.warn(sentence, ReadingWarning, stacklevel=2)
    cases = choose_cases(run, store, holdout)
    overlap = find_overlap(run, store, cases, holdout)
    if overlap and not allow_overlap:
        raise UserError(f"{overlap}; give other cases, or --allow-overlap if that is what you want")
    # All refusals come before the first prediction, and nothing is written before the last: the maps are computed one
    # by one while ``score_predictions`` asks for them, and no two batches of them are in memory.
    maps = predict_maps(
        run.load_net(),
        run.recipe,
        cases.ids,
        lambda id: cases.read(id).image,
        device=device,
        precision=precision,
        progress=progress,
    )
    predictions = (Prediction(m.name, m.native > THRESHOLD, m.working > THRESHOLD) for m in maps)
    facts = {**_describe_run(run, cases, holdout, tolerance), "overlap": overlap, "prepared_as": find_dataset_id(store)}
    return write_evaluation(Path(out), list(score_predictions(predictions, cases, tolerance)), facts, rules)


def evaluate_run_once(
    run: Run,
    store: Store,
    out: str | Path,
    *,
    holdout: Holdout | None = None,
    allow_overlap: bool = False,
    tolerance: float = TOLERANCE,
    **options: Any,
) -> Evaluation:
    """Return the evaluation of a run that a folder holds; evaluate the run if the folder holds none.

    An evaluation is returned only if it says of itself that it is this one: of this run and these cases, with the same
    tolerance, by the same version of the evaluator. ``evaluation.json`` does not tell the device, the precision and the
    rules for ``conventions.csv``, so these are not compared.

    Args:
        run: A finished run.
        store: The cases.
        out: Folder of the evaluation.
        holdout: As for :func:`evaluate_run`.
        allow_overlap: As for :func:`evaluate_run`.
        tolerance: As for :func:`evaluate_run`.
        **options: The other options of :func:`evaluate_run`.

    Raises:
        UserError: The folder holds another evaluation, or as :func:`evaluate_run`.

    Example:
        >>> import llmseg
        >>> run, store = llmseg.Run.open("runs/gpt-o3"), llmseg.data.find_store("cohort.h5")  # doctest: +SKIP
        >>> evaluate_run_once(run, store, "scored/gpt-o3").scores  # doctest: +SKIP
    """
    earlier = read_json_if_any(Path(out) / "evaluation.json")
    if not earlier:
        options |= {"holdout": holdout, "allow_overlap": allow_overlap, "tolerance": tolerance}
        return evaluate_run(run, store, out, **options)
    cases = choose_cases(run, store, holdout)
    facts = {**_describe_run(run, cases, holdout, tolerance), "evaluator": EVALUATOR_VERSION, "cases": len(cases.ids)}
    _check_same(Path(out), earlier, facts)
    if earlier["overlap"] and not allow_overlap:
        raise UserError(f"{out} says that {earlier['overlap']}; give other cases, or --allow-overlap")
    clear_evaluation(Path(out))
    return Evaluation(Path(out))


def _check_same(folder: Path, earlier: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
    """Refuse an evaluation that is not the one that is asked for; two of them must not end up in one table."""
    for name, value in facts.items():
        if name not in earlier or earlier[name] != value:
            what = "number of cases" if name == "cases" else name.replace("_", " ").removesuffix(" digest")
            values = f" ({earlier.get(name)} there, {value} here)" if isinstance(value, int | float) else ""
            raise UserError(
                f"{folder} holds an evaluation with another {what}{values}; choose another --out or move it away"
            )


def evaluate_masks(
    masks: str | Path,
    store: GivenStore,
    out: str | Path,
    *,
    label: str = "",
    holdout: GivenHoldout | None = None,
    foreground: Foreground = None,
    tolerance: float = TOLERANCE,
    rules: Sequence[Convention] = PACKAGES,
    seed: int | None = None,
    overlap: str | None = "not known of masks",
    progress: bool = True,
) -> Evaluation:
    """Score masks from elsewhere, at the size of their images.

    Args:
        masks: Folder of masks. A mask has the name of its case, with any extension; names of folders are a part of it.
        store: The cases, as for :func:`evaluate_run`.
        out: Folder of the evaluation; an earlier evaluation in it is replaced.
        label: Name of what made the masks, for the column ``pipeline``; the folder's name if empty.
        holdout: The held-out test set, or its manifest; without it, all cases of the store are scored.
        foreground: Which values are foreground, if masks are not 0 and 255; as in
            :class:`llmseg.data.reading.Reading`.
        tolerance: Distance in pixels up to which NSD counts a boundary as met.
        rules: The rules by which the mean Dice is taken again, for ``conventions.csv``; see
            :func:`llmseg.study.all_conventions` for those of the scripts.
        seed: Seed or number of the training that the masks come from; tables need it.
        overlap: What is known of cases that this training has seen; ``None`` if it has seen none of them.
        progress: Whether to show a progress bar.

    Raises:
        UserError: A case has no mask, or one of another size; a mask cannot be read; or as :func:`evaluate_run`.

    Example:
        >>> evaluation = evaluate_masks("their/masks", "cohort.h5", "scored/theirs")  # doctest: +SKIP
        >>> evaluation.scores.groupby("measure")["value"].mean()  # doctest: +SKIP
    """
    store = find_store(store)
    holdout = None if holdout is None else find_holdout(holdout)
    check_free(Path(out))
    check_reading(store, progress=progress)
    cases = holdout.test(store) if holdout else Subset(store, tuple(store.ids))
    paths, reading = find_masks(Path(masks), cases.ids), Reading(foreground)
    check_masks(paths, reading)

    def read(id: str) -> Prediction:
        return Prediction(id, read_mask(paths[id], reading, OPTION) > FOREGROUND, None)

    ids = tqdm(cases.ids, desc="score", unit="case", disable=not progress)
    facts = {
        **_describe(cases, holdout, tolerance),
        "pipeline": label or Path(masks).resolve().name,
        "seed": seed,
        "overlap": overlap,
        "prepared_as": find_dataset_id(store),
    }
    return write_evaluation(Path(out), list(score_predictions(map(read, ids), cases, tolerance)), facts, rules)


def _describe(cases: Subset, holdout: Holdout | None, tolerance: float) -> dict[str, Any]:
    return {
        "dataset": cases.name,
        "store_digest": cases.whole.digest,
        "holdout": holdout.digest if holdout else None,
        "split": holdout.split if holdout else None,
        "threshold": THRESHOLD,
        "tolerance": tolerance,
    }


def _describe_run(run: Run, cases: Subset, holdout: Holdout | None, tolerance: float) -> dict[str, Any]:
    record = run.record
    return {
        **_describe(cases, holdout, tolerance),
        "pipeline": record["label"],
        "seed": record["seed"],
        "recipe_digest": record["recipe_digest"],
    }
