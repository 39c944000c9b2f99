"""Which training is meant by a run, a cell, or a study."""

from __future__ import annotations

import json
import re
import shutil

import pytest

from llmseg import SyntheticStore, UserError, hold_out, run_study
from llmseg.recipe import Recipe
from llmseg.study import Study, Variant, find_run


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    import llmseg

    recipe: Recipe = llmseg.zoo.get("llama-3.1-405b").recipe.change("images.size", (32, 32))
    variants = [Variant("fast", recipe.change("fit.rate", 0.01)), Variant("slow", recipe.change("fit.rate", 1e-6))]
    store = SyntheticStore("fundus", count=14)
    out = tmp_path_factory.mktemp("find") / "study"
    return run_study(
        None, variants, store, out, holdout=hold_out(store, fraction=0.3), seeds=2, epochs=1, progress=False
    )


def test_a_run_and_a_cell_are_the_training_itself(study):
    (first, *_) = study.cells
    assert find_run(first.folder / "run") == find_run(first.folder) == first.folder / "run"
    with pytest.raises(UserError, match="is one training; --contender and --seed choose"):
        find_run(first.folder, "fast")


def test_a_study_needs_a_contender_and_names_them_best_first(study):
    with pytest.raises(UserError, match="has several contenders, best first: ") as error:
        find_run(study.folder)
    means = study.means().set_index("variant")["mean"]
    listed = re.search(r"best first: ([\w, ]+); choose one: --contender (\w+)$", str(error.value))
    assert listed is not None
    assert listed[1].split(", ") == list(means.sort_values(ascending=False).index)
    chosen = find_run(study.folder, listed[2])  # the advice is followed
    assert chosen.parent.name.startswith(f"{listed[2]}-")
    assert chosen.parent.name.endswith("-seed0")
    assert find_run(study.folder.parent, "slow", 1) == find_run(study.folder, "slow", 1)
    assert find_run(study.folder, "slow", 1).parent.name.endswith("-seed1")


@pytest.mark.parametrize(
    ("contender", "seed", "words"),
    [
        ("fats", None, "has no contender 'fats'; did you mean 'fast'"),
        ("fast", 7, "no finished training of that contender"),
    ],
)
def test_what_is_not_there_is_one_line(study, contender, seed, words):
    with pytest.raises(UserError, match=words):
        find_run(study.folder, contender, seed)


def test_an_unfinished_study_gives_what_is_finished(study, tmp_path):
    folder = tmp_path / "study"
    shutil.copytree(study.folder, folder)
    (folder / "differences.csv").unlink()
    for cell in Study.open(folder).cells:
        if cell.seed == 0 and cell.variant == "fast":
            shutil.rmtree(cell.folder)
    assert find_run(folder, "fast").parent.name.endswith("-seed1")


def test_several_datasets_are_named(study, tmp_path):
    for name in ("a", "b"):
        shutil.copytree(study.folder, tmp_path / name)
    with pytest.raises(UserError, match=f"holds several studies: {tmp_path}/a, {tmp_path}/b; name one"):
        find_run(tmp_path, "fast")


def test_what_is_no_study_is_left_to_the_reader(tmp_path):
    assert find_run(tmp_path) == tmp_path
    with pytest.raises(UserError, match="is no study; name the folder that llmseg compare"):
        find_run(tmp_path, "fast")


def test_predict_takes_a_contender_and_a_single_image(study, call, make_folder, tmp_path):
    images, _ = make_folder({"a": (40, 40), "b": (40, 40)})
    out = tmp_path / "out"
    code, text, _ = call(
        "predict", study.folder, "--contender", "fast", "--images", images / "a.png", "--out", out, "-q", "--json"
    )
    assert code == 0
    assert json.loads(text) == [str(out / "masks" / "a.png")]
    assert [path.name for path in (out / "masks").iterdir()] == ["a.png"]
    code, _, err = call("predict", study.folder, "--images", images, "--out", tmp_path / "other", "-q")
    assert code == 2
    assert "choose one: --contender" in err
    (tmp_path / "notes.txt").write_text("no image", encoding="utf-8")
    code, _, err = call("predict", study.cells[0].folder, "--images", tmp_path / "notes.txt", "--out", out, "-q")
    assert (code, "notes.txt is no image" in err) == (2, True)
