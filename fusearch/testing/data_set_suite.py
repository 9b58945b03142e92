"""The conformance suite of data sets. Embedded ones and plug-ins pass the same laws. This module itself does not need pytest.

Axis letter: N samples.
"""

# ruff: noqa: S101  # laws are assertions

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from fusearch.data import DATA_SETS, Dataset, check_data, load_data
from fusearch.errors import LeakError

__all__ = ["DataSetSuite"]

IntArray = NDArray[np.int64]
A = TypeVar("A", bound=NDArray[Any])


class DataSetSuite:
    """The laws of a data set that is loaded by its name.

    Attributes:
        name: Name of the data set.

    Example:
        >>> class TestMyData(DataSetSuite):
        ...     name = "my_data"
    """

    name: str

    def test_it_can_be_loaded_again(self) -> None:
        """The entry says what it is, and the data know the name by which a run, or an export, finds them."""
        entry, data = DATA_SETS[self.name], self.load()
        assert entry.load() == data, f"{self.name}: loaded twice, the content differs; seed what is drawn"
        assert entry.summary, "a data set says in one line what it holds"
        assert entry.name == data.name == self.name, f"the entry is called {entry.name!r}, the data {data.name!r}, expected {self.name!r}"
        assert data.source == self.name, f"the source is {data.source!r}, expected {self.name!r}: pass `source` to `Dataset.from_arrays`"

    def test_the_fingerprint_is_stable(self) -> None:
        """Loaded again, pickled, and without the test split, it is the same data with the same fingerprint."""
        data = self.load()
        assert self.load().fingerprint == data.fingerprint, f"{self.name}: loaded twice, the content differs; seed what is drawn"
        copy = pickle.loads(pickle.dumps(data))  # noqa: S301  # what was just written
        assert copy == data, f"{self.name}: a pickled copy is another value"
        assert data.without_test().fingerprint == data.fingerprint, f"{self.name}: without the test split the fingerprint is another"

    def test_check_finds_no_error(self) -> None:
        """`fusearch check` has nothing against it."""
        errors = [f"{problem.where}: {problem.what}" for problem in check_data(self.name).problems if problem.severity == "error"]
        assert not errors, f"{self.name}: {errors}"

    def test_ids_targets_and_masks_fit(self) -> None:
        """Ids are unique, targets are legal, every modality has training rows, and every sample has a modality."""
        data = self.load()
        assert len(set(data.ids.tolist())) == len(data), f"{self.name}: an id stands twice"
        never = [label for label, count in data.task.class_counts(data.targets[data.rows("search")]).items() if not count]
        assert not never, f"{self.name}: no row of train + val has the class {never}"
        assert np.isfinite(data.targets).all(), f"{self.name}: a target is missing"
        for name, present in data.present.items():
            assert present[data.rows("train")].any(), f"{self.name}: no training row has {name!r}"
        assert np.any(list(data.present.values()), axis=0).all(), f"{self.name}: a sample has no modality"

    def test_splits_and_folds_keep_apart(self) -> None:
        """The splits share the rows among them; folds hold no test row, and each held-out row once; a group stands on one side."""
        data = self.load()
        parts = [data.rows("train"), data.rows("val"), data.rows("test")]
        assert np.sort(np.concatenate(parts)).tolist() == list(range(len(data))), f"{self.name}: a row in two splits, or in none"
        assert data.rows("search").tolist() == np.sort(np.concatenate(parts[:2])).tolist(), f"{self.name}: search is not train + val"
        self._check_groups(data, *parts)
        search = set(data.rows("search").tolist())
        folds = data.folds()
        for fold in folds:
            assert not set(fold.train.tolist()) & set(fold.val.tolist()), f"{self.name}: fold {fold.index} trains on what it holds out"
            assert set(fold.train.tolist()) | set(fold.val.tolist()) <= search, f"{self.name}: a test row in fold {fold.index}"
            self._check_groups(data, fold.train, fold.val)
        held_out = np.concatenate([fold.val for fold in folds])
        assert len(set(held_out.tolist())) == len(held_out), f"{self.name}: a row is held out twice"

    def test_no_test_row_is_reachable_during_a_search(self) -> None:
        """Without its test split the data hold no id and no value of it, refuse to give it, and have the same folds."""
        data = self.load()
        search, tested = data.without_test(), data.rows("test")
        assert len(search) == len(data.rows("search")), f"{self.name}: {len(search)} rows without test, expected those of train + val"
        assert not set(search.ids.tolist()) & set(data.ids[tested].tolist()), f"{self.name}: ids of test rows are left"
        try:
            search.rows("test")
            refused = False
        except LeakError:
            refused = True
        assert refused, f"{self.name}: the test split is given during a search"
        for name, values in data.raw.items():
            kept = {row.tobytes() for row in values[data.rows("search")]}
            sent = pickle.dumps(search.raw[name])
            hidden = [row.tobytes() for row in values[tested]]
            assert not any(row in sent for row in hidden[:50] if row not in kept), f"{self.name}: values of test rows of {name!r} are sent"
        for whole, part in zip(data.folds(), search.folds(), strict=True):
            for left, right in ((whole.train, part.train), (whole.val, part.val)):
                same = data.ids[left].tolist() == search.ids[right].tolist()
                assert same, f"{self.name}: fold {whole.index} is another one without the test split"

    def test_preprocessing_is_fitted_on_training_rows_only(self) -> None:
        """Whatever stands in the held-out rows, in each fold and in the splits, the preprocessing is the same."""
        data = self.load()
        for train in self._training_rows(data):
            others = np.setdiff1d(np.arange(len(data)), train)
            changed = replace(data, raw=_overwrite(data.raw, others, train[0]), present=_overwrite(data.present, others, train[0]))
            same = changed.fit_preprocessor(train).to_dict() == data.fit_preprocessor(train).to_dict()
            assert same, f"{self.name}: preprocessing depends on rows that it must not see"

    def test_inputs_are_what_a_network_reads(self) -> None:
        """Preprocessed, values are float32 without NaN in the shape of the modality, masks are kept, and rows do not mix."""
        data = self.load()
        preprocessor = data.fit_preprocessor(data.rows("train"))
        rows = np.arange(len(data))
        inputs, present = preprocessor.transform(data, rows)
        few, _ = preprocessor.transform(data, rows[::7][::-1])
        for modality in data.modalities:
            values = inputs[modality.name]
            assert values.dtype == np.float32, f"{self.name}: {modality.name!r} is {values.dtype}, expected float32"
            assert values.shape == (len(data), *modality.shape), (
                f"{self.name}: {modality.name!r} is {values.shape[1:]}, not {modality.shape}"
            )
            assert np.isfinite(values).all(), f"{self.name}: {modality.name!r} is not finite"
            np.testing.assert_array_equal(present[modality.name], data.present[modality.name])
            np.testing.assert_array_equal(few[modality.name], values[::7][::-1])

    def test_nothing_in_it_can_be_changed(self) -> None:
        """The arrays are read-only, so that trials cannot spoil each other's data."""
        data = self.load()
        arrays = [data.ids, data.targets, data.split_of, *data.raw.values(), *data.present.values()]
        assert not any(array.flags.writeable for array in arrays), f"{self.name}: an array can be written to"

    def load(self) -> Dataset:
        """Return the data set."""
        return load_data(self.name)

    def _check_groups(self, data: Dataset, *sides: IntArray) -> None:
        if data.groups is not None:
            groups = [set(data.groups[rows].tolist()) for rows in sides]
            assert sum(map(len, groups)) == len(set().union(*groups)), f"{self.name}: a group stands on two sides"

    def _training_rows(self, data: Dataset) -> Iterator[IntArray]:
        yield data.rows("train")
        yield from (fold.train for fold in data.folds())


def _overwrite(arrays: Mapping[str, A], rows: IntArray, source: int) -> dict[str, A]:
    """Return copies in which `rows` hold what row `source` does: legal values, and another distribution."""
    changed = {name: array.copy() for name, array in arrays.items()}
    for array in changed.values():
        array[rows] = array[source]
    return changed
