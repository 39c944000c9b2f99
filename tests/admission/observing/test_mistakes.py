"""One small sound training, and the same with one line changed: each change makes one silent mistake, or none."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from llmseg.admission import (
    Phantoms,
    find_mistakes,
    observer_environment,
    read_facts,
    read_observation,
    write_phantoms,
)
from llmseg.admission.observing.mistakes.numbers import _grows
from llmseg.admission.observing.watch import WATCHING

SCRIPT = Path(__file__).parent / "sound_training.txt"

LISTED = 'os.path.join(MASKS, name.replace(".png", "_seg.png"))'
NEAREST = "mask = mask.resize((SIZE, SIZE), Image.NEAREST)"
BINARY = "mask = (np.asarray(mask) > 127).astype(np.float32)"
FLIP = "image, mask = image[:, ::-1], mask[:, ::-1]"
SPLIT = "train, val, test = names[:14], names[14:17], names[17:]"
LOADER = "train_loader = DataLoader(train_set, BATCH, shuffle=True)"
WORKERS = "train_loader = DataLoader(train_set, BATCH, shuffle=True, num_workers=2, worker_init_fn=start_worker)"
STATE = "best_state = copy.deepcopy(net.state_dict())"
LOSS = "return F.binary_cross_entropy_with_logits(logits, masks) + 1 - dice_ratio(logits, masks)"
SOFTMAX = "torch.softmax(logits, dim=1)"
STATISTICS = """mean, std = 0.0, 1.0
    pixels = np.stack([np.asarray(Image.open(os.path.join(IMAGES, n)).convert("L")) for n in {}]) / 255.0
    mean, std = float(pixels.mean()), float(pixels.std())"""

JITTER = FLIP + "; image = image * np.float32(np.random.uniform(0.8, 1.2))"
NORMALISED = ("mean, std = 0.0, 1.0", "mean, std = 0.4, 0.2")

ENLARGED = "def {}(logits, masks):\n    logits = F.interpolate(logits, masks.shape[2:])\n"
TESTED = "    _, test_dices = evaluate(net, test_loader)\n"
THRESHOLDS = (("def score(logits, masks)", "def score(logits, masks, at=0.5)"), ("(logits) > 0.5)", "(logits) > at)"))
TRIED = """    net.eval()
    with torch.no_grad():
        outputs = [(net(images), masks) for images, masks in test_loader]
    tried = {{at: np.mean([score(*each, at) for each in outputs]) for at in (0.2, 0.35, 0.65)}}
    best = max(tried, key=tried.get)
    test_dices = [score(*each, {}) for each in outputs]
"""

# An augmentation that rotates, scales and moves; the last line of the script imports what it needs.
WARP = (
    "        return torch.from_numpy(image.copy())[None], torch.from_numpy(mask.copy())[None]\n",
    "        if self.augment:\n            import cv2\n            draw = np.random.uniform\n"
    "            warp = cv2.getRotationMatrix2D((32, 32), draw(-35, 35), draw(0.9, 1.1))\n"
    "            warp[:, 2] += draw(-4, 4, 2)\n"
    "            image = cv2.warpAffine(np.ascontiguousarray(image), warp, (SIZE, SIZE))\n{}"
    "            mask = cv2.warpAffine(np.ascontiguousarray(mask), warp, (SIZE, SIZE), flags=cv2.INTER_NEAREST)\n"
    "        return torch.from_numpy(image.copy())[None], torch.from_numpy(mask.copy())[None]\n",
)
AGAIN = "            warp = cv2.getRotationMatrix2D((32, 32), draw(-35, 35), draw(0.9, 1.1))\n"
STOPPING = """class EarlyStopping:
    def __init__(self, mode):
        self.mode, self.best, self.state = mode, None, None

    def improved(self, value):
        if self.best is None:
            return True
        return value < self.best if self.mode == "min" else value > self.best

    def step(self, value, net):
        if self.improved(value):
            self.best = value
            self.state = copy.deepcopy(net.state_dict())


def main():
    stopper = EarlyStopping("{}")
