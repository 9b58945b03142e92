from __future__ import annotations

from collections.abc import Callable

import pytest

from fusearch.contracts import Objective
from fusearch.reports.findings.factors import factor_frame, factor_groups
from fusearch.reports.findings.findings import Findings, read_findings
from fusearch.run import Run
from fusearch.search_space.design.features import FACTORS
from fusearch.study import TrialRecord
from fusearch.trials import Trials

AUROC, LOSS = Objective.parse("auroc"), Objective.parse("log_loss")
FORMULAS = (
    "a:mlp | b:mlp\nF1 = cat(a@1, b@1) ->",
    "a:mlp | b:mlp\nF1 = cat(a@2, b@2; trunk=fc:1) ->",
    "a:mlp | b:mlp\nF1 = product(a@0, b@0) ->",
    "a:mlp\na@L ->",
)


def findings(objective: Objective = AUROC) -> Findings:
    values = (0.9, 0.8, 0.7, 0.6)
    records = [
        TrialRecord(formula, f"g{number}", f"c{number}", number=number, state="complete", objectives={objective.name: value})
        for number, (formula, value) in enumerate(zip(FORMULAS, values, strict=True))
    ]
    return Findings(Trials(records, (objective,)))


def test_groups_by_hand() -> None:
    groups = factor_groups(findings(), "Operator")
    assert [(group.group, group.designs, group.best) for group in groups] == [("cat", 2, 0.9), ("product", 1, 0.7), ("no fusion", 1, 0.6)]
    assert groups[0].mean == pytest.approx(0.85)
    assert groups[0].sd == pytest.approx(0.0707, abs=1e-4)
    assert groups[1].sd is None


def test_less_is_better_turns_the_order() -> None:
    groups = factor_groups(findings(LOSS), "Level")
    assert [(group.group, group.best) for group in groups] == [("no fusion", 0.6), ("early", 0.7), ("intermediate", 0.8)]


def test_a_design_counts_in_each_modality_that_it_uses() -> None:
    assert {group.group: group.designs for group in factor_groups(findings(), "Modality used")} == {"a": 4, "b": 3}


@pytest.mark.parametrize("factor", [name for name in FACTORS if name not in ("Operator", "Operator class", "Modality used")])
def test_a_factor_that_is_no_set_splits_the_designs(make_run: Callable[..., Run], factor: str) -> None:
    found = read_findings(make_run(30))
    assert sum(group.designs for group in factor_groups(found, factor)) == len(found.designs)


def test_the_frame_has_the_groups_as_rows() -> None:
    frame = factor_frame(findings(), "Operator class")
    assert list(frame.columns) == ["group", "designs", "mean", "sd", "best"]
    assert list(frame["group"]) == ["concatenation", "tensor", "no fusion"]
    assert factor_frame(Findings(Trials((), (AUROC,))), "Level").empty
