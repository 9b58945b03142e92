"""The outer product of two vectors, read by a convolutional network as if it were an image."""

from __future__ import annotations

from fusearch.search_space.entries.operator import OPERATORS, Operator
from fusearch.search_space.entries.parameter import Param
from fusearch.search_space.entries.token_order import order_kept_of_one

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
        symmetric=True,
        token_order=order_kept_of_one,
        equation=(
            "y = W vec(maxpool(CNN(a b^T))), a = W_1 x_1, b = W_2 x_2 of `dim` features (W_m only where x_m has another width); "
            "CNN: `blocks` of `convs` convolutions with ReLU, each block plus its input where residual"
        ),
        absent="its vector is ones, so that the map repeats the other argument; both absent: zeros",
        reference="after Seo et al., Outer product-based CNN (OPCNN), Front. Pharmacol. 2021; as published: opcnn",
        differs=(
            "residual=1 adds the input of a block; in the paper the last convolution is added to the first one of its block, "
            "nothing is pooled, a and b are always projected, with a bias, and the trunk reads all maps"
        ),
    ),
    Operator(
        "opcnn",
        "tensor",
        params={
            "dim": Param(16, (8, 16), minimum=1),
            "filters": Param(8, (4, 8), minimum=1),
            "kernel": Param(3, minimum=1),
            "blocks": Param(3, (1, 3), minimum=1),
            "convs": Param(3, (2, 3), minimum=2),
        },
        max_args=2,
        symmetric=True,
        token_order=order_kept_of_one,
        equation=(
            "M_0 = a b^T, a = W_1 x_1 + b_1, b = W_2 x_2 + b_2 of `dim` features; a block: c_1 = relu(conv M_(k-1)), "
            "c_j = relu(conv c_(j-1)) to c_convs, M_k = c_1 + c_convs; y = vec(M) of the last block"
        ),
        absent="its vector is ones, so that the map repeats the other argument; both absent: zeros",
        reference="Seo et al., Outer product-based CNN (OPCNN), Front. Pharmacol. 2021 (review no. 45), and the authors' code",
        differs="nothing; theirs are dim=50, filters=32, and a trunk fc:2 with batch normalization where it has LayerNorm",
    ),
):
    OPERATORS.add(entry.name, entry)
