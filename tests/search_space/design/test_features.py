from __future__ import annotations

import numpy as np

from fusearch.data.modality import Modality
from fusearch.search_space import FusionGraph, SearchSpace
from fusearch.search_space.design.features import ENCODER, FACTORS, features_of

SPACE = SearchSpace([Modality("a", "tabular", (20,)), Modality("b", "tabular", (30,)), Modality("c", "tabular", (5,))])


def described(formula: str) -> dict[str, set[str]]:
    graph = FusionGraph.parse(formula)
    return {name: set(describe(graph)) for name, describe in FACTORS.items()}


def test_a_design_is_described_by_every_choice() -> None:
    assert described("a:mlp | b:mlp; F1 = cat(a@1, b@1; trunk=fc:1); F2 = product(F1@1, a@2) ->") == {
        "Operator class": {"concatenation", "tensor"},
        "Operator": {"cat", "product"},
        "Level": {"intermediate"},
        "How modalities enter": {"sudden"},
        "Modality used": {"a", "b"},
        "Number of fusions": {"2"},
    }


def test_a_design_without_fusion_says_so() -> None:
    found = described("a:mlp; a@L ->")
    assert {name for name, groups in found.items() if groups == {"no fusion"}} == {
        "Operator class",
        "Operator",
        "Level",
        "How modalities enter",
    }
    assert found["Number of fusions"] == {"0"}


RECIPE = {"learning_rate": 0.01, "width": 32, "class_weights": "none"}


def test_features_are_the_choices_with_numbers_as_numbers() -> None:
    graph = FusionGraph.parse("a:mlp | b:mlp; F1 = cat(a@1, b@1; trunk=fc:1); F2 = low_rank(F1@1, a@2; rank=8) ->")
    found = features_of(graph, RECIPE)
    assert all(found[factor, word] == 1.0 for factor, describe in FACTORS.items() for word in describe(graph))
    assert found[ENCODER, "a:mlp"] == 1.0
    assert (found["learning_rate", ""], found["width", ""], found["class_weights", "none"]) == (-2.0, 32.0, 1.0)
    assert found["Depth of taps", "a"] == 0.75  # after one and after both of two stages
    assert (found["Fusion of entry", "a"], found["Fusion of entry", "b"]) == (1.0, 1.0)
    assert found["Setting of operator", "low_rank.rank"] == 8.0
    assert found["Number of arguments", ""] == 4.0


def test_class_scores_lie_behind_the_whole_encoder_and_say_what_they_are() -> None:
    found = features_of(FusionGraph.parse("a:mlp | b:mlp; F1 = vote_mean(a@score, b@score) ->; train = independent"), {})
    assert (found["Depth of taps", "a"], found["Tap of a", "score"], found["Training", "independent"]) == (1.0, 1.0, 1.0)


def test_a_design_without_fusion_has_no_taps() -> None:
    found = features_of(FusionGraph.parse("a:mlp; a@L ->"), RECIPE)
    assert {choice for choice, _ in found} & {"Tap of a", "Depth of taps", "Fusion of entry", "Trunk"} == set()


def test_a_model_can_tell_a_child_from_its_parent() -> None:
    """Features leave out which fusion reads which; nearly all that a mutation changes shows all the same."""
    rng = np.random.default_rng(0)
    pairs = [(candidate, SPACE.mutate(candidate, rng)) for candidate in (SPACE.sample(rng) for _ in range(200))]
    told = [features_of(one.graph, one.recipe.to_dict()) != features_of(other.graph, other.recipe.to_dict()) for one, other in pairs]
    assert np.mean(told) > 0.95
