"""Nodes that join and leave in the middle of a search, on clusters of this machine's own."""

import time
from collections import Counter

import pytest

from fusearch.run import Run

pytestmark = [pytest.mark.slow, pytest.mark.ray]


def evaluated(out):
    """Return how many evaluations each node has finished."""
    if not (out / "config.yaml").exists():
        return Counter()
    return Counter(record.details["node"] for record in Run(out).records() if record.evaluated)


def wait_for(process, is_so, what):
    deadline = time.monotonic() + 180
    while not is_so():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, what
        time.sleep(0.2)


def test_a_node_that_joins_is_used_and_one_that_is_lost_takes_nothing_with_it(cluster, tmp_path):
    out = tmp_path / "run"
    cluster.start("one")
    process = cluster.search(out, seconds=0.5, trials=1000)
    wait_for(process, lambda: evaluated(out)["one"], "the search begins on the node that is there")
    cluster.start("two")
    wait_for(process, lambda: evaluated(out)["two"] >= 2, "the second node is used")
    records = {record.candidate for record in Run(out).records() if record.evaluated}
    cluster.kill("two")
    before = evaluated(out)["one"]
    wait_for(process, lambda: evaluated(out)["one"] >= before + 4, "the search goes on with the first")
    cluster.start("three")
    wait_for(process, lambda: evaluated(out)["three"] >= 2, "a node that joins after a loss is used")
    process.terminate()
    said, errors = process.communicate(timeout=120)
    assert said.strip().splitlines()[-1:] == ["stopped | interrupted by SIGTERM"], errors
    found = Run(out).records()
    assert records <= {record.candidate for record in found if record.evaluated}
    assert [record.reason for record in found if record.state == "failed" and not record.interrupted] == []
    (lost,) = (record for record in found if record.reason == "node lost")
    again = [record for record in found if record.candidate == lost.candidate and record.number != lost.number]
    assert again, "the candidate is proposed again"
    assert {record.details["host"] for record in found if record.evaluated} != {None}


@pytest.mark.parametrize("how", ["kill", "leave"])
def test_a_trial_whose_node_goes_is_evaluated_on_another_though_it_was_the_last(cluster, tmp_path, how):
    """By `kill` Ray has not heard of the node for a second, by `leave` it knows that the node is gone: two errors of the worker."""
    out = tmp_path / "run"
    cluster.start("one")
    cluster.start("two")
    process = cluster.search(out, seconds=15, trials=2)
    wait_for(process, lambda: len(list(tmp_path.glob("began-on-*"))) == 2, "both nodes have a trial")
    getattr(cluster, how)("two")
    said, errors = process.communicate(timeout=180)
    assert said.strip().splitlines()[-1:] == ["finished | 2 trials are done"], errors
    trials = Run(out).status()["trials"]
    assert (trials["complete"], trials["failed"], trials["interrupted"], trials["waiting"], trials["running"]) == (2, 0, 1, 0, 0)
    assert evaluated(out) == {"one": 2}
