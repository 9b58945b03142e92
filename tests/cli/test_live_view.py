"""The view of a run: one line, a plot, and what is behind them."""

from __future__ import annotations

from pathlib import Path

from fusearch.cli.live_view import View, plot, view_of
from fusearch.reports import read_findings

RUN = Path(__file__).parent.parent / "fixtures" / "run_0_1_0"


def test_a_run_is_told_in_one_line_and_as_a_whole() -> None:
    view = view_of(read_findings(RUN))
    assert not view.is_running
    assert view.line.startswith("finished: 14/14 trials · 0 running · best auroc 0.9862 · best macs 20 · front 3 · ")
    assert len(view.points) == 14
    assert sum(is_front for *_, is_front in view.points) == len(view.status["front"]) == 3
    lines = view.lines(60, 10)
    assert lines[0] == view.line
    assert max(map(len, lines[-10:-1])) <= 60
    assert sum(line.count("●") for line in lines[-10:]) == 3


def test_failures_are_told_by_cause_and_time_left_in_minutes() -> None:
    seen = view_of(read_findings(RUN))
    status = {**seen.status, "state": "running", "seconds_left": 95.4, "reason": None, "packed": 4}
    view = View(status, 12.0, 1.5, 2, (("out of memory", 3),), (), ("auroc",))
    assert view.line.endswith("12.0 trials a minute · 1:35 left")
    assert {"failed, 3 times: out of memory", "Trained as packs: 4 trials."} <= set(view.lines())
    assert view.to_dict()["failures"] == [{"reason": "out of memory", "count": 3}]


def test_equal_points_and_wide_ranges_are_drawn() -> None:
    assert sum(line.count("·") for line in plot([(0.5, 3, False), (0.5, 3, False)], 30, 5)) == 1
    assert plot([(0.1, 1, False), (0.2, 1e6, True)], 30, 5)[-1].endswith("1 to 1,000,000 (logarithmic)")
    assert plot([(0.1, 0, False), (0.2, 1e6, True)], 30, 5)[-1].endswith("0 to 1,000,000")
    assert plot([(-2.0, 5, True)], 12, 4)
