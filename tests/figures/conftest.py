from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from llmseg import hold_out, run_study
from llmseg.evaluation import evaluate_masks
from llmseg.stats import Table
from llmseg.study import Variant, read_results


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


@pytest.fixture(scope="session")
def result_folder(phantoms, tiny_recipe, tmp_path_factory):
    """A study of two pipelines, which were given one epoch, and masks from elsewhere deeper down, in one folder."""
    out = tmp_path_factory.mktemp("figures")
    recipe, holdout = tiny_recipe.change("fit.epochs", 1), hold_out(phantoms, fraction=0.2)
    variants = (Variant("gpt-4", recipe), Variant("gpt-o3", recipe.change("fit.rate", 1e-12)))
    options = {"holdout": holdout, "progress": False}
    run_study(None, variants, phantoms, out / "all/study", seeds=1, device="cpu", **options)
    (out / "masks").mkdir()
    for id in holdout.test_ids:
        Image.fromarray(phantoms.read(id).mask).save((out / "masks" / id).with_suffix(".png"))
    evaluate_masks(out / "masks", phantoms, out / "all/elsewhere/trainings/1/evaluation", label="ours", **options)
    return out / "all"


@pytest.fixture(scope="session")
def results(result_folder):
    """What that folder holds."""
    return read_results([result_folder])
