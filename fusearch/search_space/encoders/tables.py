"""Encoders of tables."""

from __future__ import annotations

from collections.abc import Mapping

from fusearch.search_space.encoders.raw import IDENTITY, shortened
from fusearch.search_space.entries.encoder import ENCODERS, OWN_WIDTH, POOL, POOLING, WIDTH, Chain, Encoder
from fusearch.search_space.entries.parameter import Param, Value

__all__ = ["FT_TRANSFORMER", "MLP", "PAPER_WIDTHS"]

MLP = ENCODERS.add(
    "mlp",
    Encoder(
        "mlp",
        ("tabular",),
        num_stages=lambda params: int(params["layers"]),
        params={"layers": Param(2, choices=(1, 2, 3), minimum=1, maximum=8), WIDTH: OWN_WIDTH},
        sizes={"tiny": {"layers": 1}, "base": {"layers": 3}},
        names=("layer#",),
        tokens="one",
        recipe_width=True,
        first_stages=shortened("mlp", "layers"),
        stages="each a linear layer of the recipe's width, normalization, activation and dropout",
        equation="x_d = dropout(relu(LayerNorm(W_d x_(d-1) + b_d)))",
    ),
)


def _first_blocks(params: Mapping[str, Value], depth: int) -> Chain:
    """The last block ends with a normalization of its own, so that one block stays behind those that are read."""
    if depth == 0:
        return IDENTITY.name, {}
    if depth > int(params["blocks"]):
        return "ft_transformer", params
    heads = {} if depth == 1 else {"heads": params["heads"]}
    return "ft_transformer", {**{key: value for key, value in params.items() if key != "heads"}, **heads, "blocks": depth}


FT_TRANSFORMER = ENCODERS.add(
    "ft_transformer",
    Encoder(
        "ft_transformer",
        ("tabular",),
        num_stages=lambda params: 1 + int(params["blocks"]),
        tokens="many",
        recipe_width=True,
        first_stages=_first_blocks,
        params={
            "blocks": Param(2, choices=(1, 2), minimum=1, maximum=8),
            "heads": Param(4, minimum=1, maximum=16),
            POOL: POOLING,
            WIDTH: OWN_WIDTH,
        },
        sizes={"tiny": {"blocks": 1}, "base": {"blocks": 3, "heads": 8}},
        names=("columns", "block#"),
        stages="a token for each column (of more than 64 columns neighbours share one), then transformer blocks over the tokens",
        equation="z = z + MSA(LN(z)); z = z + MLP(LN(z)), of z_j = x_j w_j + b_j",
        differs="no class token: a design reads the mean over tokens; of more than 64 columns neighbours share one token",
        reference="Gorishniy et al., Revisiting deep learning models for tabular data, NeurIPS 2021",
    ),
)

#: Hidden widths of the method paper's table encoders, one stage a hidden layer. The recipe's width does not apply to them.
PAPER_WIDTHS: Mapping[str, tuple[int, ...]] = {
    "mlp1": (64, 64, 32),
    "mlp2": (64, 128, 128, 64, 32),
    "mlp3": (64, 128, 256, 256, 128, 64, 32),
    "mlp4": (64, 128, 256, 512, 512, 256, 128, 64, 32),
}


def _add(name: str, widths: tuple[int, ...]) -> None:
    def num_stages(_: Mapping[str, Value]) -> int:
        return len(widths)

    def first_stages(_: Mapping[str, Value], depth: int) -> Chain:
        if depth == 0:
            return IDENTITY.name, {}
        return next(other for other, wide in PAPER_WIDTHS.items() if wide[:depth] == widths[:depth]), {}

    ENCODERS.add(
        name,
        Encoder(
            name,
            ("tabular",),
            num_stages=num_stages,
            tokens="one",
            first_stages=first_stages,
            names=("layer#",),
            stages=f"fully connected layers of {'-'.join(map(str, widths))}",
            equation="x_d = dropout(relu(LayerNorm(W_d x_(d-1) + b_d)))",
            reference="Guarrasi and Soda, Comput. Biol. Med. 2023",
        ),
    )


for _name, _widths in PAPER_WIDTHS.items():
    _add(_name, _widths)
