"""Errors in generated code: what was published, and tables of further models."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from llmseg import UserError
from llmseg.stats import (
    ERROR_CATEGORIES,
    ERROR_PHASES,
    ERROR_SETS,
    count_errors,
    published,
    published_error_totals,
    published_errors,
    read_errors,
)

HEADER = "model,phase,exception,category,description"
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "errors.md"


def test_every_published_row_is_in_one_set_and_has_a_phase_and_a_category():
    sets = {name: published_errors(name) for name in ERROR_SETS}
    assert sum(map(len, sets.values())) == len(published.get("errors").frame)
    for errors in sets.values():
        assert count_errors(errors).to_numpy().sum() == len(errors)


@pytest.mark.parametrize("which", ERROR_SETS)
def test_totals_have_every_answer_once_and_as_many_rows_as_there_are_errors(which):
    errors, totals = published_errors(which), published_error_totals(which)
    assert not totals.duplicated(["model", "run"]).any()
    rows = errors.value_counts(["model", "run"]).to_dict()
    answers = totals.set_index(["model", "run"])["rows"].to_dict()
    assert answers == {answer: rows.get(answer, 0) for answer in answers}
    assert rows.keys() <= answers.keys()


def test_a_set_that_is_not_there_is_named():
    with pytest.raises(UserError, match="no set 'cor'; did you mean 'core'"):
        published_errors("cor")


def test_each_phase_and_category_has_a_real_example_on_the_page():
    rows = dict(re.findall(r"^\| `(.+?)` \| (.+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE))
    errors = published.get("errors").frame
    assert set(rows) == {*ERROR_PHASES, *ERROR_CATEGORIES}
    for column, meanings in (("phase", ERROR_PHASES), ("category", ERROR_CATEGORIES)):
        for word, meaning in meanings.items():
            said, example = rows[word].split(" | ")
            assert said == meaning
            assert example in set(errors.loc[errors[column] == word, "description"])


def test_a_table_of_further_models_is_read_as_it_is(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(f"{HEADER}\nours,train,ValueError,dtype,a mask of bytes\nother,,,,\n", encoding="utf-8")
    errors = read_errors(path)
    assert errors["model"].tolist() == ["ours", "other"]
    assert count_errors(errors).loc["train", "dtype"] == count_errors(errors).to_numpy().sum() == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model,phase\n", "has no column 'exception'"),
        (f"{HEADER}\na,trian,E,dtype,x\n", "line 2: 'trian' is no phase; did you mean 'train'"),
        (f"{HEADER}\na,train,E,shapes,x\n", "line 2: 'shapes' is no category"),
        (f"{HEADER}\na,,E,,x\n", "line 2: '' is no phase"),
        ("", "is no CSV file"),
    ],
)
def test_a_table_with_a_fault_is_refused_with_its_line(text, message, tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=message):
        read_errors(path)
