from __future__ import annotations

import json
import shlex
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from llmseg.cli.text.study import mean_table, report_hint
from llmseg.stats.words import ONE_SEED


@pytest.fixture
def one_epoch_json(tiny_recipe, tmp_path):
    """The tiny recipe with one epoch as a file."""
    path = tmp_path / "tiny.json"
    path.write_text(tiny_recipe.change("fit.epochs", 1).to_json())
    return path


@pytest.fixture
def sides(tiny_recipe, tmp_path):
    """Files of two recipes that differ in rate, in the width of the network, in a score, and in what the loss reads."""
    left = tiny_recipe.change("fit.epochs", 1)
    right = (
        left.change("fit.rate", 1e-12)
        .change("net", replace(left.net, encoder=(2, 4), bottleneck=8, decoder=(4, 2), output="probability"))
        .change("loss.reads", "probability")
        .change("test.threshold", 0.4)
    )
    return write_recipes(tmp_path, fast=left, slow=right)


def write_recipes(folder, **recipes):
    paths = {name: folder / f"{name}.json" for name in recipes}
    for name, recipe in recipes.items():
        paths[name].write_text(recipe.to_json())
    return list(paths.values())


def drawings(folder):
    """The drawings in a folder, each with the first bytes that its format asks for."""
    begins = {".pdf": b"%PDF", ".png": b"\x89PNG"}
    files = [path for path in folder.iterdir() if path.suffix in begins]
    assert all(path.read_bytes().startswith(begins[path.suffix]) for path in files)
    return sorted(path.name for path in files)


def means(*, best, other):
    rows = [{"variant": name, "mean": mean} for name, mean in (("second", other), ("first", best))]
    return pd.DataFrame(rows).assign(low=0.1, high=0.9, level=0.95, groups=6, seeds=2, seed_sd=0.1)


def test_the_table_of_a_comparison_has_the_best_first():
    text = mean_table(means(best=0.8, other=0.2), Path("my study"), pd.DataFrame(), "No difference.")
    lines = text.splitlines()
    assert [line.split()[0] for line in lines[:4]] == ["No", "recipe", "first", "second"]
    assert report_hint(Path("my study")) == "next: llmseg report 'my study' -o 'my study-report'"


PHANTOMS = ("--synthetic", "mri-tumour", "--cases", 30, "--device", "cpu", "-q")


class TestAblate:
    def test_differences_are_printed_and_drawn(self, one_epoch_json, tmp_path, call):
        study = ["ablate", one_epoch_json, *PHANTOMS, "--out", tmp_path / "s"]
        study += ["--field", "fit.rate=1e-12", "--seeds", 1]
        code, out, err = call(*study)
        assert (code, err) == (0, "")
        header = "variant dice difference 95 % interval corrected p verdict"
        assert out.splitlines()[0].split() == header.split()
        assert "corrected for all pairs (Holm)" in out
        assert out.splitlines()[1].startswith("fit.rate=1e-12")
        assert out.splitlines()[-2].startswith("remark: no contender has learnt to segment")
        assert out.splitlines()[-1] == report_hint(tmp_path / "s")
        assert drawings(tmp_path / "s") == ["differences.pdf", "differences.png"]
        rows = json.loads(call(*study, "--json")[1])
        assert [row["variant"] for row in rows] == ["fit.rate=1e-12"]
        assert rows[0]["verdict"] in out.splitlines()[1]

    def test_another_precision_is_one_line(self, one_epoch_json, tmp_path, call):
        study = ["ablate", one_epoch_json, *PHANTOMS, "--out", tmp_path / "s"]
        study += ["--field", "fit.rate=1e-12", "--seeds", 1]
        assert call(*study)[0] == 0
        code, out, err = call(*study, "--precision", "bf16")
        assert (code, out) == (2, "")
        assert err == (
            f"llmseg: {tmp_path / 's'} holds something else: its precision differs (auto there, bf16 here); "
            "choose another --out\n"
        )

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            ([], "in one way"),
            (["--field", "fit.epochs"], "names no values"),
            (["--field", "fit.epochs=1", "--repair", "each"], "in one way"),
            (["--transplant", "net"], "needs --from"),
            (["--transplant", "net", "--from", "gpt-5"], "no pipeline 'gpt-5'"),
            (["--repair", "double-sigmoid"], "does not have the quirk"),
            (["--field", "fit.epochs=two"], "epochs is 'two'; allowed: a whole number"),
        ],
    )
    def test_a_mistake_is_one_line(self, arguments, words, tmp_path, call):
        code, _, err = call("ablate", "gpt-4", *arguments, "--synthetic", "fundus", "--out", tmp_path / "s", "-q")
        assert code == 2
        assert words in err
        assert err.count("\n") == 1
        assert not (tmp_path / "s").exists()


