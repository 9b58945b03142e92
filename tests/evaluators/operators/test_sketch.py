"""Compact bilinear pooling against the circular convolution of count sketches."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from fusearch.evaluators.operators.sketch import count_sketch
from fusearch.testing import OperatorSuite


class TestCompactBilinear(OperatorSuite):
    name = "compact_bilinear"

    def expected(self, layer: Any, xs: list[Tensor], here: list[bool], params: Mapping[str, Any]) -> Tensor:
        dim, rows = params["dim"], []
        for t in range(len(xs[0])):
            z = torch.zeros(dim, dtype=torch.float64)
            z[0] = float(any(here))
            for m, x in enumerate(xs):
                if here[m]:
                    sketch = torch.zeros(dim, dtype=torch.float64)
                    for value, row in zip(x[t], layer.get_buffer(f"sketch_{m}"), strict=True):
                        place = int(row.abs().argmax())
                        sketch[place] += row[place] * value
                    convolved = torch.zeros_like(z)
                    for i, j in itertools.product(z.nonzero().flatten().tolist(), sketch.nonzero().flatten().tolist()):
                        convolved[(i + j) % dim] += z[i] * sketch[j]
                    z = convolved
            rooted = z / torch.sqrt(z.abs() + 1e-4)
            rows.append(rooted / torch.sqrt(sum(value**2 for value in rooted) + 1e-4))
        return torch.stack(rows)


def test_a_sketch_keeps_inner_products_on_average() -> None:
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(2, 10, generator=generator)
    products = torch.stack([(x @ count_sketch(10, 16, seed)) @ (y @ count_sketch(10, 16, seed)) for seed in range(2000)])
    assert abs(products.mean() - x @ y) < 4 * products.std() / 2000**0.5


def test_every_network_has_the_same_sketches() -> None:
    assert torch.equal(count_sketch(10, 16, seed=3), count_sketch(10, 16, seed=3))
    assert not torch.equal(count_sketch(10, 16, seed=3), count_sketch(10, 16, seed=4))
