from __future__ import annotations

import json
import pickle
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import MODALITIES, SMALL, WIDE, candidates, law

from fusearch.data.modality import Modality
from fusearch.errors import FusearchError, SpaceError
from fusearch.search_space import PUBLISHED, Candidate, FusionGraph, Recipe, RecipeSpace, SearchSpace, published_design
from fusearch.search_space.space.space_settings import EXTRAS


@law
@given(candidates())
def test_decoding_and_encoding_are_inverse(candidate: Candidate) -> None:
    params = WIDE.encode(candidate)
    assert WIDE.contains(candidate)
    assert WIDE.decode(params) == candidate
    assert WIDE.encode(WIDE.decode(params)) == params
    assert json.loads(json.dumps(params)) == params


@law
@given(candidates(), candidates(), st.integers(0, 2**32 - 1))
def test_children_stay_in_the_space(first: Candidate, second: Candidate, seed: int) -> None:
    rng = np.random.default_rng(seed)
    mutant = WIDE.mutate(first, rng)
    assert mutant.digest != first.digest
    assert WIDE.contains(mutant)
    child = WIDE.cross(first, second, rng)
    assert WIDE.contains(child)


@law
@given(candidates(SMALL), st.integers(0, 2**32 - 1))
def test_a_child_of_equal_parents_is_the_parent(candidate: Candidate, seed: int) -> None:
    assert SMALL.cross(candidate, candidate, np.random.default_rng(seed)) == candidate


def test_mutation_is_local_and_reaches_every_decision() -> None:
    rng = np.random.default_rng(0)
    parent = SMALL.decode(
        {
            "modalities.all": True,
            "fusions.1to2": 1,
            "level": "features",
            "a.mlp.layers": 2,
            "b.mlp.layers": 2,
            "f1.a.mlp2.must": 1,
            "f1.b.mlp2.must": 1,
            "f1.operator.3af4f1f6": "cat",
            "output.trunk": 0,
            "recipe.learning_rate": 1e-3,
            "recipe.weight_decay": 1e-2,
            "recipe.dropout": 0.3,
            "recipe.width": 32,
            "recipe.class_weights": "none",
        }
    )
    params = SMALL.encode(parent)
    changed: set[str] = set()
    for _ in range(300):
        child = SMALL.encode(SMALL.mutate(parent, rng))
        different = {name for name in params if name in child and child[name] != params[name]}
        assert len(different) <= 3
        changed |= different
    assert changed == set(params)


#: Where nothing but `cat` can stand, and no stage between: some joins of joins become one join that takes a source twice.
JOINED = SearchSpace((*SMALL.modalities, Modality("c", "tabular", (3,))), operators=["cat"], max_fusions=3, max_trunk=0, scores=False)


def test_a_child_lies_in_the_space_where_some_draws_cannot_be_read_back() -> None:
    rng = np.random.default_rng(0)
    drawn = [JOINED.sample(rng) for _ in range(60)]
    able = [candidate for candidate in drawn if JOINED.contains(candidate)]
    assert 10 < len(able) < len(drawn)
    for one, other in pairwise(able):
        assert JOINED.contains(JOINED.mutate(one, rng))
        assert JOINED.contains(JOINED.cross(one, other, rng))
    assert JOINED.size().log10 > 2


def test_the_same_seed_gives_the_same_candidates() -> None:
    first, second = ([WIDE.sample(np.random.default_rng(seed)) for seed in range(20)] for _ in range(2))
    assert first == second
    assert WIDE.sample_recipe(np.random.default_rng(1)) == WIDE.sample_recipe(np.random.default_rng(1))


def test_recipes_outside_the_ranges_are_outside_the_space() -> None:
    candidate = SMALL.sample(np.random.default_rng(0))
    for wrong in (
        replace(candidate.recipe, width=33),
        replace(candidate.recipe, learning_rate=0.5),
        replace(candidate.recipe, loss_weight=7.0),
    ):
        assert not SMALL.contains(Candidate(candidate.graph, wrong))
    # A number that this design does not use has to keep its default.
    alone = next(c for c in (SMALL.sample(np.random.default_rng(seed)) for seed in range(99)) if not c.graph.fusions)
    with pytest.raises(SpaceError, match="the recipe lies outside"):
        SMALL.encode(Candidate(alone.graph, replace(alone.recipe, modality_dropout=0.5)))


