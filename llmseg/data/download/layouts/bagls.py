"""BAGLS: frames, masks and facts of each frame side by side, in ``training`` and ``test``."""

from __future__ import annotations

import json
from collections.abc import Callable

from llmseg.data.download.layouts.case_files import (
    Files,
    Listing,
    by_key,
    in_folder,
    matched,
    part_of,
    picture_units,
    pictures,
)
from llmseg.data.download.layouts.pictures import IMAGE_FOLDERS, MASK_FOLDERS, labelled
from llmseg.data.download.tree import File
from llmseg.errors import UserError

_SUFFIX = "_seg"


def find(files: Files) -> Listing:
    """Pair ``N.png`` with ``N_seg.png`` of the same folder; frames of one video are a group.

    Copies that put them into two folders beside each other, ``images`` and ``masks``, are read, too. The videos in
    ``raw`` are passed over.
    """
    frames = [file for file in pictures(files) if not in_folder(file, ("raw",))]
    images = by_key(frames, lambda file: None if file.stem.endswith(_SUFFIX) or labelled(file) else _place(file))
    masks = by_key(frames, lambda file: _place(file).removesuffix(_SUFFIX) if file.stem.endswith(_SUFFIX) else None)
    pairs, alone = matched(images, masks)
    return Listing("BAGLS", picture_units(pairs, id=_id, group=_video(files)), alone)


def _place(file: File) -> str:
    folders = [folder for folder in file.folders if folder not in (*IMAGE_FOLDERS, *MASK_FOLDERS)]
    return "/".join([*folders, file.stem])


def _id(image: File) -> str:
    part = part_of(image)
    return f"{part}/{image.name}" if part else image.name


def _video(files: Files) -> Callable[[File], str]:
    metas = by_key(files.values(), lambda file: _place(file) if file.extension == ".meta" else None)

    def video(image: File) -> str:
        meta = metas.get(_place(image))
        known = _facts(meta).get("Video Id") if meta else None
        name = "" if known is None else str(known).strip()
        return f"video {name}" if name else _id(image)

    return video


def _facts(meta: File) -> dict[str, object]:
    try:
        facts = json.loads(meta.read())
    except ValueError as error:
        raise UserError(f"{meta.path} is damaged ({error}); download it again") from error
    return facts if isinstance(facts, dict) else {}
