"""The page in a real browser."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from headless_browser import CHROMIUM, Tab, open_tab
from planted_runs import planted_losses, planted_trials

from fusearch.layout import LEVELS
from fusearch.reports import compare_runs, write_report
from fusearch.reports.findings.findings import Findings
from fusearch.run import Run

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the PATH, so the page cannot be looked at")

DESIGNS = [
    ("rna", 0.8, "best_unimodal"),
    ("labs", 0.2, "best_unimodal"),
    ("F1 = cat(rna@L, labs@L) ->", 1.0, "late"),
    *((f"F1 = {name}(rna@{depth}, labs@L) ->", 0.5 + 0.2 * depth, None) for name in ("sum", "product", "mean") for depth in range(3)),
]
STRANDS = "[...document.querySelectorAll('svg.parallel [data-trial]')].map((path) => [path.dataset.trial, path.getAttribute('d')])"
LIT = "document.querySelector('svg.parallel .lit').getAttribute('d')"
VISIBLE = "[...document.querySelectorAll('#table tbody tr')].filter((row) => !row.hidden)"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    trials = planted_trials(folder, DESIGNS)
    losses = [np.random.default_rng(seed).random((5, 8, 2)) for seed in range(2)]
    trials = planted_losses(trials, dict.fromkeys(range(len(DESIGNS)), losses), phases=("rna", "fusion"))
    (folder / LEVELS).write_text(json.dumps({"site": {f"p{row}": "small" if row < 9 else f"site {row % 3}" for row in range(300)}}))
    return write_report(Findings(trials))


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with open_tab(tmp_path_factory.mktemp("profile")) as tab:
        yield tab


@pytest.fixture
def tab(browser: Tab, report: Path) -> Tab:
    browser.events.clear()
    browser.show(report, width=1300)
    return browser


def test_no_error_is_logged_and_nothing_is_asked_of_a_network(tab: Tab, report: Path) -> None:
    assert tab.run("document.querySelectorAll('.main-svg').length") > 3
    asked = {told["request"]["url"] for method, told in tab.events if method == "Network.requestWillBeSent"}
    assert {url for url in asked if not url.startswith(("data:", "blob:"))} == {report.resolve().as_uri()}
    assert [
        told for method, told in tab.events if method in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded")
    ] == []


def test_a_click_on_a_column_sorts_by_it(tab: Tab) -> None:
    column = "[...document.querySelectorAll('#table th')].find((head) => head.textContent === 'AUROC')"
    for order in ("ascending", "descending"):
        tab.run(f"{column}.querySelector('button').click()")
        assert tab.run(f"{column}.getAttribute('aria-sort')") == order
        values = tab.run(f"{VISIBLE}.map((row) => Number(row.cells[{column}.cellIndex].dataset.value))")
        assert values == sorted(values, reverse=order == "descending")
        assert len(set(values)) > 5


def test_words_filter_the_rows_and_one_tab_stop_is_left(tab: Tab) -> None:
    tab.run("{const box = document.getElementById('words'); box.value = 'product'; box.dispatchEvent(new Event('input'))}")
    tab.settle()
    assert tab.run(f"{VISIBLE}.map((row) => row.textContent.includes('product'))") == [True] * 3
    assert tab.run("document.getElementById('shown').textContent") == f"3 of {len(DESIGNS)} trials"
    assert tab.run(f"{VISIBLE}.map((row) => row.tabIndex)") == [0, -1, -1]


def test_a_click_and_the_keyboard_show_a_design(tab: Tab) -> None:
    title = "document.querySelector('#chosen h3').textContent"
    tab.run("document.querySelector('tr[data-trial=\"1\"] td').click()")
    assert tab.run(title) == "Trial 1"
    tab.run("document.querySelector('tr[data-trial=\"1\"]').focus()")
    tab.press("ArrowDown")
    assert tab.run("document.activeElement.dataset.trial") == "2"
    tab.press("Enter")
    assert tab.run(title) == "Trial 2"
    assert tab.run("document.activeElement.id") == "chosen"
    tab.run("{const list = document.getElementById('design'); list.value = '5'; list.dispatchEvent(new Event('change'))}")
    assert tab.run(title) == "Trial 5"


def test_the_chart_keeps_its_size_and_its_grey_points_have_their_formula(tab: Tab) -> None:
    size = "JSON.stringify(document.querySelector('#front-figure .main-svg').getBoundingClientRect().toJSON())"
    before = tab.run(f"document.querySelector('tr[data-trial=\"0\"] td').click(), scrollTo(0, 0), {size}")
    for trial in range(1, len(DESIGNS)):
        tab.run(f"document.querySelector('tr[data-trial=\"{trial}\"] td').click(), scrollTo(0, 0)")
        tab.settle()
        assert tab.run(f"scrollTo({{top: 0, behavior: 'instant'}}), {size}") == before
    texts = tab.run("document.getElementById('front-figure').data.find((trace) => trace.name === 'other designs').hovertext")
    assert texts
    assert all("F1 = " in text and "-&gt;" in text for text in texts)


def test_the_front_goes_back_to_an_earlier_trial_by_the_keyboard_and_forth_again(tab: Tab) -> None:
    shown = "document.getElementById('front-figure').data.flatMap((trace) => trace.customdata ?? []).filter((n) => n !== null)"
    look = "JSON.stringify(document.getElementById('front-figure').data.map((trace) => [trace.name, trace.x, trace.y]))"
    plot = "JSON.stringify(document.querySelector('#front-figure .nsewdrag').getBoundingClientRect().toJSON())"
    at_end = tab.run(look)
    place = tab.run(f"document.getElementById('front').scrollIntoView({{behavior: 'instant'}}), {plot}")
    tab.run("document.getElementById('grown').focus({preventScroll: true})")
    for stop in range(len(DESIGNS) - 2, 2, -1):
        tab.press("ArrowLeft")
        tab.settle()
        assert tab.run("document.getElementById('grown').getAttribute('aria-valuetext')").startswith(f"trial {stop}: ")
        assert sorted(set(tab.run(shown))) == list(range(stop + 1))
        assert tab.run(plot) == place  # nothing moves
    tab.press("End")
    tab.settle()
    assert tab.run(look) == at_end


def test_the_line_of_a_trial_is_lit_by_the_keyboard_and_opens_its_design(tab: Tab) -> None:
    tab.ask("Input.dispatchMouseEvent", type="mouseMoved", x=1, y=1)
    strands = tab.run(STRANDS)
    assert len(strands) == len(DESIGNS)
    tab.run("document.querySelector('svg.parallel').focus()")
    tab.press("End")
    assert tab.run(LIT) == strands[0][1]  # the worst
    tab.press("ArrowUp")
    assert tab.run(LIT) == strands[1][1]
    assert tab.run("document.getElementById('strand').textContent").startswith(f"Trial {strands[1][0]} · AUROC 0.")
    tab.press("Enter")
    assert tab.run("document.querySelector('#chosen h3').textContent") == f"Trial {strands[1][0]}"


def test_the_line_of_a_trial_is_lit_by_the_pointer_and_opens_its_design(tab: Tab) -> None:
    number, line = tab.run(STRANDS)[-1]
    x, y = line.removeprefix("M").split("L")[0].split()
    tab.run("document.getElementById('parallel').scrollIntoView({behavior: 'instant'})")
    tab.settle()
    place = tab.run(f"{{const box = document.querySelector('svg.parallel').getBoundingClientRect(); [box.left + {x} + 1, box.top + {y}]}}")
    tab.ask("Input.dispatchMouseEvent", type="mouseMoved", x=place[0], y=place[1])
    assert tab.run(LIT) == line
    for kind in ("mousePressed", "mouseReleased"):
        tab.ask("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left", clickCount=1)
    assert tab.run("document.querySelector('#chosen h3').textContent") == f"Trial {number}"


def test_a_part_of_the_training_is_chosen_and_drawn(tab: Tab) -> None:
    drawn = "document.getElementById('learning-0').data.find((trace) => trace.name === 'validation').y[0]"
    before = tab.run(drawn)
    tab.run("{const list = document.getElementById('learning-0-chooser'); list.selectedIndex = 1; list.dispatchEvent(new Event('change'))}")
    tab.settle()
    assert tab.run(drawn) != before
    assert tab.run("document.querySelectorAll('#learning .main-svg').length") > 0


def test_the_button_copies_the_export_command(tab: Tab) -> None:
    tab.run("document.querySelector('button.copy').click()")
    told = tab.run("new Promise((done) => setTimeout(() => done(document.querySelector('output.copied').textContent), 200))")
    assert told.startswith(("Copied", "Selected"))


def test_it_prints_and_no_figure_is_wider_than_the_paper(tab: Tab) -> None:
    widths = "[...document.querySelectorAll('[data-figure] .main-svg')].map((svg) => svg.getBoundingClientRect().width)"
    before = tab.run(widths)
    tab.run(f"addEventListener('beforeprint', () => (window.printed = {widths})), 0")
    assert base64.b64decode(tab.ask("Page.printToPDF")["data"]).startswith(b"%PDF")
    printed = tab.run("printed")
    assert len(printed) == len(before) > 3
    assert max(printed) < 640 < max(before)  # 210 mm of paper without margins of 12 mm are 703 pixels; a card takes 40 of them
    tab.settle()
    assert tab.run(widths) == before


def test_on_paper_cards_stand_below_each_other_and_nothing_to_click_is_left(tab: Tab, report: Path) -> None:
    tab.show(report, width=703, media="print")
    lefts = tab.run("[...document.querySelectorAll('.split > .card')].map((card) => card.getBoundingClientRect().left)")
    assert len(lefts) > 3
    assert len(set(lefts)) == 1
    assert tab.run("document.querySelector('button.copy').getClientRects().length") == 0
    assert tab.run("document.documentElement.scrollWidth") <= 703


def test_a_telephone_shows_it_without_scrolling_sideways(tab: Tab, report: Path) -> None:
    tab.show(report, width=390)
    assert tab.run("document.documentElement.scrollWidth") <= 390
    cells = "[...document.querySelector('#table tbody tr').cells].filter((cell) => cell.textContent.trim())"
    rights = tab.run(f"{cells}.map((cell) => cell.getBoundingClientRect().right)")
    assert len(rights) > 5
    assert max(rights) <= 390
    assert tab.run(f"getComputedStyle({cells}.at(-1), '::before').content") == '"Digest"'
    levels = "[...document.querySelectorAll('#levels td')]"
    assert max(tab.run(f"{levels}.map((cell) => cell.getBoundingClientRect().right)")) <= 390
    names = tab.run(f"{levels}.slice(0, 5).map((cell) => getComputedStyle(cell, '::before').content)")
    assert names[:2] == ['"site"', '"Rows"']
    assert names[3:] == ['"Best single modality, trial 0"', '"Difference"']


def test_a_table_that_is_cut_says_so(tab: Tab, report: Path) -> None:
    tab.show(report, width=700)
    cut = "[...document.querySelectorAll('.scroll')].filter((frame) => frame.scrollWidth > frame.clientWidth + 1)"
    tab.settle()
    assert tab.run(f"{cut}.length") > 0
    assert tab.run(f"{cut}.every((frame) => !frame.previousElementSibling.hidden)")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_what_is_behind_it(tab: Tab, report: Path, scheme: str) -> None:
    tab.show(report, width=1300, scheme=scheme)
    assert tab.run(_FAINT) == []


#: Texts with a contrast below 4.5 (WCAG 2.2, 1.4.3), with the colours of either.
_FAINT = r"""
(() => {
  const numbers = (colour) => {
    const parts = colour.match(/[\d.]+/g).map(Number);
    const scale = colour.startsWith("color(srgb") ? 255 : 1;
    return [...parts.slice(0, 3).map((part) => scale * part), parts[3] ?? 1];
  };
  const light = (rgb) => {
    const [r, g, b] = rgb.map((part) => (part / 255 <= 0.03928 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      layers.push(numbers(getComputedStyle(at).backgroundColor));
      if (layers.at(-1)[3] === 1) break;
    }
    const over = (under, [r, g, b, a]) => [r, g, b].map((part, index) => part * a + under[index] * (1 - a));
    return layers.reverse().reduce(over, [255, 255, 255]);
  };
  const faint = new Set();
  for (const element of document.body.querySelectorAll("*")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !element.getClientRects().length || element.matches("script, style, option, .headname, .operator, .main-svg *")) continue;
    const style = getComputedStyle(element);
    const text = light(numbers(element instanceof SVGElement ? style.fill : style.color));
    const ground = light(behind(element));
    const contrast = (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05);
    if (contrast < 4.5) faint.add(`${element.className.baseVal ?? element.className} ${element.tagName}: ${contrast.toFixed(2)}`);
  }
  return [...faint];
})()
"""


@pytest.mark.parametrize("width", [390, 1300])
def test_the_charts_of_a_comparison_stay_in_their_panels(browser: Tab, make_run: Callable[..., Run], tmp_path: Path, width: int) -> None:
    browser.show(compare_runs([make_run(8, seed=seed).path for seed in (0, 1)], tmp_path / "page.html"), width=width)
    over = "[...document.querySelectorAll('.figure')].map((each) => each.querySelector('svg').getBoundingClientRect().bottom - {}.bottom)"
    assert max(browser.run(over.format("each.getBoundingClientRect()"))) <= 1
    assert browser.run("document.documentElement.scrollWidth") <= width
