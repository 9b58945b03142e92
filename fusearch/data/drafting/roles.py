"""What each column of a table is good for: a number, levels, a text, a sequence, the path of a file, or nothing."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fusearch.data.drafting.found import FoundTable
from fusearch.data.drafting.telling import ID_NAME, says_the_target, why_no_number
from fusearch.data.files.notations import is_amount
from fusearch.data.files.symbols import alphabet_of
from fusearch.data.files.text import NUMERIC_GAPS
from fusearch.data.readers import READERS
from fusearch.data.splits import SPLITS

__all__ = ["GROUP_NAME", "Roles", "leads_to", "read_roles"]

#: Names of columns of which rows of one value belong together.
_GROUP_WORDS = "hospital|centre|center|site|clinic|group|batch|family|cohort|scanner|institution"
GROUP_NAME = re.compile(rf"(^|[_\W])({_GROUP_WORDS})($|[_\W])", re.IGNORECASE)

#: A text has so many words on average; a sequence so many letters.
_WORDS, _LETTERS = 4, 12
#: Levels of a column: at most so many, and so many rows of each on average.
_LEVELS, _ROWS_A_LEVEL = 30, 3
#: Share of the cells of a column of numbers that are numbers, and how many other texts may stand there for a missing one.
_NUMBERS, _GAPS = 0.7, 3
#: Share of the paths of a column that lead to a file.
_REACHED = 0.5


@dataclass
class Roles:
    """The columns of a table by what they are good for.

    Attributes:
        numbers: Columns of numbers.
        levels: Columns of few texts.
        texts: Columns of free text.
        sequences: Column of sequences -> its alphabet.
        files: Column of paths -> the reader of what they lead to, and the folder that they start from.
        split: Column that says `train`, `val` or `test`.
        groups: Columns of which rows of one value may belong together.
        missing: Texts among numbers that stand for a missing value.
        left_out: Column -> why it is taken for nothing.
    """

    numbers: list[str] = field(default_factory=list)
    levels: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    sequences: dict[str, str] = field(default_factory=dict)
    files: dict[str, tuple[str, Path]] = field(default_factory=dict)
    split: str | None = None
    groups: list[str] = field(default_factory=list)
    missing: set[str] = field(default_factory=set)
    left_out: dict[str, str] = field(default_factory=dict)


def read_roles(table: FoundTable, *, apart: Collection[str], targets: Sequence[Sequence[str | None]], folder: Path) -> Roles:
    """Return what the columns of a table with a row a sample are good for.

    Args:
        table: The table.
        apart: Columns that are told already: the id and the targets.
        targets: What each label column says of each of its rows; None where it says nothing.
        folder: Where paths may start beside the table's own folder.
    """
    roles = Roles()
    for column in table.columns:
        if column in apart:
            continue
        cells = table.frame[column]
        if cells.isna().all():
            roles.left_out[column] = "it is empty"
        elif pd.api.types.is_numeric_dtype(cells.dtype):
            _take_numbers(roles, column, cells, targets)
        elif any(says_the_target(cells, target) for target in targets):
            roles.left_out[column] = "it says the same as the target, row by row"
        else:
            _take_texts(roles, table, column, folder, targets)
    return roles


def _take_numbers(roles: Roles, column: str, cells: pd.Series[Any], targets: Sequence[Sequence[str | None]]) -> None:
    why = why_no_number(column, cells, targets)
    if why is not None:
        roles.left_out[column] = why
        return
    values = pd.to_numeric(cells, errors="coerce").dropna().to_numpy(np.float64)
    if GROUP_NAME.search(column) and bool((values == np.round(values)).all()) and 1 < len(np.unique(values)) <= len(values) / 2:
        roles.groups.append(column)
    roles.numbers.append(column)


def _take_texts(roles: Roles, table: FoundTable, column: str, folder: Path, targets: Sequence[Sequence[str | None]]) -> None:
    texts = [text for text in table.texts(column) if text is not None]
    names = set(texts)
    if names <= set(SPLITS) and "train" in names and roles.split is None:
        roles.split = column
        return
    path = leads_to(texts, table.path.parent, folder)
    if path is not None:
        roles.files[column] = path
        return
    odd = {text for text in names if not _is_number(text) and text not in NUMERIC_GAPS}
    numbers = sum(text not in odd for text in texts)
    if len(odd) <= _GAPS and numbers >= _NUMBERS * len(texts) and len(names) > len(odd) + 2:
        _take_numbers(roles, column, table.frame[column], targets)
        words = {text for text in odd if not any(map(str.isdigit, text))}  # what holds a digit may be a value: `check` asks
        roles.missing |= words if column in roles.numbers else set()
        return
    if len(names) > 2 and sum(map(is_amount, texts)) >= _NUMBERS * len(texts):  # in a notation that is not read: `check` says which
        roles.numbers.append(column)
        return
    spaces = sum(text.count(" ") for text in texts) / len(texts)
    alphabet = alphabet_of(texts) if spaces == 0 and sum(map(len, texts)) >= _LETTERS * len(texts) and len(names) > 1 else None
    if alphabet is not None:
        roles.sequences[column] = alphabet
    elif spaces + 1 >= _WORDS and len(names) > len(texts) / 4:
        roles.texts.append(column)
    elif len(names) <= min(_LEVELS, max(2, len(texts) // _ROWS_A_LEVEL)):
        if GROUP_NAME.search(column) and len(names) > 1:
            roles.groups.append(column)
        roles.levels.append(column)
    elif ID_NAME.search(column) and len(names) <= len(texts) / 2:
        roles.groups.append(column)
        roles.left_out[column] = "it names what several rows share"
    else:
        roles.left_out[column] = f"it holds {len(names)} different texts (such as {texts[0]!r}), too many for levels"


def leads_to(texts: Sequence[str], *starts: Path) -> tuple[str, Path] | None:
    """Return the reader of the files that texts lead to, and the folder that they start from; None where they lead nowhere."""
    sample = [text.replace("\\", "/") for text in texts[:: max(1, len(texts) // 50)]]  # written on Windows or not
    folders = [text for text in sample if "." not in Path(text).name and any((start / text).is_dir() for start in starts)]
    reached = len(folders) >= _REACHED * len(sample)
    own = reached and 2 * len(set(folders)) > len(folders)  # a folder a sample: not that of a site, or of a class
    for reader in READERS.values():
        fits = [text for text in sample if reader.names and text.lower().endswith(reader.names)]
        if len(fits) < len(sample) and not (own and reader.inside):
            continue
        below = [inner for start in starts for inner in [start, *sorted(entry for entry in start.iterdir() if entry.is_dir())]]
        for start in below:
            files = [start / text for text in sample]
            there = [file for file in files if file.exists()]
            if len(there) >= _REACHED * len(files) and reader.takes(there[0]) and reader.fit(there) is not None:
                return reader.name, start
    return None


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False
