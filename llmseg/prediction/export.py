"""A trained network as a file that runs without this library, checked against the network it was made from."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from llmseg.errors import UserError, nearest
from llmseg.files import replace_file
from llmseg.recipe.recipe import Recipe

if TYPE_CHECKING:
    from torch import Tensor, nn

    from llmseg.training.numerics import Forward

TOLERANCE = 1e-4
"""How far the probabilities of file and network may lie apart."""

_EXAMPLE = 2
"""Images that pass through the network when it is recorded; one alone would be taken for a rule."""

_CHECKED = (1, 3)
"""Images per batch when file and network are compared."""


@dataclass(frozen=True)
class _Format:
    """How files of a suffix are written (network, example images, texts to store, path) and read, and with what."""

    packages: tuple[str, ...]
    write: Callable[[nn.Module, Tensor, dict[str, str], Path], None]
    read: Callable[[Path], Forward]


def export_model(
    net: nn.Module,
    recipe: Recipe,
    path: str | Path,
    *,
    format: str | None = None,
    size: tuple[int, int] | None = None,
) -> Path:
    """Write a network as a file for ``torch.export.load`` or for ONNX runtimes.

    The file takes ``image``, prepared images float32 ``[B, C, H, W]`` for any B, and gives ``probability``, float32
    ``[B, 1, h, w]`` in 0..1; the sigmoid of a network with logits is part of the file. It holds the recipe (``recipe``,
    JSON) and its digest (``recipe_digest``): as metadata properties in ONNX, as extra files for ``torch.export``. The
    network is recorded in fp32 on the CPU. The file appears when its probabilities agree with the network's.

    Args:
        net: A network with weights, see :func:`llmseg.load_model`; it stays as and where it is.
        recipe: The recipe it was trained with.
        path: The file; an existing one is replaced.
        format: ``pt2`` or ``onnx``; ``None`` goes by the path's suffix.
        size: Height and width of prepared images; ``None`` takes ``images.size`` of the recipe.

    Returns:
        The path.

    Raises:
        UserError: There is no such format or folder, a package is missing, no size is known, the network does not take
            that size, the probabilities differ by more than :data:`TOLERANCE`, or the disk is full.

    Example:
        >>> from llmseg import export_model, load_model
        >>> path = export_model(*load_model("runs/gpt-4"), "gpt-4.onnx")  # doctest: +SKIP
    """
    path = Path(path)
    chosen = _chosen(path, format)
    if not path.parent.is_dir():
        raise UserError(f"no folder {path.parent} to write {path.name} into; make it, or choose another path")
    known = choose_export_size(recipe, size)
    whole = _with_probabilities(net, recipe)
    example = _random_images(recipe, _EXAMPLE, known)
    _run(whole)(example)  # a network that does not take this size says so in its own words
    about = {"recipe": recipe.to_json(), "recipe_digest": recipe.digest}
    with replace_file(path) as unfinished:
        chosen.write(whole, example, about, unfinished)
        difference = _difference(chosen.read(unfinished), _run(whole), recipe, known)
        if not difference <= TOLERANCE:  # so that not-a-number fails, too
            raise UserError(
                f"the probabilities of {path.name} differ from the network's by {difference:.2g}, more than "
                f"{TOLERANCE:g}, so it was not kept; try the other format, or other versions of torch and its runtime"
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
    """Return how far the probabilities of an exported file lie from the network's at most, on this machine.

    Both are given random prepared images, one alone and three at once.

    Args:
        net: The network.
        recipe: The recipe it was trained with.
        path: What :func:`export_model` wrote.
        format: As for :func:`export_model`.
        size: As for :func:`export_model`.

    Raises:
        UserError: There is no such format or file, a package is missing, or no size is known.

    Example:
        >>> from llmseg import load_model
        >>> from llmseg.prediction import compare_export
        >>> compare_export(*load_model("runs/gpt-4"), "gpt-4.onnx")  # doctest: +SKIP
        5.960464477539063e-08
    """
    path = Path(path)
    chosen = _chosen(path, format)
    if not path.is_file():
        raise UserError(f"no file {path}; export the model first")
    return _difference(
        chosen.read(path), _run(_with_probabilities(net, recipe)), recipe, choose_export_size(recipe, size)
    )


def choose_export_size(recipe: Recipe, size: tuple[int, int] | None = None) -> tuple[int, int]:
    """Return height and width of the images that an exported network takes.

    Args:
        recipe: The recipe.
        size: What is wanted instead of the recipe's ``images.size``.

    Raises:
        UserError: The recipe keeps the native size and none is given, or a side is not at least 1.

    Example:
        >>> from llmseg import zoo
        >>> choose_export_size(zoo.get("gpt-4").recipe)
        (256, 256)
    """
    known: tuple[int, int] | None = size or getattr(recipe.images, "size", None)
    if known is None:
        raise UserError("this recipe keeps the native size of images; give the size to export for: --size 256,256")
    if min(known) < 1:
        raise UserError(f"size {known[0]},{known[1]}: height and width must be at least 1, for example 256,256")
    return known


def _chosen(path: Path, format: str | None) -> _Format:
    suffix = path.suffix.lower() if format is None else f".{format}"
    if suffix not in _FORMATS:
        allowed = " and ".join(_FORMATS)
        raise UserError(f"no export format '{suffix}'{nearest(suffix, _FORMATS)}; allowed: {allowed}")
    chosen = _FORMATS[suffix]
    missing = [name for name in chosen.packages if find_spec(name) is None]
    if missing:
        raise UserError(f"{suffix} needs {', '.join(missing)}: pip install llmseg[export], or export to .pt2")
    return chosen


def _with_probabilities(net: nn.Module, recipe: Recipe) -> nn.Module:
    """Return a copy on the CPU, in evaluation mode and the plain memory layout, that ends in probabilities."""
    import torch

    from llmseg.recipe.nets.modules.blocks import Probability

    net = copy.deepcopy(net).to("cpu", torch.float32, memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    return (torch.nn.Sequential(net, Probability()) if recipe.net.output == "logits" else net).eval()


def _random_images(recipe: Recipe, count: int, size: tuple[int, int]) -> Tensor:
    """Return images as the recipe prepares them, of random bytes; the caller's random numbers are left alone."""
    import torch

    generator = torch.Generator().manual_seed(count)
    table = recipe.images.tables()[0]
    return table.take(torch.randint(256, (count, recipe.images.channels, *size), generator=generator))


