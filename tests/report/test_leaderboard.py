"""What stands beside ranks: other measures, and what trainings took."""

from __future__ import annotations

import json
import math

import pandas as pd
import pytest

from llmseg import stats, write_report, zoo
from llmseg.report.costs import count_in_words, describe_devices
from llmseg.study.collected.results import CollectedRun
from llmseg.study.results import ContenderRun


@pytest.fixture(scope="module")
def two_measures(tmp_path_factory):
    """A report about Dice and HD95 on two datasets."""
    folder = tmp_path_factory.mktemp("two")
    frame = stats.simulate(pipelines=[0.0, 0.1], datasets=2, seeds=2, cases=6).frame
    frame = pd.concat([frame, frame.assign(measure="hd95", value=50 * (1 - frame["value"]))], ignore_index=True)
    frame.to_csv(folder / "scores.csv", index=False)
    return write_report(folder / "scores.csv", folder / "site", measure=["dice", "hd95"], cases=0)


def test_secondary_means_stand_in_the_rows_of_the_primary_one(two_measures, pages):
    page = pages(two_measures.folder)[two_measures.index]
    cells = [a for tag, a in page.tags if tag == "td" and a.get("data-cell") == "measure-hd95"]
    table = stats.Table.from_csv(two_measures.folder / "data/scores.csv")
    means = stats.means(table, measure="hd95", each_dataset=False).set_index("contender")["mean"]
    order = [place.contender for place in two_measures.analysis.overall.places]
    assert [float(cell["data-value"]) for cell in cells] == pytest.approx([means[name] for name in order])


def test_the_script_gets_them_of_every_dataset(two_measures, pages):
    text = two_measures.index.read_text(encoding="utf-8")
    standings = json.loads(text.split('id="standings">')[1].split("</script>")[0])
    table = stats.Table.from_csv(two_measures.folder / "data/scores.csv")
    means = stats.means(table, measure="hd95").set_index(["dataset", "contender"])["mean"]
    shown = standings["dataset-1"]["places"]["llm-01"]["values"]["measure-hd95"]
    assert shown == pytest.approx(means["dataset-1", "llm-01"])


def test_columns_of_which_nothing_is_known_are_left_out(two_measures, report, pages):
    assert "Seconds" not in pages(two_measures.folder)[two_measures.index].said
    page = pages(report.folder)[report.index]
    # Of pipelines, the card knows the parameters; without runs nobody knows epochs and seconds.
    assert "Parameters" in page.said
    assert "Epochs" not in page.said
    assert count_in_words(zoo.get("gpt-o3").card.parameters) in page.said


def test_distances_are_never_negative(two_measures):
    for place in two_measures.analysis.secondary["hd95"].places:
        assert place.low >= 0
        assert math.isfinite(place.high)


@pytest.mark.slow
def test_trainings_say_what_they_took(run_report, pages):
    page = pages(run_report.folder)[run_report.index]
    cells = {key: [a for _, a in page.tags if a.get("data-cell") == key] for key in ("epochs", "seconds")}
    assert [float(cell["data-value"]) for cell in cells["epochs"]] == [2.0, 2.0]
    assert all(float(cell["data-value"]) > 0 for cell in cells["seconds"])
    assert "Seconds: what one training took, averaged over seeds and datasets; on cpu with" in page.said


def test_seconds_of_different_devices_are_not_to_be_compared(tmp_path):
    def trained(device, gpus):
        record = {"how": {"device": device}, "hardware": {"threads": 1, "gpus": gpus}}
        return ContenderRun("a", "d", 0, CollectedRun(tmp_path, record), None)

    cpu, gpu = trained("cpu", []), trained("cuda", ["H100"])
    assert describe_devices([]) == ""
    assert describe_devices([cpu]).endswith("on cpu with 1 thread.")
    assert "compare seconds within one only: H100; cpu with 1 thread" in describe_devices([cpu, gpu])
