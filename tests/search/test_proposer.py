"""Which candidate next: the queue, the references, the sampler, fresh draws."""

from collections import Counter
from dataclasses import replace

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

from fusearch.data.modality import Modality
from fusearch.search.candidate_queue import CandidateQueue
from fusearch.search.proposer import SamplerProposer, published_first
from fusearch.search_space import Candidate, Recipe, SearchSpace
from fusearch.study import STOPPED, TrialFacts, write_trial

optuna.logging.set_verbosity(optuna.logging.WARNING)


@pytest.fixture
def study():
    return optuna.create_study(directions=["maximize", "minimize"], sampler=optuna.samplers.RandomSampler(seed=0))


def proposer(study, space, share=0.3, seed=0, before=()):
    return SamplerProposer(CandidateQueue(study, space), space, share=share, seed=seed, before=before)


def propose(proposer, study, number):
    candidates = []
    for _ in range(number):
        proposal = proposer.propose()
        study.tell(proposal.trial, [0.5, 1.0])
        candidates.append(proposal.candidate)
    return candidates


def references(space):
    return [(role, graph) for role, graphs in space.references().items() for graph in graphs]


def test_references_come_first_with_the_default_recipe_then_in_their_share(study, space):
    candidates = propose(proposer(study, space, share=0.0), study, 12)
    expected = [graph.digest for _, graph in references(space)]
    assert sorted(candidate.graph.digest for candidate in candidates[:3]) == sorted(expected)
    assert {candidate.recipe for candidate in candidates[:3]} == {Recipe()}


def test_each_role_has_its_turn_before_a_role_has_a_second(study, space):
    given = space.references()
    assert len(given["best_unimodal"]) == 2
    first = propose(proposer(study, space, share=0.0), study, len(given))
    assert [candidate.graph.digest for candidate in first] == [graphs[0].digest for graphs in given.values()]


@pytest.mark.parametrize("share", [0.3, 0.6, 1.0])
def test_no_reference_graph_falls_behind_its_part_of_the_share(study, space, share):
    class ManyRecipes:
        def __getattr__(self, name):
            return getattr(space, name)

        def sample_recipe(self, rng):
            return Recipe(learning_rate=float(rng.uniform(1e-4, 1e-2)))

    candidates = propose(proposer(study, ManyRecipes(), share=share), study, 40)
    digests = [graph.digest for _, graph in references(space)]
    for stop in range(10, 40):  # at any moment, should the search be stopped there
        tries = Counter(candidate.graph.digest for candidate in candidates[:stop])
        assert min(tries[digest] for digest in digests) >= int(share * stop / 3)


def test_recipes_that_run_out_leave_the_search_to_the_sampler(study, space):
    candidates = propose(proposer(study, space, share=1.0), study, 30)
    linear = [candidate for candidate in candidates if candidate.graph == space.references()["linear"][0]]
    assert len({candidate.digest for candidate in linear}) == len(linear) <= len(space.widths)
    assert len({candidate.graph.digest for candidate in candidates}) > 3


def test_a_proposer_goes_on_where_the_study_is(study, space):
    linear = Candidate(space.references()["linear"][0], Recipe())
    before = propose(proposer(study, space), study, 7)
    after = propose(proposer(study, space), study, 7)
    assert before.count(linear) == 1
    assert after.count(linear) == 0


@pytest.mark.parametrize(
    ("last", "due"), [("evaluated", True), ("failed", True), ("pruned", False), ("repeated", False), ("stopped", False)]
)
def test_a_proposer_that_goes_on_measures_the_share_by_evaluations_alone(study, space, last, due):
    propose(proposer(study, space, share=0.5), study, 3)
    queue = CandidateQueue(study, space)
    ask = SamplerProposer(queue, space, share=0.5, seed=0)
    operators = ("cat", "sum", "cat" if last == "repeated" else "product")
    queue.put_designs(
        [space.decode({"num_fusions": 1, "f1.depth": 1, "f1.operator": operator, "recipe.width": 8}) for operator in operators]
    )
    propose(ask, study, 2)
    trial = ask.propose().trial
    if last == "repeated":
        write_trial(trial, TrialFacts(repeat_of=3))
    if last in ("failed", "stopped"):
        write_trial(trial, TrialFacts(reason=STOPPED if last == "stopped" else "boom"))
    state = {"failed": TrialState.FAIL, "stopped": TrialState.FAIL, "pruned": TrialState.PRUNED}.get(last)
    study.tell(trial, None if state else [0.5, 1.0], state=state)
    proposal = proposer(study, space, share=0.5).propose()
    # 3 references are half of 5 evaluations and the next one, not of 6 and the next one.
    assert ("fixed_params" in study.trials[proposal.trial.number].system_attrs) == due


