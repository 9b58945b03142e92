"""Every trial by its choices: where it stands on one axis for the metric, each cost and each choice. No drawing here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fusearch.reports.findings.axes import Axis, axis_of
from fusearch.reports.findings.findings import Findings
from fusearch.reports.wording import metric_label, number, sentence_case
from fusearch.search_space.design.features import FACTORS
from fusearch.study import TrialRecord

__all__ = ["FIFTHS", "ParallelAxis", "Parallels", "parallels_of"]

#: Trials are coloured by the fifth of the ranks that they fall into.
FIFTHS = 5
#: Trials that are drawn; of more, so many, spread evenly over the ranks.
_MOST_TRIALS = 300
#: Levels of an axis; of more, the most frequent ones and the rest as one.
_MOST_LEVELS = 9
#: How much of the room of a level its trials spread over.
_SPREAD = 0.7
#: Choices of a design, outermost first: name of the axis -> of `FACTORS`.
_CHOICES = {
    "Modalities": "Modality used",
    "Level": "Level",
    "How they enter": "How modalities enter",
    "Operators": "Operator",
    "Fusions": "Number of fusions",
}


@dataclass(frozen=True)
class ParallelAxis:
    """One axis.

    Attributes:
        title: What it is.
        ticks: (place, label) of each level, or of round numbers; a place is from 0 (bottom) to 1.
        places: Place of each trial.
    """

    title: str
    ticks: tuple[tuple[float, str], ...]
    places: tuple[float, ...]


@dataclass(frozen=True)
class Parallels:
    """Trials by their choices.

    Attributes:
        axes: The metric, other objectives, then the choices that differ between trials.
        trials: Numbers of the trials, the worst first.
        fifths: Fifth of the ranks of each, 0 the worst.
        finished: How many trials there are in all that could be drawn.
        recommended: Number of the trial of the recommended design, where it is among them.
    """

    axes: tuple[ParallelAxis, ...] = ()
    trials: tuple[int, ...] = ()
    fifths: tuple[int, ...] = ()
    finished: int = 0
    recommended: int | None = None


def parallels_of(found: Findings) -> Parallels:
    """Place every finished trial whose design can be read; empty for fewer than two."""
    known = [record for record in found.trials.evaluated if record.digest in found.graphs][::-1]  # evaluated: best first
    picked = found.recommended.number if found.recommended is not None else None
    if len(known) < 2:
        return Parallels()
    records = _spread_over_ranks(known, picked)
    fifths = tuple(min(FIFTHS - 1, FIFTHS * at // len(records)) for at in range(len(records)))
    graphs = [found.graphs[record.digest] for record in records]
    axes = [_levels(title, [_told(FACTORS[factor](graph)) for graph in graphs]) for title, factor in _CHOICES.items()]
    axes.insert(1, _levels("Encoders", [_told({stream.encoder for stream in graph.streams}) for graph in graphs]))
    axes.append(_levels("Training", [graph.training for graph in graphs]))
    axes += [_setting(name, records) for name in dict.fromkeys(name for record in records for name in record.recipe)]
    measured = [found.main, *(each for each in found.objectives if each != found.main)]
    told = [_numbers(axis_of(each, values), values) for each in measured if (values := [record.value(each.name) for record in records])]
    varied = [*told, *(axis for axis in axes if axis is not None)]
    numbers = tuple(record.number for record in records)
    return Parallels(tuple(varied), numbers, fifths, len(known), picked if picked in numbers else None)


def _spread_over_ranks(records: Sequence[TrialRecord], picked: int | None) -> list[TrialRecord]:
    if len(records) <= _MOST_TRIALS:
        return list(records)
    step = (len(records) - 1) / (_MOST_TRIALS - 1)
    kept = {round(at * step) for at in range(_MOST_TRIALS)}
    return [record for at, record in enumerate(records) if at in kept or record.number == picked]


def _told(words: Iterable[str]) -> str:
    return " + ".join(sorted(words))


def _levels(title: str, words: Sequence[str]) -> ParallelAxis | None:
    """Return an axis with a place for each level; in it trials are spread from the worst to the best. None where all have the same."""
    counts = Counter(words)
    if len(counts) < 2:
        return None
    frequent = [word for word, _ in counts.most_common(_MOST_LEVELS)]
    rest = f"{len(counts) - len(frequent)} others"
    shown = [word if word in frequent else rest for word in words]
    levels = [*sorted(frequent, key=_in_order, reverse=True)]
    levels = [rest, *levels] if rest in shown else levels
    totals, seen = Counter(shown), Counter[str]()
    places = []
    for word in shown:
        seen[word] += 1
        within = seen[word] / (totals[word] + 1) - 0.5
        places.append((levels.index(word) + 0.5 + _SPREAD * within) / len(levels))
    return ParallelAxis(title, tuple(((at + 0.5) / len(levels), word) for at, word in enumerate(levels)), tuple(places))


def _in_order(word: str) -> tuple[int, str]:
    return (-int(word), "") if word.isdecimal() else (0, word)


def _setting(name: str, records: Sequence[TrialRecord]) -> ParallelAxis | None:
    """Return the axis of a number of the recipe, or of a choice in it."""
    title = sentence_case(name.replace("_", " "))
    values = [record.recipe.get(name) for record in records]
    known = [float(value) for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    if len(known) < len(values) or len(set(known)) <= 1:
        return _levels(title, ["none" if value is None else str(value) for value in values]) if len(known) < len(values) else None
    if len(set(known)) <= _MOST_LEVELS:
        levels = _levels(title, [f"{value:g}" for value in known])
        return None if levels is None else _sorted_by_number(levels)
    is_log = min(known) > 0 and max(known) / min(known) >= 30
    return _numbers(Axis(name, None, log=is_log), known, title)


def _sorted_by_number(axis: ParallelAxis) -> ParallelAxis:
    """Put the levels of an axis into the order of their numbers, the least one at the bottom."""
    order = sorted(range(len(axis.ticks)), key=lambda at: float(axis.ticks[at][1]))
    moved = {before: after for after, before in enumerate(order)}
    size = len(order)
    places = [(moved[int(place * size)] + place * size % 1) / size for place in axis.places]
    return ParallelAxis(axis.title, tuple(((at + 0.5) / size, axis.ticks[before][1]) for at, before in enumerate(order)), tuple(places))


def _numbers(axis: Axis, values: Sequence[float], title: str = "") -> ParallelAxis:
    """Return an axis of numbers, from the least to the largest."""
    scaled = [axis.scaled(value) for value in values]
    low, high = min(scaled), max(scaled)
    size = (high - low) or 1.0
    ends = [(low, values[scaled.index(low)]), (high, values[scaled.index(high)])]
    ticks = [(axis.scaled(value), label) for value, label in axis.ticks(ends[0][1], ends[1][1])] if high > low else []
    # The ends tell the range; round numbers too near to them would stand on top of them.
    inner = [(place, label) for place, label in ticks if min(abs(place - low), abs(place - high)) > 0.07 * size]
    placed = [*((place, label) for place, label in inner), *((place, number(value)) for place, value in ends)]
    return ParallelAxis(
        title or sentence_case(metric_label(axis.name)),
        tuple(sorted({((place - low) / size, label) for place, label in placed})),
        tuple((each - low) / size for each in scaled),
    )
