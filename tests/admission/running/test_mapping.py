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
    return {
        str(path): f"{part} {kind}".strip() for path, kind, part in plan.shown if "/admission/cases" not in str(path)
    }


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
    assert [(str(path), kind) for path, kind, _ in found.shown[2:]] == [
        (f"{SCRIPTS}/data/all", "images"),
        (f"{SCRIPTS}/data/all", "masks"),
    ]


class TestDivided:
    """Folders for parts, each with the cases of that part only."""

    def kinds(self, *folders):
        words = {"training": "train", "validation": "val"}
        return {
            f"{SCRIPTS}/{folder.replace('PART', word)}": f"{part} {kind}"
            for part, word in words.items()
            for folder, kind in zip(folders, ("images", "masks"), strict=True)
        }

    @pytest.mark.parametrize(
        ("text", "folders"),
        [
            (
                "a, b = Data('data/train'), Data('data/val')\np = os.path.join(root, 'images', n)",
                ("data/PART/images", "data/PART/masks"),
            ),
            (
                "x = 'data/train/imgs'\nm = 'data/train/labels'\ny = 'data/val/imgs'\nn = 'data/val/labels'",
                ("data/PART/imgs", "data/PART/labels"),
            ),
            (
                "A = 'd/train_images/'\nB = 'd/train_masks/'\nC = 'd/val_images/'\nD = 'd/val_masks/'\n"
                "folder = 'saved_images/'",
                ("d/PART_images", "d/PART_masks"),
            ),
            (
                "data_dir = 'data'\nfor phase in ('train', 'val'):\n    x = os.path.join(data_dir, 'images', phase)\n"
                "    m = os.path.join(data_dir, 'masks', phase)",
                ("data/images/PART", "data/masks/PART"),
            ),
            (
                "root = pathlib.Path('./data')\na = list((root / 'train' / 'imgs').glob('*'))\n"
                "b = list((root / 'train' / 'gt').glob('*'))\nc = root / 'val/imgs'",
                ("data/PART/imgs", "data/PART/gt"),
            ),
            (
                "data_dir = './d'\ndef load(mode='train'):\n    return os.listdir(f'{data_dir}/{mode}/images')\n"
                "load('val')",
                ("d/PART/images", "d/PART/masks"),
            ),
        ],
    )
    def test_each_part_is_seen_where_it_is_asked_for(self, plan, text, folders):
        assert shown(plan(f"import os, pathlib\n{text}")) == self.kinds(*folders)

    def test_side_by_side(self, plan):
        found = plan("import os\nos.listdir('data/train')\nos.listdir('data/val')\nx = '%03d_mask.png'")
        assert [(each.text, each.part, each.shows) for each in found.mapped] == [
            ("data/train", "training", "images and masks"),
            ("data/val", "validation", "images and masks"),
        ]

    def test_what_lies_beside_a_test_part_is_for_learning(self, plan):
        paths = (
            "image_dir = 'd/images'\nmask_dir = 'd/masks'\ntest_images = 'd/test/images'\nval_images = 'd/val/images'"
        )
        assert shown(plan(paths)) == {
            f"{SCRIPTS}/d/images": "training images",
            f"{SCRIPTS}/d/masks": "training masks",
            f"{SCRIPTS}/d/test/images": "test images",
            f"{SCRIPTS}/d/val/images": "validation images",
        }

    @pytest.mark.parametrize(
        "text",
        [
            "image_dir = 'data/train/images'\nmask_dir = 'data/train/masks'",  # one part is the whole
            "image_dir = 'd/images'\nmask_dir = 'd/masks'\nsave_dir = 'out/test'\nlog = os.path.join('runs', 'val')",
            "image_dir = 'd/images'\nmask_dir = 'd/masks'\na_dir = './figures/train'\nb_dir = './predictions/test'",
            "image_dir = '/home/me/train_unet/images'\nmask_dir = '/home/me/train_unet/masks'\nmode = 'test'",
        ],
    )
    def test_one_folder_for_all(self, plan, text):
        assert set(shown(plan(f"import os\n{text}")).values()) == {"images", "masks"}

    def test_demanded_arguments(self, plan):
        found = plan("p.add_argument('--train-dir', required=True)\np.add_argument('val')\np.add_argument('out')")
        assert found.arguments == (
            *("--train-dir", "/admission/work/data/training", "/admission/work/data/validation"),
            "/admission/work/results",
        )
        assert shown(found) == {
            "/admission/work/data/training": "training masks",
            "/admission/work/data/validation": "validation masks",
        }


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
