"""Jobs of several recipes of a design, which are evaluated together."""

import os
import time
from dataclasses import replace

import pytest

from fusearch.contracts import Evaluation, Objective, Outrun, PackNews
from fusearch.errors import EvaluationError
from fusearch.inference.race import Race, Rival
from fusearch.search.job import outcomes


@pytest.fixture
def pack(job):
    """A job of three trials of one design."""
    siblings = tuple(replace(job, number=number, candidate=rated(job, number)) for number in (8, 9))
    return replace(job, siblings=siblings, halving=True)


def rated(job, number):
    return replace(job.candidate, recipe=replace(job.candidate.recipe, learning_rate=1e-4 * number))


class Together:
    """Evaluates recipes at once by a script: what is given in turn, or raised."""

    PRICE = 0.0

    def __init__(self, *script, seconds=0.0):
        self.script, self.seconds, self.asked = script, seconds, []

    def __call__(self, candidate, budget, report):
        raise AssertionError("they are evaluated together")

    def by_fold(self, candidate, budget, report):
        raise AssertionError

    def usual_recipes(self, candidate):
        return 1

    def price_of_look(self, candidate, budget, recipes=1):
        return self.PRICE

    def recipes(self, candidates, budget, report, *, by_fold, halving, goes_on):
        self.asked.append(([candidate.recipe.learning_rate for candidate in candidates], by_fold, halving))
        for step in self.script:
            time.sleep(self.seconds)
            if isinstance(step, BaseException):
                raise step
            yield step


WHOLE = Evaluation({"score": 0.5})


def test_each_recipe_of_a_pack_is_told_as_it_becomes_known_and_their_times_add_up(pack):
    evaluator = Together(PackNews(1, Outrun(20, 3, 3)), PackNews(2, WHOLE), PackNews(0, EvaluationError("loss is nan")), seconds=0.02)
    started = time.perf_counter()
    told = list(outcomes(evaluator, pack))
    wall = time.perf_counter() - started
    assert evaluator.asked == [([each.candidate.recipe.learning_rate for each in (pack, *pack.siblings)], False, True)]
    assert [number for number, _ in told] == [8, 9, 7]
    assert [outcome.lost for _, outcome in told] == [Outrun(20, 3, 3), None, None]
    assert [outcome.reason for _, outcome in told] == [None, None, "loss is nan"]
    assert dict(told)[9].evaluation == WHOLE
    seconds = [outcome.seconds for _, outcome in told]
    assert seconds == sorted(seconds)
    assert 0.06 <= sum(seconds) <= wall
    assert {outcome.worker for _, outcome in told} == {os.getpid()}


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        ((ValueError("boom"),), "ValueError: boom (test_job_packs.py:"),
        ((SystemExit("bye"),), "SystemExit: bye (test_job_packs.py:"),
        ((), "the evaluator told nothing of it"),
        ((PackNews(0, Evaluation({"score": 0.1}), is_last=False),), "the evaluator told nothing of it"),
    ],
)
def test_what_ends_a_pack_is_the_reason_of_all_that_were_open_and_of_no_other(pack, end, reason):
    told = list(outcomes(Together(PackNews(1, WHOLE), *end), pack))
    assert [number for number, _ in told] == [8, 7, 9]
    assert told[0][1].reason is None
    assert all(outcome.reason.startswith(reason) for _, outcome in told[1:])


def test_a_value_that_is_not_finite_is_the_failure_of_its_recipe_alone(pack):
    evaluator = Together(PackNews(0, Evaluation({"score": float("nan")})), PackNews(1, WHOLE), PackNews(2, WHOLE))
    told = dict(outcomes(evaluator, pack))
    assert told[7].reason == "metric 'score' is nan, expected a finite number"
    assert told[8].reason is told[9].reason is None


def test_a_pack_has_the_time_of_its_trials_together(pack, free_alarm):
    limited = replace(pack, seconds=0.1)
    evaluator = Together(PackNews(1, WHOLE), PackNews(0, WHOLE), PackNews(2, WHOLE), seconds=0.2)
    told = dict(outcomes(evaluator, limited))
    assert told[8].reason is None
    assert {told[7].reason, told[9].reason} == {"stopped after 0.3 seconds, the time limit of 3 trials"}


def test_a_recipe_that_has_lost_over_folds_is_wanted_no_more(pack):
    race = Race((Objective.parse("score:max"),), (Rival(3, {"score": dict.fromkeys(range(5), 0.9)}, {"score": 0.01}),))
    wanted = []

    class Asking(Together):
        def recipes(self, candidates, budget, report, *, by_fold, halving, goes_on):
            assert by_fold
            for fold in range(5):
                for place, value in enumerate((0.9, 0.2, 0.9)):
                    if goes_on(place):
                        members = [{"fold": each, "seed": 0, "metrics": {"score": value}} for each in range(fold + 1)]
                        yield PackNews(place, Evaluation({"score": value}, details={"members": members}), is_last=fold == 4)
                wanted.append([place for place in range(3) if goes_on(place)])

    told = dict(outcomes(Asking(), replace(pack, race=race, siblings=tuple(replace(each, race=race) for each in pack.siblings))))
    assert (told[8].lost.rival, told[8].lost.folds) == (3, 1)
    assert len(told[8].evaluation.details["members"]) == 1
    assert told[7].lost is told[9].lost is None
    assert wanted[:2] == [[0, 2], [0, 2]]


def test_an_evaluator_that_knows_no_packs_is_called_for_each_recipe(pack):
    told = list(outcomes(lambda candidate, budget, report: {"rate": candidate.recipe.learning_rate}, pack))
    assert [(number, outcome.evaluation["rate"]) for number, outcome in told] == [
        (7, pack.candidate.recipe.learning_rate),
        (8, pytest.approx(8e-4)),
        (9, pytest.approx(9e-4)),
    ]


def test_recipes_race_or_not_together_and_the_price_is_that_of_all(pack, race, packed):
    asked = []

    class Priced(packed):
        def price_of_look(self, candidate, budget, recipes=1):
            asked.append(recipes)
            return 0.5

    for share, lost in ((0.4, 0), (0.6, 3)):
        raced = [replace(each, race=replace(race, lost_at_once=share)) for each in (pack, *pack.siblings)]
        told = list(outcomes(Priced(), replace(raced[0], siblings=tuple(raced[1:]), halving=False)))
        assert sum(outcome.lost is not None for _, outcome in told) == lost
    assert asked == [3, 3]
