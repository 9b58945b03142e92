from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fusearch.data.files.symbols import code_rows, letters_of, read_fasta, read_text_files, split_letters, split_words
from fusearch.errors import DataError

PLACES = [f"row {row + 1}" for row in range(9)]


def test_words_are_lower_cased_letters_digits_and_underscores() -> None:
    assert split_words(["Left-sided Pain, 38.5 °C", "... !", None, "naïve über_all"]) == [
        ["left", "sided", "pain", "38", "5", "c"],
        None,
        None,
        ["naïve", "über_all"],
    ]


def test_letters_of_a_string() -> None:
    assert split_letters(["acg t\nN", None, " "], "dna", PLACES) == [list("ACGTN"), None, None]
    assert split_letters(["aB"], "aBc", PLACES) == [["a", "B"]], "case counts in an alphabet of both cases"
    assert letters_of("dna")[0] == "ACGT"
    assert letters_of("AB-") == ("AB-", "")


def test_every_string_of_strange_letters_is_told() -> None:
    with pytest.raises(DataError) as told:
        split_letters(["ACG", "AC!J", "G-"], "dna", PLACES)
    assert told.value.faults == (
        "row 2: '!' at letter 3 and 1 others, expected letters of dna (ACGT; unknown: NRYSWKMBDHV)",
        "row 3: '-' at letter 2, expected letters of dna (ACGT; unknown: NRYSWKMBDHV)",
    )


def test_codes_are_positions_cut_and_filled() -> None:
    rows = code_rows([["b", "x", "a"], None, ["a", "a", "b", "b", "b"]], ["a", "b"], 4)
    np.testing.assert_array_equal(rows, np.array([[1, -1, 0, np.nan], [np.nan] * 4, [0, 0, 1, 1]], np.float32))
    assert rows.dtype == np.float32


def test_fasta(tmp_path: Path) -> None:
    path = tmp_path / "a.fasta"
    path.write_bytes(b"\xef\xbb\xbf; a comment\n>p1 the first\r\nACG\r\nTT\r\n\r\n>p2\n>p3\nA C\n")
    names, strings = read_fasta(path)
    assert (names.tolist(), names.index.name, strings) == (["p1", "p2", "p3"], "line", ["ACGTT", None, "A C"])


def test_text_files(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("Grüße\n".encode("utf-16"))
    (tmp_path / "b.txt").write_bytes(b" \n")
    (tmp_path / "c.txt").write_bytes(b"a\0b")
    assert read_text_files([tmp_path / "a.txt", None, tmp_path / "b.txt"], PLACES) == ["Grüße", None, None]
    with pytest.raises(DataError) as told:
        read_text_files([tmp_path / "c.txt", tmp_path], PLACES)
    assert told.value.faults[0] == "row 1: c.txt: cannot be read as text (it holds a zero byte), expected UTF-8"
    assert told.value.faults[1].endswith("Is a directory")
