"""The section of the page on how the recommended design and the best references learned."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from fusearch.reports.findings.findings import Findings
from fusearch.reports.findings.learning import LearningPhase, learned_sentence
from fusearch.reports.page import markup
from fusearch.reports.wording import sentence_case

__all__ = ["learning_section"]

_NOTE = (
    "A line for each member. Training stops where the loss of the held-out rows (validation) gets no better, and the weights of the best "
    "epoch are kept. Training losses hold dropout and what a design adds to its loss, so they may lie above. Where validation rises while "
    "training falls, the design learns its rows by heart; where lines lie far apart, members differ."
)


def learning_section(found: Findings) -> str:
    """Return the section `learning`; empty where no trial has finished."""
    if found.recommended is None:
        return ""
    learned = found.learned
    told = learned_sentence(found.recommended, learned.reason)
    cards = "".join(_card(place, phases) for place, phases in enumerate(learned.designs))
    note = f'<p class="note">{markup.prose(_NOTE)}</p>' if cards else ""
    grid = f'<div class="split even">{cards}</div>' if cards else ""
    after = f'<p class="note{" after" if cards else ""}">{markup.prose(told)}</p>' if told else ""
    return f'<section id="learning"><h2>How the members learned</h2>{note}{grid}{after}</section>'


def _card(place: int, phases: Sequence[LearningPhase]) -> str:
    label = phases[0].label
    about = f"Training and validation loss over epochs: {label}"
    figure = markup.figure(f"figure-learning-{place}-0", about, identifier=f"learning-{place}")
    choose = ""
    if len(phases) > 1:
        options = [(f"figure-learning-{place}-{at}", sentence_case(phase.phase)) for at, phase in enumerate(phases)]
        choose = markup.figure_chooser("Part", options, shows=f"learning-{place}")
    return f'<div class="card"><h3>{escape(sentence_case(label))}</h3>{choose}{figure}</div>'
