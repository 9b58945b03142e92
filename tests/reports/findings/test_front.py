from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from planted_runs import TEAMED, planted_trials

from fusearch.contracts import Objective
from fusearch.errors import ObjectiveError
from fusearch.reports.findings.findings import Findings, read_findings
from fusearch.reports.findings.front import extent, front_info, front_pairs
from fusearch.run import Run
from fusearch.study import TrialRecord
from fusearch.trials import Trials

AUROC, MACS, LATENCY, LOSS = (Objective.parse(name) for name in ("auroc", "macs", "latency_ms", "log_loss"))


def findings(points: list[tuple[float, float]], objectives: tuple[Objective, ...] = (AUROC, MACS)) -> Findings:
    records = [
        TrialRecord(f"design {number}", f"graph{number}", f"c{number}", number=number, state="complete", objectives={"auroc": y, "macs": x})
        for number, (x, y) in enumerate(points)
    ]
    return Findings(Trials(records, objectives))


def test_costs_lie_on_the_horizontal_axis_and_the_main_objective_comes_first() -> None:
    names = [(x.name, y.name) for x, y in front_pairs(findings([], (MACS, AUROC, LATENCY)))]
    assert names == [("macs", "auroc"), ("latency_ms", "auroc"), ("latency_ms", "macs")]
    four = [(x.name, y.name) for x, y in front_pairs(findings([], (AUROC, LOSS, MACS, LATENCY)))]
    assert four[:3] == [("macs", "auroc"), ("latency_ms", "auroc"), ("log_loss", "auroc")]
    assert len(four) == 6
    assert front_pairs(findings([], (AUROC,))) == []


def test_the_step_line_goes_right_then_up() -> None:
    info = front_info(findings([(10, 0.8), (20, 0.9), (15, 0.7), (40, 0.85)]))
    with pytest.raises(ObjectiveError, match="the run has no objective 'auroq': did you mean 'auroc'"):
        front_info(findings([(10, 0.8)]), y="auroq")
    assert info.step == ((10, 0.8), (20, 0.8), (20, 0.9), (40, 0.9))


def test_the_step_line_of_two_maximized_objectives_goes_down_to_the_right() -> None:
    more = Objective("macs", "maximize")
    info = front_info(findings([(10, 0.9), (20, 0.8), (5, 0.5)], (AUROC, more)))
    assert info.step == ((5, 0.9), (10, 0.9), (10, 0.8), (20, 0.8))


@given(st.lists(st.tuples(st.floats(1, 100), st.floats(0, 1)), min_size=1, max_size=30))
def test_no_design_lies_beyond_the_step_line(points: list[tuple[float, float]]) -> None:
    step = front_info(findings(points)).step
    assert all(a[0] <= b[0] and a[1] <= b[1] for a, b in itertools.pairwise(step))
    for x, y in points:
        attained = max(height for at, height in step if at <= x)
        assert y <= attained


def test_one_objective_is_drawn_over_trials_with_the_best_so_far() -> None:
    found = findings([(1, 0.7), (1, 0.9), (1, 0.8)], (AUROC,))
    info = front_info(found)
    assert info.x.name == "trial"
    assert [point.x for point in info.points] == [0, 1, 2]
    assert info.step == ((0, 0.7), (1, 0.7), (1, 0.9), (2, 0.9), (2, 0.9))


def test_the_best_so_far_of_a_minimized_objective_falls() -> None:
    info = front_info(findings([(30, 0.5), (10, 0.5), (20, 0.5)], (MACS,)))
    assert info.step == ((0, 30), (1, 30), (1, 10), (2, 10), (2, 10))


def test_a_design_that_breaks_a_bound_is_drawn_but_is_not_attained() -> None:
    bounded = Objective.parse("macs<=15")
    info = front_info(findings([(10, 0.8), (20, 0.9)], (AUROC, bounded)))
    assert len(info.points) == 2
    assert max(y for _, y in info.step) == 0.8


def test_points_know_what_they_are(make_run: Callable[..., Run]) -> None:
    found = read_findings(make_run(40))
    info = front_info(found)
    kinds = {point.record.number: point for point in info.points}
    assert {point.role for point in info.points if point.role} == {"best_unimodal", "linear", "early", "penultimate", "late"}
    assert all(kinds[record.number].on_front for record in found.front)
    assert sum(point.kind == "reference" for point in info.points) == 6  # both single modalities
    assert info.recommended is not None
    assert info.recommended.record == found.recommended
    assert info.points[0].y_error == pytest.approx(info.points[0].record.standard_error("auroc"))
    assert info.points[0].y_error > 0


def test_an_error_bar_counts_the_folds_in_which_the_metric_is_defined() -> None:
    values = (0.7, None, 0.8, None, 0.9)
    members = [{"fold": fold, "seed": 0, "metrics": {"auroc": value}} for fold, value in enumerate(values)]
    (first, second) = findings([(10, 0.8), (20, 0.9)]).records
    told = [replace(first, spread={"auroc": 0.1}, details={"members": members}), second]
    points = {point.record.number: point for point in front_info(Findings(Trials(told, (AUROC, MACS)))).points}
    assert points[0].y_error == pytest.approx(0.1 / 3**0.5)
    assert points[1].y_error is None


def test_a_recommended_recipe_that_does_not_stand_for_its_graph_is_still_marked() -> None:
    dear, cheap = findings([(20, 0.9), (12, 0.85)]).records
    same = [replace(dear, spread={"auroc": 0.1}, details={"members": 4}), replace(cheap, digest=dear.digest)]
    info = front_info(Findings(Trials(same, (AUROC, MACS))))
    assert [(point.x, point.y) for point in info.points] == [(20.0, 0.9)]
    assert info.recommended is not None
    assert (info.recommended.x, info.recommended.y) == (12.0, 0.85)


def test_the_extent_holds_every_point_also_where_all_are_equal() -> None:
    for points in ([(10.0, 0.5)], [(1e3, 0.5), (1e6, 0.9)]):
        info = front_info(findings(points))
        for axis, values in ((info.x, [x for x, _ in points]), (info.y, [y for _, y in points])):
            low, high = extent(axis, info)
            assert all(low < axis.scaled(value) < high for value in values)


def test_teams_have_a_line_of_their_own_in_the_plane_of_the_main_objective_and_a_cost(tmp_path: Path) -> None:
    found = Findings(planted_trials(tmp_path, TEAMED))
    info = front_info(found)
    assert [(place.team, place.x, place.y) for place in info.teams] == [(team, team.cost["macs"], team.plain) for team in found.teams]
    assert len(info.teams) > 1
    assert {(place.x, place.y) for place in info.teams} <= set(info.team_step)
    assert max(place.y for place in info.teams) > max(point.y for point in info.points)
    assert extent(info.x, info)[1] >= info.x.scaled(max(place.x for place in info.teams))
    assert extent(info.y, info)[1] >= max(place.y for place in info.teams)
    turned = front_info(found, x="auroc", y="macs")
    assert (turned.teams, turned.team_step) == ((), ())
