from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fusearch.data import Dataset, Modality
from fusearch.data.preprocessing import Statistics
from fusearch.evaluators.export.preparation import has_modality, make_preparation


def table_with_levels(rng: np.random.Generator, num_rows: int = 80) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "age": np.where(rng.random(num_rows) < 0.2, np.nan, rng.normal(60, 10, num_rows)),
            "sex": rng.choice(np.array(["f", "m", None], dtype=object), num_rows),
            "stage": rng.choice(np.array(["i", "ii", "iii"]), num_rows),
            "size": rng.lognormal(3, 2, num_rows),
        }
    )


def data_of_every_kind(seed: int) -> Dataset:
    rng = np.random.default_rng(seed)
    frame = table_with_levels(rng)
    series = rng.normal(5, 3, (80, 6, 2))
    series[rng.random(series.shape) < 0.1] = np.nan
    return Dataset.from_arrays(
        "mixed",
        modalities={
            "clinical": frame,
            "levels": frame[["sex", "stage"]],
            "series": series,
            "image": rng.normal(100, 50, (80, 2, 5, 4)),
        },
        categorical={"clinical": ["sex", "stage"], "levels": ["sex", "stage"]},
        present={"series": rng.random(80) < 0.8},
        targets=np.arange(80) % 2,
    )


@given(seed=st.integers(0, 2**16), num_train=st.integers(5, 60))
@settings(max_examples=20, deadline=None)
def test_the_layers_repeat_the_preprocessing(seed: int, num_train: int) -> None:
    data = data_of_every_kind(seed)
    # Few training rows leave levels unseen; the other rows still hold them.
    rows = data.rows("search")[:num_train]
    assume(data.present["series"][rows].any())  # else it is refused
    preprocessor = data.fit_preprocessor(rows)
    expected, _ = preprocessor.transform(data, np.arange(len(data)))
    for statistics in preprocessor.statistics:
        name = statistics.modality.name
        prepared = make_preparation(statistics)(torch.tensor(data.raw[name])).numpy()
        have = data.present[name]
        assert prepared.dtype == np.float32
        if statistics.bound is None:
            np.testing.assert_array_equal(prepared[have], expected[name][have])
        else:  # the square roots of torch and numpy differ in their last bit
            np.testing.assert_allclose(prepared[have], expected[name][have], rtol=1e-6, atol=1e-7)


def test_an_unknown_level_and_a_missing_one_are_all_zeros() -> None:
    data = data_of_every_kind(0)
    statistics = next(part for part in data.fit_preprocessor(data.rows("search")).statistics if part.modality.name == "levels")
    prepare = make_preparation(statistics)
    rows = torch.tensor([[0.0, 2.0], [-1.0, 2.0], [float("nan"), 2.0]])
    np.testing.assert_array_equal(prepare(rows), [[1, 0, 0, 0, 1], [0, 0, 0, 0, 1], [0, 0, 0, 0, 1]])


def test_a_table_of_levels_alone_is_saved(tmp_path: Path) -> None:
    data = data_of_every_kind(0)
    statistics = next(part for part in data.fit_preprocessor(data.rows("search")).statistics if part.modality.name == "levels")
    prepare, rows = make_preparation(statistics), torch.tensor([[0.0, 2.0], [1.0, 0.0]])
    torch.export.save(torch.export.export(prepare, (rows,)), tmp_path / "prepare.pt2")
    np.testing.assert_array_equal(torch.export.load(tmp_path / "prepare.pt2").module()(rows), prepare(rows))


@pytest.mark.parametrize("shape", [(3,), (4, 2), (1, 2, 2)])
def test_a_sample_lacks_a_modality_only_where_all_values_are_missing(shape: tuple[int, ...]) -> None:
    raw = torch.full((3, *shape), float("nan"))
    raw[1].view(-1)[-1] = 0.0
    raw[2] = 1.0
    assert has_modality(raw).tolist() == [False, True, True]


def test_codes_are_looked_up_as_in_a_fold() -> None:
    symbols = ("a", "b", "c")
    statistics = Statistics(Modality("note", "text", (5,)), *[np.zeros(1, np.float32)] * 3, symbols=symbols, codes=np.array([3, 1, 2]))
    raw = np.array([[0, 2, 1, -1, np.nan], [np.nan] * 5], np.float32)
    expected = statistics.transform(raw)
    np.testing.assert_array_equal(expected, [[3, 2, 1, 1, 0], [0] * 5])
    np.testing.assert_array_equal(make_preparation(statistics)(torch.as_tensor(raw)).numpy(), expected)
    np.testing.assert_array_equal(Statistics.from_dict("note", statistics.to_dict()).transform(raw), expected)
