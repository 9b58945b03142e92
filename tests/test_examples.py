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


@pytest.mark.slow
@pytest.mark.ray
def test_first_front(tmp_path: Path) -> None:
    out = tmp_path / "first"
    printed = run("01_first_front.py", str(out))
    assert "'auroc'" in printed
    assert (out / "report.html").is_file()
    assert {"model.onnx", "model.pt2", "predict.py"} <= {path.name for path in (out / "export").iterdir()}


def test_own_operator(tmp_path: Path) -> None:
    assert len((EXAMPLES / "05_own_operator.py").read_text(encoding="utf-8").splitlines()) < 60
    run("05_own_operator.py", str(tmp_path / "own"))
    assert "agreement_gate(" in (tmp_path / "own" / "study.journal").read_text(encoding="utf-8")


def test_own_metric_and_data(tmp_path: Path) -> None:
    assert len((EXAMPLES / "06_own_metric_and_data.py").read_text(encoding="utf-8").splitlines()) < 60
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
