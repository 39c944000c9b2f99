"""Each requirement is seen to be met, and seen not to be, by one change of a pipeline that meets all."""

from __future__ import annotations

import os
import re

import pytest

from llmseg import UserError
from llmseg.admission import REQUIREMENTS, Prompt, check_requirements
from llmseg.admission.prompt.check import CHECKS
from llmseg.admission.prompt.checks.source import Source
from llmseg.admission.scripts import read_scripts

SOUND = "alder"
ONLY_A_RUN_TELLS = {
    "runs-unchanged",
    "pairs-by-name",
    "tensor-shapes",
    "one-output-channel",
    "no-leakage",
    "copied-parts",
    "training-loss-file",
    "validation-loss-file",
    "validation-dice-file",
    "test-dice-file",
    "right-predictions",
}

# What is changed, and what the check then says: the requirement, its state, and a word of the note.
CHANGES = [
    (
        "quiet-imports",
        "model.py",
        "import torch.nn as nn",
        "import torch.nn as nn\nprint('loaded')",
        "not met",
        "imported",
    ),
    ("quiet-imports", "train.py", 'matplotlib.use("Agg")', "prepare_things()", "cannot be seen", "calls"),
    ("quiet-imports", "main.py", 'if __name__ == "__main__":', "if True:", "not met", "imported"),
    (
        "framework",
        "model.py",
        "import torch.nn as nn",
        "import torch.nn as nn\nimport tensorflow as tf",
        "not met",
        "tensorflow",
    ),
    (
        "framework",
        "model.py",
        "import torch.nn as nn",
        "import torch.nn as nn\nimport mylib",
        "cannot be seen",
        "mylib",
    ),
    ("runs-unchanged", "main.py", "from model import UNet", "from model import UNet, Missing", "not met", "Missing"),
    (
        "one-place-for-settings",
        "main.py",
        "    batch_size = 4\n",
        "    from train import batch_size\n",
        "cannot be seen",
        "batch",
    ),
    (
        "only-images-read",
        "dataset.py",
        'extension.lower() != ".png"',
        "extension.lower() not in ('.png', '.jpg')",
        "not met",
        "other",
    ),
    ("only-images-read", "dataset.py", 'extension.lower() != ".png" or ', "", "not met", "all files"),
    (
        "dataset-class",
        "dataset.py",
        "class SegmentationDataset(Dataset)",
        "class SegmentationDataset",
        "not met",
        "no class",
    ),
    (
        "dataset-class",
        "dataset.py",
        "torch.from_numpy(image)[None], torch.from_numpy(mask)[None], os.path.basename(image_path)",
        "self.pair()",
        "cannot be seen",
        "yields",
    ),
    (
        "no-augmentation",
        "dataset.py",
        "        size = (self",
        "        if random.random() < 0.5:\n            pass\n        size = (self",
        "not met",
        "random",
    ),
    (
        "no-augmentation",
        "dataset.py",
        "        size = (self",
        "        v2.RandomHorizontalFlip()\n        size = (self",
        "not met",
        "random",
    ),
    ("unet-class", "model.py", "nn.MaxPool2d(2)", "Shrink(2)", "cannot be seen", "reduces"),
    ("one-output-channel", "main.py", "out_channels=1", "out_channels=2", "not met", "2 output"),
    (
        "output-fits-loss",
        "model.py",
        "return self.head(x)",
        "return torch.sigmoid(self.head(x))",
        "not met",
        "the network and the loss",
    ),
    ("split", "dataset.py", "test_size=0.2", "test_size=0.3", "not met", "70 / 15 / 15"),
    ("split", "dataset.py", "test_size=0.2", "test_size=share", "cannot be seen", "large"),
    (
        "split",
        "dataset.py",
        "train_test_split(rest, test_size=0.5, random_state=seed, shuffle=True)",
        "rest[:2], rest[2:]",
        "cannot be seen",
        "large",
    ),
    (
        "split",
        "dataset.py",
        "train_test_split(pairs, test_size=0.2, random_state=seed, shuffle=True)",
        "train_test_split(pairs, test_size=0.2, shuffle=False)",
        "not met",
        "shuffled",
    ),
    (
        "no-leakage",
        "main.py",
        '    print(f"Batches',
        '    val_loader = make(test_loader)\n    print(f"Batches',
        "not met",
        "test cases",
    ),
    ("printed-counts", "main.py", '{len(test_pairs)} test")', 'test")', "cannot be seen", "test"),
    ("three-loaders", "main.py", "{len(val_loader)} val, ", "", "cannot be seen", "validation"),
    ("own-settings", "main.py", "torch.optim.Adam(", "make_optimizer(", "cannot be seen", "optimizer"),
    ("separate-functions", "train.py", "def test(", "def final_numbers(", "not met", "test"),
    ("losses-every-epoch", "main.py", "        val_losses.append(val_loss)\n", "", "cannot be seen", ""),
    ("training-loss-file", "main.py", '"train_losses.xlsx"', '"training.xlsx"', "not met", "train_losses.xlsx"),
    (
        "training-loss-file",
        "train.py",
        "table.to_excel(path, header=False, index=False)",
        "table.to_excel(path)",
        "cannot be seen",
        "",
    ),
    ("validation-loss-file", "main.py", '"val_losses.xlsx"', '"val.xlsx"', "not met", "val_losses.xlsx"),
    (
        "validation-dice-file",
        "main.py",
        'save_scores(val_dices, os.path.join(save_dir, "validation_dice_scores.xlsx"))',
        'pd.DataFrame(val_dices).to_excel(save_dir + "/validation_dice_scores.xlsx")',
        "not met",
        "header",
    ),
    ("test-dice-file", "main.py", '"test_dice_scores.xlsx"', '"test.xlsx"', "not met", "test_dice_scores.xlsx"),
    (
        "progress-bars",
        "train.py",
        'tqdm(loader, desc=f"After epoch {epochs} [test]")',
        "loader",
        "cannot be seen",
        "test",
    ),
    (
        "weight-files",
        "train.py",
        '    torch.save(model, os.path.join(save_dir, "model_full.pth"))\n',
        "",
        "not met",
        "state dictionaries",
    ),
    ("training-time", "main.py", "time.time() - start", "0.0", "not met", "not measured"),
    ("loss-curves", "train.py", "    plt.savefig(path)\n", "", "cannot be seen", ""),
    ("predictions-picture", "train.py", "plt.subplots(5, 3,", "plt.subplots(rows, 3,", "cannot be seen", "titles"),
    ("predictions-picture", "train.py", 'set_title(f"{title}\\n{name}")', 'set_title("image")', "not met", "file"),
    (
        "model-summary",
        "main.py",
        "        summary(model, input_size=(1, 1, image_size, image_size))",
        "        print(model)",
        "not met",
        "torchinfo",
    ),
    ("parameter-count", "main.py", "p.numel()", "1", "not met", "counted"),
    (
        "no-windows",
        "train.py",
        "    plt.savefig(path)\n",
        "    plt.savefig(path)\n    plt.show()\n",
        "not met",
        "window",
    ),
    (
        "usable-functions",
        "train.py",
        "    model.train()\n",
        "    global device\n    model.train()\n",
        "not met",
        "global",
    ),
]


