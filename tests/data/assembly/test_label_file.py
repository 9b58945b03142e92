from typing import Any

import numpy as np
import pytest

from fusearch.data.assembly.label_file import read_labels
from fusearch.data.manifest.manifest import load_manifest
from fusearch.errors import FusearchError


def test_targets_splits_and_groups_come_from_one_file(study: Any) -> None:
    study.document["splits"] = {"column": "split", "group": "patient"}
    labels = read_labels(load_manifest(study.write()))
    assert labels.ids.tolist() == study.labels["patient"].tolist()
    assert (labels.task.name, labels.task.labels) == ("vital", ("alive", "dead"))
    assert labels.plan.given is not None
    assert labels.plan.given.tolist() == study.labels["split"].tolist()
    assert labels.groups is not None
    assert labels.groups.tolist() == study.labels["patient"].tolist()


def test_ids_and_groups_stay_text(study: Any) -> None:
    for frame in (study.labels, study.rna, study.clinical):
        frame["patient"] = [f"{row:03d}" for row in range(60)]
    assert read_labels(load_manifest(study.write())).ids[7] == "007"


def test_ids_that_differ_by_case_or_zeros_alone_are_told(study: Any) -> None:
    for frame in (study.labels, study.rna, study.clinical):
        frame["patient"] = ["P007" if row == 9 else f"p{row:02d}" for row in range(60)]
    (note,) = read_labels(load_manifest(study.write())).notes
    assert (note.severity, note.where) == ("warning", "id")
    assert (
        note.what
        == "labels.csv: ids 'p07' and 'P007' differ by case, leading zeros or spaces alone, and are told apart; one patient twice?"
    )


def test_without_an_id_rows_have_numbers(study: Any) -> None:
    del study.document["id"]
    assert read_labels(load_manifest(study.write())).ids.tolist() == [str(row) for row in range(60)]


def test_the_order_of_the_classes_may_be_given(study: Any) -> None:
    study.document["task"]["labels"] = ["dead", "alive"]
    assert read_labels(load_manifest(study.write())).task.labels == ("dead", "alive")


def test_regression(study: Any) -> None:
    study.document["task"] = {"kind": "regression", "file": "labels.csv", "column": "months"}
    labels = read_labels(load_manifest(study.write()))
    np.testing.assert_allclose(labels.targets, study.labels["months"], rtol=1e-6)


def spoil_file(study: Any) -> None:
    study.document["task"]["file"] = "label.csv"


def spoil_column(study: Any) -> None:
    study.document["task"]["column"] = "vitl"


def spoil_id(study: Any) -> None:
    study.document["id"] = "patent"


def spoil_split_column(study: Any) -> None:
    study.document["splits"]["column"] = "splits"


def spoil_split(study: Any) -> None:
    study.labels.loc[3, "split"] = "validation"


def spoil_group(study: Any) -> None:
    study.document["splits"]["group"] = "hospitl"


def spoil_target(study: Any) -> None:
    study.labels.loc[3, "vital"] = None


def spoil_classes(study: Any) -> None:
    study.labels["vital"] = "alive"


def spoil_ids(study: Any) -> None:
    study.labels.loc[3, "patient"] = "p01"


def forget_an_id(study: Any) -> None:
    study.labels.loc[3, "patient"] = None


def target_is_id(study: Any) -> None:
    study.document["task"]["column"] = "patient"


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (spoil_file, "lgg.yaml: task.file: no file 'label.csv', did you mean 'labels.csv'?"),
        (spoil_column, "lgg.yaml: task.column: no column 'vitl' in labels.csv, did you mean 'vital'?"),
        (spoil_id, "lgg.yaml: id: no column 'patent' in labels.csv, did you mean 'patient'?"),
        (spoil_split_column, "lgg.yaml: splits.column: no column 'splits' in labels.csv, did you mean 'split'?"),
        (spoil_split, "labels.csv: split 'validation' in line 5, expected one of: train, val, test"),
        (spoil_group, "lgg.yaml: splits.group: no column 'hospitl' in labels.csv, did you mean 'hospital'?"),
        (spoil_target, "labels.csv: column 'vital' is empty in line 5 (id 'p03'), expected a label in every row"),
        (spoil_classes, "labels.csv: column 'vital' has labels of one class ('alive'), expected two classes or more"),
        (spoil_ids, "labels.csv: id 'p01' stands in line 3 and line 5, expected each id once"),
        (forget_an_id, "labels.csv: no id in line 5, expected one in every row"),
        (target_is_id, "lgg.yaml: task.column: 'patient' is the id, expected the column of the target"),
    ],
)
def test_messages(study: Any, spoil: Any, message: str) -> None:
    spoil(study)
    with pytest.raises(FusearchError) as caught:
        read_labels(load_manifest(study.write()))
    assert str(caught.value) == message
