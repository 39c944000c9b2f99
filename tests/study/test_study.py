from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from llmseg import Study, UserError, run_study, zoo
from llmseg.evaluation import evaluate_masks
from llmseg.evaluation.measures import MEASURES
from llmseg.stats import compare_all
from llmseg.stats.claims import MIRRORED
from llmseg.stats.columns import MARGIN
from llmseg.study import Variant, read_results


@pytest.fixture(scope="module")
def variants(tiny_recipe):
    recipe = tiny_recipe.change("fit.epochs", 1)
    return (Variant("base", recipe), Variant("slow", recipe.change("fit.rate", 1e-12)))


@pytest.fixture(scope="module")
def study(phantoms, holdout, variants, tmp_path_factory):
    out = tmp_path_factory.mktemp("studies") / "s"
    return run_study("tiny", variants, phantoms, out, holdout=holdout, seeds=2, device="cpu", progress=False)


def test_every_variant_has_every_seed_case_and_measure(study, holdout, variants):
    scores = study.scores
    assert set(scores["case"]) == set(holdout.test_ids)
    sizes = scores.groupby(["variant", "seed", "case", "size"])["measure"].apply(tuple)
    assert len(sizes) == 2 * 2 * len(holdout.test_ids) * 2
    assert set(sizes) == {MEASURES}


def test_differences_are_those_of_paired_cases(study):
    (row,) = study.differences("iou", "working").to_dict("records")
    scores = study.scores.query("measure == 'iou' and size == 'working'")
    means = scores.groupby("variant")["value"].mean()
    assert row["variant"] == "slow"
    assert row["difference"] == pytest.approx(means["slow"] - means["base"])
    assert row["low"] <= row["difference"] <= row["high"]
    assert (row["groups"], row["seeds"]) == (5, 2)


def test_means_of_every_recipe(study):
    means = study.means().set_index("variant")
    assert list(means.index) == list(study.variants) == ["base", "slow"]
    (row,) = study.differences().to_dict("records")
    assert means.loc["slow", "mean"] - means.loc["base", "mean"] == pytest.approx(row["difference"])
    by_seed = study.paired().groupby("seed")["base"].mean()
    assert means.loc["base", "seed_sd"] == pytest.approx((by_seed[0] - by_seed[1]) / 2**0.5)
    assert (means["low"] <= means["mean"]).all()
    assert (means["mean"] <= means["high"]).all()


def test_files_of_a_study(study):
    pd.testing.assert_frame_equal(pd.read_csv(study.folder / "differences.csv"), study.differences())
    assert not [*study.folder.rglob("*.pdf"), *study.folder.rglob("*.png")]  # the command line draws
    assert Study.open(study.folder).folder == study.folder


def test_contenders_beside_the_recipes(study, phantoms, holdout, tmp_path):
    """Masks from elsewhere: perfect ones, with two seeds."""
    folder = shutil.copytree(study.folder, tmp_path / "s")
    (tmp_path / "masks").mkdir()
    for id in holdout.test_ids:
        Image.fromarray(phantoms.read(id).mask).save((tmp_path / "masks" / id).with_suffix(".png"))
    for seed in (0, 1):
        out = folder / "beside" / f"perfect-seed{seed}"
        evaluate_masks(
            tmp_path / "masks", phantoms, out, label="perfect", holdout=holdout, seed=seed, overlap=None, progress=False
        )
    copy = Study.open(folder)
    (row,) = copy.means_beside().to_dict("records")
    assert (row["variant"], row["mean"], row["seeds"], row["seed_sd"]) == ("perfect", 1, 2, 0)
    assert list(copy.means().columns) == list(row)
    assert copy.means_beside(size="working").empty
    assert study.means_beside().empty
    pd.testing.assert_frame_equal(copy.means(), study.means())
    assert set(read_results([folder]).scores.contenders) == {"tiny", "tiny slow", "perfect"}


def test_the_same_call_keeps_what_is_there_and_more_seeds_follow(study, phantoms, holdout, variants):
    before = {path: path.stat().st_mtime_ns for path in study.folder.glob("*/run/weights.safetensors")}
    assert len(before) == 4
    options = {"holdout": holdout, "device": "cpu", "progress": False}
    run_study("tiny", variants, phantoms, study.folder, seeds=3, **options)
    after = {path: path.stat().st_mtime_ns for path in study.folder.glob("*/run/weights.safetensors")}
    assert len(after) == 6
    assert {path: after[path] for path in before} == before
    assert Study(study.folder).differences()["seeds"].tolist() == [3]


def test_an_interrupted_study_continues(phantoms, holdout, variants, tmp_path, monkeypatch):
    calls = []

    def failing(run, *arguments, **options):
        calls.append(run.folder.parent.name.rpartition(".")[0])  # the name of the cell
        if len(calls) == 2:
            raise KeyboardInterrupt
        return evaluate(run, *arguments, **options)

    from llmseg.evaluation import evaluate as module

    evaluate = module.evaluate_run
    monkeypatch.setattr(module, "evaluate_run", failing)
    options = {"holdout": holdout, "seeds": 1, "device": "cpu", "progress": False}
    with pytest.raises(KeyboardInterrupt):
        run_study("tiny", variants, phantoms, tmp_path / "s", **options)
    unfinished = Study.open(tmp_path / "s")
    assert not unfinished.is_finished
    assert unfinished.remarks == (
        "1 of 2 cells of the study on synthetic-mri-tumour are finished; seed 0 of 1 variant is compared",
    )
    assert unfinished.means()["variant"].tolist() == ["base"]
    run_study("tiny", variants, phantoms, tmp_path / "s", **options)
    assert [calls.count(name) for name in dict.fromkeys(calls)] == [1, 2]
    assert len(Study.open(tmp_path / "s").differences()) == 1


