"""The examples run as they stand, and the operator of `05_own_operator.py` passes the suite that it is told to inherit."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fusearch.testing import OperatorSuite

EXAMPLES = Path(__file__).parent.parent / "examples"


def run(name: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(EXAMPLES / name), *arguments], capture_output=True, text=True, check=False, timeout=280
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


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


@pytest.fixture(scope="module", autouse=True)
def own_operator() -> Iterator[None]:
    from fusearch.evaluators.layer import LAYERS
    from fusearch.search_space import OPERATORS

    spec = importlib.util.spec_from_file_location("example_own_operator", EXAMPLES / "05_own_operator.py")
    assert spec is not None
    assert spec.loader is not None
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
    yield
    OPERATORS.remove("agreement_gate")
    LAYERS.remove("agreement_gate")


class TestAgreementGate(OperatorSuite):
    name = "agreement_gate"
