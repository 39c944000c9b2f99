from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from llmseg.data.download.layouts import nnunet_raw
from llmseg.data.download.prepare_dataset import prepare_dataset
from llmseg.data.reading import Reading
from llmseg.data.reading_check import ReadingWarning
from llmseg.errors import UserError


@pytest.fixture
def files(download):
    return download("nnunet")


def test_parts_and_names(files, in_memory, read):
    dataset_files = nnunet_raw.find(in_memory(files))
    assert [(item.key, item.part) for item in dataset_files.case_files] == [
        ("x_0000.png", "training"),
        ("y_0000.png", "training"),
        ("z_0000.png", "test"),
    ]
    assert all(set(np.unique(case.mask)) == {0, 255} for case in read(dataset_files).values())


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("kind", ["labels", "palette", "1-bit"])
def test_every_label_but_0_is_foreground(files, in_memory, read, png, reversed_png, half, colour, kind):
    labels = np.where(half, np.arange(48).reshape(6, 8) % 3 + 1, 0).astype(np.uint8)
    files["imagesTr/x_0000.png"] = png(np.zeros((6, 8, 3) if colour else (6, 8), np.uint8))
    files["labelsTr/x.png"] = {"labels": png(labels), "palette": reversed_png(255 - labels), "1-bit": png(half > 0)}[
        kind
    ]
    case = read(nnunet_raw.find(in_memory(files)))["x_0000.png"]
    np.testing.assert_array_equal(case.mask, half)
    assert case.image.shape == ((6, 8, 3) if colour else (6, 8))


def test_volumes(in_memory, read, nifti):
    volume = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    files = {"D/imagesTr/a_0000.nii.gz": nifti(volume), "D/labelsTr/a.nii.gz": nifti((volume % 3).astype(np.uint8))}
    dataset_files = nnunet_raw.find(in_memory(files))
    assert [(item.key, item.group, item.part) for item in dataset_files.case_files] == [("a", "a", "training")]
    for place, (id, case) in enumerate(read(dataset_files).items()):
        assert id == f"a_slice{place:03d}.png"
        np.testing.assert_array_equal(case.mask == 255, volume[..., place] % 3 != 0)
    assert {case.image.shape for case in read(nnunet_raw.find(in_memory(files), "display")).values()} == {(3, 2)}


def test_other_channels_are_passed_over(files, in_memory):
    files["imagesTr/x_0001.png"] = files["imagesTr/x_0000.png"]
    dataset_files = nnunet_raw.find(in_memory(files))
    assert dataset_files.case_files[0].files[0].path == "imagesTr/x_0000.png"
    assert dataset_files.unpaired == ()


def test_what_stays_alone(files, in_memory):
    del files["labelsTr/x.png"], files["imagesTs/z_0000.png"]
    assert nnunet_raw.find(in_memory(files)).unpaired == ("imagesTr/x_0000.png", "labelsTs/z.png")


def test_a_training_label_is_not_that_of_a_test_image(files, in_memory):
    files["labelsTs/x.png"] = files.pop("labelsTr/x.png")
    assert [item.key for item in nnunet_raw.find(in_memory(files)).case_files] == ["y_0000.png", "z_0000.png"]


@pytest.mark.parametrize(
    ("shape", "message"), [((6, 8, 3), "has 3 channels; labels have one"), ((8, 6), "is 6x8, its image")]
)
def test_bad_labels_are_named(files, in_memory, read, png, shape, message):
    files["labelsTr/x.png"] = png(np.zeros(shape, np.uint8))
    with pytest.raises(UserError, match=rf"labelsTr/x\.png {message}"):
        read(nnunet_raw.find(in_memory(files)))


@pytest.mark.parametrize("place", ["imagesTr/x_0000", "labelsTr/x"])
def test_two_files_of_one_case(files, in_memory, place):
    files[f"{place}.bmp"] = files[f"{place}.png"]
    with pytest.raises(UserError, match=rf"{place}\.bmp and {place}\.png are the same case"):
        nnunet_raw.find(in_memory(files))


