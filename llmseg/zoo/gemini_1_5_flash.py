"""The pipeline that Gemini 1.5 Flash wrote."""

from __future__ import annotations

from llmseg.recipe.fit import Fit
from llmseg.recipe.nets.pooled_skip_unet import PooledSkipUNet
from llmseg.recipe.recipe import Recipe
from llmseg.recipe.scores import Dice
from llmseg.recipe.splits import RandomSplit
from llmseg.zoo.card import Card, Disagreement
from llmseg.zoo.common import BCE_ON_LOGITS, GREY_MASKS, original_names
from llmseg.zoo.pipeline import Pipeline

PIPELINE = Pipeline(
    id="gemini-1.5-flash",
    card=Card(
        name="Gemini 1.5 Flash",
        vendor="Google DeepMind",
        cohort=2024,
        in_study=False,
        reasoning=False,
        open_weights=False,
        parameters=16074209,
        summary=(
            "U-Net with five pooled blocks, skips after the pooling, a bare convolution as "
            "bottleneck; logits are resized to a fixed 256 x 256"
        ),
        published=None,
        published_for="BAGLS (never adapted to another data set)",
        origin="none published",
        author_edits=(
            (
                "the folder is named only after the vendor's model family; the study's error "
                "workbook lists the ninth 2024 model as Gemini 1.5 Flash"
            ),
            (
                "the error workbook names several manual fixes (missing return in the encoder "
                "block, file-name rules, transform call)"
            ),
        ),
        disagreements=(
            Disagreement(
                kind="undocumented",
                about="identity",
                published="eight 2024 models are named; this one is not among them",
                code="a ninth 2024 folder is published with the code",
                consequence="not part of the core comparison",
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
        net=PooledSkipUNet(
            encoder=(32, 64, 128, 256, 512),
            bottleneck=1024,
            decoder=(512, 256, 128, 64, 32),
            size=(256, 256),
            output="logits",
        ),
        loss=BCE_ON_LOGITS,
        fit=Fit(
            batch_size=16,
            test_batch_size=None,
            epochs=2,
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
        score=Dice(
            reads="sigmoid",
            threshold=0.5,
            over="batch",
            lists="epoch",
            smooth=1.0,
            smoothed="both",
            sizes="equal",
            mask_threshold=None,
        ),
        test=None,
    ),
    original_names=original_names(
        encoder="enc1 enc2 enc3 enc4 enc5",
        bottleneck="bottleneck",
        decoder="upconv5 upconv4 upconv3 upconv2 upconv1",
        head="final_conv",
    ),
)
