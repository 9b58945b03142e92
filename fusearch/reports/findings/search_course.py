"""How the search went: hypervolume over trials, and throughput."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fusearch import pareto
from fusearch.amounts import counted
from fusearch.reports.findings.axes import axis_of
from fusearch.reports.findings.findings import Findings
from fusearch.study import TrialRecord

__all__ = [
    "HypervolumeCurve",
    "Throughput",
    "more_seeds_sentence",
    "progress_info",
    "races_sentence",
    "throughput_info",
    "trainings_sentences",
]


@dataclass(frozen=True)
class HypervolumeCurve:
    """Hypervolume after each finished trial.

    Attributes:
        trials: Number of each finished trial, in the order in which they finished.
        hypervolume: Share of the box from the reference point to the ideal point that is dominated, from 0 to 1.
        references: The same for the reference designs alone; None where there are none.
    """

    trials: tuple[int, ...]
    hypervolume: tuple[float, ...]
    references: float | None


@dataclass(frozen=True)
class Throughput:
    """What the search cost.

    Attributes:
        wall: Seconds from the first start to the last end.
        work: Seconds of all evaluations together.
        finished: Number of trials that were evaluated to the end.
        median: Median seconds of an evaluation.
    """

    wall: float | None
    work: float
    finished: int
    median: float | None

    @property
    def per_minute(self) -> float | None:
        return 60 * self.finished / self.wall if self.wall else None

    @property
    def parallel(self) -> float | None:
        """Evaluations that ran at the same time, on average."""
        return self.work / self.wall if self.wall else None


def races_sentence(races: Mapping[str, Any]) -> str:
    """Say what races did, as `status` tells it; empty where they stopped nothing."""
    sentences = []
    if races["stopped"]:
        share = f"{races['saved']:.0%}".replace("%", " %")
        stopped = counted(races["stopped"], "design")
        sentences.append(f"Races stopped {stopped} that could hardly win, and saved {share} of the trainings of folds.")
    if races["outrun"]:
        when = " and ".join(f"{number} after epoch {epoch}" for epoch, number in races["epochs"].items())
        sentences.append(f"{counted(races['outrun'], 'recipe')} left the training to better recipes of the same design: {when}.")
    return " ".join(sentences)


def more_seeds_sentence(more: Mapping[str, int]) -> str:
    """Say who got more seeds after the search, as `status` tells it; empty where nobody did."""
    if not more["seeds"] and not more["failed"]:
        return ""
    failed = f"; {counted(more['failed'], 'training')} failed" if more["failed"] else ""
    given = f"{counted(more['designs'], 'design')} on the front or next to it got {counted(more['seeds'], 'more seed')}"
    return f"After the search {given}, as their order did not stand{failed}."


def trainings_sentences(trainings: Mapping[str, Any]) -> list[str]:
    """Say how designs were trained, as `status` tells it: in packs, or why not, and with streams that were trained already."""
    told = [f"Trained as packs: {counted(trainings['packed'], 'trial')}."] if trainings["packed"] else []
    for what, key in (("Trained one member after the other", "in_the_loop"), ("Steps not captured as CUDA graphs", "not_captured")):
        told += [f"{what}, {counted(count, 'trial')}: {reason.rstrip('.')}." for reason, count in trainings[key].items()]
    streams = trainings["streams"]
    if streams["asked"]:
        kept = f"{streams['found']} of them taken from what is kept ({streams['bytes'] / 1e6:.1f} MB)"
        told.append(f"Streams trained alone: {streams['asked']}, {kept}.")
    return told


def progress_info(found: Findings) -> HypervolumeCurve:
    """Compute the hypervolume over trials.

    A cost on a logarithmic axis enters as its logarithm, so that the volume is the one that the figure of the front shows.
    The reference point is that of all finished trials (`pareto.reference_point`), the ideal point their best values.
    """
    import numpy as np

    records = sorted(found.complete, key=lambda record: (record.ended if record.ended is not None else math.inf, record.number))
    if not records:
        return HypervolumeCurve((), (), None)
    directions = [objective.direction for objective in found.objectives]
    axes = [axis_of(objective, [found.value(record, objective.name) for record in records]) for objective in found.objectives]

    def place(chosen: Sequence[TrialRecord]) -> Any:
        return np.array([[axis.scaled(found.value(record, axis.name)) for axis in axes] for record in chosen])

    points_NM = place(records)
    reference = pareto.reference_point(points_NM, directions)
    ideal = [objective.best(column) for objective, column in zip(found.objectives, points_NM.T.tolist(), strict=True)]
    box = math.prod(abs(best - worst) for best, worst in zip(ideal, reference, strict=True))
    curve = pareto.hypervolume_over_trials(points_NM, directions, reference=reference) / box
    alone = [record for record in records if record.digest in found.trials.reference_digests]
    volume = pareto.hypervolume(place(alone), directions, reference=reference) / box if alone else None
    return HypervolumeCurve(tuple(record.number for record in records), tuple(curve.tolist()), volume)


def throughput_info(found: Findings) -> Throughput:
    """Add up the wall times."""
    done = [record for record in found.records if record.evaluated]
    seconds = sorted(record.seconds for record in done if record.seconds is not None)
    ends = [record.ended for record in found.records if record.ended is not None]
    starts = [record.started for record in found.records if record.started is not None]
    wall = max(ends) - min(starts) if ends and starts else None
    others = [*found.trials.raced, *(record for record in found.records if record.more_seeds_of is not None)]
    work = sum(seconds) + sum(record.seconds or 0.0 for record in others)
    return Throughput(wall, work, len(done), seconds[len(seconds) // 2] if seconds else None)
