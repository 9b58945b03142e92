"""A recurrent cell that takes one modality a step."""

from __future__ import annotations

from fusearch.search_space.entries.operator import OPERATORS, Operator
from fusearch.search_space.entries.parameter import Param
from fusearch.search_space.entries.token_order import order_kept_of_one

__all__: list[str] = []

for entry in (
    Operator(
        "recurrent",
        "tensor",
        params={"cell": Param("lstm", ("lstm", "gru"))},
        token_order=order_kept_of_one,
        equation="h_m = cell(W_m x_m + b_m, h_(m-1)) over the arguments in order; y = h_n",
        absent="its step is skipped: the state passes unchanged",
        reference="Hayat et al., MedFuse, MLHC 2022",
        differs="there an LSTM over the record and the projected image; here each argument is projected",
    ),
):
    OPERATORS.add(entry.name, entry)
