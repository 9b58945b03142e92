"""The verdict: did fusion design buy anything, against which reference, and how sure is that?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

from fusearch.reports.findings import Findings, standard_error
from fusearch.reports.wording import count, metric_label, number, role_label, sentence_case, with_spread
from fusearch.study import TrialRecord

__all__ = ["Verdict", "expected_luck", "judge"]

Outcome = Literal["nothing", "references only", "no references", "reference wins", "no clear gain", "search wins"]


@dataclass(frozen=True)
class Verdict:
    """What a run says, by the main objective.

    Attributes:
        outcome: Which of the cases it is.
        best: The best design that the search proposed beyond the references, if any.
        reference: The best reference, if any.
        role: Its role.
        gain: By how much `best` is better than `reference` (negative: worse).
        error: Standard error of the gain: the two standard errors, added in squares; None where spreads are not known.
        num_designs: Number of different graphs that were compared on validation data.
        luck: By how much the best of that many equally good designs would look better than it is; an upper estimate.
        headline: The verdict in one sentence.
        sentences: What stands below the headline.
    """

    outcome: Outcome
    best: TrialRecord | None
    reference: TrialRecord | None
    role: str | None
    gain: float | None
    error: float | None
    num_designs: int
    luck: float | None
    headline: str
    sentences: tuple[str, ...]


def judge(found: Findings) -> Verdict:
    """Compare the best searched design with the best reference and put it in words.

    A reference wins where nothing that was searched is better. A gain of at most one standard error is no clear gain.
    """
    role, reference = _best_reference(found)
    best = found.best(found.searched)
    gain = error = None
    if best is not None and reference is not None:
        sign = 1 if found.main.direction == "maximize" else -1
        gain = sign * (found.value(best) - found.value(reference))
        errors = [standard_error(record, found.main.name) for record in (best, reference)]
        error = math.hypot(*(value for value in errors if value is not None)) if all(value is not None for value in errors) else None
    outcome = _outcome(best, reference, gain, error)
    top = best if outcome in ("search wins", "no clear gain", "no references") else reference
    own_error = standard_error(top, found.main.name) if top is not None else None
    luck = expected_luck(len(found.designs), own_error) if own_error is not None else None
    verdict = Verdict(outcome, best, reference, role, gain, error, len(found.designs), luck, "", ())
    return Verdict(**{**vars(verdict), "headline": _headline(found, verdict), "sentences": tuple(_sentences(found, verdict))})


def expected_luck(num_designs: int, error: float) -> float:
    """Estimate how far the best of `num_designs` equally good designs looks above its true value.

    The mean of the largest of n standard normal numbers, times the standard error (Blom 1958: the quantile at
    (n - 0.375) / (n + 0.25)). Designs that are compared on the same rows err alike, so this is an upper estimate.
    """
    if num_designs < 2:
        return 0.0
    return error * NormalDist().inv_cdf((num_designs - 0.375) / (num_designs + 0.25))


def _best_reference(found: Findings) -> tuple[str | None, TrialRecord | None]:
    record = found.best([record for record in found.references.values() if found.allowed(record)])
    role = next((role for role, reference in found.references.items() if reference is record), None)
    return role, record


def _outcome(best: TrialRecord | None, reference: TrialRecord | None, gain: float | None, error: float | None) -> Outcome:
    if best is None:
        return "nothing" if reference is None else "references only"
    if reference is None or gain is None:
        return "no references"
    if gain <= 0:
        return "reference wins"
    return "no clear gain" if error is None or gain <= error else "search wins"


def _headline(found: Findings, verdict: Verdict) -> str:
    metric = metric_label(found.main.name)
    role = role_label(verdict.role or "")
    best = number(found.value(verdict.best)) if verdict.best is not None else ""
    reference = number(found.value(verdict.reference)) if verdict.reference is not None else ""
    against = f"{metric} {best} against {reference}"
    if verdict.outcome == "search wins":
        return f"A searched design beats every reference: {against} for {role}."
    if verdict.outcome == "no clear gain":
        error = f" at a standard error of {number(verdict.error)}" if verdict.error is not None else ", and no spread is known"
        return f"No clear gain over {role}: the best searched design is {number(verdict.gain)} better{error} ({against})."
    if verdict.outcome == "reference wins":
        return f"{sentence_case(role)} wins: {metric} {reference}. The best searched design has {best}."
    if verdict.outcome == "references only":
        return f"{sentence_case(role)} leads: {metric} {reference}. No other design has finished."
    if verdict.outcome == "no references":
        return f"The best design has {metric} {best}. No reference has finished, so what the search bought is not known."
    return "No trial has finished, so there is nothing to recommend."


def _sentences(found: Findings, verdict: Verdict) -> list[str]:
    sentences = []
    if found.recommended is not None:
        sentences.append(_recommendation(found, verdict, found.recommended))
    if verdict.outcome == "search wins" and verdict.gain is not None and verdict.error:
        sentences.append(f"The gain over the best reference is {number(verdict.gain / verdict.error)} standard errors of the difference.")
    if verdict.num_designs > 1:
        sentences.append(_selection_bias(found, verdict))
    return sentences


def _recommendation(found: Findings, verdict: Verdict, record: TrialRecord) -> str:
    value = with_spread(found.value(record), record.spread.get(found.main.name))
    others = [
        f"{metric_label(objective.name)} {number(found.value(record, objective.name))}"
        for objective in found.objectives
        if objective != found.main
    ]
    at = f" at {', '.join(others)}" if others else ""
    text = f"Recommended: {found.label(record)}, the cheapest design within one standard error of the best, "
    text += f"with {metric_label(found.main.name)} {value}{at}."
    if verdict.reference is not None and verdict.reference.digest != record.digest:
        rival = with_spread(found.value(verdict.reference), verdict.reference.spread.get(found.main.name))
        text += f" The best reference, {role_label(verdict.role or '')}, has {rival}."
    return text


def _selection_bias(found: Findings, verdict: Verdict) -> str:
    looks = f"{count(verdict.num_designs, 'design')} were compared on validation data, and the best of many looks better than it is"
    luck = f" (by up to {number(verdict.luck)} {metric_label(found.main.name)} if all were equally good)" if verdict.luck else ""
    return f"{looks}{luck}. Confirm the choice on rows that the search has not seen."
