"""What may be given where a recipe, a pipeline, a run, paths or names are meant."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

import llmseg
from llmseg import Recipe, UserError, zoo
from llmseg.recipe.given import read_recipe
from llmseg.report.source import read_sources
from llmseg.stats import Table
from llmseg.study import Variant, pipelines, read_results, transplants
from llmseg.study.variants import find_variant, find_variants
from llmseg.zoo.given import find_pipeline, find_recipe

EARLIER = Path(__file__).parent / "earlier_versions/a93af28"
GPT4 = zoo.get("gpt-4")


@pytest.fixture
def recipe_file(tmp_path):
    path = tmp_path / "mine.json"
    path.write_text(GPT4.recipe.to_json())
    return path


@pytest.mark.parametrize("given", ["gpt-4", "GPT 4", GPT4, Variant("gpt-4", GPT4.recipe)])
def test_a_recipe_by_name_or_by_what_carries_it(given):
    assert find_recipe(given) == ("gpt-4", GPT4.recipe)
    assert find_variant(given) == Variant("gpt-4", GPT4.recipe)


def test_a_recipe_by_path(recipe_file):
    for given in (recipe_file, str(recipe_file)):
        assert find_recipe(given) == ("mine", GPT4.recipe)
        assert read_recipe(given) == GPT4.recipe
    run = llmseg.Run.open(EARLIER / "run")
    assert read_recipe(run) == read_recipe(EARLIER / "run") == read_recipe(str(EARLIER / "run")) == run.recipe


@pytest.mark.parametrize("given", ["gpt-5", "no/such/run", "no.json", Path("gpt-4"), 3, None, ["gpt-4"]])
def test_what_is_no_recipe_is_one_line(given, phantoms, tmp_path):
    with pytest.raises(UserError):
        llmseg.train(given, phantoms, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_train_takes_a_name(phantoms, tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr("llmseg.study.train.train_recipe", lambda *given, **options: calls.append((given, options)))
    llmseg.train("gpt-4", phantoms, tmp_path, epochs=1)
    llmseg.train(recipe=GPT4, store=phantoms, out=tmp_path, label="mine")
    llmseg.train(GPT4.recipe, phantoms, tmp_path)
    assert calls[0] == ((GPT4.recipe, phantoms, tmp_path), {"label": "gpt-4", "epochs": 1})
    assert calls[1] == ((GPT4.recipe,), {"store": phantoms, "out": tmp_path, "label": "mine"})
    assert calls[2][1]["label"] == ""


def test_the_trainer_says_how_to_get_a_recipe_and_the_advice_works(phantoms, tmp_path):
    from llmseg.training.train import train

    with pytest.raises(UserError) as refused:
        train("gpt-4", phantoms, tmp_path / "run")
    (advice,) = re.findall(r"give (llmseg\S+)", str(refused.value))
    assert isinstance(eval(advice, {"llmseg": llmseg, "NAME": "gpt-4"}), Recipe)


def test_a_pipeline_by_name():
    assert find_pipeline("gpt-4") is find_pipeline(GPT4) is GPT4
    with pytest.raises(UserError, match="a pipeline is needed, not Recipe"):
        find_pipeline(GPT4.recipe)


def test_replay_and_original_weights_take_a_name(phantoms, tmp_path):
    with pytest.raises(UserError, match="no pipeline 'gpt-5'"):
        llmseg.replay("gpt-5", phantoms, tmp_path / "run")
    with pytest.raises(UserError, match=r"x\.pth"):
        llmseg.prediction.load_original_model("gpt-4", tmp_path / "x.pth")


def test_an_evaluation_and_a_model_take_run_or_folder(phantoms, tmp_path):
    run = Path(shutil.copytree(EARLIER / "run", tmp_path / "run"))
    for number, given in enumerate((run, str(run), llmseg.Run(run))):
        options = {"device": "cpu", "progress": False}
        assert len(llmseg.evaluate_run(given, phantoms, tmp_path / f"{number}", **options).scores)
        assert llmseg.load_model(given)[1] == llmseg.Run(run).recipe


def test_one_text_is_one_path_or_name(tmp_path):
    study = EARLIER / "study"
    for given in (study, str(study), [study], (str(study),)):
        assert len(read_results(given).runs) == len(read_sources(given).runs) > 0
        assert len(Table.from_evaluations(given).frame) > 0
    for given in ("gpt-4", ["gpt-4"], GPT4, [GPT4]):
        assert pipelines(given) == find_variants(given) == (Variant("gpt-4", GPT4.recipe),)
    assert len(transplants(GPT4.recipe, zoo.get("gpt-o3").recipe, "net", "gpt-o3")) == 2
    with pytest.raises(UserError, match="nowhere"):
        llmseg.write_report(str(tmp_path / "nowhere"), tmp_path / "out")
