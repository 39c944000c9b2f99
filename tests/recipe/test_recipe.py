from __future__ import annotations

import dataclasses
import json
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmseg import zoo
from llmseg.errors import UserError, nearest
from llmseg.recipe import annotations
from llmseg.recipe.fit import Cosine, Fit, OwnSeed, Plateau
from llmseg.recipe.nets.encoder_decoder import UnpaddedEncoderDecoder
from llmseg.recipe.nets.net import Net
from llmseg.recipe.part import Part
from llmseg.recipe.recipe import Recipe
from llmseg.zoo.references import AUGMENT

EVERY_ID = zoo.all_names(reference=False)
PARTS = [field.name for field in dataclasses.fields(Recipe)]
RECIPE = zoo.get("gpt-4").recipe
PLATEAU = Plateau(factor=0.5, patience=5)


@dataclasses.dataclass(frozen=True, kw_only=True)
class OtherNet(Net):
    """A kind of network with a field no other has."""

    depth: int | None
    output: Literal["logits", "probability"]

    def build(self, in_channels):
        raise NotImplementedError


# A path and values its field allows, all different from those of RECIPE or equal to them: both must work.
CHANGES = {
    "images.size": st.none() | st.tuples(st.integers(1, 999), st.integers(1, 999)),
    "images.colour": st.sampled_from(["grey", "rgb"]),
    "images.mask_threshold": st.none() | st.floats(0, 1),
    "split.seed": st.integers(0, 2**31),
    "net.encoder": st.tuples(*[st.integers(1, 64)] * len(RECIPE.get("net.encoder"))),
    "net.bias": st.booleans(),
    "net.dropout": st.floats(0, 1, exclude_max=True),
    "loss.reads": st.sampled_from(["logits", "probability"]),
    "loss.bce": st.integers(1, 9) | st.floats(0.1, 9),
    "fit.epochs": st.integers(1, 10**6),
    "fit.rate": st.floats(1e-9, 1),
    "score.threshold": st.none() | st.floats(-1, 1),
    "fit.schedule": st.none()
    | st.builds(Plateau, factor=st.floats(0.1, 0.9), patience=st.integers(0, 9))
    | st.builds(Cosine, warmup=st.integers(0, 9), final=st.floats(0, 1)),
    "fit.average": st.none() | st.floats(0, 0.999),
    "fit.augment": st.none() | st.just(AUGMENT),
}


def change_strategy():
    return st.sampled_from(sorted(CHANGES)).flatmap(lambda path: st.tuples(st.just(path), CHANGES[path]))


