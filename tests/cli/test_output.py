"""What commands print as JSON is JSON."""

from __future__ import annotations

import json

import numpy as np
import pytest

from llmseg.cli.output import Output

pytestmark = pytest.mark.quick


def test_unknown_numbers_are_null(capsys: pytest.CaptureFixture[str]) -> None:
    rows = ({"low": float("-inf"), "high": np.float64("inf")}, {"sd": [float("nan"), 0.5, 1, True, None, "nan"]})
    Output(as_json=True).print({"rows": rows})

    printed = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert printed == {"rows": [{"low": None, "high": None}, {"sd": [None, 0.5, 1, True, None, "nan"]}]}
