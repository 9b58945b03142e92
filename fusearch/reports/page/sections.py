"""The sections of the page: each takes the findings and returns HTML."""

from __future__ import annotations

from html import escape

from fusearch.amounts import counted
from fusearch.reports.findings.factors import factor_groups
from fusearch.reports.findings.failures import failed_records, failure_groups
from fusearch.reports.findings.findings import Findings
from fusearch.reports.findings.front import front_pairs
from fusearch.reports.findings.front_growth import FrontGrowth
from fusearch.reports.findings.influence import influence_sentence
from fusearch.reports.findings.looks import look_sentence, pick_sentence, role_in_look
from fusearch.reports.findings.reproduction import commands_and_note, identity, resolved_configuration
from fusearch.reports.findings.search_course import more_seeds_sentence, races_sentence, throughput_info, trainings_sentences
from fusearch.reports.glossary import GLOSSARY
from fusearch.reports.page import markup
from fusearch.reports.page.cards import card, spread_text, standing, state_pill
from fusearch.reports.page.markup import Cell
from fusearch.reports.wording import deviation, duration, metric_label, number, sentence_case
from fusearch.search_space.design.features import FACTORS
from fusearch.study import TrialRecord

__all__ = ["confirmed", "data_warnings", "facts", "failures", "front", "gallery", "glossary", "learned", "progress", "reproduce", "trials"]

#: Columns of the table beside the objectives; more than this many further metrics stay in the CSV.
MAX_EXTRA = 8


def facts(found: Findings) -> str:
    """Return the numbers at the top: designs, trials, time, front."""
    counts, through = found.trials.counts, throughput_info(found)
    words = {"raced": "stopped early", "failed": "failed", "pruned": "not trained", "running": "running", "repeated": "repeated"}
    other = [f"{counts[kind]:,} {word}" for kind, word in words.items() if counts[kind]]
    rate = f"{through.per_minute:.1f} a minute" if through.per_minute else ""
    parallel = f"{duration(through.work)} of evaluation" if through.work else ""
    entries = [
        ("Designs compared", f"{len(found.designs):,}", f"{len(found.front)} on the front"),
        ("Trials finished", f"{through.finished:,}", ", ".join(other)),
        ("Wall time", duration(through.wall), parallel),
        ("Median evaluation", duration(through.median), rate),
    ]
    cells = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}<small>{escape(note)}</small></dd></div>" for name, value, note in entries
    )
    return f'<dl class="facts">{cells}</dl>'


def data_warnings(found: Findings) -> str:
    """Return what `fusearch check` warns of; empty where it warns of nothing."""
    if not found.data_warnings:
        return ""
    listed = "".join(f"<li>{escape(warning)}</li>" for warning in found.data_warnings)
    note = (
        "What `fusearch check` says of the rows that the search saw, without those of the test split; a score next to one of these may "
        "mean another thing than it seems."
    )
    return _section("data", f"{counted(len(found.data_warnings), 'warning')} of the data", f'<ul class="warnings">{listed}</ul>', note)


def front(found: Findings) -> str:
    """Return the figure of the front with the panel of the chosen design."""
    pairs = front_pairs(found)
    options = [(f"figure-front-{at}", f"{metric_label(y.name)} against {metric_label(x.name)}") for at, (x, y) in enumerate(pairs)]
    choose = markup.figure_chooser("Objectives", options, shows="front-figure") if len(pairs) > 1 else ""
    first = found.recommended or (found.front[0] if found.front else None)
    chosen = f' data-first="{first.number}"' if first is not None else ""
    title = "Pareto front" if pairs else "Designs over trials"
    note = "Choose a point, or a design in the list, to see it. Bars are standard errors: ± divided by the root of the number of members. "
    note += "Grey designs are dominated." if pairs else "The line is the best value so far."
    if found.teams:
        note += " Stars on the dotted line are teams: the mean of a few designs, at the cost of all of them."
    if len(pairs) > 1:
        note += " The line bounds what is attained in the plane shown; blue points are on the front of all objectives."
    about = f"{title}: {len(found.designs)} designs; the list below holds them all"
    figure = markup.figure("figure-front-0", about, identifier="front-figure")
    panel = (
        f'<article class="card design-card" id="chosen" tabindex="-1" aria-label="The chosen design" aria-live="polite"{chosen}></article>'
    )
    figure += (_slider(found) if pairs else "") + _list_of_designs(found)
    return _section("front", title, f'<div class="split"><div class="card">{choose}{figure}</div>{panel}</div>', note)


