from typing import Any

import numpy as np
import pandas as pd
import pytest

from fusearch.data.dataset import Dataset
from fusearch.errors import DataError

RNG = np.random.default_rng(0)
TARGETS = np.arange(40) % 2


def make(**changes: Any) -> Dataset:
    options = {"modalities": {"a": RNG.normal(size=(40, 3))}, "targets": TARGETS}
    return Dataset.from_arrays("toy", **{**options, **changes})


def test_kinds_follow_from_the_axes() -> None:
    views = {"table": np.ones((40, 3)) * TARGETS[:, None], "series": RNG.normal(size=(40, 7, 2)), "image": RNG.normal(size=(40, 1, 8, 8))}
    data = make(modalities=views)
    assert [(modality.name, modality.kind, modality.shape) for modality in data.modalities] == [
        ("table", "tabular", (3,)),
        ("series", "timeseries", (7, 2)),
        ("image", "image2d", (1, 8, 8)),
    ]
    assert data.columns["table"].numeric == ("table_0", "table_1", "table_2")
    assert make(modalities={"x": RNG.normal(size=(40, 8, 8))}, kinds={"x": "image2d"}).modality("x").shape == (1, 8, 8)


def test_data_frames_keep_their_columns_and_levels() -> None:
    frame = pd.DataFrame({"age": RNG.normal(size=40), "sex": ["f", "m"] * 20})
    data = make(modalities={"clinical": frame}, categorical={"clinical": ["sex"]})
    assert data.columns["clinical"].features == ("age", "sex=f", "sex=m")


def test_columns_that_pandas_calls_categories_are_levels_without_a_list() -> None:
    frame = pd.DataFrame({"age": RNG.normal(size=40), "sex": ["f", "m"] * 20, "stage": [1, 2, 2, 3] * 10})
    categories = frame.astype({"sex": "category", "stage": "category"})
    data = make(modalities={"clinical": categories})
    assert data.columns["clinical"].features == ("age", "sex=f", "sex=m", "stage=1", "stage=2", "stage=3")
    listed = make(modalities={"clinical": frame}, categorical={"clinical": ["sex", "stage"]})
    assert data.fingerprint == listed.fingerprint
    new = data.encode({"clinical": categories.iloc[:3]})["clinical"]
    np.testing.assert_array_equal(new, data.raw["clinical"][:3])


def test_advice_of_a_frame_names_no_manifest() -> None:
    frame = pd.DataFrame({"age": RNG.normal(size=40), "sex": ["f", "m"] * 20, "dose": ["1,5", "2"] * 20})
    with pytest.raises(DataError) as refused:
        make(modalities={"clinical": frame})
    sex, dose = refused.value.faults
    expected = "expected finite numbers, and NaN where one is missing (or 'sex' under `categorical`, of dtype `category`, or dropped)"
    assert sex.endswith(f"column 'sex' holds 'f' in 20 rows, 'm' in 20 rows, first in row 1; {expected}")
    assert "finite numbers, with a point before the decimals, and NaN where one is missing" in dose
    known = make(modalities={"clinical": frame[["age"]]})
    with pytest.raises(DataError, match=r"expected finite numbers, and empty cells where one is missing$"):
        known.encode({"clinical": pd.DataFrame({"age": ["old"]})})


def test_a_frame_of_fewer_samples_is_told_how_to_be_joined() -> None:
    names = [f"P{row}" for row in range(40)]
    rna = pd.DataFrame({"g": RNG.normal(size=30)}, index=names[:30])
    with pytest.raises(DataError, match=r"rna has 30 rows, expected 40, one for each target; `.reindex` over the index of the target adds"):
        make(modalities={"rna": rna}, targets=pd.Series(TARGETS, names))
    with pytest.raises(DataError, match=r"rna has 30 rows, expected 20, one for each target$"):
        make(modalities={"rna": rna}, targets=TARGETS[:20])
    joined = make(modalities={"rna": rna.reindex(names), "a": RNG.normal(size=(40, 2))}, targets=pd.Series(TARGETS, names))
    assert joined.present["rna"].sum() == 30


def test_a_sample_without_values_lacks_the_modality() -> None:
    values = RNG.normal(size=(40, 3))
    values[3] = np.nan
    assert np.flatnonzero(~make(modalities={"a": values}).present["a"]).tolist() == [3]


def test_what_a_mask_hides_cannot_matter() -> None:
    values = RNG.normal(size=(40, 3))
    mask = np.arange(40) != 5
    other = values.copy()
    other[5] = 99
    first, second = (make(modalities={"a": array}, present={"a": mask}) for array in (values, other))
    assert first.fingerprint == second.fingerprint
    assert np.isnan(first.raw["a"][5]).all()


def test_a_mask_gives_nobody_values_that_are_not_there() -> None:
    values = RNG.normal(size=(40, 3))
    values[3] = np.nan
    mask = np.arange(40) != 5
    assert np.flatnonzero(~make(modalities={"a": values}, present={"a": mask}).present["a"]).tolist() == [3, 5]


def test_splits_labels_and_ids_may_be_given() -> None:
    splits = ["train"] * 20 + ["val"] * 10 + ["test"] * 10
    data = make(splits=splits, ids=[f"p{row}" for row in range(40)], labels=["1", "0"])
    assert data.rows("test").tolist() == list(range(30, 40))
    assert (data.ids[0], data.task.labels, data.targets[0]) == ("p0", ("1", "0"), 1)


