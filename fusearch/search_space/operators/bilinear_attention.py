"""Attention over all pairs of tokens of two modalities."""

from __future__ import annotations

from fusearch.search_space.entries.operator import OPERATORS, Operator
from fusearch.search_space.entries.parameter import Param
from fusearch.search_space.entries.token_order import order_lost

__all__: list[str] = []

_PARAMS = {
    "glimpses": Param(1, (1, 2), minimum=1),
    "hidden": Param(32, (16, 32), minimum=1),
    "k": Param(3, (1, 3), minimum=1),
}
_ABSENT = "its factors are one, so that the attention is over the other's tokens; zero where none is present"

for entry in (
    Operator(
        "bilinear_attention",
        "tensor",
        params=_PARAMS,
        max_args=2,
        tokens=lambda _: "one",
        attention=lambda many: [any(many)],
        token_order=order_lost,
        equation=(
            "A = softmax over all pairs (i, j) of p . (relu(U x_i) * relu(V y_j)); "
            "b = sum_ij A_ij (U' x_i * V' y_j), summed over k neighbours; y_j <- y_j + P b a glimpse; out = sum_j y_j"
        ),
        absent=_ABSENT,
        reference="after Kim et al., Bilinear attention networks (BAN), NeurIPS 2018; as published: ban",
        differs="the paper has a ReLU on both projections U' x and V' y of the join, as on those of the attention",
    ),
    Operator(
        "ban",
        "tensor",
        params=_PARAMS,
        max_args=2,
        tokens=lambda _: "one",
        attention=lambda many: [any(many)],
        token_order=order_lost,
        equation=(
            "A = softmax over all pairs (i, j) of p . (relu(U x_i + u) * relu(V y_j + v)); "
            "b = sum_ij A_ij (relu(U' x_i + u') * relu(V' y_j + v')), summed over k neighbours; y_j <- y_j + P b a glimpse; out = sum_j y_j"
        ),
        absent=_ABSENT,
        reference="Kim et al., Bilinear attention networks, NeurIPS 2018 (review no. 37), and the authors' code",
        differs="weight normalization, dropout inside and the counter of image boxes are left out",
    ),
):
    OPERATORS.add(entry.name, entry)
