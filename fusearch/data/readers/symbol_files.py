"""Texts and sequences: a column of a table, text files that it names, FASTA."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from fusearch.data.assembly.decoded import DecodedFiles
from fusearch.data.files.frames import TABLES, read_table
from fusearch.data.files.ids import ids_of
from fusearch.data.files.npz import ARRAYS
from fusearch.data.files.stacking import named_file
from fusearch.data.files.symbols import (
    ALPHABETS,
    FASTA,
    TEXTS,
    alphabet_of,
    code_rows,
    letters_of,
    read_fasta,
    read_text_files,
    split_letters,
    split_words,
)
from fusearch.data.files.text import as_text, where
from fusearch.data.readers.language_models import LONGEST, read_states
from fusearch.data.readers.named_files import folder_of
from fusearch.data.readers.reader import READERS, FileKeys, Reader, Rows, SheetKeys, Source, Taken
from fusearch.data.readers.table_file import need_column, read_ids
from fusearch.data.symbol_schema import SymbolSchema
from fusearch.errors import DataError, ManifestError

__all__ = ["AlphabetKeys", "StringKeys", "TextKeys"]

Names = Sequence[str | None]

#: Default length of a text: that of so many of them, and at most so many words. Of a sequence: the longest, at most so many letters.
_TEXT_SHARE, _TEXT_MOST, _SEQUENCE_MOST = 0.95, 256, 512
#: Most words of a vocabulary, and letters of an alphabet: embeddings have a code for each (`Kind.codes`).
_MOST_WORDS, _MOST_LETTERS = 1000, 30
#: Most positions of a sample.
_LONGEST = 4096


class TextKeys(SheetKeys):
    """Where the texts stand, and what is taken of them."""

    column: str | None = Field(default=None, description="Column of the table with the text of each sample, or with the path of its file.")
    root: str | None = Field(
        default=None,
        description="Folder, relative to the manifest, that the paths in the column start from, where it names a file of text a sample "
        "(.txt). Left out: the column holds the texts.",
    )
    length: int | None = Field(
        default=None,
        description="Words of a text that are read; longer ones are cut. Left out: as many as 95 % of the texts of train + val have, at "
        f"most {_TEXT_MOST}.",
        ge=1,
        le=_LONGEST,
    )
    vocabulary: int = Field(
        default=_MOST_WORDS,
        description="How many words have a code of their own: the most frequent ones of a fold's training rows that stand in two of them.",
        ge=1,
        le=_MOST_WORDS,
    )

    model: str | None = Field(
        default=None,
        description="Folder of a language model, relative to the manifest, as Hugging Face writes it (configuration, tokenizer, weights): "
        "what it has for a text is computed once and stays as it is, in place of words. Nothing is downloaded, no code of the folder is "
        f"run. `length` counts its tokens then; left out, {LONGEST}, or as many as it takes.",
    )
    layers: int | None = Field(default=None, description="How many hidden layers of the model are computed; left out, all.", ge=1)
    pooling: Literal["mean", "none"] = Field(
        default="mean", description="Of a model: the mean over the tokens of a text, or `none`, the states of each token."
    )

    def marks(self) -> dict[str, str]:
        """Return the column of texts."""
        return {} if self.column is None else {self.column: "column of texts"}

    @model_validator(mode="after")
    def _array_or_column(self) -> TextKeys:
        if self.file.lower().endswith(TABLES) and self.column is None:
            raise ValueError(f"the table {self.file!r} needs the key 'column', the column with the text of each sample")
        return self

    @model_validator(mode="after")
    def _of_a_model(self) -> TextKeys:
        given = {key for key in ("layers", "pooling") if key in self.model_fields_set}
        if self.model is None and given:
            raise ValueError(f"{min(given)!r} needs the key 'model', the folder of the language model")
        if self.model is not None and "vocabulary" in self.model_fields_set:
            raise ValueError("'vocabulary' does not go with 'model', which has tokens of its own")
        return self


class AlphabetKeys(FileKeys):
    """Which letters sequences are made of."""

    alphabet: str | None = Field(
        default=None,
        description=f"`dna`, `rna`, `protein`, or the letters themselves (`ACGT-`), at most {_MOST_LETTERS}. Letters for what is not known "
        "(N, X) are read as unknown; any other letter is an error.",
    )
    length: int | None = Field(
        default=None,
        description=f"Letters of a sequence that are read; longer ones are cut. Left out: those of the longest in train + val, at most "
        f"{_SEQUENCE_MOST}.",
        ge=1,
        le=_LONGEST,
    )

    @model_validator(mode="after")
    def _legal_alphabet(self) -> AlphabetKeys:
        names = ", ".join(ALPHABETS)
        if self.alphabet is None:
            if self.file.lower().endswith(ARRAYS):
                return self
            raise ValueError(f"{self.file!r} needs the key 'alphabet', expected {names}, or the letters")
        letters, _ = letters_of(self.alphabet)
        if not 2 <= len(letters) <= _MOST_LETTERS or len(set(letters)) < len(letters) or any(letter.isspace() for letter in letters):
            raise ValueError(f"alphabet {self.alphabet!r}, expected {names}, or 2 to {_MOST_LETTERS} letters, each once")
        return self


class StringKeys(AlphabetKeys, SheetKeys):
    """Which column holds the sequences."""

    column: str | None = Field(default=None, description="Column of the table with the sequence of each sample.")

    def marks(self) -> dict[str, str]:
        """Return the column of sequences."""
        return {} if self.column is None else {self.column: "column of sequences"}

    @model_validator(mode="after")
    def _table_or_column(self) -> StringKeys:
        if self.file.lower().endswith(TABLES) and self.column is None:
            raise ValueError(f"the table {self.file!r} needs the key 'column', the column with the sequence of each sample")
        return self


def _read_column(source: Source) -> Rows:
    """Read a column of texts, or of sequences."""
    keys = source.keys
    column = keys.column if isinstance(keys, TextKeys | StringKeys) else None
    if column is None:  # the validators above refuse it; stated for the type checker
        raise ManifestError(f"{source.place('column')}: missing key")
    frame = read_table(source.path, lambda names: {*source.reserved, column} & set(names), source.form)
    ids = None if source.id is None else read_ids(frame, source.id, source.path, source.place("file"))

    def take(rows: npt.NDArray[np.int64]) -> Taken:
        need_column(frame, column, source.path, source.place("column"))
        cells = as_text(frame[column].iloc[rows], source.form.missing)
        places = [f"{source.path.name}, {where(frame.index, int(row))}" for row in rows]
        if isinstance(keys, TextKeys):
            return _take_texts(source, keys, cells, places)
        return _take_strings(keys, cells, places)

    return Rows(ids, len(frame), take, {str(name): values for name, values in frame.items()})


def _take_texts(source: Source, keys: TextKeys, cells: Names, places: Sequence[str]) -> Taken:
    texts = cells
    given = [cell for cell in cells if cell is not None]
    if keys.root is not None:
        root = folder_of(source, keys.root)
        texts = read_text_files([named_file(root, cell) for cell in cells], places)
    elif given and all(cell.lower().endswith(TEXTS) and "\n" not in cell for cell in given):
        raise ManifestError(f"{source.place('column')}: {keys.column!r} holds names of files ({given[0]!r}); say their folder, `root: .`")
    if keys.model is not None:
        found = _read_by_model(source, keys, texts)
        return Taken(found.values, None, found.notes)
    symbols = split_words(texts)
    wordless = sum(text is not None and found is None for text, found in zip(texts, symbols, strict=True))
    notes = (f"{wordless} texts hold no word and are taken as missing",) if wordless else ()
    names = tuple(sorted({word for found in symbols for word in found or ()}))
    schema = SymbolSchema(names, keys.length, _TEXT_MOST, _TEXT_SHARE, keys.vocabulary)
    return Taken(code_rows(symbols, names, schema.read_length), None, notes, schema)


def _read_by_model(source: Source, keys: TextKeys, texts: Names) -> DecodedFiles:
    folder = source.manifest.parent / str(keys.model)
    if not folder.is_dir():
        raise ManifestError(f"{source.place('model')}: no folder {keys.model!r} beside the manifest")
    try:
        return read_states(texts, folder, layers=keys.layers, length=keys.length, pooling=keys.pooling)
    except DataError as error:
        raise DataError(f"modality {source.name!r}: {error}") from None


def _take_strings(keys: FileKeys, strings: Names, places: Sequence[str]) -> Taken:
    alphabet, length = (keys.alphabet or "", keys.length) if isinstance(keys, AlphabetKeys) else ("", None)
    schema = SymbolSchema(tuple(letters_of(alphabet)[0]), length, _SEQUENCE_MOST)
    symbols = split_letters(strings, alphabet, places)
    return Taken(code_rows(symbols, schema.names, schema.read_length), None, (), schema)


def _read_fasta(source: Source) -> Rows:
    names, strings = read_fasta(source.path)
    ids = None if source.id is None else ids_of(names, "record", source.path.name, names.index)

    def take(rows: npt.NDArray[np.int64]) -> Taken:
        places = [f"{source.path.name}, record {names.iloc[row]!r}" for row in rows]
        return _take_strings(source.keys, [strings[row] for row in rows], places)

    if not any(strings):
        raise DataError(f"{source.path.name}: no record has a letter, expected them below each '>name'")
    return Rows(ids, len(names), take, {"record": names})


_TEXT_IN = "a table with a text, or the path of one, in a column"
READERS.add("texts", Reader("texts", TABLES, _TEXT_IN, _read_column, TextKeys, ("column", "root", "model", "pooling"), TEXTS))
READERS.add("strings", Reader("strings", TABLES, "a table with a sequence in a column", _read_column, StringKeys, ("column", "alphabet")))
READERS.add(
    "fasta",
    Reader(
        "fasta",
        FASTA,
        "FASTA, whose records are named by the ids",
        _read_fasta,
        AlphabetKeys,
        ("alphabet",),
        fit=lambda files: {"alphabet": alphabet_of(read_fasta(files[0])[1]) or "protein"},
    ),
)
