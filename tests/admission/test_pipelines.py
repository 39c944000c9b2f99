"""The samples: what pipelines.json says of them is compared with what they do and with their text."""

from __future__ import annotations

import itertools
import json
import re
import runpy
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import openpyxl
import pytest
import torch
from PIL import Image

from llmseg.admission import check_requirements
from llmseg.admission.prompt import Prompt
from llmseg.admission.prompt.checks.source import Source
from llmseg.admission.prompt.checks.splits import find_settings
from llmseg.admission.scripts import read_scripts

PIPELINES = Path(__file__).parent / "pipelines"
RECORDS = json.loads((PIPELINES / "pipelines.json").read_text(encoding="utf-8"))["pipelines"]
NAMES = [record["name"] for record in RECORDS]
PARTS = ("development", "reported", "blind", "blind-2", "blind-3")
HALVES = [record for record in RECORDS if not record["half"].startswith("blind")]
BLIND = [record for record in RECORDS if record["half"] == "blind"]
LATER_BLIND = {part: [record for record in RECORDS if record["half"] == part] for part in ("blind-2", "blind-3")}
COMPARED = [*HALVES, *BLIND]
"""Those whose settings and runs are compared here with what is said of them, number by number."""
KINDS = 24


class TestList:
    def test_all_are_listed(self):
        assert sorted(NAMES) == sorted(path.name for path in PIPELINES.iterdir() if path.is_dir())
        for name in NAMES:
            files = sorted(path.name for path in (PIPELINES / name).iterdir() if path.name != "__pycache__")
            assert files == ["dataset.py", "main.py", "model.py", "train.py"]

    def test_there_is_enough_of_each(self):
        assert len(HALVES) >= 24
        assert sum(not record["mistakes"] for record in HALVES) == 8
        assert {mistake["number"] for record in HALVES for mistake in record["mistakes"]} == set(range(1, KINDS + 1))
        assert max(len(record["mistakes"]) for record in RECORDS) == 2

    def test_there_is_enough_of_each_among_the_blind(self):
        assert len(BLIND) == 10
        assert sum(not record["mistakes"] for record in BLIND) == 3
        assert len({mistake["number"] for record in BLIND for mistake in record["mistakes"]}) >= 8

    def test_parts_share_no_family(self):
        halves = {
            record["family"]: {r["half"] for r in RECORDS if r["family"] == record["family"]} for record in RECORDS
        }
        assert all(len(half) == 1 for half in halves.values())
        counts = Counter(record["half"] for record in RECORDS)
        assert counts["development"] == counts["reported"] == len(HALVES) / 2
        assert [r["half"] for r in RECORDS] == sorted((r["half"] for r in RECORDS), key=PARTS.index)

    def test_each_family_has_a_sound_one(self):
        sound = [record["family"] for record in HALVES if not record["mistakes"]]
        assert sorted(sound) == sorted({record["family"] for record in HALVES})

        for part, samples, sound, mistakes in (("blind-2", 14, 4, 20), ("blind-3", 10, 3, 14)):
            assert len(LATER_BLIND[part]) == samples
            assert sum(not record["mistakes"] for record in LATER_BLIND[part]) == sound
            assert (
                len({mistake["number"] for record in LATER_BLIND[part] for mistake in record["mistakes"]}) == mistakes
            )

    def test_each_blind_one_is_a_family_of_its_own(self):
        blind = [*BLIND, *itertools.chain.from_iterable(LATER_BLIND.values())]
        assert len({record["family"] for record in blind}) == len(blind)

    @pytest.mark.parametrize("record", RECORDS, ids=NAMES)
    def test_mistakes_stand_where_it_is_said(self, record):
        for mistake in record["mistakes"]:
            text = (PIPELINES / record["name"] / mistake["file"]).read_text(encoding="utf-8")
            assert text.count(mistake["text"]) == 1

    @pytest.mark.parametrize("name", NAMES)
    def test_nothing_in_a_sample_says_what_is_wrong(self, name):
        text = " ".join(path.read_text(encoding="utf-8").lower() for path in (PIPELINES / name).glob("*.py"))
        assert re.findall(r"mistake|\bbug|wrong|\bleak(?!y)|silent|quirk|llmseg", text) == []


