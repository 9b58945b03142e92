from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest
from planted_runs import TEAMED, planted_trials

from fusearch.reports import front_svg
from fusearch.reports.figures.picture import _SHAPES
from fusearch.reports.findings.findings import Findings
from fusearch.run import Run
from fusearch.study import ROLES

SVG = "{http://www.w3.org/2000/svg}"


def test_the_picture_is_whole_and_names_the_references(make_run: Callable[..., Run]) -> None:
    run = make_run(40)
    svg = ET.fromstring(front_svg(run))
    texts = [element.text for element in svg.iter(f"{SVG}text")]
    assert {"late fusion", "linear model", "early fusion", "penultimate concatenation", "best single modality"} <= set(texts)
    assert {"AUROC  (more is better)", "MACs  (less is better)", "on the front", "recommended"} <= set(texts)
    dots = [element for element in svg.iter(f"{SVG}circle") if element.get("class") == "front"]
    references = {run.references()[role].digest for role in run.references()}
    assert len(dots) == sum(record.digest not in references for record in run.front()) + 1  # one in the legend


def test_labels_do_not_overlap(make_run: Callable[..., Run]) -> None:
    svg = ET.fromstring(front_svg(make_run(60)))
    boxes = []
    for element in svg.iter(f"{SVG}text"):
        if element.get("class") == "label":
            width = 6.6 * len(element.text or "")
            left = float(element.get("x") or 0) - {"start": 0, "middle": width / 2, "end": width}[element.get("text-anchor") or "start"]
            boxes.append((left, float(element.get("y") or 0), width))
    assert len(boxes) == 5
    for index, (x0, y0, w0) in enumerate(boxes):
        assert all(abs(y0 - y1) >= 13 or x0 + w0 <= x1 or x1 + w1 <= x0 for x1, y1, w1 in boxes[:index])


@pytest.mark.parametrize(("trials", "objectives"), [(0, ("auroc", "macs")), (1, ("auroc", "macs")), (9, ("auroc",))])
def test_small_runs_and_one_objective_have_a_picture(make_run: Callable[..., Run], trials: int, objectives: tuple[str, ...]) -> None:
    assert ET.fromstring(front_svg(make_run(trials, objectives=objectives))).tag == f"{SVG}svg"


def test_every_role_has_a_shape_of_its_own() -> None:
    assert set(_SHAPES) == set(ROLES)
    assert len(set(_SHAPES.values())) == len(ROLES)


def test_teams_are_stars_on_a_line_and_in_the_legend(tmp_path: Path) -> None:
    found = Findings(planted_trials(tmp_path, TEAMED))
    svg = ET.fromstring(front_svg(found))
    stars = [element for element in svg.iter(f"{SVG}path") if element.get("class") == "team"]
    titles = [element.findtext(f"{SVG}title") for element in stars]
    assert titles == [*(f"the mean of trials {', '.join(map(str, team.trials))}, as the search saw it" for team in found.teams), None]
    assert [element.get("class") for element in svg.iter(f"{SVG}path")].count("step team") == 1
    assert "teams" in [element.text for element in svg.iter(f"{SVG}text")]
