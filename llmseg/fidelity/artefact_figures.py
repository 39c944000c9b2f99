"""Figures by what a script shows in them: the losses, and the cases it picks with their predictions."""

from __future__ import annotations

import io
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from llmseg.data.store import Store
from llmseg.files import write_bytes
from llmseg.recipe.images import Prepare
from llmseg.recipe.recipe import Recipe
from llmseg.recipe.splits import Split
from llmseg.zoo.outputs import LossFigure, SampleFigure

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from torch import Tensor, nn

SHOWN = 5
"""Cases in a figure; the scripts were asked for five."""


@dataclass(frozen=True)
class Choice:
    """The cases of a figure.

    Attributes:
        ids: Those that are shown.
        available: How many there were to choose from; batches where the script chooses batches.
    """

    ids: tuple[str, ...]
    available: int


def choose_cases(figure: SampleFigure, split: Split, batch_size: int, seed: int) -> Choice:
    """Return the cases that a script shows; where it draws them at random, they are drawn from the seed.

    Args:
        figure: The figure.
        split: The parts of the run.
        batch_size: Cases in a batch of the test.
        seed: The seed of the run. Most scripts draw without one.
    """
    test, draw = split.test, random.Random(seed)
    firsts = test[::batch_size]
    pool: Sequence[str] = {
        "first of the test part": test,
        "first of each test batch": firsts,
        "random of the test part": test,
        "random of all cases": (*split.train, *split.validation, *split.test),
        "first of random test batches": firsts,
        "random of the first test batch": test[:batch_size],
        # Five numbers of cases are drawn, and the script looks for batches of these numbers.
        "first of test batches hit": [
            firsts[number] for number in draw.sample(range(len(test)), min(SHOWN, len(test))) if number < len(firsts)
        ],
    }[figure.shows]
    if "random" in figure.shows:
        return Choice(tuple(draw.sample(pool, min(SHOWN, len(pool)))), len(pool))
    return Choice(tuple(pool[:SHOWN]), len(pool))


def draw_loss_figure(figure: LossFigure, train: Sequence[float], validation: Sequence[float]) -> Figure:
    """Draw both losses over the epochs."""
    from matplotlib.figure import Figure

    epochs = range(figure.first_epoch, figure.first_epoch + len(train))
    drawn = Figure(figsize=figure.size, dpi=figure.dpi)
    axes = drawn.subplots()
    axes.plot(epochs, train, color="tab:blue", label="Training loss")
    axes.plot(epochs, validation, color=figure.validation_colour, label="Validation loss")
    axes.set(xlabel="Epoch", ylabel="Loss")
    axes.grid(figure.grid)
    axes.legend()
    if figure.cropped:
        # Before margins are cut off, the script spreads the axes over the whole figure.
        axes.set_title("Training and validation loss")
        drawn.tight_layout()
    return drawn


def draw_sample_figure(
    figure: SampleFigure, ids: Sequence[str], recipe: Recipe, net: nn.Module, store: Store
) -> Figure:
    """Draw image, mask and prediction of each case, all as they enter and leave the network."""
    from matplotlib.figure import Figure

    rows = max(1, len(ids)) if figure.row_per_case else SHOWN
    width, height = figure.size or (9, 15)
    drawn = Figure(figsize=(width, height * rows / SHOWN), dpi=figure.dpi)
    grid = drawn.subplots(rows, 3, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    # A script that mixes up the names shows the cases in one random order and the names in another.
    names = [*ids[1:], *ids[:1]] if figure.names == "of another case" else ids
    for number, (row, id, name) in enumerate(zip(grid, ids, names, strict=False)):
        _draw_case(figure, row, store, id, recipe, net)
        _draw_titles(figure, row, name, first=number == 0)
    if figure.titles == "figure":
        drawn.suptitle("Image, mask and prediction")
    if figure.cropped:
        # Before margins are cut off, the script spreads the panels over the whole figure.
        drawn.tight_layout()
    return drawn


def _draw_case(
    figure: SampleFigure, row: Sequence[Axes], store: Store, id: str, recipe: Recipe, net: nn.Module
) -> None:
    case = store.read(id)
    image, mask = recipe.images(case.image, case.mask)
    row[0].imshow(_show_image(figure, image, recipe), cmap="gray")
    row[1].imshow(mask.squeeze(0).numpy(), cmap="gray", vmin=0, vmax=1)
    row[2].imshow(_predict(figure, image, recipe, net), cmap="gray", vmin=0, vmax=1)


def _draw_titles(figure: SampleFigure, row: Sequence[Axes], name: str, *, first: bool) -> None:
    titled = figure.titles == "every row" or (figure.titles == "first row" and first)
    named = {"none": 0, "image": 1, "of another case": 1, "all": 3}[figure.names]
    for number, (axes, title) in enumerate(zip(row, ("Image", "Mask", "Prediction"), strict=True)):
        lines = [title] * titled + [name] * (number < named)
        axes.set_title("\n".join(lines), parse_math=_is_formula(name))


def _is_formula(name: str) -> bool:
    """Return whether matplotlib can read a name as a formula, as it does in the script; there, others are an error."""
    from matplotlib.mathtext import MathTextParser

    try:
        MathTextParser("path").parse(name)
    except ValueError:
        return False
    return True


def _show_image(figure: SampleFigure, image: Tensor, recipe: Recipe) -> np.ndarray:
    """Return the prepared image ``[H, W]`` or ``[H, W, 3]``; unless it is shown normalised, that is undone."""
    prepare = recipe.images
    if isinstance(prepare, Prepare) and not figure.normalised:
        image = image * prepare.std + prepare.mean
    pixels: np.ndarray = image.permute(1, 2, 0).numpy()
    return pixels[..., 0] if pixels.shape[-1] == 1 else pixels.clip(0, 1)


def _predict(figure: SampleFigure, image: Tensor, recipe: Recipe, net: nn.Module) -> np.ndarray:
    import torch

    with torch.no_grad():
        output = net(image[None])[0, 0]
    if figure.prediction == "output above one half":
        output = (output > 0.5).float()
    else:
        output = output.sigmoid() if recipe.net.output == "logits" else output
        output = (output > 0.5).float() if figure.prediction == "mask" else output
    drawn: np.ndarray = output.numpy()
    return drawn


def write_figure(path: Path, figure: Figure, described: LossFigure | SampleFigure) -> None:
    """Write a figure in its size."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=described.dpi, bbox_inches="tight" if described.cropped else None)
    write_bytes(path, buffer.getvalue())
