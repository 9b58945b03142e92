"""How probabilities become a class: dividing by a power of the share of each class, fitted on rows that were held out.

Axis letters: N rows, K classes, F folds, E exponents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusearch.contracts import Objective
from fusearch.inference.kept import KeptPredictions, NotEstimableError, read_kept
from fusearch.metrics import METRICS
from fusearch.study import TrialRecord, standard_error
from fusearch.tasks import SeveralTasks
from fusearch.trials import Trials

__all__ = [
    "EXPONENTS",
    "Correction",
    "asks_class",
    "correction_for",
    "correction_of",
    "corrections_of_tasks",
    "fit_correction",
    "objective_of_task",
    "scores_of_classes",
    "taken_out_of_fold",
    "weighed",
]

Floats = NDArray[np.float64]

#: Powers of the shares that are tried; 0 takes the most probable class, 1 asks which class a row speaks for more than its share does.
EXPONENTS = (0.0, 0.25, 0.5, 0.75, 1.0)


#: Metrics that are told of the classes that are taken.
_OF_CLASSES = ("sensitivity", "specificity", "balanced_accuracy", "accuracy", "f1_macro")


@dataclass(frozen=True)
class Correction:
    """The class of a row is the one with the largest probability times weight.

    Attributes:
        metric: What it was fitted for.
        exponent: Power of the shares that probabilities are divided by.
        weights: Weight of each class; their mean is 1.
        threshold: Of two classes the probability of the second one from which on it is taken; None of more.
        plain: The metric of the most probable class, out of fold.
        score: The metric with the correction, in each fold with the exponent that the other folds choose.
    """

    metric: str
    exponent: float
    weights: tuple[float, ...]
    threshold: float | None
    plain: float
    score: float

    def apply(self, probabilities_NK: Floats) -> Floats:
        """Return probabilities of which the largest one is the class to take."""
        return weighed(probabilities_NK, np.array(self.weights))


def correction_of(trials: Trials, records: Sequence[TrialRecord]) -> Correction | None:
    """Fit the correction that a design needs, or the mean of several, for the primary objective, on the predictions that the run keeps.

    None where predictions are missing, and where `correction_for` gives none.
    """
    try:
        kept = read_kept(trials.path, records, trials.described_task)
    except NotEstimableError:
        return None
    return correction_for(kept, kept.outputs.mean(axis=0), trials.primary)


def corrections_of_tasks(trials: Trials, records: Sequence[TrialRecord]) -> dict[str, Correction]:
    """Fit the corrections of several tasks: name of a task -> that of its classes, where it pays; none where there is one task.

    Each is of the rows that have a label for it, and for what `objective_of_task` says.
    """
    if (trials.described_task or {}).get("kind") != SeveralTasks.kind:
        return {}
    try:
        kept = read_kept(trials.path, records, trials.described_task)
    except NotEstimableError:
        return {}
    known = {name: own for name, own in kept.of_tasks().items() if len(own.targets)}
    found = {
        name: correction_for(own, own.outputs.mean(axis=0), objective_of_task(name, own, trials.primary)) for name, own in known.items()
    }
    return {name: each for name, each in found.items() if each is not None}


def objective_of_task(task: str, kept: KeptPredictions, primary: Objective) -> Objective:
    """Return what one of several tasks is judged by: the metric of the run where it is one of this task, else the task's own."""
    name = primary.name.removeprefix(f"{task}.")
    return Objective.parse(name if name in kept.task.metrics and name != primary.name else kept.task.headline)


def asks_class(objective: Objective) -> bool:
    """Whether an objective asks which class is taken, as accuracy does and AUROC does not."""
    return objective.name in METRICS and METRICS[objective.name].decides


def correction_for(kept: KeptPredictions, outputs: Floats, objective: Objective) -> Correction | None:
    """Fit the correction of some outputs of these rows; None where the objective does not read which class is taken, or it does not pay."""
    return fit_correction(kept.targets, outputs, kept.fold, objective) if _takes_classes(kept, outputs, objective) else None


def taken_out_of_fold(kept: KeptPredictions, outputs: Floats, objective: Objective) -> Floats:
    """Return outputs of which the largest one is the class that an export would take, in each fold as the *other* folds fit it.

    No row has a say in how it is taken itself, so what is scored on them owes nothing to the fit. Where the objective does not read which
    class is taken, and where the other folds find no correction that pays, they are the outputs as they are.

    Args:
        kept: The rows.
        outputs: What a design, or a team, says of them, (N, K).
        objective: The metric.
    """
    if not _takes_classes(kept, outputs, objective):
        return outputs
    folds, weights_E, losses_EF = _tried(kept.targets, outputs, kept.fold, objective)
    taken = outputs.copy()
    for number, rows in enumerate(folds):
        chosen = _chosen(np.delete(losses_EF, number, axis=1))
        taken[rows] = weighed(outputs[rows], weights_E[chosen]) if chosen else outputs[rows]
    return taken


