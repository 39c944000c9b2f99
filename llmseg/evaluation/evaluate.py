"""``evaluate_run`` and ``evaluate_masks``: score a run, or masks from elsewhere, on the cases of a store.

Everybody is scored in the same way: the measures are in ``measures.py``. What has seen the test cases is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tqdm import tqdm

from llmseg.data.holdout import Holdout
from llmseg.data.image_mask_pairs import CHANNEL, EXTENSIONS
from llmseg.data.mask_check import MaskFacts, judge_masks, measure_mask
from llmseg.data.origin import find_dataset_id
from llmseg.data.pixels import read_mask, read_mask_values
from llmseg.data.read_ahead import map_ahead
from llmseg.data.reading import Foreground, Reading
from llmseg.data.reading_check import check_reading
from llmseg.data.store import FOREGROUND, Store
from llmseg.data.subset import Subset
from llmseg.errors import UserError
from llmseg.evaluation.cases import choose_cases, find_overlap
from llmseg.evaluation.conventions import PACKAGES, Convention
from llmseg.evaluation.evaluation import Evaluation, ScoredCase, check_free, clear_evaluation, write_evaluation
from llmseg.evaluation.measures import EVALUATOR_VERSION, Counts, measure_case
from llmseg.files import read_json_if_any
from llmseg.prediction.predict import predict_maps
from llmseg.training.run import Run

THRESHOLD = 0.5
"""Probability above which a pixel counts as foreground."""

TOLERANCE = 2.0
"""Default tolerance of NSD in pixels."""

_OPTION = "--predicted-foreground"


@dataclass(frozen=True)
class _Prediction:
    """The predicted mask of a case.

    Attributes:
        case: Id of the case.
        native: bool ``[H, W]`` at the size of the image.
        working: bool ``[h, w]`` at the size of the network's output; ``None`` for masks from elsewhere.
    """

    case: str
    native: np.ndarray
    working: np.ndarray | None


def evaluate_run(
    run: Run | str | Path,
    store: Store,
    out: str | Path,
    *,
    holdout: Holdout | None = None,
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
        store: The cases.
        out: Folder of the evaluation; an earlier evaluation in it is replaced.
        holdout: The held-out test set.
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
    run = run if isinstance(run, Run) else Run.open(run)
    check_free(Path(out))
    check_reading(store, progress=progress)
    cases = choose_cases(run, store, holdout)
    overlap = find_overlap(run, store, cases, holdout)
    if overlap and not allow_overlap:
        raise UserError(f"{overlap}; give other cases, or --allow-overlap if that is what you want")
    # All refusals come before the first prediction, and nothing is written before the last: the maps are computed one
    # by one while ``_score_predictions`` asks for them, and no two batches of them are in memory.
    maps = predict_maps(
        run.load_net(),
        run.recipe,
        cases.ids,
        lambda id: cases.read(id).image,
        device=device,
        precision=precision,
        progress=progress,
    )
    predictions = (_Prediction(m.name, m.native > THRESHOLD, m.working > THRESHOLD) for m in maps)
    facts = {**_describe_run(run, cases, holdout, tolerance), "overlap": overlap, "prepared_as": find_dataset_id(store)}
    return write_evaluation(Path(out), list(_score_predictions(predictions, cases, tolerance)), facts, rules)


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
    store: Store,
    out: str | Path,
    *,
    label: str = "",
    holdout: Holdout | None = None,
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
        store: The cases.
        out: Folder of the evaluation; an earlier evaluation in it is replaced.
        label: Name of what made the masks, for the column ``pipeline``; the folder's name if empty.
        holdout: The held-out test set; without it, all cases of the store are scored.
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
    """
    check_free(Path(out))
    check_reading(store, progress=progress)
    cases = holdout.test(store) if holdout else Subset(store, tuple(store.ids))
    paths, reading = _find_masks(Path(masks), cases.ids), Reading(foreground)
    _check_predicted(paths, reading)

    def read(id: str) -> _Prediction:
        return _Prediction(id, read_mask(paths[id], reading, _OPTION) > FOREGROUND, None)

    ids = tqdm(cases.ids, desc="score", unit="case", disable=not progress)
    facts = {
        **_describe(cases, holdout, tolerance),
        "pipeline": label or Path(masks).resolve().name,
        "seed": seed,
        "overlap": overlap,
        "prepared_as": find_dataset_id(store),
    }
    return write_evaluation(Path(out), list(_score_predictions(map(read, ids), cases, tolerance)), facts, rules)


