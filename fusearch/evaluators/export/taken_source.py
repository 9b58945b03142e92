"""The source of classes and functions, taken out of the package with all that they use and nothing else, so that it stands alone."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from types import ModuleType
from typing import Any

from fusearch.errors import ExportError

__all__ = ["TakenSource"]

#: Decorators that only register a class.
_REGISTERS = ("operator_layer", "encoder", "task_layer")
#: What stands for classes of the package that the taken code names and does not need.
_ERRORS = "fusearch.errors"
#: Comments for our own tools.
_MARKS = re.compile(r"  # (noqa|type: ignore).*")


class TakenSource:
    """Collects definitions, each behind those that it needs.

    Of a class stay `__init__`, `forward`, and the methods that some code names; what an operator adds to the loss of training is left out.

    Args:
        replaced: Name of a definition -> text that stands for it.
        inits: Name of a class -> text that stands for its `__init__`.
        methods: Names of methods that stay beside those that the code calls.
    """

    def __init__(self, replaced: Mapping[str, str], inits: Mapping[str, str], methods: Iterable[str]) -> None:
        self._replaced, self._inits, self._methods = replaced, inits, set(methods)
        self._wanted: list[tuple[str, str]] = []
        self._definitions: dict[tuple[str, str], str] = {}
        self._imports: set[tuple[str, str, str]] = set()
        self._unused: set[str] = set()

    def want(self, thing: Any) -> str:
        """Take a class or a function along, and return its name."""
        self._wanted.append((thing.__module__, thing.__name__))
        return str(thing.__name__)

    def text(self, *imports: tuple[str, str, str]) -> str:
        """Return imports and definitions.

        Args:
            imports: More imports: module, name in it ("": the module), and what it is called.

        Raises:
            ExportError: A definition needs something of fusearch that cannot be taken out.
        """
        known = -1
        while known != len(self._methods):  # a method that stays may name another
            known = len(self._methods)
            self._definitions, self._imports, self._unused = {}, set(), set()
            for module, name in self._wanted:
                self._take(module, name)
        unused = sorted(self._unused - {name for _, name in self._definitions})
        stubs = [f"{' = '.join(unused)} = Any  # what only training needs"] if unused else []
        definitions = [*stubs, *(text for text in self._definitions.values() if text)]
        self._imports |= {("typing", "Any", "Any"), *imports}
        return "\n\n\n".join(["\n".join(self._import_lines()), *definitions]) + "\n"

    def _import_lines(self) -> Iterator[str]:
        yield "from __future__ import annotations\n"
        whole = sorted(each for each in self._imports if not each[1])
        yield from (f"import {home}" + (f" as {name}" if name != home else "") for home, _, name in whole)
        yield ""
        for home in sorted({home for home, original, _ in self._imports if original}):
            names = sorted((original, name) for other, original, name in self._imports if other == home and original)
            yield f"from {home} import {', '.join(one if one == name else f'{one} as {name}' for one, name in names)}"

    def _take(self, module: str, name: str) -> None:
        key = module, name
        if key in self._definitions:
            return
        if any(other == name for _, other in self._definitions):
            raise ExportError(f"format module: two definitions of this design are called {name!r}; take onnx or pt2")
        self._definitions[key] = ""  # a cycle ends here; its place is behind what it needs
        if name in self._replaced:
            text, of = self._replaced[name], _parsed(module)
        else:
            of = _parsed(module)
            node = of.definitions.get(name)
            text = self._text_of(of, node) if node is not None else self._made_class(module, name)
        self._needs(of, text)
        del self._definitions[key]
        self._definitions[key] = text

    def _made_class(self, module: str, name: str) -> str:
        """Return the text of a class that was made by a call of `type`."""
        registered = _classes()
        made = registered.get((module, name))
        if made is None:
            raise ExportError(f"format module: {module}.{name} has no source; take onnx or pt2")
        base = made.__bases__[0]
        self._take(base.__module__, base.__name__)
        facts = [f"    {key} = {value!r}" for key, value in vars(made).items() if not key.startswith("_")]
        return "\n".join([f"class {name}({base.__name__}):", f'    """{made.__doc__}"""', "", *facts])

    def _text_of(self, of: _Parsed, node: ast.stmt) -> str:
        gone: set[int] = set()
        extra: dict[int, str] = {}
        if isinstance(node, ast.ClassDef):
            for child in node.body:
                if isinstance(child, ast.FunctionDef) and not self._stays(child):
                    gone |= _lines(child)
                elif isinstance(child, ast.FunctionDef) and child.name == "__init__" and node.name in self._inits:
                    gone |= _lines(child)
                    extra[child.lineno] = self._inits[node.name]
        for inner in ast.walk(node):
            if isinstance(inner, ast.If) and ast.unparse(inner.test) == "losses is not None" and not inner.orelse:
                gone |= _lines(inner)
        start = node.lineno
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            kept = [each for each in node.decorator_list if ast.unparse(each).partition("(")[0] not in _REGISTERS]
            start = min([node.lineno, *(each.lineno for each in kept)])
        lines = []
        for number in range(start, (node.end_lineno or node.lineno) + 1):
            if number in extra:
                lines.append(extra[number])
            if number not in gone:
                lines.append(of.lines[number - 1])
        return re.sub(r"\n{3,}(?= )", "\n\n", _MARKS.sub("", "\n".join(lines))).rstrip()

    def _stays(self, method: ast.FunctionDef) -> bool:
        return (method.name.startswith("__") and method.name.endswith("__")) or method.name in self._methods

    def _needs(self, of: _Parsed, text: str) -> None:
        tree = ast.parse(text)
        annotations = {id(inner) for each in _annotations(tree) for inner in ast.walk(each)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute):
                self._methods.add(node.attr)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                self._name(of, node.id, is_annotation=id(node) in annotations)

    def _name(self, of: _Parsed, name: str, *, is_annotation: bool) -> None:
        if name in of.definitions:
            if not is_annotation:
                self._take(of.module, name)
            elif isinstance(of.definitions[name], ast.ClassDef) and not any(other == name for _, other in self._definitions):
                self._unused.add(name)
            return
        imported = of.imports.get(name)
        if imported is None:
            return  # of Python, or a name of its own
        home, original = imported
        if not home.startswith("fusearch"):
            self._imports.add((home, original, name))
        elif home == _ERRORS:
            self._definitions.setdefault((home, name), f"{name} = ValueError")
        elif is_annotation and name not in self._replaced:
            if not any(other == name for _, other in self._definitions):
                self._unused.add(name)
        else:
            found = getattr(importlib.import_module(home), original)
            self._unused.discard(name)
            self._take(found.__module__ if inspect.isclass(found) or inspect.isfunction(found) else home, original)


class _Parsed:
    """A module: its lines, what it defines, and what it imports."""

    def __init__(self, module: ModuleType) -> None:
        self.module = module.__name__
        try:
            source = inspect.getsource(module)
        except (OSError, TypeError):
            raise ExportError(f"format module: the source of {module.__name__!r} is not there; take onnx or pt2") from None
        self.lines = source.splitlines()
        self.definitions: dict[str, ast.stmt] = {}
        self.imports: dict[str, tuple[str, str]] = {}
        for node in ast.parse(source).body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef):
                self.definitions[node.name] = node
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                    if isinstance(target, ast.Name):
                        self.definitions[target.id] = node
            elif isinstance(node, ast.Import):
                self.imports |= {each.asname or each.name: (each.name, "") for each in node.names}
            elif isinstance(node, ast.ImportFrom):
                self.imports |= {each.asname or each.name: (str(node.module), each.name) for each in node.names}


@cache
def _parsed(module: str) -> _Parsed:
    return _Parsed(importlib.import_module(module))


def _classes() -> dict[tuple[str, str], type]:
    from fusearch.evaluators.network.encoder_network import NETWORKS

    return {(each.__module__, each.__name__): each for each in NETWORKS.values()}


def _lines(node: ast.stmt) -> set[int]:
    start = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", ()))])
    return set(range(start, (node.end_lineno or node.lineno) + 1))


def _annotations(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign):
            yield node.annotation
        elif isinstance(node, ast.FunctionDef):
            yield from (each.annotation for each in ast.walk(node.args) if isinstance(each, ast.arg) and each.annotation is not None)
            if node.returns is not None:
                yield node.returns
