"""The quirks: what the fact sheets say of each pipeline, repairs, and the page of the docs."""

from __future__ import annotations

import dataclasses
import json
import re
import typing
from pathlib import Path
from typing import Any, Literal

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import llmseg
from llmseg import zoo
from llmseg.errors import UserError
from llmseg.recipe.augment import Augment
from llmseg.recipe.fit import Cosine, OwnSeed, Plateau
from llmseg.recipe.part import Part
from llmseg.recipe.quirks.quirk import ABSENT, value_at
from llmseg.recipe.recipe import Recipe
from llmseg.recipe.scores import Score
from llmseg.recipe.splits import RandomSplit
from llmseg.zoo.references import AUGMENT

EVERY_ID = zoo.all_names(reference=False)
RECIPES = {id: zoo.get(id).recipe for id in EVERY_ID}
VARIANTS_SLOW = [pytest.param(id, marks=pytest.mark.slow if "@" in id else ()) for id in EVERY_ID]
QUIRKS = {id: llmseg.recipe.get_quirk(id) for id in llmseg.recipe.quirk_names()}
HAVING = [(id, quirk.id) for id, recipe in RECIPES.items() for quirk in recipe.quirks]
# Quirks of each pipeline with the place in its fact sheet that says so. Written from the sheets, not from recipes.
SHEETS = json.loads((Path(__file__).parent / "quirks.json").read_text(encoding="utf-8"))
DOCS = (Path(__file__).parents[3] / "docs" / "quirks.md").read_text(encoding="utf-8")
# No pipeline of the zoo has these; a recipe that does, by one change of the textbook's or of another one.
MADE = {
    "binarised-too-early": ("claude-3.5-sonnet", "images.threshold_when", "before-resize"),
    "missing-sigmoid": ("gpt-o4-mini-high", "loss.reads", "probability"),
    "double-sigmoid-in-validation": ("grok-3", "score.reads", "sigmoid"),
    "double-sigmoid-in-test": ("grok-3", "test.reads", "sigmoid"),
    "truncated-output-in-test": ("bing-copilot@tensorflow", "test.prediction", "truncated"),
}


def ids(recipe: Recipe) -> list[str]:
    return [quirk.id for quirk in recipe.quirks]


class TestFound:
    @pytest.mark.parametrize("id", EVERY_ID)
    def test_as_the_sheets_say(self, id):
        assert set(ids(zoo.get(id).recipe)) == set(SHEETS[id if id in SHEETS else id.partition("@")[0]])
        assert zoo.get(id).quirks == zoo.get(id).recipe.quirks

    def test_every_sheet_was_read(self):
        """A variant with a card of its own has a sheet of its own."""
        own = {id for id in EVERY_ID if zoo.get(id).card != zoo.get(id.partition("@")[0]).card}
        assert set(SHEETS) == {*zoo.names(in_study=None), *own}
        assert {quirk for sheet in SHEETS.values() for quirk in sheet} == set(QUIRKS) - set(MADE)
        assert all(place.partition(":")[0] for sheet in SHEETS.values() for place in sheet.values())

    def test_the_textbook_has_none(self):
        assert zoo.TEXTBOOK.quirks == ()

    @pytest.mark.parametrize("id", MADE)
    def test_those_of_no_pipeline(self, id):
        base, path, value = MADE[id]
        assert id not in ids(RECIPES[base])
        assert id in ids(RECIPES[base].change(path, value))

    @pytest.mark.parametrize("part", ["score", "test"])
    def test_a_logit_above_zero_is_a_probability_above_one_half(self, part):
        right = RECIPES["gpt-4"].change(f"{part}.threshold", 0.0)
        assert f"raw-logits-in-{'validation' if part == 'score' else 'test'}" not in ids(right)
        output = torch.randn(2, 1, 8, 8)
        mask = (torch.rand(2, 1, 8, 8) > 0.5).float()
        other = RECIPES["gpt-4"].change(f"{part}.reads", "sigmoid")
        assert torch.equal(right.get(part)(output, mask), other.get(part)(output, mask))

    @pytest.mark.parametrize(
        ("changes", "share"),
        [
            ({"split.second_size": 0.75}, 0.15),
            ({"split.sizes_are": "train_size", "split.first_size": 0.8, "split.second_size": 0.25}, 0.15),
            ({"split.first": "test", "split.first_size": 0.3}, 0.3),
            ({"split.first": "test", "split.sizes_are": "train_size", "split.first_size": 0.7}, 0.3),
            ({"split": RandomSplit(calls="once", train=0.6, validation=0.2)}, 0.2),
        ],
    )
    def test_a_test_part_of_more_than_a_tenth(self, changes, share):
        recipe = zoo.TEXTBOOK
        for path, value in changes.items():
            recipe = recipe.change(path, value)
        names = [str(number) for number in range(1000)]
        assert len(recipe.split(names, torch.Generator()).test) == pytest.approx(1000 * share, abs=2)
        assert "large-test-split" in ids(recipe)
        mended = recipe.repaired("large-test-split").split(names, torch.Generator())
        assert len(mended.test) == pytest.approx(100, abs=2)

    def test_fewest_epochs_are_those_of_the_nineteen(self):
        fewest = min(zoo.get(name).recipe.fit.epochs for name in zoo.names())
        assert "few-epochs" not in ids(zoo.TEXTBOOK.change("fit.epochs", fewest))
        assert "few-epochs" in ids(zoo.TEXTBOOK.change("fit.epochs", fewest - 1))

    def test_parts_from_outside_are_asked_for_their_fields_only(self):
        @dataclasses.dataclass(frozen=True, kw_only=True)
        class Accuracy(Score):
            over: Literal["case"]

            def __call__(self, output, mask):
                raise NotImplementedError

            score_cases = collect = compute = __call__

        recipe = zoo.TEXTBOOK.change("score", Accuracy(over="case")).change("test", None)
        assert ids(recipe) == ["no-test"]
        assert recipe.repaired("all").test == recipe.score