def _run(net: nn.Module) -> Forward:
    import torch

    def run(images: Tensor) -> Tensor:
        with torch.no_grad():
            output: Tensor = net(images)
        return output

    return run


def _difference(found: Forward, expected: Forward, recipe: Recipe, size: tuple[int, int]) -> float:
    import torch

    batches = [_random_images(recipe, count, size) for count in _CHECKED]
    return float(torch.stack([(found(batch) - expected(batch)).abs().max() for batch in batches]).max())


def _write_pt2(net: nn.Module, example: Tensor, about: dict[str, str], path: Path) -> None:
    import torch

    program = torch.export.export(net, (example,), dynamic_shapes=({0: torch.export.Dim("batch")},))
    with path.open("wb") as file:
        torch.export.save(program, file, extra_files=about)


def _read_pt2(path: Path) -> Forward:
    import torch

    with path.open("rb") as file:
        return _run(torch.export.load(file).module())


def _write_onnx(net: nn.Module, example: Tensor, about: dict[str, str], path: Path) -> None:
    import torch

    program = torch.onnx.export(
        net,
        (example,),
        dynamo=True,
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        input_names=["image"],
        output_names=["probability"],
        verbose=False,
    )
    assert program is not None  # it is for the older exporter only
    program.model.metadata_props.update(about)
    program.save(path)


def _read_onnx(path: Path) -> Forward:
    import onnxruntime
    import torch

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return lambda images: torch.from_numpy(session.run(["probability"], {"image": images.numpy()})[0])


_FORMATS = {
    ".pt2": _Format((), _write_pt2, _read_pt2),
    ".onnx": _Format(("onnx", "onnxscript", "onnxruntime"), _write_onnx, _read_onnx),
}
