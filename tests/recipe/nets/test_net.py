"""What a recipe asks of a network, of every network that a recipe of the zoo has."""

from __future__ import annotations

import pytest
import torch

from llmseg import zoo

IDS = zoo.all_names(reference=False)
# With a pipeline that has it. A card may count other parameters for an equal network, so that is part of the key.
COUNTED = {(zoo.get(id).recipe.net, zoo.get(id).card.parameters): id for id in reversed(IDS)}
NETS = {record: id for (record, _), id in COUNTED.items()}


def count(net: torch.nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


@pytest.mark.parametrize(("record", "parameters"), COUNTED, ids=COUNTED.values())
def test_parameters_are_as_many_as_the_card_says(record, parameters):
    """The card counts with one channel; two more widen the first convolution only."""
    with torch.device("meta"):
        grey, rgb = record.build(in_channels=1), record.build(in_channels=3)
    assert count(grey) == parameters
    first_width = next(grey.parameters()).shape[0]
    assert count(rgb) - count(grey) == 2 * first_width * 9


@pytest.mark.parametrize("record", NETS, ids=NETS.values())
def test_the_field_output_says_what_the_network_ends_in(record):
    """Logits of an image with values far from zero leave 0..1, probabilities never do."""
    torch.manual_seed(0)
    net = record.build(in_channels=1).eval()
    with torch.no_grad():
        values = net(100 * torch.randn(1, 1, 64, 64))
    assert bool(values.min() >= 0 and values.max() <= 1) == (record.output == "probability")