def _slider(found: Findings) -> str:
    """Return what moves the figure back to how the front stood after an earlier trial."""
    last = len(FrontGrowth(found).stops) - 1
    ends = f'min="0" max="{last}" value="{last}"'
    return (
        f'<p class="choose"><label for="grown">Front after trial</label> <input type="range" id="grown" {ends}>'
        '<output id="grown-told" for="grown"></output></p>'
    )


def _list_of_designs(found: Findings) -> str:
    """Return every design of the figure as a list, for whoever has no pointer."""
    groups: dict[str, list[str]] = {"On the front": [], "References": [], "Others": []}
    for record in found.designs:
        on_front, reference = record.digest in found.front_digests, record.digest in found.trials.reference_digests
        text = f"{sentence_case(found.label(record).removeprefix('the '))}: {metric_label(found.main.name)} {number(found.value(record))}"
        chosen = groups["On the front" if on_front else "References" if reference else "Others"]
        chosen.append(f'<option value="{record.number}">{escape(text)}</option>')
    options = "".join(f'<optgroup label="{name}">{"".join(each)}</optgroup>' for name, each in groups.items() if each)
    other = '<option value="">another trial, from the table below</option>'
    return f'<p class="choose"><label for="design">Design</label> <select id="design">{other}{options}</select></p>'


def gallery(found: Findings) -> str:
    """Return a card with a drawing for the recommended design, each design on the front, and each reference."""
    if not found.carded:
        return ""
    cards = "".join(card(found, record) for record in found.carded)
    note = "Input on the left, head on the right. A box on a line is one stage of a network, a dot is where a fusion takes its argument."
    return _section("designs", "Designs on the front, and the references", f'<div class="gallery">{cards}</div>', note)


def confirmed(found: Findings) -> str:
    """Return validation and test side by side, a table for each look at the test split."""
    metric = sentence_case(metric_label(found.main.name))
    columns = [("Trial", True), ("Role", False), (f"{metric}, validation", True), (f"{metric}, test", True), ("Digest", False)]
    tables = []
    for look in found.looks:
        rows = [
            [
                Cell(design.numbers, float(design.trial) if isinstance(design.trial, int) else None, kind="number"),
                Cell(role_in_look(design.role)),
                Cell(number(design.search), design.search, kind="number"),
                Cell(number(design.test), design.test, kind="number"),
                Cell("", markup=f'<code class="digest">{escape(design.digest)}</code>'),
            ]
            for design in look.designs
        ]
        told = f"{look_sentence(look)} {pick_sentence(look, found.main.name)}".strip()
        tables.append(f'<p class="note">{markup.prose(told)}</p><div class="scroll short">{markup.table(columns, rows)}</div>')
    return _section("test", "On the test split", "".join(tables)) if tables else ""


