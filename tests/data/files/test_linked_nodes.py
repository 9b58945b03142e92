"""Graphs in files: nodes with their features, and the edges between them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fusearch.data.files import linked_nodes
from fusearch.data.files.frames import TextFormat
from fusearch.data.files.linked_nodes import MOST_NODES, link_nodes, read_edges, read_graphs
from fusearch.data.files.npz import named_arrays
from fusearch.errors import DataError

FEATURES = np.arange(6.0).reshape(3, 2)


def save(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


def test_behind_the_features_of_a_node_stand_the_edges_that_lead_to_it() -> None:
    both, one = (link_nodes(FEATURES, [(0, 1), (1, 2)], directed=directed) for directed in (False, True))
    np.testing.assert_array_equal(both, [[0, 1, 1, 1, 0], [2, 3, 1, 1, 1], [4, 5, 0, 1, 1]])
    np.testing.assert_array_equal(one[:, 2:], [[1, 0, 0], [1, 1, 0], [0, 1, 1]])


def test_an_edge_has_a_weight_and_may_lead_to_its_own_node() -> None:
    linked = link_nodes(FEATURES, [(0, 1, -0.5), (2, 2, 3), (1, 1, 0), (1, 0, -0.5)])
    np.testing.assert_array_equal(linked[:, 2:], [[1, -0.5, 0], [-0.5, 1, 0], [0, 0, 3]])
    np.testing.assert_array_equal(link_nodes(FEATURES, np.empty((0, 2)))[:, 2:], np.eye(3))


def test_samples_share_edges_but_for_nodes_that_are_not_there() -> None:
    features = np.stack([FEATURES, FEATURES])
    features[1, 1] = np.nan
    features[0, 0, 0] = np.nan  # a value is missing, the node is there
    linked = link_nodes(features, [(0, 1), (1, 2)])
    np.testing.assert_array_equal(linked[0, :, 2:], [[1, 1, 0], [1, 1, 1], [0, 1, 1]])
    np.testing.assert_array_equal(linked[1, :, 2:], [[1, 0, 0], [np.nan] * 3, [0, 0, 1]])
    assert np.isnan(linked[1, 1]).all()


def test_graphs_of_several_sizes_have_room_for_the_largest(tmp_path: Path) -> None:
    small = save(tmp_path / "a.npz", features=FEATURES[:2], edges=np.array([[0, 1]]))
    large = save(tmp_path / "b.npz", features=np.arange(8).reshape(4, 2), edges=np.array([[0, 1, 2], [1, 2, 3]]), weights=[1, 2, 3.0])
    found = read_graphs([small, None, large, small], places=list("wxyz"))
    assert found.values.shape == (4, 4, 6)
    assert found.sizes == (2, 4)
    np.testing.assert_array_equal(found.values[0, :2], [[0, 1, 1, 1, 0, 0], [2, 3, 1, 1, 0, 0]])
    assert np.isnan(found.values[0, 2:]).all()
    assert np.isnan(found.values[1]).all()
    np.testing.assert_array_equal(found.values[2, :, 2:], [[1, 1, 0, 0], [1, 1, 2, 0], [0, 2, 1, 3], [0, 0, 3, 1]])
    wide = read_graphs([small], nodes=3).values
    assert wide.shape == (1, 3, 5)
    np.testing.assert_array_equal(read_graphs([small], nodes=3).values[0, :2, :4], found.values[0, :2, :4])


def test_two_edges_are_read_as_their_name_says(tmp_path: Path) -> None:
    square = np.array([[0, 0], [1, 2]])
    index, pairs = (
        save(tmp_path / f"{name}.npz", features=FEATURES, **{name: each})
        for name, each in [("edge_index", square), ("edge_list", square.T)]
    )
    path = save(tmp_path / "path.npz", features=FEATURES, edges=np.array([[0, 1], [1, 2]]))  # either way the same
    star, same, chain = read_graphs([index, pairs, path], directed=True).values
    np.testing.assert_array_equal(star[:, 2:], [[1, 0, 0], [1, 1, 0], [1, 0, 1]])
    np.testing.assert_array_equal(same, star)
    np.testing.assert_array_equal(chain[:, 2:], [[1, 0, 0], [1, 1, 0], [0, 1, 1]])
    wide = save(tmp_path / "wide.npz", features=FEATURES, edge_list=np.array([[0, 1, 2], [1, 2, 0]]))
    with pytest.raises(DataError, match=r"wide.npz: edge_list of shape \(2, 3\), expected \(E, 2\)"):
        read_graphs([wide])


def test_files_that_share_edges_hold_features_alone(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", FEATURES.T)
    found = read_graphs([tmp_path / "a.npy"], edges=[[0, 1, 2.0]], axes=[1, 0]).values
    np.testing.assert_array_equal(found[0], [[0, 1, 1, 2, 0], [2, 3, 2, 1, 0], [4, 5, 0, 0, 1]])


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"edges": [(0, 3)]}, r"row 2: a.npz, edge 1: there is no node 3, expected 0 to 2: nodes are counted from 0"),
        ({"edges": [(0, 1), (-1, 2), (0, 2)]}, "a.npz, edge 2: there is no node -1"),
        ({"edges": [(0.0, 0.5)]}, r"a.npz, edge 1: \[0.0, 0.5, 1.0\], expected two nodes as whole numbers"),
        ({"edges": [(0, 1)], "weights": [np.nan]}, r"a.npz, edge 1: \[0.0, 1.0, nan\], expected two nodes as whole numbers, and a finite"),
        ({"edges": [(0, 1)], "weights": [1, 2]}, r"a.npz: weights of int64 and shape \(2,\), expected a number for each of 1 edges"),
        (
            {"edges": [(0, 1), (1, 0)], "weights": [1, 2]},
            "a.npz, edge 1: nodes 0 and 1 have the weights 1 and 2, expected one, or `directed",
        ),
        ({"edges": [(0, 1)], "weights": [1e300]}, "a.npz: an infinite value"),
        (
            {"edges": [(0, 1), (0, 2)]},
            r"edges of shape \(2, 2\), which can be read as \(E, 2\) and as \(2, E\); expected the name `edge_list`",
        ),
        ({"edge_index": [(0, 1)]}, "a.npz: arrays 'edges' and 'edge_index', expected one of them"),
        ({"edges": [0, 1]}, r"a.npz: edges of int64 and shape \(2,\), expected pairs of nodes, \(E, 2\) or \(2, E\)"),
        ({"features": np.full((3, 2), np.nan)}, "a.npz: every feature of every node is missing"),
        ({"features": np.array([[1, 1], [np.nan, np.nan]]), "edges": [(0, 1)]}, "a.npz, edge 1: node 1 has no value, expected a node that"),
        ({"features": np.empty((0, 2))}, r"a.npz: features of shape \(0, 2\), expected at least one node and one feature"),
        ({"features": np.array([["a"]])}, r"a.npz: features of <U1 and shape \(1, 1\), expected numbers \(nodes, features\)"),
        ({"features": np.full((3, 2), np.inf)}, "a.npz: an infinite value"),
        ({"features": np.array([[{}]])}, "a.npz: array 'features' holds Python objects, which are not read"),
        (
            {"features": np.ones((MOST_NODES + 1, 1))},
            "a.npz: 501 nodes, and every pair of nodes takes a number, 251001 of them a sample; `nod",
        ),
    ],
)
def test_what_is_wrong_with_a_graph(arrays: dict[str, Any], message: str, tmp_path: Path) -> None:
    file = save(tmp_path / "a.npz", **{"features": FEATURES, "edges": [(0, 1)], **arrays})
    with pytest.raises(DataError, match=message):
        read_graphs([file], places=["graphs.csv, row 2"])


def test_what_is_wrong_with_files(tmp_path: Path) -> None:
    alone, other = save(tmp_path / "a.npz", features=FEATURES), save(tmp_path / "b.npz", features=np.ones((2, 3)), edges=[(0, 1)])
    (tmp_path / "c.npz").write_bytes(other.read_bytes()[:-30])
    np.save(tmp_path / "d.txt.npy", FEATURES)
    cases: list[tuple[list[Path], dict[str, Any], str]] = [
        ([alone], {}, "a.npz: no array 'edges'; expected `edges` in it, or `edges: FILE` in the manifest"),
        ([other], {"edges": [[0, 1, 1]]}, "b.npz: it has `edges` of its own, and there are edges that all samples share"),
        ([other], {"nodes": 1}, "b.npz: 2 nodes, and `nodes` is 1; expected at most so many"),
        ([alone, tmp_path / "d.txt.npy"], {"edges": [[0, 3, 1]]}, "edge 1 of those that all samples share: there is no node 3"),
        (
            [save(tmp_path / "e.npz", features=FEATURES, edges=[(0, 1)]), other],
            {},
            r"graphs have different numbers of features: 2 \(1, such",
        ),
        ([tmp_path / "c.npz"], {}, "c.npz: cannot be read as an array"),
        ([save(tmp_path / "f.npz", x=FEATURES)], {}, "f.npz: no array 'features', expected one of: x"),
        ([tmp_path / "gone.npz"], {}, "1 of 1 graphs is missing in"),
    ]
    (tmp_path / "g.txt").write_text("1 2", encoding="utf-8")
    for files, keys, message in [*cases, ([tmp_path / "g.txt"], {}, "g.txt: expected a file that ends in one of: .npy, .npz")]:
        with pytest.raises(DataError, match=message):
            read_graphs(files, **keys)


def test_edges_that_all_share_are_a_table(tmp_path: Path) -> None:
    (tmp_path / "bones.csv").write_text("weight;target;source\n1,5;1;0\n2;2;1\n", encoding="utf-8")
    assert read_edges(tmp_path / "bones.csv", TextFormat()) == ([[0, 1, 1.5], [1, 2, 2]], ["line 2", "line 3"])
    for text, message in (
        ("from,target\n0,1\n", "bones.csv: no column 'source', "),
        ("source,target\n0,1\n1,\n", "bones.csv, line 3: no target, expected one in every row"),
        ("source,target\n0,knee\n", "bones.csv"),
    ):
        (tmp_path / "bones.csv").write_text(text, encoding="utf-8")
        with pytest.raises(DataError, match=message):
            read_edges(tmp_path / "bones.csv", TextFormat())


def test_a_file_is_opened_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(linked_nodes, "named_arrays", lambda path: (opened.append(path.name), named_arrays(path))[1])
    files = [tmp_path / f"{row}.npz" for row in range(3)]
    for row, file in enumerate(files):
        np.savez(file, features=np.ones((2 + row, 1)), edges=[[0, 1]])
    found = read_graphs([*files, files[0], None])
    assert opened == ["0.npz", "1.npz", "2.npz"]
    assert found.sizes == (2, 3, 4)
    assert found.values.shape == (5, 4, 1 + 4)
