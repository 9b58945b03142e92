"""Gates and weights that are made from other modalities."""

from __future__ import annotations

from fusearch.search_space.entries.operator import OPERATORS, Operator
from fusearch.search_space.entries.parameter import Param
from fusearch.search_space.entries.token_order import order_kept_of_first

__all__: list[str] = []

for entry in (
    Operator(
        "dynamic_mlp",
        "calibration",
        params={"dim": Param(8, (8, 16), minimum=1), "steps": Param(1, (1, 2), minimum=1)},
        symmetric_from=1,
        keeps="first",
        absorbs=("cat",),
        absorbs_from=1,
        token_order=order_kept_of_first,
        equation=(
            "h_0 = W_i x_1; h_k = relu(LN(M h_(k-1))), M = reshape(W s + b) to dim x dim, s = means over tokens of the others; "
            "y = W_o h of the last step"
        ),
        absent="its mean is zero, so that M keeps its learned part b; an absent x_1 enters as zeros",
        reference="Li et al., BIBM 2022 (review no. 2), after Yang et al., CVPR 2022; as published by Yang et al.: recursive_dynamic_mlp",
        differs="nothing from no. 2; with Yang et al. each step makes its own M and has its own LayerNorm, and x_1 is added at the end",
    ),
    Operator(
        "expert_gated_unit",
        "calibration",
        params={"merge": Param("product", ("product", "sum")), "experts": Param(4, (2, 4), minimum=2)},
        min_args=4,
        max_args=4,
        symmetric_from=2,
        keeps="first",
        matches_features=True,
        equation=(
            "arguments a, b, ra, rb; r = [mean over tokens of ra; of rb]; e = sum_i softmax(G r)_i relu(E_i r); "
            "(g_a, g_b) = sigmoid(W e + c); y = merge(g_a * a, g_b * P b)"
        ),
        absent="of a and b: the other passes alone (zero where both are absent); of ra and rb: its mean is zero",
        reference="Liu et al., Attention-like multimodality fusion, IEEE TNNLS 2022 (review no. 4); Ma et al., MMoE, KDD 2018",
        differs="there the experts are shared by all units of the network; raw inputs are averaged over tokens",
    ),
    Operator(
        "recursive_dynamic_mlp",
        "calibration",
        params={
            "block": Param("c", ("a", "b", "c")),
            "dim": Param(16, (8, 16), minimum=1),
            "hidden": Param(8, (4, 8), minimum=1),
            "steps": Param(2, (1, 2), minimum=1),
        },
        symmetric_from=1,
        keeps="first",
        absorbs=("cat",),
        absorbs_from=1,
        token_order=order_kept_of_first,
        equation=(
            "h_0 = W_i x_1; h_k = block_k(h_(k-1), s), s = means over tokens of the others, `dim` to `hidden` ... to `dim` features; "
            "y = x_1 + LN(W_o h). Block a: relu(LN(h M(s))), M linear in s; "
            "c: relu(LN(V relu(LN(A(z) M(z))))), z = [h; s], A and M two layers with a ReLU between, M a matrix; b: c with A(h), M(s)"
        ),
        absent="its mean is zero; an absent x_1 enters as zeros",
        reference="Yang et al., Dynamic MLP for fine-grained classification, CVPR 2022, blocks A, B and C, and the authors' code",
        differs="nothing; theirs are block=c, dim=256, hidden=64, steps=2",
    ),
):
    OPERATORS.add(entry.name, entry)
