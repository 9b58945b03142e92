"""The members of a design, its folds times its seeds, and the one seam "train these members of this design".

Axis letters: N validation rows, K outputs.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, Required, TypedDict, Unpack

import numpy as np
import torch
from numpy.typing import NDArray

from fusearch.data import Dataset, Fold
from fusearch.data.given_weights import GivenWeights
from fusearch.errors import EvaluationError
from fusearch.evaluators.network.copies import Copies
from fusearch.evaluators.network.network import FusionNetwork
from fusearch.evaluators.network.start import start_network
from fusearch.evaluators.tasks import TaskLayer, bind_task
from fusearch.evaluators.training.balance import constant_logits
from fusearch.evaluators.training.mask_pictures import mask_pictures
from fusearch.evaluators.training.member import Member
from fusearch.evaluators.training.modes import FUSION, DesignTraining, predict
from fusearch.evaluators.training.optimization import Fit, reproducible
from fusearch.evaluators.training.phase import Phase, in_turn
from fusearch.evaluators.training.samples import Samples, deal_parts, make_samples
from fusearch.evaluators.training.stream_cache import StreamCache
from fusearch.evaluators.training.summary import worst_missing
from fusearch.evaluators.training.training_settings import TrainingSettings
from fusearch.evaluators.training.transfer import Takeover, WeightStore, take_over
from fusearch.search_space import Candidate
from fusearch.tasks import Task

__all__ = [
    "FoldSamples",
    "MemberSetup",
    "OnMemberEpoch",
    "TrainedMember",
    "member_training",
    "prepare_fold",
    "score",
    "settled_task",
    "train_members",
]


@dataclass(frozen=True)
class FoldSamples:
    """The rows of a fold as tensors, preprocessed by what its training rows say.

    Attributes:
        fold: Row numbers.
        train: Training rows.
        validation: Held-out rows.
        targets: Targets of the held-out rows in their own units, (N,) or (N, numbers of a sample).
        task: What is predicted, fitted on the training rows.
    """

    fold: Fold
    train: Samples
    validation: Samples
    targets: NDArray[Any]
    task: TaskLayer


@dataclass(frozen=True)
class TrainedMember:
    """What the training of one member gave.

    Attributes:
        member: Which one.
        fits: What each phase of the training did.
        metrics: Every metric of the task on the held-out rows; NaN where it is undefined there.
        outputs: Outputs of the held-out rows in the units of the target, such as class probabilities (N, K) or predictions (N,); of a dense
            task the scores of each row.
        seconds: Wall time; of members that were trained together the share of each.
        together: Members that were trained together.
        loop: Phase that was trained in the plain loop although there were others beside it -> why.
        eager: Phase whose steps were not captured on a device where that is done -> why.
        alone: How many streams were `asked` for alone, and of these `found` in the cache.
        pictures: Of masks, some of the held-out rows (`mask_pictures`).
    """

    member: Member
    fits: Mapping[str, Fit]
    metrics: Mapping[str, float]
    outputs: NDArray[np.float64]
    seconds: float
    together: int = 1
    loop: Mapping[str, str] = field(default_factory=dict)
    eager: Mapping[str, str] = field(default_factory=dict)
    alone: Mapping[str, int] = field(default_factory=dict)
    pictures: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the facts as JSON-able values; an undefined metric is None."""
        metrics = {name: value if np.isfinite(value) else None for name, value in self.metrics.items()}
        epochs = {phase: fit.best_epoch for phase, fit in self.fits.items()}
        return {"fold": self.member.fold, "seed": self.member.seed, "epochs": epochs, "metrics": metrics, "seconds": self.seconds}


class OnMemberEpoch(Protocol):
    """Called after each epoch of each member."""

    def __call__(self, member: Member, phase: str, epoch: int, values: Mapping[str, float], /) -> None: ...


def prepare_fold(data: Dataset, fold: Fold, *, device: torch.device | str = "cpu") -> FoldSamples:
    """Fit preprocessing and what the task takes from targets on the training rows, and bring both sides onto the device."""
    preprocessor = data.fit_preprocessor(fold.train)
    task = bind_task(data.task).fit(data.targets[fold.train]).to(device)
    train_rows, held_out = (
        make_samples(*preprocessor.transform(data, rows), task.encode(data.targets[rows]), parts=parts, device=device)
        for rows, parts in ((fold.train, deal_parts(data, fold.train)), (fold.val, None))
    )
    return FoldSamples(fold, train_rows, held_out, data.targets[fold.val], task)


def score(outputs: NDArray[np.float64], targets: NDArray[Any], task: Task) -> dict[str, float]:
    """Return every metric of the task, a user's own among them; NaN where one is undefined.

    They are asked as for one draw of the rows, each once: the same values, without the checks of scikit-learn, which take 20 ms a member.

    Raises:
        EvaluationError: A metric failed.
    """
    once = np.ones((len(targets), 1))
    return {name: float(task.metric(name).on_draws(targets, outputs, once, task.labels)[0]) for name in task.metrics}


def settled_task(network: FusionNetwork, rows: FoldSamples) -> TaskLayer:
    """Return what turns the logits of a network that was trained on these rows into outputs."""
    return rows.task.settled(lambda: predict(network, rows.train), rows.train.targets)


