"""The command line: a thin wrapper on the public names."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from typing import Annotated

import typer

import llmseg
from llmseg import Terminated, UserError
from llmseg.cli import data, evaluation, figures, nnunet, pipelines, prediction, price, quirks, report, study, training
from llmseg.cli.output import print_message

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    # What is no mistake of a user is a fault of llmseg: it is told with Python's own traceback, which can be reported.
    pretty_exceptions_enable=False,
    # Help without frames and colours reads the same in a terminal, in a file and in the docs.
    rich_markup_mode=None,
)

COMMANDS = {
    "list": pipelines.list_pipelines,
    "show": pipelines.show,
    "diff": pipelines.diff,
    "quirks": quirks.quirks,
    "train": training.train,
    "replay": training.replay,
    "predict": prediction.predict,
    "export": prediction.export,
    "evaluate": evaluation.evaluate,
    "conventions": evaluation.conventions,
    "ablate": study.ablate,
    "compare": study.compare,
    "gap": study.gap,
    "price": price.price,
    "figure": figures.figure,
    "report": report.report,
}
for name, command in COMMANDS.items():
    app.command(name)(command)
for group in (data.data_app, data.cache_app, nnunet.nnunet_app):
    app.add_typer(group)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(llmseg.__version__)
        raise typer.Exit


@app.callback()
def llmseg_command(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Segmentation pipelines written by large language models: list, show, replay, train, predict."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line.

    A user's mistake ends in one line and exit code 2. A training that was told to stop by SIGTERM has stored where it
    stands and ends with exit code 143, as a process does that the signal ends.
    """
    try:
        app(arguments)
    except UserError as error:
        print_message(error)
        raise SystemExit(2) from None
    except Terminated as stop:
        print_message(stop)
        raise SystemExit(128 + signal.SIGTERM) from None
