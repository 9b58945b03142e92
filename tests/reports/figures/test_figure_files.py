from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from planted_runs import planted_losses, planted_trials

from fusearch.reports.figures.figure_files import figure_texts
from fusearch.reports.findings.findings import Findings, read_findings
from fusearch.reports.findings.predicted import DesignPredictions, Predicted
from fusearch.run import Run

DESIGNS = [("rna", 0.5, "best_unimodal"), ("F1 = cat(rna@L, labs@L) ->", 2.0, None)]
LEARNING = ["training", "validation", "best epoch"]


def test_every_figure_is_a_file_that_can_be_read(tmp_path: Path) -> None:
    texts = figure_texts(Findings(planted_trials(tmp_path, DESIGNS)))
    assert [*texts] == [
        "front.svg",
        "roc.svg",
        "precision-recall.svg",
        "calibration.svg",
        "hypervolume.svg",
        "choices.svg",
        "design-graph1.svg",
        "design-graph0.svg",
    ]
    assert {ElementTree.fromstring(text).tag for text in texts.values()} == {"{http://www.w3.org/2000/svg}svg"}
    assert texts["roc.svg"].count('class="band ') == 2


def test_the_losses_of_every_member_are_one_figure_with_three_entries_in_its_legend(tmp_path: Path) -> None:
    losses = np.random.default_rng(0).random((5, 6, 2))
    texts = figure_texts(Findings(planted_losses(planted_trials(tmp_path, DESIGNS), {1: [losses]})))
    figure = ElementTree.fromstring(texts["learning.svg"])
    assert [text.text for text in figure.iter("{http://www.w3.org/2000/svg}text") if text.text in LEARNING] == LEARNING
    assert texts["learning.svg"].count("<circle") == 5 + 1  # the best epochs, and the mark of the legend
    older = figure_texts(Findings(planted_losses(planted_trials(tmp_path / "older", DESIGNS), {0: [losses]})))
    assert "learning.svg" not in older


def test_a_number_has_its_predictions_against_the_truth(tmp_path: Path) -> None:
    found = Findings(planted_trials(tmp_path, DESIGNS))
    designs = tuple(DesignPredictions(number, "d", f"d{number}", points=((0.0, 0.1), (2.0, 1.5))) for number in (7, 3))
    vars(found)["predicted"] = Predicted(rows=2, designs=designs)
    texts = figure_texts(found)
    assert "roc.svg" not in texts
    assert texts["truth.svg"].count("<circle") == 4 + 2


def test_each_pair_of_objectives_has_a_front_and_missing_predictions_leave_their_curves_out(make_run: Callable[..., Run]) -> None:
    names = [*figure_texts(read_findings(make_run(10, objectives=("auroc", "macs", "latency_ms"))))]
    assert names[:4] == ["front.svg", "front-2.svg", "front-3.svg", "hypervolume.svg"]
    assert figure_texts(read_findings(make_run(0))) == {}
