"""Puts a data set together from aligned modalities: groups, splits, levels, and the checks that every data set must pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from fusearch.data.dataset import Dataset
from fusearch.data.duplicates import merge_duplicates
from fusearch.data.modality import KINDS, Kind, Modality
from fusearch.data.splits import SPLITS, SplitPlan, crossing_groups
from fusearch.data.tables import TableSchema, as_text, encode_table, restrict_levels
from fusearch.data.targets import encode_targets
from fusearch.data.task import Task, TaskKind
from fusearch.errors import DataError, suggestion

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SUPPORTED_KINDS", "RawModality", "assemble", "assemble_arrays", "check_split_names", "shape_array"]

Array = npt.NDArray[Any]
StrArray = npt.NDArray[np.str_]

#: Kinds that can be read and preprocessed so far.
SUPPORTED_KINDS: tuple[Kind, ...] = ("tabular", "timeseries", "image2d")

#: Number of axes of an array of samples, and what they are.
_AXES = {"tabular": (2, "(N, D)"), "timeseries": (3, "(N, T, C)"), "image2d": (4, "(N, C, H, W)")}


@dataclass(frozen=True)
class RawModality:
    """One modality, aligned with the labels.

    Attributes:
        kind: What it is.
        values: (N, ...) float32, NaN where a value is missing.
        present: (N,) bool, False where the sample has no row.
        schema: The columns of a table, with the levels of every row.
    """

    kind: Kind
    values: npt.NDArray[np.float32]
    present: npt.NDArray[np.bool_]
    schema: TableSchema | None = None


def assemble(
    name: str,
    modalities: Mapping[str, RawModality],
    targets: Array,
    task: Task,
    *,
    ids: StrArray,
    plan: SplitPlan,
    groups: StrArray | None = None,
    source: str = "",
) -> Dataset:
    """Make the data set: join groups that share identical rows, assign splits, keep the levels of train + val rows.

    Raises:
        DataError: Duplicate ids, a group on two sides, a split without rows, or a modality that is constant.
    """
    values, counts = np.unique(ids, return_counts=True)
    if (counts > 1).any():
        twice = str(values[counts > 1][0])
        rows = " and ".join(str(row + 1) for row in np.flatnonzero(ids == twice)[:2])
        raise DataError(f"data set {name!r}: id {twice!r} stands in rows {rows}, expected each id once")
    if groups is not None and plan.given is None:
        groups = merge_duplicates(groups, [modality.values for modality in modalities.values()])
    split_of = plan.assign(targets, groups=groups, labels=task.labels)
    if groups is not None:
        crossing = crossing_groups(split_of, groups)
        if crossing:
            group, sides = next(iter(crossing.items()))
            more = f" (and {len(crossing) - 1} more groups)" if len(crossing) > 1 else ""
            raise DataError(f"data set {name!r}: group {group!r} stands in {' and '.join(sides)}{more}, expected each group in one split")
    if not (split_of == "train").any():
        raise DataError(f"data set {name!r}: no row is in the split 'train', expected at least one")
    search = np.flatnonzero(split_of != "test")
    raw, columns, shaped = {}, {}, []
    for key, modality in modalities.items():
        raw[key], shape = modality.values, modality.values.shape[1:]
        if modality.schema is not None:
            raw[key], columns[key] = restrict_levels(modality.values, modality.schema, search)
            shape = (columns[key].width,)
        _refuse_constant(key, modality, raw[key][search], columns.get(key))
        shaped.append(Modality(key, modality.kind, shape))
    return Dataset(
        name=name,
        source=source,
        task=task,
        modalities=tuple(shaped),
        ids=ids,
        targets=targets,
        raw=raw,
        present={key: modality.present for key, modality in modalities.items()},
        split_of=split_of,
        columns=columns,
        groups=groups,
        num_folds=plan.folds,
    )


def assemble_arrays(
    name: str,
    modalities: Mapping[str, Array | pd.DataFrame],
    targets: Sequence[Any] | Array,
    *,
    kind: TaskKind,
    target_name: str,
    kinds: Mapping[str, str] | None,
    categorical: Mapping[str, Sequence[str]] | None,
    present: Mapping[str, Sequence[bool]] | None,
    ids: Sequence[Any] | None,
    groups: Sequence[Any] | None,
    labels: Sequence[str] | None,
    splits: Sequence[str] | None,
    fractions: Sequence[float],
    folds: int | None,
    seed: int,
    source: str,
) -> Dataset:
    """Make a data set from arrays in memory; `Dataset.from_arrays` is its public face."""
    place, num_rows = f"data set {name!r}", len(targets)
    given = {
        "ids": ids,
        "groups": groups,
        "splits": splits,
        **modalities,
        **{f"presence of {key}": mask for key, mask in (present or {}).items()},
    }
    for what, values in given.items():
        if values is not None and len(values) != num_rows:
            raise DataError(f"{place}: {what} has {len(values)} rows, expected {num_rows}, one for each target")
    for option, keys in (("kinds", kinds), ("categorical", categorical), ("present", present)):
        for key in keys or ():
            if key not in modalities:
                raise DataError(f"{place}: {option} names the modality {key!r}, {suggestion(key, modalities)}")
    id_array = _text_array(range(num_rows) if ids is None else ids, "id", place)
    codes, task = encode_targets(targets, kind, target_name, ids=id_array.tolist(), place=place, labels=labels)
    blocks = {}
    for key, values in modalities.items():
        block = _from_memory(key, values, (kinds or {}).get(key), (categorical or {}).get(key, ()), place)
        blocks[key] = block if present is None or key not in present else replace(block, present=np.asarray(present[key], np.bool_))
    split_of = None if splits is None else check_split_names(_text_array(splits, "split", place), place)
    plan = SplitPlan(tuple(fractions), folds, seed, split_of)
    group_array = None if groups is None else _text_array(groups, "group", place)
    return assemble(name, blocks, codes, task, ids=id_array, plan=plan, groups=group_array, source=source)


def shape_array(values: Array, kind: Kind, place: str) -> npt.NDArray[np.float32]:
    """Bring an array of samples to the axes of its kind, as float32; a missing channel axis is added.

    Raises:
        DataError: The axes do not fit the kind, or a value is not a finite number or NaN.
    """
    axes, legend = _AXES[kind]
    if values.dtype.kind not in "fiub":
        raise DataError(f"{place}: an array of {values.dtype}, expected numbers")
    if values.ndim == axes - 1 and kind != "tabular":
        values = values[:, None] if kind == "image2d" else values[..., None]
    if values.ndim != axes or 0 in values.shape:
        raise DataError(f"{place}: an array of shape {values.shape}, expected {legend} for kind {kind!r}")
    with np.errstate(over="ignore"):
        values = values.astype(np.float32)
    if np.isinf(values).any():
        row = int(np.argwhere(np.isinf(values))[0][0])
        raise DataError(f"{place}: an infinite value in row {row + 1}, expected finite numbers or NaN")
    return values


def check_split_names(names: StrArray, place: str) -> StrArray:
    """Return the names of splits as they are.

    Raises:
        DataError: A name is not `train`, `val` or `test`.
    """
    for row, name in enumerate(names.tolist()):
        if name not in SPLITS:
            raise DataError(f"{place}: split {name!r} in row {row + 1}, {suggestion(name, SPLITS)}")
    return names


def _from_memory(key: str, values: Array | pd.DataFrame, kind: str | None, categorical: Sequence[str], place: str) -> RawModality:
    import pandas as pd

    place = f"{place}, modality {key!r}"
    if isinstance(values, pd.DataFrame):
        kind = kind or "tabular"
    else:
        values = np.asarray(values)
        kind = kind or {2: "tabular", 3: "timeseries", 4: "image2d"}.get(values.ndim)
    if kind is None:
        raise DataError(f"{place}: an array of {np.ndim(values)} axes, expected 2 (tabular), 3 (timeseries) or 4 (image2d)")
    check_kind(kind, place)
    if kind == "tabular":
        frame = values if isinstance(values, pd.DataFrame) else pd.DataFrame(shape_array(values, "tabular", place)).add_prefix(f"{key}_")
        for column in categorical:
            if column not in frame.columns:
                raise DataError(f"{place}: no column {column!r}, {suggestion(column, map(str, frame.columns))}")
        array, schema = encode_table(frame, categorical=categorical, place=place)
        return RawModality("tabular", array, ~np.isnan(array).all(axis=1), schema)
    array = shape_array(np.asarray(values), cast(Kind, kind), place)
    return RawModality(cast(Kind, kind), array, ~np.isnan(array).reshape(len(array), -1).all(axis=1))


def check_kind(kind: str, place: str) -> None:
    """Refuse a kind that is unknown or not supported yet.

    Raises:
        DataError: The kind cannot be read.
    """
    if kind not in KINDS:
        raise DataError(f"{place}: unknown kind {kind!r}, {suggestion(kind, KINDS)}")
    if kind not in SUPPORTED_KINDS:
        raise DataError(f"{place}: kind {kind!r} is not supported yet, expected one of: {', '.join(SUPPORTED_KINDS)}")


def _refuse_constant(key: str, modality: RawModality, values: npt.NDArray[np.float32], schema: TableSchema | None) -> None:
    """Refuse a modality that tells samples apart by nothing: every column is constant over the search rows."""
    if not modality.present.any():
        raise DataError(f"modality {key!r}: no sample has it, expected values for at least one")
    flat = values.reshape(len(values), -1)
    known = ~np.isnan(flat)
    low = np.where(known, flat, np.inf).min(axis=0, initial=np.inf)
    high = np.where(known, flat, -np.inf).max(axis=0, initial=-np.inf)
    if (low < high).any():
        return
    if schema is not None and len(schema.columns) == 1:
        raise DataError(f"modality {key!r}: its one column {schema.columns[0]!r} is constant, expected a column that varies")
    raise DataError(f"modality {key!r}: all of its {flat.shape[1]} columns are constant, expected at least one that varies")


def _text_array(values: Any, what: str, place: str) -> StrArray:
    texts = as_text(list(values))
    for row, text in enumerate(texts):
        if text is None or text == "":
            raise DataError(f"{place}: no {what} in row {row + 1}, expected one in every row")
    return np.array(texts, dtype=np.str_)
