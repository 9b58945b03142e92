"""Sharing by a loss that needs no target."""

from __future__ import annotations

from fusearch.search_space.entries.operator import OPERATORS, Operator
from fusearch.search_space.entries.token_order import order_kept, order_linear

__all__: list[str] = []

_ABSENT_LOSS = "its result comes from zeros and it is left out of every loss"

for entry in (
    Operator(
        "adversarial",
        "sharing",
        symmetric=True,
        ports=True,
        adds_loss=True,
        token_order=order_linear,
        equation=(
            "y_m = W_m x_m + b_m; z_m = mean over tokens of y_m; loss = mean over m of -log softmax(V relu(U z_m + u) + v) at m, "
            "with the opposite gradient to W_m and b_m"
        ),
        absent=_ABSENT_LOSS,
        reference="Ganin et al., Domain-adversarial training of neural networks, JMLR 2016, with modalities in the place of domains",
        differs="there the weight of the reversed gradient rises from 0 to 1 in training; here it is the recipe's loss_weight throughout",
    ),
    Operator(
        "reconstruction",
        "sharing",
        symmetric=True,
        ports=True,
        adds_loss=True,
        token_order=order_kept,
        equation=(
            "h_m = relu(W_m x_m + b_m); loss = mean over m and tokens of |x_m - (V_m h_m + c_m)|^2 / d_m, x_m taken as given; "
            "of raw values (x@0) an autoencoder beside the task"
        ),
        absent=_ABSENT_LOSS,
        reference="an autoencoder of one hidden layer; Rumelhart et al., Learning internal representations by error propagation, PDP 1986; "
        "stands in for those of review nos. 14, 31 and 53",
        differs="there deeper, of one modality alone; no. 31 has a regularizer of its own in each branch, no. 53 a VAE behind the join",
    ),
):
    OPERATORS.add(entry.name, entry)
