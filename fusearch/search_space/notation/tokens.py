"""Cuts a line of a formula into tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fusearch.errors import FormulaError

__all__ = ["Token", "split_statements", "tokenize"]

_TOKENS = re.compile(
    r"""\s*(?:
      (?P<arrow>->|→)
    | (?P<number>-?\d+\.?\d*(?:[eE][-+]?\d+)?)
    | (?P<word>[A-Za-z_][A-Za-z_0-9]*)
    | (?P<symbol>[⊕⊞𝔸𝕊⇌])
    | (?P<mark>[()=,;:|@^.*+?])
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Token:
    """One token: `arrow`, `number`, `word`, `symbol`, `mark` or `end`, its text, and its column in the line."""

    kind: str
    text: str
    column: int

    def __str__(self) -> str:
        return "the end of the line" if self.kind == "end" else repr(self.text)


def tokenize(line: str, start: int, end: int) -> list[Token]:
    """Return the tokens of `line[start:end]`, closed by one of kind `end`.

    Raises:
        FormulaError: A character does not belong in a formula.
    """
    tokens = []
    position = start
    while line[position:end].strip():
        match = _TOKENS.match(line, position, end)
        if match is None:
            position += len(line[position:end]) - len(line[position:end].lstrip())
            raise FormulaError(f"unexpected character {line[position]!r}", line, position)
        kind = str(match.lastgroup)
        tokens.append(Token(kind, match[kind], match.start(kind)))
        position = match.end()
    last = start + len(line[start:end].rstrip())
    return [*tokens, Token("end", "", last)]


def split_statements(text: str) -> list[tuple[str, int, int]]:
    """Return (line, start, end) of every statement: one a line, or several on a line with `;` between them.

    Empty lines and lines that start with `#` are skipped. A `;` inside parentheses belongs to the statement.
    """
    statements = []
    for line in text.splitlines():
        if line.lstrip().startswith("#"):
            continue
        start = level = 0
        for column, character in enumerate(line):
            if character == "(":
                level += 1
            elif character == ")":
                level -= 1
            elif character == ";" and level <= 0:
                statements.append((line, start, column))
                start = column + 1
        statements.append((line, start, len(line)))
    return [(line, start, end) for line, start, end in statements if line[start:end].strip()]
