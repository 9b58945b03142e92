from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from fusearch import pareto
from fusearch.errors import RunError
from fusearch.reports.findings.compared import read_compared
from fusearch.run import Run
from fusearch.trials import point_of


def test_runs_share_one_reference_point(make_run: Callable[..., Run]) -> None:
    runs = [make_run(12, seed=seed) for seed in (0, 1, 2)]
    found = read_compared([run.path for run in runs])
    every = [point_of(record, run.objectives) for run in runs for record in run.feasible()]
    directions = [objective.direction for objective in runs[0].objectives]
    reference = pareto.reference_point(every, directions)
    ideal = [max(point[0] for point in every), min(point[1] for point in every)]
    box = pareto.hypervolume([ideal], directions, reference=reference)
    for run, compared in zip(runs, found.runs, strict=True):
        expected = pareto.hypervolume([point_of(record, run.objectives) for record in run.front()], directions, reference=reference)
        assert compared.hypervolume == pytest.approx(expected / box)
        assert compared.curve[-1] == compared.hypervolume
        assert list(compared.curve) == sorted(compared.curve)
        assert compared.best == max(record.value("auroc") for record in run.feasible())
    assert [objective.name for objective in found.plane] == ["macs", "auroc"]


def test_what_all_runs_attained_is_attained_by_each_of_them(make_run: Callable[..., Run]) -> None:
    found = read_compared([make_run(15, seed=seed).path for seed in (0, 1, 2)])
    assert list(found.attained) == [33, 50, 100]
    for run in found.runs:
        for cost, performance in found.attained[100]:
            assert any(point[0] <= cost and point[1] >= performance for point in run.front)
    best = [point for run in found.runs for point in run.front]
    for cost, performance in found.attained[33]:
        assert any(point == [cost, performance] for point in best) or any(p[0] <= cost and p[1] >= performance for p in best)


def test_one_objective_has_no_plane(make_run: Callable[..., Run]) -> None:
    found = read_compared([make_run(8, seed=seed, objectives=("auroc",)).path for seed in (0, 1)])
    assert [objective.name for objective in found.plane] == ["auroc"]
    assert found.attained == {}


def test_names_are_the_ends_of_the_paths_that_tell_them_apart(make_run: Callable[..., Run], tmp_path: Path) -> None:
    first, second = make_run(6), make_run(6, seed=1)
    assert [run.name for run in read_compared([first.path, second.path]).runs] == [first.path.name, second.path.name]
    for run, folder in ((first, "a"), (second, "b")):
        (tmp_path / folder).mkdir()
        run.path.rename(tmp_path / folder / "run")
    assert [run.name for run in read_compared([tmp_path / "a" / "run", tmp_path / "b" / "run"]).runs] == ["a/run", "b/run"]


def test_other_data_are_warned_of(make_run: Callable[..., Run]) -> None:
    first, second = make_run(6), make_run(6, seed=1)
    config = yaml.safe_load((second.path / "config.yaml").read_text())
    config["evaluator"]["data"]["fingerprint"] = "another"
    (second.path / "config.yaml").write_text(yaml.safe_dump(config))
    (warning,) = read_compared([first.path, second.path]).warnings
    assert "the data differ between the runs" in warning
    assert "another" in warning


def test_runs_that_are_picked_from_otherwise_are_warned_of(make_run: Callable[..., Run]) -> None:
    runs = make_run(6), make_run(6, seed=1)
    for run, how in zip(runs, ("metric", "loss"), strict=True):
        config = yaml.safe_load((run.path / "config.yaml").read_text())
        config["search"]["select"] = how
        config["evaluator"]["data"]["task"] = {"kind": "classification", "name": "target", "labels": ["no", "yes"]}
        (run.path / "config.yaml").write_text(yaml.safe_dump(config))
    found = read_compared([run.path for run in runs])
    (warning,) = found.warnings
    assert "the best designs are picked by different things in the runs (" in warning
    assert warning.endswith(": log_loss)")
    values = [max(record.value("auroc") for record in Run(run.path).feasible()) for run in runs]
    assert [run.best for run in found.runs] == values  # whatever they are picked by


def test_messages(make_run: Callable[..., Run]) -> None:
    run = make_run(6)
    with pytest.raises(RunError, match="1 run to compare, expected two or more"):
        read_compared([run.path])
    with pytest.raises(RunError, match="a run stands twice"):
        read_compared([run.path, run.path])
    with pytest.raises(RunError, match=r"optimized auroc:max, run .* auroc:max, macs:min: expected the same objectives"):
        read_compared([run.path, make_run(6, objectives=("auroc",)).path])
    with pytest.raises(RunError, match="has no complete trial within the bounds to compare"):
        read_compared([run.path, make_run(0).path])


def test_the_document_is_json(make_run: Callable[..., Run]) -> None:
    told = json.loads(json.dumps(read_compared([make_run(6).path, make_run(6, seed=1).path]).to_dict(), allow_nan=False))
    assert set(told) == {"objectives", "runs", "attained", "warnings"}
    assert set(told["runs"][0]["answers"]) == {"metric", "constant", "fusion", "search", "pick", "team"}