class TestText:
    """What is read from the text alone."""

    @pytest.mark.parametrize("record", COMPARED, ids=[record["name"] for record in COMPARED])
    def test_settings(self, record):
        source = Source(read_scripts(PIPELINES / record["name"]), Prompt(channels=record["channels"]))
        found = {name: value for name, (value, _) in find_settings(source).items()}
        for name, key in (
            ("epochs", "epochs"),
            ("rate", "rate"),
            ("optimizer", "optimizer"),
            ("batch size", "batch_size"),
        ):
            assert found[name] == record[key], name

    @pytest.mark.parametrize("record", HALVES, ids=[record["name"] for record in HALVES])
    def test_requirements(self, record):
        checked = check_requirements(PIPELINES / record["name"], Prompt(channels=record["channels"]))
        states = {each.requirement.id: each.state for each in checked.compliances}
        assert [id for id, state in states.items() if state == "not met"] == record["not_met"]
        assert states["runs-unchanged"] == states["right-predictions"] == "cannot be seen"
        for id in ("four-files", "quiet-imports", "framework", "only-images-read", "no-windows"):
            assert states[id] == "met", id


@pytest.fixture
def record(request, samples):
    return samples[request.param]


def by_name(*names):
    return pytest.mark.parametrize("record", names or [record["name"] for record in COMPARED], indirect=True)


@pytest.mark.slow
@by_name()
def test_a_sample_does_what_is_said(record, run_sample):
    trace = run_sample(record["name"])
    (optimizer,) = trace.optimizers
    learning = [each for each in trace.forwards if each.learns]
    network = learning[0].network
    assert sum(p.numel() for p in network.parameters() if p.requires_grad) == record["parameters"]
    assert (type(optimizer).__name__, trace.rates) == (record["optimizer"], [record["rate"]])
    assert learning[0].images.shape == (record["batch_size"], record["channels"], record["size"], record["size"])
    assert sum(len(each.images) for each in learning) == 2 * record["loaded_of_20"][0]
    if trace.loaders:
        assert trace.loaders[0].batch_size == record["batch_size"]
        assert [len(loader.dataset) for loader in trace.loaders] == record["loaded_of_20"]
        value, output, masks = trace.losses[0]
        assert value == pytest.approx(expected_loss(record["loss"], output, masks), rel=1e-4)
    for name in ("train_losses", "val_losses", "validation_dice_scores", "test_dice_scores"):
        assert (trace.save / f"{name}.xlsx").is_file()
    mistakes = {mistake["number"] for mistake in record["mistakes"]}
    own = OWN_SIGNS.get(record["name"], {})
    shared = SIGNS if trace.loaders else {number: SIGNS[number] for number in SIGNS_WITHOUT_LOADERS}
    signs = own | {number: sees for number, sees in shared.items() if number not in own}
    assert {number for number, sees in signs.items() if sees(trace, record)} == mistakes & set(signs)


@pytest.mark.slow
@by_name("cedar", "cypress", "hawthorn")
def test_pairs_depend_on_the_order_of_a_listing(record, run_sample, tmp_path):
    dataset = run_sample(record["name"], backwards=True).loaders[0].dataset
    pairs = dataset.pairs if record["name"] == "hawthorn" else zip(dataset.image_paths, dataset.mask_paths, strict=True)
    names = [(Path(image).stem, Path(mask).stem) for image, mask in pairs]
    assert all(mask == f"{image}_seg" for image, mask in names) == (not has(record, 1))


@pytest.mark.slow
@by_name("plane", "rowan")
def test_noise_is_read_as_mask(record, run_sample):
    trace = run_sample(record["name"], noise=1)
    assert (float(trace.batches[0][2].min()) == 1) == has(record, 6)


@pytest.mark.slow
@by_name("oak", "olive")
def test_tiles_of_an_image_lie_in_several_parts(record, run_sample):
    parts = [{sample[0] for sample in loader.dataset.samples} for loader in run_sample(record["name"]).loaders]
    assert any(a & b for a, b in itertools.combinations(parts, 2)) == has(record, 9)


@pytest.mark.slow
@by_name("plane", "poplar")
def test_masks_are_shifted(record, run_sample):
    dataset = run_sample(record["name"]).loaders[-1].dataset
    shifts = []
    for number, path in enumerate(dataset.images):
        with Image.open(dataset.mask_folder / f"{path.stem}_seg.png") as file:
            original = torch.from_numpy(np.asarray(file) > 127)
        shifts.append(centre(dataset[number][1][0] > 0) - centre(original))
    assert bool(torch.stack(shifts).mean(0).abs().max() * record["size"] > 0.2) == has(record, 5)


