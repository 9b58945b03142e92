"""A column of the labels file, as a task reads it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fusearch.errors import DataError

__all__ = ["LabelColumn", "sorted_labels"]

#: What a column of yes or no may hold.
_TRUTHS = {"0": 0.0, "1": 1.0, "0.0": 0.0, "1.0": 1.0, "false": 0.0, "true": 1.0}


@dataclass(frozen=True)
class LabelColumn:
    """A label column; every row has a value.

    Attributes:
        name: Name of the column.
        texts: Value of each row, as text.
        ids: Id of each row, for messages.
        place: Where the column comes from, for messages.
        rows: Where each row stands (`line 5`), for messages; empty: rows are counted.
    """

    name: str
    texts: Sequence[str]
    ids: Sequence[str]
    place: str
    rows: Sequence[str] = ()

    def numbers(self) -> npt.NDArray[np.float32]:
        """Return the values as finite numbers, (N,).

        Raises:
            DataError: A row holds no finite number.
        """
        numbers = np.empty(len(self.texts), np.float32)
        for row, text in enumerate(self.texts):
            try:
                with np.errstate(over="ignore"):
                    numbers[row] = float(text)
            except ValueError:
                numbers[row] = np.nan
            if not np.isfinite(numbers[row]):
                raise self.wrong(row, "a finite number")
        return numbers

    def are_numbers(self) -> bool:
        """Whether every row holds a finite number."""
        try:
            self.numbers()
        except DataError:
            return False
        return True

    def truths(self) -> npt.NDArray[np.float32]:
        """Return 1 for 1 or `true`, 0 for 0 or `false`, (N,).

        Raises:
            DataError: A row holds something else.
        """
        found = np.empty(len(self.texts), np.float32)
        for row, text in enumerate(self.texts):
            if text.lower() not in _TRUTHS:
                raise self.wrong(row, "0 or 1")
            found[row] = _TRUTHS[text.lower()]
        return found

    def are_truths(self) -> bool:
        """Whether every row holds 0 or 1, or says so in words."""
        return all(text.lower() in _TRUTHS for text in self.texts)

    def wrong(self, row: int, expected: str) -> DataError:
        """Return the error of a row that does not hold what is expected."""
        what = f"{self.texts[row]!r} in {self.rows[row] if self.rows else f'row {row + 1}'} (id {self.ids[row]!r})"
        return DataError(f"{self.place}: column {self.name!r} holds {what}, expected {expected}")


def sorted_labels(labels: set[str]) -> tuple[str, ...]:
    """Sort names of levels or classes: as numbers where all are whole numbers, else as text."""
    try:
        return tuple(sorted(labels, key=int))
    except ValueError:
        return tuple(sorted(labels))
