from __future__ import annotations

import json
import shutil

import pytest

from llmseg import UserError
from llmseg.fidelity import recorded_id, verify_all


@pytest.fixture
def folder(golden, tmp_path):
    """Two records with links to their images."""
    for name in ("gpt-4", "gpt-o3"):
        shutil.copy(golden / f"{name}.json", tmp_path)
    for images in (path for path in golden.iterdir() if path.is_dir()):
        (tmp_path / images.name).symlink_to(images, target_is_directory=True)
    return tmp_path


def test_every_record_has_its_verdicts(folder):
    records = list(verify_all(folder, only=["F3"]))
    assert [record.pipeline for record in records] == ["gpt-4", "gpt-o3"]
    assert [[verdict.level for verdict in record.verdicts] for record in records] == [["F3"], ["F3"]]
    assert all(record.holds for record in records)


def test_the_command_prints_a_line_per_record_and_level(folder, call):
    code, out, _ = call("replay", "--verify-all", folder, "--level", "F2,F3", "-q")
    assert code == 0
    assert [line.split()[:3] for line in out.splitlines()] == [
        [name, level, about] for name in ("gpt-4", "gpt-o3") for level, about in (("F2", "data"), ("F3", "objective"))
    ]
    code, out, _ = call("replay", "--verify-all", folder, "--level", "F3", "--json", "-q")
    content = json.loads(out)
    assert code == 0
    assert set(content) == {"hardware", "versions", "records"}
    assert [record["pipeline"] for record in content["records"]] == ["gpt-4", "gpt-o3"]


def test_a_divergence_is_exit_code_1_and_the_others_are_checked_all_the_same(folder, call):
    path = folder / "gpt-4.json"
    record = json.loads(path.read_text())
    record["objective"]["more"]["loss_gradient_wrt_output"]["l2"] *= 1.01
    path.write_text(json.dumps(record))
    code, out, _ = call("replay", "--verify-all", folder, "--level", "F3", "-q")
    assert code == 1
    first, second = out.splitlines()
    assert "DIVERGES   gradient of the loss, norm" in first
    assert second.startswith("gpt-o3")
    assert "holds" in second


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--verify-all", "nothing"], "no record *.json in nothing"),
        (["--verify-all", "FOLDER", "--level", "F6"], "no level 'F6'"),
        (["--out", "r"], "name a pipeline"),
    ],
)
def test_a_mistake_is_one_line(folder, call, arguments, words):
    code, _, err = call("replay", *(folder if text == "FOLDER" else text for text in arguments), "-q")
    assert code == 2
    assert words in err
    assert err.count("\n") == 1


def test_a_folder_without_records(tmp_path):
    with pytest.raises(UserError, match=r"no record \*\.json"):
        list(verify_all(tmp_path))


def test_the_results_are_those_of_all_records(golden):
    """``benchmarks/results/fidelity.json`` has a verdict of every level on every record."""
    results = json.loads((golden.parents[1] / "benchmarks" / "results" / "fidelity.json").read_text())["records"]
    recorded = [recorded_id(json.loads(path.read_text())) for path in sorted(golden.glob("*.json"))]
    assert [record["pipeline"] for record in results] == recorded
    assert {len(record["verdicts"]) for record in results} == {5}
    assert all(verdict["holds"] for record in results for verdict in record["verdicts"])
