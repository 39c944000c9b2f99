"""Full runs of scripts: what is predicted is scored on the right case, and masks of held-out cases are nowhere."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from PIL import Image

from llmseg import hold_out
from llmseg.admission import Layout
from llmseg.admission.full_run import run_in_full
from llmseg.admission.full_run.cases import give_cases, give_coded, name_cases
from llmseg.admission.full_run.full_run import _find_tested
from llmseg.admission.full_run.predicted import read_outputs, read_written
from llmseg.admission.full_run.sight import WAYS, Sight, right, shrink
from llmseg.admission.observing.record import read_record
from llmseg.admission.runner import Runner
from llmseg.data.synthetic import SyntheticStore

STORE = SyntheticStore("mri-tumour", count=30)

# Scripts without any framework. What they predict can be computed here, too.
SCRIPT = """
import os, random
import numpy as np
from PIL import Image
image_dir, mask_dir, save_dir = "data/images", "data/masks", "results"
os.makedirs(save_dir, exist_ok=True)
names = sorted(os.listdir(image_dir))
random.seed(3)
random.shuffle(names)
test = names[: {tested}]
for name in test:
    image = np.array(Image.open(os.path.join(image_dir, name)).convert("L"))
    mask = np.array(Image.open(os.path.join(mask_dir, name[:-4] + "_seg.png")))
    Image.fromarray({predicted}).save(os.path.join(save_dir, name[:-4] + "_pred.png"))
    Image.fromarray(mask).save(os.path.join(save_dir, name[:-4] + "_mask.png"))
"""
# A network that gives back what is bright, whatever it is trained on.
NETWORK = """
import os, random
import numpy as np
import torch
from PIL import Image
image_dir, mask_dir, save_dir = "data/images", "data/masks", "results"
epochs = 50
names = sorted(os.listdir(image_dir))
random.seed(5)
random.shuffle(names)
parts = names[6:], names[3:6], names[:3]

def load(folder, name):
    image = Image.open(os.path.join(folder, name)).convert("L").resize((64, 64), Image.BILINEAR)
    return torch.from_numpy(np.array(image, dtype=np.float32) / 255)[None, None]

net = torch.nn.Conv2d(1, 1, 1)
with torch.no_grad():
    net.weight.fill_(40.0)
    net.bias.fill_(-10.0)
optimizer = torch.optim.SGD(net.parameters(), lr=0.0)
for epoch in range(epochs):
    net.train()
    for name in parts[0]:
        optimizer.zero_grad()
        net(load(image_dir, name)).mean().backward()
        optimizer.step()
    net.eval()
    with torch.no_grad():
        for name in parts[1]:
            net(load(image_dir, name))
with torch.no_grad():
    for name in parts[2]:
        net(load(image_dir, name))
