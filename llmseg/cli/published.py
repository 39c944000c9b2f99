"""The command that puts results beside the published figures: llmseg published."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import llmseg
from llmseg import UserError
from llmseg.cli.dataset_names import PreparedAs, read_dataset_names
from llmseg.cli.output import Output
from llmseg.cli.spread import spread
from llmseg.cli.text.published import describe_comparison
from llmseg.files import write_text

if TYPE_CHECKING:
    from llmseg.study import DatasetComparison, PublishedComparison


@spread
def published(
    runs: Annotated[
        list[Path], typer.Argument(help="Folders of studies, runs and evaluations; tables (.csv, .parquet).")
    ],
    output: Output,
    prepared_as: PreparedAs = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Also write the rows to this file (.csv).")] = None,
) -> None:
    """Put published Dice and ranks beside your own, with what is wrong with each.

    Example: llmseg published studies/two --as synthetic-fundus=retina
    """
    given = read_dataset_names(prepared_as)
    if out is not None and (out.suffix != ".csv" or out.exists()):
        fault = "is there already" if out.exists() else "does not end in .csv"
        raise UserError(f"{out} {fault}; give a new file that ends in .csv")
    comparison = llmseg.study.compare_with_published(llmseg.report.read_sources(runs), prepared_as=given)
    if out is not None:
        write_text(out, comparison.frame.to_csv(index=False, lineterminator="\n"))
    output.print(_facts(comparison) if output.as_json else describe_comparison(comparison))


def _facts(comparison: PublishedComparison) -> dict[str, Any]:
    return {
        "datasets": [_facts_of_dataset(part) for part in comparison.datasets],
        "explanations": dict(comparison.explanations),
        "limits": comparison.limits,
        "left_out": comparison.left_out,
        "remarks": comparison.remarks,
    }


def _facts_of_dataset(part: DatasetComparison) -> dict[str, Any]:
    return {
        "dataset": part.dataset,
        "published_as": part.published_as,
        "sentence": part.sentence,
        "kendall": None if part.kendall is None else vars(part.kendall),
        "spearman": None if part.spearman is None else vars(part.spearman),
        "kendall_of_medians": part.of_medians,
        "kendall_resampled": part.resampled,
        "remarks": part.remarks,
        "rows": part.frame.to_dict("records"),
    }
