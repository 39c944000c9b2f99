"""Cases as files for a full run: each name has its image, and names of the test part have masks of other cases."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from llmseg.admission.full_run.coded import draw_coded
from llmseg.admission.running.layout import CASE_SUFFIX
from llmseg.data.store import Store

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Given:
    """What scripts are given under some names. Images are read when they are needed, for a store may be large.

    Attributes:
        names: The names.
        read: Returns image and mask of a name. The masks of test cases belong to others.
        held: Which held-out case a name of the test part has.
    """

    names: tuple[str, ...]
    read: Callable[[str], tuple[Pixels, Pixels]]
    held: Mapping[str, str]

    def write(self, folder: Path) -> None:
        """Write all as files, ``images/001.png`` with ``masks/001_seg.png``."""
        for kind in ("images", "masks"):
            (folder / kind).mkdir(parents=True, exist_ok=True)
        for name in self.names:
            image, mask = self.read(name)
            Image.fromarray(image).save(folder / "images" / f"{name}.png")
            Image.fromarray(mask).save(folder / "masks" / f"{name}{CASE_SUFFIX}.png")

    def masks(self, names: Iterable[str]) -> dict[str, Pixels]:
        """Return the masks that are given under some names."""
        return {name: self.read(name)[1] for name in names}


def name_cases(count: int) -> tuple[str, ...]:
    """Return names of as many cases, which sort as their numbers do.

    Example:
        >>> name_cases(2)
        ('001', '002')
    """
    width = max(3, len(str(count)))
    return tuple(f"{number:0{width}d}" for number in range(1, count + 1))


def give_coded(count: int, channels: int) -> Given:
    """Return coded cases under so many names."""
    names = name_cases(count)
    return Given(names, lambda name: draw_coded(int(name), channels), {})


def give_cases(store: Store, rest: Sequence[str], held: Sequence[str], names: Sequence[str], tested: set[str]) -> Given:
    """Give cases of a store the names that scripts put into their parts.

    Args:
        store: The cases.
        rest: Those that may be learnt from, as many as there are names outside of the test part.
        held: Those that are held out. If there are fewer than names in the test part, they come several times.
        names: All names.
        tested: Names of the test part. Their masks are those of other cases, in the size of the image.
    """
    learnt = dict(zip((name for name in names if name not in tested), rest, strict=True))
    shown, borrowed = (dict(zip(sorted(tested), itertools.cycle(ids), strict=False)) for ids in (held, rest))

    def read(name: str) -> tuple[Pixels, Pixels]:
        if name in learnt:
            case = store.read(learnt[name])
            return case.image, case.mask
        image, mask = store.read(shown[name]).image, store.read(borrowed[name]).mask
        height, width = image.shape[:2]
        return image, np.asarray(cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST))

    return Given(tuple(names), read, shown)
