"""Statistics of scores per case. Nothing here loads torch or monai."""

from llmseg.stats.averages import means
from llmseg.stats.claims import Claim, claims_frame
from llmseg.stats.cohorts import compare_cohorts
from llmseg.stats.comparisons import compare, compare_all
from llmseg.stats.effects import cliffs_delta, superiority
from llmseg.stats.mixed import MixedModel, mixed_model
from llmseg.stats.multiplicity import adjust
from llmseg.stats.paired import PairedTest, permutation_test, wilcoxon_test
from llmseg.stats.published import reproduce
from llmseg.stats.rank_tests import Friedman, friedman
from llmseg.stats.ranking import Ranking, convention_stability, rank, significance_map
from llmseg.stats.simulation import simulate
from llmseg.stats.table import Table
from llmseg.stats.variance import Atlas, plan, variance_atlas

__all__ = [
    "Atlas",
    "Claim",
    "Friedman",
    "MixedModel",
    "PairedTest",
    "Ranking",
    "Table",
    "adjust",
    "claims_frame",
    "cliffs_delta",
    "compare",
    "compare_all",
    "compare_cohorts",
    "convention_stability",
    "friedman",
    "means",
    "mixed_model",
    "permutation_test",
    "plan",
    "rank",
    "reproduce",
    "significance_map",
    "simulate",
    "superiority",
    "variance_atlas",
    "wilcoxon_test",
]
