from __future__ import annotations

import pytest

from llmseg import train


@pytest.fixture(scope="session")
def run(tiny_recipe, phantoms, tmp_path_factory):
    """A finished run of two epochs; tests that change its folder copy it."""
    out = tmp_path_factory.mktemp("runs") / "a" / "run"
    return train(tiny_recipe, phantoms, out, label="tiny", seed=1, progress=False)
