import json
from typing import Any

import numpy as np
import pytest

from fusearch.data import Dataset, check_data, load_data
from fusearch.errors import DataError, FusearchError


def problems(study: Any) -> list[tuple[str, str, str]]:
    return [(problem.severity, problem.where, problem.what) for problem in check_data(study.write()).problems]


def test_what_it_found(study: Any) -> None:
    study.rna.loc[3, "g2"] = np.nan
    study.clinical = study.clinical.drop(index=[5, 45])
    result = check_data(study.write())
    assert result.ok
    assert (result.name, result.samples) == ("lgg", 60)
    held = [(entry.pop("held_in"), entry.pop("mebibytes")) for entry in result.modalities.values()]
    assert held == [("memory", float(f"{60 * count * 4 / 2**20:.3g}")) for count in (4, 4, 14)]
    assert result.modalities == {
        "rna": {"kind": "tabular", "shape": [4], "missing_rows": 0, "missing_values": 1, "unlabelled_rows": 0},
        "clinical": {"kind": "tabular", "shape": [5], "missing_rows": 2, "missing_values": 0, "unlabelled_rows": 0},
        "ecg": {"kind": "timeseries", "shape": [7, 2], "missing_rows": 0, "missing_values": 0, "unlabelled_rows": 0},
    }
    assert result.splits == {
        "train": {"rows": 40, "classes": {"alive": 26, "dead": 14}},
        "val": {"rows": 10, "classes": {"alive": 7, "dead": 3}},
        "test": {"rows": 10, "classes": {"alive": 7, "dead": 3}},
    }
    assert [(problem.severity, problem.where) for problem in result.problems] == [("info", "modalities.clinical")]


def test_the_document_is_json_with_the_keys_of_the_command(study: Any) -> None:
    document = json.loads(json.dumps(check_data(study.write()).to_dict()))
    assert {"samples", "modalities", "splits", "problems"} <= set(document)
    study.document["modalities"]["rna"]["file"] = "nope.csv"
    document = json.loads(json.dumps(check_data(study.write()).to_dict()))
    assert document["problems"][0] == {
        "severity": "error",
        "what": "lgg.yaml: modalities.rna.file: no file 'nope.csv', expected a file in '" + str(study.folder) + "'",
        "where": "modalities.rna",
    }


def test_regression_has_a_mean_and_a_spread(study: Any) -> None:
    study.document["task"] = {"kind": "regression", "file": "labels.csv", "column": "months"}
    entry = check_data(study.write()).splits["test"]
    assert entry["rows"] == 10
    assert entry["mean"] == pytest.approx(study.labels["months"][50:].mean(), rel=1e-5)


def test_it_is_read_in_python_as_on_a_shell(study: Any) -> None:
    lines = str(check_data("wisconsin")).splitlines()
    assert lines[0] == "wisconsin: 569 samples"
    assert lines[1].startswith("classification of ")
    assert "Positive class: malignant" in lines[1]
    assert "Positive class: malignant" in check_data("wisconsin")._repr_html_()
    assert any(line.startswith("modality worst: kind tabular, shape 10, missing_rows 0, missing_values 0") for line in lines)
    assert "split test: rows 85, classes benign 53, malignant 32" in lines
    assert lines[-1] == "No problems found."
    study.document["ide"] = study.document.pop("id")
    assert str(check_data(study.write())).splitlines()[1].startswith("error, lgg.yaml: lgg.yaml: ide: unknown key")


def test_sources_of_every_sort(study: Any) -> None:
    assert check_data("digits").ok
    assert check_data(load_data("wisconsin")).samples == 569
    data = Dataset.from_arrays("toy", modalities={"a": np.random.default_rng(0).normal(size=(40, 3))}, targets=np.arange(40) % 2)
    assert check_data(data).name == "toy"
    with pytest.raises(DataError, match=r"no manifest and no embedded data set 'digit', did you mean 'digits'\?"):
        check_data("digit")


