from __future__ import annotations

import re
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from planted_runs import planted_losses, planted_trials

from fusearch.errors import FusearchError
from fusearch.reports.figures.figure_files import figure_texts
from fusearch.reports.figures.pdf import NO_PDF, can_write_pdf, pdf_of
from fusearch.reports.findings.findings import Findings

POINT = 0.22 / 25.4 * 72  # of a pixel
NUMBER = r"(-?[\d.]+)"


def svg(body: str, size: str = "0 0 400 100", css: str = "") -> str:
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{size}"><title>It</title><style>{css}</style>{body}</svg>'


def page_of(pdf: bytes) -> tuple[float, float]:
    found = re.search(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+) \]", pdf)
    assert found is not None
    return float(found[1]), float(found[2])


def drawn(pdf: bytes) -> str:
    """Return what the page's streams draw, as text."""
    parts = []
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        try:
            parts.append(zlib.decompress(stream).decode("latin-1"))
        except zlib.error:
            continue
    return "\n".join(parts)


@pytest.mark.slow
def test_every_figure_of_a_report_becomes_a_page_of_its_own_shape(tmp_path: Path) -> None:
    designs = [("rna", 0.5, "best_unimodal"), ("F1 = cat(rna@L, labs@L) ->", 2.0, None)]
    losses = np.random.default_rng(0).random((5, 6, 2))
    trials = planted_losses(planted_trials(tmp_path, designs), {1: [losses]})
    texts = figure_texts(Findings(trials))
    assert len(texts) == 9
    for text in texts.values():
        pdf = pdf_of(text)
        assert pdf.startswith(b"%PDF")
        assert b"DejaVuSans" in pdf  # embedded, so that symbols of operators are there on every machine
        size = re.search(rf'viewBox="{NUMBER} {NUMBER} {NUMBER} {NUMBER}"', text)
        assert size is not None
        width, height = page_of(pdf)
        assert height / width == pytest.approx(float(size[4]) / float(size[3]), rel=1e-3)
        assert width <= 180 / 25.4 * 72 + 0.01


def test_400_pixels_are_a_column_and_nothing_is_wider_than_two() -> None:
    assert page_of(pdf_of(svg("")))[0] == pytest.approx(88 / 25.4 * 72, rel=1e-4)
    assert page_of(pdf_of(svg("", "0 0 3000 100")))[0] == pytest.approx(180 / 25.4 * 72, rel=1e-4)


def test_outlines_stand_where_the_drawing_has_them() -> None:
    found = drawn(pdf_of(svg('<path class="a" d="M10 20h30v-5L1.5 2H.5m5 5l1 1Z"/>', css=".a{fill:none;stroke:#000}")))
    steps = [(float(x) / POINT, 100 - float(y) / POINT, kind) for x, y, kind in re.findall(rf"{NUMBER} {NUMBER} ([ml])\n", found)]
    wanted = [(10, 20, "m"), (40, 20, "l"), (40, 15, "l"), (1.5, 2, "l"), (0.5, 2, "l"), (5.5, 7, "m"), (6.5, 8, "l"), (5.5, 7, "l")]
    assert [kind for *_, kind in steps] == [kind for *_, kind in wanted]
    np.testing.assert_allclose([step[:2] for step in steps], [step[:2] for step in wanted], atol=0.01)
    assert "\nh\n" in found  # closed


def test_a_moved_shape_and_colours_with_their_strength() -> None:
    body = '<path class="a" transform="translate(100 50) scale(2)" d="M0 0L10 0L10 10Z"/>'
    found = drawn(pdf_of(svg(body, css=".a{fill:#ff0000;opacity:.5}")))
    x, y = re.findall(rf"{NUMBER} {NUMBER} l\n", found)[0]
    assert (float(x) / POINT, 100 - float(y) / POINT) == pytest.approx((120, 50), abs=0.01)
    assert "1 0 0 rg" in found


def test_the_same_drawing_gives_the_same_file() -> None:
    text = svg('<text x="10" y="20">⊕ 𝔸 −1 $x$ &lt;b&gt;</text>')
    assert pdf_of(text) == pdf_of(text)
    assert b"CreationDate" not in pdf_of(text)


def test_an_element_that_is_none_of_ours_is_refused() -> None:
    with pytest.raises(FusearchError, match="a drawing has an element 'image', which the PDF does not know"):
        pdf_of(svg("<g><image/></g>"))


def test_without_matplotlib_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    assert can_write_pdf()
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert not can_write_pdf()
    with pytest.raises(FusearchError, match=re.escape(NO_PDF)):
        pdf_of(svg(""))
    assert "pip install 'fusearch[pdf]'" in NO_PDF
