"""The command about this computer: llmseg doctor."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import typer
from packaging.requirements import Requirement

import llmseg
from llmseg.cli.output import Output
from llmseg.cli.spread import spread
from llmseg.cli.text.layout import align_columns, section

SHOWN = ("torch", "monai", "numpy", "pandas", "timm", "nnunetv2", "onnx")
"""Packages whose versions results or files depend on."""


@dataclass(frozen=True)
class Extra:
    """Packages that only some commands need.

    Attributes:
        name: Its name, as in ``pip install "llmseg[NAME]"``.
        missing: What of it is not installed, or too old.
    """

    name: str
    missing: tuple[str, ...]

    @property
    def install(self) -> str:
        """The command that installs it; empty if nothing is missing."""
        wanted = "llmseg" if self.name == "required" else f'"llmseg[{self.name}]"'
        return f"pip install {wanted}" if self.missing else ""


def read_extras(requirements: Iterable[str]) -> tuple[Extra, ...]:
    """Return the extras that requirements name, and what is missing of each; ``required`` are those of every command.

    Args:
        requirements: Requirements as ``importlib.metadata.requires`` lists them.

    Example:
        >>> read_extras(["numpy", 'no-such-package>=2; extra == "figures"'])[1]
        Extra(name='figures', missing=('no-such-package>=2',))
    """
    parsed = [Requirement(text) for text in requirements]
    names = dict.fromkeys(found for each in parsed if (found := _extra_of(each)))
    missing: dict[str, list[str]] = {"required": [], **{name: [] for name in names}}
    for each in parsed:
        name = _extra_of(each) or "required"
        applies = each.marker is None or each.marker.evaluate({"extra": name})
        if applies and not _is_installed(each):
            missing[name].append(f"{each.name}{each.specifier}")
    return tuple(Extra(name, tuple(packages)) for name, packages in missing.items())


@spread
def doctor(output: Output) -> None:
    """Say what this computer has: versions, devices, and what is missing and how to install it.

    For datasets, there is llmseg data doctor. Exit code 1 means that a package is missing that every command needs.

    Example: llmseg doctor
    """
    extras = read_extras(metadata.requires("llmseg") or ())
    facts = _gather()
    if output.as_json:
        described = [{"name": extra.name, "missing": extra.missing, "install": extra.install} for extra in extras]
        output.print({**facts, "extras": described})
    else:
        output.print(_describe(facts, extras))
    if extras[0].missing:
        raise typer.Exit(1)


def _gather() -> dict[str, Any]:
    import torch

    cache = llmseg.data.cache_folder()
    disk = shutil.disk_usage(next(folder for folder in (cache, *cache.parents) if folder.exists()))
    return {
        "llmseg": llmseg.__version__,
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in SHOWN},
        "hardware": llmseg.hardware(),
        "cuda": torch.version.cuda,
        "cache": {"folder": str(cache), "free_gb": round(disk.free / 1e9, 1)},
    }


def _describe(facts: dict[str, Any], extras: tuple[Extra, ...]) -> str:
    hardware, cache = facts["hardware"], facts["cache"]
    gpus = ", ".join(hardware["gpus"]) or "none that torch can use"
    rows = [
        ("llmseg", facts["llmseg"]),
        ("python", facts["python"]),
        *((name, version or "not installed") for name, version in facts["packages"].items()),
        ("system", f"{hardware['system']} {hardware['machine']}"),
        ("processor", f"{hardware['cores']} cores, {hardware['threads']} threads, {hardware['cpu_capability']}"),
        ("GPUs", gpus),
        ("CUDA of torch", facts["cuda"] or "none, this torch computes on the processor"),
        ("cache", f"{cache['folder']}, {cache['free_gb']} GB free"),
    ]
    states = [
        (extra.name, f"missing {', '.join(extra.missing)}; {extra.install}" if extra.missing else "complete")
        for extra in extras
    ]
    return f"{align_columns(rows)}\n\n{section('packages', align_columns(states).splitlines())}"


def _extra_of(requirement: Requirement) -> str | None:
    """Return the extra to which a requirement belongs; ``None`` for one of the whole package."""
    words = str(requirement.marker or "").replace('"', "'").split("extra == '")
    return words[1].partition("'")[0] if len(words) > 1 else None


def _is_installed(requirement: Requirement) -> bool:
    version = _version(requirement.name)
    return version is not None and requirement.specifier.contains(version, prereleases=True)


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
