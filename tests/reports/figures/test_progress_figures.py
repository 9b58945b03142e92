from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from fusearch.contracts import Objective
from fusearch.reports.figures.progress_figures import progress_figure, timeline_figure
from fusearch.reports.findings.findings import Findings, read_findings
from fusearch.run import Run

AUROC, MACS = Objective.parse("auroc"), Objective.parse("macs")


def test_figures_show_the_references_and_the_workers(make_run: Callable[..., Run]) -> None:
    found = read_findings(make_run(20, failures=3))
    assert [trace.name for trace in progress_figure(found).data] == ["all designs", "references alone"]
    timeline = timeline_figure(found)
    assert {trace.name for trace in timeline.data} == {"finished", "failed", "stopped or not trained"}
    assert {worker for trace in timeline.data for worker in trace.y} == {"worker 4000", "worker 4001"}
    assert sum(len(trace.y) for trace in timeline.data) == 23


def test_workers_of_several_machines_are_told_apart(make_run: Callable[..., Run]) -> None:
    found = read_findings(make_run(6))
    records = [replace(each, details={**each.details, "host": f"node-{each.number % 3}"}) for each in found.records]
    timeline = timeline_figure(Findings(replace(found.trials, records=tuple(records))))
    assert {worker for trace in timeline.data for worker in trace.y} >= {"worker 4000 on node-0", "worker 4001 on node-1"}
