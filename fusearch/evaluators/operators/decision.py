"""The decision level: votes on class scores.

Each argument is one token of logits (B, 1, C): scores of classes, or (`TokenShape.classes` is False) values such as those of a
regression. A vote of classes returns log-probabilities. No gradient moves a vote; those that have weights get them from `fit`, solved on
scores of training rows.
"""

# ruff: noqa: ARG002  # all layers share one signature

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from fusearch.evaluators.network.operator_layer import Losses, OperatorLayer, TokenShape, mask_absent, operator_layer
from fusearch.evaluators.operators.alignment import any_present, mask_all, presence
from fusearch.evaluators.tasks import TaskLayer

__all__ = ["InverseCovariance", "ProductOfExperts", "Stacking", "Vote", "VoteMajority", "VoteMean", "VoteWeighted"]


class Vote(OperatorLayer):
    """An untrained vote on class scores.

    Args:
        shapes: Shape of each argument: one token, as wide as the task has outputs.
        width: Not used; the result is one token of the same width.

    Attributes:
        weighs: Whether `fit` sets weights by how well each voter does.
    """

    weighs = False

    def __init__(self, shapes: Sequence[TokenShape], width: int) -> None:
        super().__init__()
        self.out: TokenShape = shapes[0]
        self.num_voters, self.num_outputs, self.classes = len(shapes), shapes[0].width, shapes[0].classes

    def fit(
        self,
        scores: Sequence[Tensor],
        targets: Tensor,
        present: Sequence[Tensor],
        task: TaskLayer,
        *,
        parts: Tensor | None = None,
        balanced: bool = False,
    ) -> None:
        """Set the weights of the vote; a vote without weights does nothing.

        Args:
            scores: One (N, 1, C) tensor of logits an argument, on training rows that it was not trained on; read where the vote `weighs`.
            targets: Targets of these rows, as the task encodes them.
            present: One (N,) boolean mask an argument.
            task: What is predicted.
            parts: Which part of the rows each row is in, (N,): voters were trained on the other parts.
            balanced: Whether rare classes weigh as much as frequent ones, where the weights have a loss.
        """

    def forward(self, xs: list[Tensor], present: list[Tensor], losses: Losses | None = None) -> Tensor:
        """Return log-probabilities or values, (B, 1, C)."""
        scores_BNC = torch.cat(mask_all(xs, present), dim=1)
        present_BN1 = presence(present)[:, :, None]
        opinion_BC = self.vote(scores_BNC, present_BN1) if self.classes else self.average(scores_BNC, present_BN1)
        return mask_absent(opinion_BC[:, None], any_present(present))

    def weights(self, present_BN1: Tensor, dtype: torch.dtype) -> Tensor:
        """Return the weight of each voter (B, N, 1), zero for the absent ones; the weights of a sample sum to one."""
        return normalized(present_BN1.to(dtype))

    def average(self, values_BNC: Tensor, present_BN1: Tensor) -> Tensor:
        """Combine values: (B, C)."""
        return (self.weights(present_BN1, values_BNC.dtype) * values_BNC).sum(dim=1)

    @abstractmethod
    def vote(self, scores_BNC: Tensor, present_BN1: Tensor) -> Tensor:
        """Combine class scores to log-probabilities (B, C)."""


class LinearVote(Vote):
    """A vote p = sum_m w_m softmax(s_m)."""

    def vote(self, scores_BNC: Tensor, present_BN1: Tensor) -> Tensor:
        weights_BN1 = self.weights(present_BN1, scores_BNC.dtype)
        # log(sum w p) from log-probabilities: exact where a probability underflows.
        log_weights = torch.log(weights_BN1.clamp(min=torch.finfo(weights_BN1.dtype).tiny))
        terms = torch.where(present_BN1, torch.log_softmax(scores_BNC, dim=2) + log_weights, torch.finfo(scores_BNC.dtype).min)
        return torch.logsumexp(terms, dim=1)


@operator_layer("vote_mean")
class VoteMean(LinearVote):
    """p = mean over m of softmax(s_m), over the voters that are present; zero where none is. Regression: the mean of the values."""


class WeightedVote(LinearVote):
    """A linear vote with fixed weights, equal before `fit`.

    Args:
        shapes: Shape of each argument: one token, as wide as the task has outputs.
        width: Not used; the result is one token of the same width.
    """

    weighs = True
    voter_weights: Tensor

    def __init__(self, shapes: Sequence[TokenShape], width: int) -> None:
        super().__init__(shapes, width)
        self.register_buffer("voter_weights", torch.full((len(shapes),), 1 / len(shapes)))

    def fit(
        self,
        scores: Sequence[Tensor],
        targets: Tensor,
        present: Sequence[Tensor],
        task: TaskLayer,
        *,
        parts: Tensor | None = None,
        balanced: bool = False,
    ) -> None:
        """Set the weights from the errors on the rows that voters have, two of them in common."""
        weights = self.solved(error_moments(scores, targets, present, task))
        self.voter_weights.copy_(weights / weights.sum())

    def solved(self, moments: Tensor) -> Tensor:
        """Return the weights, up to a factor, (n,), from the error moments (n, n): 1 / mean squared error."""
        return 1 / torch.diagonal(moments)

    def weights(self, present_BN1: Tensor, dtype: torch.dtype) -> Tensor:
        weights_BN1 = self.voter_weights.to(dtype)[None, :, None] * present_BN1
        # Where only voters of weight zero are present they count alike.
        usable = weights_BN1.sum(dim=1, keepdim=True) > 0
        return normalized(torch.where(usable, weights_BN1, present_BN1.to(dtype)))


