"""A picked design, trained once more on train + val."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from fusearch.data import Dataset
from fusearch.errors import ExportError
from fusearch.evaluators.export.choice import Choice, read_choice
from fusearch.evaluators.export.deployed import DeployedModel, DeployedTeam
from fusearch.evaluators.export.refit import refit
from fusearch.inference.picked import Picked, read_pick
from fusearch.run import Run

__all__ = ["Fitted", "fit_pick"]


@dataclass(frozen=True)
class Fitted:
    """A pick and its trained networks.

    Attributes:
        picked: What was picked.
        choices: Its designs; several of a team.
        models: The model of each design.
    """

    picked: Picked
    choices: tuple[Choice, ...]
    models: tuple[DeployedModel, ...]

    @property
    def model(self) -> DeployedModel | DeployedTeam:
        """What predicts: the one model, or the mean of several."""
        return self.models[0] if len(self.models) == 1 else DeployedTeam(self.models)


def fit_pick(run: Run, data: Dataset, *, pick: str, seeds: int, device: torch.device | str = "auto") -> Fitted:
    """Train the picked design on the train + val rows.

    Args:
        run: The run.
        data: The data set of the run; its test split is not touched.
        pick: The design, as for `export`.
        seeds: Networks to train; their outputs are averaged. A linear model that is solved is one.
        device: Where to train, as for `export`.

    Raises:
        ExportError: Fewer than one seed.
        RunError: The run has no such design.
    """
    if seeds < 1:
        raise ExportError(f"seeds is {seeds}, expected at least 1")
    picked = read_pick(run.read(), pick)
    choices = tuple(read_choice(run, record, data) for record in picked.records)
    models = tuple(
        refit(data, choice.candidate, epochs=choice.epochs, seeds=seeds, batch_size=choice.batch_size, device=device) for choice in choices
    )
    return Fitted(picked, choices, models)
