from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from planted_runs import TEAMED, planted_trials

from fusearch.reports import front_figure, read_findings
from fusearch.reports.figures.front_plot import SYMBOLS
from fusearch.reports.findings.findings import Findings
from fusearch.reports.wording import number
from fusearch.run import Run
from fusearch.study import ROLES


def test_the_figure_names_every_reference_and_every_point_carries_its_trial(make_run: Callable[..., Run]) -> None:
    figure = front_figure(make_run(40))
    names = [trace.name for trace in figure.data]
    assert {"on the front", "late fusion", "linear model", "early fusion", "penultimate concatenation", "recommended"} <= set(names)
    numbers = [number for trace in figure.data if trace.name != "recommended" for number in trace.customdata or ()]
    assert len(numbers) == len(set(numbers)) > 30
    symbols = [trace.marker.symbol for trace in figure.data if trace.name and trace.name.endswith("fusion")]
    assert len(symbols) == len(set(symbols))


def test_costs_over_decades_are_on_a_logarithmic_axis(make_run: Callable[..., Run]) -> None:
    figure = front_figure(make_run(40).path)
    assert (figure.layout.xaxis.type, figure.layout.yaxis.type) == ("log", "linear")


def test_axes_can_be_chosen(make_run: Callable[..., Run]) -> None:
    figure = front_figure(make_run(20, objectives=("auroc", "macs", "latency_ms")), x="latency_ms", y="macs")
    assert figure.layout.xaxis.title.text.startswith("Latency (ms)")


def test_words_from_the_study_are_escaped(make_run: Callable[..., Run]) -> None:
    run = make_run(3, references=False, formula=lambda rng: f"a <b>\n<script>{rng.integers(1_000_000)}</script>")
    text = str([trace.hovertext for trace in front_figure(run).data])  # some are on the front
    assert "<script" not in text
    assert "&lt;script&gt;" in text


def test_a_run_without_finished_trials_gives_an_empty_figure(make_run: Callable[..., Run], tmp_path: Path) -> None:
    assert all(not len(trace.x or ()) for trace in front_figure(make_run(0)).data)


def test_what_many_points_share_is_a_template(make_run: Callable[..., Run]) -> None:
    designs = next(trace for trace in front_figure(make_run(40)).data if trace.name == "other designs")
    assert designs.hovertemplate == "<b>Trial %{customdata}</b><br>AUROC %{y:.3f}<br>MACs %{x:.3~s}<br>%{hovertext}<extra></extra>"
    assert all("<br>F1 = " in text and "-&gt;" in text for text in designs.hovertext)


def test_what_follows_plus_minus_is_the_deviation_over_members(make_run: Callable[..., Run]) -> None:
    run = make_run(10)
    late = next(trace for trace in front_figure(run).data if trace.name == "late fusion")
    record = read_findings(run).references["late"]
    assert f"± {record.spread['auroc']:.3f}" in late.hovertext[0]
    assert f"± {late.error_y.array[0]:.3f}" not in late.hovertext[0]


def test_every_role_has_a_symbol_of_its_own() -> None:
    assert set(SYMBOLS) == set(ROLES)
    assert len(set(SYMBOLS.values())) == len(ROLES)


def test_teams_say_who_they_are_what_they_cost_and_that_they_look_too_good(tmp_path: Path) -> None:
    found = Findings(planted_trials(tmp_path, TEAMED))
    traces = list(front_figure(found).data)
    at = next(index for index, trace in enumerate(traces) if trace.name == "teams")
    line, stars = traces[at - 1], traces[at]
    assert (line.mode, line.line.dash, len(stars.x)) == ("lines", "dot", len(found.teams))
    assert set(zip(stars.x, stars.y, strict=True)) <= {(round(x, 7), round(y, 7)) for x, y in zip(line.x, line.y, strict=True)}
    for team, text in zip(found.teams, stars.hovertext, strict=True):
        assert f"the mean of trials {', '.join(map(str, team.trials))}" in text
        assert f"AUROC {team.plain:.3f} as the search saw it" in text
        assert f"MACs {number(team.cost['macs'])} in all" in text
        assert "it looks better than it is" in text
