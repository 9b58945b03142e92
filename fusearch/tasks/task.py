"""The entry of a task: its facts as class attributes, what it does with label columns as methods. Axis letters: N samples, O outputs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from fusearch.errors import DataError
from fusearch.metrics import METRICS, Metric, metrics_of
from fusearch.registry import Registry
from fusearch.tasks.columns import LabelColumn

__all__ = ["TASKS", "Suggestion", "Task", "task_entry"]


class Suggestion(NamedTuple):
    """How some label columns may be written as the target of a task.

    Attributes:
        keys: Keys of the manifest, beside `kind` and `file`.
        why: What speaks for it, in words.
        likelihood: How sure that is, from 0 to 1.
    """

    keys: dict[str, Any]
    why: str
    likelihood: float


@dataclass(frozen=True)
class Task(ABC):
    """What is predicted.

    The class says what all data sets with this task have in common, an instance what one of them predicts (decision 0090).

    The first paragraph of the class docstring is its page in the reference of the manifest.

    Attributes:
        kind: Name of the task, as in a manifest (`task: {kind: classification}`).
        columns: Key of the manifest -> what the column of the labels file that it names holds. The first one names the target.
        holds: What a row holds, in a word, for messages.
        named_classes: Whether a target tells classes that have names; the manifest may give their order (`labels`).
        headline: Name of the metric that stands for the task where none is named.
        trained: Name of the metric that falls as the loss does which is trained; empty where none does.
        balances: Whether samples have classes, rare ones among them, that a recipe may balance.
        solved: Whether a linear model of it is solved to its optimum (`train = convex`), not trained by steps alone.
        says: What the outputs are, in words.
        array: Name of the outputs among the arrays of an evaluation.
        dense: Whether there is a class at each position of a grid, so that networks end in a head on that grid, and a run keeps scores of
            samples (`kept`) in place of what was said of them.
        labels_key: Key of the manifest that gives `labels` where a target has no named classes, and what it holds; None where it has none.
        several: Whether the only key of `columns` names a list of columns; `encode` then gets them by their own names.
        name: Name of the target.
        labels: Class names in the order of their codes, or what else outputs are told apart by; empty where a task has one output. With
            two classes the second is the positive one.

    Raises:
        DataError: Class names for a task that has none.

    Example:
        >>> from fusearch.data import load_data
        >>> task = load_data("wisconsin").task
        >>> task.kind, task.predicts, task.headline
        ('classification', 'one of benign, malignant', 'auroc')
    """

    kind: ClassVar[str]
    columns: ClassVar[Mapping[str, str]] = {"column": "Column of the target; every row has a value."}
    holds: ClassVar[str] = "number"
    named_classes: ClassVar[bool] = False
    labels_key: ClassVar[tuple[str, str] | None] = None
    several: ClassVar[bool] = False
    headline: ClassVar[str]
    trained: ClassVar[str] = ""
    balances: ClassVar[bool] = False
    solved: ClassVar[bool] = False
    says: ClassVar[str] = "values"
    array: ClassVar[str] = "predictions"
    dense: ClassVar[bool] = False

    name: str
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.labels and not self.named_classes:
            raise DataError(f"task {self.name!r}: a {self.kind} has no class names, got {self.labels}")

    def __reduce__(self) -> tuple[Any, ...]:
        # By name, not by class: the module of a plug-in file cannot be imported in another process.
        return make_task, (self.kind, self.name, self.labels)

    @classmethod
    @abstractmethod
    def encode(cls, columns: Mapping[str, LabelColumn], labels: Sequence[str] | None = None) -> tuple[Task, npt.NDArray[Any]]:
        """Turn the label columns into targets, row by row, and say what is predicted.

        Args:
            columns: The label columns, by the keys of `columns`; no cell is empty.
            labels: Class names in the order of their codes; left out, the names that occur, sorted.

        Returns:
            The task, and its targets, (N,) or (N, numbers of a sample): int64 codes or float32 numbers.

        Raises:
            DataError: A row holds what cannot be a target, or all rows hold the same.
        """

    @abstractmethod
    def strata(self, targets: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """Return the stratum of each row, (N,), from 0; splits and folds have equal shares of each."""

    @property
    @abstractmethod
    def predicts(self) -> str:
        """What is predicted of a sample, in words: the model card says "Predicts `NAME` (...)"."""

    @abstractmethod
    def summary(self, targets: npt.NDArray[Any]) -> dict[str, Any]:
        """Return JSON-able facts about the targets of some rows, for `fusearch check`."""

    @classmethod
    def suggest(cls, columns: Sequence[LabelColumn]) -> Suggestion | None:
        """Return how these label columns may be its target, for a first manifest; None where they cannot be, or by default."""
        del columns
        return None

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the numbers that a model says of a sample."""
        return self.labels or (self.name,)

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the metrics that the task has, a user's own among them, sorted."""
        return tuple(metric.name for metric in metrics_of(self.kind))

    def metric(self, name: str) -> Metric:
        """Return the metric of that name, which reads targets and outputs of this task.

        Raises:
            UnknownNameError: There is none.
        """
        return METRICS[name]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-able values that `read_task` understands: `kind`, `name` and `labels`."""
        return {"kind": self.kind, "name": self.name, "labels": list(self.labels)}

    @property
    def explained(self) -> str:
        """Unit of the number that attributions are shares of."""
        return self.name

    def scored(self, outputs_NO: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return what metrics read: outputs in the units of the target; (N,) where a sample has one."""
        return outputs_NO[:, 0] if len(self.outputs) == 1 else outputs_NO

    def kept(self, targets: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return what a run keeps of these targets beside its predictions; by default all."""
        return targets

    @property
    def note(self) -> str:
        """What a reader of its numbers should know, in a sentence; by default nothing."""
        return ""

    def chance(self, targets: npt.NDArray[Any]) -> dict[str, float]:
        """Return what a guess without any input reaches on these targets, for metrics where that is not known by heart."""
        del targets
        return {}

    def constant(self, targets: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Return the outputs of a model that has seen these targets and no input, (O,); by default zeros, which rank nothing."""
        del targets
        return np.zeros(len(self.outputs))

    def class_counts(self, targets: npt.NDArray[Any]) -> dict[str, int]:
        """Return how many rows have each class; empty for a task without classes."""
        del targets
        return {}

    def lacks(self, targets: npt.NDArray[Any]) -> str:
        """Return what these rows lack, so that nothing can be learned from them or scored on them (`no event`); by default nothing, ""."""
        del targets
        return ""

    def doubts(self, targets: npt.NDArray[Any]) -> tuple[str, ...]:
        """Return what `fusearch check` should warn of in the targets of train and val, a sentence each; by default nothing."""
        del targets
        return ()

    def association(self, values: npt.NDArray[np.float32], targets: npt.NDArray[Any], num_numeric: int) -> npt.NDArray[np.float64]:
        """Return how well each column of a table alone gives the target, from 0 to 1, so that leaks are found.

        Args:
            values: (N, columns): numeric columns, NaN where a value is missing, then level codes.
            targets: The targets of these rows.
            num_numeric: How many columns are numeric.
        """
        del targets, num_numeric
        return np.zeros(values.shape[1])


TASKS: Registry[type[Task]] = Registry("task")

T = TypeVar("T", bound=type[Task])


def task_entry(entry: T) -> T:
    """Register a task under its `kind`.

    Raises:
        DataError: It lacks something that every task must say.
    """
    lacking = sorted(getattr(entry, "__abstractmethods__", ()))
    if lacking:
        raise DataError(f"task {entry.kind!r}: its class lacks {', '.join(lacking)}, which every task says for itself")
    TASKS.add(entry.kind, entry)
    return entry


def make_task(kind: str, name: str, labels: tuple[str, ...] = (), *more: Any) -> Task:
    """Return the task of that kind; `more` are what fields it has of its own.

    Raises:
        UnknownNameError: There is none.
        DataError: The class names do not fit.
    """
    return TASKS[kind](name, labels, *more)
