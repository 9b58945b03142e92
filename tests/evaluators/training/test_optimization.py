"""One optimization: it learns, stops, keeps the best weights, repeats itself exactly, and refuses what is not finite."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from fusearch.errors import EvaluationError
from fusearch.evaluators.training.optimization import Fit, optimize, reproducible
from fusearch.evaluators.training.row_order import RowOrder
from fusearch.evaluators.training.training_settings import TrainingSettings


def run(
    network: nn.Module,
    losses: list[float] | None,
    *,
    epochs: int = 20,
    patience: int = 3,
    weights: list[Tensor] | None = None,
    **kwargs: float,
) -> Fit:
    """Train on a fixed batch; the validation loss follows a script, and the weights that it saw are noted."""
    x = torch.randn(16, 3, generator=torch.Generator().manual_seed(1))
    script = iter(losses or [])

    def validation() -> Tensor:
        if weights is not None:
            weights.append(next(network.parameters()).detach().clone())
        return torch.tensor(next(script))

    return optimize(
        network,
        RowOrder(16, 8, torch.Generator().manual_seed(0)),
        lambda rows, _: (network(x[rows]) - 1).pow(2).mean(),
        validation if losses is not None else None,
        settings=TrainingSettings(epochs=epochs, patience=patience),
        learning_rate=1e-2,
        weight_decay=0.0,
    )


def test_it_stops_after_patience_and_keeps_the_best_weights() -> None:
    network, seen = nn.Linear(3, 1), []
    fit = run(network, [3.0, 1.0, 2.0, 2.0, 2.0, 0.0], weights=seen)
    assert fit == Fit(best_epoch=2, epochs=5, loss=1.0)
    torch.testing.assert_close(network.weight.detach(), seen[1], rtol=0, atol=0)
    assert not network.training


def test_of_equal_losses_the_earliest_epoch_is_kept() -> None:
    assert run(nn.Linear(3, 1), [1.0, 1.0, 1.0, 1.0]).best_epoch == 1


def test_without_validation_it_trains_for_all_epochs() -> None:
    fit = run(nn.Linear(3, 1), None, epochs=4)
    assert (fit.best_epoch, fit.epochs) == (4, 4)
    assert math.isnan(fit.loss)


def test_it_solves_a_convex_problem() -> None:
    torch.manual_seed(0)
    network = nn.Linear(3, 1)
    run(network, None, epochs=600)
    torch.testing.assert_close(network.bias.detach(), torch.ones(1), atol=0.02, rtol=0)
    assert network.weight.abs().max() < 0.02


def test_weight_decay_spares_biases() -> None:
    network = nn.Linear(3, 1)
    with torch.no_grad():
        network.weight.fill_(5.0)
        network.bias.fill_(1.0)
    frozen = network.bias.clone()
    optimize(
        network,
        RowOrder(4, 4, torch.Generator()),
        lambda rows, _: 0 * network(torch.zeros(len(rows), 3)).sum(),
        None,
        settings=TrainingSettings(epochs=1),
        learning_rate=0.1,
        weight_decay=0.5,
    )
    torch.testing.assert_close(network.weight.detach(), torch.full((1, 3), 5 * (1 - 0.05)))
    torch.testing.assert_close(network.bias, frozen)


def test_parameters_without_gradient_stay_as_they_are() -> None:
    network = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 1))
    network[0].requires_grad_(False)
    before = network[0].weight.clone()
    run(network, [1.0, 0.5, 0.4, 0.3], epochs=4)
    torch.testing.assert_close(network[0].weight, before, rtol=0, atol=0)


def test_a_loss_that_is_not_finite_is_an_error_that_says_when() -> None:
    with pytest.raises(EvaluationError, match=r"validation loss is nan in epoch 2, expected a finite number"):
        run(nn.Linear(3, 1), [1.0, math.nan])
    network = nn.Linear(3, 1)
    with torch.no_grad():
        network.weight.fill_(math.inf)
    with pytest.raises(EvaluationError, match=r"training loss is (nan|inf) in epoch 1"):
        run(network, [1.0])


def test_epochs_are_reported_and_the_report_may_stop_it() -> None:
    heard = []

    def stop(epoch: int, values: dict[str, float]) -> None:
        heard.append((epoch, sorted(values)))
        if epoch == 2:
            raise KeyboardInterrupt

    network = nn.Linear(3, 1)
    with pytest.raises(KeyboardInterrupt):
        optimize(
            network,
            RowOrder(4, 4, torch.Generator()),
            lambda rows, _: network(torch.ones(len(rows), 3)).pow(2).mean(),
            lambda: torch.tensor(1.0),
            settings=TrainingSettings(),
            learning_rate=1e-3,
            weight_decay=0.0,
            on_epoch=stop,
        )
    assert heard == [(1, ["loss", "val_loss"]), (2, ["loss", "val_loss"])]


def test_it_learns_with_noise_and_is_judged_without() -> None:
    network, modes = nn.Linear(3, 1), []

    def note(what: str) -> Tensor:
        modes.append((what, network.training))
        return network(torch.ones(4, 3)).pow(2).mean()

    optimize(
        network,
        RowOrder(4, 4, torch.Generator()),
        lambda rows, _: note("train"),
        lambda: note("validate"),
        settings=TrainingSettings(epochs=2),
        learning_rate=1e-3,
        weight_decay=0.0,
    )
    assert modes == [("train", True), ("validate", False)] * 2


def test_the_same_seed_gives_the_same_numbers_and_the_surroundings_are_left_alone() -> None:
    state, threads = torch.get_rng_state(), torch.get_num_threads()

    def draw(seed: int) -> tuple[Tensor, Tensor]:
        with reproducible(seed, threads=1) as generator:
            assert torch.get_num_threads() == 1
            assert torch.are_deterministic_algorithms_enabled()
            return torch.rand(3), torch.randperm(9, generator=generator)

    assert all(torch.equal(one, other) for one, other in zip(draw(3), draw(3), strict=True))
    assert not torch.equal(draw(3)[0], draw(4)[0])
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.get_num_threads() == threads
    assert not torch.are_deterministic_algorithms_enabled()