class TestRepair:
    @pytest.mark.parametrize(("id", "quirk"), HAVING)
    def test_changes_one_field_and_the_quirk_is_gone(self, id, quirk):
        recipe, mended = RECIPES[id], RECIPES[id].repaired(quirk)
        assert len(recipe.diff(mended)) == 1
        assert quirk not in ids(mended)
        assert Recipe.from_json(mended.to_json()) == mended

    @pytest.mark.parametrize("quirk", MADE)
    def test_those_of_no_pipeline(self, quirk):
        base, path, value = MADE[quirk]
        recipe = RECIPES[base].change(path, value)
        mended = recipe.repaired(quirk)
        assert [d.path for d in recipe.diff(mended)] == [QUIRKS[quirk].change(recipe)[0]]
        assert quirk not in ids(mended)

    @pytest.mark.parametrize("id", EVERY_ID)
    def test_all_leaves_none(self, id):
        mended = RECIPES[id].repaired("all")
        assert mended.quirks == ()
        assert mended.repaired("all") == mended
        touched = {part.partition(".")[0] for part in (d.path for d in RECIPES[id].diff(mended))}
        assert bool(touched) == bool(ids(RECIPES[id]))

    @pytest.mark.parametrize("id", VARIANTS_SLOW)
    def test_a_repaired_network_maps_an_image_to_a_mask(self, id):
        recipe = RECIPES[id].repaired("all")
        size = recipe.images.size or (256, 256)
        with torch.device("meta"):
            net = recipe.net.build(1)
            output = net(torch.zeros(2, 1, *size))
            assert torch.isfinite(recipe.loss(output, torch.zeros(2, 1, *size))).shape == ()
        assert output.shape[:2] == (2, 1)
        assert output.shape[2:] == size or id == "llama-3.1-405b"

    @pytest.mark.parametrize("quirk", ["pooled-bottleneck", "cropped-skips", "skips-after-pooling"])
    def test_networks_of_half_size_become_whole(self, quirk):
        (id,) = zoo.names(quirk=quirk)
        with torch.device("meta"):
            image = torch.zeros(1, 1, 256, 256)
            assert RECIPES[id].net.build(1)(image).shape[-2:] == (128, 128)
            assert RECIPES[id].repaired(quirk).net.build(1)(image).shape[-2:] == (256, 256)

    def test_a_head_lays_the_narrow_stage_bare(self):
        mended = RECIPES["bing-copilot"].repaired("relu-before-sigmoid")
        assert set(ids(mended)) - set(ids(RECIPES["bing-copilot"])) == {"one-channel-stage"}

    def test_a_better_skip_makes_the_crop_needless(self):
        changed = [d.path for d in RECIPES["gpt-4o"].diff(RECIPES["gpt-4o"].repaired("all"))]
        assert "net.mismatch" not in changed

    def test_unknown(self):
        with pytest.raises(UserError, match="no quirk 'double-sigmoidd'; did you mean 'double-sigmoid'") as error:
            zoo.TEXTBOOK.repaired("double-sigmoidd")
        assert "\n" not in str(error.value)
        assert all(id in str(error.value) for id in QUIRKS)

    @pytest.mark.parametrize(
        ("recipe", "has"), [(RECIPES["gpt-o4-mini-high"], "unweighted-epoch-loss"), (zoo.TEXTBOOK, "none")]
    )
    def test_a_quirk_it_does_not_have(self, recipe, has):
        with pytest.raises(UserError, match=f"does not have the quirk 'double-sigmoid'; it has: {has}"):
            recipe.repaired("double-sigmoid")


