"""Parts of a recipe that are fitted: to files as they lie on disk, to numbers in the text, to a trial of a network."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from llmseg import zoo
from llmseg.admission import Phantoms, fit_recipe, read_observation, write_phantoms
from llmseg.admission.observing.fitting.epochs import fit_epoch_loss
from llmseg.admission.observing.fitting.images import draw_files, fit_images
from llmseg.admission.observing.fitting.scores import fit_scores
from llmseg.admission.observing.fitting.splits import fit_split, name_shares
from llmseg.admission.observing.matching import Match
from llmseg.admission.observing.observation import Item, Parts
from llmseg.admission.observing.record import Event
from llmseg.admission.observing.watching.trying import ODD_SIZE, compute, draw_images, set_weights
from llmseg.admission.scripts import read_scripts
from llmseg.recipe.fit import OwnSeed
from llmseg.recipe.splits import RandomSplit
from tests.admission.observing.conftest import run_observed

SMALL = replace(zoo.TEXTBOOK.net, encoder=(4, 8), bottleneck=16, decoder=(8, 4))


@pytest.fixture
def nothing(tmp_path):
    return read_observation(tmp_path, Phantoms(53))


def read_text(folder, text):
    (folder / "main.py").write_text(text, encoding="utf-8")
    return read_scripts(folder)


def split_like(observation, split, seed=0):
    made = split(observation.phantoms.ids, torch.Generator().manual_seed(seed))
    return replace(observation, parts=Parts(made.train, made.validation, made.test))


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"first": "test", "first_size": 0.1, "second_size": 0.1 / (1 - 0.1)}, "a, b = 0.1, 0.1\nsize = a / (1 - b)"),
        ({"first": "test", "second_size": 0.125}, "x, y = train_test_split(z, test_size=0.2)\nv = 0.125"),
        (
            {"first_size": 0.8, "sizes_are": "train_size"},
            "x, y = train_test_split(z, train_size=0.8)\nv, w = train_test_split(y, train_size=0.5)",
        ),
    ],
)
def test_sizes_of_a_split_are_those_of_the_text(nothing, tmp_path, changes, text):
    split = replace(zoo.TEXTBOOK.split, **changes)
    seen = split_like(nothing, split)
    assert fit_split(seen, read_text(tmp_path, text)) == split
    counted = fit_split(seen, None)  # without the text, what the counted cases show
    assert counted != split
    assert split_like(nothing, counted).parts == seen.parts


def test_each_call_has_its_own_size(tmp_path):
    few = read_observation(tmp_path, Phantoms(12))
    split = replace(zoo.TEXTBOOK.split, first="test", second_size=0.125)  # of nine, 0.2 would be two cases, too
    text = "a, b = train_test_split(c, test_size=0.2)\nd, e = train_test_split(a, test_size=0.125)"
    assert fit_split(split_like(few, split), read_text(tmp_path, text)) == split


def test_a_random_split_rounds_down(nothing, tmp_path):
    split = RandomSplit(calls="once", train=0.8, validation=0.1)
    assert fit_split(split_like(nothing, split, 7), read_text(tmp_path, "train, val = 0.8, 0.1")) == split
    assert name_shares(split) == {"training": 0.8, "validation": 0.1, "test": 0.1}
    assert name_shares(zoo.get("qwen-3-235b").recipe.split) == {"training": 0.7, "validation": 0.1, "test": 0.2}
    assert name_shares(zoo.get("grok-3").recipe.split) == {"training": 0.8, "validation": 0.1, "test": 0.1}


def encode(pixels):
    written = io.BytesIO()
    Image.fromarray(pixels).save(written, "JPEG", quality=75)
    return np.array(Image.open(written))


@pytest.mark.parametrize(("channels", "size"), [(1, (64, 64)), (3, (64, 64)), (1, None)])
def test_images_are_those_of_the_files(channels, size):
    observation = SimpleNamespace(phantoms=Phantoms(12, channels))
    drawn = draw_files(observation)
    files = {id: (encode(image), encode(mask)) for id, (image, mask) in drawn.items()}
    colour = "grey" if channels == 1 else "rgb"
    prepare = replace(zoo.get("gpt-4").recipe.images, size=size, colour=colour, mean=0.5, std=0.5)
    tensors = [prepare(*files[id]) for id in files]
    observation.passes = [
        SimpleNamespace(
            part="training",
            items=tuple(Item(Match(id), id) for id in files),
            images=np.stack([image.numpy() for image, _ in tensors]),
            masks=np.stack([mask.numpy() for _, mask in tensors]),
        )
    ]
    assert fit_images(observation, files) == prepare
    assert fit_images(observation, drawn) == "no preparation of the library gives the images that arrived"


@pytest.mark.parametrize("mismatch", ["pad", "resize", "resize-nearest", "crop", "error"])
def test_sizes_that_leave_a_rest_tell_networks_apart(mismatch):
    net = replace(SMALL, mismatch=mismatch)
    given = []
    for each in (net, replace(net, mismatch=mismatch), replace(net, mismatch="resize")):
        network = each.build(1)
        set_weights(network, draw_images(1, (32, 32)))
        given.append(compute(network, draw_images(1, ODD_SIZE), training=False))
    if mismatch == "error":
        assert given[:2] == [None, None]
    else:
        assert np.array_equal(given[0], given[1])
        is_same = given[0].shape == given[2].shape and np.allclose(given[0], given[2], rtol=1e-4)
        assert is_same == (mismatch == "resize")


@pytest.mark.parametrize(
    ("text", "way"),
    [
        ("for x in y:\n    total += loss.item()", "batches"),
        ("for x in y:\n    total += loss.item() * x.size(0)", "cases"),
        ("for x in y:\n    losses.append(loss.item())", "batches"),
        (
            "for x in y:\n    total += loss.item() * len(x)\n    other += val_loss.item()",
            "cases",
        ),  # undecided: the textbook
    ],
)
def test_the_text_says_how_losses_are_averaged(nothing, tmp_path, text, way):
    assert fit_epoch_loss(nothing, read_text(tmp_path, text)) == way


@pytest.mark.parametrize(
    ("factors", "way"), [((0.5, 0.5), "batches"), ((0.9, 0.1), "cases"), ((0.05, 0.05), "batches-over-cases")]
)
@pytest.mark.parametrize("is_column", [True, False])
def test_a_written_table_says_how_losses_are_averaged(monkeypatch, factors, way, is_column):
    losses = [(0.9, 0.7), (0.8, 0.5), (0.6, 0.5)]
    series = [round(a * factors[0] + b * factors[1], 4) for a, b in losses]
    means = [[sum(pair) / 2 for pair in losses], [0.9 * a + 0.1 * b for a, b in losses]]
    monkeypatch.setattr("llmseg.admission.observing.fitting.epochs.mean_losses", lambda *_: means)
    rows = [[0.0], *([number] for number in series)] if is_column else [[1.0, 2.0, 3.0], series]
    passes = [SimpleNamespace(epoch=n, items=range(size)) for n in (1, 2, 3) for size in (18, 2)]
    seen = SimpleNamespace(
        of=lambda part: passes, record=SimpleNamespace(list=lambda name: [Event(0, "table", {"rows": rows})])
    )
    assert fit_epoch_loss(seen, None) == way


@pytest.mark.slow
def test_what_only_a_trial_or_the_generator_shows(tmp_path):
    """Other sizes, dropout, the order in which weights are drawn, and all that follows from a seed."""
    folder = tmp_path / "scripts"
    phantoms = Phantoms(23)
    write_phantoms(folder / "data", phantoms)
    text = Path(__file__).with_name("seeded_training.txt").read_text(encoding="utf-8")
    (folder / "main.py").write_text(text, encoding="utf-8")
    run_observed(folder, tmp_path / "record")
    seen = read_observation(tmp_path / "record", phantoms)
    assert [event["text"] for event in seen.record.list("fault")] == []
    fitted = fit_recipe(seen, scripts=read_scripts(folder))
    assert set(fitted.foreign) == {"score"}  # nothing is scored in the validation
    net = replace(SMALL, concat="up-first", mismatch="resize-nearest", dropout=0.25, drawn="ups-first")
    assert fitted.recipe.net == net
    assert fitted.recipe.fit.own_seed == OwnSeed(seed=7, summary_batch=3, spare_orders=1)
    assert fitted.recipe.fit.epoch_loss == "batches"
    assert fitted.recipe.test.lists == "case"


def function(name, result, *arguments, **about):
    described = {"tensor": result, "shape": [], **about}
    values = {"name": name, "arguments": list(arguments), "named": {}, "results": [described]}
    return Event(result, "function", values)


def scored(cases, functions, tables):
    rng = np.random.default_rng(0)
    record = SimpleNamespace(list=lambda name: [Event(0, "table", {"rows": rows}) for rows in tables])
    output = rng.random((cases, 1, 8, 8)).astype(np.float32)
    masks = (rng.random((cases, 1, 8, 8)) > 0.5).astype(np.float32)
    return SimpleNamespace(
        **{"items": range(cases), "functions": functions, "record": record, "output": output},
        **{"images": output, "masks": masks, "part": "validation", "block": 0},
    )


@pytest.mark.parametrize("is_loop", [True, False])
@pytest.mark.parametrize("lists", ["batch", "case"])
def test_scores_of_cases_are_listed_as_tables_show(is_loop, lists):
    """Also where numpy, which is not followed, takes their mean."""
    seen = scored(2, (), ())
    numbers = [float(2 * (o * m).sum() / (o.sum() + m.sum())) for o, m in zip(seen.output, seen.masks, strict=True)]
    above, below = {"tensor": 1}, {"tensor": 2}
    seen.functions = [function("sum", 1, {"tensor": 0}), function("sum", 2, {"tensor": 0})]
    if is_loop:
        seen.functions += [function("div", 3 + n, above, below, value=value) for n, value in enumerate(numbers)]
    else:
        seen.functions += [function("div", 3, above, below, values=numbers)]
    written = [sum(numbers) / 2] if lists == "batch" else numbers
    seen.record = scored(2, (), [[[each] for each in written]]).record
    observation = SimpleNamespace(of=lambda part: [seen] if part == "validation" else [])
    found = fit_scores(observation, lambda _: None)
    expected = replace(zoo.TEXTBOOK.score, reads="output", threshold=None, smooth=0.0, over="case", lists=lists)
    assert found == {"score": expected, "test": "no output was compared with a mask"}
