from __future__ import annotations

from fusearch.data.drafting.manifest_text import manifest_text
from fusearch.yaml_file import parse_yaml


def test_comments_stand_above_and_values_stay() -> None:
    document = {"id": "x: y", "modalities": {"a": {"kind": "tabular", "columns": ["no", "1e-4", "g*"]}, "b": {"kind": "text", "file": "f"}}}
    text = manifest_text(document, {"id": ["why " * 40]}, {"b": ["a word"]})
    assert parse_yaml(text) == document
    assert text.startswith("# why why")
    assert max(map(len, text.splitlines())) <= 100
    assert "  # a word\n  b: {kind: text, file: f}\n" in text
