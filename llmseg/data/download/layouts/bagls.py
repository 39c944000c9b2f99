"""BAGLS: frames, masks and facts of each frame side by side, in ``training`` and ``test``."""

from __future__ import annotations

import json
from collections.abc import Callable

from llmseg.data.download.layouts.case_files import (
    DatasetFiles,
    Files,
    add_numbered_masks,
    in_folder,
    index_files,
    make_picture_cases,
    match_keys,
    select_pictures,
)
from llmseg.data.download.layouts.pictures import in_mask_folder
from llmseg.data.download.tree import File
from llmseg.data.mask_names import IMAGE_FOLDERS, MASK_FOLDERS, find_part
from llmseg.data.reading import DEFAULT, Reading
from llmseg.errors import UserError

_SUFFIX = "_seg"


def find(files: Files, reading: Reading = DEFAULT) -> DatasetFiles:
    """Pair ``N.png`` with ``N_seg.png`` of the same folder; frames of one video are a group.

    Copies that have frames and masks in two folders, ``images`` and ``masks``, are read, too. The videos in ``raw`` are
    passed over.
    """
    frames = [file for file in select_pictures(files) if not in_folder(file, ("raw",))]
    images = index_files(
        frames, lambda file: None if file.stem.endswith(_SUFFIX) or in_mask_folder(file) else _frame_key(file)
    )
    masks = index_files(
        frames, lambda file: _frame_key(file).removesuffix(_SUFFIX) if file.stem.endswith(_SUFFIX) else None
    )
    pairs, unpaired = match_keys(images, masks)
    cases = make_picture_cases(
        add_numbered_masks(pairs, frames, reading), id=_case_id, group=_group_by_video(files), reading=reading
    )
    return DatasetFiles("BAGLS", cases, unpaired)


def _frame_key(file: File) -> str:
    """Return the path without ``images`` and ``masks``, so that a frame and its mask in two folders have one key."""
    folders = [folder for folder in file.folders if folder not in (*IMAGE_FOLDERS, *MASK_FOLDERS)]
    return "/".join([*folders, file.stem])


def _case_id(image: File) -> str:
    part = find_part(image.path)
    return f"{part}/{image.name}" if part else image.name


def _group_by_video(files: Files) -> Callable[[File], str]:
    metas = index_files(files.values(), lambda file: _frame_key(file) if file.extension == ".meta" else None)

    def video(image: File) -> str:
        meta = metas.get(_frame_key(image))
        video_id = _read_meta(meta).get("Video Id") if meta else None
        name = "" if video_id is None else str(video_id).strip()  # 0 is a video, too
        return f"video {name}" if name else _case_id(image)

    return video


def _read_meta(meta: File) -> dict[str, object]:
    try:
        facts = json.loads(meta.read())
    except ValueError as error:
        raise UserError(f"{meta.path} is damaged ({error}); download it again") from error
    return facts if isinstance(facts, dict) else {}
