"""Replay: a run as the original script made it, with the files that the script was asked to write.

All scripts were asked for the same files. Here they have the same names and the same layout for every pipeline, or
those that the script gave them, see :mod:`llmseg.fidelity.artefacts`.
"""

from __future__ import annotations

import io
import random
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from llmseg.data.given import GivenHoldout, GivenStore, find_store
from llmseg.data.store import Case, Store
from llmseg.errors import UserError, nearest
from llmseg.fidelity.artefacts import ORIGINAL, fill_folder, find_outputs, write_original
from llmseg.fidelity.spreadsheets import write_spreadsheet
from llmseg.files import write_bytes
from llmseg.prediction.predict import predict_image
from llmseg.training.run import Run
from llmseg.training.train import train
from llmseg.zoo import Pipeline
from llmseg.zoo.given import find_pipeline

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

    from llmseg.training.observing.observer import Observer

Artefacts = Literal["common", "original"]

SAMPLES = 5
"""Test cases shown in ``samples.png``; the scripts were asked for five."""


def replay(
    pipeline: Pipeline | str,
    store: GivenStore,
    out: str | Path,
    *,
    seed: int = 0,
    epochs: int | None = None,
    device: str = "auto",
    tf32: bool = False,
    holdout: GivenHoldout | None = None,
    artefacts: Artefacts = "common",
    progress: bool = True,
    observers: Observer | Iterable[Observer] = (),
) -> Run:
    """Run a pipeline as its script would: train, validate, test, and write the files the script was asked for.

    The same call made again completes what was interrupted and leaves what is finished, see :func:`llmseg.train`.

    Args:
        pipeline: The pipeline, or its name.
        store: The cases: a store, or a path as for :func:`llmseg.data.find_store`.
        out: The run folder; the files the script was asked for go to a folder inside it, see ``artefacts``.
        seed: Seed of what the script leaves to chance; a script that seeds itself ignores it.
        epochs: Number of epochs instead of the script's.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        tf32: Let convolutions use TF32, as torch does by default on a GPU, and as the scripts did there.
        holdout: Test cases, or their manifest, that the script does not see, so that pipelines can be compared; it
            splits the rest.
        artefacts: ``common`` writes the files into ``replay``, with the same names and layouts for all pipelines;
            ``original`` writes them into ``original`` as the script does, with its names, layouts and figures.
        progress: Whether to show progress bars.
        observers: Objects that are told what happens, as in :func:`llmseg.train`.

    Raises:
        UserError: As :func:`llmseg.train`; or what the script writes is not known, and ``original`` is asked for.

    Example:
        >>> from llmseg import FolderStore, replay, zoo
        >>> run = replay(zoo.get("gpt-4"), FolderStore("images", "masks"), "runs/gpt-4")  # doctest: +SKIP
    """
    pipeline, store = find_pipeline(pipeline), find_store(store)
    if artefacts not in get_args(Artefacts):
        allowed = get_args(Artefacts)
        raise UserError(f"artefacts '{artefacts}': must be one of {', '.join(allowed)}{nearest(artefacts, allowed)}")
    if artefacts == "original":
        # Before hours of training, not after.
        find_outputs(pipeline)
    run = train(
        pipeline.recipe,
        store,
        out,
        label=pipeline.id,
        seed=seed,
        epochs=epochs,
        device=device,
        exact=True,
        tf32=tf32,
        holdout=holdout,
        progress=progress,
        observers=observers,
    )
    # A folder is renamed into place when all its files are written, so if it is there, it is complete.
    if artefacts == "original":
        if not (run.folder / ORIGINAL).exists():
            write_original(run, pipeline, store)
    elif not (run.folder / "replay").exists():
        write_artefacts(run, pipeline, store)
    return run


