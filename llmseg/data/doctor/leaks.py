"""Checks across cases: the same picture twice, and groups or pictures that lie in more than one part."""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from llmseg.data.doctor.facts import CaseFacts
from llmseg.data.doctor.findings import NAMED_CASES, Finding, Severity, report_cases
from llmseg.data.duplicates import BITS, NearDuplicates, find_near_duplicates, group_equal
from llmseg.data.group_names import propose_pattern
from llmseg.data.groups import match_groups

_IN_GROUP, _IN_PART, _ACROSS = range(3)  # classes of near duplicates: of one group; of several; in several parts


def check_equal_images(
    facts: Sequence[CaseFacts], groups: Mapping[str, str], parts: Mapping[str, str]
) -> Iterator[Finding]:
    """Report images of equal pixels: those in several parts, the others, and those whose masks differ.

    Blank images do not count: black frames are equal by nature.
    """
    pictured = [case for case in facts if case.fingerprint is not None]
    sets = [[pictured[index] for index in equal] for equal in group_equal([case.image for case in pictured])]
    across = [cases for cases in sets if len(_parts_of(cases, parts)) > 1]
    others = [cases for cases in sets if len(_parts_of(cases, parts)) <= 1]
    what = f"equal images in several parts (sets: {len(across)})"
    advice = "the parts are not independent: keep one of each set, or put the set into one part"
    yield from report_cases("duplicates-across-parts", "error", _list_ids(across), len(facts), what, advice)
    # Equal frames of one video stay together wherever groups are respected.
    apart = any(len({groups[case.id] for case in cases}) > 1 for cases in others)
    what, advice = f"equal images (sets: {len(others)})", "keep one of each set, or give the set one group (--groups)"
    yield from report_cases("duplicates", "warning" if apart else "note", _list_ids(others), len(facts), what, advice)
    differing = [cases for cases in sets if len({case.mask for case in cases}) > 1]
    what, advice = f"equal images with different masks (sets: {len(differing)})", "choose one mask of each set"
    yield from report_cases("different-masks", "warning", _list_ids(differing), len(facts), what, advice)


