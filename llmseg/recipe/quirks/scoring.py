"""Quirks of the two scores: the same questions of the score in validation and of that in the test."""

from __future__ import annotations

from typing import Literal

from llmseg.recipe.part import Part
from llmseg.recipe.quirks.quirk import ABSENT, Explanation, Quirk, ends_in, field_is, number_at, set_to, value_at

LARGE_SMOOTHING = 1e-3
"""Above it the constant tells in the score of a small object; the scripts have 1e-5 or less, or 1."""
SMOOTHING = 1e-6
"""What most scripts add."""


def _quirks_of_score(part: Literal["score", "test"]) -> tuple[Quirk, ...]:
    return (*_quirks_of_reading(part), *_quirks_of_formula(part))


def _phase(part: Literal["score", "test"]) -> str:
    return "validation" if part == "score" else "test"


def _masks_are_grey(recipe: Part) -> bool:
    return value_at(recipe, "images.mask_threshold") is None


def _quirks_of_reading(part: Literal["score", "test"]) -> tuple[Quirk, ...]:
    """Return quirks in what the score makes of the network's output."""
    phase = _phase(part)

    def applies_sigmoid_twice(recipe: Part) -> bool:
        return value_at(recipe, f"{part}.reads") == "sigmoid" and ends_in(recipe, "probability")

    def takes_raw_logits(recipe: Part) -> bool:
        # A logit above 0 is a probability above one half: with that threshold there is nothing to mend.
        reads, threshold = value_at(recipe, f"{part}.reads"), value_at(recipe, f"{part}.threshold")
        return reads == "output" and ends_in(recipe, "logits") and threshold != 0

    return (
        Quirk(
            id=f"double-sigmoid-in-{phase}",
            kind="mistake",
            sentence=f"The network ends in a sigmoid and the {phase} score applies another.",
            why="Nothing falls below one half, so with a threshold of one half nearly all of the image is foreground.",
            applies=applies_sigmoid_twice,
            change=set_to(f"{part}.reads", "output"),
            explains=(
                Explanation(
                    what="The study's script for a common test set does it to the 14 networks that end in a sigmoid; "
                    "their threshold is then a probability of 1e-7.",
                    source="Models Comparison/Dice_calculation_on_Standard_test_set.py:77",
                ),
            ),
        ),
        Quirk(
            id=f"raw-logits-in-{phase}",
            kind="mistake",
            sentence=f"The {phase} score takes the network's logits for probabilities.",
            why="A logit of 0.5 is a probability of 0.62, so predicted objects are smaller than at one half.",
            applies=takes_raw_logits,
            change=set_to(f"{part}.reads", "sigmoid"),
            explains=(
                Explanation(
                    what=f"The {phase} Dice is taken at a probability of 0.62 and not on the scale of the others.",
                    source="Modells 2024/GPT4/train.py:16",
                    pipelines=("gpt-4",),
                ),
            ),
        ),
        Quirk(
            id=f"soft-dice-in-{phase}",
            kind="mistake",
            sentence=f"The {phase} score is a Dice of probabilities, without a threshold.",
            why="It falls with every unsure pixel, so it is lower than the Dice of the mask one would get.",
            applies=field_is(f"{part}.threshold", None),
            change=set_to(f"{part}.threshold", 0.5),
            explains=(
                Explanation(
                    what="The low bars of the two Copilots are soft Dice of nearly constant outputs.",
                    source="Modells 2024/Bing Microsoft Copilot/train.py:71 and Modells 2024/Copilot/train.py:16",
                    pipelines=("bing-copilot", "github-copilot"),
                ),
            ),
        ),
        Quirk(
            id=f"mean-iou-in-{phase}",
            kind="mistake",
            sentence=f"The {phase} score is a mean of the IoU of foreground and background, and no Dice.",
            why="Background is most of an image, so half of the score is high whatever is found.",
            applies=field_is(f"{part}.measure", "mean-iou"),
            change=set_to(f"{part}.measure", "dice"),
        ),
        Quirk(
            id=f"truncated-output-in-{phase}",
            kind="mistake",
            sentence=f"The {phase} score cuts probabilities to whole numbers.",
            why="A pixel is foreground only at a probability of exactly 1, so nearly nothing is.",
            applies=field_is(f"{part}.prediction", "truncated"),
            change=set_to(f"{part}.prediction", "rounded"),
        ),
        Quirk(
            id=f"truncated-masks-in-{phase}",
            kind="mistake",
            sentence=f"The {phase} score cuts grey mask values to whole numbers.",
            why="Only mask values of exactly 1 are foreground, so objects lose their edges.",
            applies=lambda recipe: value_at(recipe, f"{part}.mask") == "truncated" and _masks_are_grey(recipe),
            change=set_to(f"{part}.mask", "rounded"),
        ),
        Quirk(
            id=f"shrunk-masks-in-{phase}",
            kind="mistake",
            sentence=f"The {phase} score is taken on masks that are reduced to the size of the output.",
            why="It is not a score of the pixels that others are scored on.",
            applies=field_is(f"{part}.sizes", "mask-to-output"),
            change=set_to(f"{part}.sizes", "output-to-mask"),
        ),
    )


