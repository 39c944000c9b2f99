"""Records that are damaged or from elsewhere: one line says which field of which file."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest

from llmseg import FolderStore, Run, SyntheticStore, UserError, zoo
from llmseg.files import encode_png, read_json
from llmseg.recipe import Recipe


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"seed": "one"}', "'seed' is 'one', not a whole number"),
        ('{"seed": true}', "'seed' is True, not a whole number"),
        ('{"seed": 1, "store": 3}', r"does not say 'store\.digest'"),
        ('{"seed": 1, "store": {"digest": null}}', r"'store\.digest' is None, not a text"),
        ("[" * 200_000, "holds no JSON"),
    ],
)
def test_the_field_is_named(tmp_path, content, message):
    path = tmp_path / "run.json"
    path.write_text(content)
    with pytest.raises(UserError, match=rf"run\.json is damaged: .*{message}"):
        read_json(path, {"seed": int, "store.digest": str})


EARLIER = "tests/earlier_versions/a93af28/study/base-74a2f3-seed0/run"


@pytest.mark.parametrize("field", ["status", "seed", "store", "recipe", "split"])
@pytest.mark.parametrize("value", [None, [], {}, 1.5, "\ud800", [[]]])
def test_a_run_with_another_value_in_a_field(tmp_path, request, field, value):
    shutil.copytree(request.config.rootpath / EARLIER, tmp_path / "run")
    path = tmp_path / "run" / "run.json"
    record = json.loads(path.read_text())
    path.write_text(json.dumps({**record, field: value}))

    def use():
        run = Run.open(tmp_path / "run")
        return run.recipe, run.split

    with pytest.raises(UserError, match=r"run"):
        use()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("images.size", (10**6, 10**6)),
        ("net.encoder", (10**9, 64)),
        ("net.encoder", (8,) * 1000),
    ],
)
def test_a_recipe_that_asks_for_too_much_is_refused_before_anything_is_built(path, value):
    recipe = zoo.get("llama-3.1-405b").recipe
    with pytest.raises(UserError, match=rf"{path} (is|has) .*allowed"):
        recipe.change(path, value)


def test_every_pipeline_keeps_within_the_limits():
    for id in zoo.names():
        recipe = zoo.get(id).recipe
        assert Recipe.from_json(recipe.to_json()) == recipe


def test_a_name_that_is_not_utf8_is_refused_at_the_start(tmp_path):
    case = SyntheticStore("fundus", count=1)
    case = case.read(case.ids[0])
    for kind, values in (("images", case.image), ("masks", case.mask)):
        (tmp_path / kind).mkdir()
        (tmp_path / kind / os.fsdecode(b"caf\xe9.png")).write_bytes(encode_png(values))
    with pytest.raises(UserError, match=r"images/caf\\udce9\.png is not UTF-8; rename the file") as refused:
        FolderStore(tmp_path / "images", tmp_path / "masks")
    str(refused.value).encode("utf-8")


def test_a_place_that_cannot_be_used_ends_in_one_line(tmp_path):
    command = [sys.executable, "-m", "llmseg", "data", "prepare", "folder", "--root", str(tmp_path), "--out"]
    ended = subprocess.run([*command, str(tmp_path / ("x" * 300))], capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert "Traceback" not in ended.stderr
