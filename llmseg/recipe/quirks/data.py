"""Quirks of the first two parts of a recipe: the preparation of images and masks, and the split."""

from __future__ import annotations

import math

from llmseg.recipe.fit import OwnSeed
from llmseg.recipe.part import Part
from llmseg.recipe.quirks.quirk import Explanation, Quirk, field_is, number_at, set_to, value_at

STUDY_SIZE = (256, 256)
"""Height and width of the images of nearly all pipelines."""
TEST_SHARE = 0.1
"""The share of the cases in the test that the study's prompt asked for."""


def _binarised_too_early(recipe: Part) -> bool:
    """Whether a filter that mixes pixels comes after the threshold; a nearest one leaves a binary mask binary."""
    return (
        not math.isnan(number_at(recipe, "images.mask_threshold"))
        and value_at(recipe, "images.threshold_when") == "before-resize"
        and value_at(recipe, "images.mask_resize") in ("pillow-bilinear", "pillow-bicubic", "tensorflow-bilinear")
        and value_at(recipe, "images.size") is not None
    )


def _is_small(recipe: Part) -> bool:
    size = value_at(recipe, "images.size")
    return isinstance(size, tuple) and size[0] * size[1] < STUDY_SIZE[0] * STUDY_SIZE[1]


def _second_share(recipe: Part, path: str) -> float:
    """Return the share of the second part that a call of ``train_test_split`` returns."""
    size = number_at(recipe, path)
    return size if value_at(recipe, "split.sizes_are") == "test_size" else 1 - size


def _test_share(recipe: Part) -> float:
    """Return the share of all cases in the test; not-a-number for a split from outside the package."""
    if value_at(recipe, "split.kind") == "WholeSplit":
        return number_at(recipe, "split.held_out") / 2
    if value_at(recipe, "split.kind") == "RandomSplit":
        return 1 - number_at(recipe, "split.train") - number_at(recipe, "split.validation")
    held_out = _second_share(recipe, "split.first_size")
    return held_out * (
        _second_share(recipe, "split.second_size") if value_at(recipe, "split.first") == "held-out" else 1
    )


def _shrink_test(recipe: Part) -> tuple[str, object]:
    """Return the one field that makes the test a tenth of the cases; which one depends on the kind of split."""
    if value_at(recipe, "split.kind") == "WholeSplit":
        return "split.held_out", 2 * TEST_SHARE
    if value_at(recipe, "split.kind") == "RandomSplit":
        return "split.train", 1 - TEST_SHARE - number_at(recipe, "split.validation")
    name, share = "first_size", TEST_SHARE
    if value_at(recipe, "split.first") == "held-out":
        name, share = "second_size", TEST_SHARE / _second_share(recipe, "split.first_size")
    return f"split.{name}", share if value_at(recipe, "split.sizes_are") == "test_size" else 1 - share


def _splits_unseeded(recipe: Part) -> bool:
    drawn = value_at(recipe, "split.kind") == "RandomSplit" or value_at(recipe, "split.shuffled") is True
    return drawn and value_at(recipe, "fit.own_seed") is None


def _seed_split(recipe: Part) -> tuple[str, object]:
    # A shuffle by Python's generator takes no seed of a recipe, so it is left out; the split after it has a seed.
    if value_at(recipe, "split.shuffled") is True:
        return "split.shuffled", False
    return "fit.own_seed", OwnSeed(seed=42, summary_batch=0, spare_orders=0)