def describe(labels):
    return json.dumps({"labels": labels, "file_ending": ".png"}).encode()


VALUES = np.array([[0, 1, 2, 3]], np.uint8).repeat(2, axis=0)
ORGANS = {"background": 0, "liver": 1, "tumour": 2, "ignore": 3}


class TestLabels:
    @pytest.fixture
    def labelled(self, png):
        return lambda labels: {
            "D/imagesTr/x_0000.png": png(VALUES * 50),
            "D/labelsTr/x.png": png(VALUES),
            "D/dataset.json": describe(labels),
        }

    @pytest.mark.parametrize(
        ("labels", "chosen", "inside"),
        [
            (ORGANS, None, [1, 2]),
            (ORGANS, "tumour", [2]),
            (ORGANS, "1", [1]),
            ({"background": 0, "whole": [1, 2, 3], "core": [2, 3]}, "core", [2, 3]),
            ({"0": "background", "1": "liver", "2": "tumour"}, "liver", [1]),
            ({"background": 0, "a": 2, "ignore": 3}, None, [1, 2]),
        ],
    )
    def test_which_are_foreground(self, labelled, in_memory, read, labels, chosen, inside):
        (case,) = read(nnunet_raw.find(in_memory(labelled(labels)), label=chosen)).values()
        assert VALUES[case.mask == 255].tolist() == 2 * inside

    def test_volumes(self, in_memory, read, nifti):
        volume = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
        files = {
            "imagesTr/a_0000.nii.gz": nifti(volume),
            "labelsTr/a.nii.gz": nifti((volume % 4).astype(np.uint8)),
            "dataset.json": describe(ORGANS),
        }
        for label, numbers in ((None, [1, 2]), ("tumour", [2])):
            for index, case in enumerate(read(nnunet_raw.find(in_memory(files), label=label)).values()):
                np.testing.assert_array_equal(case.mask == 255, np.isin(volume[..., index] % 4, numbers))

    def test_notes_say_what_was_joined_and_ignored_and_their_advice_can_be_followed(self, labelled, in_memory):
        files = in_memory(labelled(ORGANS))
        ignored, joined = nnunet_raw.find(files).notes
        assert "ignore label (3) are background" in ignored
        assert "liver (1), tumour (2) are joined" in joined
        label = joined.partition("--label=")[2].split()[0]
        assert nnunet_raw.find(files, label=label).notes == (ignored,)

    def test_other_rules_are_another_layout(self, labelled, in_memory):
        """The layout is a part of what says whether a store is the one that is asked for."""
        layouts = {nnunet_raw.find(in_memory(labelled(ORGANS)), label=label).layout for label in (None, "liver", "2")}
        assert len(layouts) == 3
        plain = nnunet_raw.find(in_memory(labelled({"background": 0, "lesion": 1})))
        assert (plain.layout, plain.notes) == ("nnU-Net raw dataset", ())

    @pytest.mark.parametrize("label", ["kidney", "background", "0", "ignore", "3", "-1"])
    def test_a_label_that_is_none_is_refused_with_those_there_are(self, labelled, in_memory, label):
        with pytest.raises(UserError, match=r"no foreground label '.*'; choose one of liver \(1\), tumour \(2\)"):
            nnunet_raw.find(in_memory(labelled(ORGANS)), label=label)

    @pytest.mark.parametrize("content", [b"{", b"[]", b'{"labels": {"a": "b"}}', b'{"labels": [1]}', b"\xff"])
    def test_a_damaged_description(self, labelled, in_memory, content):
        with pytest.raises(UserError, match=r"D/dataset\.json does not tell the labels"):
            nnunet_raw.find(in_memory(labelled({}) | {"D/dataset.json": content}))


