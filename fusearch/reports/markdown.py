"""The report as Markdown: what fits into an issue, a notebook or a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from fusearch.reports.comparison import Verdict
from fusearch.reports.findings import Findings
from fusearch.reports.progress import progress_info, throughput_info
from fusearch.reports.reproduction import command_line, identity
from fusearch.reports.wording import count, duration, metric_label, role_label, sentence_case, with_spread
from fusearch.study import TrialRecord

__all__ = ["render_markdown"]


def render_markdown(found: Findings, verdict: Verdict) -> str:
    """Return the report as Markdown: verdict, front, references, failures, how to reproduce."""
    lines = [f"# {_escape(verdict.headline)}", "", *(_paragraphs(map(_escape, verdict.sentences)))]
    if found.recommended is not None:
        lines += ["```", found.text(found.recommended), "```", ""]
    if found.front:
        lines += ["## Pareto front", "", *_table(found, list(found.front))]
    if found.references:
        lines += ["## References", "", *_table(found, list(found.references.values()))]
    through, progress = throughput_info(found), progress_info(found)
    lines += ["## The search", "", f"- {count(len(found.designs), 'design')} compared in {count(through.finished, 'finished trial')}"]
    lines += [f"- wall time {duration(through.wall)}, median evaluation {duration(through.median)}"]
    if progress.hypervolume:
        alone = f", of the references alone {progress.references:.3f}" if progress.references is not None else ""
        lines += [f"- hypervolume {progress.hypervolume[-1]:.3f} of the box between the worst and the best values seen{alone}"]
    lines += ["", *_failures(found), "## How to reproduce", ""]
    command = command_line(found)
    lines += ["```", command, "```", ""] if command else []
    lines += [f"- {name}: {_escape(value)}" for name, value in identity(found)]
    return "\n".join(lines).rstrip() + "\n"


def _table(found: Findings, records: Sequence[TrialRecord]) -> list[str]:
    names = [objective.name for objective in found.objectives]
    header = ["trial", *(metric_label(name) for name in names), "what", "design", "digest"]
    lines = ["| " + " | ".join(header) + " |", "|" + "---:|" * (1 + len(names)) + "---|---|---|"]
    for record in records:
        values = [with_spread(found.value(record, name), record.spread.get(name)) for name in names]
        role = found.roles.get(record.digest)
        design = "`" + found.text(record).replace("\n", "; ").replace("|", "\\|").replace("`", "'") + "`"
        cells = [
            str(record.number),
            *values,
            sentence_case(role_label(role).removeprefix("the ")) if role else "",
            design,
            f"`{record.digest}`",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return [*lines, ""]


def _failures(found: Findings) -> list[str]:
    bad = [record for record in found.records if record.state in ("failed", "pruned") and not record.interrupted]
    if not bad:
        return []
    reasons = Counter((record.reason or "no reason was recorded").strip().splitlines()[0] for record in bad)
    return ["## Failures", "", *(f"- {times} ×: {_escape(reason)}" for reason, times in reasons.most_common()), ""]


def _paragraphs(sentences: Iterable[str]) -> list[str]:
    return [line for sentence in sentences for line in (sentence, "")]


def _escape(text: str) -> str:
    return "".join("\\" + letter if letter in "\\`*_[]<>|" else letter for letter in text)
