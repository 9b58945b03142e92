from __future__ import annotations

from typing import Any

import pytest

from fusearch.evaluators.export.card import write_card

DESIGN: dict[str, Any] = {
    "formula": "a:mlp | b:gru\nF1 = cat(a@1, b@L) ->",
    "formula_review": "F1 = ⊕(x1^1, x2^2) →",
    "digest": "abc",
    "labels": {"level": "intermediate", "type": "sudden"},
    "graph": {"training": "joint"},
    "epochs": {"fusion": 7},
    "seeds": 3,
    "task": {
        "kind": "classification",
        "name": "vital",
        "labels": ["alive", "dead"],
        "predicts": "one of alive, dead",
        "note": "Positive class: dead (second of alive, dead).",
        "says": "class probabilities",
    },
    "data": {"name": "lgg", "fingerprint": "123", "training_rows": 200},
    "versions": {"python": "3.11", "torch": "2.13"},
}
METRICS: dict[str, Any] = {
    "search": {
        "auroc": {"mean": 0.81234, "spread": 0.0321},
        "macs": {"mean": 1200.0, "spread": None},
        "memory": {"mean": 136_520.0, "spread": None},
    },
    "note": "They are optimistic.",
    "confirmed": None,
    "file_differences": {"model.pt2": 0.0, "model.onnx": 6e-8},
    "tolerance": 1e-4,
}
INPUTS: dict[str, Any] = {
    "id": "patient",
    "outputs": ["alive", "dead"],
    "modalities": {
        "a": {"option": "--a", "kind": "tabular", "shape": [2], "numeric": ["age"], "categorical": {"sex": ["f", "m"]}},
        "b": {"option": "--b", "kind": "timeseries", "shape": [6, 2]},
    },
}


def test_the_card_says_what_how_good_and_how_to_run() -> None:
    card = write_card(DESIGN, METRICS, INPUTS)
    for line in (
        "# Model card: vital from a, b",
        "F1 = cat(a@1, b@L) ->",
        "F1 = ⊕(x1^1, x2^2) →",
        "| auroc | 0.8123 | 0.032 |",
        "| macs | 1,200 |  |",
        "| memory (bytes) | 136,520 |  |",
        "They are optimistic.",
        "This design has not been evaluated on the test split.",
        "python predict.py --a a.csv --b b.npz --out predictions.csv",
        "- `--a`: a CSV file with the columns `age`, `sex` (f, m)",
        "- `--b`: b as an NPY or NPZ array (rows x 6 x 2); ids in an array `patient`",
        "Largest difference from the network on real rows: `model.pt2` 0, `model.onnx` 6e-08; allowed: 0.0001.",
    ):
        assert line in card.splitlines()
    assert "one of alive, dead" in card
    assert "3 networks of one fusion design" in card
    assert "7 epochs, the median of the best epochs of its members" in card


def test_graphs_in_two_tables_are_no_array() -> None:
    cells = {"option": "--a", "kind": "graph", "shape": [4, 6], "node": "cell", "features": ["area", "stain"], "edges": "contacts.csv"}
    card = write_card(DESIGN, METRICS, {**INPUTS, "modalities": {"a": cells}})
    nodes = "with a row for each node: `patient`, `cell`, its name, and `area`, `stain`"
    edges = "with a row for each edge: `patient`, `source`, `target`, and `weight` where edges have some; it may have none"
    assert f"- `--a`: a CSV file {nodes}; beside it `contacts.csv` {edges}" in card.splitlines()
    assert "python predict.py --a a.csv --out predictions.csv" in card
    book = {**cells, "edges": None, "sheet": "cells", "edges_sheet": "contacts"}
    card = write_card(DESIGN, METRICS, {**INPUTS, "modalities": {"a": book}})
    assert f"- `--a`: a workbook with two sheets, `cells` {nodes}; `contacts` {edges}" in card.splitlines()
    assert "python predict.py --a a.xlsx --out predictions.csv" in card


