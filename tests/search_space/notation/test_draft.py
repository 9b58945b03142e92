from __future__ import annotations

import pytest

from fusearch.data.modality import Modality
from fusearch.errors import FormulaError
from fusearch.search_space.design.parts import RuleError
from fusearch.search_space.notation import is_unknown_depth, read_design


def test_kinds_are_guessed_from_names_and_encoders() -> None:
    draft = read_design(
        "a = image:identity | b = series:gru | c = audio:gru | d = zzz:tcn | e = qq:identity\nF1 = cat(a@0, b@1, c@1, d@1, e@0) ->"
    )
    assert [modality.kind for modality in draft.modalities] == ["image2d", "timeseries", "audio", "timeseries", "tabular"]


def test_streams_beyond_the_header_are_modalities() -> None:
    modalities = [Modality("a", "tabular", (3,)), Modality("b", "tabular", (3,))]
    draft = read_design("other = b:identity\nF1 = cat(a@L, other@0) ->", modalities)
    assert [(stream.name, stream.modality, stream.encoder) for stream in draft.streams] == [("other", "b", "identity"), ("a", "a", "mlp")]


def test_errors_find_their_place() -> None:
    draft = read_design("a:mlp | b:mlp\nF1 = cat(a@1, b@1) ->\na@score -> aux")
    for error, place in [
        (RuleError("x", "F1", 1), "b@1) ->"),
        (RuleError("x", "F1"), "F1 ="),
        (RuleError("x", "b"), "b:mlp"),
        (RuleError("x", "->", 1), "a@score"),
        (RuleError("x", "F1", 7), "F1 ="),
    ]:
        found = draft.locate(error)
        assert found.column is not None
        assert found.text[found.column :].startswith(place)
    assert draft.locate(RuleError("nowhere", "zz")).column is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a@L ->", "'a' is no stream, fusion or modality"),
        ("z = a:mlp | y = b:mlp\nF1 = cat(z@1, Q@1) ->", "'Q' is no stream, fusion or modality: expected one of: F1, y, z"),
        ("a\na@L ->", "stream 'a': no encoder; expected a:ENCODER"),
        ("a:mlpp\na@L ->", "unknown encoder 'mlpp': did you mean 'mlp'"),
        ("a:mlp\na ->", "output 'a': expected a depth, a@L or a@score"),
        ("a:mlp\ntrain = stagd\na@L ->", "unknown training 'stagd': did you mean 'staged'"),
    ],
)
def test_mistakes(text: str, message: str) -> None:
    with pytest.raises(FormulaError, match=message):
        read_design(text)


def test_unknown_modality() -> None:
    with pytest.raises(FormulaError, match="unknown modality 'rnaa', did you mean 'rna'"):
        read_design("x = rnaa:mlp\nx@L ->", [Modality("rna", "tabular", (3,))])


def test_unknown_depths() -> None:
    assert [is_unknown_depth(depth) for depth in ("x", "y2+1", "?", "L", "score", "*", 3, None)] == [True] * 3 + [False] * 5
