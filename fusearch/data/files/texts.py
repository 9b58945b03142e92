"""Texts as a language model reads them: tokens, and the states that it has for each (decision 0079). Without torch.

Axis letters: N texts, T tokens, D width.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fusearch.data.files.stacking import load_package

__all__ = ["POOLINGS", "read_tokenizer", "text_states"]

FloatArray = npt.NDArray[np.float32]

#: What becomes of the states of the tokens of a text: their mean, or nothing.
POOLINGS = ("mean", "none")

#: Gives the states of the tokens of one text: (1, T) int64 -> (1, T, D).
RunsTokens = Callable[[npt.NDArray[np.int64]], Any]


def read_tokenizer(document: str, name: str, length: int | None = None) -> Any:
    """Return a tokenizer that cuts a text into at most `length` tokens.

    Args:
        document: The tokenizer as its library writes it (`tokenizer.json`).
        name: What it belongs to, for messages.
        length: See there; None: as many as the document says.

    Raises:
        DataError: Its library is not installed.
    """
    tokenizer = load_package("tokenizers", name).Tokenizer.from_str(document)
    tokenizer.no_padding()
    if length is not None:
        tokenizer.enable_truncation(length)
    return tokenizer


def text_states(
    texts: Sequence[str | None],
    tokenizer: Any,
    run: RunsTokens,
    *,
    pooling: str,
    make: Callable[[tuple[int, ...]], FloatArray],
    shape: tuple[int, int],
) -> tuple[FloatArray, int]:
    """Return what a language model has for texts, (N, *shape), and how many texts were cut.

    Each text is run by itself, so that no other one can move what it gives. NaN stands behind the end of a text, and where there is none.

    Args:
        texts: The texts.
        tokenizer: As `read_tokenizer` gives it.
        run: Runs the network.
        pooling: One of `POOLINGS`.
        make: Makes the array.
        shape: (1, D) of the mean over the tokens, else (T, D).
    """
    values, cut = make((len(texts), *shape)), 0
    for row, text in enumerate(texts):
        values[row] = np.nan
        found = None if text is None else tokenizer.encode(text)
        if found is None or all(found.special_tokens_mask):
            continue
        cut += bool(found.overflowing)
        states_TD = np.asarray(run(np.array([found.ids], np.int64)))[0]
        values[row, : len(states_TD) if pooling == "none" else 1] = states_TD if pooling == "none" else states_TD.mean(axis=0)
    return values, cut
