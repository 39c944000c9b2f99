from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from llmseg.errors import UserError
from llmseg.recipe.dice import match_sizes, soft_dice

bits = st.lists(st.booleans(), min_size=24, max_size=24)


def as_batch(values) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float32).reshape(2, 1, 3, 4)


class TestMatched:
    @pytest.mark.parametrize("sizes", ["equal", "mask-to-output", "output-to-mask"])
    def test_equal_sizes_are_passed_through(self, sizes):
        output, mask = torch.rand(2, 1, 5, 4), torch.rand(2, 1, 5, 4)
        matched = match_sizes(output, mask, sizes)
        assert matched[0] is output
        assert matched[1] is mask

    @pytest.mark.parametrize("size", [(8, 8), (7, 9), (4, 16)])
    def test_mask_to_output_takes_the_pixel_at_the_corner(self, size):
        """Row i of h is row floor(i H / h), which is what OpenCV's nearest does as well."""
        output, mask = torch.rand(2, 1, *size), torch.rand(2, 1, 16, 16)
        same, reduced = match_sizes(output, mask, "mask-to-output")
        assert same is output
        rows = [i * 16 // size[0] for i in range(size[0])]
        columns = [i * 16 // size[1] for i in range(size[1])]
        assert torch.equal(reduced, mask[:, :, rows][..., columns])

    @pytest.mark.parametrize("size", [(16, 16), (16, 12)])
    def test_output_to_mask_is_opencvs_bilinear(self, size):
        output, mask = torch.rand(2, 1, 8, 6), torch.rand(2, 1, *size)
        enlarged, same = match_sizes(output, mask, "output-to-mask")
        assert same is mask
        for small, large in zip(output[:, 0], enlarged[:, 0], strict=True):
            expected = cv2.resize(small.numpy(), size[::-1], interpolation=cv2.INTER_LINEAR)
            np.testing.assert_allclose(large.numpy(), expected, atol=1e-6)

    def test_output_to_mask_passes_gradients(self):
        output = torch.rand(1, 1, 4, 4, requires_grad=True)
        match_sizes(output, torch.rand(1, 1, 8, 8), "output-to-mask")[0].sum().backward()
        assert output.grad.sum().item() == pytest.approx(64)

    def test_equal_refuses_different_sizes(self):
        with pytest.raises(UserError, match=r"output is \(4, 4\) and the mask \(8, 6\); set sizes"):
            match_sizes(torch.rand(1, 1, 4, 4), torch.rand(1, 1, 8, 6), "equal")


class TestSoftDice:
    @given(bits, bits)
    @settings(max_examples=30, deadline=None)
    def test_is_the_f1_score_of_scikit_learn(self, prediction, mask):
        p, t = as_batch(prediction), as_batch(mask)
        batch = soft_dice(p, t, over="batch", smooth=0.0)
        if any(prediction) or any(mask):
            assert batch.tolist() == pytest.approx([f1_score(mask, prediction)])
        else:
            assert torch.isnan(batch).all()
        for case, (a, b) in zip(soft_dice(p, t, over="case", smooth=0.0), zip(p, t, strict=True), strict=True):
            if a.any() or b.any():
                assert case.item() == pytest.approx(f1_score(b.flatten().bool(), a.flatten().bool()))
            else:
                assert torch.isnan(case)

    @given(bits, bits, st.floats(1e-6, 1))
    @settings(max_examples=30, deadline=None)
    def test_lies_between_0_and_1_and_is_symmetric(self, prediction, mask, smooth):
        p, t = as_batch(prediction), as_batch(mask)
        for over in ("batch", "case"):
            value = soft_dice(p, t, over=over, smooth=smooth)
            assert ((value >= 0) & (value <= 1)).all()
            assert torch.equal(value, soft_dice(t, p, over=over, smooth=smooth))

    def test_over_case_is_each_case_alone(self):
        p, t = torch.rand(3, 1, 4, 5), torch.rand(3, 1, 4, 5)
        alone = [soft_dice(p[i : i + 1], t[i : i + 1], over="batch", smooth=0.1) for i in range(3)]
        assert soft_dice(p, t, over="case", smooth=0.1).tolist() == pytest.approx(torch.cat(alone).tolist())

    def test_nothing_on_nothing(self):
        nothing = torch.zeros(2, 1, 3, 4)
        assert soft_dice(nothing, nothing, over="case", smooth=1e-6).tolist() == [1, 1]
        assert torch.isnan(soft_dice(nothing, nothing, over="case", smooth=0.0)).all()

    def test_keeps_grey_values(self):
        p, t = torch.tensor([[[[0.5, 0.25]]]]), torch.tensor([[[[1.0, 0.0]]]])
        assert soft_dice(p, t, over="batch", smooth=0.0).item() == pytest.approx(2 * 0.5 / 1.75)
