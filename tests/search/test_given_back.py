"""Candidates that are queued again; what a search makes of them is in test_session.py."""

import optuna
import pytest

from fusearch.search.candidate_queue import CandidateQueue
from fusearch.search.given_back import MOST_NODES, give_back, may_come_back
from fusearch.study import DIED, NODE_LOST, STOPPED, TrialFacts, read_records, write_trial

optuna.logging.set_verbosity(optuna.logging.WARNING)


@pytest.fixture
def study():
    return optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))


def lose(study, space, proposal, reason):
    give_back(study, space, proposal)
    write_trial(proposal.trial, TrialFacts(reason=reason))
    study.tell(proposal.trial, state=optuna.trial.TrialState.FAIL)


def test_a_candidate_comes_back_until_so_many_nodes_are_lost_under_it(study, space):
    queue = CandidateQueue(study, space)
    first = proposal = queue.take()
    for reason in (STOPPED, *[NODE_LOST] * (MOST_NODES - 1), DIED):
        assert may_come_back(study, proposal) == (reason != DIED)
        lose(study, space, proposal, reason)
        proposal = queue.take()
        assert proposal.candidate == first.candidate
    other = queue.take()
    assert other.candidate != first.candidate
    assert may_come_back(study, other)
    assert all(record.interrupted for record in read_records(study, ["score"])[: MOST_NODES + 1])
