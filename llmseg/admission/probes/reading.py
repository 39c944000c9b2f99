"""Probes that ask how masks and files are read: P4, P7, P8 and P9."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from llmseg.admission.findings import Finding
from llmseg.admission.probes.bench import Bench, Trial, Variation
from llmseg.admission.probes.changes import (
    add_mask_noise,
    corrupt_images,
    corrupt_masks,
    empty_and_fill,
    exchange_masks,
    mix_formats,
    write_masks_in_colour,
    write_masks_of_ones,
)
from llmseg.admission.probes.gates import judge_ending
from llmseg.admission.probes.result import ProbeResult
from llmseg.admission.probes.seen import find_first_batch, find_first_masks, find_steady_parts, list_cases

_MOVED = 0.02
"""Share of the pixels of a mask that have to change sides before a mask counts as read otherwise."""

_UNKNOWN = "no error, and it is not seen what became of the case"

_SAID = ("skip", "corrupt", "could not", "couldn't", "cannot", "fail", "error", "invalid", "unreadable", "warning")


def exchange_all_masks(bench: Bench) -> tuple[Trial, dict[str, float]] | ProbeResult:
    """Return the run in which cases exchange their masks, and the first loss of it and of the unchanged run.

    If they cannot be compared, the result says why.
    """
    first = bench.unchanged
    other = bench.run(Variation("masks-exchanged", ((exchange_masks, bench.phantoms.ids),), epochs=1))
    if (stopped := judge_ending("P4", first, other)) is not None:
        return stopped
    if not first.losses or not other.losses:
        return ProbeResult("P4", "does not apply", "no loss was seen")
    return other, {"loss": first.losses[0], "loss with exchanged masks": other.losses[0]}


def probe_exchanged_masks(bench: Bench) -> ProbeResult:
    """P4: when cases exchange their masks, the loss of the very first step is another one."""
    first, exchanged = bench.unchanged, exchange_all_masks(bench)
    if isinstance(exchanged, ProbeResult):
        return exchanged
    other, losses = exchanged
    if not _same_first_batch(first, other):
        return ProbeResult(
            "P4", "does not apply", "the first batches of the two runs have other images", compared=losses
        )
    if first.losses[0] != other.losses[0]:
        return ProbeResult("P4", "holds", "the first loss depends on which mask an image has", compared=losses)
    targets = [find_first_masks(trial) for trial in (first, other)]
    same = all(np.array_equal(targets[0][key], targets[1][key]) for key in targets[0].keys() & targets[1].keys())
    finding = Finding(
        6 if same else 15,
        "run in which each case has the mask of another one",
        expected="another loss in the first step",
        found=f"{first.losses[0]:.6g} in both; the masks that arrive are {'the same' if same else 'others'}",
        certainty="likely",
        found_by="P4",
    )
    return ProbeResult("P4", "broken", "the first loss does not depend on the masks", (finding,), losses)


def _same_first_batch(one: Trial, other: Trial) -> bool:
    before, after = find_first_batch(one), find_first_batch(other)
    return before is not None and after is not None and np.array_equal(before, after)


FORMATS = (
    ("noise of one grey level", add_mask_noise),
    ("three equal channels", write_masks_in_colour),
    ("values of 0 and 1", write_masks_of_ones),
)
"""What masks may have, in the order of :func:`~llmseg.admission.probes.changes.mix_formats`."""


def probe_formats(bench: Bench) -> ProbeResult:
    """P7: masks of 0 and 1, in colour, or with noise of one grey level give the same masks, or an error.

    Each third of the cases has one of these in one run. Only if that ends in an error, each gets a run of its own.
    Parts in which masks are others each time, as an augmentation without a seed makes them, are left out.
    """
    first, ids = bench.unchanged, bench.phantoms.ids
    again = bench.run(Variation("again"))
    if (stopped := judge_ending("P7", first, again)) is not None:
        return stopped
    if not find_first_masks(first):
        return ProbeResult("P7", "does not apply", "no mask was seen")
    parts = find_steady_parts(first, again)
    if not parts:
        return ProbeResult("P7", "does not apply", "the same run again has other masks in every part")
    mixed = bench.run(Variation("masks-in-three-formats", ((mix_formats, ids),), epochs=1))
    said, findings, compared = [], [], {}
    for number, (name, change) in enumerate(FORMATS):
        variation = Variation(f"masks-with-{name.replace(' ', '-')}", ((change, ids),), epochs=1)
        other = mixed if mixed.is_finished else bench.run(variation)
        if other.ended_by != "script":
            return judge_ending("P7", other) or ProbeResult("P7", "does not apply", other.ending)
        shown = {image for image in ids if set(bench.masks_of((image,))) <= set(ids[number::3])}
        moved, gained = _find_moved_shares(first, other, shown, parts) if other.is_finished else (None, 0.0)
        compared[name] = moved
        if not other.is_finished:
            said.append(f"{name}: {other.ending}")
        elif moved is None:
            said.append(f"{name}: no mask was seen")
        elif moved > _MOVED:
            said.append(f"{name}: up to {moved:.0%} of the pixels are read otherwise")
            # That only foreground is lost says which files the scripts need; they were made for 0 and 255.
            findings += [_misread(name, gained)] if gained > _MOVED else []
        else:
            said.append(f"{name}: the same masks")
    is_broken = any((moved or 0) > _MOVED for moved in compared.values())
    return ProbeResult("P7", "broken" if is_broken else "holds", "; ".join(said), tuple(findings), compared)


def _misread(name: str, gained: float) -> Finding:
    return Finding(
        6,
        f"run in which masks have {name}",
        expected="the same masks as before, or an error",
        found=f"up to {gained:.0%} of the pixels of a mask become foreground",
        found_by="P7",
    )


def _find_moved_shares(one: Trial, other: Trial, ids: set[str], parts: set[str]) -> tuple[float | None, float]:
    """Return the largest shares of pixels of a mask that change sides, and that become foreground, in another run.

    Args:
        one: A run.
        other: The other run.
        ids: The cases that are compared.
        parts: The parts in which they are.
    """
    before, after = find_first_masks(one), find_first_masks(other)
    both = [
        (_is_foreground(before[key], before[key]), _is_foreground(after[key], before[key]))
        for key in before.keys() & after.keys()
        if key[0] in parts and key[1] in ids and before[key].shape == after[key].shape
    ]
    moved = max((float(np.mean(old != new)) for old, new in both), default=None)
    return moved, max((float(np.mean(new & ~old)) for old, new in both), default=0.0)


def _is_foreground(mask: NDArray[Any], as_in: NDArray[Any]) -> NDArray[np.bool_]:
    return np.asarray(mask > (float(as_in.min()) + float(as_in.max())) / 2)


def probe_extreme_masks(bench: Bench) -> ProbeResult:
    """P8: cases with an empty and with a full mask leave all losses and scores finite."""
    ids = tuple(id for part in (bench.other_ids, bench.validation_ids, bench.test_ids) for id in part[:2])
    if not ids:
        return ProbeResult("P8", "does not apply", "it was not seen which cases are in which part")
    other = bench.run(Variation("masks-empty-and-full", ((empty_and_fill, ids),), epochs=1))
    if (stopped := judge_ending("P8", other)) is not None:
        return stopped
    losses = [loss for loss in other.losses if not math.isfinite(loss)]
    printed = [score for score in other.scores if not math.isfinite(score.value)]
    if losses or printed:
        what = f"{len(losses)} losses" if losses else f"{printed[0]}"
        return ProbeResult("P8", "broken", f"an empty or full mask gives a loss or score that is no number: {what}")
    return ProbeResult("P8", "holds", f"{len(other.losses)} losses and {len(other.scores)} scores are finite")


def probe_corrupt_files(bench: Bench) -> ProbeResult:
    """P9: a file that is no image ends in an error, or is left out with a word about it."""
    first = bench.unchanged
    if (stopped := judge_ending("P9", first)) is not None:
        return stopped
    if not bench.other_ids:
        return ProbeResult("P9", "does not apply", "it was not seen on which cases the scripts train")
    said, findings = [], []
    for kind, change in (("image", corrupt_images), ("mask", corrupt_masks)):
        id = bench.other_ids[0]
        ids = bench.masks_of((id,)) if kind == "mask" else (id,)
        other = bench.run(Variation(f"corrupt-{kind}", ((change, ids),), epochs=1))
        if other.ended_by != "script":
            return judge_ending("P9", other) or ProbeResult("P9", "does not apply", other.ending)
        sentence, finding = _judge_corrupt(kind, id, first, other)
        said.append(sentence)
        findings += [finding] if finding is not None else []
    if not first.sees_batches and any(sentence.endswith(_UNKNOWN) for sentence in said):
        return ProbeResult("P9", "does not apply", "; ".join(said))
    return ProbeResult("P9", "broken" if findings else "holds", "; ".join(said), tuple(findings))


def _judge_corrupt(kind: str, id: str, first: Trial, other: Trial) -> tuple[str, Finding | None]:
    if not other.is_finished:
        return f"corrupt {kind}: {other.ending}", None
    before, after = list_cases(first), list_cases(other)
    if not first.sees_batches:
        names = any(word in other.printed for word in (f"{id}.", f"{id}_"))
        return f"corrupt {kind}: {'named' if names else _UNKNOWN}", None
    if not after:
        return f"corrupt {kind}: nothing was seen to be trained on", None
    is_replaced = _has_stand_in(before, after) or (kind == "mask" and id in after)
    if is_replaced:
        what = f"{len(after)} cases, with something else in its place"
    elif any(word in other.printed.lower() for word in (*_SAID, f"{id}.", f"{id}_")):
        return f"corrupt {kind}: left out, and said so", None
    else:
        what = f"{len(after)} cases instead of {len(before)}, without a word"
    finding = Finding(
        21,
        f"run in which the {kind} of training case {id} is no image file",
        expected="an error, or a case less and a word about it",
        found=what,
        certainty="certain" if is_replaced else "likely",
        found_by="P9",
    )
    return f"corrupt {kind}: {what}", finding


def _has_stand_in(before: list[str], after: list[str]) -> bool:
    """Return whether there are more images now that show no case, or that show one that is there already."""
    most = [max(Counter(id for id in ids if id).values(), default=0) for ids in (before, after)]
    return after.count("") > before.count("") or most[1] > most[0]
