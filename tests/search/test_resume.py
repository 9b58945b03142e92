"""A search goes on: what is kept, what is refused, and that nothing is done again."""

from collections import Counter

import pytest

from fusearch.contracts import Budget
from fusearch.errors import RunError
from fusearch.run import Run


def test_resume_goes_on_to_more_trials_and_repeats_nothing(search, toy_evaluator):
    evaluated = Counter()

    def evaluate(candidate, budget, report):
        evaluated[candidate.digest] += 1
        return toy_evaluator(candidate, budget, report)

    search(evaluate, trials=6)
    run = search(evaluate, trials=10, resume=True)
    assert run.status()["trials"]["complete"] == 10
    assert set(evaluated.values()) == {1}
    assert len(evaluated) == 10
    again = search(evaluate, trials=10, resume=True)
    assert again.status()["state"] == "finished"
    assert len(evaluated) == 10


def test_resume_may_change_sampler_and_executor_settings(search):
    search(trials=5, sampler="random")
    assert search(trials=8, sampler="evolution", resume=True).config["search"]["sampler"] == "evolution"


def test_resume_of_nothing_is_refused(search, tmp_path):
    with pytest.raises(RunError, match=r"no run in .*: expected a file 'config.yaml'"):
        search(resume=True)
    assert list(tmp_path.iterdir()) == []


def test_resume_with_another_space_shows_both_fingerprints(search, space):
    search(trials=2)
    other = type(space)(operators=("cat", "sum"))
    with pytest.raises(RunError, match=f"the search space changed, fingerprint {space.fingerprint} in the run and {other.fingerprint} now"):
        search(space=other, resume=True)


def test_resume_with_other_data_shows_both_fingerprints(search, toy_evaluator, costed):
    class Other(costed):
        def describe(self):
            return {"name": "costed", "data": {"source": "toy", "fingerprint": "fedcba9876543210"}}

    search(costed(toy_evaluator), trials=2)
    with pytest.raises(RunError, match="the data changed, fingerprint 0123456789abcdef in the run and fedcba9876543210 now"):
        search(Other(toy_evaluator), resume=True)


def test_resume_with_other_weights_names_the_file(search, toy_evaluator, costed):
    class Started(costed):
        digest = "01"

        def describe(self):
            weights = {"modality": "cxr", "encoder": "resnet", "file": "cxr.pt", "digest": self.digest, "freeze": 0}
            return {"name": "costed", "data": {"source": "toy", "fingerprint": f"fingerprint{self.digest}", "given_weights": [weights]}}

    class Other(Started):
        digest = "02"

    search(Started(toy_evaluator), trials=2)
    with pytest.raises(RunError, match=r"cannot resume .*: weights 'cxr.pt' of cxr:resnet changed, digest 01 in the run and 02 now; use"):
        search(Other(toy_evaluator), resume=True)


def test_resume_with_other_settings_of_the_evaluator_is_refused(search, toy_evaluator, costed):
    class Described(costed):
        def describe(self):
            return {"name": "costed", "settings": settings}

    settings = {"folds": 2, "costs": (), "threads": 1}
    search(Described(toy_evaluator), trials=2)
    settings = {"folds": 2, "costs": (), "threads": 4, "device": "cpu"}
    assert search(Described(toy_evaluator), trials=3, resume=True).status()["state"] == "finished"
    settings = {"folds": 3, "costs": (), "threads": 1}
    with pytest.raises(RunError, match="its evaluator changed, folds is 2 in the run and 3 now; use another run folder"):
        search(Described(toy_evaluator), trials=4, resume=True)


def test_resume_of_a_configuration_that_was_cut_off_is_refused(search, tmp_path):
    search(trials=2)
    config = tmp_path / "run" / "config.yaml"
    text = config.read_text()
    config.write_text(text[: text.index("evaluator:")])
    with pytest.raises(RunError, match=r"cannot resume .*: 'config.yaml' has no section 'space'"):
        search(resume=True)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"objectives": ["score:max"]}, "its objectives are score:max macs:min, now score:max are asked for"),
        ({"objectives": ["score:max", "macs<=5"]}, "now score:max macs:min<=5 are asked for"),
        ({"budget": Budget(epochs=3)}, "its budget changed, epochs is None in the run and 3 now"),
    ],
)
def test_resume_with_another_meaning_is_refused(search, settings, message):
    search(trials=2)
    with pytest.raises(RunError) as caught:
        search(resume=True, **settings)
    assert message in str(caught.value)


