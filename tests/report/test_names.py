"""Names of pages and files."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from llmseg.report.names import page_names


@given(names=st.lists(st.text(max_size=8), unique=True, max_size=6))
def test_names_of_files_are_safe_and_differ_even_without_capitals(names):
    pages = page_names(names)
    assert list(pages) == names
    assert len({page.lower() for page in pages.values()}) == len(names)
    assert all(re.fullmatch(r"[a-z0-9@_-][a-z0-9.@_-]*", page) for page in pages.values())


def test_a_name_that_looks_like_another_with_its_digest_is_told_apart():
    names = ["skin", "Skin"]
    names.append(page_names(names)["Skin"])
    assert len(set(page_names(names).values())) == 3


def test_long_names_are_cut_and_still_differ():
    first, second = page_names(["x" * 200 + "1", "x" * 200 + "2"]).values()
    assert first != second
    assert max(len(first), len(second)) < 100
