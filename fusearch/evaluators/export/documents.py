"""What a bundle says about its model in JSON: `design.json` and `metrics.json`."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from fusearch.data import Dataset
from fusearch.evaluators.export.choice import Choice
from fusearch.inference import Correction

__all__ = ["REQUIREMENTS", "describe_design", "describe_metrics", "requirements"]

#: What `predict.py` needs in any case.
REQUIREMENTS = ("numpy", "onnxruntime", "pandas")

NOTE = (
    "Mean and standard deviation over the {members} trainings of the search, each on a part of train + val and scored on rows that it had "
    "not seen; costs are those of one network. Candidates evaluated: {candidates}. This one was chosen by such scores, so they are "
    "optimistic. The model in this folder was trained once more, on all of train + val."
)

TEAM_NOTE = (
    "Of the mean of what {designs} designs said of rows that they had not seen, in the {members} trainings of each in the search; costs "
    "are those of all of them. Candidates evaluated: {candidates}. The designs were chosen by such scores, so they are optimistic. The "
    "models in this folder were trained once more, on all of train + val."
)


def describe_design(choices: Sequence[Choice], data: Dataset, *, seeds: Sequence[int]) -> dict[str, Any]:
    """Return the content of `design.json`: the design in three forms, its labels, and how it was trained.

    Of a team its `members` say this one by one, and what stands above them is joined from theirs.

    Args:
        choices: The design, or those of a team.
        data: What it was trained on.
        seeds: How many networks of each choice there are.
    """
    members = [{**_member(choice), "seeds": number} for choice, number in zip(choices, seeds, strict=True)]
    design = members[0] if len(members) == 1 else {**_joined(members), "seeds": max(seeds), "members": members}
    return {
        **design,
        "task": {
            **data.task.to_dict(),
            "predicts": data.task.predicts,
            "note": data.task.note,
            "says": data.task.says,
        },
        "data": {"name": data.name, "fingerprint": data.fingerprint, "training_rows": len(data.rows("search"))},
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("fusearch", "torch", "onnx", *REQUIREMENTS, "scikit-learn")},
        },
    }


def _member(choice: Choice) -> dict[str, Any]:
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
    }


def _joined(members: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    def each(name: str, between: str) -> str:
        return between.join(str(member[name]) for member in members)

    def labels(name: str) -> str:
        return ", ".join(dict.fromkeys(str(member["labels"][name]) for member in members))

    return {
        **{name: each(name, "+") for name in ("digest", "candidate")},
        **{name: each(name, "\n\n") for name in ("formula", "formula_review")},
        "labels": {name: labels(name) for name in members[0]["labels"]},
        "graph": {"training": ", ".join(dict.fromkeys(member["graph"]["training"] for member in members))},
        "epochs": {f"{member['digest']}, {phase}": count for member in members for phase, count in member["epochs"].items()},
    }


def describe_metrics(
    choices: Sequence[Choice],
    values: Mapping[str, float],
    *,
    candidates: int,
    confirmed: Mapping[str, Any] | None,
    file_differences: Mapping[str, float],
    tolerance: float,
    correction: Correction | None = None,
    of_tasks: Mapping[str, Correction] | None = None,
) -> dict[str, Any]:
    """Return the content of `metrics.json`: what the search measured, what `confirm` measured, and how exact the model files are.

    Args:
        choices: The design, or those of a team.
        values: What the search found, by name.
        candidates: How many were evaluated.
        confirmed: What the first look at the test split found.
        file_differences: Largest difference of each model file from the network.
        tolerance: What is allowed.
        correction: How probabilities become a class, where that was fitted.
        of_tasks: The same of each of several tasks.
    """
    records = [choice.record for choice in choices]
    alone = records[0] if len(records) == 1 else None
    members = min(record.num_members for record in records)
    return {
        "trial": records[0].number if alone else [record.number for record in records],
        "members": members,
        "candidates_evaluated": candidates,
        "search": {name: {"mean": value, "spread": alone.spread.get(name) if alone else None} for name, value in values.items()},
        "note": (NOTE if alone else TEAM_NOTE).format(members=members, candidates=candidates, designs=len(records)),
        "correction": None if correction is None else asdict(correction),
        **({"corrections": {name: asdict(each) for name, each in of_tasks.items()}} if of_tasks else {}),
        "confirmed": None if confirmed is None else dict(confirmed),
        "file_differences": dict(file_differences),
        "tolerance": tolerance,
    }


def requirements(inputs: Mapping[str, Any]) -> str:
    """Return the content of `requirements.txt`: what `predict.py` needs, in the versions that it was checked with or newer.

    Args:
        inputs: Content of `inputs.json`.
    """
    packages = {package for modality in inputs["modalities"].values() for package in modality.get("packages", ())}
    return "".join(f"{name}>={version(name)}\n" for name in (*REQUIREMENTS, *sorted(packages)))
