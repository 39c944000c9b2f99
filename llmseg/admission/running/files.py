"""The files of a folder of scripts: which belong to it, their digest, and a copy of them."""

from __future__ import annotations

import hashlib
import io
import shutil
import tokenize
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from llmseg.data.image_files import EXTENSIONS
from llmseg.files import walk_folders
from llmseg.files.limits import Limit

FOLDER_BYTES = Limit("LLMSEG_MAX_SCRIPT_FOLDER", 2**28, "bytes in a folder of scripts")


def list_files(folder: Path) -> Iterator[Path]:
    """Yield the files of a folder of scripts as paths in it, by name. Links and hidden files do not belong to it.

    Raises:
        UserError: They are larger than scripts are.
    """
    root, size = folder.resolve(), 0
    for inner, name in walk_folders(folder, lambda name: not name.startswith(".") and name != "__pycache__"):
        path = Path(inner, name)
        if path.is_symlink() or not path.is_file() or not path.resolve().is_relative_to(root):
            continue
        size += path.stat().st_size
        FOLDER_BYTES.check(size, f"{folder} has")
        yield path.relative_to(folder)


def digest_folder(folder: Path) -> str:
    """Return the SHA-256 digest of the files of a folder of scripts, with their names."""
    digest = hashlib.sha256()
    for file in sorted(list_files(folder)):
        content = (folder / file).read_bytes()
        digest.update(f"{file.as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def copy_files(source: Path, target: Path, texts: Mapping[str, str], cases: Collection[Path] = ()) -> None:
    """Copy the files of a folder of scripts.

    Args:
        source: The folder.
        target: Where to.
        texts: Files that get another text, by their path.
        cases: Folders in it, as paths in it, whose pictures stay behind: others are shown there.
    """
    for file in list_files(source):
        if file.parent in cases and file.suffix.lower() in EXTENSIONS:
            continue
        copy = target / file
        copy.parent.mkdir(parents=True, exist_ok=True)
        text = texts.get(file.as_posix())
        if text is None:
            shutil.copyfile(source / file, copy)
        else:
            encoding, _ = tokenize.detect_encoding(io.BytesIO((source / file).read_bytes()).readline)
            copy.write_bytes(text.encode(encoding))
        copy.chmod(0o644)
