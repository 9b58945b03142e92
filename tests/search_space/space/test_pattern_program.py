"""A pattern restricts a space: whatever is drawn is one of its designs, and whatever it leaves open is drawn."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import optuna
import pytest
from strategies import MODALITIES

from fusearch.data.modality import Modality
from fusearch.errors import FormulaError, SpaceError, UnknownNameError
from fusearch.search_space import OPERATORS, PUBLISHED, FusionPattern, SearchSpace
from fusearch.search_space.published.bound_table import data_of_kinds
from fusearch.search_space.space.choosers import RandomChooser

PATTERNS = [
    "F1 = ⊞(x1^3, x2^3) →",
    "F1 = ⊕(x1^x, x2^y) →",
    "F1 = ⊕(x1^x, x2^x); F2 = ⊞(x1^x+1, F1^y) →",
    "F1 = ?(?^?, ?^?) →",
    "F1 = ?(?^?, ?^?); F2 = ?(F1^?, ?^?) →",
    "F1 = ⊕(?^1, ?^1); F2 = ⊕(?^1, ?^1) →",
    "F1 = ⊕(rna^x, ?^x+1) →",
    "F1 = 𝕊(x1^2, x2^2); F2 = ⊕(F1^2, x3^x) →",
    "F1 = 𝔸(x1^*, x2^L) →",
    "F1 = ⊞(x1^score, x2^score, x3^score) →",
    "F1 = cross_attention(rna^y, scan^x; heads=2, trunk=conv:1); F2 = cat(F1^1, ecg^L) →; train = staged",
    "a = rna:mlp(layers=2)\nF1 = ⊕(a^2, x2^x) →",
    "F1 = ⊕(x1^x, x2^y) → ; x1^score -> aux",
    "x1^L →",
    "F1 = ?(scan^?, ?^?; trunk=continue(scan)); F2 = ⊕(F1^?, ecg^x) →",
    "F1 = 𝕊(x1^1, x2^y; trunk=continue(x1)); F2 = ⊕(F1^2, x2^1) →",
    "F1 = film(x1^?, x2^?; trunk=continue(x1)) →",
    "before = scan:cnn | after = late:cnn(tie=before)\nF1 = difference(before^x, after^x) →",
    "x1 | x2 = late:cnn(tie=x1)\nF1 = ⊕(x1^x, x2^?, rna^2) →",
]

#: Two of one kind and shape, so that a stream can lend its weights.
SCANS = (*MODALITIES, Modality("late", "image2d", (1, 8, 8)))


class OfferingChooser(RandomChooser):
    """Notes the choices offered under every name."""

    def __init__(self, rng: np.random.Generator, offers: dict[str, set[Any]]) -> None:
        super().__init__(rng)
        self._offers = offers

    def pick(self, key: str, choices: Any, name: str = "") -> Any:
        if len(choices) > 1:
            self._offers[name or key].add(tuple(choices))
        return super().pick(key, choices, name)


@pytest.mark.parametrize("text", PATTERNS)
def test_whatever_is_drawn_is_one_of_its_designs_and_can_be_drawn_again(text: str) -> None:
    space, pattern, rng = SearchSpace(SCANS, pattern=text), FusionPattern.parse(text), np.random.default_rng(0)
    offers: dict[str, set[Any]] = defaultdict(set)
    for _ in range(60):
        candidate = space._run(OfferingChooser(rng, offers))
        assert pattern.matches(candidate.graph), candidate.graph.formula
        params = space.encode(candidate)
        assert space.decode(params).digest == candidate.digest
        assert space.contains(candidate)
    assert {name: lists for name, lists in offers.items() if len(lists) > 1} == {}


@pytest.mark.parametrize("text", PATTERNS[:4])
def test_children_stay_inside(text: str) -> None:
    space, pattern, rng = SearchSpace(MODALITIES, pattern=text), FusionPattern.parse(text), np.random.default_rng(1)
    one, other = space.sample(rng), space.sample(rng)
    for _ in range(20):
        assert pattern.matches(space.mutate(one, rng).graph)
        assert pattern.matches(space.cross(one, other, rng).graph)


def test_what_is_left_open_is_drawn() -> None:
    space, rng = SearchSpace(MODALITIES, pattern="F1 = ⊞(x1^x, x2^y) →"), np.random.default_rng(0)
    drawn = [space.sample(rng).graph for _ in range(300)]
    assert {fusion.operator for graph in drawn for fusion in graph.fusions} == {"sum", "product", "low_rank"}
    assert len({frozenset(modality.name for modality in graph.modalities) for graph in drawn}) == 3
    assert len({str(arg.depth) for graph in drawn for arg in graph.fusions[0].args}) >= 4
    assert {graph.fusions[0].trunk.num_stages for graph in drawn} == {0, 1, 2}


@pytest.mark.parametrize(("text", "last"), [("scan^3, rna^2", {3, "L"}), ("scan^?, rna^?", {2, 3, "L"}), ("scan^L, rna^L", {"L"})])
def test_the_last_stage_is_also_the_pooled_vector(text: str, last: set[Any]) -> None:
    """As `matches` has it, and as everyone's penultimate fusion is."""
    space, rng = SearchSpace(MODALITIES, pattern=f"F1 = cat({text}) →"), np.random.default_rng(0)
    drawn = {space.sample(rng).graph.fusions[0].args[0].depth for _ in range(80)}
    assert last <= drawn <= last | {0, 1}


