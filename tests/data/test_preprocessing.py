import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, RobustScaler, StandardScaler

from fusearch.data.dataset import Dataset
from fusearch.data.preprocessing import Preprocessor
from fusearch.errors import DataError

NUM_ROWS = 24
FLOATS = st.one_of(st.floats(-1000, 1000, width=32), st.just(np.nan))


def make_data(table: np.ndarray, sex: list[str | None] | None = None, image: np.ndarray | None = None) -> Dataset:
    frame = pd.DataFrame(table, columns=[f"c{column}" for column in range(table.shape[1])])
    if sex is not None:
        frame["sex"] = pd.Series(sex, dtype=object)
    modalities = {"table": frame} | ({} if image is None else {"image": image})
    splits = ["train"] * 12 + ["val"] * 6 + ["test"] * (len(table) - 18)
    return Dataset.from_arrays(
        "toy", modalities=modalities, targets=np.arange(len(table)) % 2, categorical={"table": ["sex"]} if sex else None, splits=splits
    )


@st.composite
def data_sets(draw: st.DrawFn) -> Dataset:
    table = draw(hnp.arrays(np.float32, (NUM_ROWS, 3), elements=FLOATS))
    table[:2] = [[0, 0, 0], [1, 1, 1]]  # no column is constant or empty in train
    sex = draw(st.lists(st.sampled_from(["f", "m", "x", None]), min_size=NUM_ROWS, max_size=NUM_ROWS))
    sex[:2] = ["f", "m"]
    image = draw(hnp.arrays(np.float32, (NUM_ROWS, 2, 2, 2), elements=FLOATS))
    image[0], image[1] = 0, 1
    return make_data(table, sex, image)


@settings(max_examples=40)
@given(data_sets(), data_sets())
def test_statistics_do_not_depend_on_the_rows_held_out(data: Dataset, other: Dataset) -> None:
    """No leak: with the held-out rows, without them, and with others in their place, the statistics are the same."""
    train = data.rows("train")
    whole = data.fit_preprocessor(train).to_dict()
    assert data.without_test().fit_preprocessor(train).to_dict() == whole

    table = np.concatenate([data.raw["table"][train, :3], other.raw["table"][12:, :3]])
    image = np.concatenate([data.raw["image"][train], other.raw["image"][12:]])
    levels = [*data.columns["table"].categorical["sex"]]
    sex = [None if np.isnan(code) else levels[int(code)] for code in data.raw["table"][train, 3]]
    swapped = make_data(table, [*sex, *("f" for _ in range(12))], image).fit_preprocessor(train).to_dict()
    assert swapped["image"] == whole["image"]
    for key in ("numeric", "fill", "mean", "scale"):
        assert swapped["table"][key] == whole["table"][key]
    seen = [
        {level for level, known in zip(d["table"]["categorical"]["sex"], d["table"]["seen"]["sex"], strict=True) if known}
        for d in (swapped, whole)
    ]
    assert seen[0] == seen[1]


@settings(max_examples=40)
@given(data_sets())
def test_it_is_what_scikit_learn_computes(data: Dataset) -> None:
    train, val = data.rows("train"), data.rows("val")
    inputs, present = data.fit_preprocessor(train).transform(data, val)
    raw, fitted_on = data.raw["table"], train[data.present["table"][train]]
    given = raw[fitted_on, :3].astype(np.float64)
    scaler, fill = RobustScaler().fit(given), SimpleImputer(strategy="median").fit(given)
    first, third, low, high = (np.nanquantile(given, share, axis=0) for share in (0.25, 0.75, 0, 1))
    scaler.scale_ = np.where(third > first, scaler.scale_, (high - low) / 2)
    scaled = scaler.transform(fill.transform(raw[val, :3].astype(np.float64)))
    has = present["table"]
    np.testing.assert_allclose(inputs["table"][has, :3], (scaled / np.sqrt(1 + (scaled / 3) ** 2))[has], rtol=1e-3, atol=1e-3)

    levels = list(data.columns["table"].categorical["sex"])
    known = ~np.isnan(raw[train, 3])
    encoder = OneHotEncoder(categories=[np.arange(len(levels))], handle_unknown="ignore", sparse_output=False).fit(raw[train][known][:, 3:])
    seen = np.isin(np.arange(len(levels)), raw[train, 3])
    codes = np.where(np.isnan(raw[val, 3:]), -1, raw[val, 3:])
    np.testing.assert_array_equal(inputs["table"][has, 3:], (encoder.transform(codes) * seen)[has])

    channels, fitted_on = np.moveaxis(data.raw["image"], 1, -1), train[data.present["image"][train]]
    scaler = make_pipeline(SimpleImputer(strategy="mean"), StandardScaler()).fit(channels[fitted_on].reshape(-1, 2).astype(np.float64))
    expected = np.moveaxis(scaler.transform(channels[val].reshape(-1, 2).astype(np.float64)).reshape(len(val), 2, 2, 2), -1, 1)
    has = present["image"]
    np.testing.assert_allclose(inputs["image"][has], expected[has], rtol=1e-3, atol=1e-3)


