"""Calibration 𝕊 by squeezed vectors: one modality scales, shifts or selects the features of another."""

from __future__ import annotations

from fusearch.search_space.entries.operator import OPERATORS, Operator
from fusearch.search_space.entries.parameter import Param
from fusearch.search_space.entries.token_order import (
    order_kept_of_first,
    order_kept_of_one,
    order_linear,
    order_linear_in_first,
    order_lost,
)

__all__: list[str] = []

for entry in (
    Operator(
        "film",
        "calibration",
        symmetric_from=1,
        keeps="first",
        absorbs=("cat",),
        absorbs_from=1,
        token_order=order_linear_in_first,
        equation="y = (1 + G s + g) * x_1 + B s + b, s = [mean over tokens of x_2; ...; of x_n]",
        absent="its mean is zero; where all conditions are absent x_1 passes unchanged",
        reference="Perez et al., FiLM: visual reasoning with a general conditioning layer, AAAI 2018, eq. 2",
        differs="the recurrent network that makes the condition, and the residual block around it, are left out",
    ),
    Operator(
        "gated_unit",
        "calibration",
        symmetric=True,
        token_order=order_kept_of_one,
        equation="y = sum_m z_m * h_m, h_m = tanh(W_m x_m), z_m = sigmoid(U_m [x_1; ...; x_n])",
        absent="its term is zero and so are its features in every gate",
        reference="Arevalo et al., Gated multimodal units, ICLR workshop 2017, section 3.1",
    ),
    Operator(
        "input_gate",
        "calibration",
        symmetric_from=1,
        keeps="first",
        absorbs=("cat",),
        absorbs_from=1,
        token_order=order_kept_of_first,
        equation="y_t = x_1t * sigmoid(W_x x_1t + W s + b), s = [mean over tokens of x_2; ...; of x_n]",
        absent="its mean is zero; without x_1 the result is zero",
        reference="Miech et al., Learnable pooling with context gating, CVPR workshop 2017, with the other modalities as context",
        differs="there the gate is made from the input alone",
    ),
    Operator(
        "mifm",
        "calibration",
        max_args=2,
        ports=True,
        keeps="each",
        attention=lambda many: many,
        token_order=order_lost,
        equation=(
            "s = [sum_t softmax_t(w . a_t) a_t; mean_t of self-attention(b)_t]; g_m = sigmoid(W_m s + b_m); y_m = g_m on every token of m"
        ),
        absent="its part of s is zero",
        reference="Hou et al., Image-gene fusion, Eng. Appl. Artif. Intell. 2023 (review no. 9); Cao et al., GCNet, ICCV workshop 2019",
        differs="read from a figure; both poolings are as their sources have them, without layer normalization",
    ),
    Operator(
        "mmtm",
        "calibration",
        params={"emit": Param("streams", ("streams", "gates")), "reduction": Param(4, (2, 4), minimum=1)},
        symmetric=True,
        ports=True,
        keeps="each",
        token_order=order_linear,
        equation="z = relu(W [s_1; ...; s_n] + b), s_m = mean over tokens of x_m; g_m = 2 sigmoid(W_m z + b_m); y_m = g_m * x_m, or g_m",
        absent="its mean is zero; its own stream stays zero, its own gate comes from the others",
        reference="Joze et al., MMTM: multimodal transfer module, CVPR 2020, and the authors' code",
        differs="the paper has no relu in z; the code has it, and gates of one sigmoid where the paper and this have two",
    ),
):
    OPERATORS.add(entry.name, entry)
