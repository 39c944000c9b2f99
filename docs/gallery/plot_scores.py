"""Scores of all pipelines
==========================

The Dice of every test case, for nineteen pipelines and three networks of experts on two sets of real images. Three
references stand on top; below, contenders are sorted by their median.
"""

from llmseg.figures import box_plots, clouds
from llmseg.study import read_results

scores = read_results("../../benchmarks/results/realdata_64").scores

figure = box_plots(scores)

# %%
# Boxes hide where the cases are. Here every case is a dot, for four of the pipelines:

four = scores.select(pipeline=["claude-4-sonnet", "gpt-4", "grok-3-mini", "llama-3.1-405b"])

figure = clouds(four)
