"""Ten answers of two language models: each its own recipe, in keeping with its row of the study's table."""

from __future__ import annotations

import torch

from llmseg import zoo

RERUNS = [f"{model}@run-{run:02}" for model in ("gpt-4o", "gpt-o4-mini-high") for run in range(1, 11)]


def test_twenty_recipes():
    assert len({zoo.get(name).recipe for name in RERUNS}) == 20


def test_published_rows():
    """Parameters, batch size, epochs and rate of the study's table of reruns are those of the recipe."""
    for name in RERUNS:
        pipeline = zoo.get(name)
        published, fit = pipeline.card.published, pipeline.recipe.fit
        assert int(published.parameters.replace(",", "")) == pipeline.card.parameters, name
        assert (published.batch_size, published.epochs) == (fit.batch_size, fit.epochs), name
        assert float(published.optimizer.partition("=")[2].rstrip(")")) == fit.rate, name
        assert ("Logits" in published.loss) == (pipeline.recipe.net.output == "logits"), name


def test_parameters():
    """Counted once for each network."""
    counts = {zoo.get(name).recipe.net: zoo.get(name).card.parameters for name in RERUNS}
    assert all(counts[zoo.get(name).recipe.net] == zoo.get(name).card.parameters for name in RERUNS)
    for net, parameters in counts.items():
        with torch.device("meta"):
            assert sum(p.numel() for p in net.build(1).parameters()) == parameters
