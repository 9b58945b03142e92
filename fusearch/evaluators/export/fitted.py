"""Picked designs, trained once more on train + val."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from fusearch.data import Dataset
from fusearch.errors import ExportError
from fusearch.evaluators.export.choice import Choice, read_choice
from fusearch.evaluators.export.deployed import DeployedModel, DeployedTeam, as_one
from fusearch.evaluators.export.refit import refit
from fusearch.inference.picked import Picked
from fusearch.run import Run

__all__ = ["Fitted", "fit_choice", "fit_picked"]


@dataclass(frozen=True)
class Fitted:
    """A pick and its trained networks.

    Attributes:
        choices: Its designs; several of a team.
        models: The model of each design.
    """

    choices: tuple[Choice, ...]
    models: tuple[DeployedModel, ...]

    @property
    def model(self) -> DeployedModel | DeployedTeam:
        """What predicts."""
        return as_one(self.models)


def fit_picked(run: Run, picked: Picked, data: Dataset, *, seeds: int, device: torch.device | str = "auto") -> Fitted:
    """Train every design of a pick on the train + val rows.

    Args:
        run: The run.
        picked: What was picked of it.
        data: The data set of the run; its test split is not touched.
        seeds: Networks to train; their outputs are averaged. A linear model that is solved is one.
        device: Where to train, as for `export`.

    Raises:
        ExportError: Fewer than one seed.
        RunError: A trial does not tell for how many epochs its members were trained.
    """
    if seeds < 1:
        raise ExportError(f"seeds is {seeds}, expected at least 1")
    choices = tuple(read_choice(run, record, data) for record in picked.records)
    return Fitted(choices, tuple(fit_choice(choice, data, seeds=seeds, device=device) for choice in choices))


def fit_choice(choice: Choice, data: Dataset, *, seeds: int, device: torch.device | str = "auto") -> DeployedModel:
    """Train one design on the train + val rows, for as many epochs and with as large steps as in the search; else as `fit_picked`."""
    return refit(data, choice.candidate, epochs=choice.epochs, seeds=seeds, batch_size=choice.batch_size, device=device)
