"""How the front grew, as facts that the page's script draws: what each group of points was after each stop of the slider."""

from __future__ import annotations

from typing import Any

from fusearch.reports.figures.front_plot import COLOURS, front_template, group_name, short
from fusearch.reports.findings.front import FrontInfo
from fusearch.reports.findings.front_growth import FrontGrowth

__all__ = ["growth_of_figure", "growth_stops"]

#: The look of groups that the figure no longer has at the end.
_LOOKS = {
    "other designs": {"color": COLOURS["design"], "size": 7, "opacity": 0.45},
    "on the front": {"color": COLOURS["front"], "size": 11},
    "other references": {"color": COLOURS["reference"], "size": 8, "symbol": "diamond-open", "line": {"color": COLOURS["front"]}},
}


def growth_stops(growth: FrontGrowth, info: FrontInfo) -> list[dict[str, Any]]:
    """Return, for each stop, the trials of each group by the names of the legend, and those on the front; alike for every pair.

    Args:
        growth: How the front grew.
        info: The figure of any pair of objectives.
    """
    stops = []
    for stop, before in zip(growth.stops, growth.infos(info), strict=True):
        groups: dict[str, list[int]] = {}
        for point in before.points:
            groups.setdefault(group_name(point), []).append(point.record.number)
        front = [point.record.number for point in before.points if point.on_front]
        stops.append({"trial": stop, "groups": groups, "front": front})
    return stops


def growth_of_figure(growth: FrontGrowth, info: FrontInfo) -> dict[str, Any]:
    """Return where each trial stands that any stop shows, the line of each stop, and the text of a point.

    Args:
        growth: How the front grew.
        info: The figure.
    """
    befores = growth.infos(info)
    points = {point.record.number: [short(point.x), short(point.y)] for before in befores for point in before.points}
    steps = [[[short(each) for each in line] for line in zip(*before.step, strict=True)] or [[], []] for before in befores]
    return {"points": points, "steps": steps, "looks": _LOOKS, "template": front_template(info)}
