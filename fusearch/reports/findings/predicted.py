"""What the recommended design predicts, beside the best simple one: curves with bands, confusion, calibration, truth, groups of risk.

Axis letters: N rows, K classes, B draws of the rows (the first is the rows as they are), G places of a curve.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fusearch.contracts import Objective
from fusearch.inference.correction import Correction, correction_for, objective_of_task, scores_of_classes
from fusearch.inference.kept import KeptPredictions, NotEstimableError, read_kept
from fusearch.inference.resampling import QUANTILES, draw_rows
from fusearch.inference.risk_groups import RiskGroups, has_risk, risk_groups
from fusearch.study import TrialRecord
from fusearch.trials import Trials

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = [
    "MASK_SCORES",
    "CalibrationBin",
    "Curve",
    "DesignPredictions",
    "Predicted",
    "SampleScores",
    "pick_and_best_simple",
    "read_predicted",
    "risk_sentence",
]

#: Draws of the rows for the bands: at most so many, fewer where there are many rows, at least so few.
_MOST_DRAWS, _LEAST_DRAWS, _MOST_NUMBERS = 200, 40, 20_000_000
_PLACES = 101
#: A bin of the calibration curve holds at least so many rows where there are enough.
_ROWS_OF_BIN, _MOST_BINS = 30, 10
_MOST_POINTS = 500
#: What is told of the scores of masks.
MASK_SCORES = ("mean", "worst", "25 %", "median", "75 %")


@dataclass(frozen=True)
class Curve:
    """A curve and its band, the 5 % and the 95 % quantile over draws of the rows, at the same places."""

    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


@dataclass(frozen=True)
class CalibrationBin:
    """Rows of about the same predicted probability: its mean, how often it came true with its band, and how many they are."""

    predicted: float
    observed: float
    low: float
    high: float
    rows: int


@dataclass(frozen=True)
class DesignPredictions:
    """One design.

    Attributes:
        trial: Its trial.
        digest: Its graph.
        label: What it is called, with its trial.
        roc: Sensitivity over 1 − specificity, the mean over folds (of several classes: and over each class against the rest).
        precision_recall: Precision over sensitivity, the same way.
        calibration: Of two classes the probability of the second one; of several that of the predicted one.
        confusion: Rows of each class (first index) that were taken for each class: the most probable one, or as `correction` says.
        sensitivity: Of each class; None for a class without rows.
        precision: Of each class; None for a class that is never predicted.
        correction: How probabilities become a class, where that was fitted for the metric of the run.
        decided: Metrics of the classes that were taken, means over folds.
        points: (truth, prediction) of rows, for a number.
        risk: How rows fared by the risk that was predicted, for survival.
    """

    trial: int
    digest: str
    label: str
    roc: Curve | None = None
    precision_recall: Curve | None = None
    calibration: tuple[CalibrationBin, ...] = ()
    confusion: tuple[tuple[int, ...], ...] = ()
    sensitivity: tuple[float | None, ...] = ()
    precision: tuple[float | None, ...] = ()
    correction: Correction | None = None
    decided: Mapping[str, float] = field(default_factory=dict)
    points: tuple[tuple[float, float], ...] = ()
    risk: RiskGroups | None = None


@dataclass(frozen=True)
class SampleScores:
    """How good the masks of a design are over the samples.

    Attributes:
        label: What the design is called, with its trial.
        score: Name of the score.
        values: Its mean, its worst value, its quartiles.
    """

    label: str
    score: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class Predicted:
    """What designs predicted of rows that they were not trained on.

    Attributes:
        labels: Names of the classes, or of several labels; empty for a number.
        rows: How many rows.
        designs: The recommended design, then the best simple one beside it.
        reason: Why there are none.
        tasks: Of several tasks what they predicted of each, by its name; then all of this stands there.
        scores: Of masks, what the designs score.
    """

    labels: tuple[str, ...] = ()
    rows: int = 0
    designs: tuple[DesignPredictions, ...] = ()
    reason: str | None = None
    tasks: Mapping[str, Predicted] = field(default_factory=dict)
    scores: tuple[SampleScores, ...] = ()

    @property
    def said(self) -> str:
        """Which probability the calibration is about, as a title."""
        return f"Probability of {self.labels[1]}" if len(self.labels) == 2 else "Probability of the predicted class"


def read_predicted(trials: Trials, pick: TrialRecord | None, label: Callable[[TrialRecord], str], *, seed: int = 0) -> Predicted:
    """Read the kept predictions of the recommended design and of the best simple design beside it.

    Args:
        trials: One reading of the run.
        pick: The recommended design.
        label: What a design is called, with its trial.
        seed: What the draws hang on.
    """
    if pick is None:
        return Predicted(reason="nothing was evaluated")
    records = pick_and_best_simple(trials, pick)
    try:
        kept = read_kept(trials.path, records, trials.described_task)
    except NotEstimableError as error:
        return Predicted(reason=str(error))
    named = [(record, label(record)) for record in records]
    tasks = {
        name: _describe(own, named, objective_of_task(name, own, trials.primary), seed)
        for name, own in kept.of_tasks().items()
        if len(own.targets)
    }
    return Predicted(rows=len(kept.targets), tasks=tasks) if tasks else _describe(kept, named, trials.primary, seed)


def _describe(kept: KeptPredictions, named: Sequence[tuple[TrialRecord, str]], objective: Objective, seed: int) -> Predicted:
    if kept.task.dense:
        return Predicted(rows=len(kept.targets), scores=tuple(_scores(kept, named)))
    if kept.task.named_classes and kept.outputs.ndim == 3 and kept.targets.ndim == 1:
        describe: Callable[[int], dict[str, Any]] = _Classes(kept, objective, seed).describe
    elif kept.outputs.ndim == 2 and kept.targets.ndim == 1:
        describe = _Numbers(kept).describe
    elif kept.task.several:
        describe = _Labels(kept, objective, seed).describe
    elif has_risk(kept):
        describe = _Risks(kept, objective, seed).describe
    else:
        return Predicted(reason=f"a {kept.task.kind} has no curves here")
    designs = [DesignPredictions(record.number, record.digest, label, **describe(number)) for number, (record, label) in enumerate(named)]
    return Predicted(kept.task.labels, len(kept.targets), tuple(designs))


def _scores(kept: KeptPredictions, named: Sequence[tuple[TrialRecord, str]]) -> Iterator[SampleScores]:
    import numpy as np

    for number, (_, label) in enumerate(named):
        for score, values in zip(kept.task.outputs, kept.outputs[number].T, strict=True):
            objective = Objective.parse(score if score in kept.task.metrics else kept.task.headline)
            worst = max(values.tolist(), key=objective.loss)
            yield SampleScores(label, score, (float(values.mean()), worst, *np.quantile(values, (0.25, 0.5, 0.75)).tolist()))


def pick_and_best_simple(trials: Trials, pick: TrialRecord) -> list[TrialRecord]:
    """Return the recommended design, and beside it the best simple one of another graph, where there is one."""
    return [pick, *[each for each in trials.simple if each.digest != pick.digest][:1]]


def risk_sentence(risk: RiskGroups) -> str:
    """Say whether groups of predicted risk differ, and how they were made."""
    parts = "halves" if len(risk.groups) < 3 else "thirds"
    told = "" if risk.p is None else f"Equal hazards in all groups: p = {risk.p:.2g} (log-rank). "
    return (
        f"{told}Groups are {parts} of the predicted risk of rows that training did not see; the design was chosen with their help, so p is "
        "a little too small. At risk: rows with neither event nor end of follow-up before the time."
    )


def _named(record: TrialRecord, label: Callable[[TrialRecord], str]) -> str:
    trial, called = f"trial {record.number}", label(record).removeprefix("the ")
    return called if called == trial else f"{called}, {trial}"


class _Drawn:
    """Every design is scored on the same draws of the rows."""

    def __init__(self, kept: KeptPredictions, objective: Objective, seed: int) -> None:
        import numpy as np

        self._kept, self._objective = kept, objective
        draws = min(_MOST_DRAWS, max(_LEAST_DRAWS, _MOST_NUMBERS // len(kept.targets)))
        drawn = draw_rows(np.random.default_rng(seed), strata=kept.strata, groups=kept.groups, draws=draws)
        self._weights_NB = np.column_stack([np.ones(len(drawn)), drawn])
        self._folds = [np.flatnonzero(kept.fold == fold) for fold in np.unique(kept.fold)]


class _Risks(_Drawn):
    """Curves of groups of predicted risk."""

    def describe(self, design: int) -> dict[str, Any]:
        return {"risk": risk_groups(self._kept, design, self._weights_NB[:, 1:])}


class _Labels(_Drawn):
    """Curves of labels of which a row has any number: means over folds and labels."""

    def describe(self, design: int) -> dict[str, Any]:
        probabilities_NL, targets_NL = self._kept.outputs[design], self._kept.targets
        parts = [
            _ranked(targets_NL[rows, each] == 1, probabilities_NL[rows, each], self._weights_NB[rows])
            for rows in self._folds
            for each in range(targets_NL.shape[1])
        ]
        return {"roc": _curve([_roc(*part) for part in parts]), "precision_recall": _curve([_precision_recall(*part) for part in parts])}


class _Classes(_Drawn):
    """Curves of class probabilities."""

    def describe(self, design: int) -> dict[str, Any]:
        import numpy as np

        probabilities_NK, targets = self._kept.outputs[design], self._kept.targets
        num_classes = probabilities_NK.shape[1]
        classes = [1] if num_classes == 2 else range(num_classes)
        parts = [
            _ranked(targets[rows] == each, probabilities_NK[rows, each], self._weights_NB[rows]) for rows in self._folds for each in classes
        ]
        correction = correction_for(self._kept, probabilities_NK, self._objective)
        taken_NK = probabilities_NK if correction is None else correction.apply(probabilities_NK)
        counts_KK = np.zeros((num_classes, num_classes), np.int64)
        np.add.at(counts_KK, (targets, taken_NK.argmax(axis=1)), 1)
        right = np.diagonal(counts_KK)
        return {
            "roc": _curve([_roc(*part) for part in parts]),
            "precision_recall": _curve([_precision_recall(*part) for part in parts]),
            "calibration": self._calibration(probabilities_NK, targets),
            "confusion": tuple(tuple(map(int, row)) for row in counts_KK),
            "sensitivity": _shares(right, counts_KK.sum(axis=1)),
            "precision": _shares(right, counts_KK.sum(axis=0)),
            "correction": correction,
            "decided": scores_of_classes(self._kept, taken_NK),
        }

    def _calibration(self, probabilities_NK: Floats, targets: NDArray[Any]) -> tuple[CalibrationBin, ...]:
        import numpy as np

        two = probabilities_NK.shape[1] == 2
        said = probabilities_NK[:, 1] if two else probabilities_NK.max(axis=1)
        true = (targets == 1) if two else (targets == probabilities_NK.argmax(axis=1))
        bins = min(_MOST_BINS, max(3, len(said) // _ROWS_OF_BIN))
        place = np.searchsorted(np.quantile(said, np.linspace(0, 1, bins + 1))[1:-1], said)
        found = []
        for each in np.unique(place):
            rows = np.flatnonzero(place == each)
            with np.errstate(invalid="ignore"):
                shares_B = true[rows] @ self._weights_NB[rows] / self._weights_NB[rows].sum(axis=0)
            low, high = np.nanquantile(shares_B[1:], QUANTILES)
            found.append(CalibrationBin(float(said[rows].mean()), float(shares_B[0]), float(low), float(high), len(rows)))
        return tuple(found)


class _Numbers:
    """Predictions of a number, of rows spread evenly over all of them."""

    def __init__(self, kept: KeptPredictions) -> None:
        import numpy as np

        self._kept = kept
        self._rows = np.unique(np.linspace(0, len(kept.targets) - 1, min(len(kept.targets), _MOST_POINTS)).astype(int))

    def describe(self, design: int) -> dict[str, Any]:
        pairs = zip(self._kept.targets[self._rows], self._kept.outputs[design, self._rows], strict=True)
        return {"points": tuple((float(f"{truth:.5g}"), float(f"{said:.5g}")) for truth, said in pairs)}


def _ranked(true: NDArray[np.bool_], scores: Floats, weights_NB: Floats) -> tuple[Floats, Floats]:
    """Return the sums of the weights of true and of other rows at or above each score, from the highest score down, (scores + 1, B)."""
    import numpy as np

    order = np.argsort(-scores, kind="stable")
    last = np.flatnonzero(np.append(np.diff(scores[order]) != 0, True))  # rows of one score come together
    start = np.zeros((1, weights_NB.shape[1]))
    hits, others = (np.cumsum(weights_NB[order] * each[order, None], axis=0)[last] for each in (true, ~true))
    return np.concatenate([start, hits]), np.concatenate([start, others])


def _roc(hits: Floats, others: Floats) -> Floats:
    """Return the sensitivity at each place of 1 − specificity, (B, G); NaN where a draw lacks one side."""
    import numpy as np

    grid, curves = np.linspace(0, 1, _PLACES), np.full((hits.shape[1], _PLACES), np.nan)
    for draw in np.flatnonzero((hits[-1] > 0) & (others[-1] > 0)):
        curves[draw] = np.interp(grid, others[:, draw] / others[-1, draw], hits[:, draw] / hits[-1, draw])
    return curves


def _precision_recall(hits: Floats, others: Floats) -> Floats:
    """Return the precision at the highest threshold that reaches each sensitivity, (B, G); NaN where a draw has no true row."""
    import numpy as np

    grid, curves = np.linspace(0, 1, _PLACES), np.full((hits.shape[1], _PLACES), np.nan)
    grid[0] = 1e-9  # the first threshold that finds anything
    for draw in np.flatnonzero(hits[-1] > 0):
        first = np.searchsorted(hits[:, draw] / hits[-1, draw], grid * (1 - 1e-12))
        curves[draw] = hits[first, draw] / (hits[first, draw] + others[first, draw])
    return curves


def _curve(parts_BG: list[Floats]) -> Curve | None:
    """Return the mean of the curves of folds and classes where they are defined, with its band."""
    import numpy as np

    stacked = np.stack(parts_BG)
    known = np.isfinite(stacked).sum(axis=0)
    mean_BG = np.divide(np.nansum(stacked, axis=0), known, out=np.full(known.shape, np.nan), where=known > 0)
    drawn = mean_BG[1:][np.isfinite(mean_BG[1:, 0])]
    if not np.isfinite(mean_BG[0, 0]) or not len(drawn):
        return None
    low, high = np.quantile(drawn, QUANTILES, axis=0)
    return Curve(*(tuple(round(float(each), 4) for each in line) for line in (np.linspace(0, 1, _PLACES), mean_BG[0], low, high)))


def _shares(parts: NDArray[np.int64], wholes: NDArray[np.int64]) -> tuple[float | None, ...]:
    return tuple(float(part / whole) if whole else None for part, whole in zip(parts, wholes, strict=True))
