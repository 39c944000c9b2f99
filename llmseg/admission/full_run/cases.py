"""Cases as files for a full run: each name has its image, and names of the test part have masks of other cases."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
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
    """What scripts are given under some names.

    Attributes:
        images: The images.
        masks: The masks, of which those of test cases belong to others.
        held: Which held-out case a name of the test part has.
    """

    images: Mapping[str, Pixels]
    masks: Mapping[str, Pixels]
    held: Mapping[str, str]

    def write(self, folder: Path) -> None:
        """Write all as files, ``images/001.png`` with ``masks/001_seg.png``."""
        for kind in ("images", "masks"):
            (folder / kind).mkdir(parents=True, exist_ok=True)
        for name, image in self.images.items():
            Image.fromarray(image).save(folder / "images" / f"{name}.png")
            Image.fromarray(self.masks[name]).save(folder / "masks" / f"{name}{CASE_SUFFIX}.png")


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
    drawn = {name: draw_coded(number, channels) for number, name in enumerate(name_cases(count))}
    return Given({name: pair[0] for name, pair in drawn.items()}, {name: pair[1] for name, pair in drawn.items()}, {})


def give_cases(store: Store, rest: Sequence[str], held: Sequence[str], names: Sequence[str], tested: set[str]) -> Given:
    """Give cases of a store the names that scripts put into their parts.

    Args:
        store: The cases.
        rest: Those that may be learnt from, as many as there are names outside of the test part.
        held: Those that are held out. If there are fewer than names in the test part, they come several times.
        names: All names.
        tested: Names of the test part. Their masks are those of other cases, in the size of the image.
    """
    others = iter(rest)
    held_in_turn = itertools.cycle(held)
    chosen = {name: next(held_in_turn) if name in tested else next(others) for name in names}
    borrowed = itertools.cycle(rest)
    images, masks = {}, {}
    for name, id in chosen.items():
        case = store.read(id)
        images[name] = case.image
        masks[name] = case.mask
        if name in tested:
            mask = store.read(next(borrowed)).mask
            height, width = case.image.shape[:2]
            masks[name] = np.asarray(cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST))
    return Given(images, masks, {name: id for name, id in chosen.items() if name in tested})
