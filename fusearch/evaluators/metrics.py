"""The metrics of a task, by scikit-learn. Axis letters: N samples, K classes."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from fusearch.contracts import KNOWN_DIRECTIONS

__all__ = ["CLASSIFICATION_METRICS", "REGRESSION_METRICS", "classification_metrics", "regression_metrics", "summarize", "worst_missing"]

Floats = NDArray[np.floating]
Codes = NDArray[np.integer]

#: Names of the metrics of each kind of task; their directions stand in `fusearch.contracts.KNOWN_DIRECTIONS`.
CLASSIFICATION_METRICS = ("accuracy", "balanced_accuracy", "auroc", "auprc", "f1_macro", "mcc", "log_loss", "brier")
REGRESSION_METRICS = ("rmse", "mae", "r2", "spearman")


def classification_metrics(probabilities: Floats, targets: Codes) -> dict[str, float]:
    """Score class probabilities.

    Two classes: `auroc` and `auprc` are those of the second class. More: macro average over one-versus-rest. A class that none of the
    samples has can be neither ranked nor recalled, so it is left out of these averages, of `f1_macro` unless it was predicted, and of
    `balanced_accuracy`; a metric that is then undefined (all samples of one class) is NaN.

    Args:
        probabilities: (N, K), rows sum to one.
        targets: (N,) class codes below K.
    """
    from sklearn import metrics

    num_classes = probabilities.shape[1]
    predicted = probabilities.argmax(axis=1)
    found = np.unique(targets)
    onehot = np.eye(num_classes)[targets]
    ranked = (1,) if num_classes == 2 else tuple(int(code) for code in found)

    def over_classes(score: Callable[[NDArray[np.bool_], Floats], float]) -> float:
        if len(found) < 2:
            return float("nan")
        return float(np.mean([score(targets == code, probabilities[:, code]) for code in ranked]))

    with warnings.catch_warnings():
        # A class that is predicted but not among the targets is legal in a small fold.
        warnings.filterwarnings("ignore", message="y_pred contains classes not in y_true")
        balanced = metrics.balanced_accuracy_score(targets, predicted)
    return {
        "accuracy": float(metrics.accuracy_score(targets, predicted)),
        "balanced_accuracy": float(balanced),
        "auroc": over_classes(metrics.roc_auc_score),
        "auprc": over_classes(metrics.average_precision_score),
        "f1_macro": float(metrics.f1_score(targets, predicted, average="macro", zero_division=0.0)),
        "mcc": float(metrics.matthews_corrcoef(targets, predicted)) if len(found) > 1 else float("nan"),
        "log_loss": float(metrics.log_loss(targets, probabilities, labels=np.arange(num_classes))),
        # The usual scale: in [0, 1] for two classes, in [0, 2] for more.
        "brier": float(np.mean(np.sum((probabilities - onehot) ** 2, axis=1))) * (0.5 if num_classes == 2 else 1.0),
    }


def regression_metrics(predictions: Floats, targets: Floats) -> dict[str, float]:
    """Score predictions in the units of the targets.

    `r2` and `spearman` are NaN where the targets do not vary; `spearman` is 0 for predictions that do not vary: they rank nothing.

    Args:
        predictions: (N,).
        targets: (N,).
    """
    from scipy.stats import spearmanr
    from sklearn import metrics

    varies = len(targets) > 1 and np.ptp(targets) > 0
    rank = spearmanr(targets, predictions).statistic if varies and np.ptp(predictions) > 0 else 0.0
    return {
        "rmse": float(metrics.root_mean_squared_error(targets, predictions)),
        "mae": float(metrics.mean_absolute_error(targets, predictions)),
        "r2": float(metrics.r2_score(targets, predictions)) if varies else float("nan"),
        "spearman": float(rank) if varies else float("nan"),
    }


def summarize(members: Sequence[Mapping[str, float]]) -> tuple[dict[str, float], dict[str, float], list[str]]:
    """Return mean and standard deviation over the members, each over those where the metric is defined, and the names defined in none.

    The standard deviation is of a sample (divisor n - 1), and 0 for one member.
    """
    mean, spread, undefined = {}, {}, []
    for name in members[0]:
        values = np.array([member[name] for member in members], dtype=float)
        values = values[np.isfinite(values)]
        if not len(values):
            undefined.append(name)
            continue
        mean[name] = float(values.mean())
        spread[name] = float(values.std(ddof=1)) if len(values) > 1 else 0.0
    return mean, spread, undefined


def worst_missing(scores: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return `worst_missing_<metric>`: the worst of several scores, each with another modality absent; NaN where one is undefined."""
    worst = {}
    for name in scores[0] if scores else ():
        values = [score[name] for score in scores]
        worst[f"worst_missing_{name}"] = float(np.min(values) if KNOWN_DIRECTIONS[name] == "maximize" else np.max(values))
    return worst
