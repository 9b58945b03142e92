"""Reads single tokens, and parameters with their values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from fusearch.errors import DesignError, FormulaError, suggestion
from fusearch.search_space.design.parts import AUTO, TRUNKS, Trunk
from fusearch.search_space.entries.parameter import Value
from fusearch.search_space.notation.tokens import Token

__all__ = ["ParamReader"]

_WORDS: dict[str, bool] = {"true": True, "True": True, "false": False, "False": False}


class ParamReader:
    """A row of tokens, read from left to right.

    Args:
        line: The line that holds them, for messages.
        tokens: The tokens of one statement, closed by one of kind `end`.
    """

    def __init__(self, line: str, tokens: Sequence[Token]) -> None:
        self.line = line
        self.tokens = tokens
        self.position = 0

    def peek(self) -> Token:
        """Return the next token and stay before it."""
        return self.tokens[self.position]

    def accept(self, text: str) -> bool:
        """Step over the next token if it is `text`."""
        if self.peek().kind == "mark" and self.peek().text == text:
            self.position += 1
            return True
        return False

    def expect(self, kind: str, what: str) -> Token:
        """Step over the next token, which has to be of that kind or be that mark."""
        token = self.peek()
        if kind not in (token.kind, token.text if token.kind == "mark" else ""):
            self.fail(f"expected {what}")
        self.position += 1
        return token

    def expect_end(self) -> None:
        """Refuse anything that is left."""
        if self.peek().kind != "end":
            self.fail("expected the end of the line")

    def fail(self, message: str) -> NoReturn:
        """Raise a `FormulaError` at the next token."""
        token = self.peek()
        raise FormulaError(f"{message}, found {token}", self.line, token.column)

    def read_params(self, *, closing: str, allowed: Sequence[str]) -> tuple[dict[str, Value], Trunk | None, str | None]:
        """Read `name=value, ...` up to `closing`; `trunk` and `tie` are read apart where they are `allowed`."""
        params: dict[str, Value] = {}
        trunk: Trunk | None = None
        tie: str | None = None
        while True:
            name = self.expect("word", "the name of a parameter")
            if name.text in params or (name.text == "trunk" and trunk) or (name.text == "tie" and tie):
                raise FormulaError(f"parameter {name.text!r} stands there twice", self.line, name.column)
            self.expect("=", "'='")
            if name.text == "trunk" and "trunk" in allowed:
                trunk = self.read_trunk()
            elif name.text == "tie" and "tie" in allowed:
                tie = self.expect("word", "the name of a stream").text
            else:
                params[name.text] = self.read_value()
            if not self.accept(","):
                self.expect(closing, f"',' or {closing!r}")
                return params, trunk, tie

    def read_value(self) -> Value:
        """Read a number, true, false or a word."""
        token = self.peek()
        if token.kind not in ("word", "number"):
            self.fail("expected a number or a word")
        self.position += 1
        if token.kind == "word":
            return _WORDS.get(token.text, token.text)
        return int(token.text) if token.text.lstrip("-").isdigit() else float(token.text)

    def read_trunk(self) -> Trunk:
        """Read `fc`, `fc:2` or `continue(stream)`."""
        family = self.expect("word", "a trunk such as fc:2 or continue(stream)")
        number, stream = AUTO, None
        if family.text == "continue":
            self.expect("(", "'(' and the stream that continues")
            stream = self.expect("word", "the name of a stream").text
            self.expect(")", "')'")
        elif family.text not in TRUNKS:
            raise FormulaError(f"unknown trunk {family.text!r}: {suggestion(family.text, TRUNKS)}", self.line, family.column)
        elif self.accept(":"):
            digits = self.expect("number", "a number of stages")
            if not digits.text.isdigit():
                raise FormulaError(f"trunk of {digits.text} stages, expected a whole number", self.line, digits.column)
            number = int(digits.text)
        try:
            return Trunk(family.text, number, stream)  # type: ignore[arg-type]  # checked against TRUNKS above
        except DesignError as error:
            raise FormulaError(str(error), self.line, family.column) from None
