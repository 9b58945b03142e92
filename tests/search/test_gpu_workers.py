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


class Lost:
    """GPU 1 is lost once, as soon as it is asked to; the worker of GPU 0 goes on only when it was, and once more when another has taken it.

    A worker may take long to start: without the wait, GPU 0 could do all the work before there is a second.
    """

    def __init__(self, folder):
        self.lost, self.taken_again = folder / "lost", folder / "taken_again"

    def take_part(self, gpu, *, die):
        import os
        import signal
        import time

        if gpu == "1" and self.lost.exists():
            self.taken_again.touch()
        elif gpu == "1" and die:
            self.lost.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        awaited = self.taken_again if self.lost.exists() else self.lost
        given_up = time.monotonic() + 120
        while gpu == "0" and not awaited.exists() and time.monotonic() < given_up:
            time.sleep(0.05)


def test_each_worker_has_a_gpu_of_its_own_and_one_that_is_lost_is_replaced(two_gpus, search, tmp_path):
    lost = Lost(tmp_path)

    def evaluate(candidate, budget, report):
        import os
        import time

        from fusearch.contracts import Evaluation

        time.sleep(0.2)
        seen = os.environ["CUDA_VISIBLE_DEVICES"]
        lost.take_part(seen, die=True)
        return Evaluation({"score": 0.5, "macs": 1.0}, details={"gpu": seen})

    evaluate.needs_gpu = True
    run = search(evaluate, executor="ray", trials=16, sampler="random")
    records = [record for record in run.records() if record.repeat_of is None]
    evaluated = [record for record in records if record.evaluated]
    assert lost.lost.exists()
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


def test_packs_are_spread_over_the_gpus_each_on_one_and_one_that_is_lost_takes_its_own_alone(two_gpus, search, toy_space, tmp_path):
    lost = Lost(tmp_path)

    class Packed:
        needs_gpu = True

        def __call__(self, candidate, budget, report):
            import os
            import time

            from fusearch.contracts import Evaluation

            time.sleep(0.2)
            return Evaluation({"score": 0.5, "macs": 1.0}, details={"gpu": os.environ["CUDA_VISIBLE_DEVICES"]})

        def by_fold(self, candidate, budget, report):
            raise AssertionError

        def usual_recipes(self, candidate):
            return 1

        def price_of_look(self, candidate, budget, recipes=1):
            return 0.0

        def recipes(self, candidates, budget, report, *, by_fold, halving, goes_on):
            import os

            from fusearch.contracts import PackNews

            for place, candidate in enumerate(candidates):
                lost.take_part(os.environ["CUDA_VISIBLE_DEVICES"], die=place == 2)
                yield PackNews(place, self(candidate, budget, report))

    space = toy_space(rates=tuple(1e-4 * 1.01**step for step in range(300)))
    run = search(Packed(), space=space, executor="ray", trials=48, recipes=4, races="off", sampler="random", reference_share=0.0)
    records = [record for record in run.records() if record.repeat_of is None]
    packs = {number: [record for record in records if record.pack == number] for number in {record.pack for record in records} - {None}}
    gpus = {number: {record.details["gpu"] for record in pack if record.evaluated} for number, pack in packs.items()}
    assert lost.lost.exists()
    assert all(len(found) == 1 for found in gpus.values())
    assert set.union(*gpus.values()) == {"0", "1"}
    (cut,) = (number for number, pack in packs.items() if any(record.state == "failed" for record in pack))
    assert gpus[cut] == {"1"}
    assert [record.state for record in packs[cut]].count("complete") == 2, "what was told before stays"
    assert any(gpus[number] == {"1"} for number in packs if number > cut), "another worker takes the GPU"
    assert len(records) == 48
