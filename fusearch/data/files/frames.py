"""Tables: CSV, TSV, Parquet and Excel as a data frame, and what its columns are as numbers."""

from __future__ import annotations

import io
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from fusearch.data.files.delimited import Shape, find_shape, read_text
from fusearch.data.files.notations import is_date, is_limit
from fusearch.data.files.stacking import load_package
from fusearch.data.files.text import NUMERIC_GAPS, as_text, one_line, where
from fusearch.data.files.workbooks import EXCEL, WORKBOOKS, read_sheet
from fusearch.errors import DataError

__all__ = [
    "TABLES",
    "TableOrigin",
    "TextFormat",
    "codes_of",
    "decimal_of",
    "drop_missing",
    "merges_numbers",
    "numbers_of",
    "package_of_table",
    "read_table",
]

FloatArray = npt.NDArray[np.float32]

#: Where a table comes from: a file that a manifest tells of, a data frame in memory, or samples that are read as earlier ones.
TableOrigin = Literal["manifest", "frame", "samples"]

#: Says what a column of some name should hold in place of some cells.
_Advice = Callable[[str, "pd.Series[Any]"], str]

#: Suffixes of a table.
TABLES = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".parquet", *WORKBOOKS)

#: A number with a decimal comma.
_COMMA_NUMBER = r"\s*[+-]?\d*,\d+(?:[eE][+-]?\d+)?\s*"

#: A number with points between its thousands, where a comma stands before the decimals.
_POINTED_NUMBER = r"\s*[+-]?[1-9]\d{0,2}(?:\.\d{3})+(?:,\d+)?\s*"

#: At most so many texts or names stand in one message.
_FEW = 3

#: Share of the differences between neighbouring numbers of a column from which it matters that float32 loses them.
_LOST = 0.1


@dataclass(frozen=True)
class TextFormat:
    """How tables are written, where that is not beyond doubt.

    Attributes:
        missing: Texts that are a missing value in every column, as `plain` gives them, beside the empty cell.
        decimal: What stands before the decimals where a file leaves it open (`1,234`).
        by_position: Whether rows have no id. Then a row without any value is a sample, unless it stands at the end; and what numbers the
            rows may not leave one out.
        sheet: Which sheet of a workbook is the table; None: the only one that holds something.
        sheet_key: The key of the manifest that says so; None: it is a new file for a model, whose only sheet may have any name.
        may_be_empty: Whether the table may have no rows behind its header, as one of edges.
    """

    missing: frozenset[str] = frozenset()
    decimal: str | None = None
    by_position: bool = False
    sheet: str | None = None
    sheet_key: str | None = "sheet"
    may_be_empty: bool = False

    @classmethod
    def of_bundle(cls, spec: Mapping[str, Any], modality: Mapping[str, Any]) -> TextFormat:
        """Return how new files of one modality are read, from what a bundle says of all inputs and of this one."""
        missing = frozenset(spec.get("missing", ()))
        return cls(missing, spec.get("decimal"), by_position=spec["id"] is None, sheet=modality.get("sheet"), sheet_key=None)

    def name_of(self, path: Path) -> str:
        """Return what messages call a table: its file, and its sheet where one is named."""
        return path.name if self.sheet is None else f"{path.name} ({self.sheet})"


def read_table(path: Path, text: Callable[[Sequence[str]], Collection[str]], form: TextFormat = TextFormat()) -> pd.DataFrame:
    """Read a table. Its index says where each row stands: the `line` of a text file, the `row` of a Parquet file or a sheet.

    Args:
        path: The file.
        text: Gives those of the columns' names whose cells stay text as they stand (`007`): ids, levels, classes.
        form: How tables are written.

    Raises:
        DataError: The file is not of its format, has no rows, or has columns and rows that do not fit.
    """
    name = path.name.lower()
    try:
        if name.endswith(".parquet"):
            frame = _read_parquet(path, form)
            return drop_missing(frame, form.missing, text(list(frame.columns)))
        is_sheet = name.endswith(WORKBOOKS)
        content = read_sheet(path, form.sheet, key=form.sheet_key) if is_sheet else read_text(path)
        decimal = form.decimal if form.sheet_key else form.decimal or "."  # a new file is read as the training's were
        shape = find_shape(
            content,
            path.name,
            expected=_separator(path),
            decimal=decimal,
            keep_blank=form.by_position,
            may_be_empty=form.may_be_empty,
        )
        frame = _read_delimited(content, shape, text, form, path.name)
        return frame.rename_axis("row") if is_sheet else frame
    except (
        ValueError,
        OSError,
        EOFError,
        zlib.error,
    ) as error:  # ParserError, EmptyDataError, UnicodeDecodeError and ArrowInvalid are ValueErrors
        expected = "Parquet" if name.endswith(".parquet") else "XLSX" if name.endswith(WORKBOOKS) else "UTF-8 text with a header line"
        raise DataError(f"{path.name}: cannot be read as a table ({one_line(error)}), expected {expected}") from None


