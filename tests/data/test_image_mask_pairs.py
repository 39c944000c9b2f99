from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from llmseg.data.image_files import EXTENSIONS, drop_masks, find_images
from llmseg.data.image_mask_pairs import pair_every_image, pair_files
from llmseg.data.mask_names import SUFFIXES
from llmseg.errors import UserError


def names(pairs) -> list[tuple[str, str, str]]:
    return [(p.id, p.image.name, p.masks[0].name) for p in pairs]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_two_folders(make_folder, suffix):
    images, masks = make_folder(suffix=suffix)
    pairs = pair_every_image(images, masks).pairs
    assert names(pairs) == [(f"{s}.png", f"{s}.png", f"{s}{suffix}.png") for s in "abc"]
    assert all(p.image.parent == images and p.masks[0].parent == masks for p in pairs)


@pytest.mark.parametrize("suffix", [s for s in SUFFIXES if s])
def test_one_folder(make_folder, suffix):
    images, masks = make_folder(suffix=suffix, together=True)
    assert images == masks
    assert names(pair_every_image(images, masks).pairs) == [(f"{s}.png", f"{s}.png", f"{s}{suffix}.png") for s in "abc"]


def test_one_folder_without_suffix_has_no_pairs(make_folder):
    images, _ = make_folder()
    with pytest.raises(UserError, match=r"no image in .* has a mask"):
        pair_every_image(images, images)


def test_explicit_suffix(make_folder):
    images, masks = make_folder(suffix="-label")
    with pytest.raises(UserError, match="give --mask-suffix=-label"):
        pair_every_image(images, masks)
    assert len(pair_every_image(images, masks, "-label").pairs) == 3


def test_explicit_suffix_in_one_folder(make_folder):
    images, _ = make_folder(suffix="-label", together=True)
    assert [p.id for p in pair_every_image(images, images, "-label").pairs] == ["a.png", "b.png", "c.png"]


def test_explicit_suffix_wins_over_one_that_would_be_found(make_folder):
    images, masks = make_folder(suffix="")
    for mask in list(masks.iterdir()):
        shutil.copy(mask, masks / f"{mask.stem}_gt{mask.suffix}")
    assert [p.masks[0].name for p in pair_every_image(images, masks).pairs] == ["a.png", "b.png", "c.png"]
    found = pair_every_image(images, masks, "_gt").pairs
    assert [p.masks[0].name for p in found] == ["a_gt.png", "b_gt.png", "c_gt.png"]


def test_extensions_may_differ_and_be_in_capitals(make_folder):
    images, masks = make_folder()
    Image.open(images / "a.png").save(images / "a.JPG")
    (images / "a.png").unlink()
    assert names(pair_every_image(images, masks).pairs)[0] == ("a.JPG", "a.JPG", "a.png")


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_every_extension(make_folder, extension):
    images, masks = make_folder(extension=extension)
    assert [p.id for p in pair_every_image(images, masks).pairs] == [f"{s}{extension}" for s in "abc"]


def test_order_is_that_of_the_names(make_folder):
    stems = [str(number) for number in range(1, 12)]
    images, masks = make_folder(dict.fromkeys(stems, (2, 2)))
    assert [p.id for p in pair_every_image(images, masks).pairs] == sorted(f"{s}.png" for s in stems)


@given(
    st.sets(st.from_regex(r"[a-z0-9][a-z0-9_. -]{0,6}[a-z0-9]", fullmatch=True), min_size=1, max_size=6).filter(
        lambda stems: not any(stem.endswith(s) for stem in stems for s in SUFFIXES if s)
    ),
    st.sampled_from([s for s in SUFFIXES if s]),
    st.booleans(),
)
@settings(max_examples=25, deadline=None)
def test_every_image_gets_its_own_mask(tmp_path_factory, stems, suffix, together):
    images = tmp_path_factory.mktemp("images")
    masks = images if together else tmp_path_factory.mktemp("masks")
    for stem in stems:
        (images / f"{stem}.png").touch()
        (masks / f"{stem}{suffix}.png").touch()
    pairs = pair_every_image(images, masks).pairs
    assert [p.id for p in pairs] == sorted(f"{stem}.png" for stem in stems)
    assert all(p.masks[0] == masks / f"{p.image.stem}{suffix}.png" for p in pairs)


