import copy
import dataclasses
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusearch.data import load_data
from fusearch.data.dataset import Dataset
from fusearch.errors import DataError, LeakError


def make_data(num_rows: int = 60, **options: object) -> Dataset:
    rng = np.random.default_rng(0)
    return Dataset.from_arrays("toy", modalities={"a": rng.normal(size=(num_rows, 3))}, targets=np.arange(num_rows) % 2, **options)


def test_splits_partition_the_rows() -> None:
    data = make_data()
    parts = [data.rows(split) for split in ("train", "val", "test")]
    assert np.sort(np.concatenate(parts)).tolist() == list(range(60))
    assert data.rows("search").tolist() == np.sort(np.concatenate(parts[:2])).tolist()


def test_without_test_the_rows_are_gone_and_asking_for_them_is_refused() -> None:
    data = make_data()
    search = data.without_test()
    assert len(search) == len(data.rows("search"))
    assert not set(search.ids) & set(data.ids[data.rows("test")])
    tested = data.raw["a"][data.rows("test")]
    assert not np.isin(tested, search.raw["a"]).any()
    with pytest.raises(LeakError, match="the test split of 'toy' is withheld during a search, expected 'train', 'val' or 'search'"):
        search.rows("test")
    assert search.without_test() is search


def test_without_test_the_test_values_are_not_in_the_pickle() -> None:
    data = make_data()
    tested = data.raw["a"][data.rows("test")[0]].tobytes()
    assert tested in pickle.dumps(data)
    assert tested not in pickle.dumps(data.without_test())


@given(st.integers(2, 6), st.integers(0, 50))
def test_the_same_samples_fall_into_the_same_fold_with_and_without_test(num_folds: int, seed: int) -> None:
    data = make_data()
    search = data.without_test()
    for whole, part in zip(data.folds(num_folds, seed), search.folds(num_folds, seed), strict=True):
        assert (data.ids[whole.train] == search.ids[part.train]).all()
        assert (data.ids[whole.val] == search.ids[part.val]).all()


def test_numbers_of_the_test_split_do_not_move_the_folds() -> None:
    rng = np.random.default_rng(0)
    targets, splits = rng.normal(size=150), np.array(["train", "val", "test"] * 50)
    folds = []
    for moved in (0.0, 9.0, -9.0):
        numbers = np.where(splits == "test", targets + moved, targets)
        data = Dataset.from_arrays("toy", modalities={"a": rng.normal(size=(150, 3))}, targets=numbers, task="regression", splits=splits)
        folds.append([fold.val.tolist() for fold in data.folds()])
    assert folds[0] == folds[1] == folds[2]


def test_folds_never_hold_a_test_row() -> None:
    data = make_data()
    rows = np.concatenate([np.concatenate([fold.train, fold.val]) for fold in data.folds()])
    assert not set(rows) & set(data.rows("test"))


def test_groups_stay_on_one_side_of_every_fold() -> None:
    groups = [f"h{row // 4}" for row in range(60)]
    data = make_data(groups=groups)
    for fold in data.folds():
        assert not set(data.groups[fold.train]) & set(data.groups[fold.val])


def test_how_many_folds_by_default() -> None:
    assert [len(fold.val) for fold in make_data(1000).folds()] == [170] * 5
    (fold,) = make_data(1400).folds(1)
    assert fold.val.tolist() == make_data(1400).rows("val").tolist()
    assert make_data(60, folds=3).default_num_folds == 3
    assert [make_data(rows, splits=["train", "val"] * (rows // 2)).default_num_folds for rows in (4998, 5000)] == [5, 3]
    everything = make_data(1400, splits=["train"] * 1400)
    assert len(everything.folds()) == 5
    with pytest.raises(DataError, match="data set 'toy' has no val split to serve as the one fold, expected 2 folds or more"):
        everything.folds(1)


def test_the_seed_decides_the_folds() -> None:
    data = make_data()
    first, again, other = ([fold.val.tolist() for fold in data.folds(3, seed)] for seed in (0, 0, 1))
    assert first == again != other


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_val_split_of_a_cross_validated_data_set_is_its_first_fold(seed: int) -> None:
    for groups in (None, [f"h{row // 4}" for row in range(60)]):
        data = make_data(folds=3, seed=seed, groups=groups)
        assert data.folds()[0].val.tolist() == data.rows("val").tolist()
        assert pickle.loads(pickle.dumps(data)).without_test().folds()[0].val.tolist() == data.rows("val").tolist()


def test_nothing_in_it_can_be_changed() -> None:
    for data in (make_data(groups=range(60)), pickle.loads(pickle.dumps(make_data(groups=range(60)))), make_data().without_test()):
        for array in (data.raw["a"], data.present["a"], data.ids, data.targets, data.split_of, data.groups):
            if array is not None:
                with pytest.raises(ValueError, match="read-only"):
                    array[0] = array[1]
        with pytest.raises(TypeError, match="does not support item assignment"):
            data.raw["a"] = np.zeros(3)
        with pytest.raises(dataclasses.FrozenInstanceError):
            data.name = "other"


def test_the_arrays_of_the_caller_are_neither_frozen_nor_followed() -> None:
    values = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
    data = Dataset.from_arrays("toy", modalities={"a": values}, targets=np.arange(60) % 2)
    before = data.raw["a"].copy()
    values[:] = 0
    assert (data.raw["a"] == before).all()


@pytest.mark.parametrize("name", ["wisconsin", "digits"])
def test_a_copy_is_the_same_value(name: str) -> None:
    data = load_data(name)
    for other in (pickle.loads(pickle.dumps(data)), copy.deepcopy(data), load_data(name)):
        assert other == data
        assert hash(other) == hash(data)
        assert repr(other) == repr(data)
    assert data.without_test() != data
    assert data.without_test().fingerprint == data.fingerprint


def test_it_is_cheap_to_send() -> None:
    data = load_data("digits")
    values = sum(array.nbytes for array in data.raw.values())
    assert len(pickle.dumps(data)) < 1.2 * values


def test_messages() -> None:
    data = make_data()
    with pytest.raises(DataError, match=r"no split 'vall', did you mean 'val'\?"):
        data.rows("vall")
    with pytest.raises(DataError, match="data set 'toy' has no modality 'b', expected one of: a"):
        data.modality("b")
    with pytest.raises(DataError, match="data set 'toy': targets has 59 rows, expected 60, one for each id"):
        dataclasses.replace(data, targets=data.targets[:59])
    with pytest.raises(DataError, match=r"data set 'toy': raw values of \[\], expected those of the modalities \['a'\]"):
        dataclasses.replace(data, raw={})


def test_leave_one_group_out() -> None:
    groups = [f"h{row % 4}" for row in range(60)]
    data = make_data(60, folds="groups", groups=groups)
    assert data.default_num_folds == 4
    assert [set(data.groups[fold.val].tolist()) for fold in data.folds()] == [{"h0"}, {"h1"}, {"h2"}, {"h3"}]
    again = pickle.loads(pickle.dumps(data)).without_test()
    for whole, part in zip(data.folds(), again.folds(4), strict=True):  # as many as groups: the same
        assert (whole.val == part.val).all()
    assert len(data.folds(2)) == 2
    assert data.fingerprint != make_data(60, folds=4, groups=groups).fingerprint
