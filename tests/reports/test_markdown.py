from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from planted_runs import planted_trials

from fusearch.reports import write_report
from fusearch.reports.document import to_document
from fusearch.reports.findings.findings import Findings, read_findings
from fusearch.reports.findings.verdict import judge
from fusearch.reports.markdown import render_markdown
from fusearch.run import Run


def render(run: Run) -> str:
    found = read_findings(run)
    return render_markdown(found, judge(found))


def test_the_first_line_is_the_verdict(make_run: Callable[..., Run]) -> None:
    run = make_run(30, failures=2)
    text = render(run)
    headline = judge(read_findings(run)).headline
    assert text.splitlines()[0] == f"# {headline}"


def test_tables_have_a_row_for_each_design_and_as_many_cells_as_columns(make_run: Callable[..., Run]) -> None:
    run = make_run(30)
    tables: dict[str, list[str]] = {}
    title = ""
    for line in render(run).replace("\\|", "").splitlines():
        title = line if line.startswith("## ") else title
        tables.setdefault(title, []).extend([line] if line.startswith("|") else [])
    assert {row.count("|") for title in ("## Pareto front", "## References") for row in tables[title]} == {7}
    assert len(tables["## Pareto front"]) == len(run.front()) + 2
    assert len(tables["## References"]) == len(run.references()) + 2
    assert {row.count("|") for row in tables["## What the designs say"]} == {6}


def test_it_tells_what_the_page_tells_of_strategy_explanations_and_looks(make_run: Callable[..., Run]) -> None:
    run = make_run(8)
    record = run.pick()
    decision = {"strategy": "late-ensemble", "candidate": record.candidate}
    (run.path / "strategy.json").write_text(json.dumps(decision))
    effect = {"modality": "mrna", "how": "permutation", "drop": 0.25, "low": 0.125, "high": 0.375}
    told = {"digest": record.digest, "candidate": record.candidate, "metric": "auroc", "members": 5, "effects": [effect]}
    told["shares"] = [{"name": "mrna", "kind": "modality", "mean": 0.625, "spread": 0.02}]
    grid = {"modality": "scan", "method": "occlusion", "unit": "log odds", "names": [], "mean": [[0.1, 0.4]], "spread": [[0.01, 0.02]]}
    told["features"] = [
        {**grid, "kind": "image2d"},
        {**grid, "kind": "tabular", "names": ["age", "bmi"], "mean": [2.0, 3.0], "spread": [0, 1]},
    ]
    (run.path / "explain").mkdir()
    (run.path / "explain" / f"{record.candidate}.json").write_text(json.dumps(told))
    design = {"role": "picked", "trial": record.number, "digest": record.digest, "search": {"auroc": 0.9}, "values": {"auroc": 0.7}}
    looks = [{"look": number, "samples": 40, "designs": [design]} for number in (1, 2)]
    (run.path / "confirm.json").write_text(json.dumps({"looks": looks}))
    write_report(run)
    document, text = (json.loads((run.path / "report.json").read_text()), (run.path / "report.md").read_text())
    assert (document["strategy"]["name"], document["strategy"]["decision"]) == ("late-ensemble", decision)
    assert document["explanations"] == [told]
    assert document["confirmed"][0]["designs"][0]["test"] == 0.7
    assert "## What the strategy decided: late-ensemble" in text
    assert "| mrna | shuffled | 0.250 | 0.125 to 0.375 |" in text
    assert f"| {record.number} | picked | 0.900 | 0.700 | `{record.digest}` |" in text
    assert "Look 2, which no longer tells the truth where the first look changed the choice: 40 samples; on average" in text
    assert "| mrna | modality | 62.5 % ± 2.0 |" in text
    assert text.index("| (1, 2) | 0.4 ± 0.02 |") < text.index("| (1, 1) | 0.1 ± 0.01 |")
    assert "| bmi | 3 ± 1 |" in text


def test_reasons_and_what_is_needed_to_repeat_it(make_run: Callable[..., Run]) -> None:
    text = render(make_run(6, failures=3))
    assert "- 2 ×: macs is 3.2e+06, above the bound 1e+06" in text
    assert "fusearch search rosmap.yaml" in text
    assert "- Data fingerprint: 3f9c0aa1b2c4d5e6" in text


def test_strange_words_do_not_become_markup(make_run: Callable[..., Run]) -> None:
    text = render(make_run(3, references=False, formula=lambda rng: f"a|b`c`<i>{rng.integers(1_000_000)}"))
    row = next(line for line in text.splitlines() if line.startswith("| ") and "a\\|b" in line)
    assert row.replace("\\|", "").count("|") == 7


def test_an_empty_run(make_run: Callable[..., Run]) -> None:
    assert render(make_run(0)).startswith("# No trial has finished")


def test_what_the_recommended_design_predicts(tmp_path: Path) -> None:
    found = Findings(planted_trials(tmp_path, [("rna", 0.5, "best_unimodal"), ("F1 = cat(rna@L, labs@L) ->", 2.0, None)]))
    text = render_markdown(found, judge(found))
    design = to_document(found, judge(found))["predicted"]["designs"][0]
    (first, _), share = design["confusion"][0], design["sensitivity"][0]
    assert f"| 0 | {first} | {design['confusion'][0][1]} | {share:.3f} |" in text
    assert f"fusearch export {tmp_path} --out" in text
    assert "- AUROC: How well scores rank" in text
    assert "- RMSE" not in text
