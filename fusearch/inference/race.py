"""Whether a design of which some folds are trained can still catch up with one of which all are.

Folds are the unit. Over the folds of a data set the differences of two designs are exchangeable: what a fold makes hard, or training rows
that folds share, moves all differences alike. So the mean over all folds, given those that are done, is the mean of a finite population of
which a part was seen: its error is that of a mean of k, times the square root of the share of the folds that is to come. The variance of
a difference is learned from the folds that are done *and* from the designs that the study has trained already (a scaled inverse
chi-squared prior, as in Smyth 2004, "Linear models and empirical Bayes methods for assessing differential expression"), so that one fold
can tell; the posterior is a Student t. No correction for folds that share training rows (Nadeau and Bengio 2003; Benavoli, Corani, Demsar
and Zaffalon 2017) is wanted: it is for what lies behind the folds, and a front holds the mean over these.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from fusearch.contracts import Objective

__all__ = ["LEVEL", "Lost", "Race", "Rival", "chance_to_catch_up"]

#: A design is stopped where the chance that it catches up is below this.
LEVEL = 0.05

#: For how many folds what other designs' differences spread counts; few, as designs differ in it.
PRIOR_FOLDS = 4.0

#: Metric -> fold -> value.
Scores = Mapping[str, Mapping[int, float]]


def chance_to_catch_up(gains: Sequence[float], num_folds: int, spread: float) -> float:
    """Return the probability that the mean gain over all folds is not below 0.

    Args:
        gains: By how much the design is better in each fold that is done.
        num_folds: How many folds there are.
        spread: Standard deviation of a gain over folds, as other designs have it.

    Example:
        >>> round(chance_to_catch_up([-0.03], 5, spread=0.02), 3)
        0.084
        >>> round(chance_to_catch_up([-0.03, -0.02], 5, spread=0.02), 3)
        0.027
    """
    from scipy.special import stdtr

    done = len(gains)
    mean = math.fsum(gains) / done
    freedom = PRIOR_FOLDS + done - 1
    variance = (PRIOR_FOLDS * spread**2 + math.fsum((gain - mean) ** 2 for gain in gains)) / freedom
    error = math.sqrt(variance * (num_folds - done) / (num_folds * done))
    if not error:
        return float(mean >= 0)
    return float(stdtr(freedom, mean / error))


@dataclass(frozen=True)
class Rival:
    """A finished design that costs no more: what a candidate has to catch up with.

    Attributes:
        trial: Its trial.
        scores: What it has in each fold, the mean over seeds.
        spread: Standard deviation over folds of the difference of another design to it, by metric.
    """

    trial: int
    scores: Scores
    spread: Mapping[str, float]


@dataclass(frozen=True)
class Lost:
    """That a race is lost.

    Attributes:
        folds: Folds that were trained.
        num_folds: Folds that there are.
        rival: The trial that would not have been caught up with.
        chance: How likely it still was.
    """

    folds: int
    num_folds: int
    rival: int
    chance: float

    @property
    def reason(self) -> str:
        """What is told of the trial."""
        chance = f"{100 * self.chance:.1f} %" if self.chance >= 0.0005 else "less than 0.1 %"
        return (
            f"stopped after fold {self.folds} of {self.num_folds}: {chance} chance to catch up with trial {self.rival}, which costs no more"
        )


@dataclass(frozen=True)
class Race:
    """What a candidate races against: it goes on as long as it may end level with each rival in one of the metrics.

    Attributes:
        metrics: What counts.
        rivals: The finished designs that cost no more and that no other of them beats in all metrics.
        lost_at_once: Share of the designs before it that lost after their first fold, or would have.
    """

    metrics: tuple[Objective, ...]
    rivals: tuple[Rival, ...]
    lost_at_once: float = 1.0

    def is_over(self, folds: Collection[int]) -> bool:
        """Whether these are all folds that a rival has: then nothing is left to be stopped."""
        return all(set(scores) <= set(folds) for rival in self.rivals for scores in rival.scores.values())

    def judge(self, scores: Scores) -> Lost | None:
        """Say so where the race is lost, to the rival that is hardest to catch; None where it goes on, or all folds are done.

        Args:
            scores: What the candidate has in the folds that are done.
        """
        verdicts = [lost for rival in self.rivals if (lost := self._against(rival, scores)) is not None]
        lost = min(verdicts, key=lambda each: each.chance, default=None)
        return lost if lost is not None and lost.chance < LEVEL else None

    def _against(self, rival: Rival, scores: Scores) -> Lost | None:
        """Return how it stands against one rival; of several metrics the chances are summed, so that the sum is never too low."""
        chance, folds, num_folds = 0.0, 0, 0
        for metric in self.metrics:
            theirs, ours = rival.scores[metric.name], scores.get(metric.name, {})
            both = [fold for fold in theirs if fold in ours]
            if not both or len(both) == len(theirs):
                return None
            gains = [metric.gain(ours[fold], theirs[fold]) for fold in both]
            chance += chance_to_catch_up(gains, len(theirs), rival.spread[metric.name])
            folds, num_folds = len(both), len(theirs)
        return Lost(folds, num_folds, rival.trial, min(chance, 1.0))
