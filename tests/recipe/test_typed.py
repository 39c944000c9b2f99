"""Values as somebody types them: every part of the zoo can be typed, and what is refused says what to type."""

from __future__ import annotations

import re

import pytest

from llmseg import UserError, zoo
from llmseg.recipe import Augment, Cosine, Plateau, split_typed, write_typed
from llmseg.study.variants import PARTS

RECIPE = zoo.get("gpt-4").recipe


@pytest.mark.parametrize(
    ("typed", "path", "value"),
    [
        ("fit.schedule=cosine", "fit.schedule", Cosine(warmup=0, final=0.0)),
        ("fit.schedule=Cosine( warmup=5, final=1e-1 )", "fit.schedule", Cosine(warmup=5, final=0.1)),
        ("fit.schedule=PLATEAU(patience=3)", "fit.schedule", Plateau(factor=0.1, patience=3)),
        ("fit.schedule=none", "fit.schedule", None),
        ("fit.augment=augment", "fit.augment", Augment(**Augment.USUAL)),
        ("fit=fit(schedule=cosine(warmup=1,final=0.5),epochs=3)", "fit.schedule", Cosine(warmup=1, final=0.5)),
        ("net=unet(encoder=4,8,decoder=8,4,mismatch=crop)", "net.decoder", (8, 4)),
        ("net.norm=none", "net.norm", "none"),
        ("loss=dice", "loss.bce", 0.0),
        ("loss=bce + 0.5*Dice", "loss.dice", 0.5),
    ],
)
def test_parts_and_words(typed, path, value):
    changed = RECIPE.change_text(typed)
    assert changed.get(path) == value
    assert changed.loss.reads == RECIPE.loss.reads, "what is not typed stays"


def test_an_absent_part_is_typed_with_capitals_or_without():
    with_plateau = RECIPE.change_text("fit.schedule=plateau")
    for text in ("none", "None", "null"):
        assert with_plateau.change_text(f"fit.schedule={text}") == RECIPE


def test_fields_of_a_part_of_the_same_kind_stay():
    recipe = RECIPE.change("fit.schedule", Plateau(factor=0.5, patience=5))
    assert recipe.change_text("fit.schedule=plateau").fit.schedule == Plateau(factor=0.5, patience=5)
    assert recipe.change_text("fit.schedule=plateau(patience=1)").fit.schedule == Plateau(factor=0.5, patience=1)


@pytest.mark.parametrize("part", PARTS)
def test_every_part_of_the_zoo_can_be_typed(part):
    for name in zoo.all_names():
        value = zoo.get(name).recipe.get(part)
        assert RECIPE.change_text(f"{part}={write_typed(value)}").get(part) == value


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("fit.schedule=cosin", "allowed: plateau, cosine, none; did you mean 'cosine'?"),
        ("fit.schedule=3", "allowed: plateau, cosine, none;"),
        ("fit.schedule=cosine(", "fit.schedule is 'cosine('"),
        ("fit.schedule=cosine(warmup=x)", "fit.schedule.warmup is 'x'; allowed: a whole number"),
        ("fit.schedule=cosine(warm=1)", "no field 'fit.schedule.warm': Cosine has no 'warm'; did you mean 'warmup'?"),
        ("fit.schedule=cosine(1)", "'1' in brackets names no field; write field=value"),
        ("loss=bce+focal", "bce, dice or a sum such as bce+0.5*dice"),
        ("loss=bce+bce", "bce, dice or a sum"),
        ("loss=0*bce", "one must be above 0"),
        ("score=none", "score is 'none'; allowed: dice, meaniou"),
        ("net=basicunet", "BasicUNet needs features, norm, dropout, output, too"),
        ("net.norm=layer", "net.norm is 'layer'; allowed: 'batch' or 'none'"),
    ],
)
def test_what_is_refused(typed, words):
    with pytest.raises(UserError) as refused:
        RECIPE.change_text(typed)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_advice_of_a_refusal_can_be_typed(call):
    with pytest.raises(UserError) as refused:
        RECIPE.change_text("fit.schedule=cosin")
    allowed = re.search(r"allowed: (.*?);", str(refused.value))[1].split(", ")
    assert {type(RECIPE.change_text(f"fit.schedule={word}").fit.schedule) for word in allowed} == {
        Plateau,
        Cosine,
        type(None),
    }
    (path,) = re.findall(r"llmseg fields (\S+) lists", str(refused.value))
    code, out, _ = call("fields", path)
    assert code == 0
    assert "warmup" in out


def test_the_template_of_a_refusal_can_be_filled_in():
    with pytest.raises(UserError) as refused:
        RECIPE.change_text("net=plainconvunet")
    template = re.search(r"type (net=\S+\)),", str(refused.value))[1]
    for value in ("8,16", "2", "logits"):
        template = template.replace("...", value, 1)
    assert RECIPE.change_text(template).net.features == (8, 16)


def test_brackets_keep_together():
    assert split_typed("a(b,c(d,e)), f,") == ["a(b,c(d,e))", "f", ""]
