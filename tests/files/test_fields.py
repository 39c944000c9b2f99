"""Records that are damaged or from elsewhere: one line says which field of which file."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest

from llmseg import FolderStore, Run, Study, SyntheticStore, UserError, zoo
from llmseg.files import encode_png, read_json
from llmseg.recipe import Recipe
from llmseg.recipe.given import read_recipe


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


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"ids": ["a", 1]}, "'ids.1' is 1, not a text"),
        ({"ids": "ab"}, "'ids' is 'ab', not a list"),
        ({"ids": [], "digests": {"a": []}}, r"'digests\.a' is \[\], not a text"),
        ({"ids": [], "digests": {}, "seconds": True}, "'seconds' is True, not a number or a whole number"),
        ({"ids": [], "digests": {}, "seconds": 1, "note": 5}, "'note' is 5, not a text"),
        ({"ids": [], "digests": {}}, "does not say 'seconds'"),
    ],
)
def test_what_lists_and_objects_hold_and_what_may_be_missing(tmp_path, content, message):
    fields = {"ids": list[str], "digests": dict[str, str], "seconds": (float, int), "note?": str}
    path = tmp_path / "x.json"
    path.write_text(json.dumps(content))
    with pytest.raises(UserError, match=rf"x\.json is damaged: .*{message}"):
        read_json(path, {name: fields[name] for name in fields if name.strip("?") in content or name == "seconds"})
    whole = {"ids": ["a"], "digests": {"a": "b"}, "seconds": 1.5}
    path.write_text(json.dumps(whole))
    assert read_json(path, fields) == whole


EARLIER = "tests/earlier_versions/a93af28/study/base-74a2f3-seed0/run"


OTHER_VALUES = (None, [], {}, 1.5, "\ud800", [[]])
ALLOWED = [("label", "\ud800"), ("holdout", None), ("holdout", "\ud800")]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (field, value)
        for field in ("status", "seed", "store", "recipe", "split", "label", "how", "holdout", "versions")
        for value in OTHER_VALUES
        if (field, value) not in ALLOWED and (field, value) != ("versions", {})
    ],
)
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


@pytest.mark.parametrize("value", [(-1, 64), (0, 64)])
def test_a_network_has_no_fewer_than_one_channel(value):
    with pytest.raises(UserError, match=r"net\.encoder is \(.*\): each number must be at least 1"):
        zoo.get("llama-3.1-405b").recipe.change("net.encoder", value)


def test_a_recipe_that_is_no_text_is_named(tmp_path):
    (tmp_path / "r.json").write_bytes(zoo.get("gpt-4").recipe.to_json().encode().replace(b"kind", b"k\xffnd"))
    with pytest.raises(UserError, match=r"r\.json holds no recipe: it is no text in UTF-8"):
        read_recipe(tmp_path / "r.json")


@pytest.mark.parametrize("part", ["train", "validation", "test"])
@pytest.mark.parametrize("item", [None, 3, ["a.png"], {}])
def test_a_split_of_something_else_than_texts(tmp_path, request, part, item):
    shutil.copytree(request.config.rootpath / EARLIER, tmp_path / "run")
    path = tmp_path / "run" / "run.json"
    record = json.loads(path.read_text())
    record["split"][part].append(item)
    path.write_text(json.dumps(record))
    with pytest.raises(UserError, match=rf"run\.json is damaged: 'split\.{part}' has .*, not a text"):
        _ = Run.open(tmp_path / "run").split


@pytest.mark.parametrize("digest", [None, 3, [], {}])
def test_a_study_whose_recipes_have_no_digests(tmp_path, request, digest):
    shutil.copytree(request.config.rootpath / EARLIER.partition("/base")[0], tmp_path / "study")
    path = tmp_path / "study" / "study.json"
    record = json.loads(path.read_text())
    name = next(iter(record["variants"]))
    record["variants"][name] = digest
    path.write_text(json.dumps(record))
    with pytest.raises(UserError, match=r"study\.json is damaged: 'variants' has .*, not a text"):
        _ = Study.open(tmp_path / "study").variants


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
