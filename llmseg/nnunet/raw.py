"""Writing a store in the raw format of nnU-Net: PNG files for its reader of natural images."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from llmseg.data.read_ahead import map_ahead
from llmseg.data.store import FOREGROUND, Case, Store
from llmseg.errors import UserError
from llmseg.files import make_folder, write_text

_GREY = ("grey",)
_COLOUR = ("R", "G", "B")


def write_raw(
    store: Store, training_ids: Mapping[str, str], test_ids: Mapping[str, str], raw: Path, test: Path
) -> None:
    """Write the cases of training and validation as a raw dataset, and the images of the test cases elsewhere.

    Masks become 0 and 1, with the evaluator's threshold. Where some images have colour and others not, grey ones get
    three equal channels, as nnU-Net needs equally many for every case.

    Args:
        store: The cases.
        training_ids: Ids of the training and validation cases by the names of their files.
        test_ids: Ids of the test cases by the names of their files.
        raw: Folder of the dataset; what is in it is replaced.
        test: Folder of the test images; what is in it is replaced.

    Raises:
        UserError: A case cannot be read, a mask is not 0 and 255, no mask has foreground, or the disk is full.
    """
    for folder in (raw, test):
        shutil.rmtree(folder, ignore_errors=True)
    for folder in (raw / "imagesTr", raw / "labelsTr", test):
        make_folder(folder)
    colour = any(map_ahead(lambda id: store.read(id).image.ndim == 3, (*training_ids.values(), *test_ids.values())))

    def write_training_case(name: str) -> int:
        case = store.read(training_ids[name])
        mask = _binary_mask(case)
        # _0000 is the number of the channel; nnU-Net reads all channels of a natural image from one file.
        _save(_image(case, colour), raw / "imagesTr" / f"{name}_0000.png")
        _save(mask, raw / "labelsTr" / f"{name}.png")
        return int(mask.sum())

    def write_test_image(name: str) -> None:
        _save(_image(store.read(test_ids[name]), colour), test / f"{name}_0000.png")

    if not sum(map_ahead(write_training_case, tuple(training_ids))):
        raise UserError(
            f"no mask of the {len(training_ids)} training and validation cases has foreground; check the masks"
        )
    # The images are written while the iterator is read to its end.
    for _ in map_ahead(write_test_image, tuple(test_ids)):
        pass
    _write_description(raw, _COLOUR if colour else _GREY, len(training_ids))


def write_split(preprocessed: Path, train: Sequence[str], validation: Sequence[str]) -> None:
    """Write the split, which nnU-Net takes for its only fold.

    Args:
        preprocessed: Folder of the preprocessed dataset.
        train: Names of the files of the training cases.
        validation: Names of the files of the validation cases.

    Raises:
        UserError: The disk is full.
    """
    make_folder(preprocessed)
    fold = {"train": list(train), "val": list(validation)}
    write_text(preprocessed / "splits_final.json", json.dumps([fold], indent=1) + "\n")


def _image(case: Case, colour: bool) -> np.ndarray:
    return np.stack([case.image] * 3, axis=-1) if colour and case.image.ndim == 2 else case.image


def _binary_mask(case: Case) -> np.ndarray:
    """Return a mask as uint8 ``[H, W]`` of 0 and 1."""
    highest = int(case.mask.max())
    if 0 < highest <= FOREGROUND:
        raise UserError(
            f"the mask of '{case.id}' has values up to {highest}, where foreground is above {FOREGROUND}; "
            f"name the value that means foreground (--foreground {highest})"
        )
    return (case.mask > FOREGROUND).astype(np.uint8)


def _save(values: np.ndarray, path: Path) -> None:
    try:
        Image.fromarray(values).save(path, compress_level=1)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}; choose another --out") from error


def _write_description(raw: Path, channels: Sequence[str], cases: int) -> None:
    content = {
        "channel_names": {str(index): name for index, name in enumerate(channels)},
        "labels": {"background": 0, "foreground": 1},
        "numTraining": cases,
        "file_ending": ".png",
        "overwrite_image_reader_writer": "NaturalImage2DIO",
    }
    write_text(raw / "dataset.json", json.dumps(content, indent=1) + "\n")
