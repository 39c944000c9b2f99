"""Where random numbers begin."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from monai.transforms import transform

from llmseg.admission.observing.watching.starting import _seed_monai


def draw_in_a_run():
    """Return what two transforms draw to which no seed is given, and one to which 5 is given, in a new run."""

    class Randomizable(transform.Randomizable):
        R = np.random.RandomState()

    _seed_monai(SimpleNamespace(Randomizable=Randomizable))
    of_all, one, two, seeded = (Randomizable() for _ in range(4))
    one.set_random_state(None)
    two.set_random_state()
    seeded.set_random_state(5)
    return [each.R.randint(2**31) for each in (of_all, one, two, seeded)]


def test_transforms_of_monai_draw_the_same_in_each_run_and_not_the_same_as_each_other():
    drawn = draw_in_a_run()
    assert drawn == draw_in_a_run()
    assert len(set(drawn)) == 4
    assert drawn[-1] == np.random.RandomState(5).randint(2**31)