def test_decisions_that_nothing_asks_for_are_ignored() -> None:
    candidate = SMALL.sample(np.random.default_rng(5))
    assert SMALL.decode({**SMALL.encode(candidate), "f9.operator": "cat"}) == candidate


def test_settings_round_trip_and_decide_the_fingerprint() -> None:
    for space in (SMALL, WIDE):
        again = SearchSpace.from_dict(json.loads(json.dumps(space.to_dict())))
        assert again == space
        assert hash(again) == hash(space)
        assert again.fingerprint == space.fingerprint
        assert pickle.loads(pickle.dumps(space)) == space
    variants = [
        SearchSpace(MODALITIES),
        SearchSpace(MODALITIES, max_fusions=2),
        SearchSpace(MODALITIES, operators=["cat"]),
        SearchSpace(MODALITIES, scores=False),
        SearchSpace(MODALITIES, encoders={"rna": ["ft_transformer"]}),
        SearchSpace(MODALITIES, recipe=RecipeSpace(width=(8,))),
        SearchSpace(MODALITIES, recipe=RecipeSpace(sampling=("none", "balanced"))),
        SearchSpace(MODALITIES, recipe=RecipeSpace(focal=(0.0, 2.0))),
        SearchSpace(MODALITIES, balances=False),
        SearchSpace(MODALITIES, solved=False),
        SearchSpace(MODALITIES[:2]),
    ]
    assert len({space.fingerprint for space in variants}) == len(variants)
    with pytest.raises(SpaceError, match="unknown key 'max_fusion', did you mean 'max_fusions'"):
        SearchSpace.from_dict({**SMALL.to_dict(), "max_fusion": 1})


def test_a_space_that_asks_for_nothing_new_keeps_its_fingerprint() -> None:
    tables = [Modality("mrna", "tabular", (200,)), Modality("meth", "tabular", (200,))]
    assert SearchSpace(tables).fingerprint == "8e30dbf88030400d"
    assert SearchSpace(tables, balances=False, solved=False).fingerprint_0_1_0 == SearchSpace(tables).fingerprint_0_1_0


def test_classes_are_balanced_only_where_the_task_has_some() -> None:
    recipe = RecipeSpace(sampling=("none", "balanced"), focal=(0.0, 2.0))
    for balances, expected in ((True, {True, False}), (False, {False})):
        space = SearchSpace(MODALITIES, recipe=recipe, balances=balances)
        rng = np.random.default_rng(0)
        drawn = [space.sample(rng).recipe for _ in range(30)] + [space.sample_recipe(rng) for _ in range(30)]
        assert {each.balances or each.focal > 0 for each in drawn} == expected


def test_changes_of_training_rows_are_asked_for_where_a_modality_of_the_design_can_be_changed() -> None:
    recipe = RecipeSpace(augmentation=("mild", "mirrored"))
    space = SearchSpace([Modality("scan", "image2d", (1, 8, 8)), Modality("labs", "tabular", (4,))], recipe=recipe)
    rng = np.random.default_rng(0)
    found = {
        ("scan" in {s.modality for s in each.graph.streams}, each.recipe.augmentation) for each in (space.sample(rng) for _ in range(80))
    }
    assert found == {(True, "mild"), (True, "mirrored"), (False, "none")}
    assert SearchSpace(MODALITIES[:1], recipe=recipe).sample_recipe(rng).augmentation == "none"
    masks = SearchSpace(space.modalities, recipe=recipe, dense=True, solved=False, balances=False)
    assert {masks.sample(rng).recipe.augmentation for _ in range(20)} > {"mild"}


def test_without_a_solver_no_reference_is_solved() -> None:
    """A design that is solved by steps would be the one beside it, again."""
    for modalities in (MODALITIES, MODALITIES[:1]):
        solved, by_steps = (
            {graph.training for graphs in SearchSpace(modalities, solved=each).references().values() for graph in graphs}
            for each in (True, False)
        )
        assert "convex" in solved
        assert "convex" not in by_steps


def test_operators_may_be_all_or_one() -> None:
    assert len(SearchSpace(MODALITIES, operators="all").settings.operators) >= 45
    assert SearchSpace(MODALITIES, operators="cat").settings.operators == ("cat",)