def fields_of(part: object, path: str) -> dict[str, Any]:
    """Every dotted path below a part with the annotation of its field, parts inside it included."""
    found: dict[str, Any] = {}
    hints = typing.get_type_hints(type(part))
    for field in dataclasses.fields(part):  # type: ignore[arg-type]
        name, value = f"{path}{field.name}", getattr(part, field.name)
        found |= fields_of(value, f"{name}.") if isinstance(value, Part) else {name: hints[field.name]}
    return found


FIELDS = {id: fields_of(recipe, "") for id, recipe in RECIPES.items()}
NUMBERS = {int: st.integers(0, 600), float: st.floats(-2, 2) | st.sampled_from([0.0, 0.1, 0.5, 1.0])}
WHOLE = {
    OwnSeed: st.builds(OwnSeed, seed=st.integers(0, 9), summary_batch=st.just(1), spare_orders=st.just(0)),
    Plateau: st.builds(Plateau, factor=st.floats(0.1, 0.9), patience=st.integers(0, 9)),
    Cosine: st.builds(Cosine, warmup=st.integers(0, 9), final=st.floats(0, 1)),
    Augment: st.just(AUGMENT),
    Score: st.sampled_from([recipe.score for recipe in RECIPES.values()]),
}


def values(annotation: Any, present: object) -> st.SearchStrategy:
    """What a field may hold; tuples as long as they are, since encoder and decoder must match."""
    arguments = typing.get_args(annotation)
    if typing.get_origin(annotation) is Literal:
        return st.sampled_from(arguments)
    if typing.get_origin(annotation) is tuple:
        return st.tuples(*[st.integers(1, 600)] * (len(present) if isinstance(present, tuple) else 2))
    if arguments:
        return st.one_of([values(argument, present) for argument in arguments])
    if annotation is type(None):
        return st.none()
    return st.booleans() if annotation is bool else {**NUMBERS, **WHOLE}[annotation]


