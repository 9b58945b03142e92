"""What a search may claim: estimates after selection, from the predictions that a run keeps. Light: no torch, no ray."""

from fusearch.inference.claims import Answers, Pick, Step, Team, answer, status_with_answers, team_of
from fusearch.inference.correction import Correction, asks_class, correction_of, corrections_of_tasks

__all__ = [
    "Answers",
    "Correction",
    "Pick",
    "Step",
    "Team",
    "answer",
    "asks_class",
    "correction_of",
    "corrections_of_tasks",
    "status_with_answers",
    "team_of",
]
