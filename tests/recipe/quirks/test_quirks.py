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
from llmseg.recipe.recipe import Recipe
from llmseg.recipe.scores import Score
from llmseg.recipe.splits import RandomSplit
from llmseg.zoo.references import AUGMENT

EVERY_ID = zoo.all_names(reference=False)
RECIPES = {id: zoo.get(id).recipe for id in EVERY_ID}
QUIRKS = {id: llmseg.recipe.get_quirk(id) for id in llmseg.recipe.quirk_names()}
# Quirks of each pipeline, written from the facts about its scripts and not from its recipe; with each, the field of the
# facts that says so.
SHEETS = json.loads((Path(__file__).parent / "quirks.json").read_text(encoding="utf-8"))
DOCS = (Path(__file__).parents[3] / "docs" / "reference" / "quirks.md").read_text(encoding="utf-8")
# No pipeline of the zoo has these. One change of a recipe that lacks the quirk gives one that has it.
MADE = {
    "binarised-too-early": ("claude-3.5-sonnet", "images.threshold_when", "before-resize"),
    "missing-sigmoid": ("gpt-o4-mini-high", "loss.reads", "probability"),
    "double-sigmoid-in-validation": ("grok-3", "score.reads", "sigmoid"),
    "double-sigmoid-in-test": ("grok-3", "test.reads", "sigmoid"),
    "truncated-output-in-test": ("bing-copilot@tensorflow", "test.prediction", "truncated"),
}


def ids(recipe: Recipe) -> list[str]:
    return [quirk.id for quirk in recipe.quirks]


def sheet_of(id: str) -> str:
    """A variant without a sheet of its own has that of its pipeline."""
    return id if id in SHEETS else id.partition("@")[0]


class TestApplies:
    @pytest.mark.parametrize("sheet", SHEETS)
    def test_as_the_sheets_say(self, sheet):
        described = [id for id in EVERY_ID if sheet_of(id) == sheet]
        assert sheet in described
        for id in described:
            assert set(ids(RECIPES[id])) == set(SHEETS[sheet]), id
            assert zoo.get(id).quirks == RECIPES[id].quirks, id

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
        at_zero = RECIPES["gpt-4"].change(f"{part}.threshold", 0.0)
        assert f"raw-logits-in-{'validation' if part == 'score' else 'test'}" not in ids(at_zero)
        output = torch.randn(2, 1, 8, 8)
        mask = (torch.rand(2, 1, 8, 8) > 0.5).float()
        sigmoid = RECIPES["gpt-4"].change(f"{part}.reads", "sigmoid")
        assert torch.equal(at_zero.get(part)(output, mask), sigmoid.get(part)(output, mask))

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


# A pipeline for each network, size and loss that is left when everything is repaired.
REPAIRED = {
    (recipe.net, recipe.images.size, recipe.loss): id
    for id, recipe in ((id, RECIPES[id].repaired("all")) for id in reversed(EVERY_ID))
}


class TestRepair:
    @pytest.mark.parametrize("quirk", [quirk for quirk in QUIRKS if quirk not in MADE])
    def test_changes_one_field_and_the_quirk_is_gone(self, quirk):
        having = {id: recipe for id, recipe in RECIPES.items() if QUIRKS[quirk].applies(recipe)}
        assert having
        for id, recipe in having.items():
            mended = recipe.repaired(quirk)
            assert recipe.diff(mended) == (QUIRKS[quirk].repaired_field(recipe),), id
            assert quirk not in ids(mended), id
            assert Recipe.from_json(mended.to_json()) == mended, id

    @pytest.mark.parametrize("quirk", MADE)
    def test_those_of_no_pipeline(self, quirk):
        base, path, value = MADE[quirk]
        recipe = RECIPES[base].change(path, value)
        mended = recipe.repaired(quirk)
        assert [d.path for d in recipe.diff(mended)] == [QUIRKS[quirk].change(recipe)[0]]
        assert quirk not in ids(mended)

    def test_all_leaves_none(self):
        for id, recipe in RECIPES.items():
            mended = recipe.repaired("all")
            assert mended.quirks == (), id
            assert mended.repaired("all") == mended, id
            assert (mended == recipe) == (recipe.quirks == ()), id

    @pytest.mark.parametrize("id", REPAIRED.values())
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
    annotations: dict[str, Any] = {}
    hints = typing.get_type_hints(type(part))
    for field in dataclasses.fields(part):  # type: ignore[arg-type]
        name, value = f"{path}{field.name}", getattr(part, field.name)
        annotations |= fields_of(value, f"{name}.") if isinstance(value, Part) else {name: hints[field.name]}
    return annotations


