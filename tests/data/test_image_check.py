"""What should be known of image files is told with counts and names, before training and by the doctor."""

from __future__ import annotations

import unicodedata
import warnings

import numpy as np
import pytest
from PIL import Image

from llmseg import FolderStore, UserError
from llmseg.data.doctor import examine
from llmseg.data.image_check import check_image_files
from llmseg.data.reading import ReadingWarning
from llmseg.data.reading_check import check_reading

GREY = np.arange(64 * 64, dtype=np.uint32).reshape(64, 64) // 16


def write(folder, make, extension=".png"):
    for name in ("images", "masks"):
        (folder / name).mkdir(exist_ok=True)
    for k in range(3):
        make(folder / "images" / f"c{k}{extension}", k)
        mask = np.zeros((64, 64), np.uint8)
        mask[10:20, 10 + k : 30] = 255
        Image.fromarray(mask).save(folder / "masks" / f"c{k}.png")
    return FolderStore(folder / "images", folder / "masks")


def turned(path, k):
    exif = Image.Exif()
    exif[0x0112] = 3 if k else 1
    Image.fromarray(GREY.astype(np.uint8)).save(path, exif=exif)


def stack(path, k):
    pages = [Image.fromarray((GREY + page + k).astype(np.uint8)) for page in range(4)]
    pages[0].save(path, save_all=True, append_images=pages[1:])


def plain(path, k):
    Image.fromarray((GREY + k).astype(np.uint8)).save(path)


def hot(path, k):
    values = (GREY * 257).astype(np.uint16) if k else (GREY * 2).astype(np.uint16)
    values[0, 0] = 65535
    Image.fromarray(values).save(path)


KINDS = {
    "turned": (turned, ".png", "2 of 3 images have an EXIF orientation flag, which is ignored: c1.png, c2.png"),
    "one pixel": (hot, ".png", "1 of 3 images keep fewer than 32 grey levels, read as 0 to 65535: c0.png"),
}


def told(work):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        work()
    return " ".join(str(warning.message) for warning in caught if warning.category is ReadingWarning)


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_told_before_work_and_by_the_doctor(tmp_path, kind):
    make, extension, sentence = KINDS[kind]
    store = write(tmp_path, make, extension)
    assert sentence in told(lambda: check_reading(store))
    assert any(sentence in finding.sentence for finding in examine(store).of("warning"))
    assert sentence in " ".join(check_image_files(sorted((tmp_path / "images").iterdir()))[1])


def test_sound_images_are_no_reason_for_a_word(tmp_path):
    store = write(tmp_path, plain)
    assert told(lambda: check_reading(store)) == ""


def test_what_is_left_out_is_named(tmp_path):
    store = write(tmp_path, lambda path, k: plain(path, k + 7))  # a store that was told is not told again
    (tmp_path / "images" / "scan.dcm").write_bytes(b"")
    (tmp_path / "images" / "notes.txt").write_bytes(b"")
    plain_below = tmp_path / "images" / "patient"
    plain_below.mkdir()
    plain(plain_below / "d.png", 0)
    sentence = told(lambda: check_reading(store))
    assert "1 files in" in sentence
    assert "scan.dcm" in sentence
    assert "patient/d.png" in sentence
    assert "notes.txt" not in sentence


@pytest.mark.parametrize("name", ["c1_1", "c1 (2)", "c1-2"])
def test_a_second_mask_is_refused(tmp_path, name):
    write(tmp_path, plain)
    Image.new("L", (64, 64)).save(tmp_path / "masks" / f"{name}.png")
    with pytest.raises(UserError, match=r"image c1\.png has 2 masks"):
        FolderStore(tmp_path / "images", tmp_path / "masks")


def test_numbers_that_belong_to_images_are_no_second_mask(tmp_path):
    write(tmp_path, plain)
    plain(tmp_path / "images" / "c1_1.png", 5)
    Image.new("L", (64, 64)).save(tmp_path / "masks" / "c1_1.png")
    assert len(FolderStore(tmp_path / "images", tmp_path / "masks").ids) == 4


def test_accents_in_two_spellings_are_one_name(tmp_path):
    write(tmp_path, plain)
    plain(tmp_path / "images" / unicodedata.normalize("NFD", "Léa.png"), 5)
    Image.new("L", (64, 64)).save(tmp_path / "masks" / unicodedata.normalize("NFC", "Léa.png"))
    assert len(FolderStore(tmp_path / "images", tmp_path / "masks").ids) == 4
