"""One design in words and pictures: its card, and the facts of it that the panel beside the front shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from fusearch.amounts import counted
from fusearch.reports.figures.drawing import draw
from fusearch.reports.findings.findings import Findings
from fusearch.reports.glossary import meaning, with_meanings
from fusearch.reports.page import markup
from fusearch.reports.wording import deviation, metric_label, number, role_label, sentence_case
from fusearch.study import TrialRecord

__all__ = ["card", "labels_line", "shown_values", "spread_text", "standing", "state_pill", "trial_facts"]


def card(found: Findings, record: TrialRecord) -> str:
    """Return one design as a card."""
    graph = found.graphs.get(record.digest)
    if graph is not None:
        drawing = draw(graph, modalities=found.modalities, standalone=False)
    else:
        drawing = "<p class=nodrawing>No drawing: this formula cannot be read here.</p>"
    labels = f"<p class=labels>{with_meanings(labels_line(found, record))}</p>" if graph is not None else ""
    values = markup.values(shown_values(found, record, objectives_only=True))
    return (
        f'<article class="card design-card" data-drawing="{escape(record.digest)}"><header><h3>Trial {record.number}</h3> '
        f'{markup.pills(standing(found, record))} <code class="digest">{escape(record.digest)}</code></header>'
        f'<div class="drawing">{drawing}</div><pre>{markup.formula(found.text(record))}</pre>{labels}{values}</article>'
    )


def trial_facts(found: Findings) -> dict[str, Any]:
    """Return what the panel shows of each trial, ready for JSON.

    Names of values stand once: a value is (position among `names`, text, spread).
    """
    names: dict[str, int] = {}

    def indexed(entries: Iterable[tuple[str, str, str]]) -> list[tuple[int, str, str]]:
        return [(names.setdefault(name, len(names)), value, spread) for name, value, spread in entries]

    trials = [
        {
            "number": record.number,
            "digest": record.digest,
            "formula": found.text(record),
            "pills": standing(found, record),
            "labels": labels_line(found, record),
            "values": indexed(shown_values(found, record)),
            "recipe": indexed((sentence_case(name.replace("_", " ")), _setting(value), "") for name, value in record.recipe.items()),
            "reason": record.reason or "",
        }
        for record in found.records
    ]
    objectives = len(found.objectives)
    return {"names": list(names), "objectives": objectives, "meanings": [meaning(name) for name in names], "trials": trials}


def _setting(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def shown_values(found: Findings, record: TrialRecord, *, objectives_only: bool = False) -> list[tuple[str, str, str]]:
    """Return (name, value, spread) of what a trial reports: everything, or the objectives only."""
    names: Sequence[str] = [objective.name for objective in found.objectives] if objectives_only else found.quantities
    return [
        (sentence_case(metric_label(name)), number(found.value(record, name)), spread_text(found, record, name))
        for name in names
        if name in record.objectives or name in record.values
    ]


def spread_text(found: Findings, record: TrialRecord, name: str) -> str:
    """Return the spread of a metric beside its value; empty where there is none."""
    return deviation(found.value(record, name), record.spread[name]) if name in record.spread else ""


def standing(found: Findings, record: TrialRecord) -> list[tuple[str, str]]:
    """Return (kind, text) of what a trial is: recommended, on the front, a reference, a repeat, failed."""
    entries = []
    if found.recommended is not None and record.number == found.recommended.number:
        entries.append(("recommended", "recommended"))
    if any(record.number == shown.number for shown in found.front):
        entries.append(("front", "front"))
    role = next((role for role, reference in found.references.items() if reference.number == record.number), None)
    if role:
        entries.append(("reference", role_label(role).removeprefix("the ")))
    elif record.reference:
        entries.append(("reference", "reference"))
    if record.repeat_of is not None:
        entries.append(("other", f"repeats {record.repeat_of}"))
    elif record.more_seeds_of is not None:
        entries.append(("other", f"more seeds of {record.more_seeds_of}"))
    elif record.raced:
        entries.append(("other", _stopped(record)))
    elif record.state != "complete":
        entries.append(state_pill(record.state))
    return entries


def _stopped(record: TrialRecord) -> str:
    """Return when a race stopped a trial, in a few words."""
    raced = record.raced
    return f"stopped after epoch {raced['epoch']}" if "epoch" in raced else f"stopped after {raced['folds']} of {raced['num_folds']} folds"


def state_pill(state: str) -> tuple[str, str]:
    """Return (kind, text) of the state of a trial."""
    return ("failed" if state == "failed" else "other", "stopped" if state == "pruned" else state)


def labels_line(found: Findings, record: TrialRecord) -> str:
    """Return the labels of a design in one line; empty where its formula cannot be read here."""
    graph = found.graphs.get(record.digest)
    if graph is None:
        return ""
    fusions = len(graph.fusions)
    if not fusions:
        return "no fusion"
    parts = [str(graph.labels.level), str(graph.labels.type), "synchronous" if graph.labels.synchronous else "asynchronous"]
    return " · ".join([*parts, counted(fusions, "fusion"), f"{graph.training} training"])
