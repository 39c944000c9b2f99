from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from llmseg.stats import Table


@pytest.fixture(scope="session")
def table():
    """Twelve cases, two seeds and two datasets of four contenders, one of them a reference; two are always equal."""
    random = np.random.default_rng(3)
    rows = [
        {"pipeline": name, "dataset": dataset, "seed": seed, "case": f"c{case:02d}", "value": value}
        for dataset in ("Skin", "Brain")
        for name, mean in {"gpt-4": 0.5, "gpt-o3": 0.7, "grok-3": 0.6, "monai-basic-unet": 0.55}.items()
        for seed in (0, 1)
        for case, value in enumerate(np.clip(random.normal(mean, 0.1, 12), 0, 1))
    ]
    frame = pd.DataFrame(rows).assign(variant="base", phase="test", measure="dice")
    same = frame[frame["pipeline"] == "gpt-4"].assign(pipeline="gpt-4o")
    frame = pd.concat([frame, same])
    return Table.from_frame(frame.assign(group=frame["case"]))
