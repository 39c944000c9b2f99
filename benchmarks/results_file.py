"""The file that a benchmark writes: what was found, and on which hardware with which versions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

import llmseg


def write_results(path: Path, *, versions: Mapping[str, str] | None = None, **found: Any) -> None:
    """Write what a benchmark found as JSON, with hardware and versions before it.

    Args:
        path: The file.
        versions: Versions of other packages than llmseg and torch.
        found: Plain values by name.
    """
    known = {"llmseg": llmseg.__version__, "torch": torch.__version__, **(versions or {})}
    content = {"hardware": llmseg.hardware(), "versions": known, **found}
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
