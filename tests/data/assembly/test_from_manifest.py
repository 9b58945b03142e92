from typing import Any

import numpy as np
import pytest

from fusearch.data.assembly.from_manifest import read_dataset
from fusearch.data.manifest.manifest import load_manifest
from fusearch.errors import DataError


def test_a_manifest_becomes_a_data_set(study: Any) -> None:
    path = study.write()
    data = read_dataset(load_manifest(path))
    assert (data.name, data.source, len(data)) == ("lgg", str(path), 60)
    assert [(modality.name, modality.kind, modality.shape) for modality in data.modalities] == [
        ("rna", "tabular", (4,)),
        ("clinical", "tabular", (5,)),
        ("ecg", "timeseries", (7, 2)),
    ]
    assert data.split_of.tolist() == study.labels["split"].tolist()
    inputs, present = data.fit_preprocessor(data.rows("train")).transform(data, data.rows("val"))
    assert {name: values.shape for name, values in inputs.items()} == {"rna": (10, 4), "clinical": (10, 5), "ecg": (10, 7, 2)}
    assert all(mask.all() for mask in present.values())


def test_the_fingerprint_is_that_of_the_content_in_the_order_of_the_labels(study: Any) -> None:
    first = read_dataset(load_manifest(study.write())).fingerprint
    study.rna = study.rna.iloc[::-1]
    study.clinical = study.clinical.sample(frac=1, random_state=1)
    assert read_dataset(load_manifest(study.write())).fingerprint == first
    study.labels = study.labels.iloc[::-1]
    study.ecg = study.ecg[::-1]
    assert read_dataset(load_manifest(study.write())).fingerprint != first


def test_groups_never_cross(study: Any) -> None:
    study.document["splits"] = {"fractions": [0.6, 0.2, 0.2], "group": "hospital", "seed": 1}
    data = read_dataset(load_manifest(study.write()))
    assert data.groups is not None
    sides = [set(data.groups[data.rows(split)]) for split in ("train", "val", "test")]
    assert all(sides)
    assert not sides[0] & sides[1]
    assert not (sides[0] | sides[1]) & sides[2]


def test_folds_leave_no_test_split(study: Any) -> None:
    study.document["splits"] = {"folds": 4, "group": "hospital"}
    data = read_dataset(load_manifest(study.write()))
    assert len(data.rows("test")) == 0
    assert len(data.folds()) == 4
    assert data.folds()[0].val.tolist() == data.rows("val").tolist()


def test_a_group_on_two_sides_is_refused(study: Any) -> None:
    study.document["splits"]["group"] = "hospital"
    study.labels.loc[59, "split"] = "val"
    with pytest.raises(DataError) as caught:
        read_dataset(load_manifest(study.write()))
    assert str(caught.value) == "data set 'lgg': group 'h11' stands in test and val, expected each group in one split"


def test_a_modality_of_one_constant_column_is_refused(study: Any) -> None:
    study.rna = study.rna[["patient"]].assign(batch=1)
    with pytest.raises(DataError) as caught:
        read_dataset(load_manifest(study.write()))
    assert str(caught.value) == "data set 'lgg': modality 'rna': its one column 'batch' is constant, expected a column that varies"


def test_a_level_of_test_rows_only_is_encoded_as_zeros(study: Any) -> None:
    study.clinical.loc[55, "sex"] = "unknown"
    data = read_dataset(load_manifest(study.write()))
    assert data.columns["clinical"].categorical["sex"] == ("female", "male")
    inputs, _ = data.fit_preprocessor(data.rows("train")).transform(data, np.array([55]))
    assert inputs["clinical"][0, 3:].tolist() == [0, 0]