def test_another_study_in_the_folder_is_refused(study, phantoms, holdout, variants):
    other = (variants[0], Variant("slow", variants[1].recipe.change("fit.rate", 1e-11)))
    with pytest.raises(UserError, match=r"its variants differ \(the recipe of "):
        run_study("tiny", other, phantoms, study.folder, holdout=holdout, device="cpu", progress=False)


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ({"tolerance": 3.0}, r"its tolerance differs \(2\.0 there, 3\.0 here\)"),
        ({"precision": "fp16"}, r"its precision differs \((auto|fp32|bf16) there, fp16 here\)"),
    ],
)
@pytest.mark.parametrize("old", [False, True], ids=["today's", "before study.json said it"])
def test_two_definitions_are_not_mixed(option, words, old, study, phantoms, holdout, variants, tmp_path):
    copy = shutil.copytree(study.folder, tmp_path / "s")
    if old:
        forget_definitions(copy)
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    with pytest.raises(UserError, match=words):
        run_study("tiny", variants, phantoms, copy, holdout=holdout, device="cpu", progress=False, **option)
    assert {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("option", [{}, {"precision": "fp32"}], ids=["defaults", "what the runs say"])
def test_a_study_from_before_its_definitions_were_written_continues(
    option, study, phantoms, holdout, variants, tmp_path
):
    copy = shutil.copytree(study.folder, tmp_path / "s")
    forget_definitions(copy)
    assert Study.open(copy).variants == study.variants
    if option:
        for path in copy.glob("*/run/run.json"):
            record = json.loads(path.read_text())
            record["how"]["precision"] = "fp32"
            path.write_text(json.dumps(record))
    run_study("tiny", variants, phantoms, copy, holdout=holdout, device="cpu", progress=False, **option)
    assert Study.open(copy).record["precision"] == option.get("precision", "auto")
    assert (copy / "scores.csv").read_bytes() == (study.folder / "scores.csv").read_bytes()


def forget_definitions(folder):
    record = json.loads((folder / "study.json").read_text())
    del record["tolerance"], record["precision"]
    (folder / "study.json").write_text(json.dumps(record))


def test_a_damaged_study_is_one_line(study, phantoms, holdout, variants, tmp_path):
    copy = shutil.copytree(study.folder, tmp_path / "s")
    (copy / "study.json").write_text('{"label": "tiny"')
    with pytest.raises(UserError, match=r"study\.json is damaged: it holds no JSON"):
        Study.open(copy).differences()
    with pytest.raises(UserError, match=r"study\.json is damaged: it holds no JSON"):
        run_study("tiny", variants, phantoms, copy, holdout=holdout, device="cpu", progress=False)
    assert (copy / "study.json").read_text() == '{"label": "tiny"'
    (copy / "study.json").write_text('{"label": "tiny"}')
    with pytest.raises(UserError, match=r"study\.json is damaged: it does not say 'variants'"):
        Study.open(copy).differences()
    (copy / "study.json").unlink()
    with pytest.raises(UserError, match="holds no study"):
        Study.open(copy)


def test_a_recipe_that_seeds_itself_follows_the_seeds(phantoms, holdout, tmp_path, tiny_recipe):
    own = zoo.get("gpt-o3").recipe.fit.own_seed
    recipe = tiny_recipe.change("fit.epochs", 1).change("fit.own_seed", own)
    variants = (Variant("base", recipe), Variant("slow", recipe.change("fit.rate", 1e-12)))
    study = run_study(
        "tiny", variants, phantoms, tmp_path / "s", holdout=holdout, seeds=2, device="cpu", progress=False
    )
    weights = {path.read_bytes() for path in study.folder.glob("slow*/run/weights.safetensors")}
    assert len(weights) == 2


def test_a_study_without_a_label_is_read(tmp_path):
    """As a study of several pipelines is, which has no label."""
    record = {"label": None, "variants": {}, "store": {"name": "s", "digest": "d"}, "holdout": None}
    (tmp_path / "study.json").write_text(json.dumps({**record, "epochs": None, "seeds": 1}))
    assert Study(tmp_path).record["label"] is None
    (tmp_path / "study.json").write_text(json.dumps({**record, "label": 3, "epochs": None, "seeds": 1}))
    with pytest.raises(UserError, match="'label' is 3, not a text or null"):
        _ = Study(tmp_path).record


def test_verdicts_are_those_of_a_report(study):
    (row,) = study.differences().to_dict("records")
    (claim,) = compare_all(read_results([study.folder]).scores, margin=MARGIN)
    assert (row["p"], row["p_corrected"]) == (claim.p_difference, claim.p_difference_adjusted)
    slow_first = claim.first.endswith("slow")
    assert row["verdict"] == (claim.verdict if slow_first else MIRRORED[claim.verdict])


def test_a_folder_given_as_text_is_a_path():
    assert Study("studies/mine") == Study(Path("studies/mine"))
