"""Texts as words and strings as letters, and both as rows of codes; FASTA files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from fusearch.errors import DataError

__all__ = [
    "ALPHABETS",
    "FASTA",
    "TEXTS",
    "alphabet_of",
    "code_rows",
    "letters_of",
    "read_fasta",
    "read_text_files",
    "split_letters",
    "split_words",
]

FloatArray = npt.NDArray[np.float32]

#: Suffixes of a FASTA file, and of a file that holds one text.
FASTA = (".fasta", ".fa", ".fna", ".faa")
TEXTS = (".txt",)

#: Letters that stand for one of several bases, or for none that is known (IUPAC).
_BASES = "NRYSWKMBDHV"
#: Alphabet -> its letters, and those that stand for a letter that is not known.
ALPHABETS = {"dna": ("ACGT", _BASES), "rna": ("ACGU", _BASES), "protein": ("ACDEFGHIKLMNPQRSTVWY", "XBZJUO*")}

#: Share of the letters of strings of an alphabet that are known ones.
_KNOWN_LETTERS = 0.8

_WORD = re.compile(r"\w+")


def split_words(texts: Sequence[str | None]) -> list[list[str] | None]:
    r"""Return the words of each text, lower-cased: what `\w+` finds. None where there is no text, or no word in it."""
    return [None if text is None else _WORD.findall(text.lower()) or None for text in texts]


def letters_of(alphabet: str) -> tuple[str, str]:
    """Return the letters of an alphabet by its name in any case, or those given; and the letters that stand for one that is not known."""
    return ALPHABETS.get(alphabet.lower(), (alphabet, ""))


def split_letters(strings: Sequence[str | None], alphabet: str, places: Sequence[str]) -> list[list[str] | None]:
    """Return the letters of each string, None where there is none; spaces are left out.

    Case does not count where the alphabet has one alone. A letter that stands for one that is not known (N, X) stays as it is: it has no
    code of its own.

    Args:
        strings: The strings.
        alphabet: A name of `ALPHABETS`, or the letters.
        places: Where each string stands, for messages.

    Raises:
        DataError: A letter is none of the alphabet; every such string is told.
    """
    letters, unknown = letters_of(alphabet)
    known, fold = set(letters + unknown), letters.upper() == letters
    split: list[list[str] | None] = []
    faults = []
    for row, string in enumerate(strings):
        found = "".join((string or "").split())
        found = found.upper() if fold else found
        strange = [letter for letter in dict.fromkeys(found) if letter not in known]
        if strange:
            legal = f"letters of {alphabet} ({letters}" + (f"; unknown: {unknown})" if unknown else ")")
            told = f"{strange[0]!r} at letter {found.index(strange[0]) + 1}" + (f" and {len(strange) - 1} others" * (len(strange) > 1))
            faults.append(f"{places[row]}: {told}, expected {legal}")
        split.append(list(found) or None)
    if faults:
        raise DataError(*faults)
    return split


def alphabet_of(strings: Sequence[str | None]) -> str | None:
    """Return the smallest alphabet by name that strings are made of, None where they are of none."""
    counts = Counter("".join(string or "" for string in strings).upper())
    for name, (own, unknown) in ALPHABETS.items():
        known = sum(counts[letter] for letter in own)
        if set(counts) <= set(own + unknown) and known >= _KNOWN_LETTERS * counts.total() > 0:
            return name
    return None


def code_rows(symbols: Sequence[Sequence[str] | None], names: Sequence[str], length: int) -> FloatArray:
    """Return the position of each symbol among `names`, (N, length) float32.

    -1 stands for another symbol, NaN behind the end and where there is nothing. What is longer is cut.
    """
    code_of = {name: float(code) for code, name in enumerate(names)}
    rows = np.full((len(symbols), length), np.nan, np.float32)
    for row, found in enumerate(symbols):
        codes = [code_of.get(symbol, -1.0) for symbol in (found or ())[:length]]
        rows[row, : len(codes)] = codes
    return rows


def read_text_files(files: Sequence[Path | None], places: Sequence[str]) -> list[str | None]:
    """Return the text of each file; None where a sample has none, or an empty one.

    Args:
        files: The file of each sample.
        places: Where each is named, for messages.

    Raises:
        DataError: A file is missing or holds no text; every such file is told.
    """
    texts: list[str | None] = []
    faults = []
    for row, file in enumerate(files):
        try:
            texts.append(None if file is None else _read_text(file).strip() or None)
        except DataError as error:
            faults.append(f"{places[row]}: {error}")
        except OSError as error:
            faults.append(f"{places[row]}: {file}: {error.strerror or error}")
    if faults:
        raise DataError(*faults)
    return texts


def read_fasta(path: Path) -> tuple[pd.Series[str], list[str | None]]:
    """Return the name of each record, the first word behind `>`, by its line; and its letters, None where it has none.

    Raises:
        DataError: The file holds no text, no record, or letters before the first one.
    """
    names: dict[int, str] = {}
    strings: list[list[str]] = []
    for number, line in enumerate(_read_text(path).splitlines(), start=1):
        line = line.strip()
        if line.startswith(">"):
            words = line[1:].split()
            if not words:
                raise DataError(f"{path.name}: the record in line {number} has no name, expected one behind '>'")
            names[number] = words[0]
            strings.append([])
        elif line and not line.startswith(";"):
            if not strings:
                what = f"line {number} holds {line[:20]!r}"
                raise DataError(f"{path.name}: {what}, expected the header of a record, such as '>name', before its letters")
            strings[-1].append(line)
    if not names:
        raise DataError(f"{path.name}: no record, expected lines of '>name' and the letters below")
    index = pd.Index(list(names), name="line")
    return pd.Series(list(names.values()), index, dtype=object), ["".join(parts) or None for parts in strings]


def _read_text(path: Path) -> str:
    data: Any = path.read_bytes()
    try:
        text = str(data.decode("utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"))
    except UnicodeDecodeError as error:
        what = f"byte {error.start + 1} is {data[error.start : error.start + 1].hex()!r}, which is not {error.encoding.upper()}"
        raise DataError(f"{path.name}: cannot be read as text ({what}), expected UTF-8") from None
    if "\0" in text:
        raise DataError(f"{path.name}: cannot be read as text (it holds a zero byte), expected UTF-8")
    return text
