"""Encoders of unordered nodes."""

from __future__ import annotations

from fusearch.search_space.encoders.raw import shortened
from fusearch.search_space.entries.encoder import ENCODERS, OWN_WIDTH, POOL, POOLING, WIDTH, Encoder
from fusearch.search_space.entries.parameter import Param

__all__ = ["DEEPSET"]

DEEPSET = ENCODERS.add(
    "deepset",
    Encoder(
        "deepset",
        ("graph",),
        num_stages=lambda params: int(params["stages"]),
        params={"stages": Param(2, choices=(1, 2, 3), minimum=1, maximum=8), POOL: POOLING, WIDTH: OWN_WIDTH},
        sizes={"tiny": {"stages": 1}, "base": {"stages": 3}},
        recipe_width=True,
        first_stages=shortened("deepset", "stages"),
        stages="each a linear layer on every node plus one on the mean of all nodes; it reads the nodes, not the edges",
        equation="y_v = relu(LayerNorm(L x_v + G mean_u x_u))",
        differs="LayerNorm and dropout in each stage",
        reference="Zaheer et al., Deep sets, NeurIPS 2017",
    ),
)
