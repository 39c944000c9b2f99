from __future__ import annotations

import json
from pathlib import Path

import pytest

from llmseg.admission import REQUIREMENTS, Prompt

SAMPLE = Path(__file__).parents[1] / "admission" / "pipelines" / "alder"


class TestText:
    def test_default(self, call):
        assert call("prompt") == (0, Prompt().text, "")

    def test_parameters(self, call):
        options = ("--framework", "keras", "--channels", 3, "--size", 96, "--names", "i*.jpg,m*.png")
        prompt = Prompt(framework="keras", channels=3, size=96, names="i*.jpg,m*.png")
        assert call("prompt", *options)[1] == prompt.text
        assert json.loads(call("prompt", *options, "--json")[1]) == prompt.to_dict()

    @pytest.mark.parametrize(
        ("option", "value", "words"),
        [
            ("--framework", "torch", "did you mean 'pytorch'?"),
            ("--channels", 4, "must be 1 for grey or 3 for RGB"),
            ("--size", 100, "multiple of 16"),
            ("--names", "*.png", "one for masks"),
        ],
    )
    def test_mistakes(self, check_mistake, option, value, words):
        check_mistake(words, "prompt", option, value)


class TestCheck:
    def test_all_met(self, call):
        code, out, err = call("prompt", "--check", SAMPLE)
        assert (code, err) == (0, "")
        lines = out.splitlines()
        assert [line.split()[1] for line in lines[1:37]] == [each.id for each in REQUIREMENTS]
        assert " 0 not met, " in lines[-2]
        assert "dataset.py:" in out

    def test_one_not_met(self, call, tmp_path):
        (tmp_path / "main.py").write_text("import torch\n")
        assert call("prompt", "--check", tmp_path)[0] == 1
        code, out, _ = call("prompt", "--check", tmp_path, "--json")
        found = json.loads(out)
        assert code == 1
        assert sum(found["counts"].values()) == len(found["requirements"]) == 36
        first = found["requirements"][0]
        assert (first["id"], first["state"], first["places"]) == ("four-files", "not met", [])

    def test_what_was_asked_for(self, call):
        assert json.loads(call("prompt", "--check", SAMPLE, "--size", 96, "--json")[1])["prompt"]["size"] == 96
        assert "(the scripts have no stamp; --size as given)" in call("prompt", "--check", SAMPLE, "--size", 96)[1]

    @pytest.mark.parametrize(("old", "said"), [("", "as the stamp says)"), ("prompt 1", "another text, version 7)")])
    def test_the_stamp(self, call, tmp_path, old, said):
        prompt = Prompt(framework="keras", size=96)
        stamp = prompt.stamp.replace(old, "prompt 7") if old else prompt.stamp
        (tmp_path / "main.py").write_text(f"# {stamp}\n")
        assert said in call("prompt", "--check", tmp_path)[1]
        found = json.loads(call("prompt", "--check", tmp_path, "--channels", 3, "--json")[1])
        assert found["prompt"] == {"framework": "keras", "channels": 3, "size": 96, "names": "*.png,*_seg.png"}
        assert found["stamp"] == {"version": 7 if old else 1, "is_current": not old}

    def test_mistakes(self, check_mistake, tmp_path):
        check_mistake("does not exist", "prompt", "--check", tmp_path / "none")

    def test_a_name_that_moves_the_terminal(self, call, tmp_path):
        (tmp_path / "a\x1b[2J.py").write_text("x = 1\n")
        code, out, _ = call("prompt", "--check", tmp_path)
        assert code == 1
        assert "\x1b" not in out
