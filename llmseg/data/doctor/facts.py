"""What the examination of a dataset keeps of each case: a few numbers and digests, so that the memory stays flat."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from tqdm import tqdm

from llmseg.data.duplicates import compute_fingerprint
from llmseg.data.image_digests import digest_image
from llmseg.data.mask_values import LabelValues
from llmseg.data.read_ahead import map_ahead
from llmseg.data.store import Case, SizesDiffer, Store
from llmseg.errors import UserError

Channels = Literal["grey", "colour", "equal"]
"""``"equal"`` is a grey image stored as three channels."""

NEAR_ENDS = 32
"""Mask values at most this far from 0 or 255 count as near them. JPEG rarely goes further, soft edges do."""


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """What is kept of a case that could be read.

    Attributes:
        id: Id of the case.
        size: Height and width of the image.
        mask_size: Height and width of the mask.
        channels: Whether the image is grey, in colour, or grey stored as three channels.
        image: Digest of the decoded image; a grey image and its copy in three equal channels have the same.
        mask: Digest of the decoded mask.
        fingerprint: Perceptual hash of the image, see :func:`llmseg.data.duplicates.compute_fingerprint`; ``None`` if
            the image is blank.
        values: The different values in the mask in ascending order, a byte each.
        share: Part of the mask that is foreground, 0 to 1. Foreground is above 127; if no value is, above 0.
        border: Part of the outermost pixels of the mask that is foreground, 0 to 1.
        above_0: Mask pixels above 0.
        above_127: Mask pixels above 127.
        between: Mask pixels strictly between 0 and 255.
        near_ends: Those of them within :data:`NEAR_ENDS` of 0 or 255.
    """

    id: str
    size: tuple[int, int]
    mask_size: tuple[int, int]
    channels: Channels
    image: str
    mask: str
    fingerprint: bytes | None
    values: bytes
    share: float
    border: float
    above_0: int
    above_127: int
    between: int
    near_ends: int


@dataclass(frozen=True)
class UnreadableCase:
    """A case that could not be read.

    Attributes:
        id: Id of the case.
        kind: ``unreadable``; ``sizes`` if image and mask differ in size; ``labels`` if a mask holds numbers of classes.
        reason: What the store said.
    """

    id: str
    kind: Literal["unreadable", "sizes", "labels"]
    reason: str


def measure_cases(store: Store, *, progress: bool = False) -> Iterator[CaseFacts | UnreadableCase]:
    """Yield what is kept of every case, in the store's order. Threads decode some cases ahead.

    Args:
        store: The cases.
        progress: Whether to show a progress bar.
    """

    def measure(id: str) -> CaseFacts | UnreadableCase:
        try:
            return measure_case(store.read(id))
        except SizesDiffer as error:
            return UnreadableCase(id, "sizes", str(error))
        except LabelValues as error:
            return UnreadableCase(id, "labels", str(error))
        except (UserError, OSError) as error:
            return UnreadableCase(id, "unreadable", str(error))

    yield from map_ahead(measure, tqdm(store.ids, desc="examine", unit="case", leave=False, disable=not progress))


def measure_case(case: Case) -> CaseFacts:
    """Return what is kept of a case that could be read.

    Example:
        >>> facts = measure_case(Case("a", np.zeros((4, 6), np.uint8), np.full((4, 6), 255, np.uint8)))
        >>> facts.size, list(facts.values), facts.share, facts.fingerprint
        ((4, 6), [255], 1.0, None)
    """
    image, mask = case.image, case.mask
    counts = np.bincount(mask.ravel(), minlength=256)
    foreground = mask > (127 if counts[128:].any() else 0)
    return CaseFacts(
        id=case.id,
        size=(image.shape[0], image.shape[1]),
        mask_size=(mask.shape[0], mask.shape[1]),
        channels=_classify_channels(image),
        image=digest_image(image),
        mask=digest_image(mask),
        fingerprint=compute_fingerprint(image),
        values=bytes(np.flatnonzero(counts).tolist()),
        share=float(foreground.mean()),
        border=_measure_border(foreground),
        above_0=int(counts[1:].sum()),
        above_127=int(counts[128:].sum()),
        between=int(counts[1:255].sum()),
        near_ends=int(counts[1 : NEAR_ENDS + 1].sum() + counts[255 - NEAR_ENDS : 255].sum()),
    )


def _classify_channels(image: np.ndarray) -> Channels:
    if image.ndim == 2:
        return "grey"
    return "equal" if (image == image[..., :1]).all() else "colour"


def _measure_border(foreground: np.ndarray) -> float:
    edges = (foreground[0], foreground[-1], foreground[1:-1, 0], foreground[1:-1, -1])
    return float(np.concatenate(edges).mean())
