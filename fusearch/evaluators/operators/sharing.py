"""Knowledge sharing between streams: shared_private, misa, shared_bottleneck, cross_stitch. One result an argument."""

# ruff: noqa: ARG002  # all layers share one signature

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import combinations
from typing import Any

import torch
from torch import Tensor, nn

from fusearch.evaluators.network.operator_layer import Losses, OperatorLayer, TokenShape, operator_layer
from fusearch.evaluators.operators.alignment import Align, Alignment, common_shape, mask_all, masked_mean, total

__all__ = ["MISA", "CrossStitch", "SharedBottleneck", "SharedPrivate", "row_mean", "unit_rows"]


def row_mean(values_B: Tensor, weights_B: Tensor) -> Tensor:
    """Average over rows with weights; zero where all weights are zero."""
    weight = weights_B.sum()
    return (weights_B * values_B).sum() / torch.where(weight > 0, weight, 1.0)


def unit_rows(z_BD: Tensor, eps: float = 1e-12) -> Tensor:
    """Divide each row by its length."""
    return z_BD / torch.sqrt(z_BD.square().sum(dim=-1, keepdim=True) + eps)


@operator_layer("shared_private")
class SharedPrivate(OperatorLayer):
    """h_m = W_m x_m; s_m = tanh(S h_m + s), p_m = tanh(P_m h_m + b_m); y_m = s_m, or [s_m; p_m].

    Adds three terms, each averaged over modalities or pairs and over rows, on means over tokens: similarity |s_m - s_l|^2 / d,
    difference |S_m^T P_m|_F^2 / N^2 with rows of unit length, reconstruction |h_m - D(s_m + p_m)|^2 / d of the h_m, which is taken as
    given. The result of an absent argument comes from zeros, and it is left out of every loss.

    Args:
        shapes: Shape of each argument.
        width: Width d of each part.
        emit: `shared` for the shared part, `both` for shared and private side by side.
    """

    def __init__(self, shapes: Sequence[TokenShape], width: int, *, emit: str) -> None:
        super().__init__()
        self.emit = emit
        self.align = Alignment(shapes, [TokenShape(shape.tokens, width) for shape in shapes], always=True)
        self.shared = nn.Linear(width, width)
        self.private = nn.ModuleList(nn.Linear(width, width) for _ in shapes)
        self.decode = nn.Linear(width, width)
        size = width if emit == "shared" else 2 * width
        self.out: tuple[TokenShape, ...] = tuple(TokenShape(shape.tokens, size, shape.grid) for shape in shapes)

    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Losses | None = None) -> list[Tensor]:
        """Return one (B, T_m, width) or (B, T_m, 2 width) an argument."""
        hidden = self.align(mask_all(xs, present))
        shared = [torch.tanh(self.shared(h)) for h in hidden]
        if losses is None and self.emit == "shared":
            return shared
        private = [torch.tanh(encode(h)) for encode, h in zip(self.private, hidden, strict=True)]
        if losses is not None:
            losses.add(self.similarity(shared, present, losses))
            for h, s, p, present_B in zip(hidden, shared, private, present, strict=True):
                rows_B = losses.rows(present_B)
                losses.add((overlap_loss(s, p, rows_B) + self.reconstruction(h, s, p, rows_B)) / len(xs))
        return shared if self.emit == "shared" else [torch.cat(parts, dim=2) for parts in zip(shared, private, strict=True)]

    def similarity(self, shared: list[Tensor], present: list[Tensor], losses: Losses) -> Tensor:
        """Return the mean squared distance between the shared parts of two modalities."""
        terms = []
        for left, right in combinations(range(len(shared)), 2):
            distance_B = (shared[left].mean(dim=1) - shared[right].mean(dim=1)).square().mean(dim=1)
            terms.append(row_mean(distance_B, losses.rows(present[left] & present[right])))
        return torch.stack(terms).mean()

    def reconstruction(self, hidden: Tensor, shared: Tensor, private: Tensor, rows_B: Tensor) -> Tensor:
        """Return the mean squared error of the features, made again from both parts; the features themselves get no gradient."""
        error = hidden.detach().mean(dim=1) - self.decode((shared + private).mean(dim=1))
        return row_mean(error.square().mean(dim=1), rows_B)


