"""Several recipes of a design in one job: which they are, how they race, and what becomes of them."""

from dataclasses import replace

import optuna
import pytest

from fusearch.contracts import Evaluation, Objective, Outrun
from fusearch.errors import RunError
from fusearch.search.interrupts import Interrupts
from fusearch.search.job import Outcome, outcomes
from fusearch.search.sampler import SAMPLERS, KnowsCosts
from fusearch.search.session import Session
from fusearch.settings import Settings
from fusearch.study import read_records

optuna.logging.set_verbosity(optuna.logging.WARNING)
OBJECTIVES = (Objective.parse("score:max"), Objective.parse("macs"))
RATES = tuple(1e-4 * 1.01**step for step in range(300))


@pytest.fixture
def space(toy_space):
    return toy_space(rates=RATES)


@pytest.fixture
def study():
    return optuna.create_study(directions=["maximize", "minimize"], sampler=optuna.samplers.RandomSampler(seed=0))


@pytest.fixture
def open_session(study, space, tmp_path):
    (tmp_path / "predictions").mkdir()

    def build(evaluator, **settings):
        return Session(
            study,
            space,
            evaluator,
            objectives=OBJECTIVES,
            settings=Settings(**{"reference_share": 0.0, "trials": 20, "recipes": 4, **settings}),
            folder=tmp_path,
            interrupts=Interrupts(),
        )

    return build


def drawn(session):
    """Go past the references, and return the first job of a design that the sampler drew."""
    while not (job := session.next_job()).siblings:
        session.finish(job.number, Outcome(reason=f"not of interest {'abc'[job.number % 3]}"))
    return job


def run(session, evaluator):
    jobs = []
    while (job := session.next_job()) is not None:
        jobs.append(job)
        for number, outcome in outcomes(evaluator, job):
            session.finish(number, outcome)
    return jobs


def records(study):
    return read_records(study, ["score", "macs"])


def candidates(job):
    return [job.candidate, *(sibling.candidate for sibling in job.siblings)]


def test_recipes_of_one_graph_and_width_are_trials_of_their_own(study, open_session, packed):
    evaluator = packed()
    job = drawn(open_session(evaluator))
    assert len(job.numbers) == 4
    assert len({candidate.digest for candidate in candidates(job)}) == 4
    assert len({(candidate.graph.digest, candidate.recipe.width) for candidate in candidates(job)}) == 1
    assert len({candidate.recipe.learning_rate for candidate in candidates(job)}) == 4
    for number, candidate in zip(job.numbers, candidates(job), strict=True):
        record = records(study)[number]
        assert (record.state, record.candidate, record.pack) == ("running", candidate.digest, job.number)
        assert "fixed_params" not in study.trials[number].system_attrs, "the sampler drew them"


@pytest.mark.parametrize("name", SAMPLERS)
def test_every_sampler_draws_recipes_and_learns_from_them(name, study, space, open_session, packed):
    evaluator = packed()
    session = open_session(evaluator, trials=40)
    study.sampler = SAMPLERS[name](space, 0, 8)
    if isinstance(study.sampler, KnowsCosts):
        study.sampler.know(OBJECTIVES, session.bounds)
    sampler, jobs = study.sampler, run(session, evaluator)
    assert study.sampler is sampler
    assert sum(len(job.numbers) for job in jobs) == 40
    assert sum(len(job.siblings) for job in jobs) >= 10
    for job in jobs:
        assert len({(candidate.graph.digest, candidate.recipe.width) for candidate in candidates(job)}) == 1
        for number, candidate in zip(job.numbers, candidates(job), strict=True):
            assert not job.siblings or space.decode(study.trials[number].params) == candidate, "samplers see its parameters"


@pytest.mark.parametrize("trials", [10, 11, 12])
def test_trials_are_counted_and_the_last_pack_is_cut(study, open_session, packed, trials):
    evaluator = packed()
    session = open_session(evaluator, trials=trials)
    sizes = [len(job.numbers) for job in run(session, evaluator) if session.queue.role(job.candidate.graph) is None]
    assert sizes == {10: [4, 2], 11: [4, 3], 12: [4, 4]}[trials]
    assert sum(record.repeat_of is None for record in records(study)) == trials
    assert open_session(evaluator, trials=trials).next_job() is None


