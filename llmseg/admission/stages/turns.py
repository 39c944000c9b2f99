"""Repair turns: how often a language model was told of an error before its scripts ran, and of what kind."""

from __future__ import annotations

import re
from pathlib import Path

from llmseg.admission.stages.code_error import CodeError, name_error
from llmseg.files import read_bytes

# An error as a traceback ends, on a line of its own or behind a place, or as somebody tells it in a chat.
_ERROR = re.compile(
    r"^[>\s`*]*(?:(?:.*Traceback \(most recent call last\):|File \").*?\s)?"
    r"(?P<line>[A-Z]\w*(?:Error|Exception)\b(?::[^\n]*)?)`*$",
    re.MULTILINE,
)
_FILE = re.compile(r'File "(?P<path>[^"\n]+)"')
# Before these words stands what led to the error; the first of the two says more.
_CHAIN = re.compile(r"During handling of the above exception|direct cause of the following")
_WORKER = re.compile(r"Caught \w+ in DataLoader worker")

_PHASES = (("dataset", r"data"), ("model", r"model|net"), ("train", r"train|main"), ("test", r"test|predict"))


def read_chat(path: Path) -> tuple[CodeError, ...]:
    """Return the errors that a chat tells of, in order.

    The phase is guessed from the last file of the scripts in the traceback; it is ``"train"`` without one.

    Args:
        path: A text file with the chat.

    Raises:
        UserError: It cannot be read.
    """
    text = read_bytes(path, hint="give the text of the chat").decode("utf-8", "replace")
    errors: list[CodeError] = []
    end = 0
    for found in _ERROR.finditer(text):
        before, end = text[end : found.end()], found.end()
        if _WORKER.search(found["line"]) or (errors and _CHAIN.search(before)):
            continue
        files = [each["path"] for each in _FILE.finditer(before) if "site-packages" not in each["path"]]
        name = re.split(r"[\\/]", files[-1])[-1].lower() if files else ""
        phase = next((phase for phase, pattern in _PHASES if re.search(pattern, name)), "train")
        error = name_error(found["line"].strip(), phase)
        if not errors or errors[-1] != error:
            errors.append(error)
    return tuple(errors)
