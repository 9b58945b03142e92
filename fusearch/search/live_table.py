"""The live table of a search in a notebook."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable
from typing import Any

from fusearch.notebook import html_table, html_title
from fusearch.search.progress import Progress, ProgressCallback

__all__ = ["LiveTable", "notebook_progress"]


class LiveTable:
    """Shows how far a search is as one table, which is replaced by the next one.

    Args:
        show: Takes the HTML to show in place of the last.
        every: Seconds between two tables.
    """

    def __init__(self, show: Callable[[str], None], every: float = 0.5) -> None:
        self._show, self._every, self._last = show, every, -float("inf")

    def __call__(self, progress: Progress) -> None:
        """Take the newest state."""
        now = time.monotonic()
        if now - self._last >= self._every or not progress.running:
            self._show(progress_html(progress))
            self._last = now


def progress_html(progress: Progress) -> str:
    """Return the state of a search as HTML."""
    counts = {"done": progress.done, "running": progress.running, "stopped early": progress.raced, "failed": progress.failed}
    others = {"repeated": progress.repeated, "more seeds": progress.more_seeds}
    row: dict[str, Any] = {**counts, **{name: count for name, count in others.items() if count}, "front": progress.front}
    row |= {f"best {name}": float(value) for name, value in progress.best.items()}
    if progress.seconds_left is not None:
        row["seconds left"] = round(progress.seconds_left)
    of = f" of {progress.total}" if progress.total else ""
    warnings = "".join(html_title(text) for text in (*progress.blamed, *progress.refused))
    return html_title(f"{progress.done + progress.raced}{of} trials") + html_table([row]) + warnings


def notebook_progress() -> ProgressCallback | None:
    """Return what shows a search in the notebook that this process is the kernel of; None elsewhere."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    if shell is None or not hasattr(shell, "kernel"):
        return None
    display: Any = importlib.import_module("IPython.display")
    handle = display.display(display.HTML(""), display_id=True)
    return LiveTable(lambda html: handle.update(display.HTML(html)))
