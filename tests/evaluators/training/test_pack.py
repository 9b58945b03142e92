"""The law of packs: members trained together are what the plain loop makes of each, in double precision and without dropout."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from cpu_tape import Tape
from device_of_tests import DEVICE
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from toy_data import make_data

from fusearch.data import Fold
from fusearch.data.kinds import KINDS
from fusearch.data.modality import Modality
from fusearch.errors import EvaluationError
from fusearch.evaluators.network.blocks import Dropout
from fusearch.evaluators.tasks import TaskLayer, bind_task
from fusearch.evaluators.training.captured import RECORDERS
from fusearch.evaluators.training.halving import OutrunError
from fusearch.evaluators.training.member import Member, make_members
from fusearch.evaluators.training.members import FoldSamples, TrainedMember, member_training, prepare_fold, train_members
from fusearch.evaluators.training.pack import PackedMember, train_pack
from fusearch.evaluators.training.samples import Samples
from fusearch.evaluators.training.stack import Stack
from fusearch.evaluators.training.training_settings import TrainingSettings
from fusearch.evaluators.training.transfer import WeightStore
from fusearch.search_space import ENCODERS, OPERATORS, Candidate, FusionGraph, Recipe
from fusearch.tasks.classification import Classification
from fusearch.tasks.regression import Regression
from fusearch.testing.encoder_case import kind_shapes

TABLES = (Modality("a", "tabular", (4,)), Modality("b", "tabular", (3,)), Modality("c", "tabular", (5,)))
SERIES = (Modality("a", "timeseries", (6, 2)), *TABLES[1:], Modality("d", "tabular", (2,)))
CAT = FusionGraph.parse("F1 = cat(a@L, b@L; trunk=fc:1) ->", modalities=TABLES)
SETTINGS = TrainingSettings(epochs=2, batch_size=8)
#: Training and held-out rows of each fold: the last portion of the second is dropped, that of the first is not.
SIZES = ((20, 7), (17, 10))


@pytest.fixture
def taped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Note each step at its second run and replay it, as a GPU does: what is compared with the loop are replays."""
    monkeypatch.setitem(RECORDERS, "cpu", Tape)
    monkeypatch.setattr("fusearch.evaluators.training.captured.WARM_UP", 1)


@pytest.fixture(autouse=True)
def in_double_precision() -> Iterator[None]:
    """Build networks in float64."""
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def bound(kind: str) -> TaskLayer:
    return bind_task(Classification("class", ("no", "yes", "maybe")) if kind == "classification" else Regression("value"))


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
        codes = torch.arange(count) % 3
        dealt = torch.randperm(count, generator=generator) % 3 if parts else None
        made = Samples(inputs, here, codes if task == "classification" else torch.randn(count, generator=generator), dealt)
        return on_device(made)

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


