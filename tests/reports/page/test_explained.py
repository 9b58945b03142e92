"""The section on what designs hang on."""

from __future__ import annotations

import json
from pathlib import Path

from fusearch.reports.findings.explanations import read_explanations
from fusearch.reports.page.explained import explanation_section

TOLD = {
    "digest": "0123456789ab",
    "candidate": "ba9876543210",
    "metric": "auroc",
    "members": 5,
    "effects": [
        {"modality": "rna<1>", "how": "ablation", "metric": "auroc", "drop": 0.12, "low": 0.08, "high": 0.16, "members": []},
        {"modality": "meth", "how": "permutation", "metric": "auroc", "drop": -0.01, "low": None, "high": None, "members": []},
    ],
    "shares": [{"name": "rna<1>", "kind": "modality", "mean": 0.625, "spread": 0.05}],
}


def write(folder: Path, told: object) -> Path:
    (folder / "explain").mkdir()
    (folder / "explain" / "ba9876543210.json").write_text(json.dumps(told))
    return folder


def test_a_run_of_which_nothing_was_explained_has_no_section(tmp_path: Path) -> None:
    assert explanation_section(read_explanations(tmp_path)) == ""


def test_effects_and_hierarchy_are_tables(tmp_path: Path) -> None:
    html = explanation_section(read_explanations(write(tmp_path, TOLD)))
    assert html.startswith('<section id="explained">')
    assert html.count("<table") == 2
    assert html.count("<tr") == 3 + 2
    for text in (
        "Loss of <abbr",
        "rna&lt;1&gt;",
        "taken away",
        "shuffled",
        "0.120",
        "0.080 to 0.160",
        "−0.010",
        "62.5 %",
        "± 5.0",
        "5 members",
    ):
        assert text in html, text
    assert "<1>" not in html


def test_a_design_without_a_hierarchy_has_one_table(tmp_path: Path) -> None:
    assert explanation_section(read_explanations(write(tmp_path, {**TOLD, "shares": []}))).count("<table") == 1


def test_features_are_cards(tmp_path: Path) -> None:
    features = [
        {"modality": "meth", "kind": "tabular", "method": "occlusion", "unit": "age", "names": ["cg1"], "mean": [1.0], "spread": [0.1]}
    ]
    html = explanation_section(read_explanations(write(tmp_path, {**TOLD, "features": features})))
    assert html.count("gauge") == 1
    assert "cg1" in html
