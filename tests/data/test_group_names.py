from __future__ import annotations

import pytest

from llmseg.data.group_names import propose_pattern
from llmseg.data.groups import match_groups


def _names(pattern, patients=(1, 2, 13), slices=range(1, 5)):
    return [pattern.format(patient=patient, slice=slice) for patient in patients for slice in slices]


@pytest.mark.parametrize(
    ("ids", "groups"),
    [
        (_names("p{patient:02}_s{slice:02}.png"), ["p01", "p02", "p13"]),
        (_names("patient{patient:02}_slice{slice:03}.png"), ["patient01", "patient02", "patient13"]),
        (_names("P{patient}-{slice:02}.png"), ["P1", "P2", "P13"]),
        (_names("Subj-{patient:03}_{slice}.tif"), ["Subj-001", "Subj-002", "Subj-013"]),
        (_names("site4_patient_{patient}_t{slice}.png"), ["patient_1", "patient_2", "patient_13"]),
        (_names("s{slice} (Patient {patient}).png"), ["Patient 1", "Patient 2", "Patient 13"]),
        (_names("no 1 - {patient} - {slice}.png"), ["no 1 - 1", "no 1 - 2", "no 1 - 13"]),
        (_names("case_{patient:04}_z{slice}.png"), ["case_0001", "case_0002", "case_0013"]),
        (_names("frame_{slice:03}_video_{patient:02}.png"), ["video_01", "video_02", "video_13"]),
        (_names("{patient:03}s{slice}.png"), ["001", "002", "013"]),
        (_names("Image_{patient:02}{slice}.jpg", slices="LR"), ["Image_01", "Image_02", "Image_13"]),
        (_names("{patient}/slice{slice}.png", ("anna", "bob")), ["anna", "bob"]),
        (_names("{patient}_{slice:02}.png", ("a3f9", "77b2")), ["a3f9", "77b2"]),
        (_names("TCGA_{patient}_1996_{slice}.tif", ("CS_4941", "DU_58")), ["TCGA_CS_4941", "TCGA_DU_58"]),
    ],
)
def test_the_pattern_of_names_that_look_like_patients(ids, groups):
    pattern = propose_pattern(ids)
    assert pattern is not None
    assert " " not in pattern
    assert list(dict.fromkeys(match_groups(pattern, ids).values())) == groups


@pytest.mark.parametrize(
    "ids",
    [
        [f"{index:03}.png" for index in range(30)],
        [f"ISIC_{index:07}.png" for index in range(24306, 24336)],
        [f"case_{index:04}_0000.png" for index in range(30)],
        [f"{kind} ({index}).png" for kind in ("benign", "malignant") for index in range(20)],
        _names("slice{slice:03}_{patient:02}.png"),
        _names("p01_s{slice:02}.png", patients=(1,)),
        ["p1_1.png", "p1_2.png", "p2_1.png"],
        [],
    ],
)
def test_names_that_tell_nothing_give_no_pattern(ids):
    assert propose_pattern(ids) is None