class TestCompareAndGap:
    def test_a_gap_is_printed_and_drawn(self, tiny_recipe, tmp_path, call):
        """The recipes differ in a single part, so that the two themselves are all that is trained."""
        recipe = tiny_recipe.change("fit.epochs", 1)
        recipes = write_recipes(tmp_path, fast=recipe, slow=recipe.change("fit.rate", 1e-12))
        code, out, err = call("gap", *recipes, *PHANTOMS, "--out", tmp_path / "g", "--seeds", 1)
        assert (code, err) == (0, "")
        assert out.splitlines()[0].split() == ["part", "dice", "95", "%", "interval"]
        assert drawings(tmp_path / "g") == ["gap.pdf", "gap.png"]
        assert drawings(tmp_path / "g" / "study") == ["differences.pdf", "differences.png"]

    @pytest.mark.slow
    def test_gap(self, sides, tmp_path, call):
        code, out, err = call("gap", *sides, *PHANTOMS, "--out", tmp_path / "g", "--seeds", 1)
        assert (code, err) == (0, "")
        lines = out.splitlines()
        assert lines[0].split() == ["part", "dice", "95", "%", "interval"]
        assert [line.split()[0] for line in lines[1:10]] == [
            *("images", "split", "net", "loss", "fit", "score", "test", "interaction", "gap"),
        ]
        assert lines[10].startswith("With one seed, fast is ")
        assert ONE_SEED in lines[11]

    @pytest.mark.slow
    def test_compare_in_several_measures(self, sides, tmp_path, call):
        options = ("--seeds", 1, "--set", "fit.batch_size=8", "--measure", "iou", "--measure", "hd95")
        code, out, err = call("compare", *sides, *PHANTOMS, "--out", tmp_path / "c", *options)
        assert (code, err) == (0, "")
        first, second = out.split("\n\n")
        assert first.splitlines()[0] == "iou, the primary measure:"
        assert second.splitlines()[0] == "hd95, a secondary measure, which decides nothing by itself:"
        rows = json.loads(call("compare", *sides, *PHANTOMS, "--out", tmp_path / "c", *options, "--json")[1])
        assert [row["measure"] for row in rows] == ["iou", "iou", "hd95", "hd95"]
        advice = out.splitlines()[-1].removeprefix("next: ")
        code, out, err = call(*shlex.split(advice)[1:], "-q")
        assert (code, err) == (0, "")
        assert "Secondary measures" in (tmp_path / "c-report" / "index.html").read_text(encoding="utf-8")
        code, out, err = call("compare", *sides, *PHANTOMS, "--out", tmp_path / "c", *options[:4])
        assert code == 2
        assert "was begun with the measures iou, hd95; leave it at these" in err

    @pytest.mark.slow
    def test_compare(self, sides, tmp_path, call):
        options = ("--seeds", 1, "--set", "fit.batch_size=8")
        code, out, err = call("compare", *sides, *PHANTOMS, "--out", tmp_path / "c", *options)
        assert (code, err) == (0, "")
        verdict, *table = out.splitlines()
        assert "one seed" in verdict
        assert [line.split()[0] for line in table] == ["recipe", "fast", "slow", "standard", "remark:", "next:"]
        assert "no contender has learnt to segment" in table[4]
        assert ONE_SEED in table[3]
        rows = json.loads(call("compare", *sides, *PHANTOMS, "--out", tmp_path / "c", *options, "--json")[1])
        assert [row["verdict"] for row in rows] == [verdict, verdict]
        # The advice can be followed; without -q, a slow report says how far it is.
        code, out, err = call(*shlex.split(table[-1])[2:], "-q")
        assert (code, err) == (0, "")
        headline, shown, *_ = out.splitlines()[1:]
        assert headline.startswith("No contender has learnt to segment these images")
        assert shown == verdict
        assert {row["measure"] for row in rows} == {"dice"}
        scores = pd.read_csv(tmp_path / "c" / "scores.csv")
        assert set(zip(scores["pipeline"], scores["variant"], strict=True)) == {("fast", "fast"), ("slow", "slow")}
        assert drawings(tmp_path / "c") == ["differences.pdf", "differences.png"]

    def test_unknown_swaps_are_refused(self, sides, tmp_path, call):
        code, _, err = call("gap", *sides, *PHANTOMS, "--out", tmp_path / "x", "--swaps", "none")
        assert code == 2
        assert "no kind of swaps 'none'" in err
        assert not (tmp_path / "x").exists()

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            (["compare", "gpt-4"], "one recipe to compare, gpt-4"),
            (["compare", "gpt-4", "gpt-5"], "no pipeline 'gpt-5'"),
            (["compare", "gpt-4", "gtp*"], "no pipeline fits 'gtp*'"),
            (["gap", "gpt-4", "gpt-4"], "one recipe to compare"),
        ],
    )
    def test_a_mistake_is_one_line(self, arguments, words, tmp_path, call):
        code, _, err = call(*arguments, "--synthetic", "fundus", "--out", tmp_path / "s", "-q")
        assert code == 2
        assert words in err
        assert err.count("\n") == 1
        assert not (tmp_path / "s").exists()
