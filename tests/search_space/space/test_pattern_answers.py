from __future__ import annotations

import pytest
from strategies import MODALITIES

from fusearch.errors import SpaceError
from fusearch.search_space import Candidate, FusionGraph, SearchSpace
from fusearch.search_space.space.pattern_answers import read_pattern_answers

SPACE = SearchSpace(MODALITIES, pattern="F1 = ⊞(x1^x, ?^y); F2 = ⊕(F1^1, x2^?) →")


def design(text: str) -> FusionGraph:
    return FusionGraph.parse(text, MODALITIES)


def test_a_design_of_the_pattern_is_read() -> None:
    graph = design("G = sum(rna@2, ecg@1); H = cat(G@1, scan@3; trunk=fc:1) ->")
    answers = list(read_pattern_answers(SPACE.settings, graph))
    assert answers
    for each in answers:
        assert {each["x1.modality"], each["x2.modality"]} < {"rna", "ecg", "scan"}
        assert each["F1.operator"] == "sum"
        assert (each["F1.trunk"], each["F2.trunk"]) == (1, 1)
        assert each["F2.1.depth"] == 3
        assert sorted([each["depth.x"], each["depth.y"]]) == [1, 2]
    assert SPACE.decode(SPACE.encode(Candidate(graph))).graph.digest == graph.digest


def test_a_design_outside_is_refused() -> None:
    graph = design("G = film(rna@2, ecg@1); H = cat(G@1, scan@3) ->")
    assert list(read_pattern_answers(SPACE.settings, graph)) == []
    with pytest.raises(SpaceError, match="the design is none of the pattern 'F1 = ⊞"):
        SPACE.encode(Candidate(graph))
    assert not SPACE.contains(Candidate(graph))
