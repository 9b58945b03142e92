"""A task: what is predicted from the modalities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from fusearch.errors import DataError
from fusearch.metrics import TaskKind, metrics_of

__all__ = ["Task", "TaskKind"]


@dataclass(frozen=True)
class Task:
    """What is predicted.

    Attributes:
        kind: `classification` (two classes or more, one label a sample) or `regression` (one number a sample).
        name: Name of the target, as a column of the labels file.
        labels: Class names in the order of their codes; empty for regression. With two classes the second is the positive one.

    Raises:
        DataError: A classification with fewer than two classes, or a regression with class names.
    """

    kind: TaskKind
    name: str
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.kind not in get_args(TaskKind):
            raise DataError(f"task {self.name!r}: unknown kind {self.kind!r}, expected one of: {', '.join(get_args(TaskKind))}")
        if self.kind == "classification" and len(self.labels) < 2:
            only = f" ({self.labels[0]!r})" if self.labels else ""
            raise DataError(f"task {self.name!r}: labels of {len(self.labels)} class{only}, expected two classes or more")
        if self.kind == "regression" and self.labels:
            raise DataError(f"task {self.name!r}: a regression has no class names, got {self.labels}")

    @property
    def num_outputs(self) -> int:
        """Numbers that a network returns for a sample: one a class, also with two classes; one for regression."""
        return len(self.labels) if self.kind == "classification" else 1

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the metrics that the task has, a user's own among them, sorted."""
        return tuple(metric.name for metric in metrics_of(self.kind))
