"""The way of an edge through a drawing: straight runs and S-bends that stay clear of boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["BEND", "Box", "Wire", "route"]

#: Length in pixels of an S-bend from one lane to another.
BEND = 38.0


@dataclass(frozen=True)
class Box:
    """A rectangle that edges should not cross; `left < right`, `top < bottom`."""

    left: float
    top: float
    right: float
    bottom: float

    def holds(self, x: float, y: float) -> bool:
        return self.left < x < self.right and self.top < y < self.bottom

    def overlaps(self, other: Box) -> bool:
        return self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom


@dataclass(frozen=True)
class Wire:
    """A polyline of horizontal runs; between two runs of different height lies an S-bend."""

    points: tuple[tuple[float, float], ...]

    def svg(self) -> str:
        """Return the `d` attribute of an SVG path."""
        (x, y), *rest = self.points
        parts = [f"M{x:g} {y:g}"]
        for next_x, next_y in rest:
            if abs(next_y - y) < 0.01:
                parts.append(f"H{next_x:g}")
            else:
                middle = round((x + next_x) / 2, 1)
                parts.append(f"C{middle:g} {y:g} {middle:g} {next_y:g} {next_x:g} {next_y:g}")
            x, y = next_x, next_y
        return "".join(parts)

    def sample(self, steps: int = 24) -> list[tuple[float, float]]:
        """Return points along the wire, for the count of crossings."""
        found = []
        for (x0, y0), (x1, y1) in zip(self.points, self.points[1:], strict=False):
            for step in range(steps + 1):
                t = step / steps
                # An S-bend with both handles at the middle is x = 1.5 t (1 - t) + t^3 and y = 3 t^2 - 2 t^3, in units of the step.
                found.append((x0 + (x1 - x0) * (1.5 * t * (1 - t) + t**3), y0 + (y1 - y0) * (3 * t * t - 2 * t**3)))
        return found


def route(start: tuple[float, float], end: tuple[float, float], boxes: Sequence[Box], lanes: Sequence[float]) -> Wire:
    """Return the way from `start` to `end` that runs through the fewest boxes, without a long way round; then the fewest bends.

    Args:
        start: Where the tap is.
        end: Where the edge enters its node, to the right of the start.
        boxes: What to stay clear of.
        lanes: Heights at which an edge may run between start and end.
    """
    (x0, y0), (x1, y1) = start, end
    if abs(y1 - y0) < 0.01:
        ways = [Wire((start, end))]
    else:
        bend = min(BEND, x1 - x0)
        ways = [Wire((start, (x1 - bend, y0), end)), Wire((start, (x0 + bend, y1), end))]
    if x1 - x0 > 2 * BEND:
        ways += [Wire((start, (x0 + BEND, y), (x1 - BEND, y), end)) for y in lanes if abs(y - y0) > 0.01 and abs(y - y1) > 0.01]

    low, high = min(y0, y1), max(y0, y1)

    def cost(way: Wire) -> tuple[float, int]:
        hits = sum(any(box.holds(x, y) for box in boxes) for x, y in way.sample())
        detour = max(max(low - y, y - high, 0.0) for _, y in way.points)
        return hits + detour / 8, len(way.points)

    return min(ways, key=cost)
