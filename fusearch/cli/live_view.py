"""What `fusearch watch` shows: the state of a run as lines of text, with its front as a plot of characters."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fusearch.amounts import amount, counted
from fusearch.cli.live_line import progress_line
from fusearch.cli.output import figure

if TYPE_CHECKING:
    from fusearch.reports.findings.findings import Findings

__all__ = ["View", "plot", "view_of"]

#: Failures that are listed, by cause.
_CAUSES = 3
#: A design, and one on the front.
_DOT, _FRONT = "·", "●"


@dataclass(frozen=True)
class View:
    """The state of a run at one moment.

    Attributes:
        status: What `fusearch status --json` tells.
        per_minute: Trials that were evaluated in a minute, over the whole search; None before there is one.
        parallel: Evaluations that ran at the same time, on average.
        workers: Processes that have evaluated a design.
        failures: Causes of failures and how often each was, the most frequent first.
        points: Primary objective and cost (or the second objective) of each evaluated design, and whether it is on the front.
        axes: Names of the two.
    """

    status: Mapping[str, Any]
    per_minute: float | None
    parallel: float | None
    workers: int
    failures: tuple[tuple[str, int], ...]
    points: tuple[tuple[float, float, bool], ...]
    axes: tuple[str, ...]

    @property
    def is_running(self) -> bool:
        """Whether the search goes on."""
        return bool(self.status["state"] == "running")

    @property
    def line(self) -> str:
        """The state in one line."""
        from fusearch.search.progress import Progress

        trials = self.status["trials"]
        best = {name: held["values"][name] for name, held in self.status["best"].items() if held}
        progress = Progress(
            done=trials["complete"],
            running=trials["running"],
            failed=trials["failed"],
            repeated=trials["repeated"],
            total=trials["total"],
            best=best,
            front=len(self.status["front"]),
            seconds_left=self.status["seconds_left"],
            raced=trials["raced"],
        )
        return f"{self.status['state']}: {progress_line(progress, self.per_minute)}"

    def lines(self, width: int = 80, height: int = 16) -> list[str]:
        """Return the whole view; the plot has this many columns and rows."""
        from fusearch.reports.findings.search_course import more_seeds_sentence, races_sentence, trainings_sentences

        told = [self.line]
        if self.workers:
            beside = amount(round(self.parallel or 0.0, 2))
            told.append(f"{counted(self.workers, 'worker')} trained; {beside} trials side by side on average")
        sentences = (races_sentence(self.status["races"]), more_seeds_sentence(self.status["more_seeds"]))
        told += [sentence for sentence in sentences if sentence]
        told += trainings_sentences(self.status)
        told += [f"failed, {count} times: {reason}" for reason, count in self.failures]
        if self.status["reason"]:
            told.append(str(self.status["reason"]))
        if self.points:
            told += ["", f"{self.axes[0]} up, {self.axes[1]} right; {_FRONT} on the front", *plot(self.points, width, height)]
        return told

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            **self.status,
            "per_minute": self.per_minute,
            "parallel": self.parallel,
            "workers": self.workers,
            "failures": [{"reason": reason, "count": count} for reason, count in self.failures],
        }


def view_of(found: Findings) -> View:
    """Return what there is to see of a run."""
    from fusearch.reports.findings.failures import failure_groups
    from fusearch.reports.findings.search_course import throughput_info

    trials, course = found.trials, throughput_info(found)
    evaluated = [record for record in trials.records if record.evaluated]
    places = {(record.details.get("host"), record.details.get("worker")) for record in evaluated} - {(None, None)}
    others = [objective.name for objective in trials.objectives if objective.name != trials.primary.name]
    axes = (trials.primary.name, *others[:1])
    front = {record.number for record in trials.front}
    points = [tuple(record.value(name) for name in axes) for record in evaluated]
    return View(
        status=trials.status(),
        per_minute=course.per_minute,
        parallel=course.parallel,
        workers=len(places),
        failures=tuple((group.told, group.count) for group in failure_groups(found) if group.state == "failed")[:_CAUSES],
        points=tuple(
            (point[0], point[1], record.number in front)
            for record, point in zip(evaluated, points, strict=True)
            if len(point) > 1 and all(map(math.isfinite, point))
        ),
        axes=axes,
    )


def plot(points: Sequence[tuple[float, float, bool]], width: int = 80, height: int = 16) -> list[str]:
    r"""Draw points with characters; what lies right is on a logarithmic scale where it spans more than a factor of 20.

    Args:
        points: Value that goes up, value that goes right, whether it is on the front.
        width: Columns, the axis with them.
        height: Rows, the axis with them.

    Example:
        >>> print("\n".join(plot([(0.5, 1, False), (0.9, 2, True)], 20, 4)))
        0.9000 │          ●
               │
        0.5000 │·
               └──────────── 1 to 2
    """
    ups, rights = [point[0] for point in points], [point[1] for point in points]
    is_log = min(rights) > 0 and max(rights) > 20 * min(rights)
    across = [math.log(value) if is_log else value for value in rights]
    labels = [figure(max(ups)), figure(min(ups))]
    margin = max(map(len, labels)) + 2
    columns, rows = max(2, width - margin), max(2, height - 1)
    grid = [[" "] * columns for _ in range(rows)]
    for (up, _, is_front), right in sorted(zip(points, across, strict=True), key=lambda each: each[0][2]):
        row, column = round(_share(up, ups) * (rows - 1)), round(_share(right, across) * (columns - 2))
        grid[rows - 1 - row][column] = _FRONT if is_front else _DOT
    named = {0: labels[0], rows - 1: labels[1]}
    drawn = [f"{named.get(index, ''):>{margin - 2}} │{''.join(line)}".rstrip() for index, line in enumerate(grid)]
    scale = f" {figure(min(rights))} to {figure(max(rights))}{' (logarithmic)' if is_log else ''}"
    return [*drawn, f"{'':>{margin - 2}} └{'─' * columns}{scale}"]


def _share(value: float, among: Sequence[float]) -> float:
    low, high = min(among), max(among)
    return 0.5 if high == low else (value - low) / (high - low)