def test_default_recipes_are_in_the_default_space() -> None:
    space = SearchSpace(MODALITIES)
    for role in ("best_unimodal", "penultimate", "late"):
        encoded = [graph for graph in space.references()[role] if graph.streams[0].encoder not in ("identity", "flatten")]
        assert encoded
        assert all(space.contains(Candidate(graph, Recipe())) for graph in encoded)


@pytest.mark.parametrize("number", list(PUBLISHED))
def test_every_published_design_lies_in_the_widest_space(number: int) -> None:
    design = published_design(number)
    space = SearchSpace.widest(design.modalities, [design])
    assert space.decode(space.encode(Candidate(design))).graph.digest == design.digest


def test_a_space_says_why_a_design_lies_outside() -> None:
    reasons = {}
    for number in PUBLISHED:
        design = published_design(number)
        space = SearchSpace.widest(design.modalities)
        if not space.contains(Candidate(design)):
            with pytest.raises(SpaceError) as caught:
                space.encode(Candidate(design))
            reasons[number] = str(caught.value)
    assert reasons
    assert all(len(reason.splitlines()) == 1 for reason in reasons.values())


def test_ties_join_streams_of_two_modalities() -> None:
    """A stream tied to one of its own modality would be that stream a second time."""
    eyes = [Modality("left", "tabular", (5,)), Modality("right", "tabular", (5,))]
    space = SearchSpace(eyes, max_streams=2, extras="ties")
    rng = np.random.default_rng(0)
    graphs = [space.sample(rng).graph for _ in range(60)]
    tied = [(graph, stream) for graph in graphs for stream in graph.streams if stream.tie is not None]
    assert tied
    for graph, stream in tied:
        assert graph.stream(str(stream.tie)).modality != stream.modality
        assert space.decode(space.encode(Candidate(graph))).graph.digest == graph.digest
    design = FusionGraph.parse("left:mlp | twin = left:mlp(tie=left); F1 = cat(left@1, twin@2) ->", eyes)
    assert not space.contains(Candidate(design))


def test_extras_are_drawn_and_encoded() -> None:
    space = SearchSpace.widest(MODALITIES)
    rng = np.random.default_rng(0)
    graphs = [space.sample(rng).graph for _ in range(150)]
    for graph in graphs:
        assert space.decode(space.encode(Candidate(graph))).graph.digest == graph.digest
    fusions = [fusion for graph in graphs for fusion in graph.fusions]
    assert any(len({arg.source for arg in fusion.args}) < len(fusion.args) for fusion in fusions)
    assert any({"score"} < {arg.depth for arg in fusion.args} for fusion in fusions)
    assert any(arg.port is not None for fusion in fusions for arg in fusion.args)
    assert any(sum(output.task is None for output in graph.outputs) > 1 for graph in graphs)
    with pytest.raises(SpaceError, match="extras: 'port', did you mean 'ports'"):
        SearchSpace(MODALITIES, extras=["port"])


def test_fixed_parameters_of_encoders_and_operators() -> None:
    space = SearchSpace(MODALITIES, encoders={"scan": ["cnn(stages=4)", "resnet"]}, operators=["cat", "low_rank(rank=16)"])
    rng = np.random.default_rng(0)
    graphs = [space.sample(rng).graph for _ in range(300)]
    assert {fusion.params["rank"] for graph in graphs for fusion in graph.fusions if fusion.operator == "low_rank"} == {16}
    assert {stream.encoder for graph in graphs for stream in graph.streams if stream.modality == "scan"} == {"cnn", "resnet", "identity"}
    assert max(stream.params.get("stages", 0) for graph in graphs for stream in graph.streams) == 4
    for graph in graphs[:50]:
        assert space.decode(space.encode(Candidate(graph))).graph.digest == graph.digest
    for encoders, message in ((["cnn(stages"], "expected a name such as 'cnn'"), (["cnn(depth=3)"], "unknown parameter 'depth'")):
        with pytest.raises(FusearchError, match=message):
            SearchSpace(MODALITIES, encoders=encoders)
    with pytest.raises(FusearchError, match="unknown parameter 'ranks'"):
        SearchSpace(MODALITIES, operators=["low_rank(ranks=2)"])


def test_the_extras_of_the_docs_are_those_of_the_space() -> None:
    page = (Path(__file__).parents[3] / "docs" / "search.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", page.split("| `extras` |")[1].split("\n\n")[0], re.MULTILINE))
    assert rows == dict(EXTRAS)
