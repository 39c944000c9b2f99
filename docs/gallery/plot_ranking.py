"""Who is better than whom
==========================

A mean that is higher is not yet a pipeline that is better. The map of significance says for every pair whether the
difference would be expected by chance, after a correction for the number of pairs.
"""

from llmseg.figures import podium, significance, stability
from llmseg.stats import rank
from llmseg.study import read_results

skin = read_results("../../benchmarks/results/realdata_64").scores.select(dataset="ham10000")

figure = significance(skin)

# %%
# How firm are the ranks? The test cases are drawn again and again, and ranked each time:

figure = stability(rank(skin))

# %%
# Who takes which place on how many cases:

figure = podium(skin)
