"""The report as Markdown: what fits into an issue, a notebook or a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fusearch.amounts import counted
from fusearch.plain_markdown import as_code, as_words
from fusearch.reports.findings.decided import strategy_sentences
from fusearch.reports.findings.explanations import foremost_features, how_label, interval, signed
from fusearch.reports.findings.factors import factor_groups
from fusearch.reports.findings.failures import failure_groups
from fusearch.reports.findings.findings import Findings
from fusearch.reports.findings.influence import influence_sentence
from fusearch.reports.findings.learning import learned_sentence
from fusearch.reports.findings.level_scores import NOTE, level_cells, level_note
from fusearch.reports.findings.looks import look_sentence, pick_sentence, role_in_look
from fusearch.reports.findings.predicted import MASK_SCORES, Predicted, risk_sentence
from fusearch.reports.findings.reproduction import commands_and_note, export_command, identity
from fusearch.reports.findings.search_course import (
    more_seeds_sentence,
    progress_info,
    races_sentence,
    throughput_info,
    trainings_sentences,
)
from fusearch.reports.findings.taken_classes import decision_sentence
from fusearch.reports.findings.verdict import Verdict
from fusearch.reports.glossary import GLOSSARY, terms_in
from fusearch.reports.wording import deviation, duration, metric_label, number, role_label, sentence_case, with_spread
from fusearch.search_space.design.features import FACTORS
from fusearch.study import TrialRecord

__all__ = ["render_markdown"]


def render_markdown(found: Findings, verdict: Verdict) -> str:
    """Return the report as Markdown: what the page shows, without its figures and drawings."""
    lines = [f"# {as_words(verdict.headline)}", "", *(_paragraphs(map(as_words, (*verdict.sentences, *found.data_notes))))]
    warnings = [f"- {as_words(warning)}" for warning in found.data_warnings]
    if warnings:
        lines += [f"## {counted(len(warnings), 'warning')} of the data", "", *warnings, ""]
    if found.recommended is not None:
        lines += ["```", found.text(found.recommended), "```", ""]
        command = export_command(found)
        lines += ["Export it:", "", "```", command, "```", ""] if command else []
    if found.front:
        lines += ["## Pareto front", "", *_table(found, list(found.front))]
    if found.references:
        lines += ["## References", "", *_table(found, list(found.references.values()))]
    lines += _published(found)
    lines += _predicted(found)
    lines += _levels(found)
    if found.strategy is not None:
        lines += [f"## What the strategy decided: {as_words(found.strategy.name)}", "", *_paragraphs(strategy_sentences(found.strategy))]
    lines += [*_looks(found), *_explanations(found), *_factors(found)]
    through, progress = throughput_info(found), progress_info(found)
    lines += ["## The search", "", f"- {counted(len(found.designs), 'design')} compared in {counted(through.finished, 'finished trial')}"]
    lines += [f"- wall time {duration(through.wall)}, median evaluation {duration(through.median)}"]
    if progress.hypervolume:
        alone = f", of the references alone {progress.references:.3f}" if progress.references is not None else ""
        lines += [f"- hypervolume {progress.hypervolume[-1]:.3f} of the box between the worst and the best values seen{alone}"]
    more = (races_sentence(found.trials.races), more_seeds_sentence(found.trials.more_seeds), *trainings_sentences(found.trials.trainings))
    lines += [f"- {as_words(sentence)}" for sentence in more if sentence]
    lines += ["", *_failures(found), "## How to reproduce", ""]
    commands, note = commands_and_note(found)
    lines += ["```", *commands, "```", ""] if commands else []
    lines += [as_words(note), ""] if note else []
    lines += [f"- {name}: {as_words(value)}" for name, value in identity(found)]
    words = terms_in(lines)
    lines += ["", "## Words", "", *(f"- {word}: {as_words(GLOSSARY[word])}" for word in words)]
    return "\n".join(lines).rstrip() + "\n"


def _table(found: Findings, records: Sequence[TrialRecord]) -> list[str]:
    names = [objective.name for objective in found.objectives]
    header = ["trial", *(metric_label(name) for name in names), "what", "design", "digest"]
    lines = ["| " + " | ".join(header) + " |", "|" + "---:|" * (1 + len(names)) + "---|---|---|"]
    for record in records:
        values = [with_spread(found.value(record, name), record.spread.get(name)) for name in names]
        role = found.roles.get(record.digest)
        design = as_code(found.text(record))
        cells = [
            str(record.number),
            *values,
            sentence_case(role_label(role).removeprefix("the ")) if role else "",
            design,
            f"`{record.digest}`",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return [*lines, ""]


def _published(found: Findings) -> list[str]:
    told = found.published
    lines = [line for sentence in told.sentences for line in (as_words(sentence), "")]
    if told.evaluated:
        names = [objective.name for objective in found.objectives]
        rows = [
            (each.name, str(each.rank), *(number(found.value(each.record, name)) for name in names), f"`{each.digest}`")
            for each in told.evaluated
            if each.record is not None
        ]
        lines += _grid(("study", "place", *map(metric_label, names), "digest"), rows)
    if told.neighbours:
        near = [
            (str(each.record.number), f"[{each.study}]({each.link})" if each.link else each.study, f"{each.distance:.2f}")
            for each in told.neighbours
        ]
        lines += _grid(("trial on the front", "nearest published design", "distance"), near)
    return ["## Published designs", "", *lines] if lines else []


def _predicted(found: Findings) -> list[str]:
    if found.recommended is None:
        return []
    predicted = found.predicted
    lines = ["## What the recommended design predicts", ""]
    if predicted.reason is not None:
        return [*lines, as_words(f"Nothing to show: {predicted.reason}."), ""]
    lines += [f"On {counted(predicted.rows, 'row')} that the training of a fold did not see; curves are in the page and in the JSON.", ""]
    if not predicted.tasks:
        lines += _predicted_of(predicted)
    for task, own in predicted.tasks.items():
        said = own.reason or f"{counted(own.rows, 'row')} with a label"
        lines += [f"### {as_words(task)}", "", as_words(f"{sentence_case(said)}."), "", *_predicted_of(own)]
    learned = learned_sentence(found.recommended, found.learned.reason)
    return [*lines, learned, ""] if learned else lines


def _predicted_of(predicted: Predicted) -> list[str]:
    """Return the tables of one task."""
    lines: list[str] = []
    if predicted.scores:
        lines += _grid(
            ("design", "score", *MASK_SCORES),
            [(as_words(each.label), as_words(each.score), *map(number, each.values)) for each in predicted.scores],
        )
    for design in predicted.designs:
        if design.confusion:
            lines += [
                f"{sentence_case(as_words(design.label))}, rows by what they were taken for:",
                "",
            ]
            header = ("truth", *map(as_words, predicted.labels), "sensitivity")
            counts = zip(predicted.labels, design.confusion, design.sensitivity, strict=True)
            rows = [(as_words(label), *map(str, each), number(found_share)) for label, each, found_share in counts]
            lines += _grid(header, [*rows, ("precision", *map(number, design.precision), "")])
            lines += [as_words(decision_sentence(predicted, design)), ""]
    risk = predicted.designs[0].risk if predicted.designs else None
    if risk is not None:
        header = ("at risk", "rows", "events", *(f"{time:g}" for time in risk.counted))
        lines += _grid(header, [(each.name, str(each.rows), str(each.events), *map(str, each.at_risk)) for each in risk.groups])
        lines += [as_words(risk_sentence(risk)), ""]
    return lines


def _levels(found: Findings) -> list[str]:
    lines = []
    for told in found.level_scores:
        lines += [f"By {as_words(told.column)}. {as_words(level_note(told))}".rstrip(), ""]
        if told.reason is None:
            header = (as_words(told.column), "rows", *map(as_words, told.designs), *(("difference",) if len(told.designs) > 1 else ()))
            rows = [level_cells(told, level) for level in told.levels]
            lines += _grid(header, [(as_words(name), *rest) for name, *rest in rows])
    return [f"## {sentence_case(metric_label(found.main.name))} of groups of rows", "", NOTE, "", *lines] if lines else []


def _looks(found: Findings) -> list[str]:
    metric = sentence_case(metric_label(found.main.name))
    lines = []
    for look in found.looks:
        rows = [
            (each.numbers, role_in_look(each.role), number(each.search), number(each.test), f"`{each.digest}`") for each in look.designs
        ]
        lines += [f"{look_sentence(look)} {pick_sentence(look, found.main.name)}".strip(), ""]
        lines += _grid(("trial", "role", f"{metric}, validation", f"{metric}, test", "digest"), rows)
    return ["## On the test split", "", *lines] if lines else []


def _explanations(found: Findings) -> list[str]:
    lines = []
    for told in found.explanations:
        metric = metric_label(told["metric"])
        effects = [(each["modality"], how_label(each["how"]), signed(each["drop"]), interval(each)) for each in told["effects"]]
        lines += [f"Design `{told['digest']}`, {counted(told['members'], 'member')}.", ""]
        lines += _grid(("modality", "information", f"loss of {metric}", "95 % interval"), effects)
        shares = [(each["name"], each["kind"], f"{100 * each['mean']:.1f} % ± {100 * each['spread']:.1f}") for each in told["shares"]]
        lines += _grid(("hierarchy", "", "share of the weights"), shares) if shares else []
        for each in told.get("features", ()):
            rows = [(name, f"{mean:.3g} ± {spread:.2g}") for name, mean, spread in foremost_features(each)]
            lines += _grid((f"{each['modality']}, by {each['method']}", f"mean change of the {each['unit']}"), rows)
    return ["## What designs hang on", "", *lines] if lines else []


def _factors(found: Findings) -> list[str]:
    lines = []
    for factor in FACTORS:
        groups = factor_groups(found, factor)
        if len(groups) > 1:
            rows = [
                (
                    each.group,
                    str(each.designs),
                    number(each.mean),
                    "–" if each.sd is None else deviation(each.mean, each.sd),
                    number(each.best),
                )
                for each in groups
            ]
            lines += _grid((factor.lower(), "designs", f"mean {metric_label(found.main.name)}", "SD between designs", "best"), rows)
    return ["## What the designs say", "", *_influence(found), *lines] if lines else []


def _influence(found: Findings) -> list[str]:
    told = found.influence
    if told.reason is not None:
        return [f"What mattered: {told.reason}.", ""]
    rows = [(each.choice, f"{100 * each.share:.0f} %", f"{100 * each.low:.0f} to {100 * each.high:.0f} %") for each in told.choices]
    return [influence_sentence(told), "", *_grid(("choice", "share lost", "90 % interval"), rows)]


def _grid(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(header)} |", "|" + "---|" * len(header)]
    return [*lines, *(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows), ""]


def _failures(found: Findings) -> list[str]:
    groups = failure_groups(found)
    return ["## Failures", "", *(f"- {group.count} ×: {as_words(group.told)}" for group in groups), ""] if groups else []


def _paragraphs(sentences: Iterable[str]) -> list[str]:
    return [line for sentence in sentences for line in (sentence, "")]
