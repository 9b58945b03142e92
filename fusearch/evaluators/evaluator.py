"""The evaluator that trains: metrics with spread, costs, and out-of-fold predictions of a design."""

from __future__ import annotations

import copy
import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Unpack

import torch

from fusearch.contracts import CHEAP_OBJECTIVES, Budget, Evaluation, PackNews, Report
from fusearch.data import Dataset, check_data
from fusearch.errors import EvaluationError, suggestion
from fusearch.evaluators.cost import (
    MEASURED_COSTS,
    count_costs,
    example_inputs,
    measure_latency,
    measure_peak_memory,
)
from fusearch.evaluators.device import describe_device, device_for, find_device, room_for_folds
from fusearch.evaluators.extension import Extensions
from fusearch.evaluators.network.network import FusionNetwork
from fusearch.evaluators.network.start import check_given
from fusearch.evaluators.network.untrained import never_trained
from fusearch.evaluators.running_evaluation import RunningEvaluation
from fusearch.evaluators.tasks import bind_task
from fusearch.evaluators.training.halving import OutrunError
from fusearch.evaluators.training.member import Member, make_members
from fusearch.evaluators.training.members import FoldSamples, MemberSetup, OnMemberEpoch, TrainedMember, prepare_fold, score
from fusearch.evaluators.training.optimization import torch_threads
from fusearch.evaluators.training.pack import OnPackEpoch, PackedMember
from fusearch.evaluators.training.schedule import Packs, Wanted, first_and_rest, price_of_look, split, together, train_packs
from fusearch.evaluators.training.stream_cache import StreamCache
from fusearch.evaluators.training.training_settings import TrainingSettings
from fusearch.evaluators.training.transfer import WeightStore
from fusearch.search_space import Candidate

__all__ = ["TrainingEvaluator"]

#: Recipes of a design that are trained at once where a GPU is there for it.
RECIPES_ON_GPU = 8