class TestChange:
    def test_deep_field(self):
        changed = RECIPE.change("fit.epochs", 120)
        assert changed.fit.epochs == 120
        assert changed == dataclasses.replace(RECIPE, fit=dataclasses.replace(RECIPE.fit, epochs=120))
        assert RECIPE.fit.epochs != 120

    def test_whole_part(self):
        other = zoo.get("llama-3.1-405b").recipe.net
        changed = RECIPE.change("net", other)
        assert changed.net is other
        assert changed.loss == RECIPE.loss

    def test_nested_part_and_field_inside_it(self):
        changed = RECIPE.change("fit.schedule", PLATEAU)
        assert changed.fit.schedule == PLATEAU
        assert changed.change("fit.schedule.patience", 9).fit.schedule == Plateau(factor=0.5, patience=9)
        assert changed.change("fit.schedule", None) == RECIPE

    def test_only_the_test_may_be_absent(self):
        assert RECIPE.change("test", None).test is None
        with pytest.raises(UserError, match="score is None; allowed: a Score part"):
            RECIPE.change("score", None)

    @pytest.mark.parametrize(
        ("path", "value", "words"),
        [
            ("fit.epoch", 3, ["'fit.epoch'", "did you mean 'epochs'?", "batch_size"]),
            ("fits", 3, ["'fits'", "did you mean 'fit'?", "images, split, net"]),
            ("fit.epochs.count", 3, ["the plain value", "has no fields"]),
            ("fit.schedule.patience", 3, ["the plain value None", "has no fields"]),
            ("", 3, ["no field ''"]),
            ("fit.epochs", "many", ["fit.epochs", "'many'", "a whole number"]),
            ("fit.epochs", 2.5, ["fit.epochs", "2.5", "a whole number"]),
            ("fit.epochs", True, ["fit.epochs", "True", "a whole number"]),
            ("net.bias", 1, ["net.bias", "true or false"]),
            ("fit.optimizer", "adamm", ["'adam' or 'adamw'", "did you mean 'adam'?"]),
            ("images.size", (256,), ["images.size", "2 values", "or none"]),
            ("images.size", [256, 256], ["images.size"]),
            ("net.encoder", (64, "128"), ["net.encoder", "a list, each a whole number"]),
            ("fit.schedule", 3, ["fit.schedule", "a Plateau part or a Cosine part or none"]),
            ("loss", 3, ["loss is 3", "a Loss part"]),
            ("fit.epochs", 0, ["fit.epochs is 0", "at least 1"]),
            ("fit.batch_size", -1, ["fit.batch_size is -1", "at least 1"]),
            ("fit.rate", 0, ["fit.rate is 0", "above 0"]),
            ("fit.average", 1, ["fit.average is 1", "below 1"]),
            ("fit.rate", float("nan"), ["fit.rate is nan", "a finite number"]),
            ("images.size", (0, 5), ["images.size is (0, 5)"]),
            ("images.std", 0, ["images.std is 0"]),
            ("net.decoder", (1,), ["net.decoder 1"]),
        ],
    )
    def test_errors_are_one_helpful_line(self, path, value, words):
        with pytest.raises(UserError) as error:
            RECIPE.change(path, value)
        message = str(error.value)
        assert "\n" not in message
        assert [word for word in words if word not in message] == []

    @given(change_strategy())
    @settings(max_examples=60, deadline=None)
    def test_change_and_back(self, change):
        path, value = change
        before, changed = RECIPE.get(path), RECIPE.change(path, value)
        back = changed.change(path, before)
        assert back == RECIPE
        assert back.digest == RECIPE.digest
        assert (changed.digest == RECIPE.digest) == (changed == RECIPE)

    @given(change_strategy())
    @settings(max_examples=60, deadline=None)
    def test_diff_names_exactly_what_changed(self, change):
        path, value = change
        differing = [d.path for d in RECIPE.diff(RECIPE.change(path, value))]
        assert differing == ([] if value == RECIPE.get(path) else [path])


class TestChangeText:
    @pytest.mark.parametrize(
        ("text", "path", "value"),
        [
            ("fit.epochs=120", "fit.epochs", 120),
            ("fit.rate=1e-3", "fit.rate", 0.001),
            ("fit.rate=1", "fit.rate", 1.0),
            ("images.size=128,64", "images.size", (128, 64)),
            ("images.size=128, 64", "images.size", (128, 64)),
            ("images.size=none", "images.size", None),
            ("images.mask_threshold=None", "images.mask_threshold", None),
            ("images.mask_threshold=0.25", "images.mask_threshold", 0.25),
            ("net.bias=False", "net.bias", False),
            ("net.bias=true", "net.bias", True),
            ("net.encoder=1,2,3", "net.encoder", None),
            ("loss.reads=probability", "loss.reads", "probability"),
            ("test=none", "test", None),
        ],
    )
    def test_parses(self, text, path, value):
        if path == "net.encoder":
            value = tuple(range(1, len(RECIPE.net.encoder) + 1))
            text = f"{path}={','.join(map(str, value))}"
        parsed = RECIPE.change_text(text).get(path)
        assert parsed == value
        assert type(parsed) is type(value)

    def test_one_entry_of_a_tuple_needs_no_comma(self):
        narrow = RECIPE.change("net", dataclasses.replace(RECIPE.net, encoder=(4,), decoder=(4,)))
        assert narrow.change_text("net.encoder=8").net.encoder == (8,)

    @pytest.mark.parametrize("text", ["fit.epochs", "", "=3", "epochs 3"])
    def test_no_assignment(self, text):
        with pytest.raises(UserError, match="write path=value"):
            RECIPE.change_text(text)

    @pytest.mark.parametrize(
        ("text", "word"),
        [
            ("fit.epochs=ten", "'ten'"),
            ("fit.epochs=1.5", "1.5"),
            ("fit.epochs=", "''"),
            ("fit.epocs=3", "did you mean 'epochs'"),
            ("loss.reads=logit", "did you mean 'logits'"),
            ("loss=3", "allowed: bcedice, kerasbcedice, bce, dice or a sum"),
            ("images.size=1,2,3", "2 values"),
        ],
    )
    def test_errors(self, text, word):
        with pytest.raises(UserError) as error:
            RECIPE.change_text(text)
        assert word in str(error.value)


