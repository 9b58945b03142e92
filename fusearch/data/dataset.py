"""A data set: aligned modalities, masks, targets, groups and splits, as one value that never changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from fusearch.data.assembly.memory import assemble_arrays, encode_samples
from fusearch.data.content import Content
from fusearch.data.fingerprint import fingerprint
from fusearch.data.given_weights import GivenWeights
from fusearch.data.modality import Modality
from fusearch.data.preprocessing import Preprocessor, fit_preprocessor
from fusearch.data.splits import DEFAULT_FRACTIONS, SPLITS, Fold, NumFolds, leave_one_group_out, make_folds
from fusearch.errors import DataError, LeakError, suggestion
from fusearch.notebook import html_table, html_title

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Dataset", "Split"]

Array = npt.NDArray[Any]
BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
StrArray = npt.NDArray[np.str_]

Split = Literal["train", "val", "test", "search"]

#: Default number of folds below so many search rows, and from there on: one split does not tell how sure a score is.
_FEW_ROWS, _FEW_ROWS_FOLDS, _MANY_ROWS_FOLDS = 5000, 5, 3


@dataclass(frozen=True, eq=False, repr=False)
class Dataset(Content):
    """What is fused: `Content` with its rows, splits and folds at hand, and a fingerprint.

    Example:
        >>> from fusearch.data import load_data
        >>> data = load_data("wisconsin")
        >>> data
        Dataset('wisconsin': 569 samples, mean tabular (10,), error tabular (10,), worst tabular (10,), classification of diagnosis)
        >>> len(data.rows("train")), len(data.rows("val")), len(data.rows("test"))
        (399, 85, 85)
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.fingerprint:
            object.__setattr__(self, "fingerprint", fingerprint(self))

    @classmethod
    def of(cls, content: Content) -> Dataset:
        """Return the data set with this content."""
        return cls(**{each.name: getattr(content, each.name) for each in fields(Content)})

    @classmethod
    def from_arrays(
        cls,
        name: str,
        *,
        modalities: Mapping[str, Array | pd.DataFrame],
        targets: Sequence[Any] | Array | Mapping[str, Any],
        task: str | Mapping[str, str] = "classification",
        target_name: str = "target",
        kinds: Mapping[str, str] | None = None,
        categorical: Mapping[str, Sequence[str]] | None = None,
        present: Mapping[str, Sequence[bool]] | None = None,
        ids: Sequence[Any] | None = None,
        groups: Sequence[Any] | None = None,
        labels: Sequence[str] | Mapping[str, Sequence[str]] | None = None,
        weights: Mapping[str, float] | None = None,
        splits: Sequence[str] | None = None,
        fractions: Sequence[float] = DEFAULT_FRACTIONS,
        folds: NumFolds | None = None,
        seed: int = 0,
        source: str = "",
    ) -> Dataset:
        """Make a data set from arrays or data frames in memory, without a manifest.

        Args:
            name: Name of the data set.
            modalities: Name -> values, row by row in the order of `targets`; NaN where a value is missing.
            targets: Label or number of each sample, (N,); for a task of several label columns a mapping from its keys to theirs. Of several
                tasks a mapping from their names to such targets, None where a sample has no label.
            task: Name of the task: `classification`, `regression` or a plug-in's. Of several tasks a mapping from their names to these.
            target_name: Name of the target.
            kinds: Name -> kind. Left out: a data frame or an array of 2 axes is tabular, of 3 axes (N, T, C) timeseries, of 4 axes
                (N, C, H, W) image2d, of 5 axes (N, C, D, H, W) volume3d.
            categorical: Name -> columns of a data frame that hold levels; those of pandas' dtype `category` do anyway.
            present: Name -> whether each sample has the modality; a sample whose values are all missing lacks it in any case.
            ids: Id of each sample; left out, the row numbers.
            groups: Group of each sample; rows of one group, and rows with identical content, never stand on two sides.
            labels: Class names in the order of their codes; left out, the names that occur, sorted. Of several tasks by their names.
            weights: Of several tasks, what the loss of each is multiplied by; 1 where it is not named.
            splits: `train`, `val` or `test` for each sample; left out, `fractions` or `folds` with `seed`.
            fractions: Shares of train, val and test.
            folds: Number of folds inside a data set without a test split; `groups`: each group is left out once.
            seed: Seed of the shuffle.
            source: A name under which `load_data` finds the data set again.

        Raises:
            DataError: Row counts that differ, a missing label, labels of one class, a modality that is constant.

        Example:
            >>> import numpy as np
            >>> rng = np.random.default_rng(0)
            >>> y = np.repeat([0, 1], 30)
            >>> Dataset.from_arrays("toy", modalities={"a": rng.normal(size=(60, 4)), "b": rng.normal(size=(60, 9, 2))}, targets=y)
            Dataset('toy': 60 samples, a tabular (4,), b timeseries (9, 2), classification of target)
        """
        content = assemble_arrays(
            name, modalities, targets, kind=task, target_name=target_name, kinds=kinds, categorical=categorical, present=present, ids=ids,
            groups=groups, labels=labels, weights=weights, splits=splits, fractions=fractions, folds=folds, seed=seed, source=source,
        )  # fmt: skip
        return cls.of(content)

    def encode(self, samples: Mapping[str, Array | pd.DataFrame]) -> dict[str, FloatArray]:
        """Return new samples as this data set holds its own: what a fitted preprocessor and a deployed model read.

        Args:
            samples: Name -> values, as for `from_arrays`: the same columns and shapes. A modality that is left out is missing.

        Returns:
            Name -> (n, *raw shape) float32, NaN where a value is missing; a level that the data set does not know is -1.

        Raises:
            DataError: An unknown modality, a column that is missing, another shape, or lengths that differ.

        Example:
            >>> import pandas as pd
            >>> labs = pd.DataFrame({"age": [40.0, 61.0, 55.0, 38.0] * 9, "sex": ["f", "m", "m", "f"] * 9})
            >>> data = Dataset.from_arrays(
            ...     "toy", modalities={"labs": labs}, targets=[0, 1, 1, 0] * 9, categorical={"labs": ["sex"]}, folds=2
            ... )
            >>> data.encode({"labs": pd.DataFrame({"sex": ["m", "x"], "age": [50.0, None]})})["labs"].tolist()
            [[50.0, 1.0], [nan, -1.0]]
        """
        return encode_samples(self, samples, f"data set {self.name!r}")

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        parts = ", ".join(f"{modality.name} {modality.kind} {modality.shape}" for modality in self.modalities)
        withheld = ", test withheld" if self.test_withheld else ""
        return f"Dataset({self.name!r}: {len(self)} samples, {parts}, {self.task.kind} of {self.task.name}{withheld})"

    def _repr_html_(self) -> str:
        rows = [
            {"modality": each.name, "kind": each.kind, "shape": each.shape, "samples without": int((~self.present[each.name]).sum())}
            for each in self.modalities
        ]
        splits = ", ".join(f"{name} {count}" for name, count in zip(*np.unique(self.split_of, return_counts=True), strict=True))
        return html_title(f"{self.name}: {len(self)} samples ({splits}), {self.task.kind} of {self.task.name}") + html_table(rows)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Dataset):
            return NotImplemented
        return (self.name, self.fingerprint, self.test_withheld) == (other.name, other.fingerprint, other.test_withheld)

    def __hash__(self) -> int:
        return hash((self.name, self.fingerprint, self.test_withheld))

    def __reduce__(self) -> tuple[Any, ...]:
        values = (getattr(self, attribute.name) for attribute in fields(self))
        return Dataset, tuple(dict(value) if isinstance(value, MappingProxyType) else value for value in values)

    @property
    def default_num_folds(self) -> int:
        """How many folds `folds()` gives: what the manifest says, else 5 below 5,000 search rows and 3 above.

        One split alone does not tell how sure a score is, so it is used only where it is asked for.
        """
        if self.num_folds == "groups":
            return 0 if self.groups is None else len(np.unique(self.groups[self.rows("search")]))
        if self.num_folds is not None:
            return self.num_folds
        return _FEW_ROWS_FOLDS if len(self.rows("search")) < _FEW_ROWS else _MANY_ROWS_FOLDS

    def modality(self, name: str) -> Modality:
        """Return a modality by its name.

        Raises:
            DataError: There is none of that name.
        """
        for modality in self.modalities:
            if modality.name == name:
                return modality
        raise DataError(f"data set {self.name!r} has no modality {name!r}, {suggestion(name, self.raw)}")

    def rows(self, split: Split) -> IntArray:
        """Return the row numbers of a split, rising: `train`, `val`, `test`, or `search` (train and val together).

        Raises:
            LeakError: The test split was asked for and is withheld.
            DataError: There is no split of that name.
        """
        if split == "test" and self.test_withheld:
            raise LeakError(f"the test split of {self.name!r} is withheld during a search, expected 'train', 'val' or 'search'")
        if split == "search":
            return np.flatnonzero(self.split_of != "test")
        if split not in SPLITS:
            raise DataError(f"no split {split!r}, {suggestion(split, (*SPLITS, 'search'))}")
        return np.flatnonzero(self.split_of == split)

    def without_test(self) -> Dataset:
        """Return the data set without the rows of the test split; they are gone, not hidden."""
        if self.test_withheld:
            return self
        keep = self.rows("search")
        return replace(
            self,
            ids=self.ids[keep],
            targets=self.targets[keep],
            raw={name: array[keep] for name, array in self.raw.items()},
            present={name: array[keep] for name, array in self.present.items()},
            split_of=self.split_of[keep],
            groups=None if self.groups is None else self.groups[keep],
            test_withheld=True,
        )

    def without_samples(self) -> Dataset:
        """Return the data set without any sample: what `encode` and `task` need."""
        return replace(
            self,
            ids=self.ids[:0],
            targets=self.targets[:0],
            raw={name: array[:0] for name, array in self.raw.items()},
            present={name: array[:0] for name, array in self.present.items()},
            split_of=self.split_of[:0],
            groups=None,
        )

    @property
    def identity(self) -> dict[str, Any]:
        """What a run keeps to know the data again, as JSON-able values: name, fingerprint, and the weights that streams start from."""
        given = [each.to_dict() for each in self.given_weights]
        return {"name": self.name, "fingerprint": self.fingerprint, "given_weights": given}

    def starting_from(self, *weights: GivenWeights) -> Dataset:
        """Return the same data with weights in files that streams start from beside those that it has; the fingerprint is another.

        Raises:
            DataError: The test split was taken out, so the fingerprint of the whole can no longer be worked out.
        """
        if self.test_withheld:
            raise DataError(f"data set {self.name!r}: its test split was taken out, give it weights before")
        return replace(self, given_weights=(*self.given_weights, *weights), fingerprint="")

    def folds(self, num_folds: int | None = None, seed: int | None = None) -> tuple[Fold, ...]:
        """Divide train + val into folds, stratified by class and grouped.

        The same rows fall into the same fold with and without the test split. Where the data set says `groups`, each group is left
        out once, unless another number of folds is asked for.

        Args:
            num_folds: How many folds; 1 is the train / val split. None: `default_num_folds`.
            seed: Seed of the shuffle. None: what the data set says.

        Raises:
            DataError: More folds than rows, groups, or members of the largest class.
        """
        search, val = self.rows("search"), self.rows("val")
        num_folds = self.default_num_folds if num_folds is None else num_folds
        if self.num_folds == "groups" and num_folds == self.default_num_folds:
            return leave_one_group_out(search, self.groups)
        if num_folds == 1 and len(val):
            return (Fold(0, self.rows("train"), val),)
        if num_folds == 1:
            raise DataError(f"data set {self.name!r} has no val split to serve as the one fold, expected 2 folds or more")
        strata = np.zeros(len(self), np.int64)
        strata[search] = self.task.strata(self.targets[search])
        return make_folds(strata, search, num_folds, seed=self.fold_seed if seed is None else seed, groups=self.groups)

    def fit_preprocessor(self, rows: IntArray) -> Preprocessor:
        """Fit imputation, scaling and one-hot encoding on `rows` and on no others."""
        return fit_preprocessor(self, rows)