def write_artefacts(run: Run, pipeline: Pipeline, store: Store) -> Path:
    """Write the replay files of a run; the folder appears when all of them are there.

    - ``train_losses.xlsx`` and ``val_losses.xlsx`` have two rows: the epoch numbers and the losses.
    - ``validation_dice_scores.xlsx`` has a row per epoch and a column per listed score.
    - ``test_dice_scores.xlsx`` has one row. It is missing where the recipe has no test.
    - ``losses.png`` shows both losses.
    - ``samples.png`` shows five random test cases, or validation cases where no case is left for a test.
    - ``model_state_dict.pth`` has the weights under the original script's names, or ours if it has none.

    Sheets have no header and no index.

    Args:
        run: A finished run of the pipeline.
        pipeline: The pipeline.
        store: The store the run was trained on.

    Returns:
        The folder ``replay`` inside the run folder.
    """
    import matplotlib

    folder = run.folder / "replay"
    with fill_folder(folder) as unfinished:
        _write_sheets(run, unfinished)
        # Names of files are no formulas, whatever dollar signs they have.
        with matplotlib.rc_context({"text.parse_math": False}):
            _write_figure(unfinished / "losses.png", _draw_losses(run))
            _write_figure(unfinished / "samples.png", _draw_samples(run, store))
        _write_weights(run, pipeline, unfinished)
    return folder


def _write_sheets(run: Run, folder: Path) -> None:
    import pandas as pd

    history, listed = run.history, run.listed
    plain = {"header": False, "index": False}
    epochs = history["epoch"].tolist()
    for name, column in (("train_losses", "train_loss"), ("val_losses", "validation_loss")):
        rows = pd.DataFrame([epochs, history[column].tolist()])
        write_spreadsheet(folder / f"{name}.xlsx", [(rows, plain)])
    for name, phase in (("validation_dice_scores", "validation"), ("test_dice_scores", "test")):
        scores = listed[listed["phase"] == phase].groupby("epoch", sort=True)["value"].apply(list).tolist()
        if scores:
            write_spreadsheet(folder / f"{name}.xlsx", [(pd.DataFrame(scores), plain)])


def _write_weights(run: Run, pipeline: Pipeline, folder: Path) -> None:
    import torch

    state = pipeline.to_original(run.load_net().state_dict())
    buffer = io.BytesIO()
    torch.save(state, buffer)
    write_bytes(folder / "model_state_dict.pth", buffer.getvalue())


def _write_figure(path: Path, figure: Figure) -> None:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=120)
    write_bytes(path, buffer.getvalue())


def _draw_losses(run: Run) -> Figure:
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    history = run.history
    figure = Figure(figsize=(6, 5), layout="constrained")
    axes = figure.subplots()
    axes.plot(history["epoch"], history["train_loss"], marker=".", color="#0072B2", label="training")
    axes.plot(history["epoch"], history["validation_loss"], marker=".", color="#D55E00", label="validation")
    axes.set(xlabel="epoch", ylabel="loss", title=run.record["label"])
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlim(0.5, len(history) + 0.5)
    axes.legend()
    return figure


def _draw_samples(run: Run, store: Store) -> Figure:
    from matplotlib.figure import Figure

    recipe, net = run.recipe, run.load_net()
    ids = run.split.test or run.split.validation
    chosen = random.Random(run.record["seed"]).sample(ids, min(SAMPLES, len(ids)))
    figure = Figure(figsize=(9, 3 * len(chosen)), layout="constrained")
    grid = figure.subplots(len(chosen), 3, squeeze=False)
    for row, id in zip(grid, chosen, strict=True):
        case = store.read(id)
        _draw_case(row, case, predict_image(net, recipe, case.image) > 0.5)
    return figure


def _draw_case(row: np.ndarray, case: Case, prediction: np.ndarray) -> None:
    for axes, what, pixels in zip(
        row, ("image", "mask", "prediction"), (case.image, case.mask, prediction), strict=True
    ):
        axes.imshow(pixels, cmap="gray", vmin=0, vmax=1 if what == "prediction" else 255)
        axes.set_title(f"{case.id}\n{what}", fontsize=8)
        axes.set_axis_off()
