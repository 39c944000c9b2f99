"""Studies with several measures, of which one is named as the primary one before there are scores."""

from __future__ import annotations

import pandas as pd
import pytest

from llmseg import UserError, write_report
from llmseg.cli.study import describe_gains
from llmseg.study import read_study_file, work_on_studies
from llmseg.study.file.designs import make_designs
from llmseg.study.pairing import average_scores, compare_with_base


def test_one_measure_leaves_the_files_as_they_were(run):
    study = run()
    assert "measures" not in study.record
    assert study.measures == ("dice",)
    frame = pd.read_csv(study.folder / "differences.csv")
    pd.testing.assert_frame_equal(frame, study.differences())
    assert "role" not in frame


def test_the_primary_measure_pays_nothing_for_the_others(run):
    study = run(measures=["iou", "dice"])
    assert study.record["measures"] == ["iou", "dice"]
    frame = pd.read_csv(study.folder / "differences.csv")
    assert frame[["measure", "role", "variant"]].to_numpy().tolist() == [
        *(["iou", "primary", name] for name in "bc"),
        *(["dice", "secondary", name] for name in "bc"),
    ]
    alone = study.differences("iou")
    assert frame["p_corrected"][:2].tolist() == pytest.approx(alone["p_corrected"].tolist())
    first, second = describe_gains(study).split("\n\n")
    assert first.startswith("iou, the primary measure:\nvariant")
    assert second.startswith("dice, a secondary measure, which decides nothing by itself:\nvariant")
    assert "corrected for all pairs in all secondary measures (Holm)" in second


def test_measures_are_those_that_were_named_when_the_study_began(run, tmp_path):
    study = run(measures=["iou", "dice"])
    advice = "leave it at these, and look at others by llmseg report --measure dice"
    with pytest.raises(UserError, match=f"begun with the measures iou, dice; {advice}"):
        run()
    with pytest.raises(UserError, match="begun with the measures dice;"):
        run("s2") and run("s2", measures="iou")
    report = write_report([study.folder / "scores.csv"], tmp_path / "report", measure=["dice"], cases=0)
    assert report.analysis.question.measures == ("dice",)


def test_another_launcher_knows_the_measures(run, tmp_path):
    study = run(measures=["iou", "dice"])
    before = (study.folder / "differences.csv").read_bytes()
    (study.folder / "differences.csv").unlink()
    (helped,) = work_on_studies(tmp_path / "s", progress=False)
    assert (helped.folder / "differences.csv").read_bytes() == before


@pytest.mark.parametrize(
    ("measures", "words"),
    [
        (["dice", "hd59"], "no measure 'hd59'; did you mean 'hd95'"),
        (["dice", "dice"], "the measure dice is named twice"),
        ([], "no measure is named"),
    ],
)
def test_names_that_cannot_be(measures, words, run, tmp_path):
    with pytest.raises(UserError, match=words):
        run(measures=measures)
    with pytest.raises(UserError, match=words):
        read_study_file({"pipelines": ["gpt-4"], "datasets": {"p": {"synthetic": "fundus"}}, "measures": measures})
    assert not (tmp_path / "s").exists()


def test_a_study_file_names_them(tmp_path):
    grid = {
        "pipelines": ["gpt-4"],
        "datasets": {"p": {"synthetic": "fundus", "cases": 10}},
        "measures": ["nsd", "dice"],
    }
    (design,) = make_designs(read_study_file(grid), tmp_path)
    assert design.measures == ("nsd", "dice")


def test_a_measure_that_applies_to_no_case_has_no_numbers(run):
    wide = run().paired().iloc[:0]
    table = compare_with_base(wide, "false_positive_area", 0.95)
    assert (table["groups"] == 0).all()
    assert table["difference"].isna().all()
    assert average_scores(wide, "false_positive_area", 0.95)["mean"].isna().all()
