"""Texts and sequences as the readers give them: codes of all symbols, before a length and a vocabulary are found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from fusearch.data import Dataset
from fusearch.data.kinds import KINDS
from fusearch.data.readers import READERS, Source
from fusearch.data.readers.symbol_files import AlphabetKeys, StringKeys, TextKeys
from fusearch.errors import DataError


def text(folder: Path, **keys: Any) -> Source:
    found = TextKeys(kind="text", file="notes.csv", column="note", **keys)
    return Source("note", KINDS["text"], found, folder / "notes.csv", folder / "study.yaml", "id")


def test_a_column_of_texts(tmp_path: Path) -> None:
    (tmp_path / "notes.csv").write_text('id,note\n1,"No pain,\nno fever"\n2,\n3,Pain\n', encoding="utf-8")
    rows = READERS["texts"].read(text(tmp_path, length=3))
    assert rows.ids == ["1", "2", "3"]
    taken = rows.take(np.array([2, 1, 0]))
    assert taken.symbols is not None
    assert taken.symbols.names == ("fever", "no", "pain")
    assert (taken.symbols.length, taken.symbols.vocabulary) == (3, 1000)
    expected = np.array([[2, np.nan, np.nan, np.nan], [np.nan] * 4, [1, 2, 1, 0]], np.float32)
    np.testing.assert_array_equal(taken.values, expected)  # one word more than are used: it tells that a text is longer


def test_the_same_texts_in_files_give_the_same(tmp_path: Path) -> None:
    (tmp_path / "notes.csv").write_text("id,note\n1,No pain\n2,fever\n", encoding="utf-8")
    whole = READERS["texts"].read(text(tmp_path)).take(np.arange(2))
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a.txt").write_text("No pain\n", encoding="utf-8")
    (tmp_path / "files" / "b.TXT").write_text("fever", encoding="utf-8")
    (tmp_path / "notes.csv").write_text("id,note\n1,a.txt\n2,b.TXT\n", encoding="utf-8")
    named = READERS["texts"].read(text(tmp_path, root="files")).take(np.arange(2))
    np.testing.assert_array_equal(named.values, whole.values)
    assert named.symbols == whole.symbols


def test_records_of_fasta_are_joined_by_name_or_by_position(tmp_path: Path) -> None:
    (tmp_path / "s.fa").write_text(">b\nACGN\n>a\nA\n", encoding="utf-8")
    for identity, names in (("id", ["b", "a"]), (None, None)):
        keys = AlphabetKeys(kind="sequence", file="s.fa", alphabet="dna")
        rows = READERS["fasta"].read(Source("s", KINDS["sequence"], keys, tmp_path / "s.fa", tmp_path / "study.yaml", identity))
        assert (rows.ids, rows.count) == (names, 2)
        assert rows.take(np.arange(2)).values[:, :4].tolist()[0] == [0, 1, 2, -1]


@pytest.mark.parametrize(
    ("keys", "values", "message"),
    [
        (TextKeys, {"file": "a.csv"}, "needs the key 'column', the column with the text of each sample"),
        (TextKeys, {"file": "a.csv", "column": "x", "length": 0}, "greater than or equal to 1"),
        (StringKeys, {"file": "a.csv", "alphabet": "dna"}, "needs the key 'column', the column with the sequence of each sample"),
        (StringKeys, {"file": "a.csv", "column": "x"}, "needs the key 'alphabet', expected dna, rna, protein, or the letters"),
        (AlphabetKeys, {"file": "a.fa", "alphabet": "A"}, "alphabet 'A', expected dna, rna, protein, or 2 to 30 letters, each once"),
        (AlphabetKeys, {"file": "a.fa", "alphabet": "A C"}, "alphabet 'A C', expected"),
    ],
)
def test_keys_that_do_not_go(keys: Any, values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        keys(kind="x", **values)


def test_codes_in_memory() -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(1, 9, (30, 5)).astype(float)
    codes[:, 4], codes[3] = np.nan, np.nan
    given = {"targets": np.arange(30) % 2, "kinds": {"words": "text"}}
    data = Dataset.from_arrays("toy", modalities={"words": codes}, **given)
    inputs, present = data.fit_preprocessor(data.rows("train")).transform(data, np.arange(30))
    np.testing.assert_array_equal(inputs["words"], np.nan_to_num(codes))
    assert present["words"].tolist() == [row != 3 for row in range(30)]
    with pytest.raises(DataError, match="a value in row 2 is no code, expected whole numbers: 0 behind the end, 1 unknown, then symbols"):
        Dataset.from_arrays("toy", modalities={"words": np.where(np.arange(30)[:, None] == 1, 2.5, codes)}, **given)


def test_embeddings_of_words_that_were_made_elsewhere(tmp_path: Path) -> None:
    np.save(tmp_path / "words.npy", np.random.default_rng(0).normal(size=(4, 12, 96)))
    keys = READERS["array"].keys(kind="text", file="words.npy")
    source = Source("note", KINDS["text"], keys, tmp_path / "words.npy", tmp_path / "study.yaml")
    taken = READERS["array"].read(source).take(np.arange(4))
    assert taken.values.shape == (4, 12, 96)
    assert (taken.symbols, taken.notes) == (None, ()), "a word has more numbers than a text has words: nothing odd"


def test_the_name_of_an_alphabet_in_any_case(tmp_path: Path) -> None:
    (tmp_path / "s.fa").write_text(">a\nACGN\n", encoding="utf-8")
    keys = AlphabetKeys(kind="sequence", file="s.fa", alphabet="DNA")
    rows = READERS["fasta"].read(Source("s", KINDS["sequence"], keys, tmp_path / "s.fa", tmp_path / "study.yaml", "id"))
    assert rows.take(np.arange(1)).values[0, :4].tolist() == [0, 1, 2, -1]
