from __future__ import annotations

import csv
import json

import pytest

from llmseg.stats import published, simulate


@pytest.fixture
def scores(tmp_path):
    """Scores of two pipelines of the study on a dataset that says nothing of itself."""
    frame = simulate(pipelines=2, datasets=1, cases=12).frame
    names = dict(zip(frame["pipeline"].unique(), ("gpt-4o", "gpt-o3"), strict=True))
    path = tmp_path / "scores.csv"
    frame.assign(pipeline=frame["pipeline"].map(names), dataset="scans").to_csv(path, index=False)
    return path


def test_the_table_names_defects_and_says_what_cannot_be_compared(scores, tmp_path, call):
    code, text, _ = call("published", scores, "--as", "scans=bagls", "-o", tmp_path / "rows.csv")
    assert code == 0
    assert text.startswith("On scans, the order of 2 pipelines agrees")
    row = next(line for line in text.splitlines() if line.startswith("gpt-4o "))
    assert "0.872" in row
    assert row.endswith("likely, batch-dice")
    assert "  batch-dice: The test score is one Dice over all pixels of a batch." in text
    assert "how the contenders were trained is not known" in text
    with (tmp_path / "rows.csv").open() as file:
        assert {row["pipeline"] for row in csv.DictReader(file)} == {"gpt-4o", "gpt-o3"}


def test_as_json(scores, call):
    found = json.loads(call("published", scores, "--as", "scans=bagls", "--json")[1])
    (part,) = found["datasets"]
    assert (part["published_as"], part["kendall"]["count"], len(part["rows"])) == ("BAGLS", 2, 2)
    assert set(found["explanations"]) == {name for row in part["rows"] for name in row["defects"]}


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["scans"], "not 'scans'"),
        (["scans=brain", "scans=skin"], "says twice what 'scans' is"),
        (["scan=brain"], "did you mean 'scans'"),
        (["scans=brian"], "did you mean 'brain'"),
    ],
)
def test_mistakes(names, words, scores, check_mistake):
    check_mistake(words, "published", scores, *(word for name in names for word in ("--as", name)))


def test_advice_of_the_refusal_can_be_followed(scores, tmp_path, call):
    code, text, err = call("published", scores)
    assert (code, text) == (2, "")
    assert "--as NAME=DATASET" in err
    assert call("published", scores, "--as", "scans=brain")[0] == 0
    scores.with_name("there.csv").write_text("mine")
    code, _, err = call("published", scores, "--as", "scans=brain", "-o", tmp_path / "there.csv")
    assert (code, "is there already; give a new file" in err) == (2, True)
    assert (tmp_path / "there.csv").read_text() == "mine"


class TestTheStudy:
    def test_every_claim_and_every_defect_is_printed(self, call):
        code, text, _ = call("published")
        assert code == 0
        assert text.startswith(f"{published.TITLE}\n")
        assert published.REPOSITORY in text
        assert "Prompt_final.txt" in text
        words = " ".join(text.split())
        claims = published.get("claims").frame
        assert [claim for claim in claims["claim"] if claim not in words] == []
        assert [reason for reason in claims["why"] if reason not in words] == []
        defects = [defect for name in published.names() for defect in published.get(name).defects]
        assert len(defects) == 21
        assert f"{len(defects)} known defects" in words
        assert [defect for defect in defects if defect not in words] == []
        assert max(map(len, text.splitlines())) < 115

    def test_as_json(self, call):
        found = json.loads(call("published", "--json")[1])
        assert found["repository"] == published.REPOSITORY
        assert {claim["verdict"] for claim in found["claims"]} == set(published.VERDICTS)
        assert len(found["defects"]) == 21

    def test_options_for_results_are_refused_without_results(self, check_mistake):
        check_mistake("llmseg published RUNS", "published", "--as", "scans=brain")
