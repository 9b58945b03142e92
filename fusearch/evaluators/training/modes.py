"""Training of a whole design: `joint`, `staged`, `frozen`, `independent`, each a short series of optimizations, and `convex`.

- `joint`: one optimization; gradients reach every stream.
- `staged`: each stream alone on its own class scores, then as `joint`, from these weights.
- `frozen`: each stream alone; then its weights are fixed, its states computed once, and only the fusion part is trained on them.
- `independent`: the same for designs that join class scores. No gradient crosses from one stream to another.
- `convex`: a linear model, solved to its optimum. Its strength of regularization is chosen as epochs are: by the loss of held-out rows. A
  task that has no solver trains it as `joint`.

A vote with weights is fitted, after the streams are trained, on scores that are no echo of training: the training rows are
dealt into parts, and the voters are trained once more without each part, for as many epochs, to score it (decision 0032).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import astuple, replace
from time import perf_counter

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fusearch.data.given_weights import GivenWeights
from fusearch.evaluators.network.network import FusionNetwork
from fusearch.evaluators.network.start import start_network
from fusearch.evaluators.network.stream_runs import StreamNetwork, StreamState
from fusearch.evaluators.operators.decision import Vote
from fusearch.evaluators.tasks import TaskLayer
from fusearch.evaluators.tasks.convex import Solver
from fusearch.evaluators.training.augmentation import strengths_of
from fusearch.evaluators.training.balance import Balance, constant_logits, row_weights
from fusearch.evaluators.training.half_precision import mixed_precision
from fusearch.evaluators.training.optimization import Fit, reproducible
from fusearch.evaluators.training.phase import RAW, DesignLoss, FusionLoss, Phase, PhaseLoss, StreamLoss, in_turn
from fusearch.evaluators.training.row_order import RowOrder
from fusearch.evaluators.training.samples import Samples
from fusearch.evaluators.training.stream_cache import StreamCache, TrainedStream
from fusearch.evaluators.training.training_settings import TrainingSettings
from fusearch.evaluators.training.transfer import start_at_mean
from fusearch.search_space import Candidate, Depth, FusionGraph, Recipe

__all__ = ["FUSION", "DesignTraining", "OnPhaseEpoch", "Phases", "predict", "solver_of", "train"]

#: Name of the phase that trains the design as a whole; the phases before it bear the names of streams.
FUSION = "fusion"

#: What tells the seed of changes of the rows from that of their order, which is the same with and without them.
_NOISE = 0x5EED

#: `on_epoch(phase, epoch, values)`, called after each epoch.
OnPhaseEpoch = Callable[[str, int, dict[str, float]], None]

#: A training that is under way: it asks for one optimization after the other, is told what each did, and says in the end what all did.
Phases = Generator[Phase, Fit, dict[str, Fit]]


def train(
    network: FusionNetwork,
    samples: Samples,
    validation: Samples | None,
    *,
    recipe: Recipe,
    task: TaskLayer,
    settings: TrainingSettings,
    generator: torch.Generator,
    epochs: Mapping[str, int] | None = None,
    trained: Mapping[str, Fit] | None = None,
    on_epoch: OnPhaseEpoch | None = None,
    cache: StreamCache | None = None,
    given: Sequence[GivenWeights] = (),
) -> dict[str, Fit]:
    """Train a network as its design says, and leave it in evaluation mode with its best weights.

    Args:
        network: A fresh network, on the device of the samples.
        samples: Training rows.
        validation: Rows that choose the epochs, or None to train for a fixed number.
        recipe: The numbers to train with; width and dropout as of the network.
        task: What is predicted, fitted on the training rows.
        settings: Epochs, patience, size of a batch.
        generator: Order of the rows.
        epochs: Epochs of each phase, instead of those of the settings.
        trained: Streams of the network that hold trained weights already, and what trained them; they are not trained alone again.
        on_epoch: Called after each epoch.
        cache: Where streams that are trained alone are kept, and looked for: of these rows, split this way.
        given: Weights in files that streams which are trained alone start from; the network itself has started from them.

    Returns:
        What each phase did: streams trained alone, by name, then `fusion`; a phase without a parameter to train is left out.

    Raises:
        EvaluationError: A loss is not finite.
    """
    run = DesignTraining(network, samples, validation, recipe, task, settings, generator, epochs or {}, on_epoch, cache, given)
    return in_turn(run.phases(trained or {}))


def solver_of(graph: FusionGraph, task: TaskLayer, recipe: Recipe) -> Solver | None:
    """Return what solves a linear model to its optimum, which no seed changes; None for a design that is trained by steps."""
    return task.solver(balanced=recipe.balances) if graph.training == "convex" else None


@torch.inference_mode()
def predict(network: FusionNetwork, samples: Samples) -> Tensor:
    """Return the main output (N, K) of all samples, float32, in evaluation mode."""
    network.eval()
    return torch.cat([network(part.inputs, part.present).float() for part in samples.portions()])


class DesignTraining:
    """One training of a network; arguments are those of `train`.

    Attributes:
        num_alone: Streams that were to be trained alone, and how many of them were found in the cache.
    """

    #: Seconds that computing the states of a fixed stream takes at least where they are kept: of small ones reading takes as long.
    LONG = 0.1

    def __init__(
        self,
        network: FusionNetwork,
        samples: Samples,
        validation: Samples | None,
        recipe: Recipe,
        task: TaskLayer,
        settings: TrainingSettings,
        generator: torch.Generator,
        epochs: Mapping[str, int],
        on_epoch: OnPhaseEpoch | None,
        cache: StreamCache | None = None,
        given: Sequence[GivenWeights] = (),
    ) -> None:
        modalities = {modality.name for modality in network.graph.modalities}
        self.network, self.recipe, self.samples = network, recipe, samples.only(modalities)
        self.validation = None if validation is None else validation.only(modalities)
        self.settings, self.generator, self.epochs, self.on_epoch = settings, generator, epochs, on_epoch
        self.device = samples.targets.device
        self.half = mixed_precision(self.device, settings.mixed_precision)
        self.cache, self.keys, self.given = cache, dict[str, str](), given
        self.num_alone = Counter[str]()
        self.task = task
        self.strengths = strengths_of(recipe, self.device)
        self.balance = Balance.of(recipe, task, samples.targets)

    def phases(self, trained: Mapping[str, Fit]) -> Phases:
        """Ask for the optimizations, one after the other, so that whoever runs them may run those of several members at once.

        Args:
            trained: As in `train`.
        """
        network, fits = self.network, dict[str, Fit]()
        solver = solver_of(network.graph, self.task, self.recipe)
        if solver is not None:
            return {FUSION: self.solve(solver)}
        if network.graph.training not in ("joint", "convex"):
            fits |= yield from self.train_streams(trained)
            start_at_mean(network)
        if network.graph.training in ("joint", "convex", "staged"):
            fits[FUSION] = yield from self.train_all()
            yield from self.fit_votes(fits)
        else:
            network.streams.requires_grad_(False)
            yield from self.fit_votes(fits)
            fits |= yield from self.train_fusions()
        network.eval()
        return fits

    def train_streams(self, trained: Mapping[str, Fit]) -> Phases:
        """Train each stream (tied streams as one) on its own class scores, and load its weights into the network.

        What a stream becomes does not depend on the design around it: its random numbers are seeded afresh. Of several equal streams
        each has its own seed.
        """
        fits: dict[str, Fit] = {}
        equals: Counter[tuple[object, ...]] = Counter()
        for lender in dict.fromkeys(self.network.streams.lenders.values()):
            stream = self.network.graph.stream(lender)
            what = (stream.modality, stream.encoder, *stream.params.items())
            seed = self.generator.initial_seed() + equals[what]
            equals[what] += 1
            if lender in trained:
                fits[lender] = trained[lender]
            elif self.network.streams.trained(lender):
                with reproducible(seed, device=self.device) as order:
                    fits[lender] = yield from self._train_stream(lender, order)
        return fits

    def _train_stream(self, lender: str, order: torch.Generator) -> Generator[Phase, Fit, Fit]:
        streams = self.network.streams
        modalities = tuple(dict.fromkeys(streams.modality_of[name] for name, other in streams.lenders.items() if other == lender))
        alone = StreamNetwork(self.network.graph, lender, self.network.num_outputs, self.recipe, self.network.grid).to(self.device)
        start_network(alone, self.given, constant_logits(self.recipe, self.task, self.samples.targets))
        self.num_alone["asked"] += 1
        if self.cache is None:
            fit = yield self._stream_phase(lender, modalities, alone, order)
        else:
            key = self.keys[lender] = self._stream_key(self.cache, lender, modalities, order)
            found = self._found(self.cache, key, lender, alone)
            if found is None:
                found = yield from self._kept(self.cache, key, self._stream_phase(lender, modalities, alone, order), alone)
            fit = found
        streams.load(lender, alone)
        return fit

    def _stream_phase(self, lender: str, modalities: Sequence[str], alone: StreamNetwork, order: torch.Generator) -> Phase:
        held = None if self.validation is None else _rows_with(self.validation, modalities)
        raw = {RAW: self.network.graph.modality(modalities[0])}
        loss = StreamLoss(alone, self.task, self.balance, self.half, raw, self.strengths)
        return self._phase(lender, loss, _rows_with(self.samples, modalities), held if held is not None and len(held) else None, order)

    def _stream_key(self, cache: StreamCache, lender: str, modalities: tuple[str, ...], order: torch.Generator) -> str:
        """Name what a stream becomes by all that it hangs on, beside the rows, which the cache knows."""
        stream, recipe = self.network.graph.stream(lender), self.recipe
        numbers = recipe.learning_rate, recipe.weight_decay, recipe.dropout, recipe.width
        balance = recipe.class_weights, recipe.sampling, recipe.focal, recipe.augmentation
        training = *astuple(self._settings_of(lender)), self.validation is None, str(self.half), self.device.type
        return cache.key(stream.encoder, *sorted(stream.params.items()), modalities, numbers, balance, training, order.initial_seed())

    def _found(self, cache: StreamCache, key: str, lender: str, alone: StreamNetwork) -> Fit | None:
        """Take a trained stream from the cache and tell its epochs again; None where it is not there."""
        found = cache.stream(key)
        if found is None:
            return None
        alone.load_state_dict(found.weights)
        self.num_alone["found"] += 1
        if self.on_epoch is not None:
            for epoch, values in enumerate(found.curve, start=1):
                self.on_epoch(lender, epoch, dict(values))
        return found.fit

    def _kept(self, cache: StreamCache, key: str, phase: Phase, alone: StreamNetwork) -> Generator[Phase, Fit, Fit]:
        """Train a stream and keep it."""
        curve, on_epoch = list[dict[str, float]](), phase.on_epoch

        def noted(epoch: int, values: dict[str, float]) -> None:
            curve.append(dict(values))
            if on_epoch is not None:
                on_epoch(epoch, values)

        fit = yield replace(phase, on_epoch=noted)
        cache.keep_stream(key, TrainedStream(alone.state_dict(), fit, curve))
        return fit

    def train_all(self) -> Generator[Phase, Fit, Fit]:
        """Train every parameter of the network on its outputs."""
        loss = DesignLoss(self.network, self.task, self.balance, self.half, recipe=self.recipe, strengths=self.strengths)
        fit = yield self._phase(FUSION, loss, self.samples, self.validation)
        return fit

    @torch.no_grad()
    def solve(self, solver: Solver) -> Fit:
        """Set the one linear map of a linear model to its optimum.

        The strength of regularization is chosen as the epochs of other designs are, by the loss of the held-out rows. Where none are held
        out, the parts that the training rows were dealt into are, in turn; of rows too few for that the strength is 1.
        """
        (linear,) = (module for module in self.network.modules() if isinstance(module, nn.Linear))
        columns = self._read_by(linear, self.samples)
        held = None if self.validation is None else (self._read_by(linear, self.validation), self.validation.targets)
        solution, loss = self.task.solve(
            solver, columns, self.samples.targets, weights=self.balance.held_weights, held=held, sides=self.samples.sides()
        )
        for parameter, values in zip((linear.weight, linear.bias), solution, strict=True):
            parameter.copy_(torch.as_tensor(values))
        return Fit(1, 1, loss if held is not None else math.nan)

    def _read_by(self, linear: nn.Linear, samples: Samples) -> NDArray[np.float64]:
        """Return what a layer reads of all samples, (N, D)."""
        columns: list[Tensor] = []
        with linear.register_forward_pre_hook(lambda _, inputs: columns.append(inputs[0].double().cpu())):
            predict(self.network, samples)
        return torch.cat(columns).numpy()

    def train_fusions(self) -> Phases:
        """Train operators, trunks and heads on the states of the streams, computed once."""
        if not any(True for part in (self.network.joins, self.network.heads) for _ in part.parameters()):
            return {}
        loss = FusionLoss(self.network, self.task, self.balance, self.half, recipe=self.recipe)
        held = None if self.validation is None else replace(self.validation, inputs=self.states(self.validation))
        fit = yield self._phase(FUSION, loss, replace(self.samples, inputs=self.states(self.samples)), held)
        return {FUSION: fit}

    def fit_votes(self, fits: Mapping[str, Fit]) -> Generator[Phase, Fit, None]:
        """Set the weights of votes; where the training rows are too few to be dealt into parts, weights stay equal.

        Args:
            fits: What trained the network so far.
        """
        layers = {name: self.network.join(name).layer for name in self.network.graph.order}
        votes = {name: layer for name, layer in layers.items() if isinstance(layer, Vote)}
        unseen = (yield from self._scores_unseen(fits)) if any(layer.weighs for layer in votes.values()) else None
        for name, layer in votes.items():
            sources = [tap.source for tap in self.network.graph.fusion(name).args]
            if not layer.weighs:
                here = [self.samples.present[self.network.streams.modality_of[source]] for source in sources]
                layer.fit([], self.samples.targets, here, self.task)
            elif unseen is not None:
                scores, present = ([found[source] for source in sources] for found in unseen)
                layer.fit(scores, self.samples.targets, present, self.task, parts=self.samples.parts, balanced=self.recipe.balances)

    def _scores_unseen(self, fits: Mapping[str, Fit]) -> Generator[Phase, Fit, tuple[dict[str, Tensor], dict[str, Tensor]] | None]:
        """Return scores of each stream on training rows that it was not trained on, (N, 1, K), and which rows have one, (N,)."""
        if self.samples.parts is None:
            return None
        graph, epochs = self.network.graph, {phase: fit.best_epoch for phase, fit in fits.items()}
        scores: dict[str, Tensor] = {}
        present: dict[str, Tensor] = {}
        for number, (others, part) in enumerate(self.samples.sides()):
            seen, held = (self.samples.take(torch.nonzero(rows).flatten()) for rows in (others, part))
            cache = None if self.cache is None else self.cache.within("without part", number)
            with reproducible(self.generator.initial_seed(), device=self.device) as order:
                network = FusionNetwork.of(Candidate(graph, self.recipe), self.task).to(self.device)
                start_network(network, self.given, constant_logits(self.recipe, self.task, seen.targets))
                run = DesignTraining(network, seen, None, self.recipe, self.task, self.settings, order, epochs, None, cache, self.given)
                lenders, modality_of = network.streams.lenders, network.streams.modality_of
                # A stream that no row of the other parts has cannot be trained: it has no score on this one.
                known = {lender for name, lender in lenders.items() if seen.present[modality_of[name]].any()}
                if graph.training != "joint":
                    yield from run.train_streams(dict.fromkeys(set(lenders.values()) - known, Fit(0, 0, math.nan)))
                    start_at_mean(network)
                    self.num_alone += run.num_alone
                if FUSION in fits:
                    yield from run.train_all()
                for (name, depth), x_NTK in run.states(held).items():
                    if depth == "score":
                        scores.setdefault(name, torch.zeros(len(part), *x_NTK.shape[1:], device=self.device))[part] = x_NTK
                        mask = present.setdefault(name, self.samples.present[modality_of[name]].clone())
                        mask[part] &= lenders[name] in known
        return scores, present

    @torch.no_grad()
    def states(self, samples: Samples) -> dict[StreamState, Tensor]:
        """Return the states of the streams for all samples, without a gradient and without noise."""
        self.network.eval()
        side = "rows" if samples is self.samples else "held" if samples is self.validation else None
        states: dict[StreamState, Tensor] = {}
        for name in self.network.streams.taps:
            states |= {(name, depth): values for depth, values in self._states_of(name, samples, side).items()}
        return states

    def _states_of(self, name: str, samples: Samples, side: str | None) -> dict[Depth, Tensor]:
        """Return the states of one stream for all samples; those that take long are kept.

        Args:
            name: The stream.
            samples: The samples.
            side: Which of the rows of this training they are; None for others, whose states are not kept.
        """
        streams, modality = self.network.streams, self.network.streams.modality_of[name]
        stream = self.keys.get(streams.lenders[name])
        cache = None if stream is None or side is None else self.cache
        key = "" if cache is None else cache.key(stream, modality, *sorted(map(str, streams.taps[name])), side)
        kept = None if cache is None else cache.states(key)
        if kept is not None:
            return {depth: values.to(self.device) for depth, values in kept.items()}
        start = perf_counter()
        parts = [streams.states_of(name, part.inputs[modality], part.present[modality]) for part in samples.portions()]
        states = {depth: torch.cat([part[depth] for part in parts]) for depth in streams.taps[name]}
        if cache is not None and perf_counter() - start >= self.LONG:
            cache.keep_states(key, states)
        return states

    def _settings_of(self, phase: str) -> TrainingSettings:
        return replace(self.settings, epochs=self.epochs[phase]) if phase in self.epochs else self.settings

    def _phase(self, name: str, loss: PhaseLoss, rows: Samples, held: Samples | None, order: torch.Generator | None = None) -> Phase:
        on_epoch, drawn, weights = self.on_epoch, order or self.generator, row_weights(self.recipe, self.task, rows.targets)
        noise = None if loss.strengths is None else torch.Generator().manual_seed(drawn.initial_seed() ^ _NOISE)
        return Phase(
            name,
            loss,
            replace(rows, parts=None),
            held,
            settings=self._settings_of(name),
            recipe=self.recipe,
            order=RowOrder(len(rows), self.settings.batch_size, drawn, weights, noise),
            on_epoch=None if on_epoch is None else lambda epoch, values: on_epoch(name, epoch, values),
        )


def _rows_with(samples: Samples, modalities: Sequence[str]) -> Samples:
    """Return raw values and targets of the samples that have a modality, one modality after the other."""
    if len(modalities) == 1 and modalities[0] in samples.complete:
        return Samples({RAW: samples.inputs[modalities[0]]}, {}, samples.targets)  # no copy
    raw = [samples.inputs[name][samples.present[name]] for name in modalities]
    targets = [samples.targets[samples.present[name]] for name in modalities]
    return Samples({RAW: torch.cat(raw)}, {}, torch.cat(targets))
