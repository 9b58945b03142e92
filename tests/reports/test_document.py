from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from planted_runs import TEAMED, planted_trials

from fusearch.reports.document import to_document
from fusearch.reports.findings.findings import Findings, read_findings
from fusearch.reports.findings.verdict import judge
from fusearch.reports.markdown import render_markdown
from fusearch.reports.page.markup import embed
from fusearch.reports.page.sections import progress
from fusearch.run import Run


def test_the_document_says_what_the_page_says(make_run: Callable[..., Run]) -> None:
    run = make_run(30, failures=2)
    found = read_findings(run)
    verdict = judge(found)
    facts = json.loads(embed(to_document(found, verdict)))
    assert facts["format"] == 1
    assert facts["verdict"]["headline"] == verdict.headline
    assert [design["trial"] for design in facts["front"]] == [record.number for record in found.front]
    assert list(facts["references"]) == ["best_unimodal", "linear", "early", "penultimate", "late"]
    assert facts["trials"] == {kind: count for kind, count in run.status()["trials"].items() if kind != "total"}
    assert (facts["trials"]["complete"], facts["trials"]["failed"], facts["trials"]["pruned"]) == (30, 1, 1)
    assert len(facts["hypervolume"]["values"]) == 30
    assert [failure["state"] for failure in facts["failures"]] == ["pruned", "failed"]
    assert facts["recommended"]["members"] == 5
    assert facts["config"]["search"]["sampler"] == "tpe"


def test_races_are_told_trial_by_trial(make_run: Callable[..., Run]) -> None:
    found = read_findings(make_run(20, raced=5))
    facts = json.loads(embed(to_document(found, judge(found))))
    assert (facts["races"]["stopped"], facts["races"]["saved"]) == (5, 15 / 125)
    assert facts["races"]["trials"][0] == {"trial": 20, "folds": 2, "num_folds": 5, "rival": 1, "chance": 0.0132}
    assert facts["failures"] == []


def test_what_was_trained_together_is_told(make_run: Callable[..., Run]) -> None:
    plain = make_run(4).read()
    packs = [{"members": 5}, {"members": 5, "eager": "a wait"}, {"loop": "a buffer"}]
    details = [*({"pack": pack} for pack in packs), {"streams": {"asked": 9}}]
    records = [replace(record, details={**record.details, **told}) for record, told in zip(plain.records, details, strict=True)]
    found = Findings(replace(plain, records=records))
    expected = {
        "packed": 2,
        "in_the_loop": {"a buffer": 1},
        "not_captured": {"a wait": 1},
        "streams": {"asked": 9, "found": 0, "bytes": 0},
    }
    assert to_document(found, judge(found))["trainings"] == expected
    for told in ("Trained as packs: 2 trials", "1 trial: a buffer", "1 trial: a wait", "Streams trained alone: 9, 0 of them"):
        assert told in render_markdown(found, judge(found))
        assert told in progress(found)


def test_an_empty_run_has_a_document(make_run: Callable[..., Run]) -> None:
    found = read_findings(make_run(0))
    facts = to_document(found, judge(found))
    assert facts["recommended"] is None
    assert facts["verdict"]["answers"]["fusion"]["outcome"] == "not estimable"
    assert facts["verdict"]["answers"]["pick"]["design"] is None


def test_the_front_of_teams_is_told_point_by_point(tmp_path: Path) -> None:
    found = Findings(planted_trials(tmp_path, TEAMED))
    (first, *rest) = json.loads(embed(to_document(found, judge(found))))["teams"]
    assert set(first) == {"trials", "designs", "candidates", "plain", "cost"}
    assert (first["trials"], first["cost"]) == (list(found.teams[0].trials), dict(found.teams[0].cost))
    assert len(rest) == len(found.teams) - 1 > 0
