"""Errors of generated code in the words of the study: the phase in which each came up, and what was wrong."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from llmseg.admission.scripts import Scripts
from llmseg.admission.stages.judge import describe_line, find_place
from llmseg.admission.stages.stage import StageVerdict

_PHASES = {
    "static": "import",
    "import": "import",
    "data": "dataset",
    "network": "model",
    "first step": "train",
    "epoch": "train",
    "validation": "validation",
    "test": "test",
    "artefacts": "save",
}

_EXCEPTION = re.compile(r"(?P<name>[A-Za-z_][\w.]*(?:Error|Exception|Exit|Interrupt|Warning))(?::\s*(?P<text>.*))?$")

# The first that fits counts.
_CATEGORIES = (
    ("missing import", r"NameError|ImportError|ModuleNotFoundError"),
    ("device placement", r"same device|device type|cuda|cuDNN|expected device"),
    (
        "shape mismatch",
        r"\bshapes?\b|\b(target|input|batch|output) sizes?\b|\bsizes? (of|for|at|must)|dimension|must match|"
        r"broadcast|equal size|channels|mat1 and mat2|expected [2345]D|"
        r"same number of samples|inconsistent numbers",
    ),
    ("path/naming", r"FileNotFoundError|NotADirectoryError|IsADirectoryError|FileExistsError|No such file"),
    (
        "dtype",
        r"dtype|scalar type|default_collate|can't convert|cannot convert|unsupported operand type|must be (a )?Tensor|"
        r"PIL\.|type 'torch|not JSON serializable|expected str|could not convert",
    ),
    ("wrong API use", r"TypeError|AttributeError|KeyError|requires grad|ValueError|IndexError|UnboundLocalError"),
)


@dataclass(frozen=True)
class CodeError:
    """An error that ended scripts.

    Attributes:
        phase: One of :data:`llmseg.stats.ERROR_PHASES`.
        exception: The class of the exception; empty if there was none.
        category: One of :data:`llmseg.stats.ERROR_CATEGORIES`.
        description: The message and its place.

    Example:
        >>> CodeError("import", "NameError", "missing import", "name 'nn' is not defined").category
        'missing import'
    """

    phase: str
    exception: str
    category: str
    description: str


def find_errors(verdicts: Iterable[StageVerdict], scripts: Scripts) -> tuple[CodeError, ...]:
    """Return the error that ended scripts, by the verdicts on their stages; none if they ran to the end."""
    failed = next((verdict for verdict in verdicts if verdict.state == "failed" and verdict.stage in _PHASES), None)
    if failed is None:
        return ()
    phase = _PHASES[failed.stage]
    if phase == "save" and _draws(failed.place, scripts):
        phase = "plot"
    error = name_error(failed.reason, phase)
    place = f" ({failed.place})" if failed.place else ""
    return (replace(error, description=f"{error.description}{place}"),)


def _draws(place: str, scripts: Scripts) -> bool:
    """Return whether a line is in a function that draws, or draws itself."""
    script, line = find_place(place, scripts)
    return script is not None and bool(re.search(r"(?i)plot|plt\.|fig|draw", describe_line(script, line)))


def name_error(line: str, phase: str) -> CodeError:
    """Return the error that the last line of a traceback tells.

    Args:
        line: The line, such as ``"ValueError: no images"``.
        phase: Where it came up; what is not imported belongs to the phase ``"import"``, wherever it is missed.

    Example:
        >>> error = name_error("RuntimeError: stack expects each tensor to be equal size", "dataset")
        >>> error.exception, error.category
        ('RuntimeError', 'shape mismatch')
    """
    found = _EXCEPTION.match(line)
    exception = found["name"].rpartition(".")[2] if found else ""
    category = next((name for name, pattern in _CATEGORIES if re.search(pattern, line)), "other") if found else "other"
    text = (found["text"] if found else line) or ""
    return CodeError("import" if category == "missing import" else phase, exception, category, text)


def write_errors(model: str, errors: Iterable[CodeError]) -> str:
    """Return errors as a table that ``llmseg errors`` reads; without any, the row has the name of the model alone."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(("model", "phase", "exception", "category", "description"))
    rows = [(model, error.phase, error.exception, error.category, error.description) for error in errors]
    writer.writerows(rows or [(model, "", "", "", "")])
    return buffer.getvalue()
