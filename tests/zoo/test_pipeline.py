from __future__ import annotations

import torch

from llmseg import zoo


def test_build_takes_the_channels_of_the_images():
    with torch.device("meta"):
        assert next(zoo.get("gpt-o3@rgb").build().parameters()).shape[1] == 3
        assert next(zoo.get("gpt-o3").build().parameters()).shape[1] == 1
        assert next(zoo.get("gpt-o3").build(in_channels=3).parameters()).shape[1] == 3


def test_scripts_for_another_framework_have_no_names_of_blocks():
    """They save no state dictionaries; those of PyTorch are compared with what the scripts saved."""
    for name in zoo.all_names():
        pipeline = zoo.get(name)
        assert bool(pipeline.original_names) == (pipeline.card.framework == "PyTorch"), name
    pipeline = zoo.get("gpt-4@tensorflow")
    with torch.device("meta"):
        state = pipeline.build().state_dict()
    assert pipeline.to_original(state) == dict(state)
