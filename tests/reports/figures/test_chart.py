from __future__ import annotations

import re
from xml.etree import ElementTree

from fusearch.reports.figures.chart import Series, chart_svg

SVG = "{http://www.w3.org/2000/svg}"


def test_a_curve_goes_from_corner_to_corner_with_its_band() -> None:
    text = chart_svg([Series("a", (0, 1), (0, 1), "first", (0, 0.5), (0.2, 1))], "x", "y", unit=True)
    tree = ElementTree.fromstring(text)
    (band,) = [path.get("d") for path in tree.iter(f"{SVG}path") if path.get("class") == "band first"]
    assert str(band).count("L") == 3
    assert {"0", "0.2", "1", "x", "y", "a"} <= {element.text for element in tree.iter(f"{SVG}text")}
    (drawn,) = re.findall(r'class="curve first" d="M([\d.]+) ([\d.]+)L([\d.]+) ([\d.]+)"', text)
    left, low, right, high = map(float, drawn)
    assert left < right
    assert low > high  # down is more in an SVG


def test_points_have_bars_and_titles_are_escaped() -> None:
    text = chart_svg([Series("<b>", (1, 5), (2, 3), "second", (1, 2), (3, 4), points=True, line=False)], "a < b", "y & z")
    ElementTree.fromstring(text)
    assert text.count("<circle") == 2 + 1
    assert len(re.findall(r'class="curve second" d="M[\d.]+ [\d.]+V[\d.]+"', text)) == 2
    assert "&lt;b&gt;" in text


def test_one_value_alone_has_axes() -> None:
    ElementTree.fromstring(chart_svg([Series("a", (3, 3), (0, 0), "guide")], "x", "y"))
