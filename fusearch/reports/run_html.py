"""A run as a notebook shows it: where it stands, its answers, its front."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from fusearch.notebook import html_table, html_title
from fusearch.reports.figures.picture import front_svg
from fusearch.reports.findings.findings import read_findings
from fusearch.reports.findings.verdict import judge

if TYPE_CHECKING:
    from fusearch.run import Run

__all__ = ["run_html"]


def run_html(run: Run | Path | str) -> str:
    """Return a run as HTML: its state, what it says of when, which and how to fuse, and the front as a picture and a table.

    All text in it is escaped.

    Example:
        >>> "<svg" in run_html("runs/demo")
        True
    """
    found = read_findings(run)
    trials = found.status()
    counts = ", ".join(f"{count} {name}" for name, count in trials["trials"].items() if count)
    state = html_title(f"Run {found.folder}: {trials['state']} ({counts})")
    if not found.complete:
        return state
    verdict = judge(found)
    answers = "".join(f"<li>{escape(sentence)}</li>" for sentence in verdict.sentences)
    names = [objective.name for objective in found.objectives]
    rows = [
        {
            "digest": record.digest,
            **{name: found.value(record, name) for name in names},
            "when": labels.level,
            "which": ", ".join(dict.fromkeys(stream.modality for stream in graph.streams)),
            "how": ", ".join(fusion.operator for fusion in graph.fusions) or "one stream",
            "design": found.text(record),
        }
        for record in found.front
        if (graph := found.graphs.get(record.digest)) is not None and (labels := graph.labels)
    ]
    return f"{state}<p>{escape(verdict.headline)}</p><ul>{answers}</ul>{front_svg(found)}{html_table(rows)}"
