"""F5: the files that ``--artefacts original`` writes, against those that the original script wrote."""

from __future__ import annotations

import dataclasses
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from llmseg.data.store import Store
from llmseg.fidelity import recorded_inputs
from llmseg.fidelity.artefact_sheets import Results, Table
from llmseg.fidelity.artefacts import Source, batch_sizes_of, find_outputs, write_files
from llmseg.fidelity.compare import Comparison
from llmseg.fidelity.dynamics import compute_bookkeeping
from llmseg.fidelity.records import get_entry
from llmseg.fidelity.score_calls import flatten_cells
from llmseg.recipe.splits import Split
from llmseg.training.loop import draw_start
from llmseg.zoo import Pipeline
from llmseg.zoo.outputs import LossFigure, SampleFigure

VALUE_TOLERANCE = 1e-5
"""Of a number in a sheet, relative and absolute, as for the bookkeeping run."""

CROPPED_TOLERANCE = 0.1
"""Of the size of a figure whose margins are cut off: how long its labels are depends on fonts and file names."""


def check_artefacts(
    pipeline: Pipeline, record: dict[str, Any], store: Store, bookkeeping_store: Store, comparison: Comparison
) -> None:
    """F5: names, folders, sheets with their labels and values, kinds of model files, sizes of figures.

    The files are those of the bookkeeping run, which is run again, and those of the main run. What the sheets of the
    main run hold is taken from the record, as F4 compares these values; F5 checks where they stand.

    Args:
        pipeline: The pipeline.
        record: The record.
        store: The images of its main run.
        bookkeeping_store: The images of its bookkeeping run.
        comparison: Compares and counts.

    Raises:
        Divergence: A file is not the recorded one.
        UserError: What the scripts write is not known, or the record is incomplete.
    """
    find_outputs(pipeline)
    results, split = _repeat_bookkeeping(pipeline, record, bookkeeping_store)
    _check_run(pipeline, record, get_entry(record, "bookkeeping"), results, split, bookkeeping_store, comparison)
    recipe, seed = pipeline.recipe, get_entry(record, "seed")
    with torch.random.fork_rng():
        first = store.read(store.ids[0])
        height, width = recipe.images(first.image, first.mask)[0].shape[-2:]
        split, _ = draw_start(recipe, store.ids, seed, (height, width))
    results = _read_recorded(pipeline, record, split)
    _check_run(pipeline, record, record, results, split, store, comparison)


def _repeat_bookkeeping(pipeline: Pipeline, record: dict[str, Any], store: Store) -> tuple[Results, Split]:
    with torch.random.fork_rng():
        split, epochs, test = compute_bookkeeping(pipeline, record, store)
    train_loss, validation_loss = [epoch.train_loss for epoch in epochs], [epoch.validation_loss for epoch in epochs]
    validation = [epoch.listed for epoch in epochs]
    return Results(train_loss, validation_loss, validation, test or None, batch_sizes_of(pipeline.recipe)), split


