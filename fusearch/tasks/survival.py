"""Survival: when something happens, of samples that were followed for a while, in proportional hazards or in intervals of time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from fusearch.errors import DataError
from fusearch.tasks.association import class_association, rank_association
from fusearch.tasks.columns import LabelColumn
from fusearch.tasks.strata import joined_strata, quantile_strata
from fusearch.tasks.task import Suggestion, Task, task_entry

__all__ = ["DiscreteSurvival", "Survival", "kaplan_meier"]

#: Quantiles of the times of the events at which survival is told where no times are given.
_QUANTILES = np.arange(1, 10) / 10


@task_entry
class Survival(Task):
    """When an event happens; a sample without one was followed until its time (right censoring). Trained by the partial likelihood of Cox.

    Targets are float32, (N, 2): time, and 1 for an event or 0. Outputs are the risk, which is the mean over some times of the probability
    that the event has happened by then, and the probability of no event until each of these times (decision 0075). `labels` are the times.

    Raises:
        DataError: Times that are no rising numbers above 0.
    """

    kind: ClassVar[str] = "survival"
    columns: ClassVar[Mapping[str, str]] = {
        "time": "Column of the time of the event, or of the last look: a number above 0, in any unit.",
        "event": "Column that says whether the event happened at that time (1, `true`) or had not happened until then (0, `false`).",
    }
    labels_key: ClassVar[tuple[str, str] | None] = (
        "times",
        "Times at which survival is predicted and scored, rising. Left out: the nine deciles of the times of the events.",
    )
    headline: ClassVar[str] = "concordance"
    trained: ClassVar[str] = "integrated_brier"
    solved: ClassVar[bool] = True
    says: ClassVar[str] = "risks and survival probabilities"
    array: ClassVar[str] = "survival"

    def __post_init__(self) -> None:
        try:
            times = self.times
        except ValueError:
            times = np.zeros(0)
        if not len(times) or not np.isfinite(times).all() or times[0] <= 0 or (np.diff(times) <= 0).any():
            raise DataError(f"task {self.name!r}: times {', '.join(self.labels) or 'of no number'}, expected rising numbers above 0")

    @property
    def times(self) -> npt.NDArray[np.float64]:
        """Times at which survival is told, (K,), to the precision of the targets."""
        return np.array(self.labels, np.float32).astype(np.float64)

    @classmethod
    def encode(cls, columns: Mapping[str, LabelColumn], labels: Sequence[str] | None = None) -> tuple[Task, npt.NDArray[Any]]:
        """Read times and events; without times given, take deciles of the times of the events, to three digits."""
        column, events = columns["time"], columns["event"].truths()
        times = column.numbers()
        for row in np.flatnonzero(times <= 0):
            raise column.wrong(int(row), "a time above 0")
        if not events.any():
            what = f"{columns['event'].place}: column {columns['event'].name!r}"
            raise DataError(f"{what} says of no row that the event happened, expected some events")
        if labels is None:
            found = np.quantile(times[events == 1], _QUANTILES)
            labels = tuple(dict.fromkeys(f"{float(f'{each:.3g}'):g}" for each in found.tolist()))
        return cls(column.name, tuple(labels)), np.stack([times, events], axis=1)

    @classmethod
    def suggest(cls, columns: Sequence[LabelColumn]) -> Suggestion | None:
        """Two columns, one of 0 and 1 and one of times above 0."""
        events = [column for column in columns if column.are_truths()]
        times = [column for column in columns if column not in events and column.are_numbers() and column.numbers().min() > 0]
        if len(columns) != 2 or len(events) != 1 or len(times) != 1:
            return None
        why = f"{times[0].name!r} holds numbers above 0, {events[0].name!r} 0 and 1"
        return Suggestion({"time": times[0].name, "event": events[0].name}, why, 0.9)

    def strata(self, targets: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """Return the quantile bin of the time, among rows with an event and among the others apart."""
        events = targets[:, 1] == 1
        bins = np.zeros(len(targets), np.int64)
        for rows in (np.flatnonzero(events), np.flatnonzero(~events)):
            bins[rows] = quantile_strata(targets[rows, 0])
        return joined_strata(2 * bins + events)

    @property
    def predicts(self) -> str:
        """Risk and survival."""
        return f"the risk of an event, and the probability of none until {', '.join(self.labels)}"

    @property
    def outputs(self) -> tuple[str, ...]:
        """The risk, and survival at each time."""
        return ("risk", *(f"survival at {time}" for time in self.labels))

    @property
    def explained(self) -> str:
        """Log hazard."""
        return "log relative hazard"

    @property
    def note(self) -> str:
        """What the times are."""
        return (
            f"Survival is told at {', '.join(self.labels)} in the unit of `{self.name}`; the risk is the mean over these times of the "
            "probability that the event has happened. `times` in the manifest says the times."
        )

    def summary(self, targets: npt.NDArray[Any]) -> dict[str, Any]:
        """Return events, censored rows, and the median follow-up: of the times at which rows were censored, by reversed Kaplan-Meier."""
        times, events = targets[:, 0], targets[:, 1] == 1
        at, follow = kaplan_meier(times, ~events) if len(times) else (times, times)
        below = at[follow <= 0.5]
        median = float(f"{below[0]:.5g}") if len(below) else None
        return {"events": int(events.sum()), "censored": int((~events).sum()), "median follow-up": median}

    def chance(self, targets: npt.NDArray[Any]) -> dict[str, float]:
        """Return what a ranking by luck reaches."""
        del targets
        return {"concordance": 0.5, "dynamic_auc": 0.5}

    def constant(self, targets: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Return the Kaplan-Meier estimate at each time, and the risk that it says."""
        at, survival = kaplan_meier(targets[:, 0], targets[:, 1] == 1)
        told = np.append(1.0, survival)[np.searchsorted(at, self.times, side="right")]
        return np.append(1 - told.mean(), told)

    def association(self, values: npt.NDArray[np.float32], targets: npt.NDArray[Any], num_numeric: int) -> npt.NDArray[np.float64]:
        """Return how well each column gives the time, by rank, or the event, whichever it gives better: a copy of either is a leak."""
        time, events = rank_association(values, targets[:, 0], num_numeric), targets[:, 1].astype(np.int64)
        return np.maximum(time, class_association(values, events, num_numeric)) if np.ptp(events) else time

    def lacks(self, targets: npt.NDArray[Any]) -> str:
        """Say that no row has the event, or that no time differs."""
        if not (targets[:, 1] == 1).any():
            return "no event"
        return f"one time, {targets[0, 0]:g}, in every row" if np.ptp(targets[:, 0]) == 0 else ""

    def doubts(self, targets: npt.NDArray[Any]) -> tuple[str, ...]:
        """Tell times at which nothing is scored: before the first event, or not before the end of the follow-up."""
        happened = targets[targets[:, 1] == 1, 0]
        if not len(happened):
            return ()
        first, last = float(happened.min()), float(targets[:, 0].max())
        outside = [label for label, time in zip(self.labels, self.times, strict=True) if not first <= time < last]
        if not outside:
            return ()
        what = "no time" if len(outside) == len(self.labels) else f"{len(self.labels) - len(outside)} of {len(self.labels)} times"
        span = f"the first event is at {first:g} and the follow-up ends at {last:g}"
        return (f"`times`: {what} can be scored; out of range: {', '.join(outside)} ({span}, in the unit of {self.name!r})",)


