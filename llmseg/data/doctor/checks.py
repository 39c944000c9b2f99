"""Checks of single cases: what a store refuses to read, and what looks wrong in a mask or an image."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias

from llmseg.data.doctor.facts import CaseFacts, UnreadableCase
from llmseg.data.doctor.findings import NAMED_CASES, Finding, report_cases

Check: TypeAlias = Callable[[Sequence[CaseFacts]], Iterator[Finding]]

INVERTED_BORDER = 0.75
"""A mask looks inverted if at least this part of its border, and more than half of the whole, is foreground."""

JPEG_SHARE = 0.85
"""A mask looks like JPEG if, of its pixels strictly between 0 and 255, more than this part is near one of the two.

Measured on masks of phantoms: about 0.92 after JPEG of quality 50, and 1.0 from quality 75 on; about 0.77 after Lanczos
resizing, and 0.3 to 0.5 after bilinear or bicubic resizing. The limit lies between 0.77 and 0.92.
"""


def has_labels(facts: CaseFacts) -> bool:
    """Whether a mask has values above 0, but none above 127: numbers of classes where 0 and 255 are expected."""
    return 0 < facts.values[-1] < 128


def is_empty(facts: CaseFacts) -> bool:
    """Whether a mask is background everywhere."""
    return facts.above_0 == 0


def is_full(facts: CaseFacts) -> bool:
    """Whether a mask is foreground everywhere."""
    return facts.share == 1


def is_inverted(facts: CaseFacts) -> bool:
    """Whether a mask looks as if foreground and background were exchanged, see :data:`INVERTED_BORDER`."""
    return facts.border >= INVERTED_BORDER and facts.share > 0.5


def is_noisy(facts: CaseFacts) -> bool:
    """Whether a mask looks like 0 and 255 after JPEG, see :data:`JPEG_SHARE`."""
    return _is_grey(facts) and facts.near_ends > JPEG_SHARE * facts.between


def is_soft(facts: CaseFacts) -> bool:
    """Whether a mask has values between 0 and 255 that JPEG does not explain: soft edges, or several classes."""
    return _is_grey(facts) and not is_noisy(facts)


def is_blank(facts: CaseFacts) -> bool:
    """Whether an image shows nothing, see :func:`llmseg.data.duplicates.compute_fingerprint`."""
    return facts.fingerprint is None


def _is_grey(facts: CaseFacts) -> bool:
    return facts.between > 0 and not has_labels(facts)


def check_unreadable(unusable: Sequence[UnreadableCase], facts: Sequence[CaseFacts]) -> Iterator[Finding]:
    """Report cases that could not be read, masks of another size than their image, and masks with labels.

    Some stores refuse the latter two when they are read, others return them as they are. Both are counted together, for
    it is the same fault.
    """
    total = len(unusable) + len(facts)
    of_kind = {kind: [case for case in unusable if case.kind == kind] for kind in ("unreadable", "sizes", "labels")}
    unreadable, sizes, labels = of_kind.values()
    yield from report_cases(
        "unreadable", "error", _ids(unreadable), total, "cases that cannot be read", _first_reason(unreadable, "")
    )
    yield from report_cases(
        "sizes-differ",
        "error",
        [*_ids(sizes), *_ids(case for case in facts if case.size != case.mask_size)],
        total,
        "masks of another size than their image",
        _first_reason(sizes, "make them equal"),
    )
    labelled = [case for case in facts if has_labels(case)]
    binary = sum(case.values[-1] == 1 for case in labelled)
    yield from report_cases(
        "label-values",
        "error",
        [*_ids(labels), *_ids(labelled)],
        total,
        "masks of labels, or without a value above 127" + (f", {binary} of them 0/1" if binary else ""),
        _first_reason(labels, "recipes take them for empty: name the value that means foreground (--foreground)"),
    )


def _first_reason(unusable: Sequence[UnreadableCase], otherwise: str) -> str:
    return f"the first: {unusable[0].reason}" if unusable else otherwise


def _check_empty(facts: Sequence[CaseFacts]) -> Iterator[Finding]:
    chosen = [case.id for case in facts if is_empty(case)]
    if len(chosen) < len(facts):
        advice = "a score has to say what it gives where mask and prediction are empty"
        yield from report_cases("empty-masks", "note", chosen, len(facts), "empty masks", advice)
    else:
        advice = "nothing can be learnt; is this the folder of the masks, and is --foreground right?"
        yield from report_cases("empty-masks", "error", chosen, len(facts), "empty masks", advice)


def _check_full(facts: Sequence[CaseFacts]) -> Iterator[Finding]:
    advice = "look whether they are meant"
    chosen = [case.id for case in facts if is_full(case)]
    yield from report_cases("full-masks", "warning", chosen, len(facts), "masks that are foreground everywhere", advice)


def _check_inverted(facts: Sequence[CaseFacts]) -> Iterator[Finding]:
    """Report masks whose foreground and background look exchanged: most of the set, or single ones.

    Among single ones, full masks do not count: they are a finding of their own.
    """
    chosen = [case for case in facts if is_inverted(case)]
    if 2 * len(chosen) > sum(not is_empty(case) for case in facts):
        what = "masks with foreground along the border and in more than half of the image, as most here"
        advice = "foreground and background may be exchanged: look at some, and invert all masks if they are"
        yield from report_cases("inverted-set", "warning", _ids(chosen), len(facts), what, advice)
    else:
        what = "masks with foreground along the border and in more than half of the image, unlike the others"
        advice = "they may be inverted, as a reversed palette that is read raw: look at them"
        single = _ids(case for case in chosen if not is_full(case))
        yield from report_cases("inverted-masks", "warning", single, len(facts), what, advice)


def _check_noisy(facts: Sequence[CaseFacts]) -> Iterator[Finding]:
    chosen = [case for case in facts if is_noisy(case)]
    low, high = sum(case.above_0 for case in chosen), sum(case.above_127 for case in chosen)
    advice = (
        f"{_count_between(chosen)}; above 0 the foreground has {low} pixels, "
        f"above 127 {high}{_describe_growth(low, high)}: take what is above 127, not what is above 0 or equal to 255"
    )
    what = "masks with values near 0 and 255, as JPEG leaves them"
    yield from report_cases("noisy-masks", "warning", _ids(chosen), len(facts), what, advice)


def _describe_growth(low: int, high: int) -> str:
    return f" ({100 * (low / high - 1):+.1f} %)" if high else ""


def _check_soft(facts: Sequence[CaseFacts]) -> Iterator[Finding]:
    chosen = [case for case in facts if is_soft(case)]
    advice = (
        f"{_count_between(chosen)}: a soft edge needs a threshold, such as 127; of several classes, "
        "name the value that means foreground (--foreground)"
    )
    yield from report_cases(
        "soft-masks", "warning", _ids(chosen), len(facts), "masks with values between 0 and 255", advice
    )


def _count_between(facts: Sequence[CaseFacts]) -> str:
    between = sum(case.between for case in facts)
    pixels = sum(case.mask_size[0] * case.mask_size[1] for case in facts)
    return f"{between} of their {pixels} pixels lie strictly between"


def _check_blank(facts: Sequence[CaseFacts]) -> Iterator[Finding]:
    advice = "look whether they are meant; the search for duplicates leaves them out"
    yield from report_cases(
        "blank-images", "warning", [case.id for case in facts if is_blank(case)], len(facts), "blank images", advice
    )


def _check_channels(facts: Sequence[CaseFacts]) -> Iterator[Finding]:
    equal = [case.id for case in facts if case.channels == "equal"]
    what, advice = "grey images stored as three equal channels", "reading them as grey loses nothing"
    yield from report_cases("equal-channels", "note", equal, len(facts), what, advice)
    colour = [case.id for case in facts if case.channels == "colour"]
    if len(colour) < len(facts):
        advice = "the others are grey; a recipe reads all as one kind"
        yield from report_cases("mixed-channels", "note", colour, len(facts), "images in colour", advice)


def check_orphans(unpaired: Sequence[str]) -> Iterator[Finding]:
    """Report files without a partner: images without a mask, masks without an image."""
    if unpaired:
        sentence = f"files without a partner: {len(unpaired)}; add what is missing, or move them away"
        yield Finding("orphans", "warning", sentence, len(unpaired), tuple(unpaired[:NAMED_CASES]))


def _ids(cases: Iterable[CaseFacts | UnreadableCase]) -> list[str]:
    return [case.id for case in cases]


FACT_CHECKS: tuple[Check, ...] = (
    _check_empty,
    _check_full,
    _check_inverted,
    _check_noisy,
    _check_soft,
    _check_blank,
    _check_channels,
)
"""Checks of the cases that could be read."""
