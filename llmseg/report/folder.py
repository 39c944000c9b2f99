"""The folder of a report: it appears as a whole, and only where nothing else would be lost."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from llmseg.errors import UserError
from llmseg.files import check_files, make_folder, read_json_if_any, read_umask

MARK = "report.json"
"""The file that makes a folder a report; it lists all others."""


def check_free(out: Path) -> None:
    """See that a folder may become a report: it is not there, is empty, or holds a report and nothing else.

    Raises:
        UserError: It holds something else.
    """
    if out.is_symlink():  # moving the new report into place would replace the link, not the folder behind it
        raise UserError(f"{out} is no folder; choose another --out")
    check_files(out, "a report", {*_listed(out), MARK})


def _listed(out: Path) -> set[str]:
    names = read_json_if_any(out / MARK).get("files", [])
    return {str(name) for name in names} if isinstance(names, list) else set()


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """Give an empty folder beside a report's place; at the end, list what is in it and move it there.

    Args:
        out: Where the report belongs; an earlier report is replaced, or kept if the block fails.

    Raises:
        UserError: Something else is there, or the disk is full or refuses the folder.
    """
    out = out.absolute()
    make_folder(out.parent)
    made: Path | None = None
    try:
        made = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}-", suffix=".part"))
        yield made
        names = sorted(path.relative_to(made).as_posix() for path in made.rglob("*") if path.is_file())
        (made / MARK).write_text(json.dumps({"report": 1, "files": names}, indent=1) + "\n", encoding="utf-8")
        _flush(made)
        made.chmod(0o777 & ~read_umask())
        _move(made, out)
    except OSError as error:
        raise UserError(f"cannot write {out}: {error.strerror or error}; what was there before is kept") from error
    finally:
        if made is not None:
            shutil.rmtree(made, ignore_errors=True)


def _move(made: Path, out: Path) -> None:
    """Put a folder into its place; an earlier one goes when the new one is there."""
    if not out.exists():
        made.rename(out)
        return
    check_free(out)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-", suffix=".old") as old:
        out.rename(Path(old) / "report")
        try:
            made.rename(out)
        except OSError:
            (Path(old) / "report").rename(out)
            raise


def _flush(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb+") as file:
                os.fsync(file.fileno())
