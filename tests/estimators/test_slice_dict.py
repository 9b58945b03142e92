from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import train_test_split
from sklearn.utils import indexable

from fusearch.errors import DataError
from fusearch.estimators import SliceDict


@pytest.fixture(name="X")
def make_samples() -> SliceDict:
    return SliceDict({"labs": pd.DataFrame({"age": range(10)}), "ecg": np.arange(40).reshape(10, 4, 1), "codes": list(range(10))})


def test_scikit_learn_counts_and_takes_rows(X: SliceDict) -> None:
    y = np.arange(10)
    indexable(X, y)
    train, test, y_train, y_test = train_test_split(X, y, random_state=0)
    for part, rows in ((train, y_train), (test, y_test)):
        assert isinstance(part, SliceDict)
        assert part["labs"]["age"].tolist() == part["codes"].tolist() == (part["ecg"][:, 0, 0] // 4).tolist() == rows.tolist()
        assert len(part) == len(rows)


@pytest.mark.parametrize("rows", [slice(2, 4), [2, 3], np.arange(10) // 2 == 1, (np.array([2, 3]), ...)], ids=str)
def test_rows_are_taken_of_every_modality(X: SliceDict, rows) -> None:
    taken = X[rows]
    assert taken["codes"].tolist() == taken["labs"]["age"].tolist() == [2, 3]
    assert list(taken) == ["labs", "ecg", "codes"]


def test_messages(X: SliceDict) -> None:
    with pytest.raises(DataError, match="modalities of different lengths: a 2, b 3; expected one row for each sample"):
        SliceDict({"a": np.zeros(2), "b": np.zeros(3)})
    with pytest.raises(DataError, match="without a modality"):
        SliceDict({})
    with pytest.raises(DataError, match="one row of a SliceDict"):
        X[3]
    with pytest.raises(KeyError):
        X["scan"]
    assert repr(X) == "SliceDict(10 samples of labs, ecg, codes)"
