from __future__ import annotations

import json
from collections.abc import Callable

from fusearch.reports.figures.front_plot import front_figure
from fusearch.reports.figures.growth_plot import growth_of_figure, growth_stops
from fusearch.reports.findings.findings import read_findings
from fusearch.reports.findings.front import front_pairs
from fusearch.reports.findings.front_growth import FrontGrowth
from fusearch.run import Run


def test_the_last_stop_has_the_groups_of_the_figure_and_every_trial_has_a_place(make_run: Callable[..., Run]) -> None:
    found = read_findings(make_run(40))
    growth, (x, y) = FrontGrowth(found), front_pairs(found)[0]
    stops, told = growth_stops(growth, x, y), growth_of_figure(growth, x, y)
    figure = front_figure(found)
    drawn = {trace.name: sorted(trace.customdata) for trace in figure.data if trace.customdata and trace.name != "recommended"}
    assert {name: sorted(numbers) for name, numbers in stops[-1]["groups"].items()} == drawn
    assert set(stops[-1]["front"]) == {record.number for record in found.front}
    assert {number for stop in stops for numbers in stop["groups"].values() for number in numbers} == set(told["points"])
    assert len(told["steps"]) == len(stops)
    (line,) = (trace for trace in figure.data if trace.meta == "step")
    assert told["steps"][-1][1] == [float(f"{y:.7g}") for y in line.y]
    json.dumps([stops, told], allow_nan=False)


def test_a_run_of_one_trial_has_one_stop(make_run: Callable[..., Run]) -> None:
    found = read_findings(make_run(1))
    growth = FrontGrowth(found)
    assert growth_stops(growth, *front_pairs(found)[0]) == [{"trial": 0, "groups": {"best single modality": [0]}, "front": [0]}]
