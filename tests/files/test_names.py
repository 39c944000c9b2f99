from __future__ import annotations

from pathlib import Path

import pytest

from llmseg import UserError
from llmseg.errors import escape_controls
from llmseg.files import check_name, check_text, clean_name
from llmseg.files.cells import guard_cell, unguard_cell


class TestCleanName:
    def test_what_is_kept_is_stated(self):
        assert clean_name("a/b: é=1.5_2-x", also="-_.=") == "a_b__é=1.5_2-x"
        assert clean_name("a/b: é=1.5_2-x", also="-_") == "a_b__é_1_5_2-x"

    def test_nothing_may_stand_instead(self):
        assert clean_name("gpt-4o@run 1", also="@", instead="") == "gpt4o@run1"


CONTROLS = ["\x1b[31m", "\n", "\t", "\r", "\x00", "\x7f", "\x9b", "\u2028", "\u202e", "\u2066"]


class TestControlCharacters:
    @pytest.mark.parametrize("control", CONTROLS)
    def test_are_refused_in_names_and_escaped_in_messages(self, control):
        assert escape_controls(f"a{control}b").isprintable()
        for refuse in (lambda: check_text("case", f"a{control}b"), lambda: check_name(Path(f"x/a{control}b.png"))):
            with pytest.raises(UserError, match="has control characters") as refused:
                refuse()
            assert str(refused.value).isprintable()

    @pytest.mark.parametrize("name", ["é", "中文", "😀", "a b", "$x$", "<b>", "e\u0301", "\u05e9\u05dc"])
    def test_letters_of_all_languages_are_no_such(self, name):
        check_text("case", name)
        check_name(Path(name))
        assert escape_controls(name) == name


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\tx", "'=1", "''-", "'a", "a", "", "'", "x=1"])
def test_guarded_cells_are_no_formulas_and_come_back(text):
    assert guard_cell(text)[:1] not in {"=", "+", "-", "@", "\t", "\r"}
    assert unguard_cell(guard_cell(text)) == text