@operator_layer("vote_weighted")
class VoteWeighted(WeightedVote):
    """p = sum_m w_m softmax(s_m), w_m proportional to 1 / mean squared error of voter m; regression: of the values.

    The weight of an absent argument is zero and the others are scaled up; zero where none is present.
    """


@operator_layer("inverse_covariance")
class InverseCovariance(WeightedVote):
    """p = sum_m w_m softmax(s_m), w = C^-1 1 / (1^T C^-1 1) clipped at 0, C_ml the mean of e_m . e_l, e the errors.

    The weight of an absent argument is zero and the others are scaled up; zero where none is present.

    Args:
        shapes: Shape of each argument: one token, as wide as the task has outputs.
        width: Not used; the result is one token of the same width.
        shrinkage: How much the off-diagonal entries of C are shrunk: 0 not at all, 1 to `vote_weighted`.
    """

    def __init__(self, shapes: Sequence[TokenShape], width: int, *, shrinkage: float) -> None:
        super().__init__(shapes, width)
        self.shrinkage = shrinkage

    def solved(self, moments: Tensor) -> Tensor:
        """Return C^-1 1, clipped at 0, from the shrunk moments."""
        diagonal = torch.diag(torch.diagonal(moments))
        moments = diagonal + (1 - self.shrinkage) * (moments - diagonal)
        # Voters that err alike make C singular; the pseudo-inverse then shares their weight.
        weights: Tensor = torch.linalg.pinv(moments, hermitian=True).sum(dim=1).clamp(min=0)
        return weights


