"""How a run is continued: what a folder holds, and the lock against other processes.

What is continued is in ``state.py``; checkpoints are written and read by ``run_files.py``.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from llmseg.errors import UserError
from llmseg.files import check_kind, check_writable, make_folder, read_json_if_any
from llmseg.files.fields import check_fields
from llmseg.files.interruption import discard_at_end, keep_at_end
from llmseg.files.locks import hold_lock
from llmseg.recipe.recipe import Recipe
from llmseg.recipe.typed import write_typed

RUN_FIELDS = {"status": str, "recipe": dict, "seed": int, "store": dict, "store.digest": str}
"""What ``run.json`` says of every run; a file without these belongs to something else."""


def read_status(folder: Path) -> str | None:
    """Return ``running`` or ``done`` as ``run.json`` says, ``None`` if the folder holds no run."""
    record = _read_record(folder)
    return record["status"] if record else None


def _read_record(folder: Path) -> dict[str, Any] | None:
    record = read_json_if_any(folder / "run.json")
    if not all(name in record for name in RUN_FIELDS if "." not in name):
        return None
    check_fields(folder / "run.json", record, RUN_FIELDS)
    return record


def check_folder(folder: Path) -> None:
    """Refuse a folder that holds something else than a run, or that cannot be written.

    Raises:
        UserError: It does, or it cannot.
    """
    check_kind(folder, "run", holds=read_status(folder) is not None, record="run.json")
    check_writable(folder)


def find_earlier_run(
    folder: Path, recipe: Recipe, store_digest: str, seed: int, start: str | None = None
) -> str | None:
    """Return how far this very run got in a folder: ``running``, ``done``, or ``None`` if it has not begun.

    Args:
        folder: The run folder.
        recipe: What is trained.
        store_digest: Digest of the cases.
        seed: The seed.
        start: Digest of the weights that it starts from; ``None`` for a run that starts from none.

    Raises:
        UserError: The folder holds a run of another recipe, of other cases, with another seed or from another start.
    """
    record = _read_record(folder)
    if record is None:
        return None
    begun = record.get("start") or {}
    for what, ours, theirs in (
        ("start", start, begun.get("weights_digest")),
        ("set of cases", store_digest, record["store"]["digest"]),
        ("seed", seed, record["seed"]),
    ):
        if ours != theirs:
            raise UserError(f"{folder} holds a run with another {what}; choose another --out or move it away")
    differences = Recipe.from_dict(record["recipe"]).diff(recipe)
    if differences:
        first = differences[0]
        raise UserError(
            f"{folder} holds a run of another recipe ({first.path} is {write_typed(first.left)} there and "
            f"{write_typed(first.right)} here); choose another --out or move it away"
        )
    return str(record["status"])


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Make a folder and keep other processes out of it for the block. The system frees the lock of a process that dies.

    Raises:
        UserError: Another process has the lock, or the folder cannot be made.
    """
    from filelock import Timeout

    make_folder(folder)
    path = folder / ".lock"
    with ExitStack() as stack:
        try:
            stack.enter_context(hold_lock(path, advice="choose another --out, on another disk"))
        except Timeout as error:
            raise UserError(f"another process is working on {folder}; wait for it or choose another --out") from error
        discard_at_end(path)
        try:
            yield
        finally:
            keep_at_end(path)
            # Before the lock is released: after that, the file may be the lock of another process.
            path.unlink(missing_ok=True)
