"""The checks of deployment find what they are for."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from fusearch.testing.deployment import check_members, check_onnx, check_torch_export


class Plain(nn.Module):
    """A layer that does all that is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 2).double()

    def forward(self, xs: list[Tensor], present: list[Tensor]) -> Tensor:
        return torch.where(present[0][:, None, None], self.linear(xs[0].to(self.linear.weight.dtype)), 0.0)


class Indexing(Plain):
    """Picks rows by a boolean mask: no vmap."""

    def forward(self, xs: list[Tensor], present: list[Tensor]) -> Tensor:
        return self.linear(xs[0])[self.linear.weight[0, 0].expand(5) > -9]


class Branching(Plain):
    """Decides by the data: no export."""

    def forward(self, xs: list[Tensor], present: list[Tensor]) -> Tensor:
        return self.linear(xs[0]) if xs[0].sum() > 0 else -self.linear(xs[0])


class Remembering(Plain):
    """Gives what it was traced with."""

    def forward(self, xs: list[Tensor], present: list[Tensor]) -> Tensor:
        return self.linear(xs[0]) * (2.0 if torch.compiler.is_exporting() else 1.0)


@pytest.fixture
def arguments() -> tuple[list[Tensor], list[Tensor]]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(5, 4, 3, generator=generator, dtype=torch.float64)], [torch.tensor([True, True, False, True, False])]


def test_a_plain_layer_passes(arguments: tuple[list[Tensor], list[Tensor]]) -> None:
    check_members([Plain(), Plain()], *arguments)
    check_torch_export(Plain(), *arguments)
    check_onnx(Plain().eval(), *arguments)


def test_boolean_indexing_fails_under_vmap(arguments: tuple[list[Tensor], list[Tensor]]) -> None:
    with pytest.raises(RuntimeError, match="vmap"):
        check_members([Indexing(), Indexing()], *arguments)


def test_a_branch_on_data_is_not_exported(arguments: tuple[list[Tensor], list[Tensor]]) -> None:
    with pytest.raises(Exception, match="data-dependent"):
        check_torch_export(Branching(), *arguments)


def test_another_result_is_found(arguments: tuple[list[Tensor], list[Tensor]]) -> None:
    with pytest.raises(AssertionError, match="not close"):
        check_torch_export(Remembering(), *arguments)
