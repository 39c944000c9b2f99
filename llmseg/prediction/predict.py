"""``predict``: apply a trained network to new images and write masks; the same for arrays in memory.

How a device computes is in ``llmseg/training/numerics.py``, what a run's network is in ``load.py``.
"""

from __future__ import annotations

import copy
import functools
import itertools
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from llmseg.data.image_check import check_image_files
from llmseg.data.image_files import drop_masks, find_images
from llmseg.data.pages import list_pages
from llmseg.data.pixels import read_image
from llmseg.data.read_ahead import map_ahead
from llmseg.data.reading import DEFAULT, Reading, ReadingWarning
from llmseg.errors import UserError
from llmseg.files import encode_png, write_bytes
from llmseg.prediction.folder import begin, check_free, finish
from llmseg.recipe.images import Images, look_up
from llmseg.recipe.recipe import Recipe

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from llmseg.training.numerics import Forward


@dataclass(frozen=True)
class _LoadedImage:
    """An image as the network takes it: its name, its own height and width, its prepared bytes ``[C, h, w]``."""

    name: str
    grid: tuple[int, int]
    pixels: np.ndarray


@dataclass(frozen=True)
class ProbabilityMap:
    """The foreground probability of every pixel of an image, float32 in 0..1.

    Attributes:
        name: Name of the image.
        working: ``[h, w]``, as the network gives it.
        native: ``[H, W]``, resized to the image's own height and width.

    Example:
        >>> small, large = np.zeros((64, 64), np.float32), np.zeros((400, 600), np.float32)
        >>> bool((ProbabilityMap("a.png", small, large).native > 0.5).any())
        False
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
    reading: Reading = DEFAULT,
    progress: bool = True,
) -> tuple[Path, ...]:
    """Predict every image of a folder.

    Two files are written for each image, with the image's own height and width: ``probabilities/NAME.png`` (8-bit, 255
    is certain foreground) and ``masks/NAME.png`` (255 where the probability is above one half, else 0). All images are
    decoded once before the first is predicted, so that a damaged one leaves nothing half-written.

    Threads decode images and write results while the network computes. Only a few batches are in memory at a time,
    however large the folder is. If the recipe keeps the native size, neighbours of the same size share a batch.

    Args:
        net: A network with weights, see :func:`llmseg.load_model`; it is not changed.
        recipe: The recipe it was trained with.
        images: Folder of images, or one image.
        out: Folder for the two folders, and for ``predictions.json``, which names the images. It is new or empty, or
            has earlier predictions of the same images, which are replaced unless a mask was changed by hand.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        precision: What the network computes in: ``fp32``, ``bf16``, ``fp16``, or ``auto`` for the one that the device
            is fastest in.
        exact: Compute as the original scripts do, in fp32.
        batch_size: Images that pass through the network together; ``None`` for ``fit.batch_size`` of the recipe on a
            GPU and 1 on a CPU.
        reading: How pixels are read; that of the cases the network was trained on.
        progress: Whether to show progress bars.

    Returns:
        The paths of the masks, in the order of the image names.

    Raises:
        UserError: There are no images, an image is damaged or of a size that the network does not take, two images
            would be written to the same file, the folder holds something else or lies within that of the images, the
            machine does not have the device, there is no such precision, the batch size is below 1, or the disk is
            full.

    Example:
        >>> from llmseg import load_model, predict
        >>> net, recipe = load_model("runs/gpt-4")  # doctest: +SKIP
        >>> masks = predict(net, recipe, "images", "predicted", batch_size=32)  # doctest: +SKIP
    """
    paths = drop_masks(find_images(Path(images)))
    pages = {name: (path, page) for path in paths for name, page in list_pages(path, reading).items()}
    _check_names(pages)
    refusal, sentences = check_image_files(paths, reading)
    if refusal:
        raise UserError(refusal)
    for sentence in sentences:
        warnings.warn(sentence, ReadingWarning, stacklevel=2)
    out, names = Path(out), [Path(name).stem for name in pages]
    check_free(out, Path(images), names)

    def read(name: str) -> np.ndarray:
        path, page = pages[name]
        return read_image(path, reading, page)

    def write(predicted: ProbabilityMap) -> Path:
        return _write(out, Path(predicted.name), predicted.native)

    maps = predict_maps(
        net,
        recipe,
        tuple(pages),
        read,
        device=device,
        precision=precision,
        exact=exact,
        batch_size=batch_size,
        progress=progress,
    )
    masks = tuple(map_ahead(write, _begin_first(out, names, maps)))
    finish(out)
    return masks


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
    """Yield the foreground probability of many images, in their order, as :func:`predict` computes it.

    All images are read once before the first is yielded, so that a damaged one does not end the work half-way.

    Args:
        net: A network with weights; it is not changed.
        recipe: The recipe it was trained with.
        names: Names of the images.
        read: Reads an image by its name: uint8 ``[H, W]`` or ``[H, W, 3]``. It is called in threads.
        device: As for :func:`predict`.
        precision: As for :func:`predict`.
        exact: As for :func:`predict`.
        batch_size: As for :func:`predict`.
        progress: Whether to show progress bars.

    Raises:
        UserError: As :func:`predict`.

    Example:
        >>> from llmseg.data.pixels import read_image
        >>> paths = sorted(Path("images").iterdir())  # doctest: +SKIP
        >>> names = [path.name for path in paths]  # doctest: +SKIP
        >>> maps = predict_maps(net, recipe, names, lambda name: read_image(Path("images") / name))  # doctest: +SKIP
        >>> next(maps).native.shape  # doctest: +SKIP
    """
    from tqdm import tqdm

    from llmseg.training.device import choose_device
    from llmseg.training.kernel_choice import choose_inference_kernels
    from llmseg.training.numerics import choose_numerics

    chosen = choose_device(device)
    if batch_size is None:
        batch_size = _choose_batch_size(recipe, chosen)
    if batch_size < 1:
        raise UserError(f"batch size {batch_size}: must be at least 1")
    numerics = choose_numerics(chosen, precision, exact=exact)
    show_progress = functools.partial(tqdm, total=len(names), unit="image", disable=not progress)

    load = functools.partial(_load, recipe.images, read)
    with numerics.set_switches():
        # Twice a batch: while the network computes one, threads decode the next.
        loaded = show_progress(map_ahead(load, names, 2 * batch_size), desc="check", leave=False)
        shapes = {image.pixels.shape for image in loaded}
        _try_sizes(net, shapes)
        numerics = choose_inference_kernels(numerics, net, chosen, shapes, progress=progress)
        forward = numerics.build_forward(numerics.place(copy.deepcopy(net).eval(), chosen))
        batches = _group_batches(map_ahead(load, names, 2 * batch_size), batch_size)
        yield from show_progress(_predict_batches(forward, recipe, batches, chosen), desc="predict")


def _begin_first(out: Path, names: Sequence[str], maps: Iterator[ProbabilityMap]) -> Iterator[ProbabilityMap]:
    """Pass maps on; make the folders when the first map is there. Until then all images are checked."""
    for index, predicted in enumerate(maps):
        if index == 0:
            begin(out, names)
        yield predicted


def predict_image(net: nn.Module, recipe: Recipe, image: np.ndarray) -> np.ndarray:
    """Return the foreground probability of every pixel of one image, computed in fp32 on the network's device.

    The network's output covers the whole image. It is resized to the image's height and width bilinearly.

    Args:
        net: The network.
        recipe: The recipe it was trained with.
        image: uint8 ``[H, W]`` or ``[H, W, 3]``.

    Returns:
        float32 ``[H, W]`` in 0..1.

    Example:
        >>> import torch
        >>> from llmseg import zoo
        >>> recipe = zoo.get("bing-copilot").recipe
        >>> map = predict_image(recipe.net.build(1), recipe, np.zeros((300, 200), np.uint8))
        >>> map.shape, map.dtype
        ((300, 200), dtype('float32'))
    """
    from llmseg.training.numerics import EXACT_NUMERICS

    device = next(net.parameters()).device
    with EXACT_NUMERICS.set_switches():
        maps = _compute_maps(
            EXACT_NUMERICS.build_forward(net.eval()), recipe, recipe.images.image(image)[None].to(device)
        )
    height, width = image.shape[:2]
    return _resize_map(maps, (height, width))


def _choose_batch_size(recipe: Recipe, device: torch.device) -> int:
    # A GPU is only busy with many images at once. On a CPU, the maps of one stay closer to the processor than of many.
    return recipe.fit.batch_size if device.type == "cuda" else 1


def _check_names(names: Iterable[str]) -> None:
    by_stem: dict[str, str] = {}
    for name in names:
        stem = Path(name).stem
        other = by_stem.setdefault(stem, name)
        if other != name:
            raise UserError(f"{other} and {name} would both be written as {stem}.png; rename one")


def _try_sizes(net: nn.Module, shapes: Iterable[tuple[int, ...]]) -> None:
    """Raise the network's own error if it does not take prepared images of one of these shapes ``[C, h, w]``."""
    import torch

    trial = copy.deepcopy(net).to("meta").eval()
    for shape in shapes:
        # Tensors on the meta device have a shape and no values, so this takes no time. A network whose path depends on
        # values cannot be tried like that: then errors of torch are passed over, and the prediction itself will tell.
        with torch.no_grad(), suppress(NotImplementedError, RuntimeError):
            trial(torch.empty((1, *shape), device="meta"))


