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


def test_images_without_their_masks_propose_the_folder_beside(folders, tmp_path, call):
    images, masks = folders
    for typed in (["--images", images], ["--data", images]):
        code, out, err = call("data", "doctor", *typed)
        assert (code, out, err.count("\n")) == (2, "", 1)
        advice = shlex.split(re.search(r"did you mean (.*)\?", err)[1])
        assert advice == ["--images", str(images), "--masks", str(masks)]
    assert call("data", "split", *advice, "--out", tmp_path / "x.json")[0] == 0


@pytest.mark.parametrize("which", [0, 1])
def test_the_folder_of_images_alone_proposes_the_one_above(which, folders, tmp_path, call):
    prepare = ("data", "prepare", "folder", "-o", tmp_path / "s.h5")
    code, out, err = call(*prepare, "--root", folders[which])
    assert (code, out, err.count("\n")) == (2, "", 1)
    advice = shlex.split(re.search(r"did you mean (.*)\?", err)[1])
    assert advice == ["--root", str(tmp_path)]
    assert call(*prepare, *advice, "-q")[0] == 0


def test_cases_that_are_typed_without_their_option(folders, tmp_path, call):
    code, _, err = call("data", "doctor", folders[0].parent)
    assert (code, err.count("\n")) == (2, 1)
    advice = shlex.split(re.search(r"did you mean (.*)\?", err)[1])
    assert advice == ["--data", str(folders[0].parent)]
    assert call("data", "split", *advice, "--out", tmp_path / "x.json")[0] == 0
    assert "did you mean" not in call("data", "doctor", "nowhere")[2]
    assert "did you mean" not in call("doctor", folders[0].parent)[2]


@pytest.mark.parametrize(
    ("command", "there", "typed"),
    [
        (["data", "doctor", "--data"], "skin.h5", "skn.h5"),
        (["train", "gpt-4", "--synthetic", "fundus", "--out", "o", "--holdout"], "skin-test.json", "skin_test.json"),
        (["report", "-o", "r"], "study", "studdy"),
        (["status"], "study", "sudy"),
        (["predict", "--images", "i", "-o", "o"], "runs/gpt-o3", "runs/gpt-03"),
        (["evaluate", "--synthetic", "fundus"], "runs/gpt-o3", "runs/gpto3"),
        (["data", "doctor", "--images"], "images", "imagse"),
        (["data", "prepare", "folder", "-o", "o.h5", "--root"], "brain", "brian"),
        (["replay", "gpt-4", "--verify"], "golden.json", "goldn.json"),
    ],
)
def test_a_mistyped_path_names_the_nearest(command, there, typed, tmp_path, call, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / there).mkdir(parents=True)
    code, out, err = call(*command, typed)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert f"did you mean '{there}'?" in err
    assert "did you mean" not in call(*command, "quite-another")[2]


def test_a_manifest_is_no_store(folders, tmp_path, call):
    cases = ("--images", folders[0], "--masks", folders[1])
    assert call("data", "split", *cases, "--fraction", 0.3, "--out", tmp_path / "x.json")[0] == 0
    code, out, err = call("data", "doctor", "--data", tmp_path / "x.json")
    assert (code, out) == (2, "")
    assert "is a JSON file; a manifest of test cases is given by --holdout" in err


@pytest.mark.slow
def test_a_study_with_test_cases_of_another_dataset_trains_nothing(tiny_json, folders, tmp_path, call):
    manifest, study, out = tmp_path / "x.json", tmp_path / "study.toml", tmp_path / "s"
    cases = ("--images", folders[0], "--masks", folders[1])
    drawn = ("data", "split", "--synthetic", "fundus", "--cases", 20, "--fraction", 0.3, "--out", manifest)
    assert call(*drawn)[0] == 0
    study.write_text(
        f"pipelines = ['gpt-4', 'gpt-o3']\nchanges = ['images.size=32,32']\nepochs = 1\n[datasets.own]\n"
        f"images = '{folders[0]}'\nmasks = '{folders[1]}'\nholdout = '{manifest}'\n"
    )
    for command in (
        ("compare", tiny_json, "gpt-o3", *cases, "--holdout", manifest, "--epochs", 1, "-o", out, "-q"),
        ("ablate", tiny_json, "--field", "fit.rate=1", *cases, "--holdout", manifest, "--epochs", 1, "-o", out, "-q"),
        ("study", "plan", study),
        ("study", "run", study, "-o", out, "-q"),
    ):
        code, stdout, err = call(*command)
        assert (code, stdout) == (2, "")
        assert "these test cases were drawn from synthetic-fundus, and " in err
        assert err.count("\n") == 1
        assert not out.exists()


