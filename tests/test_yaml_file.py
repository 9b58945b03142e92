"""One loader for every YAML file: what is read, what is refused and where, and that what is written is read as the same."""

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fusearch.errors import YamlError
from fusearch.yaml_file import MAX_BYTES, MAX_DEPTH, MAX_VALUES, dump_yaml, parse_yaml, read_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 1e-4),
        ("-3E5", -3e5),
        ("+2e+05", 2e5),
        ("1.5e3", 1.5e3),
        ("1.e-2", 1e-2),
        (".5", 0.5),
        ("1_000", 1000),
        ("1_000.5", 1000.5),
        ("0", 0),
        ("-0", 0),
        ("0x1f", 31),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("true", True),
        ("False", False),
        ("no", "no"),
        ("Yes", "Yes"),
        ("off", "off"),
        ("~", None),
        ("", None),
        ("2024-01-31", "2024-01-31"),
        ("2024-13-45", "2024-13-45"),
        ("2024-01-31 10:00:00", "2024-01-31 10:00:00"),
        ("1:30", "1:30"),
        ("1:30.5", "1:30.5"),
        ("=", "="),
        ("'1e-4'", "1e-4"),
        ("e4", "e4"),
        ("1e", "1e"),
        ("12345e678901", "12345e678901"),  # the digest of a design
        ("12345678e123", "12345678e123"),
        ("é", "é"),
    ],
)
def test_values(text: str, value: Any) -> None:
    read = parse_yaml(f"a: {text}")["a"]
    assert read == value
    assert type(read) is type(value)
    assert parse_yaml(f"a: [{text or '~'}]") == {"a": [value]}


def test_not_a_number_is_one() -> None:
    assert math.isnan(parse_yaml("a: .nan")["a"])


def test_a_key_is_the_text_that_stands_there() -> None:
    read = parse_yaml("1: a\n0x1: b\nno: {1.0: c, 2024-01-31: d}\n~: [{null: e}]\n'': f")
    assert read == {"1": "a", "0x1": "b", "no": {"1.0": "c", "2024-01-31": "d"}, "~": [{"null": "e"}], "": "f"}


def test_aliases_and_merges() -> None:
    text = "inner: {middle: &m {<<: &b {x: 1, y: 2}, x: 3}}\nouter: {<<: *m, z: 4}\nboth: [*m, *b]"
    middle = {"x": 3, "y": 2}
    assert parse_yaml(text) == {"inner": {"middle": middle}, "outer": middle | {"z": 4}, "both": [middle, {"x": 1, "y": 2}]}
    assert parse_yaml("a: &a {x: 1}\nb: &b {x: 2, y: 2}\nc: {z: 3, <<: [*a, *b]}")["c"] == {"x": 1, "y": 2, "z": 3}
    assert parse_yaml("a: &k one\n*k : 2") == {"a": "one", "one": 2}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3", "line 3, column 1: the key 'a' stands twice, first in line 1"),
        ("a:\n- b:\n    c: 1\n    d: 2\n    'c': 3", "line 5, column 5: the key 'c' stands twice, first in line 3"),
        ("a: {1: x, '1': y}", "line 1, column 11: the key '1' stands twice, first in line 1"),
        ("a: &a {b: 1}\nc: {<<: *a, <<: *a}", "line 2, column 13: the key '<<' stands twice, first in line 2"),
        ("a: {<<: b}", "line 1, column 9: nothing to merge, expected a mapping or a list of mappings"),
        ("a: {<<: [{b: 1}, c]}", "line 1, column 18: nothing to merge, expected a mapping or a list of mappings"),
        ("a: b\n\tc: d", "line 2, column 1: found character '\\t' that cannot start any token, expected YAML"),
        ("a: [1\nb: 2", "line 2, column 2: expected ',' or ']', but got ':', expected YAML"),
        ("a: b: c", "line 1, column 5: mapping values are not allowed here, expected YAML"),
        ("a: *b", "line 1, column 4: found undefined alias 'b', expected YAML"),
        ("a: 1\n---\nb: 2", "line 2, column 1: a second document, expected one"),
        ("[a]: 1", "line 1, column 1: a list as a key, expected text"),
        ("a:\n  {b: 1}: 1", "line 2, column 3: a mapping as a key, expected text"),
        ("a: !!int one", "line 1, column 4: the value is no int"),
        ("a: !!bool one", "line 1, column 4: the value is no bool"),
        (f"a: {'9' * 5000}", "line 1, column 4: the value is no int"),
        ("a: &x [1, *x]", "line 1, column 11: the alias '*x' stands inside what it repeats"),
        ("a: 1\nb: \0", "line 2, column 4: the character #x0000, expected text"),
        ("", "an empty file, expected a mapping"),
        ("# nothing", "an empty file, expected a mapping"),
        ("- a", "a list, expected a mapping"),
        ("a", "a str, expected a mapping"),
    ],
)
def test_what_is_refused(text: str, message: str) -> None:
    with pytest.raises(YamlError) as caught:
        parse_yaml(text)
    assert str(caught.value) == message


