"""Each modality weighed by how informative its features and how reliable it is."""

from __future__ import annotations

from fusearch.search_space.entries.operator import OPERATORS, Operator
from fusearch.search_space.entries.parameter import Param
from fusearch.search_space.entries.token_order import order_kept_of_one

__all__: list[str] = []

for entry in (
    Operator(
        "confidence_gate",
        "calibration",
        params={"classes": Param(16, minimum=2)},
        symmetric=True,
        adds_loss=True,
        classifies=True,
        token_order=order_kept_of_one,
        equation=(
            "f_m = x_m * sigmoid(W_m x_m + b_m); c_m = w_m . mean_t f_m + d_m; y = [c_1 f_1; ...; c_n f_n]; "
            "loss = sum_m mean(gate) + (c_m - p_m(true class))^2 + cross-entropy of p_m = softmax(V_m mean_t f_m + v_m)"
        ),
        absent="its features are zero and its losses are left out",
        reference="after Han et al., Multimodal dynamics, CVPR 2022; as published: multimodal_dynamics",
        differs="the gate is on the raw inputs, before each encoder; the gradient of the confidence loss reaches p_m as well",
    ),
    Operator(
        "multimodal_dynamics",
        "calibration",
        params={
            "dim": Param(0, minimum=0),
            "dropout": Param(0.5, minimum=0.0, maximum=0.9),
            "classes": Param(1, minimum=1),
        },
        symmetric=True,
        adds_loss=True,
        classifies=True,
        token_order=order_kept_of_one,
        equation=(
            "f_m = dropout(relu(E_m (x_m * sigmoid(W_m x_m + b_m)) + e_m)), `dim` features (0: the network's width); "
            "c_m = w_m . mean_t f_m + d_m; y = [c_1 f_1; ...; c_n f_n]; "
            "loss = sum_m mean(gate) + (c_m - p_m(true class))^2 + cross-entropy of p_m = softmax(V_m mean_t f_m + v_m)"
        ),
        absent="its features are zero and its losses are left out",
        reference="Han et al., Multimodal dynamics: dynamical fusion for trustworthy classification, CVPR 2022 (review no. 36)",
        differs=(
            "nothing where the arguments are raw vectors (`@0`), the recipe has `loss_weight=1` and no modality is missing; "
            "dim=1000 and dropout=0.5 are theirs"
        ),
    ),
):
    OPERATORS.add(entry.name, entry)
