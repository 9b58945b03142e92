"""What a search may claim: estimates after selection, from the predictions that a run keeps. Light: no torch, no ray."""

from fusearch.inference.claims import Answers, Pick, Step, Team, answer, status_with_answers, team_of

__all__ = ["Answers", "Pick", "Step", "Team", "answer", "status_with_answers", "team_of"]
