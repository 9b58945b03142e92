"""The queue of a study: what goes in comes out described, and is counted."""

from dataclasses import replace

import numpy as np
import optuna
import pytest

from fusearch.search.candidate_queue import CandidateQueue, enqueue, facts_of
from fusearch.search_space import Candidate, Recipe
from fusearch.study import STOPPED, TrialFacts, read_trial, write_trial

optuna.logging.set_verbosity(optuna.logging.WARNING)


@pytest.fixture
def study():
    return optuna.create_study(directions=["maximize", "minimize"], sampler=optuna.samplers.RandomSampler(seed=0))


def references(space):
    return [(role, graph) for role, graphs in space.references().items() for graph in graphs]


def test_a_candidate_of_the_space_is_queued_by_its_parameters_and_one_outside_as_a_dict(study, space):
    inside = space.sample(np.random.default_rng(0))
    outside = Candidate(space.references()["linear"][0], Recipe())
    enqueue(study, space, inside)
    enqueue(study, space, outside, "linear")
    queue = CandidateQueue(study, space)
    assert [queue.take().candidate for _ in range(2)] == [inside, outside]
    first, second = study.trials
    assert first.params == space.encode(inside)
    assert read_trial(first).rebuilt_from is None
    assert second.params == {}
    assert Candidate.from_dict(read_trial(second).rebuilt_from) == outside


def test_every_trial_is_described_at_once(study, space):
    queue = CandidateQueue(study, space)
    for _ in range(8):
        proposal = queue.take()
        held = read_trial(study.trials[proposal.trial.number])
        role = {graph.digest: role for role, graph in references(space)}.get(proposal.candidate.graph.digest)
        assert replace(held, rebuilt_from=None) == facts_of(proposal.candidate, role)
        assert held.formula == str(proposal.candidate.graph)


def test_a_candidate_of_a_stopped_driver_counts_for_nothing(study, space):
    queue = CandidateQueue(study, space)
    proposal = queue.take()
    write_trial(proposal.trial, TrialFacts(reason=STOPPED))
    study.tell(proposal.trial, state=optuna.trial.TrialState.FAIL)
    after = CandidateQueue(study, space)
    assert after.num_proposed == 0
    assert not after.holds(proposal.candidate)


def test_designs_of_the_user_are_graphs_or_candidates(study, space):
    graph = space.decode({"num_fusions": 1, "f1.depth": 1, "f1.operator": "sum", "recipe.width": 8}).graph
    queue = CandidateQueue(study, space)
    queue.put_designs([graph, Candidate(graph, Recipe(width=8))])
    assert [queue.take().candidate for _ in range(2)] == [Candidate(graph, Recipe()), Candidate(graph, Recipe(width=8))]


def test_what_was_answered_without_an_evaluation_does_not_count_for_a_share(study, space):
    queue = CandidateQueue(study, space)
    first, second = queue.take(), queue.take()
    assert queue.num_proposed == 2
    write_trial(second.trial, TrialFacts(repeat_of=first.trial.number))
    queue.uncount()
    assert queue.num_proposed == CandidateQueue(study, space).num_proposed == 1
    assert queue.holds(first.candidate)
