"""References: networks that experts wrote, trained by one recipe that experts would use, to compare the zoo with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from llmseg.recipe.augment import Augment
from llmseg.recipe.fit import Cosine
from llmseg.recipe.nets.net import Net
from llmseg.recipe.nets.references import BasicUNet, DynUNet, PlainConvUNet, TimmUNet
from llmseg.recipe.recipe import Recipe
from llmseg.zoo.card import Card
from llmseg.zoo.common import BCE_ON_LOGITS, TEXTBOOK
from llmseg.zoo.pipeline import Pipeline

AUGMENT = Augment(**Augment.USUAL)


def _recipe(net: Net) -> Recipe:
    """Return the recipe that all references share; its data, split and scores are those of the textbook."""
    return replace(
        TEXTBOOK,
        net=net,
        loss=replace(BCE_ON_LOGITS, dice=1.0),
        fit=replace(
            TEXTBOOK.fit,
            epochs=100,
            optimizer="adamw",
            rate=1e-3,
            decay=1e-2,
            schedule=Cosine(warmup=5, final=0.0),
            average=0.999,
            augment=AUGMENT,
        ),
    )


def _card(name: str, vendor: str, parameters: int, summary: str) -> Card:
    return Card(
        name=name,
        vendor=vendor,
        cohort=None,
        parameters=parameters,
        published_for="none",
        origin="the network is the named library's; the recipe is this library's, the same for all references",
        summary=summary,
    )


def _own_names(blocks: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Return pairs of equal names: the weights keep those that the library gives them."""
    return tuple((block, block) for block in blocks)


MONAI_BASIC_UNET = Pipeline(
    id="monai-basic-unet",
    card=_card(
        "BasicUNet",
        "MONAI",
        1978433,
        "U-Net of double convolutions with instance norm and leaky ReLU, four poolings, transposed convolutions",
    ),
    recipe=_recipe(
        BasicUNet(features=(32, 32, 64, 128, 256, 32), norm="instance", dropout=0.0, output="logits"),
    ),
    original_names=_own_names(
        ["conv_0", "down_1", "down_2", "down_3", "down_4", "upcat_4", "upcat_3", "upcat_2", "upcat_1", "final_conv"]
    ),
)

MONAI_DYNUNET = Pipeline(
    id="monai-dynunet",
    card=_card(
        "DynUNet",
        "MONAI",
        21050401,
        "residual blocks with instance norm and leaky ReLU at six sizes, strided and transposed convolutions",
    ),
    recipe=_recipe(
        DynUNet(filters=(32, 64, 128, 256, 512, 512), norm="instance", residual=True, output="logits"),
    ),
    original_names=_own_names(["skip_layers", "output_block"]),
)

NNUNET_PLAIN_UNET = Pipeline(
    id="nnunet-plain-unet",
    card=_card(
        "PlainConvUNet",
        "nnU-Net",
        33468833,
        "what nnU-Net v2 plans for 256 x 256: two convolutions with instance norm and leaky ReLU at seven sizes",
    ),
    recipe=_recipe(
        PlainConvUNet(features=(32, 64, 128, 256, 512, 512, 512), convolutions=2, output="logits"),
    ),
    original_names=_own_names(["encoder", "decoder"]),
)

TIMM_RESNET34_UNET = Pipeline(
    id="timm-resnet34-unet",
    card=_card(
        "ResNet-34 U-Net",
        "timm",
        24429969,
        "ResNet-34 as encoder, five decoder stages of two convolutions with batch norm and ReLU",
    ),
    recipe=_recipe(
        TimmUNet(encoder="resnet34", pretrained=False, decoder=(256, 128, 64, 32, 16), output="logits"),
    ),
    original_names=_own_names(["encoder", "decoder", "head"]),
)
