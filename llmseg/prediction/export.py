"""Export: write a trained network as a file that runs without this library, and check it against the network."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from llmseg.errors import UserError, nearest
from llmseg.files import clear_leftovers, make_folder, read_bytes, replace_file
from llmseg.recipe.recipe import Recipe

if TYPE_CHECKING:
    from torch import Tensor, nn
    from torch.export import ExportedProgram

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


@dataclass(frozen=True)
class _Format:
    """How files of a format are written and read.

    Attributes:
        packages: Packages that are needed and are no dependency of the base install.
        write: Takes network, example images, texts to store, and path.
        read: Returns the network in a file as a function from images to probabilities.
    """

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

    The input of the file is ``image``: prepared images, float32 ``[B, C, H, W]`` for any B. Its output is
    ``probability``: float32 ``[B, 1, h, w]`` in 0..1. If the network gives logits, the file includes the sigmoid. The
    recipe (``recipe``, JSON) and its digest (``recipe_digest``) are stored in it: as metadata properties in ONNX, as
    extra files for ``torch.export``. The network is traced in fp32 on the CPU. The file is kept only if its
    probabilities agree with those of the network.

    Args:
        net: A network with weights, see :func:`llmseg.load_model`; it is not changed.
        recipe: The recipe it was trained with.
        path: The file; an earlier export is replaced.
        format: ``pt2`` or ``onnx``; ``None`` for what the suffix of the path says.
        size: Height and width of prepared images; ``None`` for ``images.size`` of the recipe.

    Returns:
        The path.

    Raises:
        UserError: There is no such format, the file is there and is no export of ours, a package is missing,
            neither recipe nor caller gives a size, the network does not take that size, the probabilities differ by
            more than :data:`MAX_DIFFERENCE`, or the disk is full.

    Example:
        >>> from llmseg import export_model, load_model
        >>> path = export_model(*load_model("runs/gpt-4"), "gpt-4.onnx")  # doctest: +SKIP
    """
    path = Path(path)
    chosen = _choose_format(path, format)
    _check_replaceable(path)
    size = choose_export_size(recipe, size)
    exported = _append_sigmoid(net, recipe)
    example = _draw_images(recipe, _EXAMPLE_IMAGES, size)
    # Before the exporters see it: a network that does not take this size says so in its own words.
    _build_forward(exported)(example)
    texts = {"recipe": recipe.to_json(), "recipe_digest": recipe.digest}
    make_folder(path.parent)
    clear_leftovers(path.parent, path.name)
    with replace_file(path) as unfinished:
        chosen.write(exported, example, texts, unfinished)
        difference = _measure_difference(chosen.read(unfinished), _build_forward(exported), recipe, size)
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

    Both get the same random prepared images, one alone and three at once. The difference depends on this machine and
    its runtimes.

    Args:
        net: The network.
        recipe: The recipe it was trained with.
        path: What :func:`export_model` wrote.
        format: As for :func:`export_model`.
        size: As for :func:`export_model`.

    Raises:
        UserError: There is no such format or file, a package is missing, or neither recipe nor caller gives a size.

    Example:
        >>> from llmseg import load_model
        >>> from llmseg.prediction import compare_export
        >>> compare_export(*load_model("runs/gpt-4"), "gpt-4.onnx")  # doctest: +SKIP
        5.960464477539063e-08
    """
    path = Path(path)
    chosen = _choose_format(path, format)
    if not path.is_file():
        raise UserError(f"no file {path}; export the model first")
    original = _build_forward(_append_sigmoid(net, recipe))
    return _measure_difference(chosen.read(path), original, recipe, choose_export_size(recipe, size))


def choose_export_size(recipe: Recipe, size: tuple[int, int] | None = None) -> tuple[int, int]:
    """Return height and width of the images that an exported network takes.

    Args:
        recipe: The recipe.
        size: Height and width instead of those of ``images.size``.

    Raises:
        UserError: The recipe keeps the native size and none is given, or height or width is below 1.

    Example:
        >>> from llmseg import zoo
        >>> choose_export_size(zoo.get("gpt-4").recipe)
        (256, 256)
    """
    chosen: tuple[int, int] | None = size or getattr(recipe.images, "size", None)
    if chosen is None:
        raise UserError("this recipe keeps the native size of images; give the size to export for: --size 256,256")
    if min(chosen) < 1:
        raise UserError(f"size {chosen[0]},{chosen[1]}: height and width must be at least 1, for example 256,256")
    return chosen


def _check_replaceable(path: Path) -> None:
    """Refuse to replace a file that :func:`export_model` did not write: it stores the digest of a recipe in each."""
    if path.is_dir() or (path.exists() and b"recipe_digest" not in read_bytes(path)):
        raise UserError(f"{path} was not exported by llmseg; move it away, or choose another --out")


def _choose_format(path: Path, format: str | None) -> _Format:
    suffix = path.suffix.lower() if format is None else f".{format}"
    if suffix not in _FORMATS:
        allowed = " and ".join(_FORMATS)
        raise UserError(f"no export format '{suffix}'{nearest(suffix, _FORMATS)}; allowed: {allowed}")
    chosen = _FORMATS[suffix]
    missing = [name for name in chosen.packages if find_spec(name) is None]
    if missing:
        raise UserError(f"{suffix} needs {', '.join(missing)}: pip install llmseg[export], or export to .pt2")
    return chosen


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


def _build_forward(net: nn.Module) -> Forward:
    import torch

    def forward(images: Tensor) -> Tensor:
        with torch.no_grad():
            output: Tensor = net(images)
        return output

    return forward


def _measure_difference(ours: Forward, expected: Forward, recipe: Recipe, size: tuple[int, int]) -> float:
    import torch

    batches = [_draw_images(recipe, count, size) for count in _CHECKED_BATCHES]
    # torch's max, unlike Python's, gives not-a-number if there is one.
    return float(torch.stack([(ours(batch) - expected(batch)).abs().max() for batch in batches]).max())


def _write_pt2(net: nn.Module, example: Tensor, texts: dict[str, str], path: Path) -> None:
    import torch

    program = torch.export.export(net, (example,), dynamic_shapes=({0: torch.export.Dim("batch")},))
    _forget_places(program)
    # In memory first: where a disk is full, torch's own writer ends in an error that does not say so.
    content = io.BytesIO()
    torch.export.save(program, content, extra_files=texts)
    path.write_bytes(content.getbuffer())


def _forget_places(program: ExportedProgram) -> None:
    """Remove what an exporter notes of this machine: for every step, the lines of the code that led to it."""
    for module in program.graph_module.modules():
        for node in module.graph.nodes if hasattr(module, "graph") else ():
            node.meta.pop("stack_trace", None)


def _read_pt2(path: Path) -> Forward:
    import torch

    with path.open("rb") as file:
        return _build_forward(torch.export.load(file).module())


def _write_onnx(net: nn.Module, example: Tensor, texts: dict[str, str], path: Path) -> None:
    import torch

    exported = torch.export.export(net, (example,), dynamic_shapes=({0: torch.export.Dim("batch")},))
    _forget_places(exported)
    program = torch.onnx.export(
        exported,
        dynamo=True,
        input_names=["image"],
        output_names=["probability"],
        verbose=False,
    )
    assert program is not None  # None is what the older exporter returns, dynamo=False
    program.model.metadata_props.update(texts)
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
