"""Calibration 𝕊: one modality scales, shifts or selects the features of another."""

from __future__ import annotations

from fusearch.search_space.operator import OPERATORS, Operator
from fusearch.search_space.parameter import Param

__all__: list[str] = []

for entry in (
    Operator(
        "mmtm",
        "calibration",
        params={"emit": Param("streams", ("streams", "gates")), "reduction": Param(4, (2, 4), minimum=1)},
        symmetric=True,
        ports=True,
        keeps="each",
        equation="z = relu(W [s_1; ...; s_n] + b), s_m = mean over tokens of x_m; g_m = 2 sigmoid(W_m z + b_m); y_m = g_m * x_m, or g_m",
        absent="its mean is zero; its own stream stays zero, its own gate comes from the others",
        reference="Joze et al., MMTM: multimodal transfer module, CVPR 2020",
    ),
    Operator(
        "mifm",
        "calibration",
        max_args=2,
        ports=True,
        keeps="each",
        equation=(
            "s = [sum_t softmax_t(w . a_t) a_t; mean_t of self-attention(b)_t]; g_m = sigmoid(W_m s + b_m); y_m = g_m on every token of m"
        ),
        absent="its part of s is zero",
        reference="Hou et al., Image-gene fusion, Eng. Appl. Artif. Intell. 2023 (review no. 9); Cao et al., GCNet, ICCV workshop 2019",
    ),
    Operator(
        "film",
        "calibration",
        keeps="first",
        equation="y = (1 + G s + g) * x_1 + B s + b, s = [mean over tokens of x_2; ...; of x_n]",
        absent="its mean is zero; where all conditions are absent x_1 passes unchanged",
        reference="Perez et al., FiLM: visual reasoning with a general conditioning layer, AAAI 2018, eq. 2",
    ),
    Operator(
        "gated_unit",
        "calibration",
        symmetric=True,
        equation="y = sum_m z_m * h_m, h_m = tanh(W_m x_m), z_m = sigmoid(U_m [x_1; ...; x_n])",
        absent="its term is zero and so are its features in every gate",
        reference="Arevalo et al., Gated multimodal units, ICLR workshop 2017, section 3.1",
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
    Operator(
        "dynamic_mlp",
        "calibration",
        params={"dim": Param(8, (8, 16), minimum=1), "steps": Param(1, (1, 2), minimum=1)},
        keeps="first",
        equation=(
            "h_0 = W_i x_1; h_k = relu(LN(M h_(k-1))), M = reshape(W s + b) to dim x dim, s = means over tokens of the others; "
            "y = W_o h of the last step"
        ),
        absent="its mean is zero, so that M keeps its learned part b; an absent x_1 enters as zeros",
        reference="Yang et al., Dynamic MLP for fine-grained classification, CVPR 2022; Li et al., BIBM 2022 (review no. 2)",
    ),
    Operator(
        "confidence_gate",
        "calibration",
        params={"classes": Param(16, minimum=2)},
        symmetric=True,
        adds_loss=True,
        equation=(
            "f_m = x_m * sigmoid(W_m x_m + b_m); c_m = w_m . mean_t f_m + d_m; y = [c_1 f_1; ...; c_n f_n]; "
            "loss = sum_m mean(gate) + (c_m - p_m(true class))^2 + cross-entropy of p_m = softmax(V_m mean_t f_m + v_m)"
        ),
        absent="its features are zero and its losses are left out",
        reference="Han et al., Multimodal dynamics: dynamical fusion for trustworthy classification, CVPR 2022",
    ),
    Operator(
        "input_gate",
        "calibration",
        keeps="first",
        equation="y_t = x_1t * sigmoid(W_x x_1t + W s + b), s = [mean over tokens of x_2; ...; of x_n]",
        absent="its mean is zero; without x_1 the result is zero",
        reference="Miech et al., Learnable pooling with context gating, CVPR workshop 2017, with the other modalities as context",
    ),
):
    OPERATORS.add(entry.name, entry)
