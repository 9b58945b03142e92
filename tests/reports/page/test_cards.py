from __future__ import annotations

from collections.abc import Callable

from fusearch.reports.findings.findings import read_findings
from fusearch.reports.page.cards import card, labels_line, shown_values, standing, trial_facts
from fusearch.run import Run


def test_a_card_has_drawing_formula_and_values(make_run: Callable[..., Run]) -> None:
    found = read_findings(make_run(30))
    record = found.front[0]
    html = card(found, record)
    assert "<svg" in html
    assert record.digest in html
    assert "AUROC" in html
    assert "Log loss" not in html  # objectives only


def test_pills_tell_what_a_trial_is(make_run: Callable[..., Run]) -> None:
    found = read_findings(make_run(30, failures=2))
    by_number = {record.number: dict(standing(found, record)) for record in found.records}
    assert found.recommended is not None
    assert "recommended" in by_number[found.recommended.number]
    assert sum("front" in each for each in by_number.values()) == len(found.front)
    assert by_number[found.references["late"].number]["reference"] == "late fusion"
    unimodal = [record.number for record in found.records if record.reference == "best_unimodal"]
    assert sorted(by_number[number]["reference"] for number in unimodal) == ["best single modality", "reference"]
    assert by_number[30] == {"other": "stopped"}
    assert by_number[31] == {"failed": "failed"}


def test_labels_in_words(make_run: Callable[..., Run]) -> None:
    found = read_findings(make_run(6))
    assert labels_line(found, found.references["best_unimodal"]) == "no fusion"
    assert labels_line(found, found.references["late"]) == "late · sudden · synchronous · 1 fusion · independent training"


def test_the_panel_gets_every_trial_and_every_value(make_run: Callable[..., Run]) -> None:
    found = read_findings(make_run(12, failures=1))
    facts = trial_facts(found)
    trials, names = facts["trials"], facts["names"]
    assert [trial["number"] for trial in trials] == list(range(13))
    record = found.records[0]
    assert [(names[index], value, spread) for index, value, spread in trials[0]["values"]] == shown_values(found, record)
    assert ("Width", str(record.recipe["width"])) in [(names[index], value) for index, value, _ in trials[0]["recipe"]]
    assert trials[12]["reason"]


def test_a_design_that_cannot_be_read_here_shows_its_formula(make_run: Callable[..., Run]) -> None:
    found = read_findings(make_run(2, references=False, formula=lambda rng: "F1 = my_plugin(a@0, b@0) ->"))
    html = card(found, found.records[0])
    assert "No drawing" in html
    assert "F1 = my_plugin(a@0, b@0) -&gt;" in html
