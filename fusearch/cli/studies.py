"""The catalogue of published networks: the rows of `list designs`, and what `show KEY` tells of one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fusearch.cli.output import say, show_table
from fusearch.errors import FusearchError, UnknownNameError, suggestion

if TYPE_CHECKING:
    from fusearch.data import Dataset
    from fusearch.search_space import FusionGraph, Labels, PublishedStudy

__all__ = ["LABELS", "check_filters", "show_study", "study_facts_of", "study_rows"]

#: Options of `list` that only `list designs` takes.
_FILTERS = ("--kind", "--task", "--class", "--label", "--data")

#: Words of `--label`, as in the review's analysis.
LABELS = (
    "single",
    "multiple",
    "sudden",
    "gradual",
    "multi-flow",
    "synchronous",
    "asynchronous",
    "early",
    "intermediate",
    "joint-late",
    "late",
)

#: Facts of `show` that are a sentence or more, and what stands before them.
_SENTENCES = {
    "task_in_words": "Task",
    "refused": "Not trained for its own task",
    "losses": "Losses",
    "left_out": "Left out",
    "training": "Training",
    "missing": "Missing modality",
    "result": "Headline result",
    "differs": "As built and in print",
    "notes": "Notes",
    "read_from": "Read from",
}


def study_rows(
    *,
    kinds: Sequence[str] = (),
    tasks: Sequence[str] = (),
    classes: Sequence[str] = (),
    labels: Sequence[str] = (),
    data: Dataset | None = None,
) -> list[dict[str, Any]]:
    """Return the published networks that have all kinds, one of the tasks, all classes of operators and all labels; with data, what fits.

    Raises:
        UnknownNameError: There is no such kind, task, class or label.
    """
    from fusearch.data.kinds import KINDS
    from fusearch.search_space import OPERATORS, PUBLISHED, fitting_designs
    from fusearch.search_space.entries.operator import SYMBOLS
    from fusearch.search_space.published import TASK_KINDS

    _check("--kind", kinds, list(KINDS))
    _check("--task", tasks, TASK_KINDS)
    _check("--class", classes, list(dict.fromkeys([*SYMBOLS, *SYMBOLS.values()])))
    _check("--label", labels, LABELS)
    fitting, reasons = fitting_designs(data.modalities) if data is not None else ({}, {})
    rows = []
    for study in PUBLISHED.values():
        design = study.design()
        has = list(dict.fromkeys(modality.kind for modality in design.modalities))
        entries = [OPERATORS[fusion.operator] for fusion in design.fusions]
        used = {word for entry in entries for word in (entry.family, entry.symbol)}
        words = _words(design.labels)
        if not set(kinds) <= set(has) or not set(classes) <= used or not set(labels) <= set(words):
            continue
        if tasks and study.facts.task_kind not in tasks:
            continue
        row = {
            "key": study.key,
            "number": study.number,
            "year": study.year,
            "modalities": [f"{modality.name} {modality.kind}" for modality in design.modalities],
            "task": study.facts.task_kind,
            "operators": list(dict.fromkeys(fusion.operator for fusion in design.fusions)),
            "labels": words,
            "differs in": study.agreement,
        }
        if data is not None:
            row["fits"] = "yes" if study.key in fitting else reasons[study.key]
        rows.append(row)
    return rows


def _words(labels: Labels) -> list[str]:
    synchrony = "synchronous" if labels.synchronous else "asynchronous"
    return ["multiple" if labels.multiple else "single", labels.type, synchrony, labels.level]


def _check(option: str, values: Iterable[str], legal: Sequence[str]) -> None:
    for value in values:
        if value not in legal:
            raise UnknownNameError(f"{option} {value!r}: {suggestion(value, legal)}")


def study_facts_of(study: PublishedStudy, design: FusionGraph) -> dict[str, Any]:
    """Return what is known of a study as JSON-able values; `design` is its network, as built or bound to data."""
    from fusearch.search_space.published import AGREEMENTS
    from fusearch.search_space.published.study_facts import NOT_RECORDED
    from fusearch.tasks import REFUSED

    facts = study.facts
    return {
        "number": study.number,
        "key": study.key,
        "citation": study.citation,
        "area": facts.area,
        "purpose": facts.purpose,
        "task": facts.task_kind,
        "task_in_words": facts.task,
        **({"refused": f"{facts.task_kind}: {REFUSED[facts.task_kind]}"} if facts.task_kind in REFUSED else {}),
        "losses": facts.losses,
        "left_out": study.left_out,
        "training": design.training,
        "missing": facts.missing or NOT_RECORDED,
        "result": NOT_RECORDED if facts.result is None else str(facts.result),
        "printed": study.printed,
        "agreement": study.agreement,
        "differs": " ".join(filter(None, [AGREEMENTS[study.agreement], facts.differs])),
        "notes": facts.notes or NOT_RECORDED,
        "read_from": f"{facts.source}; how sure the reading is: {facts.confidence} of 5",
        "streams": [{"stream": item["name"], "modality": item["modality"], "paper": item["encoder"]} for item in study.as_built["streams"]],
    }


def show_study(facts: Mapping[str, Any]) -> None:
    """Print what `study_facts_of` returns."""
    say(f"{facts['number']} {facts['key']}")
    say(facts["citation"])
    say(f"{facts['area']}; {facts['purpose']}; {facts['task']}")
    say()
    for name, title in _SENTENCES.items():
        if facts.get(name):
            say(f"{title}: {facts[name]}")
    say()
    say("As printed in the review:")
    say(facts["printed"])
    say()
    show_table(facts["streams"], ("stream", "modality", "paper"))
    say()


def check_filters(what: str, given: Mapping[str, Any]) -> None:
    """Refuse filters of `list designs` where something else is listed.

    Raises:
        FusearchError: One is given.
    """
    for option in _FILTERS:
        if given.get(option):
            raise FusearchError(f"{option}: `list {what}` does not take it, expected `list designs {option} ...`")
