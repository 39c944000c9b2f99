from __future__ import annotations

import json
import shutil

import pytest

from llmseg import Evaluation, UserError
from llmseg.evaluation import evaluation as module
from llmseg.evaluation.conventions import OURS
from llmseg.evaluation.evaluation import FILES, ScoredCase, check_free, write_evaluation
from llmseg.evaluation.measures import EVALUATOR_VERSION, Counts
from llmseg.files import replace_file

FACTS = {
    "store_digest": "d",
    "overlap": None,
    "pipeline": "tiny",
    "seed": 3,
    "dataset": "phantoms",
    "holdout": "abc",
    "tolerance": 2.0,
}


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


def read_files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("failing", FILES)
def test_an_earlier_evaluation_stays_if_the_disk_is_full(failing, tmp_path, monkeypatch):
    write_evaluation(tmp_path, score("a", 0.5), FACTS, [OURS])
    before = read_files(tmp_path)

    def fail(path):
        if path.name == failing:
            raise UserError("disk full")
        return replace_file(path)

    with monkeypatch.context() as patch:
        patch.setattr(module, "replace_file", fail)
        with pytest.raises(UserError, match="disk full"):
            write_evaluation(tmp_path, score("a", 0.9), FACTS, [OURS])
    assert {name: content for name, content in read_files(tmp_path).items() if name in FILES} == before
    check_free(tmp_path)
    write_evaluation(tmp_path, score("a", 0.9), FACTS, [OURS])
    assert json.loads((tmp_path / "evaluation.json").read_text())["means"]["native"]["dice"] == 0.9
    assert sorted(read_files(tmp_path)) == sorted(FILES)


@pytest.mark.slow
def test_a_process_killed_at_any_change_leaves_all_or_none_and_the_next_one_ends_right(tmp_path, kill_at_every_change):
    """Old and new tables must not pass for one evaluation, and nothing stays behind."""
    write_evaluation(tmp_path / "old", score("a", 0.5), FACTS, [OURS])
    write_evaluation(tmp_path / "new", score("a", 0.9), FACTS, [OURS])
    old, new = read_files(tmp_path / "old"), read_files(tmp_path / "new")

    def write(folder):
        check_free(folder / "e")
        write_evaluation(folder / "e", score("a", 0.9), FACTS, [OURS])

    def prepare(folder):
        shutil.copytree(tmp_path / "old", folder / "e")

    for folder in (*kill_at_every_change(write), *kill_at_every_change(write, prepare)):
        if (folder / "e/evaluation.json").exists():
            left = {name: content for name, content in read_files(folder / "e").items() if name in FILES}
            assert left in (old, new)
        write(folder)
        assert read_files(folder / "e") == new


@pytest.mark.parametrize("name", FILES)
def test_tables_of_somebody_else_are_kept(name, tmp_path):
    (tmp_path / name).write_text("{}")
    with pytest.raises(UserError, match=name):
        check_free(tmp_path)


def test_what_earlier_versions_left_when_they_were_killed_is_cleared(tmp_path):
    (tmp_path / "scores.csv").write_text("pipeline")
    (tmp_path / ".counts.csv-x1y2_z3a.part").write_text("half")
    check_free(tmp_path)
    write_evaluation(tmp_path, score("a", 0.9), FACTS, [OURS])
    assert sorted(read_files(tmp_path)) == sorted(FILES)


def test_a_folder_without_one_is_refused(tmp_path):
    with pytest.raises(UserError, match="holds no evaluation; make one by llmseg evaluate"):
        Evaluation.open(tmp_path)


def test_tables_are_the_same_however_many_cases_are_written_at_a_time(tmp_path, monkeypatch):
    values = [0.1, float("nan"), float("nan"), 0.25, 1 / 3]
    scored = [case for index, value in enumerate(values) for case in score(f'case "{index}",\n', value)]
    contents = []
    for count in (1000, 2):
        monkeypatch.setattr(module, "_CASES_AT_A_TIME", count)
        folder = write_evaluation(tmp_path / f"{count}", scored, FACTS, [OURS]).folder
        contents.append(read_files(folder))
    assert contents[0] == contents[1]
