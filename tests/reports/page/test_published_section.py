from __future__ import annotations

import re
from collections.abc import Callable

from reports.conftest import MODALITIES

from fusearch.reports.figures.front_plot import front_figure
from fusearch.reports.findings.findings import read_findings
from fusearch.reports.page.published_section import published_section
from fusearch.run import Run
from fusearch.search_space import fitting_designs

FITTING = fitting_designs(MODALITIES)[0]


def test_standings_and_neighbours_are_linked(make_run: Callable[..., Run]) -> None:
    texts = iter([str(FITTING["mmdynamics"]), str(FITTING["opcnn"])])
    found = read_findings(make_run(8, formula=lambda _rng: next(texts)))
    html = published_section(found)
    assert html.startswith('<section id="published"><h2>Published designs</h2>')
    for each in found.published.evaluated:
        assert f'<a href="{each.links[0]}">{each.name}</a>' in html
        assert f'<code class="digest">{each.digest}</code>' in html
    near = html.split("Nearest to the designs on the front")[1]
    assert [float(value) for value in re.findall(r">(\d\.\d\d)</td>", near)] == [
        round(each.distance, 2) for each in found.published.neighbours
    ]


def test_the_front_names_their_points(make_run: Callable[..., Run]) -> None:
    texts = iter([str(FITTING["mmdynamics"]), str(FITTING["opcnn"])])
    figure = front_figure(make_run(8, formula=lambda _rng: next(texts)))
    (trace,) = [trace for trace in figure.data if trace.name == "published designs"]
    assert sorted(trace.text) == ["mmdynamics", "opcnn"]
    plain = front_figure(make_run(8))
    assert "published designs" not in {trace.name for trace in plain.data}


def test_a_run_without_any_has_no_section(make_run: Callable[..., Run]) -> None:
    unimodal = "mrna:mlp\nmrna@L ->"
    assert published_section(read_findings(make_run(3, references=False, formula=lambda _rng: unimodal))) == ""
    assert published_section(read_findings(make_run(0))) == ""