@settings(max_examples=40)
@given(data_sets())
def test_inputs_have_the_shape_of_the_modality_and_no_nan(data: Dataset) -> None:
    inputs, present = data.fit_preprocessor(data.rows("train")).transform(data, np.arange(len(data)))
    for modality in data.modalities:
        assert inputs[modality.name].shape == (len(data), *modality.shape)
        assert inputs[modality.name].dtype == np.float32
        assert np.isfinite(inputs[modality.name]).all()
        assert (inputs[modality.name][~present[modality.name]] == 0).all()


@settings(max_examples=40)
@given(data_sets())
def test_it_survives_json_bit_for_bit(data: Dataset) -> None:
    fitted = data.fit_preprocessor(data.rows("train"))
    again = Preprocessor.from_dict(json.loads(json.dumps(fitted.to_dict())))
    rows = np.arange(len(data))
    for name, values in fitted.transform(data, rows)[0].items():
        np.testing.assert_array_equal(again.transform(data, rows)[0][name], values)


def test_the_document_says_what_an_exporter_needs() -> None:
    table = np.array([[1.0, np.nan], [3.0, 5.0]] * 12)
    document = make_data(table, ["f", "m"] * 11 + ["x", "x"]).fit_preprocessor(np.arange(12)).to_dict()
    assert document == {
        "table": {
            "kind": "tabular",
            "shape": [4],
            "numeric": ["c0", "c1"],
            "fill": [2.0, 5.0],
            "mean": [2.0, 5.0],
            "scale": [2.0, 1.0],
            "bound": 3.0,
            "categorical": {"sex": ["f", "m"]},
            "seen": {"sex": [True, True]},
        }
    }


def test_a_value_far_out_is_kept_within_the_bound_and_moves_no_other() -> None:
    """One value of a billion, as units are mixed up or a sentinel stands for "missing", does not press the other rows into one number."""
    table = np.column_stack([np.arange(24.0), np.arange(24.0), np.repeat([0.0, 7.0], [23, 1])])
    table[3, 1], table[20, 1], table[21, 1] = 1e9, 3e38, -3e38
    data = make_data(table)
    (values, far, rare) = data.fit_preprocessor(np.arange(12)).transform(data, np.arange(24))[0]["table"].T
    usual = np.setdiff1d(np.arange(24), (3, 20, 21))
    np.testing.assert_allclose(far[usual], values[usual], atol=0.2)
    assert far[[3, 20, 21]].tolist() == [3.0, 3.0, -3.0]
    assert rare.tolist() == [0.0] * 23 + [pytest.approx(7 / np.sqrt(1 + (7 / 3) ** 2))]  # constant in the rows of the fit


def test_what_an_older_version_wrote_has_no_bound() -> None:
    data = make_data(np.arange(48.0).reshape(24, 2))
    document = data.fit_preprocessor(np.arange(12)).to_dict()
    del document["table"]["bound"]
    scaled = Preprocessor.from_dict(document).transform(data, np.arange(24))[0]["table"]
    assert scaled.max() == pytest.approx((46 - 11) / 11)