def centre(mask):
    """Return the centre of a mask as fractions of its height and width."""
    return (torch.nonzero(mask).double().mean(0) + 0.5) / torch.tensor(mask.shape)


@pytest.mark.slow
@by_name("cedar", "cherry", "spruce", "walnut", "baobab", "magnolia")
def test_weights_of_the_best_validation_are_kept(record, run_sample):
    """What is validated is replaced by something that gets worse, so the first of two epochs has the best weights."""
    kept, validated, worse = {
        "F2": ("best*.pth", "self.validate(val_loader, epoch)\n", "            val_loss = 1.0 + epoch\n"),
        "F8": ("best*.pth", 'validate(net, loaders["valid"], device)\n', "        v = 1.0 + len(curves[1])\n"),
        "B2": ("best*dict.pth", "mean = sum(scores) / len(scores)\n", "            mean = 1 / epoch\n"),
        "B9": ("*dict.pth", "validate(model, val_loader, device, epoch)\n", "        val_dice = [1 / epoch]\n"),
    }[record["family"]]
    trace = run_sample(record["name"], changes=[("train.py", validated, validated + worse)])
    (file,) = trace.save.glob(kept)
    counts = {int(value) for key, value in torch.load(file).items() if key.endswith("num_batches_tracked")}
    passes = sum(each.learns for each in trace.forwards)
    assert counts == {passes if has(record, 18) else passes // 2}


def has(record, number):
    return any(mistake["number"] == number for mistake in record["mistakes"])


def expected_loss(loss, output, masks):
    """Return a loss from its description, written apart from all samples."""
    output, masks = output.double(), masks.double()
    if loss.get("broadcast"):
        masks = masks.squeeze(1)
    probability = read_as(loss["reads"], output)
    case = loss["over"] == "case"
    both, predicted, true = (add_up(each, case) for each in (probability * masks, probability, masks))
    smooth, missed, wrong = loss["smooth"], true - both, predicted - both
    weighted = both + loss.get("alpha", 0.5) * wrong + loss.get("beta", 0.5) * missed
    terms = {
        "dice": 1 - ((2 * both + smooth) / (predicted + true + smooth)).mean(),
        "iou": 1 - ((both + smooth) / (predicted + missed + smooth)).mean(),
        "tversky": 1 - ((both + smooth) / (weighted + smooth)).mean(),
    }
    if "bce" in loss["terms"]:
        weight = loss.get("pos_weight", 1.0)
        logs = [torch.log(each.clamp(min=1e-44)) for each in (probability, 1 - probability)]
        terms["bce"] = -(weight * masks * logs[0] + (1 - masks) * logs[1]).mean()
    if "focal" in loss["terms"]:
        right = torch.where(masks > 0.5, probability, 1 - probability).clamp(min=1e-44)
        balance = torch.where(masks > 0.5, loss["balance"], 1 - loss["balance"]) if "balance" in loss else 1.0
        terms["focal"] = -(balance * (1 - right) ** loss["gamma"] * torch.log(right)).mean()
    return float(loss.get("constant", 0.0) + sum(weight * terms[name] for name, weight in loss["terms"].items()))


def read_as(kind, output):
    """Return the probabilities for which a loss takes an output."""
    if kind == "probability":
        return output
    return torch.sigmoid(output) if kind == "logits" else torch.softmax(output, dim=1)


def add_up(values, case):
    return values.flatten(1).sum(1) if case else values.sum()


# What the trace of a run shows of a mistake, by its number. Sound samples show none of it.


def masks_of(trace, loader=0):
    return torch.cat([masks.flatten() for own, _, masks in trace.batches if own is trace.loaders[loader]])


def draws_apart(trace, record):
    """The same image is met with different masks."""
    dataset = trace.loaders[0].dataset
    met: dict[bytes, set[bytes]] = {}
    for _ in range(12):
        image, mask = unpack(dataset[0])
        met.setdefault(image.numpy().tobytes(), set()).add(mask.numpy().tobytes())
    return any(len(masks) > 1 for masks in met.values()) and len(met) < 6


def unpack(item):
    return (item["image"], item.get("mask", item.get("label"))) if isinstance(item, dict) else (item[0], item[1])


def are_smooth(trace, record):
    masks = masks_of(trace)
    return len(masks.unique()) > 2 and float(masks.max()) <= 1


def are_shrunk(trace, record):
    return 0 < float(masks_of(trace).max()) < 0.5


def are_out_of_range(trace, record):
    value, output, masks = trace.losses[0]
    plain = {**record["loss"], "broadcast": False}
    return float(masks.max()) > 1 or value != pytest.approx(expected_loss(plain, output, masks), rel=1e-4)


def scores_at_random(trace, record):
    """The network draws or adapts while it does not learn, or test images differ from reading to reading."""
    dataset = trace.loaders[-1].dataset
    first, second = unpack(dataset[0])[0], unpack(dataset[0])[0]
    return any(each.random and not each.learns for each in trace.forwards) or not torch.equal(first, second)


def learns_in_eval_mode(trace, record):
    return any(each.learns and not each.training for each in trace.forwards)


def is_scored_on_test_cases_in_epochs(trace, record):
    turns = Counter(event for event in trace.events if event.startswith("loader"))
    return any(turns[f"loader {number}"] > 2 for number in range(1, len(trace.loaders)))


def misuses_sigmoid(trace, record):
    """What the loss takes for logits is a probability already, or the network ends in a sigmoid in one mode only."""
    network, images = trace.forwards[0].network.eval(), trace.forwards[0].images
    learning = all(is_probability(each.output) for each in trace.forwards if each.learns)
    with torch.no_grad():
        scoring = is_probability(network(50 * images))  # logits of such an image are far from 0
    return learning != scoring or (learning and record["loss"]["reads"] == "logits")


def is_probability(output):
    return float(output.min()) >= 0 and float(output.max()) <= 1


def has_no_gradient(trace, record):
    return max(trace.gradients) < 1e-6


def rewards_misses(trace, record):
    return any(weight < 0 for weight in record["loss"]["terms"].values())


def never_clears_gradients(trace, record):
    return "zero_grad" not in trace.events or "max" in trace.plateaus


def adds_up_wrongly(trace, record):
    """The loss of an epoch is no mean of its batches, or a row of scores has those of the epoch before."""
    rows = list(openpyxl.load_workbook(trace.save / "validation_dice_scores.xlsx").active.values)
    lengths = [sum(isinstance(value, int | float) for value in row) for row in rows[-2:]]
    (_, written) = list(openpyxl.load_workbook(trace.save / "train_losses.xlsx").active.values)[:2]
    half = len(trace.losses) // 2
    values, sizes = [value for value, *_ in trace.losses[:half]], [len(masks) for *_, masks in trace.losses[:half]]
    means = [sum(values) / half, sum(v * n for v, n in zip(values, sizes, strict=True)) / sum(sizes)]
    return lengths[0] != lengths[1] or all(written[0] != pytest.approx(mean, rel=1e-4) for mean in means)


def prepares_test_otherwise(trace, record):
    spreads = [
        float(torch.cat([i.flatten() for own, i, _ in trace.batches if own is each]).std()) for each in trace.loaders
    ]
    return max(spreads) > 5 * min(spreads)


def repeats_draws(trace, record):
    start = trace.loaders[0].worker_init_fn
    if start is None or start.__module__ != "train":
        return False
    draws = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        start(0)
        draws.append(torch.utils.data._utils.worker.random.random())
    return draws[0] == draws[1]


def leaves_cases_out(trace, record):
    """Cases are missing, or an image that cannot be read is passed over."""
    if sum(record["loaded_of_20"]) < 18:
        return True
    dataset = trace.loaders[0].dataset
    in_memory = isinstance(dataset, torch.utils.data.TensorDataset)
    if in_memory or (hasattr(dataset, "images") and not isinstance(dataset.images, list)):
        return False
    for path in (trace.data / "images").iterdir():
        path.write_bytes(b"no image")
    try:
        dataset[0]
    except Exception:
        return False
    return True


def invents_scores(trace, record):
    last = max(number for number, event in enumerate(trace.events) if event.startswith("loader"))
    return "forward" not in trace.events[last:]


def opens_test_masks_early(trace, record):
    """All masks are opened before the last step of the training."""
    end = max(number for number, event in enumerate(trace.events) if event == "backward")
    return sum(name.endswith("_seg.png") for name in opened_before(trace, end)) == 20


def counts_all_images(trace, record):
    """All images are opened before the first batch is asked for."""
    return sum(not name.endswith("_seg.png") for name in opened_before(trace, trace.events.index("loader 0"))) == 20


def opened_before(trace, end):
    return {name for name, number in trace.opened if number <= end}


def keeps_order(trace, record):
    return isinstance(trace.loaders[0].sampler, torch.utils.data.SequentialSampler)


SIGNS = {
    2: draws_apart,
    3: are_shrunk,
    4: are_smooth,
    7: scores_at_random,
    8: learns_in_eval_mode,
    10: counts_all_images,
    11: is_scored_on_test_cases_in_epochs,
    12: misuses_sigmoid,
    13: has_no_gradient,
    14: are_out_of_range,
    15: rewards_misses,
    16: never_clears_gradients,
    17: adds_up_wrongly,
    19: prepares_test_otherwise,
    20: repeats_draws,
    21: leaves_cases_out,
    22: invents_scores,
    23: opens_test_masks_early,
    24: keeps_order,
}

# What a run shows without a loader, and what shows the mistakes of single samples.
SIGNS_WITHOUT_LOADERS = (8, 12, 13, 15, 16, 23)


def turns_apart(trace, record):
    """Masks are put in the place of images, so that a pair that is turned together stays alike."""
    for path in (trace.data / "masks").iterdir():
        shutil.copy(path, trace.data / "images" / path.name.replace("_seg", ""))
    alike = []
    for item in map(unpack, trace.loaders[0].dataset):
        image, mask = item[0][0] > (item[0].min() + item[0].max()) / 2, item[1][0] > 0.5
        alike.append(float(2 * (image & mask).sum() / (image.sum() + mask.sum())))
    return min(alike) < 0.5


def takes_logits_for_probabilities(trace, record):
    score = runpy.run_path(str(trace.folder / "train.py"))["dice_coef"]
    return score(torch.full((1, 1, 4, 4), 0.3), torch.ones(1, 1, 4, 4)) < 0.5


def shifts_masks(trace, record):
    part = trace.loaders[0].dataset
    shifts = []
    for (_, mask), index in zip(part, part.indices, strict=True):
        with Image.open(trace.data / "masks" / part.dataset.mask_name(part.dataset.names[index])) as file:
            shifts.append(centre(mask[0] > 0) - centre(torch.from_numpy(np.asarray(file) > 127)))
    return bool(torch.stack(shifts).mean(0).abs().max() * record["size"] > 0.2)


def answers_differently(trace, record):
    network, images = trace.forwards[-1].network.eval(), trace.forwards[-1].images
    with torch.no_grad():
        return not torch.equal(network(images), network(images))


def divides_cases(trace, record):
    parts = [{loader.dataset.dataset.items[i][0] for i in loader.dataset.indices} for loader in trace.loaders]
    return any(a & b for a, b in itertools.combinations(parts, 2))


def reports_another_sensitivity(trace, record):
    found, true = trace.forwards[-1].output > 0, trace.batches[-1][2] > 0.5
    reported = json.loads((trace.save / "report.json").read_text(encoding="utf-8"))["sensitivity"]
    return reported != pytest.approx(float((found & true).sum() / true.sum()), abs=0.01)


def standardises_by_all(trace, record):
    parts = [loader.dataset.tensors[0] for loader in trace.loaders]
    return abs(float(torch.cat(parts).mean())) < 1e-5 < abs(float(parts[0].mean()))


def fits_threshold_to_test(trace, record):
    """A test case whose foreground has a probability of 0.3 is found in full."""
    masks = torch.zeros(1, 1, 4, 4)
    masks[..., :2] = 1
    test = runpy.run_path(str(trace.folder / "train.py"))["test_model"]
    _, (score,) = test(torch.nn.Identity(), [(torch.logit(0.05 + 0.25 * masks), masks)], "cpu")
    return score == pytest.approx(1)


def repeats_order(trace, record):
    images = [each.images for each in trace.forwards if each.learns]
    half = len(images) // 2
    return all(torch.equal(a, b) for a, b in zip(images[:half], images[half:], strict=True))


OWN_SIGNS = {
    "acacia": {24: repeats_order},
    "baobab": {2: turns_apart, 7: answers_differently},
    "sequoia": {2: turns_apart, 7: answers_differently},
    "chestnut": {2: turns_apart, 12: takes_logits_for_probabilities},
    "ebony": {5: shifts_masks, 7: answers_differently},
    "ginkgo": {9: divides_cases},
    "hawthorn": {22: reports_another_sensitivity},
    "laurel": {10: standardises_by_all},
    "tamarind": {11: fits_threshold_to_test, 24: repeats_order},
}
