"""What a foreign command has written, told by names and headers of images; nothing is decoded or unpickled."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from pathlib import Path, PurePosixPath

from PIL import Image

_WEIGHTS = {".pt", ".pth", ".pkl", ".ckpt", ".safetensors", ".h5", ".hdf5", ".keras", ".onnx", ".weights"}
_NUMBERS = {".csv", ".tsv", ".xlsx", ".xls", ".json", ".jsonl", ".yaml", ".yml"}

_IMAGES = ("PNG", "JPEG", "BMP", "TIFF", "GIF")
_ONE_CHANNEL = ("1", "L", "P", "I", "I;16", "F")


@dataclass(frozen=True)
class Results:
    """What a command has written, as paths from its writable places.

    Attributes:
        weights: Files that hold the weights of a network, by their ending.
        masks: Images of one channel, or arrays of numpy. Images in colour are figures.
        numbers: Tables.
        others: All other files that are not empty.
        removed: Links and special files that were there. They were taken out.
    """

    weights: tuple[Path, ...] = ()
    masks: tuple[Path, ...] = ()
    numbers: tuple[Path, ...] = ()
    others: tuple[Path, ...] = ()
    removed: tuple[Path, ...] = ()

    @property
    def kinds(self) -> tuple[str, ...]:
        """Which of ``"weights"``, ``"masks"`` and ``"numbers"`` are there."""
        return tuple(kind for kind in ("weights", "masks", "numbers") if getattr(self, kind))

    def without(self, folder: Path) -> Results:
        """Return it without the files in a folder; what was taken out of that is still named.

        Args:
            folder: The folder, such as one in which something else than the command writes.

        Example:
            >>> Results(numbers=(Path("/out/scores.csv"), Path("/record/1.jsonl"))).without(Path("/record")).numbers
            (PosixPath('/out/scores.csv'),)
        """
        names = ("weights", "masks", "numbers", "others")
        kept = {name: tuple(p for p in getattr(self, name) if not p.is_relative_to(folder)) for name in names}
        return replace(self, **kept)

    def __str__(self) -> str:
        return ", ".join(self.kinds) or "nothing"


def sort_results(places: Iterable[tuple[Path, Iterable[PurePosixPath], Iterable[PurePosixPath]]]) -> Results:
    """Return what new files there are.

    Args:
        places: (folder, files in it, what was taken out of it) of every writable place; its processes have ended.
    """
    found: dict[str, list[Path]] = {kind.name: [] for kind in fields(Results)}
    for folder, files, removed in places:
        for file in files:
            found[_name_kind(folder / file)].append(folder / file)
        found["removed"] += [folder / path for path in removed]
    return Results(**{kind: tuple(sorted(paths)) for kind, paths in found.items()})


def _name_kind(file: Path) -> str:
    ending = file.suffix.lower()
    if ending in _WEIGHTS:
        return "weights"
    if ending in _NUMBERS:
        return "numbers"
    return "masks" if has_one_channel(file) else "others"


def has_one_channel(file: Path) -> bool:
    """Return whether a file is an image of one channel, by its header, or an array."""
    if file.suffix.lower() == ".npy":
        return True
    with suppress(OSError, ValueError, SyntaxError, Image.DecompressionBombError), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(file, formats=_IMAGES) as image:
            return image.mode in _ONE_CHANNEL
    return False
