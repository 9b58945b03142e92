"""Weights are kept, found again by what a stream is, and gone on from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from device_of_tests import DEVICE

from fusearch.contracts import Budget, Evaluation
from fusearch.data import load_data
from fusearch.errors import EvaluationError
from fusearch.evaluators import FusionNetwork, TrainingEvaluator
from fusearch.evaluators.tasks import bind_task
from fusearch.evaluators.training.member import Member
from fusearch.evaluators.training.transfer import KeptWeights, WeightStore, joins_scores, start_at_mean, take_over
from fusearch.search_space import Candidate, FusionGraph, Recipe

MEMBER = Member(0, 0)


@pytest.fixture(scope="module")
def evaluator(tmp_path_factory: pytest.TempPathFactory) -> TrainingEvaluator:
    return TrainingEvaluator(load_data("wisconsin"), folds=2, epochs=4, device=DEVICE).keeping(tmp_path_factory.mktemp("run") / "weights")


def candidate_of(evaluator: TrainingEvaluator, formula: str, start: tuple[str, ...] = ()) -> Candidate:
    return Candidate(FusionGraph.parse(formula, modalities=evaluator.data.modalities), Recipe(width=8), start)


def evaluate(evaluator: TrainingEvaluator, candidate: Candidate) -> Evaluation:
    return evaluator(candidate, Budget(), lambda step, values: None)


@pytest.fixture(scope="module")
def unimodal(evaluator: TrainingEvaluator) -> dict[str, tuple[Candidate, Evaluation]]:
    candidates = {name: candidate_of(evaluator, f"{name}:mlp(layers=1)\n{name}@L ->") for name in ("mean", "worst")}
    return {name: (candidate, evaluate(evaluator, candidate)) for name, candidate in candidates.items()}


def starts(unimodal: dict[str, tuple[Candidate, Evaluation]]) -> tuple[str, ...]:
    return tuple(candidate.digest for candidate, _ in unimodal.values())


def network_of(evaluator: TrainingEvaluator, candidate: Candidate) -> FusionNetwork:
    torch.manual_seed(0)
    return FusionNetwork.of(candidate, bind_task(evaluator.data.task))


def test_an_untrained_vote_from_kept_weights_is_the_mean_of_the_kept_predictions(
    evaluator: TrainingEvaluator, unimodal: dict[str, tuple[Candidate, Evaluation]]
) -> None:
    """The streams have other names than when they were trained alone, and nothing is trained: predictions must agree to rounding."""
    formula = "a = mean:mlp(layers=1) | b = worst:mlp(layers=1)\nout = vote_mean(a@score, b@score) ->\ntrain = independent"
    vote = evaluate(evaluator, candidate_of(evaluator, formula, starts(unimodal)))
    alone = [evaluation.arrays["probabilities"] for _, evaluation in unimodal.values()]
    np.testing.assert_allclose(vote.arrays["probabilities"], np.mean(alone, axis=0), atol=1e-5)
    assert vote.details["start"] == list(starts(unimodal))


def test_staged_training_does_not_train_the_streams_alone_again(
    evaluator: TrainingEvaluator, unimodal: dict[str, tuple[Candidate, Evaluation]]
) -> None:
    formula = "a = mean:mlp(layers=1) | b = worst:mlp(layers=1)\nout = cat(a@score, b@score) ->\ntrain = staged"
    phases: list[str] = []
    started = candidate_of(evaluator, formula, starts(unimodal))
    trained = list(evaluator.train_members(started, Budget(), lambda _, phase, epoch, values: phases.append(phase)))
    assert set(phases) == {"fusion"}
    kept = WeightStore(evaluator._weights.folder).load(starts(unimodal)[0], MEMBER)
    assert trained[0].fits["a"].best_epoch == kept.epochs["fusion"] > 0

    phases.clear()
    list(evaluator.train_members(candidate_of(evaluator, formula), Budget(), lambda _, phase, epoch, values: phases.append(phase)))
    assert set(phases) == {"a", "b", "fusion"}


def test_a_joint_training_goes_on_and_its_epochs_add_up(evaluator: TrainingEvaluator) -> None:
    formula = "mean:mlp(layers=1) | worst:mlp(layers=1)\nF1 = cat(mean@L, worst@L) ->"
    first = candidate_of(evaluator, formula)
    before = evaluate(evaluator, first)
    again = candidate_of(evaluator, formula, (first.digest,))
    after = evaluate(evaluator, again)
    assert after["log_loss"] < before["log_loss"]
    assert after.details["best_epochs"]["fusion"] > before.details["best_epochs"]["fusion"] > 0
    assert again.digest != first.digest


def test_a_deeper_design_takes_what_is_the_same(evaluator: TrainingEvaluator) -> None:
    shallow = candidate_of(evaluator, "mean:mlp(layers=2) | worst:mlp(layers=2)\nout = cat(mean@L, worst@L) ->")
    evaluate(evaluator, shallow)
    kept = evaluator._weights.load(shallow.digest, MEMBER)
    deep = candidate_of(
        evaluator,
        "mean:mlp(layers=2) | worst:mlp(layers=2)\nf1 = film(mean@1, worst@1; trunk=continue(mean))\nout = cat(f1@1, worst@L) ->",
    )
    network = network_of(evaluator, deep)
    fresh = {name: values.clone() for name, values in network.state_dict().items()}
    taken = take_over(network, [kept])
    for name, values in network.state_dict().items():
        if name in taken.weights:
            assert torch.equal(values, kept.weights[name]), name
        else:
            assert torch.equal(values, fresh[name]), name
    assert {name for name in fresh if name not in taken.weights} == {name for name in fresh if "fusion_f1" in name}
    assert taken.streams == {}, "neither stream has class scores here"


def test_another_encoder_or_another_width_is_not_taken(
    evaluator: TrainingEvaluator, unimodal: dict[str, tuple[Candidate, Evaluation]]
) -> None:
    kept = [evaluator._weights.load(digest, MEMBER) for digest in starts(unimodal)]
    deeper = candidate_of(evaluator, "mean:mlp(layers=2)\nmean@L ->")
    assert take_over(network_of(evaluator, deeper), kept).weights == frozenset()
    wider = Candidate(FusionGraph.parse("mean:mlp(layers=1)\nmean@L ->", modalities=evaluator.data.modalities), Recipe(width=16))
    taken = take_over(network_of(evaluator, wider), kept)
    assert taken.streams == {}


def test_of_several_sources_the_first_gives(evaluator: TrainingEvaluator) -> None:
    candidate = candidate_of(evaluator, "mean:mlp(layers=1)\nmean@L ->")
    network = network_of(evaluator, candidate)
    described = {"other": ["mean", "mlp", [("layers", 1)]]}

    def filled(value: float) -> KeptWeights:
        state = {name.replace("stream_mean", "stream_other"): torch.full_like(each, value) for name, each in network.state_dict().items()}
        return KeptWeights(described, state, {"fusion": int(value)})

    taken = take_over(network, [filled(1.0), filled(2.0)])
    assert taken.weights == frozenset(network.state_dict())
    assert {float(value.mean()) for value in network.state_dict().values()} == {1.0}
    assert (taken.streams, taken.epochs) == ({"mean": 1}, 2)


def test_of_several_sources_the_first_gives_fusions_and_heads_too(evaluator: TrainingEvaluator) -> None:
    network = network_of(evaluator, candidate_of(evaluator, "F1 = cat(mean@L, worst@L; trunk=fc:1) ->"))
    sources = [
        KeptWeights({}, {name: torch.full_like(each, value) for name, each in network.state_dict().items()}, {"fusion": 1})
        for value in (1.0, 2.0)
    ]
    taken = take_over(network, sources)
    values = {name: float(value.mean()) for name, value in network.state_dict().items() if not name.startswith("streams.")}
    assert {name.split(".")[0] for name in values} == {"joins", "heads"}
    assert set(values.values()) == {1.0}
    assert taken.weights == set(values)


def test_a_stream_that_comes_whole_has_seen_the_epochs_of_its_own_phase(evaluator: TrainingEvaluator) -> None:
    network = network_of(evaluator, candidate_of(evaluator, "mean:mlp(layers=1)\nmean@L ->"))
    source = KeptWeights({"mean": ["mean", "mlp", [("layers", 1)]]}, network.state_dict(), {"mean": 3, "fusion": 7})
    taken = take_over(network, [source])
    assert (taken.streams, taken.epochs) == ({"mean": 3}, 7)


def test_weights_that_were_not_kept_are_one_line(evaluator: TrainingEvaluator, tmp_path: Path) -> None:
    candidate = candidate_of(evaluator, "mean:mlp(layers=1)\nmean@L ->", ("0123456789ab",))
    with pytest.raises(
        EvaluationError, match=r"no weights of candidate 0123456789ab \(fold 0, seed 0\) in .*: expected 'fold0-seed0.safetensors'"
    ):
        evaluate(evaluator, candidate)
    with pytest.raises(EvaluationError, match="this evaluator keeps no weights"):
        evaluate(TrainingEvaluator(load_data("wisconsin"), folds=2, epochs=1, device=DEVICE), candidate)
    with pytest.raises(EvaluationError, match="no weights of candidate"):
        evaluate(evaluator.keeping(tmp_path), candidate)


@pytest.mark.parametrize("depth", ["score", "L"])
def test_a_head_on_joined_scores_starts_as_their_mean(evaluator: TrainingEvaluator, depth: str) -> None:
    candidate = candidate_of(evaluator, f"mean:mlp | worst:mlp\nF1 = cat(mean@{depth}, worst@{depth}) ->\ntrain = staged")
    network = network_of(evaluator, candidate).eval()
    before = network.get_parameter("heads.0.linear.weight").clone()
    start_at_mean(network)
    if depth == "L":
        assert not joins_scores(candidate.graph)
        assert torch.equal(network.get_parameter("heads.0.linear.weight"), before)
        return
    samples = evaluator.prepared(0).validation
    output = network.run(samples.inputs, samples.present)
    torch.testing.assert_close(output.main, torch.stack(list(output.scores.values())).mean(dim=0))


def test_a_joined_network_starts_where_its_streams_ended(
    evaluator: TrainingEvaluator, unimodal: dict[str, tuple[Candidate, Evaluation]]
) -> None:
    """Its loss after one epoch is near that of the mean of the scores, not that of chance."""
    formula = "a = mean:mlp(layers=1) | b = worst:mlp(layers=1)\nout = cat(a@score, b@score) ->\ntrain = staged"
    losses: list[float] = []
    candidate = candidate_of(evaluator, formula, starts(unimodal))
    list(evaluator.train_members(candidate, Budget(epochs=1), lambda *call: losses.append(call[3]["val_loss"])))
    assert max(losses) < max(evaluation["log_loss"] for _, evaluation in unimodal.values())