def _quirks_of_formula(part: Literal["score", "test"]) -> tuple[Quirk, ...]:
    """Return quirks in the fraction itself."""
    phase = _phase(part)
    return (
        Quirk(
            id=f"batch-dice-in-{phase}",
            kind="choice",
            sentence=f"The {phase} score is one Dice over all pixels of a batch.",
            why="Large objects decide it, small ones hardly count, and the order of cases changes it.",
            applies=field_is(f"{part}.over", "batch"),
            change=set_to(f"{part}.over", "case"),
            explains=(
                Explanation(
                    what="Dice is not one formula: some scripts flatten the batch, some average images.",
                    source="Modells 2024/GPT4o/train.py:16 and Modells 2025/Llama 4 Maverick/train.py:65",
                ),
            ),
        ),
        Quirk(
            id=f"large-smoothing-in-{phase}",
            kind="choice",
            sentence=f"The {phase} score adds more than {LARGE_SMOOTHING:g} above and below the fraction line.",
            why="A small object that is missed altogether still has a Dice above 0.",
            applies=lambda recipe: number_at(recipe, f"{part}.smooth") > LARGE_SMOOTHING,
            change=set_to(f"{part}.smooth", SMOOTHING),
        ),
        Quirk(
            id=f"no-smoothing-in-{phase}",
            kind="mistake",
            sentence=f"The {phase} score adds nothing above and below the fraction line.",
            why="An empty mask that is predicted empty, which is right, has not-a-number for a score.",
            applies=lambda recipe: number_at(recipe, f"{part}.smooth") <= 0,
            change=set_to(f"{part}.smooth", SMOOTHING),
        ),
        Quirk(
            id=f"smoothing-below-in-{phase}",
            kind="mistake",
            sentence=f"The {phase} score adds its constant below the fraction line only.",
            why="An empty mask that is predicted empty, which is right, scores 0.",
            applies=lambda recipe: (
                value_at(recipe, f"{part}.smoothed") == "below" and number_at(recipe, f"{part}.smooth") > 0
            ),
            change=set_to(f"{part}.smoothed", "both"),
        ),
    )


def _lists_differ(recipe: Part) -> bool:
    in_validation, in_test = (value_at(recipe, f"{part}.lists") for part in ("score", "test"))
    return ABSENT not in (in_validation, in_test) and in_validation != in_test


def _list_coarser(recipe: Part) -> tuple[str, object]:
    # A value per case may not exist, where a Dice is taken over the batch; its mean always does.
    validation, test = recipe.get("score.lists"), recipe.get("test.lists")
    return ("score.lists", test) if validation == "case" else ("test.lists", validation)


SCORE_QUIRKS = (
    *_quirks_of_score("score"),
    Quirk(
        id="no-test",
        kind="choice",
        sentence="There is no test.",
        why="All that is known of the pipeline are scores of cases that may have guided the training.",
        applies=field_is("test", None),
        change=lambda recipe: ("test", recipe.get("score")),
    ),
    *_quirks_of_score("test"),
    Quirk(
        id="scores-listed-differently",
        kind="choice",
        sentence="Validation and test do not list their scores alike: one value per case, per batch or per epoch.",
        why="Spread and medians of the two lists cannot be compared.",
        applies=_lists_differ,
        change=_list_coarser,
        explains=(
            Explanation(
                what="Validation and test boxes hold a value per case and a value per batch.",
                source="Modells 2025/Qwen 3_235B/train.py:38 and Modells 2025/Qwen 3_235B/train.py:59",
                pipelines=("qwen-3-235b",),
            ),
        ),
    ),
)
