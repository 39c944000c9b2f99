"""The catalogue of silent mistakes, and the record of one that was found in a script.

A silent mistake raises no error: the script runs, trains and prints numbers, and learns or scores something else than
it was meant to.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from llmseg.errors import UserError

Certainty = Literal["certain", "likely"]
"""``"certain"``: what was seen has no other explanation. ``"likely"``: somebody might have meant it."""


@dataclass(frozen=True)
class SilentMistake:
    """One kind of silent mistake.

    Attributes:
        number: 1 to 24.
        id: A short name.
        sentence: What a script does that makes it.
        shown_by: How it can be found: ``"S"`` in the text, ``"O"`` while the script runs, ``"P"`` by a probe.

    Example:
        >>> CATALOGUE[4].id, CATALOGUE[4].shown_by
        ('smoothed-mask', 'O')
    """

    number: int
    id: str
    sentence: str
    shown_by: str


_MISTAKES = (
    SilentMistake(
        1, "unsorted-pairing", "Images and masks are paired by their position in two lists that differ.", "OP"
    ),
    SilentMistake(2, "separate-draws", "An image and its mask are changed by different random draws.", "OP"),
    SilentMistake(3, "mask-normalised", "The mask is normalised like an image, or divided by 255 twice.", "O"),
    SilentMistake(4, "smoothed-mask", "The mask is resized with smoothing and stays grey along its edges.", "O"),
    SilentMistake(5, "half-pixel-shift", "The mask is resized by a method that shifts it against the image.", "OP"),
    SilentMistake(6, "misread-mask", "Noise, a palette index or transparency is read as mask.", "OP"),
    SilentMistake(
        7, "random-while-scoring", "Dropout, batch statistics or augmentation are active while scores are taken.", "OP"
    ),
    SilentMistake(8, "train-mode-lost", "The network trains in evaluation mode after the first validation.", "O"),
    SilentMistake(9, "cases-divided", "Parts or copies of one case are on both sides of the split.", "O"),
    SilentMistake(
        10, "statistics-of-all-cases", "Images are normalised by statistics of all cases, the test among them.", "OP"
    ),
    SilentMistake(11, "chosen-on-test", "Weights, a threshold or a rate are chosen on the test part.", "OP"),
    SilentMistake(12, "sigmoid", "A sigmoid is applied twice, is missing, or is there in one mode only.", "O"),
    SilentMistake(13, "one-channel-softmax", "A softmax or argmax is taken over a single channel.", "O"),
    SilentMistake(
        14, "mask-range-or-shape", "Masks lie outside 0 to 1, or their shape makes the loss compare other pixels.", "O"
    ),
    SilentMistake(15, "loss-sign-or-gradient", "The loss has the wrong sign, or gives the weights no gradient.", "O"),
    SilentMistake(
        16, "optimizer-steps", "Gradients are never cleared, other weights are optimised, or a schedule errs.", "O"
    ),
    SilentMistake(17, "accumulators", "Sums are not reset, or are divided by another number than they have.", "O"),
    SilentMistake(18, "wrong-weights", "Other weights than the best ones are kept as the best.", "OP"),
    SilentMistake(19, "other-preparation", "Images are prepared otherwise for scoring than for training.", "OP"),
    SilentMistake(20, "repeated-worker-draws", "Workers repeat their random numbers.", "O"),
    SilentMistake(21, "stand-ins", "Data are replaced or left out without a word.", "SOP"),
    SilentMistake(22, "invented-numbers", "A number is written down that nothing computed.", "OP"),
    SilentMistake(23, "test-masks-opened-early", "Test masks are read before the training has ended.", "O"),
    SilentMistake(24, "fixed-order", "The training cases come in the same order in every epoch.", "O"),
)

CATALOGUE: dict[int, SilentMistake] = {mistake.number: mistake for mistake in _MISTAKES}
"""The silent mistakes by number."""


@dataclass(frozen=True)
class Finding:
    """A silent mistake that was found in a script.

    Attributes:
        number: Which one, 1 to 24.
        evidence: What was measured, in which tensor, file or run.
        place: Where in the scripts, as ``file:line``; empty if that cannot be said.
        expected: What a sound script would have had there.
        found: What was there.
        certainty: Whether there is another explanation.
        found_by: ``"text"``, ``"observation"`` or the id of a probe, such as ``"P6"``.
        quirk: The quirk of a recipe that says the same, if there is one.
        repair: The change of one field of a recipe that repairs it, such as ``"loss.reads=probability"``.

    Raises:
        UserError: There is no mistake of this number.

    Example:
        >>> print(Finding(24, "orders of 3 epochs", "train.py:41", "another order each", "one order"))
        24 fixed-order, certain, train.py:41: orders of 3 epochs; expected another order each, found one order
    """

    number: int
    evidence: str
    place: str = ""
    expected: str = ""
    found: str = ""
    certainty: Certainty = "certain"
    found_by: str = "observation"
    quirk: str | None = None
    repair: str | None = None

    def __post_init__(self) -> None:
        if self.number not in CATALOGUE:
            raise UserError(f"silent mistake {self.number}: there are 1 to {max(CATALOGUE)}")

    @property
    def mistake(self) -> SilentMistake:
        """The kind."""
        return CATALOGUE[self.number]

    @property
    def id(self) -> str:
        """The short name of the kind."""
        return self.mistake.id

    @property
    def sentence(self) -> str:
        """What a script does that makes this mistake."""
        return self.mistake.sentence

    def __str__(self) -> str:
        place = f", {self.place}" if self.place else ""
        values = f"; expected {self.expected}, found {self.found}" if self.expected or self.found else ""
        return f"{self.number} {self.id}, {self.certainty}{place}: {self.evidence}{values}"

    def to_dict(self) -> dict[str, Any]:
        """Return it as values that JSON can hold, with id and sentence of the kind."""
        return {"id": self.id, "sentence": self.sentence, **asdict(self)}
