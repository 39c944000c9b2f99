"""How a benchmark ends."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import llmseg


def run(main: Callable[[], int | None]) -> NoReturn:
    """Run a benchmark and exit with what it returns; a user's mistake is one line and exit code 2."""
    try:
        sys.exit(main())
    except llmseg.UserError as error:
        print(f"{Path(sys.argv[0]).stem}: {error}", file=sys.stderr)
        sys.exit(2)