def states(folder, prompt=None):
    return {each.requirement.id: each for each in check_requirements(folder, prompt).compliances}


def test_every_requirement_has_a_check():
    assert list(CHECKS) == [each.id for each in REQUIREMENTS]


def test_a_pipeline_that_meets_all(copy_sample):
    found = states(copy_sample(SOUND))
    assert {id for id, each in found.items() if each.state == "not met"} == set()
    assert {id for id, each in found.items() if each.state == "cannot be seen"} == ONLY_A_RUN_TELLS


@pytest.mark.parametrize(("id", "file", "old", "new", "state", "word"), CHANGES)
def test_a_change(copy_sample, id, file, old, new, state, word):
    found = CHECKS[id](Source(read_scripts(copy_sample(SOUND, (file, old, new))), Prompt()))
    assert (found.state, word in found.note) == (state, True), found.note


def test_places_are_those_of_the_text(copy_sample):
    folder = copy_sample(SOUND)
    for each in states(folder).values():
        assert len(each.places) <= 4
        for place in each.places:
            file, _, line = place.partition(":")
            assert 1 <= int(line) <= len((folder / file).read_text().splitlines())
    split = states(folder)["split"]
    lines = (folder / "dataset.py").read_text().splitlines()
    assert all("train_test_split(" in lines[int(place.partition(":")[2]) - 1] for place in split.places)


