"""Where one member of a stack stands."""

from __future__ import annotations

import math

import torch

from fusearch.errors import EvaluationError
from fusearch.evaluators.training.member_progress import MemberProgress
from fusearch.evaluators.training.optimization import Fit
from fusearch.evaluators.training.phase import Phase
from fusearch.evaluators.training.row_order import RowOrder
from fusearch.evaluators.training.samples import Samples
from fusearch.evaluators.training.training_settings import TrainingSettings
from fusearch.search_space import Recipe

ROWS = Samples({}, {}, torch.zeros(10))


def started(told: list[tuple[int, dict[str, float]]], *, held: bool = True) -> MemberProgress:
    settings = TrainingSettings(epochs=6, patience=2, batch_size=4)
    phase = Phase(
        "fusion",
        torch.nn.Identity(),  # type: ignore[arg-type]  # nothing is computed here
        ROWS,
        ROWS if held else None,
        settings=settings,
        recipe=Recipe(),
        order=RowOrder(10, 4, torch.Generator().manual_seed(0)),
        on_epoch=lambda epoch, values: told.append((epoch, values)),
    )
    return MemberProgress(phase)


def test_it_stops_after_its_patience_with_its_best_epoch() -> None:
    told: list[tuple[int, dict[str, float]]] = []
    progress, improved = started(told), []
    for loss in (0.5, 0.4, 0.45, 0.4):
        assert progress.goes_on
        progress.judge(1.0, loss)
        progress.tell()
        improved.append(progress.improved)
    assert not progress.goes_on
    assert improved == [True, True, False, False]
    assert progress.result() == Fit(2, 4, 0.4)
    assert told == [(epoch, {"loss": 1.0, "val_loss": loss}) for epoch, loss in enumerate((0.5, 0.4, 0.45, 0.4), 1)]


def test_without_held_out_rows_it_trains_all_epochs_and_keeps_the_last() -> None:
    progress = started([], held=False)
    while progress.goes_on:
        progress.judge(1.0, None)
    result = progress.result()
    assert isinstance(result, Fit)
    assert (result.best_epoch, result.epochs, math.isnan(result.loss)) == (6, 6, True)


def test_a_loss_that_is_not_finite_ends_it_and_is_not_told() -> None:
    told: list[tuple[int, dict[str, float]]] = []
    progress = started(told)
    progress.judge(math.nan, 0.5)
    progress.tell()
    assert not progress.goes_on
    assert told == []
    assert isinstance(progress.result(), EvaluationError)