"""

BRIGHT = "np.where(image > np.median(image), 255, 0).astype(np.uint8)"


def is_bright(image):
    grey = np.array(Image.fromarray(image).convert("L"))
    return grey > np.median(grey)


def know(given):
    return Sight(given.names, lambda name: given.read(name)[0])


class TestSight:
    def test_coded_cases_are_known_however_they_are_scaled(self):
        given = give_coded(400, channels=1)
        sight = know(given)
        for name in name_cases(400)[::7]:
            seen = cv2.resize(given.read(name)[0], (64, 64), interpolation=cv2.INTER_NEAREST) / 255.0
            assert sight.find(shrink((seen * 200).astype(np.uint8)) * 0.01 - 3) == (name, WAYS[0])

    @pytest.mark.parametrize("way", WAYS)
    def test_which_way_up_it_is(self, way):
        given = give_coded(20, channels=3)
        exchanged, upside_down, mirrored = way
        image = given.read("004")[0]
        turned = image.swapaxes(0, 1) if exchanged else image
        turned = turned[:: -1 if upside_down else 1, :: -1 if mirrored else 1]
        assert know(given).find(shrink(turned)) == ("004", way)
        assert np.array_equal(right(turned.transpose(2, 0, 1), way), image.transpose(2, 0, 1))

    def test_a_part_of_an_image_shows_no_case(self):
        given = give_coded(20, channels=1)
        assert know(given).find(shrink(given.read("004")[0][:50, :40]))[0] == ""


class TestGivenCases:
    names, tested = name_cases(30), {"002", "009", "030"}

    def test_each_name_has_its_case_and_no_mask_of_a_held_out_one_is_there(self):
        held, rest = list(STORE.ids[:3]), list(STORE.ids[3:])
        given = give_cases(STORE, rest, held, self.names, self.tested)
        assert set(given.held) == self.tested
        assert sorted(given.held.values()) == held
        for name in self.names:
            id = given.held.get(name)
            if id is not None:
                assert np.array_equal(given.read(name)[0], STORE.read(id).image)
                assert given.read(name)[1].shape == STORE.read(id).mask.shape
        true = [STORE.read(id).mask for id in held]
        masks = given.masks(self.names)
        assert not any(np.array_equal(mask, each) for mask in masks.values() for each in true)
        learnt = [STORE.read(id) for id in rest]
        outside = [name for name in self.names if name not in self.tested]
        assert all(np.array_equal(masks[n], case.mask) for n, case in zip(outside, learnt, strict=True))

    def test_fewer_held_out_cases_than_names_come_again(self):
        given = give_cases(STORE, STORE.ids[3:], STORE.ids[:2], self.names, self.tested)
        assert set(given.held.values()) == set(STORE.ids[:2])


class TestWritten:
    def write(self, folder, **masks):
        folder = folder / "files"
        folder.mkdir()
        for name, mask in masks.items():
            Image.fromarray(mask).save(folder / f"{name}.png")
        return sorted(folder.iterdir())

    def test_the_prediction_counts_and_not_what_was_copied(self, tmp_path):
        given = {"007": np.zeros((20, 16), np.uint8)}
        given["007"][:9] = 255
        predicted = np.zeros((20, 16), np.uint8)
        predicted[4:16] = 255
        paths = self.write(
            tmp_path,
            **{
                "007_seg": given["007"],
                "7": predicted,
                "007_pred": predicted,
                "007_z": 255 - predicted,
                "x": predicted,
            },
        )
        found = read_written(paths, given)
        assert list(found) == ["007"]
        assert np.array_equal(found["007"], predicted > 0)

    @pytest.mark.parametrize("scale", [1, 255])
    def test_other_values_and_sizes(self, tmp_path, scale):
        given = {"007": np.zeros((20, 16), np.uint8)}
        small = np.zeros((10, 8), np.uint8)
        small[2:5, 1:4] = scale
        found = read_written(self.write(tmp_path, **{"out_007": small}), given)
        assert found["007"].sum() == 4 * 9

    def test_what_is_no_image(self, tmp_path):
        (tmp_path / "007.png").write_bytes(b"\x89PNG nothing")
        (tmp_path / "007.npy").write_bytes(b"nothing")
        assert read_written(sorted(tmp_path.iterdir()), {"007": np.zeros((4, 4), np.uint8)}) == {}


def write_record(folder, events):
    """Write the record of a process with arrays in its events."""
    content, lines = b"", []
    for event in events:
        told = {}
        for key, value in event.items():
            if isinstance(value, np.ndarray):
                told[key] = {"shape": list(value.shape), "dtype": str(value.dtype), "at": len(content)}
                content += value.tobytes()
            else:
                told[key] = value
        lines.append(json.dumps(told))
    (folder / "1.jsonl").write_text("\n".join(lines) + "\n")
    (folder / "1.bin").write_bytes(content)
    return read_record(folder)


class TestOutputs:
    given = give_coded(4, channels=1)

    def small(self, *names):
        return np.stack([shrink(self.given.read(name)[0]) / 255 for name in names])

    @pytest.mark.parametrize(
        ("channels", "inside", "outside"),
        [(1, 0.9, 0.1), (1, 0.4, -0.4), (2, (0.1, 0.3), (0.3, 0.1)), (2, (-2, 5), (4, 0))],
    )
    def test_probabilities_logits_and_two_channels(self, tmp_path, channels, inside, outside):
        output = np.empty((1, channels, 10, 8), np.float32)
        output[:] = np.reshape(outside, (channels, 1, 1))
        output[:, :, 2:6] = np.reshape(inside, (channels, 1, 1))
        record = write_record(tmp_path, [{"event": "predicted", "images": self.small("003"), "output": output}])
        found = read_outputs(record, know(self.given), {"003": (20, 16), "001": (20, 16)})
        assert list(found) == ["003"]
        expected = np.zeros((20, 16), bool)
        expected[4:12] = True
        assert np.array_equal(found["003"], expected)

    def test_outputs_are_turned_back(self, tmp_path):
        output = np.full((1, 1, 8, 10), -5, np.float32)
        output[:, :, 2:6, 1] = 5
        images = self.small("003")[:, ::-1].swapaxes(1, 2).copy()
        record = write_record(tmp_path, [{"event": "predicted", "images": images, "output": output}])
        expected = np.zeros((10, 8), bool)
        expected[8, 2:6] = True
        assert np.array_equal(read_outputs(record, know(self.given), {"003": (10, 8)})["003"], expected)

    def test_the_test_part_is_what_was_scored_only_after_the_last_step(self, tmp_path):
        def shown(steps, learns, *names):
            return {"event": "shown", "steps": steps, "learns": learns, "images": self.small(*names)}

        class Run:
            layout = Layout()

            class outcome:
                class results:
                    masks = ()

        events = [shown(0, True, "001"), shown(1, False, "002"), shown(1, True, "001")]
        events += [shown(2, False, "002"), shown(2, False, "004"), shown(2, False, "001", "003")]
        assert _find_tested(self.given, Run, write_record(tmp_path, events)) == {"003", "004"}

    def test_where_no_picture_is_known_files_tell_the_test_part(self, tmp_path):
        class Run:
            layout = Layout()

            class outcome:
                class results:
                    masks = (tmp_path / "002_pred.png",)

        Image.fromarray(255 - self.given.read("002")[1]).save(tmp_path / "002_pred.png")
        noise = np.random.default_rng(0).random((2, 32, 32), np.float32)
        record = write_record(tmp_path, [{"event": "shown", "steps": 1, "learns": False, "images": noise}])
        assert _find_tested(self.given, Run, record) == {"002"}
        Run.layout = Layout(first_number=1)  # 002 may be the second case of any part
        assert _find_tested(self.given, Run, record) == set()


@pytest.mark.slow
class TestScripts:
    @pytest.fixture
    def run(self, tmp_path, sandbox):
        def run(predicted, tested, fraction, epochs=None, script=SCRIPT):
            (tmp_path / "scripts").mkdir()
            text = script.format(predicted=predicted, tested=tested)
            (tmp_path / "scripts" / "main.py").write_text("raise SystemExit('not this one')")
            (tmp_path / "scripts" / "whole.py").write_text(text)
            holdout = hold_out(STORE, fraction=fraction, progress=False)
            runner = Runner(tmp_path / "scripts", Layout(), rung=sandbox, start=("whole.py",))
            ran = run_in_full(runner, STORE, holdout, epochs, tmp_path / "masks")
            masks = {path.name: np.array(Image.open(path)) > 0 for path in tmp_path.glob("masks/*.png")}
            return ran, holdout.test_ids, masks

        return run

    def test_each_held_out_case_gets_its_own_prediction(self, run):
        ran, held, masks = run(BRIGHT, "len(names) // 10", 0.1)
        assert (ran.state, ran.reason) == ("reached", f"masks from files that they wrote; 3 test cases of {STORE.name}")
        assert sorted(masks) == sorted(held)
        assert all(np.array_equal(masks[id], is_bright(STORE.read(id).image)) for id in held)

    def test_outputs_of_a_network_are_those_of_its_case(self, run):
        ran, held, masks = run(None, None, 0.1, epochs=2, script=NETWORK)
        assert (ran.state, ran.reason) == (
            "reached",
            f"masks from outputs of their network; 3 test cases of {STORE.name}",
        )
        for id in held:
            bright = np.array(Image.fromarray(STORE.read(id).image).convert("L")) > 255 / 4
            # The network sees an image that was made smaller.
            assert np.mean(masks[id] == bright) > 0.95
            assert 0.02 < np.mean(bright) < 0.98

    def test_scripts_that_test_fewer_run_several_times(self, run):
        ran, held, masks = run(BRIGHT, "2", 0.2, epochs=2)
        assert ran.state == "reached"
        assert "; 3 runs, as they test 2 at a time; " in ran.reason
        assert ran.reason.endswith("it was not seen that they can be told the number of epochs")
        assert len(held) == 6
        assert all(np.array_equal(masks[id], is_bright(STORE.read(id).image)) for id in held)

    def test_scripts_that_give_back_the_mask_that_they_got(self, run):
        ran, _, masks = run("mask", "3", 0.1)
        assert ran.state == "not decidable"
        assert masks == {}

    def test_scripts_that_end_otherwise_in_full(self, run):
        ran, _, masks = run("image if len(names) == 30 and image.max() > 219 else 1 / 0", "3", 0.1)
        assert (ran.state, ran.reason) == ("failed", "ZeroDivisionError: division by zero")
        assert ran.place == "whole.py:14"
        assert masks == {}
