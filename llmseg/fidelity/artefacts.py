"""The files of a run as the original script wrote them, from what the zoo entry says of its outputs."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from llmseg.data.folder import FolderStore
from llmseg.data.store import Store
from llmseg.errors import UserError
from llmseg.fidelity.artefact_figures import choose_cases, draw_loss_figure, draw_sample_figure, write_figure
from llmseg.fidelity.artefact_sheets import Results, Table, make_tables, write_tables
from llmseg.files import encode_png, read_bytes, write_bytes
from llmseg.files.interruption import discard_at_end
from llmseg.recipe.recipe import Recipe
from llmseg.recipe.splits import Split
from llmseg.training.run import Run
from llmseg.zoo import Pipeline
from llmseg.zoo.outputs import Copies, LossFigure, Model, Outputs, SampleFigure, Sheet

if TYPE_CHECKING:
    from torch import nn

ORIGINAL = "original"
"""Folder of these files inside the run folder."""


@dataclass(frozen=True)
class Source:
    """What the files are made of.

    Attributes:
        pipeline: The pipeline; its outputs say what to write, its recipe how to prepare and predict.
        results: Losses and scores.
        split: The parts of the run.
        net: The trained network.
        store: The cases.
        seed: The seed of the run.
    """

    pipeline: Pipeline
    results: Results
    split: Split
    net: nn.Module
    store: Store
    seed: int


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes:
        tables: The sheets, as they were handed to the writer.
        stopped_at: The figure at which the script fails, as there are too few cases; empty if it runs to its end.
    """

    tables: tuple[Table, ...]
    stopped_at: str = ""


def find_outputs(pipeline: Pipeline) -> Outputs:
    """Return what the scripts of a pipeline write.

    Raises:
        UserError: It is not known.
    """
    if pipeline.outputs is None:
        raise UserError(
            f"what the scripts of {pipeline.id} write is not known yet: leave out --artefacts original (or F5 of "
            "--level) to replay it with the files that all pipelines share"
        )
    return pipeline.outputs


def write_original(run: Run, pipeline: Pipeline, store: Store) -> Path:
    """Write the files that the script of a pipeline writes; the folder appears when all of them are there.

    Like the script, it stops at a figure for which there are too few cases.

    Args:
        run: A finished run of the pipeline.
        pipeline: The pipeline.
        store: The store the run was trained on.

    Returns:
        The folder ``original`` inside the run folder.

    Raises:
        UserError: What the scripts write is not known.

    Example:
        >>> import llmseg
        >>> run, pipeline = llmseg.Run.open("runs/gpt-4"), llmseg.zoo.get("gpt-4")  # doctest: +SKIP
        >>> sorted(path.name for path in write_original(run, pipeline, store).iterdir())  # doctest: +SKIP
    """
    find_outputs(pipeline)
    folder = run.folder / ORIGINAL
    with fill_folder(folder) as unfinished:
        source = Source(pipeline, read_results(run), run.split, run.load_net(), store, run.record["seed"])
        write_files(source, run.recipe, unfinished)
    return folder


@contextmanager
def fill_folder(folder: Path) -> Iterator[Path]:
    """Give a hidden folder to fill in the block; at its end it takes the place of the folder, as a whole."""
    unfinished = folder.with_name(f".{folder.name}")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    discard_at_end(unfinished)
    yield unfinished
    shutil.rmtree(folder, ignore_errors=True)
    unfinished.rename(folder)


def describe_stop(run: Run, pipeline: Pipeline) -> str:
    """Return at which figure the script stops with the cases of a run, and what it therefore does not write.

    Returns:
        A sentence; empty if the script runs to its end.

    Example:
        >>> import llmseg
        >>> run = llmseg.Run.open("runs/gpt-4")  # doctest: +SKIP
        >>> describe_stop(run, llmseg.zoo.get("gpt-4"))  # doctest: +SKIP
    """
    outputs, size = find_outputs(pipeline), run.recipe.fit.batch_size_in_test
    for position, output in enumerate(outputs.files):
        if isinstance(output, SampleFigure):
            available = choose_cases(output, run.split, size, run.record["seed"]).available
            if available < output.needs:
                missing = ", ".join(other.file for other in outputs.files[position:])
                return (
                    f"the script of {pipeline.id} fails at {output.file} ({output.shows}): it needs {output.needs} and "
                    f"there are {available}; like the script, this wrote no {missing}"
                )
    return ""


