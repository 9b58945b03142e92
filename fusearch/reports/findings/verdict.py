"""The verdict: did fusion design buy anything, against which reference, and how sure is that?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist, median, stdev
from typing import Literal

from fusearch.reports.findings.findings import Findings
from fusearch.reports.wording import count, difference, metric_label, number, quantity, role_label, sentence_case, with_spread
from fusearch.study import TrialRecord

__all__ = ["Verdict", "expected_luck", "gain_error", "judge"]

Winner = Literal["nothing", "references only", "no references", "reference wins", "no clear gain", "search wins"]


@dataclass(frozen=True)
class Verdict:
    """What a run says, by the main objective.

    Attributes:
        outcome: Which of the cases it is.
        best: The best design with a fusion that the search proposed beyond the references, if any.
        reference: The best of the references and of all single modalities that were tried, if any.
        role: Its role; a single modality that the search proposed has that of the best single modality.
        gain: By how much `best` is better than `reference` (negative: worse).
        error: Standard error of the gain, see `gain_error`; None where spreads are not known.
        pairs: Number of members over which the two were compared pair by pair; 0 where members are not known one by one.
        num_designs: Number of different graphs that were compared on validation data.
        luck: By how much the best of that many equally good designs would look better than it is, at the median standard error of the
            designs; an upper estimate.
        headline: The verdict in one sentence.
        sentences: What stands below the headline.
    """

    outcome: Winner
    best: TrialRecord | None
    reference: TrialRecord | None
    role: str | None
    gain: float | None
    error: float | None
    pairs: int
    num_designs: int
    luck: float | None
    headline: str
    sentences: tuple[str, ...]


def judge(found: Findings) -> Verdict:
    """Compare the best searched design with the best reference and put it in words.

    A single modality counts as a reference also where the search proposed it: the question is what fusion buys.

    A reference wins where nothing that was searched is better. A gain of at most one standard error is no clear gain.
    """
    role, reference = _best_baseline(found)
    best = found.best(found.searched)
    gain, error, pairs = None, None, 0
    if best is not None and reference is not None:
        gain = found.main.gain(found.value(best), found.value(reference))
        error, pairs = gain_error(best, reference, found.main.name)
    outcome = _outcome(best, reference, gain, error)
    known = [each for record in found.designs if (each := record.standard_error(found.main.name)) is not None]
    luck = expected_luck(len(found.designs), median(known)) if known else None
    verdict = Verdict(outcome, best, reference, role, gain, error, pairs, len(found.designs), luck, "", ())
    return Verdict(**{**vars(verdict), "headline": _headline(found, verdict), "sentences": tuple(_sentences(found, verdict))})


def gain_error(first: TrialRecord, second: TrialRecord, name: str) -> tuple[float | None, int]:
    """Return the standard error of the difference of two trials in a metric, and the number of pairs behind it.

    Where both tell the metric of each member, members of the same fold and seed are compared: they saw the same rows, so what is
    hard about a fold falls out. Else the two standard errors are added in squares.
    """
    ours, theirs = _by_member(first, name), _by_member(second, name)
    differences = [ours[member] - theirs[member] for member in ours if member in theirs]
    if len(differences) > 1:
        return stdev(differences) / math.sqrt(len(differences)), len(differences)
    errors = [record.standard_error(name) for record in (first, second)]
    known = [error for error in errors if error is not None]
    return (math.hypot(*known), 0) if len(known) == 2 else (None, 0)


def _by_member(record: TrialRecord, name: str) -> dict[tuple[int, int], float]:
    members = record.details.get("members")
    if not isinstance(members, list):
        return {}
    values = {(member["fold"], member["seed"]): member.get("metrics", {}).get(name) for member in members}
    return {member: value for member, value in values.items() if value is not None}


def expected_luck(num_designs: int, error: float) -> float:
    """Estimate how far the best of `num_designs` equally good designs looks above its true value.

    The mean of the largest of n standard normal numbers, times the standard error (Blom 1958: the quantile at
    (n - 0.375) / (n + 0.25)). Designs that are compared on the same rows err alike, so this is an upper estimate.
    """
    if num_designs < 2:
        return 0.0
    return error * NormalDist().inv_cdf((num_designs - 0.375) / (num_designs + 0.25))


def _best_baseline(found: Findings) -> tuple[str | None, TrialRecord | None]:
    record = found.best(found.baselines)
    if record is None:
        return None, None
    return found.roles.get(record.digest, "best_unimodal"), record


def _outcome(best: TrialRecord | None, reference: TrialRecord | None, gain: float | None, error: float | None) -> Winner:
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
    best = _score(found, verdict.best)
    reference = _score(found, verdict.reference)
    against = f"{metric} {best} against {reference}"
    if verdict.outcome == "search wins":
        return f"A searched design beats every reference: {against} for {role}."
    if verdict.outcome == "no clear gain":
        error = f" at a standard error of {difference(verdict.error)}" if verdict.error is not None else ", and no spread is known"
        return f"No clear gain over {role}: the best searched design is {difference(verdict.gain or 0)} better{error} ({against})."
    if verdict.outcome == "reference wins" and verdict.role == "best_unimodal":
        return f"Fusion does not pay here: {role} wins with {metric} {reference}. The best searched design has {best}."
    if verdict.outcome == "reference wins":
        return f"{sentence_case(role)} wins: {metric} {reference}. The best searched design has {best}."
    if verdict.outcome == "references only":
        return f"{sentence_case(role)} leads: {metric} {reference}. No other design has finished."
    if verdict.outcome == "no references":
        return f"The best design has {metric} {best}. No reference has finished, so what the search bought is not known."
    return "No trial has finished, so there is nothing to recommend."


def _score(found: Findings, record: TrialRecord | None) -> str:
    return "" if record is None else with_spread(found.value(record), record.spread.get(found.main.name))


def _sentences(found: Findings, verdict: Verdict) -> list[str]:
    sentences = []
    if found.recommended is not None:
        sentences.append(_recommendation(found, verdict, found.recommended))
    if verdict.outcome == "search wins" and verdict.gain is not None and verdict.error:
        paired = f", paired over {verdict.pairs} members" if verdict.pairs else ""
        sentences.append(
            f"The gain over the best reference is {verdict.gain / verdict.error:.1f} standard errors of the difference{paired}."
        )
    if found.looks:
        sentences.append(_on_test(found))
    if verdict.num_designs > 1:
        sentences.append(_selection_bias(found, verdict))
    return sentences


def _recommendation(found: Findings, verdict: Verdict, record: TrialRecord) -> str:
    others = [quantity(objective.name, found.value(record, objective.name)) for objective in found.objectives if objective != found.main]
    at = f" at {', '.join(others)}" if others else ""
    text = f"Recommended: {found.label(record)}, the cheapest design within one standard error of the best, "
    text += f"with {metric_label(found.main.name)} {_score(found, record)}{at}."
    if verdict.reference is not None and verdict.reference.digest != record.digest:
        text += f" The best reference, {role_label(verdict.role or '')}, has {_score(found, verdict.reference)}."
    return text


def _selection_bias(found: Findings, verdict: Verdict) -> str:
    looks = f"{count(verdict.num_designs, 'design')} were compared on validation data, and the best of many looks better than it is"
    luck = f" (by up to {difference(verdict.luck)} {metric_label(found.main.name)} if all were equally good)" if verdict.luck else ""
    small = verdict.luck is not None and verdict.gain is not None and 0 < verdict.gain <= verdict.luck
    doubt = " The gain over the best reference is no larger than that." if small else ""
    advice = "" if found.looks else " Confirm the choice on rows that the search has not seen."
    return f"{looks}{luck}.{doubt}{advice}"


def _on_test(found: Findings) -> str:
    """Tell what the first look at the test split said of the pick and of the best reference there."""
    look = found.looks[0]
    picked = next((design for design in look.designs if design.role == "picked"), None)
    references = [design for design in look.designs if design.role not in ("picked", "front")]
    best = min(references, key=lambda design: found.main.loss(design.test), default=None)
    parts = [f"the pick, trial {picked.trial}, has {metric_label(found.main.name)} {number(picked.test)}"] if picked else []
    parts += [f"the best reference there, {role_label(best.role)}, {number(best.test)}"] if best else []
    return f"On the test split ({count(look.samples, 'sample')}, first look) {' and '.join(parts)}."
