"""Sharing by a loss on projections: contrastive, distribution_match, manifold, orthogonal.

Each gives y_m = W_m x_m + b_m, and in training a loss on z_m, the means over tokens of y_m. The result of an absent argument comes
from zeros, and it is left out of the loss. Axis letters: B, C batch, D width.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from itertools import combinations

import torch
from torch import Tensor

from fusearch.evaluators.network.operator_layer import Losses, OperatorLayer, TokenShape, operator_layer
from fusearch.evaluators.operators.alignment import Alignment, mask_all
from fusearch.evaluators.operators.sharing import row_mean, unit_rows

__all__ = ["Agreement", "Contrastive", "DistributionMatch", "Manifold", "Orthogonal", "Projections"]


class Projections(OperatorLayer):
    """y_m = W_m x_m + b_m, with a loss on the means over tokens.

    Args:
        shapes: Shape of each argument.
        width: Width of the results.
    """

    def __init__(self, shapes: Sequence[TokenShape], width: int) -> None:
        super().__init__()
        self.out: tuple[TokenShape, ...] = tuple(TokenShape(shape.tokens, width, shape.grid) for shape in shapes)
        self.align = Alignment(shapes, self.out, bias=True, always=True)

    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Losses | None = None) -> list[Tensor]:
        """Return one (B, T_m, width) an argument."""
        results: list[Tensor] = self.align(mask_all(xs, present))
        if losses is not None:
            losses.add(self.loss([result.mean(dim=1) for result in results], present, losses))
        return results

    @abstractmethod
    def loss(self, vectors: list[Tensor], present: list[Tensor], losses: Losses) -> Tensor:
        """Return the loss, given the mean of each result (B, width) and which rows have its argument."""


class Agreement(Projections):
    """The same, with a loss of pairs of modalities."""

    def loss(self, vectors: list[Tensor], present: list[Tensor], losses: Losses) -> Tensor:
        """Return the mean of `pair_loss` over all pairs of modalities."""
        rows = [losses.rows(present_B).to(vectors[0]) for present_B in present]
        terms = [self.pair_loss(vectors[m], vectors[n], rows[m], rows[n]) for m, n in combinations(range(len(vectors)), 2)]
        return torch.stack(terms).mean()

    @abstractmethod
    def pair_loss(self, left_BD: Tensor, right_BD: Tensor, left_rows_B: Tensor, right_rows_B: Tensor) -> Tensor:
        """Return the loss of two modalities, given the weight of each row in each; zero for absent and padded rows."""


def both(left_rows_B: Tensor, right_rows_B: Tensor) -> Tensor:
    """Return the weight of the rows that both modalities have."""
    return torch.where(right_rows_B > 0, left_rows_B, 0.0)


@operator_layer("orthogonal")
class Orthogonal(Agreement):
    """Loss: mean over pairs of cos(z_m, z_l)^2, on rows that have both modalities."""

    def pair_loss(self, left_BD: Tensor, right_BD: Tensor, left_rows_B: Tensor, right_rows_B: Tensor) -> Tensor:
        cosine_B = (unit_rows(left_BD) * unit_rows(right_BD)).sum(dim=1)
        return row_mean(cosine_B.square(), both(left_rows_B, right_rows_B))


@operator_layer("contrastive")
class Contrastive(Agreement):
    """Loss: mean over pairs and both directions of -log softmax over samples j of (z_mi . z_lj / temperature) at j = i, z of unit length.

    Args:
        shapes: Shape of each argument.
        width: Width of the results.
        temperature: Scale of the similarities.
    """

    def __init__(self, shapes: Sequence[TokenShape], width: int, *, temperature: float) -> None:
        super().__init__(shapes, width)
        self.temperature = temperature

    def pair_loss(self, left_BD: Tensor, right_BD: Tensor, left_rows_B: Tensor, right_rows_B: Tensor) -> Tensor:
        rows_B = both(left_rows_B, right_rows_B)
        similarity_BC = unit_rows(left_BD) @ unit_rows(right_BD).T / self.temperature
        lowest = torch.finfo(similarity_BC.dtype).min
        terms = []
        for logits_BC in (similarity_BC, similarity_BC.T):
            log_BC = torch.log_softmax(torch.where(rows_B[None] > 0, logits_BC, lowest), dim=1)
            terms.append(row_mean(torch.where(rows_B > 0, -torch.diagonal(log_BC), 0.0), rows_B))
        return (terms[0] + terms[1]) / 2


@operator_layer("distribution_match")
class DistributionMatch(Agreement):
    """Loss: mean over pairs of MMD^2, with five Gaussian kernels of widths 1/4 to 4 times sqrt(d), or of |C_m - C_l|_F^2 / 4 d^2.

    Args:
        shapes: Shape of each argument.
        width: Width d of the results.
        distance: `mmd`; `deep_coral` for the covariances C, with 1 / (n - 1) as published; `coral` with 1 / n.
    """

    def __init__(self, shapes: Sequence[TokenShape], width: int, *, distance: str) -> None:
        super().__init__(shapes, width)
        self.distance = distance

    def pair_loss(self, left_BD: Tensor, right_BD: Tensor, left_rows_B: Tensor, right_rows_B: Tensor) -> Tensor:
        left_B, right_B = share(left_rows_B), share(right_rows_B)
        if self.distance != "mmd":
            left_DD, right_DD = covariance(left_BD, left_B), covariance(right_BD, right_B)
            if self.distance == "deep_coral":
                left_DD, right_DD = left_DD * unbiased(left_rows_B), right_DD * unbiased(right_rows_B)
            gap = left_DD - right_DD
            return gap.square().sum() / (4 * left_BD.shape[1] ** 2) * (left_B.sum() * right_B.sum())
        values, signed = torch.cat([left_BD, right_BD]), torch.cat([left_B * right_B.sum(), -right_B * left_B.sum()])
        return signed @ gaussian_kernels(squared_distances(values), values.shape[1]) @ signed


def share(rows_B: Tensor) -> Tensor:
    """Scale weights to sum to one; all zero stays zero."""
    total = rows_B.sum()
    return rows_B / torch.where(total > 0, total, 1.0)


def covariance(z_BD: Tensor, share_B: Tensor) -> Tensor:
    """Return the weighted covariance (D, D)."""
    centred = z_BD - share_B @ z_BD
    return (centred * share_B[:, None]).T @ centred


def unbiased(rows_B: Tensor) -> Tensor:
    """Return n / (n - 1) of the rows that count; zero for a single one, of which there is no covariance."""
    count = rows_B.sum()
    return torch.where(count > 1, count / torch.where(count > 1, count - 1, 1.0), 0.0)


def squared_distances(z_BD: Tensor) -> Tensor:
    """Return |z_i - z_j|^2 for all pairs of rows (B, B)."""
    return (z_BD[:, None] - z_BD[None]).square().sum(dim=2)


def gaussian_kernels(squared: Tensor, width: int) -> Tensor:
    """Sum exp(-distance^2 / 2 s^2) over s = sqrt(width) times 1/4, 1/2, 1, 2, 4."""
    return torch.stack([torch.exp(-squared / (2 * width * scale**2)) for scale in (0.25, 0.5, 1.0, 2.0, 4.0)]).sum(dim=0)


@operator_layer("manifold")
class Manifold(Agreement):
    """Loss: inside each modality samples of a class lie close and others at least `margin` apart; two modalities have alike distances.

    d_ij = |z_i - z_j| / sqrt(d). Mean over m and i != j of a_ij d_ij^2 + (1 - a_ij) max(0, margin - d_ij)^2, a = same class (in a
    regression exp(-(t_i - t_j)^2)), plus the mean over pairs of modalities of (d^m_ij - d^l_ij)^2.

    Args:
        shapes: Shape of each argument.
        width: Width d of the results.
        margin: Distance that is enough between classes.
    """

    def __init__(self, shapes: Sequence[TokenShape], width: int, *, margin: float) -> None:
        super().__init__(shapes, width)
        self.margin = margin

    def loss(self, vectors: list[Tensor], present: list[Tensor], losses: Losses) -> Tensor:
        """Return the loss inside the modalities plus the one between them."""
        alike_BC = losses.task.alike(losses.targets).to(vectors[0].dtype)
        inside = []
        for vector, present_B in zip(vectors, present, strict=True):
            far_BC = torch.relu(self.margin - distances(vector))
            graph_BC = alike_BC * distances(vector).square() + (1 - alike_BC) * far_BC.square()
            inside.append(row_mean(graph_BC, pairs(losses.rows(present_B))))
        return torch.stack(inside).mean() + super().loss(vectors, present, losses)

    def pair_loss(self, left_BD: Tensor, right_BD: Tensor, left_rows_B: Tensor, right_rows_B: Tensor) -> Tensor:
        gap_BC = distances(left_BD) - distances(right_BD)
        return row_mean(gap_BC.square(), pairs(both(left_rows_B, right_rows_B)))


def distances(z_BD: Tensor, eps: float = 1e-12) -> Tensor:
    """Return |z_i - z_j| / sqrt(d); `eps` keeps the slope of the root at zero finite."""
    return torch.sqrt(squared_distances(z_BD) / z_BD.shape[1] + eps)


def pairs(rows_B: Tensor) -> Tensor:
    """Return the weight of each pair of different samples (B, B)."""
    return rows_B[:, None] * rows_B[None] * (1 - torch.eye(rows_B.shape[0], dtype=rows_B.dtype, device=rows_B.device))