def test_the_seed_decides_recipes_and_fresh_designs(space):
    def found(seed):
        study = optuna.create_study(directions=["maximize", "minimize"], sampler=optuna.samplers.RandomSampler(seed=0))
        ask = proposer(study, space, share=0.0, seed=seed)
        propose(ask, study, 3)
        designs = []
        for _ in range(4):
            assert ask.queue_fresh(lambda candidate: True)
            designs += [candidate.digest for candidate in propose(ask, study, 1)]
        return designs

    assert found(0) == found(0) != found(1)


def test_fresh_designs_are_new_and_wanted(study, space):
    ask = proposer(study, space, share=0.0)
    known = {candidate.digest for candidate in propose(ask, study, 5)}
    assert ask.queue_fresh(lambda candidate: candidate.recipe.width == 8)
    fresh = ask.propose().candidate
    assert fresh.recipe.width == 8
    assert fresh.digest not in known
    assert not ask.queue_fresh(lambda candidate: False)


def test_a_solved_reference_comes_with_each_choice_of_class_weights_and_never_twice(study):
    """Nothing else of a recipe reaches it: other learning rates would be evaluations of the same model."""
    space = SearchSpace([Modality("a", "tabular", (3,)), Modality("b", "tabular", (4,))])
    candidates = propose(proposer(study, space, share=1.0), study, 60)
    solved = [candidate for candidate in candidates if candidate.graph.training == "convex"]
    assert {replace(candidate.recipe, class_weights=Recipe().class_weights) for candidate in solved} == {Recipe()}
    assert len({candidate.digest for candidate in solved}) == len(solved)
    for graph in [graph for _, graph in references(space) if graph.training == "convex"]:
        weights = {candidate.recipe.class_weights for candidate in solved if candidate.graph == graph}
        assert weights == {space.sample_recipe(np.random.default_rng(seed)).class_weights for seed in range(20)}


def test_published_designs_come_once_each_after_the_references(study, space):
    published = published_first(space)
    assert len(published) == 3
    due = len(references(space))
    candidates = propose(proposer(study, space, share=0.0, before=published), study, due + 3 + 5)
    assert [candidate.graph.digest for candidate in candidates[due : due + 3]] == [each.graph.digest for each in published]
    assert candidates[due : due + 3] == list(published)
    assert not {each.graph.digest for each in published} & {candidate.graph.digest for candidate in candidates[due + 3 :]}


def test_the_references_keep_their_share_beside_published_designs(study, space):
    published = published_first(space)
    candidates = propose(proposer(study, space, share=0.6, before=published), study, 10)
    first = {graph.digest for _, graph in references(space)}
    assert sum(candidate.graph.digest in first for candidate in candidates) >= int(0.6 * 10)
    assert set(published) <= set(candidates)


def test_published_designs_go_on_where_the_study_is(study, space):
    published = published_first(space)
    due = len(references(space))
    propose(proposer(study, space, share=0.0, before=published), study, due + 1)
    rest = propose(proposer(study, space, share=0.0, before=published), study, 2)
    assert rest == list(published[1:])


def test_two_studies_with_one_network_for_the_data_are_tried_once():
    tables = [Modality(name, "tabular", (5,)) for name in "abcdefg"]
    space = SearchSpace([*tables, Modality("scan", "image2d", (1, 16, 16))])
    digests = [candidate.digest for candidate in published_first(space)]
    assert len(set(digests)) == len(digests)
