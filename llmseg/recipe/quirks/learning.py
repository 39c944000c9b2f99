"""Quirks of three parts of a recipe: the network, the loss and the fit."""

from __future__ import annotations

import math
from typing import Literal

from llmseg.recipe.part import Part
from llmseg.recipe.quirks.quirk import Explanation, Quirk, ends_in, field_is, number_at, set_to, value_at

FEWEST_EPOCHS = 10
"""The least that any of the nineteen pipelines trains."""
USUAL_EPOCHS = 25
"""The most frequent number among them."""


def _has_one_channel_stage(recipe: Part) -> bool:
    encoder, decoder = value_at(recipe, "net.encoder"), value_at(recipe, "net.decoder")
    return (
        value_at(recipe, "net.head") is True
        and isinstance(encoder, tuple)
        and isinstance(decoder, tuple)
        and decoder[-1] == 1 < encoder[0]
    )


def _widen_last_stage(recipe: Part) -> tuple[str, object]:
    encoder, decoder = recipe.get("net.encoder"), recipe.get("net.decoder")
    assert isinstance(encoder, tuple)
    assert isinstance(decoder, tuple)
    return "net.decoder", (*decoder[:-1], encoder[0])


def _reads(recipe: Part, loss: str, net: Literal["logits", "probability"]) -> bool:
    return value_at(recipe, "loss.reads") == loss and ends_in(recipe, net)


def _targets_differ(recipe: Part) -> bool:
    grey = value_at(recipe, "images.mask_threshold") is None
    return grey and not math.isnan(number_at(recipe, "loss.validation_threshold"))


def _tests_in_other_batches(recipe: Part) -> bool:
    size = number_at(recipe, "fit.test_batch_size")
    return not math.isnan(size) and size != number_at(recipe, "fit.batch_size")


NET_QUIRKS = (
    Quirk(
        id="relu-before-sigmoid",
        kind="mistake",
        sentence="A ReLU stands in front of the final sigmoid.",
        why="No probability falls below one half, so background is never fitted and costs at least ln 2 a pixel.",
        applies=field_is("net.head", False),
        change=set_to("net.head", True),
        explains=(
            Explanation(
                what="The loss stays at about 0.69 from the first epoch to the last.",
                source="Modells 2024/Bing Microsoft Copilot/model.py:31",
                pipelines=("bing-copilot",),
            ),
            Explanation(
                what="A constant probability of one half has a soft Dice of about twice the foreground's share.",
                source="Modells 2024/Bing Microsoft Copilot/train.py:71",
                pipelines=("bing-copilot",),
            ),
        ),
    ),
    Quirk(
        id="one-channel-stage",
        kind="mistake",
        sentence="The last decoder stage has one channel and a ReLU, and only then comes the head.",
        why="Probabilities are bounded on one side by the head's bias, and all detail passes through one channel.",
        applies=_has_one_channel_stage,
        change=_widen_last_stage,
        explains=(
            Explanation(
                what="The loss falls slowly, which the text puts down to underfitting.",
                source="Modells 2024/Copilot/model.py:18",
                pipelines=("github-copilot",),
            ),
        ),
    ),
    Quirk(
        id="no-skips",
        kind="mistake",
        sentence="No skip connects encoder and decoder.",
        why="It is no U-Net: detail that pooling removed does not come back.",
        applies=field_is("net.skips", "none"),
        change=set_to("net.skips", "add"),
    ),
    Quirk(
        id="unpooled-bottleneck",
        kind="mistake",
        sentence="Nothing is pooled between the last encoder block and the bottleneck.",
        why="The deepest block sees no more of the image than the one before it, and its map is twice too large.",
        applies=field_is("net.pool_last", False),
        change=set_to("net.pool_last", True),
    ),
    Quirk(
        id="centred-bottleneck",
        kind="mistake",
        sentence="The first up-sampled map is twice as large as its skip and is cut to its centre.",
        why="Map and skip show different places; three quarters of the deepest features never reach the decoder.",
        applies=lambda recipe: value_at(recipe, "net.mismatch") == "pad" and value_at(recipe, "net.pool_last") is False,
        change=set_to("net.mismatch", "resize"),
    ),
    Quirk(
        id="pooled-bottleneck",
        kind="mistake",
        sentence="The deepest map is pooled once more before it is decoded.",
        why="The output is half as large as the image, so boundaries are drawn at half resolution.",
        applies=field_is("net.pool_bottleneck", True),
        change=set_to("net.pool_bottleneck", False),
    ),
    Quirk(
        id="cropped-skips",
        kind="mistake",
        sentence="Skips twice as large as the map they join are cut to their top left quarter.",
        why="Skip and map show different places; three quarters of the image never reach the decoder through a skip.",
        applies=lambda recipe: (
            value_at(recipe, "net.mismatch") == "crop" and value_at(recipe, "net.pool_bottleneck") is True
        ),
        change=set_to("net.mismatch", "resize"),
    ),
    Quirk(
        id="skips-after-pooling",
        kind="mistake",
        sentence="Skips are taken after the pooling.",
        why="None has the image's resolution, and the output is half as large as the image.",
        applies=field_is("net.skip_from", "pooling"),
        change=set_to("net.skip_from", "block"),
    ),
)


def _validates_without_dice(recipe: Part) -> bool:
    return number_at(recipe, "loss.dice") > 0 and value_at(recipe, "loss.validation") == "cross-entropy"


