"""The figures of a strategy; what they show is tested with the section in page/test_strategy_section.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from fusearch.reports.figures.strategy_figures import stages_label, strategy_figures
from fusearch.reports.findings.decided import Told, read_strategy
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


def test_a_run_without_a_strategy_has_no_figure() -> None:
    assert strategy_figures(None) == {}


def test_a_strategy_has_the_figure_of_its_kind(tmp_path: Path) -> None:
    told = write(tmp_path, TIMING)
    assert list(strategy_figures(told)) == ["strategy-path"]
    arrays = {"evaluation": np.array([0.5, 0.9]), "diversity": np.array([0.1, 0.7])}
    assert list(strategy_figures(write(tmp_path, ENSEMBLE, **arrays))) == ["strategy-cloud"]


def test_stages_are_named() -> None:
    assert (stages_label([]), stages_label([1, 3])) == ("none", "stage 1, 3")
