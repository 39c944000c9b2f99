"""``python -m llmseg``."""

import os
import sys

from llmseg.cli.output import print_line
from llmseg.files.interruption import end_on_signals


def run() -> None:
    """Run the command line; signals have their meaning from here on, while the rest is still imported."""
    _use_utf8()
    calm_bars()
    with end_on_signals(print_line):
        from llmseg.cli.main import main

        main()


def calm_bars() -> None:
    """Let bars be written every 30 seconds at most where nobody watches them, as in a log file.

    tqdm reads these variables when it is imported, so this comes before everything else.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        for variable in ("TQDM_MININTERVAL", "TQDM_MAXINTERVAL"):
            os.environ.setdefault(variable, "30")


def _use_utf8() -> None:
    """Start again if names of files are not UTF-8 in this locale, as in an old one or where a user switched it off.

    Names of cases and folders would come out as characters that no table can hold. What is printed stays in the
    encoding of the terminal.
    """
    if sys.getfilesystemencoding() == "utf-8" or sys.flags.utf8_mode:
        return
    terminal = getattr(sys.stdout, "encoding", "utf-8")
    environment = {"PYTHONIOENCODING": f"{terminal}:backslashreplace", **os.environ}
    os.execve(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]], environment)


if __name__ == "__main__":
    run()
