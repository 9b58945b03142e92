"""Several tasks at once: each has its own label columns, loss, weight and metrics, and a sample may lack the label of some.

Axis letters: N samples, W numbers of a sample over all tasks, O outputs over all tasks, B draws of the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from fusearch.errors import DataError, suggestion
from fusearch.metrics import Metric
from fusearch.tasks.columns import LabelColumn
from fusearch.tasks.strata import joined_strata
from fusearch.tasks.task import TASKS, Task, make_task

__all__ = ["AUXILIARY", "SeveralTasks", "TaskPart", "check_task_name", "read_task"]

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

#: Name of an output that predicts all tasks once more (an auxiliary head), so that no task is called so.
AUXILIARY = "aux"


@dataclass(frozen=True)
class TaskPart:
    """One of several tasks.

    Attributes:
        name: What it is called: in formulas (`-> name`), in metrics (`name.auroc`) and in what is predicted.
        task: What is predicted.
        weight: What its loss is multiplied by before the losses are summed.
        balanced: Whether rare classes weigh as much as frequent ones; None: as the recipe says.
        width: Numbers of a sample that are its target.
        codes: Whether these are whole numbers, such as codes of classes.
    """

    name: str
    task: Task
    weight: float = 1.0
    balanced: bool | None = None
    width: int = 1
    codes: bool = False

    @classmethod
    def of(cls, name: str, task: Task, targets: Array, *, weight: float = 1.0, balanced: bool | None = None) -> TaskPart:
        """Return the part with the form of these targets."""
        check_task_name(name)
        if not 0 < weight < float("inf"):
            raise DataError(f"task {name!r}: weight {weight:g}, expected a number above 0")
        return cls(name, task, float(weight), balanced, targets.shape[1] if targets.ndim > 1 else 1, targets.dtype.kind in "iu")

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of what a model says of it: `name`, or `name.output` where it says several numbers."""
        said = self.task.outputs
        return (self.name,) if len(said) == 1 else tuple(f"{self.name}.{each}" for each in said)

    def spread(self, targets: Array, known: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
        """Return the targets of all rows, (N, width), NaN where the label is missing, from those of the rows that have one."""
        spread = np.full((len(known), self.width), np.nan, np.float32)
        spread[known] = targets.reshape(len(targets), self.width)
        return spread

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-able values that `read_task` understands."""
        form = {"width": self.width, "codes": self.codes}
        return {"called": self.name, "weight": self.weight, "balanced": self.balanced, **form, **self.task.to_dict()}


@dataclass(frozen=True)
class SeveralTasks(Task):
    """Several tasks that one network learns together (decision 0077). Not in the registry: it is made of tasks that are.

    Targets are float32, (N, W): those of each task side by side, NaN where a sample has no label for it. Outputs are side by side too. What
    stands for all of them where one is asked for (strata, headline, attributions) is the first task.

    Attributes:
        parts: The tasks, in order.

    Raises:
        DataError: Fewer than two tasks, or two of one name.
    """

    kind: ClassVar[str] = "several"
    says: ClassVar[str] = "outputs of all tasks"
    array: ClassVar[str] = "tasks"

    parts: tuple[TaskPart, ...] = ()

    def __post_init__(self) -> None:
        names = [part.name for part in self.parts]
        if len(names) < 2 or len(set(names)) < len(names):
            raise DataError(f"tasks {', '.join(names) or 'none'}: expected two tasks or more, each with a name of its own")

    def __reduce__(self) -> tuple[Any, ...]:
        return SeveralTasks, (self.name, (), self.parts)

    @classmethod
    def of(cls, parts: Sequence[TaskPart]) -> SeveralTasks:
        """Return the tasks as one."""
        return cls(", ".join(part.name for part in parts), (), tuple(parts))

    @classmethod
    def encode(cls, columns: Mapping[str, LabelColumn], labels: Sequence[str] | None = None) -> tuple[Task, Array]:
        """Not used: each task encodes its own columns.

        Raises:
            DataError: Always.
        """
        del columns, labels
        raise DataError("several tasks are encoded one by one")

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-able values that `read_task` understands."""
        return {**super().to_dict(), "tasks": [part.to_dict() for part in self.parts]}

    def part(self, name: str) -> TaskPart:
        """Return a task by its name.

        Raises:
            DataError: There is none of that name.
        """
        for part in self.parts:
            if part.name == name:
                return part
        raise DataError(f"no task {name!r}, {suggestion(name, [part.name for part in self.parts])}")

    def columns_of(self, width: Callable[[TaskPart], int]) -> dict[str, slice]:
        """Return where each task stands when so many numbers of each are side by side."""
        found, start = {}, 0
        for part in self.parts:
            found[part.name] = slice(start, start + width(part))
            start += width(part)
        return found

    @property
    def target_columns(self) -> dict[str, slice]:
        """Where the target of each task stands in the targets of a sample."""
        return self.columns_of(lambda part: part.width)

    @property
    def output_columns(self) -> dict[str, slice]:
        """Where the outputs of each task stand."""
        return self.columns_of(lambda part: len(part.outputs))

    def known(self, targets_NW: Array) -> Iterator[tuple[TaskPart, npt.NDArray[np.bool_], Array]]:
        """Give each task, which rows have a label for it, (N,), and the targets of these as the task encodes them."""
        for part, columns in zip(self.parts, self.target_columns.values(), strict=True):
            own = np.asarray(targets_NW)[:, columns]
            rows = ~np.isnan(own).any(axis=1)
            found = own[rows].astype(np.int64) if part.codes else own[rows]
            yield part, rows, found[:, 0] if part.width == 1 else found

    def strata(self, targets: Array) -> npt.NDArray[np.int64]:
        """Return those of the first task; rows without its label are a stratum of their own."""
        part, rows, own = next(self.known(targets))
        found = np.full(len(targets), -1, np.int64)
        found[rows] = part.task.strata(own)
        return found if rows.all() else joined_strata(found + 1)

    @property
    def predicts(self) -> str:
        """What each task predicts."""
        return "; ".join(f"{part.name}: {part.task.predicts}" for part in self.parts)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Those of each task, with its name."""
        return tuple(output for part in self.parts for output in part.outputs)

    @property
    def metrics(self) -> tuple[str, ...]:
        """Those of each task, with its name in front (`died.auroc`)."""
        return tuple(f"{part.name}.{metric}" for part in self.parts for metric in part.task.metrics)

    @property
    def headline(self) -> str:  # type: ignore[override]  # elsewhere a fact of the class, here of the first task
        """That of the first task."""
        return f"{self.parts[0].name}.{self.parts[0].task.headline}"

    @property
    def trained(self) -> str:  # type: ignore[override]  # as above
        """That of the first task, which falls as its part of the loss does."""
        first = self.parts[0]
        return f"{first.name}.{first.task.trained}" if first.task.trained else ""

    def metric(self, name: str) -> Metric:
        """Return a metric of a task, which reads the targets and outputs of all of them, and only rows that have a label for it."""
        task, _, own = name.rpartition(".")
        part, columns = self.part(task), self.output_columns[task]
        found = part.task.metric(own)

        def select(targets_NW: Array, outputs_NO: Array) -> tuple[npt.NDArray[np.bool_], Array, Array]:
            rows, targets = next((rows, targets) for each, rows, targets in self.known(targets_NW) if each is part)
            outputs = outputs_NO[rows, columns]
            return rows, targets, outputs[:, 0] if len(part.outputs) == 1 else outputs

        def function(targets_NW: Array, outputs_NO: Array) -> float:
            rows, targets, outputs = select(targets_NW, outputs_NO)
            return found(targets, outputs, part.task.labels) if rows.any() else float("nan")

        def weighted(targets_NW: Array, outputs_NO: Array, weights_NB: Array) -> npt.NDArray[np.floating[Any]]:
            rows, targets, outputs = select(targets_NW, outputs_NO)
            undefined = np.full(weights_NB.shape[1], np.nan)
            return found.on_draws(targets, outputs, weights_NB[rows], part.task.labels) if rows.any() else undefined

        return replace(found, function=function, weighted=None if found.weighted is None else weighted, labelled=False)

    def scored(self, outputs_NO: Floats) -> Floats:
        """Return what metrics read of each task, side by side, (N, O)."""
        parts = zip(self.parts, self.output_columns.values(), strict=True)
        return np.concatenate([part.task.scored(outputs_NO[:, columns]).reshape(len(outputs_NO), -1) for part, columns in parts], axis=1)

    @property
    def explained(self) -> str:
        """Unit of the first task."""
        return f"{self.parts[0].name}: {self.parts[0].task.explained}"

    @property
    def note(self) -> str:
        """What each task notes."""
        return " ".join(f"{part.name}: {part.task.note}" for part in self.parts if part.task.note)

    def chance(self, targets: Array) -> dict[str, float]:
        """Return what a guess reaches in the metrics of each task."""
        found = ((part, part.task.chance(own)) for part, _, own in self.known(targets))
        return {f"{part.name}.{metric}": value for part, values in found for metric, value in values.items()}

    def constant(self, targets: Array) -> Floats:
        """Return what a model without input says of each task, (O,)."""
        return np.concatenate([np.atleast_1d(part.task.constant(own)) for part, _, own in self.known(targets)])

    def summary(self, targets: Array) -> dict[str, Any]:
        """Return the summary of each task over the rows that have a label for it, and how many have not."""
        return {
            part.name: {**part.task.summary(own), **({} if rows.all() else {"no label": int((~rows).sum())})}
            for part, rows, own in self.known(targets)
        }

    def lacks(self, targets: Array) -> str:
        """Return what the rows lack for some task."""
        found = ((part, part.task.lacks(own) if len(own) else "no label") for part, _, own in self.known(targets))
        return ", ".join(f"{lack} of {part.name}" for part, lack in found if lack)

    def doubts(self, targets: Array) -> tuple[str, ...]:
        """Return the doubts of each task."""
        return tuple(f"{part.name}: {doubt}" for part, _, own in self.known(targets) if len(own) for doubt in part.task.doubts(own))

    def association(self, values: npt.NDArray[np.float32], targets: Array, num_numeric: int) -> Floats:
        """Return how well each column gives the target that it gives best."""
        each = [part.task.association(values[rows], own, num_numeric) for part, rows, own in self.known(targets) if len(own)]
        best: Floats = np.max(each, axis=0)
        return best


def check_task_name(name: str) -> None:
    """Refuse a name that a formula, or a metric of the task, could not hold.

    Raises:
        DataError: It is such a name.
    """
    if not name.isidentifier() or "_without" in name or name.startswith("worst_missing_") or name in (AUXILIARY, "train"):
        raise DataError(f"task {name!r}: expected a name of letters, digits and `_` that is not {AUXILIARY!r}")


def read_task(record: Mapping[str, Any]) -> Task:
    """Return the task that `to_dict` described.

    Raises:
        UnknownNameError: There is no such task.
        DataError: It does not fit together.
    """
    if record["kind"] == SeveralTasks.kind:
        parts = [
            TaskPart(each["called"], read_task(each), *(each[key] for key in ("weight", "balanced", "width", "codes")))
            for each in record["tasks"]
        ]
        return SeveralTasks(record["name"], (), tuple(parts))
    entry = TASKS[record["kind"]]
    own = [field.name for field in fields(entry) if field.name not in ("name", "labels")]
    return make_task(
        record["kind"], record["name"], tuple(record.get("labels", ())), *(tuple(record[name]) for name in own if name in record)
    )
