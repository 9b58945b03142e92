"""Every encoder, on every kind that it reads: it finds a label in generated data, in a pack too, and beside others of the same modality."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from installed import need_encoders
from numpy.typing import NDArray

from fusearch.contracts import Budget
from fusearch.data import Dataset
from fusearch.data.files.linked_nodes import link_nodes
from fusearch.data.kinds import KINDS, loadable_kinds
from fusearch.evaluators import TrainingEvaluator
from fusearch.evaluators.network.network import FusionNetwork
from fusearch.search_space import ENCODERS, Candidate, FusionGraph, Recipe

ROWS = 96
SIZES = {0: (), 1: (8,), 2: (8, 8), 3: (4, 4, 4)}
PAIRS = [(kind, name) for kind in loadable_kinds() for name in ENCODERS if ENCODERS[name].reads(kind)]

#: Kinds and encoders that take seconds: on volumes and films each encoder of pictures is met by `test_members_are_a_pack`.
LARGE = {"volume3d", "video", "efficientnet", "densenet"}


def values_of(kind: str, classes: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return samples of two channels, or codes of ragged lengths: one class has more of the first, the other more of the second."""
    rng = np.random.default_rng(0)
    layout = KINDS[kind].layouts[0]
    sizes = SIZES[len(layout.positions)]
    if layout.channel is None:
        codes = rng.integers(2, 5, size=(len(classes), *sizes)) + 3 * classes[:, None]
        length = rng.integers(3, sizes[0] + 1, size=len(classes))
        return np.where(np.arange(sizes[0]) < length[:, None], codes, 0).astype(np.float32)
    sides = np.stack([classes, 1 - classes], axis=1).reshape(len(classes), 2, *([1] * len(sizes))) * 2.0
    values = sides + rng.normal(size=(len(classes), 2, *sizes))
    axis = layout.channel_axis or 0
    values = np.moveaxis(values, 1, 1 + axis).astype(np.float32)
    return link_nodes(values, [(node, node + 1) for node in range(sizes[0] - 1)]) if layout.linked else values


def data_of(kind: str) -> Dataset:
    classes = np.arange(ROWS) % 2
    splits = ["train" if row < ROWS // 2 else "val" for row in range(ROWS)]
    return Dataset.from_arrays("made", modalities={"m": values_of(kind, classes)}, targets=classes, kinds={"m": kind}, splits=splits)


def evaluator_of(kind: str, **settings: Any) -> TrainingEvaluator:
    return TrainingEvaluator(data_of(kind), folds=1, device="cpu", batch_size=16, **settings)


@pytest.mark.parametrize(("kind", "name"), [pytest.param(*pair, marks=pytest.mark.slow if LARGE & set(pair) else ()) for pair in PAIRS])
def test_it_finds_the_label(kind: str, name: str) -> None:
    need_encoders(name)
    evaluator = evaluator_of(kind, epochs=12, pack="off")
    graph = FusionGraph.parse(f"m:{name}(size=tiny)\nm@L ->", evaluator.data.modalities)
    recipe = Recipe(learning_rate=3e-3 if name == "efficientnet" else 1e-2, width=16)  # the deepest one bears less
    evaluation = evaluator(Candidate(graph, recipe), Budget(), lambda step, values: None)
    assert evaluation["auroc"] > 0.8, "chance is 0.5, and 0.75 is three standard deviations away"


@pytest.mark.parametrize("name", [name for name in ENCODERS if ENCODERS[name].loadable_kinds])
def test_members_are_a_pack(name: str) -> None:
    need_encoders(name)
    kind = next(kind for kind in loadable_kinds() if ENCODERS[name].reads(kind))
    evaluator = evaluator_of(kind, seeds=2, epochs=1, pack=2)
    graph = FusionGraph.parse(f"m:{name}(size=tiny)\nm@L ->", evaluator.data.modalities)
    members = list(evaluator.train_members(Candidate(graph, Recipe(width=8)), Budget()))
    assert [(member.together, dict(member.loop)) for member in members] == [(2, {})] * 2


@pytest.mark.parametrize("kind", loadable_kinds())
def test_all_encoders_of_a_kind_read_one_modality_in_one_design(kind: str) -> None:
    data = data_of(kind)
    names = [name for name in ENCODERS if ENCODERS[name].reads(kind)]
    need_encoders(*names)
    streams = " | ".join(f"s{number} = m:{name}(size=tiny)" for number, name in enumerate(names))
    taps = ", ".join(f"s{number}@L" for number in range(len(names)))
    graph = FusionGraph.parse(f"{streams}\nF1 = cat({taps}) ->", data.modalities)
    network = FusionNetwork(graph, 2, Recipe(width=8))
    raw = torch.tensor(data.raw["m"][:3])
    network({"m": raw}, {"m": torch.ones(3, dtype=torch.bool)}).sum().backward()
    assert len(network.streams.encoders) == len(graph.streams)
