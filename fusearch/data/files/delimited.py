"""The shape of a text file with columns: its separator, its header, where its rows stand. Read rightly where it is certain, else refused.

Spreadsheets write `;` and decimal commas into a `.csv`, a separator behind the last column, rows without any value; R leaves out the name
of the first column. What pandas makes of these without a word (columns shifted by one, numbers without their point) is found here first.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from fusearch.data.files.text import NUMERIC_GAPS
from fusearch.errors import DataError

__all__ = ["Shape", "find_shape", "read_text"]

#: What may stand between columns, the likeliest first -> how a message calls it.
_SEPARATORS = {",": "','", ";": "';'", "\t": "a tab", "|": "'|'"}

_COMMA = re.compile(r"[+-]?(?P<whole>\d+),(?P<decimals>\d+)(?:[eE][+-]?\d+)?\Z")
_POINT = re.compile(r"[+-]?\d*\.\d+(?:[eE][+-]?\d+)?\Z")
_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}\Z")  # of thousands, or of decimals
_HUNDREDS = re.compile(r"[+-]?[1-9]\d{2}\Z")
_NUMBER = re.compile(r"[+-]?(?:\d+(?:[.,]\d*)*|[.,]\d+)(?:[eE][+-]?\d+)?\Z")
_EXCEL = re.compile(r"\Asep=.\r?\n")  # what Excel may write above the header
_UNNAMED = re.compile(r"(?:Unnamed: \d+)?\Z")

#: Rows, and cells of them, that tell separators, decimals and units.
_SAMPLE_ROWS, _SAMPLE_CELLS = 1000, 200_000


@dataclass(frozen=True)
class Shape:
    """How a text file is laid out.

    Attributes:
        names: Names of the columns, as many as fields of a row; empty for a column without a name.
        separator: What stands between columns.
        decimal: What stands before the decimals.
        skip: Lines up to the header, and with it.
        lines: Line of each row in the file, from 1; rows without any value are left out.
        blank: The rows without any value, by their number among all rows behind the header.
    """

    names: tuple[str, ...]
    separator: str
    decimal: str
    skip: int
    lines: tuple[int, ...]
    blank: frozenset[int]


@dataclass(frozen=True)
class _Row:
    """A row of the file: the line on which it ends, and its text, or its fields where quotes have to be read."""

    line: int
    text: str
    separator: str
    quoted: Sequence[str] | None = None

    @property
    def fields(self) -> Sequence[str]:
        return self.text.split(self.separator) if self.quoted is None else self.quoted

    @property
    def width(self) -> int:
        return self.text.count(self.separator) + 1 if self.quoted is None else len(self.quoted)

    @property
    def first(self) -> str:
        return (self.text.partition(self.separator)[0] if self.quoted is None else self.quoted[0]).strip()

    @property
    def last(self) -> str:
        return (self.text.rpartition(self.separator)[2] if self.quoted is None else self.quoted[-1]).strip()

    @property
    def is_blank(self) -> bool:
        text = self.text.replace(self.separator, "") if self.quoted is None else "".join(self.quoted)
        return not text.strip()


def read_text(path: Path) -> str:
    """Return the text of a file, unpacked where it is packed, without a byte order mark; one of UTF-16 says that it is that.

    Raises:
        OSError: It cannot be read.
        DataError: It is neither UTF-8 nor UTF-16 with a byte order mark.
    """
    data = path.read_bytes()
    if data.startswith(b"\x1f\x8b"):
        data = gzip.decompress(data)
    if data.startswith(b"PK\x03\x04"):
        raise DataError(f"{path.name}: a zip archive or a spreadsheet (XLSX), expected text; name it .xlsx, or save the sheet as CSV UTF-8")
    try:
        text = data.decode("utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        what = f"line {line} holds the byte {data[error.start : error.start + 1].hex()!r}, which is not {error.encoding.upper()}"
        raise DataError(f"{path.name}: cannot be read as a table ({what}), expected UTF-8 text; save the file as CSV UTF-8") from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise DataError(f"{path.name}: line {line} holds a zero byte, expected UTF-8 text; save the file as CSV UTF-8")
    return _EXCEL.sub("\n", text)


def find_shape(
    text: str, place: str, *, expected: str, decimal: str | None = None, keep_blank: bool = False, may_be_empty: bool = False
) -> Shape:
    """Return how a text file is laid out.

    Args:
        text: What stands in it.
        place: Its name, for messages.
        expected: The separator that its suffix says.
        decimal: What stands before the decimals where the file leaves it open: of `1,234`, which may be a thousand and more, of `1.234`
            beside `512`, and where numbers of both signs stand in it.
        keep_blank: Whether a row without any value, but with as many fields as others, is a row, unless it stands at the end.
        may_be_empty: Whether there may be no rows behind the header.

    Raises:
        DataError: The file is empty, rows do not fit the header, a name stands there twice, the first row holds units, or points may part
            thousands.
    """
    rows = _rows(text, _find_separator(text, expected))
    header = next((row for row in rows if not row.is_blank), None)
    if header is None:
        raise DataError(f"{place}: the file is empty, expected a header line and a row for each sample")
    lines: list[int] = []
    blank: set[int] = set()
    seen: dict[int, int] = {}
    firsts: list[str] = []
    sample: list[list[str]] = []
    sampled: list[int] = []
    ends_empty, cells = True, 0
    gap: list[tuple[int, _Row]] = []
    for number, row in enumerate(rows):
        if row.is_blank:
            blank.add(number)
            gap.append((number, row))
            continue
        kept = [(before, empty) for before, empty in gap if keep_blank and empty.width == row.width]
        blank.difference_update(before for before, _ in kept)
        lines += [empty.line for _, empty in kept]
        firsts += [""] * len(kept)
        gap = []
        lines.append(row.line)
        seen.setdefault(row.width, row.line)
        firsts.append(row.first)
        ends_empty = ends_empty and not row.last
        if len(sample) < _SAMPLE_ROWS and cells < _SAMPLE_CELLS:
            sample.append([field.strip() for field in row.fields])
            sampled.append(row.line)
            cells += row.width
    if not (lines or may_be_empty):
        raise DataError(f"{place}: the table has no rows, expected one for each sample")
    try:
        names = _fit_names(header, seen or {header.width: header.line}, firsts, ends_empty, place)
    except DataError as error:
        open_quote = _open_quote(text, header.separator)
        if open_quote is None:
            raise
        raise DataError(f"{error}; a quote that opens in line {open_quote} may not be closed") from None
    if lines:
        _refuse_units(names, sample, lines[0], place)
    has_commas = '"' in text or header.separator != ","
    mark = _find_decimal(sample, decimal) if has_commas else "."
    if mark == "." and decimal != "." and header.separator == ";":
        _refuse_thousands(names, sample, sampled, place)
    return Shape(tuple(names), header.separator, mark, header.line, tuple(lines), frozenset(blank))


def _rows(text: str, separator: str) -> Iterator[_Row]:
    if '"' in text:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        yield from (_Row(reader.line_num, "", separator, fields or [""]) for fields in reader)
    else:
        for number, line in enumerate(io.StringIO(text, newline=None), start=1):
            yield _Row(number, line.rstrip("\n"), separator)


def _find_separator(text: str, expected: str) -> str:
    """Return the separator by which every row is about as wide as the header: that of the suffix where it does, or where none does."""
    for separator in (expected, *_SEPARATORS):
        rows = (row for row in _rows(text, separator) if not row.is_blank)
        header = next(rows, None)
        if header is None:
            break
        widths = {row.width for row in islice(rows, _SAMPLE_ROWS)}
        if header.width > 1 and len(widths) <= 1 and all(abs(width - header.width) <= 1 for width in widths):
            return separator
    return expected


def _open_quote(text: str, separator: str) -> int | None:
    """Return the line in which the last cell over several lines begins, where quotes do not come in pairs."""
    if text.count('"') % 2 == 0:
        return None
    last = max((row for row in _rows(text, separator)), key=lambda row: sum(field.count("\n") for field in row.fields))
    return last.line - sum(field.count("\n") for field in last.fields) + (1 if text.endswith("\n") else 0)


def _fit_names(header: _Row, seen: dict[int, int], firsts: Sequence[str], ends_empty: bool, place: str) -> list[str]:
    """Return the name of each field of a row, where there is no doubt which name belongs to which field."""
    names = ["" if _UNNAMED.match(name.strip()) else name.strip() for name in header.fields]
    if len(names) == 1 and max(seen) > 2:
        width = max(seen)
        told = f"line {header.line} ({_short(header.first)}) has one field, line {seen[width]} {width} with {_called(header)} between them"
        raise DataError(f"{place}: {told}; expected the names of the columns first; delete the lines above them")
    if len(seen) > 1:
        usual = len(names) if len(names) in seen else min(seen)
        width, line = next((width, line) for width, line in seen.items() if width != usual)
        raise DataError(f"{place}: line {line} has {width} fields, expected {usual} with {_called(header)} between them")
    (width,) = seen
    if width == len(names) + 1 and ends_empty:
        names.append("")  # a separator behind the last column
    elif width == len(names) + 1 and len(set(firsts)) == len(firsts) and (_counts(firsts) or not any(map(_NUMBER.match, firsts))):
        names.insert(0, "")  # names of rows, as R writes them
    elif width != len(names):
        what = f"the header has {len(names)} fields, its rows {width}, with {_called(header)} between them"
        raise DataError(f"{place}: {what}; expected one name a column")
    known = [name for name in names if name]
    if len(set(known)) < len(known):
        twice = next(name for name in known if known.count(name) > 1)
        first, second = [position + 1 for position, name in enumerate(names) if name == twice][:2]
        raise DataError(f"{place}: columns {first} and {second} are both named {twice!r}, expected one column of each name")
    return names


def _short(text: str) -> str:
    return repr(text) if len(text) <= 40 else repr(f"{text[:37]}...")


def _called(row: _Row) -> str:
    return _SEPARATORS.get(row.separator, repr(row.separator))


def _counts(texts: Sequence[str]) -> bool:
    """Whether texts number the rows, from 0 or from 1."""
    return any(list(texts) == [str(number) for number in range(start, start + len(texts))] for start in (0, 1))


def _refuse_units(names: Sequence[str], sample: Sequence[Sequence[str]], line: int, place: str) -> None:
    """Refuse a first row of text above columns of numbers alone."""
    if len(sample) < 4:
        return
    first, others = sample[0], sample[1:30]
    units = []
    for column in range(min(len(names), 500)):
        cells = [row[column] for row in others if row[column] and row[column] not in NUMERIC_GAPS]
        if len(cells) < 3 or not all(map(_NUMBER.match, cells)):
            continue
        cell = first[column]
        if _NUMBER.match(cell):
            return
        if cell and cell not in NUMERIC_GAPS:
            units.append(cell)
    if len(units) > 1:
        what = f"line {line} looks like units or a second header ({', '.join(units[:3])})"
        raise DataError(f"{place}: {what}, expected a sample in each row; delete the line")


def _refuse_thousands(names: Sequence[str], sample: Sequence[Sequence[str]], lines: Sequence[int], place: str) -> None:
    """Refuse points that may part thousands: all numbers with a point have three decimals, and others of their column none (`512`)."""
    cells_of = [cell for row in sample for cell in row]
    if not all(_THOUSANDS.match(cell) for cell in cells_of if "." in cell and _POINT.match(cell)):
        return
    for column, name in enumerate(names):
        cells = {row[column]: line for row, line in zip(reversed(sample), reversed(lines), strict=True)}
        pointed, plain = ([cell for cell in cells if form.match(cell)] for form in (_THOUSANDS, _HUNDREDS))
        if pointed and plain:
            what = f"column {name!r} holds {pointed[-1]!r} in line {cells[pointed[-1]]} and {plain[-1]!r} in line {cells[plain[-1]]}"
            ways = repr(pointed[-1].replace(".", "")) + (' (or `decimal: ","`)' if any(map(_COMMA.match, cells_of)) else "")
            raise DataError(f'{place}: {what}; expected {ways} if the point parts thousands, else `decimal: "."` in the manifest')


def _find_decimal(sample: Sequence[Sequence[str]], usual: str | None) -> str:
    """Return `,` where numbers have one that cannot part thousands, or is said to part none; where others have a point, both together."""
    commas = [match for row in sample for cell in row if "," in cell and (match := _COMMA.match(cell))]
    if not commas:
        return "."
    certain = any(len(match["decimals"]) != 3 or match["whole"] == "0" or len(match["whole"]) > 3 for match in commas)
    if any(_POINT.match(cell) for row in sample for cell in row if "." in cell):
        return "," if certain and usual == "," else "."
    return "," if certain else usual or "."
