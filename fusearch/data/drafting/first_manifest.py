"""A first manifest for a folder, with comments that say why and what else could be: the command `fusearch init`."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fusearch.data.drafting.array_labels import halves, labels_in_arrays
from fusearch.data.drafting.drafted import Drafts
from fusearch.data.drafting.found import FoundTable, Holdings, look_into
from fusearch.data.drafting.found_masks import FoundMasks, grid_of, masks_in_column, masks_in_folder
from fusearch.data.drafting.joined import Joined, join_tables
from fusearch.data.drafting.manifest_text import manifest_text
from fusearch.data.drafting.roles import GROUP_NAME
from fusearch.data.kinds import KINDS
from fusearch.errors import DataError, ManifestError, nearest, suggestion
from fusearch.layout import replace_file
from fusearch.tasks import TASKS
from fusearch.tasks.columns import LabelColumn
from fusearch.tasks.task import Suggestion

__all__ = ["FirstManifest", "draft_manifest"]

_ALONE = 'One alone: a fusion joins two or more. A wide table may be split by patterns of columns (`columns: ["rna_*"]`).'
_COHORT = "Test is the other half of each array; train and val are fractions of this one."
_OTHER_SPLITS = "Or `{folds: 5}`, or `{column: NAME}` of train, val, test."

#: Names of columns that are likely to be the target, where none is named.
_TARGETS = ("target", "label", "class", "y", "outcome", "diagnosis", "status", "response")


@dataclass(frozen=True)
class FirstManifest:
    """What was written.

    Attributes:
        path: The manifest.
        written: All files that were written, the manifest first.
        notes: What was left out, or could not be found out, in one line each.
    """

    path: Path
    written: tuple[Path, ...]
    notes: tuple[str, ...] = ()


def draft_manifest(folder: str | Path, *, targets: Sequence[str] = (), out: str | Path | None = None, force: bool = False) -> FirstManifest:
    """Look at a folder and write a first manifest for what it holds.

    Args:
        folder: The folder.
        targets: Columns of what is predicted: one, or several labels, or a time and an event; or a folder of masks, named by the ids of
            the samples, or a column of their paths. Left out, a column that is named like one.
        out: The manifest to write; left out, named like the folder and in it. Where files are named by ids and in no table, a table that
            names them is written beside it.
        force: Whether files that exist may be overwritten.

    Raises:
        ManifestError: A file that would be written exists, or cannot be written.
        DataError: There is no such folder, nothing in it can be read, no table has such a column, or nothing joins the tables.

    Example:
        >>> import pandas as pd
        >>> rows = {"patient": ["a", "b", "c", "d"], "vital": ["dead", "alive"] * 2, "age": [61, 48, 55, 70]}
        >>> pd.DataFrame(rows).to_csv("labels.csv", index=False)
        >>> draft_manifest(".", targets=["vital"], out="study.yaml").path.name
        'study.yaml'
    """
    folder = Path(folder)
    path = Path(out) if out is not None else folder / f"{folder.resolve().name or 'study'}.yaml"
    index = path.with_name(f"{path.stem}_files.csv")
    if path.exists() and not force:
        raise ManifestError(f"{str(path)!r} exists, expected another name, or --force to overwrite it")
    found = look_into(folder, without=(path, index))
    unnamed = not any(set(targets) <= set(table.columns) for table in found.tables)
    masks = masks_in_folder(found, targets, index) if unnamed else None
    in_arrays = labels_in_arrays(found, targets) if unnamed and masks is None else None
    labels, targets = (masks.labels, [masks.column]) if masks is not None else in_arrays or _find_labels(found, targets)
    masks = masks or masks_in_column(labels, targets, folder)
    joined = join_tables(labels, found, targets)
    _refuse_unjoined(labels, found, joined)
    task, why = _find_task(labels, targets, joined) if masks is None else (None, masks.why)
    ids = joined.ids or [str(row) for row in range(len(labels.frame))]
    said = zip(*map(labels.texts, targets), strict=True)
    drafts = Drafts(path.parent, found, joined, targets, dict(zip(ids, said, strict=True)) if masks is None else {})
    if masks is not None:
        drafts.named |= {each.resolve() for each in masks.paths}
        drafts.index |= {masks.column: masks.files} if masks.files else {}
    if in_arrays is None and not drafts.index:
        drafts.add_table(labels, is_labels=True)
    elif in_arrays is not None:
        drafts.groups = [name for name in labels.columns if GROUP_NAME.search(name)]
    for table in joined.others if joined.id is not None else [table for table in found.tables if table is not labels]:
        drafts.add_table(table, is_labels=False)
    drafts.add_records()
    drafts.add_file_groups(index.name)
    drafts.add_arrays(len(labels.frame))
    if not drafts.modalities:
        what = f"{labels.called} has no column beside the id and the target, and nothing else can be read"
        raise DataError("; ".join([f"{what}, expected measurements", *found.notes, *joined.notes, *drafts.notes]))
    where = {"file": drafts.relative(labels.path)} | ({} if labels.sheet is None else {"sheet": labels.sheet})
    document: dict[str, Any] = {"name": path.stem}
    if joined.id is not None:
        document["id"] = joined.id
    if drafts.missing:
        document["missing"] = sorted(drafts.missing)
    keys = {"kind": task[0], **where, **task[1].keys} if task is not None else _mask_keys(masks, where, drafts)
    document |= {"task": keys, "modalities": drafts.modalities}
    document["splits"] = {"column": drafts.split} if drafts.split is not None else {"fractions": [0.7, 0.15, 0.15], "seed": 0}
    files = {index: _index(drafts, joined)} if drafts.index else {}
    parts = halves(document, path.parent) if in_arrays is not None else None
    if parts is not None:
        document, other = parts
        cohort = path.with_name(f"{path.stem}_test.yaml")
        document["splits"] = {"test": cohort.name}
        files[cohort] = manifest_text({**other, "name": cohort.stem}, {"name": ["The test half; written by `fusearch init`."]}, {})
    lines = _comments(folder, joined, why, drafts) | ({} if parts is None else {"splits": [_COHORT]})
    text = manifest_text(document, lines, drafts.comments)
    written = _write({path: text, **files}, force)
    return FirstManifest(path, written, (*found.notes, *joined.notes, *drafts.notes))


def _find_labels(found: Holdings, targets: Sequence[str]) -> tuple[FoundTable, list[str]]:
    """Return the table that holds the targets, of several the narrowest, and the targets: what is named like one where none is given."""
    wanted = targets or [name for name in _TARGETS if any(name in _lower(table) for table in found.tables)][:1]
    tables = [table for table in found.tables if {name.lower() for name in wanted} <= _lower(table).keys()] if not targets else []
    tables = tables or [table for table in found.tables if set(wanted) <= set(table.columns)]
    if tables and wanted:
        labels = min(tables, key=lambda table: (len(table.columns), len(table.frame)))
        return labels, list(targets) or [_lower(labels)[name] for name in wanted]
    known = list(dict.fromkeys(column for table in found.tables for column in table.columns))
    if not known:
        raise DataError(
            f"{str(found.folder)!r} holds no table with a row a sample, expected one with the target and, where files are joined, ids"
        )
    if not targets:
        legal = suggestion("", known).removeprefix("expected ")
        raise DataError(f"no column is named like a target, expected --target with the one to predict, {legal}")
    apart = [name for name in targets if name not in known]
    if not apart:
        raise DataError(f"no table has all of {', '.join(targets)}, expected them in one table")
    near = nearest(apart[0], known)
    homes = ", ".join(table.called for table in found.tables if near in table.columns)
    hint = f"did you mean {near!r} (in {homes})?" if near else suggestion(apart[0], known)
    raise DataError(f"no table in {str(found.folder)!r} has a column {apart[0]!r}, {hint}")


def _lower(table: FoundTable) -> dict[str, str]:
    return {column.lower(): column for column in table.columns}


def _refuse_unjoined(labels: FoundTable, found: Holdings, joined: Joined) -> None:
    """Refuse tables that nothing joins, unless all have as many rows.

    Raises:
        DataError: They have not.
    """
    others = [table for table in found.tables if table is not labels]
    if joined.id is not None:
        return
    if found.singles and not others:
        what = f"{len(found.singles)} files (such as {found.singles[0].name!r}) and {labels.called}"
        raise DataError(f"no column of the labels joins {what}, expected one that stands in the names of the files, each value once")
    uneven = [table for table in others if len(table.frame) != len(labels.frame)]
    if uneven:
        told = "; ".join(f"{table.called} ({', '.join(table.columns[:4])})" for table in (labels, *uneven[:2]))
        raise DataError(f"no column joins {told}; expected one of one name with the ids of the samples, in {labels.called} each once")


def _find_task(labels: FoundTable, targets: Sequence[str], joined: Joined) -> tuple[tuple[str, Suggestion], list[str]]:
    """Return the task whose target the columns most likely are, and comments on it."""
    columns = []
    for name in targets:
        texts = labels.texts(name)
        known = [text for text in texts if text is not None]
        ids = joined.ids or [str(row) for row in range(len(texts))]
        columns.append(LabelColumn(name, known, [each for each, text in zip(ids, texts, strict=True) if text is not None], labels.called))
    found = [(entry.kind, made) for entry in TASKS.values() if (made := entry.suggest(columns)) is not None]
    if not found:
        first = columns[0]
        what = (
            f"{len(set(first.texts))} different values in {len(first.texts)} rows (such as {first.texts[0]!r})"
            if first.texts
            else "nothing"
        )
        told = f"column {first.name!r} holds {what}" if len(columns) == 1 else f"the columns {', '.join(targets)} hold other things"
        expected = "two classes or more, or numbers" if len(columns) == 1 else "a time and an event (0 or 1), or several labels of 0 and 1"
        raise DataError(f"{labels.called}: {told}, expected {expected}")
    found.sort(key=lambda each: -each[1].likelihood)
    (kind, best), *others = found
    comments = [f"{kind}: {best.why}."]
    comments += [f"Could also be `kind: {other}` ({made.why})." for other, made in others]
    empty = sum(text is None for name in targets for text in labels.texts(name))
    comments += [f"{empty} rows have no target: every row needs one, so leave those rows out of {labels.called}."] if empty else []
    return (kind, best), comments


def _mask_keys(masks: FoundMasks | None, where: Mapping[str, Any], drafts: Drafts) -> dict[str, Any]:
    """Return the keys of a task whose targets are masks.

    Raises:
        DataError: There is no image.
    """
    if masks is None:  # one of the two is there; stated for the type checker
        raise DataError("no target, expected a column or a folder of masks")
    if not any(KINDS[keys["kind"]].has_masks for keys in drafts.modalities.values()):
        raise DataError(f"{len(masks.paths)} masks, and no image or volume on whose grid they lie; expected one for each, named by the ids")
    grid = grid_of(masks, drafts.modalities, drafts.pictured)
    keys = {"kind": "segmentation", **where, "column": masks.column, "root": drafts.relative(masks.root)}
    return keys | ({} if grid is None else {"of": grid})


def _comments(folder: Path, joined: Joined, why: Sequence[str], drafts: Drafts) -> dict[str, list[str]]:
    """Return the lines above each key."""
    top = [f"Made by `fusearch init` from what lies in {folder.resolve().name!r}: read it, and change what is wrong."]
    top += ["`fusearch check` says what the data hold; docs/manifest.md lists every key."]
    lines = {"name": top, "id": [f"Joins all files: {joined.why}."], "task": list(why)}
    notes = [*drafts.found.notes, *joined.notes, *drafts.notes]
    lines["modalities"] = ["What is fused: a name, a kind, and where it stands.", *([_ALONE] if len(drafts.modalities) == 1 else [])]
    lines["modalities"] += [f"Not used: {note}." for note in notes]
    lines["splits"] = [f"{drafts.split!r} names the splits."] if drafts.split else [_OTHER_SPLITS]
    if drafts.groups:
        names = " or ".join(f"`group: {name}`" for name in drafts.groups)
        lines["splits"] += [f"If rows that share a value belong together, add {names}: they never stand on two sides then."]
    return lines


def _index(drafts: Drafts, joined: Joined) -> str:
    """Return the table that names the files of each sample."""
    rows = [[joined.id, *drafts.index]]
    rows += [[each, *(files.get(each, "") for files in drafts.index.values())] for each in joined.ids]
    lines: list[str] = []

    class _Lines:
        def write(self, line: str) -> int:
            lines.append(line)
            return len(line)

    csv.writer(_Lines(), lineterminator="\n").writerows(rows)
    return "".join(lines)


def _write(files: Mapping[Path, str], force: bool) -> tuple[Path, ...]:
    for path in files:
        if path.exists() and not force:
            raise ManifestError(f"{str(path)!r} exists, expected another name, or --force to overwrite it")
    for path, text in files.items():
        try:
            replace_file(path, text)
        except OSError as error:
            raise ManifestError(f"{str(path)!r} cannot be written ({error.strerror or error}), expected --out with another place") from None
    return tuple(files)
