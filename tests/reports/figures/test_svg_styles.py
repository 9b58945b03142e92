from __future__ import annotations

from xml.etree.ElementTree import Element

import pytest

from fusearch.reports.figures.svg_styles import StyleSheet

CSS = """
svg.front{--ink:#111;--c:red;font-size:12px} /* a note: {x} */
.front text{fill:var(--ink)}
.front .tick,.front .title{fill:var(--c);opacity:.5}
.m1{--c:blue}
.front .m1 .tick{stroke:var(--c)}
circle.dot{fill:green}
.dot{stroke:black;fill:white}
@media (prefers-color-scheme:dark){svg.front{--ink:#eee}.front text{fill:white}}
"""
ROOT = Element("{http://www.w3.org/2000/svg}svg", {"class": "front"})


def style(tag: str, classes: str, *between: Element, **attributes: str) -> dict[str, str]:
    sheet, above, found = StyleSheet(CSS), [], {}
    for element in (ROOT, *between, Element(tag, {"class": classes, **attributes})):
        found = sheet.style_of(element, above, found)
        above.append(element)
    return found


def test_variables_are_resolved_and_dark_screens_do_not_count() -> None:
    assert style("text", "")["fill"] == "#111"
    assert style("text", "")["font-size"] == "12px"  # from around it


@pytest.mark.parametrize(
    ("tag", "classes", "fill"), [("text", "tick", "red"), ("text", "a title", "red"), ("circle", "dot", "green"), ("path", "dot", "white")]
)
def test_the_more_particular_rule_wins_wherever_it_stands(tag: str, classes: str, fill: str) -> None:
    assert style(tag, classes)["fill"] == fill


def test_a_variable_may_change_on_the_way() -> None:
    found = style("text", "tick", Element("g", {"class": "m1"}))
    assert (found["stroke"], found["fill"]) == ("blue", "blue")
    assert "stroke" not in style("text", "tick")


def test_opacity_stays_with_its_element_and_an_attribute_comes_last() -> None:
    assert "opacity" not in style("tspan", "", Element("text", {"class": "tick"}))
    assert style("text", "tick", style="opacity:1; fill:pink")["opacity"] == "1"
    assert style("text", "tick", style="opacity:1; fill:pink")["fill"] == "pink"
