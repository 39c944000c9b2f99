"""Records of the original scripts, as files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from llmseg.errors import UserError


def read_record(path: str | Path) -> dict[str, Any]:
    """Read a record.

    Raises:
        UserError: The file is missing or no record.
    """
    try:
        record = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"no record {path}") from error
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise UserError(f"{path} is no record: {error}") from error
    if not isinstance(record, dict) or "architecture" not in record:
        raise UserError(f"{path} is no record in the format of GOLDEN.md: it has no 'architecture'")
    return record


def recorded_id(record: dict[str, Any]) -> str:
    """Return the id of the pipeline that a record is about.

    Example:
        >>> recorded_id({"slug": "gpt-4o-run-02", "variant": "published"})
        'gpt-4o@run-02'
        >>> recorded_id({"slug": "gpt-o3", "variant": "rgb"})
        'gpt-o3@rgb'
    """
    id: str = record["slug"].replace("-run-", "@run-")
    return f"{id}@rgb" if record["variant"] == "rgb" else id