def _read_recorded(pipeline: Pipeline, record: Mapping[str, Any], split: Split) -> Results:
    """Return the values of the main run as recorded, in the order in which the script computed them."""
    epochs, count = get_entry(record, "train.epochs"), get_entry(record, "epochs")
    scores, test = flatten_cells(epochs["val_dice"]), flatten_cells(get_entry(record, "test.dice"))
    size = pipeline.recipe.fit.batch_size
    lists = str(pipeline.recipe.get("score.lists"))
    per_epoch = {"case": len(split.validation), "batch": -(-len(split.validation) // size), "epoch": 1}[lists]
    passes = [scores[start : start + per_epoch] for start in range(0, len(scores), per_epoch)]
    # A script that overwrites its sheet leaves one epoch; the others are not in any file.
    passes = [passes[0]] * (count - len(passes)) + passes
    return Results(epochs["train_loss"], epochs["val_loss"], passes, test or None, batch_sizes_of(pipeline.recipe))


def _check_run(
    pipeline: Pipeline,
    record: Mapping[str, Any],
    run: Mapping[str, Any],
    results: Results,
    split: Split,
    store: Store,
    comparison: Comparison,
) -> None:
    where = "main run" if run is record else "bookkeeping run"
    net = recorded_inputs.StandInNetwork(get_entry(record, "output")).eval()
    # The record of one script goes on after the figure that failed, so that its test scores could be kept.
    passes_over = "note" in (run["failure"] or {})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # The stand-in has no weights to name; the names of the real ones are checked by F1.
        unnamed = dataclasses.replace(pipeline, original_names=())
        source = Source(unnamed, results, split, net, store, record["seed"])
        written = write_files(source, pipeline.recipe, folder, passes_over=passes_over)
        _compare_files(where, run["files"], folder, pipeline, comparison)
    _compare_frames(where, run["frames"], written.tables, comparison)


def _compare_files(
    where: str, recorded: Mapping[str, Any], folder: Path, pipeline: Pipeline, comparison: Comparison
) -> None:
    copied = {name.removesuffix("/*"): entry for name, entry in recorded.items() if name.endswith("/*")}
    paths = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    names = [name for name, path in paths.items() if path.parent.relative_to(folder).as_posix() not in copied]
    comparison.require_equal(f"{where}, files", sorted(set(recorded) - {f"{name}/*" for name in copied}), sorted(names))
    for name, entry in copied.items():
        count = sum(path.is_file() for path in (folder / name).iterdir())
        comparison.require_equal(f"{where}, copies in {name}", entry["count"], count)
    figures = {
        output.file: output for output in find_outputs(pipeline).files if isinstance(output, LossFigure | SampleFigure)
    }
    for name in names:
        entry, path, what = recorded[name], paths[name], f"{where}, {name}"
        if entry["kind"] == "xlsx":
            _compare_workbook(what, entry["sheets"], path, comparison)
        elif entry["kind"] == "torch":
            # Just written by us, so it is safe to unpickle.
            content = "state_dict" if isinstance(torch.load(path, weights_only=False), dict) else "module"
            comparison.require_equal(f"{what}, content", entry["content"].split(":")[0], content)
        elif figures[name].size is not None:
            _compare_size(what, entry["size"], path, figures[name].cropped, comparison)


def _compare_size(where: str, recorded: Sequence[int], path: Path, cropped: bool, comparison: Comparison) -> None:
    from PIL import Image

    with Image.open(path) as image:
        size = list(image.size)
    if cropped:
        comparison.require_all_close(f"{where}, size", list(recorded), size, rel=CROPPED_TOLERANCE)
    else:
        comparison.require_equal(f"{where}, size", list(recorded), size)


def _compare_workbook(where: str, recorded: Mapping[str, Any], path: Path, comparison: Comparison) -> None:
    import openpyxl

    workbook = openpyxl.load_workbook(path)
    comparison.require_equal(f"{where}, sheets", list(recorded), workbook.sheetnames)
    for name, sheet in recorded.items():
        rows = [list(row) for row in workbook[name].iter_rows(values_only=True)]
        comparison.require_equal(f"{where}, rows and columns", list(sheet["shape"]), [len(rows), len(rows[0])])
        _compare_cells(f"{where}, first row", sheet["first_row"], rows[0], comparison)
        _compare_cells(f"{where}, first column", sheet["first_column"], [row[0] for row in rows], comparison)
        for number, row in enumerate(sheet.get("cells") or []):
            _compare_cells(f"{where}, row {number}", row, rows[number], comparison)


def _compare_cells(where: str, recorded: Sequence[Any], ours: Sequence[Any], comparison: Comparison) -> None:
    comparison.require_equal(f"{where}, cells", len(recorded), len(ours))
    for left, right in zip(recorded, ours, strict=True):
        # A text that is an array, as one script writes it, is compared by its numbers.
        left_numbers, right_numbers = _read_array(left), _read_array(right)
        if left_numbers is not None and right_numbers is not None:
            comparison.require_all_close(where, left_numbers, right_numbers, rel=VALUE_TOLERANCE, abs=VALUE_TOLERANCE)
        elif isinstance(left, str) or left is None:
            comparison.require_equal(where, left, right)
        else:
            comparison.require_equal(f"{where}, a number", True, isinstance(right, int | float))
            comparison.require_close(where, left, float(right), rel=VALUE_TOLERANCE, abs=VALUE_TOLERANCE)


def _read_array(cell: Any) -> list[float] | None:
    if not isinstance(cell, str) or not re.fullmatch(r"\[.*\]", cell, re.DOTALL):
        return None
    return [float(number) for number in cell.strip("[]").split()]


def _compare_frames(where: str, recorded: Mapping[str, Any], tables: Sequence[Table], comparison: Comparison) -> None:
    ours = {f"{table.file}#{table.name}": table for table in tables}
    comparison.require_equal(f"{where}, tables", sorted(recorded), sorted(ours))
    for name, entry in recorded.items():
        table = ours[name]
        for key, value in (
            ("index", [str(label) for label in table.frame.index]),
            ("columns", [str(label) for label in table.frame.columns]),
            ("writes_index", table.sheet.index),
            ("writes_header", table.header),
        ):
            comparison.require_equal(f"{where}, table {name}, {key}", entry[key], value)
