"""A run as a paper tells it: what it used, with the papers of that."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from fusearch.amounts import counted
from fusearch.inference.picked import read_pick
from fusearch.reports.citation.papers import (
    EXECUTORS_BY,
    FIXED,
    LOSSES,
    SAMPLERS_FROM,
    STRATEGIES_FROM,
    Paper,
    are_one,
    join_papers,
    read_papers,
)
from fusearch.reports.wording import metric_label
from fusearch.run import Run
from fusearch.search_space import ENCODERS, OPERATORS, FusionGraph

__all__ = ["Citation", "cite_run"]


@dataclass(frozen=True)
class Citation:
    """What a paper says of a run.

    Attributes:
        methods: A paragraph on what was done, with the keys of the papers in the form of LaTeX.
        papers: The papers, by key.
        unnamed: Operators and encoders that the run used, and for which no paper is named (they are the textbooks').
    """

    methods: str
    papers: tuple[Paper, ...]
    unnamed: tuple[str, ...]

    @property
    def bibtex(self) -> str:
        """All papers as BibTeX."""
        return "\n\n".join(paper.bibtex for paper in self.papers)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {"methods": self.methods, "bibtex": self.bibtex, "keys": [paper.key for paper in self.papers], "unnamed": list(self.unnamed)}


def cite_run(run: Run, pick: str = "simplest") -> Citation:
    """Return the papers of the operators, encoders, sampler and losses that a run used, and a paragraph on its methods.

    Args:
        run: The run.
        pick: The design that the paper is about, as for `Run.pick`, or `team`.

    Raises:
        RunError: There is no such design.
    """
    trials = run.read()
    designs = [FusionGraph.parse(record.formula, trials.modalities) for record in read_pick(trials, pick).records]
    space, search = run.config.get("space", {}), run.config.get("search", {})
    chosen_operators = _names(fusion.operator for design in designs for fusion in design.fusions)
    chosen_encoders = _names(stream.encoder for design in designs for stream in design.streams)
    operators = _names([*chosen_operators, *space.get("operators", ())])
    encoders = _names([*chosen_encoders, *(name for names in space.get("encoders", {}).values() for name in names)])
    task = str((trials.described_task or {}).get("kind", ""))
    sampler, executor = str(search.get("sampler", "")), str(search.get("executor", ""))
    strategy = str(run.config.get("strategy", {}).get("name", "graph"))
    done = trials.counts["complete"] + trials.counts["raced"]
    references = sum(record.reference is not None and record.evaluated for record in trials.records)
    others = strategy != "graph" or references < done
    fixed = [
        *FIXED,
        *(SAMPLERS_FROM.get(sampler, ()) if strategy == "graph" and others else ()),
        *EXECUTORS_BY.get(executor, ()),
        *STRATEGIES_FROM.get(strategy, ()),
        *LOSSES.get(task, ()),
    ]
    of = {name: read_papers(reference) for name, reference in _references(operators, encoders).items()}
    papers = join_papers([*fixed, *(paper for each in of.values() for paper in each)])
    finder = _Keys(papers)
    names = " and ".join(metric_label(objective.name) for objective in run.objectives)
    settings = run.config.get("evaluator", {}).get("settings", {})
    given = {"folds", "seeds"} <= settings.keys()
    protocol = f"{counted(settings['folds'], 'fold')} and {counted(settings['seeds'], 'seed')}" if given else "cross-validation"
    is_graph = strategy == "graph"
    by = f"sampler {sampler!r}" if is_graph else f"strategy {strategy!r}"
    after = "" if not others else finder.of((SAMPLERS_FROM if is_graph else STRATEGIES_FROM).get(sampler if is_graph else strategy, ()))
    tune = _before(finder.of(EXECUTORS_BY.get(executor, ())))
    evaluated = (
        f"{counted(done, 'design')} {'was' if done == 1 else 'were'} evaluated for {names} by {protocol} "
        "inside the training and validation rows"
    )
    among = f", {references} of them as references: single modalities, and ways of fusion that need no search" if references else ""
    proposed = f"The {by}{_before(after)} proposed {'the others' if references else 'them'}," if others else "The search ran"
    version = run.config.get("fusearch", "")
    space_of = f"The space held the encoders {_listed(encoders, of, finder)}"
    reported = f"The design that is reported ({pick})"
    joined = f"joins {_listed(chosen_encoders, of, finder)} by {_listed(chosen_operators, of, finder)}"
    sentences = (
        f"Fusion designs were searched with fusearch {version} {finder.of(FIXED[:1])}.",
        f"It writes a design as in {finder.of(FIXED[1:2])} and searches when, which and how to fuse after {finder.of(FIXED[2:3])}.",
        f"{evaluated}{among}.",
        f"{proposed} on Optuna {finder.of(FIXED[3:4])}{' and Ray Tune' + tune if tune else ''}.",
        f"They were trained in PyTorch {finder.of(FIXED[4:5])}.",
        f"{space_of} and the operators {_listed(operators, of, finder)}." if operators else f"{space_of}.",
        f"{reported} {joined}." if chosen_operators else f"{reported} is {_listed(chosen_encoders, of, finder)} without a fusion.",
        f"The loss is that of {finder.of(LOSSES[task])}." if task in LOSSES else "",
    )
    return Citation(" ".join(filter(None, sentences)), tuple(papers), tuple(name for name, each in of.items() if not each))


class _Keys:
    """The keys under which papers are cited in the end."""

    def __init__(self, papers: Sequence[Paper]) -> None:
        self._papers = papers

    def of(self, cited: Iterable[Paper]) -> str:
        r"""Return `\cite{...}` of some papers; empty where there are none."""
        keys = [self._key(paper) for paper in cited]
        return f"\\cite{{{','.join(dict.fromkeys(keys))}}}" if keys else ""

    def _key(self, paper: Paper) -> str:
        return next(each.key for each in self._papers if each.key[: len(paper.key)] == paper.key and are_one(each, paper))


def _names(given: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(name.partition("(")[0] for name in given))


def _references(operators: Iterable[str], encoders: Iterable[str]) -> dict[str, str]:
    """Return what the entries say they are made after; a name of a plug-in that is not loaded says nothing."""
    found = {name: OPERATORS[name].reference if name in OPERATORS else "" for name in operators}
    return {**found, **{name: ENCODERS[name].reference if name in ENCODERS else "" for name in encoders}}


def _listed(names: Sequence[str], of: dict[str, list[Paper]], keys: _Keys) -> str:
    return ", ".join(f"{name}{_before(keys.of(of.get(name, ())))}" for name in names)


def _before(text: str) -> str:
    return f" {text}" if text else ""
