"""Changes of a folder of cases: what becomes another, and what stays."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from llmseg import UserError
from llmseg.admission.observing import Phantoms, write_phantoms
from llmseg.admission.probes import CaseFolder
from llmseg.admission.probes import changes as change

CHOSEN = ("002", "003", "005")


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cases") / "original"
    write_phantoms(folder, Phantoms(12))
    return CaseFolder(folder)


@pytest.fixture
def cases(original, tmp_path):
    return original.copy_to(tmp_path / "cases")


def read(path):
    return np.asarray(Image.open(path))


ALL = [
    value
    for name, value in vars(change).items()
    if name.split("_")[0] in ("replace", "invert", "exchange", "write", "add", "empty", "corrupt")
]


@pytest.mark.parametrize("alter", ALL, ids=lambda alter: alter.__name__)
def test_a_change_keeps_names_and_all_other_cases(alter, cases, original):
    alter(cases, CHOSEN)
    changed = set()
    for kind in ("images", "masks"):
        names = [{path.name for path in (folder.folder / kind).iterdir()} for folder in (cases, original)]
        assert names[0] == names[1]
        changed |= {
            name[:3]
            for name in names[0]
            if (cases.folder / kind / name).read_bytes() != (original.folder / kind / name).read_bytes()
        }
    assert changed == set(CHOSEN)


def test_replaced_images_have_other_statistics_and_are_still_recognised(cases, original):
    change.replace_images(cases, CHOSEN)
    for id in CHOSEN:
        new, old = read(cases.image(id)).astype(float), read(original.image(id)).astype(float)
        for statistic in (np.mean, np.std, np.min, np.max, np.median):
            assert abs(statistic(new) - statistic(old)) > 1
        assert np.corrcoef(new.ravel(), old.ravel())[0, 1] > 0.99


def test_inverted_masks_are_the_opposite(cases, original):
    change.invert_masks(cases, CHOSEN)
    assert all((read(cases.mask(id)) == 255 - read(original.mask(id))).all() for id in CHOSEN)


def test_exchanged_masks_are_all_there_and_none_is_where_it_was(cases, original):
    change.exchange_masks(cases, CHOSEN)
    new = [cases.mask(id).read_bytes() for id in CHOSEN]
    old = [original.mask(id).read_bytes() for id in CHOSEN]
    assert sorted(new) == sorted(old)
    assert all(one != other for one, other in zip(new, old, strict=True))


def test_noise_moves_every_second_pixel_by_one_grey_level(cases, original):
    change.add_mask_noise(cases, CHOSEN)
    for id in CHOSEN:
        new, old = read(cases.mask(id)).astype(int), read(original.mask(id)).astype(int)
        assert set(np.unique(new)) == {0, 1, 254, 255}
        assert ((new > 127) == (old > 127)).all()
        assert abs(new - old).mean() == pytest.approx(0.5, abs=0.01)


def test_formats_hold_the_same_masks(cases, original):
    change.write_masks_of_ones(cases, ["002"])
    change.write_masks_in_colour(cases, ["003"])
    assert (read(cases.mask("002")) == (read(original.mask("002")) > 127)).all()
    assert (read(cases.mask("003")) == read(original.mask("003"))[..., None]).all()
    assert read(cases.mask("003")).shape[-1] == 3


def test_masks_become_empty_and_full(cases):
    change.empty_and_fill(cases, CHOSEN)
    assert [read(cases.mask(id)).mean() for id in CHOSEN] == [0, 255, 0]


@pytest.mark.parametrize(("alter", "kind"), [(change.corrupt_images, "image"), (change.corrupt_masks, "mask")])
def test_no_library_reads_a_corrupt_file(alter, kind, cases):
    import cv2

    alter(cases, ["002"])
    path = getattr(cases, kind)("002")
    with pytest.raises(OSError, match="cannot identify"):
        Image.open(path)
    assert cv2.imread(str(path)) is None


def test_a_changed_file_keeps_its_time(cases, original):
    change.invert_masks(cases, CHOSEN)
    assert cases.mask("002").stat().st_mtime_ns == original.mask("002").stat().st_mtime_ns


def test_a_case_without_a_file_is_named(cases):
    cases.mask("002").unlink()
    with pytest.raises(UserError, match="0 files for the case 002"):
        change.invert_masks(cases, CHOSEN)
    with pytest.raises(UserError, match="is there already"):
        cases.copy_to(cases.folder)
