"""The file that a benchmark writes: what was found, and on which hardware with which versions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

import llmseg


def write_outcome(path: Path, **found: Any) -> None:
    """Write what a benchmark found as JSON, with hardware and versions before it.

    Args:
        path: The file.
        found: Plain values by name.
    """
    versions = {"llmseg": llmseg.__version__, "torch": torch.__version__}
    content = {"hardware": llmseg.hardware(), "versions": versions, **found}
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
