"""The outer-product CNN against its equation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import conv2d

from fusearch.errors import DesignError
from fusearch.evaluators.network.operator_layer import TokenShape
from fusearch.testing import OperatorSuite, affine


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
