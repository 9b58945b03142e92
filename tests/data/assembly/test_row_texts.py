from typing import Any

import numpy as np
import pandas as pd
import pytest

from fusearch.data import Dataset, load_data
from fusearch.data.assembly.from_manifest import read_dataset
from fusearch.data.assembly.row_texts import texts_of_rows
from fusearch.data.embedded import DATA_SETS, data_set
from fusearch.data.manifest.manifest import load_manifest
from fusearch.errors import DataError


def test_a_column_of_the_labels_that_no_model_reads_is_told_by_id_without_the_test_rows(study: Any) -> None:
    study.labels["sex"] = ["f", "m", ""] * 20
    data = read_dataset(load_manifest(study.write()))
    rows = data.rows("search")
    told = texts_of_rows(data, "sex")
    assert list(told) == data.ids[rows].tolist()
    assert list(told.values()) == [("f", "m", None)[row % 3] for row in rows]


def test_a_column_of_a_modality_is_joined_by_id_whatever_its_order(study: Any) -> None:
    study.clinical = study.clinical.assign(site=[f"0{row}" for row in range(60)]).sample(frac=1, random_state=1)
    data = read_dataset(load_manifest(study.write()))
    texts = dict(zip(study.clinical["patient"].astype(str), study.clinical["site"], strict=True))
    assert texts_of_rows(data, "site") == {each: texts[each] for each in data.ids[data.rows("search")]}  # `07` stays as it stands


def test_without_a_manifest_the_tables_in_memory_are_read() -> None:
    table = pd.DataFrame({"age": [40.5, np.nan, 62, 71] * 5, "sex": ["f", "m", None, "f"] * 5})
    table["noise"] = np.arange(20.0)

    @data_set("visits", summary="twenty rows")
    def visits() -> Dataset:
        return Dataset.from_arrays(
            "visits", modalities={"clinical": table}, targets=np.arange(20) % 2, categorical={"clinical": ["sex"]}, source="visits"
        )

    try:
        data = load_data("visits")
        shown = data.rows("search")
        assert list(texts_of_rows(data, "age").values()) == [("40.5", None, "62", "71")[row % 4] for row in shown]
        assert list(texts_of_rows(data, "sex").values()) == [("f", "m", None, "f")[row % 4] for row in shown]
    finally:
        DATA_SETS.remove("visits")


def test_a_column_that_is_nowhere_is_told_with_the_nearest_one(study: Any) -> None:
    data = read_dataset(load_manifest(study.write()))
    with pytest.raises(DataError, match=r"data set 'lgg': no table has a column 'hospitol', did you mean 'hospital'\?"):
        texts_of_rows(data, "hospitol")
