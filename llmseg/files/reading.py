"""Reading files that a user gave, and JSON records; what is missing or damaged ends in one line."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

from llmseg.errors import UserError
from llmseg.files.fields import DAMAGED, Fields, check_fields
from llmseg.files.limits import FILE_BYTES


def read_bytes(path: str | Path, *, hint: str = "replace it or move it away") -> bytes:
    """Return the content of a file that a user gave.

    Args:
        path: The file.
        hint: What the message tells the user to do if the file cannot be read.

    Raises:
        UserError: The file cannot be read, is a pipe or a device, which may have no end, or is larger than
            :data:`llmseg.files.limits.FILE_BYTES`.
    """
    try:
        return _read_whole(Path(path), hint)
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}); {hint}") from error


def _read_whole(path: Path, hint: str) -> bytes:
    facts = path.stat()
    if not (stat.S_ISREG(facts.st_mode) or stat.S_ISDIR(facts.st_mode)):
        raise UserError(f"{path} is no file but a pipe or a device; {hint}")
    FILE_BYTES.check(facts.st_size, f"{path} has")
    try:
        return path.read_bytes()
    except MemoryError as error:
        raise UserError(f"{path} needs more memory than there is ({facts.st_size} bytes); {hint}") from error


def read_json(path: Path, keys: Fields = ()) -> dict[str, Any]:
    """Return the record in a JSON file.

    Args:
        path: The file.
        keys: What the record must have.

    Raises:
        UserError: There is no such file, it cannot be read, it holds no JSON object, or the object lacks a key or has
            something else there than it must.
    """
    try:
        record = json.loads(_read_whole(path, DAMAGED))
    except UserError:
        raise
    except FileNotFoundError as error:
        raise UserError(f"no file {path}; give a folder that has one, or put it back from a copy") from error
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}; make it readable") from error
    except (ValueError, RecursionError) as error:  # no JSON, bytes that are no text, or lists in lists without end
        raise UserError(f"{path} is damaged: it holds no JSON; {DAMAGED}") from error
    if not isinstance(record, dict):
        raise UserError(f"{path} is damaged: it holds no JSON object; {DAMAGED}")
    check_fields(path, record, keys)
    return record


def read_json_if_any(path: Path, keys: Fields = ()) -> dict[str, Any]:
    """Return the record in a JSON file, an empty one if there is no such file.

    Args:
        path: The file.
        keys: What the record must have, if there is one.

    Raises:
        UserError: The file is there, and :func:`read_json` refuses it.
    """
    return read_json(path, keys) if path.exists() else {}
