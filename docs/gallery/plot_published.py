"""The published study beside ours
==================================

The rank that the study published for each pipeline, beside the rank in a study of our own.
"""

from llmseg.figures import error_bars, published_ranks
from llmseg.study import compare_with_published, read_results

results = read_results("../../benchmarks/results/realdata_64")

figure = published_ranks(compare_with_published(results))

# %%
# What was wrong with the code of the models, as the study counted it before the authors mended it:

figure = error_bars()
