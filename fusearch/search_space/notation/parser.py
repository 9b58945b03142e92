"""Reads the text form and the review's typography into a `Document`.

document   = statement { newline-or-';' statement }
statement  = header | "train" "=" word | fusion | output
header     = stream { "|" stream }
stream     = name [ "=" modality ] [ ":" encoder [ "(" params ")" ] ]      with `name:encoder` for `name = name:encoder`
fusion     = name "=" operator "(" tap { "," tap } [ ";" params ] ")" [ arrow [ task ] ]
output     = tap arrow [ task ]
tap        = source [ "." port ] ( "@" | "^" ) depth
depth      = number | "L" | "score" | "*" | "?" | letter [ "+" number ]
params     = name "=" value { "," name "=" value }
arrow      = "->" | "→"
"""

from __future__ import annotations

from fusearch.errors import FormulaError
from fusearch.search_space.entries.parameter import Value
from fusearch.search_space.notation.syntax import Document, FusionItem, OutputItem, Place, StreamItem, TapItem
from fusearch.search_space.notation.tokens import Token, split_statements, tokenize
from fusearch.search_space.notation.values import ParamReader

__all__ = ["parse_document"]


def parse_document(text: str) -> Document:
    """Read a formula of one or more lines.

    Raises:
        FormulaError: A line does not fit the grammar; a caret shows where.
    """
    document = Document()
    for line, start, end in split_statements(text):
        _Statement(line, tokenize(line, start, end)).read_into(document)
    if not (document.streams or document.fusions or document.outputs):
        raise FormulaError("empty formula: expected a line such as 'F1 = cat(a@L, b@L) ->'", text.strip() or " ", 0)
    return document


class _Statement(ParamReader):
    """The tokens of one statement, and the methods that read them from left to right."""

    def read_into(self, document: Document) -> None:
        marks = self.top_level_marks()
        if ":" in marks or "|" in marks:
            self.read_header(document)
        elif [token.text for token in self.tokens[:2]] == ["train", "="]:
            self.read_training(document)
        elif self.tokens[0].kind == "word" and "arrow" in marks and "=" not in marks:
            self.read_output(document)
        elif "=" in marks and "(" in marks:
            self.read_fusion(document)
        elif marks <= {"="} and self.tokens[0].kind == "word":
            self.read_header(document)
        else:
            self.fail("expected a fusion such as 'F1 = cat(a@L, b@L) ->', an output such as 'a@L ->', or a header of streams")
        self.expect_end()

    def top_level_marks(self) -> set[str]:
        marks: set[str] = set()
        level = 0
        for token in self.tokens:
            level += (token.text == "(") - (token.text == ")")
            if token.text == "(" or (level == 0 and token.kind in ("mark", "arrow")):
                marks.add("arrow" if token.kind == "arrow" else token.text)
        return marks

    def read_header(self, document: Document) -> None:
        document.streams.append(self.read_stream())
        while self.accept("|"):
            document.streams.append(self.read_stream())

    def read_stream(self) -> StreamItem:
        name = self.expect("word", "the name of a stream")
        place = self.place(name)
        modality = self.expect("word", "the name of a modality").text if self.accept("=") else None
        if not self.accept(":"):
            return StreamItem(name.text, place, modality)
        encoder = self.expect("word", "the name of an encoder").text
        params: dict[str, Value] = {}
        tie = None
        if self.accept("("):
            params, _, tie = self.read_params(closing=")", allowed=("tie",))
        return StreamItem(name.text, place, modality or name.text, encoder, params, tie)

    def read_training(self, document: Document) -> None:
        document.training_place = self.place(self.tokens[0])
        self.position = 2
        document.training = self.expect("word", "a training mode").text

    def read_fusion(self, document: Document) -> None:
        name = self.expect("word", "the name of a fusion")
        self.expect("=", "'='")
        operator = self.peek()
        if operator.kind not in ("word", "symbol") and operator.text != "?":
            self.fail("expected an operator")
        self.position += 1
        self.expect("(", "'('")
        args = [self.read_tap()]
        while self.accept(","):
            args.append(self.read_tap())
        params: dict[str, Value] = {}
        trunk = None
        if self.accept(";"):
            params, trunk, _ = self.read_params(closing=")", allowed=("trunk",))
        else:
            self.expect(")", "',', ';' or ')'")
        item = FusionItem(name.text, operator.text, tuple(args), self.place(name), self.place(operator), params, trunk)
        document.fusions.append(item)
        if self.peek().kind == "arrow":
            document.outputs.append(OutputItem(TapItem(name.text, None, self.place(name)), self.read_task()))

    def read_output(self, document: Document) -> None:
        tap = self.read_tap(needs_depth=False)
        document.outputs.append(OutputItem(tap, self.read_task()))

    def read_task(self) -> str | None:
        self.expect("arrow", "'->'")
        return self.expect("word", "the name of a task").text if self.peek().kind == "word" else None

    def read_tap(self, *, needs_depth: bool = True) -> TapItem:
        source = self.expect("?", "a source") if self.peek().text == "?" else self.expect("word", "a stream or a fusion")
        port = None
        if self.accept("."):
            if self.peek().kind not in ("word", "number"):
                self.fail("expected a port: the name of an argument's source, or its position")
            port = self.expect(self.peek().kind, "a port").text
        if not (self.accept("@") or self.accept("^")):
            if needs_depth:
                self.fail(f"expected '@' and a depth after {source.text!r}, as in '{source.text}@L'")
            return TapItem(source.text, None, self.place(source), port)
        return TapItem(source.text, self.read_depth(), self.place(source), port)

    def read_depth(self) -> int | str:
        token = self.peek()
        is_letter = token.kind == "word" and token.text[0].islower() and (len(token.text) == 1 or token.text[1:].isdigit())
        if not (is_letter or token.text in ("*", "?", "L", "score") or token.text.isdigit()):
            self.fail("expected a depth: a whole number, L, score, * or, in a pattern, a letter or ?")
        self.position += 1
        if is_letter and self.accept("+"):
            return f"{token.text}+{self.expect('number', 'a number').text}"
        return int(token.text) if token.text.isdigit() else token.text

    def place(self, token: Token) -> Place:
        return Place(self.line, token.column)
