"""Which unimodal networks to join: accuracy of their vote against their diversity, on validation predictions.

The method of Guarrasi and Soda, "Multi-objective optimization determines when, which and how to fuse deep networks", Computers in Biology
and Medicine 154 (2023), arXiv 2204.03772. Numbers only: neither torch nor ray.
"""

from fusearch.search.ensembles.diversity import DIVERSITIES, Diversity, pairwise_diversity
from fusearch.search.ensembles.predictions import Predictions
from fusearch.search.ensembles.scores import SubsetScores, score_subsets
from fusearch.search.ensembles.selector import MAX_EXHAUSTIVE, SubsetChoice, SubsetSearch, choose_subset
from fusearch.search.ensembles.subsets import SubsetRules, count_subsets, enumerate_subsets
from fusearch.search.ensembles.voting import majority_vote

__all__ = [
    "DIVERSITIES",
    "MAX_EXHAUSTIVE",
    "Diversity",
    "Predictions",
    "SubsetChoice",
    "SubsetRules",
    "SubsetScores",
    "SubsetSearch",
    "choose_subset",
    "count_subsets",
    "enumerate_subsets",
    "majority_vote",
    "pairwise_diversity",
    "score_subsets",
]
