"""Attention over all pairs of tokens of two modalities."""

from __future__ import annotations

from fusearch.search_space.entries.operator import OPERATORS, Operator
from fusearch.search_space.entries.parameter import Param

__all__: list[str] = []

for entry in (
    Operator(
        "bilinear_attention",
        "tensor",
        params={
            "glimpses": Param(1, (1, 2), minimum=1),
            "hidden": Param(32, (16, 32), minimum=1),
            "k": Param(3, (1, 3), minimum=1),
        },
        max_args=2,
        tokens=lambda _: "one",
        attention=lambda many: [any(many)],
        equation=(
            "A = softmax over all pairs (i, j) of p . (relu(U x_i) * relu(V y_j)); "
            "b = sum_ij A_ij (U' x_i * V' y_j), summed over k neighbours; y_j <- y_j + P b a glimpse; out = sum_j y_j"
        ),
        absent="its factors are one, so that the attention is over the other's tokens; zero where none is present",
        reference="Kim et al., Bilinear attention networks (BAN), NeurIPS 2018",
    ),
):
    OPERATORS.add(entry.name, entry)
