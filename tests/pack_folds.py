"""Small random folds for tests of packs, and a pack that is trained on them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from device_of_tests import DEVICE
from torch import Tensor
from toy_data import TABLES

from fusearch.data import Fold
from fusearch.data.kinds import KINDS
from fusearch.data.modality import Modality
from fusearch.errors import EvaluationError
from fusearch.evaluators.tasks import TaskLayer, bind_task
from fusearch.evaluators.training.member import Member, make_members
from fusearch.evaluators.training.members import FoldSamples, TrainedMember
from fusearch.evaluators.training.pack import train_pack
from fusearch.evaluators.training.samples import Samples
from fusearch.evaluators.training.training_settings import TrainingSettings
from fusearch.evaluators.training.transfer import WeightStore
from fusearch.search_space import ENCODERS, OPERATORS, Candidate, FusionGraph, Recipe
from fusearch.tasks.classification import Classification
from fusearch.tasks.regression import Regression
from fusearch.tasks.segmentation import Segmentation
from fusearch.testing.encoder_case import kind_shapes

CAT = FusionGraph.parse("F1 = cat(a@L, b@L; trunk=fc:1) ->", modalities=TABLES)
SETTINGS = TrainingSettings(epochs=2, batch_size=8)
#: Training and held-out rows of each fold: the last portion of the second is dropped, that of the first is not.
SIZES = ((20, 7), (17, 10))

SERIES = (Modality("a", "timeseries", (6, 2)), *TABLES[1:], Modality("d", "tabular", (2,)))

#: Positions of the masks.
GRID = (8, 8)
TASKS = {
    "classification": Classification("class", ("no", "yes", "maybe")),
    "regression": Regression("value"),
    "segmentation": Segmentation("mask", ("none", "edge", "core"), grid=GRID, values=(0, 1, 2)),
}


def graph_of_operator(operator: str) -> FusionGraph:
    """One join by that operator, of a series and up to two tables, without dropout."""
    entry = OPERATORS[operator]
    depth = "score" if entry.scores_only else "1"
    streams = [f"{name}:mlp(layers=1)" if name != "a" else "a:tcn(stages=1)" for name in "abcd"]
    streams = streams[: max(entry.min_args, min(3, entry.max_args or 3))]
    given = [f"{stream[0]}@{depth}" for stream in streams] + ["dropout=0.0"] * ("dropout" in entry.params)
    text = f"{' | '.join(streams)}\nF1 = {operator}({', '.join(given)}) ->".replace(", dropout", "; dropout")
    return FusionGraph.parse(text, modalities=SERIES)


def graph_of_encoder(name: str) -> FusionGraph:
    """A concatenation of what that encoder makes of the first kind that it reads, and a table."""
    kind = next(kind for kind in KINDS if ENCODERS[name].reads(kind))
    modalities = (Modality("x", kind, kind_shapes(kind)[1]), TABLES[1])
    return FusionGraph.parse(f"x:{name} | b:mlp\nF1 = cat(x@L, b@L) ->", modalities=modalities)


def bound(kind: str) -> TaskLayer:
    return bind_task(TASKS[kind])


def targets_of(kind: str, count: int, generator: torch.Generator) -> Tensor:
    if kind == "classification":
        return torch.arange(count) % 3
    if kind == "regression":
        return torch.randn(count, generator=generator)
    return torch.randint(0, 3, (count, math.prod(GRID)), generator=generator).to(torch.uint8)


def make_folds(modalities: Sequence[Modality], task: str = "classification", sizes: Sequence[tuple[int, int]] = SIZES) -> list[FoldSamples]:
    """Random rows, different ones and different numbers of them in each fold; a fifth of each modality but the first is absent."""
    generator = torch.Generator().manual_seed(0)

    def samples(count: int, *, parts: bool) -> Samples:
        inputs = {
            modality.name: torch.randint(0, 20, (count, *modality.shape), generator=generator).double()
            if modality.entry.symbolic
            else torch.randn(count, *modality.shape, generator=generator)
            for modality in modalities
        }
        here = {modality.name: torch.rand(count, generator=generator) > (0.2 if at else 0) for at, modality in enumerate(modalities)}
        dealt = torch.randperm(count, generator=generator) % 3 if parts else None
        return on_device(Samples(inputs, here, targets_of(task, count, generator), dealt))

    folds = []
    for index, (train, held) in enumerate(sizes):
        train_rows, held_out = samples(train, parts=True), samples(held, parts=False)
        fold, targets = Fold(index, np.arange(train), np.arange(held)), held_out.targets.cpu().numpy()
        folds.append(FoldSamples(fold, train_rows, held_out, targets, bound(task).fit(targets)))
    return folds


def on_device(rows: Samples, device: str = DEVICE) -> Samples:
    inputs, present = ({name: values.to(device) for name, values in each.items()} for each in (rows.inputs, rows.present))
    return Samples(inputs, present, rows.targets.to(device), None if rows.parts is None else rows.parts.to(device))


def weights_of(store: WeightStore, candidate: Candidate, member: Member) -> Mapping[str, Tensor]:
    return store.load(candidate.digest, member).weights


def trained_together(
    graph: FusionGraph, recipes: Sequence[Recipe], folds: Sequence[FoldSamples], settings: TrainingSettings = SETTINGS
) -> list[TrainedMember | EvaluationError]:
    members = make_members(len(folds), 1)
    candidates = [Candidate(graph, recipe) for recipe in recipes]
    return [each.trained for each in train_pack(candidates, members, folds=lambda at: folds[at], settings=settings, threads=1)]
