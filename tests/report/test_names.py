"""Names of pages and files, and of contenders for readers."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmseg.report.names import name_for_readers, page_names


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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gpt-4 is better than gpt-4o.", "GPT-4 is better than GPT-4o."),
        ("gpt-4o, gpt-4 and gpt-4 textbook", "GPT-4o, GPT-4 and GPT-4, textbook"),
        ("Who is as good as gpt-4?", "Who is as good as GPT-4?"),
        ("gpt-4@tensorflow, gpt-4.5 and gpt-4-turbo", "gpt-4@tensorflow, gpt-4.5 and gpt-4-turbo"),
        ("in a.b the mean is a", "in a.b the mean is a"),
    ],
)
def test_a_sentence_names_contenders_as_readers_know_them(text, expected):
    labels = {"gpt-4": "GPT-4", "gpt-4 textbook": "GPT-4, textbook", "gpt-4o": "GPT-4o", "a": "a"}
    assert name_for_readers(text, labels) == expected


def test_without_other_names_a_sentence_stays():
    assert name_for_readers("a is better than b", {"a": "a", "b": "b"}) == "a is better than b"