def numbers_of(frame: pd.DataFrame, place: str, *, origin: TableOrigin = "manifest", listed: str | None = "columns") -> FloatArray:
    """Return the columns of a table as (N, columns) float32, NaN where a value is missing.

    Args:
        frame: The columns.
        place: What the table is called in messages.
        origin: Where the table comes from, which says what a message may advise.
        listed: The key that lists the columns; levels go beside `columns` alone. None: their names are given.

    Raises:
        DataError: A column holds something that is not a finite number; every such column is told, those that hold the same together.
    """
    plain = all(isinstance(dtype, np.dtype) and dtype.kind in "bif" for dtype in frame.dtypes)
    wrong: dict[str, pd.Series[Any]] = {}
    if plain:
        values = frame.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        values = np.empty(frame.shape, np.float64)
        for column, name in enumerate(frame.columns):
            values[:, column], bad = _as_numbers(frame.iloc[:, column])
            if bad is not None:
                wrong[str(name)] = bad
    with np.errstate(over="ignore"):
        values = values.astype(np.float32)
    for column in np.flatnonzero(np.isinf(values).any(axis=0)).tolist():
        wrong.setdefault(str(frame.columns[column]), frame.iloc[np.flatnonzero(np.isinf(values[:, column])), column])
    if wrong:
        of_manifest = partial(_advice, frame=frame, listed=listed)
        advice: Mapping[TableOrigin, _Advice] = {"manifest": of_manifest, "frame": _advice_in_memory, "samples": _plain_advice}
        raise DataError(*_faults(frame, wrong, place, advice[origin]))
    return values


def merges_numbers(values: npt.NDArray[np.float64]) -> tuple[float, float] | None:
    """Return two different numbers of a column that float32 takes for one; None where it loses few of those that differ.

    Args:
        values: The column, NaN where a value is missing.
    """
    known = values[np.isfinite(values)]
    if len(known) < 2 or np.ptp(known) > len(known) / _LOST * np.finfo(np.float32).eps * np.abs(known).max():
        return None  # what is so far apart on average is told apart; most columns end here, before they are sorted
    known = np.unique(known)
    with np.errstate(over="ignore"):
        held = known.astype(np.float32)
    same = np.flatnonzero(held[1:] == held[:-1])
    return (float(known[same[0]]), float(known[same[0] + 1])) if len(same) >= max(1.0, _LOST * (len(known) - 1)) else None


def codes_of(texts: Sequence[str | None], levels: Sequence[str]) -> FloatArray:
    """Return the position of each text among the levels, (N,) float32: -1 for another text, NaN for a missing one."""
    code_of = {level: float(code) for code, level in enumerate(levels)}
    return np.array([np.nan if text is None else code_of.get(text, -1.0) for text in texts], np.float32)


def package_of_table(name: str) -> str | None:
    """Return the package, beside pandas, that reads a table of that name; None: none does."""
    return "pyarrow" if name.lower().endswith(".parquet") else EXCEL if name.lower().endswith(WORKBOOKS) else None


def _read_parquet(path: Path, form: TextFormat) -> pd.DataFrame:
    load_package("pyarrow", path.name)
    frame = pd.read_parquet(path)
    if frame.columns.nlevels > 1:
        raise DataError(f"{path.name}: names of columns have {frame.columns.nlevels} levels, such as {frame.columns[0]}, expected one")
    named = any(name is not None for name in frame.index.names)
    if named or not (pd.api.types.is_numeric_dtype(frame.index.dtype) or pd.api.types.is_datetime64_any_dtype(frame.index.dtype)):
        frame = frame.reset_index()
    elif form.by_position and not frame.index.is_monotonic_increasing:
        what = f"the numbers of its rows are not in order (the first is {frame.index[0]})"
        raise DataError(f"{path.name}: {what}, so rows would be joined wrongly by position; expected ids, or `reset_index(drop=True)`")
    if not len(frame) and not form.may_be_empty:
        raise DataError(f"{path.name}: the table has no rows, expected one for each sample")
    frame = frame.rename(columns=str)
    frame.index = pd.RangeIndex(1, len(frame) + 1, name="row")
    return frame


def decimal_of(path: Path) -> str | None:
    """Return what stands before the decimals in a text file; None in another file.

    Raises:
        DataError: It cannot be read.
    """
    if path.name.lower().endswith((".parquet", *WORKBOOKS)):
        return None
    return find_shape(read_text(path), path.name, expected=_separator(path)).decimal


