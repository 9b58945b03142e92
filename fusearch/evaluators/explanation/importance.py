"""What a design hangs on: modalities taken away or shuffled, and the weights that leave joined class scores.

Axis letters: K outputs, D columns of a joined state.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch

from fusearch.contracts import Objective
from fusearch.errors import EvaluationError, suggestion
from fusearch.evaluators.network.network import FusionNetwork
from fusearch.evaluators.tasks import bind_task
from fusearch.evaluators.training.modes import predict
from fusearch.evaluators.training.samples import Samples
from fusearch.evaluators.training.transfer import KeptWeights, WeightStore, joins_scores
from fusearch.search_space import Candidate, FusionGraph

if TYPE_CHECKING:
    from fusearch.evaluators.evaluator import TrainingEvaluator
    from fusearch.evaluators.training.member import Member

__all__ = ["Effect", "Share", "effect_of", "modality_effects", "score_shares"]

How = Literal["ablation", "permutation"]


@dataclass(frozen=True)
class Effect:
    """How much worse a design is without the information of a modality.

    Attributes:
        modality: Which one.
        how: `ablation`: absent in every held-out sample; `permutation`: given to the wrong held-out samples.
        metric: What is compared.
        drop: Mean over members of how much worse the metric gets; positive where the modality helps.
        low: Lower end of the 95 % interval of that mean (Student's t over members), within what the metric can lose or win; None with one
            member.
        high: Upper end.
        members: The drop of each member.
    """

    modality: str
    how: How
    metric: str
    drop: float
    low: float | None
    high: float | None
    members: tuple[float, ...]


@dataclass(frozen=True)
class Share:
    """How much of the weights that leave joined class scores belongs to a stream, or to all streams of a modality.

    Attributes:
        name: The stream or modality.
        kind: Which of the two.
        mean: Its share of the absolute weights, from 0 to 1, mean over members.
        spread: Standard deviation over members; 0 with one member.
    """

    name: str
    kind: Literal["stream", "modality"]
    mean: float
    spread: float


def modality_effects(
    evaluator: TrainingEvaluator,
    candidate: Candidate,
    weights: WeightStore,
    members: Sequence[Member],
    *,
    metric: str,
    repeats: int = 10,
    seed: int = 0,
) -> list[Effect]:
    """Measure ablation and permutation of every modality that a design reads, on the held-out rows of each member.

    Args:
        evaluator: Gives folds and preprocessing; it knows no test rows.
        candidate: The design.
        weights: Where its trained members lie.
        members: Which of them.
        metric: A metric of the task.
        repeats: Permutations for each member and modality; their mean counts.
        seed: Seed of the permutations.

    Raises:
        EvaluationError: The task has no such metric, or the weights were not kept.

    References:
        Breiman, "Random forests", Machine Learning 45 (2001), section 10, for permutation.
    """
    if metric not in evaluator.data.task.metrics:
        raise EvaluationError(f"metric {metric!r}: {suggestion(metric, evaluator.data.task.metrics)}")
    objective = Objective.parse(metric)
    modalities = list(dict.fromkeys(candidate.graph.stream(name).modality for name in candidate.graph.active_streams))
    whole_of: list[float] = []
    drops: dict[tuple[str, How], list[float]] = {(modality, how): [] for modality in modalities for how in ("ablation", "permutation")}
    for member in members:
        held_out = evaluator.prepared(member.fold).validation
        network = trained_network(evaluator, candidate, weights, member)
        whole = _value(evaluator, network, held_out, member, metric)
        whole_of.append(whole)
        rng = torch.Generator().manual_seed(int(np.random.SeedSequence([seed, member.fold, member.seed]).generate_state(1)[0]))
        for modality in modalities:
            absent = _value(evaluator, network, held_out.without(modality), member, metric)
            drops[modality, "ablation"].append(objective.gain(whole, absent))
            shuffled = [_value(evaluator, network, _permute(held_out, modality, rng), member, metric) for _ in range(repeats)]
            drops[modality, "permutation"].append(objective.gain(whole, float(np.mean(shuffled))))
    bounds = evaluator.data.task.metric(metric).bounds
    return [effect_of(modality, how, objective, values, whole_of, bounds) for (modality, how), values in drops.items()]


def score_shares(graph: FusionGraph, kept: Sequence[KeptWeights]) -> list[Share]:
    """Return the hierarchy of streams and modalities by the weights that leave the joined class scores, heaviest first.

    Args:
        graph: A design that `joins_scores`.
        kept: Its trained members.

    Raises:
        EvaluationError: The design joins something else.

    References:
        Guarrasi and Soda, Computers in Biology and Medicine 154 (2023), the section on the contribution of modalities.
    """
    if not joins_scores(graph):
        raise EvaluationError("the design does not join class scores by one 'cat' with a linear head: its weights give no hierarchy")
    streams = [tap.source for tap in graph.fusions[0].args]
    shares = []
    for member in kept:
        leaving_D = member.weights["heads.0.linear.weight"].abs().sum(dim=0).double().numpy()
        by_stream = leaving_D.reshape(len(streams), -1).sum(axis=1)
        shares.append(by_stream / by_stream.sum())
    shares_MS = np.stack(shares)
    modality_of = [graph.stream(name).modality for name in streams]
    found = [_share(name, "stream", shares_MS[:, index]) for index, name in enumerate(streams)]
    for modality in dict.fromkeys(modality_of):
        own = [index for index, other in enumerate(modality_of) if other == modality]
        found.append(_share(modality, "modality", shares_MS[:, own].sum(axis=1)))
    return sorted(found, key=lambda share: (share.kind, -share.mean))


def trained_network(evaluator: TrainingEvaluator, candidate: Candidate, weights: WeightStore, member: Member) -> FusionNetwork:
    """Return a member of a design as it was trained, in evaluation mode."""
    network = FusionNetwork.of(candidate, bind_task(evaluator.data.task))
    network.load_state_dict(dict(weights.load(candidate.digest, member).weights))
    return network.to(evaluator.prepared(member.fold).validation.targets.device).eval()


def _value(evaluator: TrainingEvaluator, network: FusionNetwork, samples: Samples, member: Member, metric: str) -> float:
    from fusearch.evaluators.training.members import score, settled_task

    rows = evaluator.prepared(member.fold)
    return score(settled_task(network, rows).judged(predict(network, samples), rows.targets), rows.targets, evaluator.data.task)[metric]


def _permute(samples: Samples, modality: str, rng: torch.Generator) -> Samples:
    """Give the values of one modality, and whether it is there, to other samples."""
    order = torch.randperm(len(samples), generator=rng).to(samples.targets.device)
    inputs: Mapping[str, torch.Tensor] = {**samples.inputs, modality: samples.inputs[modality][order]}
    return replace(samples, inputs=inputs, present={**samples.present, modality: samples.present[modality][order]})


def effect_of(
    modality: str, how: How, objective: Objective, drops: Sequence[float], whole: Sequence[float], bounds: tuple[float, float]
) -> Effect:
    """Return the effect; no member can lose more, or win more, than from its whole value to the ends of the metric.

    Args:
        modality: Which one.
        how: What was done with it.
        objective: What is compared.
        drops: How much worse each member gets; NaN where that is not defined.
        whole: The value of each member with all modalities.
        bounds: The least and the greatest value of the metric.
    """
    finite = [drop for drop in drops if math.isfinite(drop)]
    mean = float(np.mean(finite)) if finite else math.nan
    low = high = None
    if len(finite) > 1:
        from scipy.stats import t

        half = float(t.ppf(0.975, len(finite) - 1)) * float(np.std(finite, ddof=1)) / math.sqrt(len(finite))
        start = float(np.mean([value for value, drop in zip(whole, drops, strict=True) if math.isfinite(drop)]))
        least, most = sorted(objective.gain(start, end) for end in bounds)
        low, high = max(mean - half, least), min(mean + half, most)
    return Effect(modality, how, objective.name, mean, low, high, tuple(drops))


def _share(name: str, kind: Literal["stream", "modality"], values: np.ndarray) -> Share:
    return Share(name, kind, float(values.mean()), float(values.std(ddof=1)) if len(values) > 1 else 0.0)
