"""Each modality weighed by how informative its features and how reliable it is."""

from __future__ import annotations

from fusearch.search_space.entries.operator import OPERATORS, Operator
from fusearch.search_space.entries.parameter import Param

__all__: list[str] = []

for entry in (
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
):
    OPERATORS.add(entry.name, entry)
