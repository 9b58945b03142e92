from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

import pytest

from fusearch.reports.findings.findings import Findings, read_findings
from fusearch.reports.findings.front import front_info, front_pairs
from fusearch.reports.findings.front_growth import FrontGrowth
from fusearch.run import Run


@pytest.mark.parametrize("objectives", [("auroc", "macs"), ("auroc", "macs", "latency_ms"), ("auroc", "macs<=200000")])
def test_after_each_stop_it_shows_what_the_report_showed_then(make_run: Callable[..., Run], objectives: tuple[str, ...]) -> None:
    found = read_findings(make_run(25, objectives=objectives))
    growth = FrontGrowth(found)
    x, y = front_pairs(found)[0]
    assert growth.stops == tuple(range(25))
    for stop, then in zip(growth.stops, growth.plane(x, y), strict=True):
        before = front_info(Findings(replace(found.trials, records=found.records[: stop + 1])))
        assert then.points == before.points
        assert then.step == before.step


def test_the_front_of_an_earlier_trial_holds_what_was_dominated_later(make_run: Callable[..., Run]) -> None:
    found = read_findings(make_run(60))
    fronts = [{point.record.number for point in then.points if point.on_front} for then in FrontGrowth(found).plane(*front_pairs(found)[0])]
    assert set().union(*fronts) > fronts[-1]
    assert all(max(front) <= stop for stop, front in zip(FrontGrowth(found).stops, fronts, strict=True) if front)


def test_of_many_trials_stops_are_spread_and_keep_both_ends(make_run: Callable[..., Run]) -> None:
    stops = FrontGrowth(read_findings(make_run(200, failures=1))).stops
    assert len(stops) == 60
    assert (stops[0], stops[-1]) == (0, 199)
    assert {later - earlier for earlier, later in itertools.pairwise(stops)} == {3, 4}
    assert FrontGrowth(read_findings(make_run(0))).stops == ()
