"""The strategy's section of the page, with its figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from fusearch.reports.figures.strategy_figures import path_figure, strategy_figures
from fusearch.reports.findings.decided import Told, read_strategy
from fusearch.reports.page.strategy_section import strategy_section
from fusearch.run import read_decision
from fusearch.trials import Trials


def tried(on: list[int], loss: float | None) -> dict[str, Any]:
    return {"on": on, "loss": loss, "digest": "0123456789ab", "reason": None if loss else "<no memory>"}


TIMING = {
    "strategy": "forward-timing",
    "operator": "film",
    "stages": [1, 2],
    "chosen": {"on": [2], "loss": 0.4},
    "path": [
        {"from": [], "tried": [tried([1], None), tried([2], 0.4)], "kept": [2]},
        {"from": [2], "tried": [tried([1, 2], 0.45)], "kept": None},
    ],
    "comparisons": {"none": {"loss": 0.5}, "all": {"loss": 0.48}, "late": {"loss": None}, "rna": {"loss": 0.7}},
}
CHOSEN = {"members": ["rna<1>", "meth"], "evaluation": 0.9, "diversity": 0.7, "distance": 0.0}
ENSEMBLE = {
    "strategy": "pareto-ensemble",
    "diversity": "correlation",
    "networks": [
        {"name": "rna<1>", "modality": "rna", "digest": "a" * 12, "accuracy": 0.8, "taken": True, "reason": None},
        {"name": "meth", "modality": "meth", "digest": "b" * 12, "accuracy": None, "taken": False, "reason": "failed"},
    ],
    "subsets": {"method": "exhaustive", "subsets": 3, "allowed": 3, "chosen": CHOSEN, "front": [CHOSEN]},
}


def write(folder: Path, record: dict[str, Any], **arrays: Any) -> Told | None:
    (folder / "strategy.json").write_text(json.dumps({"candidate": "a" * 12, **record}))
    if arrays:
        np.savez(folder / "strategy.npz", **arrays)
    return read_strategy(Trials((), (), path=folder, decision=read_decision(folder)))


def test_a_run_without_a_strategy_has_no_section() -> None:
    assert strategy_section(None) == ""
    assert strategy_figures(None) == {}


def test_the_section_of_an_ensemble_has_the_cloud_and_every_network(tmp_path: Path) -> None:
    told = write(tmp_path, ENSEMBLE, evaluation=np.array([0.5, 0.7, 0.9]), diversity=np.array([0.1, 0.4, 0.7]))
    html = strategy_section(told)
    assert html.startswith('<section id="strategy"><h2>What the strategy decided: pareto-ensemble</h2>')
    assert 'data-figure="figure-strategy-cloud"' in html
    assert "rna&lt;1&gt;" in html
    assert "<1>" not in html
    assert html.count("<tr") == 3
    (figure,) = strategy_figures(told).values()
    cloud, front, chosen = figure.data
    assert (len(cloud.x), cloud.name) == (3, "3 subsets")
    assert (list(chosen.x), list(chosen.y)) == ([0.7], [0.9])
    assert list(front.text) == ["rna<1>, meth"]
    assert figure.layout.xaxis.title.text == "Diversity (1 − correlation)"


def test_the_section_of_timing_has_the_path_and_every_try(tmp_path: Path) -> None:
    told = write(tmp_path, TIMING)
    html = strategy_section(told)
    assert 'data-figure="figure-strategy-path"' in html
    assert "<code>film</code>" in html
    assert html.count("<tr") == 4
    assert "failed" in html
    assert told is not None
    attempts, kept, all_on = path_figure(told).data
    assert (list(attempts.x), list(attempts.y)) == ([1, 2], [0.4, 0.45])
    assert (list(kept.x), list(kept.y)) == ([0, 1], [0.5, 0.4])
    assert (all_on.name, list(all_on.y)) == ("all on", [0.48, 0.48]), "the late mean failed and has no line"


def test_the_control_of_a_step_stands_in_the_table_and_in_the_figure(tmp_path: Path) -> None:
    path = [{**step, "control": tried(step["from"], loss)} for step, loss in zip(TIMING["path"], (0.47, None), strict=True)]
    told = write(tmp_path, {**TIMING, "path": path})
    html = strategy_section(told)
    assert html.count("<tr") == 6
    assert "none, trained on" in html
    assert "stage 2, trained on" in html
    assert told is not None
    _, control, *_ = path_figure(told).data
    assert (list(control.x), list(control.y)) == ([1], [0.47]), "the control that failed has no point"


def test_the_page_holds_section_and_figure(tmp_path: Path) -> None:
    """A page is made from any run folder: here one whose study has a single trial."""
    from fusearch.data.modality import Modality
    from fusearch.reports import write_report
    from fusearch.search import run_search
    from fusearch.search_space import SearchSpace

    space = SearchSpace([Modality("rna", "tabular", (4,)), Modality("meth", "tabular", (3,))])
    folder = tmp_path / "run"
    run_search(space, lambda candidate, budget, report: {"auroc": 0.5}, objectives=["auroc"], out=folder, trials=1, executor="inline")
    assert 'id="strategy"' not in write_report(folder).read_text()
    write(folder, TIMING)
    page = write_report(folder).read_text()
    assert '<section id="strategy">' in page
    assert '<a href="#strategy">Strategy</a>' in page
    assert 'id="figure-strategy-path"' in page
