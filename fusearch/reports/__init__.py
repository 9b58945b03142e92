"""WHAT was learned: tables, figures, page. No torch, no ray.

Public names are resolved on first use, so that importing the package loads neither pandas nor plotly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fusearch.lazy import lazy_names

_HOMES = {
    "compare": "fusearch.reports.compared_table",
    "compare_runs": "fusearch.reports.page.comparison",
    "draw": "fusearch.reports.figures.drawing",
    "front_figure": "fusearch.reports.figures.front_plot",
    "front_svg": "fusearch.reports.figures.picture",
    "judge": "fusearch.reports.findings.verdict",
    "keep_levels": "fusearch.reports.findings.level_scores",
    "read_findings": "fusearch.reports.findings.findings",
    "trials_frame": "fusearch.reports.trials_table",
    "write_figures": "fusearch.reports.report",
    "write_report": "fusearch.reports.report",
}

__all__ = [
    "compare",
    "compare_runs",
    "draw",
    "front_figure",
    "front_svg",
    "judge",
    "keep_levels",
    "read_findings",
    "trials_frame",
    "write_figures",
    "write_report",
]

if TYPE_CHECKING:
    from fusearch.reports.compared_table import compare
    from fusearch.reports.figures.drawing import draw
    from fusearch.reports.figures.front_plot import front_figure
    from fusearch.reports.figures.picture import front_svg
    from fusearch.reports.findings.findings import read_findings
    from fusearch.reports.findings.level_scores import keep_levels
    from fusearch.reports.findings.verdict import judge
    from fusearch.reports.page.comparison import compare_runs
    from fusearch.reports.report import write_figures, write_report
    from fusearch.reports.trials_table import trials_frame


__getattr__ = lazy_names(__name__, _HOMES)
