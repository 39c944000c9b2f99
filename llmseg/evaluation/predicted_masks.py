"""Masks that others predicted: which file belongs to which case, and whether its values can be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from llmseg.data.image_files import EXTENSIONS
from llmseg.data.image_mask_pairs import CHANNEL
from llmseg.data.mask_check import MaskFacts, judge_masks, measure_mask
from llmseg.data.pixels import read_mask_values
from llmseg.data.read_ahead import map_ahead
from llmseg.data.reading import Reading
from llmseg.errors import UserError
from llmseg.files import nearest_path

OPTION = "--predicted-foreground"
"""The option of ``llmseg evaluate`` that says which values of these masks are foreground."""


def check_masks(paths: Mapping[str, Path], reading: Reading) -> None:
    """Refuse masks that could be read in two ways, or of which none has the value that is said to be foreground."""

    def measure(path: Path) -> MaskFacts:
        return measure_mask(read_mask_values(path, reading), str(path), reading, OPTION)

    refusal = judge_masks(list(map_ahead(measure, paths.values())), reading, OPTION, predicted=True)
    if refusal:
        raise UserError(f"predicted: {refusal}")


def find_masks(folder: Path, ids: Sequence[str]) -> dict[str, Path]:
    """Return the mask file of every case."""
    if not folder.is_dir():
        raise UserError(
            f"no run, study or folder of masks {folder}{nearest_path(folder)}; train a pipeline before it is scored"
        )
    # Hidden files are passed over as everywhere: a Mac leaves a ``._NAME`` beside every file.
    found = (path for path in folder.rglob("*") if not path.name.startswith("."))
    files = sorted(path for path in found if path.suffix.lower() in EXTENSIONS and path.is_file())
    stems = {id: Path(id).with_suffix("").as_posix() for id in ids}
    by_name = {path.relative_to(folder).with_suffix("").as_posix(): path for path in files}
    if len(by_name) < len(files):
        raise UserError(f"{folder} has two masks of one name with different extensions; keep one")
    # Ids of a store made of nnU-Net's raw files have the channel; its predictions do not.
    cases = set(stems.values())
    without_channel = {name: name.removesuffix(CHANNEL) for name in cases if name.removesuffix(CHANNEL) not in cases}
    by_case = {id: by_name.get(name, by_name.get(without_channel.get(name, name))) for id, name in stems.items()}
    lacking = [id for id, path in by_case.items() if path is None]
    if lacking:
        raise UserError(
            f"{len(lacking)} of {len(ids)} cases have no mask in {folder}, first '{lacking[0]}'; "
            f"masks are called as cases are, such as '{Path(ids[0]).with_suffix('.png')}'"
        )
    return {id: path for id, path in by_case.items() if path is not None}
