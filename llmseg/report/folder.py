"""The folder of a report: it appears as a whole, and replaces nothing but an earlier report."""

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
from llmseg.interruption import discard_at_end

MARK = "report.json"
"""The file that makes a folder a report; it lists all others."""


def check_free(out: Path) -> None:
    """See that a folder may become a report: it is not there, is empty, or holds a report and nothing else.

    Raises:
        UserError: It holds something else.
    """
    if out.is_symlink():  # moving the new report into place would replace the link, not the folder behind it
        raise UserError(f"{out} is no folder; choose another --out")
    check_files(out, "a report", {*_files_of_report(out), MARK})


def _files_of_report(out: Path) -> set[str]:
    names = read_json_if_any(out / MARK).get("files", [])
    return {str(name) for name in names} if isinstance(names, list) else set()


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """Give an empty folder to write a report into; at the end, list its files and move it to the report's place.

    Args:
        out: The place of the report. An earlier report there is replaced, or kept if the block fails.

    Raises:
        UserError: Something else is there, or the disk is full or refuses the folder.
    """
    # The new folder lies beside its place, on the same file system. Only there a move is a single step: a reader
    # sees the old report or the new one and never half of either.
    out = out.absolute()
    make_folder(out.parent)
    made: Path | None = None
    try:
        made = discard_at_end(Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}-", suffix=".part")))
        yield made
        names = sorted(path.relative_to(made).as_posix() for path in made.rglob("*") if path.is_file())
        (made / MARK).write_text(json.dumps({"report": 1, "files": names}, indent=1) + "\n", encoding="utf-8")
        _flush(made)
        # mkdtemp makes folders that only the user can enter; a report is for others, too.
        made.chmod(0o777 & ~read_umask())
        _move(made, out)
    except OSError as error:
        raise UserError(f"cannot write {out}: {error.strerror or error}; what was there before is kept") from error
    finally:
        if made is not None:
            shutil.rmtree(made, ignore_errors=True)


def _move(made: Path, out: Path) -> None:
    """Move a folder to its place; an earlier report is deleted when the new one is there."""
    if not out.exists():
        made.rename(out)
        return
    # Once more: predicting may have taken long, and in the meantime somebody may have saved a file there.
    check_free(out)
    # A folder cannot be renamed onto one that is not empty, so the two are swapped: the old report is moved aside, is
    # deleted at the end of the block, and comes back if the new one cannot be moved.
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-", suffix=".old") as old:
        out.rename(Path(old) / "report")
        try:
            made.rename(out)
        except OSError:
            (Path(old) / "report").rename(out)
            raise


def _flush(folder: Path) -> None:
    """See that the files are on the disk before the move; after a power cut, a report must not hold empty files."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb+") as file:
                os.fsync(file.fileno())
