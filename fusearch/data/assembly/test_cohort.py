"""External validation: another cohort, with a manifest of its own, as the test split."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from fusearch.data.assembly.arrays import RawModality, widen
from fusearch.data.assembly.label_file import LabelFile, read_labels
from fusearch.data.assembly.modality_files import read_modality
from fusearch.data.check.problem import Problem
from fusearch.data.files.ids import shared_ids
from fusearch.data.kinds import KINDS
from fusearch.data.manifest.manifest import Manifest, load_manifest
from fusearch.data.symbol_schema import match_symbols
from fusearch.data.table_schema import TableSchema
from fusearch.errors import DataError, ManifestError, suggestion

__all__ = ["add_test_cohort"]

FloatArray = npt.NDArray[np.float32]


def add_test_cohort(
    manifest: Manifest, labels: LabelFile, modalities: Mapping[str, RawModality]
) -> tuple[LabelFile, dict[str, RawModality]]:
    """Append the rows of the cohort that `splits.test` names; they are the test split, and its own splits are not read.

    Its ids (and groups) get the cohort's name in front (`other/p1`), because cohorts often number their samples alike. Ids that stand in
    both are noted: a patient of both is one that was trained on.

    Raises:
        ManifestError: The other manifest cannot be read, or has another task or other modalities.
        DataError: Columns, levels or shapes that do not fit.
    """
    name = manifest.splits.test or ""
    place = f"{manifest.path.name}: splits.test"
    other = load_manifest(manifest.resolve(name, "splits.test"))
    if other.path.samefile(manifest.path):
        raise ManifestError(f"{place}: {name!r} is this manifest itself, expected another cohort")
    kinds, expected = ({key: keys.kind for key, keys in each.all_tasks.items()} for each in (other, manifest))
    if kinds != expected:
        found, wanted = (", ".join(each.values()) for each in (kinds, expected))
        what = f"the task of {name!r} is a {found}, expected a {wanted}"
        raise ManifestError(f"{place}: {what if manifest.tasks is None else f'{name!r} has other tasks, expected {_told(expected)}'}")
    for key, spec in manifest.modalities.items():
        if key not in other.modalities:
            raise ManifestError(f"{place}: {name!r} has no modality {key!r}, {suggestion(key, other.modalities)}")
        if other.modalities[key].kind != spec.kind:
            raise ManifestError(f"{place}: modality {key!r} of {name!r} is {other.modalities[key].kind}, expected {spec.kind}")
    other = other.model_copy(update={"splits": other.splits.model_copy(update={"column": None, "group": None, "test": None})})
    try:
        theirs = read_labels(other, labels.task)
        read = {key: read_modality(other, key, theirs) for key in modalities}
    except DataError as error:
        raise type(error)(*(f"{name}: {fault}" for fault in error.faults)) from None
    notes = tuple(replace(note, what=f"{name}: {note.what}") for note in theirs.notes)
    if manifest.id is not None and other.id is not None:
        notes += _shared(labels, theirs, modalities, read, name)
    joined = {key: _append(key, block, read[key], name) for key, block in modalities.items()}
    prefix = np.char.add(f"{other.name}/", theirs.ids)
    groups = None if labels.groups is None else np.concatenate([labels.groups, prefix])
    plan = replace(labels.plan, num_test_rows=len(theirs.ids))
    ids, targets = np.concatenate([labels.ids, prefix]), np.concatenate([labels.targets, theirs.targets])
    return replace(labels, ids=ids, targets=targets, plan=plan, groups=groups, notes=(*labels.notes, *notes)), joined


def _shared(
    ours: LabelFile, theirs: LabelFile, modalities: Mapping[str, RawModality], read: Mapping[str, RawModality], place: str
) -> tuple[Problem, ...]:
    """Tell the ids of the cohort that stand in ours too; plain numbers are often given in both by chance."""
    found = shared_ids(theirs.ids.tolist(), ours.ids.tolist())
    if not found:
        return ()
    row_of, their_row = ({text: row for row, text in enumerate(each.ids.tolist())} for each in (ours, theirs))

    def same(text: str, partner: str) -> bool:
        pairs = [(theirs.targets, ours.targets), *((read[key].values, modalities[key].values) for key in modalities)]
        return all(np.array_equal(their[their_row[text]], our[row_of[partner]], equal_nan=True) for their, our in pairs)

    others = sum(not same(text, partner) for text, partner in found.items())
    text, partner = next(iter(found.items()))
    shown = repr(text) if text == partner else f"{text!a}, there {partner!a}"
    told = "with the same values" if not others else "with other values" if others == len(found) else f"{others} of them with other values"
    what = f"{len(found)} of {len(theirs.ids)} ids of {place} stand in {ours.place} too ({shown}), {told}"
    numbers = all(partner.isdecimal() for partner in found.values())
    advice = "if they are the same patients, the test rows were trained on: leave them out of one"
    return (Problem("info" if numbers else "warning", f"{what}; {advice}", "splits.test"),)


def _told(kinds: Mapping[str, str]) -> str:
    return ", ".join(f"{key.removeprefix('tasks.')} (a {kind})" for key, kind in kinds.items())


def _append(key: str, ours: RawModality, theirs: RawModality, place: str) -> RawModality:
    schema, symbols = ours.schema, ours.symbols
    if symbols is not None and theirs.symbols is not None:
        values, symbols = match_symbols(symbols, theirs.symbols, theirs.values, ours.values.shape[1])
    elif schema is not None and theirs.schema is not None:
        values, schema = _match_columns(key, schema, theirs.schema, theirs.values, place)
    else:
        values = widen(theirs.values, ours.values.shape[1:], KINDS[ours.kind])
        if values.shape[1:] != ours.values.shape[1:]:
            raise DataError(f"{place}: modality {key!r} has samples of shape {theirs.values.shape[1:]}, expected {ours.values.shape[1:]}")
    return RawModality(
        ours.kind,
        np.concatenate([ours.values, values]),
        np.concatenate([ours.present, theirs.present]),
        schema,
        ours.num_unlabelled + theirs.num_unlabelled,
        (*ours.notes, *(f"{place}: {note}" for note in theirs.notes)),
        symbols,
    )


def _match_columns(key: str, ours: TableSchema, theirs: TableSchema, values: FloatArray, place: str) -> tuple[FloatArray, TableSchema]:
    """Bring the other cohort's columns into our order, its levels behind ours. Columns that only theirs has are left out."""
    blocks, categorical = [], {}
    for column in ours.columns:
        levels = ours.categorical.get(column)
        legal = theirs.numeric if levels is None else tuple(theirs.categorical)
        if column not in legal:
            what = "numeric" if levels is None else "categorical"
            raise DataError(f"{place}: modality {key!r} has no {what} column {column!r}, {suggestion(column, legal)}")
        block = values[:, theirs.columns.index(column)]
        if levels is not None:
            categorical[column] = (*levels, *(level for level in theirs.categorical[column] if level not in levels))
            codes = np.array([categorical[column].index(level) for level in theirs.categorical[column]], np.float32)
            block = np.array([np.nan if np.isnan(code) else codes[int(code)] for code in block], np.float32)
        blocks.append(block)
    return np.stack(blocks, axis=1), TableSchema(ours.numeric, categorical)
