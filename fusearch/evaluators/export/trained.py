"""The networks that a search trained, with the preprocessing fitted on the same rows. Axis letters: B batch, K logits, O outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fusearch.contracts import Budget
from fusearch.data import Dataset, Fold
from fusearch.errors import EvaluationError, RunError
from fusearch.evaluators.evaluator import TrainingEvaluator
from fusearch.evaluators.export.choice import load_choice_data
from fusearch.evaluators.export.inputs import raw_values
from fusearch.evaluators.export.preparation import Preparations
from fusearch.evaluators.network.network import FusionNetwork
from fusearch.evaluators.tasks import TaskLayer
from fusearch.evaluators.training.member import Member, make_members
from fusearch.evaluators.training.members import settled_task
from fusearch.evaluators.training.transfer import WeightStore
from fusearch.layout import WEIGHTS
from fusearch.run import Run
from fusearch.search_space import Candidate, FusionGraph, Recipe
from fusearch.study import TrialRecord

__all__ = ["KeptMembers", "TrainedNetwork", "kept_members", "load_network", "load_networks"]

#: Settings of a run's evaluator that training depends on.
_SETTINGS = ("folds", "seeds", "epochs", "patience", "batch_size", "threads", "mixed_precision", "pack")


class TrainedNetwork(nn.Module):
    """One member of a design: the network of one fold and one seed, behind the preprocessing that its training rows fitted.

    An ordinary module, in evaluation mode on the CPU: `train()`, `to(device)` and `parameters()` do what they always do, and every
    weight takes a gradient. The statistics of the preprocessing are buffers, so an optimizer leaves them.

    Attributes:
        network: The `FusionNetwork`: `network(inputs, present)` -> (B, K) logits, of prepared values (B, *shape) and (B,) bool a modality.
        preparations: Raw values -> `(inputs, present)`, the arguments of `network`.
        task: The task, fitted on the same rows: `task(logits)` -> (B, O) outputs, `task.loss(logits, task.encode(targets))` -> a scalar.
        candidate: The design and its recipe.
        member: Its `fold` and `seed`.
        fold: Row numbers: `fold.train`, which it was trained on, and `fold.val`, which chose its epochs.
        data: The data set of the run, without its test split.

    Example:
        >>> net = load_network("runs/demo")
        >>> rows = net.fold.train[:64]
        >>> loss = net.train().task.loss(net(net.raw(rows)), net.targets(rows))
        >>> loss.backward()
    """

    def __init__(
        self,
        network: FusionNetwork,
        preparations: Preparations,
        task: TaskLayer,
        candidate: Candidate,
        member: Member,
        fold: Fold,
        data: Dataset,
    ) -> None:
        super().__init__()
        self.network, self.preparations, self.task = network, preparations, task
        self.candidate, self.member, self.fold, self.data = candidate, member, fold, data
        self.eval()

    def forward(self, raw: Mapping[str, Tensor]) -> Tensor:
        """Return the logits, (B, K); `task` turns them into outputs, such as class probabilities.

        Args:
            raw: Modality -> (B, *raw shape) float32, as `raw` gives it. A table holds its numeric columns, then one level code a
                categorical column (-1: an unknown level). NaN is a missing value; a sample whose values are all NaN lacks the modality.
        """
        inputs, present = self.preparations(raw)
        logits: Tensor = self.network(inputs, present)
        return logits

    def raw(self, rows: NDArray[np.integer[Any]] | slice = slice(None)) -> dict[str, Tensor]:
        """Return what `forward` takes of some rows of the data set."""
        chosen = np.arange(len(self.data), dtype=np.int64)[rows]
        used = [modality for modality in self.data.modalities if modality.name in self.preparations.modalities]
        return {name: torch.from_numpy(values) for name, values in raw_values(self.data, used, chosen).items()}

    def targets(self, rows: NDArray[np.integer[Any]] | slice = slice(None)) -> Tensor:
        """Return the targets of some rows as `task.loss` reads them, (B,) or (B, numbers of a sample)."""
        return self.task.encode(self.data.targets[rows])


@dataclass(frozen=True)
class KeptMembers:
    """The members of a design of a run, and where their weights lie.

    Attributes:
        evaluator: What trained them, made again from the configuration of the run.
        candidate: The design and its recipe.
        weights: The weights of the run.
        members: Folds and seeds, fold by fold.
        budget: What the search spent on it.
    """

    evaluator: TrainingEvaluator
    candidate: Candidate
    weights: WeightStore
    members: tuple[Member, ...]
    budget: Budget

    @property
    def lacking(self) -> list[Member]:
        """The members whose weights were not kept."""
        return [member for member in self.members if not self.weights.holds(self.candidate.digest, member)]

    def train(self) -> None:
        """Train all members again, as the search did, and keep their weights."""
        for _ in self.evaluator.train_members(self.candidate, self.budget):
            pass

    def network(self, member: Member) -> TrainedNetwork:
        """Return a member as it was trained.

        Raises:
            EvaluationError: Its weights were not kept.
        """
        rows = self.evaluator.prepared(member.fold)
        network = FusionNetwork.of(self.candidate, rows.task)
        network.load_state_dict(dict(self.weights.load(self.candidate.digest, member).weights))
        network.to(rows.train.targets.device).eval()
        task, data = settled_task(network, rows), self.evaluator.data
        used = {modality.name for modality in self.candidate.graph.modalities}
        statistics = [part for part in data.fit_preprocessor(rows.fold.train).statistics if part.modality.name in used]
        return TrainedNetwork(network.cpu(), Preparations(statistics), task.cpu(), self.candidate, member, rows.fold, data)


def kept_members(run: Run, record: TrialRecord, data: Dataset, *, device: str = "auto") -> KeptMembers:
    """Return the members of a design of a run, whether or not their weights were kept.

    Args:
        run: The run.
        record: The trial of the design.
        data: The data set of the run.
        device: Where to train those that were not kept.
    """
    given = run.config["evaluator"].get("settings", {})
    evaluator = TrainingEvaluator(data, device=device, **{name: given[name] for name in _SETTINGS if name in given})
    graph = FusionGraph.parse(record.formula, modalities=data.modalities)
    candidate = Candidate(graph, Recipe.from_dict(record.recipe), tuple(record.details.get("start", ())))
    budget = Budget(**record.budget)
    members = make_members(len(evaluator.folds), evaluator.seeds, budget.members, seed=budget.seed)
    folder = run.path / WEIGHTS
    return KeptMembers(evaluator.keeping(folder), candidate, WeightStore(folder), members, budget)


def load_networks(
    run: Run | str | Path,
    pick: str = "simplest",
    *,
    data: Dataset | str | Path | None = None,
    train: bool = False,
    device: str = "auto",
) -> tuple[TrainedNetwork, ...]:
    """Return all networks of a design that a search trained, one for each fold and seed; arguments and errors are those of `load_network`.

    The mean of their outputs is the ensemble. On rows of the search it is not out of fold: each row was trained on by all but one fold.

    Raises:
        RunError: As `load_network` does.

    Example:
        >>> [(net.member.fold, net.member.seed) for net in load_networks("runs/demo")]
        [(0, 0), (1, 0)]
    """
    kept, run, record = _opened(run, pick, data, device)
    _check(kept, kept.members, run, record, train=train)
    return tuple(kept.network(member) for member in kept.members)


def load_network(
    run: Run | str | Path,
    pick: str = "simplest",
    *,
    fold: int = 0,
    seed: int | None = None,
    data: Dataset | str | Path | None = None,
    train: bool = False,
    device: str = "auto",
) -> TrainedNetwork:
    """Return a network that a search trained, with its preprocessing, ready to predict or to be fine-tuned.

    A design has a network for each fold and seed. This is that of the first fold and seed unless others are named: none is chosen by its
    own score, which would be the score of a lucky one (decision 0103).

    Args:
        run: The run, or its folder.
        pick: The design, as for `Run.pick`.
        fold: Which fold was held out.
        seed: Which seed it was trained with; None: the first.
        data: The data set of the run, or where it is now, where it cannot be loaded again from where it was.
        train: Whether to train the networks of the design again, as the search did, where their weights were not kept.
        device: Where to train them: `cpu`, `cuda`, `cuda:1`, ...; `auto`: a GPU for designs that are large enough for it to be faster.

    Raises:
        RunError: The run has no such design, fold or seed, or its weights were not kept; or its data have changed.
        EvaluationError: A file of weights is damaged.

    Example:
        >>> net = load_network("runs/demo")
        >>> logits = net(net.raw(net.fold.val))
        >>> tuple(logits.shape) == (len(net.fold.val), 2)
        True
    """
    kept, run, record = _opened(run, pick, data, device)
    first = kept.members[0].seed if seed is None else seed
    member = Member(fold, first)
    if member not in kept.members:
        known = ", ".join(f"({each.fold}, {each.seed})" for each in kept.members)
        raise RunError(
            f"design {record.digest} of run {str(run.path)!r} has no network of fold {fold} and seed {first}: expected one of {known}"
        )
    _check(kept, (member,), run, record, train=train)
    return kept.network(member)


def _opened(run: Run | str | Path, pick: str, data: Dataset | str | Path | None, device: str) -> tuple[KeptMembers, Run, TrialRecord]:
    run = run if isinstance(run, Run) else Run(run)
    record = run.pick(pick)
    return kept_members(run, record, load_choice_data(run, data), device=device), run, record


def _check(kept: KeptMembers, members: tuple[Member, ...], run: Run, record: TrialRecord, *, train: bool) -> None:
    """Train again what was not kept, where that is asked for."""
    if not set(members) & set(kept.lacking):
        return
    if not train:
        raise RunError(
            f"run {str(run.path)!r} kept no weights of design {record.digest}: `run.network({record.candidate!r}, train=True)` "
            f"(`networks` likewise) trains its {len(kept.members)} networks again and keeps them"
        )
    kept.train()
    if still := kept.lacking:
        raise EvaluationError(f"the weights of {len(still)} networks could not be written to {str(kept.weights.folder)!r}")
