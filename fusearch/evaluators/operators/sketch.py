"""compact_bilinear: the outer product, compressed by count sketches."""

# ruff: noqa: ARG002  # all layers share one signature

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from fusearch.evaluators.network.operator_layer import Losses, OperatorLayer, TokenShape, mask_absent, operator_layer, resize_tokens
from fusearch.evaluators.operators.alignment import any_present, common_shape, mask_all
from fusearch.evaluators.operators.bilinear import power_normalize

__all__ = ["CompactBilinear", "count_sketch"]


def count_sketch(width: int, dim: int, seed: int) -> Tensor:
    """Return a count sketch (width, dim): each row has one +1 or -1, at a random place."""
    generator = torch.Generator().manual_seed(seed)
    places = torch.randint(dim, (width,), generator=generator)
    signs = 2.0 * torch.randint(2, (width,), generator=generator) - 1.0
    return torch.zeros(width, dim).scatter_(1, places[:, None], signs[:, None])


@operator_layer("compact_bilinear")
class CompactBilinear(OperatorLayer):
    """z = ifft(fft(S_1 x_1) * ... * fft(S_n x_n)), S_m fixed count sketches to `dim` features; y = normalize(z / sqrt(|z| + 1e-4)).

    Has no trained parameter. Works token by token on the tokens of the longest argument. The sketch of an absent argument is the unit
    impulse, which leaves the others' sketches; zero where none is present.

    Args:
        shapes: Shape of each argument.
        width: Not used; the result has `dim` features.
        dim: Features of the sketches.
    """

    def __init__(self, shapes: Sequence[TokenShape], width: int, *, dim: int) -> None:
        super().__init__()
        self.out: TokenShape = common_shape(shapes, dim)
        self.shapes = tuple(shapes)
        # The position is the seed: each argument has hashes of its own, and every network the same ones.
        self.register_buffer("impulse", torch.eye(1, dim)[0])
        for index, shape in enumerate(shapes):
            self.register_buffer(f"sketch_{index}", count_sketch(shape.width, dim, seed=index))

    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Losses | None = None) -> Tensor:
        """Return (B, T, dim)."""
        spectrum = None
        for index, (x, present_B, shape) in enumerate(zip(mask_all(xs, present), present, self.shapes, strict=True)):
            sketch: Tensor = self.get_buffer(f"sketch_{index}")
            sketched = torch.where(present_B[:, None, None], resize_tokens(x @ sketch, shape, self.out), self.get_buffer("impulse"))
            factor = torch.fft.rfft(sketched, dim=2)
            spectrum = factor if spectrum is None else spectrum * factor
        z_BTD = torch.fft.irfft(spectrum, n=self.out.width, dim=2)
        return mask_absent(power_normalize(z_BTD), any_present(present))