def trials(found: Findings) -> str:
    """Return the table of all trials, to be sorted and filtered."""
    objectives = [objective.name for objective in found.objectives]
    names = objectives + [name for name in found.quantities if name not in objectives][:MAX_EXTRA]
    titles = {name: (sentence_case(metric_label(name)), True) for name in names}
    columns = [("Trial", True), ("Kind", False), ("Design", False), *(titles[name] for name in objectives), ("Wall time", True)]
    columns += [*(titles[name] for name in names[len(objectives) :]), ("Digest", False)]
    rows: list[list[Cell]] = []
    attributes: list[str] = []
    for record in found.records:
        tags = standing(found, record)
        kinds = [kind for kind, _ in tags] + [record.state]
        attributes.append(f'tabindex="{-1 if rows else 0}" data-trial="{record.number}" data-kinds="{escape(" ".join(kinds))}"')
        cells = [
            Cell(str(record.number), float(record.number), kind="number"),
            Cell("", markup=markup.pills(tags) or " "),
            Cell(found.text(record), kind="code"),
        ]
        quality = [_value_cell(found, record, name) for name in names]
        cells += [*quality[: len(objectives)], Cell(duration(record.seconds), record.seconds, kind="number"), *quality[len(objectives) :]]
        cells.append(Cell("", markup=f'<code class="digest">{escape(record.digest)}</code>'))
        rows.append(cells)
    options = (
        ("", "all trials"),
        ("front", "on the front"),
        ("reference", "references"),
        ("complete", "finished"),
        ("failed", "failed"),
        ("pruned", "stopped"),
    )
    chooser = "".join(f'<option value="{value}">{text}</option>' for value, text in options)
    bar = (
        '<div class="bar"><input type="search" id="words" placeholder="Filter by words, such as cat or a digest" aria-label="Filter">'
        f'<select id="kind" aria-label="Kind of trial">{chooser}</select><output id="shown"></output></div>'
    )
    rows_of = markup.table(columns, rows, attributes=attributes, identifier="table")
    return _section("trials-section", "All trials", f'{bar}<div class="scroll">{rows_of}</div>')


def progress(found: Findings) -> str:
    """Return hypervolume over trials, and who worked when."""
    if not found.complete:
        return ""
    through = throughput_info(found)
    parallel = f" On average {through.parallel:.1f} evaluations ran side by side." if through.parallel else ""
    note = (
        f"{counted(through.finished, 'evaluation')} in {duration(through.wall)}.{parallel} The hypervolume is the share of the box "
        "between the worst and the best values seen that some design dominates; a curve that still rises asks for more trials. "
        f"{races_sentence(found.trials.races)} {more_seeds_sentence(found.trials.more_seeds)} "
        f"{' '.join(trainings_sentences(found.trials.trainings))}"
    )
    about = {"progress": "Hypervolume over finished trials", "timeline": "When each trial ran, a row for each worker"}
    figures = "".join(f'<div class="card">{markup.figure(f"figure-{name}", told)}</div>' for name, told in about.items())
    return _section("progress", "How the search went", f'<div class="split even">{figures}</div>{_raced(found)}', note)


def _raced(found: Findings) -> str:
    """Return the trials that races stopped, each with its folds and why."""
    stopped = found.trials.raced
    if not stopped:
        return ""
    rows = [
        [
            Cell(str(record.number), float(record.number), kind="number"),
            Cell(str(record.reason), kind="reason"),
            Cell(found.text(record), kind="code"),
        ]
        for record in stopped
    ]
    attributes = [f'tabindex="{-1 if index else 0}" data-trial="{record.number}"' for index, record in enumerate(stopped)]
    each = markup.table((("Trial", True), ("Why", False), ("Design", False)), rows, attributes=attributes)
    return f'<details><summary>Each of the {len(stopped)} that races stopped</summary><div class="scroll">{each}</div></details>'


def learned(found: Findings) -> str:
    """Return the small tables by operator, level and modality."""
    if not any(record.digest in found.graphs for record in found.designs):
        return ""
    metric = metric_label(found.main.name)
    cards = []
    for factor in FACTORS:
        rows = [
            [
                Cell(group.group),
                Cell(str(group.designs), float(group.designs), kind="number"),
                Cell(number(group.mean), group.mean, kind="number"),
                Cell("–" if group.sd is None else deviation(group.mean, group.sd), group.sd, kind="number"),
                Cell(number(group.best), group.best, kind="number"),
            ]
            for group in factor_groups(found, factor)
        ]
        columns = [("", False), ("Designs", True), ("Mean", True), ("SD", True), ("Best", True)]
        cards.append(f'<div class="card"><h3>{escape(factor)}</h3>{markup.table(columns, rows)}</div>')
    note = (
        f"{sentence_case(metric)} of the designs, each graph once, with the standard deviation between designs (SD). This describes what "
        "was tried; it is not the effect of a choice, as the search proposes more of what did well."
    )
    return _section("learned", "What the designs say", f'{_influence(found)}<div class="tables">{"".join(cards)}</div>', note)


