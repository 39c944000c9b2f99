"""Tables that are damaged or from elsewhere: the file and the column are named."""

from __future__ import annotations

import numpy as np
import pytest

from llmseg.errors import UserError
from llmseg.files.tables import read_table

COLUMNS = {"case": "any", "value": "number", "tp": "whole"}
GOOD = b"case,value,tp\na.png,0.5,3\nb.png,,0\n"


def test_a_table_keeps_the_types_of_its_content(tmp_path):
    (tmp_path / "t.csv").write_bytes(GOOD)
    frame = read_table(tmp_path / "t.csv", COLUMNS)
    assert frame["case"].tolist() == ["a.png", "b.png"]
    assert frame["tp"].dtype == np.int64
    assert frame["value"].isna().tolist() == [False, True]
    (tmp_path / "t.csv").write_bytes(GOOD.splitlines()[0])
    assert len(read_table(tmp_path / "t.csv", COLUMNS)) == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (GOOD.replace(b"0.5", b"half"), "'value' is 'half' in row 1, not a number"),
        (GOOD.replace(b"3", b"-1"), "'tp' is '-1' in row 1, not a whole number"),
        (GOOD.replace(b"3", b"1.5"), "'tp' is '1.5' in row 1, not a whole number"),
        (GOOD.replace(b"3", b"inf"), "'tp' is 'inf' in row 1, not a whole number"),
        (GOOD.replace(b"3", b"9" * 400), "'tp' is '9+' in row 1, not a whole number"),
        (GOOD.replace(b"3", b""), "'tp' is 'nan' in row 1, not a whole number"),
        (GOOD.replace(b"3", b"True").replace(b",0\n", b",True\n"), "'tp' is 'True' in row 1"),
        (GOOD.replace(b"tp", b"fp"), "it has no column 'tp'"),
        (GOOD.replace(b"a.png", b"\xff"), "it holds no CSV"),
        (GOOD.replace(b"b.png", b'"b.png'), "it holds no CSV"),
        (GOOD.replace(b"3", b"3,4,5"), "it holds no CSV|'tp' is"),
        (b"", "it holds no CSV"),
        (b"\x00" * 50, "it holds no CSV|it has no column"),
    ],
)
def test_damage_is_named(tmp_path, content, message):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(UserError, match=rf"t\.csv is damaged: ({message}).*; put it back from a copy") as told:
        read_table(tmp_path / "t.csv", COLUMNS)
    assert len(str(told.value)) < 400


def test_a_missing_table(tmp_path):
    with pytest.raises(UserError, match=r"cannot read .*t\.csv: No such file"):
        read_table(tmp_path / "t.csv", {})