def overlap_loss(shared: Tensor, private: Tensor, rows_B: Tensor) -> Tensor:
    """Return |S^T P|_F^2 / N^2: how much the shared part tells about the private part."""
    left, right = unit_rows(shared.mean(dim=1)), unit_rows(private.mean(dim=1))
    weight = rows_B.sum()
    return ((left * rows_B[:, None]).T @ right).square().sum() / torch.where(weight > 0, weight, 1.0).square()


@operator_layer("misa")
class MISA(OperatorLayer):
    """h_m = LN(relu(W_m x_m + w_m)); s_m = sigmoid(S h_m + s), p_m = sigmoid(P_m h_m + b_m); y_m = [s_m; p_m], or s_m.

    Adds, on means over tokens: the central moment discrepancy of s_m and s_l (mean over pairs); how much s_m tells about p_m, and p_m
    about p_l, in rows of mean zero and unit length (sum over modalities and pairs); and |h_m - D(s_m + p_m)|^2 / d (mean over m). The
    result of an absent argument comes from zeros, and it is left out of every loss.

    Args:
        shapes: Shape of each argument.
        width: Width d of each part.
        emit: `both` for shared and private side by side, `shared` for the shared part.
    """

    def __init__(self, shapes: Sequence[TokenShape], width: int, *, emit: str) -> None:
        super().__init__()
        self.emit = emit
        self.align = Alignment(shapes, [TokenShape(shape.tokens, width) for shape in shapes], bias=True, always=True)
        self.norm = nn.ModuleList(nn.LayerNorm(width) for _ in shapes)
        self.shared = nn.Linear(width, width)
        self.private = nn.ModuleList(nn.Linear(width, width) for _ in shapes)
        self.decode = nn.Linear(width, width)
        size = width if emit == "shared" else 2 * width
        self.out: tuple[TokenShape, ...] = tuple(TokenShape(shape.tokens, size, shape.grid) for shape in shapes)

    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Losses | None = None) -> list[Tensor]:
        """Return one (B, T_m, 2 width) or (B, T_m, width) an argument."""
        hidden = [norm(torch.relu(h)) for norm, h in zip(self.norm, self.align(mask_all(xs, present)), strict=True)]
        shared = [torch.sigmoid(self.shared(h)) for h in hidden]
        if losses is None and self.emit == "shared":
            return shared
        private = [torch.sigmoid(encode(h)) for encode, h in zip(self.private, hidden, strict=True)]
        if losses is not None:
            h_m, s_m, p_m = ([x.mean(dim=1) for x in parts] for parts in (hidden, shared, private))
            rows = [losses.rows(present_B).to(hidden[0]) for present_B in present]
            pairs = list(combinations(range(len(xs)), 2))
            losses.add(torch.stack([moment_discrepancy(s_m[m], s_m[n], rows[m], rows[n]) for m, n in pairs]).mean())
            own = [correlation_loss(s, p, rows_B) for s, p, rows_B in zip(s_m, p_m, rows, strict=True)]
            others = [correlation_loss(p_m[m], p_m[n], torch.where(present[m], rows[n], 0.0)) for m, n in pairs]
            losses.add(torch.stack([*own, *others]).sum())
            errors = [(h - self.decode(s + p)).square().mean(dim=1) for h, s, p in zip(h_m, s_m, p_m, strict=True)]
            losses.add(torch.stack([row_mean(error_B, rows_B) for error_B, rows_B in zip(errors, rows, strict=True)]).mean())
        return shared if self.emit == "shared" else [torch.cat(parts, dim=2) for parts in zip(shared, private, strict=True)]


