from __future__ import annotations

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

import llmseg
from llmseg import zoo


@pytest.fixture
def folder(make_folder):
    """Twelve cases of 40 x 36 pixels."""
    return make_folder({f"{number:02}": (40, 36) for number in range(12)})


@pytest.fixture
def tiny_json(tiny_recipe, tmp_path):
    path = tmp_path / "tiny.json"
    path.write_text(tiny_recipe.to_json())
    return path


class TestList:
    def test_a_line_per_pipeline_of_the_study(self, call):
        code, out, _ = call("list")
        assert code == 0
        assert [line.split()[0] for line in out.splitlines()] == ["id", *zoo.names()]

    def test_conditions(self, call):
        _, out, _ = call("list", "--cohort", 2024, "--reasoning", "--json")
        assert [row["id"] for row in json.loads(out)] == list(zoo.names(cohort=2024, reasoning=True))
        _, out, _ = call("list", "--all", "--json")
        assert [row["id"] for row in json.loads(out)] == list(zoo.all_names())
        _, out, _ = call("list", "--vendor", "openai", "--no-reasoning")
        assert [line.split()[0] for line in out.splitlines()[1:]] == list(zoo.names(vendor="OpenAI", reasoning=False))

    def test_references(self, call):
        _, out, _ = call("list", "--references")
        lines = [line.split() for line in out.splitlines()[1:]]
        assert [line[:1] + line[2:4] for line in lines] == [[id, "-", "-"] for id in zoo.names(reference=True)]

    def test_nothing_that_fits(self, call):
        code, out, err = call("list", "--vendor", "nobody")
        assert (code, out) == (2, "")
        assert "cohorts: 2024, 2025; vendors: OpenAI, Anthropic" in err
        assert call("list", "--vendor", "nobody", "--json")[:2] == (0, "[]\n")


def test_version(call):
    assert call("--version")[:2] == (0, f"{llmseg.__version__}\n")


class TestShow:
    @pytest.mark.parametrize("name", [*zoo.names(in_study=None, reference=None), "gpt-4@tensorflow", "gpt-4o@run-01"])
    def test_card_recipe_and_differences(self, call, name):
        code, out, _ = call("show", name)
        pipeline = zoo.get(name)
        assert code == 0
        assert out.startswith(name)
        for word in (pipeline.card.name, f"{pipeline.card.parameters:,}", "against the textbook recipe:"):
            assert word in out
        for path, _ in pipeline.recipe.items():
            assert f"  {path} = " in out
        differences = out.partition("against the textbook recipe:")[2]
        for difference in zoo.TEXTBOOK.diff(pipeline.recipe):
            assert f"  {difference.path} " in differences

    def test_json_holds_the_recipe(self, call, tmp_path):
        _, out, _ = call("show", "gpt4", "--json")
        shown = json.loads(out)
        assert shown["id"] == "gpt-4"
        assert shown["recipe"] == zoo.get("gpt-4").recipe.to_dict()


class TestDiff:
    def test_every_field_that_differs(self, call):
        _, out, _ = call("diff", "gpt-4o", "gpt-o1-preview", "--json")
        expected = zoo.get("gpt-4o").recipe.diff(zoo.get("gpt-o1-preview").recipe)
        assert [d["path"] for d in json.loads(out)] == [d.path for d in expected]
        _, text, _ = call("diff", "gpt-4o", "gpt-o1-preview")
        assert [line.split()[0] for line in text.splitlines()[1:]] == [d.path for d in expected]

    def test_with_a_recipe_in_a_file(self, call, tiny_json):
        assert "net.encoder" in call("diff", "gpt-o3", tiny_json)[1]
        assert call("diff", tiny_json, tiny_json)[1] == "no difference\n"


class TestTrain:
    def test_a_recipe_from_a_file_with_changes(self, call, folder, tiny_json, tmp_path):
        code, out, err = call(
            "train", tiny_json, "--images", folder[0], "--masks", folder[1], "--out", tmp_path / "run",
            "--set", "fit.rate=0.02", "--set", "net.encoder=2,4", "--epochs", 1, "--json", "-q",
        )  # fmt: skip
        assert (code, err) == (0, "")
        facts = json.loads(out)
        assert (facts["epochs"], facts["test_cases"]) == (1, 2)
        record = json.loads((tmp_path / "run" / "run.json").read_text())
        assert record["recipe"]["fit"]["rate"] == 0.02
        assert record["recipe"]["net"]["encoder"] == [2, 4]
        assert record["label"] == "tiny"

    def test_phantoms(self, call, tiny_json, tmp_path):
        arguments = ("--synthetic", "fundus", "--cases", 10, "--epochs", 1, "--out", tmp_path / "run", "-q")
        code, out, _ = call("train", tiny_json, *arguments)
        assert code == 0
        assert "own dice" in out
        assert json.loads((tmp_path / "run" / "run.json").read_text())["store"]["cases"] == 10

    def test_progress_bars_go_to_stderr(self, call, tiny_json, tmp_path):
        _, out, err = call("train", tiny_json, "--synthetic", "fundus", "--cases", 10, "--out", tmp_path / "run")
        assert "tiny epoch 2/2" in err
        assert "epoch 2/2" not in out