class TestChannels:
    @pytest.fixture
    def colour(self, png):
        layers = np.random.default_rng(0).integers(0, 256, (4, 6, 8), dtype=np.uint8)
        mask = png(np.eye(6, 8, dtype=np.uint8))
        return layers, lambda *numbers: {
            "labelsTr/x.png": mask,
            **{f"imagesTr/x_{number:04d}.png": png(layers[number]) for number in numbers},
        }

    def test_three_are_red_green_and_blue(self, colour, in_memory, read):
        layers, write = colour
        dataset_files = nnunet_raw.find(in_memory(write(0, 1, 2)))
        case = read(dataset_files)["x_0000.png"]
        np.testing.assert_array_equal(case.image, np.moveaxis(layers[:3], 0, -1))
        assert len(dataset_files.case_files[0].files) == 4
        assert "red, green and blue" in dataset_files.notes[0]

    @pytest.mark.parametrize("numbers", [(0, 1), (0, 1, 2, 3), (0, 2)])
    def test_of_others_the_first_is_read_and_a_note_says_how_to_read_another(self, colour, in_memory, read, numbers):
        layers, write = colour
        files = in_memory(write(*numbers))
        dataset_files = nnunet_raw.find(files)
        np.testing.assert_array_equal(read(dataset_files)["x_0000.png"].image, layers[0])
        (note,) = dataset_files.notes
        channel = int(note.partition("--channel=")[2].split()[0])
        other = nnunet_raw.find(files, channel=channel)
        np.testing.assert_array_equal(read(other)["x_0000.png"].image, layers[channel])
        assert other.layout != dataset_files.layout

    def test_of_three_one_can_be_chosen(self, colour, in_memory, read):
        layers, write = colour
        case = read(nnunet_raw.find(in_memory(write(0, 1, 2)), channel=1))["x_0000.png"]
        np.testing.assert_array_equal(case.image, layers[1])

    def test_a_channel_that_is_not_there(self, colour, in_memory):
        with pytest.raises(UserError, match=r"no channel 5 \(_0005\); there are 0, 1"):
            nnunet_raw.find(in_memory(colour[1](0, 1)), channel=5)

    def test_channels_of_two_sizes_are_refused(self, colour, in_memory, read, png):
        files = colour[1](0, 1, 2) | {"imagesTr/x_0002.png": png(np.zeros((3, 3), np.uint8))}
        with pytest.raises(UserError, match=r"x_0002\.png is of shape \(3, 3\).*--channel=0"):
            read(nnunet_raw.find(in_memory(files)))
        read(nnunet_raw.find(in_memory(files), channel=0))

    def test_volumes_say_what_is_left_out(self, in_memory, read, nifti):
        volumes = [np.arange(24, dtype=np.int16).reshape(2, 3, 4) * sign for sign in (1, -1)]
        files = {f"imagesTr/a_000{index}.nii.gz": nifti(volume) for index, volume in enumerate(volumes)}
        files["labelsTr/a.nii.gz"] = nifti(np.ones((2, 3, 4), np.uint8))
        assert "--channel=1" in nnunet_raw.find(in_memory(files)).notes[0]
        first, second = (read(nnunet_raw.find(in_memory(files), channel=c))["a_slice000.png"].image for c in (0, 1))
        assert first[0, 0] < first[1, 2]
        assert second[0, 0] > second[1, 2]


