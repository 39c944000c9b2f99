"""The TensorFlow variants that the two Copilots wrote."""

from __future__ import annotations

from dataclasses import replace

from llmseg.recipe.recipe import Recipe
from llmseg.recipe.scores import MeanIoU
from llmseg.zoo import bing_copilot, github_copilot
from llmseg.zoo.card import Assumed, Mend
from llmseg.zoo.disagreements import against_code, undocumented
from llmseg.zoo.pipeline import Pipeline
from llmseg.zoo.tensorflow.common import (
    ANSWERS,
    BCE,
    DECODED_GREY,
    KERAS_FIT,
    KERAS_UNET,
    LOADED_IMAGES,
    REMEMBERED_LOGITS,
    SOFT_DICE,
    TENSORFLOW_IMAGES,
    TEST_FIRST,
    tensorflow_card,
)

_GITHUB_COPILOT_ANSWER = f"{ANSWERS}/Copilot chat_Tf.json"
GITHUB_COPILOT = Pipeline(
    id="github-copilot@tensorflow",
    card=tensorflow_card(
        github_copilot.PIPELINE,
        parameters=31_030_593,
        scripts=_GITHUB_COPILOT_ANSWER,
        summary="standard U-Net without norm, four poolings, images of 128x128",
        disagreements=(
            against_code(
                "fit.epochs",
                published="25",
                code="50",
                consequence="the recipe follows the code",
                source=_GITHUB_COPILOT_ANSWER,
            ),
            against_code(
                "net.bottleneck",
                published="512 channels",
                code="1024",
                consequence="four times the parameters of the bottleneck",
                source=_GITHUB_COPILOT_ANSWER,
            ),
            against_code(
                "net.norm",
                published="convolution blocks with BatchNorm",
                code="none",
                consequence="the count of variants with batch norm is wrong",
                source=_GITHUB_COPILOT_ANSWER,
            ),
            against_code(
                "card.published",
                published="twelve entries that repeat the PyTorch column of the same model, a PyTorch head included",
                code="another network and another number of epochs",
                consequence="the column does not describe the TensorFlow code",
                source=_GITHUB_COPILOT_ANSWER,
            ),
        ),
        mends=(
            Mend(
                fault="with images and masks in one folder, as requested, masks are listed as images, too",
                reading="masks are told from images by name",
            ),
            Mend(
                fault="main fails after the training, as a library it draws with is not imported there",
                reading="the figure is drawn",
            ),
        ),
        assumed=(REMEMBERED_LOGITS,),
    ),
    recipe=Recipe(
        images=replace(LOADED_IMAGES, size=(128, 128)),
        split=TEST_FIRST,
        net=KERAS_UNET,
        loss=BCE,
        fit=replace(KERAS_FIT, fixed_batches=100),
        score=SOFT_DICE,
        test=None,
    ),
    original_names=(),
)

_MEAN_IOU = MeanIoU(
    measure="mean-iou", reads="sigmoid", prediction="rounded", mask="truncated", over="batch", lists="batch"
)

_BING_COPILOT_ANSWER = f"{ANSWERS}/Bing copilot chat_Tf.json"
BING_COPILOT = Pipeline(
    id="bing-copilot@tensorflow",
    card=tensorflow_card(
        bing_copilot.PIPELINE,
        parameters=31_042_369,
        scripts=_BING_COPILOT_ANSWER,
        summary="standard U-Net with batch norm, four poolings",
        disagreements=(
            undocumented(
                "score",
                published="none in the listed values",
                code="what is called Dice is Keras's MeanIoU, and masks are not binarised",
                consequence="no Dice is ever computed",
                source=_BING_COPILOT_ANSWER,
            ),
        ),
        origin="one answer after a 'continue', which breaks off inside main; no sign of execution is recorded",
        mends=(
            Mend(
                fault="main breaks off after the validation dataset: no test dataset, no compilation, no training call",
                reading="training, validation and test by the functions that the other files define",
            ),
            Mend(fault="main imports the compiling function from the wrong file", reading="it is the one defined"),
            Mend(
                fault="a list of pairs, turned back into a dataset, gives one joint tensor",
                reading="images and masks stay pairs",
            ),
        ),
        assumed=(
            Assumed(path="fit.fixed_batches", reason="no shuffling is visible in what is left of the code"),
            Assumed(path="test", reason="the function is there, its call is in the missing part"),
            REMEMBERED_LOGITS,
            DECODED_GREY,
        ),
    ),
    recipe=Recipe(
        images=replace(TENSORFLOW_IMAGES, mask_threshold=None),
        split=TEST_FIRST,
        net=replace(KERAS_UNET, norm="batch"),
        loss=BCE,
        fit=replace(KERAS_FIT, batch_size=8, epochs=20, fixed_batches=1, epoch_loss="batches-over-cases"),
        score=_MEAN_IOU,
        test=_MEAN_IOU,
    ),
    original_names=(),
)

PIPELINES = (GITHUB_COPILOT, BING_COPILOT)
