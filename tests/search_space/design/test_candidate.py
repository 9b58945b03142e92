from __future__ import annotations

import json

import pytest
from hypothesis import given
from strategies import candidates, law

from fusearch.errors import DesignError
from fusearch.search_space import Candidate, FusionGraph, Recipe


@law
@given(candidates())
def test_round_trip(candidate: Candidate) -> None:
    again = Candidate.from_dict(json.loads(json.dumps(candidate.to_dict())))
    assert again == candidate
    assert hash(again) == hash(candidate)
    assert again.digest == candidate.digest


def test_the_digest_tells_recipes_apart_but_not_names() -> None:
    graph = FusionGraph.parse("a:mlp | b:mlp; F1 = cat(a@1, b@1) ->")
    renamed = FusionGraph.parse("y = b:mlp | x = a:mlp; G = cat(y@1, x@1) ->")
    assert Candidate(graph).digest == Candidate(renamed).digest
    assert Candidate(graph).digest != Candidate(graph, Recipe(width=64)).digest
    assert len(Candidate(graph).digest) == 12


def test_digests_are_those_of_before_there_was_a_choice_of_sampling_and_gamma() -> None:
    graph = FusionGraph.parse("a = table:mlp | b = table:mlp; F1 = sum(a@L, b@L) ->")
    assert Candidate(graph).digest == "cfa68538f6ca"
    assert Candidate(graph, Recipe(width=64, class_weights="balanced")).digest == "28b8b8e69c79"
    assert Candidate(graph, Recipe(sampling="balanced")).digest != Candidate(graph).digest


def test_wrong_keys() -> None:
    with pytest.raises(DesignError, match="expected 'graph' and 'recipe'"):
        Candidate.from_dict({"graph": {}})


def test_a_start_is_part_of_the_candidate() -> None:
    graph = FusionGraph.parse("a:mlp | b:mlp; F1 = cat(a@1, b@1) ->")
    started = Candidate(graph, start=("0123456789ab",))
    assert started.digest != Candidate(graph).digest
    assert Candidate.from_dict(json.loads(json.dumps(started.to_dict()))) == started
    assert "start" not in Candidate(graph).to_dict()
