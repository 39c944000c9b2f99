from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmseg.data.catalog import get_dataset
from llmseg.data.download.layouts.case_files import CaseFiles
from llmseg.data.download.selection import select_study_cases
from llmseg.errors import UserError


def case_files(count, part="", per_group=1):
    return [CaseFiles(f"{k:04d}.png", (), tuple, f"group {k // per_group}", part) for k in range(count)]


def few(name, cases, groups=None):
    """Return a dataset whose study took few cases."""
    dataset = get_dataset(name)
    return replace(dataset, study=replace(dataset.study, cases=cases, groups=groups or dataset.study.groups))


def keys(chosen):
    return [item.key for item in chosen[0]]


def test_first_are_the_first_by_number():
    assert keys(select_study_cases(few("ham10000", 3), case_files(9), 5)) == ["0000.png", "0001.png", "0002.png"]
    assert select_study_cases(get_dataset("ham10000"), case_files(9), 5)[1].endswith(
        "as the study's numbering suggests"
    )


def test_training_leaves_out_the_test_part():
    mixed = [*case_files(4, "training"), *(replace(item, key=f"t{item.key}") for item in case_files(3, "test"))]
    assert keys(select_study_cases(get_dataset("retina"), mixed, 0)) == [f"000{k}.png" for k in range(4)]


@pytest.mark.parametrize("name", ["bolus", "brain"])
def test_all(name):
    chosen = select_study_cases(get_dataset(name), case_files(7), 3)
    assert len(chosen[0]) == 7
    assert "seed" not in chosen[1]


@given(st.integers(1, 30), st.integers(0, 5))
def test_cases_are_drawn_by_seed(count, seed):
    dataset, all = few("bagls", 6), case_files(count)
    chosen = keys(select_study_cases(dataset, all, seed))
    assert len(chosen) == min(6, count)
    assert chosen == sorted(chosen), "the order of the cases stays"
    assert keys(select_study_cases(dataset, all[::-1], seed)) == chosen[::-1]


def test_another_seed_draws_others():
    drawn = {tuple(keys(select_study_cases(few("bagls", 6), case_files(30), seed))) for seed in range(8)}
    assert len(drawn) == 8
    assert select_study_cases(few("bagls", 6), case_files(30), 7)[1].endswith("drawn by seed, drawn with seed 7")


@given(st.integers(0, 9))
def test_groups_are_drawn_whole(seed):
    chosen = select_study_cases(few("umd", 5457, groups=4), case_files(30, per_group=3), seed)[0]
    assert len(chosen) == 12
    assert len({item.group for item in chosen}) == 4


def test_a_part_of_another_set():
    with pytest.raises(UserError, match="the study took HRF as a part of retina; select all, or prepare retina"):
        select_study_cases(get_dataset("hrf"), case_files(3), 0)


def test_nothing_of_it_is_here():
    with pytest.raises(UserError, match=r"^nothing of Retinal vessels, combined is here .*73 pairs.*; select all$"):
        select_study_cases(get_dataset("retina"), case_files(3, "test"), 0)
