"""A short search on the study that scikit-survival ships is no worse than its ridge Cox regression on the same folds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from scripts import load_script

from fusearch.data import load_data
from fusearch.evaluators import TrainingEvaluator
from fusearch.search import run_search
from fusearch.search_space import SearchSpace

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def benchmark() -> Any:
    """The module of the benchmark."""
    return load_script(ROOT / "benchmarks" / "survival.py")


def test_the_example_writes_genes_and_clinical_facts_of_198_patients(benchmark: Any, tmp_path: Path) -> None:
    data = load_data(benchmark.prepare(tmp_path))
    assert {name: len(schema.columns) for name, schema in data.columns.items()} == {"genes": 76, "clinical": 4}
    assert data.task.summary(data.targets)["events"] == 51
    assert len(data.folds()) == 5


@pytest.mark.slow
def test_concordance_is_that_of_scikit_survival_or_better(benchmark: Any, tmp_path: Path) -> None:
    data = load_data(benchmark.prepare(tmp_path / "study"))
    evaluator = TrainingEvaluator(data, epochs=40)
    options: dict[str, Any] = {"objectives": ("concordance", "macs"), "trials": 10, "executor": "inline"}
    told = benchmark.compare(run_search(SearchSpace(data.modalities), evaluator, out=tmp_path / "run", **options), data.folds())
    ridge = told["scikit-survival ridge"]
    assert told["linear"] > ridge - 0.02  # one design, which no search has chosen
    assert told["best design"] > ridge - 0.02
