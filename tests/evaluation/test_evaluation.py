from __future__ import annotations

import json

import pytest

from llmseg import Evaluation, UserError
from llmseg.evaluation import evaluation as module
from llmseg.evaluation.conventions import OURS
from llmseg.evaluation.evaluation import FILES, ScoredCase, write_evaluation
from llmseg.evaluation.measures import EVALUATOR_VERSION, Counts

FACTS = {"pipeline": "tiny", "seed": 3, "dataset": "phantoms", "holdout": "abc", "tolerance": 2.0}


def score(id: str, dice: float) -> list[ScoredCase]:
    counts = {"native": Counts(1, 2, 3, 4), "working": Counts(5, 6, 7, 8)}
    return [ScoredCase(id, "patient-1", size, {"dice": dice}, counts[size]) for size in counts]


def test_what_is_written_is_read(tmp_path):
    evaluation = write_evaluation(tmp_path / "e", [*score("a", 0.5), *score("b", 0.7)], FACTS, [OURS])
    assert sorted(path.name for path in evaluation.folder.iterdir()) == sorted(FILES)
    assert evaluation.means.loc["dice"].to_dict() == pytest.approx({"native": 0.6, "working": 0.6})
    assert evaluation.counts() == (Counts(1, 2, 3, 4),) * 2
    assert evaluation.counts("working") == (Counts(5, 6, 7, 8),) * 2
    assert evaluation.record == {
        **FACTS, "evaluator": EVALUATOR_VERSION, "cases": 2, "means": evaluation.record["means"],
    }  # fmt: skip
    assert Evaluation.open(str(evaluation.folder)) == evaluation


@pytest.mark.parametrize("failing", ["scores.csv", "counts.csv", "conventions.csv"])
def test_half_an_evaluation_is_none(failing, tmp_path, monkeypatch):
    """An earlier evaluation is there; the new one fails. Old and new tables must not pass for one evaluation."""
    write_evaluation(tmp_path, score("a", 0.5), FACTS, [OURS])
    write = module.write_text

    def fail(path, text):
        if path.name == failing:
            raise UserError("disk full")
        write(path, text)

    with monkeypatch.context() as patch:
        patch.setattr(module, "write_text", fail)
        with pytest.raises(UserError, match="disk full"):
            write_evaluation(tmp_path, score("a", 0.9), FACTS, [OURS])
    with pytest.raises(UserError, match="holds no evaluation"):
        Evaluation.open(tmp_path)
    write_evaluation(tmp_path, score("a", 0.9), FACTS, [OURS])
    assert json.loads((tmp_path / "evaluation.json").read_text())["means"]["native"]["dice"] == 0.9


def test_a_folder_without_one_is_refused(tmp_path):
    with pytest.raises(UserError, match="holds no evaluation; make one by llmseg evaluate"):
        Evaluation.open(tmp_path)
