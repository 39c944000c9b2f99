"""The pipeline that LLaMA 3.1 405B wrote."""

from __future__ import annotations

from llmseg.recipe.fit import Fit
from llmseg.recipe.losses import BCEDice
from llmseg.recipe.nets.encoder_decoder import UnpaddedEncoderDecoder
from llmseg.recipe.recipe import Recipe
from llmseg.recipe.scores import Dice
from llmseg.recipe.splits import RandomSplit
from llmseg.zoo.card import Card, Disagreement, Published
from llmseg.zoo.common import GREY_MASKS
from llmseg.zoo.pipeline import Pipeline

_DICE = Dice(
    reads="output",
    threshold=0.5,
    over="batch",
    lists="batch",
    smooth=0.0,
    smoothed="both",
    sizes="mask-to-output",
    mask_threshold=0.5,
)

PIPELINE = Pipeline(
    id="llama-3.1-405b",
    card=Card(
        name="LLaMA 3.1 405B",
        vendor="Meta",
        cohort=2024,
        in_study=True,
        reasoning=False,
        open_weights=True,
        parameters=533953,
        summary=(
            "three unpadded single convolutions with poolings and three transposed "
            "convolutions; no skips, no norm; output smaller than the input"
        ),
        published=Published(
            parameters="533,953",
            training_time="234.27 s",
            batch_size=32,
            epochs=10,
            optimizer="Adam (lr=0.001)",
            loss="BCELoss",
            image_size=(256, 256),
            encoder_stages=3,
            decoder_stages=3,
            block="Conv2d + ReLU",
            encoder=(64, 128, 256),
            bottleneck="256 channels",
            decoder=(256, 128, 64),
            head="Conv2d(64, 1, 1)",
        ),
        published_for="retina (other data sets as commented variants)",
        origin=("every statement of model.py, loss, optimiser, split and the training step occur in it"),
        author_edits=(
            "separate mask folder and per-data-set file-name rules",
            ("validation and test: masks binarised again after the resize; both-empty rule added"),
            "storing of Dice values",
            "loss figure, sample figure, timing, saving of the whole model",
        ),
        disagreements=(
            Disagreement(
                kind="document-against-code",
                about="architecture.head",
                published="Conv2d(64, 1, 1)",
                code="transposed convolution 64 to 1, kernel 2, stride 2",
                consequence="no 1x1 head; the last upsampling is the head",
            ),
            Disagreement(
                kind="document-against-code",
                about="architecture.decoder.stage_widths",
                published="256, 128, 64",
                code="128, 64, 1 (the published numbers are the inputs of the stages)",
                consequence="the parameter count of the table belongs to the code",
            ),
            Disagreement(
                kind="document-against-code",
                about="architecture.bottleneck",
                published="bottleneck layer with 256 channels",
                code="no bottleneck block",
                consequence="no processing at the lowest resolution",
            ),
            Disagreement(
                kind="undocumented",
                about="architecture.output.size_at_published_input",
                published="image size 256x256",
                code="output 240x240 because the convolutions are unpadded",
                consequence=(
                    "loss and Dice are computed on nearest-resized 240x240 masks; not the same "
                    "pixels as the other pipelines"
                ),
            ),
            Disagreement(
                kind="undocumented",
                about="architecture.skip",
                published="called a U-Net",
                code="no skip connections, no decoder convolutions",
                consequence="not a U-Net",
            ),
            Disagreement(
                kind="undocumented",
                about="objective.train_validation_difference",
                published="training and validation losses are compared",
                code="training targets are grey, validation targets binary",
                consequence="the two curves are not the same quantity",
            ),
            Disagreement(
                kind="undocumented",
                about="split.seeded",
                published="only 'different methods' for the split are mentioned",
                code="unseeded split",
                consequence="the test part changes from run to run; published values cannot be re-derived",
            ),
        ),
    ),
    recipe=Recipe(
        images=GREY_MASKS,
        split=RandomSplit(
            calls="once",
            train=0.8,
            validation=0.1,
        ),
        net=UnpaddedEncoderDecoder(
            encoder=(64, 128, 256),
            decoder=(128, 64, 1),
            output="probability",
        ),
        loss=BCEDice(
            bce=1.0,
            dice=0.0,
            reads="probability",
            dice_over="batch",
            dice_smooth=1.0,
            sizes="mask-to-output",
            validation_threshold=0.5,
        ),
        fit=Fit(
            batch_size=32,
            test_batch_size=None,
            epochs=10,
            fixed_batches=None,
            drop_last=False,
            optimizer="adam",
            rate=0.001,
            decay=0.0,
            schedule=None,
            average=None,
            augment=None,
            keep="last",
            epoch_loss="batches",
            own_seed=None,
        ),
        score=_DICE,
        test=_DICE,
    ),
    original_names=(("encoder", "encoder"), ("decoder", "decoder")),
)
