"""Where the images of a run lie on this machine: in a file of its own, because ``run.json`` is published."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llmseg.data.store import Store
from llmseg.data.store_source import Source, describe_source, has_places
from llmseg.files import read_json_if_any, write_text
from llmseg.files.places import hide_places, name_only

PRIVATE = "private.json"
_NOTE = "Paths of your machine. Leave this file out when you publish the run; only llmseg report reads it."


def describe_command() -> list[str]:
    """Return the command of this process without the places in it."""
    program, *arguments = sys.argv
    return [name_only(program), *map(hide_places, arguments)]


def write_places(folder: Path, store: Store) -> None:
    """Write into a run folder where its images lie, and the command as it was typed."""
    content = {"note": _NOTE, "source": describe_source(store), "command": sys.argv}
    write_text(folder / PRIVATE, json.dumps(content, indent=2) + "\n")


def read_places(folder: Path, record: Mapping[str, Any]) -> Source | None:
    """Return where the images of a run lie; ``None`` if nothing says so.

    Args:
        folder: The run folder.
        record: Its ``run.json``. Runs of earlier versions have the paths in it.

    Raises:
        UserError: The file of the places is damaged.
    """
    private = read_json_if_any(folder / PRIVATE, {"source?": (dict, type(None))})
    source: Source | None = private.get("source") or record.get("source")
    return source if has_places(source) else None