def _separator(path: Path) -> str:
    return "\t" if ".tsv" in path.name.lower() else ","


def drop_missing(frame: pd.DataFrame, missing: Collection[str], text: Collection[str] = ()) -> pd.DataFrame:
    """Empty the cells that stand for a missing value.

    Args:
        frame: A table.
        missing: Texts that stand for a missing value, as `plain` gives them.
        text: Columns that stay as they are, because they stay text.
    """
    if not missing:
        return frame
    numbers = [float(value) for value in missing if _is_number(value)]
    frame = frame.copy()
    for name in frame.columns.difference(list(text), sort=False):
        cells = frame[name]
        if pd.api.types.is_numeric_dtype(cells.dtype) and not pd.api.types.is_bool_dtype(cells.dtype):
            gone = cells.isin(np.array(numbers, cells.dtype) if cells.dtype == np.float32 else numbers)
        elif cells.dtype == object or pd.api.types.is_string_dtype(cells.dtype):
            gone = pd.Series([cell is None for cell in as_text(cells, missing)], frame.index)
        else:
            continue
        if gone.any():
            frame[name] = cells.mask(gone)
    return frame


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False


def _read_delimited(
    content: str, shape: Shape, text: Callable[[Sequence[str]], Collection[str]], form: TextFormat, place: str
) -> pd.DataFrame:
    names = [name for name in shape.names if name]
    if not shape.lines:
        return pd.DataFrame(columns=names, index=pd.RangeIndex(0, name="line"), dtype=object)
    texts = set(text(names))
    kept = [position for position, name in enumerate(shape.names) if name]
    as_they_stand = [position for position, name in enumerate(shape.names) if not name or name in texts]
    frame = _parse(content, shape, kept, na_values=["", *NUMERIC_GAPS, *form.missing], decimal=shape.decimal)
    if shape.decimal == ",":
        for position in kept:  # beside a text, pandas leaves the numbers of a column as they stand
            column = frame[position]
            if not pd.api.types.is_numeric_dtype(column.dtype):
                column = column.mask(column.str.fullmatch(_POINTED_NUMBER, na=False), column.str.replace(".", ""))
                frame[position] = column.mask(column.str.fullmatch(_COMMA_NUMBER, na=False), column.str.replace(",", "."))
    if as_they_stand:
        cells = _parse(content, shape, as_they_stand, dtype=str)
        unnamed = cells[[position for position in as_they_stand if not shape.names[position]]]
        _refuse_unnamed(unnamed, form.by_position, place, parted=shape.separator == ",")
        for position in as_they_stand:
            if shape.names[position]:
                frame[position] = cells[position]
    frame.columns = pd.Index(names)
    return drop_missing(frame, form.missing, texts)


def _parse(content: str, shape: Shape, positions: Sequence[int], **options: Any) -> pd.DataFrame:
    """Return the columns at these positions; the rows that have a value, by their lines."""
    stream = io.StringIO(content, newline=None)
    for _ in range(shape.skip):
        stream.readline()
    frame = pd.read_csv(
        stream,
        sep=shape.separator,
        header=None,
        names=list(range(len(shape.names))),
        usecols=list(positions),
        index_col=False,
        skip_blank_lines=False,
        keep_default_na=False,
        low_memory=False,
        **options,
    )
    if shape.blank:
        frame = frame[~np.isin(np.arange(len(frame)), list(shape.blank))]
    if len(frame) != len(shape.lines):
        raise ValueError(f"{len(frame)} rows, {len(shape.lines)} by the lines of the file")
    named: pd.DataFrame = frame.set_axis(pd.Index(shape.lines, name="line"), axis=0)
    return named


def _refuse_unnamed(cells: pd.DataFrame, by_position: bool, place: str, *, parted: bool) -> None:
    """Refuse a column without a name, unless nothing stands in it or it numbers the rows; those of a part of a table have gaps.

    Of a column before the first name, `parted` says that a decimal comma may have parted a number.
    """
    for name in cells.columns:
        column = [str(cell).strip() for cell in cells[name]]
        numbers = [[str(number) for number in range(start, start + len(column))] for start in (0, 1)]
        numbered = column in numbers if by_position else all(map(str.isdecimal, column)) and len(set(column)) == len(column)
        if any(column) and not numbered:
            first = next(cell for cell in column if cell)
            what = f"column {int(str(name)) + 1} has no name in the header and holds {first!r}"
            more = "; a decimal comma outside quotes makes a field more too" if parted and str(name) == "0" else ""
            raise DataError(f"{place}: {what}, expected a name (that of the id, if it says who a row is){more}")


