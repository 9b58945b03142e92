"""What a bundle says about its model in JSON: `design.json` and `metrics.json`."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from fusearch.data import Dataset
from fusearch.evaluators.export.choice import Choice

__all__ = ["REQUIREMENTS", "describe_design", "describe_metrics", "requirements"]

#: What `predict.py` needs.
REQUIREMENTS = ("numpy", "onnxruntime", "pandas")

NOTE = (
    "Mean and standard deviation over the {members} trainings of the search, each on a part of train + val and scored on rows that it had "
    "not seen; costs are those of one network. Candidates evaluated: {candidates}. This one was chosen by such scores, so they are "
    "optimistic. The model in this folder was trained once more, on all of train + val."
)


def describe_design(choice: Choice, data: Dataset, *, seeds: int) -> dict[str, Any]:
    """Return the content of `design.json`: the design in three forms, its labels, and how it was trained."""
    graph, recipe = choice.candidate.graph, choice.candidate.recipe
    return {
        "digest": graph.digest,
        "candidate": choice.candidate.digest,
        "formula": str(graph),
        "formula_review": str(graph.to_pattern()),
        "labels": graph.labels.to_dict(),
        "graph": graph.to_dict(),
        "recipe": recipe.to_dict(),
        "epochs": dict(choice.epochs),
        "seeds": seeds,
        "task": {
            "kind": data.task.kind,
            "name": data.task.name,
            "labels": list(data.task.labels),
            "predicts": data.task.predicts,
            "says": data.task.says,
        },
        "data": {"name": data.name, "fingerprint": data.fingerprint, "training_rows": len(data.rows("search"))},
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("fusearch", "torch", "onnx", *REQUIREMENTS, "scikit-learn")},
        },
    }


def describe_metrics(
    choice: Choice, *, candidates: int, confirmed: Mapping[str, Any] | None, file_differences: Mapping[str, float], tolerance: float
) -> dict[str, Any]:
    """Return the content of `metrics.json`: what the search measured, what `confirm` measured, and how exact the model files are."""
    record = choice.record
    members = record.num_members
    return {
        "trial": record.number,
        "members": members,
        "candidates_evaluated": candidates,
        "search": {name: {"mean": value, "spread": record.spread.get(name)} for name, value in record.values.items()},
        "note": NOTE.format(members=members, candidates=candidates),
        "confirmed": None if confirmed is None else dict(confirmed),
        "file_differences": dict(file_differences),
        "tolerance": tolerance,
    }


def requirements() -> str:
    """Return the content of `requirements.txt`: what `predict.py` needs, in the versions that it was checked with or newer."""
    return "".join(f"{name}>={version(name)}\n" for name in REQUIREMENTS)
