"""Points in which the study's document and its scripts differ: the three kinds, and what several entries share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from llmseg.zoo.card import Disagreement


def against_code(about: str, *, published: str, code: str, consequence: str, source: str) -> Disagreement:
    """Return a point in which the study's document says something else than the code does."""
    return _disagreement("document-against-code", about, published, code, consequence, source)


def undocumented(about: str, *, published: str, code: str, consequence: str, source: str) -> Disagreement:
    """Return a point of which the document is silent, and a reader would expect something else."""
    return _disagreement("undocumented", about, published, code, consequence, source)


def inside_document(about: str, *, published: str, code: str, consequence: str, source: str) -> Disagreement:
    """Return a point in which two places of the document contradict each other."""
    return _disagreement("inside-document", about, published, code, consequence, source)


def _disagreement(
    kind: Literal["document-against-code", "inside-document", "undocumented"],
    about: str,
    published: str,
    code: str,
    consequence: str,
    source: str,
) -> Disagreement:
    return Disagreement(kind=kind, about=about, published=published, code=code, consequence=consequence, source=source)


def located_in(scripts: str, disagreements: Sequence[Disagreement]) -> tuple[Disagreement, ...]:
    """Return disagreements with sources from the root of the study's repository.

    Args:
        scripts: The folder of the pipeline's scripts.
        disagreements: With sources within that folder, such as ``train.py:16``; pages of our documentation stay.
    """
    return tuple(
        point if point.source.startswith("docs/") else replace(point, source=f"{scripts}/{point.source}")
        for point in disagreements
    )


def openness(model: str, *, text: str, table: str) -> Disagreement:
    """Return that the document's running text and its comparison table differ on whether the weights are open.

    Args:
        model: Name of the language model.
        text: How the running text lists it.
        table: What the table says.
    """
    return inside_document(
        "card.open_weights",
        published=f"the running text lists {model} {text}; the comparison table says open source: {table}",
        code="not decidable from the code",
        consequence="the card follows the table",
        source="docs/explanation/disagreements.md",
    )


def other_range(source: str) -> Disagreement:
    """Return that images are not in the range that the document states."""
    return against_code(
        "images.mean",
        published="the preprocessing text says that all images were normalised to [0, 1]",
        code="mean 0.5 and std 0.5 are applied, range [-1, 1]",
        consequence="another input scale than stated",
        source=source,
    )


def other_capacity(
    code: str, source: str, consequence: str = "the stated link of capacity and reasoning does not hold for this model"
) -> Disagreement:
    """Return that a network's size is not what the document says of models that reason, or do not."""
    return against_code(
        "card.reasoning",
        published="the closing comparison says that reasoning models settled on 1024-channel bottlenecks with about "
        "31 M parameters and that lighter non-reasoning variants used 512-channel bottlenecks with about 7-8 M",
        code=code,
        consequence=consequence,
        source=source,
    )


def unprinted_sigmoid(source: str) -> Disagreement:
    """Return that the document's table leaves out the sigmoid in which the network ends."""
    return against_code(
        "net.output",
        published="final layer Conv2d (64 -> 1), without the '+ Sigmoid' that other columns print",
        code="the model ends in a sigmoid and returns probabilities",
        consequence="whoever follows the table treats the output as logits and applies a second sigmoid",
        source=source,
    )


def other_decoder(code: str, source: str, consequence: str, published: str = "512, 256, 128, 64") -> Disagreement:
    """Return that the stages of the decoder give other numbers of channels than the document's table lists."""
    return against_code("net.decoder", published=published, code=code, consequence=consequence, source=source)


def no_bottleneck(channels: int, source: str, code: str = "no bottleneck block") -> Disagreement:
    """Return that the network has nothing of what the document calls its bottleneck of so many channels."""
    return against_code(
        "card.published.bottleneck",
        published=f"bottleneck layer with {channels} channels",
        code=code,
        consequence="no processing at the lowest resolution",
        source=source,
    )


def large_test_split(source: str) -> Disagreement:
    """Return that a fifth of the cases, not a tenth, are test cases."""
    return against_code(
        "split.first_size",
        published="every data set is said to be split 80 % / 10 % / 10 %",
        code="70 % / 10 % / 20 %",
        consequence="less training data and twice the test data of the other pipelines; with the same listing the test "
        "part is exactly family A's validation plus test parts, and the validation part lies inside family A's "
        "training part",
        source=source,
    )


def colour_images(parameters: str, source: str) -> Disagreement:
    """Return that the published scripts read images in colour; ``parameters`` counts those of that network."""
    return undocumented(
        "images.colour",
        published="grey-scale task for all models",
        code=f"the published state reads RGB and has 3 input channels ({parameters} parameters)",
        consequence="on skin data two of the 19 pipelines see colour, the others (as far as published) grey",
        source=source,
    )


def samples_of_all_cases(source: str) -> Disagreement:
    """Return that the figure of test cases shows cases of the whole data set."""
    return undocumented(
        "test",
        published="sample figure of the test set asked for",
        code="samples are drawn from the whole data set",
        consequence="the figure may show training images",
        source=source,
    )


def soft_dice(
    source: str,
    consequence: str = "not comparable with the thresholded pipelines",
    code: str = "soft Dice: probabilities are used without a threshold",
) -> Disagreement:
    """Return that what is called Dice score is not taken of a mask, but of probabilities."""
    return undocumented(
        "score.threshold",
        published="Dice score, no threshold given",
        code=code,
        consequence=consequence,
        source=source,
    )


def enlarged_masks(source: str) -> Disagreement:
    """Return that a mask is foreground wherever resizing left anything of it."""
    return undocumented(
        "images.mask_threshold",
        published="not mentioned",
        code="foreground = any value above 0 after a bilinear resize",
        consequence="targets are slightly enlarged",
        source=source,
    )
