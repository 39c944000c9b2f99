"""Phantoms, and a mask beside the true one
===========================================

Phantoms are drawn images with known masks. They are for trying things out: whatever runs on phantoms runs on your
images. Here the true mask of each is compared with one that was moved by four pixels.
"""

import numpy as np
from matplotlib.figure import Figure

from llmseg.data import SyntheticStore
from llmseg.figures import draw_overlay

figure = Figure(figsize=(7.5, 2.8), layout="constrained")
for number, kind in enumerate(("fundus", "dermoscopy", "endoscopy"), start=1):
    case = SyntheticStore(kind, count=1).read("001.png")
    truth = case.mask > 0
    axes = figure.add_subplot(1, 3, number)
    axes.imshow(draw_overlay(case.image, truth, np.roll(truth, 4, axis=1)))
    axes.set_title(kind)
    axes.set_axis_off()