def scores_of_classes(kept: KeptPredictions, outputs: Floats) -> dict[str, float]:
    """Return the metrics of the class with the largest output, means over the folds in which they are defined."""
    folds = [np.flatnonzero(kept.fold == fold) for fold in np.unique(kept.fold)]
    values = {name: np.array([METRICS[name](kept.targets[rows], outputs[rows]) for rows in folds]) for name in _OF_CLASSES}
    return {name: float(each[np.isfinite(each)].mean()) for name, each in values.items() if np.isfinite(each).any()}


def fit_correction(targets_N: NDArray[Any], probabilities_NK: Floats, fold_N: NDArray[np.int64], objective: Objective) -> Correction | None:
    """Fit a correction of held-out predictions for a metric of the class that is taken.

    In each fold it has the exponent that is the best in the others. It is used only where that is more than one standard error better than
    the most probable class, so that chance does not move a threshold.

    Args:
        targets_N: Class of each row.
        probabilities_NK: What was predicted of it by a network that had not seen it.
        fold_N: In which fold.
        objective: The metric.

    Returns:
        The correction with the exponent that all folds choose; None where it does not pay, or one fold alone cannot tell.
    """
    _, weights_E, losses_EF = _tried(targets_N, probabilities_NK, fold_N, objective)
    chosen = _chosen(losses_EF)
    if not chosen:
        return None
    weights = tuple(map(float, weights_E[chosen]))
    losses_EF = _defined(losses_EF)
    plain, score = (float(objective.loss(each.mean())) for each in (losses_EF[0], _nested(losses_EF)))
    threshold = weights[0] / sum(weights) if len(weights) == 2 else None
    return Correction(objective.name, EXPONENTS[chosen], weights, threshold, plain, score)


def _takes_classes(kept: KeptPredictions, outputs: Floats, objective: Objective) -> bool:
    return kept.task.named_classes and outputs.ndim == 2 and kept.targets.ndim == 1 and asks_class(objective)


def _tried(
    targets_N: NDArray[Any], probabilities_NK: Floats, fold_N: NDArray[np.int64], objective: Objective
) -> tuple[list[NDArray[np.int64]], list[Floats], Floats]:
    """Return the rows of each fold, the weights of the classes for each exponent, and the loss of each exponent in each fold, (E, F)."""
    folds = [np.flatnonzero(fold_N == fold) for fold in np.unique(fold_N)]
    shares = np.bincount(targets_N, minlength=probabilities_NK.shape[1]) / len(targets_N)
    weights_E = [_weights(shares, exponent) for exponent in EXPONENTS]
    tried = [weighed(probabilities_NK, weights) for weights in weights_E]
    once = [np.ones((len(rows), 1)) for rows in folds]
    score = METRICS[objective.name].on_draws  # many times faster than the metric itself, which checks its arguments each time
    values_EF = [[score(targets_N[rows], each[rows], one)[0] for rows, one in zip(folds, once, strict=True)] for each in tried]
    return folds, weights_E, objective.loss(1.0) * np.array(values_EF)


def _chosen(losses_EF: Floats) -> int:
    """Return the number of the exponent that is used: 0, the most probable class, where another does not pay or one fold cannot tell."""
    losses_EF = _defined(losses_EF)
    if losses_EF.shape[1] < 2:
        return 0
    gains = losses_EF[0] - _nested(losses_EF)
    return int(np.argmin(losses_EF.sum(axis=1))) if gains.mean() > (standard_error(gains.tolist()) or 0.0) else 0


def _nested(losses_EF: Floats) -> Floats:
    """Return the loss of each fold with the exponent that is the best in the others, (F,)."""
    sums_E = losses_EF.sum(axis=1)
    return np.array([losses_EF[np.argmin(sums_E - losses_EF[:, fold]), fold] for fold in range(losses_EF.shape[1])])


def _defined(losses_EF: Floats) -> Floats:
    """Return the folds in which the metric is defined."""
    defined: Floats = losses_EF[:, np.isfinite(losses_EF).all(axis=0)]
    return defined


def weighed(probabilities_NK: Floats, weights_K: Floats) -> Floats:
    """Return probabilities times weights, each row with the sum 1."""
    product = probabilities_NK * weights_K
    weighed_NK: Floats = product / product.sum(axis=1, keepdims=True)
    return weighed_NK


def _weights(shares_K: Floats, exponent: float) -> Floats:
    """Return the weights of the classes; a class without a row is never taken."""
    weights = np.where(shares_K > 0, np.maximum(shares_K, 1e-12) ** -exponent, 0.0)
    scaled: Floats = weights / weights.mean()
    return scaled
