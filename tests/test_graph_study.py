"""Graphs in every format that is read, written by the real writers, go from the manifest to the predictions of a bundle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from bundles import bundle_of_all, predictions_of_files

from fusearch.data import Dataset, check_data, load_data
from fusearch.run import Run

pytest.importorskip("torch_geometric", reason="needs fusearch[graph]")

ROWS = 24
BONES = [(0, 1), (1, 2), (2, 3), (1, 4)]

#: Modality -> its keys, and its encoder.
FORMATS = {
    "molecule": ({"file": "graphs.csv", "column": "graph"}, "gat(stages=1)"),
    "skeleton": ({"file": "graphs.csv", "column": "joints", "root": "joints", "edges": "bones.csv"}, "gcn(stages=1)"),
    "cells": ({"file": "tables/cells.csv", "node": "cell", "features": ["area", "stain"], "edges": "tables/contacts.csv"}, "gcn(stages=1)"),
    "array": ({"file": "array.npz", "key": "x", "edges": "bones.csv", "directed": True}, "deepset(stages=1)"),
}


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("graphs")
    rng, ids = np.random.default_rng(0), [f"p{row:02d}" for row in range(ROWS)]
    sick = np.arange(ROWS) % 2
    joints = rng.normal(size=(ROWS, 5, 2)) + sick[:, None, None]
    joints[0, 4] = np.nan  # a joint that the camera did not see
    (folder / "joints").mkdir()
    for row in range(ROWS):
        count = 3 + row % 4
        pairs = np.array([(node, node + 1) for node in range(count - 1)])
        features = rng.normal(size=(count, 3)) + sick[row]
        np.savez(folder / f"{row}.npz", features=features, edges=pairs.T if row % 2 else pairs, weights=rng.uniform(0.5, 1, len(pairs)))
        np.save(folder / "joints" / f"{row}.npy", joints[row])
    np.savez(folder / "array.npz", x=joints[::-1], id=np.array(ids)[::-1])
    pd.DataFrame(BONES, columns=["source", "target"]).to_csv(folder / "bones.csv", index=False)
    (folder / "tables").mkdir()
    cells = [(name, f"c{9 - node}", sick[row] + rng.normal(), rng.normal()) for row, name in enumerate(ids) for node in range(2 + row % 3)]
    pd.DataFrame(cells[::-1], columns=["id", "cell", "area", "stain"]).to_csv(folder / "tables" / "cells.csv", index=False)
    contacts = [(name, "c9", "c8", rng.uniform(0.5, 1)) for name in ids]
    pd.DataFrame(contacts, columns=["id", "source", "target", "weight"]).to_csv(folder / "tables" / "contacts.csv", index=False)
    names = [f"{row}.npz" for row in range(ROWS)]
    names[3] = ""  # that sample lacks it
    table = {"id": ids, "sick": np.where(sick, "yes", "no"), "graph": names, "joints": [f"{row}.npy" for row in range(ROWS)]}
    pd.DataFrame(table).to_csv(folder / "graphs.csv", index=False)
    modalities = {name: {"kind": "graph", **keys} for name, (keys, _) in FORMATS.items()}
    document = {"id": "id", "task": {"kind": "classification", "file": "graphs.csv", "column": "sick"}, "modalities": modalities}
    (folder / "study.yaml").write_text(yaml.safe_dump({**document, "splits": {"folds": 2}}), encoding="utf-8")
    return folder / "study.yaml"


@pytest.fixture(scope="module")
def data(manifest: Path) -> Dataset:
    return load_data(manifest)


@pytest.fixture(scope="module")
def run(data: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    from fusearch.evaluators import TrainingEvaluator
    from fusearch.search import run_search
    from fusearch.search_space import FusionGraph, SearchSpace

    streams = " | ".join(f"{name}:{encoder}" for name, (_, encoder) in FORMATS.items())
    every = FusionGraph.parse(f"{streams}\nF1 = cat({', '.join(f'{name}@L' for name in FORMATS)}; trunk=fc:0) ->", data.modalities)
    out = tmp_path_factory.mktemp("runs") / "graphs"
    evaluator = TrainingEvaluator(data, folds=2, epochs=1)
    return run_search(SearchSpace(data.modalities), evaluator, ("auroc", "macs"), out=out, trials=2, executor="inline", first=[every])


def test_every_format_is_nodes_with_their_features_and_links(data: Dataset, manifest: Path) -> None:
    found = check_data(manifest)
    assert found.ok, found.problems
    shapes = {name: entry["shape"] for name, entry in found.modalities.items()}
    assert shapes == {"molecule": [6, 9], "skeleton": [5, 7], "cells": [4, 6], "array": [5, 7]}
    assert data.present["molecule"].sum() == ROWS - 1
    np.testing.assert_array_equal(data.raw["skeleton"][1:, :, :2], data.raw["array"][1:, :, :2])
    both_ways, one_way = data.raw["skeleton"][1, :, 2:], data.raw["array"][1, :, 2:]
    np.testing.assert_array_equal(both_ways, both_ways.T)
    assert [tuple(pair) for pair in np.argwhere((one_way - np.eye(5)).T)] == sorted(BONES), "a row holds the edges that lead to its node"
    gone = data.raw["skeleton"][0]
    assert np.isnan(gone[4]).all()
    assert not gone[:4, 2 + 4].any(), "the bone to a joint that is not there goes"


def test_features_alone_are_standardised_and_what_is_not_there_is_zero(data: Dataset) -> None:
    rows = data.rows("search")
    inputs, present = data.fit_preprocessor(rows).transform(data, rows)
    raw, found = data.raw["molecule"][rows], inputs["molecule"]
    there = ~np.isnan(raw[:, :, 0])
    np.testing.assert_allclose((found[there][:, :3].mean(axis=0), found[there][:, :3].std(axis=0)), ([0] * 3, [1] * 3), atol=1e-4)
    np.testing.assert_array_equal(found[there][:, 3:], raw[there][:, 3:])
    assert not found[~there].any()
    assert not found[~present["molecule"]].any()


def test_they_are_searched_and_reported(run: Run) -> None:
    from fusearch.reports import write_report

    assert [record.reason for record in run.records() if record.state == "failed"] == []
    assert "skeleton" in write_report(run).read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_bundle_reads_the_same_files_without_fusearch(run: Run, data: Dataset, manifest: Path, tmp_path: Path) -> None:
    bundle, inputs = bundle_of_all(run, FORMATS, tmp_path)
    assert [entry.get("packages") for entry in inputs.values()] == [None] * 4
    assert inputs["skeleton"]["edges"] == [[*map(float, pair), 1.0] for pair in BONES]
    assert "torch" not in (bundle / "requirements.txt").read_text(encoding="utf-8")
    (manifest.parent / "bones.csv").rename(manifest.parent / "elsewhere.csv")  # the bundle has the skeleton
    try:
        predictions, expected = predictions_of_files(
            bundle, data, lambda name: manifest.parent / str(FORMATS[name][0]["file"]), ["no", "yes"], tmp_path
        )
    finally:
        (manifest.parent / "elsewhere.csv").rename(manifest.parent / "bones.csv")
    np.testing.assert_allclose(predictions.to_numpy(), expected, atol=1e-5)
    assert predictions["yes"].nunique() > 1
