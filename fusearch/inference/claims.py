"""The three answers of a search: what fusion buys, what searching added, and what the pick is worth."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from fusearch.errors import RunError
from fusearch.inference.kept import NotEstimableError, read_kept
from fusearch.inference.resampling import Resampled, mean_over, over_draws
from fusearch.inference.team import pool_of, team_on_all_rows, teams_of
from fusearch.study import TrialRecord
from fusearch.trials import DesignKind, Trials

__all__ = ["Answers", "Claim", "Pick", "Step", "Team", "answer", "sides_of", "status_with_answers", "team_of"]

#: Most designs of a kind that are drawn; thousands of trials would take minutes, and what ranks behind so many is the best on no draw.
CONTENDERS = 300

#: Draws on which a team is chosen anew, for which many means are scored.
TEAM_DRAWS = 100

Claim = Literal["gain", "no clear gain", "loss", "not estimable"]


@dataclass(frozen=True)
class Step:
    """Whether going from the best of some designs to the best of others pays.

    Attributes:
        outcome: `gain` where the whole interval is above 0 and the designs are clearly better than the constant predictor, `loss` where
            it is below, else `no clear gain`; `not estimable`, see `reason`.
        difference: By how much the second one is better after selection, in the metric; negative where it is worse.
        interval: 5 % and 95 % quantile of the difference.
        designs: Digests of the best of either, as the search saw them; None where there is none.
        trials: Their trials.
        reason: Why it cannot be estimated, or why an interval above 0 is no gain.
    """

    outcome: Claim
    difference: float | None
    interval: tuple[float, float] | None
    designs: tuple[str | None, str | None]
    trials: tuple[int | None, int | None]
    reason: str | None = None


@dataclass(frozen=True)
class Pick:
    """The design that `--pick simplest` takes.

    Attributes:
        design: Digest of its graph; None where nothing was evaluated.
        candidate: Digest of the graph with its recipe.
        trial: Its trial.
        plain: The metric as the search saw it, which luck made look better.
        score: The metric after selection: of what the same rule picks on drawn rows, on the rows left out.
        interval: 5 % and 95 % quantile of that.
        cost: What it costs, by name.
        reason: Why the score cannot be estimated.
    """

    design: str | None
    candidate: str | None
    trial: int | None
    plain: float | None
    score: float | None
    interval: tuple[float, float] | None
    cost: dict[str, float]
    reason: str | None = None


@dataclass(frozen=True)
class Team:
    """The design that `--pick team` takes: the mean of what a few different ones say.

    Attributes:
        outcome: Whether it is better than the pick, as of a `Step`.
        difference: By how much, after selection.
        interval: 5 % and 95 % quantile of that.
        designs: Digests of its members; fewer than two where none makes the best one better.
        candidates: Digests of the graphs with their recipes.
        trials: Their trials.
        plain: The metric of their mean as the search's rows tell it; luck made it look better.
        score: The metric after selection.
        cost: What all of them cost together, by name.
        reason: Why it cannot be estimated.
    """

    outcome: Claim
    difference: float | None
    interval: tuple[float, float] | None
    designs: tuple[str, ...]
    candidates: tuple[str, ...]
    trials: tuple[int, ...]
    plain: float | None
    score: float | None
    cost: dict[str, float]
    reason: str | None = None

    @property
    def recommended(self) -> bool:
        """Whether there are several, and the estimate after selection says that together they are better than the pick."""
        return len(self.trials) > 1 and self.outcome == "gain"


@dataclass(frozen=True)
class Answers:
    """The three answers.

    Attributes:
        metric: Name of the metric.
        constant: From the constant predictor (the shares of the classes, or the mean, of the training rows) to the best of all designs.
        fusion: From the best single modality, of all that were tried, to the best design that fuses.
        search: From the best reference or single modality to the best design that only the search proposed.
        pick: The recommended design.
        team: A few different designs together, against the recommended one.
    """

    metric: str
    constant: Step
    fusion: Step
    search: Step
    pick: Pick
    team: Team

    @property
    def may_be_a_guess(self) -> bool:
        """Whether even the best design is not clearly better than the constant predictor."""
        return self.constant.outcome in ("no clear gain", "loss")

    def to_dict(self) -> dict[str, Any]:
        """Return the record of `report.json` and `status --json`."""
        told: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return told


Claimed = TypeVar("Claimed", Step, Team)


def answer(trials: Trials, *, seed: int = 0) -> Answers:
    """Estimate the three answers from the predictions that a run keeps; nothing is trained.

    Args:
        trials: One reading of the run.
        seed: What the draws hang on.

    Example:
        >>> from fusearch.run import Run
        >>> answers = answer(Run("runs/demo").read())
        >>> answers.metric, answers.fusion.outcome in ("gain", "no clear gain", "loss")
        ('auroc', True)
    """
    designs = _contenders(trials)
    kinds = [trials.kind_of_design(record) for record in designs]
    single = _numbers(kinds, lambda kind: kind == "single")
    simple = _numbers(kinds, lambda kind: kind in ("single", "reference"))
    fused = _numbers(kinds, lambda kind: kind != "single")
    searched = _numbers(kinds, lambda kind: kind == "searched")
    resampled, reason = _resampled(trials, designs, seed)
    everything, known = np.arange(len(designs)), np.array([len(designs)] if trials.described_constant else [], np.int64)
    constant = _step(
        designs, known, everything, resampled, reason, ("the run does not tell the constant prediction", "nothing was evaluated")
    )
    absent = ("no single modality was evaluated", "no design that fuses was evaluated")
    fusion = _of_all_modalities(trials, _step(designs, single, fused, resampled, reason, absent))
    absent = ("no reference was evaluated", f"no design beyond the references was evaluated{_why_unsearched(trials)}")
    search = _of_all_modalities(trials, _step(designs, simple, searched, resampled, reason, absent))
    picked = resampled.left_out(_simplest(trials, designs, resampled)) if resampled is not None and designs else None
    pick, team = _pick(trials, designs, picked, reason), _team(trials, designs, resampled, picked, reason)
    answers = Answers(trials.primary.name, constant, fusion, search, pick, team)
    if answers.may_be_a_guess:
        return replace(answers, fusion=_unclaimed(fusion), search=_unclaimed(search), team=_unclaimed(team))
    return answers


def _why_unsearched(trials: Trials) -> str:
    """Say why a run evaluated nothing beyond its references, where that is known."""
    if trials.raced:
        return f" to the end, as races stopped all {len(trials.raced)}"
    if all(record.reference is not None for record in trials.records):
        took = "its only trial" if len(trials.records) == 1 else f"all {len(trials.records)} trials"
        return f", as they took {took}: more trials try others"
    return ""


def sides_of(trials: Trials) -> dict[str, tuple[TrialRecord, TrialRecord]]:
    """Return the two designs that the answers on `fusion` and on `search` name, as the search saw them.

    None where a side has no design, or a modality was never tried alone: it may be as good.
    """
    if trials.untried_alone:
        return {}

    def first(*kinds: DesignKind) -> TrialRecord | None:
        return next((record for record in trials.feasible if trials.kind_of_design(record) in kinds), None)

    sides = {"fusion": (first("single"), first("reference", "searched")), "search": (first("single", "reference"), first("searched"))}
    return {question: (one, other) for question, (one, other) in sides.items() if one is not None and other is not None}


def status_with_answers(trials: Trials, estimate: Callable[[], Answers]) -> dict[str, Any]:
    """Return what `fusearch status --json` prints: the status, and `verdict` with the answers once the run has stopped.

    Args:
        trials: One reading of the run.
        estimate: Gives its answers; it is not asked while the search runs, as each trial may change them.
    """
    status = trials.status()
    return {**status, "verdict": {"answers": estimate().to_dict()} if status["state"] != "running" else None}


def team_of(trials: Trials) -> Team:
    """Return the team that `--pick team` takes.

    Raises:
        RunError: Predictions are missing, or no second design makes the best one better.
    """
    team = answer(trials).team
    if not team.trials:
        raise RunError(f"no team can be chosen from run {str(trials.path)!r}: {team.reason}")
    if len(team.trials) < 2:
        raise RunError(f"run {str(trials.path)!r} has no team: no second design makes trial {team.trials[0]} better")
    return team


def _resampled(trials: Trials, designs: Sequence[TrialRecord], seed: int) -> tuple[Resampled | None, str | None]:
    """Return the designs on all draws, or why there are none."""
    try:
        if trials.chosen_on_predictions:
            raise NotEstimableError("the strategy chose its networks on the same predictions")
        kept = read_kept(trials.path, designs, trials.described_task)
        kept = kept.with_constant(trials.described_constant) if trials.described_constant else kept
        return Resampled(kept, trials.primary, criteria=trials.criteria, seed=seed), None
    except NotEstimableError as error:
        return None, str(error)


def _step(
    designs: Sequence[TrialRecord],
    first: NDArray[np.int64],
    second: NDArray[np.int64],
    resampled: Resampled | None,
    reason: str | None,
    absent: tuple[str, str],
) -> Step:
    # Designs come best first; the constant predictor stands behind them and is no trial.
    best = [designs[numbers[0]] if len(numbers) and numbers[0] < len(designs) else None for numbers in (first, second)]
    named = (
        (best[0].digest if best[0] else None, best[1].digest if best[1] else None),
        (best[0].number if best[0] else None, best[1].number if best[1] else None),
    )
    lacking = next((why for numbers, why in zip((first, second), absent, strict=True) if not len(numbers)), None)
    if lacking is not None or resampled is None:
        return Step("not estimable", None, None, *named, lacking or reason)
    try:
        chosen = [resampled.best_of(numbers) for numbers in (first, second)]
        difference, low, high = over_draws(resampled.gain(*(resampled.left_out(each) for each in chosen)))
    except NotEstimableError as error:
        return Step("not estimable", None, None, *named, str(error))
    return Step(_claim(low, high), difference, (low, high), *named)


def _of_all_modalities(trials: Trials, step: Step) -> Step:
    """Return what may be said of a step: no gain, where a modality that was never tried alone may be as good."""
    if step.outcome != "gain" or not trials.untried_alone:
        return step
    reason = f"{' and '.join(trials.untried_alone)} alone {'was' if len(trials.untried_alone) == 1 else 'were'} not evaluated"
    return replace(step, outcome="not estimable", difference=None, interval=None, reason=reason)


def _unclaimed(step: Claimed) -> Claimed:
    """Return a step without its claim: what is gained on the way to no more than a guess is no gain."""
    if step.outcome != "gain":
        return step
    return replace(step, outcome="no clear gain", reason="no design is clearly better than a constant guess")


def _pick(trials: Trials, designs: Sequence[TrialRecord], scores: NDArray[np.float64] | None, reason: str | None) -> Pick:
    if not designs:
        return Pick(None, None, None, None, None, None, {}, "nothing was evaluated")
    record, name = trials.pick("simplest"), trials.primary.name
    told = (record.digest, record.candidate, record.number, record.value(name))
    cost = _cost(trials, [record])
    try:
        if scores is None:
            raise NotEstimableError(reason or "")
        score, low, high = over_draws(scores)
    except NotEstimableError as error:
        return Pick(*told, None, None, cost, str(error))
    return Pick(*told, score, (low, high), cost)


def _simplest(trials: Trials, designs: Sequence[TrialRecord], resampled: Resampled) -> NDArray[np.int64]:
    """Return what `--pick simplest` takes on each draw."""
    order = sorted(range(len(designs)), key=lambda number: trials.simplicity(designs[number]))
    ranks = np.empty(len(designs), np.int64)
    ranks[order] = np.arange(len(designs))
    return resampled.simplest_of(np.arange(len(designs)), ranks)


def _team(
    trials: Trials,
    designs: Sequence[TrialRecord],
    resampled: Resampled | None,
    picked: NDArray[np.float64] | None,
    reason: str | None,
) -> Team:
    if resampled is None or picked is None:
        return Team("not estimable", None, None, (), (), (), None, None, {}, reason or "nothing was evaluated")
    if resampled.is_dense:
        why = "of masks a run keeps what each sample scored, which does not say what several designs score together"
        return Team("not estimable", None, None, (), (), (), None, None, {}, why)
    pool = pool_of(designs)
    members = team_on_all_rows(resampled, pool)
    chosen = [designs[number] for number in members]
    every = np.ones((len(resampled.drawn), 1))
    plain = trials.primary.loss(float(mean_over(resampled.losses_of(resampled.outputs_of(members), every))[0]))
    told = (tuple(each.digest for each in chosen), tuple(each.candidate for each in chosen), tuple(each.number for each in chosen), plain)
    try:
        draws = min(TEAM_DRAWS, resampled.drawn.shape[1])
        teams = teams_of(resampled, pool, draws)
        scores = np.full(draws, np.nan)
        for team in set(teams):
            of_team = np.array([draw for draw in range(draws) if teams[draw] == team])
            scores[of_team] = resampled.left_out_of(team, of_team) if team else np.nan
        score, _, _ = over_draws(scores)
        difference, low, high = over_draws(resampled.gain(picked[:draws], scores))
    except NotEstimableError as error:
        return Team("not estimable", None, None, *told, None, _cost(trials, chosen), str(error))
    return Team(_claim(low, high), difference, (low, high), *told, score, _cost(trials, chosen))


def _cost(trials: Trials, records: Sequence[TrialRecord]) -> dict[str, float]:
    """Return what designs cost together; of several only what adds up, as losses do not."""
    added = [each.name for each in trials.costs if each.cost or len(records) == 1]
    known = [name for name in added if all(name in record.values for record in records)]
    return {name: sum(record.value(name) for record in records) for name in known}


def _claim(low: float, high: float) -> Claim:
    return "gain" if low > 0 else "loss" if high < 0 else "no clear gain"


def _contenders(trials: Trials) -> list[TrialRecord]:
    """Return each candidate once, the best first, of each kind of design no more than could ever be the best on a draw."""
    once: dict[str, TrialRecord] = {}
    number_of: Counter[str] = Counter()
    for record in trials.feasible:
        kind = trials.kind_of_design(record)
        if record.candidate not in once and number_of[kind] < CONTENDERS:
            once[record.candidate] = record
            number_of[kind] += 1
    return list(once.values())


def _numbers(kinds: Sequence[str], wanted: Callable[[str], bool]) -> NDArray[np.int64]:
    return np.array([number for number, kind in enumerate(kinds) if wanted(kind)], np.int64)
