from __future__ import annotations

from collections.abc import Callable

from fusearch.reports.figures.compared_figures import fronts_figure, hypervolumes_figure
from fusearch.reports.findings.compared import read_compared
from fusearch.run import Run


def test_each_run_has_its_line_and_half_of_them_one(make_run: Callable[..., Run]) -> None:
    found = read_compared([make_run(12, seed=seed).path for seed in (0, 1)])
    fronts = fronts_figure(found)
    assert [trace.name for trace in fronts.data] == [*(run.name for run in found.runs), "attained by half of the runs"]
    assert sorted(zip(fronts.data[0].x, fronts.data[0].y, strict=True)) == sorted(map(tuple, found.runs[0].front))
    assert fronts.layout.xaxis.type == "log"
    volumes = hypervolumes_figure(found)
    assert [list(trace.y) for trace in volumes.data] == [list(run.curve) for run in found.runs]