class TestLabelsStoredInAnotherOrder:
    """The affines of image and labels say that the same voxels are stored in another order."""

    VOLUME = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
    INSIDE = (VOLUME % 7 == 0).astype(np.uint8)
    AFFINE = np.array([[1.5, 0, 0, -7], [0, 2, 0, 3], [0, 0, 3, 1], [0, 0, 0, 1]])

    def cut(self, in_memory, read, nifti, labels, label_affine):
        files = {
            "imagesTr/a_0000.nii.gz": nifti(self.VOLUME, self.AFFINE),
            "labelsTr/a.nii.gz": nifti(np.ascontiguousarray(labels), label_affine),
        }
        cases = read(nnunet_raw.find(in_memory(files))).values()
        return np.stack([case.mask == 255 for case in cases], axis=-1)

    @pytest.mark.parametrize("axis", [0, 1, 2])
    def test_reversed(self, in_memory, read, nifti, axis):
        step = np.eye(4)
        step[axis, axis], step[axis, 3] = -1, self.VOLUME.shape[axis] - 1
        masks = self.cut(in_memory, read, nifti, np.flip(self.INSIDE, axis), self.AFFINE @ step)
        np.testing.assert_array_equal(masks, self.INSIDE == 1)

    @pytest.mark.parametrize("axes", [(1, 0, 2), (2, 0, 1), (1, 2, 0)])
    def test_exchanged(self, in_memory, read, nifti, axes):
        step = np.eye(4)
        step[:3, :3] = np.eye(3)[:, list(axes)]
        masks = self.cut(in_memory, read, nifti, self.INSIDE.transpose(axes), self.AFFINE @ step)
        np.testing.assert_array_equal(masks, self.INSIDE == 1)

    @pytest.mark.parametrize("affine", [np.diag([1.0, 1, 1, 1]), np.diag([-1.0, -1, 1, 1]), np.diag([0.0, 1, 1, 1])])
    def test_an_affine_that_says_nothing_changes_nothing(self, in_memory, read, nifti, affine):
        np.testing.assert_array_equal(self.cut(in_memory, read, nifti, self.INSIDE, affine), self.INSIDE == 1)

    def test_rounding_is_no_other_place(self, in_memory, read, nifti):
        affine = self.AFFINE + np.random.default_rng(0).normal(0, 0.02, (4, 4)) * (np.arange(4)[:, None] < 3)
        np.testing.assert_array_equal(self.cut(in_memory, read, nifti, self.INSIDE, affine), self.INSIDE == 1)

    @pytest.mark.parametrize(
        "change",
        [
            pytest.param(np.diag([2.0, 1, 1, 1]), id="other voxels"),
            pytest.param(np.diag([-1.0, 1, 1, 1]), id="mirrored elsewhere"),
            pytest.param(np.eye(4) + np.outer([0, 1, 0, 0], [0, 0, 0, 2]), id="two voxels beside"),
            pytest.param(np.array([[1, -0.5, 0, 0], [0.5, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]]), id="turned"),
        ],
    )
    def test_labels_that_lie_elsewhere_are_refused(self, in_memory, read, nifti, change):
        with pytest.raises(UserError, match=r"labelsTr/a\.nii\.gz lies elsewhere than imagesTr/a_0000\.nii\.gz"):
            self.cut(in_memory, read, nifti, self.INSIDE, self.AFFINE @ change)


def test_a_series_of_one_volume(in_memory, read, nifti):
    volume = np.arange(24, dtype=np.int16).reshape(2, 3, 4, 1)
    files = {"imagesTr/a_0000.nii.gz": nifti(volume), "labelsTr/a.nii.gz": nifti((volume % 2).astype(np.uint8))}
    cases = read(nnunet_raw.find(in_memory(files)))
    assert [case.image.shape for case in cases.values()] == [(2, 3)] * 4


def test_values_that_are_no_numbers_are_called_so(in_memory, read, nifti):
    volume = np.full((2, 3, 4), np.nan, np.float32)
    files = {"imagesTr/a_0000.nii.gz": nifti(volume), "labelsTr/a.nii.gz": nifti(np.ones((2, 3, 4), np.uint8))}
    with pytest.raises(UserError, match=r"a_0000\.nii\.gz holds values that are not finite \(NaN or infinite\)"):
        read(nnunet_raw.find(in_memory(files)))


