"""The outer product of two vectors, read by a convolutional network as if it were an image."""

from __future__ import annotations

from fusearch.search_space.entries.operator import OPERATORS, Operator
from fusearch.search_space.entries.parameter import Param

__all__: list[str] = []

for entry in (
    Operator(
        "outer_cnn",
        "tensor",
        params={
            "dim": Param(16, (8, 16), minimum=1),
            "filters": Param(8, (4, 8), minimum=1),
            "kernel": Param(3, minimum=1),
            "blocks": Param(1, (1, 2), minimum=1),
            "convs": Param(1, minimum=1),
            "residual": Param(False, (False, True)),
            "pool": Param(2, minimum=1),
            "dropout": Param(0.0, minimum=0.0, maximum=0.9),
            "out": Param(0, minimum=0),
        },
        max_args=2,
        equation=(
            "y = W vec(maxpool(CNN(a b^T))), a = W_1 x_1, b = W_2 x_2 of `dim` features (W_m only where x_m has another width); "
            "CNN: `blocks` of `convs` convolutions with ReLU, each block plus its input where residual"
        ),
        absent="its vector is ones, so that the map repeats the other argument; both absent: zeros",
        reference="Seo et al., Drug approval prediction with outer product CNN (OPCNN), IEEE BIBM 2020",
    ),
):
    OPERATORS.add(entry.name, entry)
