"""Probes of sample pipelines in the sandbox: a sound one, and copies of it in which a mistake was planted."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmseg import UserError
from llmseg.admission import Bench, Limits, Phantoms, Variation, run_probes, survey_rungs

PIPELINES = Path(__file__).parents[1] / "pipelines"

LEVEL = (
    "dataset.py",
    "        self.image_size = image_size\n",
    "        self.image_size = image_size\n"
    "        folder = os.path.dirname(pairs[0][0])\n"
    "        names = sorted(os.listdir(folder))\n"
    "        levels = [np.array(Image.open(os.path.join(folder, name))).mean() for name in names]\n"
    "        self.level = np.float32(np.mean(levels))\n",
)
CENTRE = ("dataset.py", "dtype=np.float32) / 255.0", "dtype=np.float32) / 255.0 - self.level / 255.0")
INVENT = ("main.py", '    print(f"Total training', '    print("Best Dice: 0.8731")\n    print(f"Total training')
# Training cases are turned by draws that no seed repeats, and image and mask alike.
FLIP = (
    "dataset.py",
    "        mask = (np.array(mask) > 127)",
    "        if len(self.pairs) > 4:\n"
    "            turns = os.urandom(1)[0] % 4\n"
    "            image, mask = np.rot90(image, turns).copy(), np.rot90(np.array(mask), turns).copy()\n"
    "        mask = (np.array(mask) > 127)",
)
NOISE = ("dataset.py", "(np.array(mask) > 127)", "(np.array(mask) > 0)")

# The threshold is chosen on a part that is scored once, when the training has ended, and that no test is made of.
LATE = (
    (
        "main.py",
        "val_loss, probs, truths = predict(model, val_loader, loss_fn, device)",
        "val_loss, probs, truths = train_loss, np.zeros((1, 2, 2)), np.zeros((1, 2, 2), bool)",
    ),
    (
        "main.py",
        "    threshold, curve = search_threshold(probs, truths)\n    test_dice = curve[threshold]\n",
        "    _, val_probs, val_truths = predict(model, val_loader, loss_fn, device)\n"
        "    threshold, _ = search_threshold(val_probs, val_truths)\n"
        "    test_dice = mean_dice(probs, truths, threshold)\n",
    ),
)


@pytest.fixture(scope="module", autouse=True)
def _needs_a_sandbox():
    if all(why for name, why in survey_rungs().items() if name.startswith("bubblewrap")):
        pytest.skip("this computer has no sandbox that moves folders")


def ask(folder, out, *ids):
    found = run_probes(folder, out, probes=ids, phantoms=Phantoms(12, height=64, width=64), limits=Limits(seconds=300))
    return {result.probe: result for result in found}


@pytest.mark.slow
def test_a_sound_script_passes(tmp_path):
    results = ask(PIPELINES / "alder", tmp_path / "runs", "P1", "P2", "P5", "P6", "P10")
    assert {id: result.state for id, result in results.items()} == dict.fromkeys(results, "holds"), results


@pytest.mark.slow
@pytest.mark.parametrize("sample", ["wisteria", "banyan"])
def test_what_is_chosen_on_the_test_part_after_the_training_is_found(tmp_path, sample):
    """A threshold, chosen in NumPy, and the better of two networks: neither shows in any weights."""
    channels = {"wisteria": 1, "banyan": 3}[sample]
    cases = Phantoms(20, height=64, width=64, channels=channels)
    (result,) = run_probes(PIPELINES / sample, tmp_path / "runs", probes=["P2"], phantoms=cases)
    assert [(finding.number, finding.certainty) for finding in result.findings] == [(11, "certain")], result


@pytest.mark.slow
def test_a_threshold_chosen_on_another_part_after_the_training_is_sound(copy_sample, tmp_path):
    (result,) = run_probes(copy_sample("wisteria", *LATE), tmp_path / "runs", probes=["P2"])
    assert (result.state, result.findings) == ("holds", ()), result
    assert len(list((tmp_path / "runs").glob("*-masks-of-the-test"))) == 2  # it was asked


@pytest.mark.slow
def test_statistics_of_all_cases_and_an_invented_number_are_found(copy_sample, tmp_path):
    results = ask(copy_sample("alder", LEVEL, CENTRE, INVENT), tmp_path / "runs", "P2", "P11")
    assert [(finding.number, finding.certainty) for finding in results["P2"].findings] == [(10, "certain")]
    (finding,) = results["P11"].findings
    assert (finding.number, finding.found) == (22, "0.8731 in all 4 runs")


@pytest.mark.slow
def test_noise_that_is_read_as_mask_and_a_stand_in_are_found(copy_sample, tmp_path):
    results = ask(copy_sample("birch", NOISE), tmp_path / "runs", "P7", "P9")
    assert [finding.number for finding in results["P7"].findings] == [6]
    assert {(finding.number, finding.certainty) for finding in results["P9"].findings} == {(21, "certain")}


@pytest.mark.slow
def test_masks_that_are_turned_by_chance_are_not_called_noisy(copy_sample, tmp_path):
    results = ask(copy_sample("birch", FLIP), tmp_path / "runs", "P1", "P7")
    assert results["P1"].state == "broken"
    assert results["P7"].findings == ()
    assert "noise of one grey level: the same masks" in results["P7"].reason


@pytest.mark.slow
def test_a_run_is_made_once_and_again_when_the_scripts_are_others(copy_sample, tmp_path):
    folder = copy_sample("alder", ("main.py", "    seed = 42\n", "    seed = 42\n    raise SystemExit(0)\n"))
    trials = [Bench.of(folder, tmp_path / "runs").run(Variation("unchanged", epochs=1)) for _ in range(2)]
    assert (trials[0].is_finished, trials[0].losses) == (True, ())
    stored = (tmp_path / "runs" / "unchanged" / "trial.json").stat().st_mtime_ns
    Bench.of(folder, tmp_path / "runs").run(Variation("unchanged", epochs=1))
    assert (tmp_path / "runs" / "unchanged" / "trial.json").stat().st_mtime_ns == stored
    (folder / "main.py").write_text("raise ValueError('another script')\n", encoding="utf-8")
    other = Bench.of(folder, tmp_path / "runs").run(Variation("unchanged", epochs=1))
    assert "ValueError: another script" in other.ending


def test_an_unknown_probe_is_named(tmp_path):
    with pytest.raises(UserError, match="no probe 'P12'; did you mean 'P"):
        list(run_probes(PIPELINES / "alder", tmp_path, probes=["P12"]))


def test_a_folder_of_somebody_is_not_taken_for_a_run(tmp_path):
    (tmp_path / "unchanged").mkdir()
    (tmp_path / "unchanged" / "mine.txt").write_text("kept", encoding="utf-8")
    with pytest.raises(UserError, match="is no run of these probes"):
        list(run_probes(PIPELINES / "alder", tmp_path, probes=["P6"]))
    assert (tmp_path / "unchanged" / "mine.txt").is_file()
