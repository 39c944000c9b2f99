"""What all benchmarks share: the file with their results, and how they end."""

from __future__ import annotations

import argparse
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import scipy
import torch

import llmseg

RESULTS = Path(__file__).parent / "results"
GOLDEN = Path(__file__).parents[1] / "tests" / "golden"
"""Folder of the records of the original scripts, and of their images."""

LIMITS = ("ONEDNN_MAX_CPU_ISA", "ATEN_CPU_CAPABILITY")
"""Variables by which a processor is taken for an older one; results say which of them were set."""


def run(main: Callable[[], int | None]) -> NoReturn:
    """Run a benchmark and exit with what it returns; a user's mistake, and a signal, are one line and an exit code."""
    notes = logging.getLogger("llmseg")
    notes.addHandler(logging.StreamHandler())
    notes.setLevel(logging.INFO)
    try:
        sys.exit(main())
    except llmseg.UserError as error:
        print(f"{Path(sys.argv[0]).stem}: {error}", file=sys.stderr)
        sys.exit(2)
    except llmseg.Terminated as stop:
        print(f"{Path(sys.argv[0]).stem}: {stop}", file=sys.stderr)
        sys.exit(128 + stop.signum)
    except KeyboardInterrupt:
        print(f"{Path(sys.argv[0]).stem}: interrupted; give the same command again", file=sys.stderr)
        sys.exit(128 + signal.SIGINT)


def run_simulation(
    about: str | None, simulate: Callable[[int], Iterable[Mapping[str, Any]]], name: str, per: str
) -> int:
    """Simulate as often as the command line asks for, print every row, and write them all.

    Args:
        about: What ``--help`` says.
        simulate: Yields the rows of so many simulated studies.
        name: Name of the file in ``results``, if no other is asked for.
        per: What the number of studies is for, in ``--help``.
    """
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=4000, help=f"simulated studies per {per}")
    parser.add_argument("--out", type=Path, default=RESULTS / name)
    options = parser.parse_args()
    started, simulations = time.perf_counter(), []
    for row in simulate(options.studies):
        print(json.dumps(row), flush=True)
        simulations.append(row)
    versions = {"numpy": np.__version__, "scipy": scipy.__version__}
    seconds = round(time.perf_counter() - started)
    write_results(options.out, versions=versions, seconds=seconds, simulations=simulations)
    return 0


def write_results(path: Path, *, versions: Mapping[str, str] | None = None, **results: Any) -> None:
    """Write the results of a benchmark as JSON, behind the hardware and the versions they were measured with.

    Args:
        path: The file.
        versions: Versions of other packages than llmseg and torch.
        results: Plain values by name.
    """
    all_versions = {"llmseg": llmseg.__version__, "torch": torch.__version__, **(versions or {})}
    imitated = {name: os.environ[name] for name in LIMITS if name in os.environ}
    about = {"hardware": llmseg.hardware(), **({"imitated": imitated} if imitated else {}), "versions": all_versions}
    content = {**about, **results}
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