def test_the_worse_half_is_pruned_with_its_epoch_and_without_values(study, open_session, packed):
    evaluator = packed()
    session = open_session(evaluator, races="off")
    run(session, evaluator)
    outrun = [record for record in records(study) if record.raced and record.repeat_of is None]
    assert len(outrun) == sum(len(digests) // 2 for digests in evaluator.packs) >= 6
    for record in outrun:
        assert (record.state, record.values, record.objectives, record.details.get("members")) == ("pruned", {}, {}, None)
        assert record.raced["epoch"] == 4
        assert record.raced["place"] > (record.raced["recipes"] + 1) // 2
        assert record.reason == Outrun(**record.raced).reason
        assert (study.trials[record.number].values, study.trials[record.number].intermediate_values) == (None, {})
        others = [other for other in records(study) if other.pack == record.pack and other.evaluated]
        assert all(other.values["score"] > evaluator.fold_score(candidate_of(study, record, session), 0) - 0.05 for other in others)
        assert record.partial("score") is None, "no look at what it is worth"


def candidate_of(study, record, session):
    return session._space.decode(study.trials[record.number].params)


def test_a_recipe_that_was_outrun_is_answered_from_the_study_also_after_a_resume(study, open_session, packed):
    evaluator = packed()
    session = open_session(evaluator, races="off")
    run(session, evaluator)
    first = next(record for record in records(study) if record.raced)
    again = open_session(evaluator, trials=21)
    again.queue.put(candidate_of(study, first, session))
    assert again.next_job() is not None
    repeat = next(record for record in records(study) if record.repeat_of == first.number)
    assert (repeat.state, repeat.raced, repeat.reason) == ("pruned", first.raced, first.reason)


def test_recipes_race_over_folds_too_and_each_is_told_when_it_has_lost(study, open_session, packed):
    evaluator = packed()
    session = open_session(evaluator, trials=60)
    told = []
    while (job := session.next_job()) is not None:
        for number, outcome in outcomes(evaluator, job):
            told.append((job.number, number, outcome))
            session.finish(number, outcome)
    found = records(study)
    behind = [record for record in found if "folds" in record.raced and record.repeat_of is None and record.pack is not None]
    assert behind, "some lost against a finished design"
    for record in behind:
        folds = record.raced["folds"]
        assert evaluator.trained.count((record.candidate, folds - 1)) == 1
        assert (record.candidate, folds) not in evaluator.trained
    for leader in {leader for leader, *_ in told}:
        folds = [len(outcome.evaluation.details["members"]) if outcome.evaluation else 0 for at, _, outcome in told if at == leader]
        assert folds == sorted(folds), "what ends early is told early"
    assert sum(record.repeat_of is None for record in found) == 60


def test_what_was_asked_for_by_name_has_one_recipe(study, space, open_session, packed):
    evaluator = packed()
    session = open_session(evaluator, reference_share=0.6)
    session.queue.put(
        space.decode({"num_fusions": 1, "f1.depth": 2, "f1.operator": "sum", "recipe.width": 8, "recipe.learning_rate": RATES[0]})
    )
    run(session, evaluator)
    found = records(study)
    assert sum(record.reference is not None and record.repeat_of is None for record in found) >= 10
    for record in found:
        if record.reference is not None or record.number == 0:
            assert record.pack is None
    assert any(record.pack is not None for record in found)


def test_without_numbers_to_draw_a_design_has_one_recipe(study, toy_space, open_session, packed, monkeypatch):
    evaluator = packed()
    session = open_session(evaluator)
    session._space = session.queue._space = toy_space()
    assert {len(job.numbers) for job in run(session, evaluator)} == {1}


@pytest.mark.parametrize(("usual", "size"), [(1, 1), (3, 3)])
def test_where_nobody_says_the_evaluator_does(open_session, packed, toy_evaluator, usual, size):
    evaluator = packed()
    evaluator.USUAL = usual
    jobs = run(open_session(evaluator, recipes=None), evaluator)
    assert max(len(job.numbers) for job in jobs) == size


def test_where_they_cannot_be_evaluated_together_recipes_come_one_after_the_other(study, open_session, foldwise, toy_evaluator):
    for evaluator in (foldwise(), toy_evaluator):
        session = open_session(evaluator, trials=len(study.trials) + 20)
        assert any(len(job.numbers) == 4 for job in run(session, evaluator))
    assert not any("epoch" in record.raced for record in records(study))


def test_what_is_in_flight_is_given_back_and_comes_back_as_one_pack_that_does_not_race(study, open_session, packed):
    evaluator = packed()
    session = open_session(evaluator)
    job = drawn(session)
    session.finish(job.numbers[2], Outcome(lost=Outrun(4, 4, 4)))
    session.interrupt("interrupted by SIGINT")
    again = open_session(evaluator)
    back = again.next_job()
    left = [candidate for place, candidate in enumerate(candidates(job)) if place != 2]
    assert candidates(back) == left
    assert (back.halving, {each.race for each in (back, *back.siblings)}) == (False, {None})
    for number, outcome in outcomes(evaluator, back):
        again.finish(number, outcome)
    assert evaluator.packs == [[candidate.digest for candidate in left]]
    assert {records(study)[number].state for number in back.numbers} == {"complete"}


def test_a_killed_driver_loses_only_what_is_unfinished_and_nothing_is_told_twice(study, open_session, packed):
    evaluator = packed()
    session = open_session(evaluator, trials=60)
    job = drawn(session)
    told = {}
    for number, outcome in outcomes(evaluator, job):
        told[number] = outcome
        session.finish(number, outcome)
        if len(told) == 3:
            break  # killed here
    before = {number: study.trials[number] for number in told}
    again = open_session(evaluator, trials=60)
    assert {number: study.trials[number] for number in told} == before
    back = again.next_job()
    (missing,) = set(job.numbers) - set(told)
    assert candidates(back) == [dict(zip(job.numbers, candidates(job), strict=True))[missing]]


def test_designs_that_someone_else_queued_meanwhile_are_no_siblings(open_session, packed, space):
    """A pack has one graph and one width; another design in the job is evaluated after it."""
    evaluator = packed()
    job = drawn(open_session(evaluator))
    other = next(
        candidate for candidate in (space.decode(params) for params in space._params.values()) if candidate.graph != job.candidate.graph
    )
    mixed = replace(job, siblings=(*job.siblings, replace(job.siblings[0], number=99, candidate=other)))
    assert [number for number, _ in outcomes(evaluator, mixed)][-1] == 99
    assert len(evaluator.packs[-1]) == 4


def test_recipes_of_one_design_that_fail_are_one_failure_of_it(study, open_session, packed):
    """Neither does the search give up after the first design, nor is one of its operators to blame."""
    evaluator, told = packed(), []
    session = open_session(evaluator, trials=40)
    session._callback = told.append
    for _ in range(3):
        session.finish(session.next_job().number, Outcome(reason="alike"))
    job = drawn(session)
    for number in job.numbers:
        session.finish(number, Outcome(reason="alike"))
    assert session.stop_reason is None
    assert told[-1].blamed == ()
    assert told[-1].failed >= 7


def test_the_time_left_knows_that_the_trials_of_a_pack_are_the_work_of_one_worker(open_session, packed, monkeypatch):
    """Packs of four take 8 s, one after the other."""
    now, told = [100.0], []
    monkeypatch.setattr("fusearch.search.session.time.monotonic", lambda: now[0])
    session = open_session(packed(), trials=43, races="off")
    session._callback = told.append
    while (job := session.next_job()) is not None:
        now[0] += 2.0 * len(job.numbers)
        for number in job.numbers:
            session.finish(number, Outcome(Evaluation({"score": 0.5, "macs": 1.0}), seconds=2.0, worker=1))
    later = [progress for progress in told if progress.done >= 10 and progress.running == 0]
    assert later
    assert [progress.seconds_left for progress in later] == [pytest.approx(2.0 * (43 - progress.done)) for progress in later]


def test_an_evaluator_that_lacks_a_part_of_packs_is_told_so(search, foldwise, packed):
    class Partial(foldwise):
        recipes, usual_recipes = packed.recipes, packed.usual_recipes

    with pytest.raises(RunError, match="the evaluator has recipes, but not price_of_look: a PackEvaluator needs each of them"):
        search(Partial(), trials=3)
