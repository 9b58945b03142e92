"""Where the published designs stand in a run, and which of them is nearest to each design on the front."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from fusearch.amounts import counted
from fusearch.reports.wording import metric_label
from fusearch.study import TrialRecord
from fusearch.trials import Trials

if TYPE_CHECKING:
    from fusearch.data.modality import Modality
    from fusearch.search_space import PublishedStudy

__all__ = ["Neighbour", "Published", "PublishedStanding", "published_name", "read_published"]


@dataclass(frozen=True)
class PublishedStanding:
    """One published design that fits the data of a run.

    Attributes:
        studies: Keys of the studies whose network it is for these data.
        links: The papers; a study without an identifier has none.
        digest: Digest of the design.
        record: Its best evaluated trial; None where it failed or was not tried.
        rank: Its place among all designs by the main objective, from 1.
        on_front: Whether it is on the front.
        tried: Whether a trial of it ended.
    """

    studies: tuple[str, ...]
    links: tuple[str, ...]
    digest: str
    record: TrialRecord | None
    rank: int | None
    on_front: bool
    tried: bool

    @property
    def name(self) -> str:
        return _joined(self.studies)


@dataclass(frozen=True)
class Neighbour:
    """A design on the front and the published one nearest to it.

    Attributes:
        record: The trial.
        study: Key of the study.
        citation: Its paper.
        link: Where the paper is; empty without an identifier.
        distance: Mean of the stated features, 0 for none that differs.
    """

    record: TrialRecord
    study: str
    citation: str
    link: str
    distance: float


@dataclass(frozen=True)
class Published:
    """The published designs in a run.

    Attributes:
        asked: Whether the search was asked to try each that fits.
        standings: Those that fit the data, the evaluated ones by rank first.
        designs: Number of designs that the ranks are among.
        neighbours: One for each design on the front that has a fusion.
        metric: Name of the main objective, by which the ranks are.
    """

    asked: bool
    standings: tuple[PublishedStanding, ...]
    designs: int
    neighbours: tuple[Neighbour, ...]
    metric: str

    @property
    def evaluated(self) -> tuple[PublishedStanding, ...]:
        return tuple(each for each in self.standings if each.record is not None)

    @property
    def left_out(self) -> tuple[PublishedStanding, ...]:
        """Those that the search did not come to."""
        return tuple(each for each in self.standings if not each.tried)

    @property
    def sentences(self) -> list[str]:
        """How many were tried and where the best of them stands; nothing where none was tried or asked for."""
        if not self.asked and not self.evaluated:
            return []
        tried = len(self.standings) - len(self.left_out)
        sentences = [f"{counted(len(self.standings), 'published design')} fit the data, {tried} of them were tried."]
        if len(self.standings) == 1:
            sentences = [f"1 published design fits the data, {'it was' if tried else 'it was not'} tried."]
        failed = [each.name for each in self.standings if each.tried and each.record is None]
        if failed:
            sentences.append(f"Without a result: {', '.join(failed)}.")
        if self.asked and self.left_out:
            names = ", ".join(each.name for each in self.left_out)
            sentences.append(f"{len(self.left_out)} left out, as the search ended before their turn: {names}.")
        if self.evaluated:
            best = self.evaluated[0]
            sentences.append(
                f"The best of them by {metric_label(self.metric)} is {best.name}: place {best.rank} of {self.designs} designs."
            )
        return sentences

    def to_dict(self) -> dict[str, Any]:
        """Return the facts as JSON-able values."""
        standings = [
            {
                "studies": list(each.studies),
                "digest": each.digest,
                "trial": None if each.record is None else each.record.number,
                "place": each.rank,
                "on_front": each.on_front,
                "tried": each.tried,
            }
            for each in self.standings
        ]
        nearest = [
            {"digest": each.record.digest, "study": each.study, "link": each.link, "distance": each.distance} for each in self.neighbours
        ]
        return {"sentences": self.sentences, "standings": standings, "nearest": nearest}


@lru_cache(maxsize=8)
def _studies_by_digest(modalities: tuple[Modality, ...]) -> Mapping[str, tuple[str, ...]]:
    """Bind the published designs to data, and return the studies whose network each of those that fit is, by digest."""
    from fusearch.search_space import fitting_designs

    keys: dict[str, list[str]] = {}
    for key, graph in fitting_designs(modalities)[0].items() if modalities else ():
        keys.setdefault(graph.digest, []).append(key)
    return {digest: tuple(studies) for digest, studies in keys.items()}


def published_name(modalities: tuple[Modality, ...], digest: str) -> str | None:
    """Return the study, or the studies, whose network a design is on these data; None for any other."""
    studies = _studies_by_digest(modalities).get(digest)
    return None if studies is None else _joined(studies)


def read_published(trials: Trials) -> Published:
    """Bind the published designs to the data of a run and look for them among its trials."""
    from fusearch.search_space import PUBLISHED
    from fusearch.search_space.published import nearest_study

    best: dict[str, TrialRecord] = {}
    for record in sorted(trials.evaluated, key=lambda record: (trials.primary.loss(record.value(trials.primary.name)), record.number)):
        best.setdefault(record.digest, record)
    order = list(best)
    front = {record.digest for record in trials.front}
    ended = {record.digest for record in trials.records if record.state in ("complete", "failed", "pruned") and not record.interrupted}
    standings = [
        PublishedStanding(
            studies=studies,
            links=tuple(_link(PUBLISHED[key]) for key in studies),
            digest=digest,
            record=best.get(digest),
            rank=order.index(digest) + 1 if digest in order else None,
            on_front=digest in front,
            tried=digest in ended,
        )
        for digest, studies in _studies_by_digest(trials.modalities).items()
    ]
    neighbours = []
    for record in trials.front:
        design = trials.graphs.get(record.digest)
        if design is not None and design.fusions:
            study, distance = nearest_study(design)
            neighbours.append(Neighbour(record, study.key, study.citation, _link(study), distance))
    return Published(
        asked=trials.config.get("search", {}).get("start") == "published",
        standings=tuple(sorted(standings, key=lambda each: (each.rank is None, each.rank or 0, not each.tried))),
        designs=len(order),
        neighbours=tuple(neighbours),
        metric=trials.primary.name,
    )


def _link(study: PublishedStudy) -> str:
    return f"https://doi.org/{study.doi.removeprefix('https://doi.org/')}" if study.doi else ""


def _joined(studies: Sequence[str]) -> str:
    return " = ".join(studies)