@pytest.mark.parametrize("orientation", ["study", "display"])
@pytest.mark.parametrize("axis", [0, 1])
def test_a_single_slice_is_one_case_whichever_axis_it_lies_along(in_memory, read, nifti, axis, orientation):
    values = np.arange(12, dtype=np.int16).reshape(3, 4)
    files = {
        "imagesTr/a_0000.nii.gz": nifti(np.expand_dims(values, axis)),
        "labelsTr/a.nii.gz": nifti(np.expand_dims((values % 3 == 0).astype(np.uint8), axis)),
    }
    (case,) = read(nnunet_raw.find(in_memory(files), orientation)).values()
    assert sorted(case.image.shape) == [3, 4]
    if orientation == "study":
        np.testing.assert_array_equal(case.mask == 255, values % 3 == 0)
    # The foreground lies where the image has multiples of three, however the slice was turned.
    restored = np.rint(case.image / 255 * 11 + 0.01).astype(int)
    np.testing.assert_array_equal(case.mask == 255, restored % 3 == 0)


class TestDepth:
    VOLUME = np.add.outer(np.arange(40), np.arange(50)).astype(np.int16)[..., None].repeat(3, axis=2) * 2

    def prepare(self, tmp_path, nifti, volume, depth=None):
        for folder, name, values in (("imagesTr", "a_0000", volume), ("labelsTr", "a", volume > 60)):
            (tmp_path / folder).mkdir(exist_ok=True)
            (tmp_path / folder / f"{name}.nii.gz").write_bytes(nifti(values.astype(np.int16)))
        out = tmp_path / f"{depth}.h5"
        reading = Reading(depth=depth)
        store = prepare_dataset("nnunet", tmp_path, out, reading=reading, progress=False)
        return np.stack([store.read(id).image for id in store.ids], axis=-1)

    def test_a_hot_voxel_is_told_and_percentiles_leave_it_out(self, tmp_path, nifti):
        volume = self.VOLUME.copy()
        volume[0, 0, 0] = 30000
        with pytest.warns(ReadingWarning, match=r"have 3 grey levels or fewer.*--depth percentiles"):
            assert len(np.unique(self.prepare(tmp_path, nifti, volume))) == 3
        assert len(np.unique(self.prepare(tmp_path, nifti, volume, "percentiles:0.5,99.5"))) > 80

    def test_a_window_holds_for_all_slices(self, tmp_path, nifti):
        read = self.prepare(tmp_path, nifti, self.VOLUME * 10 - 1000, "window:-1000,780")
        np.testing.assert_array_equal(read, np.round(self.VOLUME / 178 * 255))

    def test_percentiles_are_those_of_the_whole_volume(self, tmp_path, nifti):
        volume = self.VOLUME.copy()
        volume[..., 1] //= 2
        read = self.prepare(tmp_path, nifti, volume, "percentiles:0,100")
        assert [int(pixels.max()) for pixels in np.moveaxis(read, 2, 0)] == [255, 128, 255]

    def test_what_is_not_as_it_says_is_refused(self, tmp_path, nifti):
        with pytest.raises(UserError, match=r"a_0000\.nii\.gz has values from -5 to 171, --depth 8 is for 0 to 255"):
            self.prepare(tmp_path, nifti, self.VOLUME - 5, 8)

    def test_pictures_are_scaled_too(self, tmp_path):
        for folder, name in (("imagesTr", "a_0000"), ("labelsTr", "a")):
            (tmp_path / folder).mkdir()
            pixels = self.VOLUME[..., 0].astype(np.uint16) * 20
            Image.fromarray(pixels if name != "a" else (pixels > 900).astype(np.uint8)).save(
                tmp_path / folder / f"{name}.png"
            )
        store = prepare_dataset("nnunet", tmp_path, tmp_path / "a.h5", reading=Reading(depth=12), progress=False)
        np.testing.assert_array_equal(store.read("a_0000.png").image, np.round(self.VOLUME[..., 0] * (20 * 255 / 4095)))

    def test_other_options_for_pixels_and_other_layouts_are_refused(self, tmp_path):
        (tmp_path / "x").mkdir()
        (tmp_path / "x" / "a.png").touch()
        for name, reading in (("nnunet", Reading(exif="turn")), ("umd", Reading(depth=12))):
            with pytest.raises(UserError, match="--depth for data prepare nnunet, too"):
                prepare_dataset(name, tmp_path / "x", tmp_path / "a.h5", reading=reading)
