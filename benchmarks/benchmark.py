"""What all benchmarks share: the file with their results, and how they end."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import torch

import llmseg

RESULTS = Path(__file__).parent / "results"
GOLDEN = Path(__file__).parents[1] / "tests" / "golden"
"""Folder of the records of the original scripts, and of their images."""


def run(main: Callable[[], int | None]) -> NoReturn:
    """Run a benchmark and exit with what it returns; a user's mistake, and a signal, are one line and an exit code."""
    try:
        sys.exit(main())
    except llmseg.UserError as error:
        print(f"{Path(sys.argv[0]).stem}: {error}", file=sys.stderr)
        sys.exit(2)
    except llmseg.Terminated as stop:
        print(f"{Path(sys.argv[0]).stem}: {stop}", file=sys.stderr)
        sys.exit(128 + stop.signum)


def write_results(path: Path, *, versions: Mapping[str, str] | None = None, **results: Any) -> None:
    """Write the results of a benchmark as JSON, behind the hardware and the versions they were measured with.

    Args:
        path: The file.
        versions: Versions of other packages than llmseg and torch.
        results: Plain values by name.
    """
    all_versions = {"llmseg": llmseg.__version__, "torch": torch.__version__, **(versions or {})}
    content = {"hardware": llmseg.hardware(), "versions": all_versions, **results}
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
