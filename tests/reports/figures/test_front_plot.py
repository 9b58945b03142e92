from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fusearch.reports import front_figure, read_findings
from fusearch.run import Run


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
