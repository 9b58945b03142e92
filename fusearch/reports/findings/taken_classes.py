"""How probabilities became the classes of a confusion matrix, in words."""

from __future__ import annotations

from fusearch.reports.findings.predicted import DesignPredictions, Predicted
from fusearch.reports.wording import metric_label, number

__all__ = ["decision_sentence"]


def decision_sentence(predicted: Predicted, design: DesignPredictions) -> str:
    """Say how probabilities became the classes of the confusion matrix, and what that is worth."""
    correction = design.correction
    values = ", ".join(f"{metric_label(name)} {number(value)}" for name, value in design.decided.items())
    if correction is None:
        return f"Taken for the most probable class. Means over folds: {values}."
    weights = ", ".join(f"{label} {number(weight)}" for label, weight in zip(predicted.labels, correction.weights, strict=True))
    how = (
        f"the class with the largest probability times a weight ({weights})"
        if correction.threshold is None
        else f"{predicted.labels[1]} from a probability of {number(correction.threshold)} on"
    )
    rises = f"which that brings from {number(correction.plain)} to {number(correction.score)} on rows that it was not fitted on"
    return f"Taken for {how}, fitted for {metric_label(correction.metric)}, {rises}. Means over folds: {values}."
