from __future__ import annotations

import cv2
import numpy as np
import pytest
from PIL import Image

from llmseg.data.pixels import read_image, read_mask
from llmseg.data.reading import Reading
from llmseg.errors import UserError

RANDOM = np.random.default_rng(0)
GREY = RANDOM.integers(0, 256, (7, 9), dtype=np.uint8)
RGB = RANDOM.integers(0, 256, (7, 9, 3), dtype=np.uint8)
ALPHA = RANDOM.integers(0, 256, (7, 9, 1), dtype=np.uint8)
BINARY = np.where(GREY > 127, 255, 0).astype(np.uint8)


@pytest.fixture
def save(tmp_path):
    def write(image: Image.Image | np.ndarray, name: str = "a.png", **options):
        path = tmp_path / name
        (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(path, **options)
        return path

    return write


class TestImage:
    @pytest.mark.parametrize("extension", ["png", "tif", "tiff", "bmp"])
    @pytest.mark.parametrize("pixels", [GREY, RGB], ids=["grey", "rgb"])
    def test_lossless_files(self, save, extension, pixels):
        found = read_image(save(pixels, f"a.{extension}"))
        np.testing.assert_array_equal(found, pixels)
        assert found.dtype == np.uint8

    @pytest.mark.parametrize("pixels", [GREY, RGB], ids=["grey", "rgb"])
    def test_jpeg(self, save, pixels):
        path = save(pixels, "a.jpg")
        found = read_image(path)
        assert found.shape == pixels.shape
        np.testing.assert_array_equal(found, np.asarray(Image.open(path)))

    def test_alpha_is_dropped_not_blended(self, save):
        rgba = np.concatenate([RGB, ALPHA], axis=2)
        np.testing.assert_array_equal(read_image(save(rgba)), RGB)
        la = Image.merge("LA", [Image.fromarray(GREY), Image.fromarray(ALPHA[..., 0])])
        np.testing.assert_array_equal(read_image(save(la)), GREY)

    def test_palette_becomes_the_colours_it_means(self, save):
        image = Image.fromarray(GREY % 4, mode=None).convert("P")
        image = Image.frombytes("P", image.size, (GREY % 4).tobytes())
        colours = RANDOM.integers(0, 256, (4, 3), dtype=np.uint8)
        image.putpalette(colours.tobytes())
        np.testing.assert_array_equal(read_image(save(image)), colours[GREY % 4])

    def test_a_gif_of_greys_is_a_palette_file_and_gives_equal_channels(self, save):
        np.testing.assert_array_equal(read_image(save(GREY, "a.gif")), np.stack([GREY] * 3, axis=-1))

    def test_first_frame_of_an_animation(self, save):
        second = Image.fromarray(255 - GREY)
        path = save(GREY, "a.gif", save_all=True, append_images=[second])
        np.testing.assert_array_equal(read_image(path), np.stack([GREY] * 3, axis=-1))

    def test_one_bit(self, save):
        np.testing.assert_array_equal(read_image(save(Image.fromarray(BINARY).convert("1"))), BINARY)

    @pytest.mark.parametrize("extension", ["png", "tif"])
    def test_sixteen_bit_keeps_order_and_range(self, tmp_path, extension):
        deep = RANDOM.integers(0, 65536, (7, 9)).astype(np.uint16)
        deep[0, 0], deep[0, 1] = 0, 65535
        path = tmp_path / f"a.{extension}"
        assert cv2.imwrite(str(path), deep)
        found = read_image(path)
        assert (found.dtype, found.shape) == (np.uint8, (7, 9))
        assert (found[0, 0], found[0, 1]) == (0, 255)
        assert np.abs(found.astype(float) * 257 - deep).max() <= 257 / 2

    @pytest.mark.parametrize("pixels", [GREY, RGB], ids=["grey", "rgb"])
    def test_eight_bit_values_times_257_come_back(self, tmp_path, pixels):
        path = tmp_path / "a.png"
        deep = pixels.astype(np.uint16) * 257
        assert cv2.imwrite(str(path), deep if deep.ndim == 2 else deep[..., ::-1])
        np.testing.assert_array_equal(read_image(path), pixels)

    def test_cmyk_becomes_rgb(self, save):
        image = Image.fromarray(RGB).convert("CMYK")
        found = read_image(save(image, "a.tif"))
        np.testing.assert_array_equal(found, np.asarray(image.convert("RGB")))

    def test_rotation_flag_is_ignored(self, save):
        exif = Image.Exif()
        exif[0x0112] = 6
        np.testing.assert_array_equal(read_image(save(GREY, exif=exif)), GREY)

    @pytest.mark.parametrize(("value", "word"), [(np.nan, "not finite"), (-1.0, "from -1 to 1"), (70000.0, "to 70000")])
    def test_values_out_of_range(self, save, value, word):
        values = np.full((2, 2), 1.0, np.float32)
        values[0, 0] = value
        with pytest.raises(UserError, match=word):
            read_image(save(values, "a.tif"))


class TestMask:
    @pytest.mark.parametrize("extension", ["png", "tif", "bmp", "gif"])
    def test_binary(self, save, extension):
        np.testing.assert_array_equal(read_mask(save(BINARY, f"a.{extension}")), BINARY)

    @pytest.mark.parametrize("mode", ["1", "L", "LA", "RGB", "RGBA", "P"])
    def test_binary_in_every_mode(self, save, mode):
        np.testing.assert_array_equal(read_mask(save(Image.fromarray(BINARY).convert(mode))), BINARY)

    def test_colour_becomes_grey_as_pillow_does_it(self, save):
        path = save(RGB)
        np.testing.assert_array_equal(read_mask(path), np.asarray(Image.open(path).convert("L")))

    def test_grey_values_are_kept(self, save):
        np.testing.assert_array_equal(read_mask(save(GREY)), GREY)

    @pytest.mark.parametrize("largest", [255, 65535])
    def test_sixteen_bit(self, tmp_path, largest):
        path = tmp_path / "a.png"
        cv2.imwrite(str(path), (BINARY > 0).astype(np.uint16) * largest)
        np.testing.assert_array_equal(read_mask(path), BINARY)

    def test_empty_mask(self, save):
        assert not read_mask(save(np.zeros((3, 4), np.uint8))).any()

    @pytest.mark.parametrize("largest", [1, 3, 127])
    def test_labels_are_refused_with_the_value_to_give(self, save, largest):
        values = np.zeros((4, 4), np.uint8)
        values[0, 0], values[0, 1] = largest, largest // 2
        path = save(values)
        with pytest.raises(UserError, match=f"--foreground {largest}"):
            read_mask(path)
        assert np.array_equal(read_mask(path, Reading(largest)) == 255, values == largest)

    def test_labels_in_sixteen_bit(self, tmp_path):
        path = tmp_path / "a.png"
        cv2.imwrite(str(path), np.array([[0, 1], [2, 3]], np.uint16))
        with pytest.raises(UserError, match="--foreground 3"):
            read_mask(path)
        assert read_mask(path, Reading(2)).tolist() == [[0, 0], [255, 0]]

    @pytest.mark.parametrize("foreground", [0, 1, 2])
    def test_foreground_of_a_palette_is_its_index(self, save, foreground):
        indices = GREY % 3
        image = Image.frombytes("P", indices.shape[::-1], indices.tobytes())
        image.putpalette([0, 0, 0, 200, 0, 0, 0, 200, 0])
        found = read_mask(save(image), Reading(foreground))
        np.testing.assert_array_equal(found == 255, indices == foreground)
        assert set(np.unique(found)) <= {0, 255}

    def test_foreground_that_does_not_occur_gives_an_empty_mask(self, save):
        assert not read_mask(save(BINARY), Reading(7)).any()


@pytest.mark.parametrize("read", [read_image, read_mask])
class TestDamaged:
    @pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
    @pytest.mark.parametrize("extension", ["png", "jpg", "tif", "bmp"])
    def test_truncated(self, save, read, share, extension):
        path = save(RANDOM.integers(0, 256, (64, 64), dtype=np.uint8), f"a.{extension}")
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * share)])
        with pytest.raises(UserError, match=rf"a\.{extension} .*replace it or move it away"):
            read(path)

    @pytest.mark.parametrize("content", [b"", b"hello", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"II*\0"])
    def test_no_image_inside(self, tmp_path, read, content):
        path = tmp_path / "a.png"
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"a\.png .*replace it or move it away"):
            read(path)

    def test_missing(self, tmp_path, read):
        with pytest.raises(UserError, match="cannot be read"):
            read(tmp_path / "a.png")
