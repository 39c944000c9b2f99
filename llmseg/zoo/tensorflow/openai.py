"""The TensorFlow variants that OpenAI's language models wrote."""

from __future__ import annotations

from dataclasses import replace

from llmseg.recipe.losses import KerasBCEDice
from llmseg.recipe.recipe import Recipe
from llmseg.recipe.scores import MeanIoU
from llmseg.recipe.splits import WholeSplit
from llmseg.zoo import gpt_4, gpt_4o, gpt_o1_preview
from llmseg.zoo.card import Assumed, Mend
from llmseg.zoo.common import SPLIT_80_10_10
from llmseg.zoo.disagreements import against_code, undocumented
from llmseg.zoo.pipeline import Pipeline
from llmseg.zoo.tensorflow.common import (
    ANSWERS,
    BCE,
    DECODED_GREY,
    KERAS_FIT,
    KERAS_UNET,
    LOADED_IMAGES,
    RELISTED,
    REMEMBERED_LOGITS,
    SOFT_DICE,
    TENSORFLOW_IMAGES,
    TEST_FIRST,
    tensorflow_card,
)

_TABLE_ONLY = "the study's table says so, the answer holds no layers"
_TEXTBOOK = "textbook value: neither the answer nor the table says"

_GPT_4_ANSWER = f"{ANSWERS}/GPT4 chat_Tf.json"
GPT_4 = Pipeline(
    id="gpt-4@tensorflow",
    card=tensorflow_card(
        gpt_4.PIPELINE,
        parameters=23_197_569,
        scripts=_GPT_4_ANSWER,
        summary="unknown: the answer leaves the layers out; here a U-Net with the channels of the study's table",
        disagreements=(
            against_code(
                "net",
                published="channels of encoder and decoder, kind of block, number of stages",
                code="no layers at all",
                consequence="these values have no source in the code",
                source=_GPT_4_ANSWER,
            ),
        ),
        mends=(
            Mend(
                fault="the model is a placeholder: no encoder or decoder, a head on a tensor that does not exist",
                reading="the channels of the study's table in a textbook U-Net",
            ),
            Mend(
                fault="the generator gets the folder's name as bytes and compares names as bytes with text",
                reading="images and masks are paired by name",
            ),
        ),
        assumed=(
            *(Assumed(path=f"net.{name}", reason=_TABLE_ONLY) for name in ("encoder", "decoder", "norm")),
            *(
                Assumed(path=f"net.{name}", reason=_TEXTBOOK)
                for name in ("bottleneck", "up", "join", "concat", "skip_from", "dropout", "narrow")
            ),
            Assumed(path="score.lists", reason="Keras counts pixels over the epoch; here the mean of the batches"),
            REMEMBERED_LOGITS,
            DECODED_GREY,
        ),
    ),
    recipe=Recipe(
        images=replace(TENSORFLOW_IMAGES, mask_threshold=127 / 255),
        split=WholeSplit(held_out=0.0, seed=42),
        net=replace(KERAS_UNET, decoder=(256, 128, 64, 32)),
        loss=BCE,
        fit=replace(KERAS_FIT, batch_size=32, fixed_batches=1, rate=0.001, epoch_loss="cases"),
        score=MeanIoU(
            measure="mean-iou", reads="sigmoid", prediction="truncated", mask="truncated", over="batch", lists="epoch"
        ),
        test=None,
    ),
    original_names=(),
)

_DICE_4O = replace(SOFT_DICE, reads="output", sizes="output-to-mask")
_HALF_SIZE = "the network's output has half the size of the masks, for which the answer has no rule"

