"""What somebody who uses llmseg for the first time meets: advice that can be followed, and warnings in time."""

from __future__ import annotations

import re
import shlex

import pytest

from llmseg import UserError, hold_out
from llmseg.cli.few_cases import warn_of_few_test_cases
from llmseg.stats import compare_cohorts, simulate


@pytest.mark.parametrize(("images", "masks"), [("images", "masks"), ("Images", "Labels"), ("imgs", "gt")])
def test_the_folder_above_is_told_which_are_meant(images, masks, folders, tmp_path, call):
    above = tmp_path / "my brain"
    above.mkdir()
    for folder, name in zip(folders, (images, masks), strict=True):
        folder.rename(above / name)
    code, out, err = call("data", "doctor", "--images", above)
    assert (code, out) == (2, "")
    advice = shlex.split(re.search(r"did you mean (.*)\?", err)[1])
    assert advice == ["--images", str(above / images), "--masks", str(above / masks)]
    code, _, err = call("data", "split", *advice, "--out", tmp_path / "x.json")
    assert code == 0
    assert "no images" not in err


def test_a_folder_without_such_folders_proposes_nothing(tmp_path, call):
    (tmp_path / "patients").mkdir()
    assert "did you mean" not in call("data", "doctor", "--images", tmp_path)[2]


def test_one_or_two_test_cases_are_a_warning_before_training(tiny_json, folders, tmp_path, call):
    cases = ["--images", folders[0], "--masks", folders[1]]
    compared = ["ablate", tiny_json, *cases, "--field", "fit.rate=1e-12", "--seeds", 1, "--epochs", 1, "-q"]
    code, _, err = call(*compared, "--out", tmp_path / "a")
    assert code == 0
    (warning,) = (line for line in err.splitlines() if "warning" in line)
    assert "1 test case of 12 cases" in warning
    advice = re.search(r"hold out more by llmseg (.*), or", warning)[1]
    assert call(*shlex.split(advice), *cases, "--out", tmp_path / "x.json")[0] == 0
    code, _, err = call(*compared, "--holdout", tmp_path / "x.json", "--out", tmp_path / "b")
    assert code == 0
    assert "warning" not in err


def test_a_manifest_of_one_test_case_warns_wherever_somebody_trains(tiny_json, folders, tmp_path, call, monkeypatch):
    cases, manifest = ("--images", folders[0], "--masks", folders[1]), tmp_path / "one.json"
    warning = "llmseg: warning: 1 test case of 12 cases: no difference can be established"
    code, _, err = call("data", "split", *cases, "--out", manifest)
    assert (code, warning in err) == (0, True)
    advice = re.search(r"hold out more by (.*), or", err)[1]
    code, _, err = call("data", "split", *cases, *shlex.split(advice), "--out", tmp_path / "more.json")
    assert (code, "warning" in err) == (0, False)

    def refuse(*_, **__):
        raise UserError("nothing is trained in this test")

    for name in ("llmseg.train", "llmseg.replay", "llmseg.nnunet.prepare_nnunet", "llmseg.study.run_prices"):
        monkeypatch.setattr(name, refuse)
    monkeypatch.setattr("llmseg.nnunet.check_installed", lambda: None)
    for command in (["train", tiny_json], ["replay", "gpt-4"], ["nnunet", "prepare"], ["nnunet", "run"]):
        err = call(*command, *cases, "--holdout", manifest, "--out", tmp_path / "x")[2]
        assert warning in err
        assert "nothing is trained" in err
        err = call(*command, *cases, "--holdout", tmp_path / "more.json", "--out", tmp_path / "x")[2]
        assert "warning" not in err
    for command in (["nnunet", "prepare"], ["price", "textbook", "--fraction", 0.1]):
        assert warning in call(*command, *cases, "--out", tmp_path / "x")[2]
    assert "warning" not in call("price", "textbook", *cases, "--out", tmp_path / "x")[2]


@pytest.mark.parametrize(("fraction", "warned"), [(0.02, True), (0.08, True), (0.2, False)])
def test_the_warning_counts_groups(fraction, warned, phantoms, capsys):
    warn_of_few_test_cases(hold_out(phantoms, fraction=fraction))
    assert bool(capsys.readouterr().err) == warned


def test_what_a_training_prints_is_rounded_and_json_is_not(tiny_json, folders, tmp_path, call):
    trained = ["train", tiny_json, "--images", folders[0], "--masks", folders[1], "--epochs", 1, "-q"]
    out = call(*trained, "--out", tmp_path / "run")[1]
    numbers = re.findall(r"(?:loss|dice|seconds) +(\S+)$", out, re.MULTILINE)
    assert len(numbers) == 4
    assert all(re.fullmatch(r"\d+\.\d{1,4}", number) for number in numbers)
    assert len(re.search(r'"train_loss": (\S+),', call(*trained, "--out", tmp_path / "run", "--json")[1])[1]) > 8


@pytest.mark.parametrize(
    ("cohorts", "label", "words"),
    [
        ({"llm-01": "2024", "llm-02": "2024", "elsewhere": "2025"}, "2025", "its contenders are elsewhere"),
        ({"llm-01": 2024, "llm-02": 2025}, "2024", "give both as texts"),
        ({"llm-01": "2024", "llm-02": "2025"}, "2026", "did you mean '202"),
    ],
)
def test_a_cohort_without_scores_is_not_proposed_again(cohorts, label, words):
    with pytest.raises(UserError) as refused:
        compare_cohorts(simulate(pipelines=2), cohorts, label, "2024")
    assert words in str(refused.value)
    assert f"did you mean '{label}'" not in str(refused.value)


def test_two_budgets_are_refused_before_nnunet_prepares(folders, tmp_path, call, monkeypatch):
    monkeypatch.setattr("llmseg.nnunet.check_installed", lambda: None)
    cases = ("--images", folders[0], "--masks", folders[1], "--out", tmp_path / "n")
    code, _, err = call("nnunet", "run", *cases, "--equal-to", "gpt-4", "--iterations", 3)
    assert (code, err) == (2, "llmseg: --iterations and --equal-to are two budgets; give one\n")
    assert not (tmp_path / "n").exists()
