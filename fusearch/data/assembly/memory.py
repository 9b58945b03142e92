"""A data set from arrays and data frames in memory; `Dataset.from_arrays` is the public face."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fusearch.data.assembly.arrays import RawModality, check_split_names, has_values, shape_array, text_array, widen
from fusearch.data.assembly.assembly import assemble
from fusearch.data.assembly.mask_targets import encode_masks, is_dense, refuse_no_grid
from fusearch.data.assembly.targets import AskedTask, RowsOfLabels, encode_several, encode_targets
from fusearch.data.content import Content
from fusearch.data.files.text import as_text
from fusearch.data.kinds import check_kind, kind_of_array, kind_of_frame
from fusearch.data.splits import NumFolds, SplitPlan
from fusearch.data.table_schema import TableSchema, encode_table
from fusearch.errors import DataError, suggestion
from fusearch.tasks import REFUSED, TASKS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["assemble_arrays", "common_index", "encode_samples"]

Array = npt.NDArray[Any]


def assemble_arrays(
    name: str,
    modalities: Mapping[str, Array | pd.DataFrame],
    targets: Any,
    *,
    kind: str | Mapping[str, str],
    target_name: str,
    kinds: Mapping[str, str] | None,
    categorical: Mapping[str, Sequence[str]] | None,
    present: Mapping[str, Sequence[bool]] | None,
    ids: Sequence[Any] | None,
    groups: Sequence[Any] | None,
    labels: Sequence[str] | Mapping[str, Sequence[str]] | None,
    weights: Mapping[str, float] | None,
    splits: Sequence[str] | None,
    fractions: Sequence[float],
    folds: NumFolds | None,
    seed: int,
    source: str,
) -> Content:
    """Make a data set from arrays in memory; `Dataset.from_arrays` is its public face."""
    place = f"data set {name!r}"
    asked = _asked(np.arange(len(targets)) if is_dense(kind) else targets, kind, target_name, labels, weights, place)
    columns = {
        key if isinstance(kind, str) else f"{name}.{key}": values for name, one in asked.items() for key, (_, values) in one.columns.items()
    }
    num_rows = len(next(iter(columns.values())))
    given = {
        **{f"target {key!r}": values for key, values in columns.items()},
        "ids": ids,
        "groups": groups,
        "splits": splits,
        **modalities,
        **{f"presence of {key}": mask for key, mask in (present or {}).items()},
    }
    for what, values in given.items():
        if values is not None and len(values) != num_rows:
            how = "; `.reindex` over the index of the target adds rows without values, for samples that lack it"
            named = how if what in modalities and hasattr(values, "reindex") and len(values) < num_rows else ""
            raise DataError(f"{place}: {what} has {len(values)} rows, expected {num_rows}, one for each target{named}")
    for option, keys in (("kinds", kinds), ("categorical", categorical), ("present", present)):
        for key in keys or ():
            if key not in modalities:
                raise DataError(f"{place}: {option} names the modality {key!r}, {suggestion(key, modalities)}")
    index = common_index(
        {f"target {key!r}": values for key, values in columns.items()} | dict(modalities) | {"groups": groups, "splits": splits}, place
    )
    if index is not None and ids is not None and as_text(index) != as_text(ids) and set(as_text(index)) == set(as_text(ids)):
        raise DataError(f"{place}: ids are in another order than the index of its frames, so rows would be joined wrongly by position")
    given_ids = index if ids is None else ids
    id_array = text_array(range(num_rows) if given_ids is None else given_ids, "id", place)
    rows: RowsOfLabels = {"ids": id_array.tolist(), "place": place}
    codes: Array
    if is_dense(kind):
        codes, task = encode_masks(targets, target_name, place=place, labels=labels)
    elif isinstance(kind, str):
        codes, task = encode_targets(asked[kind].columns, kind, labels=asked[kind].labels, **rows)
    else:
        codes, task = encode_several(asked, **rows)
    blocks = {}
    for key, values in modalities.items():
        block = _from_memory(key, values, (kinds or {}).get(key), (categorical or {}).get(key, ()), place)
        blocks[key] = block if present is None or key not in present else _mask(block, np.asarray(present[key], np.bool_))
    split_of = None if splits is None else check_split_names(text_array(splits, "split", place), place)
    plan = SplitPlan(tuple(fractions), folds, seed, split_of)
    group_array = None if groups is None else text_array(groups, "group", place)
    refuse_no_grid(task, blocks, place)
    return assemble(name, blocks, codes, task, ids=id_array, plan=plan, groups=group_array, source=source)


def encode_samples(content: Content, samples: Mapping[str, Array | pd.DataFrame], place: str) -> dict[str, npt.NDArray[np.float32]]:
    """Return new samples as the raw values of a data set; `Dataset.encode` is its public face."""
    for name in samples:
        if name not in content.raw:
            raise DataError(f"{place}: modality {name!r}, {suggestion(name, content.raw)}")
    common_index(samples, place)
    lengths = {name: len(values) for name, values in samples.items()}
    if len(set(lengths.values())) != 1:
        told = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise DataError(f"{place}: samples of {told or 'no modality'}, expected modalities of one length")
    encoded = {}
    for modality in content.modalities:
        expected = (next(iter(lengths.values())), *content.raw[modality.name].shape[1:])
        if modality.name not in samples:
            encoded[modality.name] = np.full(expected, np.nan, np.float32)
            continue
        values = _encode(modality.name, modality.kind, samples[modality.name], content.columns.get(modality.name), place)
        values = widen(values, expected[1:], modality.entry)
        if values.shape != expected:
            raise DataError(f"{place}: modality {modality.name!r} has samples of shape {values.shape[1:]}, expected {expected[1:]}")
        encoded[modality.name] = values
    return encoded


def _encode(key: str, kind: str, values: Any, schema: TableSchema | None, place: str) -> npt.NDArray[np.float32]:
    place = f"{place}, modality {key!r}"
    if schema is None:
        return shape_array(np.asarray(values), kind, place)
    frame = _frame(key, kind, values, place)
    for column in schema.columns:
        if column not in frame.columns:
            raise DataError(f"{place}: no column {column!r}, {suggestion(column, frame.columns)}")
    return schema.encode(frame, place=place, origin="samples")


def _frame(key: str, kind: str, values: Any, place: str) -> pd.DataFrame:
    """Return a table in memory as a frame; the columns of an array are numbered."""
    import pandas as pd

    if isinstance(values, pd.DataFrame):
        return values.rename(columns=str)
    return pd.DataFrame(shape_array(np.asarray(values), kind, place)).add_prefix(f"{key}_")


def common_index(things: Mapping[str, Any], place: str) -> list[Any] | None:
    """Return the index that data frames and series share, where it names rows; None where it numbers them.

    Raises:
        DataError: Two of them have another index: they would be joined by position.
    """
    import pandas as pd

    indexes = {what: list(thing.index) for what, thing in things.items() if isinstance(thing, pd.DataFrame | pd.Series)}
    named = {what: index for what, index in indexes.items() if index != list(range(len(index)))}
    if not named:
        return None
    first, expected = next(iter(named.items()))
    numbers = set(expected) == set(range(len(expected)))  # rows that were shuffled: those that were not are in another order
    for what, index in (indexes if numbers else named).items():
        if index != expected:
            how = "in another order than" if set(map(str, index)) == set(map(str, expected)) else "other than"
            advice = "`.loc` brings them into one order, `.reset_index(drop=True)` says that the order is right"
            raise DataError(f"{place}: the index of {what} is {how} that of {first}, so rows would be joined wrongly by position; {advice}")
    return expected


def _asked(
    targets: Any,
    kind: str | Mapping[str, str],
    name: str,
    labels: Sequence[str] | Mapping[str, Sequence[str]] | None,
    weights: Mapping[str, float] | None,
    place: str,
) -> dict[str, AskedTask]:
    """Return what is predicted: one task under its kind, or several under their names."""
    if isinstance(kind, str):
        if weights is not None or isinstance(labels, Mapping):
            raise DataError(f"{place}: weights, or labels by name, with one task, expected `task` as a mapping from name to kind")
        return {kind: AskedTask(kind, _label_columns(targets, kind, name, place), labels)}
    if not isinstance(targets, Mapping) or set(targets) != set(kind):
        given = ", ".join(map(str, targets)) if isinstance(targets, Mapping) else type(targets).__name__
        raise DataError(f"{place}: targets {given}, expected a mapping with the tasks {', '.join(kind)}")
    if labels is not None and not isinstance(labels, Mapping):
        raise DataError(f"{place}: labels of several tasks, expected a mapping from the name of a task to its labels")
    for option, named in (("labels", labels), ("weights", weights)):
        for each in named or ():
            if each not in kind:
                raise DataError(f"{place}: {option} name the task {each!r}, {suggestion(each, kind)}")
    return {
        each: AskedTask(one, _label_columns(targets[each], one, each, place), (labels or {}).get(each), (weights or {}).get(each, 1.0))
        for each, one in kind.items()
    }


def _label_columns(targets: Any, kind: str, name: str, place: str) -> dict[str, tuple[str, Any]]:
    """Return the key of each label column of the task -> its name and values."""
    if kind in REFUSED and kind not in TASKS:
        raise DataError(f"{place}: task {kind!r}: {REFUSED[kind]}; expected one of: {', '.join(TASKS)}")
    entry = TASKS[kind]
    keys = list(entry.columns)
    if entry.several and isinstance(targets, Mapping) and targets:
        return {str(key): (str(key), values) for key, values in targets.items()}
    if entry.several:
        raise DataError(f"{place}: targets of a {kind}, expected a mapping from the name of each label to its values")
    if not isinstance(targets, Mapping):
        targets = {keys[0]: targets}
    if list(targets) != keys:
        raise DataError(f"{place}: targets {', '.join(targets)} of a {kind}, expected a mapping with {', '.join(keys)}")
    return {key: (name if key == keys[0] else key, values) for key, values in targets.items()}


def _from_memory(key: str, values: Array | pd.DataFrame, kind: str | None, categorical: Sequence[str], place: str) -> RawModality:
    import pandas as pd

    place = f"{place}, modality {key!r}"
    if not isinstance(values, pd.DataFrame):
        values = np.asarray(values)
    if kind is not None:
        entry = check_kind(kind, place)
    else:
        entry = kind_of_frame() if isinstance(values, pd.DataFrame) else kind_of_array(values.ndim, place)
    if entry.columns:
        frame = _frame(key, entry.name, values, place)
        for column in categorical:
            if column not in frame.columns:
                raise DataError(f"{place}: no column {column!r}, {suggestion(column, map(str, frame.columns))}")
        said = [name for name, dtype in frame.dtypes.items() if isinstance(dtype, pd.CategoricalDtype)]
        levels = list(dict.fromkeys([*categorical, *map(str, said)]))
        array, schema = encode_table(frame, categorical=levels, place=place, origin="frame")
        return RawModality(entry.name, array, has_values(array), schema)
    array = shape_array(np.asarray(values), entry.name, place)
    return RawModality(entry.name, array, has_values(array))


def _mask(block: RawModality, present: npt.NDArray[np.bool_]) -> RawModality:
    """Take the values of the samples that lack the modality away, so that they cannot matter."""
    values = block.values.copy()
    values[~present] = np.nan
    return replace(block, values=values, present=present & block.present)
