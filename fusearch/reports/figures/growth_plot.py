"""How the front grew, as facts that the page's script draws: what each group of points was after each stop of the slider."""

from __future__ import annotations

from typing import Any

from fusearch.contracts import Objective
from fusearch.reports.figures.front_plot import COLOURS
from fusearch.reports.findings.front import Point
from fusearch.reports.findings.front_growth import FrontGrowth
from fusearch.reports.wording import role_label

__all__ = ["growth_of_figure", "growth_stops"]

#: The look of groups that the figure no longer has at the end.
_LOOKS = {
    "other designs": {"color": COLOURS["design"], "size": 7, "opacity": 0.45},
    "on the front": {"color": COLOURS["front"], "size": 11},
    "other references": {"color": COLOURS["reference"], "size": 8, "symbol": "diamond-open", "line": {"color": COLOURS["front"]}},
}


def growth_stops(growth: FrontGrowth, x: Objective, y: Objective) -> list[dict[str, Any]]:
    """Return, for each stop, the trials of each group by the names of the legend, and those on the front; alike for every pair.

    Args:
        growth: How the front grew.
        x: Objective on the horizontal axis of any figure.
        y: Objective on its vertical axis.
    """
    stops = []
    for stop, then in zip(growth.stops, growth.plane(x, y), strict=True):
        groups: dict[str, list[int]] = {}
        for point in then.points:
            groups.setdefault(_group(point), []).append(point.record.number)
        front = [point.record.number for point in then.points if point.on_front]
        stops.append({"trial": stop, "groups": groups, "front": front})
    return stops


def growth_of_figure(growth: FrontGrowth, x: Objective, y: Objective) -> dict[str, Any]:
    """Return where each trial stands that any stop shows, the line of each stop, and the looks of groups that are gone at the end.

    Args:
        growth: How the front grew.
        x: Objective on the horizontal axis.
        y: Objective on the vertical axis.
    """
    planes = growth.plane(x, y)
    points = {point.record.number: [_short(point.x), _short(point.y)] for then in planes for point in then.points}
    steps = [[[_short(each) for each in line] for line in zip(*then.step, strict=True)] or [[], []] for then in planes]
    return {"points": points, "steps": steps, "looks": _LOOKS}


def _group(point: Point) -> str:
    """Return what the legend calls the points like this one."""
    if point.kind != "reference":
        return "on the front" if point.kind == "front" else "other designs"
    return role_label(point.role).removeprefix("the ") if point.role else "other references"


def _short(value: float) -> float:
    return float(f"{value:.7g}")
