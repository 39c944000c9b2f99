from __future__ import annotations

import json

import pytest

from llmseg import train
from llmseg.figures import KINDS
from llmseg.stats import simulate


@pytest.fixture(scope="module")
def run(phantoms, tiny_recipe, tmp_path_factory):
    recipe, out = tiny_recipe.change("fit.epochs", 1), tmp_path_factory.mktemp("runs") / "run"
    return train(recipe, phantoms, out, label="gpt-4", device="cpu", progress=False)


def test_one_figure(run, tmp_path, call):
    path = tmp_path / "l.svg"
    assert call("figure", "losses", run.folder, "-o", path) == (0, f"{path}\n", "")
    assert path.read_bytes().startswith(b"<?xml")
    assert json.loads(call("figure", "losses", run.folder, "-o", path, "--json")[1]) == {"written": [str(path)]}


def test_every_figure_that_a_run_allows(run, tmp_path, call):
    code, out, _ = call("figure", "--all", run.folder, "-o", tmp_path / "all", "--format", "svg", "--json")
    assert code == 0
    content = json.loads(out)
    assert sorted(content["written"]) == sorted(str(path) for path in (tmp_path / "all").iterdir())
    assert str(tmp_path / "all" / "losses.svg") in content["written"]
    assert "boxes" in content["left_out"]
    text = call("figure", "--all", run.folder, "-o", tmp_path / "all", "--format", "svg")[1]
    assert f"left out boxes: {content['left_out']['boxes']}" in text.splitlines()


def test_a_table_of_scores_is_drawn(tmp_path, call):
    table = simulate(pipelines=3, datasets=1, seeds=1, cases=10).frame
    table.to_csv(tmp_path / "scores.csv", index=False)
    assert call("figure", "boxes", tmp_path / "scores.csv", "-o", tmp_path / "b.svg")[0] == 0
    assert (tmp_path / "b.svg").stat().st_size > 0


def test_the_kinds(call):
    assert [line.split()[0] for line in call("figure", "--kinds")[1].splitlines()] == list(KINDS)
    assert list(json.loads(call("figure", "--kinds", "--json")[1])) == list(KINDS)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["boxs", "x", "-o", "a.pdf"], "no figure 'boxs'; did you mean 'boxes'?"),
        (["boxes", "-o", "a.pdf"], "llmseg figure boxes needs results"),
        (["boxes", "x"], "say where to write: -o boxes.pdf"),
        (["--all", "x"], "say where to write: -o FOLDER"),
        (["boxes", "x", "-o", "a.pfd"], "no format '.pfd' for a.pfd; did you mean '.pdf'?"),
        (["--all", "x", "-o", "a", "--format", "pfd"], "did you mean '.pdf'?"),
        (["boxes", "nowhere", "-o", "a.pdf"], "nowhere: no such folder"),
        ([], "name a figure, or --all; there are boxes"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_two(check_mistake, arguments, words):
    check_mistake(words, "figure", *arguments)