def check_law(
    graph: FusionGraph,
    folder: Path,
    *,
    task: str = "classification",
    settings: TrainingSettings = SETTINGS,
    recipes: Sequence[Recipe] = (),
    members: Sequence[Member] = make_members(2, 1),
    sizes: Sequence[tuple[int, int]] = SIZES,
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
            torch.testing.assert_close(values, before[name], rtol=0, atol=1e-10, msg=lambda text, name=name: f"{name}: {text}")
    trained = [each.trained for each in found if isinstance(each.trained, TrainedMember)]
    return {phase: why for each in trained for phase, why in [*each.loop.items(), *each.eager.items()]}


#: What the laws over many designs are checked with: two members, a few steps; each region is run, captured and replayed.
SHORT = TrainingSettings(epochs=2, batch_size=8)
ONE = (Recipe(width=8, dropout=0.0, learning_rate=1e-3, loss_weight=0.5, class_weights="balanced"),)


@pytest.mark.usefixtures("taped")
@pytest.mark.parametrize("operator", list(OPERATORS))
def test_every_operator(operator: str, tmp_path: Path) -> None:
    entry = OPERATORS[operator]
    depth = "score" if entry.scores_only else "1"
    streams = [f"{name}:mlp(layers=1)" if name != "a" else "a:tcn(stages=1)" for name in "abcd"]
    streams = streams[: max(entry.min_args, min(3, entry.max_args or 3))]
    given = [f"{stream[0]}@{depth}" for stream in streams] + ["dropout=0.0"] * ("dropout" in entry.params)
    text = f"{' | '.join(streams)}\nF1 = {operator}({', '.join(given)}) ->".replace(", dropout", "; dropout")
    graph = FusionGraph.parse(text, modalities=SERIES)
    assert not check_law(graph, tmp_path, settings=SHORT, recipes=ONE)
    check_no_value_is_asked_for(graph)


#: One recipe of each way to balance classes, two with a gamma of their own, and one without.
BALANCED = tuple(
    Recipe(width=8, dropout=0.0, learning_rate=1e-2, **each)
    for each in ({}, {"class_weights": "balanced", "focal": 2.0}, {"sampling": "balanced"}, {"sampling": "balanced", "focal": 0.5})
)


#: One recipe of each way to change the training rows.
CHANGED = tuple(Recipe(width=8, dropout=0.0, learning_rate=1e-2, augmentation=each) for each in ("none", "mild", "mirrored"))


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


def check_no_value_is_asked_for(graph: FusionGraph, **more: Any) -> None:
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
    for sizes in ((8, 8), (0, 4)):
        stack.step(sizes)
    assert stack.held_losses(stack.parameters, stack.buffers).device.type == "meta"
    for training in reversed(trainings):
        training.close()


def kinds_of(name: str) -> list[str]:
    return [kind for kind in KINDS if ENCODERS[name].reads(kind)][:1]


@pytest.mark.usefixtures("taped")
@pytest.mark.parametrize("name", list(ENCODERS))
def test_every_encoder(name: str, tmp_path: Path) -> None:
    (kind,) = kinds_of(name)
    graph = FusionGraph.parse(f"x:{name} | b:mlp\nF1 = cat(x@L, b@L) ->", modalities=(Modality("x", kind, kind_shapes(kind)[1]), TABLES[1]))
    assert not check_law(graph, tmp_path, settings=SHORT, recipes=ONE)
    check_no_value_is_asked_for(graph)


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
    epochs = [each.fits["fusion"].epochs for each in packed(CAT, recipes, make_folds(TABLES), settings) if isinstance(each, TrainedMember)]
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


def packed(
    graph: FusionGraph, recipes: Sequence[Recipe], folds: Sequence[FoldSamples], settings: TrainingSettings = SETTINGS
) -> list[TrainedMember | EvaluationError]:
    members = make_members(len(folds), 1)
    candidates = [Candidate(graph, recipe) for recipe in recipes]
    return [each.trained for each in train_pack(candidates, members, folds=lambda at: folds[at], settings=settings, threads=1)]


@pytest.mark.parametrize("count", [1, 2])
def test_a_layer_that_raises_for_one_recipe_takes_no_other_with_it(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def stage(source: int, target: int, dropout: float) -> nn.Module:
        if dropout > 0.8:
            raise ValueError("so much noise")
        return nn.Sequential(nn.Linear(source, target), Dropout(dropout))

    monkeypatch.setattr("fusearch.evaluators.network.join.DenseBlock", stage)
    found = packed(CAT, [Recipe(width=8, dropout=0.9), Recipe(width=8, dropout=0.1)], make_folds(TABLES)[:count])
    for bad, good in zip(found[:count], found[count:], strict=True):
        assert isinstance(bad, EvaluationError)
        assert "ValueError: so much noise (test_pack.py:" in str(bad)
        assert isinstance(good, TrainedMember)


def test_what_a_listener_raises_stops_all() -> None:
    def on_epoch(*_: object) -> None:
        raise ValueError("enough")

    folds = make_folds(TABLES)
    for count in (1, 2):
        with pytest.raises(ValueError, match="enough"):
            list(
                train_pack(
                    [Candidate(CAT, Recipe(width=8))],
                    make_members(count, 1),
                    folds=lambda at: folds[at],
                    on_epoch=on_epoch,
                    settings=SETTINGS,
                    threads=1,
                )
            )


def test_a_member_that_fails_takes_no_other_with_it() -> None:
    folds = make_folds(TABLES)
    spoiled = replace(
        folds[1], train=replace(folds[1].train, inputs={**folds[1].train.inputs, "a": torch.full((17, 4), torch.inf, device=DEVICE)})
    )
    good, bad = packed(CAT, [Recipe(width=8, dropout=0.0)], [folds[0], spoiled])
    (alone,) = packed(CAT, [Recipe(width=8, dropout=0.0)], folds[:1])
    assert isinstance(good, TrainedMember)
    assert isinstance(alone, TrainedMember)
    np.testing.assert_allclose(good.outputs, alone.outputs, atol=1e-6)
    assert str(bad) == "training loss is nan in epoch 1, expected a finite number (is the learning rate too high?)"


def test_each_candidate_has_its_own_dropout_and_modality_dropout() -> None:
    """Without noise a member is what it is alone, whatever noise its neighbours have; with noise it is something else."""
    folds = make_folds(TABLES)
    quiet = Recipe(width=8, dropout=0.0, learning_rate=1e-2)
    recipes = [quiet, replace(quiet, dropout=0.5), replace(quiet, modality_dropout=0.5)]
    alone = packed(CAT, [quiet], folds)
    found = packed(CAT, recipes, folds)
    outputs = [each.outputs for each in found if isinstance(each, TrainedMember)]
    for before, after in zip([each.outputs for each in alone if isinstance(each, TrainedMember)], outputs[:2], strict=True):
        np.testing.assert_allclose(after, before, atol=1e-6)
    assert all(np.abs(noisy - calm).max() > 1e-4 for calm, noisy in zip(outputs[:2] * 2, outputs[2:], strict=True))


class Strange(nn.Module):
    """What a plug-in may do in a stage, and a pack cannot."""

    def __init__(self, what: str, number: float = 1.0) -> None:
        super().__init__()
        self.what, self.numbers = what, [number]  # one that a layer names itself would be seen without a step
        self.norm, self.cell = nn.BatchNorm1d(8), nn.LSTMCell(8, 8)

    def forward(self, x_BTD: Tensor) -> Tensor:
        x_BD = x_BTD[:, 0]
        if self.what == "branch" and bool((x_BD > 0).all()):
            return x_BTD
        made = {
            "norm": lambda: self.norm(x_BD),
            "cell": lambda: self.cell(x_BD)[0],
            "slow": lambda: nn.functional.bilinear(x_BD, x_BD, x_BD.new_ones(8, 8, 8)),
        }
        return made.get(self.what, lambda: x_BD * self.numbers[0])()[:, None]


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("branch", "vmap: It looks like you're attempting to use a Tensor in some data-dependent control flow"),
        ("norm", "training changes the buffer 'joins.fusion_F1.trunks.result_0.0.3.norm.running_mean'"),
        ("cell", "Batching rule not implemented for aten::lstm_cell. We could not generate a fallback."),
        ("slow", "There is a performance drop because we have not yet implemented the batching rule for aten::bilinear"),
        ("number", "the loss of a member is another one than alone: a layer or the task holds a number of its own"),
    ],
)
def test_what_cannot_be_packed_is_trained_in_the_loop_and_told(what: str, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def stage(source: int, target: int, dropout: float) -> nn.Module:
        made.append(1)
        return nn.Sequential(nn.Linear(source, target), nn.LayerNorm(target), Dropout(dropout), Strange(what, len(made)))

    monkeypatch.setattr("fusearch.evaluators.network.join.DenseBlock", stage)
    folds = make_folds(TABLES)
    found = packed(CAT, [Recipe(width=8, dropout=0.0)], folds)
    for index, each in enumerate(found):
        assert isinstance(each, TrainedMember)
        assert each.together == 2
        assert each.loop["fusion"].startswith(why), each.loop
        made[:] = [1] * index
        (alone,) = train_members(
            Candidate(CAT, Recipe(width=8, dropout=0.0)),
            [Member(index, 0)],
            folds=lambda at: folds[at],
            settings=TrainingSettings(epochs=2, batch_size=8),
            threads=1,
        )
        assert np.array_equal(each.outputs, alone.outputs)


@pytest.mark.parametrize("training", ["joint", "staged"])
def test_members_start_from_kept_weights(training: str, tmp_path: Path) -> None:
    """Of a staged design the streams that come whole are not trained alone again."""
    folds, members = make_folds(TABLES), make_members(2, 1)
    streams = Candidate(FusionGraph.parse("F1 = vote_mean(a@score, b@score) ->", modalities=TABLES), Recipe(width=8, dropout=0.0))
    graph = FusionGraph.parse(f"F1 = cat(a@score, b@score) ->\ntrain = {training}", modalities=TABLES)
    started = Candidate(graph, streams.recipe, (streams.digest,))
    stores = {name: WeightStore(tmp_path / name) for name in ("loop", "pack")}
    for store in stores.values():
        list(train_members(streams, members, folds=lambda at: folds[at], settings=SETTINGS, threads=1, weights=store))
    alone = list(train_members(started, members, folds=lambda at: folds[at], settings=SETTINGS, threads=1, weights=stores["loop"]))
    pack = list(train_pack([started], members, folds=lambda at: folds[at], settings=SETTINGS, threads=1, weights=stores["pack"]))
    for before, after in zip(alone, pack, strict=True):
        assert isinstance(after.trained, TrainedMember)
        assert list(after.trained.fits) == list(before.fits)
        expected = weights_of(stores["loop"], started, before.member)
        for name, values in weights_of(stores["pack"], started, before.member).items():
            torch.testing.assert_close(values, expected[name], rtol=0, atol=1e-10)


def raced(
    graph: FusionGraph,
    folds: Sequence[FoldSamples],
    *,
    halving: bool,
    patience: int = 3,
    rates: Sequence[float] = (1e-2, 1e-6, 3e-3, 1e-7),
) -> list[PackedMember]:
    """Train recipes, of which those with the least rates hardly learn and one has balanced classes, in a pack of all members."""
    recipes = [Recipe(width=8, dropout=0.0, learning_rate=rate, class_weights="balanced" if rate == 3e-3 else "none") for rate in rates]
    settings = TrainingSettings(epochs=9, patience=patience, batch_size=8)
    candidates = [Candidate(graph, recipe) for recipe in recipes]
    members = make_members(2, 1)
    return list(train_pack(candidates, members, folds=lambda at: folds[at], settings=settings, threads=1, halving=halving))


def easy_folds() -> list[FoldSamples]:
    """Rows whose class is the sign of a number, so that what learns gets better for many epochs."""
    folds = make_folds(TABLES)
    return [
        replace(fold, **{side: replace(rows, targets=(rows.inputs["a"][:, 0] > 0).long()) for side, rows in sides(fold).items()})
        for fold in folds
    ]


def sides(fold: FoldSamples) -> dict[str, Samples]:
    return {"train": fold.train, "validation": fold.validation}


@pytest.mark.parametrize("training", ["joint", "staged"])
def test_the_worse_half_of_the_recipes_leaves_and_the_others_are_what_they_are_without_a_race(training: str) -> None:
    graph = FusionGraph.parse(f"F1 = cat(a@L, b@L; trunk=fc:1) ->\ntrain = {training}", modalities=TABLES)
    folds = easy_folds()
    whole, found = raced(graph, folds, halving=False), raced(graph, folds, halving=True)
    left = [each for each in found if isinstance(each.trained, OutrunError)]
    assert found[: len(left)] == left, "those that leave are told first"
    assert [(each.candidate.recipe.learning_rate, each.member.fold) for each in left] == [(1e-6, 0), (1e-6, 1), (1e-7, 0), (1e-7, 1)]
    assert {str(each.trained) for each in left} == {
        f"stopped after epoch 6: place {place} of 4 recipes of this design by the loss of held-out rows" for place in (3, 4)
    }
    stayed = [each for each in whole if each.candidate.recipe.learning_rate > 1e-5]
    for alone, packed in zip(stayed, found[len(left) :], strict=True):
        assert (packed.candidate, packed.member) == (alone.candidate, alone.member)
        assert isinstance(packed.trained, TrainedMember)
        assert isinstance(alone.trained, TrainedMember)
        assert {phase: fit.epochs for phase, fit in packed.trained.fits.items()} == {
            phase: fit.epochs for phase, fit in alone.trained.fits.items()
        }
        np.testing.assert_allclose(packed.trained.outputs, alone.trained.outputs, rtol=0, atol=1e-6)


def test_a_recipe_that_has_stopped_by_itself_does_not_leave() -> None:
    found = raced(CAT, easy_folds(), halving=True, patience=1, rates=(1e-2, 3e-2, 1e-300))
    assert not any(isinstance(each.trained, OutrunError) for each in found)
    worst = [each.trained.fits["fusion"] for each in found[-2:] if isinstance(each.trained, TrainedMember)]
    assert {fit.epochs for fit in worst} == {2}, "it was the worst of three, and done when that was seen"
    best = [each.trained.fits["fusion"] for each in found[:4] if isinstance(each.trained, TrainedMember)]
    assert max(fit.loss for fit in best) < min(fit.loss for fit in worst)


def test_votes_of_streams_have_no_phase_of_the_whole_design_and_do_not_race() -> None:
    graph = FusionGraph.parse("F1 = vote_mean(a@score, b@score) ->\ntrain = independent", modalities=TABLES)
    assert not any(isinstance(each.trained, OutrunError) for each in raced(graph, easy_folds(), halving=True))


class Memory(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch leaves it untyped
    """A device on which no tensor of more than so many elements can be made."""

    def __init__(self, most: float) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # as above
        self.most, self.refused = most, 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        given = {leaf.untyped_storage().data_ptr() for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)}
        made = [leaf for leaf in tree_leaves(result) if isinstance(leaf, Tensor) and leaf.untyped_storage().data_ptr() not in given]
        if any(leaf.numel() > self.most for leaf in made):
            self.refused += 1
            raise torch.OutOfMemoryError("Tried to allocate more")
        return result


@pytest.mark.parametrize(
    ("start", "later", "loop"),
    [
        (math.inf, math.inf, None),
        (1000, 1000, None),  # the moments of two members fit, not those of four
        (400, 400, "there is no memory for two members at once"),
        (math.inf, 1000, None),  # others take it while members train: a step of two fits, not one of four
        (math.inf, 400, None),
    ],
)
def test_where_memory_runs_out_half_of_the_members_go_on_and_nothing_is_told_twice(start: float, later: float, loop: str | None) -> None:
    folds, heard = make_folds(TABLES, sizes=((20, 7), (20, 7))), list[tuple[float, int, int]]()
    recipes = [Recipe(width=8, dropout=0.0, learning_rate=rate) for rate in (1e-2, 3e-3)]
    candidates, members = [Candidate(CAT, recipe) for recipe in recipes], make_members(2, 1)
    settings = TrainingSettings(epochs=4, batch_size=20)
    memory = Memory(start)

    def on_epoch(candidate: Candidate, member: Member, phase: str, epoch: int, values: Mapping[str, float]) -> None:
        heard.append((candidate.recipe.learning_rate, member.fold, epoch))
        memory.most = later if epoch >= 2 else start

    with memory:
        found = list(train_pack(candidates, members, folds=lambda at: folds[at], settings=settings, on_epoch=on_epoch, threads=1))
    assert (memory.refused > 0) == (min(start, later) < math.inf)
    assert sorted(heard) == sorted((rate, fold, epoch) for rate in (1e-2, 3e-3) for fold in (0, 1) for epoch in (1, 2, 3, 4))
    for at, candidate in enumerate(candidates):
        alone = train_members(candidate, members, folds=lambda at: folds[at], settings=settings, threads=1)
        for packed, expected in zip(found[2 * at :], alone, strict=False):
            assert isinstance(packed.trained, TrainedMember)
            assert packed.trained.loop.get("fusion") == loop
            np.testing.assert_allclose(packed.trained.fits["fusion"].loss, expected.fits["fusion"].loss, rtol=0, atol=1e-10)
            np.testing.assert_allclose(packed.trained.outputs, expected.outputs, rtol=0, atol=1e-6)


def test_memory_that_one_member_needs_more_than_there_is_fails_that_member() -> None:
    with Memory(100):
        found = packed(CAT, [Recipe(width=8, dropout=0.0)], make_folds(TABLES))
    assert all(isinstance(each, EvaluationError) and "OutOfMemoryError" in str(each) for each in found)


@pytest.mark.usefixtures("taped")
def test_why_a_step_was_not_captured_is_told_and_it_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here a layer makes a tensor from Python values at each step: on CUDA that is a copy from the CPU, which a graph cannot hold."""

    class Listed(nn.Module):
        def forward(self, x_BTD: Tensor) -> Tensor:
            return x_BTD * torch.tensor([1.0, 1.0], device=x_BTD.device).mean()

    def stage(source: int, target: int, dropout: float) -> nn.Module:
        return nn.Sequential(nn.Linear(source, target), nn.LayerNorm(target), Dropout(dropout), Listed())

    monkeypatch.setattr("fusearch.evaluators.network.join.DenseBlock", stage)
    monkeypatch.setattr("cpu_tape.Tape.warm_up", lambda _, region: region())
    for each in packed(CAT, [Recipe(width=8, dropout=0.0)], make_folds(TABLES)):
        assert isinstance(each, TrainedMember)
        assert not each.loop
        assert each.eager == {"fusion": "a tensor is made from Python values in a region that is captured"}


def test_candidates_of_two_widths_are_no_pack() -> None:
    with pytest.raises(EvaluationError, match="a pack has candidates of several graphs or widths, expected one of each"):
        packed(CAT, [Recipe(width=8), Recipe(width=16)], make_folds(TABLES))


def test_the_same_pack_gives_the_same_outputs_and_leaves_the_state_of_random_numbers_alone() -> None:
    before = torch.get_rng_state()
    first, second = (packed(CAT, [Recipe(width=8, dropout=0.5)], make_folds(TABLES)) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        assert isinstance(one, TrainedMember)
        assert isinstance(other, TrainedMember)
        assert np.array_equal(one.outputs, other.outputs)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_user_who_stops_in_an_epoch_stops_all() -> None:
    folds, heard = make_folds(TABLES), list[tuple[int, int]]()
    candidates, members = [Candidate(CAT, Recipe(width=8))], make_members(2, 1)

    def on_epoch(candidate: Candidate, member: Member, phase: str, epoch: int, values: Mapping[str, float]) -> None:
        heard.append((member.fold, epoch))
        if len(heard) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(train_pack(candidates, members, folds=lambda at: folds[at], settings=SETTINGS, on_epoch=on_epoch))
    assert sorted(heard[:2]) == [(0, 1), (1, 1)]
    assert not torch.are_deterministic_algorithms_enabled()


@pytest.mark.slow
def test_in_single_precision_with_dropout_scores_have_the_same_distribution() -> None:
    """Twenty seeds of one fold, alone and together: means within three standard errors, spreads within a factor of two."""
    torch.set_default_dtype(torch.float32)
    data = make_data(rows=200)
    fold = prepare_fold(data, data.folds(2)[0], device=DEVICE)
    graph = FusionGraph.parse("F1 = cross_attention(a@L, b@L; trunk=fc:1) ->", modalities=data.modalities)
    candidate = Candidate(graph, Recipe(width=16, dropout=0.3, modality_dropout=0.1, learning_rate=3e-3, class_weights="balanced"))
    members, settings = make_members(1, 20), TrainingSettings(epochs=30, batch_size=16)
    alone = list(train_members(candidate, members, folds=lambda _: fold, settings=settings, threads=1))
    pack = [each.trained for each in train_pack([candidate], members, folds=lambda _: fold, settings=settings, threads=1)]
    trained = [each for each in pack if isinstance(each, TrainedMember)]
    assert len(trained) == 20
    for metric in ("log_loss", "auroc", "brier"):
        loop, together = (np.array([each.metrics[metric] for each in found]) for found in (alone, trained))
        error = np.sqrt((loop.var(ddof=1) + together.var(ddof=1)) / 20)
        assert abs(loop.mean() - together.mean()) < 3 * error
        assert 0.5 < loop.std(ddof=1) / together.std(ddof=1) < 2
    epochs = [[each.fits["fusion"].best_epoch for each in found] for found in (alone, trained)]
    assert abs(np.mean(epochs[0]) - np.mean(epochs[1])) < 3 * np.sqrt((np.var(epochs[0]) + np.var(epochs[1])) / 20)
