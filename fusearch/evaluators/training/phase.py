"""One optimization of a training: what is trained, on which rows, by which loss.

Axis letters: B batch, M modalities, K outputs.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import TypeVar

import torch
from torch import Tensor, nn

from fusearch.data.modality import Modality
from fusearch.evaluators.network.network import FusionNetwork, NetworkOutput
from fusearch.evaluators.network.operator_layer import Losses
from fusearch.evaluators.network.stream_runs import StreamNetwork
from fusearch.evaluators.tasks import TaskLayer
from fusearch.evaluators.training.augmentation import augmented, moved_masks
from fusearch.evaluators.training.balance import Balance
from fusearch.evaluators.training.half_precision import half_precision
from fusearch.evaluators.training.optimization import Fit, OnEpoch, optimize
from fusearch.evaluators.training.row_order import RowOrder
from fusearch.evaluators.training.samples import Samples
from fusearch.evaluators.training.training_settings import TrainingSettings
from fusearch.search_space import Recipe

__all__ = ["RAW", "DesignLoss", "FusionLoss", "Phase", "PhaseLoss", "StreamLoss", "drop_modalities", "in_turn"]

#: The one input of a stream that is trained alone.
RAW = "raw"

T = TypeVar("T")


class PhaseLoss(nn.Module, ABC):
    """A network with its loss. In training mode it gives the loss to differentiate, in evaluation mode the one that chooses epochs.

    Every number that may differ between two members is a parameter or a buffer, so that several members are one module with stacked
    tensors. The noise of training is there where `network` is in training mode.

    Args:
        network: What is trained: its parameters that require a gradient.
        task: What is predicted, fitted on the training rows.
        balance: How classes and samples count.
        half: Half-precision type of matrix products in training.
        modalities: The modality of each input; of inputs that are states there is none.
        strengths: How strong changes of training rows are (`strengths_of`); None: there are none.
    """

    class_weights: Tensor | None
    held_weights: Tensor | None
    focal: Tensor | None
    strengths: Tensor | None

    def __init__(
        self,
        network: nn.Module,
        task: TaskLayer,
        balance: Balance,
        half: torch.dtype | None,
        modalities: Mapping[str, Modality] | None = None,
        strengths: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.network, self.task, self.half_precision, self.modalities = network, task, half, modalities or {}
        self.register_buffer("strengths", strengths)
        for name, values in vars(balance).items():
            self.register_buffer(name, values)

    def forward(self, batch: Samples) -> Tensor:
        """Return the loss of some rows."""
        if self.training:
            return self.training_loss(self.augmented(batch))
        logits_BK = torch.cat([self.main(part) for part in batch.portions()])
        return self.loss_of(logits_BK, batch.targets)

    def augmented(self, batch: Samples) -> Samples:
        """Return the rows, changed where they have keys and the network is in training mode; masks move with their images."""
        if batch.keys is None or self.strengths is None or not self.network.training:
            return batch
        grid, targets, how = self.task.grid, batch.targets, (batch.keys, self.strengths)
        if grid:
            targets = moved_masks(targets, grid, batch.inputs, self.modalities, *how)
        return replace(batch, inputs=augmented(batch.inputs, self.modalities, *how, grid), targets=targets)

    def loss_of(self, logits_BK: Tensor, targets_B: Tensor) -> Tensor:
        """Return the loss of logits as the recipe wants it."""
        weights = self.class_weights if self.training else self.held_weights
        if self.focal is None:
            return self.task.loss(logits_BK, targets_B, weights)
        return self.task.focal_loss(logits_BK, targets_B, self.focal, weights)

    @abstractmethod
    def main(self, batch: Samples) -> Tensor:
        """Return the main output (B, K)."""

    def training_loss(self, batch: Samples) -> Tensor:
        """Return the loss to differentiate."""
        with self.autocast(batch):
            logits_BK = self.main(batch)
        return self.loss_of(logits_BK, batch.targets)

    def autocast(self, batch: Samples) -> AbstractContextManager[object]:
        """Use half precision inside the block where it is wanted."""
        return half_precision(batch.targets.device, self.half_precision)


class StreamLoss(PhaseLoss):
    """A stream alone, on its own class scores."""

    network: StreamNetwork

    def main(self, batch: Samples) -> Tensor:
        """Return the class scores of the stream (B, K)."""
        scores_BK: Tensor = self.network(batch.inputs[RAW])
        return scores_BK


class DesignLoss(PhaseLoss):
    """A whole design: the main loss plus those of auxiliary outputs and operators, weighed by the recipe.

    Args:
        network: The network of the design.
        task: What is predicted, fitted on the training rows.
        balance: How classes and samples count.
        half: Half-precision type of matrix products in training.
        recipe: Weight of the added losses, modality dropout.
        strengths: How strong changes of training rows are; None: there are none.

    Attributes:
        drops: Whether modality dropout has any effect.
    """

    network: FusionNetwork
    loss_weight: Tensor
    modality_dropout: Tensor

    def __init__(
        self,
        network: FusionNetwork,
        task: TaskLayer,
        balance: Balance,
        half: torch.dtype | None,
        *,
        recipe: Recipe,
        strengths: Tensor | None = None,
    ) -> None:
        super().__init__(network, task, balance, half, {each.name: each for each in network.graph.modalities}, strengths)
        device = next(network.parameters()).device
        self.drops = recipe.modality_dropout > 0
        self.register_buffer("loss_weight", torch.tensor(recipe.loss_weight, device=device))
        self.register_buffer("modality_dropout", torch.tensor(recipe.modality_dropout, device=device))

    def output(self, batch: Samples, present: Mapping[str, Tensor], losses: Losses | None = None) -> NetworkOutput:
        """Return all outputs."""
        return self.network.run(batch.inputs, present, losses)

    def main(self, batch: Samples) -> Tensor:
        """Return the main output (B, K)."""
        return self.output(batch, batch.present).main

    def training_loss(self, batch: Samples) -> Tensor:
        """Return the main loss plus the added ones."""
        losses = Losses(batch.targets, self.task)
        noisy = self.drops and self.network.training
        with self.autocast(batch):
            output = self.output(batch, drop_modalities(batch.present, self.modality_dropout) if noisy else batch.present, losses)
        loss = self.loss_of(output.main, losses.targets)
        added = [self.loss_of(scores, losses.targets) for scores in output.auxiliary] + losses.terms
        return loss + self.loss_weight * torch.stack(added).sum() if added else loss


class FusionLoss(DesignLoss):
    """Operators, trunks and heads of a design whose streams are fixed: rows hold the states of the streams."""

    def output(self, batch: Samples, present: Mapping[str, Tensor], losses: Losses | None = None) -> NetworkOutput:
        """Return all outputs."""
        return self.network.fuse(batch.inputs, present, losses)

    def train(self, mode: bool = True) -> FusionLoss:
        """Keep the streams, whose stages a trunk may continue, without noise."""
        super().train(mode)
        self.network.streams.eval()
        return self


@dataclass(frozen=True)
class Phase:
    """An optimization that a training asks for.

    Attributes:
        name: What the phase is called.
        loss: What is trained, and by what.
        rows: Training rows.
        held: Rows that choose the epoch; None trains for all epochs.
        settings: Epochs, patience, size of a batch.
        recipe: Learning rate and weight decay.
        order: Rows of each step.
        on_epoch: Called after each epoch.
    """

    name: str
    loss: PhaseLoss
    rows: Samples
    held: Samples | None
    settings: TrainingSettings
    recipe: Recipe
    order: RowOrder
    on_epoch: OnEpoch | None

    def run(self) -> Fit:
        """Train; the module is left in evaluation mode with its best weights."""
        held = self.held
        return optimize(
            self.loss,
            self.order,
            lambda rows, keys: self.loss(replace(self.rows.take(rows), keys=keys)),
            None if held is None else lambda: self.loss(held),
            settings=self.settings,
            learning_rate=self.recipe.learning_rate,
            weight_decay=self.recipe.weight_decay,
            on_epoch=self.on_epoch,
        )


def in_turn(phases: Generator[Phase, Fit, T]) -> T:
    """Run the phases of one training, each as it is asked for, and return what the training gives in the end."""
    try:
        phase = next(phases)
        while True:
            phase = phases.send(phase.run())
    except StopIteration as end:
        result: T = end.value
        return result
    finally:
        phases.close()  # what it had seeded is put back, also where whoever listens stopped it


def drop_modalities(present: Mapping[str, Tensor], probability: float | Tensor) -> Mapping[str, Tensor]:
    """Take modalities away from samples at random; a sample that would lose all of them keeps what it has."""
    if len(present) < 2:
        return present
    before_BM = torch.stack(list(present.values()), dim=1)
    after_BM = before_BM & (torch.rand(before_BM.shape, device=before_BM.device) >= probability)
    after_BM = torch.where(after_BM.any(dim=1, keepdim=True), after_BM, before_BM)
    return dict(zip(present, after_BM.unbind(dim=1), strict=True))
