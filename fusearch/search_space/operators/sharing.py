"""Knowledge sharing ⇌ by weights: one result an argument."""

from __future__ import annotations

from fusearch.search_space.entries.operator import OPERATORS, Operator
from fusearch.search_space.entries.parameter import Param
from fusearch.search_space.entries.token_order import order_kept, order_kept_of_one, order_linear_in_one

__all__: list[str] = []

_ABSENT_LOSS = "its result comes from zeros and it is left out of every loss"

for entry in (
    Operator(
        "misa",
        "sharing",
        params={"emit": Param("both", ("shared", "both"))},
        symmetric=True,
        ports=True,
        adds_loss=True,
        token_order=order_kept,
        equation=(
            "h_m = LN(relu(W_m x_m + w_m)); s_m = sigmoid(S h_m + s), p_m = sigmoid(P_m h_m + b_m); y_m = [s_m; p_m], or s_m; "
            "loss = mean over pairs of CMD_5(s_m, s_l) + sum_m |S_m^T P_m|_F^2 / d^2 + sum over pairs |P_m^T P_l|_F^2 / d^2 "
            "(rows of mean zero, then unit length) + mean_m |h_m - D(s_m + p_m)|^2 / d, of the means over tokens"
        ),
        absent=_ABSENT_LOSS,
        reference="Hazarika et al., MISA: modality-invariant and -specific representations, ACM MM 2020, and the authors' code",
        differs=(
            "what follows, a transformer layer over all parts, is the next fusion of a design (self_attention); one decoder for all, "
            "as in the equations, where the code has one a modality; the three losses have one weight, the recipe's"
        ),
    ),
    Operator(
        "cross_stitch",
        "sharing",
        symmetric=True,
        ports=True,
        keeps="each",
        token_order=order_linear_in_one,
        matches_features=True,
        equation=(
            "y_m = sum_l a_ml P_ml x_l; a starts at 0.9 on the diagonal and 0.1 / (n - 1) elsewhere; "
            "P_ml brings x_l to the shape of x_m where it differs"
        ),
        absent="it adds nothing; its own result is what the others give",
        reference="Misra et al., Cross-stitch networks for multi-task learning, CVPR 2016, eq. 1",
    ),
    Operator(
        "shared_bottleneck",
        "sharing",
        params={"dim": Param(8, (8, 16), minimum=1)},
        symmetric=True,
        ports=True,
        keeps="each",
        token_order=order_kept_of_one,
        equation="z = mean over m of relu(E_m x_m + e_m), `dim` features; y_m = x_m + D_m z",
        absent="it is left out of the mean; its own result is what the others tell",
        reference="Sedghi et al., Fusion of MRI and temporal enhanced ultrasound, IJCARS 2020 (review no. 20); Ngiam et al., ICML 2011",
        differs="there three linked convolution blocks a branch; how they share is not stated",
    ),
    Operator(
        "shared_private",
        "sharing",
        params={"emit": Param("shared", ("shared", "both"))},
        symmetric=True,
        ports=True,
        adds_loss=True,
        token_order=order_kept,
        equation=(
            "h_m = W_m x_m; s_m = tanh(S h_m + s), p_m = tanh(P_m h_m + b_m); y_m = s_m, or [s_m; p_m]; "
            "loss = mean over pairs of |s_m - s_l|^2 / d + |S_m^T P_m|_F^2 / N^2 (rows of unit length) "
            "+ |h_m - D(s_m + p_m)|^2 / d, each averaged over m"
        ),
        absent=_ABSENT_LOSS,
        reference="after Bousmalis et al., Domain separation networks, NeurIPS 2016; Hazarika et al., ACM MM 2020; as published: misa",
        differs=(
            "in both papers the difference loss is of rows of mean zero, in MISA also of p_m and p_l; the similarity is an adversary, "
            "MMD or, in MISA, the central moment discrepancy, here a squared distance; the gradient of the reconstruction reaches h_m"
        ),
    ),
):
    OPERATORS.add(entry.name, entry)
