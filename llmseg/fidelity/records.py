"""Records: what was measured when the original scripts ran, as JSON files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llmseg.errors import UserError
from llmseg.files import nearest_path


class _Entries(dict[str, Any]):
    """The entries of a record; one that is not there is told as a mistake of the file, wherever it is asked for."""

    def __missing__(self, name: str) -> Any:
        raise UserError(f"the record has no '{name}' where one should be; is it one in the format of GOLDEN.md?")


def read_record(path: str | Path) -> dict[str, Any]:
    """Read a record.

    Args:
        path: A JSON file in the format that ``tests/golden/GOLDEN.md`` describes.

    Raises:
        UserError: The file is missing or no record.

    Example:
        >>> sorted(read_record("tests/golden/gpt-4.json"))[:3]  # doctest: +SKIP
        ['adaptations', 'architecture', 'base']
    """
    try:
        record = json.loads(Path(path).read_text(encoding="utf-8"), object_hook=_Entries)
    except FileNotFoundError as error:
        raise UserError(f"no record {path}{nearest_path(path)}") from error
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise UserError(f"{path} is no record: {error}") from error
    if not isinstance(record, dict) or "architecture" not in record:
        raise UserError(f"{path} is no record in the format of GOLDEN.md: it has no 'architecture'")
    return record


def get_entry(record: Mapping[str, Any], path: str) -> Any:
    """Return an entry of a record by dotted path.

    Raises:
        UserError: The record has no such entry.

    Example:
        >>> get_entry({"train": {"steps": [0.7, 0.6]}}, "train.steps")
        [0.7, 0.6]
    """
    entry: Any = record
    for name in path.split("."):
        if not isinstance(entry, dict) or name not in entry:
            raise UserError(f"the record has no '{path}'; is it a record in the format of GOLDEN.md?")
        entry = entry[name]
    return entry


def recorded_id(record: Mapping[str, Any]) -> str:
    """Return the id of the pipeline that a record is about.

    Example:
        >>> recorded_id({"slug": "gpt-4o-run-02", "variant": "published"})
        'gpt-4o@run-02'
        >>> recorded_id({"slug": "gpt-o3", "variant": "rgb"})
        'gpt-o3@rgb'
    """
    id: str = record["slug"].replace("-run-", "@run-")
    return f"{id}@rgb" if record["variant"] == "rgb" else id
