"""How images and network are when scores are taken: mistakes 7 and 19."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llmseg.admission.findings import Finding
from llmseg.admission.observing.mistakes.common import list_items, list_scored, place_of_reading
from llmseg.admission.observing.observation import Item, Observation, Pass

_REPEATED = 3
_MANY = 24
_ROOM = 0.25
"""How far outside of the factors and offsets of the training those of a score may lie, as a share."""


def find_randomness(observation: Observation) -> Iterator[Finding]:
    """7: dropout, batch statistics or augmentation while scores are taken."""
    scored = [each for each in list_scored(observation) if not _is_averaged(each, observation)]
    for part in ("validation", "test"):
        passes = [each for each in scored if each.part == part]
        active = [each for each in passes if each.norms[1] or each.drops[1]]
        if active and len(active) == len(passes):
            first = active[0]
            yield Finding(
                7,
                f"in the {part}, {first.norms[1]} of {first.norms[0]} batch norms and {first.drops[1]} of "
                f"{first.drops[0]} dropouts are in training mode",
                first.place,
                "evaluation mode",
                "training mode",
            )
            return
    changed = _find_changed(observation)
    if changed is not None:
        one, other = changed
        yield Finding(
            7,
            f"case {one.id} of the validation comes in different ways",
            place_of_reading(observation, masks=False) or observation.of("validation")[0].place,
            "the same tensor in each epoch",
            f"turned '{one.image.turn}' and '{other.image.turn}', scaled by {_tell(one)} and {_tell(other)}",
        )


def _tell(item: Item) -> str:
    return ", ".join(f"{slope:.3g}" for slope in item.image.slopes)


def _is_averaged(each: Pass, observation: Observation) -> bool:
    """Return whether the cases of a pass come again and again in its loop, as for a mean over many predictions."""
    same = [other for other in observation.passes if other.block == each.block and other.ids == each.ids]
    return len(same) >= _REPEATED


def _find_changed(observation: Observation) -> tuple[Item, Item] | None:
    """Return a case of the validation that came otherwise in another epoch."""
    first: dict[tuple[str, str], Item] = {}
    seen_in: dict[tuple[int, str], int] = defaultdict(int)
    for each, item in list_items(observation.of("validation")):
        seen_in[each.block, item.id] += 1
        if not item.id or seen_in[each.block, item.id] > 1:
            continue  # several views of a case in one loop are meant to be averaged
        before = first.setdefault((each.place, item.id), item)
        slopes = np.array(before.image.slopes), np.array(item.image.slopes)
        is_same = before.image.lies == item.image.lies
        if not is_same or (len(slopes[0]) == len(slopes[1]) and not np.allclose(*slopes, rtol=0.02)):
            return before, item
    return None


@dataclass(frozen=True)
class _Preparation:
    """How intensities are changed: by one factor and offset for all, or so that each image has certain statistics."""

    kind: str
    slopes: tuple[float, ...] = ()
    offsets: tuple[float, ...] = ()
    sources: tuple[int, ...] = ()

    def __str__(self) -> str:
        if self.kind != "scaled":
            return f"each image {self.kind}"
        factors = ", ".join(
            f"{slope:.3g} x {offset:+.3g}" for slope, offset in zip(self.slopes, self.offsets, strict=True)
        )
        return f"{factors}, channels {list(self.sources)}"

    def differs(self, other: _Preparation) -> bool:
        """Return whether another preparation is certainly another one."""
        if self.kind != other.kind:
            return True
        if self.kind != "scaled" or len(self.slopes) != len(other.slopes):
            return False
        factors = np.allclose(self.slopes, other.slopes, rtol=0.04)
        offsets = np.allclose(self.offsets, other.offsets, atol=0.04 * max(abs(slope) for slope in self.slopes))
        return not (factors and offsets and self.sources == other.sources)


def _tell_preparation(passes: Sequence[Pass]) -> _Preparation | None:
    """Return how the images of some passes were prepared, ``None`` if they differ or it cannot be told."""
    shown = [item for _, item in list_items(passes)]
    items = [item for item in shown if item.id and item.image.slopes]
    if not items or len(items) < len(shown) / 2 or len({len(item.image.slopes) for item in items}) > 1:
        return None  # a few that are recognised among many may be mistaken for cases
    slopes, offsets = (np.array([getattr(item.image, name) for item in items]) for name in ("slopes", "offsets"))
    sources = {item.image.sources for item in items}
    middle = np.median(slopes, axis=0)
    size = float(np.abs(middle).max())
    if (
        np.abs(slopes - middle).max() < 0.03 * size
        and np.ptp(offsets, axis=0).max() < 0.04 * size
        and len(sources) == 1
    ):
        return _Preparation("scaled", tuple(middle), tuple(np.median(offsets, axis=0)), next(iter(sources)))
    arrays = [images for each in passes if (images := each.images) is not None and any(each.ids)]
    pictures = [picture for images in arrays for picture in images]
    if all(abs(float(p.mean())) < 0.05 and abs(float(p.std()) - 1) < 0.05 for p in pictures):
        return _Preparation("with mean 0 and deviation 1")
    if all(abs(float(p.min())) < 0.01 and abs(float(p.max()) - 1) < 0.01 for p in pictures):
        return _Preparation("stretched from 0 to 1")
    return None


def find_other_preparations(observation: Observation) -> Iterator[Finding]:
    """19: images are scaled otherwise for scoring than for training."""
    learnt = _tell_preparation(observation.of("training"))
    scored = list_scored(observation)
    validated = _tell_preparation([each for each in scored if each.part == "validation"])
    for part in ("validation", "test"):
        passes = [each for each in scored if each.part == part]
        prepared = _tell_preparation(passes)
        if prepared is None:
            continue
        other, of = (learnt, "training") if learnt is not None else (validated, "validation")
        expected = str(other)
        is_other = other is not None and other.differs(prepared)
        if not is_other and learnt is None:
            expected, of = _tell_range(observation), "training"
            is_other = _is_outside(observation, prepared)
        if is_other:
            yield Finding(
                19,
                f"images of the {part} reach the network prepared otherwise than those of the {of}",
                place_of_reading(observation, masks=False) or passes[0].place,
                expected,
                str(prepared),
            )
            return


def _list_scales(observation: Observation) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean factor and offset of each image of the training that is known."""
    items = [item for _, item in list_items(observation.of("training")) if item.id and item.image.slopes]
    slopes, offsets = ([np.mean(getattr(item.image, name)) for item in items] for name in ("slopes", "offsets"))
    return np.array(slopes), np.array(offsets)


def _tell_range(observation: Observation) -> str:
    slopes, offsets = _list_scales(observation)
    if not len(slopes):
        return ""
    return f"factors {slopes.min():.3g} to {slopes.max():.3g} and offsets {offsets.min():+.3g} to {offsets.max():+.3g}"


def _is_outside(observation: Observation, prepared: _Preparation) -> bool:
    """Return whether images are scaled as none is in a training that changes intensities at random."""
    slopes, offsets = _list_scales(observation)
    if len(slopes) < _MANY or prepared.kind != "scaled" or slopes.min() <= 0:
        return False
    slope, offset = float(np.mean(prepared.slopes)), float(np.mean(prepared.offsets))
    room = _ROOM * float(np.median(slopes))
    is_inside = slopes.min() / (1 + _ROOM) <= slope <= slopes.max() * (1 + _ROOM)
    return not (is_inside and offsets.min() - room <= offset <= offsets.max() + room)