LOSS_QUIRKS = (
    Quirk(
        id="double-sigmoid",
        kind="mistake",
        sentence="The network ends in a sigmoid and the loss applies another.",
        why="The loss sees values of 0.5 to 0.73 only: it stays near 0.69 on small objects, and gradients are weak.",
        applies=lambda recipe: _reads(recipe, "logits", "probability"),
        change=set_to("loss.reads", "probability"),
        explains=(
            Explanation(
                what="The loss cannot fall below about 0.69 on small objects, so the curve has a scale of its own.",
                source="Modells 2025/Grok 3 mini_reasoning/model.py:45 and "
                "Modells 2025/Grok 3 mini_reasoning/train.py:22",
                pipelines=("grok-3-mini",),
            ),
        ),
    ),
    Quirk(
        id="missing-sigmoid",
        kind="mistake",
        sentence="The network ends in logits and the loss reads them as probabilities.",
        why="A cross-entropy refuses values outside 0 to 1, and a Dice loss of them is no Dice.",
        applies=lambda recipe: _reads(recipe, "probability", "logits"),
        change=set_to("loss.reads", "logits"),
    ),
    Quirk(
        id="dice-added",
        kind="mistake",
        sentence="The loss adds the Dice coefficient itself, instead of one minus it.",
        why="It falls when prediction and mask overlap less, so training works against overlap.",
        applies=lambda recipe: (
            number_at(recipe, "loss.dice") > 0 and value_at(recipe, "loss.dice_term") == "coefficient"
        ),
        change=set_to("loss.dice_term", "loss"),
    ),
    Quirk(
        id="dice-in-training-only",
        kind="mistake",
        sentence="The training loss has a Dice term and the validation loss has none.",
        why="The two curves are not the same quantity.",
        applies=_validates_without_dice,
        change=set_to("loss.validation", "same"),
    ),
    Quirk(
        id="shrunk-masks",
        kind="mistake",
        sentence="The loss is taken on masks that are reduced to the size of the output.",
        why="The network learns from fewer pixels than the images have, and thin objects lose some of theirs.",
        applies=field_is("loss.sizes", "mask-to-output"),
        change=set_to("loss.sizes", "output-to-mask"),
    ),
    Quirk(
        id="targets-differ",
        kind="mistake",
        sentence="Masks are binary in the validation loss and grey in the training loss.",
        why="The two curves are not the same quantity.",
        applies=_targets_differ,
        change=set_to("loss.validation_threshold", None),
        explains=(
            Explanation(
                what="Training and validation losses are drawn side by side and cannot be compared.",
                source="Modells 2024/LLaMA 3.1_405B/train.py:81",
                pipelines=("llama-3.1-405b",),
            ),
        ),
    ),
)

FIT_QUIRKS = (
    Quirk(
        id="few-epochs",
        kind="choice",
        sentence=f"There are fewer than {FEWEST_EPOCHS} epochs, which is the least that any of the nineteen trains.",
        why="The training ends before those of others have learnt much.",
        applies=lambda recipe: number_at(recipe, "fit.epochs") < FEWEST_EPOCHS,
        change=set_to("fit.epochs", USUAL_EPOCHS),
    ),
    Quirk(
        id="best-weights-tested",
        kind="choice",
        sentence="The weights with the lowest validation loss are tested, not those of the last epoch.",
        why="It is an advantage over pipelines that test what they end with.",
        applies=field_is("fit.keep", "lowest-validation-loss"),
        change=set_to("fit.keep", "last"),
        explains=(
            Explanation(
                what="One of the nineteen was tested with its best weights, the others with their last.",
                source="Modells 2024/Claude 3.5 Sonnet/main.py:85",
                pipelines=("claude-3.5-sonnet",),
            ),
        ),
    ),
    Quirk(
        id="other-test-batch",
        kind="choice",
        sentence="Batches of the test have another size than those of the validation.",
        why="A value per batch then stands for another number of cases in either list.",
        applies=_tests_in_other_batches,
        change=set_to("fit.test_batch_size", None),
    ),
    Quirk(
        id="fixed-batches",
        kind="choice",
        sentence="Batches hold the same cases in every epoch.",
        why="Cases always meet the same others, so a Dice or a batch norm over them sees few mixtures.",
        applies=lambda recipe: number_at(recipe, "fit.fixed_batches") >= 1,
        change=set_to("fit.fixed_batches", None),
    ),
    Quirk(
        id="dropped-cases",
        kind="mistake",
        sentence="Batches that are short are left out, in validation and test, too.",
        why="Some cases are never trained on or never scored, where the order is fixed always the same ones.",
        applies=field_is("fit.drop_last", True),
        change=set_to("fit.drop_last", False),
    ),
    Quirk(
        id="shrunk-epoch-loss",
        kind="mistake",
        sentence="An epoch's loss is the sum of its batches' means over the number of cases.",
        why="It is smaller than the loss by about the batch size, and cannot be compared with that of others.",
        applies=field_is("fit.epoch_loss", "batches-over-cases"),
        change=set_to("fit.epoch_loss", "cases"),
    ),
    Quirk(
        id="unweighted-epoch-loss",
        kind="choice",
        sentence="An epoch's loss is the mean over batches.",
        why="A short last batch counts as much as a full one, in the curve and in whatever follows it.",
        applies=field_is("fit.epoch_loss", "batches"),
        change=set_to("fit.epoch_loss", "cases"),
    ),
)
