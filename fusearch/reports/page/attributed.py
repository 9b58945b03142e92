"""Which features a design hangs on: a bar for each of the foremost columns of a table, a heat map for series, images and volumes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
import numpy.typing as npt

from fusearch.amounts import counted
from fusearch.data.kinds import KINDS
from fusearch.reports.page import markup
from fusearch.reports.page.markup import Cell

__all__ = ["attribution_cards"]

#: Columns of a table that are shown; rows and columns of a heat map.
_TOP, _MOST_ROWS, _MOST_COLUMNS = 10, 16, 32
#: Side of a cell of a heat map, in pixels.
_CELL = 12

FloatArray = npt.NDArray[np.float64]


def attribution_cards(features: Sequence[Mapping[str, Any]]) -> str:
    """Return a card for each modality of one explained design; empty where no features were attributed.

    Args:
        features: As `explain` writes them: `modality`, `kind`, `method`, `unit`, `names`, `mean`, `spread`.
    """
    return f'<div class="gallery features">{"".join(map(_card, features))}</div>' if features else ""


def _card(told: Mapping[str, Any]) -> str:
    mean, spread = np.array(told["mean"], float), np.array(told["spread"], float)
    body = _bars(mean, spread, told["names"], told["kind"]) if mean.ndim == 1 else _maps(mean, told["kind"])
    note = f"By {told['method']}; mean change of the {told['unit']}, in size."
    return f'<div class="card"><h4>{escape(told["modality"])}</h4>{body}<p class="note">{escape(note)}</p></div>'


def _bars(mean: FloatArray, spread: FloatArray, names: Sequence[str], kind: str) -> str:
    """Return the foremost features as a table with bars."""
    word = KINDS[kind].feature if kind in KINDS else "window"
    labels = names or [f"{word} {index + 1}" for index in range(len(mean))]
    order = np.argsort(-mean, kind="stable")[:_TOP]
    most = mean.max(initial=0.0) or 1.0
    rows = [
        [
            Cell(labels[index]),
            Cell("", markup=markup.gauge(mean[index] / most)),
            Cell(f"{mean[index]:.3g}", mean[index], note=f"± {spread[index]:.2g}", kind="number"),
        ]
        for index in order
    ]
    rest = f'<p class="note">The foremost {len(order)} of {counted(len(mean), word)}.</p>' if len(order) < len(mean) else ""
    return f'<div class="scroll short">{markup.table([(word.capitalize(), False), ("", False), ("Attribution", True)], rows)}</div>{rest}'


def _maps(mean: FloatArray, kind: str) -> str:
    """Return one heat map, or one for each slice of a volume."""
    most = float(mean.max(initial=0.0)) or 1.0
    if kind in KINDS and KINDS[kind].is_series:
        channels = np.sort(np.argsort(-mean.mean(axis=0), kind="stable")[:_MOST_ROWS])
        grid = np.stack([part.mean(axis=0) for part in np.array_split(mean[:, channels], min(len(mean), _MOST_COLUMNS))], axis=1)
        labels = [f"channel {channel + 1}" for channel in channels]
        shown = f"{counted(mean.shape[0], 'step')} from left to right"
        shown += f"; the foremost {len(channels)} of {counted(mean.shape[1], 'channel')}" if len(channels) < mean.shape[1] else ""
        return f'{_heat_map(grid, float(grid.max()) or 1.0, labels)}<p class="note">{escape(shown)}</p>'
    if mean.ndim == 2:
        return _heat_map(mean, most, ())
    slices = mean.reshape(-1, *mean.shape[-2:])
    return f'<div class="slices">{"".join(_heat_map(part, most, ()) for part in slices)}</div>'


def _heat_map(grid: FloatArray, most: float, labels: Sequence[str]) -> str:
    """Draw a grid; the deeper the colour the larger the number, up to `most`."""
    left = 72 if labels else 0
    height, width = grid.shape
    side = f'width="{_CELL}" height="{_CELL}"'
    cells = "".join(
        f'<rect x="{left + _CELL * column}" y="{_CELL * row}" {side} fill-opacity="{grid[row, column] / most:.2f}">'
        f"<title>{grid[row, column]:.3g}</title></rect>"
        for row in range(height)
        for column in range(width)
    )
    names = "".join(f'<text x="0" y="{_CELL * row + _CELL - 2}">{escape(label)}</text>' for row, label in enumerate(labels))
    size = f'width="{left + _CELL * width}" height="{_CELL * height}"'
    about = f"Heat map of {height} rows and {width} columns, at most {most:.3g}"
    return f'<svg class="heat" role="img" aria-label="{about}" {size}>{names}{cells}</svg>'