@pytest.mark.slow
def test_replay_and_predict(call, make_folder, tmp_path):
    images, masks = make_folder({f"{number:02}": (40, 36) for number in range(20)})
    run = tmp_path / "run"
    code, _, _ = call(
        "replay", "llama 3.1 405b", "--images", images, "--masks", masks, "--out", run, "--epochs", 1, "-q"
    )
    assert code == 0
    assert (run / "replay" / "train_losses.xlsx").is_file()
    for path in sorted(images.iterdir())[3:]:
        path.unlink()
    for model in ((run,), ("llama-3.1-405b", "--weights", run / "replay" / "model_state_dict.pth")):
        out = tmp_path / f"out{len(model)}"
        assert call("predict", *model, "--images", images, "--out", out, "-q")[0] == 0
    for kind in ("masks", "probabilities"):
        for path in (tmp_path / "out1" / kind).iterdir():
            one, other = (np.asarray(Image.open(tmp_path / o / kind / path.name)) for o in ("out1", "out3"))
            assert one.shape == (40, 36)
            np.testing.assert_array_equal(one, other)


class TestVerify:
    def test_levels_that_hold_and_the_exit_code(self, call, golden):
        code, out, _ = call(
            "replay", "llama-3.1-405b", "--verify", golden / "llama-3.1-405b.json", "--level", "F1,F3", "-q"
        )
        assert code == 0
        assert [line.split()[0] for line in out.splitlines()] == ["F1", "F3"]
        assert out.count("holds") == 2

    def test_divergence_is_exit_code_one_and_says_where(self, call, golden):
        code, out, err = call("replay", "gpt-4", "--verify", golden / "llama-3.1-405b.json", "--level", "F1", "-q")
        assert (code, err) == (1, "")
        assert "DIVERGES" in out
        assert "expected 533953, found 7696193" in out
        code, out, _ = call("replay", "gpt-4", "--verify", golden / "llama-3.1-405b.json", "--level", "F1", "--json")
        assert code == 1
        assert json.loads(out)[0]["divergence"].startswith("parameters")

    def test_with_the_images_of_the_record(self, call, golden):
        code, out, _ = call(
            "replay", "llama-3.1-405b", "--verify", golden / "llama-3.1-405b.json", "--level", "F2,bookkeeping", "-q",
            "--images", golden / "data_jpg" / "images", "--masks", golden / "data_jpg" / "masks",
            "--bookkeeping-images", golden / "data_many_jpg" / "images",
            "--bookkeeping-masks", golden / "data_many_jpg" / "masks",
        )  # fmt: skip
        assert code == 0
        assert out.count("holds") == 2


def _without_a_mask(images, masks):
    (masks / "03.png").unlink()


def _mask_of_another_size(images, masks):
    Image.new("L", (9, 9)).save(masks / "03.png")


def _mask_of_labels(images, masks):
    Image.fromarray((np.asarray(Image.open(masks / "03.png")) > 0).astype(np.uint8)).save(masks / "03.png")


