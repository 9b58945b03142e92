"""Attention over modalities."""

from __future__ import annotations

from fusearch.search_space.entries.operator import OPERATORS, Operator
from fusearch.search_space.entries.parameter import Param
from fusearch.search_space.entries.token_order import order_kept_of_one

__all__: list[str] = []

_REDUCTION = Param(4, (2, 4), minimum=1)

for entry in (
    Operator(
        "modality_attention",
        "attention",
        params={"merge": Param("sum", ("sum", "cat"))},
        symmetric=True,
        token_order=order_kept_of_one,
        equation="a = softmax over m of w . tanh(U h_m + b), h_m = W_m x_m + b_m; y = sum_m a_m h_m, or [a_1 h_1; ...; a_n h_n]",
        absent="its weight is zero; zeros where none is present",
        reference="Hori et al., Attention-based multimodal fusion for video description, ICCV 2017",
        differs="there the state of the decoder enters the scores; here the modalities alone",
    ),
    Operator(
        "modality_spatial_attention",
        "attention",
        params={"reduction": _REDUCTION},
        symmetric=True,
        token_order=order_kept_of_one,
        equation="H = rows W_m x_m + b_m (M x L); T = FC FC over L (M x 1) + FC over M, FC FC over L (1 x L); y = vec(H * sigmoid(T))",
        absent="its row is zero",
        reference="Rahaman et al., Two-dimensional attentive fusion (mBAM), IEEE MLSP 2022 (review no. 53); Park et al., BAM, BMVC 2018",
        differs="batch normalization is left out, and the sigmoid is assumed",
    ),
):
    OPERATORS.add(entry.name, entry)
