"""Encoders of images, volumes and videos."""

from __future__ import annotations

import math

from fusearch.search_space.encoders.raw import shortened
from fusearch.search_space.entries.encoder import ENCODERS, POOL, POOLING, Encoder
from fusearch.search_space.entries.parameter import Param

__all__ = ["CNN", "CNN3D", "DENSENET", "RESNET"]


def _halved(sizes: tuple[int, ...], depth: int) -> int:
    return math.prod(math.ceil(size / 2**depth) for size in sizes)


def _resnet_positions(sizes: tuple[int, ...], depth: int) -> int:
    if depth == 0:
        return math.prod(sizes)
    stem = 1 if min(sizes) < 64 else 4
    return math.prod(math.ceil(size / (stem * 2 ** max(0, depth - 2))) for size in sizes)


def _densenet_positions(sizes: tuple[int, ...], depth: int) -> int:
    return _resnet_positions(sizes, min(depth + (depth > 1), 5))


CNN = ENCODERS.add(
    "cnn",
    Encoder(
        "cnn",
        ("image2d",),
        num_stages=lambda params: int(params["stages"]),
        params={"stages": Param(3, choices=(2, 3), minimum=1, maximum=8), POOL: POOLING},
        recipe_width=True,
        positions=_halved,
        first_stages=shortened("cnn", "stages"),
        stages="each a 2D convolution with normalization and activation that halves the grid while it can",
    ),
)

RESNET = ENCODERS.add(
    "resnet",
    Encoder(
        "resnet",
        ("image2d", "volume3d", "video"),
        num_stages=lambda _: 5,
        positions=_resnet_positions,
        params={POOL: POOLING},
        stages="stem, layer 1, layer 2, layer 3, layer 4 of MONAI's ResNet-18, in two or three dimensions",
        reference="He et al., Deep residual learning for image recognition, CVPR 2016",
    ),
)

DENSENET = ENCODERS.add(
    "densenet",
    Encoder(
        "densenet",
        ("image2d", "volume3d", "video"),
        num_stages=lambda _: 5,
        positions=_densenet_positions,
        params={"layers": Param(2, choices=(1, 2), minimum=1, maximum=6), POOL: POOLING},
        stages="stem, block 1, block 2, block 3, block 4, in two or three dimensions; `layers` of block 1, and 2, 4 and 8/3 times as many "
        "of the others: 6 is DenseNet-121",
        reference="Huang et al., Densely connected convolutional networks, CVPR 2017",
    ),
)

CNN3D = ENCODERS.add(
    "cnn3d",
    Encoder(
        "cnn3d",
        ("volume3d", "video"),
        num_stages=lambda params: int(params["stages"]),
        params={"stages": Param(3, choices=(2, 3), minimum=1, maximum=8), POOL: POOLING},
        recipe_width=True,
        positions=_halved,
        first_stages=shortened("cnn3d", "stages"),
        stages="each a 3D convolution with normalization and activation that halves the grid while it can",
    ),
)
