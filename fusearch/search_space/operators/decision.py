"""The decision level (printed ⊞): votes on class scores.

They have no parameter that a gradient moves. Where a vote has weights, they are solved for after the streams are trained (`fit` of its
layer), on scores of training rows that the voters have not seen (decision 0032).
"""

from __future__ import annotations

from fusearch.search_space.entries.operator import OPERATORS, Operator
from fusearch.search_space.entries.parameter import Param

__all__: list[str] = []

for entry in (
    Operator(
        "inverse_covariance",
        "decision",
        params={"shrinkage": Param(0.1, (0.0, 0.1, 0.5), minimum=0.0, maximum=1.0)},
        symmetric=True,
        scores_only=True,
        trained=False,
        equation=(
            "p = sum_m w_m softmax(s_m), w = C^-1 1 / (1^T C^-1 1) clipped at 0; C_ml = mean of e_m . e_l, "
            "e the errors of the probabilities, off-diagonal entries times (1 - shrinkage); regression: of the values"
        ),
        absent="its weight is zero and the others are scaled up; even odds (zero) where none is present",
        reference="Bates & Granger, The combination of forecasts, 1969; Wang et al., ISBI 2021 (review no. 28)",
        differs="weights below zero are clipped; no. 28 adds 0.01 I to C where here the off-diagonal entries shrink",
    ),
    Operator(
        "product_of_experts",
        "decision",
        symmetric=True,
        scores_only=True,
        trained=False,
        equation="log p = sum_m log softmax(s_m) - (n - 1) log prior, normalized; regression: mean weighted by 1 / mean squared error",
        absent="its factor is the prior; the prior (zero) where none is present",
        reference="Kittler et al., On combining classifiers, TPAMI 1998",
    ),
    Operator(
        "stacking",
        "decision",
        symmetric=True,
        scores_only=True,
        trained=False,
        equation=(
            "s = sum_m W_m log softmax(s_m) + b, normalized: a logistic regression on the log-probabilities, L2-regularized; "
            "regression: a ridge regression on the values"
        ),
        absent="a vector of its own stands for its term, its mean term where it never was absent; even odds (zero) where none is present",
        reference="Wolpert, Stacked generalization, Neural Networks 1992; Breiman, Stacked regressions, Machine Learning 1996",
    ),
    Operator(
        "vote_majority",
        "decision",
        symmetric=True,
        scores_only=True,
        trained=False,
        equation="p_c = (votes for c + mean_m softmax(s_m)_c / 2) / (voters + 1/2): the mean only breaks ties; regression: the median",
        absent="it has no vote; even odds (zero) where none is present",
        reference="Kuncheva, Combining pattern classifiers, 2004, section 4.2",
    ),
    Operator(
        "vote_mean",
        "decision",
        symmetric=True,
        scores_only=True,
        trained=False,
        equation="p = mean over m of softmax(s_m); regression: mean of the values",
        absent="the mean is over the voters that are present; even odds (zero) where none is",
        reference="Kittler et al., On combining classifiers, TPAMI 1998",
    ),
    Operator(
        "vote_weighted",
        "decision",
        symmetric=True,
        scores_only=True,
        trained=False,
        equation="p = sum_m w_m softmax(s_m), w_m proportional to 1 / mean squared error of voter m; regression: of the values",
        absent="its weight is zero and the others are scaled up; even odds (zero) where none is present",
        reference="Bates & Granger, The combination of forecasts, 1969, with uncorrelated errors",
    ),
):
    OPERATORS.add(entry.name, entry)
