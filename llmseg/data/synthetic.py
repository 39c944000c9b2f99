"""Synthetic stores: phantoms, drawn on demand, that look like the six kinds of images of the study.

They need no download and no licence, so tests, tutorials and benchmarks use them in place of the datasets.
A phantom is drawn in float64 and rounded to 8 bits once, so that its bytes do not depend on the machine.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from llmseg.data import phantoms
from llmseg.data.store import Case
from llmseg.errors import UserError, nearest

MODALITIES: tuple[str, ...] = ("endoscopy", "fluoroscopy", "mri-tumour", "dermoscopy", "mri-myoma", "fundus")
"""The kinds of phantoms: what each imitates."""

PHANTOM_VERSION = 1
"""Part of every digest; raise it with any change of the drawing code."""


# For each modality: what draws a case, what the cases of a group are taken from, how many cases a group has.
_PHANTOMS: dict[str, tuple[Callable[[Generator, Generator, int], phantoms.Drawing], str, int]] = {
    "endoscopy": (phantoms.draw_endoscopy, "video", 4),
    "fluoroscopy": (phantoms.draw_fluoroscopy, "video", 4),
    "mri-tumour": (phantoms.draw_mri_tumour, "patient", 1),
    "dermoscopy": (phantoms.draw_dermoscopy, "lesion", 1),
    "mri-myoma": (phantoms.draw_mri_myoma, "volume", 7),
    "fundus": (phantoms.draw_fundus, "patient", 1),
}


@dataclass(frozen=True)
class SyntheticStore:
    """A store of phantoms of one modality, drawn when they are read.

    Sizes differ from group to group. They are never square and lie between 180 and 420 pixels. A video has four frames
    and a volume seven slices, of which three have an empty mask.

    Attributes:
        modality: One of :data:`MODALITIES`. ``"dermoscopy"`` and ``"fundus"`` are RGB, the others grey.
        count: Number of cases, at least 1. Case k is the same whatever the count.
        seed: 0 or more. Another seed draws other cases.

    Raises:
        UserError: The modality is unknown, or ``count`` or ``seed`` is too small.

    Example:
        >>> store = SyntheticStore("fundus", count=2)
        >>> store.ids
        ('001.png', '002.png')
        >>> case = store.read("001.png")
        >>> case.image.ndim, case.mask.ndim, case.image.dtype
        (3, 2, dtype('uint8'))
    """

    modality: str
    count: int = 24
    seed: int = 0

    def __post_init__(self) -> None:
        if self.modality not in MODALITIES:
            allowed = ", ".join(MODALITIES)
            hint = nearest(str(self.modality), MODALITIES)
            raise UserError(f"modality '{self.modality}': must be one of {allowed}{hint}")
        if self.count < 1:
            raise UserError(f"count {self.count}: must be at least 1")
        if self.seed < 0:
            raise UserError(f"seed {self.seed}: must be at least 0")

    @property
    def name(self) -> str:
        """``"synthetic-"`` and the modality."""
        return f"synthetic-{self.modality}"

    @functools.cached_property
    def ids(self) -> tuple[str, ...]:
        """``"001.png"`` and so on. Zeros fill the numbers up, so that sorting keeps the order of drawing."""
        width = max(3, len(str(self.count)))
        return tuple(f"{index:0{width}d}.png" for index in range(1, self.count + 1))

    @functools.cached_property
    def groups(self) -> Mapping[str, str]:
        """The video, volume, patient or lesion of every case, by id."""
        _, kind, size = _PHANTOMS[self.modality]
        return {id: f"{kind}-{index // size + 1:03d}" for index, id in enumerate(self.ids)}

    @property
    def digest(self) -> str:
        """SHA-256 over the parameters and :data:`PHANTOM_VERSION`, 64 hexadecimal digits."""
        content = ("synthetic", PHANTOM_VERSION, self.modality, self.count, self.seed)
        return hashlib.sha256(repr(content).encode()).hexdigest()

    def read(self, id: str) -> Case:
        """Draw one case.

        Args:
            id: One of :attr:`ids`.

        Returns:
            The case: image uint8 ``[H, W]`` or ``[H, W, 3]``, mask uint8 ``[H, W]`` of 0 and 255.

        Raises:
            UserError: The id is unknown.
        """
        if id not in self.groups:
            span = f"it has {self.ids[0]} to {self.ids[-1]}"
            raise UserError(f"no case '{id}' in {self.name}: {span}{nearest(str(id), self.ids)}")
        draw, _, size = _PHANTOMS[self.modality]
        group, step = divmod(self.ids.index(id), size)
        # Two generators: one draws what a group has in common (the larynx, the pelvis), the other what changes from
        # frame to frame. Both depend on the case alone, so cases may be read in any order.
        entropy = [MODALITIES.index(self.modality), self.seed, group]
        shared = np.random.default_rng(np.random.SeedSequence(entropy))
        # A trailing 0 would not change the entropy, and the first case would repeat the numbers of its group.
        own = np.random.default_rng(np.random.SeedSequence([*entropy, step + 1]))
        image, mask = draw(shared, own, step)
        pixels = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
        return Case(id=id, image=pixels, mask=np.where(mask, 255, 0).astype(np.uint8))
