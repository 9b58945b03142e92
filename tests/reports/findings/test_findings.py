from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fusearch.contracts import Objective
from fusearch.errors import RunError
from fusearch.reports.findings.findings import Findings, read_findings
from fusearch.run import Run
from fusearch.study import TrialRecord
from fusearch.trials import Trials

AUROC, MACS = Objective.parse("auroc"), Objective.parse("macs<=100")


def trial(number: int, auroc: float, macs: float = 10.0, **facts: object) -> TrialRecord:
    values = {"auroc": auroc, "macs": macs}
    record = TrialRecord(
        f"design {number}", f"graph{number}", f"candidate{number}", number=number, state="complete", objectives=values, values=values
    )
    return replace(record, **facts)  # type: ignore[arg-type]


def test_a_run_is_read_from_its_folder(make_run: Callable[..., Run]) -> None:
    run = make_run(20, failures=2)
    found = read_findings(run.path)
    assert (len(found.records), len(found.complete)) == (22, 20)
    assert found.front == run.front()
    assert found.recommended == run.pick("simplest")
    assert list(found.references) == ["best_unimodal", "linear", "early", "penultimate", "late"]
    assert found.modalities == ["mrna", "meth", "mirna"]
    assert set(found.graphs) == {record.digest for record in found.records}


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"config\.yaml"):
        read_findings(tmp_path)


def test_each_graph_counts_once_with_its_best_recipe() -> None:
    twice = [trial(0, 0.8), trial(1, 0.9, digest="graph0"), trial(2, 0.85, digest="graph0")]
    found = Findings(Trials(twice, (AUROC, MACS)))
    assert [record.number for record in found.designs] == [1]


def test_what_stands_on_the_front_is_what_stands_for_its_graph() -> None:
    twice = [trial(0, 0.8, 5), trial(1, 0.9, 1000, digest="graph0")]  # the second breaks the bound
    assert [record.number for record in Findings(Trials(twice, (AUROC, MACS))).designs] == [0]


def test_repeats_failures_and_values_that_are_not_finite_do_not_count() -> None:
    records = [trial(0, 0.8), trial(1, math.nan), trial(2, 0.9, repeat_of=0), trial(3, 0.9, state="failed", objectives={})]
    assert [record.number for record in Findings(Trials(records, (AUROC, MACS))).complete] == [0]


def test_references_have_a_label() -> None:
    records = [trial(0, 0.8, reference="late"), trial(1, 0.9, 1000), trial(2, 0.85), trial(3, 0.7, reference="best_unimodal")]
    found = Findings(Trials(records, (AUROC, MACS)))
    assert found.roles == {"graph0": "late", "graph3": "best_unimodal"}
    assert found.label(records[0]) == "late fusion"
    assert found.label(records[2]) == "trial 2"


def test_a_formula_that_cannot_be_read_here_is_left_out() -> None:
    found = Findings(Trials([trial(0, 0.8, formula="F1 = my_plugin(a@0, b@0) ->")], (AUROC,)))
    assert found.graphs == {}
    assert found.text(found.records[0]) == "F1 = my_plugin(a@0, b@0) ->"


def test_a_kind_that_is_not_here_is_no_end_of_a_report(make_run: Callable[..., Run]) -> None:
    run = make_run(4)
    config = {**run.config, "space": {"modalities": [{"name": "mrna", "kind": "spectrum", "shape": [3, 1]}]}}
    found = Findings(replace(run.read(), config=config))
    assert found.modalities == []
    assert found.text(found.front[0])


def test_objectives_come_first_among_the_quantities(make_run: Callable[..., Run]) -> None:
    assert read_findings(make_run(6, objectives=("macs", "log_loss"))).quantities[:3] == ["macs", "log_loss", "auroc"]


def test_the_recommended_design_has_a_card_also_where_it_is_not_on_the_front() -> None:
    records = [trial(0, 0.9, spread={"auroc": 0.05}, details={"members": 4}), trial(1, 0.89, reference="late"), trial(2, 0.88, 1.0)]
    found = Findings(Trials(records, (AUROC,)))
    assert [record.number for record in found.carded] == [2, 0, 1]
