"""What another launcher needs to work on a study that is there: its recipes, its test cases and where its cases lie."""

from __future__ import annotations

import json
from pathlib import Path

from llmseg.data.folds import name_manifests, save_folds
from llmseg.data.holdout import Holdout
from llmseg.data.store import Store
from llmseg.data.store_source import describe_source, open_source
from llmseg.errors import UserError
from llmseg.files import make_folder, read_json, write_text
from llmseg.recipe.recipe import Recipe
from llmseg.study.design import Design
from llmseg.study.launching.cells import WORK
from llmseg.study.record import PRIMARY
from llmseg.study.study import Study
from llmseg.study.variants import Variant
from llmseg.training.places import PRIVATE

_FIELDS = {"recipes": dict, "essential": list}
_NOTE = "Paths of your machine. Leave this file out when you publish the study; only llmseg study work reads it."


def keep_design(design: Design) -> None:
    """Write what :func:`open_design` reads into the folder of a study; places of this machine have their own file."""
    folder = design.folder / WORK
    make_folder(folder)
    recipes = {variant.name: variant.recipe.to_dict() for variant in design.variants}
    content = {"recipes": recipes, "essential": sorted(design.essential)}
    save_folds(design.folds, folder)
    write_text(folder / "design.json", json.dumps(content, indent=1) + "\n")
    private = {"note": _NOTE, "source": describe_source(design.store)}
    write_text(design.folder / PRIVATE, json.dumps(private, indent=2) + "\n")


def open_design(folder: Path) -> Design:
    """Return what a study trains and scores, with its cases.

    Raises:
        UserError: The folder holds no study, or one that was copied or begun by an earlier version, or its cases are
            not there any more.

    Example:
        >>> len(open_design(Path("studies/brain/fundus")).variants)  # doctest: +SKIP
    """
    study, work = Study.open(folder).record, folder / WORK
    if not all(path.is_file() for path in (work / "design.json", folder / PRIVATE)):
        raise UserError(
            f"{folder} does not say where its cases are, for it was copied or begun by an earlier version; give the "
            "command that began it again"
        )
    record = read_json(work / "design.json", _FIELDS)
    source = read_json(folder / PRIVATE, {"source": (dict, type(None))})["source"]
    return Design(
        folder=folder,
        label=study["label"],
        variants=tuple(Variant(name, Recipe.from_dict(recipe)) for name, recipe in record["recipes"].items()),
        store=_open_store(folder, source, study["store"]),
        folds=tuple(map(Holdout.load, name_manifests(work, len(study.get("folds", ()))))),
        seeds=study["seeds"],
        epochs=study["epochs"],
        tolerance=study["tolerance"],
        precision=study["precision"],
        exact=study.get("exact", False),
        measures=tuple(study.get("measures", (PRIMARY,))),
        essential=frozenset(record["essential"]),
    )


def _open_store(folder: Path, source: dict[str, object] | None, facts: dict[str, str]) -> Store:
    if source is None:
        raise UserError(f"the cases of {folder} are read by a class of your own; call llmseg.run_study with them")
    store = open_source(source)
    if store is None:
        places = ", ".join(str(source[name]) for name in ("path", "images", "masks") if name in source)
        raise UserError(f"the cases of {folder} are not at {places} any more; put them there")
    if store.digest != facts["digest"]:
        raise UserError(f"{store.name} is not in the state in which {folder} was begun; put it back")
    return store
