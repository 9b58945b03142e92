from __future__ import annotations

from pathlib import Path

from planted_runs import planted_trials

from fusearch.reports.figures.predicted_figures import predicted_figures
from fusearch.reports.findings.findings import Findings
from fusearch.reports.findings.predicted import DesignPredictions, Predicted

DESIGNS = [("rna", 0.5, "best_unimodal"), ("F1 = cat(rna@L, labs@L) ->", 2.0, None)]


def test_classes_have_curves_with_a_band_for_each_design(tmp_path: Path) -> None:
    figures = predicted_figures(Findings(planted_trials(tmp_path, DESIGNS)).predicted)
    assert list(figures) == ["roc", "precision-recall", "calibration"]
    assert [trace.name for trace in figures["roc"].data if trace.name] == ["guess", "trial 1", "best single modality, trial 0"]
    assert [trace.fill for trace in figures["roc"].data] == [None, "toself", None, "toself", None]
    assert figures["calibration"].layout.xaxis.title.text == "Probability of 1"
    assert figures["calibration"].data[1].error_y.arrayminus is not None


def test_a_number_is_drawn_against_the_truth_with_the_pick_in_front() -> None:
    designs = tuple(DesignPredictions(number, "d", f"d{number}", points=((0.0, 0.1), (2.0, 1.5))) for number in (7, 3))
    figures = predicted_figures(Predicted(rows=2, designs=designs))
    assert list(figures) == ["truth"]
    line, other, pick = figures["truth"].data
    assert (line.x, line.y) == ((0.0, 2.0), (0.0, 2.0))
    assert [other.name, pick.name] == ["d3", "d7"]
    assert (pick.x, pick.y) == ((0.0, 2.0), (0.1, 1.5))


def test_without_predictions_nothing_is_drawn() -> None:
    assert predicted_figures(Predicted(reason="none were kept")) == {}
