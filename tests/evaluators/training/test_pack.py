"""The law of packs: members trained together are what the plain loop makes of each, in double precision and without dropout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from few import few
from installed import need_encoders
from pack_folds import (
    CAT,
    GRID,
    SERIES,
    SETTINGS,
    SIZES,
    graph_of_encoder,
    graph_of_operator,
    make_folds,
    on_device,
    trained_together,
    weights_of,
)
from toy_data import TABLES

from fusearch.data.kinds import KINDS
from fusearch.data.modality import Modality
from fusearch.errors import EvaluationError
from fusearch.evaluators.network.copies import Copies
from fusearch.evaluators.training.member import Member, make_members
from fusearch.evaluators.training.members import TrainedMember, member_training, train_members
from fusearch.evaluators.training.pack import train_pack
from fusearch.evaluators.training.stack import Stack
from fusearch.evaluators.training.training_settings import TrainingSettings
from fusearch.evaluators.training.transfer import WeightStore
from fusearch.search_space import ENCODERS, OPERATORS, Candidate, FusionGraph, Recipe
from fusearch.testing.encoder_case import kind_shapes

pytestmark = pytest.mark.usefixtures("in_double_precision")


def check_law(
    graph: FusionGraph,
    folder: Path,
    *,
    task: str = "classification",
    settings: TrainingSettings = SETTINGS,
    recipes: Sequence[Recipe] = (),
    members: Sequence[Member] = make_members(2, 1),
    sizes: Sequence[tuple[int, int]] = SIZES,
    within: float = 1e-10,
) -> dict[str, str]:
    """Train in the loop and in a pack; compare every weight, every epoch and every output.

    Return what was trained in the loop, or not captured, and why.
    """
    folds = make_folds(graph.modalities, task, sizes)
    recipes = recipes or (
        Recipe(width=8, dropout=0.0, learning_rate=1e-2, loss_weight=0.5),
        Recipe(width=8, dropout=0.0, learning_rate=3e-3, weight_decay=0.1, class_weights="balanced"),
    )
    candidates = [Candidate(graph, recipe) for recipe in recipes]
    loop, pack = WeightStore(folder / "loop"), WeightStore(folder / "pack")
    expected = [
        trained
        for candidate in candidates
        for trained in train_members(candidate, members, folds=lambda at: folds[at], settings=settings, threads=1, weights=loop)
    ]
    found = list(train_pack(candidates, members, folds=lambda at: folds[at], settings=settings, threads=1, weights=pack))
    assert [(each.candidate, each.member) for each in found] == [(candidate, member) for candidate in candidates for member in members]
    for alone, packed in zip(expected, found, strict=True):
        assert not isinstance(packed.trained, EvaluationError), packed.trained
        ours, theirs = packed.trained.fits, alone.fits
        assert {phase: (fit.best_epoch, fit.epochs) for phase, fit in ours.items()} == {
            phase: (fit.best_epoch, fit.epochs) for phase, fit in theirs.items()
        }
        np.testing.assert_allclose([fit.loss for fit in ours.values()], [fit.loss for fit in theirs.values()], rtol=0, atol=1e-10)
        np.testing.assert_allclose(packed.trained.outputs, alone.outputs, rtol=0, atol=1e-6)  # float32
        before = weights_of(loop, packed.candidate, packed.member)
        for name, values in weights_of(pack, packed.candidate, packed.member).items():
            torch.testing.assert_close(values, before[name], rtol=0, atol=within, msg=lambda text, name=name: f"{name}: {text}")
    trained = [each.trained for each in found if isinstance(each.trained, TrainedMember)]
    return {phase: why for each in trained for phase, why in [*each.loop.items(), *each.eager.items()]}


#: What the laws over many designs are checked with: two members, a few steps; each region is run, captured and replayed.
SHORT = TrainingSettings(epochs=2, batch_size=8)


ONE = (Recipe(width=8, dropout=0.0, learning_rate=1e-3, loss_weight=0.5, class_weights="balanced"),)

#: How far weights of an operator may lie apart where that is more than 1e-10. Fourier transforms round in another order in a pack, by as
#: much as the processor likes (1.2e-10 was seen), and AdamW divides what rounding makes of a slope near 0 by that slope.
FARTHER = {"compact_bilinear": 1e-9}


@pytest.mark.usefixtures("taped")
@pytest.mark.parametrize("operator", few(OPERATORS))
def test_every_operator(operator: str, tmp_path: Path) -> None:
    graph = graph_of_operator(operator)
    assert not check_law(graph, tmp_path, settings=SHORT, recipes=ONE, within=FARTHER.get(operator, 1e-10))
    check_no_value_is_asked_for(graph, [(0, 4)])


def test_networks_that_are_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = list[Copies]()
    monkeypatch.setattr(Copies, "MANY", 2)
    monkeypatch.setattr(Copies, "__init__", lambda self, build, init=Copies.__init__: (init(self, build), made.append(self))[0])
    text = "F1 = gated_cat(a@L, b@L)\nF2 = cat(F1@0, c@1; trunk=fc:1) ->\ntrain = staged"
    assert not check_law(FusionGraph.parse(text, modalities=TABLES), tmp_path)
    assert [copies.num_copied for copies in made] == [2]


@pytest.mark.parametrize("training", ["joint", "staged"])
def test_masks(training: str, tmp_path: Path) -> None:
    modalities = (*(Modality(name, "image2d", (1, *GRID)) for name in "xy"), TABLES[1])
    text = (
        f"x:cnn(stages=2) | y:cnn(stages=2) | b:mlp\nF1 = cat_channels(x@1, y@1; trunk=conv:1)\nF2 = film(F1@L, b@L) ->\ntrain = {training}"
    )
    assert not check_law(FusionGraph.parse(text, modalities=modalities), tmp_path, task="segmentation")


#: One recipe of each way to change the training rows.
CHANGED = tuple(Recipe(width=8, dropout=0.0, learning_rate=1e-2, augmentation=each) for each in ("none", "mild", "mirrored"))

#: One recipe of each way to balance classes, two with a gamma of their own, and one without.
BALANCED = tuple(
    Recipe(width=8, dropout=0.0, learning_rate=1e-2, **each)
    for each in ({}, {"class_weights": "balanced", "focal": 2.0}, {"sampling": "balanced"}, {"sampling": "balanced", "focal": 0.5})
)


@pytest.mark.usefixtures("taped")
@pytest.mark.parametrize("kind", [name for name in KINDS if Modality("x", name, kind_shapes(name)[1]).has_grid])
def test_changes_of_the_training_rows(kind: str, tmp_path: Path) -> None:
    """Members of one pack differ in it; what changes a row hangs on seed, fold, epoch and its place alone."""
    graph = FusionGraph.parse("F1 = cat(x@L, b@L) ->", modalities=(Modality("x", kind, kind_shapes(kind)[1]), TABLES[1]))
    assert not check_law(graph, tmp_path, recipes=CHANGED)
    check_no_value_is_asked_for(graph, augmentation="mirrored")


@pytest.mark.parametrize("training", ["staged", "frozen", "independent"])
def test_changes_of_the_rows_of_streams_alone(training: str, tmp_path: Path) -> None:
    join = "vote_mean(a@score, b@score)" if training == "independent" else "cat(a@L, b@L)"
    graph = FusionGraph.parse(f"a:tcn(stages=1) | b:mlp\nF1 = {join} ->\ntrain = {training}", modalities=SERIES)
    assert not check_law(graph, tmp_path, recipes=CHANGED[:2])


@pytest.mark.usefixtures("taped")
@pytest.mark.parametrize("training", ["joint", "frozen"])
def test_every_way_to_balance_classes(training: str, tmp_path: Path) -> None:
    """Members of one pack differ in it: weights, gamma and the rows that are drawn are their own."""
    graph = FusionGraph.parse(f"F1 = cat(a@L, b@L; trunk=fc:1) -> aux\nF2 = sum(F1@L, c@L) ->\ntrain = {training}", modalities=TABLES)
    assert not check_law(graph, tmp_path, recipes=BALANCED)


def check_no_value_is_asked_for(graph: FusionGraph, steps: Sequence[tuple[int, int]] = ((8, 8), (0, 4)), **more: Any) -> None:
    """Take steps, noise included, on a device that holds no values, where nothing may lie on the CPU: as in a graph of a GPU."""
    recipe = Recipe(width=8, dropout=0.1, modality_dropout=0.1, loss_weight=0.5, **more)
    candidate, folds = Candidate(graph, recipe), make_folds(graph.modalities)
    trainings = [member_training(candidate, member, folds[member.fold], settings=SHORT) for member in make_members(2, 1)]
    phases = [next(training) for training in trainings]
    moved = [
        replace(phase, loss=phase.loss.to("meta"), rows=on_device(phase.rows, "meta"), held=on_device(phase.held, "meta"))
        for phase in phases
        if phase.held is not None
    ]
    stack = Stack(moved)
    for sizes in steps:
        stack.step(sizes)
    assert stack.held_losses(stack.parameters, stack.buffers).device.type == "meta"
    for training in reversed(trainings):
        training.close()


@pytest.mark.usefixtures("taped")
@pytest.mark.parametrize("name", few(ENCODERS))
def test_every_encoder(name: str, tmp_path: Path) -> None:
    need_encoders(name)
    graph = graph_of_encoder(name)
    assert not check_law(graph, tmp_path, settings=SHORT, recipes=ONE)
    check_no_value_is_asked_for(graph)


@pytest.mark.usefixtures("taped")
@pytest.mark.parametrize("training", ["joint", "frozen"])
def test_a_trunk_over_the_edges_of_a_graph(training: str, tmp_path: Path) -> None:
    need_encoders("gcn")
    text = f"x:gcn | y = x:deepset(stages=1)\nF1 = sum(x@1, y@1; trunk=continue(x))\nF2 = cat(F1@1, y@1) ->\ntrain = {training}"
    assert not check_law(FusionGraph.parse(text, modalities=(Modality("x", "graph", (5, 7)),)), tmp_path, settings=SHORT, recipes=ONE)


@pytest.mark.parametrize("name", ["text_cnn", "tcn", "gru", "transformer"])
def test_codes_with_an_end(name: str, tmp_path: Path) -> None:
    streams = f"x:{name}(pool=attention) | y = x:{name} | b:mlp"
    graph = FusionGraph.parse(f"{streams}\nF1 = cat(x@L, y@L, b@L) ->", modalities=(Modality("x", "text", (6,)), TABLES[1]))
    assert not check_law(graph, tmp_path, settings=SHORT, recipes=ONE)


LOSSES = "F1 = orthogonal(a@L, b@L)\nF2 = cat(F1.a@0, F1.b@0; trunk=fc:1) ->\na@score -> aux\ntrain = "


TIES = "x = a:mlp | y = a:mlp(tie=x) | c:mlp(layers=3)\nF1 = film(c@1, x@L, y@L; trunk=continue(c)) ->\ntrain = "


@pytest.mark.usefixtures("taped")
@pytest.mark.parametrize("training", ["joint", "staged", "frozen"])
@pytest.mark.parametrize("text", [LOSSES, TIES], ids=["losses", "ties"])
def test_every_training(training: str, text: str, tmp_path: Path) -> None:
    found = check_law(FusionGraph.parse(text + training, modalities=TABLES), tmp_path)
    assert not found


@pytest.mark.usefixtures("taped")
@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("training", ["staged", "independent"])
def test_votes_fitted_on_unseen_scores(training: str, task: str, tmp_path: Path) -> None:
    text = f"a:mlp(layers=1) | b:mlp(layers=1)\nF1 = stacking(a@score, b@score) ->\ntrain = {training}"
    found = check_law(FusionGraph.parse(text, modalities=TABLES), tmp_path, task=task, recipes=ONE)
    assert not found


@pytest.mark.usefixtures("taped")
@pytest.mark.parametrize("family", ["fc", "conv", "rnn", "attention"])
def test_every_trunk(family: str, tmp_path: Path) -> None:
    graph = FusionGraph.parse(f"F1 = cat_tokens(a@1, b@L; trunk={family}:1) ->", modalities=SERIES)
    assert not check_law(graph, tmp_path, settings=SHORT, recipes=ONE)


@pytest.mark.parametrize("device_has_graphs", [False, True])
def test_members_stop_each_at_its_own_epoch_and_the_others_go_on(
    device_has_graphs: bool, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if device_has_graphs:
        request.getfixturevalue("taped")
    recipes = [Recipe(width=8, dropout=0.0, learning_rate=rate) for rate in (1e-1, 1e-2, 3e-3, 1e-3)]
    settings = TrainingSettings(epochs=12, patience=2, batch_size=8)
    check_law(CAT, tmp_path, recipes=recipes, settings=settings)
    epochs = [
        each.fits["fusion"].epochs
        for each in trained_together(CAT, recipes, make_folds(TABLES), settings)
        if isinstance(each, TrainedMember)
    ]
    assert sum(count <= 6 for count in epochs) >= len(epochs) / 2  # the pack was halved
    assert len(set(epochs)) > 3


@pytest.mark.parametrize("device_has_graphs", [False, True])
def test_folds_of_other_numbers_of_steps(device_has_graphs: bool, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    if device_has_graphs:
        request.getfixturevalue("taped")
    graph = FusionGraph.parse("F1 = cat(a@L, b@L) ->", modalities=TABLES)
    found = check_law(graph, tmp_path, members=make_members(4, 2), sizes=((40, 5), (17, 10), (6, 5), (40, 10)))
    assert not found


@pytest.mark.usefixtures("taped")
def test_more_held_out_rows_than_a_forward_pass_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("samples", "stack"):
        monkeypatch.setattr(f"fusearch.evaluators.training.{module}.PORTION", 4)
    assert not check_law(CAT, tmp_path)
