"""What a study will cost, and what of it fits into some hours."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from llmseg import SyntheticStore, UserError, hold_out
from llmseg.study import choose_cells, find_contenders, plan_cells
from llmseg.study.design import Design
from llmseg.study.plan import count_training_cases
from llmseg.study.variants import Variant
from llmseg.training.cost import estimate_cost


@pytest.fixture
def design(tmp_path):
    store = SyntheticStore("fundus", count=40)
    variants = tuple(
        Variant(item.name, item.recipe.change("images.size", (32, 32)))
        for item in find_contenders(["llama-3.1-405b", "gpt-o3"])
    )
    holdout = hold_out(store, fraction=0.3)
    return Design(folder=tmp_path, label=None, variants=variants, store=store, folds=(holdout,), seeds=2, epochs=3)


def test_a_row_per_cell_with_its_cost(design):
    plan = plan_cells([design], speed=1e9)
    assert plan[["contender", "seed"]].to_numpy().tolist() == [
        ["llama-3.1-405b", 0],
        ["gpt-o3", 0],
        ["llama-3.1-405b", 1],
        ["gpt-o3", 1],
    ]
    row, recipe = plan.iloc[1], design.variants[1].recipe
    cases = count_training_cases(recipe, design.folds[0].rest(design.store))
    assert (row["state"], row["epochs"], row["images"]) == ("open", 3, 3 * cases)
    assert row["steps"] == 3 * -(-cases // recipe.fit.batch_size)
    flops = estimate_cost(recipe, (32, 32)).flops * 3 * cases
    assert row["teraflops"] == pytest.approx(flops / 1e12)
    assert row["seconds"] == pytest.approx(flops / 1e9)
    assert plan_cells([design])["seconds"].isna().all()


def test_cells_of_all_datasets_are_listed_as_they_are_trained(design, tmp_path):
    store = SyntheticStore("dermoscopy", count=20)
    other = replace(design, folder=tmp_path / "other", store=store, folds=(hold_out(store),), seeds=1)
    plan = plan_cells([design, other])
    assert plan.index.tolist() == list(range(6))
    assert plan[["seed", "dataset"]].to_numpy().tolist() == [
        *([0, "synthetic-fundus"], [0, "synthetic-fundus"], [0, "synthetic-dermoscopy"], [0, "synthetic-dermoscopy"]),
        *([1, "synthetic-fundus"], [1, "synthetic-fundus"]),
    ]


def test_finished_cells_are_told(design):
    (cell, _) = design.cells(design.variants[0])
    for name in ("run/run.json", "evaluation/evaluation.json"):
        (cell.folder / name).parent.mkdir(parents=True)
        (cell.folder / name).write_text("{}", encoding="utf-8")
    assert plan_cells([design])["state"].tolist() == ["finished", "open", "open", "open"]


def test_seeds_go_in_turn_and_the_cheapest_first():
    plan = pd.DataFrame(
        {
            "seed": [0, 0, 1, 1, 0],
            "fold": 0,
            "seconds": [3000.0, 60.0, 3000.0, 60.0, 10.0],
            "state": ["open", "open", "open", "open", "finished"],
            "fault": "",
        }
    )
    assert choose_cells(plan, 1).index.tolist() == [1, 0, 3]
    assert choose_cells(plan, 0.02).index.tolist() == [1]
    with pytest.raises(UserError, match="0 hours; give a number above 0"):
        choose_cells(plan, 0)
    with pytest.raises(UserError, match=r"no seconds; give plan_cells a speed, as llmseg\.training\.measure_speed"):
        choose_cells(plan.assign(seconds=float("nan")), 1)
