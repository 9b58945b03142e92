"""`show` says what the command says, and shows itself."""

from __future__ import annotations

import pytest

import fusearch as fs
from fusearch.errors import FormulaError, UnknownNameError

FORMULA = "F1 = cat(mean@L, worst@L) ->"


def test_a_design_with_and_without_data() -> None:
    data = fs.load_data("wisconsin")
    shown = fs.show(FORMULA, data)
    assert shown.design == fs.FusionGraph.parse(FORMULA, data.modalities)
    assert shown.facts["refused"] is None
    assert shown.facts["never_trained"]["parameters"] == []
    assert {"parameters", "macs", "memory"} <= set(shown.facts)
    alone = fs.show(shown.design)
    assert "parameters" not in alone.facts
    assert shown.facts.items() >= alone.facts.items()
    assert f"digest: {shown.facts['digest']}" in str(shown)
    assert shown._repr_html_().startswith("<svg")


def test_a_published_design_is_bound_and_a_pattern_has_no_streams() -> None:
    assert fs.show("mmdynamics").facts["labels"]["level"] == "joint-late" or fs.show("mmdynamics").facts["streams"]
    pattern = fs.show("F1 = ⊕(x1^x, x2^y) →")
    assert pattern.facts["pattern"] is True
    assert "streams" not in pattern.facts
    assert "<svg" not in pattern._repr_html_()


def test_what_is_no_design_is_told() -> None:
    with pytest.raises(FormulaError):
        fs.show("F1 = cat(mean@L,, worst@L) ->", "wisconsin")
    with pytest.raises(UnknownNameError, match="no published study"):
        fs.show("mmdynamic")
