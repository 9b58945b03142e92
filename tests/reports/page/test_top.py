from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from planted_runs import TEAMED, planted_trials

from fusearch.reports.findings.findings import Findings, read_findings
from fusearch.reports.findings.verdict import judge
from fusearch.reports.page.top import answer_rows, recommended_card
from fusearch.run import Run

DESIGNS = [
    ("rna", 0.3, "best_unimodal"),
    ("F1 = cat(rna@L, labs@L) ->", 1.0, "late"),
    ("F1 = mean(rna@L, labs@L) ->", 3.0, None),
    ("labs", -1.0, "best_unimodal"),
]


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_each_answer_is_a_row_with_difference_interval_and_outcome(tmp_path: Path) -> None:
    found = Findings(planted_trials(tmp_path, DESIGNS))
    verdict = judge(found)
    html = answer_rows(found, verdict)
    assert re.findall(r'data-answer="(\w+)"', html) == ["fusion", "search", "pick"]
    text = text_of(html)
    for line in verdict.lines:
        assert f"{line.question} " in text
        assert f" {line.value} {line.interval} {line.outcome or 'recommended'}" in text
    assert html.count("pill gain") == 2
    assert text.count("±") == 1


def test_a_guess_has_a_row_where_nothing_beats_it_and_what_cannot_be_told_says_why(tmp_path: Path) -> None:
    found = Findings(planted_trials(tmp_path / "noise", [("rna", 0.0, None), ("F1 = cat(rna@L, labs@L) ->", 0.0, "late")]))
    html = answer_rows(found, judge(found))
    assert re.findall(r'data-answer="(\w+)"', html) == ["constant", "fusion", "search", "pick"]
    assert "no design beyond the references was evaluated" in html
    assert "not estimable" in html
    assert "<h2>Picked, though it may be no better than a guess: trial 0</h2>" in recommended_card(found, judge(found).answers)


def test_the_recommended_design_has_drawing_score_cost_and_a_command_to_copy(tmp_path: Path) -> None:
    folder = tmp_path / "a run"
    found = Findings(planted_trials(folder, DESIGNS))
    html = recommended_card(found, judge(found).answers)
    assert 'class="design"' in html
    text = text_of(html)
    assert re.search(r"Recommended: trial 2 AUROC after selection 0\.\d+ 90 % interval 0\.\d+ to \d\.\d+ MACs 3\.00", text)
    command = f"fusearch export &#x27;{folder}&#x27; --out &#x27;{folder}/export&#x27;"
    assert f'data-copy="{command}"' in html


def test_the_command_of_a_team_stands_there_where_it_is_recommended(tmp_path: Path) -> None:
    better, plain = (Findings(planted_trials(tmp_path / name, designs, rows=900)) for name, designs in (("b", TEAMED), ("p", DESIGNS)))
    copied = [re.findall(r'data-copy="([^"]+)"', recommended_card(found, judge(found).answers)) for found in (better, plain)]
    assert [len(each) for each in copied] == [2, 1]
    assert "--pick team" in copied[0][1]


def test_without_predictions_the_score_is_the_one_that_the_search_saw(make_run: Callable[..., Run]) -> None:
    found = read_findings(make_run(10))
    text = text_of(recommended_card(found, judge(found).answers))
    assert "AUROC as the search saw it 0." in text
    assert "90 % interval" not in text


def test_without_trials_or_a_folder_there_is_nothing_to_export(tmp_path: Path, make_run: Callable[..., Run]) -> None:
    empty = read_findings(make_run(0))
    assert (answer_rows(empty, judge(empty)), recommended_card(empty, judge(empty).answers)) == ("", "")
    found = Findings(replace(planted_trials(tmp_path / "planted", DESIGNS), path=None))
    assert "data-copy" not in recommended_card(found, judge(found).answers)
