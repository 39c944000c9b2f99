"""Importing what nnU-Net has trained: its training curves, and its masks scored as those of everybody.

All results are imported in the same way, wherever they were trained: only if nnU-Net's own mean Dice follows from its
masks and the store, to the last bit.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from llmseg.data.holdout import Holdout
from llmseg.data.image_mask_pairs import CHANNEL
from llmseg.data.store import Store
from llmseg.data.subset import Subset
from llmseg.errors import UserError
from llmseg.evaluation.evaluate import evaluate_masks
from llmseg.evaluation.evaluation import Evaluation
from llmseg.files import (
    check_files,
    check_kind,
    encode_png,
    make_folder,
    read_json,
    read_json_if_any,
    write_bytes,
    write_text,
)
from llmseg.files.tables import read_table
from llmseg.nnunet.budget import Budget
from llmseg.nnunet.folder import BUDGET, NnunetTraining
from llmseg.nnunet.log import HISTORY, log_files, read_logs
from llmseg.nnunet.summary import ENDINGS, Summary, check_version, read_labels, reproduce_dice, strip_ending
from llmseg.study.conventions import all_conventions

if TYPE_CHECKING:
    import pandas as pd

NAME = "nnunet-v2"
"""What tables call nnU-Net with its own budget. Another budget follows after an @."""

RECORD = "imported.json"

_BEGUN = ".llmseg-import"


@dataclass(frozen=True)
class ImportedTraining:
    """A training of nnU-Net with the files of a run, and its evaluation.

    Attributes:
        folder: Holds ``imported.json`` (where the training comes from, and nnU-Net's own Dice), ``history.csv`` and
            ``timing.csv`` as a run has them, ``masks`` (0 and 255, named like the cases), and ``evaluation``, which
            :meth:`llmseg.stats.Table.from_evaluations` reads.
    """

    folder: Path

    @property
    def record(self) -> dict[str, Any]:
        """The content of ``imported.json``."""
        return read_json(self.folder / RECORD)

    @property
    def history(self) -> pd.DataFrame:
        """One row per epoch: ``epoch, train_loss, validation_loss, validation_score, rate``."""
        return read_table(self.folder / "history.csv", {"epoch": "whole"})

    @property
    def evaluation(self) -> Evaluation:
        """The scores of the cases."""
        return Evaluation.open(self.folder / "evaluation")


def import_training(training: NnunetTraining, store: Store, *, progress: bool = True) -> ImportedTraining:
    """Import a training of :func:`llmseg.nnunet.train_nnunet` whose test cases are predicted, into its own folder.

    Args:
        training: The training.
        store: The cases it was prepared from.
        progress: Whether to show progress bars.

    Raises:
        UserError: The training or its prediction has not ended, or as :func:`import_nnunet`.

    Example:
        >>> imported = import_training(training, store)  # doctest: +SKIP
        >>> imported.run.history  # doctest: +SKIP
    """
    baseline = training.baseline
    if not training.trained or not training.predicted.is_dir():
        lacking = "predicted its test cases" if training.trained else "ended"
        raise UserError(f"the training in {training.folder} has not {lacking}; give its command again")
    if store.digest != baseline.record["store"]["digest"]:
        raise UserError(f"{baseline.folder} was prepared from another store than {store.name} is now; give that one")
    batch_size = baseline.batch_size
    facts = {
        "budget": asdict(training.budget),
        "batch_size": batch_size,
        "images_seen": training.budget.images_seen(batch_size),
        "split": baseline.record["split"],
        "nnunetv2": baseline.record["nnunetv2"],
    }
    return import_nnunet(
        training.fold,
        store,
        training.folder,
        predictions=training.predicted,
        holdout=baseline.holdout,
        names=baseline.cases,
        label=choose_label(training.budget),
        seed=training.seed,
        facts=facts,
        progress=progress,
    )


def choose_label(budget: Budget) -> str:
    """Return what tables call nnU-Net with a budget.

    Example:
        >>> choose_label(Budget.of_epochs()), choose_label(Budget.of_epochs(2, 10))
        ('nnunet-v2', 'nnunet-v2@20-iterations-2-epochs')
    """
    return NAME if budget == Budget.of_epochs() else f"{NAME}@{budget.name}"


def import_nnunet(
    fold: str | Path,
    store: Store,
    out: str | Path,
    *,
    predictions: str | Path | None = None,
    holdout: Holdout | None = None,
    names: Mapping[str, str] | None = None,
    label: str = NAME,
    seed: int = 0,
    facts: Mapping[str, Any] | None = None,
    progress: bool = True,
) -> ImportedTraining:
    """Import the folder of a fold: curves from its logs, scores from its masks.

    First, nnU-Net's mean Dice of the validation cases (``foreground_mean`` in ``validation/summary.json``) is computed
    again from its masks and the store, by nnU-Net's own rule. If it is not the same to the last bit, nothing is
    imported. Then cases are scored as those of all pipelines are: the ones that ``predictions`` holds. Without
    ``predictions``, the validation cases are scored, and the evaluation says that the training has seen them.

    Args:
        fold: Folder with ``training_log_*.txt``, and ``validation`` with ``summary.json`` and masks.
        store: The cases, those of the validation among them.
        out: Folder of the results; earlier ones in it are replaced.
        predictions: Folder of nnU-Net's masks of test cases.
        holdout: The manifest of the test cases; without it, all masks in ``predictions`` are scored.
        names: Id of the case by the name of its file, without extension. By default, a file is called like its case.
        label: What tables call the training.
        seed: Seed of the training, which tells it from others with the same budget.
        facts: Further facts for ``imported.json``.
        progress: Whether to show progress bars.

    Raises:
        UserError: A file is missing or damaged, nnU-Net's Dice cannot be reproduced, there is more than one
            foreground label, or as :func:`llmseg.evaluation.evaluate_masks`.

    Example:
        >>> store = Hdf5Store("hrf.h5")  # doctest: +SKIP
        >>> import_nnunet("nnUNetTrainer__nnUNetPlans__2d/fold_0", store, "imported")  # doctest: +SKIP
    """
    fold, out = Path(fold), Path(out)
    check_free(out, [fold, *([] if predictions is None else [Path(predictions)])])
    check_version(fold)
    summary = Summary.read(fold / "validation" / "summary.json")
    # A case in a folder has the folder's name before its own, as nnU-Net has no folders in its datasets.
    ids = names or _name_cases(store)
    masks = _read_masks(fold / "validation", summary.label, ids, tuple(summary.counts))
    own_dice = reproduce_dice(summary, masks, store, ids)
    curves = read_logs(log_files(fold))
    scored = masks if predictions is None else _read_masks(Path(predictions), summary.label, ids)
    cases = store if holdout else Subset(store, tuple(sorted(ids[name] for name in scored)))
    check_files(out / "masks", "this import", [_name_mask(ids[name]) for name in scored])
    # Nothing is written before here, so a fold that is refused leaves nothing behind.
    make_folder(out)
    write_text(out / _BEGUN, "llmseg nnunet import is writing this folder, or was killed while it did\n")
    _write_masks(out / "masks", scored, ids)
    _write_curves(out, curves)
    evaluation = evaluate_masks(
        out / "masks",
        cases,
        out / "evaluation",
        label=label,
        holdout=holdout,
        seed=seed,
        overlap=_overlap(predictions, facts),
        rules=all_conventions(),
        progress=progress,
    )
    record = {
        "label": label,
        "seed": seed,
        "nnunet": {"foreground_mean": own_dice, "cases": len(summary.counts), "reproduced": True},
        "store": {"name": store.name, "cases": len(store.ids), "digest": store.digest},
        **(facts or {}),
        "dice": evaluation.record["means"]["native"]["dice"],
        "seconds": float(curves["seconds"].sum()),
    }
    write_text(out / RECORD, json.dumps(record, indent=2) + "\n")
    (out / _BEGUN).unlink(missing_ok=True)
    return ImportedTraining(out)


def check_free(out: Path, inputs: Sequence[Path]) -> None:
    """See that a training may be imported into a folder: it is new or empty, or has an import or a training of ours.

    Args:
        out: The folder.
        inputs: The folders that are read. They may lie in the folder only if that is a training of ours.

    Raises:
        UserError: The folder holds something else, or is one of the inputs or lies in one.
    """
    imported = read_json_if_any(out / RECORD).keys() >= {"label", "nnunet", "store"}
    trained = read_json_if_any(out / BUDGET).keys() >= {"seed", *(field.name for field in fields(Budget))}
    check_kind(out, "import of nnU-Net", holds=imported or trained or (out / _BEGUN).is_file())
    for place in (folder.resolve() for folder in inputs):
        inside = out.resolve() in place.parents and not trained
        if inside or place in (out.resolve(), *out.resolve().parents):
            raise UserError(f"{out} and {place}, which is read, lie within each other; choose an --out beside it")


def _write_curves(folder: Path, curves: pd.DataFrame) -> None:
    make_folder(folder)
    for name, columns in (("history", HISTORY), ("timing", ("epoch", "seconds"))):
        # 17 digits, as in the files of a run: enough to read every float64 back to the last bit.
        text = curves[list(columns)].to_csv(index=False, float_format="%.17g", lineterminator="\n")
        write_text(folder / f"{name}.csv", text)


def _overlap(predictions: str | Path | None, facts: Mapping[str, Any] | None) -> str | None:
    """Return in words whether the training may have seen the scored cases, ``None`` if it has not."""
    if predictions is None:
        return "these are the validation cases of the training"
    return None if facts and "split" in facts else "not known of predictions from elsewhere"


def _read_masks(
    folder: Path, label: int, ids: Mapping[str, str], wanted: tuple[str, ...] | None = None
) -> dict[str, np.ndarray]:
    """Return nnU-Net's masks in a folder by the names of their files.

    Args:
        folder: The folder.
        label: What means foreground in the masks.
        ids: Id of the case by the name of its file.
        wanted: Names of the files to read; all by default.

    Raises:
        UserError: A mask is missing, damaged, or of no case.
    """
    paths = {strip_ending(path.name): path for path in _list_visible(folder) if path.name.endswith(ENDINGS)}
    if wanted is None:
        wanted = tuple(paths)
    lacking = [name for name in wanted if name not in paths]
    if lacking or not wanted:
        first = f", first '{lacking[0]}'" if lacking else ""
        raise UserError(f"{len(lacking) or 'all'} masks are missing in {folder}{first}; predict them by nnU-Net first")
    strange = [name for name in wanted if name not in ids]
    if strange:
        raise UserError(
            f"{len(strange)} of {len(wanted)} masks in {folder} belong to no case of the store, first '{strange[0]}'; "
            f"files are called like cases, such as '{next(iter(ids))}'"
        )
    return {name: read_labels(paths[name], label) for name in wanted}


def _list_visible(folder: Path) -> list[Path]:
    # A Mac leaves a hidden ``._NAME`` beside every file.
    return sorted(path for path in folder.glob("*") if not path.name.startswith("."))


def _name_cases(store: Store) -> dict[str, str]:
    """Return the ids of a store by the names that nnU-Net gives to files of these cases.

    A store that was made of a raw dataset of nnU-Net has the channel in its ids, ``c00_0000.png``. nnU-Net's labels and
    predictions have no channel.
    """
    names = {Path(id).with_suffix("").as_posix().replace("/", "_"): id for id in store.ids}
    without_channel = {name.removesuffix(CHANNEL): id for name, id in names.items()}
    return without_channel if len(without_channel) == len(names) else names


def _name_mask(id: str) -> str:
    return Path(id).with_suffix(".png").as_posix()


def _write_masks(folder: Path, masks: Mapping[str, np.ndarray], ids: Mapping[str, str]) -> None:
    for name, mask in masks.items():
        path = folder / _name_mask(ids[name])
        make_folder(path.parent)
        write_bytes(path, encode_png(mask.astype(np.uint8) * 255))
