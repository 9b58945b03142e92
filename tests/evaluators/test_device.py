"""Where it computes: the names of devices, and what each training says of its own."""

import os

import pytest
import torch
from device_of_tests import DEVICE

from fusearch.contracts import Budget
from fusearch.data import load_data
from fusearch.errors import EvaluationError
from fusearch.evaluators import TrainingEvaluator
from fusearch.evaluators.device import KEPT_ON_CPU, MOST_ON_CPU, describe_device, device_for, find_device, room_for_folds
from fusearch.search_space import Candidate, FusionGraph, Recipe


def test_auto_is_the_gpu_where_there_is_one():
    assert find_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert describe_device(find_device("cpu")) == "cpu"


@pytest.mark.parametrize("name", ["cuda:99", "gpu", "", "cuda:x"])
def test_a_device_that_is_not_here_is_refused_with_those_that_are(name):
    with pytest.raises(EvaluationError, match="is not on this machine, expected one of: auto, cpu"):
        find_device(name)


@pytest.mark.parametrize(("before", "after"), [(None, ":4096:8"), (":16:8", ":16:8")])
def test_on_cuda_products_of_matrices_are_asked_to_be_the_same_in_each_run(before, after, monkeypatch):
    """On any machine: the one question to the device is taken away."""
    monkeypatch.setattr("fusearch.evaluators.device.torch.empty", lambda *_, **__: None)
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", before or "")
    if before is None:
        monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG")
    find_device("cpu")
    assert os.environ.get("CUBLAS_WORKSPACE_CONFIG") == before
    find_device("cuda:0")
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == after


def test_a_gpu_holds_folds_in_a_quarter_of_its_memory(monkeypatch):
    monkeypatch.setattr("fusearch.evaluators.device.torch.cuda.mem_get_info", lambda device: (2**30, 2**36))
    assert room_for_folds(torch.device("cuda:0")) == 2**34
    assert room_for_folds(torch.device("cpu")) == KEPT_ON_CPU


def test_auto_leaves_small_designs_to_the_cpu(monkeypatch):
    """On any machine: whether CUDA is said to be there decides, and a name that is given is kept."""
    monkeypatch.setattr("fusearch.evaluators.device.torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("fusearch.evaluators.device.find_device", lambda name: torch.device("cuda" if name == "auto" else name))
    assert [device_for("auto", lambda macs=macs: macs).type for macs in (3e6, MOST_ON_CPU, 4e8)] == ["cpu", "cpu", "cuda"]
    assert device_for("cuda:1", lambda: 1.0) == torch.device("cuda:1")
    data = load_data("wisconsin")
    small, large = (
        Candidate(FusionGraph.parse("F1 = cat(mean@L, worst@L) ->", data.modalities), Recipe(width=width)) for width in (16, 512)
    )
    evaluator = TrainingEvaluator(data)
    assert [evaluator.device_of(each).type for each in (small, large)] == ["cpu", "cuda"]


def test_without_a_gpu_nothing_is_counted_to_choose():
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    assert device_for("auto", lambda: pytest.fail("counted")) == torch.device("cpu")


def test_an_evaluation_says_where_it_ran():
    data = load_data("wisconsin")
    evaluator = TrainingEvaluator(data, folds=2, epochs=1, device=DEVICE)
    graph = FusionGraph.parse("F1 = cat(mean@L, worst@L) ->", modalities=data.modalities)
    evaluation = evaluator(Candidate(graph), Budget(), lambda step, values: None)
    assert evaluation.details["device"] == describe_device(find_device(DEVICE))


def test_a_name_that_is_no_device_is_refused_before_anything_trains():
    with pytest.raises(EvaluationError, match=r"device is 'gpu', expected auto, cpu, cuda, cuda:1"):
        TrainingEvaluator(load_data("wisconsin"), device="gpu")
