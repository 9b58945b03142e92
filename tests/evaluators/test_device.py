"""Where it computes: the names of devices, and what each training says of its own."""

import os

import pytest
import torch

from fusearch.contracts import Budget
from fusearch.data import load_data
from fusearch.errors import EvaluationError
from fusearch.evaluators import TrainingEvaluator
from fusearch.evaluators.device import describe_device, find_device
from fusearch.search_space import Candidate, FusionGraph


def test_auto_is_the_gpu_where_there_is_one():
    assert find_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    assert describe_device(find_device("cpu")) == "cpu"


@pytest.mark.parametrize("name", ["cuda:99", "gpu", "", "cuda:x"])
def test_a_device_that_is_not_here_is_refused_with_those_that_are(name):
    with pytest.raises(EvaluationError, match="is not on this machine, expected one of: auto, cpu"):
        find_device(name)


def test_an_evaluation_says_where_it_ran():
    data = load_data("wisconsin")
    device = os.environ.get("FUSEARCH_TEST_DEVICE", "cpu")
    evaluator = TrainingEvaluator(data, folds=2, epochs=1, device=device)
    graph = FusionGraph.parse("F1 = cat(mean@L, worst@L) ->", modalities=data.modalities)
    evaluation = evaluator(Candidate(graph), Budget(), lambda step, values: None)
    assert evaluation.details["device"] == describe_device(find_device(device))


def test_a_name_that_is_no_device_is_refused_before_anything_trains():
    with pytest.raises(EvaluationError, match=r"device is 'gpu', expected auto, cpu, cuda, cuda:1"):
        TrainingEvaluator(load_data("wisconsin"), device="gpu")