_GPT_4O_ANSWER = f"{ANSWERS}/GPT 4o chat_Tf.json"
GPT_4O = Pipeline(
    id="gpt-4o@tensorflow",
    card=tensorflow_card(
        gpt_4o.PIPELINE,
        parameters=29_804_481,
        scripts=_GPT_4O_ANSWER,
        summary=(
            "U-Net-like: pooling ends every block, the bottleneck's too, skips are pooled and joined after the stages; "
            "3x3 transposed convolutions; batch norm; the output is half the input size"
        ),
        disagreements=(
            against_code(
                "loss.dice_term",
                published="binary cross-entropy + Dice loss",
                code="the Dice coefficient itself is added",
                consequence="it has the wrong sign: training works against overlap",
                source=_GPT_4O_ANSWER,
            ),
            undocumented(
                "net.skip_from",
                published="four stages down and up, blocks of two convolutions",
                code="pooling sits inside the blocks of encoder and bottleneck",
                consequence="the output has half the input size",
                source=_GPT_4O_ANSWER,
            ),
        ),
        mends=(
            Mend(
                fault="the loss meets an output of 128x128 and a mask of 256x256",
                reading="the probabilities are enlarged to the mask, as in the model's PyTorch pipeline",
            ),
            Mend(
                fault="the loss figure is asked for with loaders instead of losses", reading="it is drawn of the losses"
            ),
        ),
        assumed=(
            Assumed(path="loss.sizes", reason=_HALF_SIZE),
            Assumed(path="score.sizes", reason=_HALF_SIZE),
            Assumed(path="loss.clipped", reason="enlarged probabilities are not the very output of a sigmoid"),
        ),
    ),
    recipe=Recipe(
        images=LOADED_IMAGES,
        split=SPLIT_80_10_10,
        net=replace(
            KERAS_UNET, norm="batch", up="transposed-3x3", join="after-stage", skip_from="pooling", output="probability"
        ),
        loss=KerasBCEDice(
            bce=1.0,
            dice=1.0,
            dice_term="coefficient",
            dice_smooth=1.0,
            validation="cross-entropy",
            reads="probability",
            clipped="always",
            sizes="output-to-mask",
        ),
        fit=replace(KERAS_FIT, fixed_batches=1, drop_last=True, rate=0.001, epoch_loss="cases"),
        score=_DICE_4O,
        test=None,
    ),
    original_names=(),
)

_GPT_O1_PREVIEW_ANSWER = f"{ANSWERS}/GPT o1 preview chat_Tf.json"
GPT_O1_PREVIEW = Pipeline(
    id="gpt-o1-preview@tensorflow",
    card=tensorflow_card(
        gpt_o1_preview.PIPELINE,
        parameters=31_031_685,
        scripts=_GPT_O1_PREVIEW_ANSWER,
        summary=(
            "U-Net without norm, nearest up-sampling with 2x2 convolutions, dropout at the two deepest blocks, a "
            "convolution to two channels before the head"
        ),
        disagreements=(
            undocumented(
                "net",
                published="blocks, bottleneck and head",
                code="two dropout layers, 2x2 convolutions after up-sampling, a 2-channel convolution before the head",
                consequence="the network cannot be built from the table",
                source=_GPT_O1_PREVIEW_ANSWER,
            ),
            against_code(
                "split.second_size",
                published="80/10/10 for all models",
                code="70/10/20",
                consequence="less to train on, and other test cases",
                source=_GPT_O1_PREVIEW_ANSWER,
            ),
        ),
        assumed=(REMEMBERED_LOGITS, DECODED_GREY, RELISTED),
    ),
    recipe=Recipe(
        images=TENSORFLOW_IMAGES,
        split=replace(TEST_FIRST, second_size=0.125, order="sorted"),
        net=replace(KERAS_UNET, up="nearest-2x2", concat="skip-first", dropout=0.5, narrow=2),
        loss=replace(BCE, dice=1.0),
        fit=replace(KERAS_FIT, epochs=10, rate=0.001, epoch_loss="cases"),
        score=SOFT_DICE,
        test=SOFT_DICE,
    ),
    original_names=(),
)

PIPELINES = (GPT_4, GPT_4O, GPT_O1_PREVIEW)
