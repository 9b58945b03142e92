"""What a notebook shows: everything is escaped, and values show themselves."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np

from fusearch.contracts import Evaluation
from fusearch.data import Dataset
from fusearch.data.modality import Modality
from fusearch.notebook import html_table, html_title, html_values
from fusearch.search_space import Candidate, FusionGraph, Recipe

TABLES = (Modality("rna", "tabular", (4,)), Modality("labs", "tabular", (3,)))


def wellformed(html: str) -> ET.Element:
    return ET.fromstring(f"<div>{html.replace('<br>', '<br/>')}</div>")  # our own text


def test_a_table_has_a_row_a_mapping_and_escapes_all() -> None:
    table = html_table([{"<a>": "x & y", "b": 0.123456789}, {"b": 123456.0, "c": "one\ntwo"}])
    cells = [["".join(cell.itertext()) for cell in row] for row in wellformed(table).iter("tr")]
    assert cells == [["<a>", "b", "c"], ["x & y", "0.1235", ""], ["", "123,456", "onetwo"]]
    assert [row.text for row in wellformed(html_table([{"a": 1, "b": 2}], ("b",))).iter("td")] == ["2"]
    assert html_title("<b>") == "<p><b>&lt;b&gt;</b></p>"


def test_values_have_a_spread_where_it_is_known() -> None:
    assert "spread" not in html_values({"auroc": 0.9}, {})
    cells = [cell.text for cell in wellformed(html_values({"auroc": 0.9, "macs": 10.0}, {"auroc": 0.01})).iter("td")]
    assert cells == ["auroc", "0.9", "0.01", "macs", "10", None]
    assert Evaluation({"auroc": 0.9}, spread={"auroc": 0.01})._repr_html_() == html_values({"auroc": 0.9}, {"auroc": 0.01})


def test_a_design_shows_its_drawing_and_a_candidate_its_recipe_too() -> None:
    graph = FusionGraph.parse("F1 = cat(rna@1, labs@L) ->", TABLES)
    assert graph._repr_html_().startswith("<svg")
    shown = Candidate(graph, Recipe(width=48))._repr_html_()
    assert graph._repr_html_() in shown
    assert "<td>48</td>" in shown


def test_a_data_set_shows_its_modalities_and_splits() -> None:
    values = {"rna": np.arange(8.0).reshape(4, 2), "labs": np.arange(12.0).reshape(4, 3)}
    present = {"rna": np.ones(4, bool), "labs": np.array([True, False, True, True])}
    splits = ["train", "train", "val", "test"]
    data = Dataset.from_arrays("<mine>", modalities=values, targets=[0, 1, 0, 1], present=present, splits=splits)
    shown = data._repr_html_()
    assert "&lt;mine&gt;: 4 samples (test 1, train 2, val 1), classification of target" in shown
    rows = [[cell.text for cell in row] for row in wellformed(shown).iter("tr")]
    assert ["labs", "tabular", "(3,)", "1"] in rows
