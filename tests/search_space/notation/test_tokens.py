from __future__ import annotations

import pytest

from fusearch.errors import FormulaError
from fusearch.search_space.notation.tokens import split_statements, tokenize


def test_tokens_and_columns() -> None:
    line = "F1 = ⊕(x1^2, a@score; r=-1.5e-3) →"
    tokens = tokenize(line, 0, len(line))
    assert [token.text for token in tokens] == [
        *["F1", "=", "⊕", "(", "x1", "^", "2", ",", "a", "@", "score", ";", "r", "=", "-1.5e-3", ")", "→", ""]
    ]
    assert all(line[token.column :].startswith(token.text) for token in tokens)
    assert tokens[-1].kind == "end"


def test_a_foreign_character_is_shown() -> None:
    with pytest.raises(FormulaError, match="unexpected character '&'") as caught:
        tokenize("a@1  & b", 0, 8)
    assert caught.value.column == 5


def test_statements() -> None:
    text = "a:mlp; # no comment\n\n  # a comment; with a mark\nF1 = cat(a@1, b@1; align=true); F1 ->\n"
    pieces = [line[start:end].strip() for line, start, end in split_statements(text)]
    assert pieces == ["a:mlp", "# no comment", "F1 = cat(a@1, b@1; align=true)", "F1 ->"]
