"""Predictions on new images."""

from __future__ import annotations

import copy
import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from llmseg.data.image_mask_pairs import find_images
from llmseg.data.pixels import read_image
from llmseg.data.read_ahead import map_ahead
from llmseg.errors import UserError
from llmseg.files import encode_png, make_folder, write_bytes
from llmseg.recipe.images import Images, look_up
from llmseg.recipe.recipe import Recipe

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from llmseg.training.numerics import Forward


@dataclass(frozen=True)
class _Loaded:
    """An image as the network takes it: its name, its own height and width, its bytes ``[C, h, w]``."""

    name: str
    grid: tuple[int, int]
    pixels: np.ndarray


@dataclass(frozen=True)
class ProbabilityMap:
    """Foreground probability of an image, float32 in 0..1.

    Attributes:
        name: The image.
        working: ``[h, w]`` as the network gives it.
        native: ``[H, W]`` on the image's own grid.
    """

    name: str
    working: np.ndarray
    native: np.ndarray


def predict(
    net: nn.Module,
    recipe: Recipe,
    images: str | Path,
    out: str | Path,
    *,
    device: str = "auto",
    precision: str = "auto",
    exact: bool = False,
    batch_size: int | None = None,
    progress: bool = True,
) -> tuple[Path, ...]:
    """Predict every image of a folder.

    For each image, ``probabilities/NAME.png`` (8-bit, 255 is certain foreground) and ``masks/NAME.png`` (0 or 255,
    foreground where the probability is above one half) are written on the image's own grid. All images are
    decoded once before the first is predicted, so that a damaged one leaves nothing half-written.

    Images are decoded and results written by threads beside the network. A few batches are in memory at any time,
    however large the folder is. Where the recipe keeps the native size, neighbours of one size share a batch.

    Args:
        net: A network with weights, see :func:`llmseg.load_model`; it stays as and where it is.
        recipe: The recipe it was trained with.
        images: Folder of images.
        out: Folder for the two folders; existing files of the same names are replaced.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        precision: ``fp32``, ``bf16``, ``fp16``, or ``auto`` for what the device is made for, as in training.
        exact: Compute as the original scripts do, in fp32.
        batch_size: Images that pass through the network together; ``None`` takes the recipe's
            ``fit.batch_size`` on a GPU and 1 on a CPU.
        progress: Whether to show progress bars.

    Returns:
        The masks written, in the order of the image names.

    Raises:
        UserError: There are no images, one is damaged or of a size that the network does not take, two would be
            written to the same name, the device is not there, the precision or the batch size is none, or the disk
            is full.

    Example:
        >>> from llmseg import load_model, predict
        >>> net, recipe = load_model("runs/gpt-4")  # doctest: +SKIP
        >>> masks = predict(net, recipe, "images", "predicted", batch_size=32)  # doctest: +SKIP
    """
    paths = find_images(Path(images))
    _check_names(paths)
    by_name = {path.name: path for path in paths}
    out = Path(out)

    def write(found: ProbabilityMap) -> Path:
        return _write(out, (by_name[found.name], found.native))

    maps = predict_maps(
        net,
        recipe,
        tuple(by_name),
        lambda name: read_image(by_name[name]),
        device=device,
        precision=precision,
        exact=exact,
        batch_size=batch_size,
        progress=progress,
    )
    return tuple(map_ahead(write, _into(out, maps)))


def predict_maps(
    net: nn.Module,
    recipe: Recipe,
    names: Sequence[str],
    read: Callable[[str], np.ndarray],
    *,
    device: str = "auto",
    precision: str = "auto",
    exact: bool = False,
    batch_size: int | None = None,
    progress: bool = True,
) -> Iterator[ProbabilityMap]:
    """Yield the foreground probability of many images in order; :func:`predict` says how.

    All images are read once before the first is yielded, so that a damaged one stops nothing half-way.

    Args:
        net: A network with weights; it stays as and where it is.
        recipe: The recipe it was trained with.
        names: The images.
        read: Reads an image by name: uint8 ``[H, W]`` or ``[H, W, 3]``. Threads call it.
        device: As for :func:`predict`.
        precision: As for :func:`predict`.
        exact: As for :func:`predict`.
        batch_size: As for :func:`predict`.
        progress: Whether to show progress bars.

    Raises:
        UserError: As :func:`predict`.
    """
    from tqdm import tqdm

    from llmseg.training.device import choose_device
    from llmseg.training.numerics import choose_numerics

    chosen = choose_device(device)
    together = _together(recipe, chosen) if batch_size is None else batch_size
    if together < 1:
        raise UserError(f"batch size {together}: must be at least 1")
    numerics = choose_numerics(chosen, precision, exact=exact).for_inference
    shown = functools.partial(tqdm, total=len(names), unit="image", disable=not progress)

    load = functools.partial(_load, recipe.images, read)
    with numerics.set_switches():
        loaded = shown(map_ahead(load, names, 2 * together), desc="check", leave=False)
        _try_sizes(net, {image.pixels.shape for image in loaded})
        forward = numerics.build_forward(numerics.place(copy.deepcopy(net).eval(), chosen))
        batches = _batches(map_ahead(load, names, 2 * together), together)
        yield from shown(_predicted(forward, recipe, batches, chosen), desc="predict")


