"""`fusearch explain` on a small search."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fusearch.inference.picked import Picked
from fusearch.run import Run


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from fusearch.cli import main

    out = tmp_path_factory.mktemp("runs") / "small"
    small = ("--executor", "inline", "--trials", "4", "--epochs", "2", "--folds", "2", "--sampler", "random", "--max-fusions", "1")
    with pytest.raises(SystemExit) as exit_:
        main(["search", "wisconsin", "-o", "auroc", "-o", "macs", "--out", str(out), *small])
    assert not exit_.value.code
    return out


def test_any_design_by_its_digest(finished: Path, fusearch: Callable[..., Any]) -> None:
    record = Run(finished).references()["best_unimodal"]
    done = fusearch("explain", finished, "--pick", record.digest, "--metric", "accuracy", "--repeats", 2, "--json")
    assert done.code == 0, done.err
    told = done.document
    assert (told["digest"], told["metric"], told["repeats"]) == (record.digest, "accuracy", 2)
    assert [each["modality"] for each in told["features"]] == ["mean"]
    written = json.loads(Path(told["explanation"]).read_text())
    assert written["effects"] == told["effects"]
    assert record.digest in Path(told["report"]).read_text().split('id="explained"')[1].split("</section>")[0]


def test_for_people_there_are_tables(finished: Path, fusearch: Callable[..., Any]) -> None:
    done = fusearch("explain", finished, "--pick", "best:auroc", "--repeats", 1)
    assert done.code == 0, done.err
    assert "Loss of auroc, mean of 2 members" in done.out
    assert "Foremost 5 columns of each table" in done.out
    without = fusearch("explain", finished, "--pick", "best:auroc", "--repeats", 1, "--no-features")
    assert "Foremost" not in without.out


def test_of_a_team_each_design(finished: Path, fusearch: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    team = Picked(tuple(Run(finished).read().evaluated[:2]), {})  # a search as small as this one finds no team
    monkeypatch.setattr("fusearch.evaluators.explanation.explain.read_pick", lambda trials, pick: {"team": team}[pick])
    done = fusearch("explain", finished, "--pick", "team", "--repeats", 1, "--no-features", "--json")
    assert done.code == 0, done.err
    told = done.document["designs"]
    assert [each["candidate"] for each in told] == [record.candidate for record in team.records]
    assert len({each["explanation"] for each in told}) == 2
    page = Path(done.document["report"]).read_text()
    assert all(record.digest in page.split('id="explained"')[1].split("</section>")[0] for record in team.records)


def test_what_cannot_be_explained(finished: Path, fusearch: Callable[..., Any]) -> None:
    unknown = fusearch("explain", finished, "--pick", "zzz")
    assert (unknown.code, "no design 'zzz'" in unknown.err) == (2, True)
    metric = fusearch("explain", finished, "--metric", "aurok")
    assert (metric.code, "did you mean 'auroc'?" in metric.err) == (2, True)
