"""Papers as BibTeX: those that entries of the registries name in words, and those of the parts that have no entry with a reference."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from fusearch.version import __version__

__all__ = ["EXECUTORS_BY", "FIXED", "LOSSES", "SAMPLERS_FROM", "STRATEGIES_FROM", "Paper", "are_one", "join_papers", "read_papers"]

#: A paper in the words of an entry: first authors, then what stands before the year.
_PAPER = re.compile(r"([A-Z][\w-]+)( et al\.| (?:&|and) [A-Z][\w-]+|), ((?:[^,;]+, )*?[^,;]*?)\b((?:19|20)\d\d)\b(?!\.\d)")


@dataclass(frozen=True)
class Paper:
    """A paper that may be cited.

    Attributes:
        key: Key of the BibTeX entry.
        authors: As BibTeX writes them: `A and B and others`.
        title: The title; empty where the entry that names the paper does not tell it.
        venue: Journal, conference, or where else it stands.
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
    def bibtex(self) -> str:
        """The BibTeX entry; what is not known is left out, and said in a note."""
        place = {"article": "journal", "inproceedings": "booktitle", "software": "version"}.get(self.kind, "howpublished")
        fields = {
            "author": self.authors,
            "title": self.title and f"{{{self.title}}}",
            place: self.venue,
            "year": str(self.year),
            "url": self.url,
        }
        if not self.title:
            fields["note"] = "title to be added"
        lines = [f"  {name} = {{{_escaped(value)}}}," for name, value in fields.items() if value]
        return "\n".join([f"@{self.kind}{{{self.key},", *lines, "}"])


def read_papers(reference: str) -> list[Paper]:
    """Return the papers that the reference of an entry names, with the authors and the title as far as it tells them.

    Example:
        >>> [paper] = read_papers("He et al., Deep residual learning for image recognition, CVPR 2016, with a note (review no. 1)")
        >>> paper.key, paper.authors, paper.title, paper.venue
        ('he2016', 'He and others', 'Deep residual learning for image recognition', 'CVPR')
    """
    papers = []
    for first, others, told, year in _PAPER.findall(reference):
        title, _, venue = told.strip().rstrip(",").rpartition(", ")
        if told.rstrip().endswith(","):
            title, venue = told.strip().rstrip(","), ""
        second = re.sub(r"^ (?:&|and) ", "", others)
        authors = f"{first} and others" if "et al." in others else f"{first} and {second}" if second else first
        papers.append(Paper(f"{first.lower()}{year}", authors, title, venue, int(year)))
    return papers


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


#: What every run rests on: fusearch, the two papers of its language and its method, and what searches and trains.
FIXED: tuple[Paper, ...] = (
    Paper("fusearch", "{The fusearch developers}", "fusearch: architecture search over multimodal fusion", __version__, 2026, "software"),
    Paper(
        "guarrasi2025",
        "Guarrasi and others",
        "A systematic review of intermediate fusion in multimodal deep learning for biomedical applications",
        "Image and Vision Computing",
        2025,
        "article",
        "https://arxiv.org/abs/2408.02686",
    ),
    Paper(
        "guarrasi2023",
        "Guarrasi and Soda",
        "Multi-objective optimization determines when, which and how to fuse deep networks",
        "Comput. Biol. Med.",
        2023,
        "article",
        "https://arxiv.org/abs/2204.03772",
    ),
    Paper(
        "akiba2019",
        "Akiba, Takuya and Sano, Shotaro and Yanase, Toshihiko and Ohta, Takeru and Koyama, Masanori",
        "Optuna: a next-generation hyperparameter optimization framework",
        "KDD",
        2019,
        "inproceedings",
    ),
    Paper(
        "paszke2019",
        "Paszke and others",
        "PyTorch: an imperative style, high-performance deep learning library",
        "NeurIPS",
        2019,
        "inproceedings",
    ),
)

_TUNE = Paper("liaw2018", "Liaw and others", "Tune: a research platform for distributed model selection and training", "arXiv", 2018)

#: Sampler -> what it is made after.
SAMPLERS_FROM: Mapping[str, tuple[Paper, ...]] = {
    "tpe": (Paper("bergstra2011", "Bergstra and others", "Algorithms for hyper-parameter optimization", "NeurIPS", 2011, "inproceedings"),),
    "nsga2": (
        Paper(
            "deb2002",
            "Deb and others",
            "A fast and elitist multiobjective genetic algorithm: NSGA-II",
            "IEEE Trans. Evol. Comput.",
            2002,
            "article",
        ),
    ),
    "evolution": (
        Paper(
            "beume2007",
            "Beume and Naujoks and Emmerich",
            "SMS-EMOA: multiobjective selection based on dominated hypervolume",
            "European Journal of Operational Research",
            2007,
            "article",
        ),
    ),
    "cost_aware": (
        Paper(
            "emmerich2011",
            "Emmerich and Deutz and Klinkenberg",
            "Hypervolume-based expected improvement: monotonicity properties and exact computation",
            "IEEE Congress on Evolutionary Computation",
            2011,
            "inproceedings",
        ),
        Paper(
            "hutter2011",
            "Hutter and Hoos and Leyton-Brown",
            "Sequential model-based optimization for general algorithm configuration",
            "LION",
            2011,
            "inproceedings",
        ),
    ),
    "random": (),
}

#: Executor -> what it runs by; strategy -> what it is made after, where that is more than the method paper.
EXECUTORS_BY: Mapping[str, tuple[Paper, ...]] = {"ray": (_TUNE,), "inline": ()}
STRATEGIES_FROM: Mapping[str, tuple[Paper, ...]] = {
    "pareto-ensemble": (
        Paper(
            "kuncheva2003",
            "Kuncheva and Whitaker",
            "Measures of diversity in classifier ensembles and their relationship with the ensemble accuracy",
            "Machine Learning",
            2003,
            "article",
        ),
    ),
}

#: Task -> what its loss is made after; the others train losses of the textbooks.
LOSSES: Mapping[str, tuple[Paper, ...]] = {
    "discrete_survival": (
        Paper(
            "gensheimer2019",
            "Gensheimer and Narasimhan",
            "A scalable discrete-time survival model for neural networks",
            "PeerJ",
            2019,
            "article",
        ),
    ),
    "segmentation": (
        Paper(
            "isensee2021",
            "Isensee and others",
            "nnU-Net: a self-configuring method for deep learning-based biomedical image segmentation",
            "Nature Methods",
            2021,
            "article",
        ),
    ),
}
