"""The command about the published study: llmseg published. With results, it puts them beside its figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import llmseg
from llmseg import UserError
from llmseg.cli.dataset_names import PreparedAs, read_dataset_names
from llmseg.cli.output import Output
from llmseg.cli.spread import spread
from llmseg.cli.text.published import describe_comparison, describe_study
from llmseg.files import make_folder, write_text

if TYPE_CHECKING:
    from llmseg.study import DatasetComparison, PublishedComparison


@spread
def published(
    output: Output,
    runs: Annotated[
        list[Path] | None,
        typer.Argument(help="Folders of studies, runs and evaluations; tables (.csv, .parquet). The study without."),
    ] = None,
    prepared_as: PreparedAs = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Also write the rows to this file (.csv).")] = None,
) -> None:
    """Say which claims of the study hold; with results of yours, put published Dice and ranks beside them.

    Example: llmseg published studies/two --as synthetic-fundus=retina
    """
    if not runs:
        if out is not None or prepared_as:
            raise UserError(
                "--out and --as need results of yours: llmseg published RUNS, with the folders of your runs"
            )
        output.print(_facts_of_study() if output.as_json else describe_study())
        return
    given = read_dataset_names(prepared_as)
    if out is not None and (out.suffix != ".csv" or out.exists()):
        fault = "is there already" if out.exists() else "does not end in .csv"
        raise UserError(f"{out} {fault}; give a new file that ends in .csv")
    comparison = llmseg.study.compare_with_published(llmseg.report.read_sources(runs), prepared_as=given)
    if out is not None:
        make_folder(out.parent)
        write_text(out, comparison.frame.to_csv(index=False, lineterminator="\n"))
    output.print(_facts(comparison) if output.as_json else describe_comparison(comparison))


def _facts_of_study() -> dict[str, Any]:
    return {
        "title": llmseg.stats.published.TITLE,
        "repository": llmseg.stats.published.REPOSITORY,
        "doi": None,
        "prompts": llmseg.stats.published.PROMPTS,
        "claims": llmseg.stats.published.get("claims").frame.to_dict("records"),
        "defects": [
            {"name": name, "defect": defect}
            for name in llmseg.stats.published.names()
            for defect in llmseg.stats.published.get(name).defects
        ],
    }


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
