"""Encoders of images, volumes and videos."""

from __future__ import annotations

from fusearch.search_space.entries.encoder import ENCODERS, Encoder
from fusearch.search_space.entries.parameter import Param

__all__ = ["CNN", "CNN3D", "RESNET"]

CNN = ENCODERS.add(
    "cnn",
    Encoder(
        "cnn",
        ("image2d",),
        num_stages=lambda params: int(params["stages"]),
        params={"stages": Param(3, choices=(2, 3), minimum=1, maximum=8)},
        stages="each a 2D convolution with normalization and activation that halves the grid while it can",
    ),
)

RESNET = ENCODERS.add(
    "resnet",
    Encoder(
        "resnet",
        ("image2d",),
        num_stages=lambda _: 5,
        stages="stem, layer 1, layer 2, layer 3, layer 4 of MONAI's ResNet-18",
        reference="He et al., Deep residual learning for image recognition, CVPR 2016",
    ),
)

CNN3D = ENCODERS.add(
    "cnn3d",
    Encoder(
        "cnn3d",
        ("volume3d", "video"),
        num_stages=lambda params: int(params["stages"]),
        params={"stages": Param(3, choices=(2, 3), minimum=1, maximum=8)},
        stages="each a 3D convolution with normalization and activation that halves the grid while it can",
    ),
)
