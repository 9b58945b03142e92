"""The report for programs: the same facts as the page, as one JSON-able document."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fusearch.reports.findings.decided import strategy_sentences
from fusearch.reports.findings.factors import factor_frame
from fusearch.reports.findings.failures import failed_records, failure_groups
from fusearch.reports.findings.findings import Findings
from fusearch.reports.findings.reproduction import command_line, export_command, places, resumed_lines, team_command
from fusearch.reports.findings.search_course import progress_info, throughput_info
from fusearch.reports.findings.verdict import Verdict
from fusearch.search_space.design.features import FACTORS
from fusearch.study import TrialRecord
from fusearch.version import __version__

__all__ = ["to_document"]


def to_document(found: Findings, verdict: Verdict) -> dict[str, Any]:
    """Return the facts of the report.

    Keys: `format`, `fusearch`, `objectives`, `picked_by`, `verdict`, `recommended`, `front`, `teams`, `references`, `predicted`, `learned`,
    `levels`, `confirmed`, `strategy`, `explanations`, `trials`, `trainings`, `hypervolume`, `throughput`, `influence`, `factors`,
    `failures`, `command`, `export_command`, `team_command`, `places`, `config`.
    """
    progress = progress_info(found)
    through = throughput_info(found)
    return {
        "format": 1,
        "fusearch": __version__,
        "objectives": [
            {"name": objective.name, "direction": objective.direction, "bound": objective.bound} for objective in found.objectives
        ],
        "picked_by": [objective.name for objective in found.trials.criteria],
        "verdict": {
            "headline": verdict.headline,
            "sentences": [*verdict.sentences, *found.data_notes],
            "answers": verdict.answers.to_dict(),
            "designs_compared": verdict.num_designs,
        },
        "recommended": _design(found.recommended),
        "front": [_design(record) for record in found.front],
        "teams": [asdict(team) for team in found.teams],
        "references": {role: _design(record) for role, record in found.references.items()},
        "published": found.published.to_dict(),
        "predicted": asdict(found.predicted),
        "learned": asdict(found.learned),
        "levels": [asdict(each) for each in found.level_scores],
        "confirmed": [asdict(look) for look in found.looks],
        "warnings": found.data_warnings,
        "strategy": _strategy(found),
        "explanations": [dict(told) for told in found.explanations],
        "trials": found.trials.counts,
        "races": {**found.trials.races, "trials": [{"trial": record.number, **record.raced} for record in found.trials.raced]},
        "more_seeds": found.trials.more_seeds,
        "trainings": found.trials.trainings,
        "hypervolume": {"trials": list(progress.trials), "values": list(progress.hypervolume), "references": progress.references},
        "throughput": {
            "wall_seconds": through.wall,
            "evaluation_seconds": through.work,
            "finished": through.finished,
            "median_seconds": through.median,
        },
        "influence": asdict(found.influence),
        "factors": {factor: factor_frame(found, factor).to_dict("records") for factor in FACTORS},
        "failures": [
            {"trial": record.number, "state": record.state, "reason": record.reason, "formula": record.formula}
            for record in failed_records(found)
        ],
        "failures_by_cause": [asdict(group) for group in failure_groups(found)],
        "command": command_line(found),
        "export_command": export_command(found),
        "team_command": team_command(found),
        "resumed": resumed_lines(found),
        "places": [asdict(place) for place in places(found)],
        "config": dict(found.config),
    }


def _strategy(found: Findings) -> dict[str, Any] | None:
    told = found.strategy
    return None if told is None else {"name": told.name, "sentences": strategy_sentences(told), "decision": dict(told.record)}


def _design(record: TrialRecord | None) -> dict[str, Any] | None:
    if record is None:
        return None
    return {
        "digest": record.digest,
        "candidate": record.candidate,
        "formula": record.formula,
        "trial": record.number,
        "values": dict(record.values),
        "spread": dict(record.spread),
        "members": record.num_members,
        "recipe": dict(record.recipe),
        "seconds": record.seconds,
    }
