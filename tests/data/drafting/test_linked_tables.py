"""Tables of nodes and of edges that belong together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fusearch.data import check_data, load_data
from fusearch.data.drafting.first_manifest import draft_manifest
from fusearch.data.drafting.found import FoundTable
from fusearch.data.drafting.linked_tables import edges_of, node_column

NODES = {"pid": ["a", "a", "b", "b"], "charge": [1.0, 1.0, 2.0, 3.0], "atom": ["C1", "N2", "C1", "O2"]}
EDGES = {"pid": ["a", "b"], "source": ["C1", "O2"], "target": ["N2", "C1"]}


def table(name: str, columns: dict[str, Any]) -> FoundTable:
    return FoundTable(Path(f"{name}.csv"), None, pd.DataFrame(columns))


def test_the_column_that_edges_repeat_names_the_nodes() -> None:
    nodes, edges, other = table("nodes", NODES), table("edges", EDGES), table("visits", {"pid": ["a", "a"], "day": ["1", "2"]})
    assert edges_of(nodes, [other, nodes, edges], "pid") == (edges, "atom")
    assert edges_of(other, [nodes, edges], "pid") is None
    assert edges_of(edges, [edges, nodes], "pid") is None


@pytest.mark.parametrize(
    ("nodes", "edges"),
    [({"atom": ["C1", "C1", "C1", "O2"]}, {}), ({}, {"target": ["N9", "C9"]}), ({"pid": ["a", "a", "c", "c"]}, {})],
    ids=["a name stands twice", "other names", "other samples"],
)
def test_what_does_not_fit_names_no_nodes(nodes: dict[str, Any], edges: dict[str, Any]) -> None:
    assert node_column(table("nodes", {**NODES, **nodes}), table("edges", {**EDGES, **edges}), "pid") is None


def test_a_folder_with_both_becomes_graphs(tmp_path: Path) -> None:
    rng, rows = np.random.default_rng(0), 20
    ids = [f"m{row:02d}" for row in range(rows)]
    pd.DataFrame({"id": ids, "active": np.arange(rows) % 2, "weight": rng.normal(size=rows)}).to_csv(tmp_path / "assay.csv", index=False)
    atoms = [(name, f"x{atom}", rng.normal(), rng.normal(), row) for row, name in enumerate(ids) for atom in range(3 + row % 3)]
    pd.DataFrame(atoms, columns=["id", "atom", "charge", "mass", "batch"]).to_csv(tmp_path / "atoms.csv", index=False)
    bonds = [(name, f"x{atom}", f"x{atom + 1}") for row, name in enumerate(ids) for atom in range(2 + row % 3)]
    pd.DataFrame(bonds, columns=["id", "source", "target"]).to_csv(tmp_path / "bonds.csv", index=False)
    drafted = draft_manifest(tmp_path, targets=["active"])
    assert check_data(drafted.path).ok, check_data(drafted.path).problems
    data = load_data(drafted.path)
    assert {modality.name: modality.kind for modality in data.modalities} == {"assay": "tabular", "atoms": "graph"}
    assert data.raw["atoms"].shape == (rows, 5, 2 + 5)
    text = drafted.path.read_text(encoding="utf-8")
    assert "edges: bonds.csv" in text
    assert "features: [charge, mass]" in text
    assert "Left out: 'batch'" in text
    assert "Not used" not in text