def _influence(found: Findings) -> str:
    """Return what mattered as a table with bars, or why that cannot be told."""
    told = found.influence
    title = "<h3>What mattered</h3>"
    if told.reason is not None:
        return f'<div class="card mattered">{title}<p class="note">{markup.prose(sentence_case(told.reason))}.</p></div>'
    most = max(each.share for each in told.choices)
    rows = [
        [
            Cell(each.choice),
            Cell("", markup=markup.gauge(max(each.share, 0.0) / most)),
            Cell(f"{100 * each.share:.0f} %", each.share, kind="number"),
            Cell(f"{100 * each.low:.0f} to {100 * each.high:.0f} %"),
        ]
        for each in told.choices
    ]
    columns = [("Choice", False), ("", False), ("Share lost", True), ("90 % interval", False)]
    table = f'<div class="scroll short">{markup.table(columns, rows)}</div>'
    return f'<div class="card mattered">{title}<p class="note">{markup.prose(influence_sentence(told))}</p>{table}</div>'


def failures(found: Findings) -> str:
    """Return what failed or was not trained to the end, counted by reason and listed."""
    bad = failed_records(found)
    if not bad:
        return _section("failures", "Failures", "", "No trial failed, and none was too large to be trained.")
    summary = [
        [
            Cell(str(group.count), float(group.count), kind="number"),
            Cell("", markup=markup.pills([state_pill(group.state)])),
            Cell(group.told, kind="reason"),
        ]
        for group in failure_groups(found)
    ]
    listed = [
        [
            Cell(str(record.number), float(record.number), kind="number"),
            Cell("", markup=markup.pills([state_pill(record.state)])),
            Cell(record.reason or "no reason was recorded", kind="reason"),
            Cell(found.text(record), kind="code"),
        ]
        for record in bad
    ]
    attributes = [f'tabindex="{-1 if index else 0}" data-trial="{record.number}"' for index, record in enumerate(bad)]
    by_reason = markup.table((("Trials", True), ("", False), ("Reason", False)), summary)
    each = markup.table((("Trial", True), ("", False), ("Reason", False), ("Design", False)), listed, attributes=attributes)
    details = f'<details><summary>Each of the {len(bad)}</summary><div class="scroll">{each}</div></details>'
    return _section("failures", "Failures", f'<div class="scroll short">{by_reason}</div>{details}')


def reproduce(found: Findings) -> str:
    """Return command, identity and resolved configuration."""
    commands, note = commands_and_note(found)
    shown = f'<pre class="block">{escape(chr(10).join(commands))}</pre>' if commands else ""
    entries = markup.values([(name, value, "") for name, value in identity(found)])
    configuration = (
        f"<details><summary>Resolved configuration</summary><pre class=block>{escape(resolved_configuration(found))}</pre></details>"
    )
    return _section("reproduce", "How to reproduce", f'{shown}<div class="card">{entries}</div>{configuration}', note)


def glossary() -> str:
    """Return every word that is explained, once."""
    entries = "".join(f"<div><dt><dfn>{escape(word)}</dfn></dt><dd>{escape(told)}</dd></div>" for word, told in GLOSSARY.items())
    return _section("glossary", "Words", f'<dl class="glossary">{entries}</dl>')


def _section(identifier: str, title: str, body: str, note: str = "") -> str:
    lead = f'<p class="note">{markup.prose(note)}</p>' if note else ""
    return f'<section id="{identifier}"><h2>{escape(title)}</h2>{lead}{body}</section>'


def _value_cell(found: Findings, record: TrialRecord, name: str) -> Cell:
    if name not in record.objectives and name not in record.values:
        return Cell("", kind="number")
    value = found.value(record, name)
    spread = spread_text(found, record, name)
    return Cell(number(value), value, note=f"± {spread}" if spread else "", kind="number")
