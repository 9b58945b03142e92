"""What the test split said: validation and test side by side, from the `confirm.json` that `fusearch confirm` writes into a run folder."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

from fusearch.amounts import counted
from fusearch.contracts import Objective
from fusearch.errors import RunError
from fusearch.inference.claims import Claim
from fusearch.inference.paired import PairedDifference, holm
from fusearch.layout import CONFIRMATION
from fusearch.reports.wording import difference, interval_text, metric_label, number, role_label, signed_number

__all__ = ["Confirmed", "Look", "Numbers", "OnTest", "look_sentence", "numbers_told", "pick_sentence", "read_looks", "role_in_look"]

#: The number of a trial; of a team the numbers of several.
Numbers = int | tuple[int, ...]


@dataclass(frozen=True)
class Confirmed:
    """One design on the test split.

    Attributes:
        role: `picked`, the role of a reference, or `front`.
        trial: Its trial; of a team several.
        digest: Its graph; of a team several, joined by `+`.
        search: The metric as the search saw it on validation rows, None where it did not.
        test: The metric on the test split.
    """

    role: str
    trial: Numbers
    digest: str
    search: float | None
    test: float

    @property
    def numbers(self) -> str:
        """Its trial, or its trials, as they stand in a table."""
        return str(self.trial) if isinstance(self.trial, int) else ", ".join(map(str, self.trial))


@dataclass(frozen=True)
class OnTest:
    """Two designs on the test split.

    Attributes:
        trials: The trial of the first one, and that of the second; of a team several.
        difference: By how much the second is better; negative where it is worse.
        interval: 5 % and 95 % quantile of that.
        p: p-value of a gain, corrected for the number of looks.
        outcome: What may be said.
    """

    trials: tuple[int, Numbers]
    difference: float
    interval: tuple[float, float]
    p: float
    outcome: Claim


@dataclass(frozen=True)
class Look:
    """One look at the test split.

    Attributes:
        number: 1 for the first, which is the one that counts.
        samples: Rows of the test split.
        designs: What was looked at.
        comparison: The pick against the reference that was the best in the search, or the next best, where it is that itself; None where
            there is nothing to compare, and in looks of version 0.1.0.
        optimism: By how much the designs looked better on validation rows than on the test split, on average; None where not known.
        interval: 5 % and 95 % quantile of the pick's metric; None where it is not known.
        picked_best_reference: Whether the pick is itself the reference that was the best in the search.
        answers: The two designs that the answers on `fusion` and `search` name; without those that could not be compared.
    """

    number: int
    samples: int
    designs: tuple[Confirmed, ...]
    comparison: OnTest | None
    optimism: float | None
    interval: tuple[float, float] | None = None
    picked_best_reference: bool = False
    answers: Mapping[str, OnTest] = field(default_factory=dict)

    @property
    def picked(self) -> Confirmed | None:
        """The design that was picked; None where its metric is undefined."""
        return next((design for design in self.designs if design.role == "picked"), None)

    @property
    def against(self) -> str:
        """What the pick is compared with, in words."""
        return "the next best one" if self.picked_best_reference else "the best reference of the search"


def read_looks(folder: Path, objective: Objective) -> tuple[Look, ...]:
    """Return the looks at the test split by one metric, the first look first; none where nothing was confirmed.

    Raises:
        RunError: The file is there but cannot be read.
    """
    path = folder / CONFIRMATION
    if not path.is_file():
        return ()
    try:
        looks = json.loads(path.read_text(encoding="utf-8"))["looks"]
        compared = _compared([look.get("comparison") for look in looks], objective)
        answers = {key: _compared([look.get("answers", {}).get(key) for look in looks], objective) for key in ("fusion", "search")}
        of_each = [{key: seen[place] for key, seen in answers.items()} for place in range(len(looks))]
        return tuple(map(_look, looks, [objective] * len(looks), compared, of_each))
    except (OSError, ValueError, KeyError, TypeError):
        raise RunError(f"cannot read {str(path)!r}, which tells the looks at the test split") from None


def look_sentence(look: Look) -> str:
    """Say how many samples a look saw, what it told of the search, and that only the first one counts."""
    gap = ""
    if look.optimism is not None:
        gap = f"; on average the designs looked {difference(look.optimism)} {'worse' if look.optimism < 0 else 'better'} on validation"
    again = "" if look.number == 1 else ", which no longer tells the truth where the first look changed the choice"
    return f"Look {look.number}{again}: {counted(look.samples, 'sample')}{gap}."


def pick_sentence(look: Look, metric: str) -> str:
    """Say how good the pick is on the test split, and how it did against the reference; empty where nothing is known."""
    told = []
    if look.picked is not None and look.interval is not None:
        score = f"{metric_label(metric)} {number(look.picked.test)} (90 % interval {interval_text(look.interval)})"
        told.append(f"The pick ({numbers_told(look.picked.trial)}) has {score}.")
    if look.picked_best_reference:
        alone = "" if look.comparison else ", and there is no other to compare it with"
        told.append(f"It is itself the best reference of the search{alone}.")
    seen = look.comparison
    if seen is None:
        return " ".join(told)
    gained = f"{metric_label(metric)} gains {signed_number(seen.difference)} (90 % interval {interval_text(seen.interval, signed=True)})"
    return " ".join(
        [*told, f"From {look.against} (trial {seen.trials[0]}) to the pick ({numbers_told(seen.trials[1])}) {gained}: {seen.outcome}."]
    )


def numbers_told(trial: Numbers) -> str:
    """Return what a design of a look is called in a sentence.

    Example:
        >>> numbers_told(9), numbers_told((3, 5))
        ('trial 9', 'the mean of trials 3, 5')
    """
    return f"trial {trial}" if isinstance(trial, int) else f"the mean of trials {', '.join(map(str, trial))}"


def role_in_look(role: str) -> str:
    """Return what a design of a look is, in words."""
    return {"picked": "picked", "front": "on the front", "reference": "compared", "compared": "compared"}.get(
        role, role_label(role).removeprefix("the ")
    )


def _compared(told: Sequence[Mapping[str, Any] | None], objective: Objective) -> list[OnTest | None]:
    """Return what each look says of one question, corrected for the number of looks that ask it."""
    corrected = iter(holm([each["p"] for each in told if each]))
    return [None if each is None else _comparison(each, objective, next(corrected)) for each in told]


def _comparison(told: Mapping[str, Any], objective: Objective, p: float) -> OnTest | None:
    if told["metric"] != objective.name:
        return None
    low, high = told["interval"]
    first, second = told["trials"]
    difference = PairedDifference(told["difference"], (low, high), told["p"])
    return OnTest((first, _numbers(second)), told["difference"], (low, high), p, difference.claim(p))


def _numbers(told: int | list[int]) -> Numbers:
    return tuple(told) if isinstance(told, list) else told


def _look(look: Mapping[str, Any], objective: Objective, comparison: OnTest | None, answers: Mapping[str, OnTest | None]) -> Look:
    name = objective.name
    designs = tuple(
        Confirmed(design["role"], _numbers(design["trial"]), design["digest"], design["search"].get(name), design["values"][name])
        for design in look["designs"]
        if name in design["values"]
    )
    gaps = {design.trial: objective.gain(design.search, design.test) for design in designs if design.search is not None}
    optimism, is_best = fmean(gaps.values()) if gaps else None, bool(look.get("picked_best_reference"))
    known = {key: seen for key, seen in answers.items() if seen is not None}
    return Look(look["look"], look["samples"], designs, comparison, optimism, _interval(look.get("score"), name), is_best, known)


def _interval(told: Mapping[str, Any] | None, metric: str) -> tuple[float, float] | None:
    if told is None or told["metric"] != metric:
        return None
    low, high = told["interval"]
    return low, high