@operator_layer("vote_majority")
class VoteMajority(Vote):
    """p_c = (votes for c + mean_m softmax(s_m)_c / 2) / (voters + 1/2): the mean only breaks ties. Regression: the median.

    An absent argument has no vote; zero where none is present. The gradient is that of the mean.
    """

    def vote(self, scores_BNC: Tensor, present_BN1: Tensor) -> Tensor:
        votes_BC = (one_hot(scores_BNC.argmax(dim=2), self.num_outputs) * present_BN1).sum(dim=1)
        mean_BC = (self.weights(present_BN1, scores_BNC.dtype) * torch.softmax(scores_BNC, dim=2)).sum(dim=1)
        tiny = torch.finfo(scores_BNC.dtype).tiny
        return torch.log(((votes_BC + mean_BC / 2) / (present_BN1.sum(dim=1) + 0.5)).clamp(min=tiny))

    def average(self, values_BNC: Tensor, present_BN1: Tensor) -> Tensor:
        largest = torch.finfo(values_BNC.dtype).max
        ordered_BNC = torch.where(present_BN1, values_BNC, largest).sort(dim=1).values
        count_B1C = present_BN1.sum(dim=1, keepdim=True).clamp(min=1).expand(-1, -1, self.num_outputs)
        middle = [ordered_BNC.gather(1, index).squeeze(1) for index in ((count_B1C - 1) // 2, count_B1C // 2)]
        return middle[0] / 2 + middle[1] / 2


@operator_layer("product_of_experts")
class ProductOfExperts(WeightedVote):
    """log p = sum_m log softmax(s_m) - (n - 1) log prior, normalized. Regression: mean weighted by 1 / mean squared error.

    The factor of an absent argument is the prior; zero where none is present. The prior is uniform before `fit`.
    """

    log_prior: Tensor

    def __init__(self, shapes: Sequence[TokenShape], width: int) -> None:
        super().__init__(shapes, width)
        self.weighs = not self.classes  # of classes it needs the prior alone
        self.register_buffer("log_prior", torch.zeros(self.num_outputs) - torch.log(torch.tensor(float(self.num_outputs))))

    def fit(
        self,
        scores: Sequence[Tensor],
        targets: Tensor,
        present: Sequence[Tensor],
        task: TaskLayer,
        *,
        parts: Tensor | None = None,
        balanced: bool = False,
    ) -> None:
        """Set the prior to the (add-one) class frequencies; of values set the weights to the precisions."""
        if self.classes:
            counts = torch.bincount(targets, minlength=self.num_outputs) + 1.0
            self.log_prior.copy_(torch.log(counts / counts.sum()))
        else:
            super().fit(scores, targets, present, task)

    def vote(self, scores_BNC: Tensor, present_BN1: Tensor) -> Tensor:
        log_prior_C = self.log_prior.to(scores_BNC.dtype)
        evidence_BNC = torch.log_softmax(scores_BNC, dim=2) - log_prior_C
        return torch.log_softmax(torch.where(present_BN1, evidence_BNC, 0.0).sum(dim=1) + log_prior_C, dim=1)


@operator_layer("stacking")
class Stacking(Vote):
    """s = sum_m W_m log softmax(s_m) + b, normalized: an L2-regularized logistic regression; of the values a ridge regression.

    An absent argument adds a vector of its own instead, its mean term where it was never absent; even odds (zero) where none is present.
    Before `fit` W_m = I / n.
    """

    weighs = True
    maps: Tensor
    absent: Tensor
    bias: Tensor

    def __init__(self, shapes: Sequence[TokenShape], width: int) -> None:
        super().__init__(shapes, width)
        self.register_buffer("maps", torch.eye(self.num_outputs).repeat(self.num_voters, 1, 1) / self.num_voters)
        self.register_buffer("absent", torch.zeros(self.num_voters, self.num_outputs))
        self.register_buffer("bias", torch.zeros(self.num_outputs))

    def fit(
        self,
        scores: Sequence[Tensor],
        targets: Tensor,
        present: Sequence[Tensor],
        task: TaskLayer,
        *,
        parts: Tensor | None = None,
        balanced: bool = False,
    ) -> None:
        """Solve for the maps; the strength of regularization is chosen by the loss of each part when solved for the others.

        The columns are the opinions less their means, zero where a voter is absent, and whether it is: what is pulled towards zero is how
        far an opinion moves the result from that of the mean opinion. A task without a solver keeps equal weights.
        """
        here_NM1 = presence(present)[:, :, None]
        known = here_NM1.any(dim=1).flatten()
        solver = task.solver(balanced=balanced)
        if solver is None or not known.any():
            return
        opinions_NMC = self.opinions(torch.cat(mask_all(scores, present), dim=1).detach().double())
        means_MC = torch.where(here_NM1, opinions_NMC, 0.0).sum(dim=0) / here_NM1.sum(dim=0).clamp(min=1)
        columns_NMD = torch.cat([torch.where(here_NM1, opinions_NMC - means_MC, 0.0), ~here_NM1], dim=2)
        within = torch.zeros(0) if parts is None else parts[known]
        found = sorted(set(within.tolist()))
        solution, _ = task.solve(
            solver,
            columns_NMD[known].flatten(1).cpu().numpy(),
            targets[known],
            weights=task.class_weights(targets[known]) if balanced else None,
            sides=[(within != part, within == part) for part in found if len(found) > 1],
        )
        weight_CD, bias_C = (torch.as_tensor(values, dtype=torch.float64, device=means_MC.device) for values in solution)
        weight_MCD = weight_CD.reshape(self.num_outputs, self.num_voters, -1).transpose(0, 1)
        maps_MCC, absent_MC = weight_MCD[:, :, :-1], weight_MCD[:, :, -1]
        shift_MC = (maps_MCC @ means_MC[:, :, None]).squeeze(2)
        self.maps.copy_(maps_MCC)
        self.absent.copy_(absent_MC + shift_MC)
        self.bias.copy_(bias_C - shift_MC.sum(dim=0))

    def opinions(self, scores_BNC: Tensor) -> Tensor:
        """Return what the maps read: log-probabilities, or the values as they are."""
        return torch.log_softmax(scores_BNC, dim=2) if self.classes else scores_BNC

    def vote(self, scores_BNC: Tensor, present_BN1: Tensor) -> Tensor:
        return torch.log_softmax(self.average(self.opinions(scores_BNC), present_BN1), dim=1)

    def average(self, values_BNC: Tensor, present_BN1: Tensor) -> Tensor:
        terms_BNC = torch.einsum("bnd,ncd->bnc", values_BNC, self.maps.to(values_BNC.dtype))
        return torch.where(present_BN1, terms_BNC, self.absent.to(values_BNC.dtype)).sum(dim=1) + self.bias.to(values_BNC.dtype)


def normalized(weights_BN1: Tensor) -> Tensor:
    """Divide by the sum over the voters; all zero stays zero."""
    total = weights_BN1.sum(dim=1, keepdim=True)
    return weights_BN1 / torch.where(total > 0, total, 1.0)


def error_moments(scores: Sequence[Tensor], targets: Tensor, present: Sequence[Tensor], task: TaskLayer) -> Tensor:
    """Return C (n, n): C_ml is the mean of e_m . e_l over the rows that voters m and l both have.

    What the error of a voter is, the task says (`TaskLayer.residuals`). Entries of voters without a
    common row are zero; the diagonal is at least 1e-8, and 1e8 for a voter without any row, so that it gets no weight.
    """
    errors_NMC = task.residuals(torch.cat(list(scores), dim=1).detach(), targets)
    mask_NM = presence(present)
    errors_NMC = torch.where(mask_NM[:, :, None], errors_NMC, 0.0)
    counts_MM = mask_NM.to(errors_NMC.dtype).T @ mask_NM.to(errors_NMC.dtype)
    moments = torch.einsum("nmc,nlc->ml", errors_NMC, errors_NMC) / counts_MM.clamp(min=1)
    own = torch.where(torch.diagonal(counts_MM) > 0, torch.diagonal(moments).clamp(min=1e-8), 1e8)
    return moments - torch.diag(torch.diagonal(moments)) + torch.diag(own)
