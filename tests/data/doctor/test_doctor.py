"""Every finding is planted on a small store and found there, and no clean store has it."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from llmseg.data.doctor import Examination, examine
from llmseg.data.doctor.findings import LISTED_VALUES, NAMED_CASES
from llmseg.data.folder import FolderStore
from llmseg.data.store import Case
from llmseg.data.synthetic import MODALITIES, SyntheticStore
from llmseg.errors import UserError


@dataclass(frozen=True)
class Cases:
    """A store of cases in memory; of an error in place of a case, reading it raises the error."""

    held: Mapping[str, Case | Exception]
    groups: Mapping[str, str] = field(default_factory=dict)
    name: str = "held"
    digest: str = ""

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(self.held)

    def read(self, id: str) -> Case:
        case = self.held[id]
        if isinstance(case, Exception):
            raise case
        return case


def picture(seed: int, size: tuple[int, int] = (40, 50)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, size, dtype=np.uint8)


def disc(seed: int = 0, size: tuple[int, int] = (40, 50)) -> np.ndarray:
    """A mask that no other seed below 8 gives."""
    y, x = np.ogrid[: size[0], : size[1]]
    inside = (y - size[0] // 2) ** 2 + (x - size[1] // 2) ** 2 < (6 + seed) ** 2
    return np.where(inside, 255, 0).astype(np.uint8)


def cases(count: int = 6, **changed: Case | Exception) -> dict[str, Case | Exception]:
    """Clean cases ``a``, ``b`` and so on, some of them replaced."""
    clean = {id: Case(id, picture(seed), disc(seed)) for seed, id in enumerate("abcdefgh"[:count])}
    return {**clean, **changed}


def with_mask(id: str, mask: np.ndarray) -> Case:
    return Case(id, picture(ord(id), mask.shape), mask)


def jpeg(image: np.ndarray, quality: int = 75) -> np.ndarray:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=quality)
    return np.array(Image.open(buffer))


def kinds(findings: Examination) -> dict[str, int]:
    return {finding.kind: finding.count for finding in findings.findings}


def only(findings: Examination, kind: str):
    """The finding of a kind, which must be the one that is there."""
    assert list(kinds(findings)) == [kind]
    return findings.findings[0]


class TestClean:
    def test_nothing_is_found(self):
        found = examine(
            Cases(cases()), parts={"a": "train", "b": "train", "c": "test", "d": "test", "e": "x", "f": "x"}
        )
        assert found.findings == ()
        assert "nothing to mend" in found.text()

    @pytest.mark.parametrize("modality", MODALITIES)
    def test_phantoms(self, modality):
        store = SyntheticStore(modality, count=8)
        parts = {id: "train" if group.endswith("1") else "test" for id, group in store.groups.items()}
        found = examine(store, parts=parts)
        assert found.of("error") == found.of("warning") == ()
        assert {finding.kind for finding in found.of("note")} <= {"empty-masks", "near-duplicates-in-groups"}
        assert "nothing to mend" in found.text()

    def test_files(self, make_folder):
        store = FolderStore(*make_folder(dict.fromkeys("abc", (32, 40))))
        assert examine(store, unpaired=store.unpaired).findings == ()


@pytest.fixture(scope="module")
def found() -> Examination:
    held = cases(4)
    held["e"] = Case("e", np.stack([picture(9)] * 3, axis=-1), np.zeros((40, 50), np.uint8))
    held["f"] = Case("f", picture(10, (20, 30)), disc(0, (20, 30)))
    held["g"] = UserError("g is damaged")
    parts = {"a": "train", "b": "train", "f": "test"}
    return examine(Cases(held, {"a": "one", "b": "one"}), parts=parts)


class TestSummary:
    def test_numbers(self, found):
        assert (found.name, found.cases, found.readable, found.groups) == ("held", 7, 6, 6)
        assert found.parts == (("test", 1), ("train", 2))
        assert found.sizes.commonest == (((40, 50), 5), ((20, 30), 1))
        assert found.channels == (("equal", 1), ("grey", 5))
        assert found.values.commonest == ((0, 6), (255, 5))
        assert found.values.different == found.sizes.different == 2
        shares = dict(found.shares)
        assert shares[0] == 0
        assert shares[100] == (disc(0, (20, 30)) > 0).mean() > shares[50] > 0

    def test_plain_data_is_json(self, found):
        data = json.loads(json.dumps(found.to_dict()))
        assert data["parts"] == {"test": 1, "train": 2}
        assert data["sizes"]["commonest"][0] == {"height": 40, "width": 50, "cases": 5}
        assert data["mask_values"] == {
            "different": 2,
            "commonest": [{"value": 0, "masks": 6}, {"value": 255, "masks": 5}],
        }
        assert set(data["foreground_share_percentiles"]) == {"0", "5", "25", "50", "75", "95", "100"}
        assert [(f["kind"], f["cases"]) for f in data["findings"] if f["severity"] == "error"] == [
            ("unreadable", ["g"])
        ]

    def test_text_has_errors_first(self, found):
        text = found.text()
        assert text.startswith("held: 7 cases in 6 groups, 6 of them readable\n")
        assert text.index("\nerrors\n") < text.index("\nnotes\n")
        assert "nothing to mend" not in text
        assert all(finding.sentence.split(":")[0] in text for finding in found.findings)

    def test_many_values_and_cases_are_cut(self):
        ramp = np.arange(2000).reshape(40, 50).astype(np.uint8)
        found = examine(Cases({str(n): Case(str(n), picture(n), np.roll(ramp, n)) for n in range(NAMED_CASES + 3)}))
        assert len(found.values.commonest) == LISTED_VALUES
        assert found.values.different == 256
        assert only(found, "soft-masks").count == NAMED_CASES + 3
        assert only(found, "soft-masks").cases == tuple(str(n) for n in range(NAMED_CASES))
        assert "and 244 more" in found.text()


class TestRefused:
    @pytest.mark.parametrize("error", [UserError("a is damaged"), OSError("disk"), FileNotFoundError("gone")])
    def test_unreadable(self, error):
        found = only(examine(Cases(cases(a=error))), "unreadable")
        assert (found.severity, found.count, found.cases) == ("error", 1, ("a",))
        assert str(error) in found.sentence

    def test_nothing_is_readable(self):
        found = examine(Cases({"a": UserError("damaged"), "b": UserError("damaged")}))
        assert only(found, "unreadable").count == 2
        assert (found.readable, found.shares) == (0, ())
        assert found.text()

    def test_faults_of_files(self, make_folder):
        images, masks = make_folder(dict.fromkeys("abcdefg", (32, 40)))
        (images / "a.png").write_bytes(b"no image")
        (masks / "b.png").write_bytes((masks / "b.png").read_bytes()[:60])
        Image.new("L", (32, 40)).save(masks / "c.png")
        Image.new("L", (40, 32), 1).save(masks / "d.png")
        (masks / "e.png").unlink()
        (images / "f.png").unlink()
        store = FolderStore(images, masks, orphans="skip")
        found = examine(store, unpaired=store.unpaired)
        assert kinds(found) == {"unreadable": 2, "sizes-differ": 1, "label-values": 1, "orphans": 2}
        text = " ".join(found.text().split())
        assert "mask c.png is 32x40, its image c.png is 40x32" in text
        assert "--foreground 1" in text
        assert "images/e.png, masks/f.png" in text

    def test_a_store_that_lets_sizes_differ(self):
        found = examine(Cases(cases(b=Case("b", picture(1), disc(1, (20, 30))))))
        assert only(found, "sizes-differ").cases == ("b",)

    @pytest.mark.parametrize(("factor", "binary"), [(1, True), (3, False)])
    def test_a_store_that_lets_labels_pass(self, factor, binary):
        masks = {id: case.mask // 255 * factor for id, case in cases().items()}
        found = examine(Cases({id: Case(id, picture(ord(id)), mask) for id, mask in masks.items()}))
        finding = only(found, "label-values")
        assert (finding.severity, finding.count) == ("error", 6)
        assert ("0/1" in finding.sentence) is binary
        assert dict(found.shares)[0] > 0


class TestMasks:
    def test_empty(self):
        empty = np.zeros((40, 50), np.uint8)
        found = only(examine(Cases(cases(b=with_mask("b", empty), d=with_mask("d", empty)))), "empty-masks")
        assert (found.severity, found.count, found.cases) == ("note", 2, ("b", "d"))

    def test_all_empty(self):
        held = {id: with_mask(id, np.zeros((40, 50), np.uint8)) for id in "abc"}
        assert only(examine(Cases(held)), "empty-masks").severity == "error"

    def test_full(self):
        full = with_mask("c", np.full((40, 50), 255, np.uint8))
        assert only(examine(Cases(cases(c=full))), "full-masks").cases == ("c",)

    def test_one_inverted(self):
        found = only(examine(Cases(cases(c=with_mask("c", 255 - disc(2))))), "inverted-masks")
        assert (found.severity, found.cases) == ("warning", ("c",))

    def test_most_inverted(self):
        held = {id: with_mask(id, 255 - disc(seed)) for seed, id in enumerate("abcd")}
        found = only(examine(Cases({**held, "e": with_mask("e", disc(5))})), "inverted-set")
        assert (found.severity, found.count) == ("warning", 4)

    def test_a_large_object_is_not_inverted(self):
        mask = np.zeros((40, 50), np.uint8)
        mask[:, 8:] = 255
        mask[:3] = 0
        assert examine(Cases(cases(c=with_mask("c", mask)))).findings == ()

    @pytest.mark.parametrize("quality", [50, 75, 95])
    def test_noisy(self, quality):
        held = {id: with_mask(id, jpeg(disc(seed), quality)) for seed, id in enumerate("abc")}
        found = only(examine(Cases(held)), "noisy-masks")
        assert (found.severity, found.count) == ("warning", 3)
        masks = [case.mask for case in held.values()]
        assert f" {sum(((m > 0) & (m < 255)).sum() for m in masks)} of their 6000 pixels" in found.sentence
        assert f"has {sum((m > 0).sum() for m in masks)} pixels, " in found.sentence
        assert f"above 127 {sum((m > 127).sum() for m in masks)} (+" in found.sentence

    def test_soft_edges_are_not_noise(self):
        soft = Image.fromarray(disc(3)).resize((100, 80), Image.Resampling.BILINEAR)
        assert only(examine(Cases(cases(c=with_mask("c", np.array(soft))))), "soft-masks").cases == ("c",)

    def test_classes_are_not_noise(self):
        classes = disc(3)
        classes[18:22, 18:22] = 128
        assert only(examine(Cases(cases(c=with_mask("c", classes)))), "soft-masks").cases == ("c",)

    def test_repeated(self):
        held = cases(a=Case("a", picture(50), disc(1)))
        assert only(examine(Cases(held)), "repeated-masks").cases == ("a", "b")
        assert examine(Cases(held, {"a": "video", "b": "video"})).findings == ()


class TestImages:
    def test_blank_images_are_no_duplicates(self):
        black = np.zeros((40, 50), np.uint8)
        held = cases(**{id: Case(id, black, disc(seed)) for seed, id in enumerate("abcd")})
        found = examine(Cases(held), parts={"a": "train", "b": "test", "c": "train", "d": "test", "e": "x", "f": "x"})
        assert only(found, "blank-images").count == 4

    def test_grey_in_three_channels(self):
        held = {id: Case(id, np.stack([case.image] * 3, axis=-1), case.mask) for id, case in cases().items()}
        found = only(examine(Cases(held)), "equal-channels")
        assert (found.severity, found.count) == ("note", 6)

    def test_colour_among_grey(self):
        colour = np.random.default_rng(8).integers(0, 256, (40, 50, 3), dtype=np.uint8)
        assert only(examine(Cases(cases(c=Case("c", colour, disc(2))))), "mixed-channels").cases == ("c",)


class TestDuplicates:
    def test_equal_images(self):
        found = only(examine(Cases(cases(e=Case("e", picture(1), disc(1))))), "duplicates")
        assert (found.severity, found.count, found.cases) == ("warning", 2, ("b", "e"))

    def test_a_grey_image_equals_its_copy_in_three_channels(self):
        copy = Case("e", np.stack([picture(1)] * 3, axis=-1), disc(1))
        assert kinds(examine(Cases(cases(e=copy)))) == {"duplicates": 2, "equal-channels": 1}

    def test_equal_images_of_one_group_are_a_note(self):
        store = Cases(cases(e=Case("e", picture(1), disc(1))), {"b": "video", "e": "video"})
        assert only(examine(store), "duplicates").severity == "note"

    def test_equal_images_in_two_parts(self):
        parts = dict.fromkeys("abcd", "train") | dict.fromkeys("ef", "test")
        found = examine(Cases(cases(e=Case("e", picture(1), disc(1)))), parts=parts)
        finding = only(found, "duplicates-across-parts")
        assert (finding.severity, finding.count, finding.cases) == ("error", 2, ("b", "e"))

    def test_equal_images_with_different_masks(self):
        found = examine(Cases(cases(e=Case("e", picture(1), disc(4)))))
        assert kinds(found) == {"duplicates": 2, "different-masks": 2}

    @pytest.mark.parametrize(
        ("groups", "parts", "kind", "severity"),
        [
            ({}, {}, "near-duplicates", "warning"),
            ({"002.png": "x", "009.png": "x"}, {}, "near-duplicates-in-groups", "note"),
            ({}, {"002.png": "train", "009.png": "test"}, "near-duplicates-across-parts", "warning"),
            ({}, {"002.png": "train", "009.png": "train"}, "near-duplicates", "warning"),
            ({}, {"002.png": "train"}, "near-duplicates", "warning"),
        ],
    )
    def test_near_duplicates(self, groups, parts, kind, severity):
        store = SyntheticStore("dermoscopy", count=4)
        held = {id: store.read(id) for id in store.ids}
        copy = np.array(Image.fromarray(jpeg(held["002.png"].image)).resize((200, 180)))
        held["009.png"] = Case("009.png", copy, disc(2, (180, 200)))
        found = [f for f in examine(Cases(held, groups), parts=parts).findings if f.kind != "no-part"]
        assert [(f.kind, f.severity, f.count, f.cases) for f in found] == [(kind, severity, 2, ("002.png", "009.png"))]
        assert "'002.png' and '009.png'" in found[0].sentence


class TestParts:
    def test_a_torn_group(self):
        groups = {"a": "p1", "b": "p1", "c": "p2", "d": "p2", "e": "p3", "f": "p3"}
        parts = {"a": "train", "b": "test", "c": "train", "d": "train", "e": "test", "f": "test"}
        found = only(examine(Cases(cases(), groups), parts=parts), "group-overlap")
        assert (found.severity, found.count, found.cases) == ("error", 1, ("a", "b"))
        assert "'p1' in test, train" in found.sentence

    @given(
        st.lists(st.sampled_from("uvw"), min_size=4, max_size=4),
        st.lists(st.sampled_from(["train", "test", None]), min_size=4, max_size=4),
    )
    @settings(max_examples=40, deadline=None)
    def test_groups_overlap_unless_the_parts_are_disjoint(self, groups, drawn):
        held = cases(4)
        of = dict(zip(held, groups, strict=True))
        parts = {id: part for id, part in zip(held, drawn, strict=True) if part}
        train, test = ({of[id] for id in parts if parts[id] == part} for part in ("train", "test"))
        found = kinds(examine(Cases(held, of), parts=parts))
        assert found.get("group-overlap", 0) == len(train & test)
        assert found.get("no-part", 0) == (len(held) - len(parts) if parts else 0)

    def test_cases_in_no_part(self):
        found = only(examine(Cases(cases()), parts={"a": "train", "b": "test"}), "no-part")
        assert (found.severity, found.count) == ("note", 4)

    def test_parts_of_another_store(self):
        with pytest.raises(
            UserError, match=r"1 of 2 cases with a part are not in held, first 'z'; it has 6, first 'a'"
        ):
            examine(Cases(cases()), parts={"a": "train", "z": "test"})


def test_orphans():
    found = only(examine(Cases(cases()), unpaired=["images/x.png", "masks/y.png"]), "orphans")
    assert (found.severity, found.count, found.cases) == ("warning", 2, ("images/x.png", "masks/y.png"))


@given(st.permutations(sorted("abcdef")))
@settings(max_examples=10, deadline=None)
def test_the_order_of_the_cases_changes_no_count(order):
    held = cases(e=Case("e", picture(1), 255 - disc(1)), f=with_mask("f", jpeg(disc(3))), a=UserError("damaged"))
    shuffled = examine(Cases({id: held[id] for id in order}))
    assert kinds(shuffled) == kinds(examine(Cases(held)))
