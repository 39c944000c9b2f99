"""What a command does, a function of the same name does, with options of the same names; both take the same things."""

from __future__ import annotations

import inspect
import shutil
from pathlib import Path

import pytest
import typer.main

import llmseg
from llmseg import Recipe, UserError, zoo
from llmseg.cli.main import app
from llmseg.prediction.predict import predict as predict_images
from llmseg.study import Variant, find_model, find_run
from llmseg.study.contenders import find_contenders

EARLIER = Path(__file__).parent / "earlier_versions/a93af28"
GPT4 = zoo.get("gpt-4")
QUIET = {"device": "cpu", "progress": False}

# Options that say together what one argument of a function is.
CASES = {"data", "images", "masks", "mask_suffix", "group", "groups", "foreground", "alpha", "several_masks"}
READING = {"depth", "exif", "pages"}
STORE = CASES | READING | {"synthetic", "cases"}
SPOKEN = {"from": "from_", "no_cache": "cache", "quiet": "progress"}
SCREEN = {"json", "help"}

# What a function calls otherwise, or leaves to another one, and why.
OTHERWISE = {
    "train": {"from": "start", "log": "observers", "profile": "observers"},
    "replay": dict.fromkeys(
        ("verify", "verify_all", "level", "bookkeeping_images", "bookkeeping_masks"),
        "",  # llmseg.verify
    ),
    "report": {"data": "stores"},
}


def options(command: str) -> set[str]:
    """Return the options of a command, as parameters are called."""
    parameters = typer.main.get_command(app).commands[command].params
    return {name.lstrip("-").replace("-", "_") for p in parameters for name in p.opts if name.startswith("--")}


@pytest.mark.parametrize(
    "name", ["train", "replay", "predict", "export", "evaluate", "compare", "ablate", "gap", "report"]
)
def test_a_function_has_the_options_of_its_command(name):
    function = llmseg.write_report if name == "report" else getattr(llmseg, name)
    taken = set(inspect.signature(function).parameters)
    if "options" in taken:  # the keywords that all studies take
        taken |= set(inspect.signature(llmseg.run_study).parameters)
    if name == "predict":
        taken |= set(inspect.signature(predict_images).parameters)
    own = options(name) - SCREEN - (STORE if "store" in taken else READING if "reading" in taken else set())
    wanted = {OTHERWISE.get(name, {}).get(option, SPOKEN.get(option, option)) for option in own} - {""}
    assert sorted(wanted - taken) == []


@pytest.fixture
def recipe_file(tmp_path):
    path = tmp_path / "mine.json"
    path.write_text(GPT4.recipe.to_json())
    return path


def spellings(recipe_file):
    """A pipeline in every form, and what tables call it."""
    run = EARLIER / "run"
    label, recipe = llmseg.Run(run).record["label"], llmseg.Run(run).recipe
    return [
        ("gpt-4", "gpt-4", GPT4.recipe),
        (GPT4, "gpt-4", GPT4.recipe),
        (Variant("mine", GPT4.recipe), "mine", GPT4.recipe),
        (GPT4.recipe, f"recipe-{GPT4.recipe.digest[:6]}", GPT4.recipe),
        (recipe_file, "mine", GPT4.recipe),
        (str(recipe_file), "mine", GPT4.recipe),
        (run, label, recipe),
        (str(run), label, recipe),
        (llmseg.Run(run), label, recipe),
    ]


def test_contenders_in_every_form(recipe_file):
    for given, name, recipe in spellings(recipe_file):
        assert find_contenders(given) == find_contenders([given]) == (Variant(name, recipe),)
    assert len(find_contenders("study")) == len(find_contenders(["study"])) == 19
    assert find_contenders(2024) == find_contenders(["2024"])
    (changed,) = find_contenders("gpt-4", set="fit.epochs=3")
    assert changed.recipe.fit.epochs == 3


