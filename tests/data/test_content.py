from dataclasses import replace

import numpy as np
import pytest

from fusearch.data import load_data
from fusearch.data.content import Content
from fusearch.data.dataset import Dataset
from fusearch.errors import DataError

DATA = load_data("wisconsin")


def test_arrays_are_read_only() -> None:
    for array in (DATA.ids, DATA.targets, DATA.split_of, *DATA.raw.values(), *DATA.present.values()):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = array[1]


def test_rows_that_do_not_agree_are_refused() -> None:
    with pytest.raises(DataError, match="targets has 568 rows, expected 569, one for each id"):
        replace(DATA, targets=DATA.targets[1:])
    with pytest.raises(DataError, match=r"raw values of \['mean'\], expected those of the modalities"):
        replace(DATA, raw={"mean": DATA.raw["mean"]})


def test_a_data_set_is_made_of_its_content() -> None:
    content = Content(
        DATA.name, DATA.source, DATA.task, DATA.modalities, DATA.ids, DATA.targets, DATA.raw, DATA.present, DATA.split_of, DATA.columns
    )
    assert Dataset.of(content) == DATA
    assert np.array_equal(Dataset.of(content).rows("val"), DATA.rows("val"))