class TrainingEvaluator:
    """Trains the members of a design, its folds times its seeds, and tells what it is worth and what it costs.

    It holds the training and validation rows only: the test split is taken out of the data that it is given. Preprocessing is fitted
    once per fold, on the fold's training rows, and shared by all designs.

    Args:
        data: What is fused.
        folds: Number of folds inside train + val; None: what the data set says.
        seeds: Trainings of each fold.
        epochs: Most epochs of one optimization.
        patience: Epochs without a better validation loss after which it stops.
        batch_size: Rows of one step.
        threads: Threads of one torch operation. One is right wherever other processes work on the same cores.
        device: `cpu`, `cuda`, `cuda:1`, ...; `auto`: a GPU where there is one, for designs that are large enough for it to be faster than a
            CPU core. A worker looks for it where it runs.
        costs: Measured costs to add: `latency_ms` (median of batch-1 forward passes, with these threads), `peak_memory_mb` (weights,
            inputs and the most intermediate tensors alive at once, batch 1).
        missing: Whether to score each member also with each modality absent.
        mixed_precision: Whether to use half precision on CUDA.
        pack: Members that are trained together at most; `off`: one after the other; `auto`: on a CPU four or more of a small design
            (decision 0047), on CUDA as many as fit into memory (decision 0066).
        cache: Bytes of streams that `independent`, `staged` and `frozen` designs trained alone, which are kept in the run folder so that
            others take them; 0 keeps none (decision 0039).

    Raises:
        EvaluationError: A setting is not legal, or nothing can be learned from the training rows of any fold.

    Example:
        >>> from fusearch.contracts import Budget
        >>> from fusearch.data import load_data
        >>> from fusearch.search_space import Candidate, FusionGraph
        >>> data = load_data("wisconsin")
        >>> evaluator = TrainingEvaluator(data, folds=2, epochs=5)
        >>> graph = FusionGraph.parse("F1 = cat(mean@L, worst@L) ->", modalities=data.modalities)
        >>> evaluation = evaluator(Candidate(graph), Budget(), lambda step, values: None)
        >>> 0.8 < evaluation["auroc"] <= 1.0, evaluation["parameters"]
        (True, 3202.0)
    """

    def __init__(
        self,
        data: Dataset,
        *,
        folds: int | None = None,
        seeds: int = 1,
        epochs: int = TrainingSettings.epochs,
        patience: int = TrainingSettings.patience,
        batch_size: int = TrainingSettings.batch_size,
        threads: int | None = 1,
        device: str = "auto",
        costs: Sequence[str] = (),
        missing: bool = False,
        mixed_precision: bool = True,
        pack: int | str = "auto",
        cache: float = 2e9,
    ) -> None:
        if seeds < 1 or (threads is not None and threads < 1):
            raise EvaluationError(f"seeds is {seeds} and threads is {threads}, expected at least 1 of each")
        for name in costs:
            if name not in MEASURED_COSTS:
                raise EvaluationError(f"cost {name!r}: {suggestion(name, MEASURED_COSTS)}")
        if device != "auto":
            try:
                torch.device(device)  # whether there is one, the worker sees
            except RuntimeError:
                raise EvaluationError(f"device is {device!r}, expected auto, cpu, cuda, cuda:1, ...") from None
        if pack not in ("auto", "off") and not (isinstance(pack, int) and not isinstance(pack, bool) and pack >= 1):
            raise EvaluationError(f"pack is {pack!r}, expected 'auto', 'off' or a number of members such as 15")
        if isinstance(cache, bool) or not (isinstance(cache, int | float) and 0 <= cache < math.inf):
            raise EvaluationError(f"cache is {cache!r}, expected a number of bytes of at least 0")
        self.data = data.without_test()
        check_given(self.data.given_weights, self.data.modalities)
        self.settings = TrainingSettings(epochs, patience, batch_size, mixed_precision)
        self.folds = self.data.folds(folds)
        lacking = [self.data.task.lacks(self.data.targets[fold.train]) for fold in self.folds]
        if all(lacking):
            which = "of every fold" if len(lacking) > 1 else "of the one fold"
            raise EvaluationError(f"{lacking[0]} among the training rows {which}: nothing can be learned, expected other splits or folds")
        self.seeds, self.threads, self.device, self.costs, self.missing = seeds, threads, device, tuple(costs), missing
        self.pack, self.cache = pack, cache
        self.needs_gpu = device.startswith("cuda")  # `auto` leaves small designs to the CPU
        self._streams: StreamCache | None = None
        self._prepared: dict[tuple[int, torch.device], FoldSamples] = {}
        self._weights: WeightStore | None = None
        self._costed: tuple[str, dict[str, float]] = "", {}  # the last design: an evaluation asks several times

    def keeping(self, folder: str | Path) -> TrainingEvaluator:
        """Return the same evaluator, which keeps trained weights in `folder` and lets candidates start from them."""
        kept = copy.copy(self)
        kept._weights = WeightStore(Path(folder).resolve())  # a worker has another working directory
        return kept

    def caching(self, folder: str | Path) -> TrainingEvaluator:
        """Return the same evaluator, which keeps streams that were trained alone in `folder` and takes from there what is there."""
        caching = copy.copy(self)
        caching._streams = StreamCache(Path(folder).resolve(), self.cache, self.data.fingerprint) if self.cache else None
        return caching

    def __call__(self, candidate: Candidate, budget: Budget, report: Report) -> Evaluation:
        """Train and score a design.

        `report` hears of every epoch (`loss`, `val_loss`, `epoch`, `member`), and of every member that is done: the mean of each
        metric over the members so far. Its step counts epochs over all phases and members.

        Raises:
            EvaluationError: A loss is not finite.
        """
        return deque(self._one(candidate, budget, report, by_fold=False), maxlen=1).pop()

    def by_fold(self, candidate: Candidate, budget: Budget, report: Report) -> Iterator[Evaluation]:
        """Train and score a design as a call does, and give what is known after folds; the last is the whole evaluation.

        The first fold is trained first, with all its seeds, as it tells most. The others are trained together where that is faster, and
        are known at once; else one after the other (decision 0059).

        Raises:
            EvaluationError: A loss is not finite.
        """
        return self._one(candidate, budget, report, by_fold=True)

    def _one(self, candidate: Candidate, budget: Budget, report: Report, *, by_fold: bool) -> Iterator[Evaluation]:
        for news in self.recipes([candidate], budget, report, by_fold=by_fold, halving=False, goes_on=lambda _: True):
            if isinstance(news.found, EvaluationError):
                raise news.found
            if isinstance(news.found, Evaluation):
                yield news.found

    def recipes(
        self,
        candidates: Sequence[Candidate],
        budget: Budget,
        report: Report,
        *,
        by_fold: bool,
        halving: bool,
        goes_on: Callable[[int], bool],
    ) -> Iterator[PackNews]:
        """Train and score a design with several recipes, and give what becomes known of each as soon as it is known.

        Args:
            candidates: The design with each recipe, all of one width.
            budget: How many members, and epochs.
            report: As in a call, told of all of them.
            by_fold: Whether the first fold is trained before the others, with all recipes.
            halving: Whether the worse half of the recipes leaves after some epochs, where they are trained together.
            goes_on: Asked before each pack which recipes are still wanted, by their places.
        """
        costs = self.cheap(candidates[0])  # first: it takes milliseconds, and what cannot be counted need not be trained
        members = make_members(len(self.folds), self.seeds, budget.members, seed=budget.seed)
        running = {candidate.digest: (place, RunningEvaluation(members, report)) for place, candidate in enumerate(candidates)}

        def wanted(candidate: Candidate) -> bool:
            return goes_on(running[candidate.digest][0])

        def on_epoch(candidate: Candidate, *epoch: Any) -> None:
            running[candidate.digest][1].on_epoch(*epoch)

        for packed, is_last in self._train(candidates, budget, on_epoch, by_fold=by_fold, halving=halving, goes_on=wanted):
            place, evaluation = running[packed.candidate.digest]
            if isinstance(packed.trained, OutrunError):
                yield PackNews(place, packed.trained.outrun)
            elif isinstance(packed.trained, EvaluationError):
                yield PackNews(place, packed.trained)
            else:
                evaluation.add(packed.trained)
                where = {"device": describe_device(self.device_of(packed.candidate))}
                if evaluation.is_whole:
                    details = {**where, **({"start": list(packed.candidate.start)} if packed.candidate.start else {})}
                    measured = {**costs, **self._measure(packed.candidate)}
                    yield PackNews(place, evaluation.whole(self.data, self.folds, costs=measured, details=details))
                elif is_last and (partial := evaluation.partial(where)) is not None:
                    yield PackNews(place, partial, is_last=False)

    def train_members(self, candidate: Candidate, budget: Budget, on_epoch: OnMemberEpoch | None = None) -> Iterator[TrainedMember]:
        """Train the members that the budget allows, and give each as it is done; those of a pack are done together.

        Args:
            candidate: The design and its recipe.
            budget: How many members, and epochs.
            on_epoch: Called after each epoch of each member.

        Raises:
            EvaluationError: A loss is not finite.
        """
        told = None if on_epoch is None else lambda _, *epoch: on_epoch(*epoch)
        for packed, _ in self._train([candidate], budget, told, by_fold=False, halving=False, goes_on=lambda _: True):
            if isinstance(packed.trained, EvaluationError):
                raise packed.trained
            yield packed.trained

    def _train(
        self, candidates: Sequence[Candidate], budget: Budget, on_epoch: OnPackEpoch | None, *, by_fold: bool, **race: Unpack[Wanted]
    ) -> Iterator[tuple[PackedMember, bool]]:
        """Train the members that the budget allows of designs that differ in their recipes alone; see `train_packs`."""
        settings = self.settings if budget.epochs is None else TrainingSettings(**{**asdict(self.settings), "epochs": budget.epochs})
        setup: MemberSetup = {
            "settings": settings,
            "threads": self.threads,
            "missing": [modality.name for modality in self.data.modalities] if self.missing else (),
            "weights": self._weights,
            "cache": self._streams,
            "given": self.data.given_weights,
        }
        every = make_members(len(self.folds), self.seeds, budget.members, seed=budget.seed)
        groups = first_and_rest(every) if by_fold else [every]
        rows = partial(self.prepared, device=self.device_of(candidates[0]))
        return train_packs(candidates, groups, packs=self.packs, folds=rows, on_epoch=on_epoch, wanted=race, **setup)

    def packs(self, candidates: Sequence[Candidate], members: Sequence[Member]) -> Packs:
        """Return which of these members of these designs, which differ in their recipes alone, are trained together, in order."""
        count = len(candidates) * len(members)
        if self.pack == "off" or count <= 1 or candidates[0].graph.training == "convex":
            most = 1
        elif self.pack == "auto":
            most = together(self.cheap(candidates[0]), count, self.device_of(candidates[0]))
        else:
            most = int(self.pack)
        return split(candidates, members, most)

    def price_of_look(self, candidate: Candidate, budget: Budget, recipes: int = 1) -> float:
        """Return how likely it must be that the first fold stops a design, for `by_fold` to take no longer than a call.

        It is 0 where the folds are trained one after the other anyhow.
        """
        every, designs = make_members(len(self.folds), self.seeds, budget.members, seed=budget.seed), [candidate] * recipes
        first, rest, whole = (self.packs(designs, members) for members in (*first_and_rest(every), every))
        return price_of_look(first, rest, whole, self.device_of(candidate))

    def usual_recipes(self, candidate: Candidate) -> int:
        """Return 8 for a design that is trained in packs on a GPU, where more members hardly take longer; else 1 (decision 0068)."""
        if self.pack == "off":
            return 1
        device = self.device_of(candidate) if self.device == "auto" else torch.device(self.device)  # the driver of a cluster may have none
        return RECIPES_ON_GPU if device.type == "cuda" else 1

    def prepared(self, fold: int, device: torch.device | None = None) -> FoldSamples:
        """Return the rows of a fold on a device (None: that of the evaluator), preprocessed once for all designs where they are small."""
        device = device or find_device(self.device)
        if (fold, device) not in self._prepared:
            if (len(self._prepared) + 1) * self._bytes_of_a_fold > room_for_folds(device):
                self._prepared.clear()
            self._prepared[fold, device] = prepare_fold(self.data, self.folds[fold], device=device)
        return self._prepared[fold, device]

    @property
    def _bytes_of_a_fold(self) -> int:
        return 4 * len(self.data) * sum(math.prod(modality.shape) for modality in self.data.modalities)

    def device_of(self, candidate: Candidate) -> torch.device:
        """Return where a design is trained; `auto` leaves those to the CPU whose steps are too small for a GPU to be faster."""
        return device_for(self.device, lambda: self.cheap(candidate)["macs"] * self.settings.batch_size)

    def cheap(self, candidate: Candidate) -> dict[str, float]:
        """Return what a design costs, from its shapes alone: nothing is computed and nothing is allocated, however large it is.

        `parameters`; `macs`, multiply-accumulates of one sample; `memory`, bytes that a training step keeps for its backward pass, at
        the batch size.

        Raises:
            EvaluationError: A layer needs values, not shapes alone.
        """
        if self._costed[0] != candidate.digest:
            task = bind_task(self.data.task).fit(self.data.targets)
            costs = count_costs(candidate, task, task.encode(self.data.targets[:1].copy()), batch=self.settings.batch_size)
            self._costed = candidate.digest, costs
        return dict(self._costed[1])

    def never_trained(self, candidate: Candidate) -> tuple[tuple[str, ...], int]:
        """Return the names of the parameters that no gradient reaches, and how many parameters (weights, biases) there are by name."""
        task = bind_task(self.data.task).fit(self.data.targets)
        return never_trained(candidate, task, self.data.targets)

    def objectives(self) -> frozenset[str]:
        """Return the names of every quantity that an evaluation holds."""
        names = [*self.data.task.metrics]
        if self.missing:
            names += [f"{metric}_without.{modality.name}" for metric in self.data.task.metrics for modality in self.data.modalities]
            names += [f"worst_missing_{metric}" for metric in self.data.task.metrics]
        return frozenset([*names, *CHEAP_OBJECTIVES, "train_seconds", *self.costs])

    def folds_defined(self, metric: str) -> int:
        """Return in how many folds a metric of the task has a value: one that asks for several classes has none where a fold holds one."""
        if self.data.task.dense:
            return len(self.folds)  # each row has scores, whatever it holds
        task = bind_task(self.data.task).fit(self.data.targets)
        rng = torch.Generator().manual_seed(0)
        defined = 0
        for fold in self.folds:
            outputs = task.scored(torch.randn(len(fold.val), task.num_logits, generator=rng))
            defined += math.isfinite(score(outputs, self.data.targets[fold.val], self.data.task)[metric])
        return defined

    def undefined(self, objective: str) -> str | None:
        """Say so where an objective has no value in any fold, so that every evaluation would fail; None where it has."""
        metric = objective.removeprefix("worst_missing_").partition("_without.")[0]
        if metric not in self.data.task.metrics or self.folds_defined(metric):
            return None
        counts = [sum(map(bool, self.data.task.class_counts(self.data.targets[fold.val]).values())) for fold in self.folds]
        why = ": each holds one class" if set(counts) == {1} else ""
        return f"{objective} is undefined in all {len(self.folds)} folds{why}; expected another objective, or other folds"

    def describe(self) -> dict[str, Any]:
        """Return JSON-able settings for the run's configuration."""
        settings = {
            "folds": len(self.folds),
            "seeds": self.seeds,
            **asdict(self.settings),
            "threads": self.threads,
            "device": self.device,
            "costs": list(self.costs),
            "missing": self.missing,
            "pack": self.pack,
            "cache": self.cache,
        }
        data = {"source": self.data.source, **self.data.identity, "samples": len(self.data)}
        task = self.data.task
        partly = {name: [count, len(self.folds)] for name in task.metrics if (count := self.folds_defined(name)) < len(self.folds)}
        told = {
            "task": task.to_dict(),
            "note": task.note,
            "defined": partly,
            "constant": [task.constant(self.data.targets[fold.train]).tolist() for fold in self.folds],
            "chance": task.chance(self.data.targets),
            "warnings": check_data(self.data).warnings,
        }
        return {"kind": "training", "settings": settings, "data": {**data, **told}}

    def __getstate__(self) -> dict[str, Any]:
        """Leave the prepared tensors behind (a worker prepares its own); take the user's own operators, encoders, tasks and metrics along.

        They come first: they are registered as they are read, and the data after them name their task.
        """
        return {"_extensions": Extensions.registered(), **self.__dict__, "_prepared": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        del state["_extensions"]  # registered as they were read
        self.__dict__.update(state)

    def _measure(self, candidate: Candidate) -> dict[str, float]:
        if not self.costs:
            return {}
        device = self.device_of(candidate)
        with torch.random.fork_rng(devices=[]), torch_threads(self.threads):
            network = FusionNetwork.of(candidate, bind_task(self.data.task)).to(device)
            inputs = example_inputs(candidate.graph.modalities, device=device)
            measures = {"latency_ms": measure_latency, "peak_memory_mb": measure_peak_memory}
            return {name: measures[name](network, *inputs) for name in self.costs}
