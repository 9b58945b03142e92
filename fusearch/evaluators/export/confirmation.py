"""The look at the test split, after the search: `confirm.json` in the run folder counts the looks."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from fusearch.contracts import Objective
from fusearch.data import Dataset, Modality
from fusearch.errors import RunError
from fusearch.evaluators.export.choice import load_choice_data, read_choice
from fusearch.evaluators.export.deployed import DeployedModel, DeployedTeam, as_one, predict_raw
from fusearch.evaluators.export.fitted import fit_choice
from fusearch.evaluators.export.inputs import raw_values
from fusearch.evaluators.tasks import bind_task
from fusearch.evaluators.training.members import score
from fusearch.inference import Correction, correction_of, corrections_of_tasks
from fusearch.inference.claims import sides_of
from fusearch.inference.paired import holm, paired_difference, score_interval
from fusearch.inference.picked import Picked, read_pick
from fusearch.layout import CONFIRMATION, replace_file
from fusearch.run import Run
from fusearch.tasks import SeveralTasks

__all__ = ["confirm", "looks_so_far", "outputs_on_test", "score_on_test"]


#: Rows whose values are held at once.
_CHUNK = 1024


def confirm(
    run: Run | str | Path,
    *,
    pick: str = "simplest",
    data: Dataset | str | Path | None = None,
    seeds: int = 3,
    device: torch.device | str = "auto",
) -> dict[str, Any]:
    """Evaluate the picked design, the references and the front on the test split.

    Each is trained on train + val as `export` does; a team says the mean of what its designs say. The result is added to `confirm.json` in
    the run folder. The first look is the one that counts; whoever changes the design after it and looks again has searched on the test
    split, and the number of the look says so.

    Args:
        run: The run, or its folder.
        pick: The design, as for `Run.pick`, or `team`, as for `export`.
        data: The data set of the run, or where it is now, where it cannot be loaded again from where it was.
        seeds: Networks of each design; their outputs are averaged.
        device: Where to train: `cpu`, `cuda`, `cuda:1`, ...; `auto`: a GPU where there is one, for designs that are
            large enough for it to be faster.

    Returns:
        `look` (1 for the first), `samples`, `pick`, and `designs`: for each its `role` (`picked`, a reference's role, `front`, or
        `compared` for another that is compared below), `digest`, `candidate`, `formula`, `trial` (of a team a
        list), `values` on the test split, and `search`, the same metrics as the search saw them. `score`: `metric`, `value` and `interval`
        of the pick. `comparison`: the pick against the reference that was the best *in the search*, or, where the pick is that reference
        (`picked_best_reference`), against the next best of another graph: `trials` and `designs` of both, `difference`, `interval` (5 % and
        95 % quantile of a paired bootstrap over the rows of the test split, whole groups where there are groups), `p`, `p_corrected` for
        the number of looks (Holm), and `outcome` (`gain`, `no clear gain`, `loss`). Either is None where the metric is undefined, and the
        comparison where there is no other reference. Metrics of classes are those of the classes that an export of the design takes, at
        the threshold that was fitted for it where that pays. `answers`: the same as `comparison` for `fusion` and `search`, from the first
        to the second of the designs that the answer of the search names; without those that name but one.

    Raises:
        RunError: The data set has changed, or has no test split.
        LeakError: The data set was given without its test split.

    Example:
        >>> look = confirm("runs/demo", seeds=1)
        >>> look["look"], look["designs"][0]["role"]
        (1, 'picked')
    """
    run = run if isinstance(run, Run) else Run(run)
    trials = run.read()
    picked = read_pick(trials, pick)
    rival = next((record for record in trials.simple if record.digest != picked.digest), None)
    roles = {"picked": picked} | {role: Picked.alone(record) for role, record in trials.references.items()}
    roles |= {f"front {record.number}": Picked.alone(record) for record in trials.front}
    sides = {question: tuple(map(Picked.alone, pair)) for question, pair in sides_of(trials).items()}
    for each in (*([] if rival is None else [Picked.alone(rival)]), *itertools.chain(*sides.values())):
        if each.candidate not in {known.candidate for known in roles.values()}:
            roles[f"compared {each.candidate}"] = each
    data = load_choice_data(run, data)
    if not len(data.rows("test")):
        raise RunError(f"data set {data.name!r} has no test split: nothing to confirm on")
    looks = looks_so_far(run)
    outputs: dict[str, NDArray[np.float64]] = {}
    taken: dict[str, NDArray[np.float64]] = {}  # the largest of which is the class that an export takes
    models: dict[str, DeployedModel] = {}
    designs = []
    for role, each in roles.items():
        if role.startswith("front ") and each.candidate in outputs:
            continue
        choices = [read_choice(run, record, data) for record in each.records]
        for record, choice in zip(each.records, choices, strict=True):
            if record.candidate not in models:
                models[record.candidate] = fit_choice(choice, data, seeds=seeds, device=device)
        if each.candidate not in outputs:
            members = [models[record.candidate] for record in each.records]
            read = {modality.name for choice in choices for modality in choice.modalities}
            modalities = [modality for modality in data.modalities if modality.name in read]
            outputs[each.candidate] = outputs_on_test(as_one(members), modalities, data)
            taken[each.candidate] = _taken(
                outputs[each.candidate], correction_of(trials, each.records), corrections_of_tasks(trials, each.records), data
            )
        values = score_on_test(outputs[each.candidate], data)
        if taken[each.candidate] is not outputs[each.candidate]:
            values |= {name: value for name, value in score_on_test(taken[each.candidate], data).items() if data.task.metric(name).decides}
        designs.append(_entry(role.split()[0], each, values))

    def compare(first: Picked, second: Picked, before: Sequence[Mapping[str, Any] | None]) -> dict[str, Any] | None:
        return _compare(trials.primary, first, second, judged, data, before)

    judged = taken if trials.primary.name in data.task.metrics and data.task.metric(trials.primary.name).decides else outputs
    look = {
        "look": len(looks) + 1,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "samples": len(data.rows("test")),
        "warnings": [f"{note.where}: {note.what}" for note in data.notes if note.severity == "warning"],
        "pick": pick,
        "seeds": seeds,
        "designs": designs,
        "picked_best_reference": trials.best_simple is not None and trials.best_simple.digest == picked.digest,
        "score": _score(trials.primary, judged[picked.candidate], data),
        "comparison": None if rival is None else compare(Picked.alone(rival), picked, [look.get("comparison") for look in looks]),
        "answers": {
            question: compare(first, second, [look.get("answers", {}).get(question) for look in looks])
            for question, (first, second) in sides.items()
        },
    }
    _write(run.path / CONFIRMATION, {"looks": [*looks, look]})
    return look


def outputs_on_test(model: DeployedModel | DeployedTeam, modalities: Sequence[Modality], data: Dataset) -> NDArray[np.float64]:
    """Return the outputs of a deployed model on the rows of the test split, as metrics read them, (N,) or (N, outputs)."""
    rows = data.rows("test")
    parts = []
    for chunk in np.split(rows, range(_CHUNK, len(rows), _CHUNK)):
        said = predict_raw(model, raw_values(data, modalities, chunk))
        if data.task.dense:  # the largest probability stands where the largest logit does
            parts.append(bind_task(data.task).judged(torch.from_numpy(said).flatten(1), data.targets[chunk]))
        else:
            parts.append(data.task.scored(said))
    return np.concatenate(parts)


def _taken(
    outputs: NDArray[np.float64], correction: Correction | None, of_tasks: Mapping[str, Correction], data: Dataset
) -> NDArray[np.float64]:
    """Return outputs of which the largest is the class that an export takes, of each task; the same array where nothing was fitted."""
    if correction is not None:
        return correction.apply(outputs)
    if not of_tasks or not isinstance(data.task, SeveralTasks):
        return outputs
    taken = outputs.copy()
    for name, each in of_tasks.items():
        columns = data.task.output_columns[name]
        taken[:, columns] = each.apply(outputs[:, columns])
    return taken


def score_on_test(outputs: NDArray[np.float64], data: Dataset) -> dict[str, float]:
    """Return the metrics on the test split; one that is undefined there is left out."""
    values = score(outputs, data.targets[data.rows("test")], data.task)
    return {name: value for name, value in values.items() if np.isfinite(value)}


def _score(objective: Objective, outputs: NDArray[np.float64], data: Dataset) -> dict[str, Any] | None:
    """Return the score of the pick with its interval; None where it is undefined."""
    if objective.name not in data.task.metrics:
        return None
    targets, drawing = _drawing(data)
    found = score_interval(objective, targets, outputs, **drawing)
    if found is None:
        return None
    return {"metric": objective.name, "value": score_on_test(outputs, data)[objective.name], "interval": list(found)}


def _drawing(data: Dataset) -> tuple[NDArray[Any], dict[str, Any]]:
    """Return the targets of the test split, and what its rows are drawn by."""
    rows = data.rows("test")
    groups = None if data.groups is None else np.unique(data.groups[rows], return_inverse=True)[1]
    targets = data.targets[rows]
    return targets, {"strata": data.task.strata(targets), "groups": groups, "task": data.task}


def _compare(
    objective: Objective,
    first: Picked,
    second: Picked,
    outputs: Mapping[str, NDArray[np.float64]],
    data: Dataset,
    before: Sequence[Mapping[str, Any] | None],
) -> dict[str, Any] | None:
    """Compare a design with a first one, corrected for the same question in looks before; None where the metric is undefined."""
    if objective.name not in data.task.metrics:
        return None
    targets, drawing = _drawing(data)
    found = paired_difference(objective, targets, outputs[first.candidate], outputs[second.candidate], **drawing)
    if found is None:
        return None
    corrected = holm([*(each["p"] for each in before if each), found.p])[-1]
    return {
        "metric": objective.name,
        "trials": [first.trial, second.trial],
        "designs": [first.digest, second.digest],
        "difference": found.difference,
        "interval": list(found.interval),
        "p": found.p,
        "p_corrected": corrected,
        "outcome": found.claim(corrected),
    }


def looks_so_far(run: Run) -> list[dict[str, Any]]:
    """Return the looks so far, the first one first.

    Raises:
        RunError: `confirm.json` cannot be read.
    """
    path = run.path / CONFIRMATION
    if not path.exists():
        return []
    try:
        looks: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["looks"]
    except (OSError, ValueError, KeyError, TypeError):
        raise RunError(f"cannot read {str(path)!r}, which counts the looks at the test split") from None
    return looks


def _entry(role: str, design: Picked, values: Mapping[str, float]) -> dict[str, Any]:
    return {
        "role": role,
        "digest": design.digest,
        "candidate": design.candidate,
        "formula": design.formula,
        "trial": design.trial,
        "values": dict(values),
        "search": {name: design.values[name] for name in values if name in design.values},
    }


def _write(path: Path, document: Mapping[str, Any]) -> None:
    try:
        replace_file(path, json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    except OSError as error:
        raise RunError(f"cannot write {str(path)!r}: {error.strerror or error}") from None
