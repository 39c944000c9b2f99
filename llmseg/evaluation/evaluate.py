"""Scoring everybody the same way: a run, or masks that came from elsewhere, on the cases of a store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tqdm import tqdm

from llmseg.data.holdout import Holdout
from llmseg.data.image_mask_pairs import EXTENSIONS
from llmseg.data.pixels import read_mask
from llmseg.data.read_ahead import map_ahead
from llmseg.data.store import FOREGROUND, Store
from llmseg.data.subset import Subset
from llmseg.errors import UserError
from llmseg.evaluation.conventions import PACKAGES, Convention
from llmseg.evaluation.evaluation import FILES, Evaluation, ScoredCase, write_evaluation
from llmseg.evaluation.measures import EVALUATOR_VERSION, Counts, measure_case
from llmseg.files import check_files, read_json_if_any
from llmseg.prediction.predict import predict_maps
from llmseg.training.run import Run

THRESHOLD = 0.5
"""Probability above which a pixel counts as foreground."""

TOLERANCE = 2.0
"""Default tolerance of NSD in pixels."""


@dataclass(frozen=True)
class _Predicted:
    """A prediction: bool ``[H, W]`` on the image's own grid, and ``[h, w]`` on the network's if there is one."""

    case: str
    native: np.ndarray
    working: np.ndarray | None


def evaluate_run(
    run: Run,
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
    """Predict test cases by a run and score them.

    The cases are those that a manifest holds out; without one, the run's own test part if this is the store it was
    trained on, else all. Cases the run was trained or selected on are refused.

    A case is scored on its image's own grid, and at the size of the network's output, to which the reference is brought
    by nearest neighbour. A pixel is foreground above a probability of one half, in the reference above 127.

    Args:
        run: A finished run.
        store: The cases.
        out: Folder of the evaluation; an earlier evaluation in it is replaced.
        holdout: The manifest of the test cases.
        allow_overlap: Score cases although the run may have seen them; the record says so.
        tolerance: Distance in pixels up to which NSD counts a boundary as met.
        rules: By which the mean Dice is computed again, for ``conventions.csv``; see
            :func:`llmseg.study.all_conventions` for those of the scripts.
        device: As for :func:`llmseg.predict`.
        precision: As for :func:`llmseg.predict`.
        progress: Whether to show progress bars.

    Raises:
        UserError: The run has seen the cases or does not say that they were kept out, the store is not that of the
            manifest, a case cannot be read, or the disk is full.

    Example:
        >>> from llmseg import Hdf5Store, Holdout, Run, evaluate_run
        >>> run, store = Run.open("runs/gpt-4"), Hdf5Store("hrf.h5")  # doctest: +SKIP
        >>> evaluate_run(run, store, "evaluated", holdout=Holdout.load("hrf.json"))  # doctest: +SKIP
    """
    check_files(Path(out), "an evaluation", FILES)
    cases = _cases_of(run, store, holdout)
    overlap = _overlap(run, store, cases, holdout)
    if overlap and not allow_overlap:
        raise UserError(f"{overlap}; give other cases, or --allow-overlap if that is what you want")
    maps = predict_maps(
        run.load_net(),
        run.recipe,
        cases.ids,
        lambda id: cases.read(id).image,
        device=device,
        precision=precision,
        progress=progress,
    )
    predicted = (_Predicted(one.name, one.native > THRESHOLD, one.working > THRESHOLD) for one in maps)
    facts = {**_run_facts(run, cases, holdout, tolerance), "overlap": overlap}
    return write_evaluation(Path(out), list(_scored(predicted, cases, tolerance)), facts, rules)


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
    cases = _cases_of(run, store, holdout)
    facts = {**_run_facts(run, cases, holdout, tolerance), "evaluator": EVALUATOR_VERSION, "cases": len(cases.ids)}
    _check_same(Path(out), earlier, facts)
    if earlier["overlap"] and not allow_overlap:
        raise UserError(f"{out} says that {earlier['overlap']}; give other cases, or --allow-overlap")
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
    foreground: int | None = None,
    tolerance: float = TOLERANCE,
    rules: Sequence[Convention] = PACKAGES,
    seed: int | None = None,
    overlap: str | None = "not known of masks",
    progress: bool = True,
) -> Evaluation:
    """Score masks that came from elsewhere, on their images' own grid.

    Args:
        masks: Folder of masks, named like the cases but for the extension; folders in it count as a part of the name.
        store: The cases.
        out: Folder of the evaluation; an earlier evaluation in it is replaced.
        label: What the rows call whatever made the masks; the folder's name if empty.
        holdout: The manifest of the test cases; without it, all cases of the store are scored.
        foreground: Mask value that means foreground, for masks that are not 0 and 255.
        tolerance: Distance in pixels up to which NSD counts a boundary as met.
        rules: By which the mean Dice is computed again, for ``conventions.csv``; see
            :func:`llmseg.study.all_conventions` for those of the scripts.
        seed: Seed or number of the training behind the masks, which a table needs.
        overlap: What is known of cases that this training has seen; ``None`` if it has seen none.
        progress: Whether to show a progress bar.

    Raises:
        UserError: A case has no mask, or one of another size; a mask cannot be read; or as :func:`evaluate_run`.
    """
    check_files(Path(out), "an evaluation", FILES)
    cases = holdout.test(store) if holdout else Subset(store, tuple(store.ids))
    paths = _mask_paths(Path(masks), cases.ids)

    def read(id: str) -> _Predicted:
        return _Predicted(id, read_mask(paths[id], foreground) > FOREGROUND, None)

    shown = tqdm(cases.ids, desc="score", unit="case", disable=not progress)
    facts = {
        **_facts(cases, holdout, tolerance),
        "pipeline": label or Path(masks).resolve().name,
        "seed": seed,
        "overlap": overlap,
    }
    return write_evaluation(Path(out), list(_scored(map(read, shown), cases, tolerance)), facts, rules)


def _facts(cases: Subset, holdout: Holdout | None, tolerance: float) -> dict[str, Any]:
    return {
        "dataset": cases.name,
        "store_digest": cases.whole.digest,
        "holdout": holdout.digest if holdout else None,
        "split": holdout.split if holdout else None,
        "threshold": THRESHOLD,
        "tolerance": tolerance,
    }


def _run_facts(run: Run, cases: Subset, holdout: Holdout | None, tolerance: float) -> dict[str, Any]:
    record = run.record
    return {
        **_facts(cases, holdout, tolerance),
        "pipeline": record["label"],
        "seed": record["seed"],
        "recipe_digest": record["recipe_digest"],
    }


def _cases_of(run: Run, store: Store, holdout: Holdout | None) -> Subset:
    if holdout:
        return holdout.test(store)
    own = run.record["store"]["digest"] == store.digest
    return Subset(store, run.split.test if own else tuple(store.ids))


def _overlap(run: Run, store: Store, cases: Subset, holdout: Holdout | None) -> str | None:
    """Say why cases may not be scored: the run has seen them, or does not say that it has not."""
    record, split = run.record, run.split
    if holdout and record.get("holdout") == holdout.digest:
        return None
    seen = {*split.train, *split.validation}.intersection(cases.ids)
    if seen:
        return f"the run was trained or selected on {len(seen)} of these {len(cases.ids)} cases, first '{min(seen)}'"
    if holdout and record["store"]["digest"] != store.digest:
        return "the run does not say that these test cases were kept out of it; train with --holdout"
    return None


def _scored(predicted: Iterable[_Predicted], cases: Subset, tolerance: float) -> Iterator[ScoredCase]:
    def score(one: _Predicted) -> list[ScoredCase]:
        reference = cases.read(one.case).mask > FOREGROUND
        if one.native.shape != reference.shape:
            raise UserError(
                f"the mask of '{one.case}' is {one.native.shape[1]}x{one.native.shape[0]}, the case "
                f"{reference.shape[1]}x{reference.shape[0]} (width x height); make them equal"
            )
        pairs = {"native": (one.native, reference)}
        if one.working is not None:
            pairs["working"] = (one.working, _resized(reference, one.working.shape))
        group = cases.groups[one.case]
        return [
            ScoredCase(one.case, group, size, measure_case(*pair, tolerance=tolerance), Counts.of(*pair))
            for size, pair in pairs.items()
        ]

    for scores in map_ahead(score, predicted):
        yield from scores


def _resized(mask: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """Bring a mask, bool ``[H, W]``, to another height and width by its nearest pixels."""
    resized = Image.fromarray(mask).resize((shape[1], shape[0]), Image.Resampling.NEAREST)
    return np.asarray(resized, dtype=bool)


def _mask_paths(folder: Path, ids: Sequence[str]) -> dict[str, Path]:
    """Return the mask file of every case."""
    if not folder.is_dir():
        raise UserError(f"no folder of masks {folder}")
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in EXTENSIONS and path.is_file())
    by_name = {path.relative_to(folder).with_suffix("").as_posix(): path for path in files}
    if len(by_name) < len(files):
        raise UserError(f"{folder} has two masks of one name with different extensions; keep one")
    found = {id: by_name.get(Path(id).with_suffix("").as_posix()) for id in ids}
    lacking = [id for id, path in found.items() if path is None]
    if lacking:
        raise UserError(
            f"{len(lacking)} of {len(ids)} cases have no mask in {folder}, first '{lacking[0]}'; "
            f"masks are called as cases are, such as '{Path(ids[0]).with_suffix('.png')}'"
        )
    return {id: path for id, path in found.items() if path is not None}