def _as_numbers(series: pd.Series[Any]) -> tuple[npt.NDArray[np.float64], pd.Series[Any] | None]:
    """Return a column as numbers, and the cells that are none."""
    if isinstance(series.dtype, pd.CategoricalDtype):
        series = series.astype(object)
    if pd.api.types.is_datetime64_any_dtype(series.dtype) or pd.api.types.is_timedelta64_dtype(series.dtype):
        return np.full(len(series), np.nan), series[series.notna()]
    numbers = pd.to_numeric(series, errors="coerce")
    bad = numbers.isna().to_numpy(bool) & ~series.isna().to_numpy(bool)
    if bad.any():
        bad[bad] = [text is not None and text not in NUMERIC_GAPS for text in as_text(series[bad])]
    return numbers.to_numpy(np.float64, na_value=np.nan), series[bad] if bad.any() else None


def _faults(frame: pd.DataFrame, wrong: Mapping[str, pd.Series[Any]], place: str, advice: _Advice) -> list[str]:
    """Say what stands in columns of numbers, in one line for all columns that hold the same."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for name, cells in wrong.items():
        texts = {"" if str(cell) == name else str(cell) for cell in cells}  # "": its own name, where a header stands again
        alike.setdefault(tuple(sorted(texts)[: 2 * _FEW]), []).append(name)
    faults = []
    for names in alike.values():
        name, cells = names[0], wrong[names[0]]
        counts = Counter(map(str, cells))
        shown = ", ".join(f"{text!r}" + (f" in {count} rows" if count > 1 else "") for text, count in counts.most_common(_FEW))
        more = ", ..." if len(counts) > _FEW else ""
        row = frame.index.get_indexer(cells.index[:1])[0]
        others = f" (and {len(names) - 1} more columns: {', '.join(names[1 : 1 + _FEW])}{', ...' if len(names) > 1 + _FEW else ''})"
        place_of = f"{', first in' if len(cells) > 1 else ' in'} {where(frame.index, row)}"
        what = f"column {name!r}{others if len(names) > 1 else ''} holds {shown}{more}{place_of}"
        faults.append(f"{place}: {what}; expected {advice(name, cells)}")
    return faults


def _plain_advice(_name: str, cells: pd.Series[Any]) -> str:
    """Say what a table that is read as an earlier one should hold."""
    commas = ", with a point before the decimals" if cells.map(str).str.fullmatch(_COMMA_NUMBER).all() else ""
    return f"finite numbers{commas}, and empty cells where one is missing"


def _advice_in_memory(name: str, cells: pd.Series[Any]) -> str:
    """Say what a data frame should hold."""
    return f"{_plain_advice(name, cells).replace('empty cells', 'NaN')} (or {name!r} under `categorical`, of dtype `category`, or dropped)"


def _advice(name: str, cells: pd.Series[Any], frame: pd.DataFrame, listed: str | None) -> str:
    texts = cells.map(str)
    if texts.str.fullmatch("[+-]?inf").all():
        return "finite numbers below 3.4e38, or empty cells"
    decimal = ""
    if texts.str.fullmatch(r"\s*[+-]?\d+,\d+\s*").all():
        open_ = texts.str.fullmatch(r"\s*[+-]?[1-9]\d{0,2},\d{3}\s*").all()
        decimal = "" if open_ and any(map(_has_decimals, (frame[column] for column in frame))) else '`decimal: ","`'
    if len(cells) < len(frame) / 2:
        if decimal and _has_decimals(frame[name]):
            return "a point before the decimals, as in its other rows"
        amounts = "finite numbers, such as the limit itself" if texts.map(is_limit).any() else "finite numbers"
        return f"{amounts}, empty cells, or texts that the manifest lists under `missing`" + (f" (or {decimal})" if decimal else "")
    left_out = [f"left out by `{listed}`"] if listed else []
    levels = ["under `categorical`"] if listed == "columns" else []
    if texts.map(is_date).all():
        expected, ways = "finite numbers, such as days from one date on", left_out
    elif texts.str.fullmatch(r"\s*[+-]?\d[\d.,'\s]*[\d%]\s*").all():
        expected, ways = "numbers such as 1234.5, without signs between thousands or behind them", left_out
    else:
        expected, ways = "finite numbers", [*levels, *left_out]
    others = [decimal] * bool(decimal) + ([f"{name!r} {', or '.join(ways)}"] if ways else [])
    return f"{expected} (or {', or '.join(others)})" if others else expected


def _has_decimals(column: pd.Series[Any]) -> bool:
    return bool((pd.to_numeric(column, errors="coerce") % 1 > 0).any())
