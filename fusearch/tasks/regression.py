"""Regression: one number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from fusearch.errors import DataError
from fusearch.tasks.association import rank_association
from fusearch.tasks.columns import LabelColumn
from fusearch.tasks.strata import quantile_strata
from fusearch.tasks.task import Suggestion, Task, task_entry

__all__ = ["Regression"]


@task_entry
class Regression(Task):
    """One number a sample.

    Targets are float32, (N,). Outputs are predictions in the same units.
    """

    kind: ClassVar[str] = "regression"
    headline: ClassVar[str] = "rmse"
    trained: ClassVar[str] = "rmse"
    solved: ClassVar[bool] = True

    @classmethod
    def encode(cls, columns: Mapping[str, LabelColumn], labels: Sequence[str] | None = None) -> tuple[Task, npt.NDArray[Any]]:
        """Read the numbers."""
        del labels
        column = columns["column"]
        numbers = column.numbers()
        if len(np.unique(numbers)) < 2:
            raise DataError(f"{column.place}: column {column.name!r} is {numbers[0]:g} in every row, expected a target that varies")
        return cls(column.name), numbers

    @classmethod
    def suggest(cls, columns: Sequence[LabelColumn]) -> Suggestion | None:
        """A column of several different numbers."""
        if len(columns) != 1 or not columns[0].are_numbers() or len(set(columns[0].texts)) <= 2:
            return None
        return Suggestion({"column": columns[0].name}, f"{columns[0].name!r} holds {len(set(columns[0].texts))} different numbers", 0.6)

    def strata(self, targets: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """Return the quantile bin of each number."""
        return quantile_strata(targets)

    @property
    def predicts(self) -> str:
        """A number."""
        return "a number, in the units of the target"

    def summary(self, targets: npt.NDArray[Any]) -> dict[str, Any]:
        """Return mean and standard deviation."""
        return {"mean": float(targets.mean()), "std": float(targets.std())}

    def constant(self, targets: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Return the mean."""
        return np.array([targets.mean()], np.float64)

    def association(self, values: npt.NDArray[np.float32], targets: npt.NDArray[Any], num_numeric: int) -> npt.NDArray[np.float64]:
        """Return the absolute rank correlation of each column."""
        return rank_association(values, targets, num_numeric)