def _truncated(images, masks):
    data = (images / "03.png").read_bytes()
    (images / "03.png").write_bytes(data[: len(data) // 2])


def _no_image(images, masks):
    (images / "03.png").write_text("hello")


def _few(images, masks):
    for number in range(2, 12):
        (images / f"{number:02}.png").unlink()


def _no_images(images, masks):
    for path in images.iterdir():
        path.unlink()


def _no_folder(images, masks):
    shutil.rmtree(images)


def _other_names(images, masks):
    for path in list(masks.iterdir()):
        path.rename(masks / f"{path.stem}_2ndHO.png")


BAD_DATA = [
    (_no_folder, "no image folder"),
    (_no_images, "no images in image folder"),
    (_other_names, "give --mask-suffix=_2ndHO"),
    (_without_a_mask, "1 of 12 images"),
    (_mask_of_another_size, "mask 03.png is 9x9, its image 03.png is 36x40"),
    (_mask_of_labels, "--foreground 1"),
    (_truncated, "03.png is damaged"),
    (_no_image, "03.png is not an image"),
    (_few, "2 cases are too few"),
]


@pytest.mark.parametrize(("spoil", "words"), BAD_DATA, ids=[spoil.__name__ for spoil, _ in BAD_DATA])
@pytest.mark.parametrize("command", ["train", "replay"])
def test_bad_data_is_one_line_and_leaves_nothing(call, folder, tmp_path, spoil, words, command):
    spoil(*folder)
    out = tmp_path / "deep" / "run"
    code, text, err = call(command, "gpt-4", "--images", folder[0], "--masks", folder[1], "--out", out, "-q")
    assert (code, text) == (2, "")
    assert err.startswith("llmseg: ")
    assert err.count("\n") == 1
    assert words in err
    assert not out.parent.exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["show", "gpt-5"], "no pipeline 'gpt-5'; did you mean 'gpt-4'?"),
        (["diff", "gpt-4", "nothing.json"], "no recipe file nothing.json"),
        (["train", "gpt-4", "--out", "run"], "in one way: --data STORE, --images DIR"),
        (["train", "gpt-4", "--out", "run", "--synthetic", "fundos"], "did you mean 'fundus'?"),
        (["train", "gpt-4", "--out", "run", "--synthetic", "fundus", "--set", "fit.epoch=3"], "did you mean 'epochs'?"),
        (["train", "gpt-4", "--out", "run", "--synthetic", "fundus", "--set", "fit.epochs=x"], "a whole number"),
        (["train", "gpt-4", "--out", "run", "--synthetic", "fundus", "--set", "fit.epochs"], "write path=value"),
        (["train", "gpt-4", "--out", "run", "--synthetic", "fundus", "--device", "tpu"], "auto, cpu, cuda or cuda:N"),
        (["train", "gpt-4", "--out", "run", "--synthetic", "fundus", "--set", "images.size=250,250"], "images.size"),
        (["replay", "gpt-4", "--synthetic", "fundus"], "replay needs --out DIR"),
        (["replay", "gpt-4", "--verify", "none.json"], "no record none.json"),
        (["predict", "run", "--images", "images", "--out", "out"], "no run folder run"),
        (["predict", "gpt-4", "--weights", "none.pth", "--images", "images", "--out", "out"], "no file none.pth"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_two(call, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    code, text, err = call(*arguments, *(["-q"] if arguments[0] in ("train", "replay", "predict") else []))
    assert (code, text) == (2, "")
    assert err.startswith("llmseg: ")
    assert err.count("\n") == 1
    assert words in err
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_that_does_not_fit(call, folder, tmp_path):
    torch.save({"some.weight": torch.zeros(3)}, tmp_path / "other.pth")
    out = tmp_path / "out"
    arguments = ("--weights", tmp_path / "other.pth", "--images", folder[0], "--out", out)
    code, _, err = call("predict", "gpt-4", *arguments)
    assert code == 2
    assert "does not fit gpt-4" in err
    assert err.count("\n") == 1
    assert not out.exists()


def test_as_a_module_and_quickly_imported():
    """Listing needs no torch: that is what keeps it fast."""
    found = subprocess.run([sys.executable, "-m", "llmseg", "list"], capture_output=True, text=True, check=True)
    assert "gpt-4o" in found.stdout
    code = "import sys, llmseg, llmseg.cli.main; print([m for m in ('torch', 'monai', 'pandas') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_the_cache_is_listed_and_cleared(call, tmp_path, monkeypatch, tiny_recipe):
    monkeypatch.setenv("LLMSEG_CACHE", str(tmp_path / "cache"))
    recipe = tmp_path / "recipe.json"
    recipe.write_text(tiny_recipe.change("fit.epochs", 1).to_json())
    train = ["train", str(recipe), "--synthetic", "endoscopy", "--cases", "12", "-q", "--out"]
    assert call(*train, str(tmp_path / "without"), "--no-cache")[0] == 0
    assert "0 sets of cases" in call("cache", "list")[1]
    assert call(*train, str(tmp_path / "with"))[0] == 0
    assert "12 cases" in call("cache", "list")[1]
    assert json.loads(call("cache", "list", "--json")[1])[0]["cases"] == 12
    assert "MB freed" in call("cache", "clear")[1]
    assert "0 sets of cases" in call("cache", "list")[1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--precision", "bf61"], "no precision 'bf61'; did you mean 'bf16'?"),
        (["--precision", "bf16", "--exact"], "exact is fp32"),
    ],
)
def test_how_to_compute_is_checked_first(call, tmp_path, options, message):
    code, _, errors = call("train", "gpt-4", "--synthetic", "endoscopy", "--out", str(tmp_path / "o"), *options)
    assert (code, errors.count("\n")) == (2, 1)
    assert message in errors
    assert not (tmp_path / "o").exists()
