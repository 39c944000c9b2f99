"""The TensorFlow variants that the language models of Anthropic, Meta and Google wrote."""

from __future__ import annotations

from dataclasses import replace

from llmseg.recipe.recipe import Recipe
from llmseg.zoo import claude_3_5_sonnet, gemini_1_5_pro, llama_3_1_405b
from llmseg.zoo.card import Assumed, Mend
from llmseg.zoo.common import BILINEAR_MASKS, NEAREST_MASKS, SPLIT_80_10_10
from llmseg.zoo.disagreements import against_code, inside_document, undocumented
from llmseg.zoo.pipeline import Pipeline
from llmseg.zoo.tensorflow.common import (
    ANSWERS,
    BCE,
    KERAS_FIT,
    KERAS_UNET,
    LOADED_IMAGES,
    ONE_ANSWER,
    RELISTED,
    REMEMBERED_LOGITS,
    SOFT_DICE,
    tensorflow_card,
)

_TRAIN_SIZES = replace(SPLIT_80_10_10, first_size=0.8, sizes_are="train_size")
_DICE_CLAUDE = replace(SOFT_DICE, smooth=1e-06)

_CLAUDE_3_5_SONNET_ANSWER = f"{ANSWERS}/Claude chat_Tf.json"
CLAUDE_3_5_SONNET = Pipeline(
    id="claude-3.5-sonnet@tensorflow",
    card=tensorflow_card(
        claude_3_5_sonnet.PIPELINE,
        parameters=31_042_369,
        scripts=_CLAUDE_3_5_SONNET_ANSWER,
        summary="standard U-Net with batch norm, four poolings",
        disagreements=(
            undocumented(
                "card.parameters",
                published="none",
                code="prints 31,054,145 as trainable, which counts the statistics of the batch norms; 31,042,369 are",
                consequence="the printed count is not comparable with the PyTorch one",
                source=_CLAUDE_3_5_SONNET_ANSWER,
            ),
        ),
    ),
    recipe=Recipe(
        images=NEAREST_MASKS,
        split=_TRAIN_SIZES,
        net=replace(KERAS_UNET, norm="batch", concat="skip-first"),
        loss=replace(BCE, clipped="in-validation"),
        fit=KERAS_FIT,
        score=_DICE_CLAUDE,
        test=_DICE_CLAUDE,
    ),
    original_names=(),
)

_DICE_LLAMA = replace(SOFT_DICE, smooth=0.0)

_LLAMA_3_1_405B_ANSWER = f"{ANSWERS}/LLAMA chat_Tf.json"
LLAMA_3_1_405B = Pipeline(
    id="llama-3.1-405b@tensorflow",
    card=tensorflow_card(
        llama_3_1_405b.PIPELINE,
        parameters=7_846_081,
        scripts=_LLAMA_3_1_405B_ANSWER,
        summary="U-Net without norm at half the usual width (32 to 512), nearest up-sampling without convolutions",
        disagreements=(
            inside_document(
                "net.encoder",
                published="512 as a channel of the encoder and as the bottleneck",
                code="512 is the bottleneck only",
                consequence="the table counts one stage twice",
                source=_LLAMA_3_1_405B_ANSWER,
            ),
            against_code(
                "fit.rate",
                published="1e-4",
                code="1e-4 under a name that some versions of the library ignore; these train with 1e-3",
                consequence="the rate depends on the version; the recipe has the one that is written down",
                source=_LLAMA_3_1_405B_ANSWER,
            ),
        ),
        mends=(
            Mend(
                fault="one call of train_test_split is unpacked into three parts",
                reading="a second call halves what the first set apart: 80/10/10",
            ),
            Mend(fault="the dataset is indexed with a list, which it does not allow", reading="it gives those cases"),
            Mend(fault="main uses TensorFlow without importing it", reading="it is imported"),
            Mend(fault="a wrapper is used as if it were the Keras model", reading="the model it holds is used"),
            Mend(
                fault="images are opened with an argument that only Keras 2 has",
                reading="images are opened in grey, as it asks",
            ),
            Mend(
                fault="the rate is given under a name that Keras 3 refuses and some versions before it ignore",
                reading="the rate holds",
            ),
        ),
        assumed=(Assumed(path="split", reason="the call is invalid; see above"), REMEMBERED_LOGITS),
    ),
    recipe=Recipe(
        images=replace(LOADED_IMAGES, mask_threshold=None),
        split=SPLIT_80_10_10,
        net=replace(
            KERAS_UNET,
            encoder=(32, 64, 128, 256),
            bottleneck=512,
            decoder=(256, 128, 64, 32),
            up="nearest",
            concat="skip-first",
        ),
        loss=BCE,
        fit=replace(KERAS_FIT, batch_size=32, fixed_batches=1),
        score=replace(_DICE_LLAMA, lists="epoch"),
        test=_DICE_LLAMA,
    ),
    original_names=(),
)

_DICE_GEMINI = replace(SOFT_DICE, smooth=1e-07)

_GEMINI_1_5_PRO_ANSWER = f"{ANSWERS}/Gemini chat_Tf.json"
GEMINI_1_5_PRO = Pipeline(
    id="gemini-1.5-pro@tensorflow",
    card=tensorflow_card(
        gemini_1_5_pro.PIPELINE,
        parameters=7_696_193,
        scripts=_GEMINI_1_5_PRO_ANSWER,
        summary="U-Net without norm, three poolings, 64 to 512 channels",
        disagreements=(
            undocumented(
                "images",
                published="none in the listed values",
                code="cases are loaded with PyTorch, channels first",
                consequence="two frameworks are mixed, and their shapes do not fit",
                source=_GEMINI_1_5_PRO_ANSWER,
            ),
        ),
        origin=f"cut by the output limit and completed after a 'continue'; {ONE_ANSWER}",
        mends=(
            Mend(fault="PyTorch tensors, channels first, meet a Keras model, channels last", reading="they fit"),
            Mend(fault="file names are read as numbers", reading="cases are paired by name"),
        ),
        assumed=(RELISTED,),
    ),
    recipe=Recipe(
        images=replace(BILINEAR_MASKS, mask_threshold=0.0),
        split=replace(_TRAIN_SIZES, order="sorted"),
        net=replace(KERAS_UNET, encoder=(64, 128, 256), bottleneck=512, decoder=(256, 128, 64)),
        loss=replace(BCE, bce=0.0, dice=1.0, dice_smooth=1e-07),
        fit=replace(KERAS_FIT, epochs=25),
        score=_DICE_GEMINI,
        test=_DICE_GEMINI,
    ),
    original_names=(),
)

PIPELINES = (CLAUDE_3_5_SONNET, LLAMA_3_1_405B, GEMINI_1_5_PRO)
