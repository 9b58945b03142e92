"""Encoders of series, audio, text and sequences."""

from __future__ import annotations

from fusearch.search_space.encoders.raw import shortened
from fusearch.search_space.entries.encoder import ENCODERS, POOL, POOLING, Encoder
from fusearch.search_space.entries.parameter import Param

__all__ = ["GRU", "TCN", "TEXT_CNN", "TRANSFORMER"]

TCN = ENCODERS.add(
    "tcn",
    Encoder(
        "tcn",
        ("timeseries", "audio", "text", "sequence"),
        num_stages=lambda params: int(params["stages"]),
        params={"stages": Param(3, choices=(2, 3), minimum=1, maximum=8), POOL: POOLING},
        recipe_width=True,
        first_stages=shortened("tcn", "stages"),
        stages="each a residual block of dilated 1D convolutions; the dilation doubles",
        reference="Bai, Kolter, Koltun, An empirical evaluation of generic convolutional and recurrent networks, arXiv 1803.01271",
    ),
)

GRU = ENCODERS.add(
    "gru",
    Encoder(
        "gru",
        ("timeseries", "audio", "text", "sequence"),
        num_stages=lambda params: int(params["layers"]),
        params={"layers": Param(2, choices=(1, 2), minimum=1, maximum=4), POOL: POOLING},
        recipe_width=True,
        first_stages=shortened("gru", "layers"),
        stages="each one GRU layer; every step is a token",
        reference="Cho et al., Learning phrase representations using RNN encoder-decoder, EMNLP 2014",
    ),
)

TEXT_CNN = ENCODERS.add(
    "text_cnn",
    Encoder(
        "text_cnn",
        ("text", "sequence"),
        num_stages=lambda params: int(params["stages"]),
        params={"stages": Param(3, choices=(2, 3), minimum=1, maximum=8), POOL: POOLING},
        recipe_width=True,
        first_stages=shortened("text_cnn", "stages"),
        stages="each a 1D convolution; the first one looks codes of words or letters up",
        reference="Kim, Convolutional neural networks for sentence classification, EMNLP 2014",
    ),
)

TRANSFORMER = ENCODERS.add(
    "transformer",
    Encoder(
        "transformer",
        ("timeseries", "audio", "text", "sequence"),
        num_stages=lambda params: int(params["blocks"]),
        params={
            "blocks": Param(2, choices=(1, 2), minimum=1, maximum=8),
            "heads": Param(4, minimum=1, maximum=16),
            POOL: POOLING,
        },
        recipe_width=True,
        first_stages=shortened("transformer", "blocks"),
        stages="each a transformer block and a LayerNorm; the first one adds the places of the steps",
        reference="Vaswani et al., Attention is all you need, NIPS 2017",
    ),
)