"""
KEPT_BY_CLASS = (
    ("        if val_loss < best_loss:\n", "        stopper.step(np.mean(dices), net)\n        if False:\n"),
    ("net.load_state_dict(best_state)", "net.load_state_dict(stopper.state)"),
)
SETTINGS = "self.mean, self.std = names, augment, mean, std"
SMOOTH = " + 0.1 * sum(logits.sigmoid().diff(dim=axis).abs().mean() for axis in (2, 3))"


def make_own(generator):
    """Return the changes by which the cases hold a generator of their own, and workers load them."""
    return (
        (LOADER, LOADER.replace("shuffle=True", "shuffle=True, num_workers=2")),
        (SETTINGS, f"{SETTINGS}\n        self.rng = {generator}"),
        ("if self.augment and np.random.rand() < 0.5:", "if self.augment and self.rng.random() < 0.5:"),
    )


TILES = (
    ("return len(self.names)", "return 4 * len(self.names)"),
    ("self.names[index]", "self.names[index // 4]"),
    (
        "        return torch.from_numpy(image.copy())[None], torch.from_numpy(mask.copy())[None]\n",
        "        top, left = index % 4 // 2 * 32, index % 2 * 32\n"
        "        image, mask = (each[top : top + 32, left : left + 32] for each in (image, mask))\n"
        "        return torch.from_numpy(image.copy())[None], torch.from_numpy(mask.copy())[None]\n",
    ),
)

WRITTEN = '    pd.DataFrame(rows).to_csv(os.path.join(OUT, "epochs.csv"), index=False)\n'
AS_JSON = """    import json
    with open(os.path.join(OUT, "epochs.json"), "w") as file:
        json.dump({"name": "net", "epochs": [{"loss": row[0], "val": row[1]} for row in rows]}, file)
"""
BY_LINES = """    with open(os.path.join(OUT, "epochs.csv"), "w") as file:
        file.write("loss;val\\n" + "".join(f"{row[0]:.7f};{row[1]:.7f}\\n" for row in rows))
"""
TWO_BATCHES = (
    ("            loss = loss_of(logits, masks)\n", "            loss = loss_of(logits, masks) / 2\n"),
    ("            optimizer.zero_grad()\n", ""),
    (
        "            optimizer.step()\n",
        "            done += 1\n            if done % 2 == 0:\n"
        "                optimizer.step()\n                optimizer.zero_grad()\n",
    ),
    ("        total = 0.0\n", "        total, done = 0.0, 0\n"),
)

BY_HAND = """    net.eval()
    test_dices = []
    for number in range(len(test_set)):
        image, mask = test_set[number]
        with torch.no_grad():
            predicted = (torch.sigmoid(net(image[None]))[0] > 0.5).numpy()
        test_dices.append(float(2 * (predicted & (mask.numpy() > 0.5)).sum() / (predicted.sum() + mask.sum())))
