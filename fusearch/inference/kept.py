"""The predictions that a run keeps of its designs, side by side. Axis letters: D designs, N rows, O outputs of a row."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusearch.errors import FusearchError
from fusearch.layout import predictions_file
from fusearch.study import TrialRecord
from fusearch.tasks import TASKS, SeveralTasks, Task, read_task

__all__ = ["KeptPredictions", "NotEstimableError", "read_kept", "stack_kept"]


class NotEstimableError(FusearchError):
    """An estimate cannot be made; the message says why, as the end of a sentence."""


@dataclass(frozen=True, eq=False)
class KeptPredictions:
    """What each design predicted of each held-out row, the mean over the seeds of its fold: seeds are no independent members.

    Attributes:
        fold: Fold in which a row was held out, (N,).
        targets: (N,) or (N, numbers of a sample).
        strata: Stratum of each row, (N,).
        groups: Number of the group of each row, (N,); None where rows stand alone.
        outputs: As metrics read them, (D, N) or (D, N, O), in the order of the designs that were asked for.
        task: What is predicted.
    """

    fold: NDArray[np.int64]
    targets: NDArray[Any]
    strata: NDArray[np.int64]
    groups: NDArray[np.int64] | None
    outputs: NDArray[np.float64]
    task: Task

    def with_constant(self, outputs: Sequence[Sequence[float]]) -> KeptPredictions:
        """Return them with one design more at the end: the constant predictor.

        Args:
            outputs: What it says in each fold.
        """
        constant = np.asarray(outputs, np.float64)[self.fold].reshape(self.outputs.shape[1:])
        return replace(self, outputs=np.concatenate([self.outputs, constant[None]]))

    def of_tasks(self) -> dict[str, KeptPredictions]:
        """Return those of each of several tasks, of the rows that have a label for it; empty where there is one task."""
        if not isinstance(self.task, SeveralTasks):
            return {}
        found = {}
        for (part, rows, targets), columns in zip(self.task.known(self.targets), self.task.output_columns.values(), strict=True):
            outputs = self.outputs[:, rows, columns]
            groups = None if self.groups is None else np.unique(self.groups[rows], return_inverse=True)[1]
            said = outputs[..., 0] if len(part.outputs) == 1 else outputs
            found[part.name] = KeptPredictions(self.fold[rows], targets, part.task.strata(targets), groups, said, part.task)
        return found


def read_kept(folder: Path | None, records: Sequence[TrialRecord], described: Mapping[str, Any] | None = None) -> KeptPredictions:
    """Read the predictions of some designs, those of the seeds that all of them had: the mean of more seeds is better for that alone.

    Args:
        folder: The run folder; None where there is none.
        records: The trials of the designs, each candidate once.
        described: `kind`, `name` and `labels` of the task, as the run's configuration tells them; None in a run of version 0.1.0, which
            is told by the name of its array.

    Raises:
        NotEstimableError: A design has none, or designs were held out on different rows.
    """
    seeds = _common_seeds(records)
    held = ((f"trial {record.number}", _of_seeds(_arrays(folder, record), seeds)) for record in records)
    return stack_kept(held, described)


def stack_kept(kept: Iterable[tuple[str, Mapping[str, NDArray[Any]]]], described: Mapping[str, Any] | None = None) -> KeptPredictions:
    """Put what evaluations kept side by side.

    Args:
        kept: What a design is called, and the arrays of its evaluation.
        described: As for `read_kept`.

    Raises:
        NotEstimableError: A design has none, or designs were held out on different rows.
    """
    task: Task | None = None
    outputs: list[NDArray[np.float64]] = []
    for name, held in kept:
        if not {"rows", "fold", "targets"} <= held.keys():
            raise NotEstimableError(f"no predictions of {name} were kept")
        if task is None:
            called, task, first = name, _task(held, described), held
            rows, place = np.unique(held["rows"], return_index=True)
        if task.array not in held or not np.array_equal(np.unique(held["rows"]), rows):
            raise NotEstimableError(f"{name} was not held out on the same rows as {called}")
        outputs.append(_mean_of_rows(held[task.array], np.searchsorted(rows, held["rows"]), len(rows)))
    if task is None:
        raise NotEstimableError("nothing was evaluated")
    targets, groups = first["targets"][place], first.get("groups")
    return KeptPredictions(
        first["fold"][place].astype(np.int64),
        targets,
        task.strata(targets),
        None if groups is None else np.unique(groups[place], return_inverse=True)[1],
        np.stack([task.scored(each.reshape(len(rows), -1)) for each in outputs]),
        task,
    )


def _arrays(folder: Path | None, record: TrialRecord) -> dict[str, NDArray[Any]]:
    try:
        if folder is None:
            raise FileNotFoundError
        with predictions_file(folder, record.candidate).open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            held = {name: file[name] for name in file.files if name not in ("ids", "losses")}
            _ = held["rows"], held["fold"], held["targets"]
            return held
    except FileNotFoundError:
        raise NotEstimableError(f"no predictions of trial {record.number} were kept") from None
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        raise NotEstimableError(f"the predictions of trial {record.number} cannot be read") from None


def _common_seeds(records: Sequence[TrialRecord]) -> set[int] | None:
    """Return the seeds that each of some designs had; None where one does not tell."""
    told = [record.details.get("members") for record in records]
    seeds = [{int(member["seed"]) for member in members if "seed" in member} for members in told if isinstance(members, list)]
    return set.intersection(*seeds) or None if seeds and len(seeds) == len(told) else None


def _of_seeds(held: dict[str, NDArray[Any]], seeds: set[int] | None) -> dict[str, NDArray[Any]]:
    """Return the rows of some seeds; all where the seeds are not known."""
    if seeds is None or "seed" not in held:
        return held
    wanted = np.isin(held["seed"], list(seeds))
    return held if wanted.all() else {name: values[wanted] if values.shape[:1] == wanted.shape else values for name, values in held.items()}


def _task(held: Mapping[str, NDArray[Any]], described: Mapping[str, Any] | None) -> Task:
    """Return the task whose outputs were kept."""
    if described is not None and described.get("kind") in (*TASKS, SeveralTasks.kind):
        return read_task(described)
    kind = next((each for each in TASKS.values() if each.array in held), None)
    if kind is None:
        raise NotEstimableError("the predictions that were kept are of a task that is not known here")
    labels = tuple(map(str, range(held[kind.array].shape[1]))) if kind.named_classes else ()
    return kind("target", labels)


def _mean_of_rows(values: NDArray[Any], place: NDArray[np.int64], num_rows: int) -> NDArray[np.float64]:
    """Return the mean of the values of each row, over the seeds that predicted it."""
    sums = np.zeros((num_rows, *values.shape[1:]))
    np.add.at(sums, place, values)
    counts: NDArray[np.float64] = np.bincount(place, minlength=num_rows).reshape(-1, *(1,) * (values.ndim - 1)).astype(np.float64)
    return sums / counts
