"""The page beside other tools is made from what its benchmarks printed, and says where fusearch loses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from scripts import load_script

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def peers() -> Any:
    return load_script(ROOT / "docs" / "peers_page.py")


def test_the_page_is_not_stale(peers: Any) -> None:
    assert peers.PAGE.read_text(encoding="utf-8") == peers.peers_page(), "docs/peers.md is stale: run `make reference`"


def _kept(command: str, **results: Any) -> str:
    return json.dumps({"command": command, "date": "2026-01-01", "machine": "m", "note": "", "results": results})


def _row(method: str, auroc: float, low: float | None, high: float | None) -> dict[str, Any]:
    difference = None if low is None or high is None else (low + high) / 2
    told = {"set": "toy", "method": method, "seeds": 5, "auroc": auroc, "difference": difference, "low": low, "high": high}
    return {**told, "fit_seconds": 60.0, "predict_seconds": 0.1, "parameters": None}


def test_who_is_ahead_is_said_and_whether_chance_may_do_it(peers: Any, tmp_path: Path) -> None:
    rows = [_row("fusearch", 0.8, None, None), _row("stacking", 0.9, 0.05, 0.15), _row("tabm", 0.81, -0.05, 0.07)]
    rows += [_row("tuned_linear", 0.7, -0.2, 0.0), {"set": "toy", "method": "widedeep", "failed": "no"}]
    environments = {"tabm": "installed", "fusilli": "does not install: old"}
    (tmp_path / "peers.json").write_text(_kept("peers", seconds=60.0, methods=rows, environments=environments))
    family = {"family": "noise", "seeds": 5, "right": 4, "says fusion is a gain": 0, "auroc": 0.9}
    (tmp_path / "families.json").write_text(_kept("families", trials=60, families=[family], runs=[]))
    page = peers.peers_page(tmp_path)
    losses = page.partition("## Where fusearch loses")[2]
    assert "toy: scikit-learn: a linear model and a forest on each modality, stacked, +0.100; the interval is above zero." in losses
    assert "toy: TabM on all columns, its published defaults, +0.010; the interval holds zero." in losses
    assert "logistic" not in losses
    assert "fusilli: it does not install: old" in losses
    assert page.index("0.900 | +0.100 (+0.050 to +0.150)") < page.index("| 0.800 | - |") < page.index("failed: no")
    assert "| noise | 4 of 5 | 0 of 5 | 0.900 |" in page


def test_every_method_has_words(peers: Any) -> None:
    script = load_script(ROOT / "benchmarks" / "peers.py")
    assert {*script.OWN, *script.ELSEWHERE} == set(peers._WORDS)
