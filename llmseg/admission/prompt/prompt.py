"""The prompt: a text that asks a language model for a pipeline, and the line by which its answer is traced back."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from llmseg.admission.prompt.requirements import REQUIREMENTS, Requirement
from llmseg.errors import UserError, nearest

PROMPT_VERSION = 1
"""Part of the stamp; raise it with any change of the text."""

ENDINGS = ("png", "jpg", "jpeg", "bmp", "tif", "tiff")

FRAMEWORKS: dict[str, dict[str, str]] = {
    "pytorch": {
        "framework": "PyTorch",
        "dataset_class": "torch.utils.data.Dataset",
        "loader": "data loader",
        "weights": "two files that end in .pth: the whole model, and its state dictionary alone",
        "summary": "torchinfo",
    },
    "keras": {
        "framework": "Keras",
        "dataset_class": "keras.utils.PyDataset",
        "loader": "dataset object",
        "weights": "two files: the whole model as .keras, and its weights alone as .weights.h5",
        "summary": "model.summary()",
    },
}
"""The frameworks that a prompt may ask for, and what the requirements say for each."""

_CHANNEL_WORDS = {1: "one channel (grey)", 3: "three channels (RGB)"}
_STAMP = re.compile(
    r"llmseg prompt (\d{1,6}): framework=(\w+) channels=(\d) size=(\d{1,5}|free) names=([^\n]{1,200}?) "
    r"text=([0-9a-f]{12})"
)


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """A prompt for a segmentation pipeline.

    Attributes:
        framework: One of :data:`FRAMEWORKS`.
        channels: Channels of the images: 1 for grey, 3 for RGB.
        size: Height and width to which images are resized, in pixels: a multiple of 16 from 32 to 2048. ``None``
            leaves it to the language model.
        names: Patterns for the names of images and of masks, with a comma between. Each has one star, which stands
            for the same text in both, and one of the endings :data:`ENDINGS`.

    Raises:
        UserError: One of them is not allowed.

    Example:
        >>> prompt = Prompt(channels=3, names="*.jpg,*_mask.png")
        >>> prompt.stamp.rpartition(" ")[0]
        'llmseg prompt 1: framework=pytorch channels=3 size=free names=*.jpg,*_mask.png'
        >>> prompt.stamp in prompt.text
        True
    """

    framework: str = "pytorch"
    channels: int = 1
    size: int | None = None
    names: str = "*.png,*_seg.png"

    def __post_init__(self) -> None:
        if self.framework not in FRAMEWORKS:
            hint = nearest(self.framework, FRAMEWORKS)
            raise UserError(f"framework '{self.framework}': must be one of {', '.join(FRAMEWORKS)}{hint}")
        if self.channels not in _CHANNEL_WORDS:
            raise UserError(f"{self.channels} channels: must be 1 for grey or 3 for RGB")
        if self.size is not None and (self.size % 16 or not 32 <= self.size <= 2048):
            raise UserError(f"size {self.size}: must be a multiple of 16 from 32 to 2048, such as 256")
        _check_names(self.names)

    @property
    def image_names(self) -> str:
        """The pattern for names of images."""
        return self.names.split(",")[0]

    @property
    def mask_names(self) -> str:
        """The pattern for names of masks."""
        return self.names.split(",")[1]

    @property
    def requirements(self) -> tuple[Requirement, ...]:
        """The 36 requirements as this prompt words them."""
        words = {
            **FRAMEWORKS[self.framework],
            "image_names": self.image_names,
            "mask_names": self.mask_names,
            "channel_words": _CHANNEL_WORDS[self.channels],
            "size_words": "" if self.size is None else f", {self.size} by {self.size} pixels",
            "size_choice": " image size," if self.size is None else "",
        }
        return tuple(replace(each, text=each.text.format(**words)) for each in REQUIREMENTS)

    @property
    def stamp(self) -> str:
        """A line with the version, the parameters and a digest of the text.

        The prompt asks for it as the first comment in ``main.py``; :func:`find_prompt` reads it there.
        """
        parameters = f"framework={self.framework} channels={self.channels} size={self.size or 'free'}"
        digest = hashlib.sha256(self._text("").encode()).hexdigest()[:12]
        return f"llmseg prompt {PROMPT_VERSION}: {parameters} names={self.names} text={digest}"

    @property
    def text(self) -> str:
        """What is given to the language model."""
        return self._text(self.stamp)

    def _text(self, stamp: str) -> str:
        sections = [
            f"## {section}\n\n" + "\n".join(f"{each.number}. {each.text}" for each in group)
            for section, group in itertools.groupby(self.requirements, lambda each: each.section)
        ]
        return _FRAME.format(
            framework=FRAMEWORKS[self.framework]["framework"],
            image=self.image_names.replace("*", "12"),
            mask=self.mask_names.replace("*", "12"),
            colour={1: "Images are grey", 3: "Images are in colour (RGB)"}[self.channels],
            requirements="\n\n".join(sections),
            stamp=stamp,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return version, parameters, stamp, text and requirements as values that JSON can hold."""
        return {
            "version": PROMPT_VERSION,
            "framework": self.framework,
            "channels": self.channels,
            "size": self.size,
            "names": self.names,
            "stamp": self.stamp,
            "text": self.text,
            "requirements": [vars(each) for each in self.requirements],
        }


