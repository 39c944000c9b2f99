"""Raw datasets of nnU-Net: ``imagesTr``, ``labelsTr`` and, where they are kept, ``imagesTs``, ``labelsTs``."""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

import numpy as np

from llmseg.data.download.layouts.case_files import (
    CaseFiles,
    DatasetFiles,
    Files,
    index_files,
    make_mask,
    make_picture_cases,
    match_keys,
    read_picture,
)
from llmseg.data.download.layouts.label_check import judge_labels, measure_labels
from llmseg.data.download.layouts.nnunet_labels import Labels, read_labels_of
from llmseg.data.download.layouts.volumes import Orientation, cut_slices
from llmseg.data.download.tree import File
from llmseg.data.image_files import EXTENSIONS
from llmseg.data.pixels import decode_labels
from llmseg.data.read_ahead import map_ahead
from llmseg.data.reading import DEFAULT, Reading
from llmseg.errors import UserError

_CHANNEL = re.compile(r"_(\d{4})$")
_PARTS = {"imagestr": "training", "labelstr": "training", "imagests": "test", "labelsts": "test"}


def find(
    files: Files,
    orientation: Orientation = "study",
    label: str | None = None,
    channel: int | None = None,
    reading: Reading = DEFAULT,
) -> DatasetFiles:
    """Pair ``imagesTr/X_0000.png`` with ``labelsTr/X.png``.

    Every label but 0 and the ignore label of ``dataset.json`` is foreground, unless one is chosen. nnU-Net keeps each
    channel of an image as a file, ``_0000``, ``_0001`` and so on. Three channels of pictures are read as red, green and
    blue. Of any other number, and of volumes, one is read: the first, unless another is chosen. Cases are called by
    their first channel whichever is read. The slices of a volume are a group.

    Args:
        files: All files.
        orientation: How slices of volumes lie in their picture.
        label: Name or number of the label that is foreground.
        channel: Number of the channel to read.
        reading: Its depth says how images become 0 to 255. Without one, a volume is scaled from its smallest to its
            largest value.

    Raises:
        UserError: ``dataset.json`` is damaged, or there is no such label or channel.
    """
    labels_of = read_labels_of(files, label)
    in_parts = [file for file in files.values() if file.folders and file.folders[-1] in _PARTS]
    readable = [file for file in in_parts if file.extension in (*EXTENSIONS, ".nii")]
    channels = _index_channels([file for file in readable if _is_kind(file, "images")])
    if channel is not None and channel not in channels:
        raise UserError(f"no channel {channel} (_{channel:04d}); there are {', '.join(map(str, sorted(channels)))}")
    labels = index_files(readable, lambda file: f"{_part(file)}/{file.stem}" if _is_kind(file, "labels") else None)
    pairs, unpaired = match_keys(channels.get(channel or 0, {}), labels)
    flat = {key: pair for key, pair in pairs.items() if pair[0].extension != ".nii"}
    deep = {key: pair for key, pair in pairs.items() if pair[0].extension == ".nii"}
    in_colour = (
        channel is None
        and set(channels) == {0, 1, 2}
        and not deep
        and all(set(flat) <= set(channels[number]) for number in channels)
    )
    layers = {pair[0].path: [channels[n][key] for n in (1, 2)] for key, pair in flat.items()} if in_colour else {}
    case_files = [
        *make_picture_cases(
            flat,
            id=lambda image: f"{_CHANNEL.sub('', image.stem)}_0000{image.extension}" if channel else image.name,
            decode=functools.partial(_read_labels, labels_of),
            decode_picture=(
                (lambda image: _stack_channels([image, *layers[image.path]], reading)) if in_colour else None
            ),
            reading=reading,
        ),
        *(_make_volume(*pair, orientation, labels_of, reading) for pair in deep.values()),
    ]
    placed = (
        replace(case, part=_part(case.files[0]), files=(*case.files, *layers.get(case.files[0].path, ())))
        for case in case_files
    )
    read_as = "channels as RGB" if in_colour else f"channel {channel}" if channel else ""
    return DatasetFiles(
        ", ".join(filter(None, ("nnU-Net raw dataset", labels_of.rule, read_as))),
        tuple(sorted(placed, key=lambda case: case.key)),
        unpaired,
        (*labels_of.notes, *_describe_channels(channels, in_colour, channel)),
        functools.partial(_judge, labels_of),
    )


def _judge(meanings: Labels, case_files: Iterable[CaseFiles]) -> list[str]:
    measure = functools.partial(measure_labels, meanings=meanings)
    return judge_labels(list(map_ahead(measure, case_files)), meanings)


def _index_channels(images: Sequence[File]) -> dict[int, dict[str, File]]:
    """Return the images of each channel by part and stem of the case."""
    numbers = {file.path: int(match[1]) for file in images if (match := _CHANNEL.search(file.stem))}
    return {
        number: index_files(
            [file for file in images if numbers.get(file.path) == number],
            lambda file: f"{_part(file)}/{_CHANNEL.sub('', file.stem)}",
        )
        for number in sorted(set(numbers.values()))
    }


def _describe_channels(channels: Collection[int], in_colour: bool, chosen: int | None) -> list[str]:
    if in_colour:
        return ["the channels 0, 1 and 2 are read as red, green and blue; --channel=0 reads one of them"]
    left_out = [number for number in channels if number != (chosen or 0)]
    if not left_out or chosen is not None:
        return []
    return [
        f"only channel 0 is read; channel {', '.join(map(str, left_out))} is left out: "
        f"--channel={left_out[0]} reads another"
    ]


def _stack_channels(files: Sequence[File], reading: Reading) -> np.ndarray:
    """Return the pictures of three channels as one in colour, uint8 ``[H, W, 3]``."""
    layers = [read_picture(file, reading) for file in files]
    for file, layer in zip(files, layers, strict=True):
        if layer.ndim != 2 or layer.shape != layers[0].shape:
            raise UserError(
                f"{file.path} is of shape {layer.shape}, {files[0].path} {layers[0].shape}; channels are grey and of "
                "one size: read one of them by --channel=0"
            )
    return np.stack(layers, axis=-1)


def _is_kind(file: File, kind: str) -> bool:
    return file.folders[-1].startswith(kind)


def _part(file: File) -> str:
    return _PARTS[file.folders[-1]]


def _read_labels(labels: Labels, file: File) -> np.ndarray:
    return make_mask(labels.is_foreground(decode_labels(file.read_unpacked(), file.path)))


def _make_volume(image: File, labels: File, orientation: Orientation, meanings: Labels, reading: Reading) -> CaseFiles:
    stem = _CHANNEL.sub("", image.stem)
    foreground = meanings.is_foreground
    read = functools.partial(
        cut_slices,
        image,
        labels,
        stem=stem,
        foreground=foreground,
        orientation=orientation,
        by_affine=True,
        depth=reading.depth,
    )
    return CaseFiles(stem, (image, labels), read, stem)
