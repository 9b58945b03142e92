"""Gates of one argument by the others, over tokens, positions or channels."""

from __future__ import annotations

from fusearch.search_space.entries.operator import OPERATORS, Operator
from fusearch.search_space.entries.parameter import Param
from fusearch.search_space.entries.token_order import order_kept_of_one, order_linear_in_first

__all__: list[str] = []

_REDUCTION = Param(4, (2, 4), minimum=1)

for entry in (
    Operator(
        "channel_gate",
        "attention",
        params={"reduction": _REDUCTION},
        symmetric_from=1,
        keeps="first",
        absorbs=("cat",),
        absorbs_from=1,
        token_order=order_linear_in_first,
        equation="y = x_1 * sigmoid(W_b relu(W_a [s_1; ...; s_n] + a) + b), s_m = mean over tokens of x_m",
        absent="its mean is zero; without x_1 the result is zero",
        reference="Hu et al., Squeeze-and-excitation networks, CVPR 2018, with the other modalities in the squeeze",
        differs="there the squeeze is of x_1 alone",
    ),
    Operator(
        "context_attention",
        "attention",
        max_args=2,
        keeps="first",
        attention=lambda many: [all(many)],
        equation="y = a * x, a = softmax over tokens of W_o(W_q c * W_k c)",
        absent="without the context every token gets the same weight; without x the result is zero",
        reference="Li et al., Bi-level representation learning for medical VQA, J. Biomed. Inform. 2022 (review no. 1)",
        differs="read from a figure, of image regions and words; with one token its softmax is one and x passes",
    ),
    Operator(
        "high_order_gate",
        "attention",
        params={"order": Param(1, (1, 2, 3), minimum=1)},
        max_args=2,
        keeps="first",
        token_order=order_kept_of_one,
        equation="y_t = x_t * sigmoid(b + sum_(r=1..order) A_r (U_r1 z_t * ... * U_rr z_t)), z_t = [x_t; c_t]",
        absent="its half of z is zero; without x the result is zero",
        reference="He et al., Hierarchical-order interaction for gliomas, Phys. Med. Biol. 2021 (review no. 19); Chen et al., ICCV 2019",
        differs="read from a figure; the loss that keeps the attention of levels apart is left out",
    ),
    Operator(
        "spatial_gate",
        "attention",
        symmetric_from=1,
        keeps="first",
        needs_grid=True,
        equation="y_t = x_t * sigmoid(w . relu(W_x x_t + W_2 g_2t + ... + b) + c), the others on the grid of x",
        absent="an absent gate signal adds nothing to the sum; without x the result is zero",
        reference="Oktay et al., Attention U-Net, MIDL 2018",
        differs="1 x 1 convolutions without batch normalization or strides; signals are interpolated to the grid of x",
    ),
    Operator(
        "spatial_max_gate",
        "attention",
        params={"kernel": Param(3, (3, 7), minimum=1)},
        symmetric_from=1,
        keeps="first",
        needs_grid=True,
        equation="y = W [x_1; ...; x_n] * max_m sigmoid(conv([mean_c x_m; max_c x_m]))",
        absent="its channels are zero and its map is left out of the maximum; zero where none is present",
        reference="Pan et al., Liver tumor detection, ICIP 2021 (review no. 23); Woo et al., CBAM, ECCV 2018",
        differs="read from a figure; W is 1 x 1, without batch normalization",
    ),
):
    OPERATORS.add(entry.name, entry)
