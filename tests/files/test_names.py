from __future__ import annotations

from llmseg.files import (
    clean_name,
)


class TestCleanName:
    def test_what_is_kept_is_stated(self):
        assert clean_name("a/b: é=1.5_2-x", also="-_.=") == "a_b__é=1.5_2-x"
        assert clean_name("a/b: é=1.5_2-x", also="-_") == "a_b__é_1_5_2-x"

    def test_nothing_may_stand_instead(self):
        assert clean_name("gpt-4o@run 1", also="@", instead="") == "gpt4o@run1"