def test_every_fault_of_a_manifest_is_listed_and_none_raised(study: Any) -> None:
    study.document["ide"] = study.document.pop("id")
    study.document["splits"] = {"folds": 1}
    result = check_data(study.write())
    assert not result.ok
    assert [problem.what for problem in result.problems] == [
        "lgg.yaml: ide: unknown key, did you mean 'id'?",
        "lgg.yaml: splits.folds: 1, expected 2 or more, or 'groups'",
    ]


def test_every_modality_is_read_even_where_one_is_broken(study: Any) -> None:
    study.document["modalities"]["rna"]["columns"] = ["gen*"]
    study.document["modalities"]["ecg"]["key"] = "y"
    result = check_data(study.write())
    assert [(problem.severity, problem.where) for problem in result.problems][:2] == [
        ("error", "modalities.rna"),
        ("error", "modalities.ecg"),
    ]
    assert list(result.modalities) == ["clinical"]
    assert result.samples == 60


def test_broken_labels_do_not_hide_missing_files(study: Any) -> None:
    study.labels["vital"] = "alive"
    study.document["modalities"]["rna"]["file"] = "nope.csv"
    assert [where for _, where, _ in problems(study)] == ["labels", "modalities.rna"]


def test_broken_rules_are_errors_and_the_rest_is_still_described(study: Any) -> None:
    study.document["splits"]["group"] = "hospital"
    study.labels.loc[59, "split"] = "val"
    study.rna = study.rna[["patient"]].assign(batch=1)
    result = check_data(study.write())
    assert [(problem.where, problem.what) for problem in result.problems if problem.severity == "error"] == [
        ("splits.group", "group 'h11' stands in test and val, expected each group in one split"),
        ("modalities.rna", "modality 'rna': its one column 'batch' is constant, expected a column that varies"),
    ]
    assert list(result.modalities) == ["rna", "clinical", "ecg"]


def test_splits_that_cannot_be_made(study: Any) -> None:
    study.labels["hospital"] = ["a", "b"] * 30
    study.document["splits"] = {"fractions": [0.6, 0.2, 0.2], "group": "hospital"}
    assert problems(study) == [("error", "splits", "2 groups, expected at least 3: one each for train, val and test")]


def test_the_planted_leaks_of_the_issue(study: Any) -> None:
    study.clinical["record"] = np.arange(60) + 1000
    study.clinical["outcome"] = (study.labels["vital"] == "dead").astype(int)
    del study.document["modalities"]["clinical"]["columns"]
    study.document["modalities"]["clinical"]["categorical"] = ["sex", "note"]
    for frame in (study.rna, study.clinical):
        frame.loc[55, frame.columns != "patient"] = frame.loc[2, frame.columns != "patient"]
    study.ecg[55] = study.ecg[2]
    found = {(severity, where) for severity, where, _ in problems(study)}
    assert {
        ("warning", "modalities.clinical.record"),
        ("warning", "modalities.clinical.outcome"),
        ("warning", "splits"),
    } <= found


@pytest.mark.parametrize("spoil", ["column", "constant", "duplicate", "group"])
def test_an_error_is_what_load_data_refuses(study: Any, spoil: str) -> None:
    if spoil == "column":
        study.document["task"]["column"] = "nope"
    elif spoil == "constant":
        study.rna[["g1", "g2", "g3", "g4"]] = 0
    elif spoil == "duplicate":
        study.labels.loc[1, "patient"] = "p00"
    else:
        study.document["splits"]["group"] = "vital"
    path = study.write()
    assert not check_data(path).ok
    with pytest.raises(FusearchError):
        load_data(path)


def test_a_fault_of_every_row_is_told_ten_times(study: Any) -> None:
    study.labels["dna"] = "ACGZ"
    study.document["modalities"]["dna"] = {"kind": "sequence", "file": "labels.csv", "column": "dna", "alphabet": "dna"}
    found = [what for _, place, what in problems(study) if place == "modalities.dna"]
    assert len(found) == 10
    assert [" more)" in what for what in found] == [False] * 9 + [True]
    assert found[-1].endswith("(and 50 more)")