def _load(prepare: Images, read: Callable[[str], np.ndarray], name: str) -> _LoadedImage:
    image = read(name)
    height, width = image.shape[:2]
    return _LoadedImage(name, (height, width), prepare.image_bytes(image))


def _group_batches(images: Iterable[_LoadedImage], batch_size: int) -> Iterator[list[_LoadedImage]]:
    """Group neighbours of the same prepared size into batches."""
    for _, alike in itertools.groupby(images, key=lambda image: image.pixels.shape):
        while batch := list(itertools.islice(alike, batch_size)):
            yield batch


def _predict_batches(
    forward: Forward, recipe: Recipe, batches: Iterable[list[_LoadedImage]], device: torch.device
) -> Iterator[ProbabilityMap]:
    """Yield the probability of every image. Images travel to the device as bytes, a quarter of what floats take."""
    import torch

    table = recipe.images.tables()[0].to(device)
    for batch in batches:
        pixels = torch.from_numpy(np.stack([image.pixels for image in batch])).to(device)
        maps = _compute_maps(forward, recipe, look_up(pixels, table))
        for index, image in enumerate(batch):
            values = maps[index : index + 1]
            yield ProbabilityMap(image.name, values[0, 0].cpu().numpy(), _resize_map(values, image.grid))


def _compute_maps(forward: Forward, recipe: Recipe, images: Tensor) -> Tensor:
    """Return the probabilities ``[B, 1, h, w]`` of prepared images ``[B, C, H, W]``, float32."""
    import torch

    with torch.no_grad():
        output = forward(images)
        return output.sigmoid() if recipe.net.output == "logits" else output


def _resize_map(values: Tensor, grid: tuple[int, int]) -> np.ndarray:
    """Resize a map ``[1, 1, h, w]`` to the height and width of its image."""
    from torch.nn import functional

    # antialias: where the image is smaller than the map, every pixel of the map counts.
    resized = functional.interpolate(values, size=grid, mode="bilinear", antialias=True)
    return resized[0, 0].clamp(0, 1).cpu().numpy()


def _write(out: Path, image: Path, values: np.ndarray) -> Path:
    """Write probability and mask of an image; return the path of the mask."""
    write_bytes(out / "probabilities" / f"{image.stem}.png", encode_png(np.round(values * 255).astype(np.uint8)))
    mask = out / "masks" / f"{image.stem}.png"
    write_bytes(mask, encode_png((values > 0.5).astype(np.uint8) * 255))
    return mask
