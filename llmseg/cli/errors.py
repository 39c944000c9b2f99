"""The command that shows errors in generated code: llmseg errors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import llmseg
from llmseg.cli.output import Output
from llmseg.cli.spread import spread
from llmseg.cli.text.errors import describe_errors, list_errors

if TYPE_CHECKING:
    import pandas as pd


@spread
def errors(
    output: Output,
    tables: Annotated[
        list[Path] | None,
        typer.Argument(help="Tables (.csv) of errors of further models, to stand beside."),
    ] = None,
    which: Annotated[str, typer.Option("--set", help="Of the study: core, extra or run-to-run.")] = "core",
    each: Annotated[bool, typer.Option("--each", help="List every error.")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Also draw phases and categories (.pdf, .svg or .png).")
    ] = None,
) -> None:
    """Show the errors in generated code by phase and category: the study's, and beside them yours.

    Example: llmseg errors -o errors.pdf
    """
    import pandas as pd

    totals = llmseg.stats.published_error_totals(which)
    sets = {"The study": llmseg.stats.published_errors(which)}
    if tables:
        sets["Yours"] = pd.concat([llmseg.stats.read_errors(path) for path in tables], ignore_index=True)
    written = _draw(sets, out)
    if output.as_json:
        output.print(_facts(sets, totals, written))
    else:
        text = list_errors(sets) if each else describe_errors(sets, totals)
        output.print("\n\n".join([text, *written]))


def _draw(sets: dict[str, pd.DataFrame], out: Path | None) -> list[str]:
    if out is None:
        return []
    llmseg.figures.check_format(out)
    llmseg.figures.check_replaceable(out)
    return [str(llmseg.figures.save(llmseg.figures.error_grid(sets), out))]


def _facts(sets: dict[str, pd.DataFrame], totals: pd.DataFrame, written: list[str]) -> dict[str, Any]:
    return {
        "sets": {
            title: {
                "by_phase_and_category": llmseg.stats.count_errors(errors).to_dict("index"),
                "errors": errors[errors["phase"] != ""].to_dict("records"),
            }
            for title, errors in sets.items()
        },
        "counted_by_the_study": totals.to_dict("records"),
        "written": written,
    }
