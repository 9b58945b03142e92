from __future__ import annotations

import html.parser
import json
import re
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from fusearch.reports.findings.findings import read_findings
from fusearch.reports.findings.verdict import judge
from fusearch.reports.page.page import MAX_DRAWINGS, render_page
from fusearch.run import Run

VOID = {"meta", "input", "br", "link"}
EVIL = '</script><script>alert(1)</script> "quoted" & <b>'


class Reader(html.parser.HTMLParser):
    """Checks that elements close in order, and collects ids, links inside the page, what it loads, and embedded JSON."""

    def __init__(self) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.ids: list[str] = []
        self.anchors: list[str] = []
        self.loaded: list[str] = []
        self.figures: list[str] = []
        self.json: dict[str, str] = {}
        self.headline = ""
        self._json_id: str | None = None

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag not in VOID:
            self.stack.append(tag)
        if found.get("id"):
            self.ids.append(str(found["id"]))
        self.loaded += [str(found[name]) for name in ("src", "srcset") if name in found]
        is_paper = tag == "a" and str(found.get("href")).startswith("https://doi.org/")  # opened by a reader, not by the page
        if tag in ("a", "link") and "href" in found and not is_paper:
            (self.anchors if str(found["href"]).startswith("#") else self.loaded).append(str(found["href"]))
        self.figures += [str(found["data-figure"])] if "data-figure" in found else []
        self._json_id = str(found["id"]) if found.get("type") == "application/json" else None

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag

    def handle_startendtag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        """An element that closes itself, inside a drawing."""

    def handle_data(self, data: str) -> None:
        if self._json_id:
            self.json[self._json_id] = self.json.get(self._json_id, "") + data
        if self.stack and self.stack[-1] == "h1":
            self.headline += data


def read(run: Run) -> tuple[str, Reader]:
    found = read_findings(run)
    page = render_page(found, judge(found))
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.stack == []
    return page, reader


@pytest.mark.parametrize(
    "objectives", [("auroc",), ("auroc", "macs"), ("auroc", "macs", "latency_ms"), ("auroc", "log_loss", "macs", "parameters")]
)
def test_the_page_is_whole_and_loads_nothing(make_run: Callable[..., Run], objectives: tuple[str, ...]) -> None:
    page, reader = read(make_run(25, failures=2, objectives=objectives))
    assert reader.loaded == []
    assert len(reader.ids) == len(set(reader.ids))
    assert {anchor[1:] for anchor in reader.anchors} <= set(reader.ids)
    assert set(reader.figures) <= set(reader.json)
    assert page.count("plotly.js v") == 1
    pairs = len(objectives) * (len(objectives) - 1) // 2
    assert sum(name.startswith("figure-front") for name in reader.json) == max(pairs, 1)
    for text in reader.json.values():
        json.loads(text)


def test_the_page_may_reach_no_network_and_offers_no_upload(make_run: Callable[..., Run]) -> None:
    page, _ = read(make_run(6))
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)
    assert policy is not None
    directives = dict(part.strip().split(" ", 1) for part in policy[1].split(";"))
    assert directives["default-src"] == "'none'"
    assert not {name for name, value in directives.items() if "http" in value or "*" in value or "'self'" in value}
    assert "showSendToCloud: false" in page  # plotly.js shows the button unless told not to


def test_the_first_line_is_the_verdict(make_run: Callable[..., Run]) -> None:
    run = make_run(30, gain=-0.05)
    _, reader = read(run)
    assert reader.headline == judge(read_findings(run)).headline
    assert reader.headline.startswith("So far (30 of 30 trials")


def test_every_point_of_the_figure_has_facts_for_the_panel(make_run: Callable[..., Run]) -> None:
    _, reader = read(make_run(25))
    figure = json.loads(reader.json["figure-front-0"])
    numbers = {number for trace in figure["data"] for number in trace.get("customdata", [])}
    assert numbers <= {trial["number"] for trial in json.loads(reader.json["trials"])["trials"]}
    assert len(numbers) > 20


@pytest.mark.parametrize(("trials", "failures"), [(0, 0), (0, 3), (1, 0), (1, 2)])
def test_runs_with_little_in_them_have_a_page(make_run: Callable[..., Run], trials: int, failures: int) -> None:
    page, reader = read(make_run(trials, failures=failures))
    if not trials:
        assert reader.headline == "No trial has finished, so there is nothing to recommend."
        assert reader.figures == []
        assert len(page) < 100_000  # no plotly.js where there is nothing to plot


def test_strange_formulas_cannot_break_the_page(make_run: Callable[..., Run]) -> None:
    page, reader = read(make_run(5, references=False, formula=lambda rng: f"{EVIL} {rng.integers(1_000_000)}"))
    assert "<script>alert" not in page
    assert json.loads(reader.json["trials"])["trials"][0]["formula"].startswith(EVIL)


@pytest.mark.slow
def test_a_thousand_trials_stay_below_eight_megabytes(make_run: Callable[..., Run]) -> None:
    from fusearch.data.modality import Modality
    from fusearch.search_space import FusionGraph

    modalities = tuple(Modality(name, "tabular", (200,)) for name in ("mrna", "meth", "mirna"))

    def formula(rng: np.random.Generator) -> str:
        depths, trunks = rng.integers(0, 3, size=4), rng.integers(1, 9, size=3)
        text = (
            f"F1 = cat(mrna@{depths[0]}, meth@{depths[1]}; trunk=fc:{trunks[0]}); F2 = sum(F1@1, mirna@{depths[2]}; trunk=fc:{trunks[1]});"
            f"F3 = product(F1@{trunks[0]}, F2@{trunks[1]}, meth@{depths[3]}; trunk=fc:{trunks[2]}) ->"
        )
        return str(FusionGraph.parse(f"mrna:mlp | meth:mlp | mirna:mlp\n{text}", modalities))

    pages = [read(make_run(number, objectives=("auroc", "macs", "latency_ms", "log_loss"), formula=formula)) for number in (150, 250)]
    assert [sum(name.startswith("drawing-") for name in reader.ids) for _, reader in pages] == [MAX_DRAWINGS] * 2
    less, more = (len(page.encode()) for page, _ in pages)
    assert less + (1000 - 150) / (250 - 150) * (more - less) < 8_000_000
