from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from llmseg.admission.prompt import Prompt
from llmseg.admission.running import Layout, read_layout
from llmseg.admission.running.layout import list_layouts
from llmseg.admission.scripts import read_scripts


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


@pytest.mark.parametrize(
    ("text", "channels"),
    [
        ("i.convert('RGB')", 3),
        ("i.convert('L')", 1),
        ("x = 'RGB'", 1),
        ("i = io.imread(path)[..., :3]", 3),
        ("i = pixels[:, :, :3]", 3),
        ("i = pixels[..., :3].mean(axis=-1)", 1),
        ("i = color.rgb2gray(pixels[..., :3])", 1),
        ("i = pixels[:, :3]", 1),
        ("def make(in_channels=3): ...", 3),
        ("def make(in_channels=3): ...\nnet = make(in_channels=1)", 1),
    ],
)
def test_channels(read, text, channels):
    assert read(text).channels == channels


@pytest.mark.parametrize(
    ("text", "channels"),
    [("T.Normalize([0.5, 0.5, 0.5], [1, 1, 1])", 3), ("A.Normalize(mean=(0.5,), std=(0.5,))", 1)],
)
def test_channels_by_their_means(read, text, channels):
    assert read(text).channels == channels


def test_a_name_that_is_filled_in(read):
    layout = read("img, mask = root + '%03d.bmp' % i, root + '%03d_mask.png' % i")
    assert (layout.image_name("1"), layout.mask_name("1")) == ("1.bmp", "1_mask.png")


def test_folders_of_parts_are_tried_first_and_then_one_for_all(tmp_path):
    (tmp_path / "main.py").write_text("x, y = Data('data/train'), Data('data/test')", encoding="utf-8")
    first, second, *_ = list_layouts(read_scripts(tmp_path))
    assert (first.parts, second.parts) == (("training", "test"), ())


def test_a_layout_from_json_is_the_same():
    layout = Layout(parts=("training", "test"), part_folders=("train", "test"), first_number=0)
    assert Layout(**json.loads(json.dumps(asdict(layout)))) == layout


def test_cases_that_are_counted_are_counted_in_each_part():
    layout = Layout(parts=("training", "validation"), first_number=1, digits=2)
    called = layout.divide([f"{number:03d}" for number in range(1, 11)])
    assert called["001"] == ("training", "01")
    assert called["008"] == ("training", "08")
    assert [called[id] for id in ("009", "010")] == [("validation", "01"), ("validation", "02")]
    assert Layout(first_number=0).divide(["002", "001"]) == {"001": ("", "000"), "002": ("", "001")}
