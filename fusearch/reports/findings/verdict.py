"""The verdict in words: what fusion buys, what searching added, what the recommended design is worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fusearch.amounts import counted
from fusearch.inference import Answers, Step, Team, asks_class, correction_of
from fusearch.inference.claims import Claim
from fusearch.reports.findings.findings import Findings
from fusearch.reports.findings.looks import Numbers, numbers_told
from fusearch.reports.wording import difference, interval_text, metric_label, number, quantity, role_label, signed_number
from fusearch.study import TrialRecord

__all__ = ["AnswerLine", "Verdict", "judge"]

_FUSION = {
    "gain": "Fusion helps",
    "no clear gain": "No clear gain from fusion",
    "loss": "Fusion does not pay here",
    "not estimable": "What fusion buys cannot be told",
}
_SEARCH = {
    "gain": "a searched design beats every simpler one",
    "no clear gain": "searching found no clear gain over the simpler designs",
    "loss": "searching found nothing as good as the simpler designs",
    "not estimable": "what searching added cannot be told",
}
#: What an answer is called, and what is compared.
_SIDES = {
    "fusion": ("Fusion", "the best single modality", "the best design that fuses"),
    "search": ("Searching", "the best reference", "the best design beyond the references"),
}
#: How sure the intervals are.
_SURE = "90 % interval"


@dataclass(frozen=True)
class AnswerLine:
    """One answer, short enough for a row of a table.

    Attributes:
        key: Which answer.
        question: What it answers.
        compared: What is compared with what, or what is scored.
        value: The difference, or the score; empty where it cannot be estimated.
        interval: Its interval; empty where there is none.
        outcome: What may be said; None of a score, unless a guess may be as good.
        sentence: All of it in a sentence.
    """

    key: Literal["constant", "fusion", "search", "pick", "team"]
    question: str
    compared: str
    value: str
    interval: str
    outcome: Claim | None
    sentence: str


@dataclass(frozen=True)
class Verdict:
    """What a run says, by the main objective.

    Attributes:
        answers: The three answers, in numbers.
        num_designs: Number of different graphs that were compared on validation data.
        headline: The verdict in one sentence.
        lines: The answers, one by one.
        notes: What stands below them, in sentences: what the test split said, or what to do next.
    """

    answers: Answers
    num_designs: int
    headline: str
    lines: tuple[AnswerLine, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def sentences(self) -> tuple[str, ...]:
        """What stands below the headline where there are no tables: a sentence for each answer, and the notes."""
        return (*(line.sentence for line in self.lines), *self.notes)


def judge(found: Findings) -> Verdict:
    """Estimate the three answers and put them in words."""
    answers = found.answers
    if not found.complete:
        return Verdict(answers, 0, "No trial has finished, so there is nothing to recommend.")
    lines = [
        *_constant(found, answers.constant),
        _fusion(found, answers.fusion),
        _search(found, answers.search),
        _pick(found, answers),
        *_team(found, answers.team),
    ]
    notes = []
    if found.looks:
        notes += [_on_test(found), *_answers_on_test(found)]
    elif len(found.designs) > 1:
        looked = f"{counted(len(found.designs), 'design')} were compared on validation data"
        notes.append(f"{looked}; confirm the choice on rows that the search has not seen (`fusearch confirm`).")
    return Verdict(answers, len(found.designs), _headline(found, answers), tuple(lines), tuple(notes))


def _headline(found: Findings, answers: Answers) -> str:
    fusion, search = answers.fusion, answers.search
    text = _FUSION[fusion.outcome]
    if fusion.reason == search.reason and fusion.reason is not None:
        text = f"What fusion buys, and what searching added, cannot be told: {fusion.reason}."
    elif fusion.outcome == "not estimable":
        text = f"{text} ({fusion.reason}); {_SEARCH[search.outcome]}{f' ({search.reason})' if search.difference is None else ''}."
    elif search.outcome == "not estimable":
        text = f"{text}{_by(found, fusion)}; {_SEARCH[search.outcome]} ({search.reason})."
    else:
        joined = ", and" if (fusion.outcome == "gain") == (search.outcome == "gain") else ", but"
        text = f"{text}{_by(found, fusion)}{joined} {_SEARCH[search.outcome]}."
    if answers.may_be_a_guess:
        text = f"No design is clearly better than a constant guess. {text}"
    return f"{_so_far(found)}{_contradicted(found, answers)}{text}"


def _contradicted(found: Findings, answers: Answers) -> str:
    """Say first where the first look at the test split speaks against what the search says."""
    if not found.looks:
        return ""
    look, metric = found.looks[0], metric_label(found.main.name)
    for key, step in (("fusion", answers.fusion), ("search", answers.search)):
        seen = look.answers.get(key)
        if step.outcome == "gain" and seen is not None and seen.difference < 0:
            first, second = (_called(found, trial) for trial in seen.trials)
            against = f"{metric} is {difference(seen.difference)} worse there with {second} than with {first}"
            return f"The test split speaks against it: {against}. On validation: "
    seen = look.comparison
    # That a pick which is a simple design itself is a little behind another simple one says nothing against searching.
    claimed = answers.search.outcome == "gain" and look.picked is not None and _is_searched(found, look.picked.trial)
    if seen is None or not (seen.outcome == "loss" or (claimed and seen.difference < 0)):
        return ""
    worse = f"{difference(seen.difference)} {metric} worse than {_called(found, seen.trials[0])}"
    return f"The test split speaks against the pick: it is {worse} there. On validation: "


def _is_searched(found: Findings, trials: Numbers) -> bool:
    numbers = (trials,) if isinstance(trials, int) else trials
    return any(found.trials.kind_of_design(record) == "searched" for record in found.complete if record.number in numbers)


def _so_far(found: Findings) -> str:
    """Say so where the search has not come to its end."""
    if found.trials.state == "finished":
        return ""
    asked = found.config.get("search", {}).get("trials")
    of = f" of {asked:,}" if asked else ""
    return f"So far ({len(found.trials.evaluated):,}{of} trials, the search has not finished): "


def _by(found: Findings, step: Step) -> str:
    if step.outcome == "no clear gain" or step.difference is None:
        return ""
    worse = "better" if step.difference > 0 else "worse"
    return f" ({metric_label(found.main.name)} {difference(step.difference)} {worse} than {_called(found, step.trials[0])})"


def _constant(found: Findings, step: Step) -> list[AnswerLine]:
    """Say how far the best design is from a constant guess, where that is not beyond doubt."""
    if step.difference is None or step.interval is None or step.outcome == "gain":
        return []
    question, best = "Is any design better than a guess?", _called(found, step.trials[1])
    value, interval = _gained(step)
    gained = f"{metric_label(found.main.name)} gains {value} ({_SURE} {interval})"
    sentence = f"Constant: from guessing the same for everyone to the best design ({best}), {gained}: {step.outcome}."
    return [AnswerLine("constant", question, f"the same guess for everyone → {best}", value, interval, step.outcome, sentence)]


def _fusion(found: Findings, step: Step) -> AnswerLine:
    sentence = _step(found, step, *_SIDES["fusion"])
    question = "Does combining modalities help?"
    return AnswerLine("fusion", question, _compared(found, step), *_gained(step), step.outcome, sentence)


def _search(found: Findings, step: Step) -> AnswerLine:
    sentence = _step(found, step, *_SIDES["search"])
    question = "Did searching find more than simple designs?"
    return AnswerLine("search", question, _compared(found, step), *_gained(step), step.outcome, sentence)


def _compared(found: Findings, step: Step) -> str:
    if step.difference is None:
        return step.reason or ""
    return f"{_called(found, step.trials[0])} → {_called(found, step.trials[1])}"


def _gained(step: Step | Team) -> tuple[str, str]:
    """Return the difference and its interval as they are written; empty where there are none."""
    if step.difference is None or step.interval is None:
        return "", ""
    return signed_number(step.difference), interval_text(step.interval, signed=True)


def _step(found: Findings, step: Step, what: str, first: str, second: str) -> str:
    value, interval = _gained(step)
    if not value:
        return f"{what}: not estimable, {step.reason}."
    than = f"{first} ({_called(found, step.trials[0])}) to {second} ({_called(found, step.trials[1])})"
    aim = "" if found.main.aim == "more" else ", where above 0 is better"
    gained = f"{metric_label(found.main.name)} gains {value} ({_SURE} {interval}){aim}"
    because = f", as {step.reason}" if step.reason else ""
    taken = ", with the classes that an export takes" if asks_class(found.main) else ""
    return f"{what}: from {than}, {gained}: {step.outcome}{because}. Chosen and scored on different rows{taken}."


def _pick(found: Findings, answers: Answers) -> AnswerLine:
    question, pick = "How good is the recommended design?", answers.pick
    record = found.recommended
    if record is None or pick.plain is None:
        return AnswerLine("pick", question, "nothing can be recommended", "", "", None, "Nothing can be recommended.")
    metric = metric_label(found.main.name)
    at = f" at {', '.join(quantity(name, value) for name, value in pick.cost.items())}" if pick.cost else ""
    called = _called(found, pick.trial)
    word = "Picked, though it may be no better than a guess" if answers.may_be_a_guess else "Recommended"
    picked = f"{word}: {called}{at}, {_why(found, record)}"
    plain = f"{number(pick.plain)} as the search saw it{', of the most probable class' if asks_class(found.main) else ''}"
    if found.main.cost:
        sentence = f"Recommended: {called}{at}, the cheapest: searched was for cost alone, so nothing is said of how good it is."
        return AnswerLine("pick", question, f"{called}: {pick.reason}", "", "", "not estimable", sentence)
    if pick.score is None or pick.interval is None:
        sentence = f"{picked}: {metric} {plain}, which is too good by the luck of the choice."
        return AnswerLine("pick", question, f"{called}: {pick.reason}", "", "", "not estimable", sentence)
    interval = interval_text(pick.interval)
    told = _at_threshold(found, record)
    sentence = f"{picked}: {metric} {number(pick.score)} after selection ({_SURE} {interval}; {plain}).{told}"
    outcome = answers.constant.outcome if answers.may_be_a_guess else None
    return AnswerLine("pick", question, f"{called}, after selection", number(pick.score), interval, outcome, sentence)


def _at_threshold(found: Findings, record: TrialRecord) -> str:
    """Say what the metric is where classes are taken as an export takes them, if that is not the most probable one."""
    correction = correction_of(found.trials, [record])
    if correction is None:
        return ""
    scores = f"{number(correction.score)} instead of {number(correction.plain)}"
    return f" An export takes classes at a fitted threshold: {scores} on rows that it was not fitted on."


def _team(found: Findings, team: Team) -> list[AnswerLine]:
    """Say what a few designs together are worth, where there are several that make the mean better."""
    if team.difference is None or team.interval is None or team.score is None or len(team.trials) < 2:
        return []
    metric = metric_label(found.main.name)
    names = ", ".join(map(str, team.trials))
    value, interval = _gained(team)
    at = f" at {', '.join(quantity(name, each) for name, each in team.cost.items())} in all" if team.cost else ""
    aim = "" if found.main.aim == "more" else ", where above 0 is better"
    score = f"{metric} {number(team.score)} after selection{at}"
    gained = f"over the recommended design it gains {value} ({_SURE} {interval}){aim}: {team.outcome}"
    advice = "Recommended where its cost is no matter: export it with `--pick team`." if team.recommended else "Not recommended."
    sentence = f"Team: the mean of trials {names} has {score}; {gained}. {advice}"
    return [AnswerLine("team", "Are a few designs together better?", f"mean of trials {names}", value, interval, team.outcome, sentence)]


def _why(found: Findings, record: TrialRecord) -> str:
    criteria = found.trials.criteria
    by = "" if criteria == (found.main,) else f" by {' and '.join(metric_label(each.name) for each in criteria)}"
    if record.standard_error(found.main.name) is None:
        return f"the best{by}, as one fold cannot tell which designs are as good"
    return f"the cheapest design within one standard error of the best{by}, fold by fold"


def _called(found: Findings, trial: Numbers | None) -> str:
    """Return what a design is called in a sentence: its modality where it has one, its role, or its trial."""
    if isinstance(trial, tuple):
        return numbers_told(trial)
    record = next((each for each in found.complete if each.number == trial), None)
    if record is None:
        return "none"
    graph = found.graphs.get(record.digest)
    if graph is not None and not graph.fusions:
        return f"{', '.join(dict.fromkeys(stream.modality for stream in graph.streams))} alone, trial {record.number}"
    role = found.roles.get(record.digest)
    return f"{role_label(role)}, trial {record.number}" if role else f"trial {record.number}"


def _on_test(found: Findings) -> str:
    """Tell what the first look at the test split said of the pick and of the reference that was the best in the search."""
    look = found.looks[0]
    where = f"On the test split ({counted(look.samples, 'sample')}, look 1 of {len(found.looks)})"
    metric = metric_label(found.main.name)
    sure = f" ({_SURE} {interval_text(look.interval)})" if look.interval else ""
    has = (
        f" the pick, {numbers_told(look.picked.trial)}, has {metric} {number(look.picked.test)}{sure}"
        if look.picked
        else " nothing was picked"
    )
    has += "; it is itself the best reference of the search" if look.picked_best_reference else ""
    seen = look.comparison
    if seen is None:
        return f"{where}{has}{', and there is no other to compare it with' if look.picked_best_reference else ''}."
    interval = interval_text(seen.interval, signed=True)
    against = f"against {_called(found, seen.trials[0])}, {look.against}, it gains {signed_number(seen.difference)}"
    return f"{where}{has}; {against} ({_SURE} {interval}): {seen.outcome}{_corrected(found)}."


def _corrected(found: Findings) -> str:
    return f", corrected for {len(found.looks)} looks" if len(found.looks) > 1 else ""


def _answers_on_test(found: Findings) -> list[str]:
    """Tell what the first look said of the designs that the answers on fusion and searching name."""
    look, told = found.looks[0], []
    for key, seen in look.answers.items():
        what, first, second = _SIDES[key]
        than = f"{first} ({_called(found, seen.trials[0])}) to {second} ({_called(found, seen.trials[1])})"
        gained = f"{metric_label(found.main.name)} gains {signed_number(seen.difference)}"
        aim = "" if found.main.aim == "more" else ", where above 0 is better"
        interval = f"({_SURE} {interval_text(seen.interval, signed=True)}){aim}"
        told.append(f"{what} on the test split: from {than}, {gained} {interval}: {seen.outcome}{_corrected(found)}.")
    return told