@pytest.mark.parametrize(("name", "state"), [("cedar", "cannot be seen"), ("cypress", "not met")])
def test_pairs_by_position_in_listings_without_order(copy_sample, name, state):
    assert states(copy_sample(name))["pairs-by-name"].state == state


def test_masks_that_are_looked_up_for_each_image(copy_sample):
    """Two listings in one function are no pairing by position, as each holds the file of one case."""
    old = '    mask_paths = glob(os.path.join(mask_folder, "*.png"))\n'
    new = '    mask_paths = [glob(os.path.join(mask_folder, name + "*"))[0] for name in sorted(image_paths)]\n'
    assert states(copy_sample("cypress", ("dataset.py", old, new)))["pairs-by-name"].state == "cannot be seen"


def test_the_loss_may_be_a_function_of_any_name(copy_sample):
    found = states(copy_sample("spruce"))["small-foreground"]
    assert (found.state, any(place.startswith("train.py:") for place in found.places)) == ("met", True)
    edit = ("train.py", "return bce(logits, y) + 1 - soft_iou(logits, y)", "return bce(logits, y)")
    assert states(copy_sample("walnut", edit))["small-foreground"].state == "not met"


def test_names_of_files_may_be_put_together(copy_sample):
    assert states(copy_sample("oak"))["training-loss-file"].state == "cannot be seen"
    edit = ("main.py", "('train_losses', [", "('all_train_losses', [")
    assert states(copy_sample("olive", edit))["training-loss-file"].state == "not met"


def test_files(copy_sample):
    folder = copy_sample(SOUND)
    (folder / "utils.py").write_text("x = 1\n")
    found = states(folder)["four-files"]
    assert (found.state, found.places) == ("not met", ("utils.py:1",))
    (folder / "utils.py").unlink()
    (folder / "train.py").unlink()
    assert "train.py" in states(folder)["four-files"].note


class TestPrompts:
    def test_the_stamp_says_what_was_asked_for(self, copy_sample):
        folder = copy_sample(SOUND)
        assert check_requirements(folder).traced is None
        prompt = Prompt(size=128)
        (folder / "main.py").write_text(f"# {prompt.stamp}\n{(folder / 'main.py').read_text()}")
        checked = check_requirements(folder)
        assert (checked.prompt, checked.traced.is_current) == (prompt, True)
        own = next(each for each in checked.compliances if each.requirement.id == "own-settings")
        assert (own.state, own.note) == ("not met", "images are resized to 64, not to 128")
        # What is given counts more than the stamp.
        assert states(folder, Prompt(size=64))["own-settings"].state == "met"

    def test_colour(self, copy_sample):
        found = states(copy_sample(SOUND), Prompt(channels=3))["tensor-shapes"]
        assert (found.state, found.note) == ("not met", "files are read with 1 channels")

    def test_options_that_another_place_holds(self, copy_sample):
        edit = ("train.py", "table.to_excel(path, header=False, index=False)", "table.to_excel(path, **PLAIN)")
        assert states(copy_sample(SOUND, edit))["training-loss-file"].state == "cannot be seen"
        edits = [
            ("train.py", f'{kind}.xlsx"), index=False)', f'{kind}.xlsx"), **PLAIN)')
            for kind in ("validation_dice_scores", "test_dice_scores")
        ]
        found = states(copy_sample("cedar", *edits))
        assert found["validation-dice-file"].state == found["test-dice-file"].state == "cannot be seen"

    def test_names(self, copy_sample):
        found = states(copy_sample(SOUND), Prompt(names="*.jpg,*_m.jpg"))["only-images-read"]
        assert found.state == "not met"

    def test_keras(self, copy_sample):
        found = states(copy_sample(SOUND), Prompt(framework="keras"))
        assert found["framework"].state == found["dataset-class"].state == "not met"


