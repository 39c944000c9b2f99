"""The folder of a report: it appears as a whole, and replaces nothing but an earlier report."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from llmseg.errors import UserError
from llmseg.files import check_files, clear_leftovers, make_folder, read_bytes, read_json_if_any, temporary_path
from llmseg.files.interruption import discard_at_end, keep_at_end

MARK = "report.json"
"""The file that makes a folder a report; it lists all others with the digests of their content."""

_ALWAYS = ("index.html", "claims.html", "methods.html", "downloads.html", "data/claims.csv", "assets/plotly.min.js")
_EVERY = re.compile(
    r"[a-z]+\.html|(pipelines|datasets)/[^/]+\.html|images/[^/]+/[^/]+\.png|data/[a-z]+\.(csv|parquet)|assets/[^/]+"
)


def check_free(out: Path) -> None:
    """See that a folder may become a report: it is not there, is empty, or holds a report and nothing else.

    A file that was changed since the report was written is not ours any more.

    Raises:
        UserError: It holds something else.
    """
    if out.is_symlink():  # moving the new report into place would replace the link, not the folder behind it
        raise UserError(f"{out} is no folder; choose another --out")
    digests = _read_digests(out)
    check_files(out, "a report", {*digests, MARK} if digests else ())
    for name, digest in digests.items():
        if digest is not None and (out / name).is_file() and _digest(out / name) != digest:
            raise UserError(f"{out} holds {name}, which was changed after llmseg wrote it; choose another --out")


def _read_digests(out: Path) -> Mapping[str, str | None]:
    """Return the files of a report with their digests; nothing if the folder holds none that llmseg wrote.

    Reports of earlier versions have no digests. They are known by having every file that each of them has, and none
    that no report has: a list of somebody else's files is no report.
    """
    record = read_json_if_any(out / MARK)
    files = record.get("files")
    if isinstance(files, dict):
        return {str(name): str(digest) for name, digest in files.items()}
    names = [str(name) for name in files] if isinstance(files, list) else []
    ours = record.get("report") == 1 and set(names).issuperset(_ALWAYS) and all(map(_EVERY.fullmatch, names))
    return dict.fromkeys(names) if ours else {}


def _digest(path: Path) -> str:
    return hashlib.sha256(read_bytes(path)).hexdigest()


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
    clear_leftovers(out.parent, out.name)
    if not out.exists() and _place_aside(out).exists():
        _place_aside(out).rename(out)  # a process was killed between the two renames of _move
    made = discard_at_end(temporary_path(out.parent))
    try:
        made.mkdir()
        yield made
        paths = sorted(path for path in made.rglob("*") if path.is_file())
        digests = {path.relative_to(made).as_posix(): _digest(path) for path in paths}
        (made / MARK).write_text(json.dumps({"report": 2, "files": digests}, indent=1) + "\n", encoding="utf-8")
        _flush(made)
        _move(made, out)
    except OSError as error:
        raise UserError(f"cannot write {out}: {error.strerror or error}; what was there before is kept") from error
    finally:
        shutil.rmtree(made, ignore_errors=True)
        keep_at_end(made)


def _move(made: Path, out: Path) -> None:
    """Move a folder to its place; an earlier report is deleted when the new one is there."""
    # A folder cannot be renamed onto one that is not empty, so the two are swapped: the old report is moved aside, is
    # deleted at the end, and comes back if the new one cannot be moved.
    aside = _place_aside(out)
    if out.exists():
        # Once more: predicting may have taken long, and in the meantime somebody may have saved a file there.
        check_free(out)
        shutil.rmtree(aside, ignore_errors=True)
        out.rename(aside)
    try:
        made.rename(out)
    except OSError:
        if aside.exists():
            aside.rename(out)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _place_aside(out: Path) -> Path:
    """Return where an earlier report waits; the name says which report it was."""
    return out.with_name(f".llmseg-{hashlib.sha256(os.fsencode(out.name)).hexdigest()[:16]}.old")


def _flush(folder: Path) -> None:
    """See that the files are on the disk before the move; after a power cut, a report must not hold empty files."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb+") as file:
                os.fsync(file.fileno())
