"""Encoders of images, volumes and videos."""

from __future__ import annotations

import math
from collections.abc import Mapping

from fusearch.search_space.encoders.raw import IDENTITY, shortened
from fusearch.search_space.entries.encoder import ENCODERS, OWN_WIDTH, POOL, POOLING, WIDTH, Chain, Encoder
from fusearch.search_space.entries.parameter import Param, Value

__all__ = ["CNN", "CNN3D", "DENSENET", "EFFICIENTNET", "EFFICIENTNET_STRIDES", "RESNET", "UNET", "VIT", "patch_sizes"]

#: Stride of each stage of an EfficientNet, the stem first; that of a small image keeps the size.
EFFICIENTNET_STRIDES = (2, 1, 2, 2, 2, 1, 2, 1, 1)


def _halved(sizes: tuple[int, ...], depth: int, _: Mapping[str, Value]) -> int:
    return math.prod(math.ceil(size / 2**depth) for size in sizes)


def _resnet_positions(sizes: tuple[int, ...], depth: int, _: Mapping[str, Value]) -> int:
    if depth == 0:
        return math.prod(sizes)
    stem = 1 if min(sizes) < 64 else 4
    return math.prod(math.ceil(size / (stem * 2 ** max(0, depth - 2))) for size in sizes)


def _densenet_positions(sizes: tuple[int, ...], depth: int, params: Mapping[str, Value]) -> int:
    return _resnet_positions(sizes, min(depth + (depth > 1), 5), params)


def _efficientnet_positions(sizes: tuple[int, ...], depth: int, _: Mapping[str, Value]) -> int:
    skipped = min(sizes) < 64
    return math.prod(math.ceil(size / math.prod(EFFICIENTNET_STRIDES[skipped : max(depth, skipped)])) for size in sizes)


def _unet_positions(sizes: tuple[int, ...], depth: int, params: Mapping[str, Value]) -> int:
    return _halved(sizes, max(0, depth - 1), params)


def _first_levels(params: Mapping[str, Value], depth: int) -> Chain:
    return ("unet", {**params, "levels": depth - 1}) if depth else (IDENTITY.name, {})


def patch_sizes(sizes: tuple[int, ...], patch: int) -> tuple[int, ...]:
    """Return the sides of a patch; of `patch` 0 as large as it takes for 64 patches at most, of a square or a cube."""
    return tuple(min(size, patch or math.ceil(max(sizes) / round(64 ** (1 / len(sizes))))) for size in sizes)


def _vit_positions(sizes: tuple[int, ...], depth: int, params: Mapping[str, Value]) -> int:
    patches = patch_sizes(sizes, int(params["patch"]))
    return math.prod(math.ceil(size / side) for size, side in zip(sizes, patches, strict=True)) if depth else math.prod(sizes)


def _first_blocks(params: Mapping[str, Value], depth: int) -> Chain:
    """The last block ends with a normalization of its own, so that one block stays behind those that are read."""
    if depth == 0:
        return IDENTITY.name, {}
    if depth > int(params["blocks"]):
        return "vit", params
    return "vit", {**{key: value for key, value in params.items() if depth > 1 or key != "heads"}, "blocks": depth}


CNN = ENCODERS.add(
    "cnn",
    Encoder(
        "cnn",
        ("image2d",),
        num_stages=lambda params: int(params["stages"]),
        params={"stages": Param(3, choices=(2, 3), minimum=1, maximum=8), POOL: POOLING, WIDTH: OWN_WIDTH},
        sizes={"tiny": {"stages": 2}, "base": {"stages": 4}},
        recipe_width=True,
        positions=_halved,
        first_stages=shortened("cnn", "stages"),
        stages="each a 2D convolution with normalization and activation that halves the grid while it can",
        equation="x_d = dropout(maxpool(relu(GroupNorm(W_d * x_(d-1)))))",
    ),
)

RESNET = ENCODERS.add(
    "resnet",
    Encoder(
        "resnet",
        ("image2d", "volume3d", "video"),
        num_stages=lambda _: 5,
        positions=_resnet_positions,
        params={"blocks": Param(2, minimum=1, maximum=8, stated=True), POOL: POOLING, WIDTH: OWN_WIDTH},
        sizes={"tiny": {"blocks": 1}, "base": {"blocks": 3}},
        names=("stem", "layer#"),
        stages="stem, layer 1, layer 2, layer 3, layer 4 of MONAI's ResNet-18, in two or three dimensions; `blocks` of each layer: 1 is "
        "ResNet-10",
        equation="y = relu(x + F(x)), F two convolutions",
        differs="GroupNorm in place of BatchNorm; the stem keeps the size where a side is below 64",
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
        params={"layers": Param(2, choices=(1, 2), minimum=1, maximum=6), POOL: POOLING, WIDTH: OWN_WIDTH},
        sizes={"tiny": {"layers": 1}, "base": {"layers": 6}},
        names=("stem", "block#"),
        stages="stem, block 1, block 2, block 3, block 4, in two or three dimensions; `layers` of block 1, and 2, 4 and 8/3 times as many "
        "of the others: 6 is DenseNet-121",
        equation="x_l = H_l([x_0; x_1; ...; x_(l-1)])",
        differs="GroupNorm in place of BatchNorm; a transition ends its block, and takes the largest of neighbours, not their mean",
        reference="Huang et al., Densely connected convolutional networks, CVPR 2017",
    ),
)

