"""What the catalogue says of a dataset: its facts, its licence, and what the study took of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Licence:
    """What one may do with the images. ``None`` means that it could not be established.

    Attributes:
        spdx: Identifier of the licence in the SPDX list, such as ``CC-BY-4.0``.
        redistribution: Whether copies may be passed on.
        commercial: Whether commercial use is allowed.
        registration: Whether the download asks for an account or a form.
    """

    spdx: str | None
    redistribution: bool | None
    commercial: bool | None
    registration: bool | None


@dataclass(frozen=True, kw_only=True)
class StudyUse:
    """What the study took of a dataset.

    Attributes:
        cases: Number of cases.
        take: Which cases: ``all``; those of the ``training`` part; the ``first`` in the order of their ids. Where the
            study's choice is not known, ``cases`` or ``groups`` are drawn by seed.
        groups: Number of groups that are drawn, if ``take`` is ``groups``.
        known: Whether the rule is the study's, as far as its scripts and numbering tell. Otherwise only the number of
            cases is.
        rule: The rule in a sentence.
    """

    cases: int
    take: Literal["all", "training", "first", "cases", "groups"]
    groups: int | None = None
    known: bool
    rule: str


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """Facts of a dataset, for people and for messages: they tell what to expect, and no code reads pixels by them.

    Attributes:
        id: Name by which it is asked for.
        title: Its usual name.
        aliases: Other names.
        modality: How the images were made.
        target: What is segmented.
        colour: ``grey`` or ``rgb``.
        cases: Number of labelled images or slices in the official set, ``None`` where unknown.
        sizes: Widths and heights in pixels, in words.
        masks: What the mask files hold.
        groups: What ties cases together (a video, a patient); empty if that is not known.
        layout: The official layout, a line per kind of file.
        oddities: What a reader must cope with.
        licence: What one may do with it.
        citation: What to cite.
        source: Where to get it.
        study: What the study took; ``None`` for sets it used as a part of another.
    """

    id: str
    title: str
    aliases: tuple[str, ...] = ()
    modality: str
    target: str
    colour: Literal["grey", "rgb"]
    cases: int | None
    sizes: str
    masks: str
    groups: str
    layout: tuple[str, ...]
    oddities: tuple[str, ...] = ()
    licence: Licence
    citation: str
    source: str
    study: StudyUse | None = None
