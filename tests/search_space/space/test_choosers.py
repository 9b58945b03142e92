from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fusearch.errors import SpaceError
from fusearch.search_space.space.choosers import AnswerChooser, Chooser, MutatingChooser, RandomChooser, ReplayChooser, TrialChooser


def ask(chooser: Chooser) -> tuple[Any, ...]:
    return (
        chooser.pick("kind", ("a", "b", "c"), "kind.long"),
        chooser.pick("only", ("x",)),
        chooser.whole("count", 0, 3),
        chooser.whole("fixed", 2, 2),
        chooser.real("rate", 1e-3, 1e-1),
    )


class Trial:
    """Notes what it is asked and takes the last choice."""

    def __init__(self) -> None:
        self.asked: dict[str, Any] = {}

    def suggest_categorical(self, name: str, choices: Any) -> Any:
        self.asked[name] = choices
        return choices[-1]

    def suggest_int(self, name: str, low: int, high: int) -> int:
        self.asked[name] = (low, high)
        return high

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        self.asked[name] = (low, high, log)
        return high


def test_a_trial_is_asked_only_where_there_is_a_choice() -> None:
    trial = Trial()
    assert ask(TrialChooser(trial)) == ("c", "x", 3, 2, 1e-1)
    assert trial.asked == {"kind.long": ["a", "b", "c"], "count": (0, 3), "rate": (1e-3, 1e-1, True)}


def test_chance_reaches_every_choice_and_stays_in_range() -> None:
    rng = np.random.default_rng(0)
    drawn = [ask(RandomChooser(rng)) for _ in range(300)]
    assert {item[0] for item in drawn} == {"a", "b", "c"}
    assert {item[2] for item in drawn} == {0, 1, 2, 3}
    rates = np.array([item[4] for item in drawn])
    assert rates.min() >= 1e-3
    assert rates.max() <= 1e-1
    assert 0.35 < float(np.mean(rates < 1e-2)) < 0.65  # the middle of a logarithmic scale


def test_decisions_can_be_repeated() -> None:
    first = RandomChooser(np.random.default_rng(1))
    answers = ask(first)
    assert ask(ReplayChooser(first.params)) == answers
    assert set(first.params) == {"kind.long", "count", "rate"}


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "parameter 'kind.long' is missing"),
        ({"kind.long": "z"}, "is 'z': this space offers"),
        ({"kind.long": "a", "count": 9}, "parameter 'count' is 9"),
        ({"kind.long": "a", "count": 1}, "parameter 'rate' is missing"),
        ({"kind.long": "a", "count": 1, "rate": 1.0}, "parameter 'rate' is 1.0: this space offers 0.001 to 0.1"),
        ({"kind.long": "a", "count": True, "rate": 0.01}, "parameter 'count' is True"),
    ],
)
def test_replay_refuses_what_does_not_fit(params: dict[str, Any], message: str) -> None:
    with pytest.raises(SpaceError, match=message):
        ask(ReplayChooser(params))


def test_answers_go_by_key_and_are_checked_even_without_a_choice() -> None:
    answers = {"kind": "b", "only": "x", "count": 2, "rate": 0.05}
    assert ask(AnswerChooser(answers)) == ("b", "x", 2, 2, 0.05)
    with pytest.raises(SpaceError, match="only is 'y': this space offers"):
        ask(AnswerChooser({**answers, "only": "y"}))
    with pytest.raises(SpaceError, match="the design does not say 'kind'"):
        ask(AnswerChooser({}))


def test_mutation_changes_what_it_should_and_keeps_the_rest() -> None:
    rng = np.random.default_rng(2)
    params = {"kind.long": "a", "count": 2, "rate": 0.02}
    for _ in range(50):
        kind, _, count, _, rate = ask(MutatingChooser(rng, params, {"kind.long"}))
        assert kind in ("b", "c")
        assert (count, rate) == (2, 0.02)
        assert ask(MutatingChooser(rng, params, {"rate"}))[4] != 0.02
    # A decision that no longer fits is drawn anew.
    assert ask(MutatingChooser(rng, {**params, "kind.long": "z"}))[0] in ("a", "b", "c")
