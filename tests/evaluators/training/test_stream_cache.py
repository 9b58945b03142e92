"""Streams that were trained alone are trained once, whatever design asks for them, and only where nothing that they hang on differs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from device_of_tests import DEVICE

from fusearch.contracts import Budget, Evaluation
from fusearch.data import Dataset
from fusearch.evaluators import TrainingEvaluator
from fusearch.evaluators.training.modes import DesignTraining
from fusearch.evaluators.training.optimization import Fit
from fusearch.evaluators.training.stream_cache import StreamCache, TrainedStream
from fusearch.search import run_search
from fusearch.search_space import Candidate, FusionGraph, Recipe, SearchSpace
from tests.toy_data import make_data

DESIGNS = {
    "independent": "F1 = vote_mean(a@score, b@score) ->\ntrain = independent",
    "fitted vote": "F1 = stacking(a@score, b@score) ->\ntrain = independent",
    "frozen": "F1 = cat(a@L, b@L) ->\ntrain = frozen",
    "staged": "F1 = cat(a@L, b@L) ->\ntrain = staged",
    "tied": "x = a:mlp | y = a:mlp(tie=x)\nF1 = cat(x@L, y@1) ->\ntrain = frozen",
    "equal streams": "x = a:mlp | y = a:mlp\nF1 = cat(x@L, y@L) ->\ntrain = frozen",
}


@pytest.fixture(scope="module")
def data() -> Dataset:
    return make_data(rows=90)


def evaluate(
    data: Dataset, folder: Path | None, design: str, *, recipe: Recipe | None = None, heard: list[Any] | None = None, **settings: Any
) -> Evaluation:
    evaluator = TrainingEvaluator(data, **{"folds": 2, "epochs": 3, "pack": "off", **settings}, device=DEVICE)
    evaluator = evaluator if folder is None else evaluator.caching(folder)
    graph = FusionGraph.parse(design, modalities=data.modalities)

    def report(step: int, values: Mapping[str, float]) -> None:
        if heard is not None:
            heard.append((step, dict(values)))

    return evaluator(Candidate(graph, recipe or Recipe(width=8)), Budget(), report)


def found_of(evaluation: Evaluation) -> int:
    found: int = evaluation.details["streams"]["found"]
    return found


@pytest.mark.parametrize("states", ["computed", "kept"])
@pytest.mark.parametrize("name", DESIGNS)
def test_a_design_is_the_same_bit_by_bit_with_streams_that_were_kept(
    name: str, states: str, data: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DesignTraining, "LONG", 0.0 if states == "kept" else 1e9)
    first: list[Any] = []
    again: list[Any] = []
    plain = evaluate(data, None, DESIGNS[name], heard=first)
    written = evaluate(data, tmp_path / "streams", DESIGNS[name])
    read = evaluate(data, tmp_path / "streams", DESIGNS[name], heard=again)
    for each in (written, read):
        assert {key: value for key, value in each.metrics.items() if key != "train_seconds"} == {
            key: value for key, value in plain.metrics.items() if key != "train_seconds"
        }
        np.testing.assert_array_equal(each.arrays["probabilities"], plain.arrays["probabilities"])
        np.testing.assert_array_equal(each.arrays["losses"], plain.arrays["losses"])
    assert again == first, "what is told of the epochs is told again"
    asked = written.details["streams"]["asked"]
    assert (asked > 0, found_of(written), found_of(read)) == (True, 0, asked)


def test_designs_of_other_trainings_and_joins_share_streams(data: Dataset, tmp_path: Path) -> None:
    evaluate(data, tmp_path / "streams", DESIGNS["independent"])
    for design in (DESIGNS["frozen"], DESIGNS["staged"], "F1 = film(a@1, b@L) ->\ntrain = frozen"):
        assert found_of(evaluate(data, tmp_path / "streams", design)) == 4
    assert found_of(evaluate(data, tmp_path / "streams", "F1 = cat(a@L, c@L) ->\ntrain = frozen")) == 2, "a alone, in two folds"


#: What a stream hangs on -> what is different.
OTHER: dict[str, dict[str, Any]] = {
    "learning rate": {"recipe": Recipe(width=8, learning_rate=2e-3)},
    "weight decay": {"recipe": Recipe(width=8, weight_decay=0.5)},
    "dropout": {"recipe": Recipe(width=8, dropout=0.3)},
    "width": {"recipe": Recipe(width=4)},
    "class weights": {"recipe": Recipe(width=8, class_weights="balanced")},
    "sampling": {"recipe": Recipe(width=8, sampling="balanced")},
    "focal": {"recipe": Recipe(width=8, focal=2.0)},
    "augmentation": {"recipe": Recipe(width=8, augmentation="mild")},
    "epochs": {"epochs": 4},
    "patience": {"patience": 2},
    "batch size": {"batch_size": 16},
    "folds": {"folds": 3},
    "encoder": {"design": "a:mlp(layers=1) | b:mlp(layers=1)\nF1 = cat(a@L, b@L) ->\ntrain = frozen"},
}


@pytest.mark.parametrize("name", OTHER)
def test_a_stream_is_trained_afresh_where_anything_that_it_hangs_on_differs(name: str, data: Dataset, tmp_path: Path) -> None:
    evaluate(data, tmp_path / "streams", DESIGNS["frozen"])
    assert found_of(evaluate(data, tmp_path / "streams", **{"design": DESIGNS["frozen"], **OTHER[name]})) == 0


def test_another_seed_and_other_data_are_told_apart(data: Dataset, tmp_path: Path) -> None:
    evaluate(data, tmp_path / "streams", DESIGNS["frozen"])
    two = evaluate(data, tmp_path / "streams", DESIGNS["frozen"], seeds=2)
    assert two.details["streams"] == {"asked": 8, "found": 4}
    assert found_of(evaluate(replace(data, targets=1 - data.targets, fingerprint=""), tmp_path / "streams", DESIGNS["frozen"])) == 0


@pytest.mark.parametrize("number", [{"modality_dropout": 0.5}, {"loss_weight": 1.0}])
def test_numbers_that_reach_no_stream_alone_do_not_count(number: dict[str, float], data: Dataset, tmp_path: Path) -> None:
    evaluate(data, tmp_path / "streams", DESIGNS["frozen"])
    assert found_of(evaluate(data, tmp_path / "streams", DESIGNS["frozen"], recipe=Recipe(width=8, **number))) == 4


def test_members_of_a_pack_of_which_some_are_kept(data: Dataset, tmp_path: Path) -> None:
    evaluate(data, tmp_path / "streams", DESIGNS["frozen"], folds=4, pack=2, recipe=Recipe(width=8, dropout=0.0))
    for kept in list((tmp_path / "streams").glob("*"))[:3]:
        kept.unlink()
    packed = evaluate(data, tmp_path / "streams", DESIGNS["frozen"], folds=4, pack=4, recipe=Recipe(width=8, dropout=0.0))
    plain = evaluate(data, None, DESIGNS["frozen"], folds=4, recipe=Recipe(width=8, dropout=0.0))
    assert packed.details["streams"] == {"asked": 8, "found": 5}
    np.testing.assert_allclose(packed.arrays["probabilities"], plain.arrays["probabilities"], atol=1e-3)


def test_joint_designs_keep_and_tell_nothing(data: Dataset, tmp_path: Path) -> None:
    assert "streams" not in evaluate(data, tmp_path / "streams", "F1 = cat(a@L, b@L) ->").details
    assert not (tmp_path / "streams").exists()


def stream_of(number: float, size: int = 250) -> TrainedStream:
    return TrainedStream({"weight": torch.full((size,), float(number))}, Fit(2, 3, 0.5), [{"loss": float(number)}])


def test_half_a_file_is_trained_again(tmp_path: Path) -> None:
    cache = StreamCache(tmp_path / "streams", 1e6)
    cache.keep_stream("one", stream_of(1.0))
    (file,) = (tmp_path / "streams").glob("*")
    whole = file.read_bytes()
    for torn in (b"", whole[: len(whole) // 2], b"\0" * len(whole)):
        file.write_bytes(torn)
        assert cache.stream("one") is None
    cache.keep_stream("one", stream_of(2.0))
    found = cache.stream("one")
    assert found is not None
    assert (found.fit, found.curve, float(found.weights["weight"][0])) == (Fit(2, 3, 0.5), [{"loss": 2.0}], 2.0)


def test_what_was_read_longest_ago_leaves_first(tmp_path: Path) -> None:
    one = StreamCache(tmp_path / "size", 1e9)
    one.keep_stream("one", stream_of(1.0))
    (file,) = (tmp_path / "size").glob("*")
    size = file.stat().st_size
    cache = StreamCache(tmp_path / "streams", 10.5 * size)
    for number in range(10):
        cache.keep_stream(f"{number}", stream_of(number))
    assert cache.stream("0") is not None, "it is read: the second is the oldest now"
    cache.keep_stream("10", stream_of(10))
    held = {number for number in range(11) if cache.stream(f"{number}") is not None}
    assert held == set(range(11)) - {1, 2}, "a tenth of the bytes is free again"
    assert sum(each.stat().st_size for each in (tmp_path / "streams").glob("*")) <= 10.5 * size


def test_a_process_looks_at_the_folder_once_in_many_files_whatever_they_hang_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[object] = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: looks.append(path) or scandir(path))
    cache = StreamCache(tmp_path / "streams", 1e9)
    for number in range(40):
        cache.within(number).keep_stream(f"{number}", stream_of(number))
    assert len(looks) == 1


def test_what_is_larger_than_the_bound_is_not_kept(tmp_path: Path) -> None:
    cache = StreamCache(tmp_path / "streams", 1000)
    cache.keep_stream("large", stream_of(1.0, size=10_000))
    assert cache.stream("large") is None
    assert not (tmp_path / "streams").exists()


def test_a_node_that_does_not_see_the_run_folder_trains_what_it_needs(data: Dataset, tmp_path: Path) -> None:
    missing = tmp_path / "not" / "here"
    assert found_of(evaluate(data, missing, DESIGNS["frozen"])) == found_of(evaluate(data, missing, DESIGNS["frozen"])) == 0
    assert not missing.parent.exists()


def _write_and_read(folder: Path, worker: int) -> int:
    cache = StreamCache(folder, 40_000)
    wrong = 0
    for number in range(60):
        cache.keep_stream(f"{number % 20}", stream_of(number % 20))
        found = cache.stream(f"{(number + worker) % 20}")
        wrong += found is not None and float(found.weights["weight"][0]) != (number + worker) % 20
    return wrong


def test_workers_write_read_and_let_go_side_by_side(tmp_path: Path) -> None:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as workers:
        wrong = [each.result() for each in [workers.submit(_write_and_read, tmp_path / "streams", worker) for worker in range(2)]]
    assert wrong == [0, 0]
    assert list((tmp_path / "streams").glob(".*")) == [], "no draft is left"


def test_a_search_keeps_them_in_its_run_folder_and_status_tells(data: Dataset, tmp_path: Path) -> None:
    first = [FusionGraph.parse(DESIGNS[name], modalities=data.modalities) for name in ("independent", "frozen")]
    evaluator = TrainingEvaluator(data, folds=2, epochs=2, device=DEVICE)
    settings = {"trials": 2, "executor": "inline", "reference_share": 0.0}
    run = run_search(SearchSpace(data.modalities), evaluator, ["auroc", "macs"], out=tmp_path / "run", first=first, **settings)
    files = list((tmp_path / "run" / "streams").glob("*"))
    assert run.status()["streams"] == {"asked": 8, "found": 4, "bytes": sum(each.stat().st_size for each in files)}
    assert len(files) == 4
