"""What is found once per computer, and kept in the cache: how fast a kernel is, how many operations a network has."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from llmseg.data.cache import cache_folder
from llmseg.errors import UserError
from llmseg.files import make_folder, read_json_if_any, write_first, write_text

Record = TypeVar("Record")


def find_once(kind: str, key: object, record: type[Record], find: Callable[[], Record]) -> Record:
    """Return what was found before on this computer, or find it and keep it.

    Of processes that find it at the same moment, all return what the first has kept.

    Args:
        kind: A word for the names of the files, such as ``"counts"``.
        key: All that decides what is found; its ``repr`` does not change.
        record: The frozen record of what is found; its fields are numbers or texts.
        find: Finds it.
    """
    path = cache_folder() / f"{hashlib.sha256(repr(key).encode()).hexdigest()[:32]}.{kind}.json"
    known = _read(path, record)
    if known is not None:
        return known
    write = write_text if path.exists() else write_first  # one that cannot be read is replaced
    found: Any = find()
    with suppress(UserError):  # a cache that cannot be written costs some seconds the next time
        make_folder(path.parent)
        write(path, json.dumps(asdict(found)))
    kept = _read(path, record)
    return found if kept is None else kept


def _read(path: Path, record: type[Record]) -> Record | None:
    with suppress(UserError, TypeError):  # damaged, or a folder that cannot be read
        if known := read_json_if_any(path):
            return record(**known)
    return None