def moment_discrepancy(left_BD: Tensor, right_BD: Tensor, left_rows_B: Tensor, right_rows_B: Tensor, moments: int = 5) -> Tensor:
    """Return the central moment discrepancy of two samples of values between 0 and 1 (Zellinger et al., ICLR 2017); zero without a row."""

    def shares(rows_B: Tensor) -> Tensor:
        return rows_B / torch.where(rows_B.sum() > 0, rows_B.sum(), 1.0)

    def distance(left_D: Tensor, right_D: Tensor) -> Tensor:
        squared = (left_D - right_D).square().sum()
        return torch.where(squared > 0, torch.sqrt(torch.where(squared > 0, squared, 1.0)), 0.0)  # the root has no slope at zero

    left_B, right_B = shares(left_rows_B), shares(right_rows_B)
    left_mean, right_mean = left_B @ left_BD, right_B @ right_BD
    left, right = left_BD - left_mean, right_BD - right_mean
    terms = [distance(left_mean, right_mean)]
    terms += [distance(left_B @ left**order, right_B @ right**order) for order in range(2, moments + 1)]
    return torch.where((left_rows_B.sum() > 0) & (right_rows_B.sum() > 0), torch.stack(terms).sum(), 0.0)


def correlation_loss(left_BD: Tensor, right_BD: Tensor, rows_B: Tensor) -> Tensor:
    """Return the mean of the squared entries of L^T R, whose rows have mean zero over the samples, then unit length."""

    def scaled(x_BD: Tensor) -> Tensor:
        return unit_rows(x_BD - rows_B @ x_BD / torch.where(rows_B.sum() > 0, rows_B.sum(), 1.0)) * torch.sqrt(rows_B)[:, None]

    return (scaled(left_BD).T @ scaled(right_BD)).square().mean()


@operator_layer("shared_bottleneck")
class SharedBottleneck(OperatorLayer):
    """z = mean over m of relu(E_m x_m + e_m), `dim` features on the tokens of the longest argument; y_m = x_m + D_m z.

    An absent argument is left out of the mean; its own result is what the others tell.

    Args:
        shapes: Shape of each argument; the results have the same.
        width: Not used.
        dim: Width of the bottleneck.
    """

    per_result = ("decode",)

    def __init__(self, shapes: Sequence[TokenShape], width: int, *, dim: int) -> None:
        super().__init__()
        self.out: tuple[TokenShape, ...] = tuple(shapes)
        self.shared = common_shape(shapes, dim)
        self.encode = Alignment(shapes, self.shared, bias=True, always=True)
        self.decode = nn.ModuleList(Align(self.shared, shape, always=True) for shape in shapes)

    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Losses | None = None) -> list[Tensor]:
        """Return one (B, T_m, D_m) an argument."""
        xs = mask_all(xs, present)
        codes = [torch.relu(x) for x in self.encode(xs)]
        shared_BTD = masked_mean(mask_all(codes, present), present)
        return [x if index in self.unread else x + self.decode[index](shared_BTD) for index, x in enumerate(xs)]


@operator_layer("cross_stitch")
class CrossStitch(OperatorLayer):
    """y_m = sum_l a_ml P_ml x_l; a starts at 0.9 on the diagonal and 0.1 / (n - 1) elsewhere.

    P_ml brings x_l to the tokens of x_m and, where it differs, to its width. An absent argument adds nothing; its own result is what
    the others give.

    Args:
        shapes: Shape of each argument; the results have the same.
        width: Not used.
    """

    per_result = ("align",)

    def __init__(self, shapes: Sequence[TokenShape], width: int) -> None:
        super().__init__()
        self.out: tuple[TokenShape, ...] = tuple(shapes)
        count = len(shapes)
        self.stitch = nn.Parameter(torch.full((count, count), 0.1 / (count - 1)).fill_diagonal_(0.9))
        self.align = nn.ModuleList(Alignment(shapes, target) for target in shapes)

    def leave_out(self, unread: Collection[int]) -> None:
        super().leave_out(unread)
        self.stitch = nn.Parameter(self.stitch.detach()[self._read])

    @property
    def _read(self) -> list[int]:
        return [index for index in range(len(self.out)) if index not in self.unread]

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
        if len(state_dict[f"{prefix}stitch"]) == len(self.out):  # a row for each result
            state_dict[f"{prefix}stitch"] = state_dict[f"{prefix}stitch"][self._read]
        super()._load_from_state_dict(state_dict, prefix, *rest)

    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Losses | None = None) -> list[Tensor]:
        """Return one (B, T_m, D_m) an argument."""
        xs = mask_all(xs, present)
        results = list(xs)
        for row, index in zip(self.stitch, self._read, strict=True):
            results[index] = total([weight * x for weight, x in zip(row, self.align[index](xs), strict=True)])
        return results
