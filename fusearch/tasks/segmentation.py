"""Segmentation: a class at each position of a grid. Axis letters: N samples, P positions, C classes, S scores of a sample."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from fusearch.errors import DataError
from fusearch.tasks.columns import LabelColumn
from fusearch.tasks.strata import quantile_strata
from fusearch.tasks.task import Task, make_task, task_entry

__all__ = ["Segmentation"]

#: Masks of more values than this are pictures, not masks.
_MOST_CLASSES = 64


@task_entry
@dataclass(frozen=True)
class Segmentation(Task):
    """A mask: a class at each position of the grid of an image or a volume.

    Targets are uint8, (N, P): the code of the class at each position, row by row, 0 the background. A run keeps of them how many positions
    each class has, int64, (N, C), and of what a model says the scores of each sample, not its mask: `outputs` names them (decision 0099).

    Attributes:
        grid: Number of positions along each axis, (H, W) or (D, H, W).
        values: What stands for each class in the files, the background first.
        spacing: Millimetres between positions along each axis of the grid; empty where no one spacing is known (decision 0101).

    Raises:
        DataError: Fewer than two classes, or names for another number of classes than there are values.
    """

    kind: ClassVar[str] = "segmentation"
    columns: ClassVar[Mapping[str, str]] = {"column": "Column with the path of each sample's mask; every row has one."}
    labels_key: ClassVar[tuple[str, str] | None] = (
        "labels",
        "Names of the classes in the order of their values in the masks, the background first. Left out: the values.",
    )
    holds: ClassVar[str] = "mask"
    headline: ClassVar[str] = "dice"
    says: ClassVar[str] = "class probabilities of each position"
    array: ClassVar[str] = "mask_scores"
    dense: ClassVar[bool] = True

    grid: tuple[int, ...] = ()
    values: tuple[int, ...] = ()
    spacing: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if len(self.labels) < 2 or len(self.labels) != len(self.values):
            told = f"{len(self.labels)} classes for {len(self.values)} values of masks"
            raise DataError(f"task {self.name!r}: {told}, expected the background and another")

    def __reduce__(self) -> tuple[Any, ...]:
        return make_task, (self.kind, self.name, self.labels, self.grid, self.values, self.spacing)

    @classmethod
    def encode(cls, columns: Mapping[str, LabelColumn], labels: Sequence[str] | None = None) -> tuple[Task, npt.NDArray[Any]]:
        """Not used: a column holds paths, and what stands in the files is encoded by `of`.

        Raises:
            DataError: Always.
        """
        del columns, labels
        raise DataError("masks are read from files, expected a task of its own")

    @classmethod
    def of(
        cls,
        masks: npt.NDArray[Any],
        name: str,
        *,
        place: str,
        labels: Sequence[str] | None = None,
        spacing: Sequence[float] = (),
        like: Task | None = None,
    ) -> tuple[Task, npt.NDArray[np.uint8]]:
        """Turn masks into codes and say what is predicted.

        The values of the masks are 0, the background, and those of the other classes; they need not be without gaps (0 and 255).

        Args:
            masks: Whole numbers from 0 to 255, (N, *grid).
            name: Name of the target.
            place: Where the masks come from, for messages.
            labels: Names of the classes, in the order of their values.
            spacing: Millimetres between positions along each axis; empty: not known.
            like: The task of another cohort, whose values, names and spacing count.

        Raises:
            DataError: Another grid or spacing than that cohort has, values that are no classes, one class alone, or another number of
                names than of classes.
        """
        found = tuple(np.flatnonzero(np.bincount(masks.reshape(-1), minlength=1)).tolist())
        grid = tuple(masks.shape[1:])
        if isinstance(like, Segmentation):
            values, names = like.values, like.labels
            if grid != like.grid:
                raise DataError(f"{place}: masks of the grid {grid}, expected {like.grid}")
            if spacing and like.spacing and not np.allclose(spacing, like.spacing, rtol=0.01):
                told = f"masks whose positions lie {_millimetres(spacing)} apart, expected {_millimetres(like.spacing)}"
                raise DataError(f"{place}: {told}, as in the other cohort; `spacing` in both manifests brings them together")
            spacing = like.spacing
        else:
            values = found
            if labels is not None and len(labels) > len(found) and all(value < len(labels) for value in found):
                values = tuple(range(len(labels)))  # no mask has the others
            names = tuple(labels) if labels is not None else tuple(map(str, values))
        if len(values) > _MOST_CLASSES:
            raise DataError(f"{place}: masks of {len(values)} different values, expected {_MOST_CLASSES} at most, one for each class")
        if len(values) < 2 or 0 not in values:
            told = ", ".join(map(str, found))
            raise DataError(f"{place}: masks hold the values {told}, expected 0 for the background, and one for each other class")
        if unknown := sorted(set(found) - set(values)):
            raise DataError(f"{place}: masks hold the value {unknown[0]}, expected one of: {', '.join(map(str, values))}")
        if len(names) != len(values):
            told = ", ".join(map(str, values))
            raise DataError(f"{place}: {len(names)} labels for masks of the values {told}, expected a name for each")
        codes = np.zeros(256, np.uint8)
        codes[list(values)] = np.arange(len(values))
        return cls(name, names, grid, values, tuple(map(float, spacing))), codes[masks.reshape(len(masks), -1)]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-able values that `read_task` understands."""
        spaced = {"spacing": list(self.spacing)} if self.spacing else {}
        return {**super().to_dict(), "grid": list(self.grid), "values": list(self.values), **spaced}

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the scores of a sample: its Dice, its Hausdorff distance, and of several classes the Dice of each."""
        own = self.labels[1:] if len(self.labels) > 2 else ()
        return ("dice", "hd95", *(f"dice of {label}" for label in own))

    @property
    def farthest(self) -> float:
        """The largest distance of two positions, which stands for that of a class that one of two masks lacks."""
        steps = self.spacing or (1.0,) * len(self.grid)
        return math.sqrt(sum(((size - 1) * step) ** 2 for size, step in zip(self.grid, steps, strict=True)))

    def kept(self, targets: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """Return how many positions of each sample each class has, (N, C)."""
        if targets.dtype != np.uint8:
            return targets
        return np.stack([(targets == code).sum(axis=1) for code in range(len(self.labels))], axis=1).astype(np.int64)

    def strata(self, targets: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """Return the quantile bin of how much of a sample is no background."""
        sizes = self.kept(targets)
        return quantile_strata(sizes[:, 1:].sum(axis=1).astype(np.float64))

    @property
    def predicts(self) -> str:
        """The classes of a position."""
        return f"one of {', '.join(self.labels)} at each of {' x '.join(map(str, self.grid))} positions"

    @property
    def note(self) -> str:
        """How its metrics count."""
        unit = f"millimetres ({_millimetres(self.spacing)} between positions)" if self.spacing else "positions of the grid (pixels)"
        return (
            "Dice is the mean over the classes without the background, then over the samples; a class that neither mask has counts 1. "
            f"hd95 is in {unit}; a class that one mask lacks counts as the diagonal of the grid."
        )

    def chance(self, targets: npt.NDArray[Any]) -> dict[str, float]:
        """Return the Dice of background everywhere: 1 where a sample has nothing else."""
        return {"dice": float((self.kept(targets)[:, 1:] == 0).mean())}

    def constant(self, targets: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Return the mean scores of background everywhere."""
        lacking = (self.kept(targets)[:, 1:] == 0).mean(axis=0)
        own = lacking if len(self.labels) > 2 else lacking[:0]
        return np.array([lacking.mean(), self.farthest * (1 - lacking.mean()), *own], np.float64)

    def summary(self, targets: npt.NDArray[Any]) -> dict[str, Any]:
        """Return which share of all positions each class has, and in how many samples it is."""
        sizes = self.kept(targets)
        shares = sizes.sum(axis=0) / max(int(sizes.sum()), 1)
        return {
            "positions": {label: round(float(share), 6) for label, share in zip(self.labels, shares, strict=True)},
            "samples": {label: int(count) for label, count in zip(self.labels[1:], (sizes[:, 1:] > 0).sum(axis=0), strict=True)},
        }

    def scored(self, outputs_NO: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the scores of samples as they are, (N, S)."""
        return outputs_NO

    def lacks(self, targets: npt.NDArray[Any]) -> str:
        """Return the classes that no mask has."""
        there = self.kept(targets).any(axis=0) if len(targets) else np.zeros(len(self.labels), bool)
        missing = [label for label, found in zip(self.labels[1:], np.asarray(there)[1:].tolist(), strict=True) if not found]
        return f"no mask with {', '.join(missing)}" if missing else ""

    def doubts(self, targets: npt.NDArray[Any]) -> tuple[str, ...]:
        """Say so where most masks are empty, and where one class may be written in two ways."""
        there, found = self.kept(targets) > 0, []
        if 2 * (empty := int((~there[:, 1:].any(axis=1)).sum())) > len(targets):
            dice = "a model that says nothing else has a Dice of 1 on each of them"
            found.append(f"{empty} of {len(targets)} masks are background alone: {dice}")
        if {1, 255} <= set(self.values):
            one, full = (there[:, self.values.index(value)] for value in (1, 255))
            if one.any() and full.any() and not (one & full).any():
                told = f"{int(one.sum())} masks hold 1, {int(full.sum())} others 255, and none both, which are taken for two classes"
                found.append(f"{told}; are they one, written in two ways?")
        return tuple(found)


def _millimetres(spacing: Sequence[float]) -> str:
    return f"{' x '.join(f'{step:.4g}' for step in spacing)} mm"
