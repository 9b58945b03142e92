"""Gates and weights that are made from other modalities."""

from __future__ import annotations

from fusearch.search_space.entries.operator import OPERATORS, Operator
from fusearch.search_space.entries.parameter import Param

__all__: list[str] = []

for entry in (
    Operator(
        "dynamic_mlp",
        "calibration",
        params={"dim": Param(8, (8, 16), minimum=1), "steps": Param(1, (1, 2), minimum=1)},
        keeps="first",
        absorbs=("cat",),
        absorbs_from=1,
        equation=(
            "h_0 = W_i x_1; h_k = relu(LN(M h_(k-1))), M = reshape(W s + b) to dim x dim, s = means over tokens of the others; "
            "y = W_o h of the last step"
        ),
        absent="its mean is zero, so that M keeps its learned part b; an absent x_1 enters as zeros",
        reference="Yang et al., Dynamic MLP for fine-grained classification, CVPR 2022; Li et al., BIBM 2022 (review no. 2)",
    ),
    Operator(
        "expert_gated_unit",
        "calibration",
        params={"merge": Param("product", ("product", "sum")), "experts": Param(4, (2, 4), minimum=2)},
        min_args=4,
        max_args=4,
        keeps="first",
        equation=(
            "arguments a, b, ra, rb; r = [mean over tokens of ra; of rb]; e = sum_i softmax(G r)_i relu(E_i r); "
            "(g_a, g_b) = sigmoid(W e + c); y = merge(g_a * a, g_b * P b)"
        ),
        absent="of a and b: the other passes alone (zero where both are absent); of ra and rb: its mean is zero",
        reference="Liu et al., Attention-like multimodality fusion, IEEE TNNLS 2022 (review no. 4); Ma et al., MMoE, KDD 2018",
    ),
):
    OPERATORS.add(entry.name, entry)