def test_hidden_files_folders_and_other_extensions_are_passed_over(make_folder):
    images, masks = make_folder()
    for folder in (images, masks):
        for name in (".d.png", "._a.png", "Thumbs.db", "notes.txt", "e.npy", "noextension"):
            (folder / name).write_text("x")
        (folder / "f.png").mkdir()
    assert [p.id for p in pair_every_image(images, masks).pairs] == ["a.png", "b.png", "c.png"]
    assert [p.name for p in find_images(images)] == ["a.png", "b.png", "c.png"]


def test_masks_without_image_are_passed_over(make_folder):
    images, masks = make_folder()
    (images / "b.png").unlink()
    assert [p.id for p in pair_every_image(images, masks).pairs] == ["a.png", "c.png"]


@pytest.mark.parametrize("which", ["image", "mask"])
def test_missing_folder(make_folder, tmp_path, which):
    images, masks = make_folder()
    missing = tmp_path / "data" / "nowhere"
    folders = (missing, masks) if which == "image" else (images, missing)
    with pytest.raises(UserError) as error:
        pair_every_image(*folders)
    assert f"no {which} folder {missing}" in str(error.value)
    assert str(error.value).endswith(f"the nearest folder that exists is {tmp_path}")


def test_a_file_in_the_place_of_a_folder(make_folder):
    images, masks = make_folder()
    with pytest.raises(UserError, match="no image folder"):
        pair_every_image(images / "a.png", masks)


@pytest.mark.parametrize("which", ["image", "mask"])
def test_empty_folder(make_folder, tmp_path, which):
    images, masks = make_folder()
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "readme.txt").write_text("x")
    folders = (empty, masks) if which == "image" else (images, empty)
    with pytest.raises(UserError, match=f"no images in {which} folder .*empty; looked for .png, "):
        pair_every_image(*folders)


def test_no_pairs_says_what_was_seen_and_tried(make_folder, tmp_path):
    images, masks = make_folder()
    for mask in list(masks.iterdir()):
        mask.rename(masks / f"truth{mask.name}")
    with pytest.raises(UserError) as error:
        pair_every_image(images, masks)
    message = str(error.value)
    assert "'a.png'" in message
    assert "'trutha.png'" in message
    assert all(repr(s) in message for s in SUFFIXES)
    assert "--mask-suffix" not in message


def test_mask_missing(make_folder):
    images, masks = make_folder(dict.fromkeys("abcdefg", (2, 2)), suffix="_m")
    for stem in "bcdef":
        (masks / f"{stem}_m.png").unlink()
    with pytest.raises(UserError) as error:
        pair_every_image(images, masks)
    message = str(error.value)
    assert "5 of 7 images" in message
    assert "'<name>_m.*'" in message
    assert "b.png, c.png, d.png and 2 more" in message


def test_two_masks(make_folder):
    images, masks = make_folder()
    shutil.copy(masks / "b.png", masks / "b.bmp")
    with pytest.raises(
        UserError, match=r"image b\.png has 2 masks: b\.bmp, b\.png; .* --several-masks=join, otherwise keep one"
    ):
        pair_every_image(images, masks)


def test_two_images_of_one_stem(make_folder):
    """Two cases must not share a mask: one would be in training, the other in the test."""
    images, masks = make_folder()
    shutil.copy(images / "b.png", images / "b.bmp")
    with pytest.raises(UserError, match=r"^images b\.bmp, b\.png would share a mask; keep one of them$"):
        pair_every_image(images, masks)


