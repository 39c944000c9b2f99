from __future__ import annotations

import pytest

from llmseg.admission.hard_coded_paths import find_demanded_arguments, find_paths
from llmseg.admission.running.layout import read_layout
from llmseg.admission.running.mapping import plan_paths
from llmseg.admission.scripts import read_scripts

SCRIPTS = "/admission/work/a/b/c/scripts"


@pytest.fixture
def plan(tmp_path):
    """A function that plans the paths of a script."""

    def plan(text, epochs=None):
        (tmp_path / "main.py").write_text(text)
        scripts = read_scripts(tmp_path)
        return plan_paths(find_paths(scripts), find_demanded_arguments(scripts), read_layout(scripts), epochs)

    return plan


def shown(plan):
    return {str(path): kind for path, kind in plan.shown if "/admission/cases" not in str(path)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "image_dir = '/content/images'\nmask_dir = 'masks/'",
            {"/content/images": "images", f"{SCRIPTS}/masks": "masks"},
        ),
        (
            "image_dir = '../data/images'\nmask_dir = '~/masks'",
            {"/admission/work/a/b/c/data/images": "images", "/admission/work/home/masks": "masks"},
        ),
        (
            "import os\ndata_root = './d'\ni = os.path.join(data_root, 'imgs')\nm = os.path.join(data_root, 'gt')",
            {f"{SCRIPTS}/d/imgs": "images", f"{SCRIPTS}/d/gt": "masks"},
        ),
        (
            "data_root = './d'\nimage_dir = './d/x'\nm = data_root / 'masks'",
            {f"{SCRIPTS}/d/x": "images", f"{SCRIPTS}/d/masks": "masks"},
        ),
        (
            "import os\npath = 'C:/x/data'\nmask_path = 'C:/x/gt'\nsave_path = 'out'\n"
            "train_images = os.path.join(save_path, 'train', 'images')",
            {f"{SCRIPTS}/C:/x/data": "images", f"{SCRIPTS}/C:/x/gt": "masks"},
        ),
        ("save_dir = '/kaggle/working/out'\nlabel_file = '/kaggle/labels.csv'", {}),
    ],
)
def test_what_is_seen_where(plan, text, expected):
    assert shown(plan(text)) == expected


def test_images_and_masks_in_one_folder(plan):
    found = plan("image_dir = 'data/all'")
    assert found.mapped[0].shows == "images and masks"
    assert [(str(path), kind) for path, kind in found.shown[2:]] == [
        (f"{SCRIPTS}/data/all", "images"),
        (f"{SCRIPTS}/data/all", "masks"),
    ]


def test_folders_that_can_be_written_to(plan):
    found = plan("image_dir = '/content/d/images'\nsave_dir = '/content/d/out'\nlog_dir = '/logs'\nx = '/etc/passwd'")
    assert [str(anchor) for anchor in found.anchors] == ["/admission/work", "/logs", "/content/d"]
    assert [each.shows for each in found.mapped] == ["images and masks", "folder", "folder", "nothing"]


def test_demanded_arguments_are_given(plan):
    found = plan(
        "p.add_argument('--image-dir', required=True)\np.add_argument('masks')\np.add_argument('out')\n"
        "p.add_argument('--epochs', type=int, required=True)\nx = '_mask.png'\n"
        "p.add_argument('--mask_suffix', required=True)",
        epochs=3,
    )
    assert found.arguments == (
        *("--image-dir", "/admission/cases/images", "/admission/cases/masks", "/admission/work/results"),
        *("--epochs", "3", "--mask_suffix", "_mask"),
    )
