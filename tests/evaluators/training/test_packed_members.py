"""What becomes of single members of a pack: those that fail, lose a race or find no memory take no other with them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from device_of_tests import DEVICE
from pack_folds import CAT, SETTINGS, make_folds, trained_together, weights_of
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from toy_data import TABLES, make_data

from fusearch.errors import EvaluationError
from fusearch.evaluators.network.blocks import Dropout
from fusearch.evaluators.training.halving import OutrunError
from fusearch.evaluators.training.member import Member, make_members
from fusearch.evaluators.training.members import FoldSamples, TrainedMember, prepare_fold, train_members
from fusearch.evaluators.training.pack import PackedMember, train_pack
from fusearch.evaluators.training.samples import Samples
from fusearch.evaluators.training.training_settings import TrainingSettings
from fusearch.evaluators.training.transfer import WeightStore
from fusearch.search_space import Candidate, FusionGraph, Recipe

pytestmark = pytest.mark.usefixtures("in_double_precision")


@pytest.mark.parametrize("count", [1, 2])
def test_a_layer_that_raises_for_one_recipe_takes_no_other_with_it(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def stage(source: int, target: int, dropout: float) -> nn.Module:
        if dropout > 0.8:
            raise ValueError("so much noise")
        return nn.Sequential(nn.Linear(source, target), Dropout(dropout))

    monkeypatch.setattr("fusearch.evaluators.network.join.DenseBlock", stage)
    found = trained_together(CAT, [Recipe(width=8, dropout=0.9), Recipe(width=8, dropout=0.1)], make_folds(TABLES)[:count])
    for bad, good in zip(found[:count], found[count:], strict=True):
        assert isinstance(bad, EvaluationError)
        assert "ValueError: so much noise (test_packed_members.py:" in str(bad)
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
    good, bad = trained_together(CAT, [Recipe(width=8, dropout=0.0)], [folds[0], spoiled])
    (alone,) = trained_together(CAT, [Recipe(width=8, dropout=0.0)], folds[:1])
    assert isinstance(good, TrainedMember)
    assert isinstance(alone, TrainedMember)
    np.testing.assert_allclose(good.outputs, alone.outputs, atol=1e-6)
    assert str(bad) == "training loss is nan in epoch 1, expected a finite number (is the learning rate too high?)"


def test_each_candidate_has_its_own_dropout_and_modality_dropout() -> None:
    """Without noise a member is what it is alone, whatever noise its neighbours have; with noise it is something else."""
    folds = make_folds(TABLES)
    quiet = Recipe(width=8, dropout=0.0, learning_rate=1e-2)
    recipes = [quiet, replace(quiet, dropout=0.5), replace(quiet, modality_dropout=0.5)]
    alone = trained_together(CAT, [quiet], folds)
    found = trained_together(CAT, recipes, folds)
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
    found = trained_together(CAT, [Recipe(width=8, dropout=0.0)], folds)
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
    rates: Sequence[float] = (3e-2, 1e-6, 1e-2, 1e-7),
) -> list[PackedMember]:
    """Train recipes, of which those with the least rates hardly learn and one has balanced classes, in a pack of all members."""
    recipes = [Recipe(width=8, dropout=0.0, learning_rate=rate, class_weights="balanced" if rate == 1e-2 else "none") for rate in rates]
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
    found = raced(CAT, easy_folds(), halving=True, patience=1, rates=(3e-2, 1e-1, 1e-300))
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
        found = trained_together(CAT, [Recipe(width=8, dropout=0.0)], make_folds(TABLES))
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
    for each in trained_together(CAT, [Recipe(width=8, dropout=0.0)], make_folds(TABLES)):
        assert isinstance(each, TrainedMember)
        assert not each.loop
        assert each.eager == {"fusion": "a tensor is made from Python values in a region that is captured"}


def test_candidates_of_two_widths_are_no_pack() -> None:
    with pytest.raises(EvaluationError, match="a pack has candidates of several graphs or widths, expected one of each"):
        trained_together(CAT, [Recipe(width=8), Recipe(width=16)], make_folds(TABLES))


def test_the_same_pack_gives_the_same_outputs_and_leaves_the_state_of_random_numbers_alone() -> None:
    before = torch.get_rng_state()
    first, second = (trained_together(CAT, [Recipe(width=8, dropout=0.5)], make_folds(TABLES)) for _ in range(2))
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