def test_regression() -> None:
    data = make(targets=RNG.normal(size=40), task="regression")
    assert (data.task.outputs, data.targets.dtype) == (("target",), np.float32)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"modalities": {"a": np.ones((39, 3))}}, "data set 'toy': a has 39 rows, expected 40, one for each target"),
        ({"modalities": {}}, "data set 'toy': no modality, expected one or more"),
        ({"ids": range(39)}, "data set 'toy': ids has 39 rows, expected 40"),
        ({"kinds": {"b": "tabular"}}, "data set 'toy': kinds names the modality 'b', expected one of: a"),
        (
            {"modalities": {"a": np.ones(40)}},
            r"modality 'a': an array of 1 axes, expected 2 \(tabular\), 3 \(timeseries\), 4 \(image2d\) or 5 \(volume3d\)",
        ),
        (
            {"modalities": {"a": RNG.normal(size=(40, 3, 3))}, "kinds": {"a": "graph"}},
            r"modality 'a': an array of shape \(40, 3, 3\), expected \(N, V, F \+ V\) for kind 'graph'",
        ),
        ({"categorical": {"a": ["a_9"]}}, r"modality 'a': no column 'a_9', did you mean 'a_\d'\?"),
        ({"splits": ["train"] * 39 + ["tset"]}, r"data set 'toy': split 'tset' in row 40, did you mean 'test'\?"),
        ({"ids": ["p"] * 40}, r"data set 'toy': id 'p' stands in rows 1 and 2, expected each id once"),
        ({"targets": ["a"] * 40}, r"data set 'toy': column 'target' has labels of one class \('a'\)"),
    ],
)
def test_messages(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        make(**changes)


def frame(index: Any) -> pd.DataFrame:
    return pd.DataFrame(RNG.normal(size=(40, 3)), index=index, columns=list("abc"))


def test_the_index_that_frames_share_says_who_a_row_is() -> None:
    names = [f"P{row}" for row in range(40)]
    data = make(modalities={"a": frame(names), "b": frame(range(40))}, targets=pd.Series(TARGETS, names))
    assert data.ids.tolist() == names
    assert make(modalities={"a": frame(names)}, ids=range(100, 140)).ids[0] == "100"
    assert make(modalities={"a": frame(range(40))}).ids[0] == "0"


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ([f"P{row}" for row in range(40)], [f"P{row}" for row in range(39, -1, -1)], "the index of b is in another order than that of a"),
        ([f"P{row}" for row in range(40)], [f"Q{row}" for row in range(40)], "the index of b is other than that of a"),
        (range(39, -1, -1), range(40), "the index of b is in another order than that of a"),
        (range(40), range(39, -1, -1), "the index of a is in another order than that of b"),
    ],
)
def test_frames_in_different_orders_are_not_joined_by_position(a: Any, b: Any, message: str) -> None:
    with pytest.raises(DataError, match=f"data set 'toy': {message}, so rows would be joined wrongly by position; `.loc` brings"):
        make(modalities={"a": frame(a), "b": frame(b)})


def test_groups_and_splits_are_joined_by_their_index_too() -> None:
    names = [f"P{row}" for row in range(40)]
    for option, values in (("groups", np.arange(40) // 4), ("splits", ["train", "val"] * 20)):
        with pytest.raises(DataError, match=f"the index of {option} is in another order than that of"):
            make(modalities={"a": frame(names)}, **{option: pd.Series(values, names[::-1])})


def test_ids_in_another_order_than_the_index_are_refused() -> None:
    names = [f"P{row}" for row in range(40)]
    with pytest.raises(DataError, match="ids are in another order than the index of its frames"):
        Dataset.from_arrays("toy", modalities={"a": frame(names)}, targets=TARGETS, ids=names[::-1])


def test_new_samples_are_encoded_as_the_data_set_holds_its_own() -> None:
    labs = pd.DataFrame({"age": RNG.normal(size=40), "sex": ["f", "m"] * 20})
    data = make(modalities={"labs": labs, "ecg": RNG.normal(size=(40, 5, 2))}, categorical={"labs": ["sex"]})
    same = data.encode({"labs": labs[["sex", "age"]], "ecg": data.raw["ecg"]})
    for name, values in data.raw.items():
        np.testing.assert_array_equal(same[name], values)
    assert np.isnan(data.encode({"ecg": np.ones((2, 5, 2))})["labs"]).all()
    film = make(modalities={"film": RNG.normal(size=(40, 1, 6, 4, 4))}, kinds={"film": "video"})
    short = film.encode({"film": np.ones((2, 1, 3, 4, 4))})["film"]
    assert short.shape == (2, *film.raw["film"].shape[1:])
    assert np.isnan(short).sum() == 2 * 3 * 16
    bare = data.without_samples()
    assert len(bare) == 0
    np.testing.assert_array_equal(bare.encode({"labs": labs})["labs"], data.raw["labs"])


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ({}, "samples of no modality, expected modalities of one length"),
        ({"labs": np.zeros((2, 3)), "ecg": np.zeros((3, 5, 2))}, "samples of labs 2, ecg 3, expected modalities of one length"),
        ({"egc": np.zeros((2, 5, 2))}, "modality 'egc', did you mean 'ecg'"),
        ({"ecg": np.zeros((2, 5, 3))}, r"modality 'ecg' has samples of shape \(5, 3\), expected \(5, 2\)"),
        ({"labs": pd.DataFrame({"labs_0": [1.0], "labs_1": [1.0]})}, "modality 'labs': no column 'labs_2'"),
    ],
)
def test_samples_that_do_not_fit_are_refused(samples: dict[str, Any], message: str) -> None:
    data = make(modalities={"labs": RNG.normal(size=(40, 3)), "ecg": RNG.normal(size=(40, 5, 2))})
    with pytest.raises(DataError, match=message):
        data.encode(samples)
