"""Export: write a trained network as a file that runs without this library, and check it against the network."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from llmseg.errors import UserError
from llmseg.files import clear_leftovers, make_folder, read_bytes, replace_file
from llmseg.files.notes import note
from llmseg.prediction.export_formats import build_forward, choose_format, forget_places
from llmseg.prediction.export_sizes import ExportSizes, trace_network
from llmseg.recipe.recipe import Recipe

if TYPE_CHECKING:
    from torch import Tensor, nn

    from llmseg.training.numerics import Forward

MAX_DIFFERENCE = 1e-4
"""How far the probabilities of file and network may lie apart.

Another runtime adds up in another order, which changes a probability by 1e-7 or so. The limit is well above that, and
well below what a reader of an 8-bit probability map could see.
"""

_EXAMPLE_IMAGES = 2
"""Batch size of the example with which the network is traced. With a single image, the exporters would take the batch
size for a constant 1."""

_CHECKED_BATCHES = (1, 3)
"""Batch sizes at which file and network are compared: others than that of the example."""


def export_model(
    net: nn.Module,
    recipe: Recipe,
    path: str | Path,
    *,
    format: str | None = None,
    size: tuple[int, int] | None = None,
    free_size: bool = False,
) -> Path:
    """Write a network as a file for ``torch.export.load`` or for ONNX runtimes.

    The input of the file is ``image``: prepared images, float32 ``[B, C, H, W]`` for any B. Its output is
    ``probability``: float32 ``[B, 1, h, w]`` in 0..1. If the network gives logits, the file includes the sigmoid. The
    network is traced in fp32 on the CPU. The file is kept only if its probabilities agree with those of the network.

    Three texts are stored in it, as metadata properties in ONNX and as extra files for ``torch.export``: the recipe
    (``recipe``, JSON), its digest (``recipe_digest``), and which sizes of images the file takes (``sizes``, JSON, see
    :func:`llmseg.prediction.read_export_sizes`).

    Args:
        net: A network with weights, see :func:`llmseg.load_model`; it is not changed.
        recipe: The recipe it was trained with.
        path: The file; an earlier export is replaced.
        format: ``pt2`` or ``onnx``; ``None`` for what the suffix of the path says.
        size: Height and width of prepared images; ``None`` for ``images.size`` of the recipe.
        free_size: Whether the file takes all heights and widths that the network takes, and not ``size`` alone. If the
            network takes no other, a note says why, and the file is written for ``size``.

    Returns:
        The path.

    Raises:
        UserError: There is no such format, the file is there and is no export of ours, a package is missing,
            neither recipe nor caller gives a size (with ``free_size``, 256 x 256 stands for it), the network does not
            take that size, the probabilities differ by more than :data:`MAX_DIFFERENCE`, or the disk is full.

    Example:
        >>> from llmseg import export_model, load_model
        >>> path = export_model(*load_model("runs/gpt-4"), "gpt-4.onnx")  # doctest: +SKIP
    """
    path = Path(path)
    chosen = choose_format(path, format)
    _check_replaceable(path)
    size = choose_export_size(recipe, size, free_size=free_size)
    exported = _append_sigmoid(net, recipe)
    example = _draw_images(recipe, _EXAMPLE_IMAGES, size)
    # Before the exporters see it: a network that does not take this size says so in its own words.
    build_forward(exported)(example)
    make_folder(path.parent)
    clear_leftovers(path.parent, path.name)
    with replace_file(path) as unfinished:
        traced = trace_network(exported, example, free_size=free_size)
        if traced.why_fixed:
            note(f"note: {path.name} takes images of {traced.sizes} only, because {traced.why_fixed}")
        forget_places(traced.program)
        texts = {"recipe": recipe.to_json(), "recipe_digest": recipe.digest, "sizes": traced.sizes.to_json()}
        chosen.write(traced.program, texts, unfinished)
        difference = _measure_difference(chosen.read(unfinished), build_forward(exported), recipe, traced.sizes)
        if not difference <= MAX_DIFFERENCE:  # not "above": a difference that is not a number must fail, too
            raise UserError(
                f"the probabilities of {path.name} differ from the network's by {difference:.2g}, more than "
                f"{MAX_DIFFERENCE:g}, so it was not kept; try the other format, or other versions of torch and its "
                "runtime"
            )
    return path


def compare_export(
    net: nn.Module,
    recipe: Recipe,
    path: str | Path,
    *,
    format: str | None = None,
    size: tuple[int, int] | None = None,
) -> float:
    """Return the largest difference between the probabilities of an exported file and of its network.

    Both get the same random prepared images, one alone and three at once, and two of other sizes if the file takes any.
    The difference depends on this machine and its runtimes.

    Args:
        net: The network.
        recipe: The recipe it was trained with.
        path: What :func:`export_model` wrote.
        format: As for :func:`export_model`.
        size: As for :func:`export_model`.

    Raises:
        UserError: There is no such format or file, a package is missing, or neither recipe nor caller gives a size (and
            the file takes only one).

    Example:
        >>> from llmseg import load_model
        >>> from llmseg.prediction import compare_export
        >>> compare_export(*load_model("runs/gpt-4"), "gpt-4.onnx")  # doctest: +SKIP
        5.960464477539063e-08
    """
    sizes = read_export_sizes(path, format=format)
    free = sizes is not None and sizes.multiple is not None
    size = choose_export_size(recipe, size, free_size=free)
    sizes = ExportSizes(size) if sizes is None else replace(sizes, size=size)
    original = build_forward(_append_sigmoid(net, recipe))
    return _measure_difference(choose_format(Path(path), format).read(Path(path)), original, recipe, sizes)


def read_export_sizes(path: str | Path, *, format: str | None = None) -> ExportSizes | None:
    """Return which heights and widths an exported file takes; ``None`` for files of earlier versions: only one.

    Args:
        path: What :func:`export_model` wrote.
        format: As for :func:`export_model`.

    Raises:
        UserError: There is no such format or file, or a package is missing.

    Example:
        >>> from llmseg.prediction import read_export_sizes
        >>> print(read_export_sizes("gpt-4.onnx"))  # doctest: +SKIP
        any height and width that are multiples of 8, from 16
    """
    path = Path(path)
    chosen = choose_format(path, format)
    if not path.is_file():
        raise UserError(f"no file {path}; export the model first")
    text = chosen.read_texts(path).get("sizes")
    return ExportSizes.from_json(text) if text else None


def choose_export_size(
    recipe: Recipe, size: tuple[int, int] | None = None, *, free_size: bool = False
) -> tuple[int, int]:
    """Return height and width of the images with which a network is exported.

    Args:
        recipe: The recipe.
        size: Height and width instead of those of ``images.size``.
        free_size: Whether the file shall take other sizes, too. If so, 256 x 256 stands for the native size.

    Raises:
        UserError: The recipe keeps the native size and none is given, or height or width is below 1.

    Example:
        >>> from llmseg import zoo
        >>> choose_export_size(zoo.get("gpt-4").recipe)
        (256, 256)
    """
    chosen: tuple[int, int] | None = size or getattr(recipe.images, "size", None)
    if chosen is None and free_size:
        return 256, 256
    if chosen is None:
        raise UserError("this recipe keeps the native size of images; give the size to export for: --size 256,256")
    if min(chosen) < 1:
        raise UserError(f"size {chosen[0]},{chosen[1]}: height and width must be at least 1, for example 256,256")
    return chosen


def _check_replaceable(path: Path) -> None:
    """Refuse to replace a file that :func:`export_model` did not write: it stores the digest of a recipe in each."""
    if path.is_dir() or (path.exists() and b"recipe_digest" not in read_bytes(path)):
        raise UserError(f"{path} was not exported by llmseg; move it away, or choose another --out")


def _append_sigmoid(net: nn.Module, recipe: Recipe) -> nn.Module:
    """Return a copy of a network that gives probabilities, on the CPU, in evaluation mode and default memory layout."""
    import torch

    from llmseg.recipe.nets.modules.blocks import Probability

    net = copy.deepcopy(net).to("cpu", torch.float32, memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    return (torch.nn.Sequential(net, Probability()) if recipe.net.output == "logits" else net).eval()


def _draw_images(recipe: Recipe, count: int, size: tuple[int, int]) -> Tensor:
    """Return random images as the recipe prepares them; torch's default generator is not used."""
    import torch

    generator = torch.Generator().manual_seed(count)
    table = recipe.images.tables()[0]
    return table.take(torch.randint(256, (count, recipe.images.channels, *size), generator=generator))


def _measure_difference(ours: Forward, expected: Forward, recipe: Recipe, sizes: ExportSizes) -> float:
    import torch

    batches = [_draw_images(recipe, count, sizes.size) for count in _CHECKED_BATCHES]
    batches += [_draw_images(recipe, 1, size) for size in sizes.further()]
    # torch's max, unlike Python's, gives not-a-number if there is one.
    return float(torch.stack([(ours(batch) - expected(batch)).abs().max() for batch in batches]).max())
