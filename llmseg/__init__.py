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
    from llmseg.artefacts import replay
    from llmseg.data.cache import CacheEntry, cache_entries, cache_folder, clear_cache
    from llmseg.data.store import Case, FolderStore, Store
    from llmseg.data.synthetic import SyntheticStore
    from llmseg.errors import Terminated, UserError
    from llmseg.export import export_difference, export_model, export_size
    from llmseg.fidelity.verify import Verdict, read_record, verify
    from llmseg.inference import load_model, load_original_model, predict, probability
    from llmseg.recipe import Difference, Recipe
    from llmseg.run_writer import hardware
    from llmseg.runs import Run, train
    from llmseg.zoo import Card, Pipeline

__all__ = [
    "CacheEntry",
    "Card",
    "Case",
    "Difference",
    "FolderStore",
    "Pipeline",
    "Recipe",
    "Run",
    "Store",
    "SyntheticStore",
    "Terminated",
    "UserError",
    "Verdict",
    "__version__",
    "cache_entries",
    "cache_folder",
    "clear_cache",
    "export_difference",
    "export_model",
    "export_size",
    "hardware",
    "load_model",
    "load_original_model",
    "predict",
    "probability",
    "read_record",
    "replay",
    "train",
    "verify",
    "zoo",
]

# Where each public name lives. Names are imported when first used, so that `import llmseg` loads no torch.
_HOMES = {
    "CacheEntry": "llmseg.data.cache",
    "Card": "llmseg.zoo",
    "Case": "llmseg.data.store",
    "Difference": "llmseg.recipe",
    "FolderStore": "llmseg.data.store",
    "Pipeline": "llmseg.zoo",
    "Recipe": "llmseg.recipe",
    "Run": "llmseg.runs",
    "Store": "llmseg.data.store",
    "SyntheticStore": "llmseg.data.synthetic",
    "Terminated": "llmseg.errors",
    "UserError": "llmseg.errors",
    "cache_entries": "llmseg.data.cache",
    "cache_folder": "llmseg.data.cache",
    "clear_cache": "llmseg.data.cache",
    "export_difference": "llmseg.export",
    "export_model": "llmseg.export",
    "export_size": "llmseg.export",
    "hardware": "llmseg.run_writer",
    "probability": "llmseg.inference",
    "Verdict": "llmseg.fidelity.verify",
    "load_model": "llmseg.inference",
    "load_original_model": "llmseg.inference",
    "predict": "llmseg.inference",
    "read_record": "llmseg.fidelity.verify",
    "replay": "llmseg.artefacts",
    "train": "llmseg.runs",
    "verify": "llmseg.fidelity.verify",
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