@pytest.mark.parametrize("tag", ["!!python/object/apply:os.getcwd []", "!!python/name:os.sep ''", "!!binary aGk=", "!!set {a}", "!a 1"])
def test_only_plain_values_are_made(tag: str) -> None:
    with pytest.raises(YamlError, match=r"^line 1, column 4: could not determine a constructor for the tag '.*', expected YAML$"):
        parse_yaml(f"a: {tag}")


def bomb(first: str, of: str) -> str:
    lines = [f"a0: &a0 {first}"]
    return "\n".join(lines + [f"a{level}: &a{level} {of.replace('*', f'*a{level - 1}')}" for level in range(1, 40)])


@pytest.mark.parametrize(
    "text",
    [
        bomb("[x, x, x]", "[*, *, *, *, *, *, *, *, *]"),
        bomb("{x: 1}", "{l: *, r: *}"),
        bomb("{x: 1}", "{<<: [*, *, *]}"),
        "a: &a [" + "x, " * 20_000 + "]\nb: [" + "*a, " * 20_000 + "]",
    ],
    ids=["lists", "mappings", "merges", "flat"],
)
def test_an_alias_bomb_is_refused_before_it_unfolds(text: str) -> None:
    """Unfolded, the first three would not end: twice to nine times as many values a line, or a merge of three, forty lines."""
    with pytest.raises(YamlError, match=rf"^line \d+, column \d+: more than {MAX_VALUES:,} values with all that aliases repeat, expected"):
        parse_yaml(text)


@pytest.mark.parametrize("text", ["[" * 100_000, "a: " + "[" * 100_000 + "]" * 100_000, "- " * 100_000, "{a: " * 100_000, "? " * 100_000])
def test_deep_nesting_is_refused_where_it_starts(text: str) -> None:
    with pytest.raises(YamlError, match=rf"^line 1, column \d+: more than {MAX_DEPTH} levels of mappings and lists, expected fewer$"):
        parse_yaml(text)


def test_nesting_up_to_the_bound_is_read() -> None:
    text = "a: " + "[" * (MAX_DEPTH - 2) + "1" + "]" * (MAX_DEPTH - 2)
    value: Any = parse_yaml(text)["a"]
    while isinstance(value, list):
        (value,) = value
    assert value == 1


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    with pytest.raises(FileNotFoundError):
        read_yaml(path)
    path.write_bytes("\ufeffa: é\r\nb: 1\r\n".encode())
    assert read_yaml(path) == {"a": "é", "b": 1}
    for content, message in (
        ("a: 1\nbé: é".encode() + b"\xff", "line 2, column 6: not UTF-8 text, expected a YAML file"),
        ("a: é".encode("utf-16"), "line 1, column 1: not UTF-8 text, expected a YAML file"),
        (b"#" * (MAX_BYTES + 1), f"more than {MAX_BYTES:,} bytes, expected a smaller YAML file"),
        (b"- a", "a list, expected settings"),
    ):
        path.write_bytes(content)
        with pytest.raises(YamlError) as caught:
            read_yaml(path, expected="settings")
        assert str(caught.value) == message
    with pytest.raises(YamlError, match=r"^cannot be read \(Is a directory\), expected a YAML file$"):
        read_yaml(tmp_path)


words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x85\u2028\u2029"))  # line ends, which PyYAML folds
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | words
    | st.from_regex(r"[-+]?[0-9a-f._:x-]{1,16}", fullmatch=True)  # what looks like a number, a date or a digest
    | st.sampled_from(["1e-4", "1e5", "2024-01-31", "1:30", "no", "~", "<<", "=", "0b1", ".inf", "1.5e3"])
)
documents = st.dictionaries(
    words | st.sampled_from(["1e-4", "1", "no", "<<", "~", "2024-01-31"]),
    st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(words, inner), max_leaves=8),
)


@given(documents)
def test_what_is_written_is_read_as_the_same(document: dict[str, Any]) -> None:
    assert parse_yaml(dump_yaml(document)) == document
    assert list(parse_yaml(dump_yaml(document))) == list(document)


def test_what_is_written_has_no_aliases_and_lists_for_tuples() -> None:
    shared = {"x": (1, 2)}
    text = dump_yaml({"b": shared, "a": shared})
    assert "&" not in text
    assert list(parse_yaml(text).items()) == [("b", {"x": [1, 2]}), ("a", {"x": [1, 2]})]