def test_an_error_of_the_driver_gives_back_what_is_in_flight(search):
    def explode(progress):
        if progress.done == 3 and progress.running == 1:
            raise RuntimeError("the terminal went away")

    with pytest.raises(RuntimeError, match="the terminal went away"):
        search(progress=explode, trials=6)
    run = Run(search.out)
    status = run.status()
    assert status["state"] == "stopped"
    assert status["trials"]["running"] == 0
    assert status["trials"]["interrupted"] == 1
    assert status["trials"]["waiting"] == 1
    waiting = run.records()[-1].candidate
    records = search(trials=6, resume=True).records()
    assert [record.state for record in records if record.candidate == waiting][:2] == ["failed", "complete"]
    assert Run(search.out).status()["trials"] | {"total": 6} == {
        "complete": 6,
        "raced": 0,
        "failed": 0,
        "running": 0,
        "repeated": sum(record.repeat_of is not None for record in records),
        "pruned": 0,
        "interrupted": 1,
        "waiting": 0,
        "total": 6,
    }


@pytest.mark.slow
def test_a_storage_url_holds_the_study_instead_of_the_journal(search, tmp_path):
    url = f"sqlite:///{tmp_path / 'studies.db'}"
    run = search(storage=url, trials=5)
    assert run.status()["trials"]["complete"] == 5
    assert not (run.path / "study.journal").exists()
    other = search(storage=url, trials=3, out=tmp_path / "other")
    assert other.status()["trials"]["complete"] == 3
    assert search(storage=url, trials=7, resume=True).status()["trials"]["complete"] == 7


def test_races_are_the_same_each_time_and_a_search_that_is_gone_on_with_repeats_none(search, tmp_path, foldwise):
    settings = {"trials": 24, "reference_share": 0.0, "sampler": "random"}
    one, same = (search(foldwise(), out=tmp_path / name, **settings).records() for name in ("a", "b"))
    told = [(record.candidate, record.state, record.raced, record.values) for record in one]
    assert told == [(record.candidate, record.state, record.raced, record.values) for record in same]
    assert any(record.raced for record in one)
    evaluator = foldwise()
    before = search(evaluator, **{**settings, "trials": 16}).records()
    run = search(evaluator, **settings, resume=True)
    trained = Counter(evaluator.trained)
    assert set(trained.values()) == {1}, "neither what was finished nor what was stopped is trained again"
    assert [record.candidate for record in run.records()[: len(before)]] == [record.candidate for record in before]
    status = run.status()
    assert status["trials"]["complete"] + status["trials"]["raced"] == 24
    assert status["races"]["saved"] == pytest.approx(1 - len(evaluator.trained) / (24 * foldwise.FOLDS))


def test_packs_are_the_same_each_time_and_a_search_that_is_gone_on_with_repeats_none(search, tmp_path, toy_space, packed):
    space = toy_space(rates=tuple(1e-4 * 1.01**step for step in range(300)))
    settings = {"space": space, "trials": 40, "reference_share": 0.0, "sampler": "random", "recipes": 4}
    one, same = (search(packed(), out=tmp_path / name, **settings).records() for name in ("a", "b"))
    told = [(record.candidate, record.state, record.raced, record.values, record.pack) for record in one]
    assert told == [(record.candidate, record.state, record.raced, record.values, record.pack) for record in same]
    evaluator = packed()
    search(evaluator, **{**settings, "trials": 21})
    run = search(evaluator, **settings, resume=True)
    assert set(Counter(evaluator.trained).values()) == {1}
    status = run.status()
    assert status["trials"]["complete"] + status["trials"]["raced"] == 40
    assert status["races"]["outrun"] == sum("epoch" in record.raced and record.repeat_of is None for record in run.records()) > 0
    assert not any(record.raced for record in run.read().front)
