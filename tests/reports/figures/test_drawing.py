from __future__ import annotations

import xml.etree.ElementTree as ET

from fusearch.data.modality import Modality
from fusearch.reports.figures.drawing import draw
from fusearch.search_space import FusionGraph

TABLES = tuple(Modality(name, "tabular", (20,)) for name in ("mrna", "meth"))
SVG = "{http://www.w3.org/2000/svg}"


def graph(text: str) -> FusionGraph:
    return FusionGraph.parse(text, TABLES)


def texts(svg: str) -> list[str]:
    return ["".join(element.itertext()) for element in ET.fromstring(svg).iter(f"{SVG}text")]


def test_a_drawing_is_well_formed_and_says_what_the_design_is() -> None:
    svg = draw(graph("mrna:mlp | meth:identity\nF1 = self_attention(mrna@2, meth@0; heads=2, trunk=fc:2) ->"))
    assert {"mrna", "meth", "mlp", "raw", "F1", "𝔸 self_attention", "heads=2", "fc", "@0", "@2", "head"} <= set(texts(svg))


def test_a_stage_is_a_box() -> None:
    svg = ET.fromstring(draw(graph("mrna:mlp | meth:mlp\nF1 = cat(mrna@1, meth@2; trunk=fc:2) ->")))
    stages = [element for element in svg.iter(f"{SVG}rect") if element.get("class") == "stage"]
    assert len(stages) == 1 + 2 + 2


def test_the_class_scores_are_a_diamond() -> None:
    svg = draw(graph("mrna:mlp | meth:mlp\nF1 = vote_mean(mrna@score, meth@score) ->\ntrain = independent"))
    assert svg.count('<path class="stage"') == 2
    assert "@score" in texts(svg)


def test_a_standalone_drawing_has_its_styles_inside_and_one_for_a_page_has_not() -> None:
    design = graph("mrna:mlp\nmrna@L ->")
    assert "prefers-color-scheme:dark" in draw(design)
    assert "<style" not in draw(design, standalone=False)


def test_a_drawing_needs_no_torch() -> None:
    import subprocess
    import sys

    code = (
        "import sys; from fusearch.reports import draw; from fusearch.search_space import FusionGraph;"
        "draw(FusionGraph.parse('a:mlp | b:mlp; F1 = cat(a@1, b@1) ->'));"
        "assert not {'torch', 'ray', 'pandas', 'plotly'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
