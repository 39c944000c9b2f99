"""What was seen of a script: its passes through networks, the parts of the data, its optimiser, weights and files."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from numpy.typing import NDArray

from llmseg.admission.observing.keras import list_keras_losses
from llmseg.admission.observing.matching import Match
from llmseg.admission.observing.phantoms import Phantoms
from llmseg.admission.observing.record import Event, Record
from llmseg.admission.observing.warping import Warp

Part = Literal["training", "validation", "test", "other"]


@dataclass(frozen=True)
class TargetFigures:
    """What a mask holds when it arrives in a loss or score.

    Attributes:
        low: The lowest value.
        high: The highest.
        mean: The mean.
        foreground: The share of pixels above 0.5.
        distinct: How many different values.
    """

    low: float
    high: float
    mean: float
    foreground: float
    distinct: int


@dataclass(frozen=True)
class Item:
    """One image of a batch.

    Attributes:
        image: Which case it shows, which way up, how scaled.
        mask_id: The case whose mask it is compared with, empty if that is not known.
        mask_turn: Which way up the mask is.
        mask_warp: How it is rotated, scaled and moved; that of the image if it lies as the image does.
        input_sha: SHA-256 of the image as it arrives.
        target_sha: SHA-256 of the mask as it arrives, empty if it was not seen.
        output_sha: SHA-256 of the output.
        target: Figures of the mask.
        counts: Pixels in prediction and mask, in the prediction, in the mask; the threshold is 0.5 for probabilities
            and 0 for logits.
        bce: Mean binary cross entropy.
        dice: Soft Dice of the probabilities.
    """

    image: Match
    mask_id: str = ""
    mask_turn: str = ""
    mask_warp: Warp | None = None
    input_sha: str = ""
    target_sha: str = ""
    output_sha: str = ""
    target: TargetFigures | None = None
    counts: tuple[int, int, int] | None = None
    bce: float | None = None
    dice: float | None = None

    @property
    def id(self) -> str:
        """The case that the image shows, empty if it is not known."""
        return self.image.id

    @property
    def is_plain(self) -> bool:
        """Whether the case came whole and the right way up, and its mask, too, as far as that is known."""
        return self.image.is_plain and not self.mask_turn and self.mask_warp is None


@dataclass(frozen=True)
class Pass:
    """A batch that went through a network, and what became of the output.

    Attributes:
        at: When: the number of the event.
        number: The number of the pass.
        part: What it was for.
        epoch: The epoch to which it belongs, from 1.
        block: Passes of one loop over a part have the same number.
        items: The images.
        network: Number of the network.
        is_training: Whether the network was in training mode.
        norms: How many batch norms it has, and how many of them were in training mode.
        drops: The same of dropouts.
        learns: Whether a loss went backward through it.
        loss: The loss that went backward, as a float.
        backward: The event of going backward.
        functions: What the script did with the output.
        made_by: The function that made the output, and what it was given; an empty name if another one was last.
        steps: How often an optimiser had stepped.
        place: The line of the script.
        record: Where its arrays are.
        about: Their places.
    """

    at: int
    number: int
    part: Part
    epoch: int
    block: int
    items: tuple[Item, ...]
    network: int
    is_training: bool
    norms: tuple[int, int]
    drops: tuple[int, int]
    learns: bool
    loss: float | None
    backward: Event | None
    functions: tuple[Event, ...]
    made_by: tuple[str, Any]
    steps: int
    place: str
    record: Record = field(repr=False, compare=False)
    about: Mapping[str, Any] = field(repr=False, compare=False)

    @property
    def images(self) -> NDArray[Any] | None:
        """What came in, ``[N, C, H, W]``."""
        return self.record.array(self.about.get("images"))

    @property
    def output(self) -> NDArray[Any] | None:
        """What came out."""
        return self.record.array(self.about.get("output"))

    @property
    def gradient(self) -> NDArray[Any] | None:
        """The gradient of the loss at the output."""
        return self.record.array(self.about.get("gradient"))

    @property
    def targets(self) -> NDArray[Any] | None:
        """The masks that the output was compared with first, ``[N, K, H, W]``; ``None`` if that was not seen."""
        return find_targets(self.record, self.functions, self.output)

    @property
    def masks(self) -> NDArray[Any] | None:
        """The same, also where the output was resized before it met masks of the size of the images."""
        return find_masks(self.record, self.functions, self.output, self.images)

    @property
    def ids(self) -> tuple[str, ...]:
        """The cases."""
        return tuple(item.id for item in self.items)


def find_targets(record: Record, functions: tuple[Event, ...], output: NDArray[Any] | None) -> NDArray[Any] | None:
    """Return the first array that the output met and that has a value for each of its pixels, ``[N, K, H, W]``."""
    if output is None or output.ndim != 4:
        return None
    cases, channels, height, width = output.shape
    for array in _list_met(record, functions):
        if array.size not in (cases * height * width, cases * channels * height * width):
            continue
        if array.ndim != 4 or array.shape[-2:] == (height, width):
            return array.reshape(cases, -1, height, width)
    return None


def find_masks(
    record: Record, functions: tuple[Event, ...], output: NDArray[Any] | None, images: NDArray[Any] | None
) -> NDArray[Any] | None:
    """Return the same as :func:`find_targets`, or masks of the size of the images that a resized output met."""
    targets = find_targets(record, functions, output)
    if targets is not None or images is None or output is None or images.ndim != 4:
        return targets
    shape = len(output), 1, *images.shape[-2:]
    met = (array for array in _list_met(record, functions) if array.size == math.prod(shape))
    return next((array.reshape(shape) for array in met), None)


def _list_met(record: Record, functions: tuple[Event, ...]) -> Iterator[NDArray[Any]]:
    """Yield the arrays that an output met, as they were kept."""
    for function in functions:
        for argument in [*(function["arguments"] or ()), *(function["named"] or {}).values()]:
            for each in argument if isinstance(argument, list) else [argument]:
                array = record.array(each.get("array") if isinstance(each, dict) else None)
                if array is not None:
                    yield array


@dataclass(frozen=True)
class Parts:
    """The cases of each part that reached a network.

    Attributes:
        training: Those that were learnt from.
        validation: Those that were scored between epochs.
        test: Those that were scored after the last epoch.
    """

    training: tuple[str, ...] = ()
    validation: tuple[str, ...] = ()
    test: tuple[str, ...] = ()


@dataclass(frozen=True)
class Weights:
    """Digests of weights, of all parameters and running statistics in the order of their names.

    Attributes:
        epochs: The network at the first validation after each epoch.
        tested: The network at the beginning of the test, empty if there was none.
        saved: The files that were written, with the digest of what was written last.
    """

    epochs: tuple[str, ...] = ()
    tested: str = ""
    saved: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Opened:
    """An image or mask that was opened.

    Attributes:
        at: When: the number of the event.
        id: The case.
        is_mask: Whether it is the mask.
        is_lossy: Whether the file is a JPEG, which keeps no mask as it was.
        copies: Whether it is copied only, and nobody looks into it.
        place: The line of the script.
    """

    at: int
    id: str
    is_mask: bool
    is_lossy: bool
    copies: bool
    place: str


@dataclass(frozen=True)
class Batch:
    """A batch that a loader gave.

    Attributes:
        at: When: the number of the event.
        loader: The number of the loader.
        ids: The cases, empty texts for unknown ones.
    """

    at: int
    loader: int | None
    ids: tuple[str, ...]


@dataclass(frozen=True)
class Again:
    """The last scored batch, scored again after the script had ended.

    Attributes:
        cases: Number of images.
        is_training: Whether the network was in training mode, as it had been.
        twice: Largest difference of outputs when the same batch is scored again.
        ones: When images are scored one by one.
        twos: When they are scored two by two.
    """

    cases: int
    is_training: bool
    twice: float
    ones: float
    twos: float


@dataclass(frozen=True)
class Observation:
    """What was seen of a script while it ran.

    Attributes:
        phantoms: The cases that it was given.
        passes: The passes of batches through networks, in their order.
        parts: The cases of each part.
        weights: Digests of weights.
        opened: The images and masks that were opened for reading.
        batches: The batches that loaders gave.
        again: The last batch scored again, ``None`` if nothing was scored.
        reached: The stages that were reached (data, network, first step, epoch, validation, test), each with the line.
        record: All events.
    """

    phantoms: Phantoms
    passes: tuple[Pass, ...]
    parts: Parts
    weights: Weights
    opened: tuple[Opened, ...]
    batches: tuple[Batch, ...]
    again: Again | None
    reached: Mapping[str, str]
    record: Record = field(repr=False)

    @property
    def learnt(self) -> list[Pass]:
        """The passes of the training that show a case that is known."""
        return [each for each in self.of("training") if any(each.ids)]

    @property
    def losses(self) -> tuple[float, ...]:
        """The losses of the training, step by step; those that Keras gives are the means of the epoch so far."""
        return list_keras_losses(self.record) or tuple(each.loss for each in self.passes if each.loss is not None)

    @property
    def arrived(self) -> dict[tuple[str, str], tuple[str, str]]:
        """Digests of image and mask at the first time that a case came in a part, by (part, id)."""
        found: dict[tuple[str, str], tuple[str, str]] = {}
        for each in self.passes:
            for item in each.items:
                found.setdefault((each.part, item.id), (item.input_sha, item.target_sha))
        return found

    @property
    def epochs(self) -> int:
        """How many epochs were begun."""
        return max((each.epoch for each in self.passes if each.learns), default=0)

    def of(self, part: Part) -> tuple[Pass, ...]:
        """Return the passes of a part."""
        return tuple(each for each in self.passes if each.part == part)