def _check_predicted(paths: Mapping[str, Path], reading: Reading) -> None:
    """Refuse masks that could be read in two ways, or of which none has the value that is said to be foreground."""

    def measure(path: Path) -> MaskFacts:
        return measure_mask(read_mask_values(path, reading), str(path), reading, _OPTION)

    refusal = judge_masks(list(map_ahead(measure, paths.values())), reading, _OPTION, predicted=True)
    if refusal:
        raise UserError(f"predicted: {refusal}")


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


def _score_predictions(predictions: Iterable[_Prediction], cases: Subset, tolerance: float) -> Iterator[ScoredCase]:
    def score(prediction: _Prediction) -> list[ScoredCase]:
        reference = cases.read(prediction.case).mask > FOREGROUND
        if prediction.native.shape != reference.shape:
            height, width = prediction.native.shape
            raise UserError(
                f"the mask of '{prediction.case}' is {width}x{height}, the case "
                f"{reference.shape[1]}x{reference.shape[0]} (width x height); make them equal"
            )
        pairs = {"native": (prediction.native, reference)}
        if prediction.working is not None:
            pairs["working"] = (prediction.working, _resize_nearest(reference, prediction.working.shape))
        group = cases.groups[prediction.case]
        return [
            ScoredCase(prediction.case, group, size, measure_case(*pair, tolerance=tolerance), Counts.of(*pair))
            for size, pair in pairs.items()
        ]

    for scores in map_ahead(score, predictions):
        yield from scores


def _resize_nearest(mask: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """Bring a mask, bool ``[H, W]``, to another height and width by its nearest pixels."""
    resized = Image.fromarray(mask).resize((shape[1], shape[0]), Image.Resampling.NEAREST)
    return np.asarray(resized, dtype=bool)


def _find_masks(folder: Path, ids: Sequence[str]) -> dict[str, Path]:
    """Return the mask file of every case."""
    if not folder.is_dir():
        raise UserError(f"no folder of masks {folder}")
    # Hidden files are passed over as everywhere: a Mac leaves a ``._NAME`` beside every file.
    found = (path for path in folder.rglob("*") if not path.name.startswith("."))
    files = sorted(path for path in found if path.suffix.lower() in EXTENSIONS and path.is_file())
    stems = {id: Path(id).with_suffix("").as_posix() for id in ids}
    by_name = {path.relative_to(folder).with_suffix("").as_posix(): path for path in files}
    if len(by_name) < len(files):
        raise UserError(f"{folder} has two masks of one name with different extensions; keep one")
    # Ids of a store made of nnU-Net's raw files have the channel; its predictions do not.
    cases = set(stems.values())
    without_channel = {name: name.removesuffix(CHANNEL) for name in cases if name.removesuffix(CHANNEL) not in cases}
    by_case = {id: by_name.get(name, by_name.get(without_channel.get(name, name))) for id, name in stems.items()}
    lacking = [id for id, path in by_case.items() if path is None]
    if lacking:
        raise UserError(
            f"{len(lacking)} of {len(ids)} cases have no mask in {folder}, first '{lacking[0]}'; "
            f"masks are called as cases are, such as '{Path(ids[0]).with_suffix('.png')}'"
        )
    return {id: path for id, path in by_case.items() if path is not None}
