"""Scripts whose cases lie divided in folders of their own run as others do, with each case in one part only."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmseg.admission.runner import Runner
from llmseg.admission.stages.known_good import KNOWN_GOOD
from llmseg.admission.stages.mistakes import extract
from llmseg.admission.stages.tiny_run import Seen, run_tiny

MAIN = KNOWN_GOOD["main.py"]
LOADERS = MAIN[MAIN.index("    names = sorted(") : MAIN.index("    net = SmallNet()")]

COUNTED = """
import os
import numpy as np
import torch
from PIL import Image

class CaseDataset(torch.utils.data.Dataset):
    def __init__(self, root):
        self.root, self.count = root, len(os.listdir(root)) // 2

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        image = Image.open(os.path.join(self.root, "%03d.png" % index)).convert("L").resize((48, 48))
        mask = Image.open(os.path.join(self.root, "%03d_mask.png" % index)).convert("L").resize((48, 48), Image.NEAREST)
        image = torch.from_numpy(np.array(image, dtype="float32") / 255)[None]
        return image, torch.from_numpy((np.array(mask) > 127).astype("float32"))[None]
"""

JOINED = """
import os
import numpy as np
import torch
from PIL import Image

class CaseDataset(torch.utils.data.Dataset):
    def __init__(self, root, split):
        self.images = os.path.join(root, split, "imgs")
        self.masks = os.path.join(root, split, "labels")
        self.names = sorted(os.listdir(self.images))

    def __len__(self):
        return len(self.names)

    def __getitem__(self, index):
        name = self.names[index]
        image = Image.open(os.path.join(self.images, name)).convert("L").resize((48, 48))
        mask = Image.open(os.path.join(self.masks, name)).convert("L").resize((48, 48), Image.NEAREST)
        image = torch.from_numpy(np.array(image, dtype="float32") / 255)[None]
        return image, torch.from_numpy((np.array(mask) > 127).astype("float32"))[None]
"""

KINDS = {
    "side by side, counted": (
        COUNTED,
        'CaseDataset("data/train")',
        'CaseDataset("data/val")',
        'CaseDataset("data/test")',
    ),
    "joined by a variable": (
        JOINED,
        'CaseDataset(data_root, "Train")',
        'CaseDataset(data_root, "Valid")',
        'CaseDataset(data_root, "Test")',
    ),
}


@pytest.fixture
def write_scripts(tmp_path):
    """A function that writes the pipeline that is known to be good, with other datasets."""

    def write(dataset: str, train: str, val: str, test: str) -> Path:
        loaders = f"""\
    train_loader = DataLoader({train}, batch_size=4, shuffle=True)
    val_loader = DataLoader({val})
    test_loader = DataLoader({test})
"""
        folder = tmp_path / "scripts"
        folder.mkdir()
        paths = 'image_dir = "./data/images"\nmask_dir = "./data/masks"\n'
        main = MAIN.replace(LOADERS, loaders).replace(paths, 'data_root = "./dataset"\n')
        assert loaders in main
        assert "data_root" in main
        texts = {"model.py": KNOWN_GOOD["model.py"], "dataset.py": dataset, "main.py": main}
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8")
        return folder

    return write


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_each_case_is_in_one_part(kind, write_scripts, sandbox, tmp_path):
    folder = write_scripts(*KINDS[kind])
    run = run_tiny(Runner(folder, rung=sandbox), tmp_path / "out").to_dict()
    assert {each["state"] for each in run["verdicts"]} == {"reached"}, run["verdicts"]
    assert run["edits"] == []
    seen = Seen(tmp_path / "out", run)
    parts = seen.observation.parts
    cases = [*parts.training, *parts.validation, *parts.test]
    assert sorted(cases) == list(seen.observation.phantoms.ids)
    divided = seen.layout.divide(cases)
    for part in ("training", "validation", "test"):
        assert {divided[id][0] for id in getattr(parts, part)} == {part}
    found = extract(seen, folder)
    assert found["findings"] == []
    assert "split" not in found["facts"]
    assert set(found["recipe"]["foreign"]) == {"split", "net"}
