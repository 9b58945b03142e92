"""What a figure of the Pareto front shows: every design, the front as a step line, the references by name. No drawing here."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from fusearch import pareto
from fusearch.contracts import Objective
from fusearch.reports.findings.axes import Axis, axis_of
from fusearch.reports.findings.findings import Findings
from fusearch.study import TrialRecord

__all__ = ["FrontInfo", "Point", "PointKind", "extent", "front_info", "front_pairs"]

PointKind = Literal["design", "front", "reference"]


@dataclass(frozen=True)
class Point:
    """One design in the plane of two objectives; errors are standard errors of the mean over members, `study` is whose network it is."""

    record: TrialRecord
    x: float
    y: float
    x_error: float | None
    y_error: float | None
    kind: PointKind
    role: str | None
    on_front: bool
    study: str | None


@dataclass(frozen=True)
class FrontInfo:
    """What the figure of a front shows.

    Attributes:
        x: Horizontal axis; the number of the trial where there is only one objective.
        y: Vertical axis.
        points: One for each graph, with its best recipe.
        step: Corners of the boundary of what is attained in this plane, from left to right; only designs that keep all bounds.
        recommended: The design to take. Its recipe may be another than that of the same graph among the points.
    """

    x: Axis
    y: Axis
    points: tuple[Point, ...]
    step: tuple[tuple[float, float], ...]
    recommended: Point | None


def front_pairs(found: Findings) -> list[tuple[Objective, Objective]]:
    """Return the pairs (horizontal, vertical) of objectives to draw, the main objective against the first cost before all others."""
    ordered = sorted(found.objectives, key=lambda objective: (objective != found.main, objective.cost))
    pairs = [(x, y) for y, x in itertools.combinations(ordered, 2)]
    return sorted(pairs, key=lambda pair: (pair[1] != found.main, not pair[0].cost))


def front_info(found: Findings, x: str | None = None, y: str | None = None) -> FrontInfo:
    """Place every design in the plane of two objectives, by default the first pair.

    With one objective the horizontal axis is the number of the trial and the step line is the best value so far.
    """
    by_name = {objective.name: objective for objective in found.objectives}
    pairs = front_pairs(found)
    vertical = by_name[y] if y else pairs[0][1] if pairs else found.main
    horizontal = by_name[x] if x else pairs[0][0] if pairs else None
    points = tuple(_point(found, record, horizontal, vertical) for record in found.designs)
    allowed = [point for point in points if found.allowed(point.record)]
    recommended = _point(found, found.recommended, horizontal, vertical) if found.recommended is not None else None
    y_axis = axis_of(vertical, [point.y for point in points])
    if horizontal is None:
        return FrontInfo(Axis("trial", None, log=False), y_axis, points, _best_so_far(allowed, vertical), recommended)
    x_axis = axis_of(horizontal, [point.x for point in points])
    return FrontInfo(x_axis, y_axis, points, _attained(allowed, horizontal, vertical), recommended)


def _point(found: Findings, record: TrialRecord, x: Objective | None, y: Objective) -> Point:
    role = found.roles.get(record.digest)
    on_front = record.digest in found.front_digests
    return Point(
        record,
        x=float(record.number) if x is None else found.value(record, x.name),
        y=found.value(record, y.name),
        x_error=None if x is None else record.standard_error(x.name),
        y_error=record.standard_error(y.name),
        kind="reference" if record.digest in found.trials.reference_digests else "front" if on_front else "design",
        role=role,
        on_front=on_front,
        study=found.published.name_of(record.digest),
    )


def _attained(points: Sequence[Point], x: Objective, y: Objective) -> tuple[tuple[float, float], ...]:
    if not points:
        return ()
    keep = pareto.is_nondominated([(point.x, point.y) for point in points], [x.direction, y.direction])
    corners = sorted({(point.x, point.y) for point, kept in zip(points, keep, strict=True) if kept}, key=lambda corner: x.loss(corner[0]))
    step = [corners[0]]
    for (_, y0), (x1, y1) in itertools.pairwise(corners):
        # What a design attains lies where x is worse than its own.
        step += [(x1, y0), (x1, y1)]
    step.append((max((point.x for point in points), key=x.loss), corners[-1][1]))
    return tuple(step) if step[0][0] <= step[-1][0] else tuple(reversed(step))


def _best_so_far(points: Sequence[Point], y: Objective) -> tuple[tuple[float, float], ...]:
    step: list[tuple[float, float]] = []
    for point in points:
        best = step[-1][1] if step else point.y
        step += [(point.x, best), (point.x, y.best([best, point.y]))] if step else [(point.x, point.y)]
    return tuple(step)


def extent(axis: Axis, info: FrontInfo) -> tuple[float, float]:
    """Return the range of an axis as it measures (logarithms on a log axis), with room at both ends for markers and error bars."""
    horizontal = axis is info.x
    values = []
    for point in info.points:
        value, error = (point.x, point.x_error) if horizontal else (point.y, point.y_error)
        error = 0.0 if axis.log or point.kind == "design" else error or 0.0
        values += [axis.scaled(value - error), axis.scaled(value + error)]
    low, high = min(values, default=0.0), max(values, default=1.0)
    room = 0.05 * (high - low) if high > low else 0.1 * (abs(high) or 1.0)
    return low - room, high + room
