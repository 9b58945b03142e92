"""One optimization: AdamW on mini-batches, early stopping on the validation loss, the best weights kept."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils import deterministic

from fusearch.errors import EvaluationError
from fusearch.evaluators.training.half_precision import mixed_precision
from fusearch.evaluators.training.row_order import RowOrder
from fusearch.evaluators.training.training_settings import TrainingSettings

__all__ = ["Fit", "OnEpoch", "finite", "optimize", "reproducible", "torch_threads"]

#: `on_epoch(epoch, values)`, called after each epoch.
OnEpoch = Callable[[int, dict[str, float]], None]


@dataclass(frozen=True)
class Fit:
    """What an optimization did.

    Attributes:
        best_epoch: Epoch (from 1) whose weights were kept; the last one where there was no validation.
        epochs: Epochs run.
        loss: Validation loss of the kept weights, NaN where there was no validation.
    """

    best_epoch: int
    epochs: int
    loss: float


@contextlib.contextmanager
def torch_threads(threads: int | None) -> Iterator[None]:
    """Let a torch operation use as many threads inside the block, and put back what was there before; None leaves them."""
    before = torch.get_num_threads()
    try:
        if threads is not None:
            torch.set_num_threads(threads)
        yield
    finally:
        torch.set_num_threads(before)


@contextlib.contextmanager
def reproducible(seed: int, *, threads: int | None = None, device: torch.device | str = "cpu") -> Iterator[torch.Generator]:
    """Seed everything random inside the block, ask for deterministic kernels, and put back what was there before.

    Same seed, machine, device and thread count: same result, bit by bit on the CPU.

    Args:
        seed: Seed of weights, noise and the order of rows.
        threads: Threads of one torch operation, or None to leave them.
        device: Device whose generator is seeded too.

    Yields:
        The generator of the order of rows; it is on the CPU, so that devices see the same order.
    """
    device = torch.device(device)
    before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    before_fill = deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]  # a property of the module's class
    with torch_threads(threads), torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        try:
            _seed(seed, device)
            torch.use_deterministic_algorithms(True, warn_only=device.type == "cuda")
            deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # as above
            yield torch.Generator().manual_seed(seed)
        finally:
            torch.use_deterministic_algorithms(before[0], warn_only=before[1])
            deterministic.fill_uninitialized_memory = before_fill  # type: ignore[attr-defined]  # as above


def _seed(seed: int, device: torch.device) -> None:
    """Seed the generators that are used. `torch.manual_seed` queues a call, with its stack, for each kind of device that is not there."""
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        with torch.cuda.device(device):
            torch.cuda.manual_seed(seed)


def optimize(
    module: nn.Module,
    order: RowOrder,
    loss_of: Callable[[Tensor, Tensor | None], Tensor],
    validation_loss: Callable[[], Tensor] | None,
    *,
    settings: TrainingSettings,
    learning_rate: float,
    weight_decay: float,
    on_epoch: OnEpoch | None = None,
) -> Fit:
    """Train the parameters of `module` that require a gradient, and leave it in evaluation mode with its best weights.

    Weight decay spares vectors (biases, norms), as is usual. Epochs are chosen by `validation_loss`, never by a reported metric.

    Args:
        module: What is trained; it is switched between its training and evaluation modes.
        order: Rows of each step.
        loss_of: Loss of the rows of those numbers, with the key of each, to differentiate.
        validation_loss: Loss to stop by; None trains for all epochs.
        settings: Epochs and patience.
        learning_rate: Of AdamW, constant.
        weight_decay: Of AdamW.
        on_epoch: Called after each epoch with `loss` and `val_loss`; it may raise to stop.

    Raises:
        EvaluationError: A loss is not finite.
    """
    trained: list[Tensor] = [parameter for parameter in module.parameters() if parameter.requires_grad]
    device = trained[0].device
    optimizer = torch.optim.AdamW(
        [
            {"params": [parameter for parameter in trained if parameter.ndim > 1], "weight_decay": weight_decay},
            {"params": [parameter for parameter in trained if parameter.ndim <= 1], "weight_decay": 0.0},
        ],
        lr=learning_rate,
        fused=True,
    )
    scaler = torch.amp.GradScaler(device.type, enabled=mixed_precision(device, settings.mixed_precision) is torch.float16)
    best = [parameter.detach().clone() for parameter in trained]
    best_loss, best_epoch, epoch = math.inf, 0, 0
    while epoch < settings.epochs and (validation_loss is None or epoch - best_epoch < settings.patience):
        epoch += 1
        module.train()
        losses = []
        for rows, keys in order.portions(device):
            optimizer.zero_grad()
            loss = loss_of(rows, keys)
            scaler.scale(loss).backward()  # type: ignore[no-untyped-call]  # torch leaves Tensor.backward untyped
            scaler.step(optimizer)
            scaler.update()
            losses.append(loss.detach())
        values = {"loss": finite(torch.stack(losses).mean(), "training", epoch)}
        if validation_loss is not None:
            module.eval()
            with torch.inference_mode():
                values["val_loss"] = finite(validation_loss(), "validation", epoch)
            if values["val_loss"] < best_loss:
                best_loss, best_epoch = values["val_loss"], epoch
                with torch.no_grad():
                    torch._foreach_copy_(best, trained)
        if on_epoch is not None:
            on_epoch(epoch, values)
    if validation_loss is not None:
        with torch.no_grad():
            torch._foreach_copy_(trained, best)
    module.eval()
    return Fit(best_epoch if validation_loss is not None else epoch, epoch, best_loss if validation_loss is not None else math.nan)


def finite(loss: Tensor | float, which: str, epoch: int) -> float:
    """Return the loss as a number.

    Raises:
        EvaluationError: It is not finite.
    """
    value = float(loss)
    if not math.isfinite(value):
        raise EvaluationError(f"{which} loss is {value} in epoch {epoch}, expected a finite number (is the learning rate too high?)")
    return value
