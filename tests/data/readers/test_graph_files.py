"""Graphs that a manifest names: a file a sample, or the features of all nodes in one array."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from fusearch.data import check_data, load_data

ROWS = 12


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng, ids = np.random.default_rng(0), np.array([f"p{row:02d}" for row in range(ROWS)])
    nodes = rng.normal(size=(ROWS, 4, 2))
    np.savez(tmp_path / "nodes.npz", x=nodes, id=ids)
    for row in range(ROWS):
        np.savez(tmp_path / f"{row}.npz", features=nodes[row, : 2 + row % 3], edges=[(0, 1)])
    pd.DataFrame({"id": ids, "sick": np.arange(ROWS) % 2, "graph": [f"{row}.npz" for row in range(ROWS)]}).to_csv(tmp_path / "t.csv")
    (tmp_path / "bones.csv").write_text("source,target\n0,1\n1,2\n", encoding="utf-8")
    return tmp_path


def write(folder: Path, name: str = "study", *, task: str = "t.csv", **keys: Any) -> Path:
    document = {
        "id": "id",
        "task": {"kind": "classification", "file": task, "column": "sick"},
        "modalities": {"gait": {"kind": "graph", **keys}},
    }
    if "splits" in keys:
        document["splits"] = document["modalities"]["gait"].pop("splits")
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    return folder / f"{name}.yaml"


NODES = {"file": "nodes.npz", "key": "x", "edges": "bones.csv"}
FILES = {"file": "t.csv", "column": "graph"}


def test_an_array_of_nodes_and_files_are_the_same_graphs(folder: Path) -> None:
    nodes = load_data(write(folder, **NODES)).raw["gait"]
    assert nodes.shape == (ROWS, 4, 6)
    np.testing.assert_array_equal(nodes[5, :, 2:], [[1, 1, 0, 0], [1, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 1]])
    files = load_data(write(folder, **FILES)).raw["gait"]
    np.testing.assert_array_equal(files[5, :, :2], nodes[5, :, :2])
    assert np.isnan(files[0, 2:]).all()


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({**NODES, "edges": "bone.csv"}, "study.yaml: modalities.gait.edges: no file 'bone.csv' beside the manifest"),
        ({**NODES, "edges": "nodes.npz"}, "study.yaml: modalities.gait.edges: 'nodes.npz', expected a table that ends in one of: .csv"),
        ({**NODES, "edges": "long.csv"}, "long.csv, line 3: there is no node 4, expected 0 to 3: nodes are counted from 0"),
        ({**NODES, "nodes": 3}, "nodes.npz: 4 nodes, and `nodes` is 3"),
        ({**NODES, "key": "id"}, "nodes.npz"),
        ({"file": "nodes.npz"}, "needs the key 'edges', the table of the edges that all samples share"),
        ({**NODES, "column": "graph"}, "'column' does not go with 'nodes.npz'"),
        ({"file": "t.csv"}, "the table 't.csv' needs one of the keys 'node' (a row a node) and 'column' (the file of a graph a row)"),
        ({"file": "t.csv", "node": "x", "features": ["y"]}, "the table 't.csv' with a row a node needs the key 'edges'"),
        ({"file": "t.csv", "node": "x", "edges": "long.csv"}, "the table 't.csv' with a row a node needs the key 'features'"),
        ({**FILES, "features": ["y"]}, "'features' does not go with 'column'"),
        ({"file": "t.csv", "node": "x", "features": ["y"], "edges": "long.csv"}, "modalities.gait.edges: no column 'id' in long.csv"),
        ({"file": "t.csv", "node": "graph", "features": ["y"], "edges": "own.csv"}, "modalities.gait.features: no column 'y' in t.csv"),
        ({**FILES, "edges": "bones.csv"}, "t.csv, line 2: 0.npz: it has `edges` of its own"),
        ({**FILES, "nodes": 0}, "nodes"),
    ],
)
def test_check_says_what_is_wrong_in_one_line(keys: dict[str, Any], message: str, folder: Path) -> None:
    (folder / "long.csv").write_text("source,target\n0,1\n1,4\n", encoding="utf-8")
    (folder / "own.csv").write_text("id,source,target\na,0,1\n", encoding="utf-8")
    problems = [problem for problem in check_data(write(folder, **keys)).problems if problem.severity == "error"]
    assert problems
    assert message in problems[0].what
    assert "\n" not in problems[0].what


def test_nodes_and_edges_are_two_sheets_of_a_workbook(folder: Path) -> None:
    write_book = pytest.importorskip("workbook_files", reason="needs fusearch[excel]").write_book
    ids = [f"p{row:02d}" for row in range(ROWS)]
    nodes = pd.DataFrame([(name, node, row, 1.5) for row, name in enumerate(ids) for node in "ab"], columns=["id", "node", "x", "y"])
    edges = pd.DataFrame([(name, "a", "b") for name in ids[:3]], columns=["id", "source", "target"])
    bones = pd.DataFrame({"source": [0, 1], "target": [1, 2]})
    write_book(folder / "cells.xlsx", cells=nodes, contacts=edges, none=edges[:0], lost=edges.assign(target="c"))
    write_book(folder / "bones.xlsx", old=edges, new=bones)
    long = {"file": "cells.xlsx", "sheet": "cells", "node": "node", "features": ["x", "y"], "edges": "cells.xlsx"}
    found = load_data(write(folder, **long, edges_sheet="contacts")).raw["gait"]
    np.testing.assert_array_equal(found[2], [[2, 1.5, 1, 1], [2, 1.5, 1, 1]])
    np.testing.assert_array_equal(found[3, :, 2:], np.eye(2))
    assert (load_data(write(folder, **long, edges_sheet="none")).raw["gait"][:, :, 2:] == np.eye(2)).all()
    nodes = load_data(write(folder, **{**NODES, "edges": "bones.xlsx"}, edges_sheet="new")).raw["gait"]
    np.testing.assert_array_equal(nodes, load_data(write(folder, **NODES)).raw["gait"])
    for keys, message in (
        (long, "cells.xlsx: 4 sheets hold something, expected `edges_sheet` to name one of: cells, contacts, none, lost"),
        ({**long, "edges_sheet": "contact"}, "cells.xlsx: no sheet 'contact', did you mean 'contacts'?"),
        ({**long, "edges_sheet": "lost"}, "cells.xlsx (lost), row 2: target 'c' is no node of 'p00'"),
        ({**NODES, "edges_sheet": "new"}, "'edges_sheet' goes with `edges` in an Excel workbook (.xlsx) alone, not with 'bones.csv'"),
        ({**NODES, "edges": "bones.xlsx"}, "bones.xlsx: 2 sheets hold something, expected `edges_sheet` to name one of: old, new"),
    ):
        problem, *_ = [problem for problem in check_data(write(folder, **keys)).problems if problem.severity == "error"]
        assert message in problem.what


def test_a_file_that_cannot_be_read_is_named_with_its_row(folder: Path) -> None:
    (folder / "7.npz").write_bytes(b"PK")
    (problem,) = [problem for problem in check_data(write(folder, **FILES)).problems if problem.severity == "error"]
    assert "t.csv, line 9: 7.npz: cannot be read as an array" in problem.what


def test_nodes_behind_the_end_of_a_graph_are_no_missing_values(folder: Path) -> None:
    assert check_data(write(folder, **FILES)).modalities["gait"]["missing_values"] == 0
    np.savez(folder / "0.npz", features=[[np.nan, 1], [2, 3]], edges=[(0, 1)])
    assert check_data(write(folder, **FILES)).modalities["gait"]["missing_values"] == 1


def test_room_that_most_graphs_do_not_use_is_told(folder: Path) -> None:
    found = [problem.what for problem in check_data(write(folder, **FILES, nodes=9)).problems]
    assert "there is room for 9 nodes, and half of the graphs have 3 or fewer: every pair of nodes takes a number" in found


def test_another_cohort_with_smaller_graphs_is_filled_up(folder: Path) -> None:
    table = pd.read_csv(folder / "t.csv")
    table[[row % 3 < 2 for row in range(ROWS)]].to_csv(folder / "small.csv", index=False)
    write(folder, "other", task="small.csv", file="small.csv", column="graph")
    data = load_data(write(folder, **FILES, splits={"test": "other.yaml"}))
    theirs = data.split_of == "test"
    inputs, _ = data.fit_preprocessor(data.rows("search")).transform(data, np.flatnonzero(theirs))
    again, _ = data.fit_preprocessor(data.rows("search")).transform(data, data.rows("search"))
    same = [row for row in range(ROWS) if row % 3 < 2]
    np.testing.assert_array_equal(inputs["gait"], again["gait"][same])


def test_shared_edges_that_change_are_read_again(folder: Path) -> None:
    before = load_data(write(folder, **NODES)).fingerprint
    (folder / "bones.csv").write_text("source,target\n0,1\n1,3\n", encoding="utf-8")
    assert load_data(write(folder, **NODES)).fingerprint != before
