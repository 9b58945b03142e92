"""Multilabel: several labels, each of which a sample has or has not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from fusearch.errors import DataError, suggestion
from fusearch.tasks.association import class_association
from fusearch.tasks.columns import LabelColumn
from fusearch.tasks.strata import joined_strata
from fusearch.tasks.task import Suggestion, Task, task_entry

__all__ = ["Multilabel"]

#: A combination of labels with fewer rows is no stratum of its own.
_LEAST_OF_COMBINATION = 10


@task_entry
class Multilabel(Task):
    """Several labels, a column each; a sample has any number of them, or none.

    Targets are float32, (N, L): 1 where a sample has a label, else 0. Outputs are the probability of each label; `labels` are its columns.

    Raises:
        DataError: No label.
    """

    kind: ClassVar[str] = "multilabel"
    columns: ClassVar[Mapping[str, str]] = {"columns": "Columns of the labels, each of 1 (`true`) or 0 (`false`); every row has a value."}
    several: ClassVar[bool] = True
    holds: ClassVar[str] = "label"
    headline: ClassVar[str] = "mean_auroc"
    trained: ClassVar[str] = "mean_log_loss"
    balances: ClassVar[bool] = True
    solved: ClassVar[bool] = True
    says: ClassVar[str] = "probabilities of the labels"
    array: ClassVar[str] = "label_probabilities"

    def __post_init__(self) -> None:
        if not self.labels:
            raise DataError(f"task {self.name!r}: no label, expected the columns of one label or more")

    @classmethod
    def encode(cls, columns: Mapping[str, LabelColumn], labels: Sequence[str] | None = None) -> tuple[Task, npt.NDArray[Any]]:
        """Read each column; every label must be there for some rows and not for others."""
        for name in labels or ():
            if name not in columns:
                raise DataError(f"{next(iter(columns.values())).place}: no column of the label {name!r}, {suggestion(name, columns)}")
        names = tuple(columns) if labels is None else tuple(labels)
        found = [columns[name].truths() for name in names]
        for name, values in zip(names, found, strict=True):
            if labels is None and np.ptp(values) == 0:
                raise DataError(f"{columns[name].place}: column {name!r} is {values[0]:g} in every row, expected a label that varies")
        return cls("labels", names), np.stack(found, axis=1)

    @classmethod
    def suggest(cls, columns: Sequence[LabelColumn]) -> Suggestion | None:
        """Several columns of 0 and 1."""
        if len(columns) < 2 or not all(column.are_truths() for column in columns):
            return None
        return Suggestion({"columns": [column.name for column in columns]}, f"{len(columns)} columns of 0 and 1 are given", 0.9)

    def strata(self, targets: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """Return the combination of labels; rare ones are joined with those of as many labels, then with the rest."""
        combinations = np.unique(targets, axis=0, return_inverse=True)[1].reshape(-1)
        sizes = np.bincount(combinations)[combinations]
        count = targets.sum(axis=1).astype(np.int64)
        common = int(combinations.max(initial=-1)) + 1
        return joined_strata(np.where(sizes < _LEAST_OF_COMBINATION, common + count, combinations))

    @property
    def predicts(self) -> str:
        """The labels."""
        return f"any of {', '.join(self.labels)}"

    @property
    def explained(self) -> str:
        """Log odds."""
        return "log odds of the most likely label"

    def chance(self, targets: npt.NDArray[Any]) -> dict[str, float]:
        """Return the mean share of rows that have a label."""
        return {"mean_auprc": float(targets.mean())} if len(targets) else {}

    def constant(self, targets: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Return the share of rows that have each label."""
        shares: npt.NDArray[np.float64] = np.asarray(targets, np.float64).mean(axis=0)
        return shares

    def summary(self, targets: npt.NDArray[Any]) -> dict[str, Any]:
        """Return how many rows have each label, and how many have none."""
        return {"labels": self.class_counts(targets), "without any": int((targets.sum(axis=1) == 0).sum())}

    def class_counts(self, targets: npt.NDArray[Any]) -> dict[str, int]:
        """Return how many rows have each label."""
        return {label: int(count) for label, count in zip(self.labels, targets.sum(axis=0), strict=True)}

    def doubts(self, targets: npt.NDArray[Any]) -> tuple[str, ...]:
        """Tell labels that no row of train and val has, or every row: they cannot be learned."""
        held = {name: values for name, values in zip(self.labels, targets.T, strict=True) if len(values) and np.ptp(values) == 0}
        return tuple(
            f"label {name!r} is {values[0]:g} in every row of train and val: it cannot be learned" for name, values in held.items()
        )

    def association(self, values: npt.NDArray[np.float32], targets: npt.NDArray[Any], num_numeric: int) -> npt.NDArray[np.float64]:
        """Return how well each column gives the label that it gives best."""
        each = [class_association(values, targets[:, label].astype(np.int64), num_numeric) for label in range(targets.shape[1])]
        best: npt.NDArray[np.float64] = np.max(each, axis=0)
        return best
