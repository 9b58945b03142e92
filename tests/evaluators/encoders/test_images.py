"""Image encoders."""

from __future__ import annotations

import torch

from fusearch.data.modality import Modality
from fusearch.evaluators.encoders.images import CNN, CNN3D, DenseNet, EfficientNet, ResNet, UNet, ViT


def test_a_cnn_halves_its_grid_while_it_can() -> None:
    network = CNN(Modality("m", "image2d", (3, 9, 2)), 4, 0.0, stages=4)
    assert [shape.grid for shape in network.shapes] == [(9, 2), (5, 1), (3, 1), (2, 1), (1, 1)]


def test_a_volume_and_a_video_have_three_axes() -> None:
    for kind in ("volume3d", "video"):
        network = CNN3D(Modality("m", kind, (2, 4, 6, 8)), 4, 0.0, stages=1)
        assert network.shapes[1].grid == (2, 3, 4)


def test_tokens_are_the_positions_row_by_row() -> None:
    raw = torch.arange(12.0).reshape(1, 2, 2, 3)
    tokens = CNN(Modality("m", "image2d", (2, 2, 3)), 4, 0.0).tokens(raw)
    torch.testing.assert_close(tokens[0, 4], torch.tensor([4.0, 10.0]))  # row 1, column 1, both channels


def test_resnet_of_a_large_image_has_the_strides_and_the_widths_of_the_paper() -> None:
    network = ResNet(Modality("cxr", "image2d", (1, 64, 64)), 64, 0.0)
    assert [shape.grid for shape in network.shapes] == [(64, 64), (16, 16), (16, 16), (8, 8), (4, 4), (2, 2)]
    assert [shape.width for shape in network.shapes[1:]] == [64, 64, 128, 256, 512]
    convolutions = sum(parameter.numel() for parameter in network.parameters() if parameter.ndim == 4)
    assert convolutions == 11_166_912 - 2 * 64 * 7 * 7  # those of torchvision's resnet18, for one channel instead of three


def test_resnet_of_a_volume_is_the_same_in_three_dimensions() -> None:
    network = ResNet(Modality("ct", "volume3d", (1, 64, 65, 66)), 8, 0.0)
    assert [shape.grid for shape in network.shapes[1:]] == [(16, 17, 17), (16, 17, 17), (8, 9, 9), (4, 5, 5), (2, 3, 3)]
    small = ResNet(Modality("ct", "volume3d", (2, 4, 9, 70)), 8, 0.0)
    assert [shape.grid for shape in small.shapes[1:]] == [(4, 9, 70), (4, 9, 70), (2, 5, 35), (1, 3, 18), (1, 2, 9)]
    x_BTD = small.tokens(torch.rand(2, 2, 4, 9, 70))
    for index in range(1, 6):
        x_BTD = small.stage(index, x_BTD)
        assert x_BTD.shape[1:] == (small.shapes[index].tokens, small.shapes[index].width)


def test_densenet_of_six_layers_is_densenet_121() -> None:
    network = DenseNet(Modality("cxr", "image2d", (1, 64, 64)), 64, 0.0, layers=6)
    assert [shape.grid for shape in network.shapes[1:]] == [(16, 16), (8, 8), (4, 4), (2, 2), (2, 2)]
    assert [shape.width for shape in network.shapes[1:]] == [64, 128, 256, 512, 1024]
    convolutions = sum(parameter.numel() for parameter in network.parameters() if parameter.ndim == 4)
    assert convolutions == 6_870_208 - 2 * 64 * 7 * 7  # those of torchvision's densenet121, for one channel instead of three


def test_resnet_keeps_no_statistics_over_the_batch() -> None:
    network = ResNet(Modality("cxr", "image2d", (1, 8, 8)), 8, 0.0)
    assert not [module for module in network.modules() if isinstance(module, torch.nn.modules.batchnorm._BatchNorm)]
    assert list(network.buffers()) == []


def test_efficientnet_of_a_large_image_is_b0() -> None:
    from monai.networks.nets.efficientnet import EfficientNetBN

    network = EfficientNet(Modality("cxr", "image2d", (1, 64, 96)), 64, 0.0)
    assert [shape.grid for shape in network.shapes[1:4]] == [(32, 48), (32, 48), (16, 24)]
    assert [shape.width for shape in network.shapes[1:]] == [32, 16, 24, 40, 80, 112, 192, 320, 1280]
    theirs = EfficientNetBN("efficientnet-b0", pretrained=False, in_channels=1)
    own, published = (sum(each.numel() for each in whole.parameters() if each.ndim == 4) for whole in (network, theirs))
    assert own == published
    assert not [module for module in network.modules() if isinstance(module, torch.nn.modules.batchnorm._BatchNorm)]


def test_depth_is_a_coefficient_of_blocks() -> None:
    one, deep = (EfficientNet(Modality("m", "image2d", (1, 8, 8)), 8, 0.0, depth=depth) for depth in (0.3, 1.8))
    assert [len(stage.layers) - 1 for stage in one.stages[1:8]] == [1, 1, 1, 1, 1, 2, 1]
    assert [len(stage.layers) - 1 for stage in deep.stages[1:8]] == [2, 4, 4, 6, 6, 8, 2]  # those of B4


def test_a_vision_transformer_has_a_token_for_each_patch_and_fills_an_image_up() -> None:
    network = ViT(Modality("cxr", "image2d", (3, 9, 5)), 8, 0.0, patch=4)
    assert [shape.grid for shape in network.shapes] == [(9, 5), *[(3, 2)] * 5]
    raw = torch.randn(2, 3, 9, 5)
    filled = torch.nn.functional.pad(raw, (0, 3, 0, 3))
    patches = network.stages[0]
    expected = patches.linear.weight.flatten(1) @ filled[0, :, 4:8, 4:8].flatten() + patches.linear.bias + patches.places[0, 3]
    torch.testing.assert_close(network.stage(1, network.tokens(raw))[0, 3], expected)  # row 1, column 1


def test_patches_of_no_stated_size_are_64_at_most() -> None:
    for kind, shape, grid in (("image2d", (1, 224, 200), (8, 8)), ("volume3d", (1, 65, 64, 10), (4, 4, 1)), ("image2d", (1, 5, 9), (3, 5))):
        assert ViT(Modality("m", kind, shape), 4, 0.0, blocks=1).shapes[1].grid == grid


def test_a_unet_halves_its_grid_and_doubles_its_width() -> None:
    network = UNet(Modality("ct", "volume3d", (1, 9, 8, 1)), 4, 0.0, levels=2)
    assert [shape.grid for shape in network.shapes] == [(9, 8, 1), (9, 8, 1), (5, 4, 1), (3, 2, 1)]
    assert [shape.width for shape in network.shapes[1:]] == [4, 8, 16]