@pytest.mark.slow
def test_a_folder_of_another_study_says_which(tiny_json, folders, tmp_path, call):
    typed = ("ablate", tiny_json, "--images", folders[0], "--masks", folders[1], "--seeds", 1, "--epochs", 1, "-q")
    assert call(*typed, "--field", "fit.rate=1e-9", "-o", tmp_path / "s")[0] == 0
    code, _, err = call(*typed, "--field", "fit.rate=1e-8", "-o", tmp_path / "s")
    assert code == 2
    assert "its variants differ (base, fit.rate=1e-09 there, base, fit.rate=1e-08 here); choose another --out" in err
    code, _, err = call(*typed, "--set", "fit.decay=0.1", "--field", "fit.rate=1e-9", "-o", tmp_path / "s")
    assert code == 2
    assert "its variants differ (the recipe of base)" in err


@pytest.mark.slow
def test_test_cases_of_another_dataset_hold_nothing_out(tiny_json, folders, tmp_path, call):
    cases, manifest = ("--images", folders[0], "--masks", folders[1]), tmp_path / "x.json"
    train = ("train", tiny_json, "--epochs", 1, "-q", "--holdout", manifest)
    assert call("data", "split", "--synthetic", "fundus", "--cases", 20, "--out", manifest)[0] == 0
    code, _, err = call(*train, *cases, "--out", tmp_path / "a")
    assert code == 0
    assert "warning: no case of " in err
    assert "drawn from synthetic-fundus: nothing is held out of this training" in err
    code, out, err = call("evaluate", tmp_path / "a", *cases, "--holdout", manifest, "-q")
    assert (code, out) == (2, "")
    assert "these test cases were drawn from synthetic-fundus, and " in err
    assert call("data", "split", *cases, "--fraction", 0.3, "--out", manifest)[0] == 0
    code, _, err = call(*train, *cases, "--out", tmp_path / "b")
    assert (code, "warning" in err) == (0, False)


@pytest.mark.slow
def test_a_contender_of_a_study_is_scored_and_a_run_is_reported_after_it_is(tiny_json, folders, tmp_path, call):
    cases, manifest = ("--images", folders[0], "--masks", folders[1]), tmp_path / "x.json"
    assert call("data", "split", *cases, "--fraction", 0.3, "--out", manifest)[0] == 0
    options = (*cases, "--holdout", manifest, "-q")
    study = tmp_path / "study"
    assert (
        call("ablate", tiny_json, "--field", "fit.rate=1e-9", "--seeds", 1, "--epochs", 1, *options, "-o", study)[0]
        == 0
    )
    before = sorted(study.rglob("*"))
    code, _, err = call("evaluate", study, *options)
    assert code == 2
    advice = shlex.split(re.search(r"choose one: (.*)", err)[1])
    code, _, _ = call("evaluate", study, *advice, *options)
    assert code == 0
    assert sorted(study.rglob("*")) == before
    (evaluation,) = tmp_path.glob("study-*-evaluation")
    assert (evaluation / "scores.csv").is_file()
    run = next(study.glob("**/run"))
    (tmp_path / "runs").mkdir()
    run.rename(tmp_path / "runs" / "one")
    code, _, err = call("report", tmp_path / "runs" / "one", "-o", tmp_path / "report")
    assert code == 2
    advice = re.search(r"such as by llmseg (.*), and name SCORES", err)[1]
    advice = advice.replace("--data STORE", shlex.join(map(str, options))).replace("SCORES", str(tmp_path / "scores"))
    assert call(*shlex.split(advice))[0] == 0
    assert call("report", tmp_path / "scores", "-o", tmp_path / "report", "-q")[0] == 0
    code, _, err = call("evaluate", tmp_path / "runs", *options)
    assert (code, err.count("\n")) == (2, 1)
    assert f"runs holds 1 run and is none itself; name one: {tmp_path / 'runs' / 'one'}" in err