_FRAME = """\
You are an experienced developer of deep-learning software for medical images.

# Task

Write a {framework} program that trains, validates and tests a U-Net. The network segments one structure in \
two-dimensional medical images: it says of every pixel whether it is foreground or background. A researcher will \
run your program on a \
computer without display and without internet, and will edit nothing but the paths. It has to work the first time.

# Data

- Images lie in one folder and masks in another, some hundred to some thousand of each. The image {image} has \
the mask {mask}.
- {colour}, 8 bits per channel. Their sizes may differ.
- Masks have the size of their image. Pixels are 0 for background and 255 for foreground. The foreground is often small.

# Requirements

{requirements}

# Answer

Give the four files in full, each in a code block of its own below its name. Leave nothing out and leave nothing to be \
filled in. The first line of main.py is this comment, unchanged:

# {stamp}

Before you answer, go through the requirements one by one, and correct the program where it does not meet one.
"""


def _check_names(names: str) -> None:
    patterns = names.split(",")
    allowed = re.compile(rf"[\w .()-]*\*[\w .()-]*\.(?:{'|'.join(ENDINGS)})", re.IGNORECASE)
    if len(names) > 200 or len(patterns) != 2 or not all(allowed.fullmatch(pattern) for pattern in patterns):
        raise UserError(
            f"names '{names[:80]}': give a pattern for images and one for masks, with a comma between, each with one "
            f"star and one of the endings {', '.join(ENDINGS)}, such as *.png,*_seg.png"
        )


@dataclass(frozen=True)
class TracedPrompt:
    """The prompt that a text says it answers.

    Attributes:
        prompt: The prompt.
        version: The version that is stated.
        is_current: Whether this version of the library writes that prompt, to the letter.
    """

    prompt: Prompt
    version: int
    is_current: bool


def find_prompt(texts: Iterable[str]) -> TracedPrompt | None:
    """Return the prompt whose stamp is in one of some texts.

    Args:
        texts: Scripts that a language model wrote, or its whole answer.

    Returns:
        The prompt of the first stamp. ``None`` if there is no stamp, or one that no prompt has.

    Example:
        >>> find_prompt([f"# {Prompt(size=256).stamp}", "import torch"]).prompt.size
        256
    """
    for text in texts:
        found = _STAMP.search(text)
        if found is None:
            continue
        version, framework, channels, size, names, _ = found.groups()
        try:
            prompt = Prompt(
                framework=framework, channels=int(channels), size=None if size == "free" else int(size), names=names
            )
        except UserError:
            continue
        return TracedPrompt(prompt, int(version), prompt.stamp == found[0])
    return None
