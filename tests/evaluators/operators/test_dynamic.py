"""Gates and weights made from other modalities, against their equations."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fusearch.testing import OperatorSuite, affine


def squeezed(xs: list[Tensor]) -> Tensor:
    return torch.cat([sum(x) / len(x) for x in xs])


class TestExpertGatedUnit(OperatorSuite):
    name = "expert_gated_unit"

    def expected(self, layer: Any, xs: list[Tensor], here: list[bool], params: Mapping[str, Any]) -> Tensor:
        a, b, r = xs[0], xs[1], squeezed(xs[2:])
        choice = [math.exp(float(score)) for score in affine(layer.choose, r)]
        opinions = affine(layer.experts, r).chunk(params["experts"])
        e = sum(weight / sum(choice) * torch.relu(opinion) for weight, opinion in zip(choice, opinions, strict=True))
        gate_a, gate_b = (1 / (1 + torch.exp(-gate)) for gate in affine(layer.gates, e).chunk(2))
        rows = []
        for token_a, token_b in zip(a, b, strict=True):
            left, right = gate_a * token_a, gate_b * affine(layer.align.project, token_b)
            if params["merge"] == "sum":
                rows.append(left + right)
            else:
                rows.append((left if here[0] else 1) * (right if here[1] else 1) if any(here[:2]) else 0 * left)
        return torch.stack(rows)


class TestDynamicMLP(OperatorSuite):
    name = "dynamic_mlp"

    def expected(self, layer: Any, xs: list[Tensor], here: list[bool], params: Mapping[str, Any]) -> Tensor:
        matrix = affine(layer.weights, squeezed(xs[1:])).reshape(params["dim"], params["dim"])
        rows = []
        for token in xs[0]:
            hidden = affine(layer.enter, token)
            for _ in range(params["steps"]):
                hidden = matrix @ hidden
                centred = hidden - hidden.mean()
                hidden = torch.relu(layer.norm.weight * centred / torch.sqrt(centred.square().mean() + layer.norm.eps) + layer.norm.bias)
            rows.append(affine(layer.leave, hidden))
        return torch.stack(rows)


class TestRecursiveDynamicMLP(OperatorSuite):
    name = "recursive_dynamic_mlp"

    def expected(self, layer: Any, xs: list[Tensor], here: list[bool], params: Mapping[str, Any]) -> Tensor:
        """Yang et al., from their equations in numpy: z_img projected, N recursive blocks, projected back, normalized, added."""
        s = squeezed(xs[1:]).numpy()

        def linear(module: Any, x: NDArray[np.float64]) -> NDArray[np.float64]:
            result: NDArray[np.float64] = affine(module, torch.from_numpy(x)).numpy()
            return result

        def norm(module: Any, x: NDArray[np.float64]) -> NDArray[np.float64]:
            scaled = (x - x.mean()) / np.sqrt(((x - x.mean()) ** 2).mean() + module.eps)
            result: NDArray[np.float64] = module.weight.numpy() * scaled + module.bias.numpy()
            return result

        def two(layers: Any, x: NDArray[np.float64]) -> NDArray[np.float64]:
            return linear(layers[2], np.maximum(0, linear(layers[0], x)))

        widths = [params["dim"], *[params["hidden"]] * (params["steps"] - 1), params["dim"]]
        rows = []
        for token in xs[0]:
            h = linear(layer.enter, token.numpy())
            for block, source, target in zip(layer.blocks, widths, widths[1:], strict=False):
                both = np.concatenate([h, s])
                if params["block"] == "a":
                    h = np.maximum(0, norm(block.norm, h @ linear(block.weights, s).reshape(source, target)))
                    continue
                features = two(block.features, both if params["block"] == "c" else h)
                matrix = two(block.weights, both if params["block"] == "c" else s).reshape(source, target)
                mixed = np.maximum(0, norm(block.norm, features @ matrix))
                h = np.maximum(0, norm(block.last[1], linear(block.last[0], mixed)))
            rows.append(token + torch.from_numpy(norm(layer.norm, linear(layer.leave, h))))
        return torch.stack(rows)

    def test_every_step_has_a_generator_and_a_norm_of_its_own(self) -> None:
        layer: Any = self.build(self.shapes(), {"steps": 3, "dim": 16, "hidden": 4})
        assert [block.sizes for block in layer.blocks] == [(16, 4), (4, 4), (4, 16)]
        assert len({id(block.norm) for block in layer.blocks} | {id(block.weights) for block in layer.blocks}) == 6
