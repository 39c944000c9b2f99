"""Predicted masks of two runs, of which the second had other masks for the tested cases."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from llmseg.admission import Phantoms
from llmseg.admission.probes.bench import Trial, Variation
from llmseg.admission.probes.predictions import list_changed_predictions

PHANTOMS = Phantoms(12, height=60, width=80)
GIVEN = PHANTOMS.mask("003") > 127
PREDICTED = np.roll(GIVEN, 5, axis=1)
LARGER = PREDICTED | np.roll(PREDICTED, 2, axis=0)


def trial(folder, name, files):
    for path, values in files.items():
        file = folder / name / "files" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.asarray(values, np.uint8)).save(file)
    return Trial(Variation(name), "script", True, "", "", folder / name, PHANTOMS)


def changed(folder, before, after, ids=("003",)):
    return list_changed_predictions(trial(folder, "one", before), trial(folder, "other", after), ids)


def test_predictions_that_differ_are_named(tmp_path):
    before = {"out/predictions/003.png": PREDICTED * 255, "out/003_pred.png": PREDICTED}
    after = {"out/predictions/003.png": LARGER * 255, "out/003_pred.png": PREDICTED}
    assert changed(tmp_path, before, after) == ["out/predictions/003.png"]


def test_all_or_nothing_predicted_is_a_difference(tmp_path):
    nothing, all_of_it = np.zeros((60, 80)), np.full((60, 80), 255)
    assert changed(tmp_path, {"predictions/003.png": nothing}, {"predictions/003.png": all_of_it})
    assert changed(tmp_path / "2", {"predictions/003.png": all_of_it}, {"predictions/003.png": nothing})


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("predictions/003.png", PREDICTED * 255, PREDICTED * 255),
        ("predictions/003.png", GIVEN * 255, ~GIVEN * 255),  # a copy of the given mask
        ("predictions/003.png", (GIVEN ^ PREDICTED) * 255, (~GIVEN ^ PREDICTED) * 255),  # what is wrong
        ("predictions/003_gt.png", PREDICTED * 255, LARGER * 255),
        ("predictions/003_error.png", PREDICTED * 255, LARGER * 255),
        ("figures/003.png", PREDICTED * 255, LARGER * 255),  # not called a prediction
        ("predictions/004.png", PREDICTED * 255, LARGER * 255),  # not asked for
        ("predictions/curve.png", PREDICTED * 255, LARGER * 255),
        ("predictions/003.png", np.hstack([GIVEN, PREDICTED]) * 255, np.hstack([~GIVEN, PREDICTED]) * 255),
        ("predictions/003.png", GIVEN * 255, GIVEN * 0),  # a copy of the given mask
        ("predictions/003.png", np.dstack([GIVEN, PREDICTED, GIVEN]) * 255, np.dstack([GIVEN, LARGER, GIVEN]) * 255),
    ],
)
def test_other_files_are_no_evidence(tmp_path, name, before, after):
    assert changed(tmp_path, {name: before}, {name: after}) == []


def test_files_of_one_run_are_left_out(tmp_path):
    assert changed(tmp_path, {"predictions/003.png": PREDICTED * 255}, {"predictions/004.png": LARGER * 255}) == []


def test_a_file_that_is_no_image_is_left_out(tmp_path):
    runs = [trial(tmp_path, name, {"predictions/003.png": PREDICTED * 255}) for name in ("one", "other")]
    (tmp_path / "other/files/predictions/003.png").write_bytes(b"no image")
    assert list_changed_predictions(*runs, ("003",)) == []
