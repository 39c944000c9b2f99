"""Trainings that are started again beside the recorded weights."""

import pytest
import torch
from torch import nn

from llmseg.fidelity.compare import ComparedValue, Comparison, Divergence
from llmseg.fidelity.rounding import NEIGHBOURS, compare_with_neighbours, move_to_neighbour


@pytest.fixture
def comparison():
    return Comparison()


class TestCompareWithNeighbours:
    """Values of trainings: exactly 1 is expected of all of them, 0.1 is tolerated."""

    def trainings(self, *measured, carries_rounding=True):
        """Training k gives the values ``measured[k]``; the last list also stands for the trainings after it."""
        self.started = []

        def measure(neighbour):
            self.started.append(neighbour)
            for step, value in enumerate(measured[min(neighbour, len(measured) - 1)]):
                yield ComparedValue(f"step {step}", 1.0, value, rel=0.1, carries_rounding=carries_rounding)

        return measure

    def test_the_first_training_holds(self, comparison):
        compare_with_neighbours(comparison, self.trainings([1.0, 1.05, 0.91]))
        assert self.started == [0]
        assert (comparison.count, comparison.worst_at, comparison.diverged_before) == (3, "step 2", ())

    def test_a_neighbour_holds(self, comparison):
        compare_with_neighbours(comparison, self.trainings([1.0, 1.11, 1.0], [1.0, 1.0, 0.8], [1.0, 1.09, 1.0]))
        assert self.started == [0, 1, 2]
        assert [why.split(",")[0] for why in comparison.diverged_before] == [
            "step 1: expected 1",
            "step 2: expected 1",
        ]
        assert comparison.count == 3
        assert comparison.worst == pytest.approx(0.9), "the values are those of the training that holds"

    def test_a_neighbour_has_to_hold_from_end_to_end(self, comparison):
        with pytest.raises(
            Divergence, match=rf"^step 1: .*; so do trainings from {NEIGHBOURS} neighbours of the start$"
        ):
            compare_with_neighbours(comparison, self.trainings([1.0, 1.11, 1.0], [1.0, 1.0, 1.11]))
        assert self.started == list(range(1 + NEIGHBOURS))

    def test_not_a_number(self, comparison):
        with pytest.raises(Divergence, match="step 0: expected 1, found nan"):
            compare_with_neighbours(comparison, self.trainings([float("nan")]))

    def test_what_comes_before_any_rounding_is_not_tried_again(self, comparison):
        with pytest.raises(Divergence, match=r"distance 0\.2, allowed 0\.1$"):
            compare_with_neighbours(comparison, self.trainings([1.2], [1.0], carries_rounding=False))
        assert self.started == [0]

    def test_neighbours_use_other_kernels(self, comparison):
        used = []

        def measure(neighbour):
            used.append(torch.backends.mkldnn.enabled)
            yield ComparedValue("loss", 1.0, 1.0 if neighbour else 2.0, rel=0.1, carries_rounding=True)

        before = torch.backends.mkldnn.enabled
        compare_with_neighbours(comparison, measure)
        assert used == [before, False]
        assert torch.backends.mkldnn.enabled is before

    def test_kernels_are_given_back_after_an_error(self, comparison):
        def measure(neighbour):
            if neighbour:
                raise RuntimeError("cannot be computed")
            yield ComparedValue("loss", 1.0, 2.0, rel=0.1, carries_rounding=True)

        before = torch.backends.mkldnn.enabled
        with pytest.raises(RuntimeError, match="cannot be computed"):
            compare_with_neighbours(comparison, measure)
        assert torch.backends.mkldnn.enabled is before


class TestMoveToNeighbour:
    def net(self):
        net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8))
        with torch.no_grad():
            net[0].weight.copy_(torch.randn(net[0].weight.shape, generator=torch.Generator().manual_seed(1)))
            net[0].bias.zero_()
        return net

    def test_every_weight_moves_by_one_unit_in_the_last_place(self):
        before, after = self.net(), self.net()
        move_to_neighbour(after, 1)
        steps = after[0].weight.detach().view(torch.int32) - before[0].weight.detach().view(torch.int32)
        assert set(steps.unique().tolist()) == {-1, 1}
        assert set((after[1].weight - 1).unique().tolist()) == {2**-23, -(2**-24)}

    def test_zeros_and_running_statistics_stay(self):
        before, after = self.net(), self.net()
        move_to_neighbour(after, 1)
        assert after[0].bias.count_nonzero() == 0
        for name, buffer in before.named_buffers():
            assert torch.equal(buffer, dict(after.named_buffers())[name])

    def test_nothing_moves_without_a_neighbour(self):
        before, after = self.net(), self.net()
        move_to_neighbour(after, 0)
        assert torch.equal(before[0].weight, after[0].weight)

    def test_neighbours_differ_and_repeat(self):
        weights = []
        for neighbour in (1, 2, 1):
            net = self.net()
            move_to_neighbour(net, neighbour)
            weights.append(net[0].weight)
        assert torch.equal(weights[0], weights[2])
        assert not torch.equal(weights[0], weights[1])