"""

MISTAKES = {
    "cleared once an epoch": (
        16,
        ("            optimizer.zero_grad()\n", ""),
        ("        total = 0.0\n", "        total = 0.0\n        optimizer.zero_grad()\n"),
    ),
    "an overlap is added": (15, (LOSS, LOSS.replace("1 - dice", "dice"))),
    "tested by hand, not normalised": (
        19,
        NORMALISED,
        ("Cases(test, mean=mean, std=std)", "Cases(test)"),
        (TESTED, BY_HAND),
    ),
    "divided by cases, as JSON": (
        17,
        ("total += loss.item() * len(images)", "total += loss.item()"),
        (WRITTEN, AS_JSON),
    ),
    "divided by cases, line by line": (
        17,
        ("total += loss.item() * len(images)", "total += loss.item()"),
        (WRITTEN, BY_LINES),
    ),
    "divided to be added up": (17, *TWO_BATCHES),
    "rotated apart": (2, (WARP[0], WARP[1].format(AGAIN))),
    "mask rotated alone": (
        2,
        (
            "        return torch.from_numpy(image.copy())[None], torch.from_numpy(mask.copy())[None]\n",
            "        if self.augment:\n            turned = Image.fromarray(mask).rotate(np.random.uniform(-90, 90))\n"
            "            mask = np.asarray(turned)\n"
            "        return torch.from_numpy(image.copy())[None], torch.from_numpy(mask.copy())[None]\n",
        ),
    ),
    "intensities of masks changed": (3, (BINARY, BINARY + " * np.random.uniform(0.7, 1)")),
    "a term of the wrong sign": (
        15,
        (LOSS, "return F.binary_cross_entropy_with_logits(logits, masks) + torch.log(dice_ratio(logits, masks))"),
    ),
    "worst kept by a class": (18, ("def main():\n", STOPPING.format("min")), *KEPT_BY_CLASS),
    "same draws of an own generator": (20, *make_own("np.random.default_rng(3)")),
    "tiles paired by position": (
        1,
        (LISTED, "os.path.join(MASKS, os.listdir(MASKS)[sorted(os.listdir(IMAGES)).index(name)])"),
        *TILES,
    ),
    "statistics of all, intensities changed": (
        10,
        (FLIP, JITTER),
        ("mean, std = 0.0, 1.0", STATISTICS.format("names")),
    ),
    "not normalised, intensities changed": (
        19,
        (FLIP, JITTER),
        NORMALISED,
        ("Cases(test, mean=mean, std=std)", "Cases(test)"),
    ),
    "validation and test not normalised, intensities changed": (
        19,
        (FLIP, JITTER),
        NORMALISED,
        (
            "val_set, test_set = Cases(val, mean=mean, std=std), Cases(test, mean=mean, std=std)",
            "val_set, test_set = Cases(val), Cases(test)",
        ),
    ),
    "pairs by position": (
        1,
        (LISTED, "os.path.join(MASKS, os.listdir(MASKS)[sorted(os.listdir(IMAGES)).index(name)])"),
    ),
    "mask turned alone": (
        2,
        (
            FLIP,
            "image = image[:, ::-1]\n        if self.augment and np.random.rand() < 0.5:\n"
            "            mask = mask[:, ::-1]",
        ),
    ),
    "divided twice": (3, (BINARY, BINARY + " / 255.0")),
    "mask normalised": (3, (BINARY, BINARY + "\n        mask = (mask - 0.5) / 0.2")),
    "smoothed": (
        4,
        (NEAREST, "mask = mask.resize((SIZE, SIZE), Image.BILINEAR)"),
        (BINARY, "mask = np.asarray(mask, np.float32) / 255"),
    ),
    "smoothed, with an output that is resized": (
        4,
        (NEAREST, "mask = mask.resize((SIZE, SIZE), Image.BILINEAR)"),
        (BINARY, "mask = np.asarray(mask, np.float32) / 255"),
        *((f"def {name}(logits, masks):\n", ENLARGED.format(name)) for name in ("loss_of", "score")),
        ("return self.head(self.body(x))", "return F.avg_pool2d(self.head(self.body(x)), 2)"),
    ),
    "corner": (5, (NEAREST, "mask = F.interpolate(torch.from_numpy(np.array(mask))[None, None], (SIZE, SIZE))[0, 0]")),
    "noise": (6, (BINARY, "mask = (np.asarray(mask) > 0).astype(np.float32)")),
    "dropout while scoring": (7, ("    net.eval()\n", "")),
    "flips while scoring": (
        7,
        ("if self.augment and", "if"),
    ),
    "mode lost": (8, ("        net.train()\n", ""), ("net = Net()", "net = Net().train()")),
    "overlapping parts": (9, (SPLIT, "train, val, test = names[:14], names[14:17], random.sample(names, 8)")),
    "statistics of all": (10, ("mean, std = 0.0, 1.0", STATISTICS.format("names"))),
    "tested on validation": (11, (SPLIT, "train, val, test = names[:16], names[16:], names[16:]")),
    "threshold chosen on the test": (11, *THRESHOLDS, (TESTED, TRIED.format("best"))),
    "second sigmoid": (12, ("return self.head(self.body(x))", "return torch.sigmoid(self.head(self.body(x)))")),
    "sigmoid while scoring": (
        12,
        (
            "return self.head(self.body(x))",
            "x = self.head(self.body(x))\n        return x if self.training else x.sigmoid()",
        ),
    ),
    "threshold of logits": (12, ("(torch.sigmoid(logits) > 0.5)", "(logits > 0.5)")),
    "threshold of small logits": (
        12,
        ("(torch.sigmoid(logits) > 0.5)", "(logits > 0.5)"),
        (
            "self.head = nn.Conv2d(8, 1, 3, padding=1)",
            "self.head = nn.Conv2d(8, 1, 3, padding=1)\n        self.head.weight.data.mul_(1e-3)\n"
            "        self.head.bias.data.fill_(0.4)\n        self.head.requires_grad_(False)",
        ),
    ),
    "ratio of logits": (
        12,
        (LOSS, "return 1 - dice_ratio(logits, masks)"),
        ("probs = torch.sigmoid(logits)", "probs = logits"),
    ),
    "softmax": (
        13,
        (LOSS, "return 1 - dice_ratio(logits, masks)"),
        ("probs = torch.sigmoid(logits)", f"probs = {SOFTMAX}"),
    ),
    "mask to 255": (14, (BINARY, BINARY + " * 255")),
    "broadcast": (14, ("both = (probs * masks).sum(dim=(1, 2, 3))", "both = (probs * masks[:, 0]).sum(dim=(1, 2, 3))")),
    "rewarded": (15, (LOSS, "return dice_ratio(logits, masks)")),
    "no gradient": (15, (LOSS, "return ((logits > 0).float() * masks).mean() + 0 * logits.sum()")),
    "never cleared": (16, ("            optimizer.zero_grad()\n", "")),
    "other weights": (16, ("torch.optim.Adam(net.parameters()", "torch.optim.Adam(Net().parameters()")),
    "only the head": (16, ("torch.optim.Adam(net.parameters()", "torch.optim.Adam(net.head.parameters()")),
    "waits for a rise": (16, ("ReduceLROnPlateau(optimizer, patience=2)", 'ReduceLROnPlateau(optimizer, mode="max")')),
    "divided by cases": (17, ("total += loss.item() * len(images)", "total += loss.item()")),
    "never set back": (17, ("        total = 0.0\n", ""), ("    rows = []\n", "    rows, total = [], 0.0\n")),
    "worst kept": (18, ("val_loss < best_loss", "val_loss > best_loss"), ('float("inf")', "0.0")),
    "not copied": (18, (STATE, "best_state = net.state_dict()")),
    "test not normalised": (
        19,
        ("mean, std = 0.0, 1.0", "mean, std = 0.4, 0.2"),
        ("Cases(test, mean=mean, std=std)", "Cases(test)"),
    ),
    "same draws": (20, (LOADER, WORKERS), ("    pass\n", "    np.random.seed(0)\n")),
    "subset": (21, (SPLIT, "names = names[:14]\n    train, val, test = names[:10], names[10:12], names[12:]")),
    "invented": (
        22,
        (
            "_, test_dices = evaluate(net, test_loader)",
            "test_dices = [0.8 + 0.1 * random.random() for _ in test_loader]",
        ),
    ),
    "masks of the test": (
        23,
        (
            "    net = Net()\n",
            "    net = Net()\n    for n in names:\n        share = np.asarray(Image.open("
            'os.path.join(MASKS, n.replace(".png", "_seg.png")))).mean()\n',
        ),
    ),
    "one order": (24, (LOADER, "train_loader = DataLoader(train_set, BATCH)")),
}

SOUND = {
    "tested by hand": ((TESTED, BY_HAND),),
    "weighted and added up, reported whole": (
        TWO_BATCHES[1],
        TWO_BATCHES[2],
        TWO_BATCHES[3],
        ("            loss.backward()\n", "            (loss * len(images) / 7).backward()\n"),
    ),
    "as JSON": ((WRITTEN, AS_JSON),),
    "line by line": ((WRITTEN, BY_LINES),),
    "added up over two batches": (
        *TWO_BATCHES,
        ("total += loss.item() * len(images)", "total += 2 * loss.item() * len(images)"),
    ),
    "rotated together": ((WARP[0], WARP[1].format("")),),
    "best kept by a class": (("def main():\n", STOPPING.format("max")), *KEPT_BY_CLASS),
    "tiles": TILES,
    "an own generator for each worker": make_own("random.SystemRandom()"),
    "a term that smooths": ((LOSS, LOSS + SMOOTH),),
    "pictures of training cases": (
        (
            "    torch.save(net",
            "    for number in range(4):\n        net(train_set[number][0][None])\n    torch.save(net",
        ),
    ),
    "intensities changed": ((FLIP, JITTER), NORMALISED),
    "as it is": (),
    "a curve of thresholds": (*THRESHOLDS, (TESTED, TRIED.format("0.5"))),
    "best by score": (
        ("val_loss < best_loss", "-np.mean(dices) < best_loss"),
        ("best_loss = val_loss", "best_loss = -np.mean(dices)"),
    ),
    "statistics of the training": (("mean, std = 0.0, 1.0", STATISTICS.format("train")),),
    "each image normalised": (
        (
            "(np.asarray(image, np.float32) / 255.0 - self.mean) / self.std",
            "((np.asarray(image) - np.mean(image)) / np.std(image)).astype(np.float32)",
        ),
    ),
    "gradients over two batches": (
        ("            optimizer.step()\n", "            if total > 0:\n                optimizer.step()\n"),
    ),
    "workers": ((LOADER, WORKERS),),
    "soft threshold": ((BINARY, "mask = np.asarray(mask, np.float32) / 255"),),
    "training cases scored, too": (
        (
            "        losses, dices = evaluate(net, val_loader)\n",
            "        evaluate(net, train_loader)\n        losses, dices = evaluate(net, val_loader)\n",
        ),
    ),
    "in memory": (
        (
            "        name = self.names[index]\n",
            "        if index in KEPT.setdefault(id(self), {}):\n"
            "            return KEPT[id(self)][index]\n        name = self.names[index]\n",
        ),
        (
            "        return torch.from_numpy(image.copy())[None], torch.from_numpy(mask.copy())[None]\n",
            "        kept = torch.from_numpy(image.copy())[None], torch.from_numpy(mask.copy())[None]\n"
            "        KEPT[id(self)][index] = kept\n        return kept\n",
        ),
        ("SIZE, BATCH,", "KEPT = {}\nSIZE, BATCH,"),
    ),
    "last weights": (("    net.load_state_dict(best_state)\n", ""),),
    "several views": (
        (
            "        logits = net(images)\n        losses",
            "        logits = (net(images) + net(images.flip(3)).flip(3)) / 2\n        losses",
        ),
    ),
}


@pytest.fixture(scope="module")
def server():
    """A function that runs and observes ``main.py`` of a folder in a process that is forked from one with torch."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with subprocess.Popen(
        [sys.executable, str(Path(__file__).parent / "server.py")],
        env=environment | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:

        def run(folder, record):
            record.mkdir()
            job = {
                "folder": str(folder),
                "environment": observer_environment(record),
                "printed": str(folder / "printed.txt"),
                "start": str(WATCHING / "start" / "sitecustomize.py"),
            }
            process.stdin.write(json.dumps(job) + "\n")
            process.stdin.flush()
            assert process.stdout.readline() == "0\n", (folder / "printed.txt").read_text(encoding="utf-8")

        yield run
        process.stdin.close()