FIELDS = {id: fields_of(recipe, "") for id, recipe in RECIPES.items()}
# Every value of a part that a recipe of the zoo has, with a pipeline that has it.
DISTINCT = {
    field.name: {getattr(recipe, field.name): id for id, recipe in RECIPES.items()}
    for field in dataclasses.fields(Recipe)
}


def fields_in(part: str, id: str) -> dict[str, Any]:
    """The fields of one part of a pipeline's recipe, with their annotations."""
    return {path: annotation for path, annotation in FIELDS[id].items() if path.partition(".")[0] == part}


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


class TestEveryFieldOfEveryPartInTheZoo:
    @pytest.mark.parametrize("part", DISTINCT)
    @given(data=st.data())
    @settings(max_examples=2, deadline=None)
    def test_change_then_diff_gives_that_field(self, part, data):
        for id in DISTINCT[part].values():
            recipe = RECIPES[id]
            for path, annotation in fields_in(part, id).items():
                value = data.draw(values(annotation, recipe.get(path)), label=f"{id} {path}")
                try:
                    changed = recipe.change(path, value)
                except UserError:
                    continue
                assert [d.path for d in recipe.diff(changed)] == ([path] if value != recipe.get(path) else [])

    @pytest.mark.parametrize("part", DISTINCT)
    def test_every_field_can_be_changed(self, part):
        """So that the test above passes over no field, but those with one allowed value."""
        for id in DISTINCT[part].values():
            recipe, annotations = RECIPES[id], fields_in(part, id)
            stuck = {path for path, annotation in annotations.items() if not _another(recipe, path, annotation)}
            one_word = {path for path, annotation in annotations.items() if len(typing.get_args(annotation)) == 1}
            # A Dice over the batch has no value per case.
            bound = {f"{part}.over"} if dict(recipe.items()).get(f"{part}.lists") == "case" else set()
            assert stuck == one_word | bound, id

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
    def test_ids_and_texts(self):
        for quirk in QUIRKS.values():
            assert re.fullmatch(r"[a-z]+(-[a-z]+)*", quirk.id)
            for text in (quirk.sentence, quirk.why, *(e.what for e in quirk.explains)):
                assert re.fullmatch(r"[A-Z].*\.", text), text

    def test_a_source_is_a_file_and_a_line_of_the_studys_scripts(self):
        sources = [explanation.source for quirk in QUIRKS.values() for explanation in quirk.explains]
        assert sources
        for place in " and ".join(sources).split(" and "):
            assert re.fullmatch(r"(Modells 202[45]|Models Comparison)/.+\.py:\d+", place), place

    def test_evidence_is_about_pipelines_that_have_it(self):
        for quirk in QUIRKS.values():
            having = set(zoo.names(in_study=None, quirk=quirk.id))
            assert all(set(explanation.pipelines) <= having for explanation in quirk.explains), quirk.id

    @pytest.mark.parametrize("quirk", QUIRKS.values(), ids=QUIRKS)
    def test_docs_tell_it(self, quirk):
        having = zoo.names(in_study=None, quirk=quirk.id) or zoo.all_names(reference=False, quirk=quirk.id)
        pipelines = "none" if not having else ", ".join(having) if len(having) <= 5 else f"{len(having)} pipelines"
        assert f"| `{quirk.id}` | {quirk.kind} | {quirk.sentence} | {quirk.why} | {pipelines} |\n" in DOCS
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