class TestDiff:
    def test_equal_recipes(self):
        assert RECIPE.diff(Recipe.from_json(RECIPE.to_json())) == ()

    def test_sides(self):
        (difference,) = RECIPE.diff(RECIPE.change("fit.epochs", 120))
        assert (difference.path, difference.left, difference.right) == ("fit.epochs", RECIPE.fit.epochs, 120)

    def test_parts_of_different_kinds(self):
        other = RECIPE.change("net", UnpaddedEncoderDecoder(encoder=(1,), decoder=(1,), output="probability"))
        differences = {d.path: (d.left, d.right) for d in RECIPE.diff(other)}
        assert differences["net.kind"] == ("UNet", "UnpaddedEncoderDecoder")
        assert differences["net.bottleneck"] == (RECIPE.net.bottleneck, None)
        assert differences["net.encoder"] == (RECIPE.net.encoder, (1,))
        assert all(path.startswith("net.") for path in differences)
        assert {d.path: (d.right, d.left) for d in other.diff(RECIPE)} == differences

    def test_a_field_of_one_side_that_is_none_is_still_named(self):
        """``None`` stands both for a missing field and for the value ``None``; a missing one must not look equal."""
        other = RECIPE.change("net", OtherNet(depth=None, output="logits"))
        assert "net.depth" in [d.path for d in RECIPE.diff(other)]
        assert "net.depth" in [d.path for d in other.diff(RECIPE)]

    def test_a_part_of_one_side_is_one_difference(self):
        (difference,) = RECIPE.diff(RECIPE.change("test", None))
        assert (difference.path, difference.left, difference.right) == ("test", RECIPE.test, None)

    def test_parts_come_in_field_order(self):
        changed = RECIPE.change("fit.epochs", 120).change("images.size", None).change("loss.bce", 2)
        assert [d.path for d in RECIPE.diff(changed)] == ["images.size", "loss.bce", "fit.epochs"]


class TestDigest:
    def test_is_a_sha256(self):
        assert len(RECIPE.digest) == 64
        assert int(RECIPE.digest, 16) >= 0

    def test_equal_exactly_for_equal_recipes(self):
        recipes = [zoo.get(id).recipe for id in EVERY_ID]
        for left in recipes:
            for right in recipes:
                assert (left.digest == right.digest) == (left == right)

    def test_a_whole_number_given_for_a_fraction_makes_no_difference(self):
        whole, fraction = RECIPE.change("fit.decay", 1), RECIPE.change("fit.decay", 1.0)
        assert type(whole.fit.decay) is float
        assert (whole, whole.digest, hash(whole)) == (fraction, fraction.digest, hash(fraction))
        assert whole.to_json() == fraction.to_json()

    def test_whole_numbers_inside_a_union_become_floats(self):
        assert type(RECIPE.change("score.threshold", 0).score.threshold) is float


