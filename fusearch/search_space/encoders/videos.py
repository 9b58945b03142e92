"""Encoders of films; those of volumes read them too (`encoders/images.py`)."""

from __future__ import annotations

import math
from collections.abc import Mapping

from fusearch.search_space.encoders.raw import IDENTITY, shortened
from fusearch.search_space.entries.encoder import ENCODERS, OWN_WIDTH, POOL, POOLING, WIDTH, Chain, Encoder
from fusearch.search_space.entries.parameter import Param, Value

__all__ = ["FRAME_GRU", "R2PLUS1D"]


def _first_stages(params: Mapping[str, Value], depth: int) -> Chain:
    """The GRU stands behind all convolutions, so that it stays behind those that are read."""
    if depth == 0:
        return IDENTITY.name, {}
    return "frame_gru", {**params, "stages": min(depth, int(params["stages"]))}


FRAME_GRU = ENCODERS.add(
    "frame_gru",
    Encoder(
        "frame_gru",
        ("video",),
        num_stages=lambda params: int(params["stages"]) + 1,
        params={"stages": Param(3, choices=(2, 3), minimum=1, maximum=8), POOL: POOLING, WIDTH: OWN_WIDTH},
        sizes={"tiny": {"stages": 2}, "base": {"stages": 4}},
        recipe_width=True,
        positions=lambda sizes, depth, _params: sizes[0] * math.prod(math.ceil(size / 2**depth) for size in sizes[1:]),
        first_stages=_first_stages,
        stages="each a 2D convolution on every frame by itself that halves its sides while it can; the last one a GRU over the means of "
        "the frames",
        equation="h_t = GRU(mean over positions CNN(x_t), h_(t-1))",
        differs="a GRU in place of the LSTM, and convolutions of the encoder `cnn`",
        reference="Donahue et al., Long-term recurrent convolutional networks for visual recognition and description, CVPR 2015",
    ),
)

R2PLUS1D = ENCODERS.add(
    "r2plus1d",
    Encoder(
        "r2plus1d",
        ("video",),
        num_stages=lambda params: int(params["stages"]),
        params={"stages": Param(3, choices=(2, 3), minimum=1, maximum=8), POOL: POOLING, WIDTH: OWN_WIDTH},
        sizes={"tiny": {"stages": 2}, "base": {"stages": 4}},
        recipe_width=True,
        positions=lambda sizes, depth, _params: math.prod(math.ceil(size / 2**depth) for size in sizes),
        first_stages=shortened("r2plus1d", "stages"),
        stages="each a convolution inside the frames, one along them, and a pooling that halves frames and sides while it can",
        equation="x_d = maxpool(relu(T_d * relu(S_d * x_(d-1)))): S_d inside a frame, T_d along them",
        differs="GroupNorm in place of BatchNorm; no residuals",
        reference="Tran et al., A closer look at spatiotemporal convolutions for action recognition, CVPR 2018",
    ),
)
