from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from PIL import Image


class TestTrain:
    def test_a_recipe_from_a_file_with_changes(self, call, folders, tiny_json, tmp_path):
        code, out, err = call(
            "train", tiny_json, "--images", folders[0], "--masks", folders[1], "--out", tmp_path / "run",
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

    def test_more_epochs_of_a_finished_run(self, call, folders, tiny_json, tmp_path):
        cases = ("--images", folders[0], "--masks", folders[1])
        code, _, _ = call("train", tiny_json, *cases, "--epochs", 1, "--seed", 3, "--out", tmp_path / "run")
        assert code == 0
        more = ("train", "--from", tmp_path / "run", *cases, "--epochs", 2, "--out", tmp_path / "more")
        code, out, err = call(*more, "--json")
        assert code == 0
        assert f"note: 2 epochs from the weights of {tmp_path / 'run'}, which had 1; a finished run keeps no" in err
        assert "not that of one training of 3 epochs" in err
        record = json.loads((tmp_path / "more" / "run.json").read_text())
        assert (record["seed"], record["label"], record["start"]["epochs"]) == (3, "tiny", 1)
        assert json.loads(out)["epochs"] == 2
        code, _, err = call(*more, "--seed", 4)
        assert (code, "give --seed 3" in err, err.count("\n")) == (2, True, 1)
        code, _, err = call("train", *cases, "--out", tmp_path / "none")
        assert code == 2
        assert "name a pipeline or a recipe in a file, or a finished run by --from" in err

    def test_progress_bars_go_to_stderr(self, call, tiny_json, tmp_path):
        _, out, err = call("train", tiny_json, "--synthetic", "fundus", "--cases", 10, "--out", tmp_path / "run")
        assert "tiny epoch 2/2" in err
        assert "epoch 2/2" not in out


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

    @pytest.mark.parametrize("how", [("--verify", "llama-3.1-405b.json"), ("--verify-all", "")])
    def test_the_device_is_that_of_the_command(self, call, golden, how):
        option, record = how
        name = ["llama-3.1-405b"] if record else []
        checked = ["replay", *name, option, golden / record, "--level", "F1", "-q"]
        code, out, err = call(*checked, "--device", "cuda:77")
        assert (code, out) == (2, "")
        assert "no device 'cuda:77'" in err

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
    for index in range(2, 12):
        (images / f"{index:02}.png").unlink()
        (masks / f"{index:02}.png").unlink()


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
def test_bad_data_is_one_line_and_leaves_nothing(call, folders, tmp_path, spoil, words, command):
    spoil(*folders)
    out = tmp_path / "deep" / "run"
    code, text, err = call(command, "gpt-4", "--images", folders[0], "--masks", folders[1], "--out", out, "-q")
    assert (code, text) == (2, "")
    assert err.startswith("llmseg: ")
    assert err.count("\n") == 1
    assert words in err
    assert not out.parent.exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["train", "gpt-4", "--out", "run", "-q"], "in one way: --data STORE, --images DIR"),
        (["train", "gpt-4", "--out", "run", "--synthetic", "fundos", "-q"], "did you mean 'fundus'?"),
        (
            ["train", "gpt-4", "--out", "run", "--synthetic", "fundus", "--set", "fit.epoch=3", "-q"],
            "did you mean 'epochs'?",
        ),
        (["train", "gpt-4", "--out", "run", "--synthetic", "fundus", "--set", "fit.epochs=x", "-q"], "a whole number"),
        (["train", "gpt-4", "--out", "run", "--synthetic", "fundus", "--set", "fit.epochs", "-q"], "write path=value"),
        (
            ["train", "gpt-4", "--out", "run", "--synthetic", "fundus", "--device", "tpu", "-q"],
            "auto, cpu, cuda or cuda:N",
        ),
        (
            ["train", "gpt-4", "--out", "run", "--synthetic", "fundus", "--set", "images.size=250,250", "-q"],
            "images.size",
        ),
        (["replay", "gpt-4", "--synthetic", "fundus", "-q"], "replay needs --out DIR"),
        (["replay", "gpt-4", "--verify", "none.json", "-q"], "no record none.json"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_two(check_mistake, arguments, words):
    check_mistake(words, *arguments)


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


class TestArtefacts:
    @pytest.mark.parametrize(
        ("name", "layout", "words"),
        [
            ("monai-dynunet", "original", "what the scripts of monai-dynunet write is not known yet"),
            ("gpt-4@tensorflow", "original", "what the scripts of gpt-4@tensorflow write is not known yet"),
            ("gpt-4", "orginal", "must be one of common, original; did you mean 'original'"),
        ],
    )
    def test_what_cannot_be_written_is_one_line_before_the_training(self, call, folders, tmp_path, name, layout, words):
        code, _, err = call(
            "replay", name, "--images", folders[0], "--masks", folders[1], "--out", tmp_path / "run",
            "--artefacts", layout, "-q",
        )  # fmt: skip
        assert code == 2
        assert words in err
        assert err.count("\n") == 1
        assert not (tmp_path / "run").exists()

    def test_show_says_what_is_written(self, call):
        code, out, _ = call("show", "gpt-o4-mini-high@run-01")
        assert code == 0
        lines = out.split("its scripts write:\n")[1].split("\n\n")[0].splitlines()
        assert len(lines) == 8
        assert lines[0].split()[0] == "validation_dice_scores.xlsx"
        assert "a sheet per epoch; after every epoch" in lines[0]
        _, out, _ = call("show", "gpt-o4-mini-high@run-01", "--json")
        assert [output["file"] for output in json.loads(out)["outputs"]] == [line.split()[0] for line in lines]
