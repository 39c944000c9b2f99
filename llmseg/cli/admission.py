"""The command llmseg admit: how far scripts of a new language model run, and what is wrong with them."""

from __future__ import annotations

import shlex
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

import llmseg
from llmseg.cli import options as option
from llmseg.cli.options import CasesAndHoldout, Computing
from llmseg.cli.output import OutputWithProgress, print_line
from llmseg.cli.spread import spread
from llmseg.cli.study import describe_means
from llmseg.cli.text.admission import describe_admission
from llmseg.files import clean_name


@dataclass(frozen=True)
class Ranking(Computing):
    """On which cases a pipeline is ranked, and against whom; the names are those of :func:`llmseg.admission.admit`."""

    data: Annotated[Path | None, typer.Option(help="Cases to rank it on: a store, or a folder of them.")] = None
    holdout: Annotated[Path | None, typer.Option(help="Manifest of its test cases; drawn without it.")] = None
    against: Annotated[list[str] | None, typer.Option(help="Pipeline to rank it against; repeatable.")] = None
    seeds: Annotated[int | None, typer.Option(help="Number of seeds, 3 by default.", min=1)] = None
    epochs: option.Epochs = None
    retry: option.Retry = None

    def open(self, progress: bool) -> dict[str, Any]:
        """Return the options that were given, with the store and its test cases.

        Args:
            progress: Whether to show progress bars.
        """
        usual = asdict(Ranking())
        given = {name: value for name, value in asdict(self).items() if value != usual[name]}
        if self.data is None:
            return given
        store = llmseg.data.find_store(self.data)
        holdout = CasesAndHoldout(holdout=self.holdout).load_or_draw_holdout(store, progress)
        return {**given, "data": store, "holdout": holdout, "progress": progress}


@spread
def admit(
    folders: Annotated[
        list[Path], typer.Argument(metavar="FOLDER...", help="Folder of the scripts; of successive answers, the last.")
    ],
    ranking: Ranking,
    output: OutputWithProgress,
    name: Annotated[str | None, typer.Option(help="Its name; by default that of the folder.")] = None,
    chat: Annotated[Path | None, typer.Option(help="Text of the chat; its errors count as repairs.")] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Its folder; admissions/NAME by default.")] = None,
    probes: Annotated[
        bool, typer.Option("--probes/--no-probes", help="Run the scripts again on changed cases.")
    ] = True,
    start: Annotated[str, typer.Option(help="File to start, with its arguments; main.py or the like by default.")] = "",
    explain: Annotated[bool, typer.Option("--explain", help="Print what to tell the language model.")] = False,
    minutes: Annotated[float, typer.Option(help="The longest that one run may take.", min=0.1, max=10080)] = 10,
    sandbox: Annotated[
        str | None, typer.Option(help="The sandbox by its name; by default the best one of this computer.")
    ] = None,
) -> None:
    """Admit a new language model: how far its scripts run, what broke, and what is silently wrong.

    The scripts run in a sandbox, on a few cases of ours. With --data, they are also ranked among other pipelines on
    yours, by their recipe or by the masks that they write. Exit code 1 means that a stage was not reached or a mistake
    was found. The same command goes on where an earlier one was ended.

    Example: llmseg admit answers/my-llm -o admissions/my-llm
    """
    called = name if name is not None else clean_name(folders[-1].resolve().name, also="-_.")
    admission = llmseg.admission.admit(
        folders,
        out if out is not None else Path("admissions", called),
        name=called,
        chat=chat,
        minutes=minutes,
        probes=probes,
        rung=sandbox,
        start=_split_command(start),
        tell=print_line if output.progress else lambda said: None,
        **ranking.open(output.progress),
    )
    sheet = llmseg.admission.write_repair_sheet(admission)
    if explain:
        llmseg.files.write_text(admission.out / "repair-sheet.md", sheet)
    if output.as_json:
        output.print({**admission.to_dict(), **({"repair_sheet": sheet} if explain else {})})
    elif explain:
        output.print(sheet.rstrip("\n"))
    else:
        board = "" if admission.study is None else describe_means(llmseg.Study.open(admission.study))
        output.print(describe_admission(admission, board))
    if not admission.is_sound:
        raise typer.Exit(1)


def _split_command(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError as error:
        raise llmseg.UserError(f"--start {command!r}: {str(error).lower()}; close every quotation mark") from None
