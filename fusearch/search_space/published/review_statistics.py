"""The review's own statistics, recomputed from the 54 formulas that it prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from fusearch.search_space.entries.operator import FAMILIES_BY_SYMBOL
from fusearch.search_space.published.catalogue import PUBLISHED
from fusearch.search_space.published.differences import AGREEMENTS

__all__ = ["Count", "other_sheets", "review_statistics"]


@dataclass(frozen=True)
class Count:
    """One number of the review.

    Attributes:
        group: What is counted.
        name: Of which kind.
        count: How many.
    """

    group: str
    name: str
    count: int


def review_statistics() -> list[Count]:
    """Count the printed formulas: studies by number and type of fusions and by synchrony, fusions by the class of their operator.

    All is read from the formulas by the rules of the labels. The last group counts what the networks as built differ in from them.

    Example:
        >>> {count.name: count.count for count in review_statistics() if count.group == "studies by number of fusions"}
        {'single': 35, 'multiple': 19}
    """
    return [Count(group, name, count) for group, counts in _groups() for name, count in counts.items()]


def _groups() -> Iterator[tuple[str, dict[str, int]]]:
    patterns = [study.pattern() for study in PUBLISHED.values()]
    labels = [pattern.labels for pattern in patterns]
    single = sum(not label.multiple for label in labels)
    yield "studies by number of fusions", {"single": single, "multiple": len(labels) - single}
    operators = Counter(fusion.operator for pattern in patterns for fusion in pattern.fusions)
    classes = {f"{symbol} {families[0]}": operators[symbol] for symbol, families in FAMILIES_BY_SYMBOL.items()}
    yield "fusions by class of operator", dict(sorted(classes.items(), key=lambda item: -item[1]))
    types = Counter(label.type for label in labels)
    yield "studies by type", {name: types[name] for name in ("sudden", "gradual", "multi-flow")}
    synchronous = sum(label.synchronous for label in labels)
    yield "studies by synchrony", {"synchronous": synchronous, "asynchronous": len(labels) - synchronous}
    kinds = Counter(modality.kind for study in PUBLISHED.values() for modality in study.design().modalities)
    yield "modalities by kind", dict(kinds.most_common())
    tasks = Counter(study.facts.task_kind for study in PUBLISHED.values())
    yield "studies by task", dict(tasks.most_common())
    found = Counter(study.agreement for study in PUBLISHED.values())
    yield "as built, differing in", {name: found[name] for name in AGREEMENTS}


def other_sheets() -> dict[int, tuple[str, str]]:
    """Return the studies whose sheet prints another type than the rules give for its own formula: number -> printed, by the rules."""
    types = {study.number: (study.sheet["type"], study.pattern().labels.type) for study in PUBLISHED.values()}
    return {number: each for number, each in types.items() if each[0] != each[1]}
