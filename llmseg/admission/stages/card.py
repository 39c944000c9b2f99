"""The card of an admitted pipeline: what the zoo says of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from llmseg.admission.prompt import find_prompt
from llmseg.admission.scripts import Scripts
from llmseg.admission.stages.admission import Admission
from llmseg.recipe import write_typed
from llmseg.recipe.nets.net import Net
from llmseg.recipe.recipe import Recipe
from llmseg.zoo import Admitted, FoundMistake, Pipeline
from llmseg.zoo.admitted import make_card, write_admitted

_SHAPE = ("encoder", "bottleneck", "decoder")


def write_card(admission: Admission, recipe: Recipe, scripts: Scripts) -> Path:
    """Write the recipe of an admission, and the card with which the zoo knows it; return the file of the recipe.

    Args:
        admission: The admission.
        recipe: Its recipe.
        scripts: The scripts, which state the prompt that they answer.
    """
    traced = find_prompt(script.text for script in scripts)
    card = make_card(
        admission.name,
        parameters=admission.facts["parameters"],
        summary=_describe_net(recipe.net),
        scripts=admission.folder.resolve().name,
        admitted=Admitted(
            date=admission.run.get("date", ""),
            stage=admission.stage_reached,
            prompt_version=None if traced is None else traced.version,
            edits=len(admission.run["edits"]),
            turns=admission.turns,
            facts=tuple((name.replace("_", " "), write_fact(value)) for name, value in admission.facts.items()),
            findings=tuple(
                FoundMistake(
                    id=each.id,
                    certainty=each.certainty,
                    sentence=each.sentence,
                    place=each.place,
                    evidence=each.evidence,
                )
                for each in admission.findings
            ),
        ),
    )
    return write_admitted(admission.out, Pipeline(id=admission.name, card=card, recipe=recipe, original_names=()))


def _describe_net(net: Net) -> str:
    """Return a network in a few words: its kind, and the channels of its stages if it has such."""
    channels = [f"{name} {write_typed(getattr(net, name))}" for name in _SHAPE if hasattr(net, name)]
    return " with ".join([type(net).__name__, ", ".join(channels)] if channels else [type(net).__name__])


def write_fact(value: Any) -> str:
    """Return what is known of scripts as text.

    Example:
        >>> write_fact({"bce": 1.0, "reads": "logits"}), write_fact([64, 80])
        ('bce 1 reads logits', '64 x 80')
    """
    if isinstance(value, dict):
        return " ".join(f"{name.replace('_', ' ')} {write_fact(each)}" for name, each in value.items())
    if isinstance(value, list | tuple):
        return " x ".join(write_fact(each) for each in value)
    return f"{value:g}" if isinstance(value, float) else str(value)
