"""Quirks of the preparation of images and masks, and of the split."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from llmseg.recipe.fit import OwnSeed
from llmseg.recipe.quirks.quirk import Explained, Quirk, at, has, number, to

if TYPE_CHECKING:
    from llmseg.recipe.recipe import Recipe

STUDY_SIZE = (256, 256)
TEST_SHARE = 0.1


def _binarised_too_early(recipe: Recipe) -> bool:
    return (
        not math.isnan(number(recipe, "images.mask_threshold"))
        and at(recipe, "images.threshold_when") == "before-resize"
        and at(recipe, "images.mask_resize") in ("pillow-bilinear", "pillow-bicubic", "tensorflow-bilinear")
        and at(recipe, "images.size") is not None
    )


def _small(recipe: Recipe) -> bool:
    size = at(recipe, "images.size")
    return isinstance(size, tuple) and size[0] * size[1] < STUDY_SIZE[0] * STUDY_SIZE[1]


def _cut(recipe: Recipe, path: str) -> float:
    """Return the share of the second part that a call of ``train_test_split`` returns."""
    size = number(recipe, path)
    return size if at(recipe, "split.sizes_are") == "test_size" else 1 - size


def _test_share(recipe: Recipe) -> float:
    if at(recipe, "split.kind") == "WholeSplit":
        return number(recipe, "split.held_out") / 2
    if at(recipe, "split.kind") == "RandomSplit":
        return 1 - number(recipe, "split.train") - number(recipe, "split.validation")
    held_out = _cut(recipe, "split.first_size")
    return held_out * (_cut(recipe, "split.second_size") if at(recipe, "split.first") == "held-out" else 1)


def _smaller_test(recipe: Recipe) -> tuple[str, object]:
    if at(recipe, "split.kind") == "WholeSplit":
        return "split.held_out", 2 * TEST_SHARE
    if at(recipe, "split.kind") == "RandomSplit":
        return "split.train", 1 - TEST_SHARE - number(recipe, "split.validation")
    name, share = "first_size", TEST_SHARE
    if at(recipe, "split.first") == "held-out":
        name, share = "second_size", TEST_SHARE / _cut(recipe, "split.first_size")
    return f"split.{name}", share if at(recipe, "split.sizes_are") == "test_size" else 1 - share


def _unseeded(recipe: Recipe) -> bool:
    drawn = at(recipe, "split.kind") == "RandomSplit" or at(recipe, "split.shuffled") is True
    return drawn and at(recipe, "fit.own_seed") is None


def _seeded(recipe: Recipe) -> tuple[str, object]:
    if at(recipe, "split.shuffled") is True:
        return "split.shuffled", False
    return "fit.own_seed", OwnSeed(seed=42, summary_batch=0, spare_orders=0)


DATA_QUIRKS = (
    Quirk(
        id="grey-masks",
        kind="mistake",
        sentence="Masks keep the grey values they have after resizing.",
        why="Targets are soft along edges, and a perfect prediction cannot reach Dice 1.",
        found=has("images.mask_threshold", None),
        cure=to("images.mask_threshold", 0.5),
        explains=(
            Explained(
                what="No prediction could have had a Dice of 1 on masks that resizing made grey.",
                source="sheet",
                pipelines=("gpt-4",),
            ),
        ),
    ),
    Quirk(
        id="mask-above-zero",
        kind="mistake",
        sentence="Every mask value above 0 is foreground.",
        why="After a smoothing resize objects grow by about a pixel; in JPEG masks compression noise is foreground.",
        found=lambda recipe: number(recipe, "images.mask_threshold") <= 0,
        cure=to("images.mask_threshold", 0.5),
        explains=(
            Explained(
                what="Targets are slightly enlarged.",
                source="sheet",
                pipelines=("claude-3.5-sonnet", "gemini-1.5-pro"),
            ),
            Explained(
                what="The study's script for a common test set enlarges the masks the same way.", source="analysis 9"
            ),
        ),
    ),
    Quirk(
        id="binarised-too-early",
        kind="mistake",
        sentence="Masks are binarised and then resized by a filter that makes them grey again.",
        why="Targets are soft along edges although a threshold is set.",
        found=_binarised_too_early,
        cure=to("images.threshold_when", "after-resize"),
    ),
    Quirk(
        id="small-images",
        kind="choice",
        sentence="Images have fewer pixels than the study's 256 x 256.",
        why="Small objects lose detail, and scores are taken on fewer pixels than those of others.",
        found=_small,
        cure=to("images.size", STUDY_SIZE),
    ),
    Quirk(
        id="native-size",
        kind="choice",
        sentence="Images keep the size of their files.",
        why="A batch must hold images of one size, and the network sees other scales than those of others.",
        found=has("images.size", None),
        cure=to("images.size", STUDY_SIZE),
    ),
    Quirk(
        id="aliased-resize",
        kind="choice",
        sentence="Images are reduced without smoothing them first.",
        why="Inputs differ from those of others for the same file, most where images are reduced most.",
        found=has("images.image_resize", "opencv-bilinear", "pillow-nearest", "tensorflow-bilinear"),
        cure=to("images.image_resize", "pillow-bilinear"),
    ),
    Quirk(
        id="no-split",
        kind="mistake",
        sentence="All cases are trained on, and validation takes the same cases.",
        why="Validation says how well the training cases are known, and none is left for a test.",
        found=has("split.held_out", 0.0),
        cure=to("split.held_out", 2 * TEST_SHARE),
    ),
    Quirk(
        id="large-test-split",
        kind="choice",
        sentence="More than a tenth of the cases is set apart for the test.",
        why="There is less to train on than others have, and scores are taken on other cases.",
        # A margin for fractions that add up to a tenth but for rounding.
        found=lambda recipe: _test_share(recipe) > TEST_SHARE + 1e-6,
        cure=_smaller_test,
        explains=(
            Explained(
                what="The Brain test boxes need 12 or 13 batches of 16, which is a test part of a fifth.",
                source="analysis 1",
                pipelines=("mistral-medium-3", "qwen-3-235b"),
            ),
        ),
    ),
    Quirk(
        id="unseeded-split",
        kind="choice",
        sentence="The split, or a shuffle before it, is drawn at random without a seed of its own.",
        why="The test part changes from run to run, so a published score cannot be found again.",
        found=_unseeded,
        cure=_seeded,
        explains=(
            Explained(
                what="Published values cannot be derived again, as nobody knows the test cases.",
                source="sheet, analysis 5",
                pipelines=("llama-3.1-405b",),
            ),
        ),
    ),
    Quirk(
        id="sorted-parts",
        kind="choice",
        sentence="The cases of each part are put in order of their names.",
        why="Neighbours by name share a batch, so a Dice per batch groups other cases than those of others.",
        found=has("split.order", "sorted"),
        cure=to("split.order", "drawn"),
    ),
)