CNN3D = ENCODERS.add(
    "cnn3d",
    Encoder(
        "cnn3d",
        ("volume3d", "video"),
        num_stages=lambda params: int(params["stages"]),
        params={"stages": Param(3, choices=(2, 3), minimum=1, maximum=8), POOL: POOLING, WIDTH: OWN_WIDTH},
        sizes={"tiny": {"stages": 2}, "base": {"stages": 4}},
        recipe_width=True,
        positions=_halved,
        first_stages=shortened("cnn3d", "stages"),
        stages="each a 3D convolution with normalization and activation that halves the grid while it can",
        equation="x_d = dropout(maxpool(relu(GroupNorm(W_d * x_(d-1)))))",
    ),
)

EFFICIENTNET = ENCODERS.add(
    "efficientnet",
    Encoder(
        "efficientnet",
        ("image2d", "volume3d", "video"),
        num_stages=lambda _: len(EFFICIENTNET_STRIDES),
        positions=_efficientnet_positions,
        params={"depth": Param(1.0, minimum=0.1, maximum=5.3), POOL: POOLING, WIDTH: OWN_WIDTH},
        sizes={"tiny": {"depth": 0.3}, "base": {"depth": 1.8}},
        names=("stem", *(f"stage{number}" for number in range(1, 8)), "head"),
        stages="stem, stages 1 to 7, head of EfficientNet-B0, in two or three dimensions; `depth` is its coefficient of depth: 1.8 is that "
        "of B4",
        equation="y = x + P(s(D(E(x)))): expansion E, convolution D in each channel, squeeze and excitation s, projection P",
        differs="GroupNorm in place of BatchNorm; the stem keeps the size where a side is below 64",
        reference="Tan and Le, EfficientNet: rethinking model scaling for convolutional neural networks, ICML 2019",
    ),
)

VIT = ENCODERS.add(
    "vit",
    Encoder(
        "vit",
        ("image2d", "volume3d", "video"),
        num_stages=lambda params: 1 + int(params["blocks"]),
        positions=_vit_positions,
        params={
            "patch": Param(0, minimum=0, maximum=256),
            "blocks": Param(4, choices=(2, 4), minimum=1, maximum=32),
            "heads": Param(4, minimum=1, maximum=16),
            POOL: POOLING,
            WIDTH: OWN_WIDTH,
        },
        sizes={"tiny": {"blocks": 2}, "base": {"blocks": 12}},
        recipe_width=True,
        first_stages=_first_blocks,
        names=("patches", "block#"),
        stages="a token for each patch and its place, then transformer blocks, in two or three dimensions; `patch` is the "
        "side of a patch: 0 for 64 patches at most",
        equation="z = z + MSA(LN(z)); z = z + MLP(LN(z)), of z_p = E x_p + e_p",
        differs="no class token: a design reads the mean over patches",
        reference="Dosovitskiy et al., An image is worth 16x16 words, ICLR 2021",
    ),
)

UNET = ENCODERS.add(
    "unet",
    Encoder(
        "unet",
        ("image2d", "volume3d", "video"),
        num_stages=lambda params: 1 + int(params["levels"]),
        positions=_unet_positions,
        params={"levels": Param(3, choices=(2, 3), minimum=0, maximum=6), POOL: POOLING, WIDTH: OWN_WIDTH},
        sizes={"tiny": {"levels": 2}, "base": {"levels": 4}},
        first_stages=_first_levels,
        names=("level0", "down#"),
        stages="the way down of a U-Net: two convolutions at full resolution, then levels that halve the grid and double the width",
        equation="x_d = conv(conv(maxpool(x_(d-1))))",
        differs="the way down alone, padded, with GroupNorm and leaky ReLU; a design of masks has a way up of its own",
        reference="Ronneberger et al., U-Net: convolutional networks for biomedical image segmentation, MICCAI 2015",
    ),
)