def read_results(run: Run) -> Results:
    """Return the losses and listed scores of a run."""
    history, listed, recipe = run.history, run.listed, run.recipe
    validation = listed[listed["phase"] == "validation"].groupby("epoch", sort=True)["value"].apply(list).tolist()
    test = listed[listed["phase"] == "test"]["value"].tolist()
    return Results(
        history["train_loss"].tolist(),
        history["validation_loss"].tolist(),
        validation,
        test or None,
        batch_sizes_of(recipe),
    )


def batch_sizes_of(recipe: Recipe) -> Mapping[str, int]:
    """Return the cases in a batch of validation and test."""
    return {"validation": recipe.fit.batch_size, "test": recipe.fit.batch_size_in_test}


def write_files(source: Source, recipe: Recipe, folder: Path, *, passes_over: bool = False) -> Written:
    """Write all files of a script into a folder, in its order.

    Args:
        source: What they are made of.
        recipe: The recipe that was run.
        folder: An empty folder.
        passes_over: Whether to go on after a figure at which the script fails.
    """
    tables: list[Table] = []
    stopped_at = ""
    for output in find_outputs(source.pipeline).files:
        path = folder / output.file
        if isinstance(output, Sheet):
            made = make_tables(output, source.results)
            write_tables(made, folder)
            tables += made
        elif isinstance(output, Model):
            _write_model(output, source, path)
        elif isinstance(output, Copies):
            _copy_cases(output, source, folder)
        elif isinstance(output, LossFigure):
            losses = source.results.train_loss, source.results.validation_loss
            write_figure(path, draw_loss_figure(output, *losses), output)
        else:
            choice = choose_cases(output, source.split, recipe.fit.batch_size_in_test, source.seed)
            if choice.available < output.needs:
                stopped_at = output.file
                if passes_over:
                    continue
                break
            path.parent.mkdir(exist_ok=True)
            write_figure(path, draw_sample_figure(output, choice.ids, recipe, source.net, source.store), output)
    return Written(tuple(tables), stopped_at)


def _write_model(model: Model, source: Source, path: Path) -> None:
    import torch

    state = source.pipeline.to_original(source.net.state_dict())
    buffer = io.BytesIO()
    torch.save(state if model.content == "state dictionary" else source.net, buffer)
    write_bytes(path, buffer.getvalue())


def _copy_cases(copies: Copies, source: Source, folder: Path) -> None:
    parts = {"train": source.split.train, "val": source.split.validation, "test": source.split.test}
    for name, ids in parts.items():
        images, masks = (folder / name / part if copies.apart else folder / name for part in ("images", "masks"))
        for path in (images, masks):
            path.mkdir(parents=True, exist_ok=True)
        for id in ids:
            # The mask comes second: in one folder, it replaces an image of the same name.
            for path, (file, content) in zip((images, masks), _read_files(source.store, id), strict=True):
                write_bytes(path / file, content)


def _read_files(store: Store, id: str) -> tuple[tuple[str, bytes], tuple[str, bytes]]:
    """Return name and bytes of image and mask: the files themselves, or PNG where the store has none.

    A store has no file of a mask that is joined from several, or of a page. Of files in folders below, the path is in
    the name.
    """
    name = id.replace("/", "_")
    if isinstance(store, FolderStore):
        pair = store.find_pair(id)
        if len(pair.masks) == 1 and pair.page is None:
            mask_name = name.removesuffix(pair.image.name) + pair.masks[0].name
            return (name, read_bytes(pair.image)), (mask_name, read_bytes(pair.masks[0]))
    case = store.read(id)
    name = name if name.lower().endswith(".png") else f"{name}.png"
    return (name, encode_png(case.image)), (name, encode_png(case.mask))
