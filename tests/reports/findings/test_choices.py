from __future__ import annotations

from fusearch.reports.findings.choices import FACTORS
from fusearch.search_space import FusionGraph


def described(formula: str) -> dict[str, set[str]]:
    graph = FusionGraph.parse(formula)
    return {name: set(describe(graph)) for name, describe in FACTORS.items()}


def test_a_design_is_described_by_every_choice() -> None:
    assert described("a:mlp | b:mlp; F1 = cat(a@1, b@1; trunk=fc:1); F2 = product(F1@1, a@2) ->") == {
        "Operator class": {"concatenation", "tensor"},
        "Operator": {"cat", "product"},
        "Level": {"intermediate"},
        "How modalities enter": {"sudden"},
        "Modality used": {"a", "b"},
        "Number of fusions": {"2"},
    }


def test_a_design_without_fusion_says_so() -> None:
    found = described("a:mlp; a@L ->")
    assert {name for name, groups in found.items() if groups == {"no fusion"}} == {
        "Operator class",
        "Operator",
        "Level",
        "How modalities enter",
    }
    assert found["Number of fusions"] == {"0"}
