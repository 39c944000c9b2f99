"""What stands in the boxes of a drawing and below it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import groupby

from llmseg.figures.network.stages import Joined, Layer, Plan, Stage
from llmseg.figures.network.words import change_word, size_text

MOST_RUNS = 4
"""Of stages with more different layers in a row than this, only their number is written."""


@dataclass(frozen=True)
class Key:
    """What signs in a drawing stand for.

    Attributes:
        letters: The letter that stands before the arrow of a layer, by the layer; the most frequent one has none.
        down: The most frequent way in which maps become smaller, which stands below the drawing and nowhere in it.
        up: The most frequent way in which they become larger.
        joins: The most frequent way in which skips join.
    """

    letters: dict[str, str]
    down: str
    up: str
    joins: str


def make_key(plan: Plan) -> Key:
    """Return the key of a network."""
    layers = Counter(layer.name for stage in plan.stages if not _is_long(stage) for layer in stage.layers)
    signs = ["", *"abcdefghijklmnopqrstuvwxyz"]
    letters = dict(zip((name for name, _ in layers.most_common()), signs, strict=False))
    frequent = {
        direction: _most_frequent([stage.entry for stage in plan.stages if stage.direction == direction])
        for direction in ("down", "up")
    }
    return Key(letters, frequent["down"], frequent["up"], _most_frequent([skip.how for skip in plan.skips]))


def _most_frequent(names: list[str]) -> str:
    return Counter(names).most_common(1)[0][0] if names else ""


def key_lines(plan: Plan, key: Key) -> list[tuple[str, str]]:
    """Return the signs of a drawing and what each stands for, in words."""
    lines = [(f"{letter}→".strip(), name) for name, letter in key.letters.items()]
    first = " (the first layer in the box)" if key.down in _reducing_layers(plan) else ""
    lines += [(sign, name) for sign, name in (("↓", key.down and key.down + first), ("↑", key.up)) if name]
    joined = [part for stage in plan.stages for part in stage.parts if isinstance(part, Joined)]
    for sign, how in {_sign(part): part.how for part in joined}.items():
        firsts = {part.first for part in joined if part.how == how}
        order = ", the skip first" if firsts == {True} else ", the skip last" if firsts == {False} else ""
        lines.append((sign, f"a skip is {how}{order if how == 'concatenated' else ''}"))
    inner = Counter(how for stage in plan.stages for how in stage.inner)
    if inner["added"]:
        lines.append(("+ r", "residual: what enters is added to what the layers give"))
    if inner["multiplied"]:
        lines.append(("x r", "weighted: maps are multiplied with weights computed from them"))
    if inner["concatenated"]:
        lines.append(("& r", "earlier maps of the stage are concatenated"))
    return lines


def _reducing_layers(plan: Plan) -> set[str]:
    """Return the ways in which maps become smaller that are layers with weights."""
    return {stage.entry for stage in plan.stages if stage.direction == "down" and "stride" in stage.entry}


def _sign(part: Joined) -> str:
    return {"concatenated": "+", "added": "⊕", "multiplied": "⊗"}.get(part.how, "&")


def stage_text(stage: Stage, key: Key) -> str:
    """Return the channels of a stage, from those that enter to those that it gives.

    Example:
        >>> from llmseg.figures.network.stages import Joined, Layer
        >>> parts = (Joined("concatenated", 64, True), Layer("conv", 64), Layer("conv", 64))
        >>> stage_text(Stage("up", "", 64, parts, (8, 8), None, False, (), 0.0, 64), Key({"conv": ""}, "", "", ""))
        '64 + 64 → 64, 64'
    """
    text = str(stage.entering)
    if _is_long(stage):
        joined = "".join(_joined_text(part) for part in stage.parts if isinstance(part, Joined))
        return f"{text}{joined} → {len(stage.layers)} layers → {stage.channels}{_inner_text(stage)}"
    previous = ""
    for part, run in ((part, len(list(parts))) for part, parts in groupby(stage.parts)):
        if isinstance(part, Joined):
            text += _joined_text(part) * run
            previous = ""
        else:
            letter = key.letters[part.name]
            text += ", " if letter == previous and "→" in text else f" {letter}→ "
            text += f"{run} x {part.channels}" if run > 2 else ", ".join([str(part.channels)] * run)
            previous = letter
    return text + _inner_text(stage)


def _is_long(stage: Stage) -> bool:
    return len(list(groupby(part for part in stage.parts if isinstance(part, Layer)))) > MOST_RUNS


def _joined_text(part: Joined) -> str:
    return f" {_sign(part)}" + (f" {part.channels}" if part.channels else "")


def _inner_text(stage: Stage) -> str:
    signs = {"added": "+", "multiplied": "x", "concatenated": "&"}
    kinds = [sign for how, sign in signs.items() if how in stage.inner]
    return f" {''.join(kinds)} r" if kinds else ""


def size_line(stage: Stage) -> str:
    """Return the size of the maps of a stage, with its dropout and with what was cut off."""
    text = size_text(stage.size)
    if stage.dropout:
        text += f", dropout {stage.dropout:g}"
    return text


def entry_text(plan: Plan, index: int, key: Key) -> str:
    """Return how maps enter a stage, where it is not as the key says; empty otherwise."""
    stage = plan.stages[index]
    if stage.direction == "same":
        return "no pooling" if index == plan.bottom > 0 else ""
    usual = key.down if stage.direction == "down" else key.up
    text = stage.entry if stage.entry != usual else ""
    if stage.fitted:
        how = change_word(stage.fitted, stage.size, stage.fitted_by_cut)
        text = f"{text + ', ' if text else ''}{size_text(stage.fitted)} {how} to {size_text(stage.size)}"
    return text
