"""The formats of exported files: how each is written and read."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from llmseg.errors import UserError, nearest

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from torch import Tensor, nn
    from torch.export import ExportedProgram

    from llmseg.training.numerics import Forward


@dataclass(frozen=True)
class Format:
    """How files of a format are written and read.

    Attributes:
        packages: Packages that are needed and are no dependency of the base install.
        write: Takes the traced network, texts to store, and path.
        read: Returns the network in a file as a function from images to probabilities.
        read_texts: Returns the texts that are stored in a file.
    """

    packages: tuple[str, ...]
    write: Callable[[ExportedProgram, dict[str, str], Path], None]
    read: Callable[[Path], Forward]
    read_texts: Callable[[Path], Mapping[str, str]]


def choose_format(path: Path, format: str | None) -> Format:
    """Return a format by its name, or by the suffix of a path.

    Raises:
        UserError: There is no such format, or a package that it needs is missing.
    """
    suffix = path.suffix.lower() if format is None else f".{format}"
    if suffix not in FORMATS:
        allowed = " and ".join(FORMATS)
        raise UserError(f"no export format '{suffix}'{nearest(suffix, FORMATS)}; allowed: {allowed}")
    chosen = FORMATS[suffix]
    missing = [name for name in chosen.packages if find_spec(name) is None]
    if missing:
        raise UserError(f"{suffix} needs {', '.join(missing)}: pip install llmseg[export], or export to .pt2")
    return chosen


def build_forward(net: nn.Module) -> Forward:
    """Return a network as a function from images to probabilities, without gradients."""
    import torch

    def forward(images: Tensor) -> Tensor:
        with torch.no_grad():
            output: Tensor = net(images)
        return output

    return forward


def forget_places(program: ExportedProgram) -> None:
    """Remove what an exporter notes of this machine: for every step, the lines of the code that led to it."""
    for module in program.graph_module.modules():
        for node in module.graph.nodes if hasattr(module, "graph") else ():
            node.meta.pop("stack_trace", None)


def _write_pt2(program: ExportedProgram, texts: dict[str, str], path: Path) -> None:
    import torch

    # In memory first: where a disk is full, torch's own writer ends in an error that does not say so.
    content = io.BytesIO()
    torch.export.save(program, content, extra_files=texts)
    path.write_bytes(content.getbuffer())


def _read_pt2(path: Path) -> Forward:
    import torch

    with path.open("rb") as file:
        return build_forward(torch.export.load(file).module())


def _read_pt2_texts(path: Path) -> dict[str, str]:
    import torch

    texts = {"sizes": ""}
    with path.open("rb") as file:
        torch.export.load(file, extra_files=texts)
    return texts


def _write_onnx(program: ExportedProgram, texts: dict[str, str], path: Path) -> None:
    import torch

    model = torch.onnx.export(
        program,
        dynamo=True,
        input_names=["image"],
        output_names=["probability"],
        verbose=False,
    )
    assert model is not None  # None is what the older exporter returns, dynamo=False
    model.model.metadata_props.update(texts)
    model.save(path)


def _open_onnx(path: Path) -> InferenceSession:
    import onnxruntime

    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def _read_onnx(path: Path) -> Forward:
    import torch

    session = _open_onnx(path)
    return lambda images: torch.from_numpy(session.run(["probability"], {"image": images.numpy()})[0])


def _read_onnx_texts(path: Path) -> Mapping[str, str]:
    texts: Mapping[str, str] = _open_onnx(path).get_modelmeta().custom_metadata_map
    return texts


FORMATS = {
    ".pt2": Format((), _write_pt2, _read_pt2, _read_pt2_texts),
    ".onnx": Format(("onnx", "onnxscript", "onnxruntime"), _write_onnx, _read_onnx, _read_onnx_texts),
}
