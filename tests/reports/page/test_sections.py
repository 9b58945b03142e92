from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from planted_runs import TEAMED, planted_trials

from fusearch.reports.findings.findings import Findings, read_findings
from fusearch.reports.findings.influence import Influence, InfluenceOfChoice
from fusearch.reports.page import sections
from fusearch.run import Run


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_facts_count_what_happened(make_run: Callable[..., Run]) -> None:
    found = read_findings(make_run(20, failures=3))
    text = text_of(sections.facts(found))
    assert f"Designs compared {len(found.designs)}" in text
    assert "Trials finished 20 1 failed, 2 not trained" in text


def test_two_objectives_have_one_figure_and_three_a_choice(make_run: Callable[..., Run]) -> None:
    assert "data-shows" not in sections.front(read_findings(make_run(10)))
    three = sections.front(read_findings(make_run(10, objectives=("auroc", "macs", "latency_ms"))))
    assert re.findall(r'<option value="(figure[^"]+)">', three) == ["figure-front-0", "figure-front-1", "figure-front-2"]


def test_what_the_stars_are_is_said_where_there_are_any(make_run: Callable[..., Run], tmp_path: Path) -> None:
    told = "Stars on the dotted line are teams"
    assert told in text_of(sections.front(Findings(planted_trials(tmp_path / "teamed", TEAMED))))
    assert told not in text_of(sections.front(read_findings(make_run(20))))


def test_every_point_stands_in_a_list_as_well(make_run: Callable[..., Run]) -> None:
    found = read_findings(make_run(20))
    html = sections.front(found)
    assert {int(value) for value in re.findall(r'<option value="(\d+)">', html)} == {record.number for record in found.designs}
    assert re.findall(r'optgroup label="([^"]+)"', html) == ["On the front", "References", "Others"]
    assert "Late fusion: AUROC 0." in html


def test_a_table_of_trials_is_one_stop_of_the_tabulator_key(make_run: Callable[..., Run]) -> None:
    found = read_findings(make_run(20, failures=3))
    for html in (sections.trials(found), sections.failures(found)):
        assert re.findall(r'<tr tabindex="(-?\d)"', html)[:3] == ["0", "-1", "-1"]
        assert html.count('tabindex="0"') == 1


def test_one_objective_is_drawn_over_trials(make_run: Callable[..., Run]) -> None:
    assert "<h2>Designs over trials</h2>" in sections.front(read_findings(make_run(10, objectives=("auroc",))))


def test_the_gallery_holds_front_and_references_once(make_run: Callable[..., Run]) -> None:
    found = read_findings(make_run(30))
    drawn = re.findall(r'data-drawing="([^"]+)"', sections.gallery(found))
    assert len(drawn) == len(set(drawn))
    assert found.recommended is not None
    assert set(drawn) == found.front_digests | set(found.roles) | {found.recommended.digest}


def test_the_table_has_every_trial_with_what_it_is_filtered_by(make_run: Callable[..., Run]) -> None:
    found = read_findings(make_run(20, failures=2))
    html = sections.trials(found)
    kinds = dict(re.findall(r'data-trial="(\d+)" data-kinds="([^"]+)"', html))
    assert len(kinds) == 22
    assert "failed" in kinds["21"].split()
    assert sum("front" in each.split() for each in kinds.values()) == len(found.front)


def test_failures_are_counted_by_reason_and_listed(make_run: Callable[..., Run]) -> None:
    html = sections.failures(read_findings(make_run(6, failures=4)))
    text = text_of(html)
    assert "2 stopped macs is 3.2e+06, above the bound 1e+06" in text
    assert "2 failed RuntimeError: the loss is not finite" in text
    assert html.count("<pre>") == 4
    assert "No trial failed" in sections.failures(read_findings(make_run(6)))


def test_what_races_stopped_is_told_with_its_folds_and_is_no_failure(make_run: Callable[..., Run]) -> None:
    found = read_findings(make_run(20, raced=5))
    assert "Trials finished 20 5 stopped early" in text_of(sections.facts(found))
    course = text_of(sections.progress(found))
    assert "Races stopped 5 designs that could hardly win, and saved 12 % of the trainings of folds." in course
    assert course.count("stopped after fold 2 of 5: 1.3 % chance to catch up with trial 1") == 5
    assert text_of(sections.trials(found)).count("stopped after 2 of 5 folds") == 5
    assert "No trial failed" in sections.failures(found)
    assert "Races" not in sections.progress(read_findings(make_run(20)))


def test_recipes_that_were_outrun_are_told_with_their_epoch_and_are_no_failure(make_run: Callable[..., Run]) -> None:
    found = read_findings(make_run(20, outrun=3))
    course = text_of(sections.progress(found))
    assert "3 recipes left the training to better recipes of the same design: 1 after epoch 20 and 2 after epoch 40." in course
    assert course.count("stopped after epoch 40: place 3 of 4 recipes of this design by the loss of held-out rows") == 2
    assert text_of(sections.trials(found)).count("stopped after epoch 40") == 2
    assert "No trial failed" in sections.failures(found)


def test_what_the_designs_say_is_called_descriptive(make_run: Callable[..., Run]) -> None:
    text = text_of(sections.learned(read_findings(make_run(20))))
    assert "not the effect of a choice" in text
    assert {"Operator class", "Level", "Modality used"} <= {
        title for title in ("Operator class", "Level", "Modality used") if title in text
    }


def test_how_to_reproduce(make_run: Callable[..., Run]) -> None:
    text = text_of(sections.reproduce(read_findings(make_run(6))))
    assert "fusearch search rosmap.yaml --objective auroc --objective macs" in text
    assert "3f9c0aa1b2c4d5e6" in text
    assert "sampler: tpe" in text


def test_progress_is_left_out_where_nothing_has_finished(make_run: Callable[..., Run]) -> None:
    assert sections.progress(read_findings(make_run(0))) == ""
    assert 'data-figure="figure-timeline"' in sections.progress(read_findings(make_run(6)))


def test_what_mattered_is_a_table_with_bars_or_a_sentence(make_run: Callable[..., Run]) -> None:
    few = text_of(sections.learned(read_findings(make_run(8))))
    assert "designs are too few to tell, 20 are needed." in few
    found = read_findings(make_run(8))
    choices = (InfluenceOfChoice("Operator", 0.5, 0.3, 0.6), InfluenceOfChoice("Width", -0.01, -0.05, 0.02))
    vars(found)["influence"] = Influence(0.7, choices, 40)
    html = sections.learned(found)
    assert re.findall(r"width:([\d.]+)%", html) == ["100.0", "0.0"]
    assert "Operator 50 % 30 to 60 %" in text_of(html)
    assert "tells 70 % of the differences in rank" in html
