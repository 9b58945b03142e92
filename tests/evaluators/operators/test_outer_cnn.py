"""CNNs over outer products against their equations."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import conv2d

from fusearch.errors import DesignError
from fusearch.evaluators.network.operator_layer import TokenShape
from fusearch.evaluators.operators import LAYERS
from fusearch.search_space.published import published_design
from fusearch.testing import OperatorSuite, affine


def transposed(state: dict[str, Tensor], same: bool, features: int) -> dict[str, Tensor]:
    """Return the weights that read the transposed map: every kernel, and what a linear layer reads, transposed."""
    if same:
        return state
    for key, tensor in state.items():
        if tensor.ndim == 4:
            state[key] = tensor.transpose(2, 3)
        if key == "head.3.weight":
            maps = next(value.shape[0] for name, value in state.items() if name.startswith("blocks.") and value.ndim == 4)
            side = math.isqrt(features // maps)
            state[key] = tensor.unflatten(1, (maps, side, side)).transpose(2, 3).flatten(1)
    return state


class TestOuterCNN(OperatorSuite):
    name = "outer_cnn"

    def expected(self, layer: Any, xs: list[Tensor], here: list[bool], params: Mapping[str, Any]) -> Tensor:
        rows = []
        for t in range(len(xs[0])):
            a, b = (affine(layer.align[m].project, x[t]) if here[m] else torch.ones(params["dim"]).double() for m, x in enumerate(xs))
            image = torch.stack([value * b for value in a])[None, None]
            for index, block in enumerate(layer.blocks):
                hidden = image
                for conv in list(block)[::2]:
                    hidden = torch.relu(conv2d(hidden, conv.weight, conv.bias, padding=params["kernel"] // 2))
                if params["residual"]:
                    skip = layer.skips[index]
                    hidden = hidden + (conv2d(image, skip.weight) if hasattr(skip, "weight") else image)
                image = hidden
            size = params["pool"]
            pooled = [
                channel[i : i + size, j : j + size].max()
                for channel in image[0]
                for i in range(0, params["dim"] - size + 1, size)
                for j in range(0, params["dim"] - size + 1, size)
            ]
            rows.append(affine(layer.head[3], torch.stack(pooled)) * any(here))
        return torch.stack(rows)

    def permute_state(self, layer: Any, order: Sequence[int], shapes: Sequence[TokenShape]) -> dict[str, Tensor]:
        return transposed(super().permute_state(layer, order, shapes), list(order) == sorted(order), layer.head[3].weight.shape[1])

    @pytest.mark.parametrize("changed", [{"dim": 12, "pool": 4, "filters": 2, "out": 20}, {"blocks": 3, "convs": 3, "residual": True}])
    def test_published_settings_build(self, changed: dict[str, Any]) -> None:
        layer = self.build(self.shapes(), changed)
        assert layer.out == TokenShape(6, changed.get("out", 8), (2, 3))

    def test_dropout_acts_in_training_only(self) -> None:
        layer = self.build(self.shapes(), {"dropout": 0.5})
        xs, present = self.inputs(self.shapes())
        assert torch.equal(layer(xs, present), layer(xs, present))
        layer.train()
        with torch.random.fork_rng():
            assert not torch.equal(layer(xs, present), layer(xs, present))

    def test_settings_that_do_not_fit_are_refused(self) -> None:
        with pytest.raises(DesignError, match=r"'pool' is 17, expected at most dim = 16"):
            self.build(self.shapes(), {"pool": 17})
        with pytest.raises(DesignError, match=r"'kernel' is 2, expected an odd number"):
            self.build(self.shapes(), {"kernel": 2})


class TestOPCNN(OperatorSuite):
    name = "opcnn"
    params: ClassVar = {"dim": 5, "filters": 2, "blocks": 2}
    features_move = True  # swapped arguments give the transposed maps

    def expected(self, layer: Any, xs: list[Tensor], here: list[bool], params: Mapping[str, Any]) -> Tensor:
        """Seo et al., from the equations: loops over positions and channels, zeros around the map, no torch convolution."""

        def convolved(maps: NDArray[np.float64], conv: Any) -> NDArray[np.float64]:
            kernel, bias = conv.weight.detach().numpy(), conv.bias.detach().numpy()
            reach, side = params["kernel"] // 2, maps.shape[1]
            framed = np.pad(maps, ((0, 0), (reach, reach), (reach, reach)))
            result = np.zeros((kernel.shape[0], side, side))
            for o, i, j in np.ndindex(result.shape):
                window = framed[:, i : i + params["kernel"], j : j + params["kernel"]]
                result[o, i, j] = max(0.0, float((window * kernel[o]).sum()) + bias[o])
            return result

        rows = []
        for t in range(len(xs[0])):
            a, b = (affine(layer.align[m].project, x[t]).numpy() if here[m] else np.ones(params["dim"]) for m, x in enumerate(xs))
            maps = np.outer(a, b)[None]
            for first, rest in zip(layer.first, layer.rest, strict=True):
                begun = convolved(maps, first[0])
                last = begun
                for conv in list(rest)[::2]:
                    last = convolved(last, conv)
                maps = begun + last
            rows.append(torch.from_numpy(maps.reshape(-1)) * any(here))
        return torch.stack(rows)

    def permute_state(self, layer: Any, order: Sequence[int], shapes: Sequence[TokenShape]) -> dict[str, Tensor]:
        # The blocks are as many as the arguments here, and stay where they are.
        state = {
            **layer.state_dict(),
            **{key: value for key, value in super().permute_state(layer, order, shapes).items() if key.startswith("align")},
        }
        return transposed(state, list(order) == sorted(order), 0)

    def test_study_45_is_as_large_as_published(self) -> None:
        fusion = published_design("opcnn").fusions[0]
        layer: Any = LAYERS[fusion.operator]([TokenShape(1, 17), TokenShape(1, 30)], 32, **fusion.params)
        assert layer.out == TokenShape(1, 32 * 50 * 50)
        convolutions = [module for module in layer.modules() if isinstance(module, torch.nn.Conv2d)]
        sizes = [(conv.in_channels, conv.out_channels, conv.kernel_size) for conv in convolutions]
        assert sizes == [(1, 32, (3, 3)), *[(32, 32, (3, 3))] * 8]