class MemberSetup(TypedDict, total=False):
    """How every member is trained and scored, whatever its design.

    Attributes:
        settings: Epochs, patience, size of a batch.
        threads: Threads of one torch operation; None leaves them.
        missing: Modalities; each member is also scored with each of them absent (`auroc_without.rna`, `worst_missing_auroc`).
        weights: Where trained weights are kept, and where those that a candidate starts from lie; None keeps none.
        cache: Where streams that are trained alone are kept, and looked for; None keeps none.
        given: Weights in files that streams start from.
    """

    settings: Required[TrainingSettings]
    threads: int | None
    missing: Sequence[str]
    weights: WeightStore | None
    cache: StreamCache | None
    given: Sequence[GivenWeights]


def train_members(
    candidate: Candidate,
    members: Sequence[Member],
    *,
    folds: Callable[[int], FoldSamples],
    on_epoch: OnMemberEpoch | None = None,
    **setup: Unpack[MemberSetup],
) -> Iterator[TrainedMember]:
    """Train these members of this design, and give each as it is done.

    Members share everything but rows, weights and noise. This loop trains them one after the other, each with a fresh network: the
    reference that `train_pack`, which trains them together, is compared with.

    Args:
        candidate: The design and its recipe.
        members: Which members.
        folds: Gives the prepared rows of a fold.
        on_epoch: Called after each epoch.
        setup: How they are trained and scored.

    Raises:
        EvaluationError: A loss is not finite, or the weights that the candidate starts from were not kept.
    """
    for member in members:
        yield in_turn(member_training(candidate, member, folds(member.fold), on_epoch=on_epoch, **setup))


def member_training(
    candidate: Candidate,
    member: Member,
    rows: FoldSamples,
    *,
    settings: TrainingSettings,
    threads: int | None = None,
    missing: Sequence[str] = (),
    weights: WeightStore | None = None,
    cache: StreamCache | None = None,
    given: Sequence[GivenWeights] = (),
    on_epoch: OnMemberEpoch | None = None,
    copies: Copies | None = None,
) -> Generator[Phase, Fit, TrainedMember]:
    """Ask for the optimizations of one member, and give it when they are done; arguments as of `train_members`.

    Its network comes from `copies`, where there are any: it is the same.
    """
    start = time.perf_counter()
    with reproducible(member.stream, threads=threads, device=rows.train.targets.device) as generator:
        network = FusionNetwork.of(candidate, rows.task) if copies is None else copies.make(candidate.recipe)
        if rows.train.targets.device.type != "cpu":  # it is made there, and a walk through all layers takes as long as a copy
            network.to(rows.train.targets.device)
        start_network(network, given, constant_logits(candidate.recipe, rows.task, rows.train.targets))
        taken = _start(network, candidate, member, weights)
        split = None if cache is None else cache.within(rows.fold.train.tobytes(), rows.fold.val.tobytes())
        told = _bind(on_epoch, member)
        run = DesignTraining(network, rows.train, rows.validation, candidate.recipe, rows.task, settings, generator, {}, told, split, given)
        fits = yield from run.phases({stream: Fit(epochs, epochs, math.nan) for stream, epochs in taken.streams.items()})
        fits = _add_epochs(fits, taken) if candidate.graph.training == "joint" else fits
        if weights is not None:
            weights.save(candidate.digest, member, network, {phase: fit.best_epoch for phase, fit in fits.items()})
        task = settled_task(network, rows)
        logits = predict(network, rows.validation)
        outputs = task.judged(logits, rows.targets)
        pictures = mask_pictures(task, rows.validation, logits, rows.targets)
        metrics = score(outputs, rows.targets, task.task)
        metrics |= _score_missing(network, rows, task, missing)
    return TrainedMember(member, fits, metrics, outputs, time.perf_counter() - start, alone=run.num_alone, pictures=pictures)


def _start(network: FusionNetwork, candidate: Candidate, member: Member, weights: WeightStore | None) -> Takeover:
    """Take over the weights that a candidate starts from."""
    if not candidate.start:
        return Takeover()
    if weights is None:
        raise EvaluationError(f"a candidate starts from the weights of {', '.join(candidate.start)}, but this evaluator keeps no weights")
    return take_over(network, [weights.load(digest, member) for digest in candidate.start])


def _add_epochs(fits: Mapping[str, Fit], taken: Takeover) -> dict[str, Fit]:
    """Count the epochs that weights had seen before a joint training went on from them, so that a refit from scratch trains as long."""
    return {phase: replace(fit, best_epoch=fit.best_epoch + taken.epochs) if phase == FUSION else fit for phase, fit in fits.items()}


def _bind(on_epoch: OnMemberEpoch | None, member: Member) -> Callable[[str, int, dict[str, float]], None] | None:
    return None if on_epoch is None else lambda phase, epoch, values: on_epoch(member, phase, epoch, values)


def _score_missing(network: FusionNetwork, rows: FoldSamples, task: TaskLayer, modalities: Sequence[str]) -> dict[str, float]:
    by_modality = {}
    for modality in modalities:
        outputs = task.judged(predict(network, rows.validation.without(modality)), rows.targets)
        by_modality[modality] = score(outputs, rows.targets, task.task)
    return {
        f"{name}_without.{modality}": value for modality, scores in by_modality.items() for name, value in scores.items()
    } | worst_missing(list(by_modality.values()))