def observe(server, folder, edits):
    text = SCRIPT.read_text(encoding="utf-8")
    for old, new in edits:
        assert text.count(old) == 1, (old, text.count(old))
        text = text.replace(old, new)
    phantoms = Phantoms(noisy=True)
    write_phantoms(folder / "cases", phantoms)
    (folder / "scripts").mkdir()
    (folder / "scripts" / "main.py").write_text(text, encoding="utf-8")
    server(folder / "scripts", folder / "record")
    seen = read_observation(folder / "record", phantoms)
    assert [event["text"] for event in seen.record.list("fault")] == []
    return seen, text


@pytest.mark.slow
@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_found_and_no_other(server, tmp_path, name):
    number, *edits = MISTAKES[name]
    seen, text = observe(server, tmp_path, edits)
    found = find_mistakes(seen)
    assert {finding.number for finding in found} == {number}
    for finding in found:
        file, line = finding.place.split(":")
        assert file == "main.py"
        assert text.splitlines()[int(line) - 1].strip()


@pytest.mark.slow
@pytest.mark.parametrize("name", SOUND)
def test_a_sound_training_has_none(server, tmp_path, name):
    seen, _ = observe(server, tmp_path, SOUND[name])
    assert find_mistakes(seen) == ()
    if name == "as it is":
        facts = read_facts(seen)
        assert facts.pop("split") == {"training": 0.7, "validation": 0.15, "test": 0.15}
        assert facts == {
            "parameters": 297, "channels": 1, "size": 64, "batch_size": 4, "optimizer": "Adam", "rate": 0.01,
            "decay": 0, "schedule": "ReduceLROnPlateau", "epochs": 3,
            "loss": {"terms": {"bce": 1.0, "dice": 1.0}, "reads": "logits", "over": "case", "smooth": 1.0},
        }  # fmt: skip
        assert find_mistakes(dataclasses.replace(seen, passes=())) == ()


@pytest.mark.parametrize(
    ("rows", "is_growing"),
    [
        ([[0.25], [0.25, 0.5]], True),
        ([[0.0, 1.0], [0.25], [0.25, 0.5]], True),
        ([[0.0], [0.0, 0.5]], False),  # numbers of columns, and a row that begins with its own number
    ],
)
def test_numbers_of_columns_are_no_epoch(rows, is_growing):
    assert _grows(SimpleNamespace(epochs=2), rows) == is_growing