DATA_QUIRKS = (
    Quirk(
        id="grey-masks",
        kind="mistake",
        sentence="Masks keep the grey values they have after resizing.",
        why="Targets are soft along edges, and a perfect prediction cannot reach Dice 1.",
        applies=field_is("images.mask_threshold", None),
        change=set_to("images.mask_threshold", 0.5),
        explains=(
            Explanation(
                what="No prediction could have had a Dice of 1 on masks that resizing made grey.",
                source="Modells 2024/GPT4/dataset.py:30",
                pipelines=("gpt-4",),
            ),
        ),
    ),
    Quirk(
        id="mask-above-zero",
        kind="mistake",
        sentence="Every mask value above 0 is foreground.",
        why="After a smoothing resize objects grow by about a pixel; in JPEG masks compression noise is foreground.",
        applies=lambda recipe: number_at(recipe, "images.mask_threshold") <= 0,
        change=set_to("images.mask_threshold", 0.5),
        explains=(
            Explanation(
                what="Targets are slightly enlarged.",
                source="Modells 2024/Claude 3.5 Sonnet/dataset.py:36 and Modells 2024/Gemini 1.5 Pro/dataset.py:36",
                pipelines=("claude-3.5-sonnet", "gemini-1.5-pro"),
            ),
            Explanation(
                what="The study's script for a common test set enlarges the masks the same way.",
                source="Models Comparison/Dice_calculation_on_Standard_test_set.py:68",
            ),
        ),
    ),
    Quirk(
        id="binarised-too-early",
        kind="mistake",
        sentence="Masks are binarised and then resized by a filter that makes them grey again.",
        why="Targets are soft along edges although a threshold is set.",
        applies=_binarised_too_early,
        change=set_to("images.threshold_when", "after-resize"),
    ),
    Quirk(
        id="small-images",
        kind="choice",
        sentence="Images have fewer pixels than the study's 256 x 256.",
        why="Small objects lose detail, and scores are taken on fewer pixels than those of others.",
        applies=_is_small,
        change=set_to("images.size", STUDY_SIZE),
    ),
    Quirk(
        id="native-size",
        kind="choice",
        sentence="Images keep the size of their files.",
        why="A batch must hold images of one size, and the network sees other scales than those of others.",
        applies=field_is("images.size", None),
        change=set_to("images.size", STUDY_SIZE),
    ),
    Quirk(
        id="aliased-resize",
        kind="choice",
        sentence="Images are reduced without smoothing them first.",
        why="Inputs differ from those of others for the same file, most where images are reduced most.",
        applies=field_is("images.image_resize", "opencv-bilinear", "pillow-nearest", "tensorflow-bilinear"),
        change=set_to("images.image_resize", "pillow-bilinear"),
    ),
    Quirk(
        id="no-split",
        kind="mistake",
        sentence="All cases are trained on, and validation takes the same cases.",
        why="Validation says how well the training cases are known, and none is left for a test.",
        applies=field_is("split.held_out", 0.0),
        change=set_to("split.held_out", 2 * TEST_SHARE),
    ),
    Quirk(
        id="large-test-split",
        kind="choice",
        sentence="More than a tenth of the cases is set apart for the test.",
        why="There is less to train on than others have, and scores are taken on other cases.",
        # The margin is for fractions that are a tenth up to rounding, such as 1 - 0.7 - 0.2.
        applies=lambda recipe: _test_share(recipe) > TEST_SHARE + 1e-6,
        change=_shrink_test,
        explains=(
            Explanation(
                what="The Brain test boxes need 12 or 13 batches of 16, which is a test part of a fifth.",
                source="Modells 2025/Mistral Medium 3/main.py:40 and Modells 2025/Qwen 3_235B/main.py:30",
                pipelines=("mistral-medium-3", "qwen-3-235b"),
            ),
        ),
    ),
    Quirk(
        id="unseeded-split",
        kind="choice",
        sentence="The split, or a shuffle before it, is drawn at random without a seed of its own.",
        why="The test part changes from run to run, so a published score cannot be found again.",
        applies=_splits_unseeded,
        change=_seed_split,
        explains=(
            Explanation(
                what="Published values cannot be derived again, as nobody knows the test cases.",
                source="Modells 2024/LLaMA 3.1_405B/main.py:39",
                pipelines=("llama-3.1-405b",),
            ),
        ),
    ),
    Quirk(
        id="sorted-parts",
        kind="choice",
        sentence="The cases of each part are put in order of their names.",
        why="Neighbours by name share a batch, so a Dice per batch groups other cases than those of others.",
        applies=field_is("split.order", "sorted"),
        change=set_to("split.order", "drawn"),
    ),
)