class TestJson:
    @pytest.mark.parametrize("part", PARTS)
    def test_round_trip_of_every_part_in_the_zoo(self, part):
        for value, id in {getattr(zoo.get(id).recipe, part): id for id in EVERY_ID}.items():
            recipe = zoo.get(id).recipe
            back = Recipe.from_json(recipe.to_json())
            assert back == recipe, id
            assert back.digest == recipe.digest, id
            assert back.diff(recipe) == (), id
            assert type(getattr(back, part)) is type(value), id

    @given(change_strategy())
    @settings(max_examples=40, deadline=None)
    def test_round_trip_of_changed_recipes(self, change):
        recipe = RECIPE.change(*change)
        assert Recipe.from_json(recipe.to_json()) == recipe

    def edited(self, edit) -> str:
        data = json.loads(RECIPE.to_json())
        edit(data)
        return json.dumps(data)

    @pytest.mark.parametrize(
        ("edit", "words"),
        [
            (lambda d: d.pop("loss"), ["recipe", "missing loss"]),
            (lambda d: d.update(losses=1), ["recipe", "unknown losses", "did you mean 'loss'?"]),
            (lambda d: d["fit"].pop("epochs"), ["fit", "missing epochs"]),
            (lambda d: d["fit"].update(epoch=3), ["fit", "unknown epoch", "did you mean 'epochs'?"]),
            (lambda d: d["fit"].update(epochs="3"), ["fit.epochs", "'3'", "a whole number"]),
            (lambda d: d["images"].update(size=[1, 2, 3]), ["images.size", "2 values"]),
            (lambda d: d["loss"].update(kind="BCEDise"), ["loss", "unknown kind 'BCEDise'", "did you mean 'BCEDice'?"]),
            (lambda d: d["loss"].pop("kind"), ["loss", "unknown kind None"]),
            (lambda d: d["loss"].update(kind=3), ["loss", "unknown kind 3"]),
            (lambda d: d["fit"].update(schedule={"kind": "Plateau", "factor": 0.5}), ["fit.schedule", "patience"]),
        ],
    )
    def test_errors(self, edit, words):
        with pytest.raises(UserError) as error:
            Recipe.from_json(self.edited(edit))
        message = str(error.value)
        assert "\n" not in message
        assert [word for word in words if word not in message] == []

    @pytest.mark.parametrize("value", [3, None, "grey", [1, 2]])
    @pytest.mark.parametrize("part", [part for part in PARTS if part != "test"])
    def test_a_part_that_is_no_part(self, part, value):
        with pytest.raises(UserError, match=rf"Recipe\.{part} is .*; allowed: a "):
            Recipe.from_json(self.edited(lambda d: d.update({part: value})))

    def test_a_part_in_the_place_of_another(self):
        """A score is no loss: called as one, it would fail only in the first step of a training."""
        data = json.loads(RECIPE.to_json())
        data["fit"] = data["score"]
        with pytest.raises(UserError, match=r"Recipe\.fit is Dice\(.*; allowed: a Fit part"):
            Recipe.from_dict(data)

    def test_a_list_for_a_kind(self):
        with pytest.raises(UserError, match="loss: unknown kind"):
            Recipe.from_json(self.edited(lambda d: d["loss"].update(kind=[1])))

    @pytest.mark.parametrize("text", ["", "{", "fit.epochs=3"])
    def test_no_json(self, text):
        with pytest.raises(UserError, match="no recipe in JSON"):
            Recipe.from_json(text)

    @pytest.mark.parametrize("text", ["3", "[]", "null", '"gpt-4"'])
    def test_not_an_object(self, text):
        with pytest.raises(UserError, match="object with seven parts"):
            Recipe.from_json(text)


class TestParts:
    @pytest.fixture(autouse=True)
    def _own_kinds(self, monkeypatch):
        monkeypatch.setattr(annotations, "_KINDS", dict(annotations._KINDS))

    def test_a_kind_from_outside_round_trips(self):
        @dataclasses.dataclass(frozen=True, kw_only=True)
        class Threshold(Net):
            at: float
            output: Literal["probability"]

            def build(self, in_channels):
                raise NotImplementedError

        recipe = RECIPE.change("net", Threshold(at=1, output="probability"))
        assert Recipe.from_json(recipe.to_json()) == recipe

    def test_a_kind_cannot_be_registered_twice(self):
        with pytest.raises(TypeError, match=r"'Fit' is already used by llmseg\.recipe\.fit"):
            type("Fit", (Part,), {})
        assert annotations._KINDS["Fit"] is Fit

    def test_the_same_class_may_be_defined_again(self):
        """As when a notebook cell or module is run twice."""
        attributes = {"__module__": "somewhere", "__qualname__": "Again"}
        first = type("Again", (Part,), attributes)
        second = type("Again", (Part,), attributes)
        assert first is not second
        assert annotations._KINDS["Again"] is second

    @pytest.mark.parametrize("part", PARTS)
    def test_frozen(self, part):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(RECIPE, part, None)
        value = getattr(RECIPE, part)
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(value, dataclasses.fields(value)[0].name, None)

    def test_hashable(self):
        assert len({RECIPE, Recipe.from_json(RECIPE.to_json())}) == 1

    def test_a_field_without_value_does_not_construct(self):
        with pytest.raises(TypeError, match="summary_batch"):
            OwnSeed(seed=1)


@given(st.text(max_size=8), st.lists(st.text(min_size=1, max_size=8), max_size=5))
@settings(max_examples=50, deadline=None)
def test_nearest_names_an_allowed_word_or_nothing(word, allowed):
    suggestion = nearest(word, allowed)
    assert suggestion == "" or suggestion in {f"; did you mean '{option}'?" for option in allowed}


def test_nearest_of_an_allowed_word_is_itself():
    for word in EVERY_ID:
        assert nearest(word.upper(), EVERY_ID) == f"; did you mean '{word}'?"
