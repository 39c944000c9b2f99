"""Trainings that are started again beside the recorded weights."""

import pytest
import torch
from torch import nn

from llmseg.fidelity.compare import Comparison, Diverged, Figure
from llmseg.fidelity.rounding import NEIGHBOURS, follow, move


@pytest.fixture
def compare():
    return Comparison()


class TestFollow:
    """Figures of trainings: exactly 1 is expected of all of them, 0.1 is tolerated."""

    def trainings(self, *found, rounded=True):
        """Training k gives the figures ``found[k]``, the last one also stands for those after it."""
        self.started = []

        def figures(neighbour):
            self.started.append(neighbour)
            for step, value in enumerate(found[min(neighbour, len(found) - 1)]):
                yield Figure(f"step {step}", 1.0, value, rel=0.1, rounded=rounded)

        return figures

    def test_the_first_training_holds(self, compare):
        follow(compare, self.trainings([1.0, 1.05, 0.91]))
        assert self.started == [0]
        assert (compare.count, compare.worst_at, compare.diverged_before) == (3, "step 2", ())

    def test_a_neighbour_holds(self, compare):
        follow(compare, self.trainings([1.0, 1.11, 1.0], [1.0, 1.0, 0.8], [1.0, 1.09, 1.0]))
        assert self.started == [0, 1, 2]
        assert [why.split(",")[0] for why in compare.diverged_before] == [
            "step 1: expected 1",
            "step 2: expected 1",
        ]
        assert compare.count == 3
        assert compare.worst == pytest.approx(0.9), "the figures are those of the training that holds"

    def test_a_neighbour_has_to_hold_from_end_to_end(self, compare):
        with pytest.raises(Diverged, match=rf"^step 1: .*; so do trainings from {NEIGHBOURS} neighbours of the start$"):
            follow(compare, self.trainings([1.0, 1.11, 1.0], [1.0, 1.0, 1.11]))
        assert self.started == list(range(1 + NEIGHBOURS))

    def test_not_a_number(self, compare):
        with pytest.raises(Diverged, match="step 0: expected 1, found nan"):
            follow(compare, self.trainings([float("nan")]))

    def test_what_comes_before_any_rounding_is_not_tried_again(self, compare):
        with pytest.raises(Diverged, match=r"distance 0\.2, allowed 0\.1$"):
            follow(compare, self.trainings([1.2], [1.0], rounded=False))
        assert self.started == [0]

    def test_neighbours_use_other_kernels(self, compare):
        used = []

        def figures(neighbour):
            used.append(torch.backends.mkldnn.enabled)
            yield Figure("loss", 1.0, 1.0 if neighbour else 2.0, rel=0.1, rounded=True)

        before = torch.backends.mkldnn.enabled
        follow(compare, figures)
        assert used == [before, False]
        assert torch.backends.mkldnn.enabled is before

    def test_kernels_are_given_back_after_an_error(self, compare):
        def figures(neighbour):
            if neighbour:
                raise RuntimeError("cannot be computed")
            yield Figure("loss", 1.0, 2.0, rel=0.1, rounded=True)

        before = torch.backends.mkldnn.enabled
        with pytest.raises(RuntimeError):
            follow(compare, figures)
        assert torch.backends.mkldnn.enabled is before


class TestMove:
    def net(self):
        net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8))
        with torch.no_grad():
            net[0].weight.copy_(torch.randn(net[0].weight.shape, generator=torch.Generator().manual_seed(1)))
            net[0].bias.zero_()
        return net

    def test_every_weight_moves_by_one_unit_in_the_last_place(self):
        before, after = self.net(), self.net()
        move(after, 1)
        steps = after[0].weight.detach().view(torch.int32) - before[0].weight.detach().view(torch.int32)
        assert set(steps.unique().tolist()) == {-1, 1}
        assert set((after[1].weight - 1).unique().tolist()) == {2**-23, -(2**-24)}

    def test_zeros_and_running_statistics_stay(self):
        before, after = self.net(), self.net()
        move(after, 1)
        assert after[0].bias.count_nonzero() == 0
        for name, buffer in before.named_buffers():
            assert torch.equal(buffer, dict(after.named_buffers())[name])

    def test_nothing_moves_without_a_neighbour(self):
        before, after = self.net(), self.net()
        move(after, 0)
        assert torch.equal(before[0].weight, after[0].weight)

    def test_neighbours_differ_and_repeat(self):
        weights = []
        for neighbour in (1, 2, 1):
            net = self.net()
            move(net, neighbour)
            weights.append(net[0].weight)
        assert torch.equal(weights[0], weights[2])
        assert not torch.equal(weights[0], weights[1])
