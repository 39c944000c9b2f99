"""What several commands share: naming a recipe and cases, printing a result."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Literal

import llmseg
from llmseg import UserError


def recipe_of(name: str) -> tuple[str, llmseg.Recipe]:
    """Return label and recipe of a pipeline, or of a file with a recipe in JSON."""
    path = Path(name)
    if path.suffix == ".json":
        if not path.is_file():
            raise UserError(f"no recipe file {path}")
        return path.stem, llmseg.Recipe.from_json(path.read_text(encoding="utf-8"))
    pipeline = llmseg.zoo.get(name)
    return pipeline.id, pipeline.recipe


def store_of(
    folder: llmseg.FolderStore | None, synthetic: str | None, cases: int, data: Path | None = None
) -> llmseg.Store:
    """Return the cases that the options name in one of three ways."""
    phantoms = None if synthetic is None else llmseg.SyntheticStore(synthetic, count=cases)
    given = [folder, phantoms, None if data is None else llmseg.Hdf5Store(data)]
    stores = [store for store in given if store is not None]
    if len(stores) != 1:
        raise UserError(
            "give the cases in one way: --data STORE, --images DIR (and --masks DIR), or --synthetic MODALITY"
        )
    return stores[0]


def folder_of(
    images: Path | None,
    masks: Path | None,
    suffix: str | None,
    foreground: int | None,
    orphans: Literal["refuse", "skip"] = "refuse",
) -> llmseg.FolderStore | None:
    """Return the cases in folders, ``None`` if none is named."""
    if images is None:
        return None
    return llmseg.FolderStore(images, masks or images, mask_suffix=suffix, foreground=foreground, orphans=orphans)


def speaks() -> bool:
    """Return whether this process speaks for all that ``torchrun`` started."""
    return os.environ.get("RANK", "0") == "0"


def print_result(what: Any, as_json: bool) -> None:
    """Print text, or a plain value as JSON, once, however many processes run."""
    if speaks():
        print(json.dumps(what, indent=2) if as_json else what)
