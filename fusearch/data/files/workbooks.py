"""Excel workbooks: a sheet as the text that its CSV file would hold, so that both are read by one set of rules. Needs openpyxl."""

from __future__ import annotations

import csv
import datetime
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fusearch.data.files.packed import refuse_bomb
from fusearch.data.files.stacking import load_package
from fusearch.data.files.text import one_line
from fusearch.errors import DataError, suggestion

__all__ = ["EXCEL", "WORKBOOKS", "read_sheet", "sheets_of"]

#: Suffixes of a workbook, and the package that reads it.
WORKBOOKS = (".xlsx",)
EXCEL = "openpyxl"

#: A workbook that unpacks to more bytes than this, and to more than so many times its own, is none that anybody wrote.
_MOST_BYTES, _MOST_PACKED = 2**26, 100

#: Columns of a row that are read: what Excel itself allows.
_MOST_COLUMNS = 16_384

#: A format that shows a whole number with leading zeros (`00000`).
_ZEROS = re.compile(r"0+\Z")


def sheets_of(path: Path) -> list[str]:
    """Return the names of the sheets of a workbook, as they stand.

    Raises:
        DataError: It is no workbook, or openpyxl is not installed.
    """
    return [str(sheet.title) for sheet in _open(path).worksheets]


def read_sheet(path: Path, sheet: str | None = None, *, key: str | None = "sheet") -> str:
    r"""Return a sheet as CSV, a line for each of its rows.

    A cell is what it holds and not what it looks like, but for leading zeros that its format adds (`007` stays `007`). Of formulas the
    value that the workbook keeps is taken, dates become ISO 8601, errors (`#N/A`) stay as they are, a break inside a cell is a space.

    Args:
        path: The workbook.
        sheet: Name of the sheet; left out, the only one that holds something.
        key: The key of the manifest that names the sheet. None: a new workbook for a model need not call its only sheet as that of the
            training.

    Raises:
        DataError: It is no workbook, has no such sheet or several, or openpyxl is not installed.
    """
    book = _open(path)
    names = [str(each.title) for each in book.worksheets]
    expected = f"expected `{key}` to name one of" if key is not None else "expected one, with the rows to predict, and not"
    if sheet is not None and sheet not in names:
        if key is not None:
            raise DataError(f"{path.name}: no sheet {sheet!r}, {suggestion(sheet, names)}")
        expected = f"expected one, or one of the name {sheet!r} as in the training, and not"
        sheet = None
    try:
        found = {name: rows for name in ([sheet] if sheet is not None else names) if (rows := list(_rows(book[name], path.name)))}
    except DataError:
        raise
    except Exception as error:  # whatever XML that is none makes of openpyxl
        raise _unreadable(path, error) from None
    if not found:
        empty = "its sheets hold" if sheet is None else f"sheet {sheet!r} holds"
        raise DataError(f"{path.name}: {empty} nothing, expected a header and rows")
    if len(found) > 1:
        raise DataError(f"{path.name}: {len(found)} sheets hold something, {expected}: {', '.join(found)}")
    (rows,) = found.values()
    width = max(map(len, rows))
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([*row, *[""] * (width - len(row))] for row in rows)
    return text.getvalue()


def _open(path: Path) -> Any:
    openpyxl = load_package(EXCEL, path.name)
    try:
        refuse_bomb(path, most=_MOST_BYTES, times=_MOST_PACKED, expected="a workbook")
        return openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
    except (DataError, OSError):
        raise
    except Exception as error:  # no zip archive, a part that is missing, XML that is none: openpyxl lets all of it through
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> DataError:
    what = one_line(error) or type(error).__name__
    return DataError(f"{path.name}: cannot be read as an Excel workbook ({what}), expected XLSX")


def _rows(sheet: Any, place: str) -> Iterator[list[str]]:
    """Give the rows of a sheet up to the last one that holds something, each up to its last cell that does."""
    sheet.reset_dimensions()  # what the file says of its size need not be so
    waiting = 0
    for cells in sheet.rows:
        if len(cells) > _MOST_COLUMNS:
            raise DataError(f"{place}: a row of {len(cells):,} cells, expected at most {_MOST_COLUMNS:,}")
        row = [_text(cell) for cell in cells]
        while row and not row[-1]:
            row.pop()
        if not row:
            waiting += 1
            continue
        yield from ([] for _ in range(waiting))
        waiting = 0
        yield row


def _text(cell: Any) -> str:
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, datetime.datetime):
        return value.isoformat(sep=" ") if value.time() != datetime.time() else value.date().isoformat()
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0 and _ZEROS.match(str(cell.number_format)):
        return str(value).zfill(len(cell.number_format))
    return " ".join(str(value).splitlines())
