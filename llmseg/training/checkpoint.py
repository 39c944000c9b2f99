"""Checkpoints on disk: two of them, with their digests, so that a damaged one costs a minute and no run.

The folder holds ``state.pt``, the one before it, ``previous.pt``, and ``digests.json`` with the SHA-256 of both.
"""

from __future__ import annotations

import hashlib
import io
import json
import warnings
from pathlib import Path
from typing import Any

import torch

from llmseg.errors import UserError
from llmseg.files import read_bytes, read_json_if_any, write_bytes, write_text

_DIGESTS = "digests.json"
_NAMES = ("next.pt", "state.pt", "previous.pt")
"""From new to old. ``next.pt`` is there only if a process was killed while it wrote a checkpoint."""


def write_checkpoint(folder: Path, content: dict[str, Any]) -> None:
    """Write a checkpoint and keep the one before it.

    Whenever the process is killed, a checkpoint lies there whole with its digest: the digest is noted first, then the
    file is written, and then both files get their names.

    Args:
        folder: The folder of the checkpoints; it must be there.
        content: Tensors and plain values.

    Raises:
        UserError: The disk is full or refuses the file; the checkpoints that were there are kept.
    """
    buffer = io.BytesIO()
    torch.save(content, buffer)
    new, state, previous = (folder / name for name in _NAMES)
    digest = hashlib.sha256(buffer.getvalue()).hexdigest()
    earlier = [known for known in _read_digests(folder) if known != digest]
    write_text(folder / _DIGESTS, json.dumps({"sha256": [digest, *earlier[:2]]}) + "\n")
    write_bytes(new, buffer.getvalue())
    if state.exists():
        state.replace(previous)
    new.replace(state)


def read_checkpoint(folder: Path, keys: tuple[str, ...]) -> tuple[dict[str, Any] | None, str]:
    """Return the newest checkpoint that is whole, and what to tell the user about those that are not.

    Args:
        folder: The folder of the checkpoints; it need not be there.
        keys: What a checkpoint has.

    Returns:
        The checkpoint, ``None`` if there is none at all; a message, which may be empty.

    Raises:
        UserError: There are checkpoints, and none is whole.
    """
    digests = _read_digests(folder)
    damaged: list[Path] = []
    for path in (folder / name for name in _NAMES):
        if not path.exists():
            continue
        content = _load(path, digests, keys)
        if content is not None:
            return content, f"{damaged[0]} is damaged; the checkpoint before it is used" if damaged else ""
        damaged.append(path)
    if damaged:
        raise UserError(f"{damaged[0]} is damaged; remove the folder {folder} to begin this run anew")
    return None, ""


def _read_digests(folder: Path) -> list[str]:
    """Return the digests of the checkpoints; none for a folder that an earlier version wrote, which had no digests."""
    try:
        digests = read_json_if_any(folder / _DIGESTS).get("sha256")
    except UserError:  # it is damaged itself
        digests = None
    return [str(digest) for digest in digests] if isinstance(digests, list) else []


def _load(path: Path, digests: list[str], keys: tuple[str, ...]) -> dict[str, Any] | None:
    content = read_bytes(path)
    if digests and hashlib.sha256(content).hexdigest() not in digests:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is damaged is told in our words
            saved = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)  # executes no code of it
    except Exception:  # what a damaged file makes torch raise is of many kinds
        return None
    return saved if isinstance(saved, dict) and all(key in saved for key in keys) else None
