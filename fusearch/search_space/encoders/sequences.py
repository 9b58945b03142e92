"""Encoders of series, audio, text and sequences."""

from __future__ import annotations

from fusearch.search_space.encoders.raw import shortened
from fusearch.search_space.entries.encoder import EMBEDDING, ENCODERS, OWN_WIDTH, POOL, POOLING, WIDTH, Encoder
from fusearch.search_space.entries.parameter import Param

__all__ = ["GRU", "LSTM", "RESNET1D", "TCN", "TEXT_CNN", "TRANSFORMER"]

_COMMON = {POOL: POOLING, EMBEDDING: Param("learned", choices=("learned", "one_hot"), stated=True), WIDTH: OWN_WIDTH}

TCN = ENCODERS.add(
    "tcn",
    Encoder(
        "tcn",
        ("timeseries", "audio", "text", "sequence"),
        num_stages=lambda params: int(params["stages"]),
        params={"stages": Param(3, choices=(2, 3), minimum=1, maximum=8), **_COMMON},
        sizes={"tiny": {"stages": 2}, "base": {"stages": 5}},
        names=("block#",),
        recipe_width=True,
        first_stages=shortened("tcn", "stages"),
        stages="each a residual block of dilated 1D convolutions; the dilation doubles",
        equation="y = relu(x + F(x)), F two convolutions of dilation 2^(d-1)",
        differs="centred instead of causal, as a whole series is read",
        reference="Bai et al., An empirical evaluation of generic convolutional and recurrent networks, arXiv 2018 (1803.01271)",
    ),
)

GRU = ENCODERS.add(
    "gru",
    Encoder(
        "gru",
        ("timeseries", "audio", "text", "sequence"),
        num_stages=lambda params: int(params["layers"]),
        params={"layers": Param(2, choices=(1, 2), minimum=1, maximum=4), **_COMMON},
        sizes={"tiny": {"layers": 1}, "base": {"layers": 3}},
        names=("layer#",),
        recipe_width=True,
        first_stages=shortened("gru", "layers"),
        stages="each one GRU layer; every step is a token",
        equation="h_t = (1 - z_t) * n_t + z_t * h_(t-1)",
        reference="Cho et al., Learning phrase representations using RNN encoder-decoder, EMNLP 2014",
    ),
)

TEXT_CNN = ENCODERS.add(
    "text_cnn",
    Encoder(
        "text_cnn",
        ("text", "sequence"),
        num_stages=lambda params: int(params["stages"]),
        params={"stages": Param(3, choices=(2, 3), minimum=1, maximum=8), **_COMMON},
        sizes={"tiny": {"stages": 2}, "base": {"stages": 4}},
        recipe_width=True,
        first_stages=shortened("text_cnn", "stages"),
        stages="each a 1D convolution; the first one looks codes of words or letters up",
        equation="c_t = relu(w x_(t:t+h-1) + b)",
        differs="convolutions stand one behind another, not side by side with several widths",
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
            **_COMMON,
        },
        sizes={"tiny": {"blocks": 1}, "base": {"blocks": 4}},
        names=("block#",),
        recipe_width=True,
        first_stages=shortened("transformer", "blocks"),
        stages="each a transformer block and a LayerNorm; the first one adds the places of the steps",
        equation="z = z + MSA(LN(z)); z = z + MLP(LN(z)), of z_t = E x_t + e_t",
        differs="the normalization stands before each part; a LayerNorm ends each stage",
        reference="Vaswani et al., Attention is all you need, NeurIPS 2017",
    ),
)

LSTM = ENCODERS.add(
    "lstm",
    Encoder(
        "lstm",
        ("timeseries", "audio", "text", "sequence"),
        num_stages=lambda params: int(params["layers"]),
        params={"layers": Param(2, choices=(1, 2), minimum=1, maximum=4), **_COMMON},
        sizes={"tiny": {"layers": 1}, "base": {"layers": 3}},
        names=("layer#",),
        recipe_width=True,
        first_stages=shortened("lstm", "layers"),
        stages="each one LSTM layer; every step is a token",
        equation="c_t = f_t * c_(t-1) + i_t * g_t; h_t = o_t * tanh(c_t)",
        differs="with a forget gate, as every library has it",
        reference="Hochreiter and Schmidhuber, Long short-term memory, Neural Computation 1997",
    ),
)

RESNET1D = ENCODERS.add(
    "resnet1d",
    Encoder(
        "resnet1d",
        ("timeseries", "audio", "text", "sequence"),
        num_stages=lambda params: int(params["stages"]),
        params={"stages": Param(3, choices=(2, 3), minimum=1, maximum=8), **_COMMON},
        sizes={"tiny": {"stages": 2}, "base": {"stages": 5}},
        names=("block#",),
        first_stages=shortened("resnet1d", "stages"),
        stages="each a residual block of three 1D convolutions; all but the first are twice as wide",
        equation="y = relu(x + F(x)), F convolutions of 7, 5 and 3 steps",
        differs="GroupNorm in place of BatchNorm",
        reference="Wang et al., Time series classification from scratch with deep neural networks: a strong baseline, IJCNN 2017",
    ),
)
