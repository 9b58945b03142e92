"""Where in the paths of files the id stands: one place for all paths of one form, since a single path may fit two ids."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

__all__ = ["IdPlaces", "find_ids", "runs_in"]

_MARKS = re.compile(r"([_\-. /])")

#: Words that one run has at most.
_MOST_WORDS = 12

#: What BIDS writes before the id of a subject.
_SUBJECT = ("sub", "-")


@dataclass
class IdPlaces:
    """Which id each path names.

    Attributes:
        named: Path -> its id, and the path with `*` in place of it.
        unclear: Path -> the ids that it fits, none better than another.
        unnamed: Paths that hold no id.
    """

    named: dict[str, tuple[str, str]] = field(default_factory=dict)
    unclear: dict[str, list[str]] = field(default_factory=dict)
    unnamed: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Path:
    text: str
    words: list[str]
    spans: list[tuple[int, int]]

    @property
    def ids(self) -> list[str]:
        return ["".join(self.words[first:last]) for first, last in self.spans]

    @property
    def form(self) -> tuple[str | None, ...]:
        """Its words, with None for those of ids."""
        of_ids = {place for first, last in self.spans for place in range(first, last)}
        return tuple(None if place in of_ids else word for place, word in enumerate(self.words))

    def with_star(self, places: Sequence[int]) -> str:
        """Return the path with `*` at some of the places of ids."""
        words = list(self.words)
        for first, last in (self.spans[place] for place in places):
            words[first:last] = ["*", *[""] * (last - first - 1)]
        return "".join(words)


def find_ids(paths: Iterable[str], ids: frozenset[str]) -> IdPlaces:
    """Return the id of each path: of several places that hold one, the place beside which the least varies from path to path.

    `1_2.png` names one of the patients 1 and 2; with `2_2.png`, `3_2.png` and `4_1.png` beside it, it names patient 1.

    Args:
        paths: Paths without suffixes.
        ids: Ids of the samples.
    """
    found = IdPlaces()
    forms: dict[tuple[str | None, ...], list[_Path]] = {}
    for text in paths:
        words = _MARKS.split(text)
        spans = [span for span in _spans(words) if "".join(words[slice(*span)]) in ids]
        whole = [one for one in spans if not any(other != one and other[0] <= one[0] and one[1] <= other[1] for other in spans)]
        path = _Path(text, words, whole)
        if whole:
            forms.setdefault(path.form, []).append(path)
        else:
            found.unnamed.append(text)
    for alike in forms.values():
        places = _places_of_the_id(alike)
        for path in alike:
            told = {path.ids[place] for place in places or range(len(path.spans))}
            if len(told) == 1:
                found.named[path.text] = told.pop(), path.with_star(places or range(len(path.spans)))
            else:
                found.unclear[path.text] = sorted(told, key=path.ids.index)
    return found


def runs_in(text: str) -> Iterator[str]:
    """Give what stands between marks (`sub-01_T1w`: sub, sub-01, sub-01_T1w, 01, ...)."""
    words = _MARKS.split(text)
    return ("".join(words[first:last]) for first, last in _spans(words))


def _spans(words: Sequence[str]) -> Iterator[tuple[int, int]]:
    for first in range(0, len(words), 2):
        for last in range(first, min(len(words), first + _MOST_WORDS), 2):
            if last > first and words[last - 1] == "/":
                break
            yield first, last + 1


def _places_of_the_id(alike: Sequence[_Path]) -> list[int] | None:
    """Return which of the places of ids hold the id, in paths of one form; None where that is unclear."""
    told = [path.ids for path in alike]
    count = min(map(len, told))
    sets: list[list[int]] = []  # places that hold the same id in most paths
    for place in range(count):
        same = next((each for each in sets if 2 * sum(ids[place] == ids[each[0]] for ids in told) > len(told)), None)
        if same is None:
            sets.append([place])
        else:
            same.append(place)
    subjects = [each for each in sets if all(tuple(alike[0].words[: alike[0].spans[place][0]][-2:]) == _SUBJECT for place in each)]
    if len(sets) == 1 or subjects:
        return (subjects or sets)[0]
    varied = sorted((len({path.with_star(each) for path in alike}), each) for each in sets)
    return varied[0][1] if 2 * varied[0][0] <= varied[1][0] else None
