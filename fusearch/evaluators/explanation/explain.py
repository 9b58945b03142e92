"""`explain`: what the picked design of a run hangs on, written beside the run."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fusearch.data import Dataset
from fusearch.errors import EvaluationError, RunError, suggestion
from fusearch.evaluators.explanation.attribution import attribute_features, require_captum
from fusearch.evaluators.explanation.importance import modality_effects, score_shares
from fusearch.evaluators.export.choice import load_choice_data
from fusearch.evaluators.export.trained import kept_members
from fusearch.evaluators.training.transfer import joins_scores
from fusearch.inference.picked import read_pick
from fusearch.layout import explanation_file, replace_file
from fusearch.run import Run

__all__ = ["explain", "explain_each"]


def explain_each(run: Run, pick: str, *, data: Dataset | str | Path | None = None, **asked: Any) -> list[Path]:
    """Measure what a pick hangs on: a design, or each design of a team. Arguments, files and errors are those of `explain`."""
    records = read_pick(run.read(), pick).records
    data = load_choice_data(run, data)
    return [explain(run, record.candidate, data=data, **asked) for record in records]


def explain(
    run: Run | str | Path,
    pick: str = "simplest",
    *,
    data: Dataset | str | Path | None = None,
    metric: str | None = None,
    repeats: int = 10,
    features: bool = True,
    samples: int = 256,
    seed: int = 0,
    device: str = "auto",
) -> Path:
    """Measure what a design of a run hangs on, and write it to `explain/<candidate digest>.json` in the run folder.

    Every modality that the design reads is taken away, and shuffled, on the held-out rows of each member, and its features are
    attributed; a design that joins class scores also gets the hierarchy of its streams and modalities. Members whose weights were not
    kept are trained again, as in the search. The test split is not read.

    Args:
        run: The run, or its folder.
        pick: The design, as for `Run.pick`.
        data: The data set of the run, or where it is now, where it cannot be loaded again from where it was.
        metric: What is compared; None for the run's first metric that the task has.
        repeats: Permutations for each member and modality.
        features: Whether to attribute the features of each modality; needs captum. Of masks, which say no one number, none are.
        samples: Most held-out rows of a member for that.
        seed: Seed of the permutations, and of the draw of these rows.
        device: Where to compute: `cpu`, `cuda`, `cuda:1`, ...; `auto`: CUDA where there is one.

    Raises:
        RunError: There is no such design, the data set has changed, or the run folder cannot be written.
        EvaluationError: The task has no such metric, or captum is not installed.

    Example:
        >>> explanation = explain("runs/demo", "knee", repeats=2)
    """
    if repeats < 1 or samples < 1:
        raise EvaluationError(f"repeats is {repeats} and samples is {samples}, expected at least 1 of each")
    if features:
        require_captum()
    run = run if isinstance(run, Run) else Run(run)
    record = run.pick(pick)
    kept = kept_members(run, record, load_choice_data(run, data), device=device)
    evaluator, candidate, graph, weights, members = kept.evaluator, kept.candidate, kept.candidate.graph, kept.weights, kept.members
    metrics = evaluator.data.task.metrics
    if metric is None:
        metric = next((objective.name for objective in run.objectives if objective.name in metrics), metrics[0])
    elif metric not in metrics:
        raise EvaluationError(f"metric {metric!r} is none of the task's: {suggestion(metric, metrics)}")
    if kept.lacking:
        kept.train()
    effects = modality_effects(evaluator, candidate, weights, members, metric=metric, repeats=repeats, seed=seed)
    shares = score_shares(graph, [weights.load(candidate.digest, member) for member in members]) if joins_scores(graph) else []
    has_features = features and not evaluator.data.task.dense
    found = attribute_features(evaluator, candidate, weights, members, samples=samples, seed=seed) if has_features else []
    document = {
        "digest": record.digest,
        "candidate": record.candidate,
        "formula": record.formula,
        "metric": metric,
        "members": len(members),
        "repeats": repeats,
        "effects": [{name: _plain(value) for name, value in asdict(effect).items()} for effect in effects],
        "shares": [asdict(share) for share in shares],
        "features": [attribution.to_dict() for attribution in found],
    }
    path = explanation_file(run.path, record.candidate)
    try:
        path.parent.mkdir(exist_ok=True)
        replace_file(path, json.dumps(document, indent=1, ensure_ascii=False))
    except OSError as error:
        raise RunError(f"cannot write {str(path)!r}: {error.strerror or error}") from None
    return path


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