def test_a_threshold_that_was_fitted_is_told() -> None:
    fitted = {"metric": "f1_macro", "weights": [0.4, 1.6], "threshold": 0.2, "plain": 0.48, "score": 0.65}
    card = write_card(DESIGN, {**METRICS, "correction": fitted}, INPUTS)
    how = "The class that `predict.py` names is dead from a probability of 0.2 on, else alive."
    assert f"{how} This was fitted for f1_macro on held-out rows: 0.65 instead of 0.48 there." in card
    several = write_card(DESIGN, {**METRICS, "correction": {**fitted, "threshold": None}}, INPUTS)
    assert "is the one with the largest probability times a weight (alive 0.4, dead 1.6)." in several
    assert "The class that" not in write_card(DESIGN, {**METRICS, "correction": None}, INPUTS)


def test_names_of_others_do_not_become_markup() -> None:
    task = {**DESIGN["task"], "name": "y|`*<b>", "predicts": "one of a_b, <i>", "note": "Positive class: <i>."}
    table = {"option": "--a", "kind": "tabular", "shape": [1], "numeric": ["x`|y"], "categorical": {"s_x": ["<u>", "a|b"]}}
    scan = {"option": "--b", "kind": "image2d", "shape": [1, 4, 4], "column": "pa|th", "root": ".", "reader": "images"}
    card = write_card({**DESIGN, "task": task}, METRICS, {"id": "p`id", "modalities": {"a": table, "b": scan}})
    for line in (
        r"# Model card: y\|\`\*\<b\> from a, b",
        r"Predicts `y\|'*<b>` (one of a\_b, \<i\>). Positive class: \<i\>.",
        "Rows are matched by the column `p'id`. A file left out, a row that is not there, or a row of empty cells is a missing modality.",
        r"- `--a`: a CSV file with the columns `x'\|y`, `s_x` (\<u\>, a\|b)",
        r"- `--b`: a CSV file whose column `pa\|th` names a file a row (images), as 1 x 4 x 4 values",
    ):
        assert line in card.splitlines()


def test_a_confirmed_regression() -> None:
    design = DESIGN | {
        "task": {
            "kind": "regression",
            "name": "days",
            "labels": [],
            "predicts": "a number, in the units of the target",
            "note": "",
            "says": "values",
        },
        "seeds": 1,
        "epochs": {"a": 1, "fusion": 4},
    }
    confirmed = {"look": 2, "samples": 40, "values": {"rmse": 1.5}}
    card = write_card(design, METRICS | {"confirmed": confirmed}, INPUTS)
    assert "On the test split (40 samples, look 2): rmse 1.5." in card
    assert "a number, in the units of the target" in card
    assert "1 network of one fusion design" in card
    assert "1 epoch of a, 4 epochs of fusion" in card
    members = [design | {"seeds": 3}, design]
    assert "3 or 1 networks of each of 2 designs" in write_card(design | {"seeds": 3, "members": members}, METRICS, INPUTS)
    assert "nothing to train" in write_card(design | {"epochs": {}}, METRICS, INPUTS)


@pytest.mark.parametrize("count", [20, 50])
def test_a_wide_table_is_not_listed_in_full(count: int) -> None:
    table = INPUTS["modalities"]["a"] | {"numeric": [f"gene_{index}" for index in range(count)], "categorical": {}}
    card = write_card(DESIGN, METRICS, INPUTS | {"id": None, "modalities": {"a": table}})
    assert ("and 30 more (see `inputs.json`)" in card) == (count == 50)
    assert "Rows are matched by a column `id`, or by their order." in card


def test_a_single_network_is_averaged_with_no_other() -> None:
    card = write_card(DESIGN | {"seeds": 1}, METRICS, INPUTS)
    assert "1 network of one fusion design. The model file also holds imputation, scaling and one-hot encoding.\n" in card
    assert "averaged" not in card
    two = DESIGN | {"members": [DESIGN | {"seeds": 1}, DESIGN | {"seeds": 1}]}
    assert "1 network of each of 2 designs; their class probabilities\nare averaged" in write_card(two, METRICS, INPUTS)


def test_a_design_that_is_solved_has_no_epochs() -> None:
    assert "Length of training: 7 epochs, the median of the best epochs" in write_card(DESIGN, METRICS, INPUTS)
    solved = DESIGN | {"graph": {"training": "convex"}, "epochs": {"fusion": 1}}
    assert "Length of training: none, its weights were solved for." in write_card(solved, METRICS, INPUTS)
