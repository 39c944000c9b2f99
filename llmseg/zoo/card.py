"""The card of a pipeline: who wrote it, what was published, what is known of its origin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Disagreement:
    """A point in which the study's document and the published code differ.

    Attributes:
        kind: ``document-against-code``; ``inside-document``, where two places of it contradict each other; or
            ``undocumented``, where it is silent and a reader would expect something else.
        about: The field that it is about: a path of the recipe, such as ``loss.dice_smooth``, or of the card, such as
            ``card.published.head``.
        published: What the document states.
        code: What the code does.
        consequence: What follows.
        source: Where a reader sees it: a file of the study's repository, mostly with the line
            (``Modells 2024/GPT4/train.py:16``), or a page of this package's documentation.

    Example:
        >>> from llmseg import zoo
        >>> [disagreement.about for disagreement in zoo.get("gpt-4").card.disagreements]
        ['net.decoder', 'score.threshold', 'images.mask_threshold']
    """

    kind: Literal["document-against-code", "inside-document", "undocumented"]
    about: str
    published: str
    code: str
    consequence: str
    source: str


@dataclass(frozen=True, kw_only=True)
class Published:
    """The pipeline's column of the study's network table, as printed; nothing here is corrected.

    Attributes:
        parameters: Parameter count.
        training_time: Training time; the data set is not stated for 2024, the spread not explained for 2025.
        batch_size: Batch size.
        epochs: Epochs.
        optimizer: Optimiser and rate.
        loss: Loss.
        image_size: Height and width; ``None`` for 2025, whose table has no such row (the text says 256x256).
        encoder_stages: Number of encoder stages.
        decoder_stages: Number of decoder stages.
        block: The repeated block.
        encoder: Encoder channels.
        bottleneck: Bottleneck.
        decoder: Decoder channels.
        head: Last layer.
    """

    parameters: str
    training_time: str
    batch_size: int
    epochs: int
    optimizer: str
    loss: str
    image_size: tuple[int, int] | None
    encoder_stages: int
    decoder_stages: int
    block: str
    encoder: tuple[int, ...]
    bottleneck: str
    decoder: tuple[int, ...]
    head: str


@dataclass(frozen=True, kw_only=True)
class Mend:
    """A point in which the code does not run as given, and how the recipe reads it.

    Attributes:
        fault: What fails.
        reading: What the recipe does instead.

    Example:
        >>> from llmseg import zoo
        >>> zoo.get("gpt-4o@tensorflow").card.mends[0].fault
        'the loss meets an output of 128x128 and a mask of 256x256'
    """

    fault: str
    reading: str


@dataclass(frozen=True, kw_only=True)
class Assumed:
    """A part or field of the recipe whose value is our choice, as neither code nor document states it.

    Attributes:
        path: Its dotted path, such as ``loss.reads``.
        reason: Why it has its value.

    Example:
        >>> from llmseg import zoo
        >>> [assumed.path for assumed in zoo.get("llama-3.1-405b@tensorflow").card.assumed]
        ['split', 'loss.reads']
    """

    path: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class FoundMistake:
    """A silent mistake that an admission found in the scripts; a recipe may have no field that says it.

    Attributes:
        id: The kind, one of :data:`llmseg.admission.CATALOGUE`.
        certainty: ``certain``: what was seen has no other explanation; ``likely``: somebody might have meant it.
        sentence: What the scripts do that makes it.
        place: Where, as ``file:line``; empty if that cannot be said.
        evidence: What was measured.

    Example:
        >>> FoundMistake(
        ...     id="fixed-order",
        ...     certainty="certain",
        ...     sentence="The training cases come in the same order in every epoch.",
        ...     place="train.py:41",
        ...     evidence="orders of 3 epochs",
        ... ).place
        'train.py:41'
    """

    id: str
    certainty: Literal["certain", "likely"]
    sentence: str
    place: str
    evidence: str


@dataclass(frozen=True, kw_only=True)
class Admitted:
    """How a pipeline from outside the package was admitted; see :func:`llmseg.admission.admit`.

    Attributes:
        date: The day, such as ``2026-03-01``.
        stage: The last stage that its scripts reached.
        prompt_version: Version of our prompt, as the scripts state it; ``None`` if they answer another prompt.
        edits: How much somebody would have had to change before the scripts ran.
        turns: How often the language model was told of an error.
        facts: What the scripts do, as far as it was seen: name and value each.
        findings: Silent mistakes that were found.

    Example:
        >>> from llmseg import zoo
        >>> zoo.load("admissions/my-llm").card.admitted.findings  # doctest: +SKIP
        ()
    """

    date: str
    stage: str
    prompt_version: int | None
    edits: int
    turns: int
    facts: tuple[tuple[str, str], ...]
    findings: tuple[FoundMistake, ...]


@dataclass(frozen=True, kw_only=True)
class Card:
    """Who wrote a pipeline, what the study published of it, and where document and code differ.

    Attributes:
        name: Name of the language model, or of the network of a reference.
        vendor: Who makes it.
        cohort: The year in which the study asked the model: 2024 or 2025; ``None`` for a reference, which experts
            wrote, and for an admitted pipeline.
        in_study: Whether it is one of the nineteen compared pipelines.
        reasoning: Whether the study counts it as a reasoning model; ``False`` outside the nineteen, where it does not
            say.
        open_weights: Whether the study's comparison table says that the weights are open; outside the nineteen, what
            it says of the vendor's model that is listed.
        parameters: Parameters counted on the network with one input channel.
        published: What the study printed of it; ``None`` for a pipeline outside the nineteen.
        scripts: Where its scripts are in the study's repository: a folder, or the file of a recorded answer; empty
            where there are none.
        published_for: The data set that the scripts were last edited for, in the state in which they are published.
        origin: How much of the code occurs in the conversation that is published beside it.
        author_edits: What the study's authors changed in the code, as far as that can be seen.
        disagreements: Where the study's document and the code differ.
        summary: The pipeline's network in a sentence.
        framework: What the scripts are written for. The study ran none of those for TensorFlow; it printed their
            settings.
        mends: Where the scripts do not run as given, and how the recipe reads them.
        assumed: The fields of the recipe that neither code nor document states.
        admitted: How it was admitted; ``None`` for the pipelines of the package.

    Example:
        >>> from llmseg import zoo
        >>> card = zoo.get("gpt-o3").card
        >>> card.vendor, card.cohort, card.parameters
        ('OpenAI', 2025, 7762465)
    """

    name: str
    vendor: str
    cohort: int | None
    in_study: bool = False
    reasoning: bool = False
    open_weights: bool = False
    parameters: int
    published: Published | None = None
    published_for: str
    scripts: str = ""
    origin: str
    author_edits: tuple[str, ...] = ()
    disagreements: tuple[Disagreement, ...] = ()
    summary: str
    framework: Literal["PyTorch", "TensorFlow"] = "PyTorch"
    mends: tuple[Mend, ...] = ()
    assumed: tuple[Assumed, ...] = ()
    admitted: Admitted | None = None

    @property
    def is_reference(self) -> bool:
        """Whether experts wrote it, for comparison."""
        return self.cohort is None and self.admitted is None