@task_entry
class DiscreteSurvival(Survival):
    """As `survival`, with a probability of the event for each interval between the times, whose curves may cross.

    Trained by the likelihood of the intervals (Gensheimer and Narasimhan 2019), row by row. Nothing is learned beyond the last time.
    """

    kind: ClassVar[str] = "discrete_survival"
    array: ClassVar[str] = "discrete_survival"

    @classmethod
    def suggest(cls, columns: Sequence[LabelColumn]) -> Suggestion | None:
        """As survival, which comes first."""
        found = super().suggest(columns)
        return None if found is None else found._replace(likelihood=0.5)

    @property
    def explained(self) -> str:
        """Log odds."""
        return "mean log odds of the event in an interval"


def kaplan_meier(times: npt.NDArray[Any], events: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the distinct times, rising, and the share of samples without an event after each of them (Kaplan and Meier 1958).

    Example:
        >>> at, survival = kaplan_meier(np.array([1.0, 2.0, 3.0, 4.0]), np.array([True, False, True, False]))
        >>> survival.tolist()
        [0.75, 0.75, 0.375, 0.375]
    """
    at, place = np.unique(times, return_inverse=True)
    rows, failed = np.bincount(place, minlength=len(at)), np.bincount(place, weights=events, minlength=len(at))
    at_risk = rows[::-1].cumsum()[::-1]
    return at.astype(np.float64), np.cumprod(1 - failed / at_risk)
