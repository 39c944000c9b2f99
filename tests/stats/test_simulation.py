from __future__ import annotations

import pandas as pd
import pytest

from llmseg import UserError
from llmseg.stats import Table, simulate


def test_simulated_studies_are_tables():
    table = simulate(pipelines=3, datasets=2, seeds=2, cases=6, group_size=4)
    pd.testing.assert_frame_equal(Table.from_frame(table.frame).frame, table.frame, check_dtype=False)
    with pytest.raises(UserError, match="at least one"):
        simulate(pipelines=0)
