"""The command line: a thin wrapper on the public names."""

from __future__ import annotations

import itertools
import logging
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

import llmseg
from llmseg import Terminated, UserError
from llmseg.cli import (
    admission,
    data,
    doctor,
    errors,
    evaluation,
    figures,
    launching,
    nnunet,
    pipelines,
    prediction,
    price,
    prompt,
    published,
    quirks,
    report,
    study,
    training,
)
from llmseg.cli.help import Command, Group, UsageError, help_command
from llmseg.cli.output import print_line, print_message, print_notes
from llmseg.cli.usage import explain_usage
from llmseg.files.interruption import end_on_signals
from llmseg.files.notes import LOGGER
from llmseg.zoo.admitted import is_admitted

app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    # What is no mistake of a user is a fault of llmseg: it is told with Python's own traceback, which can be reported.
    pretty_exceptions_enable=False,
    # Help without frames and colours reads the same in a terminal, in a file and in the docs.
    rich_markup_mode=None,
)

COMMANDS = {
    "list": pipelines.list_pipelines,
    "show": pipelines.show,
    "diff": pipelines.diff,
    "fields": pipelines.fields,
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
    "prompt": prompt.prompt,
    "admit": admission.admit,
    "status": launching.status,
    "published": published.published,
    "errors": errors.errors,
    "figure": figures.figure,
    "report": report.report,
    "doctor": doctor.doctor,
    "help": help_command,
}
for name, command in COMMANDS.items():
    app.command(name, cls=Command)(command)
for group in (data.data_app, data.cache_app, nnunet.nnunet_app, launching.study_app):
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
    files: Annotated[
        list[Path] | None,
        typer.Option(
            "--import",
            help="A Python file with pipelines or parts of your own, or the folder of an admission; repeatable, also "
            "after the command.",
        ),
    ] = None,
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose", "-v", help="Say how things are done, and where errors arose; also after the command."
        ),
    ] = False,
) -> None:
    """Segmentation pipelines written by large language models, to replay, train, compare and ablate.

    Example: llmseg train gpt-4 --images DIR --masks DIR -o runs/gpt-4
    """
    if verbose:
        LOGGER.setLevel(logging.DEBUG)
    for fault in llmseg.zoo.load_installed():
        print_message(f"warning: {fault}")
    for file in files or ():
        if file.is_dir() and is_admitted(file):
            llmseg.zoo.load(file)
        else:
            llmseg.zoo.import_file(file)


def put_common_first(arguments: Sequence[str]) -> list[str]:
    """Move ``--import FILE`` and ``-v`` before the command, wherever they were typed: all commands have them."""
    common, others = [], []
    remaining = iter(arguments)
    for argument in remaining:
        if argument == "--":
            others += [argument, *remaining]
        elif argument == "--import":
            common += [argument, *itertools.islice(remaining, 1)]
        elif argument.startswith("--import=") or argument in ("-v", "--verbose"):
            common.append(argument)
        else:
            others.append(argument)
    return [*common, *others]


@contextmanager
def _print_reading_warnings() -> Iterator[None]:
    """Print what is odd in the files of a store as a line, without the place in the code that other warnings name."""
    with warnings.catch_warnings():
        usual = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
            if category.__name__ == "ReadingWarning":
                print_message(f"warning: {message}")
            else:
                usual(message, category, *place, **more)

        warnings.showwarning = show
        yield


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line.

    A user's mistake ends in one line and exit code 2. A signal that asks a process to end does so with one line and
    exit code 128 + signal; a training stores first where it stands. Who reads the output may stop reading: that ends
    the command without a word, with 141 as for a process that the signal SIGPIPE ends.
    """
    _mend_streams()
    with print_notes():
        _run(sys.argv[1:] if arguments is None else arguments)


def _run(arguments: Sequence[str]) -> None:
    try:
        with end_on_signals(print_line), _print_reading_warnings():
            try:
                code = app(put_common_first(arguments), standalone_mode=False)
            finally:
                sys.stdout.flush()
    except UsageError as error:
        if error.ctx is not None and error.message == error.ctx.get_help():  # what typer prints if nothing was typed
            print(error.message, file=sys.stderr)
        else:
            print_message(explain_usage(error, put_common_first(arguments)))
        raise SystemExit(2) from None
    except UserError as error:
        print_message(error)
        LOGGER.debug("where it arose:", exc_info=error)
        raise SystemExit(2) from None
    except Terminated as stop:
        print_message(stop)
        raise SystemExit(128 + stop.signum) from None
    except BrokenPipeError:
        _end_unread()
    except MemoryError as error:
        print_message(
            f"the memory is not enough ({error or 'all of it is taken'}); give fewer or smaller cases at once"
        )
        raise SystemExit(2) from None
    except OSError as error:
        if error.filename is None or error.strerror is None:
            raise
        # A file of the user's that cannot be read, written or made, such as one with a name that is too long.
        print_message(f"{_shorten(str(error.filename))}: {error.strerror}; choose another place or change its rights")
        raise SystemExit(2) from None
    except SystemExit as end:
        # This is how typer ends when nobody reads what it prints.
        if isinstance(end.__context__, BrokenPipeError):
            _end_unread()
        raise
    raise SystemExit(code)


def _shorten(name: str) -> str:
    return name if len(name) < 200 else f"{name[:100]}...{name[-60:]}"


def _end_unread() -> None:
    # What is left in the buffer would be written when Python ends, and fail again.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise SystemExit(141) from None


def _mend_streams() -> None:
    """Let a stream that is closed swallow what is written, and one of few characters escape the others."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            # The lowest free number, so no file of a run gets it and with it what libraries print as warnings.
            if os.open(os.devnull, os.O_RDWR) != number:
                continue
            setattr(sys, name, os.fdopen(number, "w" if number else "r", encoding="utf-8", closefd=False))
        elif number and hasattr(getattr(sys, name), "reconfigure"):
            getattr(sys, name).reconfigure(errors="backslashreplace")
