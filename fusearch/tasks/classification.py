"""Classification: one of two classes or more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from fusearch.errors import DataError, suggestion
from fusearch.tasks.association import class_association
from fusearch.tasks.columns import LabelColumn, sorted_labels
from fusearch.tasks.task import Suggestion, Task, task_entry

__all__ = ["Classification"]

#: With this many rows and more classes than half of them, the target is most likely a number.
_MANY_ROWS = 20
#: So many different whole numbers at most are rather classes than a number.
_FEW_CLASSES = 10


@task_entry
class Classification(Task):
    """Two classes or more; one label a sample.

    Targets are int64 codes, (N,): positions in `labels`. Outputs are class probabilities.

    Raises:
        DataError: Fewer than two classes.
    """

    kind: ClassVar[str] = "classification"
    holds: ClassVar[str] = "label"
    named_classes: ClassVar[bool] = True
    headline: ClassVar[str] = "auroc"
    trained: ClassVar[str] = "log_loss"
    balances: ClassVar[bool] = True
    solved: ClassVar[bool] = True
    says: ClassVar[str] = "class probabilities"
    array: ClassVar[str] = "probabilities"

    def __post_init__(self) -> None:
        if len(self.labels) < 2:
            only = f" ({self.labels[0]!r})" if self.labels else ""
            raise DataError(f"task {self.name!r}: labels of {len(self.labels)} class{only}, expected two classes or more")

    @classmethod
    def encode(cls, columns: Mapping[str, LabelColumn], labels: Sequence[str] | None = None) -> tuple[Task, npt.NDArray[Any]]:
        """Turn names into codes: of two classes the second one is positive."""
        column = columns["column"]
        what = f"{column.place}: column {column.name!r}"
        found = sorted_labels(set(column.texts))
        if len(found) == 1:
            raise DataError(f"{what} has labels of one class ({found[0]!r}), expected two classes or more")
        if labels is None and len(column.texts) >= _MANY_ROWS and len(found) > len(column.texts) / 2:
            raise DataError(f"{what} has {len(found)} classes in {len(column.texts)} rows; a continuous target is `kind: regression`")
        names = tuple(labels) if labels is not None else found
        for text in found:
            if text not in names:
                raise DataError(f"{what} holds the label {text!r}, {suggestion(text, names)}")
        code_of = {label: code for code, label in enumerate(names)}
        return cls(column.name, names), np.array([code_of[text] for text in column.texts], np.int64)

    @classmethod
    def suggest(cls, columns: Sequence[LabelColumn]) -> Suggestion | None:
        """Texts, or few whole numbers, are classes."""
        found = {text for column in columns for text in column.texts}
        if len(columns) != 1 or not 2 <= len(found) <= len(columns[0].texts) / 2:
            return None
        why = f"{columns[0].name!r} holds {len(found)} different values in {len(columns[0].texts)} rows"
        if not all(text.lstrip("+-").isdecimal() for text in found):
            numbers = columns[0].are_numbers()
            return Suggestion({"column": columns[0].name}, why, 0.2 if numbers and len(found) > 2 else 1.0)
        return Suggestion({"column": columns[0].name}, why, 0.9 if len(found) <= _FEW_CLASSES else 0.3)

    def strata(self, targets: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """Return the codes themselves."""
        return targets.astype(np.int64)

    @property
    def predicts(self) -> str:
        """The classes."""
        return f"one of {', '.join(self.labels)}"

    @property
    def note(self) -> str:
        """Which of two classes is positive."""
        if len(self.labels) != 2:
            return ""
        return f"Positive class: {self.labels[1]} (second of {', '.join(self.labels)}); `labels` in the manifest says the order."

    def chance(self, targets: npt.NDArray[Any]) -> dict[str, float]:
        """Return the share of the largest class, and that of the positive class (of several classes: their mean share)."""
        shares = np.bincount(targets, minlength=len(self.labels)) / max(len(targets), 1)
        return {"accuracy": float(shares.max()), "auprc": float(shares[1] if len(shares) == 2 else shares.mean())}

    def constant(self, targets: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Return the share of each class."""
        return np.bincount(targets, minlength=len(self.labels)) / max(len(targets), 1)

    @property
    def explained(self) -> str:
        """Log odds."""
        return "log odds of the predicted class"

    def summary(self, targets: npt.NDArray[Any]) -> dict[str, Any]:
        """Return how many rows have each class."""
        return {"classes": self.class_counts(targets)}

    def scored(self, outputs_NO: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return probabilities that sum to one, which in float32 they do only nearly."""
        totals_N1: npt.NDArray[np.float64] = outputs_NO.sum(axis=1, keepdims=True)
        return np.divide(outputs_NO, totals_N1)

    def class_counts(self, targets: npt.NDArray[Any]) -> dict[str, int]:
        """Return how many rows have each class."""
        counts = np.bincount(targets, minlength=len(self.labels))
        return {label: int(count) for label, count in zip(self.labels, counts, strict=True)}

    def association(self, values: npt.NDArray[np.float32], targets: npt.NDArray[Any], num_numeric: int) -> npt.NDArray[np.float64]:
        """Return the share of rows in which each column alone gives the class."""
        return class_association(values, targets, num_numeric)