def test_a_level_that_the_training_rows_lack_is_all_zeros_and_keeps_its_column() -> None:
    data = make_data(np.arange(48.0).reshape(24, 2), ["f"] * 12 + ["m"] * 6 + ["x"] * 6)
    assert data.modality("table").shape == (4,)
    fitted = data.fit_preprocessor(data.rows("train"))
    assert fitted.to_dict()["table"]["seen"] == {"sex": [True, False]}
    one_hot = fitted.transform(data, np.array([0, 13, 20]))[0]["table"][:, 2:]
    assert one_hot.tolist() == [[1, 0], [0, 0], [0, 0]]


def test_series_are_scaled_channel_by_channel() -> None:
    rng = np.random.default_rng(0)
    series = rng.normal(size=(24, 9, 2)) * [1, 50] + [0, 7]
    data = Dataset.from_arrays("toy", modalities={"ecg": series}, targets=np.arange(24) % 2)
    inputs, _ = data.fit_preprocessor(np.arange(24)).transform(data, np.arange(24))
    np.testing.assert_allclose(inputs["ecg"].mean(axis=(0, 1)), 0, atol=1e-5)
    np.testing.assert_allclose(inputs["ecg"].std(axis=(0, 1)), 1, atol=1e-5)


@pytest.mark.parametrize("at_once", [1, 100, 10**9])
def test_statistics_of_many_values_are_fitted_in_parts(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    volumes = np.random.default_rng(0).normal([[[[[5.0]]], [[[-3.0]]]]], 2, (24, 2, 4, 3, 2))
    volumes[volumes > 8] = np.nan
    volumes[:, 1, 0] = np.nan
    data = Dataset.from_arrays("toy", modalities={"ct": volumes}, targets=np.arange(24) % 2, splits=["train"] * 12 + ["val"] * 12)
    monkeypatch.setattr("fusearch.data.preprocessing._AT_ONCE", at_once)
    (found,) = data.fit_preprocessor(data.rows("train")).statistics
    train = volumes[:12].astype(np.float32).astype(np.float64)
    fill = np.nanmean(train, axis=(0, 2, 3, 4))
    whole = np.where(np.isnan(train), fill[:, None, None, None], train)
    for fitted, expected in ((found.fill, fill), (found.mean, whole.mean(axis=(0, 2, 3, 4))), (found.scale, whole.std(axis=(0, 2, 3, 4)))):
        np.testing.assert_allclose(fitted, expected, rtol=1e-6)


def test_a_column_without_a_value_in_training_becomes_zeros() -> None:
    table = np.random.default_rng(0).normal(size=(24, 2))
    table[:12, 1] = np.nan
    data = make_data(table)
    inputs, _ = data.fit_preprocessor(data.rows("train")).transform(data, np.arange(12))
    assert (inputs["table"][:, 1] == 0).all()


def test_messages() -> None:
    table = np.random.default_rng(0).normal(size=(24, 2))
    data, wider = make_data(table), make_data(np.hstack([table, table]))
    with pytest.raises(DataError, match=r"data set 'toy' has the modalities table\[4\], the preprocessing was fitted on table\[2\]"):
        data.fit_preprocessor(np.arange(9)).transform(wider, np.arange(3))
    renamed = Dataset.from_arrays("toy", modalities={"table": pd.DataFrame(table, columns=["a", "b"])}, targets=np.arange(24) % 2)
    with pytest.raises(DataError, match="modality 'table' of 'toy' has other columns or levels than the preprocessing was fitted on"):
        data.fit_preprocessor(np.arange(9)).transform(renamed, np.arange(3))
    table[:12] = np.nan
    with pytest.raises(DataError, match="modality 'table': none of the 12 training rows has it, expected at least one"):
        make_data(table).fit_preprocessor(np.arange(12))


def test_a_spread_below_the_smallest_float32_is_none() -> None:
    table = np.zeros((NUM_ROWS, 2), np.float32)
    table[:, 0] = np.arange(NUM_ROWS)
    table[0, 1] = np.nextafter(np.float32(0), np.float32(1))
    data = make_data(table)
    (statistics,) = data.fit_preprocessor(data.rows("train")).statistics
    assert statistics.scale[1] == 1
    inputs, _ = data.fit_preprocessor(data.rows("train")).transform(data, data.rows("search"))
    assert np.isfinite(inputs["table"]).all()
