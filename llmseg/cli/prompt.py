"""The command llmseg prompt: the prompt for a pipeline, and the check of scripts against it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import llmseg
from llmseg.cli.output import Output
from llmseg.cli.spread import spread
from llmseg.cli.text.layout import align_columns

if TYPE_CHECKING:
    from llmseg.admission import CheckedScripts


@dataclass(frozen=True)
class PromptOptions:
    """What a prompt asks for; ``None`` is the default of :class:`llmseg.admission.Prompt`."""

    framework: Annotated[str | None, typer.Option(help="pytorch (the default) or keras.")] = None
    channels: Annotated[int | None, typer.Option(help="Of the images: 1 for grey (the default), 3 for RGB.")] = None
    size: Annotated[
        int | None, typer.Option(help="Height and width to resize to, in pixels; without it the model chooses.")
    ] = None
    names: Annotated[
        str | None,
        typer.Option(help="Names of images and of masks, the star is the same in both: *.png,*_seg.png (the default)."),
    ] = None

    @property
    def given(self) -> dict[str, Any]:
        """The options that were typed."""
        return {each.name: value for each in fields(self) if (value := getattr(self, each.name)) is not None}


@spread
def prompt(
    options: PromptOptions,
    output: Output,
    check: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Say which requirements the scripts in a folder meet, and where."),
    ] = None,
) -> None:
    """Print a prompt that asks a language model for a pipeline, or check the scripts that it wrote.

    The scripts are read and never run. Exit code 1 means that a requirement is not met.

    Example: llmseg prompt --framework keras
    """
    if check is None:
        asked = llmseg.admission.Prompt(**options.given)
        output.print(asked.to_dict() if output.as_json else asked.text.rstrip("\n"))
        return
    checked = llmseg.admission.check_requirements(check, **options.given)
    output.print(checked.to_dict() if output.as_json else _describe(checked, options))
    if checked.counts["not met"]:
        raise typer.Exit(1)


def _describe(checked: CheckedScripts, options: PromptOptions) -> str:
    rows = [
        (
            str(each.requirement.number),
            each.requirement.id,
            each.state,
            ", ".join(each.places) or "-",
            each.note,
        )
        for each in checked.compliances
    ]
    counts = ", ".join(f"{number} {state}" for state, number in checked.counts.items())
    asked = checked.prompt.stamp.partition(": ")[2].rpartition(" text=")[0]
    return "\n".join(
        [
            align_columns([("", "requirement", "state", "where", "why"), *rows]),
            f"{counts}, of {len(rows)}",
            f"asked for: {asked} ({_source(checked, options)})",
        ]
    )


def _source(checked: CheckedScripts, options: PromptOptions) -> str:
    """Return how it is known what the scripts were asked for."""
    if checked.traced is None:
        stamp = "the scripts have no stamp"
    elif checked.traced.is_current:
        stamp = "as the stamp says"
    else:
        stamp = f"as the stamp says, which is of another text, version {checked.traced.version}"
    given = ", ".join(f"--{name}" for name in options.given)
    return f"{stamp}; {given} as given" if given else stamp
