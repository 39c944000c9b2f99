from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from llmseg import UserError
from llmseg.evaluation.conventions import PACKAGES
from llmseg.evaluation.evaluation import ScoredCase, write_evaluation
from llmseg.evaluation.measures import MEASURES, Counts
from llmseg.stats import Table, compare, simulate
from llmseg.stats.blocks import make_blocks
from llmseg.stats.columns import COLUMNS, DISTANCES, SHARES


@pytest.fixture
def frame():
    return simulate(pipelines=2, datasets=2, seeds=2, cases=4, group_size=2).frame


def changed(frame, column, row, value):
    frame = frame.astype({column: object})
    frame.loc[row, column] = value
    return frame


def test_a_checked_table_keeps_every_row_and_the_given_frame(frame):
    before = frame.copy()
    table = Table.from_frame(frame)
    pd.testing.assert_frame_equal(table.frame, before, check_dtype=False)
    pd.testing.assert_frame_equal(frame, before)
    assert tuple(table.frame.columns) == COLUMNS
    assert table.remarks == ()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda f: f.drop(columns="group"), "no column 'group'.*frame.assign"),
        (lambda f: f.drop(columns="seed"), "no column 'seed'.*fill"),
        (lambda f: f.iloc[:0], "no rows"),
        (lambda f: pd.concat([f, f.iloc[:3]]), "3 rows stand twice, such as dice of llm-01"),
        (lambda f: changed(f, "value", 5, None), r"1 of 32 values are no numbers \(NaN\).*row 5"),
        (lambda f: changed(f, "value", 5, "0,87"), "such as '0,87', first in row 5"),
        (lambda f: changed(f, "value", 2, 1.0048), "outside their range, such as dice 1.0048.*0 to 1"),
        (lambda f: changed(f, "value", 2, np.inf), "outside their range"),
        (lambda f: f.assign(value=True), "true and false"),
        (lambda f: changed(f, "seed", 1, "first"), "seed 'first' is no whole number"),
        (lambda f: changed(f, "seed", 1, 0.5), "seed '0.5' is no whole number"),
        (lambda f: changed(f, "seed", 1, np.inf), "seed 'inf' is no whole number"),
        (lambda f: changed(f, "seed", 1, "9" * 400), "seed '9+' is no whole number"),
        (lambda f: changed(f, "pipeline", 7, None), "1 rows have no pipeline, first in row 7"),
        (lambda f: changed(f, "dataset", 7, " "), "1 rows have no dataset"),
        (lambda f: changed(f, "group", 0, "elsewhere"), "case case-01 of dataset-1 is in group .* and in another"),
    ],
)
def test_what_cannot_be_a_table_is_refused_in_one_line(frame, spoil, words):
    with pytest.raises(UserError, match=words) as caught:
        Table.from_frame(spoil(frame))
    assert "\n" not in str(caught.value)


def test_a_measure_that_does_not_apply_everywhere_may_be_undefined(frame):
    Table.from_frame(changed(frame.assign(measure="false_positive_area"), "value", 0, None))
    with pytest.raises(UserError, match="undefined="):
        Table.from_frame(changed(frame.assign(measure="hd95"), "value", 0, None))
    Table.from_frame(changed(frame.assign(measure="hd95"), "value", 0, None), undefined=["hd95"])


def test_every_measure_of_the_evaluator_has_a_range():
    assert {*SHARES, *DISTANCES} == set(MEASURES)


def test_distances_are_not_negative_and_other_measures_are_free(frame):
    with pytest.raises(UserError, match="outside their range"):
        Table.from_frame(changed(frame.assign(measure="hd95"), "value", 0, -1.0))
    Table.from_frame(frame.assign(measure="anything", value=-3.0))


def test_columns_that_are_left_out_are_told(frame):
    assert Table.from_frame(frame.assign(extra=1)).remarks == ("columns left out: extra",)


def test_files_give_the_same_table(frame, tmp_path):
    frame = frame.assign(case=frame["case"].str[-2:], group=frame["group"].str.replace("group-01", "NA"))
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_parquet(tmp_path / "t.parquet")
    for table in (Table.from_csv(tmp_path / "t.csv"), Table.from_parquet(tmp_path / "t.parquet")):
        pd.testing.assert_frame_equal(table.frame, Table.from_frame(frame).frame, check_dtype=False)
        assert set(table.frame["case"]) == {"01", "02", "03", "04"}


@pytest.mark.parametrize("read", [Table.from_csv, Table.from_parquet])
def test_files_that_cannot_be_read(read, tmp_path):
    with pytest.raises(UserError, match="cannot read"):
        read(tmp_path / "absent")
    (tmp_path / "empty").write_bytes(b"")
    with pytest.raises(UserError, match="cannot read"):
        read(tmp_path / "empty")


