"""The examples run as they stand, and what they register passes the suites that a user is told to inherit."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from scripts import load_script

from fusearch.testing import DataSetSuite, MetricSuite, OperatorSuite

EXAMPLES = Path(__file__).parent.parent / "examples"


def run(name: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(EXAMPLES / name), *arguments], capture_output=True, text=True, check=False, timeout=280
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("number", range(1, 7))
def test_each_number_is_one_example_that_fits_on_a_page(number: int) -> None:
    (example,) = EXAMPLES.glob(f"{number:02d}_*.py")
    assert len(example.read_text(encoding="utf-8").splitlines()) < 60


@pytest.mark.slow
@pytest.mark.ray
def test_first_front(tmp_path: Path) -> None:
    out = tmp_path / "first"
    printed = run("01_first_front.py", str(out))
    assert "'auroc'" in printed
    assert (out / "report.html").is_file()
    assert {"model.onnx", "model.pt2", "predict.py"} <= {path.name for path in (out / "export").iterdir()}


@pytest.mark.slow
def test_own_files(tmp_path: Path) -> None:
    printed = run("02_own_files.py", str(tmp_path / "ward"), str(tmp_path / "run"))
    assert "task: {kind: classification, file: labels.csv, column: outcome}" in printed
    assert "modality 'blood' is missing for 5 of 100 samples" in printed
    assert "{'auroc': " in printed


@pytest.mark.slow
def test_what_fusion_buys(tmp_path: Path) -> None:
    printed = run("03_what_fusion_buys.py", str(tmp_path / "answers"))
    heads = [line.split()[0] for line in printed.splitlines()]
    assert {"best_unimodal", "linear", "fusion:", "search:", "simplest", "knee", "best:auroc"} <= set(heads)
    assert run("03_what_fusion_buys.py", str(tmp_path / "answers")) == printed  # read again, not searched


@pytest.mark.slow
def test_nested_cross_validation() -> None:
    searched, linear, *design = run("04_nested_cross_validation.py", "40").splitlines()
    assert searched.startswith("searched: accuracy 0.")
    assert linear.startswith("linear:   accuracy 0.")
    assert design[-1].endswith("->")


@pytest.mark.slow
def test_own_operator(tmp_path: Path) -> None:
    run("05_own_operator.py", str(tmp_path / "own"))
    assert "agreement_gate(" in (tmp_path / "own" / "study.journal").read_text(encoding="utf-8")


def test_own_metric_and_data(tmp_path: Path) -> None:
    printed = run("06_own_metric_and_data.py", str(tmp_path / "own"))
    assert "'found_at_95'" in printed


@pytest.fixture(scope="module", autouse=True)
def registered() -> Iterator[None]:
    from fusearch.data import DATA_SETS
    from fusearch.evaluators.network.operator_layer import LAYERS
    from fusearch.metrics import METRICS
    from fusearch.search_space import OPERATORS

    for name in ("05_own_operator", "06_own_metric_and_data"):
        load_script(EXAMPLES / f"{name}.py")
    yield
    OPERATORS.remove("agreement_gate")
    LAYERS.remove("agreement_gate")
    METRICS.remove("found_at_95")
    DATA_SETS.remove("two_markers")


class TestAgreementGate(OperatorSuite):
    name = "agreement_gate"


class TestFoundAt95(MetricSuite):
    name = "found_at_95"


class TestTwoMarkers(DataSetSuite):
    name = "two_markers"