class TestFolders:
    @pytest.fixture
    def folder(self, tmp_path):
        folder = tmp_path / "scripts"
        folder.mkdir()
        (folder / "main.py").write_text("import torch\n")
        return folder

    def refuses(self, folder):
        with pytest.raises(UserError) as error:
            check_requirements(folder)
        assert "\n" not in str(error.value)
        return str(error.value)

    def test_none_or_empty(self, folder, tmp_path):
        assert "does not exist" in self.refuses(tmp_path / "none")
        assert "is a file" in self.refuses(folder / "main.py")
        (folder / "main.py").rename(folder / "main.txt")
        assert "no Python file" in self.refuses(folder)

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (b"def x(:\n", "main.py:1: "),
            (b"x = '\xff'\n", "is not UTF-8"),
            (b"# coding: klingon\n", "is not UTF-8"),
            (b"x = 1\0\n", "main.py"),
            (b"(" * 5000, "main.py"),
            (b"x = " + b"-" * 200_000 + b"1\n", "cannot be parsed"),
        ],
    )
    def test_what_cannot_be_parsed(self, folder, content, words):
        (folder / "main.py").write_bytes(content)
        assert words in self.refuses(folder)

    def test_other_encodings_that_are_named(self, folder):
        (folder / "main.py").write_bytes("# coding: latin-1\nname = 'Müller'\n".encode("latin-1"))
        (folder / "model.py").write_bytes("\ufeffimport torch\r\n".encode())
        assert check_requirements(folder).counts["met"] > 0

    def test_too_large(self, folder, monkeypatch):
        (folder / "main.py").write_text("# " + "x" * 2**20 + "\n")
        message = self.refuses(folder)
        (variable,) = re.findall(r"set (\w+=\d+)", message)
        monkeypatch.setenv(*variable.split("="))
        check_requirements(folder)

    def test_too_many(self, folder, monkeypatch):
        for number in range(201):
            (folder / f"x{number}.py").write_text("")
        (variable,) = re.findall(r"set (\w+=\d+)", self.refuses(folder))
        monkeypatch.setenv(*variable.split("="))
        check_requirements(folder)

    def test_links(self, folder, tmp_path):
        outside = tmp_path / "other.py"
        outside.write_text("import os\n")
        (folder / "train.py").symlink_to(outside)
        assert "is a link" in self.refuses(folder)
        (folder / "train.py").unlink()
        (folder / "train.py").symlink_to(folder / "none.py")
        assert "is a link" in self.refuses(folder)
        (folder / "train.py").unlink()
        (folder / "again").symlink_to(folder, target_is_directory=True)
        check_requirements(folder)  # a loop ends
        (tmp_path / "more").mkdir()
        (tmp_path / "more" / "x.py").write_text("")
        (folder / "more").symlink_to(tmp_path / "more", target_is_directory=True)
        assert "is a link or lies behind one" in self.refuses(folder)

    def test_a_link_to_the_folder_itself_is_followed(self, folder, tmp_path):
        (tmp_path / "link").symlink_to(folder)
        check_requirements(tmp_path / "link")

    def test_a_pipe(self, folder):
        os.mkfifo(folder / "train.py")
        assert "no file but a pipe" in self.refuses(folder)

    def test_nothing_is_run(self, folder):
        (folder / "main.py").write_text(f"open({str(folder / 'written')!r}, 'w').write('x')\nraise SystemExit\n")
        check_requirements(folder)
        assert not (folder / "written").exists()
        assert not list(folder.rglob("__pycache__"))

    def test_environments_are_passed_over(self, folder):
        for name in ("venv", ".git", "__pycache__"):
            (folder / name).mkdir()
            (folder / name / "x.py").write_text("def x(:")
        check_requirements(folder)