def check_near_images(
    facts: Sequence[CaseFacts], groups: Mapping[str, str], parts: Mapping[str, str]
) -> Iterator[Finding]:
    """Report pictures that are nearly the same: in several parts, in several groups, in one group (usual)."""
    pictured = [case for case in facts if case.fingerprint is not None]
    prints = [case.fingerprint for case in pictured if case.fingerprint is not None]
    images = _number_names([case.image for case in pictured])
    of_group = _number_names([groups[case.id] for case in pictured])
    of_part = _number_names([parts.get(case.id, "") for case in pictured])
    assigned = np.array([case.id in parts for case in pictured])

    def classify(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        kinds = np.where(of_group[first] == of_group[second], _IN_GROUP, _IN_PART)
        kinds[(of_part[first] != of_part[second]) & assigned[first] & assigned[second]] = _ACROSS
        kinds[images[first] == images[second]] = -1  # equal pixels are reported by the check above
        return kinds

    near = find_near_duplicates(prints, classify, 3)
    ids = [case.id for case in pictured]
    advice = "look at them, and put those of one scene or patient into one part"
    yield from _report_near(
        "near-duplicates-across-parts", "warning", near[_ACROSS], ids, "near duplicates across parts", advice
    )
    advice = "look at them, and give those of one scene or patient one group (--group or --groups)"
    yield from _report_near(
        "near-duplicates", "warning", near[_IN_PART], ids, "near duplicates in different groups", advice
    )
    advice = "usual for frames and slices; split by group"
    yield from _report_near(
        "near-duplicates-in-groups", "note", near[_IN_GROUP], ids, "near duplicates in one group", advice
    )


def _report_near(
    kind: str, severity: Severity, near: NearDuplicates, ids: Sequence[str], what: str, advice: str
) -> Iterator[Finding]:
    if near.closest is None:
        return
    first, second, distance = near.closest
    ordered = [first, second, *(index for index in near.places if index not in (first, second))]
    closest = f"closest '{ids[first]}' and '{ids[second]}' ({distance} of {BITS} bits differ)"
    sentence = f"{what}: {len(near.places)} of {len(ids)} cases (pairs: {near.pairs}), {closest}; {advice}"
    yield Finding(kind, severity, sentence, len(near.places), tuple(ids[index] for index in ordered[:NAMED_CASES]))


def check_repeated_masks(facts: Sequence[CaseFacts], groups: Mapping[str, str]) -> Iterator[Finding]:
    """Report masks that belong to different images of several groups. Empty and full masks do not count."""
    partial = [case for case in facts if 0 < case.share < 1]
    sets = [[partial[index] for index in equal] for equal in group_equal([case.mask for case in partial])]
    repeated = [
        cases
        for cases in sets
        if len({case.image for case in cases}) > 1 and len({groups[case.id] for case in cases}) > 1
    ]
    what = f"equal masks of different images (sets: {len(repeated)})"
    advice = "frames of one scene may share a mask; others are copied by mistake, or show the field of view"
    yield from report_cases("repeated-masks", "note", _list_ids(repeated), len(facts), what, advice)


def check_group_overlap(groups: Mapping[str, str], parts: Mapping[str, str]) -> Iterator[Finding]:
    """Report groups that have cases in several parts: data leakage."""
    first_of_part: dict[str, dict[str, str]] = {}
    for id, group in groups.items():
        if id in parts:
            # The first case in each part is enough to show where the group is torn.
            first_of_part.setdefault(group, {}).setdefault(parts[id], id)
    torn = {group: cases for group, cases in first_of_part.items() if len(cases) > 1}
    if torn:
        group, cases = next(iter(torn.items()))
        sentence = (
            f"groups with cases in several parts: {len(torn)} of {len(first_of_part)}, the first '{group}' in "
            f"{', '.join(sorted(cases))}; split by group"
        )
        named = itertools.chain.from_iterable(cases.values() for cases in torn.values())
        yield Finding("group-overlap", "error", sentence, len(torn), tuple(itertools.islice(named, NAMED_CASES)))


def check_names(groups: Mapping[str, str]) -> Iterator[Finding]:
    """Report names that look as if cases belong together, where each case is a group of its own."""
    ids = list(groups)
    if len(set(groups.values())) < len(ids):
        return
    pattern = propose_pattern(ids)
    if pattern is not None:
        together: dict[str, list[str]] = {}
        for id, group in match_groups(pattern, ids).items():
            together.setdefault(group, []).append(id)
        largest = max(together.values(), key=len)
        # The option stands at the end, so that it can be copied as it is.
        sentence = (
            f"names look as if cases belong together, but each is a group of its own: {len(ids)} cases of "
            f"{len(together)} patients, videos or the like; if they are that, give this option, else say it in a table "
            f"(--groups TABLE.csv): --group={shlex.quote(pattern)}"
        )
        yield Finding("groups-in-names", "warning", sentence, len(ids), tuple(largest[:NAMED_CASES]))


def check_unassigned(ids: Sequence[str], parts: Mapping[str, str]) -> Iterator[Finding]:
    """Report cases that are in no part, where parts are given."""
    if parts:
        missing = [id for id in ids if id not in parts]
        yield from report_cases("no-part", "note", missing, len(ids), "cases in no part", "they are used nowhere")


def _parts_of(cases: Sequence[CaseFacts], parts: Mapping[str, str]) -> set[str]:
    return {parts[case.id] for case in cases if case.id in parts}


def _list_ids(sets: Sequence[Sequence[CaseFacts]]) -> list[str]:
    return [case.id for cases in sets for case in cases]


def _number_names(names: Sequence[str]) -> np.ndarray:
    """Return a number for each name, equal for equal names: arrays of numbers are compared by the million."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(name, len(numbers)) for name in names], dtype=np.int64)
