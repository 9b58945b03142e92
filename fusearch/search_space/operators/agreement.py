"""Sharing by a loss on projections."""

from __future__ import annotations

from fusearch.search_space.entries.operator import OPERATORS, Operator
from fusearch.search_space.entries.parameter import Param
from fusearch.search_space.entries.token_order import order_linear

__all__: list[str] = []

_ABSENT_LOSS = "its result comes from zeros and it is left out of every loss"

for entry in (
    Operator(
        "contrastive",
        "sharing",
        params={"temperature": Param(0.1, (0.07, 0.1, 0.5), minimum=0.01)},
        symmetric=True,
        ports=True,
        adds_loss=True,
        token_order=order_linear,
        equation=(
            "y_m = W_m x_m + b_m; z_m = normalize(mean over tokens of y_m); loss = mean over pairs (m, l) and both directions of "
            "-log softmax over samples j of (z_mi . z_lj / temperature) at j = i"
        ),
        absent=_ABSENT_LOSS,
        reference="Zhang et al., ConVIRT, MLHC 2022; Radford et al., CLIP, ICML 2021",
        differs="a fixed temperature, learned in CLIP; linear projections and equal directions, two layers and weights in ConVIRT",
    ),
    Operator(
        "distribution_match",
        "sharing",
        params={"distance": Param("mmd", ("mmd", "coral", "deep_coral"))},
        symmetric=True,
        ports=True,
        adds_loss=True,
        token_order=order_linear,
        equation=(
            "y_m = W_m x_m + b_m; loss = mean over pairs of MMD^2 (five Gaussian kernels, widths 1/4 to 4 times sqrt(d)) "
            "or |C_m - C_l|_F^2 / 4 d^2 of the covariances, with 1 / (n - 1) (deep_coral) or 1 / n (coral), of the means over tokens"
        ),
        absent=_ABSENT_LOSS,
        reference="Gretton et al., A kernel two-sample test, JMLR 2012; Sun & Saenko, Deep CORAL, ECCV workshop 2016 (deep_coral)",
        differs="mmd: the biased estimate, five fixed widths where the paper leaves the kernel free; coral: 1 / n; deep_coral: nothing",
    ),
    Operator(
        "manifold",
        "sharing",
        params={"margin": Param(1.0, minimum=0.0)},
        symmetric=True,
        ports=True,
        adds_loss=True,
        token_order=order_linear,
        equation=(
            "y_m = W_m x_m + b_m; d_ij = |z_i - z_j| / sqrt(d) of the means over tokens; loss = mean over m and i != j of "
            "a_ij d_ij^2 + (1 - a_ij) max(0, margin - d_ij)^2, a = same class (regression: exp(-(t_i - t_j)^2)), "
            "+ mean over pairs of modalities of (d^m_ij - d^l_ij)^2"
        ),
        absent=_ABSENT_LOSS,
        reference="twice the loss of Hadsell et al., Learning an invariant mapping, CVPR 2006, over all pairs; stands in for review no. 18",
        differs=(
            "distances are over sqrt(d), and the term between modalities is ours; of Jiao et al., GMRLNet, IEEE TMI 2023 (no. 18), it has "
            "the aims alone: theirs are graph convolutions over a batch and an adversarial term, and no result may hang on other samples"
        ),
    ),
    Operator(
        "orthogonal",
        "sharing",
        symmetric=True,
        ports=True,
        adds_loss=True,
        token_order=order_linear,
        equation="y_m = W_m x_m + b_m; loss = mean over pairs of cos(z_m, z_l)^2, z the means over tokens",
        absent=_ABSENT_LOSS,
        reference="Braman et al., Deep orthogonal fusion, MICCAI 2021; review no. 30 (|cos| of static and dynamic features)",
        differs="there the nuclear norm of all features of a batch together; here the cosines of pairs, squared",
    ),
):
    OPERATORS.add(entry.name, entry)
