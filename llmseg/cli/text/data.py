"""What llmseg data and llmseg cache print."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llmseg.cli.text.layout import align_columns, megabytes, section
from llmseg.recipe import write_typed
from llmseg.stats.words import count_text

if TYPE_CHECKING:
    from llmseg import Hdf5Store, Holdout
    from llmseg.data import CacheEntry, Dataset


def dataset_table(datasets: Sequence[Dataset]) -> str:
    """Return a line per dataset."""
    head = ("id", "title", "modality", "target", "cases", "in the study", "licence")
    rows = [
        (
            dataset.id,
            dataset.title,
            dataset.modality,
            dataset.target,
            f"{dataset.cases:,}" if dataset.cases else "unknown",
            # The sets that the study used only as parts of another (DRIVE, STARE, CHASE_DB1, HRF) make up its retina.
            f"{dataset.study.cases:,}" if dataset.study else "in retina",
            dataset.licence.spdx or "unknown",
        )
        for dataset in datasets
    ]
    return align_columns([head, *rows])


def describe_dataset(dataset: Dataset) -> str:
    """Return the facts of a dataset in sections."""
    names = ("title", "modality", "target", "colour", "cases", "sizes", "masks", "groups", "citation", "source")
    facts = [(name, write_typed(getattr(dataset, name) or "unknown")) for name in names]
    licence = [(name, _answer(value)) for name, value in asdict(dataset.licence).items()]
    sections = [
        align_columns(facts),
        section("licence", align_columns(licence).splitlines()),
        section("layout", dataset.layout),
        section("what to know", dataset.oddities),
        section("the study took", [dataset.study.rule] if dataset.study else []),
    ]
    return "\n\n".join(text for text in sections if text)


def _answer(value: str | bool | None) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "unknown" if value is None else value


def store_facts(store: Hdf5Store) -> dict[str, Any]:
    """Return what a prepared store holds, as values that JSON can hold."""
    return {
        "path": str(store.path),
        "name": store.name,
        "cases": len(store.ids),
        "groups": len(set(store.groups.values())),
        "parts": dict(Counter(part for part in store.parts.values() if part)),
        "alone": list(store.unpaired),
        "digest": store.digest,
        **{name: store.provenance[name] for name in ("layout", "notes", "official_cases", "licence")},
    }


def describe_store(store: Hdf5Store) -> str:
    """Return what a prepared store holds, in words."""
    facts = store_facts(store)
    official, licence, size = facts["official_cases"], facts["licence"], megabytes(Path(store.path).stat().st_size)
    lines = [
        f"{facts['cases']} cases in {facts['groups']} groups, {size}, in {store.path}",
        f"layout: {facts['layout']}",
        *(f"{part}: {count}" for part, count in facts["parts"].items()),
        *([f"the official set has {official}"] if official and official != facts["cases"] else []),
        *([f"{len(facts['alone'])} files without partner, first {facts['alone'][0]}"] if facts["alone"] else []),
        *(f"note: {note}" for note in facts["notes"]),
        *([f"licence: {licence['spdx'] or 'unknown'}"] if licence else []),
        f"digest: {facts['digest']}",
    ]
    return "\n".join(lines)


def holdout_facts(holdout: Holdout) -> dict[str, Any]:
    """Return how test cases were drawn, as values that JSON can hold."""
    held = [case for case in holdout.cases if case.held]
    return {
        "store": holdout.store,
        "test_cases": len(held),
        "test_groups": len({case.group for case in held}),
        "cases": len(holdout.cases),
        "split": holdout.split,
        "seed": holdout.seed,
        "digest": holdout.digest,
    }


def describe_holdout(holdout: Holdout, path: Path) -> str:
    """Return how test cases were drawn, in words."""
    facts = holdout_facts(holdout)
    groups = count_text(facts["test_groups"], "group")
    return (
        f"{facts['test_cases']} of {facts['cases']} cases of {holdout.store} held out in {groups} "
        f"({holdout.split}, seed {holdout.seed}), in {path}\ndigest: {holdout.digest}"
    )


def describe_folds(folds: Sequence[Holdout], folder: Path) -> str:
    """Return how folds were drawn, in words."""
    facts = [holdout_facts(fold) for fold in folds]
    cases, groups = ([str(fact[name]) for fact in facts] for name in ("test_cases", "test_groups"))
    return (
        f"{folds[0].store}: {facts[0]['cases']} cases in {len(folds)} folds ({folds[0].split}, seed {folds[0].seed}) "
        f"of {', '.join(cases)} cases in {', '.join(groups)} groups, in {folder}\n"
        f"next: llmseg compare with --holdout {shlex.quote(str(folder))}"
    )


def cache_table(entries: Sequence[CacheEntry], folder: Path) -> str:
    """Return a line per file of prepared cases, and their sum."""
    lines = [
        f"{entry.store:24} {entry.cases:8} cases  {_size(entry.shape):12} {megabytes(entry.nbytes):>10}"
        for entry in entries
    ]
    total = megabytes(sum(entry.nbytes for entry in entries))
    return "\n".join([*lines, f"{len(entries)} sets of cases, {total}, in {folder}"])


def _size(shape: tuple[int, int, int]) -> str:
    """Return channels, height and width in words."""
    return f"{shape[1]}x{shape[2]} {'rgb' if shape[0] == 3 else 'grey'}"
