"""Metrics over the members of a design, and over absent modalities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from fusearch.contracts import Objective

__all__ = ["summarize", "worst_missing"]


def summarize(members: Sequence[Mapping[str, float]]) -> tuple[dict[str, float], dict[str, float], list[str]]:
    """Return mean and standard deviation over the members, each over those where the metric is defined, and the names defined in none.

    The standard deviation is of a sample (divisor n - 1); one member has none.
    """
    mean, spread, undefined = {}, {}, []
    for name in members[0]:
        values = np.array([member[name] for member in members], dtype=float)
        values = values[np.isfinite(values)]
        if not len(values):
            undefined.append(name)
            continue
        mean[name] = float(values.mean())
        if len(values) > 1:
            spread[name] = float(values.std(ddof=1))
    return mean, spread, undefined


def worst_missing(scores: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return `worst_missing_<metric>`: the worst of several scores, each with another modality absent; NaN where one is undefined."""
    worst = {}
    for name in scores[0] if scores else ():
        objective = Objective.parse(name)
        worst[f"worst_missing_{name}"] = objective.loss(float(np.max([objective.loss(score[name]) for score in scores])))
    return worst