class TestPairFiles:
    @pytest.mark.parametrize("suffix", SUFFIXES)
    def test_nothing_alone(self, make_folder, suffix):
        images, masks = make_folder(suffix=suffix)
        pairing = pair_files(images, masks)
        assert pairing.pairs == pair_every_image(images, masks).pairs
        assert (pairing.unpaired_images, pairing.unpaired_masks, pairing.suffix) == ((), (), suffix)

    @pytest.mark.parametrize("together", [False, True])
    def test_what_stands_alone(self, make_folder, together):
        images, masks = make_folder(dict.fromkeys("abcde", (2, 2)), suffix="_m", together=together)
        (images / "a.png").unlink()
        (masks / "c_m.png").unlink()
        (masks / "e_m.png").unlink()
        pairing = pair_files(images, masks)
        assert names(pairing.pairs) == [("b.png", "b.png", "b_m.png"), ("d.png", "d.png", "d_m.png")]
        assert pairing.unpaired_images == (images / "c.png", images / "e.png")
        assert pairing.unpaired_masks == (masks / "a_m.png",)

    def test_masks_of_another_suffix_are_alone(self, make_folder):
        images, masks = make_folder(suffix="_1stHO")
        shutil.copy(masks / "b_1stHO.png", masks / "b_2ndHO.png")
        assert [path.name for path in pair_files(images, masks, "_1stHO").unpaired_masks] == ["b_2ndHO.png"]

    def test_two_masks_are_refused_all_the_same(self, make_folder):
        images, masks = make_folder()
        shutil.copy(masks / "b.png", masks / "b.bmp")
        with pytest.raises(UserError, match="has 2 masks"):
            pair_files(images, masks)

    @given(st.sets(st.sampled_from("abcdef")), st.sets(st.sampled_from("abcdef")), st.booleans())
    @settings(max_examples=25, deadline=None)
    def test_every_file_is_in_one_place(self, tmp_path_factory, image_stems, mask_stems, together):
        images = tmp_path_factory.mktemp("images")
        masks = images if together else tmp_path_factory.mktemp("masks")
        files = {images / f"{stem}.png" for stem in image_stems} | {masks / f"{stem}_m.png" for stem in mask_stems}
        for file in files:
            file.touch()
        if not image_stems & mask_stems:
            with pytest.raises(UserError):
                pair_files(images, masks)
            return
        pairing = pair_files(images, masks)
        paired = [file for pair in pairing.pairs for file in (pair.image, *pair.masks)]
        placed = [*paired, *pairing.unpaired_images, *pairing.unpaired_masks]
        assert len(placed) == len(set(placed))
        assert set(placed) == files


class TestFoldersBelow:
    @pytest.fixture
    def nested(self, tmp_path):
        for name in ("images/p1/s.png", "images/p2/s.png", "masks/p1/s.png", "masks/p2/s.png"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
        return tmp_path

    def test_they_are_read_if_the_folder_has_no_images(self, nested):
        pairs = pair_every_image(nested / "images", nested / "masks").pairs
        assert [(p.id, p.masks) for p in pairs] == [
            (f"p{k}/s.png", (nested / "masks" / f"p{k}/s.png",)) for k in (1, 2)
        ]

    def test_they_are_not_if_it_has(self, nested):
        for name in ("images/a.png", "masks/a.png"):
            (nested / name).touch()
        assert [p.id for p in pair_every_image(nested / "images", nested / "masks").pairs] == ["a.png"]

    def test_the_advice_for_a_folder_above_can_be_followed(self, nested):
        with pytest.raises(UserError) as error:
            pair_every_image(nested, nested)
        options = shlex.split(str(error.value).partition("did you mean ")[2].partition("?")[0])
        assert options == ["--images", str(nested / "images"), "--masks", str(nested / "masks")]
        assert len(pair_every_image(Path(options[1]), Path(options[3])).pairs) == 2

    def test_images_of_another_folder_are_proposed_beside_one_of_masks(self, nested):
        (nested / "images").rename(nested / "scans of today")
        with pytest.raises(UserError, match=r"did you mean --images '.*/scans of today' --masks"):
            pair_every_image(nested, nested)

    def test_for_prediction_a_folder_is_proposed(self, nested):
        with pytest.raises(UserError, match=rf"did you mean --images {nested}/images\?$"):
            find_images(nested)
        with pytest.raises(UserError, match=rf"2 lie in folders below it: .* --images {nested}/images/p1$"):
            find_images(nested / "images")
        assert find_images(nested / "images" / "p1") == (nested / "images" / "p1" / "s.png",)

    def test_masks_below_the_images_are_no_images(self, tmp_path):
        for name in ("scans/a.png", "gt/deep/a.png"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).touch()
        assert [p.id for p in pair_every_image(tmp_path / "scans", tmp_path / "gt").pairs] == ["a.png"]
        (tmp_path / "gt").rename(tmp_path / "references")
        pairs = pair_every_image(tmp_path, tmp_path / "references").pairs
        assert [(p.id, p.masks) for p in pairs] == [("scans/a.png", (tmp_path / "references/deep/a.png",))]

    def test_links_in_a_circle_end(self, nested):
        (nested / "images" / "p1" / "again").symlink_to(nested / "images")
        assert len(pair_every_image(nested / "images", nested / "masks").pairs) == 2


def test_masks_with_numbers_are_no_images_to_predict():
    names = ["a.png", "a_mask.png", "a_mask_1.png", "a_mask2.png", "b_1.png", "b_2.png", "b_2_seg.png"]
    assert [path.name for path in drop_masks([Path(name) for name in names])] == ["a.png", "b_1.png", "b_2.png"]
