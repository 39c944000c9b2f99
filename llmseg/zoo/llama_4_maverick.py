"""The pipeline that LLaMA 4 Maverick wrote."""

from __future__ import annotations

from dataclasses import replace

from llmseg.recipe.recipe import Recipe
from llmseg.zoo import common
from llmseg.zoo.disagreements import inside_document, other_capacity, other_range, undocumented

_DICE = replace(common.DICE_MEAN_OF_BATCH, smooth=1e-5)

PIPELINE = common.study_pipeline(
    "llama-4-maverick",
    name="LLaMA 4 Maverick",
    vendor="Meta",
    cohort=2025,
    reasoning=True,
    open_weights=True,
    parameters=7_701_825,
    scripts="Modells 2025/Llama 4 Maverick",
    summary="U-Net with three poolings, batch norm and a sigmoid output; the fourth encoder block is the bottleneck",
    published_for="retina",
    origin="loss, metric, optimiser, split and training functions occur in it; the published model does not: the "
    "conversation gives a four-level U-Net with bilinear upsampling (align_corners true), widths 64, 128, 256, 512, "
    "bottleneck 512, decoder outputs 256, 128, 64, 64, skips joined as [skip, upsampled] with zero padding, sigmoid "
    "output, 13,394,177 parameters",
    author_edits=(
        "the model script is byte-identical to the one of qwen-3-235b-no-thinking",
        "file extension, mask folder and mask name",
    ),
    disagreements=(
        undocumented(
            "card.origin",
            published="the architecture is presented as LLaMA 4 Maverick's own",
            code="the model script is byte-identical to that of the Qwen run without thinking; the conversation "
            "recorded for LLaMA 4 contains another model (four levels, bilinear, 13,394,177 parameters)",
            consequence="as far as the published scripts, the cache files and the table's 7.7 M show, the published "
            "results belong to another language model's architecture with LLaMA 4's training code",
            source="Llama 4 chat.json",
        ),
        other_range("dataset.py:17"),
        inside_document(
            "card.published.encoder_stages",
            published="table: 4 encoder stages; text: three stages",
            code="three poolings, the fourth block is the bottleneck",
            consequence="both wordings describe the same code",
            source="model.py:24",
        ),
        other_capacity(code="counted as reasoning, 512-channel bottleneck, 7.70 M parameters", source="model.py:24"),
    ),
    recipe=Recipe(
        images=replace(common.BILINEAR_MASKS, mean=0.5, std=0.5),
        split=common.SPLIT_80_10_10,
        net=common.UNET_OF_THREE_POOLINGS,
        loss=common.BCE_ON_PROBABILITY,
        fit=replace(common.FIT, batch_size=32, epochs=10, rate=1e-3, epoch_loss="batches"),
        score=_DICE,
        test=_DICE,
    ),
    original_names=common.original_names(
        encoder="down1 down2 down3",
        bottleneck="down4",
        up="up3 up2 up1",
        decoder="up_conv3 up_conv2 up_conv1",
        head="final_conv",
    ),
)
