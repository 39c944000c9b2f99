from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from llmseg import UserError
from llmseg.admission.prompt import Prompt
from llmseg.admission.running import Layout, read_layout
from llmseg.admission.running.layout import lay_out


@pytest.fixture
def read(tmp_path):
    """A function that reads the layout from a script."""

    def read(text):
        (tmp_path / "main.py").write_text(text)
        return read_layout(tmp_path)

    return read


@pytest.mark.parametrize(
    ("text", "image", "mask"),
    [
        ("name = f.replace('.png', '_mask.png')", "1.png", "1_mask.png"),
        ("mask = f'{stem}_segmentation.png'", "1.png", "1_segmentation.png"),
        ("mask_suffix = '-label'\nf.endswith('.tif')", "1.tif", "1-label.tif"),
        ("glob('*.jpg')\nstem + '_seg0.png'", "1.jpg", "1_seg0.png"),
        ("f.endswith(('.png', '.jpg', '.jpeg'))", "1.png", "1.png"),
        ("plt.savefig('loss.jpg')\nimages = 'images'\nmasks = 'masks'", "1.png", "1.png"),
        ("print('mask')\nlabels = ['_masks']", "1.png", "1.png"),
        ("mask_suffix = ''\nname.endswith('_seg.png')", "1.png", "1.png"),
        ("def __init__(self, image_mask_suffix='_fg.bmp'): ...\nx = '.jpg'", "1.jpg", "1_fg.bmp"),
        (f"# {Prompt(names='*.bmp,*_gt.png').stamp}\nx = '_mask.png'", "1.bmp", "1_gt.png"),
    ],
)
def test_names(read, text, image, mask):
    layout = read(text)
    assert (layout.image_name("1"), layout.mask_name("1")) == (image, mask)


@pytest.mark.parametrize(
    ("text", "folders"),
    [
        ("import os\na = os.path.join(root, 'imgs')\nb = os.path.join(root, 'labels')", ("imgs", "labels")),
        ("a = root / 'images'", ("images", "masks")),
        ("a = sorted(os.listdir(root))", ("", "")),
    ],
)
def test_folders_below_one_with_all_data(read, text, folders):
    layout = read(text)
    assert (layout.image_folder, layout.mask_folder) == folders


@pytest.mark.parametrize(("text", "channels"), [("i.convert('RGB')", 3), ("i.convert('L')", 1), ("x = 'RGB'", 1)])
def test_channels(read, text, channels):
    assert read(text).channels == channels


class TestLayOut:
    @pytest.fixture
    def cases(self, tmp_path):
        for kind, name in (("images", "1.png"), ("masks", "1_seg.png")):
            (tmp_path / "cases" / kind).mkdir(parents=True)
            Image.fromarray(np.full((4, 6), 9, np.uint8)).save(tmp_path / "cases" / kind / name)
        (tmp_path / "copies").mkdir()
        return tmp_path / "cases"

    def test_what_has_its_names_is_not_copied(self, cases, tmp_path):
        folders = lay_out(cases, Layout(), tmp_path / "copies")
        assert folders == {"images": cases / "images", "masks": cases / "masks"}

    def test_other_names(self, cases, tmp_path):
        folders = lay_out(cases, Layout(".tif", "_mask", ".png"), tmp_path / "copies")
        assert [path.name for path in folders["images"].iterdir()] == ["1.tif"]
        assert [path.name for path in folders["masks"].iterdir()] == ["1_mask.png"]
        with Image.open(folders["images"] / "1.tif") as image:
            assert (image.format, image.size, image.getpixel((0, 0))) == ("TIFF", (6, 4), 9)

    @pytest.mark.parametrize("kept", [0, 8, 45])
    def test_a_damaged_file_stays_damaged(self, cases, tmp_path, kept):
        source = cases / "images" / "1.png"
        source.write_bytes(source.read_bytes()[:kept])
        folders = lay_out(cases, Layout(".jpg"), tmp_path / "copies")
        assert (folders["images"] / "1.jpg").read_bytes() == source.read_bytes()

    def test_a_mask_without_its_image(self, cases, tmp_path):
        (cases / "masks" / "1_seg.png").rename(cases / "masks" / "1.png")
        with pytest.raises(UserError, match=r"masks are named after their images, such as masks/001_seg\.png"):
            lay_out(cases, Layout(), tmp_path / "copies")

    def test_a_folder_without_cases(self, tmp_path):
        with pytest.raises(UserError, match="holds images/ and masks/"):
            lay_out(tmp_path, Layout(), tmp_path)
