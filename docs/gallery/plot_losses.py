"""How trainings went
=====================

The validation loss of every training over its epochs. A loss that does not fall is a network that does not learn;
often a mistake in the script is the cause.
"""

from llmseg.figures import loss_curves
from llmseg.study import read_results

curves = read_results("../../benchmarks/results/realdata_64").curves

figure = loss_curves(curves, scale="log")