class TestEveryFieldOfEveryRecipe:
    @pytest.mark.parametrize("id", EVERY_ID)
    @given(data=st.data())
    @settings(max_examples=2, deadline=None)
    def test_change_then_diff_gives_that_field(self, id, data):
        recipe = RECIPES[id]
        for path, annotation in FIELDS[id].items():
            value = data.draw(values(annotation, recipe.get(path)), label=path)
            try:
                changed = recipe.change(path, value)
            except UserError:
                continue
            assert [d.path for d in recipe.diff(changed)] == ([path] if value != recipe.get(path) else [])

    @pytest.mark.parametrize("id", EVERY_ID)
    def test_predicates_read_plain_values(self, id):
        recipe = RECIPES[id]
        values = dict(recipe.items())
        assert {path: value_at(recipe, path) for path in values} == values
        parts = {path.rpartition(".")[0] for path in values} - {""}
        for path in (*parts, "fit.kid", "fit.epochs.kind", "images.colours", "nothing"):
            assert value_at(recipe, path) is ABSENT

    @pytest.mark.parametrize("id", EVERY_ID)
    def test_every_field_can_be_changed(self, id):
        """So that the test above passes over no field, but those with one allowed value."""
        recipe = RECIPES[id]
        stuck = {path for path, annotation in FIELDS[id].items() if not _another(recipe, path, annotation)}
        one_word = {path for path, annotation in FIELDS[id].items() if len(typing.get_args(annotation)) == 1}
        # A Dice over the batch has no value per case.
        bound = {f"{part}.over" for part in ("score", "test") if dict(recipe.items()).get(f"{part}.lists") == "case"}
        assert stuck == one_word | bound

    @given(id=st.sampled_from(EVERY_ID), data=st.data())
    @settings(max_examples=300, deadline=None)
    def test_any_changed_recipe_can_be_repaired(self, id, data):
        recipe = RECIPES[id]
        for path in data.draw(st.lists(st.sampled_from(sorted(FIELDS[id])), max_size=8)):
            try:
                recipe = recipe.change(path, data.draw(values(FIELDS[id][path], recipe.get(path)), label=path))
            except UserError:
                assume(False)
        for quirk in recipe.quirks:
            mended = quirk.repair(recipe)
            assert len(recipe.diff(mended)) == 1
            assert not quirk.applies(mended)
        assert recipe.repaired("all").quirks == ()


def _another(recipe: Recipe, path: str, annotation: Any) -> bool:
    """Whether some other value is accepted: candidates around the present one."""
    present = recipe.get(path)
    candidates: list[object] = [
        None,
        True,
        False,
        1,
        7,
        0.05,
        0.25,
        0.35,
        (8, 8),
        OwnSeed(seed=1, summary_batch=0, spare_orders=0),
    ]
    candidates += [Plateau(factor=0.5, patience=1), AUGMENT, recipe.score, *_words(annotation)]
    if isinstance(present, tuple):
        candidates.append(tuple(value + 1 for value in present))
    for value in candidates:
        try:
            changed = recipe.change(path, value)
        except UserError:
            continue
        if value != present:
            assert [d.path for d in recipe.diff(changed)] == [path]
            return True
    return False


def _words(annotation: Any) -> tuple[Any, ...]:
    return typing.get_args(annotation) if typing.get_origin(annotation) is Literal else ()


class TestCatalogue:
    @pytest.mark.parametrize("quirk", QUIRKS.values(), ids=QUIRKS)
    def test_texts(self, quirk):
        assert quirk.id == quirk.id.lower().replace(" ", "-")
        for text in (quirk.sentence, quirk.why, *(e.what for e in quirk.explains)):
            assert text[0].isupper()
            assert text.endswith(".")
        for explanation in quirk.explains:
            assert all(re.fullmatch(r"Mod.+/.+\.py:\d+", place) for place in explanation.source.split(" and "))

    @pytest.mark.parametrize("quirk", QUIRKS.values(), ids=QUIRKS)
    def test_evidence_is_about_pipelines_that_have_it(self, quirk):
        for explanation in quirk.explains:
            assert set(explanation.pipelines) <= set(zoo.names(in_study=None, quirk=quirk.id))

    @pytest.mark.parametrize("quirk", QUIRKS.values(), ids=QUIRKS)
    def test_docs_tell_it(self, quirk):
        having = zoo.names(in_study=None, quirk=quirk.id) or zoo.all_names(reference=False, quirk=quirk.id)
        found = "none" if not having else ", ".join(having) if len(having) <= 5 else f"{len(having)} pipelines"
        assert f"| `{quirk.id}` | {quirk.kind} | {quirk.sentence} | {quirk.why} | {found} |\n" in DOCS
        for explanation in quirk.explains:
            about = ", ".join((*explanation.pipelines, explanation.source))
            assert f"- `{quirk.id}`: {explanation.what} ({about})\n" in DOCS

    def test_docs_tell_no_other(self):
        rows = [line.split("`")[1] for line in DOCS.splitlines() if line.startswith("| `")]
        assert rows == list(QUIRKS)

    def test_names_by_quirk(self):
        assert zoo.names(quirk="double-sigmoid") == ("grok-3-mini",)
        assert zoo.names(quirk="no-test") == ()
        with pytest.raises(UserError, match="no quirk 'x'"):
            zoo.names(quirk="x")
