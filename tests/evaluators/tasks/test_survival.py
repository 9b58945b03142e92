"""Both survivals keep the laws of a task; their losses and baselines are those of the papers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from sksurv.linear_model import CoxPHSurvivalAnalysis

from fusearch.contracts import Budget
from fusearch.data.dataset import Dataset
from fusearch.evaluators import TrainingEvaluator
from fusearch.evaluators.tasks import bind_task
from fusearch.search_space import Candidate, FusionGraph, Recipe
from fusearch.tasks.survival import DiscreteSurvival, Survival
from fusearch.testing import TaskSuite

TIMES = ("2", "5", "9")


class TestSurvival(TaskSuite):
    name = "survival"

    def label_columns(self, rng: np.random.Generator, rows: int) -> Mapping[str, Any]:
        return {"time": rng.exponential(10, rows) + 0.1, "event": rng.integers(0, 2, rows)}


class TestDiscreteSurvival(TestSurvival):
    name = "discrete_survival"


def drawn(rows: int = 60) -> tuple[Any, Any, Any]:
    """Columns, targets with tied times, and a structured copy of these."""
    rng = np.random.default_rng(0)
    columns = rng.normal(size=(rows, 2))
    times = np.ceil(rng.exponential(6 * np.exp(-columns[:, 0]))) + 1
    targets = np.stack([times, rng.integers(0, 2, rows)], axis=1).astype(np.float32)
    held = np.array([(event == 1, time) for time, event in targets], [("event", bool), ("time", float)])
    return columns, targets, held


def test_the_loss_is_least_at_the_cox_regression_with_efrons_ties() -> None:
    columns, targets, held = drawn()
    layer = bind_task(Survival("days", TIMES)).fit(targets)
    expected = CoxPHSurvivalAnalysis(ties="efron", alpha=0).fit(columns, held).coef_
    weights = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=100, tolerance_grad=1e-9)

    def step() -> torch.Tensor:
        optimizer.zero_grad()
        loss = layer.loss((torch.from_numpy(columns) @ weights)[:, None], layer.encode(targets))
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves Tensor.backward untyped
        return loss

    optimizer.step(step)  # type: ignore[no-untyped-call]  # the same
    np.testing.assert_allclose(weights.detach().numpy(), expected, atol=1e-4)


def test_settled_survival_is_that_of_breslow() -> None:
    columns, targets, held = drawn()
    cox = CoxPHSurvivalAnalysis(ties="breslow", alpha=0).fit(columns, held)
    layer = bind_task(Survival("days", TIMES)).fit(targets)
    logits = torch.from_numpy(columns @ cox.coef_)[:, None]
    found = layer.settled(lambda: logits + 3, layer.encode(targets)).scored(logits + 3)  # a shift of all hazards says nothing
    expected = np.stack([function(np.array(TIMES, float)) for function in cox.predict_survival_function(columns)])
    np.testing.assert_allclose(found[:, 1:], expected, atol=1e-6)
    np.testing.assert_allclose(found[:, 0], 1 - expected.mean(axis=1), atol=1e-6)


def test_before_the_first_event_nobody_had_it() -> None:
    layer = bind_task(Survival("days", ("1", "3"))).fit(np.array([[2.0, 1.0], [4.0, 0.0]]))
    assert layer(torch.tensor([[0.5], [-40.0]]))[:, 1].tolist() == [1, 1]


def test_a_batch_without_an_event_moves_nothing() -> None:
    logits = torch.randn(4, 1, requires_grad=True)
    loss = bind_task(Survival("days", TIMES)).loss(logits, torch.tensor([[1.0, 0.0], [2.0, 0.0], [2.0, 0.0], [5.0, 0.0]]))
    (grad,) = torch.autograd.grad(loss, logits)
    assert (loss.item(), grad.abs().sum().item()) == (0, 0)


@pytest.mark.parametrize(
    ("time", "event", "probability"),
    [(4.0, 1.0, (1 - 0.2) * 0.3), (5.0, 1.0, (1 - 0.2) * 0.3), (5.0, 0.0, (1 - 0.2) * (1 - 0.3)), (4.0, 0.0, 1 - 0.2), (1.0, 0.0, 1.0)]
    + [(20.0, event, (1 - 0.2) * (1 - 0.3) * (1 - 0.4)) for event in (0.0, 1.0)],
)
def test_the_discrete_loss_is_the_likelihood_of_the_intervals(time: float, event: float, probability: float) -> None:
    logits = torch.logit(torch.tensor([[0.2, 0.3, 0.4]]))
    layer = bind_task(DiscreteSurvival("days", TIMES))
    torch.testing.assert_close(layer.loss(logits, torch.tensor([[time, event]])).exp(), torch.tensor(1 / probability))
    torch.testing.assert_close(layer(logits)[0, 1:], torch.tensor([0.8, 0.8 * 0.7, 0.8 * 0.7 * 0.6]))


def test_before_anything_is_learned_an_interval_has_the_hazard_of_the_training_rows() -> None:
    times = np.random.default_rng(0).exponential(10, 2000)
    held = np.stack([np.minimum(times, 12), times <= 12], axis=1).astype(np.float32)  # followed for 12
    layer = bind_task(DiscreteSurvival("days", TIMES)).fit(held)
    told = layer(torch.zeros(1, 3))[0, 1:]
    np.testing.assert_allclose(told, [(times > float(end)).mean() for end in TIMES], atol=1e-3)
    said = torch.zeros(len(held), 3, requires_grad=True)
    layer.loss(said, layer.encode(held)).backward()  # type: ignore[no-untyped-call]  # torch leaves Tensor.backward untyped
    assert said.grad is not None
    np.testing.assert_allclose(said.grad.sum(dim=0), 0, atol=1e-3)  # no constant is better
    rare = bind_task(DiscreteSurvival("days", TIMES)).fit(held[held[:, 0] > 5])
    assert torch.isfinite(rare(torch.zeros(1, 3))).all()


def test_members_of_a_pack_start_from_the_hazards_of_their_own_fold() -> None:
    rng = np.random.default_rng(0)
    columns = rng.normal(size=(60, 3))
    centres = np.array(["a", "b"]).repeat(30)  # a fold each: in one of them the event comes late
    targets = {"time": rng.exponential(np.where(centres == "a", 2, 20)) + 0.1, "event": rng.integers(0, 2, 60)}
    kept = {"groups": centres, "splits": np.where(centres == "a", "train", "val")}
    data = Dataset.from_arrays("toy", modalities={"x": columns}, targets=targets, task="discrete_survival", **kept)
    candidate = Candidate(FusionGraph.parse("x:mlp\nx@L ->", data.modalities), Recipe(dropout=0.0))
    alone, packed = (TrainingEvaluator(data, folds=2, epochs=2, pack=pack, device="cpu") for pack in ("off", 2))
    said = [each(candidate, Budget(), lambda *_: None) for each in (alone, packed)]
    assert said[1].details["pack"] == {"members": 2}  # not one by one
    assert said[1]["integrated_brier"] == pytest.approx(said[0]["integrated_brier"], abs=1e-6)