def test_studies_take_every_form(recipe_file, phantoms, tmp_path, monkeypatch):
    """What is asked of a study, up to its first training."""
    asked = []
    monkeypatch.setattr("llmseg.nnunet.compare.run_study", lambda *given, **options: asked.append((given, options)))
    monkeypatch.setattr("llmseg.study.questions.run_study", lambda *given, **options: asked.append((given, options)))
    monkeypatch.setattr("llmseg.study.questions.run_gap", lambda *given, **options: asked.append((given, options)))
    manifest = tmp_path / "test.json"
    holdout = llmseg.hold_out(phantoms)
    holdout.save(manifest)
    for given, name, recipe in spellings(recipe_file):
        llmseg.compare([given, "gpt-o3"], phantoms, tmp_path, holdout=manifest, measure="iou", seeds=1)
        (_, variants, store, _), options = asked.pop()
        assert variants == (Variant(name, recipe), Variant("gpt-o3", zoo.get("gpt-o3").recipe))
        assert (store, options) == (phantoms, {"holdout": (holdout,), "measures": "iou", "seeds": 1})
        llmseg.ablate(given, phantoms, tmp_path, field="fit.rate=0.1,0.2", holdout=holdout)
        (label, variants, *_), _ = asked.pop()
        assert (label, variants[0].recipe, len(variants)) == (name, recipe, 3)
        llmseg.gap(given, zoo.get("gpt-o3"), phantoms, tmp_path, holdout=[holdout], set=["fit.epochs=1"])
        (left, right, *_), _ = asked.pop()
        assert (left.name, right.name, left.recipe.fit.epochs) == (name, "gpt-o3", 1)
    llmseg.ablate(GPT4, phantoms, tmp_path, field={"fit.batch_size": [2, 4]}, folds=3)
    assert len(asked.pop()[1]["holdout"]) == 3
    llmseg.ablate("gpt-4", phantoms, tmp_path, transplant="net,loss", from_=zoo.get("gpt-o3"), holdout=manifest)
    assert asked.pop()[0][1][1].name == "net of gpt-o3"
    llmseg.ablate("grok-3-mini", phantoms, tmp_path, repair="double-sigmoid", holdout=manifest)
    assert asked.pop()[0][1][1].name == "without double-sigmoid"
    assert asked == []


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda out: llmseg.compare("gpt-4", "none.h5", out), "there is one recipe to compare, gpt-4"),
        (lambda out: llmseg.compare("nnunet", "none.h5", out), "nnunet needs a pipeline beside it"),
        (lambda out: llmseg.compare(["gpt-4", "gpt-5"], "none.h5", out), "no pipeline 'gpt-5'"),
        (lambda out: llmseg.compare(["gpt-4", "gpt-o3"], "none.h5", out), "none.h5"),
        (lambda out: llmseg.compare(["gpt-4", "gpt-o3"], 3, out), "cases are needed, not int"),
        (lambda out: llmseg.compare(["gpt-4", "gpt-o3"], "fundus", out), "llmseg.SyntheticStore('fundus')"),
        (lambda out: llmseg.compare(None, "none.h5", out), "a recipe is needed, not NoneType"),
        (lambda out: llmseg.ablate("gpt-4", "none.h5", out), "say what to change in one way"),
        (lambda out: llmseg.ablate("gpt-4", "none.h5", out, transplant="net"), "--transplant needs --from"),
        (lambda out: llmseg.gap("gpt-4", GPT4, "none.h5", out), "there is one recipe to compare"),
        (lambda out: llmseg.gap("2024", "gpt-4", "none.h5", out), "gpt-4 is on both sides"),
        (lambda out: llmseg.train("gpt-4", "none.h5", out, set="fit.epochs=x"), "fit.epochs is 'x'"),
        (lambda out: llmseg.train("gpt-4", "none.h5", out), "none.h5"),
        (lambda out: llmseg.replay("gpt-4", "none.h5", out), "none.h5"),
        (lambda out: llmseg.predict("gpt-4", "images", out), "no run folder gpt-4"),
        (lambda out: llmseg.predict(GPT4, "images", out), "gpt-4 has no weights"),
        (lambda out: llmseg.export(3, out), "a run or a study is needed, not int"),
        (lambda out: llmseg.evaluate(GPT4, "none.h5", out), "a training or a folder of masks is needed"),
        (lambda out: llmseg.report("nowhere", out), "nowhere"),
    ],
)
def test_what_is_meant_by_nothing_is_one_line(call, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as refused:
        call(tmp_path / "out")
    assert words in str(refused.value)
    assert not (tmp_path / "out").exists()


def test_a_training_in_every_form(make_folder, phantoms, tmp_path):
    run = Path(shutil.copytree(EARLIER / "run", tmp_path / "run"))
    images, _ = make_folder({"1": (40, 36)})
    model = llmseg.load_model(run)
    masks = []
    for number, given in enumerate((run, str(run), llmseg.Run(run), model)):
        assert isinstance(find_model(given)[1], Recipe)
        masks += llmseg.predict(given, images, tmp_path / f"predicted-{number}", **QUIET)
    masks += llmseg.predict(*model, images, tmp_path / "predicted", **QUIET)
    masks += llmseg.predict(str(run), images=images, out=tmp_path / "named", **QUIET)
    assert len({mask.read_bytes() for mask in masks}) == 1
    assert len(masks) == 6
    evaluation = llmseg.evaluate(run, phantoms, **QUIET)
    assert evaluation.folder == tmp_path / "run-evaluation"
    scored = llmseg.evaluate(masks[0].parent, images.parent, tmp_path / "e", progress=False)
    assert len(scored.record) > 3


def test_a_study_stands_for_a_training():
    study = llmseg.Study(EARLIER / "study")
    contender = study.variants[0]
    folder = find_run(EARLIER / "study", contender)
    assert find_run(study, contender) == folder
    assert find_run(next(cell for cell in study.cells if cell.variant == contender and cell.seed == 0)) == folder


def test_cases_in_every_form(make_folder, tmp_path):
    images, masks = make_folder({f"{index}": (40, 36) for index in range(3)})
    store = llmseg.FolderStore(images, masks)
    assert images.parent == masks.parent
    for given in (images.parent, str(images.parent), store):
        assert llmseg.data.find_store(given).ids == store.ids
    assert llmseg.data.find_store(images.parent).digest == store.digest
