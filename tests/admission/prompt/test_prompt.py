from __future__ import annotations

import dataclasses
import hashlib
import re
from pathlib import Path

import pytest

from llmseg import UserError
from llmseg.admission import PROMPT_VERSION, REQUIREMENTS, Prompt, find_prompt

PROMPTS = [
    Prompt(),
    Prompt(size=256),
    Prompt(framework="keras", channels=3, names="*.jpg,*_Segmentation.png"),
    Prompt(names="scan *.TIF,mask *.png", size=2048),
    Prompt(names="*.png,*.png", channels=3, size=32),
]


class TestRequirements:
    def test_numbers_and_ids(self):
        assert [each.number for each in REQUIREMENTS] == list(range(1, 37))
        assert len({each.id for each in REQUIREMENTS}) == 36
        assert all(re.fullmatch("[a-z]+(-[a-z]+)*", each.id) for each in REQUIREMENTS)

    @pytest.mark.parametrize("prompt", PROMPTS)
    def test_every_one_is_in_the_text_once(self, prompt):
        for each in prompt.requirements:
            assert prompt.text.count(f"\n{each.number}. {each.text}\n") == 1
            assert not re.search(r"[{}]|  ", each.text)

    def test_sections_follow_each_other(self):
        sections = [each.section for each in REQUIREMENTS]
        assert len(dict.fromkeys(sections)) == sum(a != b for a, b in zip(sections, [None, *sections], strict=False))


class TestPrompt:
    @pytest.mark.parametrize("prompt", PROMPTS)
    def test_an_answer_is_traced_to_it(self, prompt):
        traced = find_prompt(["import torch\n", f"# {prompt.stamp}\nimport os\n"])
        assert (traced.prompt, traced.version, traced.is_current) == (prompt, PROMPT_VERSION, True)
        assert prompt.text.count(prompt.stamp) == 1

    def test_each_parameter_changes_text_and_stamp(self):
        changes = {"framework": "keras", "channels": 3, "size": 256, "names": "*.jpg,*.png"}
        prompts = [Prompt(), *(Prompt(**{name: value}) for name, value in changes.items())]
        assert set(changes) == {field.name for field in dataclasses.fields(Prompt)}
        for count in ({each.text for each in prompts}, {each.stamp for each in prompts}):
            assert len(count) == 5

    def test_what_the_data_are_is_said(self):
        text = Prompt(framework="keras", channels=3, size=96, names="i*.jpg,m*.png").text
        for words in (
            "Keras",
            "keras.utils.PyDataset",
            "three channels",
            "96 by 96",
            "i12.jpg",
            "m12.png",
            ".weights.h5",
        ):
            assert words in text
        assert "torch" not in text.lower()

    def test_a_version_has_one_text(self):
        """A change of the text needs another version, or two folders with one stamp answer different prompts."""
        texts = "\n".join(each.text for each in PROMPTS)
        assert (PROMPT_VERSION, hashlib.sha256(texts.encode()).hexdigest()[:16]) == (1, "b2608c20167dc0c8")

    @pytest.mark.parametrize(
        ("given", "words"),
        [
            ({"framework": "pytorhc"}, "did you mean 'pytorch'?"),
            ({"channels": 2}, "must be 1 for grey or 3 for RGB"),
            ({"size": 250}, "multiple of 16 from 32 to 2048"),
            ({"size": 0}, "multiple of 16"),
            ({"size": 4096}, "multiple of 16"),
            ({"names": "*.png"}, "one for masks"),
            ({"names": "*.png,*.png,*.png"}, "one for masks"),
            ({"names": "*.png,mask.png"}, "one star"),
            ({"names": "**.png,*.png"}, "one star"),
            ({"names": "*.png,*.dcm"}, "one of the endings png"),
            ({"names": "../*.png,*.png"}, "give a pattern"),
            ({"names": "*{x}.png,*.png"}, "give a pattern"),
            ({"names": "*\n.png,*.png"}, "give a pattern"),
            ({"names": "*" + "a" * 300 + ".png,*.png"}, "give a pattern"),
        ],
    )
    def test_what_is_not_allowed(self, given, words):
        with pytest.raises(UserError, match=re.escape(words)) as error:
            Prompt(**given)
        assert "\n" not in str(error.value)

    def test_the_proposed_values_are_allowed(self):
        assert Prompt(size=256, names="*.png,*_seg.png").size == 256


def test_the_page_shows_the_stamp_of_the_default_prompt():
    page = Path(__file__).parents[3] / "docs" / "how-to" / "prompt.md"
    assert f"\n# {Prompt().stamp}\n" in page.read_text(encoding="utf-8")


class TestFindPrompt:
    def test_none(self):
        assert find_prompt([]) is None
        assert find_prompt(["import torch", "# llmseg prompt"]) is None

    def test_a_stamp_that_no_prompt_has(self):
        stamp = Prompt().stamp
        assert find_prompt([stamp.replace("channels=1", "channels=7")]) is None
        assert find_prompt([stamp.replace("channels=1", "channels=7"), stamp]).prompt == Prompt()

    @pytest.mark.parametrize(("old", "new"), [("prompt 1", "prompt 7"), ("text=", "text=0000")])
    def test_another_text(self, old, new):
        stamp = Prompt(size=64).stamp.replace(old, new)
        stamp = stamp if "0000" not in new else stamp[:-4]
        traced = find_prompt([stamp])
        assert (traced.prompt, traced.is_current) == (Prompt(size=64), False)