def test_an_operator_is_drawn_where_it_can_work() -> None:
    """Not an attention of one vector over one vector, nor the mean or maximum of one thing twice, which would be less than the pattern."""
    tables = [Modality("a", "tabular", (5,)), Modality("b", "tabular", (4,))]
    for text, none in (("𝔸(x1^x, x2^x)", {"cross_attention", "co_attention"}), ("⊞(x1^1, x1^1, x2^1)", {"max", "difference"})):
        space, rng = SearchSpace(tables, operators="all", pattern=f"F1 = {text} →"), np.random.default_rng(0)
        drawn = [space.sample(rng).graph for _ in range(100)]
        assert len({graph.fusions[0].operator for graph in drawn}) > 4
        assert not none & {graph.fusions[0].operator for graph in drawn}
        assert all(FusionPattern.parse(f"F1 = {text} →").matches(graph) for graph in drawn)


def test_a_small_pattern_is_counted() -> None:
    tables = [Modality("a", "tabular", (5,)), Modality("b", "tabular", (4,))]
    assert SearchSpace(tables, pattern="F1 = sum(a^1, b^1; trunk=fc:0) →", encoders=["mlp1"]).size().exact == 1
    counted = SearchSpace(tables, pattern="F1 = sum(a^x, b^y; trunk=fc:0) →", encoders=["mlp1"]).size()
    assert counted.exact == 4 * 4
    assert SearchSpace(tables, pattern="F1 = ⊞(x1^3, x2^3) →").size().exact is not None


def test_depths_beyond_the_choices_are_reached_where_that_is_legal() -> None:
    space = SearchSpace(MODALITIES, pattern="F1 = ⊕(scan^5, ecg^4) →")
    graph = space.sample(np.random.default_rng(0)).graph
    assert (graph.num_stages("scan"), graph.num_stages("ecg")) == (5, 4)


def test_a_class_that_the_space_has_no_operator_of_is_open_to_all_of_it() -> None:
    space = SearchSpace(MODALITIES, operators=["cat"], pattern="F1 = ⇌(x1^1, x2^1) →")
    names = {space.sample(np.random.default_rng(seed)).graph.fusions[0].operator for seed in range(40)}
    assert names <= {name for name in OPERATORS if OPERATORS[name].family == "sharing"}
    assert len(names) > 1


