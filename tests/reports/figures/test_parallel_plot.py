from __future__ import annotations

import re
from collections.abc import Callable
from xml.etree import ElementTree

from fusearch.reports.figures.parallel_plot import parallel_stylesheet, parallel_svg
from fusearch.reports.findings.findings import read_findings
from fusearch.reports.findings.parallel import ParallelAxis, Parallels, parallels_of
from fusearch.run import Run

SVG = "{http://www.w3.org/2000/svg}"


def test_each_trial_is_a_line_over_all_axes_and_the_recommended_one_lies_on_top(make_run: Callable[..., Run]) -> None:
    told = parallels_of(read_findings(make_run(30)))
    drawing = ElementTree.fromstring(parallel_svg(told))
    lines = [path for path in drawing.iter(f"{SVG}path") if "data-trial" in path.attrib]
    assert [int(line.attrib["data-trial"]) for line in lines] == list(told.trials)
    assert {line.attrib["d"].count("L") + 1 for line in lines} == {len(told.axes)}
    at = told.trials.index(told.recommended or 0)
    assert [path for path in drawing.iter(f"{SVG}path") if path.get("class") == "strand recommended"][-1].attrib["d"] == lines[at].attrib[
        "d"
    ]
    names = [text.text for text in drawing.iter(f"{SVG}text") if text.get("class") == "name"]
    assert names == [axis.title for axis in told.axes]
    width, height = float(drawing.attrib["width"]), float(drawing.attrib["height"])
    numbers = [float(number) for line in lines for number in re.findall(r"[\d.]+", line.attrib["d"])]
    assert 0 < min(numbers) <= max(numbers[1::2]) < height
    assert max(numbers[::2]) < width


def test_long_labels_are_cut_and_told_in_whole_on_hover() -> None:
    long = "contrastive + cross_attention + product"
    axis = ParallelAxis("<Operators>", ((0.25, long), (0.75, "a & b")), (0.2, 0.7))
    drawing = ElementTree.fromstring(parallel_svg(Parallels((axis,), (3, 4), (0, 4), 2)))
    texts = list(drawing.iter(f"{SVG}text"))
    (cut,) = (text for text in texts if (text.text or "").endswith("…"))
    title = cut.find(f"{SVG}title")
    assert title is not None
    assert title.text == long
    assert {"<Operators>", "a & b"} <= {text.text for text in texts}


def test_in_the_page_the_styles_stand_once() -> None:
    told = Parallels((ParallelAxis("a", (), (0.0, 1.0)),), (0, 1), (0, 4), 2)
    assert parallel_stylesheet() in parallel_svg(told)
    assert "<style>" not in parallel_svg(told, standalone=False)
    assert parallel_svg(Parallels()) == ""
