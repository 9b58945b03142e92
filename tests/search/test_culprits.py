"""What fails in every design that has it is to blame, and nothing else."""

import pytest

from fusearch.data.modality import Modality
from fusearch.search.culprits import Culprits
from fusearch.search_space import Candidate, FusionGraph

TABLES = (Modality("rna", "tabular", (20,)), Modality("labs", "tabular", (8,)))


def design(operator):
    return Candidate(FusionGraph.parse(f"F1 = {operator}(rna@1, labs@1) ->", modalities=TABLES))


@pytest.fixture
def culprits():
    return Culprits()


def test_an_operator_that_fails_always_is_named_with_its_reason(culprits):
    culprits.count(design("sum"), None)
    for number in range(Culprits.LIMIT):
        assert culprits.blame(design("low_rank")) is None
        culprits.count(design("low_rank"), f"RuntimeError: the rank {number} is singular")
    told = "operator 'low_rank' failed in all 4 designs that have it: RuntimeError: the rank 3 is singular"
    assert culprits.blame(design("low_rank")) == told
    assert culprits.blamed() == {"operator 'low_rank'": told}
    assert culprits.blame(design("sum")) is None


def test_one_success_clears_it(culprits):
    culprits.count(design("low_rank"), None)
    for _ in range(9):
        culprits.count(design("low_rank"), "boom")
    assert culprits.blamed() == {}


def test_where_all_fails_no_part_is_to_blame(culprits):
    for _ in range(9):
        culprits.count(design("low_rank"), "boom")
    assert culprits.blamed() == {}


def test_several_reasons_are_no_reason(culprits):
    culprits.count(design("sum"), None)
    for number in range(9):
        culprits.count(design("low_rank"), ["out of memory", "not finite"][number % 2])
    assert culprits.blamed() == {}
