"""What a figure of the Pareto front shows: every design, the front as a step line, the references by name. No drawing here."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from fusearch import pareto
from fusearch.contracts import Objective
from fusearch.errors import ObjectiveError, suggestion
from fusearch.inference.team_front import TeamPoint
from fusearch.reports.findings.axes import Axis, axis_of
from fusearch.reports.findings.findings import Findings
from fusearch.reports.findings.published import published_name
from fusearch.study import TrialRecord

__all__ = ["FrontInfo", "Point", "PointKind", "TeamPlace", "attained_by", "extent", "front_info", "front_pairs", "points_of"]

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
class TeamPlace:
    """One team in the plane: its summed cost, and the metric of the mean of its members as the search's rows tell it."""

    team: TeamPoint
    x: float
    y: float


@dataclass(frozen=True)
class FrontInfo:
    """What the figure of a front shows.

    Attributes:
        x: Horizontal axis; the number of the trial where there is only one objective.
        y: Vertical axis.
        points: One for each graph, with its best recipe.
        step: Corners of the boundary of what is attained in this plane, from left to right; only designs that keep all bounds.
        recommended: The design to take. Its recipe may be another than that of the same graph among the points.
        teams: The teams that no other dominates in this plane, where it is that of the main objective against a cost.
        team_step: Corners of what they attain, as `step`.
    """

    x: Axis
    y: Axis
    points: tuple[Point, ...]
    step: tuple[tuple[float, float], ...]
    recommended: Point | None
    teams: tuple[TeamPlace, ...] = ()
    team_step: tuple[tuple[float, float], ...] = ()


def front_pairs(found: Findings) -> list[tuple[Objective, Objective]]:
    """Return the pairs (horizontal, vertical) of objectives to draw, the main objective against the first cost before all others."""
    ordered = sorted(found.objectives, key=lambda objective: (objective != found.main, objective.cost))
    pairs = [(x, y) for y, x in itertools.combinations(ordered, 2)]
    return sorted(pairs, key=lambda pair: (pair[1] != found.main, not pair[0].cost))


def front_info(found: Findings, x: str | None = None, y: str | None = None) -> FrontInfo:
    """Place every design in the plane of two objectives, by default the first pair.

    With one objective the horizontal axis is the number of the trial and the step line is the best value so far.

    Raises:
        ObjectiveError: The run has no such objective.
    """
    pairs = front_pairs(found)
    vertical = _named(found, y) if y else pairs[0][1] if pairs else found.main
    horizontal = _named(found, x) if x else pairs[0][0] if pairs else None
    points = tuple(_point(found, record, horizontal, vertical) for record in found.designs)
    allowed = [point for point in points if found.allowed(point.record)]
    recommended = _point(found, found.recommended, horizontal, vertical) if found.recommended is not None else None
    y_axis = axis_of(vertical, [point.y for point in points])
    if horizontal is None:
        return FrontInfo(Axis("trial", None, log=False), y_axis, points, _best_so_far(allowed, vertical), recommended)
    teams = _teams(found, horizontal, vertical)
    step = _attained(allowed, horizontal, vertical)
    x_axis = axis_of(horizontal, [point.x for point in points] + [place.x for place in teams])
    return FrontInfo(x_axis, y_axis, points, step, recommended, teams, _attained(teams, horizontal, vertical))


def _named(found: Findings, name: str) -> Objective:
    by_name = {objective.name: objective for objective in found.objectives}
    if name not in by_name:
        raise ObjectiveError(f"the run has no objective {name!r}: {suggestion(name, by_name)}")
    return by_name[name]


def points_of(found: Findings, x: Objective, y: Objective) -> tuple[Point, ...]:
    """Place every design in the plane of two objectives, without its axes."""
    return tuple(_point(found, record, x, y) for record in found.designs)


def attained_by(found: Findings, points: Sequence[Point], x: Objective, y: Objective) -> tuple[tuple[float, float], ...]:
    """Return the corners of the boundary of what those points attain that keep all bounds, from left to right."""
    return _attained([point for point in points if found.allowed(point.record)], x, y)


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
        study=published_name(found.trials.modalities, record.digest),
    )


def _teams(found: Findings, x: Objective, y: Objective) -> tuple[TeamPlace, ...]:
    if not x.cost or y != found.main:
        return ()
    places = [TeamPlace(team, team.cost[x.name], team.plain) for team in found.teams if x.name in team.cost]
    keep = pareto.is_nondominated([(place.x, place.y) for place in places], [x.direction, y.direction])
    return tuple(place for place, kept in zip(places, keep, strict=True) if kept)


def _attained(points: Sequence[Point | TeamPlace], x: Objective, y: Objective) -> tuple[tuple[float, float], ...]:
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
    values += [axis.scaled(each.x if horizontal else each.y) for each in info.teams]
    low, high = min(values, default=0.0), max(values, default=1.0)
    room = 0.05 * (high - low) if high > low else 0.1 * (abs(high) or 1.0)
    return low - room, high + room
