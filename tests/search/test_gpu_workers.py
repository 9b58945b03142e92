"""Workers that hold a GPU each, on GPUs that Ray only counts: which worker sees which, and what happens when one is lost."""

import pytest

pytestmark = [pytest.mark.ray, pytest.mark.slow]


@pytest.fixture
def two_gpus(monkeypatch):
    import ray

    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    ray.init("local", num_cpus=4, num_gpus=2, include_dashboard=False, log_to_driver=False, logging_level="CRITICAL")
    yield
    ray.shutdown()


def test_each_worker_has_a_gpu_of_its_own_and_one_that_is_lost_is_replaced(two_gpus, search, tmp_path):
    once = tmp_path / "lost"

    def evaluate(candidate, budget, report):
        import os
        import signal
        import time

        from fusearch.contracts import Evaluation

        time.sleep(0.2)
        seen = os.environ["CUDA_VISIBLE_DEVICES"]
        if seen == "1" and not once.exists():
            once.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return Evaluation({"score": 0.5, "macs": 1.0}, details={"gpu": seen})

    evaluate.needs_gpu = True
    run = search(evaluate, executor="ray", trials=16, sampler="random")
    records = [record for record in run.records() if record.repeat_of is None]
    evaluated = [record for record in records if record.evaluated]
    assert once.exists()
    assert [record.reason for record in records if record.state == "failed"] == [
        "the worker died during the evaluation (killed by a signal, out of memory, or crashed)"
    ]
    assert len(evaluated) == 15
    assert {record.details["gpu"] for record in evaluated} == {"0", "1"}
    for gpu in "01":
        assert sum(record.details["gpu"] == gpu for record in evaluated) >= 3
    spans = {gpu: [(each.started, each.ended) for each in evaluated if each.details["gpu"] == gpu] for gpu in "01"}
    for own in spans.values():  # a GPU has one trial at a time
        assert all(earlier[1] <= later[0] for earlier, later in zip(sorted(own), sorted(own)[1:], strict=False))
    assert any(one[0] < other[1] and other[0] < one[1] for one in spans["0"] for other in spans["1"])  # the two side by side
