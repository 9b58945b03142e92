"""The suite passes data that keep the contract, and finds each way to break it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from fusearch.data import DATA_SETS, Dataset, data_set
from fusearch.errors import DataError
from fusearch.testing import DataSetSuite

LAWS = [name for name in dir(DataSetSuite) if name.startswith("test_")]


def make(seed: int = 0, **options: Any) -> Dataset:
    rng = np.random.default_rng(seed)
    views = {"a": rng.normal(size=(60, 3)), "b": rng.normal(size=(60, 5, 2))}
    present = {"b": np.arange(60) % 7 > 0}
    groups = [f"h{row // 4}" for row in range(60)]
    given = {"targets": np.arange(60) % 2, "present": present, "groups": groups, "source": "toy", **options}
    return Dataset.from_arrays("toy", modalities=views, **given)


class ToySuite(DataSetSuite):
    name = "toy"


@pytest.fixture
def register() -> Iterator[Callable[..., None]]:
    def add(load: Callable[[], Dataset], *, summary: str = "two views") -> None:
        data_set("toy", summary=summary)(load)

    yield add
    DATA_SETS.remove("toy")


@pytest.mark.parametrize("law", LAWS)
def test_data_that_keep_the_contract_pass(register: Callable[..., None], law: str) -> None:
    register(make)
    getattr(ToySuite(), law)()


@pytest.mark.parametrize("law", LAWS)
def test_data_for_regression_without_a_test_split_pass(register: Callable[..., None], law: str) -> None:
    register(
        lambda: make(targets=np.random.default_rng(1).normal(size=60), task="regression", splits=["train"] * 50 + ["val"] * 10, groups=None)
    )
    getattr(ToySuite(), law)()


class FitsOnEverything(Dataset):
    def fit_preprocessor(self, rows: Any) -> Any:
        return super().fit_preprocessor(np.arange(len(self)))


class KeepsTheTest(Dataset):
    def without_test(self) -> Dataset:
        return self


class OnlyHidesTheTest(Dataset):
    """The rows are gone, but their values came along."""

    def without_test(self) -> Dataset:
        search = super().without_test()
        keep = self.rows("search")
        tested = np.zeros(len(self), dtype=bool)
        tested[self.rows("test")] = True
        values = {name: array[keep].copy() for name, array in self.raw.items()}
        values["a"][:9] = self.raw["a"][tested]
        return replace(search, raw=values)


class ForgetsMasks(Dataset):
    def fit_preprocessor(self, rows: Any) -> Any:
        everywhere = {name: np.ones_like(mask) for name, mask in self.present.items()}
        plain = Dataset.fit_preprocessor(self, rows)

        class Blind:
            def transform(self, data: Dataset, rows: Any) -> Any:
                return plain.transform(replace(data, present=everywhere), rows)

        return Blind()


class HoldsOutTestRows(Dataset):
    def folds(self, num_folds: int | None = None, seed: int = 0) -> Any:
        first, *others = super().folds(num_folds, seed)
        return (replace(first, train=np.arange(len(self))), *others)


def as_a(kind: type[Dataset], data: Dataset) -> Dataset:
    return kind(**{name: getattr(data, name) for name in data.__dataclass_fields__})


seeds = itertools.count()


@pytest.mark.parametrize(
    ("load", "law"),
    [
        (lambda: make(source=""), "test_it_can_be_loaded_again"),
        (lambda: replace(make(), name="other"), "test_it_can_be_loaded_again"),
        (lambda: make(seed=next(seeds)), "test_the_fingerprint_is_stable"),
        (lambda: as_a(FitsOnEverything, make()), "test_preprocessing_is_fitted_on_training_rows_only"),
        (lambda: as_a(KeepsTheTest, make()), "test_no_test_row_is_reachable_during_a_search"),
        (lambda: as_a(OnlyHidesTheTest, make()), "test_no_test_row_is_reachable_during_a_search"),
        (lambda: as_a(ForgetsMasks, make()), "test_inputs_are_what_a_network_reads"),
        (lambda: as_a(HoldsOutTestRows, make()), "test_splits_and_folds_keep_apart"),
        (lambda: replace(make(), ids=np.array(["p"] * 60)), "test_ids_targets_and_masks_fit"),
        (lambda: replace(make(), groups=np.array(["h"] * 60)), "test_splits_and_folds_keep_apart"),
        (lambda: replace(make(), present={name: np.zeros(60, dtype=bool) for name in "ab"}), "test_ids_targets_and_masks_fit"),
    ],
)
def test_each_breach_is_found(register: Callable[..., None], load: Callable[[], Dataset], law: str) -> None:
    register(load)
    with pytest.raises(Exception, match=r".") as found:
        getattr(ToySuite(), law)()
    assert not isinstance(found.value, AttributeError | NameError | TypeError)


def test_a_set_that_cannot_be_loaded_is_found(register: Callable[..., None]) -> None:
    register(lambda: make(targets=np.zeros(60, dtype=int)))
    with pytest.raises(DataError, match="labels of one class"):
        ToySuite().test_check_finds_no_error()


def test_a_set_without_a_description_is_found(register: Callable[..., None]) -> None:
    register(make, summary="")
    with pytest.raises(AssertionError, match="a data set says in one line what it holds"):
        ToySuite().test_it_can_be_loaded_again()