def _into(out: Path, maps: Iterator[ProbabilityMap]) -> Iterator[ProbabilityMap]:
    """Make the folders of a prediction when its first map is there: until then, nothing is written."""
    for place, found in enumerate(maps):
        if place == 0:
            for kind in ("masks", "probabilities"):
                make_folder(out / kind)
        yield found


def predict_image(net: nn.Module, recipe: Recipe, image: np.ndarray) -> np.ndarray:
    """Return the foreground probability of one image on its own grid, computed in fp32 where the network is.

    The network's map is resized bilinearly from its own size, which covers the whole image.

    Args:
        net: The network.
        recipe: The recipe it was trained with.
        image: uint8 ``[H, W]`` or ``[H, W, 3]``.

    Returns:
        float32 ``[H, W]`` in 0..1.
    """
    from llmseg.training.numerics import EXACT_NUMERICS

    device = next(net.parameters()).device
    with EXACT_NUMERICS.set_switches():
        maps = _maps(EXACT_NUMERICS.build_forward(net.eval()), recipe, recipe.images.image(image)[None].to(device))
    height, width = image.shape[:2]
    return _on_grid(maps, (height, width))


def _together(recipe: Recipe, device: torch.device) -> int:
    # A GPU wants many images at once; on a CPU, the maps of one stay closer to the processor than those of many.
    return recipe.fit.batch_size if device.type == "cuda" else 1


def _check_names(paths: tuple[Path, ...]) -> None:
    by_stem: dict[str, Path] = {}
    for path in paths:
        other = by_stem.setdefault(path.stem, path)
        if other != path:
            raise UserError(f"{other.name} and {path.name} would both be written as {path.stem}.png; rename one")


def _try_sizes(net: nn.Module, shapes: Iterable[tuple[int, ...]]) -> None:
    """Let a network that does not take images ``[C, h, w]`` of some size say so, before anything is written."""
    import torch

    trial = copy.deepcopy(net).to("meta").eval()
    for shape in shapes:
        # On this device nothing is computed, only shapes. A network that decides by its values cannot be tried so.
        with torch.no_grad(), suppress(NotImplementedError, RuntimeError):
            trial(torch.empty((1, *shape), device="meta"))


def _load(prepare: Images, read: Callable[[str], np.ndarray], name: str) -> _Loaded:
    image = read(name)
    height, width = image.shape[:2]
    return _Loaded(name, (height, width), prepare.image_bytes(image))


def _batches(images: Iterable[_Loaded], together: int) -> Iterator[list[_Loaded]]:
    """Group neighbours of one prepared size."""
    for _, alike in itertools.groupby(images, key=lambda image: image.pixels.shape):
        while batch := list(itertools.islice(alike, together)):
            yield batch


def _predicted(
    forward: Forward, recipe: Recipe, batches: Iterable[list[_Loaded]], device: torch.device
) -> Iterator[ProbabilityMap]:
    """Yield the probability of every image; only bytes travel to the device."""
    import torch

    table = recipe.images.tables()[0].to(device)
    for batch in batches:
        pixels = torch.from_numpy(np.stack([image.pixels for image in batch])).to(device)
        maps = _maps(forward, recipe, look_up(pixels, table))
        for place, image in enumerate(batch):
            one = maps[place : place + 1]
            yield ProbabilityMap(image.name, one[0, 0].cpu().numpy(), _on_grid(one, image.grid))


def _maps(forward: Forward, recipe: Recipe, images: Tensor) -> Tensor:
    """Return the probabilities ``[B, 1, h, w]`` of prepared images ``[B, C, H, W]``, float32."""
    import torch

    with torch.no_grad():
        output = forward(images)
        return output.sigmoid() if recipe.net.output == "logits" else output


def _on_grid(one: Tensor, grid: tuple[int, int]) -> np.ndarray:
    """Resize one map ``[1, 1, h, w]`` to an image's height and width."""
    from torch.nn import functional

    resized = functional.interpolate(one, size=grid, mode="bilinear", antialias=True)
    return resized[0, 0].clamp(0, 1).cpu().numpy()


def _write(out: Path, predicted: tuple[Path, np.ndarray]) -> Path:
    """Write probability and mask of an image; return the mask's path."""
    image, values = predicted
    write_bytes(out / "probabilities" / f"{image.stem}.png", encode_png(np.round(values * 255).astype(np.uint8)))
    mask = out / "masks" / f"{image.stem}.png"
    write_bytes(mask, encode_png((values > 0.5).astype(np.uint8) * 255))
    return mask
