"""Attention 𝔸: weights over tokens, channels or modalities, computed from the data."""

from __future__ import annotations

from fusearch.search_space.operator import OPERATORS, Operator
from fusearch.search_space.parameter import Param

__all__: list[str] = []

_HEADS = Param(4, (1, 2, 4), minimum=1)
_REDUCTION = Param(4, (2, 4), minimum=1)

for entry in (
    Operator(
        "cross_attention",
        "attention",
        params={"heads": _HEADS, "residual": Param(True)},
        keeps="first",
        equation="Y = X_1 + W_o softmax(Q K^T / sqrt(d)) V; Q = W_q X_1, K and V from the tokens of all other arguments",
        absent="as a key it gets no weight; an absent query asks with its bias alone and adds nothing itself",
        reference="Vaswani et al., Attention is all you need, NeurIPS 2017, eq. 1; Tsai et al., ACL 2019",
    ),
    Operator(
        "co_attention",
        "attention",
        params={"heads": _HEADS},
        symmetric=True,
        ports=True,
        keeps="each",
        equation="Y_m = X_m + cross attention of X_m to the tokens of all other arguments, for each m",
        absent="as a key it gets no weight; its own result is what it reads from the others",
        reference="Lu et al., ViLBERT, NeurIPS 2019",
    ),
    Operator(
        "self_attention",
        "attention",
        params={
            "layers": Param(1, (1, 2), minimum=1),
            "heads": _HEADS,
            "dim": Param(0, minimum=0),
            "residual": Param(True),
            "pool": Param("mean", ("mean", "none", "mean_per_stream")),
        },
        equation=(
            "X = [X_1 W_1 + b_1; ...; X_n W_n + b_n] along the tokens; a layer: X <- X + MHA(LN X), X <- X + W_b gelu(W_a LN X); "
            "then the mean over all tokens, no pooling, or one mean an argument, concatenated"
        ),
        absent="its tokens get no weight in the attention and in the mean; unpooled they are zero",
        reference="Vaswani et al., Attention is all you need, NeurIPS 2017",
    ),
    Operator(
        "bottleneck",
        "attention",
        params={"tokens": Param(4, (2, 4), minimum=1), "layers": Param(1, (1, 2), minimum=1), "heads": _HEADS},
        symmetric=True,
        equation="[X_m; Z_m] = transformer layer_m([X_m; Z]), Z = mean over m of Z_m; y = the bottleneck tokens Z of the last layer",
        absent="its bottleneck tokens are left out of the mean; the first ones stay where none is present",
        reference="Nagrani et al., Attention bottlenecks for multimodal fusion (MBT), NeurIPS 2021",
    ),
    Operator(
        "modality_attention",
        "attention",
        params={"merge": Param("sum", ("sum", "cat"))},
        symmetric=True,
        equation="a = softmax over m of w . tanh(U h_m + b), h_m = W_m x_m + b_m; y = sum_m a_m h_m, or [a_1 h_1; ...; a_n h_n]",
        absent="its weight is zero; zeros where none is present",
        reference="Hori et al., Attention-based multimodal fusion for video description, ICCV 2017",
    ),
    Operator(
        "context_attention",
        "attention",
        max_args=2,
        keeps="first",
        equation="y = a * x, a = softmax over tokens of W_o(W_q c * W_k c)",
        absent="without the context every token gets the same weight; without x the result is zero",
        reference="Li et al., Bi-level representation learning for medical VQA, J. Biomed. Inform. 2022 (review no. 1)",
    ),
    Operator(
        "spatial_gate",
        "attention",
        keeps="first",
        needs_grid=True,
        equation="y_t = x_t * sigmoid(w . relu(W_x x_t + W_2 g_2t + ... + b) + c), the others on the grid of x",
        absent="an absent gate signal adds nothing to the sum; without x the result is zero",
        reference="Oktay et al., Attention U-Net, MIDL 2018",
    ),
    Operator(
        "spatial_max_gate",
        "attention",
        params={"kernel": Param(3, (3, 7), minimum=1)},
        keeps="first",
        needs_grid=True,
        equation="y = W [x_1; ...; x_n] * max_m sigmoid(conv([mean_c x_m; max_c x_m]))",
        absent="its channels are zero and its map is left out of the maximum; zero where none is present",
        reference="Pan et al., Liver tumor detection, ICIP 2021 (review no. 23); Woo et al., CBAM, ECCV 2018",
    ),
    Operator(
        "channel_gate",
        "attention",
        params={"reduction": _REDUCTION},
        keeps="first",
        equation="y = x_1 * sigmoid(W_b relu(W_a [s_1; ...; s_n] + a) + b), s_m = mean over tokens of x_m",
        absent="its mean is zero; without x_1 the result is zero",
        reference="Hu et al., Squeeze-and-excitation networks, CVPR 2018, with the other modalities in the squeeze",
    ),
    Operator(
        "high_order_gate",
        "attention",
        params={"order": Param(1, (1, 2, 3), minimum=1)},
        max_args=2,
        keeps="first",
        equation="y_t = x_t * sigmoid(b + sum_(r=1..order) A_r (U_r1 z_t * ... * U_rr z_t)), z_t = [x_t; c_t]",
        absent="its half of z is zero; without x the result is zero",
        reference="He et al., Hierarchical-order interaction for gliomas, Phys. Med. Biol. 2021 (review no. 19); Chen et al., ICCV 2019",
    ),
    Operator(
        "modality_spatial_attention",
        "attention",
        params={"reduction": _REDUCTION},
        symmetric=True,
        equation="H = rows W_m x_m + b_m (M x L); T = FC FC over L (M x 1) + FC over M, FC FC over L (1 x L); y = vec(H * sigmoid(T))",
        absent="its row is zero",
        reference="Rahaman et al., Two-dimensional attentive fusion (mBAM), IEEE MLSP 2022 (review no. 53); Park et al., BAM, BMVC 2018",
    ),
):
    OPERATORS.add(entry.name, entry)
