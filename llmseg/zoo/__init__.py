"""The pipelines, by name: an entry is a value, found by :func:`get`.

==============================  ==================================================================================
An entry                        is found in
==============================  ==================================================================================
``gpt-4o``                      ``gpt_4o.py``: one file per language model, the first answer in PyTorch
``gpt-o3@rgb``                  ``gpt_o3.py``, below the entry of which it is a variant
``gpt-4o@run-03``               ``reruns/gpt_4o.py``: ten more answers of the same model
``gpt-4@tensorflow``            ``tensorflow/``: ``openai``, ``copilots`` or ``others``, by the vendor
``monai-dynunet``               ``references.py``: networks that experts wrote
==============================  ==================================================================================

Values that several entries share are in ``common.py``; an entry states what differs from them, and ``llmseg show NAME``
prints every field. What the study printed of the pipelines is in ``published.csv``. A pipeline from outside the package
is added with :func:`register`; :func:`import_file` and :func:`load_installed` run files and packages that do so.
:func:`load` adds one that was admitted (``admitted.py``).
"""

from __future__ import annotations

from llmseg.zoo import (
    bing_copilot,
    claude_3_5_sonnet,
    claude_4_sonnet,
    deepseek_r1,
    deepseek_v3,
    gemini_1_5_flash,
    gemini_1_5_pro,
    gemini_2_5_pro,
    github_copilot,
    gpt_4,
    gpt_4o,
    gpt_o1_preview,
    gpt_o3,
    gpt_o4_mini_high,
    grok_3,
    grok_3_mini,
    llama_3_1_405b,
    llama_4_maverick,
    mistral_medium_3,
    qwen_3_235b,
    qwen_3_235b_no_thinking,
    references,
)
from llmseg.zoo.admitted import load, read_admitted
from llmseg.zoo.card import Admitted, Assumed, Card, Disagreement, FoundMistake, Mend, Published
from llmseg.zoo.common import TEXTBOOK
from llmseg.zoo.outputs import Outputs
from llmseg.zoo.outside import import_file, load_installed
from llmseg.zoo.pipeline import Pipeline
from llmseg.zoo.registry import all_names, get, names, register
from llmseg.zoo.reruns import gpt_4o as reruns_gpt_4o
from llmseg.zoo.reruns import gpt_o4_mini_high as reruns_gpt_o4_mini_high
from llmseg.zoo.tensorflow import copilots, openai, others

__all__ = [
    "TEXTBOOK",
    "Admitted",
    "Assumed",
    "Card",
    "Disagreement",
    "FoundMistake",
    "Mend",
    "Outputs",
    "Pipeline",
    "Published",
    "all_names",
    "get",
    "import_file",
    "load",
    "load_installed",
    "names",
    "read_admitted",
    "register",
]

# The order of the study's tables; names() keeps it within a cohort.
for _pipeline in (
    gpt_4.PIPELINE,
    gpt_4o.PIPELINE,
    gpt_o1_preview.PIPELINE,
    claude_3_5_sonnet.PIPELINE,
    gemini_1_5_pro.PIPELINE,
    github_copilot.PIPELINE,
    bing_copilot.PIPELINE,
    llama_3_1_405b.PIPELINE,
    gpt_o3.PIPELINE,
    gpt_o3.RGB,
    gpt_o4_mini_high.PIPELINE,
    gpt_o4_mini_high.RGB,
    deepseek_v3.PIPELINE,
    deepseek_r1.PIPELINE,
    claude_4_sonnet.PIPELINE,
    gemini_2_5_pro.PIPELINE,
    grok_3_mini.PIPELINE,
    grok_3.PIPELINE,
    llama_4_maverick.PIPELINE,
    mistral_medium_3.PIPELINE,
    qwen_3_235b.PIPELINE,
    gemini_1_5_flash.PIPELINE,
    qwen_3_235b_no_thinking.PIPELINE,
    references.MONAI_BASIC_UNET,
    references.MONAI_DYNUNET,
    references.NNUNET_PLAIN_UNET,
    references.TIMM_RESNET34_UNET,
    *reruns_gpt_4o.PIPELINES,
    *reruns_gpt_o4_mini_high.PIPELINES,
    *openai.PIPELINES,
    *copilots.PIPELINES,
    *others.PIPELINES,
):
    register(_pipeline)
