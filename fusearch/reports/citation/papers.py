"""Papers as BibTeX. The entries of the registries name theirs in words; `bibliography.json` has the rest of what is known of each."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from importlib.resources import files

from fusearch.version import __version__

__all__ = ["EXECUTORS_BY", "FIXED", "LOSSES", "SAMPLERS_FROM", "STRATEGIES_FROM", "Paper", "are_one", "join_papers", "read_papers"]

#: A paper in the words of an entry: first authors, then what stands before the year.
_PAPER = re.compile(r"([A-Z][\w-]+)( et al\.| (?:&|and) [A-Z][\w-]+|), ((?:[^,;]+, )*?[^,;]*?)\b((?:19|20)\d\d)\b(?!\.\d)")

#: Kind of a BibTeX entry -> where it says what the paper stands in.
_PLACES = {"article": "journal", "inproceedings": "booktitle", "incollection": "booktitle", "book": "publisher", "software": "version"}


@dataclass(frozen=True)
class Paper:
    """A paper that may be cited.

    Attributes:
        key: Key of the BibTeX entry.
        authors: As BibTeX writes them: `A and B and others`, where the others are not known.
        title: The title; empty where the entry that names the paper does not tell it.
        venue: Journal, conference, publisher, or where else it stands.
        year: Year of the paper.
        kind: Kind of the BibTeX entry.
        url: Where it can be read; empty where it is not told.
    """

    key: str
    authors: str
    title: str
    venue: str
    year: int
    kind: str = "misc"
    url: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether all authors and the title are known."""
        return bool(self.title) and not self.authors.endswith(" and others")

    @property
    def bibtex(self) -> str:
        """The BibTeX entry; what is not known is left out, and said in a note."""
        fields = {
            "author": self.authors,
            "title": self.title and f"{{{self.title}}}",
            _PLACES.get(self.kind, "howpublished"): self.venue,
            "year": str(self.year),
            "url": self.url,
        }
        if not self.title:
            fields["note"] = "title to be added"
        lines = [f"  {name} = {{{_escaped(value)}}}," for name, value in fields.items() if value]
        return "\n".join([f"@{self.kind}{{{self.key},", *lines, "}"])


def read_papers(reference: str) -> list[Paper]:
    """Return the papers that the reference of an entry names: as the bibliography has them, else as far as the words tell them.

    Example:
        >>> [paper] = read_papers("Hu et al., Squeeze-and-excitation networks, CVPR 2018, with a note (review no. 1)")
        >>> paper.key, paper.kind, paper.authors, paper.title
        ('hu2018', 'inproceedings', 'Hu, Jie and Shen, Li and Sun, Gang', 'Squeeze-and-excitation networks')
        >>> [paper] = read_papers("Doe et al., Joining all there is, JMLR 2031")
        >>> paper.kind, paper.authors, paper.venue
        ('article', 'Doe and others', 'Journal of Machine Learning Research')
    """
    papers = []
    for first, others, told, year in _PAPER.findall(reference):
        title, _, venue = told.strip().rstrip(",").rpartition(", ")
        if told.rstrip().endswith(","):
            title, venue = told.strip().rstrip(","), ""
        second = re.sub(r"^ (?:&|and) ", "", others)
        authors = f"{first} and others" if "et al." in others else f"{first} and {second}" if second else first
        kind, venue = _VENUES.get(venue, ("misc", venue))
        papers.append(_known(Paper(f"{first.lower()}{year}", authors, title, venue, int(year), kind)))
    return papers


def _known(told: Paper) -> Paper:
    """Return a paper as the bibliography has it; one that it does not have as it is."""
    if not told.title and not told.venue:
        return told
    words = _plain(told.title).lower()
    for paper, short in _BIBLIOGRAPHY:
        is_named = paper.title.lower().startswith(words) or (short and words.startswith(short.lower()))
        if paper.key == told.key and told.venue in ("", paper.venue) and is_named:
            return paper
    return told


def join_papers(papers: Iterable[Paper]) -> list[Paper]:
    """Return each paper once, by key; of one paper the fullest title, and papers of one key told apart by a letter."""
    kept: dict[str, list[Paper]] = {}
    for paper in papers:
        same = kept.setdefault(paper.key, [])
        at = next((index for index, other in enumerate(same) if are_one(other, paper)), None)
        if at is None:
            same.append(paper)
        elif len(_plain(paper.title)) > len(_plain(same[at].title)):
            same[at] = paper
    told = [
        replace(paper, key=paper.key + ("" if len(group) == 1 else chr(ord("a") + index)))
        for group in kept.values()
        for index, paper in enumerate(group)
    ]
    return sorted(told, key=lambda paper: paper.key)


def are_one(one: Paper, other: Paper) -> bool:
    """Whether two ways to name a paper, by authors and year the same, may be one: one title begins with the other, or is not told."""
    first, second = sorted((_plain(one.title), _plain(other.title)), key=len)
    return one.venue == other.venue and second.startswith(first)


def _plain(title: str) -> str:
    """Return a title without the short name in parentheses."""
    return re.sub(r" \([^)]*\)$", "", title)


def _escaped(text: str) -> str:
    return re.sub(r"([&%#_])", r"\\\1", text)


def _read_bibliography() -> tuple[dict[str, tuple[str, str]], list[tuple[Paper, str]]]:
    """Return short name of a venue -> kind of its entries and its name in full, and the papers with the name that entries give each."""
    content = json.loads(files(__package__).joinpath("bibliography.json").read_text(encoding="utf-8"))
    venues = {short: (kind, name) for short, (kind, name) in content["venues"].items()}
    papers = []
    for each in content["papers"]:
        key, (kind, venue) = each["key"], venues[each["venue"]]
        paper = Paper(key, " and ".join(each["authors"]), each["title"], venue, int(key[-4:]), kind, each.get("url", ""))
        papers.append((paper, each.get("short", "")))
    return venues, papers


_VENUES, _BIBLIOGRAPHY = _read_bibliography()


def _by_key(*keys: str) -> tuple[Paper, ...]:
    by_key = {paper.key: paper for paper, _ in _BIBLIOGRAPHY}
    return tuple(by_key[key] for key in keys)


#: What every run rests on: fusearch, the two papers of its language and its method, and what searches and trains.
FIXED: tuple[Paper, ...] = (
    Paper("fusearch", "{The fusearch developers}", "fusearch: architecture search over multimodal fusion", __version__, 2026, "software"),
    *_by_key("guarrasi2025", "guarrasi2023", "akiba2019", "paszke2019"),
)

#: Sampler -> what it is made after.
SAMPLERS_FROM: Mapping[str, tuple[Paper, ...]] = {
    "tpe": _by_key("bergstra2011"),
    "nsga2": _by_key("deb2002"),
    "evolution": _by_key("beume2007"),
    "cost_aware": _by_key("emmerich2011", "hutter2011"),
    "random": (),
}

#: Executor -> what it runs by; strategy -> what it is made after, where that is more than the method paper.
EXECUTORS_BY: Mapping[str, tuple[Paper, ...]] = {"ray": _by_key("liaw2018"), "inline": ()}
STRATEGIES_FROM: Mapping[str, tuple[Paper, ...]] = {"pareto-ensemble": _by_key("kuncheva2003")}

#: Task -> what its loss is made after; the others train losses of the textbooks.
LOSSES: Mapping[str, tuple[Paper, ...]] = {"discrete_survival": _by_key("gensheimer2019"), "segmentation": _by_key("isensee2021")}