def test_optuna_asks_it() -> None:
    space = SearchSpace(MODALITIES, pattern="F1 = ⊕(x1^x, x2^y) →")
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for _ in range(10):
        trial = study.ask()
        candidate = space.suggest(trial)
        assert space.decode(trial.params) == candidate
        study.tell(trial, 0.0)


def test_a_space_with_a_pattern_is_kept_and_read() -> None:
    space = SearchSpace(MODALITIES, pattern="F1 = ⊕(x1^x, x2^y) →")
    assert SearchSpace.from_dict(space.to_dict()) == space
    assert space != SearchSpace(MODALITIES)
    assert "pattern" not in SearchSpace(MODALITIES).to_dict()  # spaces of earlier runs keep their fingerprint
    assert space.pattern == "F1 = ⊕(x1^x, x2^y) →"


def test_the_references_stay_as_they_are() -> None:
    assert SearchSpace(MODALITIES, pattern="F1 = ⊕(x1^x, x2^y) →").references() == SearchSpace(MODALITIES).references()


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("F1 = ⊕(x1^x,, x2^y) →", FormulaError, r"\^"),
        ("F1 = ⊕(x1^x, rnaa^y) →", SpaceError, "pattern: stream 'rnaa' is no modality: did you mean 'rna'"),
        ("F1 = ⊕(x1^1, x2^1, x3^1, x4^1) →", SpaceError, r"pattern: 4 streams, this space offers 3 \(max_streams is 1\)"),
        ("F1 = ⊕(x1^34, x2^3) →", SpaceError, "pattern: x1 is taken after 34 stages, no encoder of rna, scan, ecg has as many"),
        ("F1 = catt(x1^1, x2^1) →", UnknownNameError, "did you mean 'cat'"),
        ("F1 = bilinear(x1^1, x2^1, x3^1) →", SpaceError, "pattern: F1: no operator bilinear joins 3 such arguments"),
        ("F1 = cat(x1^1, x2^1; heads=2) →", SpaceError, "pattern: F1: no operator cat with heads joins 2 such arguments"),
        ("F1 = vote_mean(x1^1, x2^1) →", SpaceError, "no operator vote_mean joins 2 such arguments"),
        (
            "a = rna:mlp | b = rna:mlp(tie=a)\nF1 = ⊕(a^1, b^1) →",
            SpaceError,
            "pattern: a lends its weights: expected another modality",
        ),
        (
            "F1 = sum(ecg^1, rna^1; trunk=continue(rna)); F2 = cat(F1^1, scan^1) →",
            SpaceError,
            r"F1 continues 'rna': expected rna\^\?, or a number",
        ),
        (
            "F1 = sum(rna^1, ecg^1; trunk=continue(rna)); F2 = cat(F1^x, scan^x) →",
            SpaceError,
            "F2 takes F1, which continues 'rna'",
        ),
        ("F1 = cat(rna^1, ecg^1; trunk=continue(rna)) →", SpaceError, "no operator cat joins 2 such arguments"),
    ],
)
def test_a_pattern_that_no_design_fits_is_refused(text: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        SearchSpace(MODALITIES, pattern=text)


@pytest.mark.parametrize("study", PUBLISHED.values(), ids=lambda study: study.key)
def test_a_printed_formula_is_a_space_unless_it_counts_layers(study) -> None:
    data = data_of_kinds(study)
    names = {stream.name for stream in study.pattern().streams}
    depths = [arg.depth for fusion in study.pattern().fusions for arg in fusion.args if arg.source in names]
    if max((depth for depth in depths if isinstance(depth, int)), default=0) > 8:  # the most stages of an encoder of ours
        with pytest.raises(SpaceError, match=r"is taken after \d+ stages, no encoder of"):
            SearchSpace(data, pattern=study.printed, max_streams=2)
        return
    space = SearchSpace(data, pattern=study.printed, max_streams=2)
    candidate = space.sample(np.random.default_rng(study.number))
    assert study.pattern().matches(candidate.graph)
    assert space.contains(candidate)
