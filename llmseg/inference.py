"""Predictions on new images."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from llmseg.data.layouts import find_images
from llmseg.data.pixels import read_image
from llmseg.errors import UserError
from llmseg.files import make_folder, write_bytes
from llmseg.recipe import Recipe
from llmseg.runs import Run, choose_device
from llmseg.zoo import Pipeline

if TYPE_CHECKING:
    from torch import nn


def predict(
    net: nn.Module,
    recipe: Recipe,
    images: str | Path,
    out: str | Path,
    *,
    device: str = "auto",
    progress: bool = True,
) -> tuple[Path, ...]:
    """Predict every image of a folder.

    For each image, ``probabilities/NAME.png`` (8-bit, 255 is certain foreground) and ``masks/NAME.png`` (0 or 255,
    foreground where the probability is above one half) are written on the image's own grid. All images are
    decoded once before the first is predicted, so that a damaged one leaves nothing half-written.

    Args:
        net: A network with weights, see :func:`load_model`.
        recipe: The recipe it was trained with.
        images: Folder of images.
        out: Folder for the two folders; existing files of the same names are replaced.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        progress: Whether to show a progress bar.

    Returns:
        The masks written, in the order of the image names.

    Raises:
        UserError: There are no images, one is damaged, or two would be written to the same name.
    """
    from tqdm import tqdm

    paths = find_images(Path(images))
    _check_names(paths)
    for path in paths:
        read_image(path)
    net = net.to(choose_device(device))
    masks, probabilities = Path(out) / "masks", Path(out) / "probabilities"
    written = []
    for path in tqdm(paths, desc="predict", unit="image", disable=not progress):
        values = probability(net, recipe, read_image(path))
        # Made only now, when a network that does not take these images would have said so.
        make_folder(masks)
        make_folder(probabilities)
        _write_png(probabilities / f"{path.stem}.png", np.round(values * 255))
        _write_png(masks / f"{path.stem}.png", (values > 0.5) * 255)
        written.append(masks / f"{path.stem}.png")
    return tuple(written)


def probability(net: nn.Module, recipe: Recipe, image: np.ndarray) -> np.ndarray:
    """Return the foreground probability of one image on its own grid.

    The network's map is resized bilinearly from its own size, which covers the whole image.

    Args:
        net: The network.
        recipe: The recipe it was trained with.
        image: uint8 ``[H, W]`` or ``[H, W, 3]``.

    Returns:
        float32 ``[H, W]`` in 0..1.
    """
    import torch
    from torch.nn import functional

    device = next(net.parameters()).device
    with torch.no_grad():
        output = net.eval()(recipe.images.image(image)[None].to(device))
        if recipe.net.output == "logits":
            output = output.sigmoid()
        height, width = image.shape[:2]
        resized = functional.interpolate(output, size=(height, width), mode="bilinear", antialias=True)
    return resized[0, 0].clamp(0, 1).cpu().numpy()


def load_model(run: str | Path) -> tuple[nn.Module, Recipe]:
    """Return network and recipe of a run folder.

    Raises:
        UserError: The folder holds no finished run.
    """
    if not Path(run).is_dir():
        raise UserError(f"no run folder {run}; for a pipeline of that name, give the original's --weights, too")
    opened = Run.open(run)
    return opened.load_net(), opened.recipe


def load_original_model(pipeline: Pipeline, weights: str | Path) -> tuple[nn.Module, Recipe]:
    """Return network and recipe of a pipeline with weights saved by the original script.

    Weights of a network with three input channels make the recipe read images in colour.

    Raises:
        UserError: The weights do not fit.
    """
    net = pipeline.load_original(weights)
    channels = next(p for p in net.parameters() if p.ndim == 4).shape[1]
    return net, pipeline.recipe.change("images.colour", "rgb" if channels == 3 else "grey")


def _check_names(paths: tuple[Path, ...]) -> None:
    by_stem: dict[str, Path] = {}
    for path in paths:
        other = by_stem.setdefault(path.stem, path)
        if other != path:
            raise UserError(f"{other.name} and {path.name} would both be written as {path.stem}.png; rename one")


def _write_png(path: Path, values: np.ndarray) -> None:
    from PIL import Image

    image = Image.fromarray(values.astype(np.uint8))
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    write_bytes(path, buffer.getvalue())
