"""What is compared, and whether nnU-Net is among it."""

from __future__ import annotations

import pytest

from llmseg import zoo
from llmseg.nnunet import find_compared


@pytest.mark.parametrize("as_given", [list, iter, tuple])
def test_nnunet_is_found_however_names_are_given(as_given):
    variants, with_nnunet = find_compared(as_given(["gpt-4", "nnunet"]))
    assert ([variant.name for variant in variants], with_nnunet) == (["gpt-4"], True)


def test_two_pipelines_need_no_nnunet():
    variants, with_nnunet = find_compared(iter([zoo.get("gpt-4"), "gpt-o3"]))
    assert ([variant.name for variant in variants], with_nnunet) == (["gpt-4", "gpt-o3"], False)
