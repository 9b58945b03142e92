"""Graphs in two tables in long form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fusearch.data.files.frames import TextFormat
from fusearch.data.files.long_graphs import long_graphs, read_node_tables
from fusearch.errors import DataError

NODES = "id,cell,area,stain\np1,a,1,2\np1,b,3,\np2,b,5,6\np1,c,7,8\np2,a,9,1\np3,a,0,0\n"
EDGES = "id,source,target,weight\np2,a,b,0.5\np1,a,c,2\np1,a,b,3\n"
PLACES = ("nodes.csv", "edges.csv")


def read(folder: Path, nodes: str = NODES, edges: str = EDGES, **how: Any) -> Any:
    for name, text in zip(PLACES, (nodes, edges), strict=True):
        (folder / name).write_text(text, encoding="utf-8")
    tables = read_node_tables(*(folder / name for name in PLACES), sample="id", node="cell", form=TextFormat())
    return long_graphs(*tables, places=PLACES, sample="id", node="cell", **{"features": ["area", "stain"], **how})


def test_nodes_are_in_their_order_and_edges_are_found_by_name(tmp_path: Path) -> None:
    ids, graphs = read(tmp_path)
    assert ids == ["p1", "p2", "p3"]
    assert graphs.sizes == (3, 2, 1)
    assert graphs.values.shape == (3, 3, 2 + 3)
    first = [[1, 2, 1, 3, 2], [3, np.nan, 3, 1, 0], [7, 8, 2, 0, 1]]
    np.testing.assert_array_equal(graphs.values[0], first)
    np.testing.assert_array_equal(graphs.values[1], [[5, 6, 1, 0.5, 0], [9, 1, 0.5, 1, 0], [np.nan] * 5])
    np.testing.assert_array_equal(graphs.values[2, 0], [0, 0, 1, 0, 0]), "a graph without edges"


def test_no_sample_need_have_an_edge(tmp_path: Path) -> None:
    """A table of a header alone, as a program writes it that found no contact, is one without edges; one without a header is not."""
    ids, graphs = read(tmp_path, edges="id,source,target,weight\n")
    assert ids == ["p1", "p2", "p3"]
    np.testing.assert_array_equal(graphs.values[0, :, 2:], np.eye(3))
    assert read(tmp_path, edges="id;source;target\n\n")[1].sizes == (3, 2, 1)
    with pytest.raises(DataError, match=r"edges.csv: no column 'target'"):
        read(tmp_path, edges="id,source\n")
    with pytest.raises(DataError, match=r"edges.csv: the file is empty"):
        read(tmp_path, edges="\n")
    with pytest.raises(DataError, match=r"nodes.csv: the table has no rows"):
        read(tmp_path, nodes="id,cell,area,stain\n")
    read(tmp_path)
    pytest.importorskip("pyarrow", reason="needs fusearch[parquet]")
    pd.DataFrame(columns=["id", "source", "target", "weight"]).to_parquet(tmp_path / "edges.parquet")
    tables = read_node_tables(tmp_path / "nodes.csv", tmp_path / "edges.parquet", sample="id", node="cell", form=TextFormat())
    assert list(tables[1].columns) == ["id", "source", "target", "weight"]


def test_some_samples_with_room_for_more_and_edges_that_lead_one_way(tmp_path: Path) -> None:
    ids, graphs = read(tmp_path, wanted={"p2"}, room=4, directed=True, features=["stain"])
    assert ids == ["p2"]
    np.testing.assert_array_equal(graphs.values[0, :2], [[6, 1, 0.5, 0, 0], [1, 0, 1, 0, 0]])
    assert np.isnan(graphs.values[0, 2:]).all()


def test_names_are_text_as_they_stand(tmp_path: Path) -> None:
    nodes, edges = "id,cell,area\n007,01,1\n007,02,2\n", "id,source,target\n007,01,02\n"
    ids, graphs = read(tmp_path, nodes, edges, features=["area"])
    assert ids == ["007"]
    np.testing.assert_array_equal(graphs.values[0], [[1, 1, 1], [2, 1, 1]])


@pytest.mark.parametrize(
    ("nodes", "edges", "message"),
    [
        (NODES, EDGES + "p1,a,d,1\n", r"edges.csv, line 5: target 'd' is no node of 'p1', expected one of: a, b, c"),
        (NODES, EDGES + "p11,a,b,1\n", r"edges.csv, line 5: no node of 'p11' stands in nodes.csv; did you mean 'p1'\?"),
        (
            NODES,
            EDGES + "p1,a,b,x\n",
            r"edges.csv: column 'weight' holds 'x' in line 5; expected finite numbers, empty cells, or texts that",
        ),
        (
            "id,cell,area,stain\np1,a,C,1\np1,b,N,2\n",
            "id,source,target\np1,a,b\n",
            r"'area' holds 'C', 'N', first in line 2; expected finite numbers \(or 'area' left out by `features`\)",
        ),
        (NODES, EDGES + "p1,a,,1\n", r"edges.csv: no 'target' in line 5, expected one in every row"),
        (NODES, EDGES + "p1,b,c,\n", r"edges.csv, line 5: no weight, expected one in every row"),
        (NODES, EDGES + "p1,a,b,4\n", r"edges.csv, line 4: nodes 'a' and 'b' have the weights 3 and 4, expected one"),
        (NODES + "p1,a,1,1\n", EDGES, r"nodes.csv: node 'a' of 'p1' stands in line 2 and in line 8, expected it once"),
        (NODES + ",d,1,1\n", EDGES, r"nodes.csv: no 'id' in line 8, expected one in every row"),
        (
            NODES + "p1,d,,\n",
            EDGES + "p1,a,d,1\n",
            r"edges.csv, line 5: target 'd' has no value in nodes.csv, expected a node that is there",
        ),
        (NODES + "p1,d,x,1\n", EDGES, r"nodes.csv.*'area'.*'x'"),
        (NODES, EDGES.replace("target", "to"), r"edges.csv: no column 'target'"),
    ],
)
def test_what_does_not_fit_is_named_with_its_line(nodes: str, edges: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path, nodes, edges)


def test_a_graph_with_too_many_nodes_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nodes.csv, sample 'p1': 3 nodes, and `nodes` is 2; expected at most so many"):
        read(tmp_path, room=2)
    many = pd.DataFrame({"id": "p", "cell": range(501), "area": 1.0}).to_csv(index=False)
    with pytest.raises(DataError, match=r"nodes.csv, sample 'p': 501 nodes, and every pair of nodes takes a number.*`nodes: 501`"):
        read(tmp_path, many, "id,source,target\np,0,1\n", features=["area"])
