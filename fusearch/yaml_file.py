"""YAML as fusearch reads and writes it: one loader for manifests, search spaces and the configuration of a run.

Plain values only, as everybody means them: `1e-4` is a number, `2024-01-31`, `1:30` and `no` are text, and a key is the text that stands
there. What is ambiguous or too much is refused in one line: a key that stands twice, aliases that unfold without end.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from fusearch.errors import YamlError

__all__ = ["MAX_BYTES", "MAX_DEPTH", "MAX_VALUES", "dump_yaml", "parse_yaml", "read_yaml"]

#: What a file may hold: bytes, values (each alias counts with all that it repeats), and mappings and lists inside each other.
MAX_BYTES, MAX_VALUES, MAX_DEPTH = 2**20, 200_000, 100

_TAG = "tag:yaml.org,2002:"

#: Integers of YAML 1.1, without its numbers to the base of 60.
_INT = re.compile(r"[-+]?(?:0b[01]+|0x[0-9a-fA-F]+|0[0-7_]*|[1-9][0-9_]*)\Z")

#: The booleans of YAML 1.2; `yes`, `no`, `on` and `off` are text, as a class or an id would be.
_BOOL = re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z")

#: Numbers with a point, with or without an exponent; and `1e-4`, which YAML 1.1 reads as text. Short, because twelve or more hexadecimal
#: digits with an `e` among them are the digest of a design or of data.
_FLOAT = re.compile(
    r"""(?:[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?
    |[-+]?[0-9]{1,7}[eE][-+]?[0-9]{1,3}
    |[-+]?\.(?:inf|Inf|INF)
    |\.(?:nan|NaN|NAN))\Z""",
    re.VERBOSE,
)


class _Loader(yaml.SafeLoader):
    """Makes plain values only; counts what the aliases unfold to before any of it is made."""

    yaml_constructors = {  # noqa: RUF012  # as PyYAML has it
        tag: maker
        for tag, maker in yaml.SafeLoader.yaml_constructors.items()
        if tag is None or tag.removeprefix(_TAG) in ("null", "bool", "int", "float", "str", "seq", "map")
    }
    yaml_implicit_resolvers = {  # noqa: RUF012
        first: [(tag, pattern) for tag, pattern in resolvers if tag.removeprefix(_TAG) in ("null", "merge")]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.values, self.depth = 0, 0
        self.sizes: dict[int, int] = {}  # of a node that is whole: values in it, aliases followed

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        before = self.values
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _refusal(f"more than {MAX_DEPTH} levels of mappings and lists, expected fewer", event.start_mark)
        node = super().compose_node(parent, index)
        self.depth -= 1
        if not isinstance(event, yaml.AliasEvent):
            self.values += 1
            self.sizes[id(node)] = self.values - before
        elif id(node) in self.sizes:
            self.values += self.sizes[id(node)]
        else:
            raise _refusal(f"the alias '*{event.anchor}' stands inside what it repeats", event.start_mark)
        if self.values > MAX_VALUES:
            raise _refusal(f"more than {MAX_VALUES:,} values with all that aliases repeat, expected fewer", event.start_mark)
        return node

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """Compose a mapping; its keys become text, as they stand there, and what it merges (`<<: *other`) comes before them."""
        node = super().compose_mapping_node(anchor)
        lines: dict[str, int] = {}
        merged: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        own: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _refusal(f"a {'list' if isinstance(key, yaml.SequenceNode) else 'mapping'} as a key, expected text", key.start_mark)
            if key.value in lines:
                raise _refusal(f"the key {key.value!r} stands twice, first in line {lines[key.value]}", key.start_mark)
            lines[key.value] = key.start_mark.line + 1
            if key.tag != _TAG + "merge":
                own[key.value] = (yaml.ScalarNode(_TAG + "str", key.value, key.start_mark, key.end_mark), value)
                continue
            for source in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                if not isinstance(source, yaml.MappingNode):
                    raise _refusal("nothing to merge, expected a mapping or a list of mappings", source.start_mark)
                for pair in source.value:
                    merged.setdefault(pair[0].value, pair)
        node.value = list((merged | own).values())
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, KeyError):  # such as `!!int one`, or an integer of 5,000 digits
            raise _refusal(f"the value is no {node.tag.removeprefix(_TAG)}", node.start_mark) from None


class _Dumper(yaml.SafeDumper):
    """Writes what `_Loader` reads as the same: text that looks like a number gets quotes, and nothing becomes an alias."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


_Loader.add_implicit_resolver(_TAG + "bool", _BOOL, list("tTfF"))
_Loader.add_implicit_resolver(_TAG + "int", _INT, list("-+0123456789"))
for _side in (_Loader, _Dumper):
    _side.add_implicit_resolver(_TAG + "float", _FLOAT, list("-+.0123456789"))


def read_yaml(path: Path, *, expected: str = "a mapping") -> dict[str, Any]:
    """Read a YAML file that holds one mapping.

    Args:
        path: The file.
        expected: What its mapping is, for the message where it holds something else.

    Raises:
        FileNotFoundError: There is no such file; its caller knows what that means.
        YamlError: It cannot be read or is not such YAML. One line with the place in the file, and without its name.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise YamlError(f"cannot be read ({error.strerror}), expected a YAML file") from None
    if len(content) > MAX_BYTES:
        raise YamlError(f"more than {MAX_BYTES:,} bytes, expected a smaller YAML file")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise YamlError(f"{_place(content[: error.start].decode('utf-8'))}: not UTF-8 text, expected a YAML file") from None
    return parse_yaml(text, expected=expected)


def parse_yaml(text: str, *, expected: str = "a mapping") -> dict[str, Any]:
    """Read YAML that holds one mapping.

    Raises:
        YamlError: It is not such YAML.
    """
    loader = None
    try:
        loader = _Loader(text)
        document = loader.get_single_data()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise YamlError(f"{where}{_problem(error)}") from None
    except yaml.reader.ReaderError as error:
        raise YamlError(f"{_place(text[: error.position])}: the character #x{error.character:04x}, expected text") from None
    finally:
        if loader is not None:
            loader.dispose()
    if not isinstance(document, dict):
        found = "an empty file" if document is None else f"a {type(document).__name__}"
        raise YamlError(f"{found}, expected {expected}")
    return document


def dump_yaml(document: Mapping[str, Any], *, width: int = 80, leaves_in_line: bool = False) -> str:
    """Return a mapping of plain values as YAML, in the order of its keys; `parse_yaml` gives the same values (a tuple is a list).

    Args:
        document: The mapping.
        width: Width of a line.
        leaves_in_line: Whether mappings and lists that hold no other ones are written in a line, `[a, b]`.
    """
    flow = None if leaves_in_line else False
    return yaml.dump(dict(document), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=width, default_flow_style=flow)


def _refusal(problem: str, mark: Any) -> yaml.MarkedYAMLError:
    """Return an error whose message is whole: PyYAML has no context to add."""
    return yaml.MarkedYAMLError(problem=problem, problem_mark=mark)


def _problem(error: yaml.MarkedYAMLError) -> str:
    problem = " ".join(str(error.problem).split())
    problem = problem if len(problem) <= 300 else f"{problem[:297]}..."
    if type(error) is yaml.MarkedYAMLError:
        return problem
    if isinstance(error, yaml.composer.ComposerError) and error.context == "expected a single document in the stream":
        return "a second document, expected one"
    return f"{problem}, expected YAML"


def _place(before: str) -> str:
    """Return where the text after `before` stands."""
    return f"line {before.count(chr(10)) + 1}, column {len(before) - before.rfind(chr(10))}"
