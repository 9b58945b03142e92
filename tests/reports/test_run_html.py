"""A run in a notebook: its answers and its front, all escaped."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

import plotly.graph_objects as go

from fusearch.reports import front_svg, judge, read_findings, trials_frame
from fusearch.reports.run_html import run_html
from fusearch.run import Run


def test_a_run_shows_its_answers_and_its_front(make_run: Callable[..., Run]) -> None:
    run = make_run(20, failures=3)
    shown = run._repr_html_()
    found = read_findings(run)
    assert shown == run_html(run)
    assert front_svg(run) in shown
    assert escape(judge(found).headline) in shown
    assert all(escape(sentence) in shown for sentence in judge(found).sentences)
    for record in run.front():
        assert f"<td>{record.digest}</td>" in shown
    assert "<th>when</th><th>which</th><th>how</th>" in shown


def test_a_run_without_results_shows_where_it_stands(make_run: Callable[..., Run]) -> None:
    shown = run_html(make_run(0))
    assert "<svg" not in shown
    assert "trials" not in shown or "running" in shown or "stopped" in shown


def test_its_trials_are_a_data_frame_and_its_front_a_figure(make_run: Callable[..., Run]) -> None:
    run = make_run(8)
    assert run.trials().equals(trials_frame(run))
    figure = run.figure()
    assert isinstance(figure, go.Figure)
    assert figure.layout.yaxis.title.text == run.figure("macs", "auroc").layout.yaxis.title.text
