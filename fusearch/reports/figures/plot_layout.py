"""The look that the page's plots share: transparent, so that they fit light and dark, with a quiet grid."""

from __future__ import annotations

from typing import Any

__all__ = ["GRID", "plot_layout"]

#: Colour of grid lines and thin outlines.
GRID = "rgba(128,138,152,.22)"


def plot_layout(x: str, y: str, height: int) -> dict[str, Any]:
    """Return the arguments of plotly's `update_layout` for a figure with these axis titles, `height` pixels high."""
    axis = {"gridcolor": GRID, "zeroline": False, "automargin": True}
    return {
        "template": "none",
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": "system-ui, -apple-system, Segoe UI, Roboto, Helvetica, Arial, sans-serif", "size": 13},
        "xaxis": {**axis, "title": {"text": x, "standoff": 10, "font": {"size": 13}}},
        "yaxis": {**axis, "title": {"text": y, "standoff": 10, "font": {"size": 13}}},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        "margin": {"l": 60, "r": 16, "t": 36, "b": 50},
        "height": height,
    }
