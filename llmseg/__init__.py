"""Segmentation pipelines written by large language models, as values one can replay, ablate and compare.

Example:
    >>> import llmseg
    >>> pipeline = llmseg.zoo.get("gemini-2.5-pro")
    >>> pipeline.recipe.fit.batch_size
    8
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from llmseg.version import __version__

if TYPE_CHECKING:
    from llmseg import zoo
    from llmseg.data.cache import CacheEntry, cache_entries, cache_folder, clear_cache
    from llmseg.data.catalog import dataset_names, get_dataset
    from llmseg.data.catalog.dataset import Dataset
    from llmseg.data.doctor import examine
    from llmseg.data.download.prepare import prepare_dataset
    from llmseg.data.folder import FolderStore
    from llmseg.data.hdf5 import Hdf5Store
    from llmseg.data.holdout import Holdout, hold_out
    from llmseg.data.store import Case, Store
    from llmseg.data.subset import Subset
    from llmseg.data.synthetic import SyntheticStore
    from llmseg.errors import Terminated, UserError
    from llmseg.evaluation.conventions import compare_conventions, conventions, stability_index
    from llmseg.evaluation.evaluate import evaluate_masks, evaluate_run
    from llmseg.evaluation.record import Evaluation
    from llmseg.fidelity.replay import replay
    from llmseg.fidelity.verify import Verdict, read_record, recorded_id, verify
    from llmseg.nnunet.budget import Budget, budget_shares
    from llmseg.nnunet.equal import equal_images, equal_to_run
    from llmseg.nnunet.folder import Baseline, Training
    from llmseg.nnunet.imported import Imported, import_nnunet, import_training
    from llmseg.nnunet.prepare import prepare_nnunet, recipe_split
    from llmseg.nnunet.run import run_nnunet
    from llmseg.nnunet.training import predict_nnunet, train_nnunet
    from llmseg.prediction.export import export_difference, export_model, export_size
    from llmseg.prediction.load import load_model, load_original_model
    from llmseg.prediction.predict import predict, probability
    from llmseg.recipe.quirks import Quirk, get_quirk, quirk_names
    from llmseg.recipe.recipe import Difference, Recipe
    from llmseg.report.site import Report, write_report
    from llmseg.study.gap import Gap, run_gap
    from llmseg.study.study import Study, run_study
    from llmseg.study.variants import Variant, ablations, pipelines, repairs, transplants
    from llmseg.training.run import Run, train
    from llmseg.training.run_files import hardware
    from llmseg.zoo import Card, Pipeline

__all__ = [
    "Baseline",
    "Budget",
    "CacheEntry",
    "Card",
    "Case",
    "Dataset",
    "Difference",
    "Evaluation",
    "FolderStore",
    "Gap",
    "Hdf5Store",
    "Holdout",
    "Imported",
    "Pipeline",
    "Quirk",
    "Recipe",
    "Report",
    "Run",
    "Store",
    "Study",
    "Subset",
    "SyntheticStore",
    "Terminated",
    "Training",
    "UserError",
    "Variant",
    "Verdict",
    "__version__",
    "ablations",
    "budget_shares",
    "cache_entries",
    "cache_folder",
    "clear_cache",
    "compare_conventions",
    "conventions",
    "dataset_names",
    "equal_images",
    "equal_to_run",
    "evaluate_masks",
    "evaluate_run",
    "examine",
    "export_difference",
    "export_model",
    "export_size",
    "get_dataset",
    "get_quirk",
    "hardware",
    "hold_out",
    "import_nnunet",
    "import_training",
    "load_model",
    "load_original_model",
    "pipelines",
    "predict",
    "predict_nnunet",
    "prepare_dataset",
    "prepare_nnunet",
    "probability",
    "quirk_names",
    "read_record",
    "recipe_split",
    "recorded_id",
    "repairs",
    "replay",
    "run_gap",
    "run_nnunet",
    "run_study",
    "stability_index",
    "train",
    "train_nnunet",
    "transplants",
    "verify",
    "write_report",
    "zoo",
]

# Where each public name lives. Names are imported when first used, so that `import llmseg` loads no torch.
_HOMES = {
    "Baseline": "llmseg.nnunet.folder",
    "Budget": "llmseg.nnunet.budget",
    "CacheEntry": "llmseg.data.cache",
    "Card": "llmseg.zoo",
    "Case": "llmseg.data.store",
    "Dataset": "llmseg.data.catalog.dataset",
    "Difference": "llmseg.recipe",
    "Evaluation": "llmseg.evaluation.record",
    "FolderStore": "llmseg.data.folder",
    "Gap": "llmseg.study.gap",
    "Hdf5Store": "llmseg.data.hdf5",
    "Holdout": "llmseg.data.holdout",
    "Imported": "llmseg.nnunet.imported",
    "Pipeline": "llmseg.zoo",
    "Quirk": "llmseg.recipe.quirks",
    "Recipe": "llmseg.recipe",
    "Report": "llmseg.report.site",
    "Run": "llmseg.training.run",
    "Store": "llmseg.data.store",
    "Study": "llmseg.study",
    "Subset": "llmseg.data.subset",
    "SyntheticStore": "llmseg.data.synthetic",
    "Terminated": "llmseg.errors",
    "Training": "llmseg.nnunet.folder",
    "UserError": "llmseg.errors",
    "Variant": "llmseg.study.variants",
    "Verdict": "llmseg.fidelity.verify",
    "ablations": "llmseg.study.variants",
    "budget_shares": "llmseg.nnunet.budget",
    "cache_entries": "llmseg.data.cache",
    "cache_folder": "llmseg.data.cache",
    "clear_cache": "llmseg.data.cache",
    "compare_conventions": "llmseg.evaluation.conventions",
    "conventions": "llmseg.evaluation.conventions",
    "dataset_names": "llmseg.data.catalog",
    "equal_images": "llmseg.nnunet.equal",
    "equal_to_run": "llmseg.nnunet.equal",
    "evaluate_masks": "llmseg.evaluation.evaluate",
    "evaluate_run": "llmseg.evaluation.evaluate",
    "examine": "llmseg.data.doctor",
    "export_difference": "llmseg.prediction.export",
    "export_model": "llmseg.prediction.export",
    "export_size": "llmseg.prediction.export",
    "get_dataset": "llmseg.data.catalog",
    "get_quirk": "llmseg.recipe.quirks",
    "hardware": "llmseg.training.run_files",
    "hold_out": "llmseg.data.holdout",
    "import_nnunet": "llmseg.nnunet.imported",
    "import_training": "llmseg.nnunet.imported",
    "load_model": "llmseg.prediction.load",
    "load_original_model": "llmseg.prediction.load",
    "pipelines": "llmseg.study.variants",
    "predict": "llmseg.prediction.predict",
    "predict_nnunet": "llmseg.nnunet.training",
    "prepare_dataset": "llmseg.data.download.prepare",
    "prepare_nnunet": "llmseg.nnunet.prepare",
    "probability": "llmseg.prediction.predict",
    "quirk_names": "llmseg.recipe.quirks",
    "read_record": "llmseg.fidelity.verify",
    "recipe_split": "llmseg.nnunet.prepare",
    "recorded_id": "llmseg.fidelity.verify",
    "repairs": "llmseg.study.variants",
    "replay": "llmseg.fidelity.replay",
    "run_gap": "llmseg.study.gap",
    "run_nnunet": "llmseg.nnunet.run",
    "run_study": "llmseg.study",
    "stability_index": "llmseg.evaluation.conventions",
    "train": "llmseg.training.run",
    "train_nnunet": "llmseg.nnunet.training",
    "transplants": "llmseg.study.variants",
    "verify": "llmseg.fidelity.verify",
    "write_report": "llmseg.report.site",
}


def __getattr__(name: str) -> Any:
    # The zoo comes first, whatever is asked for: it makes all kinds of parts known, which a recipe read from JSON and
    # a run read from disk need. It loads no torch.
    zoo = importlib.import_module("llmseg.zoo")
    if name == "zoo":
        return zoo
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'llmseg' has no attribute '{name}'")


def __dir__() -> list[str]:
    return __all__
