"""What llmseg published prints: the study and its claims, or results beside its figures."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import llmseg
from llmseg.cli.text.layout import align_columns, section
from llmseg.stats.words import count_text, sentence
from llmseg.study.published.texts import COLUMNS, NOTE, row_texts

if TYPE_CHECKING:
    from llmseg.study import DatasetComparison, PublishedComparison


WIDTH = 110
"""Characters of a line, behind which sentences go on in the next one."""


def describe_study() -> str:
    """Return where the study is, every claim of it with whether it holds, and what is wrong with its figures."""
    facts = [
        ("scripts", llmseg.stats.published.REPOSITORY),
        ("DOI", "not known to this library"),
        *((f"prompt for {framework}", file) for framework, file in llmseg.stats.published.PROMPTS.items()),
    ]
    defects = [
        f"- {name}: {defect}"
        for name in llmseg.stats.published.names()
        for defect in llmseg.stats.published.get(name).defects
    ]
    parts = [
        f"{llmseg.stats.published.TITLE}\n{align_columns(facts)}",
        *_describe_claims(),
        section(f"Wrong with its figures, {count_text(len(defects), 'known defect')}", _fold(defects)),
        "Where text and script of a single pipeline differ: llmseg show NAME\n"
        "Results of yours beside the published figures: llmseg published RUNS",
    ]
    return "\n\n".join(parts)


def _describe_claims() -> list[str]:
    """Return a section per verdict; below a claim stands why."""
    claims = llmseg.stats.published.get("claims").frame
    parts = []
    for verdict in llmseg.stats.published.VERDICTS:
        chosen = claims[claims["verdict"] == verdict].to_dict("records")
        texts = [text for row in chosen for text in (f"- {row['claim']} ({row['made_in']})", f"  {row['why']}")]
        parts.append(section(f"{verdict.capitalize()}, {count_text(len(chosen), 'claim')}", _fold(texts)))
    return parts


def _fold(texts: list[str]) -> list[str]:
    return [line for text in texts for line in textwrap.wrap(text, WIDTH, subsequent_indent="  ")]


def describe_comparison(comparison: PublishedComparison) -> str:
    """Return a table per dataset with its agreement above it, and below all what is wrong and what is not alike."""
    defects = [f"{name}: {text}" for name, text in comparison.explanations.items()]
    parts = [
        "\n".join(sentence(text) for text in comparison.remarks),
        *(_describe_dataset(part) for part in comparison.datasets),
        section("What is wrong with published numbers", defects),
        section("What cannot be compared", [sentence(text) for text in comparison.limits]),
        section("Left out", [sentence(text) for text in comparison.left_out]),
    ]
    return "\n\n".join(part for part in parts if part)


def _describe_dataset(part: DatasetComparison) -> str:
    header = ("pipeline", *(title.lower() for title in COLUMNS.values()), "wrong with the published number")
    rows = [
        (str(row["pipeline"]), *row_texts(row).values(), ", ".join(row["defects"]) or "-")
        for row in part.frame.to_dict("records")
    ]
    remarks = [sentence(remark) for remark in part.remarks]
    return "\n".join([part.sentence, align_columns([header, *rows]), NOTE, *remarks])
