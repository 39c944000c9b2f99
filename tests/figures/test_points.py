from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from llmseg.figures.points import draw_differences


@pytest.fixture
def differences():
    columns = {"variant": ["a", "b", "c"], "difference": [0.1, -0.05, 0.0], "low": [0.05, -0.1, -0.02]}
    return pd.DataFrame({**columns, "high": [0.15, 0.0, 0.02], "level": 0.95})


@pytest.mark.parametrize(("name", "begins"), [("d.png", b"\x89PNG"), ("d.pdf", b"%PDF"), ("d.svg", b"<?xml")])
def test_the_extension_decides_the_format(differences, tmp_path, name, begins):
    assert draw_differences(differences, tmp_path / name).read_bytes().startswith(begins)


def test_more_variants_make_a_taller_figure_with_ink(differences, tmp_path):
    few = np.asarray(Image.open(draw_differences(differences, tmp_path / "few.png")).convert("L"))
    many = np.asarray(Image.open(draw_differences(pd.concat([differences] * 4), tmp_path / "many.png")).convert("L"))
    assert many.shape[0] > few.shape[0]
    assert (few < 128).any()
