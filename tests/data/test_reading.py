"""How pixels are read, as a value."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from PIL import Image

from llmseg import FolderStore, UserError
from llmseg.data.reading import Reading, list_labels, parse_foreground, read_reading
from llmseg.data.store_source import describe_source, open_source


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("38", 38),
        (38, 38),
        ("labels:3", 3),
        ("labels:5,1", "labels:1,5"),
        ("all-but-0", "all-but-0"),
        ("above-127", "above-127"),
        (None, None),
    ],
)
def test_a_rule_has_one_spelling(text, value):
    assert parse_foreground(text) == value == Reading(text).foreground


@pytest.mark.parametrize("text", ["all-but-1", "white", "labels:", "labels:a", "1.5"])
def test_other_rules_are_refused_with_the_choices(text):
    with pytest.raises(UserError, match=r"all-but-0 or labels:1,2"):
        Reading(text)


def test_other_choices_are_refused():
    with pytest.raises(UserError, match="must be drop or mask"):
        Reading(alpha="maks")
    with pytest.raises(UserError, match="must have only foreground"):
        read_reading({"colour": 1})


def test_labels_of_a_rule():
    assert [list_labels(rule) for rule in (None, 4, "labels:1,2", "all-but-0")] == [(), (4,), (1, 2), ()]


class TestStore:
    def test_the_default_leaves_the_digest(self, make_folder):
        folders = make_folder()
        plain = FolderStore(*folders)
        assert FolderStore(*folders, reading=Reading()).digest == plain.digest
        assert FolderStore(*folders, foreground=255).digest == FolderStore(*folders, reading=Reading(255)).digest
        others = [FolderStore(*folders, reading=Reading(r)).digest for r in ("all-but-0", "above-127", 255)]
        assert len({plain.digest, *others}) == 4

    def test_alpha_is_part_of_the_digest(self, make_folder):
        folders = make_folder()
        assert FolderStore(*folders, reading=Reading(alpha="drop")).digest != FolderStore(*folders).digest

    def test_it_is_in_the_source_of_a_run(self, make_folder):
        store = FolderStore(*make_folder(), reading=Reading("all-but-0", "drop"))
        source = json.loads(json.dumps(describe_source(store)))
        assert source["reading"] == dataclasses.asdict(store.reading)
        assert open_source(source).digest == store.digest
        earlier = {name: value for name, value in source.items() if name != "reading"} | {"foreground": None}
        assert open_source(earlier).reading == Reading()

    def test_two_rules_are_refused(self, make_folder):
        with pytest.raises(UserError, match="give it once"):
            FolderStore(*make_folder(), foreground=1, reading=Reading(2))

    def test_rules_are_used(self, make_folder):
        images, masks = make_folder({"a": (2, 2)})
        Image.fromarray(np.array([[0, 1], [2, 3]], np.uint8)).save(masks / "a.png")
        read = {
            rule: FolderStore(images, masks, foreground=rule).read("a.png").mask.ravel().tolist()
            for rule in (2, "all-but-0", "labels:1,3")
        }
        assert read == {2: [0, 0, 255, 0], "all-but-0": [0, 255, 255, 255], "labels:1,3": [0, 255, 0, 255]}
