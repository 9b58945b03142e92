"""Encoders of tables."""

from __future__ import annotations

from fusearch.search_space.entries.encoder import ENCODERS, Encoder
from fusearch.search_space.entries.parameter import Param

__all__ = ["FT_TRANSFORMER", "MLP"]

MLP = ENCODERS.add(
    "mlp",
    Encoder(
        "mlp",
        ("tabular",),
        num_stages=lambda params: int(params["layers"]),
        params={"layers": Param(2, choices=(1, 2, 3), minimum=1, maximum=8)},
        stages="each a linear layer of the recipe's width, normalization, activation and dropout",
    ),
)

FT_TRANSFORMER = ENCODERS.add(
    "ft_transformer",
    Encoder(
        "ft_transformer",
        ("tabular",),
        num_stages=lambda params: 1 + int(params["blocks"]),
        params={"blocks": Param(2, choices=(1, 2), minimum=1, maximum=8), "heads": Param(4, minimum=1, maximum=16)},
        stages="a token for each column, then transformer blocks over the tokens",
        reference="Gorishniy et al., Revisiting deep learning models for tabular data, NeurIPS 2021",
    ),
)
