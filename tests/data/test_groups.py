from __future__ import annotations

import re

import pytest

from llmseg.data.groups import choose_groups, has_groups, look_up_groups, match_groups, read_group_table
from llmseg.data.reading import ReadingWarning
from llmseg.data.synthetic import SyntheticStore
from llmseg.errors import UserError

IDS = ("p01_s1.png", "p01_s2.png", "p02_s1.png")


@pytest.mark.parametrize(
    ("pattern", "first"),
    [
        (r"p\d+", "p01"),
        (r"^p(\d+)_", "01"),
        (r"(p)?(\d+)_(?P<group>s\d)", "s1"),
        (r"(?P<group>p\d+)_(s)", "p01"),
    ],
)
def test_the_group_is_the_named_one_or_the_first_or_all_that_matches(pattern, first):
    groups = match_groups(pattern, IDS)
    assert tuple(groups) == IDS
    assert groups[IDS[0]] == first


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        (r"p0[1]", "matches nothing in 1 of 3 cases: p02_s1.png"),
        (r"x(\d*)", "matches nothing in 3 of 3 cases: p01_s1.png, p01_s2.png, p02_s1.png"),
        (r"p01_(s1)?.*|p02", "matches nothing in 2 of 3 cases: p01_s2.png, p02_s1.png"),
        (r"(z*)", "matches nothing in 3 of 3"),
        (r".*", "gives every one of the 3 cases a group of its own, such as 'p01_s1.png'"),
        (r"p", "gives all 3 cases the same group, 'p'"),
        (r"(p\d", "is no regular expression"),
    ],
)
def test_a_pattern_that_does_not_fit_is_refused(pattern, words):
    with pytest.raises(UserError, match=re.escape(words)) as error:
        match_groups(pattern, IDS)
    assert "\n" not in str(error.value)


def test_one_case_may_have_any_group():
    assert match_groups(r"p\d+", IDS[:1]) == {IDS[0]: "p01"}


def _table(tmp_path, text, **options):
    path = tmp_path / "groups.csv"
    path.write_text(text, **options)
    return path


@pytest.mark.parametrize(
    "text",
    [
        "case,group\np01_s1.png,a\np01_s2.png,a\np02_s1.png,b\n",
        "group;case\na;p01_s1\na;p01_s2\n\nb;p02_s1\n",
        "case\tage\tgroup\r\np01_s1\t50\ta\r\np01_s2\t50\t a\r\np02_s1.png\t\tb\r\n",
        '\ufeffcase,group\n"p01_s1.png","a"\np01_s2.png,a\np02_s1,b',
    ],
)
def test_tables_as_programs_write_them(tmp_path, text):
    path = _table(tmp_path, text, encoding="utf-8")
    assert choose_groups(IDS, None, path) == {IDS[0]: "a", IDS[1]: "a", IDS[2]: "b"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("image,patient\na,b\n", "has the columns image, patient; it needs one column 'case' and one column 'group'"),
        ("case,group,group\na,b,c\n", "it needs one column 'case'"),
        ("", "has the columns none"),
        ("case,group\n", "has no rows"),
        ("case,group\np01_s1.png,a\np01_s2.png,\n", "has no group in 1 rows: line 3"),
        ("case,group\n,a\np01_s2.png\n", "has no case in 1 rows: line 2"),
        ("case,group\np01_s1,a\nx,b\np01_s1,b\n", "different groups for 1 cases: 'p01_s1' in lines 2 and 4"),
        ("case,group\np01_s1,a\np01_s1.png,b\np01_s2,a\np02_s1,b\n", "has two groups for case 'p01_s1.png', 'a'"),
        ("case,group\np01_s1,a\n", "lacks 2 of 3 cases: p01_s2.png, p02_s1.png; add them"),
        (
            "case,group\np01_s1,a\nP01_S2,b\n",
            "lacks 2 of 3 cases: p01_s2.png, p02_s1.png; it has others, such as 'P01_S2'",
        ),
        ("case,group\np09_s1,a\n", "lacks 3 of 3 cases: p01_s1.png, p01_s2.png, p02_s1.png; it has others"),
    ],
)
def test_a_table_that_does_not_fit_is_refused_in_one_line_that_names_rows(tmp_path, text, words):
    with pytest.raises(UserError, match=re.escape(words)) as error:
        choose_groups(IDS, None, _table(tmp_path, text))
    assert str(tmp_path / "groups.csv") in str(error.value)
    assert "\n" not in str(error.value)


def test_rows_of_other_cases_are_counted_and_named(tmp_path):
    """A table of a whole study fits a part of it."""
    rows = "".join(f"{case},{group}\n" for case, group in zip([*IDS, "p8_s1", "p9_s1"], "aabcd", strict=True))
    with pytest.warns(ReadingWarning, match="has 2 cases that are not there and are passed over: p8_s1, p9_s1"):
        groups = choose_groups(IDS, None, _table(tmp_path, f"case,group\n{rows}"))
    assert groups == dict(zip(IDS, "aab", strict=True))


def test_rows_that_say_the_same_twice_are_one(tmp_path):
    rows = "p01_s1,a\np01_s1,a\np01_s1.png,a\np01_s2,a\np02_s1,b\n"
    assert choose_groups(IDS, None, _table(tmp_path, f"case,group\n{rows}")) == dict(zip(IDS, "aab", strict=True))


def test_what_is_no_table_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"no table of groups .*nowhere\.csv"):
        read_group_table(tmp_path / "nowhere.csv")
    with pytest.raises(UserError, match="no table of groups"):
        read_group_table(tmp_path)
    with pytest.raises(UserError, match="save it as CSV in UTF-8"):
        read_group_table(_table(tmp_path, "case,group\n\xe4,b\n", encoding="latin-1"))


def test_letters_with_accents_are_the_same_however_they_are_written():
    assert look_up_groups({"Ju\u0308rgen": "j", "b": "b"}, ["J\u00fcrgen.png", "b.png"])["J\u00fcrgen.png"] == "j"


def test_a_name_without_extension_that_two_cases_share_is_not_guessed():
    with pytest.raises(UserError, match="lacks 2 of 2 cases"):
        look_up_groups({"a": "x"}, ["a.png", "a.tif"])
    assert look_up_groups({"a.png": "x", "a.tif": "y"}, ["a.png", "a.tif"]) == {"a.png": "x", "a.tif": "y"}


def test_a_mapping_is_checked_like_a_table():
    assert choose_groups(["a.png", "b.png"], None, {"a": "x", "b": "x"}) == {"a.png": "x", "b.png": "x"}
    with pytest.raises(UserError, match=r"no group for case 'a\.png'"):
        choose_groups(["a.png"], None, {"a.png": " "})
    with pytest.raises(UserError, match=r"no group for case 'a\.png'"):
        choose_groups(["a.png"], None, {"a.png": 3})


def test_pattern_and_table_at_once_are_refused():
    with pytest.raises(UserError, match="not both"):
        choose_groups(IDS, r"p\d+", {})


def test_phantoms_of_videos_have_groups():
    assert has_groups(SyntheticStore("endoscopy", count=4))
    assert not has_groups(SyntheticStore("dermoscopy", count=4))