def evaluation(folder, pipeline, *, holdout="abc", seed=0, cases=3):
    counts = Counts(5, 1, 1, 9)
    scored = [
        ScoredCase(
            f"{n:03d}", f"video-{n // 2}", size, {"dice": 0.5 + n / 10, "false_positive_area": float("nan")}, counts
        )
        for n in range(cases)
        for size in ("native", "working")
    ]
    facts = {"pipeline": pipeline, "seed": seed, "dataset": "Skin", "holdout": holdout}
    write_evaluation(folder, scored, facts, PACKAGES)
    return folder


def test_evaluations_are_read(tmp_path):
    folders = [evaluation(tmp_path / f"{name}{seed}", name, seed=seed) for name in ("a", "b") for seed in (0, 1)]
    table = Table.from_evaluations(folders)
    assert repr(table) == "Table(24 rows: 2 contenders, 1 dataset, 2 seeds, 3 cases, 2 measures)"
    assert set(table.frame["case"]) == {"000", "001", "002"}
    assert set(table.frame["group"]) == {"video-0", "video-1"}
    (block,) = make_blocks(table)
    assert block.values.shape == (2, 2, 3)
    np.testing.assert_allclose(block.values[0, 0], [0.5, 0.6, 0.7])


def test_evaluations_that_cannot_be_compared(tmp_path):
    one = evaluation(tmp_path / "one", "a")
    with pytest.raises(UserError, match="different held-out cases"):
        Table.from_evaluations([one, evaluation(tmp_path / "two", "b", holdout="xyz")])
    with pytest.raises(UserError, match="no scores of size 'huge'"):
        Table.from_evaluations([one], size="huge")
    with pytest.raises(UserError, match="no folders"):
        Table.from_evaluations([])
    with pytest.raises(UserError, match=r"holds no scores.csv"):
        Table.from_evaluations([tmp_path])
    with pytest.raises(UserError, match="stand twice"):
        Table.from_evaluations([one, one])


def test_own_test_parts_are_told(tmp_path):
    table = Table.from_evaluations([evaluation(tmp_path / "one", "a", holdout=None)])
    assert table.remarks == ("scored on each run's own test part, not on cases held out by a manifest",)


def test_missing_cells_stop_an_analysis_until_they_are_left_out_openly(frame):
    table = Table.from_frame(frame.drop(index=[3, 20]))
    assert len(table.missing()) == 2
    with pytest.raises(UserError, match=r"missing, such as .*complete\(\)"):
        compare(table, "llm-01", "llm-02")
    complete = table.complete()
    assert len(complete.missing()) == 0
    assert complete.remarks == tuple(
        f"1 of 4 cases of dataset-{n} left out: not every contender and seed has a dice" for n in (1, 2)
    )
    assert set(complete.remarks) <= set(compare(complete, "llm-01", "llm-02").remarks)


def test_a_contender_that_lacks_a_dataset_is_named(frame):
    table = Table.from_frame(frame[(frame["pipeline"] == "llm-01") | (frame["dataset"] == "dataset-1")])
    with pytest.raises(UserError, match="all of llm-02"):
        make_blocks(table)
    assert table.complete().datasets == ("dataset-1",)


def test_no_complete_case(frame):
    table = Table.from_frame(frame[(frame["pipeline"] == "llm-01") ^ (frame["case"] < "case-03")])
    with pytest.raises(UserError, match="no case has a dice of every contender"):
        table.complete()


def test_undefined_values_count_as_missing(frame):
    table = Table.from_frame(changed(frame.assign(measure="false_positive_area"), "value", 0, None))
    with pytest.raises(UserError, match="missing"):
        make_blocks(table, "false_positive_area")
    assert "1 of 4" in table.complete("false_positive_area").remarks[0]


def test_variants_are_contenders(frame):
    table = Table.from_frame(pd.concat([frame, frame.assign(variant="loss.dice=0")]))
    assert table.contenders == ("llm-01", "llm-02", "llm-01 loss.dice=0", "llm-02 loss.dice=0")


def test_selecting(frame):
    table = Table.from_frame(frame)
    assert table.select(dataset="dataset-1", seed=[0]).datasets == ("dataset-1",)
    with pytest.raises(UserError, match="did you mean 'dataset-1'"):
        table.select(dataset="dataset1")
    with pytest.raises(UserError, match="no column 'datset'"):
        table.select(datset="dataset-1")


def test_blocks_do_not_depend_on_the_order_of_rows(frame):
    shuffled = Table.from_frame(frame.sample(frac=1, random_state=0))
    plain, mixed = (compare(table, "llm-01", "llm-02") for table in (Table.from_frame(frame), shuffled))
    assert mixed.difference == pytest.approx(plain.difference)
    assert (mixed.low, mixed.high) == pytest.approx((plain.low, plain.high))
