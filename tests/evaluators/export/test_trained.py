"""The networks of a search come back as they were trained, each with the preprocessing of its own fold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from toy_data import make_data

from fusearch.data import Dataset
from fusearch.errors import EvaluationError, RunError
from fusearch.evaluators import FusionNetwork, TrainingEvaluator
from fusearch.layout import member_weights_file, predictions_file
from fusearch.run import Run
from fusearch.search import run_search
from fusearch.search_space import Candidate, FusionGraph, Recipe, SearchSpace

FORMULAS = ("F1 = cat(a@L, b@L) ->", "a@L ->")


@pytest.fixture(scope="module")
def data() -> Dataset:
    return make_data()


@pytest.fixture(scope="module")
def run(data: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Two designs: the first is trained as a pack of four members."""
    designs = [Candidate(FusionGraph.parse(each, data.modalities), Recipe(width=8)) for each in FORMULAS]
    evaluator = TrainingEvaluator(data, folds=2, seeds=2, epochs=2, device="cpu", pack=4)
    out = tmp_path_factory.mktemp("runs") / "run"
    return run_search(
        SearchSpace(data.modalities), evaluator, ["auroc", "macs"], out=out, first=designs, trials=2, executor="inline", reference_share=0
    )


def test_a_network_says_of_the_held_out_rows_what_the_search_kept(run: Run, data: Dataset) -> None:
    for record in run.front():
        with np.load(predictions_file(run.path, record.candidate)) as kept:
            for net in run.networks(record.candidate, data=data):
                own = (kept["fold"] == net.member.fold) & (kept["seed"] == net.member.seed)
                np.testing.assert_array_equal(kept["rows"][own], net.fold.val)
                with torch.no_grad():
                    said = net.task(net(net.raw(net.fold.val)))
                np.testing.assert_allclose(said.numpy(), kept["probabilities"][own], atol=1e-5)


def test_the_first_fold_and_seed_unless_others_are_named(run: Run, data: Dataset) -> None:
    pick = run.front()[0].candidate
    every = run.networks(pick, data=data)
    assert [(net.member.fold, net.member.seed) for net in every] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    named = [run.network(pick, data=data), run.network(pick, fold=1, seed=1, data=data)]
    assert [(net.member.fold, net.member.seed) for net in named] == [(0, 0), (1, 1)]
    for one, other in zip(named, (every[0], every[3]), strict=True):
        assert all(torch.equal(values, other.state_dict()[name]) for name, values in one.state_dict().items())
    means = [net.preparations[0].mean for net in (every[0], every[2])]
    assert not torch.equal(*means), "each fold has statistics of its own training rows"
    with pytest.raises(RunError, match=r"no network of fold 2 and seed 0: expected one of \(0, 0\), \(0, 1\), \(1, 0\), \(1, 1\)"):
        run.network(pick, fold=2, data=data)


def test_it_is_an_ordinary_module_that_goes_on_learning(run: Run, data: Dataset) -> None:
    net = run.network(run.front()[0].candidate, data=data)
    assert isinstance(net.network, FusionNetwork)
    assert not net.training
    assert not any(values.is_floating_point() and values.requires_grad for values in net.preparations.state_dict().values())
    rows = net.fold.train
    raw, targets = net.raw(rows), net.targets(rows)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    losses = []
    net.train()
    for _ in range(15):
        loss = net.task.loss(net(raw), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.9 * losses[0]


def test_weights_that_were_not_kept_are_trained_again_on_request(run: Run, data: Dataset) -> None:
    record = run.front()[-1]
    before = {name: values.clone() for name, values in run.network(record.candidate, data=data).state_dict().items()}
    file = member_weights_file(run.path / "weights", record.candidate, fold=0, seed=0)
    file.unlink()
    run.network(record.candidate, fold=1, data=data)  # what is there needs no other
    with pytest.raises(RunError, match=rf"kept no weights of design {record.digest}: `run.network\('{record.candidate}', train=True\)`"):
        run.network(record.candidate, data=data)
    again = run.network(record.candidate, data=data, train=True).state_dict()
    assert file.is_file()
    for name, values in before.items():
        torch.testing.assert_close(again[name], values, atol=1e-5, rtol=1e-4)


def test_a_damaged_file_is_told(run: Run, data: Dataset) -> None:
    record = run.front()[0]
    file = member_weights_file(run.path / "weights", record.candidate, fold=0, seed=1)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    try:
        with pytest.raises(EvaluationError, match=r"fold0-seed1.safetensors' cannot be read: .*; remove the file"):
            run.network(record.candidate, seed=1, data=data)
    finally:
        file.write_bytes(whole)


def test_a_run_whose_evaluator_is_a_function_has_no_networks(tmp_path: Path, data: Dataset) -> None:
    space = SearchSpace(data.modalities)
    toy = run_search(
        space, lambda candidate, budget, report: {"score": 1.0}, ["score:max"], out=tmp_path / "run", trials=1, executor="inline"
    )
    with pytest.raises(RunError, match="was not searched on a data set"):
        toy.network()
