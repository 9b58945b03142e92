"""Tokens of a text and the states of each: of every text by itself, without torch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fusearch.data.files.texts import read_tokenizer, text_states
from fusearch.errors import DataError


def words() -> str:
    tokenizers = pytest.importorskip("tokenizers", reason="needs fusearch[text]")
    found = tokenizers.Tokenizer(tokenizers.models.WordLevel({"?": 0, "pain": 1, "no": 2, "fever": 3}, unk_token="?"))
    found.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    return str(found.to_str())


def run(tokens: np.ndarray) -> np.ndarray:
    """Return twice the token and its place, (1, T, 2)."""
    return np.stack([2.0 * tokens, np.broadcast_to(np.arange(tokens.shape[1]), tokens.shape)], axis=2)


@pytest.mark.parametrize(
    ("pooling", "shape", "expected"),
    [
        ("mean", (1, 2), [[[3, 0.5]], [[np.nan] * 2], [[np.nan] * 2], [[4, 1]]]),
        (
            "none",
            (3, 2),
            [[[4, 0], [2, 1], [np.nan] * 2], [[np.nan] * 2] * 3, [[np.nan] * 2] * 3, [[4, 0], [2, 1], [6, 2]]],
        ),
    ],
)
def test_states_of_texts(pooling: str, shape: tuple[int, int], expected: Any) -> None:
    texts = ["no pain", None, " ", "no pain fever no pain"]
    values, cut = text_states(texts, read_tokenizer(words(), "words", 3), run, pooling=pooling, make=np.zeros, shape=shape)
    np.testing.assert_array_equal(values, expected)
    assert cut == 1


def test_a_document_keeps_its_length() -> None:
    document = read_tokenizer(words(), "words", 2).to_str()
    assert read_tokenizer(document, "words").encode("no pain fever").ids == [2, 1]


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "tokenizers", None)
    with pytest.raises(DataError, match=r"notes.onnx: reading it needs tokenizers; expected `pip install 'fusearch\[text\]'`"):
        read_tokenizer("{}", "notes.onnx")
