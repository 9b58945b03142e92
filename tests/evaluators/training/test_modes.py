"""Each training mode does what it says: who gets a gradient, who is fixed, what is fitted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
import torch
from device_of_tests import DEVICE
from torch import Tensor
from toy_training import RECIPE, SETTINGS, fit, parse

from fusearch.evaluators.network.network import FusionNetwork
from fusearch.evaluators.training.members import FoldSamples
from fusearch.evaluators.training.modes import FUSION, predict, train
from fusearch.evaluators.training.optimization import reproducible
from fusearch.evaluators.training.samples import Samples
from fusearch.evaluators.training.training_settings import TrainingSettings
from fusearch.search_space import Recipe


def moved(network: FusionNetwork, before: Mapping[str, Tensor], part: str) -> bool:
    after = {name: value for name, value in network.state_dict().items() if name.startswith(part)}
    assert after, f"no parameter of {part}"
    return all(not torch.equal(value, before[name]) for name, value in after.items())


@pytest.mark.parametrize("training", ["joint", "staged"])
def test_gradients_reach_every_stream(training: str, rows: FoldSamples) -> None:
    network, fits, before = fit(f"F1 = cat(a@L, b@L; trunk=fc:1) ->\ntrain = {training}", rows)
    assert all(moved(network, before, part) for part in ("streams.encoders.stream_a", "streams.encoders.stream_b", "joins", "heads"))
    assert list(fits) == ([FUSION] if training == "joint" else ["a", "b", FUSION])


def stream_weights(network: FusionNetwork) -> dict[str, Tensor]:
    return {name: value for name, value in network.state_dict().items() if name.startswith("streams.")}


def trained_alone(stream: str, rows: FoldSamples) -> dict[str, Tensor]:
    """Weights of a stream that is trained alone as the first phase of a design."""
    network, _, _ = fit(f"F1 = vote_mean({stream}@score, c@score) ->\ntrain = independent", rows)
    return {name: value for name, value in stream_weights(network).items() if f"stream_{stream}." in name}


def test_frozen_streams_stay_as_they_were_trained_alone_and_get_no_gradient(rows: FoldSamples) -> None:
    network, fits, before = fit("F1 = cat(a@L, c@L; trunk=fc:1) ->\ntrain = frozen", rows)
    alone = trained_alone("a", rows)
    for name, value in stream_weights(network).items():
        if "stream_a." in name:
            torch.testing.assert_close(value, alone[name], rtol=0, atol=0)
    assert all(parameter.grad is None for parameter in network.streams.parameters())
    assert moved(network, before, "joins")
    assert moved(network, before, "heads")
    assert list(fits) == ["a", "c", FUSION]


def test_staged_starts_from_the_streams_trained_alone_and_moves_on(rows: FoldSamples) -> None:
    def weight(training: str) -> Tensor:
        with reproducible(0, threads=1) as generator:
            network = FusionNetwork(parse(f"F1 = cat(a@L, c@L) ->\ntrain = {training}"), 2, RECIPE).to(DEVICE)
            epochs = {"a": 20, "c": 20, FUSION: 1}
            train(network, rows.train, None, recipe=RECIPE, task=rows.task, settings=SETTINGS, generator=generator, epochs=epochs)
        return network.state_dict()["streams.encoders.stream_a.stages.0.0.weight"]

    steps = -(-len(rows.train) // SETTINGS.batch_size)
    distance = (weight("staged") - weight("frozen")).abs().max()
    assert 0 < distance <= 1.5 * steps * 1e-2  # a few steps of Adam away from the stream alone, not from a fresh start
    assert (weight("staged") - weight("joint")).abs().max() > 2 * distance


def test_equal_streams_are_not_trained_to_be_the_same(rows: FoldSamples) -> None:
    network, _, _ = fit("x = a:mlp | y = a:mlp\nF1 = cat(x@L, y@L) ->\ntrain = frozen", rows)
    x, y = (network.state_dict()[f"streams.encoders.stream_{name}.stages.0.0.weight"] for name in "xy")
    assert not torch.equal(x, y)


def test_a_frozen_continuation_keeps_its_weights_and_lets_gradients_through(rows: FoldSamples) -> None:
    network, _, before = fit("a:mlp(layers=2) | c:mlp\nF1 = film(a@1, c@L; trunk=continue(a)) ->\ntrain = frozen", rows)
    assert all(parameter.grad is None for parameter in network.streams.parameters())
    assert moved(network, before, "joins.fusion_F1.layer")


def test_no_gradient_crosses_between_independent_streams(rows: FoldSamples) -> None:
    def weights_of_a(other: str) -> dict[str, Tensor]:
        network, _, _ = fit(f"F1 = vote_mean(a@score, {other}@score) ->\ntrain = independent", rows)
        return {name: value for name, value in stream_weights(network).items() if "stream_a." in name}

    beside_b, beside_c = weights_of_a("b"), weights_of_a("c")
    assert all(torch.equal(value, beside_c[name]) for name, value in beside_b.items())
    joint, _, _ = fit("F1 = vote_mean(a@score, b@score) ->", rows)
    assert any(not torch.equal(joint.state_dict()[name], value) for name, value in beside_b.items())


def test_a_vote_needs_no_phase_of_its_own_and_a_head_has_one(rows: FoldSamples) -> None:
    for operator, phases in (("vote_mean", ["a", "c"]), ("stacking", ["a", "c"]), ("cat", ["a", "c", FUSION])):
        assert list(fit(f"F1 = {operator}(a@score, c@score) ->\ntrain = independent", rows)[1]) == phases


@pytest.fixture(scope="module")
def rare(rows: FoldSamples) -> FoldSamples:
    """Three rows of one class to one of the other, on both sides; what is held out says the opposite of what is trained on."""

    def thin(samples: Samples) -> Samples:
        positive = torch.nonzero(samples.targets == 1).flatten()
        return samples.take(torch.cat([torch.nonzero(samples.targets == 0).flatten(), positive[: len(positive) // 3]]))

    held_out = thin(rows.validation)
    return replace(rows, train=thin(rows.train), validation=replace(held_out, targets=1 - held_out.targets))


@pytest.mark.parametrize("class_weights", ["none", "balanced"])
@pytest.mark.parametrize("training", ["independent", "frozen"])
def test_a_stream_alone_is_judged_on_the_held_out_rows_that_have_it(training: str, class_weights: str, rare: FoldSamples) -> None:
    """Without noise, and with the weights of classes in the training rows."""
    recipe = Recipe(width=8, dropout=0.5, learning_rate=1e-2, class_weights=class_weights)
    network, fits, _ = fit(f"F1 = stacking(a@score, b@score) ->\ntrain = {training}", rare, recipe=recipe)
    with torch.no_grad():
        scores = network.run(rare.validation.inputs, rare.validation.present).scores
    weights = rare.task.class_weights(rare.train.targets) if class_weights == "balanced" else None
    assert not rare.validation.present["b"].all()
    for name in "ab":
        there = rare.validation.present[name]
        expected = rare.task.loss(scores[name][there], rare.validation.targets[there], weights)
        assert fits[name].loss == pytest.approx(float(expected), rel=1e-5)


def test_balanced_classes_do_not_pull_a_fresh_head_to_the_frequent_one(rare: FoldSamples) -> None:
    """Heads start at even odds: the gradient of a bias is the share of a class in the weighted rows less one half."""

    def pulls(class_weights: str) -> list[float]:
        recipe = Recipe(width=8, class_weights=class_weights, loss_weight=1.0)
        with reproducible(0, threads=1) as generator:
            network = FusionNetwork(parse("F1 = cat(a@L, c@L) ->\na@score -> aux"), 2, recipe).to(DEVICE)
            settings = TrainingSettings(epochs=1, batch_size=len(rare.train))
            train(network, rare.train, None, recipe=recipe, task=rare.task, settings=settings, generator=generator)
        heads = [network.heads[0], network.streams.heads["stream_a"]]
        return [float(head.linear.bias.grad.abs().max()) for head in heads]

    assert pulls("balanced") == pytest.approx([0.0, 0.0], abs=1e-6)
    assert min(pulls("none")) > 0.1


def test_a_stream_alone_learns_with_the_weights_of_classes(rare: FoldSamples) -> None:
    def head(class_weights: str) -> Tensor:
        recipe = Recipe(width=8, class_weights=class_weights)
        with reproducible(0, threads=1) as generator:
            network = FusionNetwork(parse("F1 = vote_mean(a@score, c@score) ->\ntrain = independent"), 2, recipe).to(DEVICE)
            train(network, rare.train, None, recipe=recipe, task=rare.task, settings=SETTINGS, generator=generator)
        return network.streams.heads["stream_a"].linear.weight

    assert not torch.equal(head("none"), head("balanced"))


def test_a_stream_alone_does_not_hang_on_those_before_it(rows: FoldSamples) -> None:
    def weights_of_c(text: str) -> dict[str, Tensor]:
        network, fits, _ = fit(f"{text}\nF1 = vote_mean(a@score, c@score) ->\ntrain = independent", rows)
        order.append(list(fits))
        return {name: value for name, value in stream_weights(network).items() if "stream_c." in name}

    order: list[list[str]] = []
    first, second = weights_of_c("c:mlp | a:mlp"), weights_of_c("a:mlp | c:mlp")
    assert order == [["c", "a"], ["a", "c"]]
    assert all(torch.equal(value, second[name]) for name, value in first.items())


def test_tied_streams_are_trained_alone_as_one(rows: FoldSamples) -> None:
    network, fits, _ = fit("x = a:mlp | y = a:mlp(tie=x) | c:mlp\nF1 = cat(x@L, y@L, c@L) ->\ntrain = frozen", rows)
    assert list(fits) == ["x", "c", FUSION]
    assert list(network.streams.encoders) == ["stream_x", "stream_c"]


def test_a_stream_alone_learns_from_the_rows_that_have_it(rows: FoldSamples) -> None:
    spoiled = FoldSamples(
        rows.fold,
        type(rows.train)(
            {**rows.train.inputs, "b": torch.where(rows.train.present["b"][:, None], rows.train.inputs["b"], 1e3)},
            rows.train.present,
            rows.train.targets,
        ),
        rows.validation,
        rows.targets,
        rows.task,
    )
    text = "F1 = vote_mean(a@score, b@score) ->\ntrain = independent"
    clean, dirty = stream_weights(fit(text, rows)[0]), stream_weights(fit(text, spoiled)[0])
    assert (~rows.train.present["b"]).any()
    assert all(torch.equal(value, dirty[name]) for name, value in clean.items())


def test_losses_that_operators_add_are_weighed_by_the_recipe(rows: FoldSamples) -> None:
    text = "F1 = orthogonal(a@L, b@L)\nF2 = cat(F1.a@0, F1.b@0) ->"
    light, heavy = (fit(text, rows, recipe=Recipe(width=8, loss_weight=weight))[0] for weight in (0.0, 10.0))
    assert any(not torch.equal(value, heavy.state_dict()[name]) for name, value in light.state_dict().items())


def test_an_auxiliary_head_moves_with_the_weight_of_added_losses(rows: FoldSamples) -> None:
    text = "F1 = cat(a@L, b@L) ->\na@score -> aux"
    off, _, before = fit(text, rows, recipe=Recipe(width=8, loss_weight=0.0, weight_decay=0.0))
    name = "streams.heads.stream_a.linear.weight"
    torch.testing.assert_close(off.state_dict()[name], before[name])
    on, _, before = fit(text, rows, recipe=Recipe(width=8, loss_weight=1.0, weight_decay=0.0))
    assert not torch.equal(on.state_dict()[name], before[name])


def test_the_same_seed_gives_the_same_weights_bit_by_bit(rows: FoldSamples) -> None:
    recipe = Recipe(width=8, modality_dropout=0.3, class_weights="balanced")
    runs = [fit("F1 = cross_attention(a@L, b@L; trunk=fc:1) ->", rows, seed=seed, recipe=recipe)[0].state_dict() for seed in (1, 1, 2)]
    assert all(torch.equal(value, runs[1][name]) for name, value in runs[0].items())
    assert any(not torch.equal(value, runs[2][name]) for name, value in runs[0].items())


@pytest.mark.parametrize("training", ["joint", "staged", "frozen"])
def test_half_precision_is_for_learning_in_every_phase_and_not_for_judging(
    training: str, rows: FoldSamples, monkeypatch: pytest.MonkeyPatch
) -> None:
    learning, judging, loss = set(), set(), type(rows.task).loss

    def note(task: object, logits: Tensor, *others: object) -> Tensor:
        (learning if torch.is_grad_enabled() else judging).add(logits.dtype)
        return loss(task, logits, *others)

    monkeypatch.setattr(type(rows.task), "loss", note)
    monkeypatch.setattr("fusearch.evaluators.training.modes.mixed_precision", lambda device, wanted: torch.bfloat16)
    fit(f"F1 = cat(a@L, b@L) ->\ntrain = {training}", rows)
    assert learning == {torch.bfloat16}
    assert judging == {torch.float32}


def test_fixed_epochs_without_validation(rows: FoldSamples) -> None:
    with reproducible(0, threads=1) as generator:
        network = FusionNetwork(parse("F1 = cat(a@L, b@L) ->\ntrain = staged"), 2, RECIPE).to(DEVICE)
        epochs = {"a": 2, FUSION: 3}
        fits = train(network, rows.train, None, recipe=RECIPE, task=rows.task, settings=SETTINGS, generator=generator, epochs=epochs)
    assert {phase: done.epochs for phase, done in fits.items()} == {"a": 2, "b": 4, FUSION: 3}


def test_prediction_in_portions_is_the_same(rows: FoldSamples, monkeypatch: pytest.MonkeyPatch) -> None:
    network, _, _ = fit("F1 = cat(a@L, b@L) ->", rows)
    whole = predict(network, rows.validation)
    monkeypatch.setattr("fusearch.evaluators.training.samples.PORTION", 4)
    torch.testing.assert_close(predict(network, rows.validation), whole)
    network.train()
    torch.testing.assert_close(predict(network, rows.validation), whole, rtol=0, atol=1e-6)


@pytest.mark.parametrize("text", ["a:identity\ntrain = convex\na@L ->", "a:identity | b:identity\ntrain = convex\nF1 = cat(a@0, b@0) ->"])
def test_a_linear_model_is_solved_for_the_rows_as_the_network_sees_them(text: str, rows: FoldSamples) -> None:
    """Its gradient at the training rows is that of the regularization alone: a multiple of the weights."""
    network, fits, _ = fit(text, rows)
    assert {phase: (fit.best_epoch, fit.epochs) for phase, fit in fits.items()} == {FUSION: (1, 1)}
    (linear,) = (module for module in network.modules() if isinstance(module, torch.nn.Linear))
    logits = network(rows.train.inputs, rows.train.present)
    (gradient,) = torch.autograd.grad(rows.task.loss(logits, rows.train.targets), linear.weight)
    cosine = torch.nn.functional.cosine_similarity(gradient.flatten(), linear.weight.flatten(), dim=0)
    assert cosine < -0.99
    assert fits[FUSION].loss == pytest.approx(float(rows.task.loss(predict(network, rows.validation), rows.validation.targets)))
    again, _, _ = fit(text, rows, seed=5)
    assert all(torch.equal(value, again.state_dict()[name]) for name, value in network.state_dict().items())


def test_the_strength_is_chosen_on_held_out_rows(rows: FoldSamples) -> None:
    """On noise no weight is worth having; without held-out rows, as at export, parts of the training rows are held out in turn."""
    generator = torch.Generator().manual_seed(0)
    noise = replace(rows.train, targets=torch.randint(0, 2, (len(rows.train),), generator=generator))
    text = "a:identity\ntrain = convex\na@L ->"
    chosen, _, _ = fit(text, replace(rows, train=noise, validation=replace(rows.validation, targets=1 - rows.validation.targets)))
    useful, _, _ = fit(text, rows)
    norms = [
        float(module.weight.detach().norm())
        for network in (chosen, useful)
        for module in network.modules()
        if isinstance(module, torch.nn.Linear)
    ]
    assert norms[0] < 0.2 * norms[1]
    with reproducible(0, threads=1) as order:
        alone = FusionNetwork(parse(text), 2, RECIPE).to(DEVICE)
        train(alone, rows.train, None, recipe=RECIPE, task=rows.task, settings=SETTINGS, generator=order)
    agreement = (predict(alone, rows.validation).argmax(dim=1) == predict(useful, rows.validation).argmax(dim=1)).double().mean()
    assert agreement > 0.9


def test_balanced_classes_change_the_solution(rows: FoldSamples) -> None:
    rare = replace(rows, train=replace(rows.train, targets=(torch.arange(len(rows.train)) % 10 == 0).long()))
    text = "a:identity\ntrain = convex\na@L ->"
    plain, _, _ = fit(text, rare)
    balanced, _, _ = fit(text, rare, recipe=replace(RECIPE, class_weights="balanced"))
    shares = [predict(network, rare.train).softmax(dim=1)[:, 1].mean() for network in (plain, balanced)]
    assert shares[1] > 1.5 * shares[0]


def test_a_task_without_a_solver_trains_the_linear_model_by_steps(rows: FoldSamples, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(rows.task), "solver", lambda *_, **__: None)
    _, fits, _ = fit("a:identity\ntrain = convex\na@L ->", rows)
    assert fits[FUSION].epochs == SETTINGS.epochs
